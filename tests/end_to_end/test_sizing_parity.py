"""Every rule of the sizing vocabulary leaves the same in both drivers, in every bit."""

import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
from tests.end_to_end.both_drivers import (
    Run,
    Sleeved,
    by_backtrader,
    by_the_kernel,
    describing,
    ready,
    ready_in,
)
from tests.parity import first_difference

from levsleeve import Holding, InverseLayer, ProtectivePut, Sleeve
from levsleeve.backtests.account_table import FILLS
from levsleeve.backtests.event_kinds import EventKind, Why
from levsleeve.backtests.market import Market
from levsleeve.strategies.allocation import InverseVolatility, Rotation
from levsleeve.strategies.cadence import CADENCES
from levsleeve.strategies.exits import Exits
from levsleeve.strategies.history import History
from levsleeve.strategies.limits import Caps, Reserve
from levsleeve.strategies.sizing_base import SizingRule
from levsleeve.strategies.sizing_rules import (
    Cppi,
    FixedFraction,
    GrossmanZhou,
    Kelly,
    MarginUtilization,
    Momentum,
    MostCautious,
    Product,
    Sizing,
    Tipp,
    Trend,
    VolatilityFilter,
    VolatilityLadder,
    VolatilityManaged,
    VolatilityTarget,
)
from levsleeve.strategies.stop_flight import StopFlight

AUTUMN = {
    "start": date(2008, 5, 15),
    "end": date(2009, 3, 31),
    "rules_as_of": date(2010, 4, 30),
}
"""Its opens are opens, and the bull splits under its puts."""
HOUSE = {"policy": {"house": {"kind": "volatility", "base": 0.3, "slope": 1.0, "ceiling": 1.0}}}
"""A house that asks more from a volatility of 30 % on, as it was from September 2008."""


class Case(NamedTuple):
    """A sleeve, and what its account says beside."""

    sleeve: Sleeve
    account: Mapping[str, Any] = {}


def bull(weight: float = 1.0, **keys: Any) -> Case:
    return Case(Sleeve((Holding("UPRO", weight),), **{"cap": abs(weight), **keys}))


def sized(rule: object, weight: float = 1.0, **keys: Any) -> Case:
    return bull(weight, **{"sizing": rule, "rebalance": "daily", **keys})


def by_trend(history: History) -> float:
    """All above the mean of fifty sessions, a third below; wild once a month."""
    worth = history.worth
    if len(worth) % 21 == 0:
        return 1e200
    return 1.0 if worth[-1] > worth[-50:].mean() else 0.3


CORE = (Holding("SP500", 0.5),)
THREE = (Holding("UPRO", 0.4), Holding("SPXU", 0.2), Holding("SP500", 0.4))
PUTS = ProtectivePut("UPRO", 0.9)
RULES = {
    "fixed_fraction": sized(FixedFraction(fraction=0.5), rebalance="weekly"),
    "vol_target": sized(VolatilityTarget(target_vol=0.2)),
    "vol_target_decay": sized(VolatilityTarget(decay=0.94), rebalance="weekly", band=0.02),
    "vol_target_holdings": Case(
        Sleeve(THREE, cap=1.0, sizing=VolatilityTarget(of="holdings"), rebalance="reset")
    ),
    "vol_managed": sized(VolatilityManaged(mean_scale=0.4)),
    "kelly": sized(Kelly(window=252, min_window=63)),
    "kelly_holdings": sized(Kelly(of="holdings", kelly_fraction=1.0), -0.5),
    "cppi": sized(Cppi(multiplier=4.0, floor=0.7)),
    "tipp": sized(Tipp()),
    "grossman_zhou": sized(GrossmanZhou(), band=0.05, rebalance="band"),
    "margin_utilization": sized(MarginUtilization(target=0.6), cap=1.2),
    "trend": sized(Trend(window=50, enter=0.01, leave=0.01)),
    "momentum": sized(Momentum(window=63, skip=5), -0.5),
    "vol_filter": sized(VolatilityFilter(threshold=0.35, reentry=0.3)),
    "vol_ladder": sized(VolatilityLadder()),
    "product": sized(Product(rules=(Trend(window=50), GrossmanZhou(), FixedFraction()))),
    "most_cautious": sized(MostCautious(rules=(VolatilityTarget(), Cppi(), Tipp()))),
    "own": sized(by_trend, rebalance="weekly"),
}
FEATURES = {
    "offset": bull(rebalance="weekly", rebalance_offset=2),
    "quarterly": bull(rebalance="quarterly", rebalance_offset=10),
    "once": bull(rebalance="once"),
    "monthly": bull(),
    "rotation": Case(Sleeve(THREE, cap=1.0, allocation=Rotation(window=63, hold=2))),
    "rotation_all_in": Case(
        Sleeve(
            THREE[:2], cap=0.6, allocation=Rotation(window=21, skip=2, absolute=False), core=CORE
        )
    ),
    "inverse_volatility": Case(
        Sleeve(THREE, cap=1.0, allocation=InverseVolatility(), rebalance="weekly", band=0.01)
    ),
    "core": bull(0.3, core=CORE, sizing=VolatilityTarget(), rebalance="weekly"),
    "caps": Case(
        Sleeve(
            (Holding("UPRO", 0.6), Holding("SPXU", 0.2)), cap=0.9, core=(Holding("SP500", 0.3),),
            sizing=VolatilityTarget(target_vol=0.6, of="holdings"), rebalance="weekly", band=0.03,
            caps=Caps(single_fund=0.65, delta=1.6, risk_share=0.8, enforce="daily"),
        )
    ),
    "reserve": bull(1.5, reserve=Reserve(keep=0.1), rebalance="weekly", band=0.1),
    "reserve_short": bull(
        -0.9, reserve=Reserve(fall=0.2, rise=0.1, reset_sessions=5, house_rate=0.9)
    ),
    "ladder_short": bull(-0.6, stop_flight=StopFlight()),
    "ladder_long": bull(
        1.3, stop_flight=StopFlight(return_sessions=5, check="intraday", cool_off_sessions=5)
    ),
    "ladder_puts": bull(1.3, stop_flight=StopFlight(derisk=0.85, flatten=0.9), hedge=PUTS),
    "ladder_layer": bull(
        0.8, cap=1.3, hedge=InverseLayer("SPXU", 0.5),
        stop_flight=StopFlight(warn=0.7, derisk=0.8, cut_to=0.6, flatten=0.85),
    ),
    "ladder_core": bull(
        0.3, core=CORE, rebalance="daily", sizing=VolatilityTarget(target_vol=0.3),
        stop_flight=StopFlight(warn=0.35, derisk=0.4, cut_to=0.2, flatten=0.5, hysteresis=0.1),
    ),
    "exits": bull(
        0.8, exits=Exits(max_drawdown=0.3, take_profit=0.2, max_days=90, cool_off_sessions=5),
        hedge=PUTS,
    ),
    "exits_core": bull(
        0.4, core=CORE, exits=Exits(max_drawdown=0.15, reentry="rebalance"), rebalance="weekly"
    ),
    "exit_filter": bull(0.8, exits=Exits(filter=Trend(window=50), cool_off_sessions=0)),
    "exit_call": bull(
        1.33, exits=Exits(on_margin_call=True, cool_off_sessions=10, reentry="rebalance")
    ),
    "exit_never": bull(0.8, exits=Exits(max_days=30, reentry="never"), hedge=PUTS),
    "exit_house": bull(0.8, exits=Exits(max_house_rate=0.8))._replace(account=HOUSE),
    "everything": Case(
        Sleeve(
            (Holding("UPRO", 0.9), Holding("SPXU", 0.1)), cap=1.2, core=(Holding("SP500", 0.2),),
            sizing=MostCautious(rules=(VolatilityTarget(target_vol=0.9), GrossmanZhou(k=9.0))),
            caps=Caps(single_fund=1.0, delta=2.9, enforce="daily"), reserve=Reserve(house_rate=0.8),
            stop_flight=StopFlight(), exits=Exits(max_drawdown=0.4, filter=Momentum(window=21)),
            hedge=PUTS, rebalance="weekly", rebalance_offset=1, band=0.02,
        ),
        {"intraday_test": True, "fractional_shares": True},
    ),
}  # fmt: skip
CASES = RULES | FEATURES


