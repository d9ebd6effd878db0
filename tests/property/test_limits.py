"""Whatever weights come in, the policy holds for what comes out."""

import math
from typing import NamedTuple

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from levsleeve.compiled import Floats
from levsleeve.strategies.limits import (
    CAP,
    DELTA_CAP,
    HOUSE_RATE,
    KEEP,
    N_LIMITS,
    RISK_CAP,
    SINGLE_CAP,
    hold_to_policy,
)

ROUNDING = 1e-9
"""What a few products leave of fractions of equity."""
MULTIPLES = [1.0, 3.0, 2.0, -1.0, -2.0, -3.0]


class Policy(NamedTuple):
    """Weights and what binds them; ``factors`` make covariances that can be."""

    weights: list[float]
    multiples: list[float]
    core: list[bool]
    cap: float
    single: float
    delta: float
    risk: float
    factors: list[list[float]]
    house: float
    keep: float
    rates: list[float]
    fall: float
    rise: float

    @property
    def leveraged(self) -> Floats:
        return np.array([float(multiple != 1.0) for multiple in self.multiples])

    @property
    def covariances(self) -> Floats:
        factors = np.array(self.factors)
        found: Floats = factors @ factors.T
        return found

    def hold(self, weights: Floats) -> Floats:
        """What the policy leaves."""
        left = weights.copy()
        funds = np.column_stack(
            [self.leveraged, 1.0 - np.array(self.core, dtype=np.float64), self.multiples]
        )
        limits = np.zeros(N_LIMITS)
        limits[[CAP, SINGLE_CAP, DELTA_CAP, RISK_CAP]] = (
            self.cap, self.single, self.delta, self.risk,
        )  # fmt: skip
        limits[[HOUSE_RATE, KEEP]] = self.house, self.keep
        hold_to_policy(left, np.ascontiguousarray(funds), limits, self.covariances.ravel(),
                       np.array(self.rates), self.fall, self.rise)  # fmt: skip
        return left


def or_none(numbers: st.SearchStrategy[float], none: float) -> st.SearchStrategy[float]:
    return st.just(none) | numbers


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Weights from nothing to a hundred times equity, under any limits."""
    n = draw(st.integers(1, 5))

    def each(numbers: st.SearchStrategy[float]) -> list[float]:
        return draw(st.lists(numbers, min_size=n, max_size=n))

    size = draw(st.sampled_from([1.0, 1.0, 10.0, 100.0, 1e-6])) / 1000.0
    thousandths = st.integers(-1000, 1000)
    factor = st.sampled_from([0.0, 0.0, 0.01, -0.01, 0.03, -0.03, 0.005])
    return Policy(
        weights=[size * weight for weight in draw(st.lists(thousandths, min_size=n, max_size=n))],
        multiples=each(st.sampled_from(MULTIPLES)),
        core=draw(st.lists(st.booleans(), min_size=n, max_size=n)),
        cap=draw(st.floats(0.05, 3.0)),
        single=draw(or_none(st.floats(0.05, 1.0), math.inf)),
        delta=draw(or_none(st.floats(0.05, 4.0), math.inf)),
        risk=draw(or_none(st.floats(0.01, 1.0), math.inf)),
        factors=[draw(st.lists(factor, min_size=3, max_size=3)) for _ in range(n)],
        house=draw(or_none(st.floats(0.25, 1.5), 0.0)),
        keep=draw(st.floats(0.0, 0.95)),
        rates=each(st.floats(0.08, 1.5)),
        fall=draw(st.floats(0.0, 0.99)),
        rise=draw(st.floats(0.0, 1.0)),
    )


def excess_of(policy: Policy, weights: Floats, move: float) -> float:
    """Equity less maintenance margin after an index move, as fractions of equity now."""
    prices = np.maximum(1.0 + np.array(policy.multiples) * move, 0.0)
    rates = np.where(policy.leveraged != 0.0, np.maximum(policy.rates, policy.house), policy.rates)
    equity = 1.0 + float(weights @ (prices - 1.0))
    return equity - float(rates @ np.abs(weights * prices))


def leveraged_share(policy: Policy, weights: Floats) -> float:
    contributions = weights * (policy.covariances @ weights)
    total = float(contributions.sum())
    smallest = 1e-12 * float(np.abs(contributions).sum())
    if total <= smallest:
        return 0.0  # rounding of parts that offset each other
    return float(contributions[policy.leveraged != 0.0].sum()) / total


@settings(max_examples=300)
@given(policies())
def test_nothing_of_the_policy_is_left_violated(policy: Policy) -> None:
    left = policy.hold(np.array(policy.weights))
    assert np.isfinite(left).all()
    gross = np.abs(left) * policy.leveraged
    assert gross.sum() <= policy.cap + ROUNDING
    assert (gross <= policy.single + ROUNDING).all()
    assert abs(float(left @ np.array(policy.multiples))) <= policy.delta + ROUNDING
    if policy.house > 0.0:
        for move in (0.0, -policy.fall, policy.rise):
            assert excess_of(policy, left, move) >= policy.keep - ROUNDING
    assert leveraged_share(policy, left) <= policy.risk + 1e-6


@settings(max_examples=150)
@given(policies())
def test_a_policy_only_lowers_and_turns_no_sign(policy: Policy) -> None:
    weights = np.array(policy.weights)
    left = policy.hold(weights)
    assert (np.abs(left) <= np.abs(weights) * (1.0 + 1e-15)).all()
    assert (left * weights >= 0.0).all()


@settings(max_examples=150)
@given(policies())
def test_a_policy_leaves_alone_what_it_has_left(policy: Policy) -> None:
    once = policy.hold(np.array(policy.weights))
    np.testing.assert_allclose(policy.hold(once), once, rtol=1e-6, atol=1e-12)


@given(policies())
def test_what_is_obeyed_by_far_stands_as_it_is(policy: Policy) -> None:
    small = 1e-4 * np.array(policy.weights) / max(1.0, float(np.abs(policy.weights).max()))
    assume(leveraged_share(policy, small) <= 0.9 * policy.risk)
    np.testing.assert_array_equal(policy.hold(small), small)


@given(policies())
def test_without_caps_below_them_the_weights_stand(policy: Policy) -> None:
    free = policy._replace(cap=1e9, single=math.inf, delta=math.inf, risk=math.inf, house=0.0)
    weights = np.array(policy.weights)
    np.testing.assert_array_equal(free.hold(weights), weights)
