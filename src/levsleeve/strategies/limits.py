"""The policy that no sizing rule overrides: caps that never move, and the liquidity reserve.

Weights are signed fractions of equity, changed in place; each rule only lowers them.
"""

import math
from typing import Annotated, Literal

from pydantic import Field

from levsleeve.compiled import Floats, hot_rule, rule
from levsleeve.strategies.choices import Choice, Fraction, Positive, Share

CAP, SINGLE_CAP, DELTA_CAP, RISK_CAP, HOUSE_RATE, KEEP = range(6)
N_LIMITS = 6
"""Places of an array of limits; infinite where there is none, a house rate of 0.0: no reserve."""
LEVERAGED, SCALED, MULTIPLE = range(3)
N_FUND_FACTS = 3
"""Columns of a table of funds: 1.0 where the cap counts it, 1.0 where the sizing rule scales it
(0.0: a core holding), and the daily multiple."""
TOLERANCE = 1e-9
"""What rounding may leave of a fraction of equity above a limit."""


class Caps(Choice):
    """Bounds at every decision beside the sleeve's cap on gross leveraged weight.

    ``single_fund`` bounds the weight of each leveraged fund, ``delta`` the net index exposure of
    the account in turns of equity, ``risk_share`` the part of the account's variance that leveraged
    funds have, from the covariances of the last ``risk_window`` sessions.  Drift between decisions
    is reported; ``enforce = "daily"`` trims it at each close.
    """

    single_fund: Positive | None = None
    delta: Positive | None = None
    risk_share: Share | None = None
    risk_window: Annotated[int, Field(ge=5, le=2520)] = 63
    enforce: Literal["decision", "daily"] = "decision"

    @property
    def longest(self) -> int:
        """Sessions that the share of risk must have seen."""
        return self.risk_window


class Reserve(Choice):
    """Liquidity kept above the worst-case maintenance margin; the sizing sees it.

    Worst is that the index makes its deepest fall or highest rise of ``reset_sessions`` sessions
    (the fund's own reset cadence) and the house then asks ``house_rate`` of every leveraged fund.
    ``keep`` of today's equity must be left above that.  A move is a fraction, or ``"history"``: the
    worst so far, and no less than ``fall`` and ``rise`` where they are numbers.
    """

    house_rate: Annotated[float, Field(ge=0.25, le=1.5)] = 1.0
    fall: Fraction | Literal["history"] = "history"
    rise: Positive | Literal["history"] = "history"
    reset_sessions: Annotated[int, Field(ge=1, le=63)] = 1
    keep: Fraction = 0.0


@rule
def gross_leveraged(weights: Floats, funds: Floats) -> float:
    """Weights of the leveraged funds without their signs."""
    total = 0.0
    for i in range(weights.size):
        total += abs(weights[i]) * funds[i, LEVERAGED]
    return total


@rule
def net_delta(weights: Floats, funds: Floats) -> float:
    """Index exposure in turns of equity, with its sign; every index counts as one."""
    total = 0.0
    for i in range(weights.size):
        total += weights[i] * funds[i, MULTIPLE]
    return total


@rule
def leveraged_risk_share(weights: Floats, funds: Floats, covariances: Floats) -> float:
    """The part of the variance that leveraged funds contribute; 0.0 where there is no variance."""
    own, shared, rest = _variance_parts(weights, funds, covariances)
    total = own + 2.0 * shared + rest
    return (own + shared) / total if total > 0.0 else 0.0


@hot_rule
def _variance_parts(
    weights: Floats, funds: Floats, covariances: Floats
) -> tuple[float, float, float]:
    """Variance of the leveraged funds, covariance with the others, variance of those."""
    own, shared, rest, n = 0.0, 0.0, 0.0, weights.size
    for i in range(n):
        for j in range(n):
            part = weights[i] * weights[j] * covariances[i * n + j]
            both = funds[i, LEVERAGED] + funds[j, LEVERAGED]
            if both > 1.0:
                own += part
            elif both > 0.0:
                shared += 0.5 * part
            else:
                rest += part
    return own, shared, rest


@rule
def largest_part(fixed: float, scaled: float, limit: float) -> float:
    """The largest part from 0 to 1 of ``scaled`` that keeps its sum with ``fixed`` within a limit.

    The limit holds on both sides of zero; 0 or 1, whichever is nearer, where no part does.

    Examples
    --------
    >>> largest_part(1.0, 2.0, 2.0), largest_part(1.0, -1.5, 2.0), largest_part(3.0, 1.0, 2.0)
    (0.5, 1.0, 0.0)
    """
    total = fixed + scaled
    if abs(total) <= limit:
        return 1.0
    bound = limit if total > 0.0 else -limit
    return min(max((bound - fixed) / scaled, 0.0), 1.0) if scaled != 0.0 else 0.0


@rule
def largest_risk_part(own: float, shared: float, rest: float, limit: float) -> float:
    """The largest part of the leveraged weights whose share of the variance is within the limit.

    At a part k the share is ``(k**2 own + k shared) / (k**2 own + 2 k shared + rest)``; the
    quadratic inequality holds from 0 to its one positive root.
    """
    square, linear = own * (1.0 - limit), shared * (1.0 - 2.0 * limit)
    if square + linear - limit * rest <= 0.0:
        return 1.0
    if square <= 0.0:
        return min(limit * rest / linear, 1.0)
    root = math.sqrt(linear * linear + 4.0 * square * limit * rest)
    if linear > 0.0:  # the same root, without the difference of near numbers
        return min(2.0 * limit * rest / (root + linear), 1.0)
    return min((root - linear) / (2.0 * square), 1.0)


