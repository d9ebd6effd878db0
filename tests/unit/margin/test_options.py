from datetime import date, timedelta

import pytest
from tests.unit.margin.books import CALL, PUT, TODAY

from levsleeve.margin.options import (
    boxed_short_share,
    collared_share,
    hedged_share,
    in_the_money,
    loan_value_rate,
    out_of_the_money,
    relief_strike,
    spread_width,
    uncovered_option,
)
from levsleeve.margin.policy import Policy
from levsleeve.margin.schedule import BROAD, HIGH_CAP, NARROW, margin_rules

RULES = margin_rules(TODAY)
UNSCALED = margin_rules(TODAY, Policy(option_minimum="unscaled", collar_rate="unscaled"))
LENDING = Policy(option_loan_value="finra")
ROUNDED = 1e-9

Written = tuple[float, float, float, float, float, float]


@pytest.mark.parametrize(
    ("price", "strike", "right", "inside", "outside"),
    [
        (100.0, 90.0, PUT, 0.0, 10.0),
        (100.0, 110.0, PUT, 10.0, 0.0),
        (100.0, 90.0, CALL, 10.0, 0.0),
        (100.0, 110.0, CALL, 0.0, 10.0),
        (100.0, 100.0, CALL, 0.0, 0.0),
    ],
)
def test_an_option_is_in_the_money_or_out_of_it_by_the_dollars_to_its_strike(
    price: float, strike: float, right: float, inside: float, outside: float
) -> None:
    assert in_the_money(price, strike, right) == inside
    assert out_of_the_money(price, strike, right) == outside


# --- written alone: FINRA Rule 4210(f)(2) ---------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "strike", "mark", "right", "required"),
    [
        # Tests of the LEAN engine, which it checked against the Cboe calculator: 20 % of a stock.
        (196.0, 192.0, 14.00, CALL, 53.20),
        (182.0, 192.0, 14.00, PUT, 50.40),
        (200.0, 207.0, 0.18, PUT, 40.18),
        # The same, where Interactive Brokers showed 198.37, 30.44, 60.42 and 99.29.
        (415.0, 300.0, 115.75, CALL, 198.75),
        (415.0, 300.0, 0.45, PUT, 30.45),
        (415.0, 390.0, 1.85, PUT, 59.85),
        (415.0, 430.0, 16.80, PUT, 99.80),
        # A page for customers: 41.80 + 1.20 - 9.00.
        (209.0, 200.0, 1.20, PUT, 34.00),
    ],
)
def test_a_written_option_on_a_stock_needs_what_other_calculators_print(
    price: float, strike: float, mark: float, right: float, required: float
) -> None:
    answer = uncovered_option(price, strike, mark, right, 1.0, NARROW, RULES)
    assert answer == pytest.approx(required, abs=ROUNDED)


@pytest.mark.parametrize("breadth", [BROAD, HIGH_CAP])
@pytest.mark.parametrize(
    ("strike", "mark", "required"), [(3_800.0, 750.0, 1_432.50), (5_000.0, 0.05, 455.05)]
)
def test_a_written_call_on_a_broad_index_takes_15_percent(
    breadth: float, strike: float, mark: float, required: float
) -> None:
    # The index at 4,550; Interactive Brokers showed 1,432.75 and 455.37.
    answer = uncovered_option(4_550.0, strike, mark, CALL, 1.0, breadth, RULES)
    assert answer == pytest.approx(required, abs=ROUNDED)


@pytest.mark.parametrize(
    ("written", "scaled", "unscaled"),
    [
        # A 3x fund at 100: 45 % less 5 out of the money; the minimum of 30 or 10 % does not bind.
        ((100.0, 105.0, 2.0, CALL, 3.0, BROAD), 42.0, 42.0),
        ((100.0, 105.0, 2.0, CALL, -3.0, BROAD), 42.0, 42.0),
        # Far out of the money the minimum does: of the strike for a put, of the price for a call.
        ((100.0, 60.0, 0.3, PUT, 3.0, BROAD), 18.3, 6.3),
        ((100.0, 160.0, 0.3, CALL, 3.0, BROAD), 30.3, 10.3),
        # A sector fund: 60 % of 40 less 4.
        ((40.0, 36.0, 1.1, PUT, 3.0, NARROW), 21.1, 21.1),
        # No more than 100 % of either, at 7x broad (105 %) and 12x (the minimum at 120 %).
        ((100.0, 100.0, 5.0, CALL, 7.0, BROAD), 105.0, 105.0),
        ((100.0, 300.0, 0.0, CALL, 12.0, BROAD), 100.0, 10.0),
        # A multiple below one lowers nothing.
        ((100.0, 105.0, 2.0, CALL, 0.5, BROAD), 12.0, 12.0),
    ],
)
def test_a_written_option_on_a_leveraged_fund_scales_by_its_multiple(
    written: Written, scaled: float, unscaled: float
) -> None:
    assert uncovered_option(*written, RULES) == pytest.approx(scaled, abs=ROUNDED)
    assert uncovered_option(*written, UNSCALED) == pytest.approx(unscaled, abs=ROUNDED)


