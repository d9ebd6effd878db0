"""The policy that no sizing rule overrides, against brute force."""

import math

import numpy as np
import pytest

from levsleeve.compiled import Floats
from levsleeve.strategies.limits import (
    CAP,
    DELTA_CAP,
    HOUSE_RATE,
    KEEP,
    N_LIMITS,
    RISK_CAP,
    SINGLE_CAP,
    excess_after,
    gross_leveraged,
    hold_to_policy,
    largest_part,
    largest_risk_part,
    leveraged_risk_share,
    net_delta,
)

BULL, BEAR, INDEX, CORE = (1.0, 1.0, 3.0), (1.0, 1.0, -3.0), (0.0, 1.0, 1.0), (0.0, 0.0, 1.0)
"""Rows of a table of funds: leveraged, sized, multiple."""
ABS = 1e-12


def held(
    weights: list[float],
    funds: list[tuple[float, float, float]],
    limits: dict[int, float],
    *,
    covariances: Floats | None = None,
    rates: list[float] | None = None,
    fall: float = 0.0,
    rise: float = 0.0,
) -> list[float]:
    """What a policy leaves of weights."""
    numbers = np.full(N_LIMITS, math.inf)
    numbers[[HOUSE_RATE, KEEP]] = 0.0
    for place, limit in limits.items():
        numbers[place] = limit
    left, n = np.array(weights), len(weights)
    hold_to_policy(
        left, np.array(funds), numbers,
        np.zeros(n * n) if covariances is None else covariances.ravel(),
        np.zeros(n) if rates is None else np.array(rates), fall, rise,
    )  # fmt: skip
    found: list[float] = left.tolist()
    return found


def approx(weights: list[float]) -> object:
    return pytest.approx(weights, abs=ABS)


# --- caps on weights ------------------------------------------------------------------------------


def test_without_limits_every_weight_stands() -> None:
    assert held([5.0, -3.0, 0.4], [BULL, BEAR, CORE], {}) == [5.0, -3.0, 0.4]


def test_leveraged_funds_share_the_cap_in_proportion_and_the_index_does_not_count() -> None:
    found = held([0.6, -0.3, 0.8], [BULL, BEAR, CORE], {CAP: 0.6})
    assert found == approx([0.4, -0.2, 0.8])


def test_a_leveraged_fund_of_the_core_counts_under_the_cap_and_shrinks_with_it() -> None:
    core_bull = (1.0, 0.0, 3.0)
    assert held([0.6, 0.6], [BULL, core_bull], {CAP: 0.6}) == approx([0.3, 0.3])


def test_each_leveraged_fund_alone_is_cut_to_its_cap() -> None:
    found = held([0.6, -0.5, 0.8], [BULL, BEAR, INDEX], {SINGLE_CAP: 0.4})
    assert found == approx([0.4, -0.4, 0.8])


def test_single_funds_are_cut_before_all_share_the_cap() -> None:
    found = held([0.9, 0.3], [BULL, BULL], {SINGLE_CAP: 0.5, CAP: 0.4})
    assert found == approx([0.25, 0.15])


# --- delta ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "funds", "cap", "left"),
    [
        ([1.0], [BULL], 1.5, [0.5]),
        ([-1.0], [BULL], 1.5, [-0.5]),
        ([0.6, 0.2], [BULL, BEAR], 0.6, [0.3, 0.1]),  # 1.2 turns, halved
        ([0.5, 0.6], [BULL, CORE], 1.2, [0.2, 0.6]),  # beside 0.6 turns of the core
        ([-0.5, 0.6], [BULL, CORE], 0.5, [-1.1 / 3.0, 0.6]),  # -0.9 turns to -0.5
        ([0.5, 1.0], [BULL, CORE], 0.5, [0.0, 0.5]),  # the core alone is above it
        ([-0.1, 1.0], [BULL, CORE], 0.9, [-0.1, 1.0]),  # what offsets the core is not cut
        ([0.5, 0.9], [BULL, CORE], 3.0, [0.5, 0.9]),
    ],
)
def test_index_exposure_is_cut_at_the_sleeve_first(
    weights: list[float], funds: list[tuple[float, float, float]], cap: float, left: list[float]
) -> None:
    assert held(weights, funds, {DELTA_CAP: cap}) == approx(left)


