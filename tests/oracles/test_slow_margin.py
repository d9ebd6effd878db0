"""The requirement of random books against the cheapest way that HiGHS finds to margin them."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from tests.oracles.slow_margin import Fund, Option, Switches, requirement, ways
from tests.unit.margin.books import CALL, PUT, Lot, book

from levsleeve.margin.account import maintenance_under_relief, margin_requirement
from levsleeve.margin.book import Book, FundTerms
from levsleeve.margin.combination import (
    END_OF_DAY,
    INITIAL_MARGIN,
    MAINTENANCE,
    ORDER_INITIAL,
    pair,
)
from levsleeve.margin.pairing import (
    BOXED_SHORT,
    COLLAR,
    COVERED,
    PROTECTIVE,
    SPREAD,
    STRANGLE,
)
from levsleeve.margin.rulebook import Rulebook, rulebook
from levsleeve.margin.schedule import BROAD, NARROW

KINDS = {
    "maintenance": MAINTENANCE,
    "initial": INITIAL_MARGIN,
    "order": ORDER_INITIAL,
    "day end": END_OF_DAY,
}
SOLVED = 1e-7  # the tolerance of HiGHS, relative to the sum that it minimizes
BOOKS = range(600)
Ways = list[tuple[int, ...]]


def random_book(seed: int) -> Fund:
    """Shares of one fund, or none, and up to five kinds of options on it, some at one strike."""
    rng = np.random.default_rng(seed)

    def one(values: list[Any]) -> Any:
        return values[rng.integers(len(values))]

    price = one([1.2, 4.8, 7.7, 31.0, 100.0])
    options = tuple(
        Option(
            right=one(["put", "call"]),
            contracts=one([-6, -3, -2, -1, 1, 2, 3, 6]),
            strike=price * one([0.2, 0.7, 0.9, 0.9, 1.0, 1.1, 1.1, 1.5, 4.0, 9.0]),
            mark=price * one([0.0, 0.02, 0.1, 0.5]),
            days=one([30, 30, 60, 400]),
            per_contract=one([100.0, 100.0, 100.0, 25.0]),
        )
        for _ in range(rng.integers(6))
    )
    return Fund(
        shares=one([0, 150, 400, 1000, -150, -400, -1000]),
        price=price,
        multiple=one([-3.0, -1.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0]),
        narrow=one([False, True]),
        on=one([date(2009, 11, 30), date(2009, 12, 1), date(2010, 4, 29), date(2010, 4, 30)]),
        options=options,
        switches=Switches(
            relief=one([False, True, True]),
            floor_scaled=one([False, True]),
            minimum_scaled=one([False, True]),
            collar_scaled=one([False, True]),
            order_broker=one([False, True]),
            legacy=one([False, True]),
            house=one([1.0, 1.0, 1.35]),
        ),
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


def ours(fund: Fund) -> tuple[Book, FundTerms]:
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


@pytest.mark.parametrize("name", KINDS)
def test_a_book_requires_what_the_cheapest_combinations_of_its_positions_cost(name: str) -> None:
    for seed in BOOKS:
        fund = random_book(seed)
        positions, known = ours(fund)
        answer = margin_requirement(positions, known, KINDS[name])
        assert answer == pytest.approx(requirement(fund, name), rel=SOLVED, abs=SOLVED), fund


@pytest.mark.parametrize("relief", [False, True])
def test_the_policy_of_relief_that_is_not_in_force_is_reckoned_beside_it(*, relief: bool) -> None:
    for seed in BOOKS:
        fund = random_book(seed)
        positions, known = ours(fund)
        answer = maintenance_under_relief(positions, known, float(relief))
        other = replace(fund, switches=replace(fund.switches, relief=relief))
        expected = requirement(other, "maintenance")
        assert answer == pytest.approx(expected, rel=SOLVED, abs=SOLVED), fund


def test_the_random_books_use_every_kind_of_combination() -> None:
    used = dict.fromkeys([PROTECTIVE, COVERED, COLLAR, BOXED_SHORT, SPREAD, STRANGLE], 0)
    for seed in BOOKS:
        positions, known = ours(random_book(seed))
        pairing = pair(positions, 0, known, MAINTENANCE)
        for kind in {float(kind) for kind in pairing.kinds[pairing.uses > 0.0]}:
            used[kind] += 1
    assert min(used.values()) > 20, used


def test_the_oracle_lists_every_way_to_combine() -> None:
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
    protected: Ways = [(0, 1), (0, 1, 2), (0, 1, 3)]
    others: Ways = [(0, 2), (0, 3), (0,), (1,), (2,), (3,), (4,), (1, 4), (4, 2), (4, 3)]
    listed = sorted(places for places, _ in ways(fund, "maintenance"))
    assert listed == sorted(protected + others)
    assert sorted(places for places, _ in ways(fund, "initial")) == sorted(others)