@pytest.mark.parametrize(
    ("on", "call", "put"),
    [
        # Deferred from 1 December 2009, when shares began to scale, by Regulatory Notice 09-65.
        (date(2009, 11, 30), 12.0, 6.3),
        (date(2009, 12, 1), 12.0, 6.3),
        (date(2010, 4, 29), 12.0, 6.3),
        (date(2010, 4, 30), 42.0, 18.3),
    ],
)
def test_written_options_scale_five_months_after_shares(on: date, call: float, put: float) -> None:
    rules = margin_rules(on)
    answer = uncovered_option(100.0, 105.0, 2.0, CALL, 3.0, BROAD, rules)
    assert answer == pytest.approx(call, abs=ROUNDED)
    answer = uncovered_option(100.0, 60.0, 0.3, PUT, 3.0, BROAD, rules)
    assert answer == pytest.approx(put, abs=ROUNDED)


def test_the_current_mark_counts_and_never_the_premium_at_which_an_option_was_opened() -> None:
    # 20 % of 200 and the mark: 40.18 at 0.18 now, where 4.68 at the opening gave 44.68.
    cheap = uncovered_option(200.0, 200.0, 0.18, PUT, 1.0, NARROW, RULES)
    dear = uncovered_option(200.0, 200.0, 4.68, PUT, 1.0, NARROW, RULES)
    assert dear - cheap == pytest.approx(4.50, abs=ROUNDED)


# --- hedged shares: FINRA Rule 4210(f)(2)(H)(v) ---------------------------------------------------


@pytest.mark.parametrize(
    ("price", "strike", "right", "normal", "required"),
    [
        (100.0, 90.0, PUT, 75.0, 19.0),
        (100.0, 50.0, PUT, 75.0, 55.0),
        (50.0, 90.0, PUT, 37.5, 9.0),
        (100.0, 28.0, PUT, 75.0, 74.8),  # relief begins at 27.78
        (100.0, 27.5, PUT, 75.0, 75.0),
        (410.0, 300.0, PUT, 102.5, 102.5),  # IBKR showed 102.76
        (50.0, 55.0, CALL, 45.0, 10.5),
        (50.0, 40.0, CALL, 45.0, 4.0),
        (50.0, 200.0, CALL, 45.0, 45.0),
    ],
)
def test_a_hedged_share_keeps_a_tenth_of_the_strike_and_what_the_option_is_out_of_the_money(
    price: float, strike: float, right: float, normal: float, required: float
) -> None:
    assert hedged_share(price, strike, right, normal, RULES) == pytest.approx(required, abs=ROUNDED)


@pytest.mark.parametrize(
    ("rate", "strike"), [(0.75, 27.7777777778), (0.25, 83.3333333333), (1.0, 0.0)]
)
def test_relief_begins_at_a_strike_of_what_a_share_lends_over_nine_tenths(
    rate: float, strike: float
) -> None:
    normal = 100.0 * rate
    begins = relief_strike(100.0, normal, RULES)
    assert begins == pytest.approx(strike, abs=1e-9)
    assert hedged_share(100.0, begins, PUT, normal, RULES) == pytest.approx(normal)
    assert hedged_share(100.0, begins + 1.0, PUT, normal, RULES) < normal


@pytest.mark.parametrize(
    ("price", "put", "call", "multiple", "scaled", "unscaled"),
    [
        # 1x at 100 between 90 and 110: min(9 + 10, 27.5, 25).
        (100.0, 90.0, 110.0, 1.0, 19.0, 19.0),
        # The put far below: the normal 25 is less than 6 + 40 and than 27.5.
        (100.0, 60.0, 110.0, 1.0, 25.0, 25.0),
        # 3x: min(46, 82.5, 75) with the quarter times three, min(46, 27.5, 75) without.
        (100.0, 60.0, 110.0, 3.0, 46.0, 27.5),
        # The call in the money by 10 on top of min(8 + 20, 67.5, 75) or of the quarter, 22.5.
        (100.0, 80.0, 90.0, 3.0, 38.0, 32.5),
        # 5x: the quarter stops at all of the strike, 100 dollars; the put asks 3 + 70, normal 100.
        (100.0, 30.0, 100.0, 5.0, 73.0, 25.0),
        (100.0, 30.0, 50.0, 5.0, 100.0, 62.5),
    ],
)
def test_a_collar_keeps_the_least_of_three_and_what_its_call_is_in_the_money(
    price: float, put: float, call: float, multiple: float, scaled: float, unscaled: float
) -> None:
    normal = min(0.25 * multiple, 1.0) * price
    answer = collared_share(price, put, call, multiple, normal, RULES)
    assert answer == pytest.approx(scaled, abs=ROUNDED)
    answer = collared_share(price, put, call, multiple, normal, UNSCALED)
    assert answer == pytest.approx(unscaled, abs=ROUNDED)


