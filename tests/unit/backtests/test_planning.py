"""A sleeve made a plan: what prices and rules alone decide, by session."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.end_to_end.accounts import market_of

from levsleeve import Holding, Sleeve
from levsleeve.backtests.market import Market
from levsleeve.backtests.plan import BRANCHES, DUE, FALL, FILTER, LEVELS, RISE
from levsleeve.backtests.planning import Planner, plan_of
from levsleeve.backtests.side_rates import side_rates
from levsleeve.errors import StudyError
from levsleeve.strategies.allocation import InverseVolatility, Rotation
from levsleeve.strategies.branches import Branch, Seen, scaled
from levsleeve.strategies.exits import Exits
from levsleeve.strategies.limits import CAP, DELTA_CAP, HOUSE_RATE, RISK_CAP, Caps, Reserve
from levsleeve.strategies.sizing_base import SizingRule
from levsleeve.strategies.sizing_rules import Cppi, FixedFraction, Momentum, Trend, VolatilityTarget
from levsleeve.strategies.stop_flight import StopFlight

CLOSES = [100.0, 103.0, 97.0, 100.0, 106.0, 112.0]


@pytest.fixture
def market() -> Market:
    """Six sessions from 2019-06-03 of a bull whose index moves a third as far."""
    return market_of({"UPRO": CLOSES})


def bull(**keys: Any) -> Sleeve:
    facts: dict[str, Any] = {"cap": 1.0, "rebalance": "daily"}
    return Sleeve((Holding("UPRO", 0.5),), **(facts | keys))


class Told(SizingRule):
    """A rule that answers what it is told."""

    signal: tuple[float, ...]

    def branches(self, seen: Seen) -> list[Branch]:  # noqa: ARG002
        return [scaled(np.array(self.signal))]


# --- what is written ------------------------------------------------------------------------------


def test_a_sleeve_without_rules_has_weights_caps_and_a_cadence(market: Market) -> None:
    plan = plan_of(bull(rebalance="once"), market)
    assert plan.weights.tolist() == [[0.5]]
    assert plan.branches.shape == (0, 2)
    assert plan.course[:, DUE].tolist() == [1.0, *[0.0] * 5]
    assert plan.course[:, FILTER].tolist() == [1.0] * 6
    assert plan.numbers[CAP] == 1.0
    assert np.isinf(plan.numbers[[DELTA_CAP, RISK_CAP]]).all()
    assert plan.numbers[HOUSE_RATE] == 0.0


def test_a_rule_waits_for_its_window_and_then_answers_every_session(market: Market) -> None:
    plan = plan_of(bull(sizing=VolatilityTarget(window=2)), market)
    signal = plan.course[:, BRANCHES]
    assert signal[:2].tolist() == [0.0, 0.0]
    returns = np.diff(CLOSES) / np.array(CLOSES[:-1]) / 3.0
    expected = 0.15 / (1.5 * math.sqrt(252.0) * returns[:2].std(ddof=1))
    assert signal[2] == pytest.approx(expected, rel=1e-9)
    assert (signal[2:] > 0.0).all()


def test_a_scale_never_asks_for_more_than_ten_times_equity(market: Market) -> None:
    plan = plan_of(bull(sizing=FixedFraction(fraction=1e300)), market)
    assert plan.course[:, BRANCHES].tolist() == [20.0] * 6
    endless = market_of({"UPRO": [100.0] * 6})
    assert plan_of(bull(sizing=VolatilityTarget(window=2)), endless).course[5, BRANCHES] == 20.0


def test_what_was_seen_before_the_study_counts(market: Market) -> None:
    later = replace(market, history=replace(market.history, first=2))
    shown = replace(
        later,
        sessions=market.sessions[2:],
        tape=market.tape._replace(sessions=market.tape.sessions[2:], funds=market.tape.funds[2:]),
    )
    signal = plan_of(bull(sizing=VolatilityTarget(window=2)), shown).course[:, BRANCHES]
    whole = plan_of(bull(sizing=VolatilityTarget(window=2)), market).course[:, BRANCHES]
    np.testing.assert_array_equal(signal, whole[2:])


def test_a_reserve_sees_the_worst_moves_so_far_and_no_less_than_it_is_given(market: Market) -> None:
    plan = plan_of(bull(reserve=Reserve(rise=0.5)), market)
    falls = [0.0, 0.0, *[2.0 / 103.0] * 4]  # 103 to 97 is a third of it in the index
    np.testing.assert_allclose(plan.course[:, FALL], falls, rtol=1e-9)
    assert plan.course[:, RISE].tolist() == [0.5] * 6


def test_a_filter_of_the_exits_is_off_until_it_is_known(market: Market) -> None:
    plan = plan_of(bull(exits=Exits(filter=Momentum(window=2))), market)
    assert plan.course[:, FILTER].tolist() == [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]


def test_a_core_is_neither_scaled_nor_divided() -> None:
    closes = {"UPRO": CLOSES, "SPXU": CLOSES[::-1], "SP500": CLOSES}
    sleeve = Sleeve(
        (Holding("UPRO", 0.4), Holding("SPXU", 0.2)), cap=0.6, core=(Holding("SP500", 0.3),),
        allocation=Rotation(window=2, absolute=False), sizing=Cppi(),
    )  # fmt: skip
    plan = plan_of(sleeve, market_of(closes))
    assert plan.funds[:, 1].tolist() == [1.0, 1.0, 0.0]
    assert plan.weights[:2].tolist() == [[0.0, 0.0, 0.3]] * 2
    np.testing.assert_allclose(plan.weights[5], [0.6, 0.0, 0.3], rtol=1e-12)
    assert plan.branches[0, 0] == pytest.approx(3.0 / 0.6, rel=1e-12)  # 1.2 - 0.6 turns are sized


def test_plans_of_one_planner_share_nothing_that_a_rule_changes(market: Market) -> None:
    planner = Planner(market)
    rules = [None, FixedFraction(fraction=0.5), FixedFraction(fraction=0.25)]
    plans = [planner.plan(bull(sizing=rule)) for rule in rules]
    assert [plan.course.shape[1] - BRANCHES for plan in plans] == [0, 2, 2]
    assert [plan.course[0, BRANCHES] for plan in plans[1:]] == [0.5, 0.25]
    heavier = planner.plan(Sleeve((Holding("UPRO", 0.9),), cap=1.0, rebalance="daily"))
    assert heavier.weights.tolist() == [[0.9]]
    assert heavier.course is plans[0].course


# --- rates ----------------------------------------------------------------------------------------


def test_rates_are_what_a_dollar_of_each_side_requires() -> None:
    # From 2009-12-01 leveraged funds require 25 and 30 % a turn.
    closes = {"UPRO": [50.0] * 4, "SPXU": [20.0] * 4, "SP500": [90.0, 90.0, math.nan, 90.0]}
    market = market_of(closes, start="2009-11-27")
    found = side_rates(market.tape, np.array([1.0, -1.0, 1.0]))
    before, after = [0.25, 0.30, 0.25], [0.75, 0.90, 0.25]
    np.testing.assert_allclose(found, [before, before, after, after], rtol=1e-12)


def test_a_floor_per_share_is_a_rate_of_a_low_price() -> None:
    # A short share of less than five dollars requires 2.50, or all of its worth if that is more.
    market = market_of({"SP500": [4.0, 2.0]})
    found = side_rates(market.tape, np.array([-1.0]))
    np.testing.assert_allclose(found[:, 0], [1.0, 1.25], rtol=1e-12)


def test_a_ladder_follows_the_rates_of_each_session() -> None:
    market = market_of({"UPRO": [50.0] * 4}, start="2009-11-27")
    levels = plan_of(bull(stop_flight=StopFlight()), market).course[:, LEVELS + 1]
    loss = 3.0 * 0.2047
    expected = [1.0 / (1.0 - loss + loss / rate) for rate in (0.25, 0.25, 0.75, 0.75)]
    np.testing.assert_allclose(levels, expected, rtol=1e-12)


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"sizing": Trend(window=7)}, "sizing.window: 7 looks 6 sessions back"),
        (
            {"exits": Exits(filter=Momentum(window=4, skip=2))},
            "exits.filter.window: 4 looks 6 sessions back",
        ),
        (
            {
                "holdings": (Holding("UPRO", 0.5), Holding("SP500", 0.2)),
                "allocation": InverseVolatility(window=6),
            },
            "allocation.window: 6 looks 6 sessions back",
        ),
        (
            {"core": (Holding("SP500", 0.4),), "caps": Caps(risk_share=0.5, risk_window=6)},
            "caps.risk_window: 6 looks 6 sessions back",
        ),
    ],
)  # fmt: skip
def test_a_window_that_never_fills_is_refused(keys: dict[str, Any], wrong: str) -> None:
    market = market_of({"UPRO": CLOSES, "SP500": CLOSES})
    facts: dict[str, Any] = {"holdings": (Holding("UPRO", 0.5),), "cap": 1.0}
    facts |= {} if len(keys) == 2 else {"core": (Holding("SP500", 0.4),)}
    with pytest.raises(StudyError) as refused:
        plan_of(Sleeve(**(facts | keys)), market)
    assert str(refused.value) == (
        f"{wrong}, but there are 5 up to 2019-06-10; a shorter window is right"
    )


@pytest.mark.parametrize(
    ("signal", "wrong"),
    [
        ((math.nan, 1.0, math.nan, 1.0, 1.0, 1.0), "nan on 2019-06-05"),
        ((1.0, 1.0, 1.0, 1.0, -0.5, 1.0), "-0.5 on 2019-06-07"),
        ((math.nan,) * 6, "nan on 2019-06-10"),
    ],
)
def test_a_rule_that_does_not_answer_with_a_scale_is_refused(
    market: Market, signal: tuple[float, ...], wrong: str
) -> None:
    with pytest.raises(StudyError) as refused:
        plan_of(bull(sizing=Told(signal=signal)), market)
    assert str(refused.value) == (
        f"sizing: the rule answers {wrong}; a scale of at least 0 on every session is right"
    )
