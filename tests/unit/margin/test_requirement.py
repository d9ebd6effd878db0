import math
from datetime import date

import numpy as np
import pytest
from tests.unit.margin.books import book, terms

from levsleeve.compiled import Floats
from levsleeve.margin.account import margin_requirement
from levsleeve.margin.combination import INITIAL_MARGIN, MAINTENANCE
from levsleeve.margin.house import NO_OVERLAY
from levsleeve.margin.policy import Policy
from levsleeve.margin.requirement import (
    boxed_per_share,
    end_of_day_initial_per_share,
    initial_per_share,
    long_maintenance_rate,
    maintenance_per_share,
    multiple_scale,
    order_initial_per_share,
    portfolio_rate,
    short_maintenance_per_share,
    short_maintenance_rate,
    special_memorandum_account,
)
from levsleeve.margin.schedule import BROAD, HIGH_CAP, NARROW, margin_rules

ON = date(2019, 6, 3)
RULES = margin_rules(ON)
BEFORE = margin_rules(date(2009, 11, 30))
FLOOR_SCALED = margin_rules(ON, Policy(short_floor="scaled"))
LEGACY = margin_rules(ON, Policy(end_of_day_initial="ibkr_legacy"))
BROKER = margin_rules(ON, Policy(order_initial="broker"))
PORTFOLIO = margin_rules(ON, Policy(margin_mode="portfolio"))
CENT = 0.006  # a figure printed in cents
ROUNDED = 1e-6  # a figure printed in full
EXACT = 1e-12  # a product of two figures of the rule


def maintenance(
    price: float,
    multiple: float,
    *,
    short: bool,
    rules: Floats = RULES,
    house: Floats = NO_OVERLAY,
) -> float:
    return float(maintenance_per_share(price, multiple, short, BROAD, house, rules))


def initial(
    price: float,
    multiple: float,
    *,
    short: bool,
    rules: Floats = RULES,
    house: Floats = NO_OVERLAY,
) -> float:
    return float(initial_per_share(price, multiple, short, BROAD, house, rules))


def day_end(price: float, multiple: float, *, short: bool, rules: Floats = RULES) -> float:
    return float(end_of_day_initial_per_share(price, multiple, short, BROAD, NO_OVERLAY, rules))


def at_order(price: float, multiple: float, *, short: bool, rules: Floats = RULES) -> float:
    return float(order_initial_per_share(price, multiple, short, BROAD, NO_OVERLAY, rules))


def account(*holdings: tuple[float, float, float]) -> tuple[float, float]:
    """Maintenance and initial margin of holdings of (shares, price, multiple)."""
    shares, prices, multiples = zip(*holdings, strict=True)
    positions, funds = book(shares, prices), terms(multiples)
    return (
        margin_requirement(positions, funds, MAINTENANCE),
        margin_requirement(positions, funds, INITIAL_MARGIN),
    )


# --- FINRA Regulatory Notice 09-53 ---------------------------------------------------------------


def test_a_hundred_shares_of_a_long_2x_fund_at_28_need_1400_as_the_notice_prints() -> None:
    assert account((100.0, 28.0, 2.0))[0] == pytest.approx(1_400, abs=ROUNDED)


def test_a_hundred_shares_of_a_short_3x_fund_at_26_need_2340_as_the_notice_prints() -> None:
    assert account((-100.0, 26.0, 3.0))[0] == pytest.approx(2_340, abs=ROUNDED)


