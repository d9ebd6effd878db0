"""What a broker asks beyond the rules: the overlays of a date, as one row a fund.

A member may ask more than the rule (FINRA Rule 4210(d)(1)), never less.  Factors multiply the
rule's rate after its cap, rates are fractions of value; several overlays at once: the dearest.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from levsleeve.compiled import Floats, rule
from levsleeve.margin.policy import (
    FactorOverlay,
    FlowOverlay,
    Overlay,
    RateOverlay,
    VolatilityOverlay,
)

(
    MAINTENANCE_FACTOR,
    INITIAL_FACTOR,
    LONG_CAP,
    SHORT_CAP,
    LONG_RATE,
    SHORT_RATE,
) = range(6)
"""Places of an overlay row: factors and their caps (inf: none), then rates per side."""

NO_OVERLAY = np.array([1.0, 1.0, np.inf, np.inf, 0.0, 0.0])
"""The row of a house that asks what the rule asks."""


@rule
def state_dependent_rate(
    rule_rate: float, state: float, base: float, slope: float, ceiling: float
) -> float:
    """A house rate that grows with ``state`` above ``base`` (> 0), up to ``ceiling``.

    ``slope`` is the relative rise of the rate per relative rise of the state; all fractions.

    Examples
    --------
    >>> [round(state_dependent_rate(0.75, v, 0.20, 0.25, 1.0), 4) for v in (0.15, 0.20, 0.40, 0.80)]
    [0.75, 0.75, 0.9375, 1.0]
    """
    return min(ceiling, rule_rate * (1.0 + slope * max(0.0, state - base) / base))


@rule
def reset_trade_rate(multiple: float, index_return: float) -> float:
    """Size of a fund's daily reset trade as a fraction of its assets: |L (L - 1) r|.

    References
    ----------
    Cheng, M. and Madhavan, A. (2009), Journal of Investment Management 7(4).
    """
    return abs(multiple * (multiple - 1.0) * index_return)


def overlay_row(
    overlays: Sequence[Overlay],
    on: date,
    multiple: float,
    rule_rates: tuple[float, float],
    volatility: float = np.nan,
    index_return: float = np.nan,
) -> Floats:
    """The row of overlays that hold on ``on`` for a fund of that multiple.

    Parameters
    ----------
    rule_rates
        Long and short rate of the rule, which state-dependent overlays raise.
    volatility, index_return
        What state-dependent overlays see: the volatility index as a fraction and the index return
        of the session before; nan where nothing is known yet, and then they ask the rule's rate.
    """
    row = NO_OVERLAY.copy()
    for overlay in overlays:
        if not applies(overlay, on, multiple):
            continue
        if isinstance(overlay, FactorOverlay):
            _apply_factor(row, overlay, on)
            continue
        long_rate, short_rate = _rates(overlay, multiple, rule_rates, volatility, index_return)
        row[LONG_RATE] = max(row[LONG_RATE], long_rate)
        row[SHORT_RATE] = max(row[SHORT_RATE], short_rate)
    return row


def applies(overlay: Overlay, on: date, multiple: float) -> bool:
    """Whether an overlay holds on that day for such a fund."""
    begun = overlay.effective is None or overlay.effective <= on
    ended = overlay.until is not None and overlay.until < on
    return begun and not ended and abs(multiple) > overlay.above_multiple


def _apply_factor(row: Floats, overlay: FactorOverlay, on: date) -> None:
    """Put a factor into the row; where two overlap the greater holds, and the greatest's caps."""
    factor = _phased_factor(overlay, on)
    greatest = factor >= max(row[MAINTENANCE_FACTOR], row[INITIAL_FACTOR])
    if overlay.applies_to in ("both", "maintenance"):
        row[MAINTENANCE_FACTOR] = max(row[MAINTENANCE_FACTOR], factor)
    if overlay.applies_to in ("both", "initial"):
        row[INITIAL_FACTOR] = max(row[INITIAL_FACTOR], factor)
    if not greatest:
        return
    row[LONG_CAP] = np.inf if overlay.long_cap is None else overlay.long_cap
    row[SHORT_CAP] = np.inf if overlay.short_cap is None else overlay.short_cap


def _phased_factor(overlay: FactorOverlay, on: date) -> float:
    """The factor of a day: it grows by equal steps a weekday where a phase is given."""
    if overlay.full_from is None or overlay.effective is None or on >= overlay.full_from:
        return overlay.factor
    day = timedelta(days=1)
    steps = np.busday_count(overlay.effective, overlay.full_from + day)
    done = np.busday_count(overlay.effective, on + day)
    return float(1.0 + (overlay.factor - 1.0) * done / steps)


def _rates(
    overlay: RateOverlay | VolatilityOverlay | FlowOverlay,
    multiple: float,
    rule_rates: tuple[float, float],
    volatility: float,
    index_return: float,
) -> tuple[float, float]:
    """Long and short house rate of one overlay."""
    if isinstance(overlay, RateOverlay):
        if not overlay.per_turn:
            return overlay.long_rate, overlay.short_rate
        turns = abs(multiple)
        return min(overlay.long_rate * turns, 1.0), min(overlay.short_rate * turns, 1.0)
    if isinstance(overlay, VolatilityOverlay):
        state = volatility
    else:
        state = reset_trade_rate(multiple, index_return)
    if np.isnan(state):
        return 0.0, 0.0
    long_rate, short_rate = (
        state_dependent_rate(rate, state, overlay.base, overlay.slope, overlay.ceiling)
        for rate in rule_rates
    )
    return long_rate, short_rate
