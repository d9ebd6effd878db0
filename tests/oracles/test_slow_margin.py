"""The requirement of a book against the cheapest way that HiGHS finds to margin it."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles.slow_margin import Fund, Option, Switches, requirement, ways
from tests.unit.margin.books import CALL, PUT, Lot, book

from levsleeve.margin.account import maintenance_under_relief, margin_requirement
from levsleeve.margin.book import FundTerms, Positions
from levsleeve.margin.combination import END_OF_DAY, INITIAL_MARGIN, MAINTENANCE, ORDER_INITIAL
from levsleeve.margin.rulebook import Rulebook, rulebook
from levsleeve.margin.schedule import BROAD, NARROW

KINDS = {
    "maintenance": MAINTENANCE,
    "initial": INITIAL_MARGIN,
    "order": ORDER_INITIAL,
    "day end": END_OF_DAY,
}
SOLVED = 1e-7  # the tolerance of HiGHS, relative to the sum it minimizes

days = st.sampled_from(
    [date(2009, 11, 30), date(2009, 12, 1), date(2010, 4, 29), date(2010, 4, 30), date(2019, 6, 3)]
)
switches = st.builds(
    Switches,
    relief=st.booleans(),
    floor_scaled=st.booleans(),
    minimum_scaled=st.booleans(),
    collar_scaled=st.booleans(),
    order_broker=st.booleans(),
    legacy=st.booleans(),
    house=st.sampled_from([1.0, 1.0, 1.35]),
)


@st.composite
def funds(draw: st.DrawFn) -> Fund:
    """Shares of one fund, or none, and up to five kinds of options on it."""
    price = draw(st.sampled_from([1.2, 4.8, 7.7, 31.0, 100.0]))
    option = st.builds(
        Option,
        right=st.sampled_from(["put", "call"]),
        contracts=st.integers(-6, 6).filter(bool),
        strike=st.sampled_from([0.2, 0.7, 0.9, 0.9, 1.0, 1.1, 1.1, 1.4, 9.0]).map(
            lambda moneyness: moneyness * price
        ),
        mark=st.sampled_from([0.0, 0.02, 0.1, 0.5]).map(lambda part: part * price),
        days=st.sampled_from([30, 30, 60, 400]),
        per_contract=st.sampled_from([100.0, 100.0, 100.0, 25.0]),
    )
    return Fund(
        shares=draw(st.sampled_from([0, 150, 400, 1000, -150, -400, -1000])),
        price=price,
        multiple=draw(st.sampled_from([-3.0, -1.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0])),
        narrow=draw(st.booleans()),
        on=draw(days),
        options=tuple(draw(st.lists(option, max_size=5))),
        switches=draw(switches),
    )


@cache
def rules_of(set_to: Switches) -> Rulebook:
    return rulebook(
        switches={
            "hedge_relief": "finra" if set_to.relief else "none",
            "short_floor": "scaled" if set_to.floor_scaled else "unscaled",
            "option_minimum": "scaled" if set_to.minimum_scaled else "unscaled",
            "collar_rate": "scaled" if set_to.collar_scaled else "unscaled",
            "order_initial": "broker" if set_to.order_broker else "regt",
            "end_of_day_initial": "ibkr_legacy" if set_to.legacy else "finra",
            "house": {"kind": "factor", "factor": set_to.house},
        }
    )


def ours(fund: Fund) -> tuple[Positions, FundTerms]:
    """The same book and rules as the library takes them."""
    lots = [
        Lot(
            PUT if option.right == "put" else CALL,
            option.contracts,
            option.strike,
            option.mark,
            fund.on + timedelta(days=option.days),
            multiplier=option.per_contract,
        )
        for option in fund.options
    ]
    breadth = NARROW if fund.narrow else BROAD
    known = rules_of(fund.switches).terms(fund.on, [fund.multiple], [breadth])
    return book([fund.shares], [fund.price], *lots), known


@settings(max_examples=400)
@given(funds())
def test_a_book_requires_what_the_cheapest_combinations_of_its_positions_cost(fund: Fund) -> None:
    positions, known = ours(fund)
    for name, kind in KINDS.items():
        expected = requirement(fund, name)
        answer = margin_requirement(positions, known, kind)
        assert answer == pytest.approx(expected, rel=SOLVED, abs=SOLVED), name


@settings(max_examples=150)
@given(funds())
def test_either_policy_of_relief_is_reported_beside_the_other(fund: Fund) -> None:
    positions, known = ours(fund)
    for relief in (False, True):
        other = replace(fund, switches=replace(fund.switches, relief=relief))
        answer = maintenance_under_relief(positions, known, float(relief))
        expected = requirement(other, "maintenance")
        assert answer == pytest.approx(expected, rel=SOLVED, abs=SOLVED)


def test_the_books_hold_every_combination_of_three_positions() -> None:
    # A collar and a conversion, a straddle and a spread, as the oracle lists them.
    fund = Fund(
        shares=200,
        price=100.0,
        multiple=3.0,
        narrow=False,
        on=date(2019, 6, 3),
        options=(
            Option("put", 2, 90.0, 2.0, 30),
            Option("call", -1, 110.0, 2.0, 30),
            Option("call", -1, 90.0, 2.0, 30),
            Option("put", -1, 80.0, 1.0, 30),
        ),
        switches=Switches(relief=True),
    )
    assert sorted(places for places, _ in ways(fund, "maintenance")) == [
        (0,), (0, 1), (0, 1, 2), (0, 1, 3), (0, 2), (0, 3), (1,), (1, 4), (2,), (3,), (4,), (4, 2),
        (4, 3),
    ]  # fmt: skip