@pytest.mark.parametrize(
    ("price", "strike", "required"),
    [
        (524.63, 524.0, 53.03),  # LEAN's tests, with what IBKR shows
        (100.0, 100.0, 10.0),
        (100.0, 110.0, 11.0),
        (100.0, 90.0, 19.0),
        # Worth 20 whatever happens, and 80 of what the account counts is owed: never less.
        (100.0, 20.0, 82.0),
    ],
)
def test_a_conversion_keeps_a_tenth_of_its_strike_and_what_its_call_is_in_the_money(
    price: float, strike: float, required: float
) -> None:
    answer = collared_share(price, strike, strike, 1.0, 0.25 * price, RULES)
    assert answer == pytest.approx(required, abs=ROUNDED)


@pytest.mark.parametrize(
    ("price", "strike", "required"),
    [(100.0, 100.0, 10.0), (100.0, 90.0, 9.0), (100.0, 110.0, 21.0), (100.0, 300.0, 230.0)],
)
def test_a_reverse_conversion_keeps_a_tenth_and_what_its_put_is_in_the_money(
    price: float, strike: float, required: float
) -> None:
    answer = boxed_short_share(price, strike, strike, 0.90 * price, RULES)
    assert answer == pytest.approx(required, abs=ROUNDED)


def test_a_short_share_between_a_call_and_a_lower_put_adds_what_the_put_is_in_the_money() -> None:
    # min(90, 12 + 20) and nothing, then 12 + 20 and 5.
    assert boxed_short_share(100.0, 120.0, 95.0, 90.0, RULES) == pytest.approx(32.0, abs=ROUNDED)
    assert boxed_short_share(100.0, 120.0, 105.0, 90.0, RULES) == pytest.approx(37.0, abs=ROUNDED)


@pytest.mark.parametrize(
    ("written", "held", "right", "width"),
    [
        (195.0, 185.0, PUT, 10.0),
        (185.0, 195.0, PUT, 0.0),  # bought for a debit, which is all it can lose
        (195.0, 205.0, CALL, 10.0),
        (205.0, 195.0, CALL, 0.0),
    ],
)
def test_a_spread_can_lose_its_width_or_no_more_than_its_debit(
    written: float, held: float, right: float, width: float
) -> None:
    assert spread_width(written, held, right) == width


# --- loan value: FINRA Rule 4210(f)(2)(D) ---------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "last_without"),
    [
        (date(2019, 6, 3), date(2020, 3, 3)),
        (date(2019, 4, 1), date(2020, 1, 1)),
        (date(2019, 1, 31), date(2019, 10, 31)),
        # Where the month is shorter its last day counts.
        (date(2019, 5, 31), date(2020, 2, 29)),
        (date(2018, 5, 31), date(2019, 2, 28)),
        (date(2018, 8, 31), date(2019, 5, 31)),
        (date(2018, 3, 31), date(2018, 12, 31)),
        (date(2018, 9, 30), date(2019, 6, 30)),
    ],
)
def test_an_option_lends_a_quarter_of_its_price_beyond_nine_months_to_the_day(
    on: date, last_without: date
) -> None:
    rules = margin_rules(on, LENDING)
    assert loan_value_rate(last_without.toordinal(), rules) == 0.0
    assert loan_value_rate(last_without.toordinal() + 1, rules) == 0.25
    assert loan_value_rate(last_without.toordinal() + 1, margin_rules(on)) == 0.0


def test_nine_months_are_never_under_273_days() -> None:
    lengths = set()
    for since in range(4 * 365 + 1):
        on = date(2016, 1, 1) + timedelta(days=since)
        rules = margin_rules(on, LENDING)
        lent = [days for days in range(270, 280) if loan_value_rate(on.toordinal() + days, rules)]
        lengths.add(min(lent) - 1)
    assert lengths == {273, 274, 275, 276}


def test_rules_frozen_at_a_date_count_nine_months_from_the_session() -> None:
    rules = margin_rules(date(2010, 4, 30), LENDING, session=date(1999, 6, 3))
    assert loan_value_rate(date(2000, 3, 3).toordinal(), rules) == 0.0
    assert loan_value_rate(date(2000, 3, 4).toordinal(), rules) == 0.25
