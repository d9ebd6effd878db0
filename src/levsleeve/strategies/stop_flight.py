"""Stop-flight: a ladder of margin-utilization thresholds that acts before the broker does."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from levsleeve.compiled import Floats, hot_rule, rule
from levsleeve.errors import StudyError
from levsleeve.strategies.choices import Choice, Fraction, Positive

CALM, WARNED, DERISKED, FLATTENED = 0.0, 1.0, 2.0, 3.0
"""Rungs of the ladder."""
WARN, DERISK, FLATTEN, CUT_TO = range(4)
N_LEVELS = 4
_NAMES = ("warn", "derisk", "flatten", "cut_to")
"""Columns of ``StopFlight.levels``."""
WARN_PART, CUT_PART = 0.9, 0.75
"""Of the utilization that derisks, by default: where it warns, and what it cuts to."""
_RISING = (
    ("cut_to", "derisk"), ("warn", "derisk"), ("derisk", "flatten"),
    ("cut_to", "flatten"), ("warn", "flatten"),
)  # fmt: skip
_RIGHT = "a ladder that tightens from cut_to and warn over derisk to flatten"
Level = Annotated[float, Field(gt=0.0, le=1.0)]
Cooling = Annotated[int, Field(ge=0, le=5040)]


class StopFlight(Choice):
    """Thresholds of margin utilization: maintenance margin over equity with loan value.

    Above ``warn`` an event is written; at ``derisk`` the sleeve is cut until utilization is
    ``cut_to``; at ``flatten`` it is sold.  What is left out follows from the gap-safe utilization
    u* of each session's rates, for an index ``fall`` or ``rise`` in one session: derisk at u*, warn
    at 0.9 of it, cut to 0.75 of it, flatten at the mean of u* and 1; of several funds the lowest.

    A rung is left once utilization is ``hysteresis`` below its threshold.  After a cut the sleeve
    is not enlarged for ``cool_off_sessions``, nor before utilization is below ``derisk`` by the
    hysteresis (or by half of the way to ``cut_to``, if that is less); then the limit rises to the
    full size over ``return_sessions`` (0: at once).  ``check`` looks at the close, or also at the
    extremes of a session that changed no holding.
    """

    warn: Level | None = None
    derisk: Level | None = None
    flatten: Level | None = None
    cut_to: Level | None = None
    fall: Fraction = 0.2047
    rise: Positive = 0.1158
    hysteresis: Fraction = 0.05
    cool_off_sessions: Cooling = 10
    return_sessions: Cooling = 0
    check: Literal["close", "intraday"] = "close"

    @model_validator(mode="after")
    def _tightens(self) -> "StopFlight":
        """Thresholds that are given rise from the cut's aim to the last."""
        for low, high in _RISING:
            below, above = getattr(self, low), getattr(self, high)
            if below is not None and above is not None and below >= above:
                raise ValueError(
                    f"{low}: {below:g} is not below {high} {above:g}; {_RIGHT} is right"
                )
        return self

    def levels(self, weights: Sequence[float], multiples: Sequence[float], rates: Floats) -> Floats:
        """The thresholds of each session, shape (n_sessions, 4): warn, derisk, flatten, cut to.

        ``rates`` (n_sessions, n_funds) are maintenance rates on the side of each weight; funds
        without a weight, and those that are not leveraged, have no say.
        """
        safe = np.ones(len(rates))
        for i, (weight, multiple) in enumerate(zip(weights, multiples, strict=True)):
            if weight == 0.0 or multiple == 1.0:
                continue
            move = self.rise if (weight < 0.0) == (multiple > 0.0) else self.fall
            for t, rate in enumerate(rates[:, i]):
                found = gap_safe_utilization(abs(multiple), rate, move, weight < 0.0)
                safe[t] = min(safe[t], found)
        derisk = safe if self.derisk is None else np.full(len(rates), self.derisk)
        columns = np.column_stack([WARN_PART * derisk, derisk, (derisk + 1.0) / 2.0,
                                   CUT_PART * derisk])  # fmt: skip
        for column, given in ((WARN, self.warn), (FLATTEN, self.flatten), (CUT_TO, self.cut_to)):
            if given is not None:
                columns[:, column] = given
        for low, high in ((CUT_TO, DERISK), (WARN, DERISK), (DERISK, FLATTEN)):
            falling = (columns[:, low] >= columns[:, high]) & (columns[:, high] < 1.0)
            if falling.any():
                levels = columns[np.flatnonzero(falling)[0]]
                raise StudyError(
                    f"stop_flight.{_NAMES[low]}: {levels[low]:.3f} is not below {_NAMES[high]} "
                    f"{levels[high]:.3f}, gap-safe levels of these rates included; "
                    f"{_RIGHT} is right"
                )
        return columns


@rule
def gap_safe_utilization(leverage: float, rate: float, move: float, short: bool) -> float:
    """Utilization from which one index move against a holding leads to a call, and not beyond.

    ``u* = 1 / (1 + L x + L x / m)`` short, ``1 / (1 - L x + L x / m)`` long, for leverage ``L``,
    maintenance rate ``m`` and a move ``x``, all fractions above 0.

    Examples
    --------
    >>> round(gap_safe_utilization(3.0, 0.90, 0.1158, True), 3)
    0.577
    >>> round(gap_safe_utilization(3.0, 0.75, 0.2047, False), 3)
    0.83
    """
    loss = min(leverage * move, 1.0) if not short else leverage * move
    if rate <= 0.0:
        return 1.0
    kept = 1.0 + loss if short else 1.0 - loss
    return 1.0 / (kept + loss / rate)


@hot_rule
def rung_of(utilization: float, levels: Floats, rung: float, hysteresis: float) -> float:
    """The rung that utilization stands on; one is left only ``hysteresis`` below its threshold.

    ``levels`` are warn, derisk and flatten, in that order.
    """
    reached = CALM
    for step in range(3):
        if utilization >= levels[step]:
            reached = step + 1.0
    while rung > reached and utilization < levels[int(rung) - 1] - hysteresis:
        rung -= 1.0
    return max(rung, reached)


@hot_rule
def calm_level(levels: Floats, hysteresis: float) -> float:
    """Utilization below which a sleeve may grow again after a cut.

    It is the hysteresis below what derisks, but never so low that the cut itself does not reach it.
    """
    derisk, cut_to = float(levels[DERISK]), float(levels[CUT_TO])
    return max(derisk - hysteresis, 0.5 * (derisk + cut_to))


@hot_rule
def kept_part(
    maintenance: float, sized_maintenance: float, loanable: float, cut_to: float
) -> float:
    """The part of a sleeve to keep so that utilization becomes ``cut_to``, from 0 to 1.

    ``maintenance`` is the account's in dollars, ``sized_maintenance`` the sleeve's part of it.
    """
    if sized_maintenance <= 0.0:
        return 1.0
    excess = maintenance - cut_to * max(loanable, 0.0)
    return min(max(1.0 - excess / sized_maintenance, 0.0), 1.0)