@pytest.mark.parametrize(
    ("multiple", "long_rate", "short_rate", "long_initial", "short_initial"),
    [
        # The notice prints 50, 75, 60 and 90 %; its base rates are 25 % and 30 % of FINRA Rule
        # 4210(c), its cap 100 %.  Opening takes the greater of that and Regulation T's 50 %.
        (1.0, 0.25, 0.30, 0.50, 0.50),
        (1.5, 0.375, 0.45, 0.50, 0.50),
        (2.0, 0.50, 0.60, 0.50, 0.60),
        (3.0, 0.75, 0.90, 0.75, 0.90),
        (10.0 / 3.0, 10.0 / 12.0, 1.00, 10.0 / 12.0, 1.00),  # the short cap is reached
        (4.0, 1.00, 1.00, 1.00, 1.00),  # the long cap is reached
        (5.0, 1.00, 1.00, 1.00, 1.00),
        (0.5, 0.25, 0.30, 0.50, 0.50),  # a multiple below one lowers nothing
    ],
)
@pytest.mark.parametrize("side", [1.0, -1.0], ids=["bull", "bear"])
def test_rates_are_those_that_the_notice_prints_for_bulls_and_bears_alike(
    multiple: float,
    long_rate: float,
    short_rate: float,
    long_initial: float,
    short_initial: float,
    side: float,
) -> None:
    fund = side * multiple
    assert long_maintenance_rate(fund, RULES) == pytest.approx(long_rate, abs=1e-12)
    assert maintenance(100.0, fund, short=False) == pytest.approx(100.0 * long_rate, abs=1e-9)
    assert maintenance(100.0, fund, short=True) == pytest.approx(100.0 * short_rate, abs=1e-9)
    assert initial(100.0, fund, short=False) == pytest.approx(100.0 * long_initial, abs=1e-9)
    assert initial(100.0, fund, short=True) == pytest.approx(100.0 * short_initial, abs=1e-9)


@pytest.mark.parametrize(
    ("on", "required"),
    [(date(2009, 11, 30), 750.0), (date(2009, 12, 1), 2_250.0)],
)
def test_a_hundred_shares_of_a_3x_fund_at_30_are_scaled_from_december_2009(
    on: date, required: float
) -> None:
    positions, funds = book([100.0], [30.0]), terms([3.0], on=on)
    answer = margin_requirement(positions, funds, MAINTENANCE)
    assert answer == pytest.approx(required, abs=ROUNDED)


@pytest.mark.parametrize("multiple", [1.0, 2.0, 3.0, -3.0, 5.0])
def test_before_the_notice_a_multiple_scales_nothing(multiple: float) -> None:
    assert multiple_scale(multiple, BEFORE) == 1.0
    assert long_maintenance_rate(multiple, BEFORE) == 0.25
    assert short_maintenance_per_share(100.0, multiple, BEFORE) == pytest.approx(30.0, abs=1e-12)
    assert initial(100.0, multiple, short=False, rules=BEFORE) == 50.0
    assert initial(100.0, multiple, short=True, rules=BEFORE) == 50.0


# --- FINRA Rule 4210(c)(2)-(3): dollars per share ------------------------------------------------


@pytest.mark.parametrize(
    ("price", "multiple", "required"),
    [
        # Below $5 the greater of $2.50 and 100 %; from $5 the greater of $5 and 30 %.
        (60.00, 1.0, 18.00),
        (16.67, 1.0, 5.001),  # 30 % passes $5 between the two
        (16.66, 1.0, 5.00),
        (5.00, 1.0, 5.00),
        (4.99, 1.0, 4.99),
        (4.00, 1.0, 4.00),
        (2.51, 1.0, 2.51),
        (2.50, 1.0, 2.50),
        (2.49, 1.0, 2.50),  # more than the share is worth
        (0.10, 1.0, 2.50),
        # The multiple scales the percentage, not the dollars.
        (12.00, 2.0, 7.20),
        (8.40, 2.0, 5.04),
        (8.33, 2.0, 5.00),
        (6.00, 2.0, 5.00),
        (60.00, 3.0, 54.00),
        (12.00, 3.0, 10.80),
        (5.56, 3.0, 5.004),
        (5.55, 3.0, 5.00),
        (5.00, 3.0, 5.00),
        (4.00, 3.0, 4.00),
        (1.00, 3.0, 2.50),
        # The cap limits the scaling, and the floor may still ask more than the value.
        (12.00, 4.0, 12.00),
        (12.00, -3.0, 10.80),
    ],
)
def test_a_short_share_needs_the_dollars_or_the_percentage(
    price: float, multiple: float, required: float
) -> None:
    per_share = short_maintenance_per_share(price, multiple, RULES)
    assert per_share == pytest.approx(required, abs=ROUNDED)
    assert account((-100.0, price, multiple))[0] == pytest.approx(100 * required, abs=1e-4)


@pytest.mark.parametrize(
    ("price", "required"), [(1.0, 2.50), (4.0, 4.0), (6.0, 5.0), (9.0, 5.0), (12.0, 6.0)]
)
def test_opening_a_short_share_of_a_cheap_fund_takes_its_floor(
    price: float, required: float
) -> None:
    # Half the value passes the floor of $5 at $10.
    assert initial(price, 1.0, short=True) == pytest.approx(required, abs=EXACT)


