"""What must hold of the requirement on shares, whatever the rules, the price and the multiple."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.margin.books import book

from levsleeve.compiled import Floats
from levsleeve.margin.account import margin_requirement
from levsleeve.margin.book import fund_terms
from levsleeve.margin.combination import INITIAL_MARGIN, MAINTENANCE
from levsleeve.margin.house import NO_OVERLAY
from levsleeve.margin.policy import Policy
from levsleeve.margin.requirement import (
    end_of_day_initial_per_share,
    initial_per_share,
    maintenance_per_share,
    order_initial_per_share,
    special_memorandum_account,
)
from levsleeve.margin.schedule import BROAD, HIGH_CAP, NARROW, margin_rules

ON = date(2024, 6, 3)
SCALED, UNSCALED = margin_rules(ON), margin_rules(date(2009, 11, 30))
FLOOR_SCALED = margin_rules(ON, Policy(short_floor="scaled"))
BROKER = margin_rules(ON, Policy(order_initial="broker", end_of_day_initial="ibkr_legacy"))
PORTFOLIO = margin_rules(ON, Policy(margin_mode="portfolio"))
FLAT = margin_rules(ON, Policy(flat_rate=0.6))
ROUNDING = 1e-12  # of a few additions and products, relative to their result

rules = st.sampled_from([SCALED, UNSCALED, FLOOR_SCALED])
all_rules = st.sampled_from([SCALED, UNSCALED, FLOOR_SCALED, BROKER, PORTFOLIO, FLAT])
houses = st.sampled_from(
    [
        NO_OVERLAY,
        np.array([0.0, 0.0, 1.35, 1.35, 1.0, np.inf]),
        np.array([0.0, 0.0, 1.2, 1.05, 0.9, 1.1]),
        np.array([0.8, 1.25, 1.0, 1.0, np.inf, np.inf]),
    ]
)
breadths = st.sampled_from([HIGH_CAP, BROAD, NARROW])
prices = st.floats(0.01, 2_000.0)
magnitudes = st.floats(0.5, 6.0)
multiples = st.builds(lambda size, side: size * side, magnitudes, st.sampled_from([-1.0, 1.0]))
amounts = st.floats(-1e6, 1e6)


def maintenance(
    price: float, multiple: float, on: Floats, house: Floats = NO_OVERLAY, *, short: bool
) -> float:
    return float(maintenance_per_share(price, multiple, short, BROAD, house, on))


def initial(
    price: float, multiple: float, on: Floats, house: Floats = NO_OVERLAY, *, short: bool
) -> float:
    return float(initial_per_share(price, multiple, short, BROAD, house, on))


@st.composite
def accounts(draw: st.DrawFn) -> tuple[Floats, Floats, Floats]:
    """Signed whole shares, prices and multiples of up to five holdings."""
    count = draw(st.integers(1, 5))

    def column(values: st.SearchStrategy[float]) -> Floats:
        return np.array(draw(st.lists(values, min_size=count, max_size=count)))

    whole = st.integers(-5_000, 5_000).map(float)
    return column(whole), column(prices), column(multiples)


def needs(
    shares: Floats, marks: Floats, funds: Floats, on: Floats, house: Floats = NO_OVERLAY
) -> tuple[float, float]:
    """Maintenance and initial margin of an account of shares."""
    classes, overlays = np.full(funds.size, BROAD), np.tile(house, (funds.size, 1))
    terms, positions = (
        fund_terms(funds, classes, overlays, on),
        book(shares.tolist(), marks.tolist()),
    )
    return (
        margin_requirement(positions, terms, MAINTENANCE),
        margin_requirement(positions, terms, INITIAL_MARGIN),
    )


@given(accounts(), st.integers(1, 50), all_rules, houses)
def test_an_account_k_times_as_large_needs_k_times_as_much(
    account: tuple[Floats, Floats, Floats], times: int, on: Floats, house: Floats
) -> None:
    shares, marks, funds = account
    once = needs(shares, marks, funds, on, house)
    assert needs(shares * times, marks, funds, on, house) == pytest.approx(
        (once[0] * times, once[1] * times), rel=ROUNDING
    )


@given(accounts(), all_rules, houses)
def test_an_account_needs_the_sum_of_what_each_holding_needs_alone(
    account: tuple[Floats, Floats, Floats], on: Floats, house: Floats
) -> None:
    shares, marks, funds = account
    alone = [
        needs(shares[i : i + 1], marks[i : i + 1], funds[i : i + 1], on, house)
        for i in range(len(shares))
    ]
    together = needs(shares, marks, funds, on, house)
    assert together == pytest.approx(np.sum(alone, axis=0), rel=ROUNDING)
    assert 0.0 <= together[0] <= together[1]


@given(
    price=prices, one=magnitudes, other=magnitudes, short=st.booleans(), on=all_rules, house=houses
)
def test_a_larger_multiple_never_needs_less(
    price: float, one: float, other: float, on: Floats, house: Floats, *, short: bool
) -> None:
    less, more = sorted((one, other))
    for asked in (maintenance, initial):
        small = asked(price, less, on, house, short=short)
        assert small <= asked(price, more, on, house, short=short)


@given(
    price=prices, one=st.floats(4.0, 9.0), other=st.floats(4.0, 9.0), short=st.booleans(), on=rules
)
def test_above_the_cap_a_multiple_needs_no_more(
    price: float, one: float, other: float, on: Floats, *, short: bool
) -> None:
    # Both sides are at 100 % of value or at their dollars.
    for asked in (maintenance, initial):
        assert asked(price, one, on, short=short) == asked(price, other, on, short=short)


@given(one=prices, other=prices, multiple=multiples, short=st.booleans(), on=rules)
def test_a_dearer_share_never_needs_less(
    one: float, other: float, multiple: float, on: Floats, *, short: bool
) -> None:
    less, more = sorted((one, other))
    for asked in (maintenance, initial):
        assert asked(less, multiple, on, short=short) <= asked(more, multiple, on, short=short)


def test_with_a_factor_of_the_house_a_dearer_short_may_need_less() -> None:
    # Below $5 the rule's rate is 100 %, which the house multiplies; from there the dollars hold.
    house = np.array([0.0, 0.0, 1.35, 1.35, 1.0, np.inf])
    assert maintenance(4.99, 1.0, SCALED, house, short=True) == pytest.approx(6.7365)
    assert maintenance(5.00, 1.0, SCALED, house, short=True) == 5.0


@given(prices, multiples, rules)
def test_no_multiple_lowers_the_base_rule_and_only_the_dollars_ask_more_than_the_value(
    price: float, multiple: float, on: Floats
) -> None:
    long = maintenance(price, multiple, on, short=False)
    short = maintenance(price, multiple, on, short=True)
    floor = 2.50 if price < 5.00 else 5.00
    base = max(floor, price if price < 5.00 else 0.30 * price)
    assert 0.25 * price <= long <= price
    assert base <= short <= max(price, 2.50)


@given(price=prices, multiple=multiples, short=st.booleans(), on=all_rules, house=houses)
def test_no_house_lowers_a_rule(
    price: float, multiple: float, on: Floats, house: Floats, *, short: bool
) -> None:
    for asked in (maintenance, initial):
        ruled = asked(price, multiple, on, short=short)
        assert asked(price, multiple, on, house, short=short) >= ruled


@given(
    price=prices,
    multiple=multiples,
    short=st.booleans(),
    breadth=breadths,
    on=all_rules,
    house=houses,
)
def test_maintenance_is_at_most_the_orders_that_at_most_initial_and_the_day_ends_above(
    price: float, multiple: float, breadth: float, on: Floats, house: Floats, *, short: bool
) -> None:
    kept, ordered, opened, ended = (
        rule(price, multiple, short, breadth, house, on)
        for rule in (
            maintenance_per_share,
            order_initial_per_share,
            initial_per_share,
            end_of_day_initial_per_share,
        )
    )
    assert kept <= ordered <= opened <= ended


@given(price=prices, multiple=multiples, short=st.booleans(), on=rules)
def test_a_floor_that_scales_never_needs_less(
    price: float, multiple: float, on: Floats, *, short: bool
) -> None:
    ruled = maintenance(price, multiple, on, short=short)
    assert maintenance(price, multiple, FLOOR_SCALED, short=short) >= ruled


@given(prices, multiples, st.sampled_from([SCALED, UNSCALED, FLOOR_SCALED, FLAT, BROKER]), houses)
def test_a_bull_and_a_bear_of_one_magnitude_need_the_same(
    price: float, multiple: float, on: Floats, house: Floats
) -> None:
    for short in (False, True):
        bull = maintenance(price, multiple, on, house, short=short)
        assert bull == maintenance(price, -multiple, on, house, short=short)


def test_under_portfolio_margin_a_bear_on_a_lopsided_range_needs_what_the_short_bull_does() -> None:
    # The S&P 500 may fall by 8 % and rise by 6 %: 24 and 18 % of a 3x fund.
    arguments = (HIGH_CAP, NO_OVERLAY, PORTFOLIO)
    bull, bear = (maintenance_per_share(100.0, m, False, *arguments) for m in (3.0, -3.0))  # noqa: FBT003  (by position)
    assert (bull, bear) == pytest.approx((24.0, 18.0))


@given(prices, prices, magnitudes, st.floats(100.0, 1e6), rules)
def test_an_inverse_fund_never_needs_more_than_a_short_bull_of_the_same_exposure(
    bear: float, bull: float, magnitude: float, value: float, on: Floats
) -> None:
    long_inverse, short_bull = (
        needs(np.array([shares]), np.array([price]), np.array([multiple]), on)
        for shares, price, multiple in (
            (value / bear, bear, -magnitude),
            (-value / bull, bull, magnitude),
        )
    )
    for long, short in zip(long_inverse, short_bull, strict=True):
        assert long <= short * (1.0 + ROUNDING)


@given(
    prices, prices, st.floats(1.0, 10.0 / 3.0), st.floats(1.0, 10.0 / 3.0), st.floats(100.0, 1e6)
)
def test_below_the_cap_the_multiple_by_which_exposure_is_taken_does_not_matter(
    bear: float, bull: float, one: float, other: float, exposure: float
) -> None:
    # Maintenance per dollar of index exposure is 25 % long and at least 30 % short.
    long = exposure / one / bear * maintenance(bear, -one, SCALED, short=False)
    short = exposure / other / bull * maintenance(bull, other, SCALED, short=True)
    assert long == pytest.approx(0.25 * exposure, rel=ROUNDING)
    assert short >= 0.30 * exposure * (1.0 - ROUNDING)


@given(amounts, amounts, amounts, st.floats(0.0, 1e6))
def test_the_special_memorandum_account_never_falls_by_a_fall_in_prices(
    previous: float, contributions: float, equity: float, initial: float
) -> None:
    rolled = special_memorandum_account(previous, contributions, equity, initial)
    assert rolled >= previous + contributions
    assert rolled >= equity - initial
    assert rolled in (previous + contributions, equity - initial)


# --- splits --------------------------------------------------------------------------------------


@given(
    price=prices,
    ratio=st.sampled_from([2.0, 3.0, 15.0, 0.5, 0.25, 0.1]),
    multiple=multiples,
    on=all_rules,
    house=houses,
)
def test_a_split_leaves_the_requirement_on_a_long_alone_and_not_a_short_ones_dollars(
    price: float, ratio: float, multiple: float, on: Floats, house: Floats
) -> None:
    for asked in (maintenance, initial):
        before = asked(price, multiple, on, house, short=False)
        after = ratio * asked(price / ratio, multiple, on, house, short=False)
        assert after == pytest.approx(before, rel=ROUNDING)
    after = ratio * maintenance(price / ratio, multiple, on, short=True)
    before = maintenance(price, multiple, on, short=True)
    if min(price, price / ratio) > 50.0 / 3.0:  # above it 30 % exceeds $5
        assert after == pytest.approx(before, rel=ROUNDING)
    elif ratio > 1.0:
        assert after >= before * (1.0 - ROUNDING)


def test_a_split_of_four_to_one_can_treble_what_a_short_needs() -> None:
    # One share at 20 keeps 6; four at 5 keep 20.
    assert maintenance(20.0, 1.0, SCALED, short=True) == pytest.approx(6.0)
    assert 4.0 * maintenance(5.0, 1.0, SCALED, short=True) == 20.0