@pytest.mark.parametrize(
    ("fixed", "sized", "limit", "part"),
    [
        (0.0, 2.0, 1.0, 0.5), (0.5, 1.0, 1.0, 0.5), (-0.5, 3.0, 1.0, 0.5), (0.0, -2.0, 1.0, 0.5),
        (0.5, 0.25, 1.0, 1.0), (2.0, 1.0, 1.0, 0.0), (2.0, -0.5, 1.0, 1.0), (2.0, 0.0, 1.0, 0.0),
        (-2.0, -1.0, 1.0, 0.0), (3.0, 5.0, math.inf, 1.0),
    ],
)  # fmt: skip
def test_the_largest_part_within_a_limit(
    fixed: float, sized: float, limit: float, part: float
) -> None:
    assert largest_part(fixed, sized, limit) == pytest.approx(part, abs=ABS)


def test_exposures_add_up_with_their_signs() -> None:
    weights, funds = np.array([0.5, -0.2, 0.3]), np.array([BULL, BEAR, CORE])
    assert gross_leveraged(weights, funds) == pytest.approx(0.7, abs=ABS)
    assert net_delta(weights, funds) == pytest.approx(1.5 + 0.6 + 0.3, abs=ABS)


# --- the share of risk ----------------------------------------------------------------------------


def share_of(weights: Floats, leveraged: Floats, covariances: Floats) -> float:
    """The leveraged funds' contribution to variance, by the covariance with the whole."""
    contributions = weights * (covariances @ weights)
    total = float(contributions.sum())
    return float(contributions[leveraged != 0.0].sum()) / total if total > 0.0 else 0.0


@pytest.fixture
def covariances() -> Floats:
    return np.cov(np.random.default_rng(2).normal(0.0, [0.03, 0.01, 0.02], (40, 3)).T)


def test_a_share_of_risk_is_the_covariance_with_the_whole(covariances: Floats) -> None:
    weights, funds = np.array([0.4, 0.6, -0.1]), np.array([BULL, CORE, BEAR])
    found = leveraged_risk_share(weights, funds, covariances.ravel())
    assert found == pytest.approx(share_of(weights, funds[:, 0], covariances), rel=1e-12)


def test_without_variance_there_is_no_share_of_it() -> None:
    assert leveraged_risk_share(np.array([0.5]), np.array([BULL]), np.zeros(1)) == 0.0


@pytest.mark.parametrize("limit", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_leveraged_funds_are_cut_to_their_share_of_risk_and_no_further(
    covariances: Floats, limit: float
) -> None:
    weights, funds = np.array([0.8, 0.6, 0.3]), [BULL, CORE, BULL]
    leveraged = np.array([1.0, 0.0, 1.0])
    before = share_of(weights, leveraged, covariances)
    found = np.array(held(weights.tolist(), funds, {RISK_CAP: limit}, covariances=covariances))
    parts = np.linspace(0.0, 1.0, 20_001)  # brute force
    shares = [
        share_of(np.where(leveraged != 0.0, part, 1.0) * weights, leveraged, covariances)
        for part in parts
    ]
    largest = parts[np.flatnonzero(np.array(shares) <= limit)[-1]]
    assert found[0] / 0.8 == pytest.approx(largest, abs=1e-4)
    assert found[2] / 0.3 == pytest.approx(largest, abs=1e-4)
    assert found[1] == 0.6
    assert share_of(found, leveraged, covariances) == pytest.approx(min(before, limit), abs=1e-9)


@pytest.mark.parametrize(
    ("own", "shared", "rest", "limit", "part"),
    [
        (1.0, 0.0, 1.0, 0.5, 1.0),
        (4.0, 0.0, 1.0, 0.5, 0.5),  # 4 k**2 = 1
        (4.0, 0.0, 1.0, 0.2, 0.25),  # 4 k**2 = 0.25 of it
        (0.0, 1.0, 1.0, 0.25, 0.5),  # k / (2 k + 1) = 0.25
        (4.0, 0.0, 0.0, 0.5, 0.0),  # all risk is theirs
        (0.0, 0.0, 1.0, 0.5, 1.0),
        (4.0, -2.0, 1.5, 0.5, math.sqrt(0.375)),  # 2 k**2 = 0.75, whatever is shared
        (4.0, -2.0, 2.0, 0.8, (math.sqrt(6.56) - 1.2) / 1.6),  # 0.8 k**2 + 1.2 k = 1.6
        (1.0, -2.0, 5.0, 0.8, 1.0),  # it offsets risk
    ],
)
def test_the_largest_part_within_a_share_of_risk(
    own: float, shared: float, rest: float, limit: float, part: float
) -> None:
    assert largest_risk_part(own, shared, rest, limit) == pytest.approx(part, abs=ABS)


def test_a_nearly_certain_root_loses_no_digits() -> None:
    # A square part of nothing beside the linear one: k / (2 k + 1) = 0.25 again.
    assert largest_risk_part(1e-17, 1.0, 1.0, 0.25) == pytest.approx(0.5, rel=1e-12)


# --- the reserve ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "multiple", "move", "rate", "left"),
    [
        (0.5, 3.0, 0.0, 0.75, -0.375),
        (0.5, 3.0, -0.1, 1.0, -0.5),  # 0.15 lost, 0.35 required
        (-0.5, 3.0, 0.1, 0.9, -0.735),  # 0.15 lost, 0.9 x 0.65 required
        (0.5, 3.0, -0.5, 0.75, -0.5),  # nothing is left of it
        (0.5, -3.0, 0.5, 0.75, -0.5),
        (-0.5, 3.0, -0.5, 0.9, 0.5),
        (0.0, 3.0, -0.5, 0.9, 0.0),
    ],
)
def test_what_a_holding_adds_to_excess_liquidity_after_a_move(
    weight: float, multiple: float, move: float, rate: float, left: float
) -> None:
    assert excess_after(weight, multiple, move, rate) == pytest.approx(left, abs=ABS)