def test_a_long_share_has_no_floor() -> None:
    assert maintenance(1.0, 1.0, short=False) == 0.25


@pytest.mark.parametrize(
    ("price", "multiple", "required"),
    [
        # The other reading of the notice: the multiple scales the dollars too, to 100 % of value.
        # At 3x all of the value to $15, $15 a share to $16.67, then 90 %.
        (60.00, 3.0, 54.00),
        (16.70, 3.0, 15.03),
        (16.00, 3.0, 15.00),
        (15.00, 3.0, 15.00),
        (12.00, 3.0, 12.00),
        (5.00, 3.0, 5.00),
        (12.00, 2.0, 10.00),
        (8.40, 2.0, 8.40),
        (6.00, 2.0, 6.00),
        # Nothing changes below $5, nor for a plain fund.
        (4.00, 3.0, 4.00),
        (1.00, 3.0, 2.50),
        (12.00, 1.0, 5.00),
        (60.00, 1.0, 18.00),
        (12.00, -3.0, 12.00),
    ],
)
def test_a_floor_that_scales_asks_the_dollars_times_the_multiple_up_to_the_value(
    price: float, multiple: float, required: float
) -> None:
    per_share = short_maintenance_per_share(price, multiple, FLOOR_SCALED)
    assert per_share == pytest.approx(required, abs=ROUNDED)
    per_share = maintenance(price, multiple, short=True, rules=FLOOR_SCALED)
    assert per_share == pytest.approx(required, abs=ROUNDED)
    assert maintenance(price, multiple, short=False, rules=FLOOR_SCALED) == maintenance(
        price, multiple, short=False
    )


@pytest.mark.parametrize(
    ("price", "multiple", "rate"),
    [(4.99, 1.0, 1.0), (4.99, 3.0, 1.0), (5.0, 1.0, 0.30), (5.0, 3.0, 0.90), (5.0, -5.0, 1.0)],
)
def test_the_rate_of_a_short_share_is_all_of_it_below_five_dollars(
    price: float, multiple: float, rate: float
) -> None:
    assert short_maintenance_rate(price, multiple, RULES) == pytest.approx(rate, abs=EXACT)


def test_a_share_held_long_and_short_at_once_keeps_a_twentieth_of_its_value() -> None:
    # FINRA Rule 4210(e)(1).
    assert boxed_per_share(80.0, RULES) == pytest.approx(4.0, abs=EXACT)


# --- the order test, the end of the day, a flat rate ----------------------------------------------


@pytest.mark.parametrize(
    ("multiple", "short", "legacy", "regulation"),
    [
        # IBKR's older page: 50 %, leveraged min(50 % L, 100 %): 2x and 3x both 100 % overnight.
        (1.0, False, 50.0, 50.0),
        (1.0, True, 50.0, 50.0),
        (1.5, False, 75.0, 50.0),
        (2.0, False, 100.0, 50.0),
        (2.0, True, 100.0, 60.0),
        (-2.0, False, 100.0, 50.0),
        (3.0, False, 100.0, 75.0),
        (3.0, True, 100.0, 90.0),
        (4.0, True, 100.0, 100.0),
    ],
)
def test_the_end_of_the_day_asks_half_the_value_times_the_multiple_by_the_legacy_switch(
    multiple: float, legacy: float, regulation: float, *, short: bool
) -> None:
    asked = day_end(100.0, multiple, short=short, rules=LEGACY)
    assert asked == pytest.approx(legacy, abs=ROUNDED)
    assert day_end(100.0, multiple, short=short) == pytest.approx(regulation, abs=ROUNDED)
    assert initial(100.0, multiple, short=short, rules=LEGACY) == pytest.approx(
        regulation, abs=ROUNDED
    )


def test_the_legacy_end_of_the_day_never_undercuts_a_floor() -> None:
    # $2.50 on a share worth 1.00, of which legacy asks all.
    assert day_end(1.0, 3.0, short=True, rules=LEGACY) == 2.5


