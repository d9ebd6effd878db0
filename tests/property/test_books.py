"""What must hold of books of shares and options, and of what calls and cures them."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.margin.books import CALL, PUT, TODAY, Lot, book, excess_liquidity, terms

from levsleeve.margin.account import (
    gross_value,
    maintenance_after_expiry,
    maintenance_under_relief,
    margin_requirement,
)
from levsleeve.margin.book import Book, FundTerms
from levsleeve.margin.combination import END_OF_DAY, INITIAL_MARGIN, MAINTENANCE, ORDER_INITIAL
from levsleeve.margin.liquidation import in_deficit, shares_to_trade
from levsleeve.margin.schedule import BROAD, NARROW
from levsleeve.margin.trigger import (
    excess_per_dollar,
    gap_safe_utilization,
    index_move_to_call,
    long_call_price,
    short_call_price,
)

KINDS = [MAINTENANCE, ORDER_INITIAL, INITIAL_MARGIN, END_OF_DAY]
ROUNDING = 1e-9  # of a solved program, relative to the gross value of the book
Switches = dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """Shares and options of two funds, and the rulebook that they are under."""

    shares: tuple[float, float]
    prices: tuple[float, float]
    multiples: tuple[float, float]
    breadth: float
    lots: tuple[Lot, ...]
    switches: Switches
    on: date

    @property
    def positions(self) -> Book:
        return book(self.shares, self.prices, *self.lots)

    @property
    def funds(self) -> FundTerms:
        classes = [self.breadth] * 2
        return terms(self.multiples, self.switches, on=self.on, classes=classes)

    @property
    def slack(self) -> float:
        """Dollars that rounding may be."""
        return ROUNDING * max(1.0, float(gross_value(0.0, self.positions)))

    def needs(self, kind: float = MAINTENANCE) -> float:
        return float(margin_requirement(self.positions, self.funds, kind))


def switch(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


switches = st.fixed_dictionaries(
    {
        "hedge_relief": switch("finra", "finra", "none"),
        "short_floor": switch("unscaled", "scaled"),
        "order_initial": switch("regt", "broker"),
        "end_of_day_initial": switch("finra", "ibkr_legacy"),
        "option_minimum": switch("scaled", "unscaled"),
        "collar_rate": switch("scaled", "unscaled"),
        "house": switch(None, None, {"kind": "factor", "factor": 1.35}),
    }
)


@st.composite
def lots(draw: st.DrawFn, prices: tuple[float, float]) -> Lot:
    """An option on one of the funds, its mark no worth of a model."""
    fund = draw(switch(0, 0, 1))
    return Lot(
        right=draw(switch(PUT, CALL)),
        contracts=draw(switch(-4.0, -2.0, -1.0, 1.0, 2.0, 4.0)),
        strike=prices[fund] * draw(switch(0.3, 0.8, 0.9, 1.0, 1.0, 1.1, 1.3, 5.0)),
        mark=prices[fund] * draw(switch(0.0, 0.03, 0.2)),
        expiry=TODAY + timedelta(days=draw(switch(30, 30, 90))),
        fund=fund,
    )


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    price, shares = switch(1.7, 4.2, 9.0, 40.0, 110.0), switch(-300.0, -100.0, 0.0, 100.0, 300.0)
    prices = (draw(price), draw(price))
    multiple = switch(-3.0, -1.0, 0.5, 1.0, 2.0, 3.0)
    return Statement(
        shares=(draw(shares), draw(shares)),
        prices=prices,
        multiples=(draw(multiple), draw(multiple)),
        breadth=draw(switch(BROAD, NARROW)),
        lots=tuple(draw(st.lists(lots(prices), max_size=5))),
        switches=draw(switches),
        on=draw(switch(date(2009, 11, 30), date(2010, 4, 29), TODAY)),
    )


# --- the requirement -----------------------------------------------------------------------------


@given(statements(), switch(2.0, 3.0, 50.0), switch(*KINDS))
def test_a_book_k_times_as_large_needs_k_times_as_much(
    one: Statement, times: float, kind: float
) -> None:
    many = replace(
        one,
        shares=(one.shares[0] * times, one.shares[1] * times),
        lots=tuple(lot._replace(contracts=lot.contracts * times) for lot in one.lots),
    )
    assert many.needs(kind) == pytest.approx(times * one.needs(kind), abs=many.slack)


@given(statements(), switch(*KINDS))
def test_funds_are_never_netted_against_each_other(both: Statement, kind: float) -> None:
    first, second = (
        replace(
            both,
            shares=(both.shares[0] * (i == 0), both.shares[1] * (i == 1)),
            lots=tuple(lot for lot in both.lots if lot.fund == i),
        )
        for i in (0, 1)
    )
    assert both.needs(kind) == pytest.approx(first.needs(kind) + second.needs(kind), abs=both.slack)


@given(statements(), st.floats(1.0, 6.0), st.floats(1.0, 6.0), switch(*KINDS))
def test_a_book_without_strangles_never_needs_less_on_a_fund_of_a_larger_multiple(
    one: Statement, first: float, second: float, kind: float
) -> None:
    less, more = sorted((first, second))
    one = replace(
        one, lots=tuple(lot for lot in one.lots if lot.right == CALL or lot.contracts > 0.0)
    )
    low, high = (replace(one, multiples=(m, one.multiples[1])) for m in (less, more))
    assert low.needs(kind) <= high.needs(kind) + one.slack


def test_a_strangle_may_need_less_where_a_larger_multiple_makes_the_side_with_the_mark_dearer() -> (
    None
):
    # At 5.9x the call asks 1 + 59 and 21 for the put, which takes 21 + 38.5 alone; at 6.1x the put
    # asks 21 + 41.5, more than 1 + 61, and 1 for the call.
    lots = (Lot(CALL, -1.0, 150.0, 1.0), Lot(PUT, -1.0, 50.0, 21.0))
    small, large = (
        margin_requirement(book([0.0], [100.0], *lots), terms([multiple]), MAINTENANCE)
        for multiple in (5.9, 6.1)
    )
    assert (small, large) == pytest.approx((8_100.0, 6_350.0))


@given(statements(), switch(*KINDS))
def test_above_every_cap_a_multiple_needs_no_more(one: Statement, kind: float) -> None:
    # Longs stop at 4x, written options at 6.67x (broad), their minimum at 10x.
    ten, twenty = (replace(one, multiples=(m, -m)) for m in (10.0, 20.0))
    assert ten.needs(kind) == pytest.approx(twenty.needs(kind), abs=one.slack)


@given(statements())
def test_without_relief_no_book_needs_less_than_the_base_rule_on_its_shares(one: Statement) -> None:
    base = 0.0
    for held, price in zip(one.shares, one.prices, strict=True):
        short = max(2.5, price) if price < 5.0 else max(5.0, 0.3 * price)
        base += held * 0.25 * price if held > 0.0 else -held * short
    bare = replace(one, switches={**one.switches, "hedge_relief": "none"})
    for kind in KINDS:
        assert bare.needs(kind) >= base - one.slack


@given(statements())
def test_maintenance_is_at_most_the_orders_that_at_most_initial_and_the_day_ends_above(
    one: Statement,
) -> None:
    kept, ordered, opened, ended = (one.needs(kind) for kind in KINDS)
    assert 0.0 <= kept <= ordered + one.slack
    assert ordered <= opened + one.slack
    assert opened <= ended + one.slack


@given(statements())
def test_relief_never_raises_maintenance_and_ends_with_the_options(one: Statement) -> None:
    positions, funds = one.positions, one.funds
    bare = maintenance_under_relief(positions, funds, 0.0)
    assert maintenance_under_relief(positions, funds, 1.0) <= bare + one.slack
    shares_alone = replace(one, lots=())
    assert maintenance_after_expiry(positions, funds) == pytest.approx(shares_alone.needs())


@st.composite
def one_more(draw: st.DrawFn, side: float) -> tuple[Statement, Statement]:
    """A statement, and it with one more option, held (1) or written (-1)."""
    one = draw(statements())
    lot = draw(lots(one.prices))
    return one, replace(one, lots=(*one.lots, lot._replace(contracts=side * abs(lot.contracts))))


@given(one_more(1.0), switch(*KINDS))
def test_another_long_option_never_raises_a_requirement(
    pair: tuple[Statement, Statement], kind: float
) -> None:
    fewer, more = pair
    assert more.needs(kind) <= fewer.needs(kind) + more.slack


@given(one_more(-1.0), switch(*KINDS))
def test_another_written_option_never_lowers_a_requirement(
    pair: tuple[Statement, Statement], kind: float
) -> None:
    plain = {"collar_rate": "scaled", "house": None}
    fewer, more = (replace(one, switches={**one.switches, **plain}) for one in pair)
    assert more.needs(kind) >= fewer.needs(kind) - more.slack


@pytest.mark.parametrize(
    ("odd", "put", "call", "hedged", "collared"),
    [
        # A collar keeps at most a quarter of its call.  Where that does not scale, or does not
        # follow the house, it may be less than what the put alone leaves.
        ({"collar_rate": "unscaled"}, 60.0, 110.0, 4_600.0, 2_750.0),
        ({"house": {"kind": "rate", "long_rate": 0.9}}, 25.0, 100.0, 7_750.0, 7_500.0),
    ],
)
def test_a_written_call_may_lower_what_a_hedged_long_needs_where_the_collars_quarter_lags(
    odd: Switches, put: float, call: float, hedged: float, collared: float
) -> None:
    one = Statement(
        shares=(100.0, 0.0),
        prices=(100.0, 1.0),
        multiples=(3.0, 1.0),
        breadth=BROAD,
        lots=(Lot(PUT, 1.0, put),),
        switches={"hedge_relief": "finra", **odd},
        on=TODAY,
    )
    assert one.needs() == pytest.approx(hedged)
    with_call = replace(one, lots=(*one.lots, Lot(CALL, -1.0, call, 0.1)))
    assert with_call.needs() == pytest.approx(collared)


# --- splits --------------------------------------------------------------------------------------


@given(statements(), switch(2.0, 3.0, 0.5, 0.1), switch(*KINDS))
def test_a_split_leaves_value_alone_and_a_long_books_requirement(
    one: Statement, ratio: float, kind: float
) -> None:
    long = replace(one, shares=(abs(one.shares[0]), abs(one.shares[1])))
    split = replace(
        long,
        shares=(long.shares[0] * ratio, long.shares[1] * ratio),
        prices=(long.prices[0] / ratio, long.prices[1] / ratio),
        lots=tuple(
            lot._replace(
                contracts=lot.contracts * ratio, strike=lot.strike / ratio, mark=lot.mark / ratio
            )
            for lot in long.lots
        ),
    )
    value = gross_value(0.0, long.positions)
    assert gross_value(0.0, split.positions) == pytest.approx(value, rel=1e-12)
    assert split.needs(kind) == pytest.approx(long.needs(kind), abs=long.slack)


# --- what calls, and what cures ------------------------------------------------------------------

magnitudes = st.floats(1.0, 3.9)  # below the cap of a long
sides = switch(-1.0, 1.0)


@given(
    held=st.integers(1, 20_000).map(float),
    price=st.floats(0.10, 1_000.0),
    multiple=st.floats(0.5, 6.0),
    side=sides,
    part=st.floats(0.0, 1.2),
)
def test_the_shares_that_cure_do_and_one_fewer_does_not(
    held: float, price: float, multiple: float, side: float, part: float
) -> None:
    funds = terms([multiple])
    required = float(margin_requirement(book([side * held], [price]), funds, MAINTENANCE))
    cash = (1.0 - part) * required - side * held * price
    scale = held * price

    def cured(shares: float) -> bool:
        kept = book([side * (held - shares)], [price])
        return not in_deficit(excess_liquidity(cash + side * shares * price, kept, funds), scale)

    deficiency = -excess_liquidity(cash, book([side * held], [price]), funds)
    assume(in_deficit(-deficiency, scale))
    shares = shares_to_trade(deficiency, held, required / held)
    assert shares == int(shares)
    assert 1.0 <= shares <= held
    assert cured(shares) or shares == held
    assert not cured(shares - 1.0)


@given(debit=st.floats(1.0, 1e6), shares=st.integers(1, 50_000).map(float), multiple=magnitudes)
def test_at_the_price_that_calls_a_long_nothing_is_over_nor_missing(
    debit: float, shares: float, multiple: float
) -> None:
    price = long_call_price(debit, shares, 0.25 * multiple)
    for side in (1.0, -1.0):
        left = excess_liquidity(-debit, book([shares], [price]), terms([side * multiple]))
        assert left == pytest.approx(0.0, abs=1e-9 * shares * price)


@given(
    price=st.floats(17.0, 2_000.0), shares=st.integers(1, 50_000).map(float), multiple=magnitudes
)
def test_at_the_price_that_calls_a_short_nothing_is_over_nor_missing(
    price: float, shares: float, multiple: float
) -> None:
    # From $16.67 the percentage exceeds the dollars.
    rate = min(0.30 * multiple, 1.0)
    credit = shares * price * (1.0 + rate)
    assert short_call_price(credit, shares, rate) == pytest.approx(price, rel=1e-12)
    left = excess_liquidity(credit, book([-shares], [price]), terms([multiple]))
    assert left == pytest.approx(0.0, abs=1e-9 * credit)


@given(st.floats(5.1, 8.0), st.integers(1, 5_000).map(float))
def test_inside_a_zone_of_dollars_a_short_is_called_elsewhere(price: float, shares: float) -> None:
    # A 2x fund at 5 to 8.33 keeps $5, so that it is called at credit / shares - 5.
    credit = shares * (price + 5.0)
    left = excess_liquidity(credit, book([-shares], [price]), terms([2.0]))
    assert left == pytest.approx(0.0, abs=1e-9 * credit)
    assert short_call_price(credit, shares, 0.60) > price


@given(
    st.lists(
        st.tuples(switch(-400.0, -100.0, 100.0, 400.0), st.floats(40.0, 300.0), magnitudes, sides),
        min_size=1,
        max_size=4,
    ),
    st.floats(0.0, 60_000.0),
)
def test_the_move_of_the_index_that_calls_leaves_nothing_over(
    holdings: list[tuple[float, float, float, float]], excess: float
) -> None:
    shares, prices = [h[0] for h in holdings], [h[1] for h in holdings]
    multiples = [magnitude * side for _, _, magnitude, side in holdings]
    base = np.where(np.array(shares) > 0.0, 0.25, 0.30)
    rates = np.minimum(base * np.abs(multiples), 1.0)
    values = np.array(shares) * np.array(prices)
    equity = excess + float((rates * abs(values)).sum())
    move = index_move_to_call(equity, values, np.array(multiples), rates)
    moved = [price * (1.0 + m * move) for price, m in zip(prices, multiples, strict=True)]
    assume(min(moved) > 17.0)  # nan does not pass either
    left = excess_liquidity(equity - values.sum(), book(shares, moved), terms(multiples))
    assert left == pytest.approx(0.0, abs=1e-9 * (equity + float(abs(values).sum())))


@given(magnitude=magnitudes, side=sides, move=st.floats(0.0, 0.20), nudge=switch(-1e-4, 1e-4))
def test_only_above_the_gap_safe_utilization_does_the_move_call(
    magnitude: float, side: float, move: float, nudge: float
) -> None:
    rate = min((0.25 if side > 0.0 else 0.30) * magnitude, 1.0)
    safe = gap_safe_utilization(magnitude, rate, side < 0.0, move)
    assert 0.0 < safe <= 1.0
    equity = 100_000.0 * rate / (safe + nudge)
    after = 100.0 * (1.0 - side * magnitude * move)
    cash = equity - side * 100_000.0
    left = excess_liquidity(cash, book([side * 1_000.0], [after]), terms([magnitude]))
    assert (left < 0.0) == (nudge > 0.0)


@given(magnitude=magnitudes, side=sides, dollars=st.floats(0.01, 60.0))
def test_excess_liquidity_falls_by_a_fixed_part_of_every_dollar_against_the_position(
    magnitude: float, side: float, dollars: float
) -> None:
    rate = min((0.25 if side > 0.0 else 0.30) * magnitude, 1.0)
    funds = terms([magnitude])
    before, after = (
        excess_liquidity(0.0, book([side], [price]), funds)
        for price in (100.0, 100.0 - side * dollars)
    )
    expected = dollars * excess_per_dollar(rate, side < 0.0)
    assert after - before == pytest.approx(expected, abs=1e-9)