@rule
def hold_to_policy(  # noqa: C901  (one limit after the other)
    weights: Floats, funds: Floats, limits: Floats, covariances: Floats, rates: Floats, fall: float,
    rise: float,
) -> None:  # fmt: skip
    """Lower the weights until every cap and the reserve hold.

    ``covariances`` (n * n; nan while unknown) and maintenance ``rates`` (n, on the side of each
    weight) are of the session, any where no limit needs them; ``fall`` and ``rise`` are the
    reserve's index moves.

    First the leveraged funds shrink in proportion, then all that is sized, last everything: a
    smaller copy of an account that obeys the policy obeys it.
    """
    for i in range(weights.size):
        if funds[i, LEVERAGED] != 0.0 and abs(weights[i]) > limits[SINGLE_CAP]:
            weights[i] = math.copysign(limits[SINGLE_CAP], weights[i])
    gross = gross_leveraged(weights, funds)
    if gross > limits[CAP]:
        _shrink(weights, funds, LEVERAGED, limits[CAP] / gross)
    sized = _delta_of(weights, funds, 1.0)
    part = largest_part(_delta_of(weights, funds, 0.0), sized, limits[DELTA_CAP])
    _shrink(weights, funds, SCALED, part)
    if limits[HOUSE_RATE] > 0.0:
        part = _reserve_part(weights, funds, limits, rates, fall, rise, 0.0)
        _shrink(weights, funds, SCALED, part)
    if limits[RISK_CAP] < 1.0:
        own, shared, rest = _variance_parts(weights, funds, covariances)
        known = not math.isnan(own + shared + rest)  # or else nothing that is leveraged is held
        part = largest_risk_part(own, shared, rest, limits[RISK_CAP]) if known else 0.0
        _shrink(weights, funds, LEVERAGED, part)
    part = largest_part(0.0, net_delta(weights, funds), limits[DELTA_CAP])
    if limits[HOUSE_RATE] > 0.0:
        part = min(part, _reserve_part(weights, funds, limits, rates, fall, rise, 1.0))
    if part < 1.0:
        for i in range(weights.size):
            weights[i] *= part


@hot_rule
def _shrink(weights: Floats, funds: Floats, column: int, part: float) -> None:
    """Multiply the weights of the funds that a column marks."""
    if part < 1.0:
        for i in range(weights.size):
            if funds[i, column] != 0.0:
                weights[i] *= part


@hot_rule
def _delta_of(weights: Floats, funds: Floats, scaled: float) -> float:
    """Index exposure of what is sized (1.0), or of the core (0.0)."""
    total = 0.0
    for i in range(weights.size):
        if funds[i, SCALED] == scaled:
            total += weights[i] * funds[i, MULTIPLE]
    return total


@rule
def least_reserve(
    weights: Floats, funds: Floats, limits: Floats, rates: Floats, fall: float, rise: float
) -> float:
    """The least excess liquidity after the reserve's moves, and without any, of equity now."""
    least = math.inf
    for case in range(3):
        left = 1.0
        for i in range(weights.size):
            rate = _worst_rate(i, funds, limits, rates)
            left += excess_after(weights[i], funds[i, MULTIPLE], _move(case, fall, rise), rate)
        least = min(least, left)
    return least


@hot_rule
def _move(case: int, fall: float, rise: float) -> float:
    """No move, the fall, or the rise of the index."""
    if case == 0:
        return 0.0
    return -fall if case == 1 else rise


@hot_rule
def _reserve_part(
    weights: Floats, funds: Floats, limits: Floats, rates: Floats, fall: float, rise: float,
    whole: float,
) -> float:  # fmt: skip
    """The largest part of what is sized (of everything: ``whole`` 1.0) that leaves the reserve."""
    part = 1.0
    for case in range(3):
        move = _move(case, fall, rise)
        fixed, sized = 1.0 - limits[KEEP], 0.0
        for i in range(weights.size):
            rate = _worst_rate(i, funds, limits, rates)
            left = excess_after(weights[i], funds[i, MULTIPLE], move, rate)
            if whole != 0.0 or funds[i, SCALED] != 0.0:
                sized += left
            else:
                fixed += left
        if fixed + sized < 0.0 and sized < 0.0:
            part = min(part, max(fixed, 0.0) / -sized)
    return part


@hot_rule
def _worst_rate(i: int, funds: Floats, limits: Floats, rates: Floats) -> float:
    """The house rate of a leveraged fund, no less than the rule's; of others the rule's."""
    rate = float(rates[i])
    return max(limits[HOUSE_RATE], rate) if funds[i, LEVERAGED] != 0.0 else rate


@rule
def excess_after(weight: float, multiple: float, move: float, rate: float) -> float:
    """What a holding adds to excess liquidity after an index move, as fractions of equity now.

    Its profit less its maintenance margin then; a fund cannot fall below zero.

    Examples
    --------
    >>> round(excess_after(0.5, 3.0, -0.2, 0.75), 6), round(excess_after(-0.5, 3.0, 0.1, 0.9), 6)
    (-0.45, -0.735)
    """
    change = max(multiple * move, -1.0)
    return weight * change - rate * abs(weight) * (1.0 + change)