@pytest.mark.parametrize(
    ("multiple", "short", "required"),
    [
        (1.0, False, 25.0),
        (1.0, True, 30.0),
        (2.0, False, 50.0),
        (3.0, False, 75.0),
        (3.0, True, 90.0),
    ],
)
def test_an_order_at_the_brokers_initial_takes_maintenance_and_the_day_end_still_half(
    multiple: float, required: float, *, short: bool
) -> None:
    asked = at_order(100.0, multiple, short=short, rules=BROKER)
    assert asked == pytest.approx(required, abs=ROUNDED)
    half = max(50.0, required)
    for regulated in (
        at_order(100.0, multiple, short=short),
        initial(100.0, multiple, short=short, rules=BROKER),
        day_end(100.0, multiple, short=short, rules=BROKER),
    ):
        assert regulated == pytest.approx(half, abs=ROUNDED)


@pytest.mark.parametrize("rate", [0.2, 0.6, 1.0, 1.25])
@pytest.mark.parametrize("short", [False, True])
def test_a_flat_rate_replaces_every_rate_and_floor_of_shares(rate: float, *, short: bool) -> None:
    flat = margin_rules(ON, Policy(flat_rate=rate))
    for price, multiple in ((100.0, 1.0), (3.0, 3.0), (0.5, -2.0)):
        for asked in (maintenance, initial, at_order, day_end):
            answer = asked(price, multiple, short=short, rules=flat)
            assert answer == pytest.approx(rate * price, abs=EXACT)


# --- portfolio margin ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("breadth", "multiple", "long_rate", "short_rate"),
    [
        # FINRA Rule 4210(g): -8/+6 % for the S&P 500, +-10 % for other broad indexes, +-15 % for
        # sectors, times the multiple; an inverse fund loses where the bull gains.
        (HIGH_CAP, 1.0, 0.08, 0.06),
        (HIGH_CAP, 3.0, 0.24, 0.18),
        (HIGH_CAP, -1.0, 0.06, 0.08),
        (HIGH_CAP, -3.0, 0.18, 0.24),
        (HIGH_CAP, 0.5, 0.04, 0.03),
        (HIGH_CAP, -0.5, 0.03, 0.04),
        (BROAD, 3.0, 0.30, 0.30),
        (BROAD, -2.0, 0.20, 0.20),
        (NARROW, 3.0, 0.45, 0.45),
        (NARROW, 8.0, 1.00, 1.20),  # a fund cannot lose more than it is worth; a short can
    ],
)
def test_portfolio_margin_is_the_worst_loss_over_the_range_of_the_index(
    breadth: float, multiple: float, long_rate: float, short_rate: float
) -> None:
    for short, rate in ((False, long_rate), (True, short_rate)):
        assert portfolio_rate(multiple, short, breadth, RULES) == pytest.approx(rate, abs=EXACT)
        arguments = (40.0, multiple, short, breadth, NO_OVERLAY, PORTFOLIO)
        for asked in (maintenance_per_share, initial_per_share, order_initial_per_share):
            assert asked(*arguments) == pytest.approx(40.0 * rate, abs=EXACT)


def test_portfolio_margin_knows_no_floor_in_dollars_and_no_half_of_regulation_t() -> None:
    assert maintenance(1.0, 1.0, short=True, rules=PORTFOLIO) == pytest.approx(0.10, abs=EXACT)
    assert day_end(1.0, 1.0, short=False, rules=PORTFOLIO) == pytest.approx(0.10, abs=EXACT)


# --- what a house asks beyond the rule ------------------------------------------------------------

FACTOR = np.array([0.0, 0.0, 1.35, 1.35, 1.0, math.inf])  # autumn of 2020, in full


@pytest.mark.parametrize(
    ("multiple", "short", "kept", "opened"),
    [
        # 50 to 67.5 and 25 to 33.75 %, as IBKR wrote; the long side stops at 100 %.
        (1.0, False, 33.75, 67.5),
        (1.0, True, 40.5, 67.5),
        (2.0, False, 67.5, 67.5),
        (2.0, True, 81.0, 81.0),
        (3.0, False, 100.0, 100.0),
        (3.0, True, 121.5, 121.5),
    ],
)
def test_a_factor_of_135_multiplies_the_rates_after_their_cap(
    multiple: float, kept: float, opened: float, *, short: bool
) -> None:
    arguments = (100.0, multiple, short, BROAD, FACTOR, RULES)
    assert maintenance_per_share(*arguments) == pytest.approx(kept, abs=ROUNDED)
    assert initial_per_share(*arguments) == pytest.approx(opened, abs=ROUNDED)