def excess(weights: list[float], multiples: list[float], rates: list[float], move: float) -> float:
    """Equity less maintenance margin after a move of the index, all of equity now."""
    equity, margin = 1.0, 0.0
    for weight, multiple, rate in zip(weights, multiples, rates, strict=True):
        price = max(1.0 + multiple * move, 0.0)
        equity += weight * (price - 1.0)
        margin += rate * abs(weight) * price
    return equity - margin


@pytest.mark.parametrize("keep", [0.0, 0.2])
@pytest.mark.parametrize("weight", [2.0, -2.0])
def test_a_sleeve_is_cut_until_the_worst_of_the_moves_leaves_the_reserve(
    weight: float, keep: float
) -> None:
    limits = {HOUSE_RATE: 1.0, KEEP: keep}
    (found,) = held([weight], [BULL], limits, rates=[0.75], fall=0.2, rise=0.12)
    worst = min(excess([found], [3.0], [1.0], move) for move in (0.0, -0.2, 0.12))
    assert worst == pytest.approx(keep, abs=1e-12)
    assert found * weight > 0.0


def test_of_a_long_fund_at_full_margin_a_fall_costs_just_what_it_frees() -> None:
    # At a rate of 1 a dollar's loss frees a dollar of margin: 1 - w = 0.2, whatever the fall.
    limits = {HOUSE_RATE: 1.0, KEEP: 0.2}
    assert held([2.0], [BULL], limits, rates=[0.75], fall=0.3, rise=0.1) == approx([0.8])
    # A short by a tenth of the index: 1 - 0.3 w - 1.3 w = 0.2.
    assert held([-2.0], [BULL], limits, rates=[0.9], fall=0.3, rise=0.1) == approx([-0.5])


def test_the_core_uses_the_reserve_at_its_own_rate_and_is_cut_last() -> None:
    # 0.8 of the index at 25 %: after -20 % 0.16 is lost and 0.16 required, which leaves 0.68.
    limits = {HOUSE_RATE: 1.0}
    found = held([1.0, 0.8], [BULL, CORE], limits, rates=[0.75, 0.25], fall=0.2, rise=0.0)
    assert found == approx([0.68, 0.8])
    alone = held([0.5, 4.0], [BULL, CORE], limits, rates=[0.75, 0.25], fall=0.5, rise=0.0)
    # The index alone would leave 1 - 2 - 0.5 < 0: the sleeve goes, then 1 - 0.5 w - 0.125 w = 0.
    assert alone == approx([0.0, 1.6])


def test_a_house_rate_below_the_rules_counts_for_nothing() -> None:
    found = held([1.0], [BULL], {HOUSE_RATE: 0.5, KEEP: 0.4}, rates=[0.75])
    assert found == approx([0.8])


def test_all_is_shrunk_where_the_cut_of_leverage_bares_the_core() -> None:
    # The short bull offsets the core; its share of the risk is cut, so that delta rises.
    covariances = np.array([[9.0, 1.0], [1.0, 2.0]]) * 1e-4
    weights, limits = [-0.5, 1.0], {RISK_CAP: 0.02, DELTA_CAP: 0.5}
    found = held(weights, [BULL, CORE], limits, covariances=covariances)
    array, funds = np.array(found), np.array([BULL, CORE])
    assert abs(net_delta(array, funds)) <= 0.5 + ABS
    assert share_of(array, funds[:, 0], covariances) <= 0.02 + 1e-9
    assert found[1] < 1.0
