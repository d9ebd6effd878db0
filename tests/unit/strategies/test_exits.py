"""Why a sleeve is left."""

import math
from typing import Any

import pytest

from levsleeve.strategies.exits import (
    BY_CALL,
    BY_DRAWDOWN,
    BY_FILTER,
    BY_HOUSE,
    BY_PROFIT,
    BY_TIME,
    NO_EXIT,
    Exits,
    exit_numbers,
    exit_reason,
)
from levsleeve.strategies.sizing_rules import Trend

CALM = {
    "growth": 1.0, "peak": 1.0, "entry": 1.0, "days": 10.0, "filter_on": 1.0, "called": 0.0,
    "house_rate": 0.75,
}  # fmt: skip
LIMITS = {
    "max_drawdown": 0.25, "take_profit": 0.5, "max_days": 90.0, "on_call": 1.0,
    "max_house_rate": 0.9,
}  # fmt: skip
NONE = dict.fromkeys(LIMITS, math.inf) | {"on_call": 0.0}


def reason(changes: dict[str, float], limits: dict[str, float] = LIMITS) -> int:
    return exit_reason(*(CALM | changes).values(), *limits.values())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, NO_EXIT),
        ({"growth": 0.76}, NO_EXIT),
        ({"growth": 0.75}, BY_DRAWDOWN),
        ({"growth": 1.2, "peak": 1.6}, BY_DRAWDOWN),  # from the peak, not from the entry
        ({"growth": 1.49, "peak": 1.49}, NO_EXIT),
        ({"growth": 1.50, "peak": 1.5}, BY_PROFIT),
        ({"growth": 1.50, "peak": 1.5, "entry": 1.1}, NO_EXIT),
        ({"days": 89.0}, NO_EXIT),
        ({"days": 90.0}, BY_TIME),
        ({"filter_on": 0.0}, BY_FILTER),
        ({"called": 1.0}, BY_CALL),
        ({"house_rate": 0.9}, NO_EXIT),
        ({"house_rate": 0.91}, BY_HOUSE),
    ],
)
def test_each_exit_has_its_threshold(changes: dict[str, float], why: int) -> None:
    assert reason(changes) == why


def test_the_first_exit_that_holds_counts() -> None:
    everything = {
        "growth": 0.1, "days": 99.0, "filter_on": 0.0, "called": 1.0, "house_rate": 1.0,
    }  # fmt: skip
    found = []
    for key in everything:
        found.append(reason(everything))
        everything = everything | {key: CALM[key]}
    assert found == [BY_DRAWDOWN, BY_TIME, BY_CALL, BY_CALL, BY_HOUSE]


@pytest.mark.parametrize("growth", [0.0, 1e-9, 1.0, 1e9])
def test_what_is_not_named_leads_nowhere(growth: float) -> None:
    extreme = {"growth": growth, "days": 1e6, "called": 1.0, "house_rate": 9.0}
    assert reason(extreme, NONE) == NO_EXIT


@pytest.mark.parametrize(
    ("exits", "numbers"),
    [
        (None, (math.inf, math.inf, math.inf, 0.0, math.inf, 0.0, 0.0)),
        (Exits(max_days=30), (math.inf, math.inf, 30.0, 0.0, math.inf, 21.0, 0.0)),
        (
            Exits(max_drawdown=0.2, take_profit=1.0, reentry="never"),
            (0.2, 1.0, math.inf, 0.0, math.inf, 21.0, 2.0),
        ),
        (
            Exits(on_margin_call=True, max_house_rate=0.8, cool_off_sessions=0,
                  reentry="rebalance"),
            (math.inf, math.inf, math.inf, 1.0, 0.8, 0.0, 1.0),
        ),
    ],
)  # fmt: skip
def test_exits_as_numbers_are_endless_where_they_are_not_named(
    exits: Exits | None, numbers: tuple[float, ...]
) -> None:
    assert exit_numbers(exits) == numbers


@pytest.mark.parametrize(
    "way",
    [
        {"max_drawdown": 1.0}, {"take_profit": 0.1}, {"max_days": 1}, {"filter": Trend()},
        {"on_margin_call": True}, {"max_house_rate": 0.5},
    ],
)  # fmt: skip
def test_one_way_out_is_enough(way: dict[str, Any]) -> None:
    assert isinstance(Exits(**way), Exits)