def test_a_factor_on_maintenance_alone_raises_initial_only_to_maintenance() -> None:
    only = np.array([0.0, 0.0, 1.35, 1.0, 1.0, math.inf])
    assert initial(100.0, 1.0, short=False, house=only) == 50.0
    assert initial(100.0, 2.0, short=False, house=only) == pytest.approx(67.5)
    other = np.array([0.0, 0.0, 1.0, 1.35, 1.0, math.inf])
    assert maintenance(100.0, 2.0, short=False, house=other) == 50.0
    assert initial(100.0, 2.0, short=False, house=other) == pytest.approx(67.5)


def test_a_cap_of_the_house_below_the_rule_lowers_nothing() -> None:
    capped = np.array([0.0, 0.0, 1.35, 1.35, 0.5, 0.5])
    for short, ruled in ((False, 75.0), (True, 90.0)):
        assert maintenance(100.0, 3.0, short=short, house=capped) == pytest.approx(ruled)
        assert initial(100.0, 3.0, short=short, house=capped) == pytest.approx(ruled)


@pytest.mark.parametrize(
    ("rate", "short", "kept"),
    [
        (0.60, False, 75.0),  # a house cannot ask less than the rule
        (0.80, False, 80.0),
        (1.00, False, 100.0),
        (1.00, True, 100.0),
        (1.25, True, 125.0),
        (1.80, True, 180.0),  # short volatility funds about 2017
    ],
)
def test_a_rate_of_the_house_is_asked_where_it_exceeds_the_rule(
    rate: float, kept: float, *, short: bool
) -> None:
    row = NO_OVERLAY.copy()
    row[:2] = rate
    arguments = (100.0, 3.0, short, BROAD, row, RULES)
    assert maintenance_per_share(*arguments) == pytest.approx(kept, abs=ROUNDED)
    assert initial_per_share(*arguments) == pytest.approx(kept, abs=ROUNDED)


def test_the_dollars_of_a_cheap_short_survive_a_house_that_asks_percentages() -> None:
    # 1.35 times 90 % of 5.20 is 6.318; times 30 % of 6.00 it is 2.43, and $5 stay.
    assert maintenance(5.2, 3.0, short=True, house=FACTOR) == pytest.approx(6.318)
    assert maintenance(6.0, 1.0, short=True, house=FACTOR) == 5.0


def test_a_factor_multiplies_portfolio_rates_too() -> None:
    arguments = (100.0, 3.0, True, HIGH_CAP, FACTOR, PORTFOLIO)
    assert maintenance_per_share(*arguments) == pytest.approx(24.3, abs=ROUNDED)
    assert initial_per_share(*arguments) == pytest.approx(24.3, abs=ROUNDED)


# --- an account ----------------------------------------------------------------------------------


def test_a_bull_and_its_inverse_layer_are_added_and_never_netted() -> None:
    # 75 % of 50,000 and of 9,200.
    required = account((800.0, 62.5, 3.0), (500.0, 18.4, -3.0))
    assert required == pytest.approx((44_400, 44_400), abs=ROUNDED)


def test_a_short_leg_beside_a_long_one_is_charged_on_its_own_side() -> None:
    # 60 % of 26,400 short and 25 % (to open 50 %) of 24,600 long.
    required = account((-300.0, 88.0, 2.0), (60.0, 410.0, 1.0))
    assert required == pytest.approx((21_990, 28_140), abs=ROUNDED)


def test_a_fund_that_is_not_held_needs_nothing() -> None:
    assert account((0.0, 1.0, 3.0), (-0.0, 50.0, -3.0)) == (0.0, 0.0)
    assert margin_requirement(book([], []), terms([]), MAINTENANCE) == 0.0


@pytest.mark.parametrize(
    ("cash", "shares", "multiple", "call_price"),
    [
        # Long: debit / (shares x (1 - rate)); short: credit / (shares x (1 + rate)).
        (-40_000.0, 1_000.0, 1.0, 53.3333333333),
        (-16_000.0, 1_000.0, 3.0, 64.0),
        (-20_000.0, 1_000.0, 3.0, 80.0),
        (110_000.0, -1_000.0, 3.0, 57.8947368421),
        (25_000.0, -100.0, 3.0, 131.5789473684),
    ],
)
def test_excess_liquidity_is_zero_at_the_price_that_calls(
    cash: float, shares: float, multiple: float, call_price: float
) -> None:
    required, _ = account((shares, call_price, multiple))
    assert cash + shares * call_price - required == pytest.approx(0.0, abs=ROUNDED)