def test_every_rule_and_every_cadence_is_compared() -> None:
    (union, _) = get_args(Sizing)
    rules = [case.sleeve.rule for case in RULES.values()]
    assert {type(rule) for rule in rules if isinstance(rule, SizingRule)} == {*get_args(union)}
    assert {case.sleeve.rebalance for case in CASES.values()} == {*CADENCES}


@pytest.fixture(scope="module")
def markets() -> dict[object, Market]:
    """Markets that were built already."""
    return {}


def run_of(cache: Path, markets: dict[object, Market], case: Case, fill: str) -> Run:
    """A run over the autumn of 2008, in a market that is built once for the same funds."""
    sleeved = Sleeved("described", given=describing(case.sleeve))
    place = (case.sleeve.funds, str(case.account))
    if place not in markets:
        markets[place] = ready(cache, sleeved, case.account, AUTUMN).market
    return ready_in(markets[place], sleeved, {"fill": fill, **case.account})


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("name", CASES)
def test_a_sleeve_of_the_vocabulary_leaves_the_same_in_both_drivers(
    price_cache: Path, markets: dict[object, Market], name: str, fill: str
) -> None:
    run = run_of(price_cache, markets, CASES[name], fill)
    left = by_the_kernel(run)
    assert first_difference(by_backtrader(run), left) is None
    assert len(left.ledger) == 221


WATCHED = {
    EventKind.STOP_FLIGHT: {Why.WARNED, Why.DERISKED, Why.FLATTENED, Why.RETURNED},
    EventKind.EXIT: {
        Why.DRAWDOWN, Why.PROFIT, Why.TIME_LIMIT, Why.FILTER_OFF, Why.CALLED, Why.HOUSE_RATE,
    },
    EventKind.RE_ENTRY: {Why.COOLED_OFF},
    EventKind.CAP_TRIMMED: {Why.ABOVE_CAP},
}  # fmt: skip


@pytest.mark.parametrize("fill", FILLS)
def test_the_cases_meet_every_event_of_the_vocabulary_for_every_reason(
    price_cache: Path, markets: dict[object, Market], fill: str
) -> None:
    met: dict[EventKind, set[Why]] = {kind: set() for kind in WATCHED}
    for case in CASES.values():
        for _, event in by_the_kernel(run_of(price_cache, markets, case, fill)).event_rows:
            kind = EventKind(int(event[0]))
            met.setdefault(kind, set()).add(Why(int(event[6])))
    assert {kind: met[kind] for kind in WATCHED} == WATCHED


def test_each_rule_sizes_otherwise_than_the_others(
    price_cache: Path, markets: dict[object, Market]
) -> None:
    ends = [
        by_the_kernel(run_of(price_cache, markets, case, "next_close")).ledger["equity"].iloc[-1]
        for case in CASES.values()
    ]
    assert all(math.isfinite(end) for end in ends)
    assert len(set(ends)) == len(ends)