# --- long inverse against short bull -------------------------------------------------------------


@pytest.mark.parametrize(
    ("multiple", "long_initial", "short_initial"),
    [(1.0, 15_000, 15_000), (2.0, 7_500, 9_000), (3.0, 7_500, 9_000)],
)
def test_thirty_thousand_of_bearish_exposure_needs_a_sixth_less_by_an_inverse_fund(
    multiple: float, long_initial: float, short_initial: float
) -> None:
    shares = 30_000.0 / multiple / 100.0
    long_inverse = account((shares, 100.0, -multiple))
    short_bull = account((-shares, 100.0, multiple))
    assert long_inverse == pytest.approx((7_500, long_initial), abs=ROUNDED)
    assert short_bull == pytest.approx((9_000, short_initial), abs=ROUNDED)


def test_at_four_times_both_sides_need_their_whole_value() -> None:
    assert account((75.0, 100.0, -4.0)) == account((-75.0, 100.0, 4.0)) == (7_500.0, 7_500.0)


@pytest.mark.parametrize(
    ("shares", "multiple", "price", "equity", "excess_liquidity"),
    [
        # 15,000 of equity and 10,000 of a 3x fund, before and after two days of +5 % in the index.
        (100.0, -3.0, 100.00, 15_000.0, 7_500.0),
        (-100.0, 3.0, 100.00, 15_000.0, 6_000.0),
        (100.0, -3.0, 72.25, 12_225.0, 6_806.25),
        (-100.0, 3.0, 132.25, 11_775.0, -127.50),
    ],
)
def test_a_losing_inverse_fund_shrinks_while_a_losing_short_grows_into_a_call(
    shares: float, multiple: float, price: float, equity: float, excess_liquidity: float
) -> None:
    cash = 15_000.0 - shares * 100.0
    assert cash + shares * price == pytest.approx(equity, abs=CENT)
    assert equity - account((shares, price, multiple))[0] == pytest.approx(
        excess_liquidity, abs=CENT
    )


@pytest.mark.parametrize(
    ("shares", "multiple", "change"),
    [(1.0, 1.0, -0.75), (-1.0, 1.0, -1.30), (1.0, 3.0, -0.25), (-1.0, 3.0, -1.90)],
)
def test_a_dollar_against_the_position_costs_this_much_excess_liquidity(
    shares: float, multiple: float, change: float
) -> None:
    adverse = 100.0 - shares
    moved = account((shares, adverse, multiple))[0] - account((shares, 100.0, multiple))[0]
    assert shares * (adverse - 100.0) - moved == pytest.approx(change, abs=ROUNDED)


# --- the special memorandum account (12 CFR 220.5) -----------------------------------------------


@pytest.mark.parametrize(
    ("previous", "contributions", "equity", "required", "rolled"),
    [
        # Buy 60,000 of a 3x fund (75 %), +10 %, -20 %, sell 20,000.
        (100_000, -45_000, 100_000, 45_000, 55_000),
        (55_000, 0, 106_000, 49_500, 56_500),
        (56_500, 0, 92_800, 39_600, 56_500),  # a fall never lowers it
        (56_500, 15_000, 92_800, 24_600, 71_500),
        # Short 40,000 of a 2x fund (60 %), a deposit, a distribution paid, a withdrawal, half back.
        (100_000, -24_000, 100_000, 24_000, 76_000),
        (76_000, 5_000, 105_000, 24_000, 81_000),
        (81_000, -200, 104_800, 24_000, 80_800),
        (80_800, -3_000, 101_800, 24_000, 77_800),
        (77_800, 12_000, 101_800, 12_000, 89_800),
        # A rate of 100 %: bought, added to beyond what there is, a distribution received.
        (100_000, -60_000, 100_000, 60_000, 40_000),
        (40_000, -45_000, 100_000, 105_000, -5_000),
        (-5_000, 1_000, 101_000, 105_000, -4_000),
    ],
)
def test_the_special_memorandum_account_rolls(
    previous: float, contributions: float, equity: float, required: float, rolled: float
) -> None:
    answer = special_memorandum_account(
        float(previous), float(contributions), float(equity), float(required)
    )
    assert answer == pytest.approx(rolled, abs=ROUNDED)
