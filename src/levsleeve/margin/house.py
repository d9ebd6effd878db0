"""What a broker asks beyond the rules: the overlays of a date, as one row a fund.

A member may ask more than the rule (FINRA Rule 4210(d)(1)), never less.  Factors multiply the
rule's rate after its cap, rates are fractions of value; several overlays at once: the dearest.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from levsleeve.compiled import Floats, hot_rule, rule
from levsleeve.instruments.reset import rebalance_trade
from levsleeve.margin.policy import (
    FactorOverlay,
    FlowOverlay,
    Overlay,
    RateOverlay,
    VolatilityOverlay,
)

LONG_RATE, SHORT_RATE, MAINTENANCE_FACTOR, INITIAL_FACTOR, LONG_CAP, SHORT_CAP = range(6)
"""Places of an overlay row: rates per side, then a factor for either requirement with its caps
(inf: none); further factors follow in groups of the same four."""

FACTORS, GROUP = MAINTENANCE_FACTOR, 4
NEUTRAL = (1.0, 1.0, np.inf, np.inf)
NO_OVERLAY = np.array([0.0, 0.0, *NEUTRAL])
"""The row of a house that asks what the rule asks."""


@hot_rule
def house_rate(rate: float, place: int, short: bool, overlay: Floats) -> float:
    """Fraction of value that the house asks where the rule asks ``rate``: its dearest overlay's.

    ``place`` is ``MAINTENANCE_FACTOR`` or ``INITIAL_FACTOR``.

    Examples
    --------
    >>> row = np.array([0.60, 0.60, 1.35, 1.35, 1.0, np.inf])
    >>> [round(house_rate(0.9, MAINTENANCE_FACTOR, short, row), 4) for short in (False, True)]
    [1.0, 1.215]
    """
    asked = overlay[SHORT_RATE] if short else overlay[LONG_RATE]
    for group in range(FACTORS, overlay.size, GROUP):
        factor = overlay[group + place - FACTORS]
        cap = overlay[group + (SHORT_CAP if short else LONG_CAP) - FACTORS]
        asked = max(asked, min(factor * rate, cap))
    return asked


@rule
def state_factor(state: float, base: float, slope: float) -> float:
    """Factor on the rule's rate that grows with ``state`` above ``base`` (> 0), both fractions.

    ``slope`` is the relative rise of the rate per relative rise of the state.

    Examples
    --------
    >>> [round(state_factor(v, 0.20, 0.25), 4) for v in (0.15, 0.20, 0.40, 0.80)]
    [1.0, 1.0, 1.25, 1.75]
    """
    return 1.0 + slope * max(0.0, state - base) / base


@rule
def reset_trade_rate(multiple: float, index_return: float) -> float:
    """Size of a fund's daily reset trade as a fraction of its assets: |L (L - 1) r|.

    References
    ----------
    Cheng, M. and Madhavan, A. (2009), Journal of Investment Management 7(4).
    """
    return abs(rebalance_trade(multiple, index_return, 1.0))


def overlay_row(
    overlays: Sequence[Overlay],
    on: date,
    multiple: float,
    volatility: float = np.nan,
    index_return: float = np.nan,
) -> Floats:
    """The row of overlays that hold on ``on`` for a fund of that multiple.

    ``volatility`` and ``index_return`` are what state-dependent overlays see: the volatility index
    as a fraction and the index return of the session before; nan where nothing is known yet, and
    then they ask the rule's rate.  The row is as long as the overlays need, whatever the day.
    """
    long_rate, short_rate = 0.0, 0.0
    groups: list[float] = []
    for overlay in overlays:
        holds = applies(overlay, on, multiple)
        if isinstance(overlay, RateOverlay):
            if holds:
                sides = _rates(overlay, multiple)
                long_rate, short_rate = max(long_rate, sides[0]), max(short_rate, sides[1])
        elif not holds:
            groups += NEUTRAL
        elif isinstance(overlay, FactorOverlay):
            groups += _factor_group(overlay, on)
        else:
            factor = _factor_of_state(overlay, multiple, volatility, index_return)
            groups += (factor, 1.0, overlay.ceiling, overlay.ceiling)
    return np.array([long_rate, short_rate, *(groups or NEUTRAL)])


def applies(overlay: Overlay, on: date, multiple: float) -> bool:
    """Whether an overlay holds on that day for such a fund."""
    begun = overlay.effective is None or overlay.effective <= on
    ended = overlay.until is not None and overlay.until < on
    return begun and not ended and abs(multiple) > overlay.above_multiple


def _factor_group(overlay: FactorOverlay, on: date) -> tuple[float, float, float, float]:
    """A factor for either requirement, and its caps per side."""
    factor = _phased_factor(overlay, on)
    return (
        factor if overlay.applies_to in ("both", "maintenance") else 1.0,
        factor if overlay.applies_to in ("both", "initial") else 1.0,
        np.inf if overlay.long_cap is None else overlay.long_cap,
        np.inf if overlay.short_cap is None else overlay.short_cap,
    )


def _phased_factor(overlay: FactorOverlay, on: date) -> float:
    """The factor of a day: it grows by equal steps a weekday where a phase is given."""
    if overlay.full_from is None or overlay.effective is None or on >= overlay.full_from:
        return overlay.factor
    day = timedelta(days=1)
    steps = np.busday_count(overlay.effective, overlay.full_from + day)
    done = np.busday_count(overlay.effective, on + day)
    return float(1.0 + (overlay.factor - 1.0) * done / steps)


def _rates(overlay: RateOverlay, multiple: float) -> tuple[float, float]:
    """Long and short rate of an overlay; rates per turn stop at 1."""
    if not overlay.per_turn:
        return overlay.long_rate, overlay.short_rate
    turns = abs(multiple)
    return min(overlay.long_rate * turns, 1.0), min(overlay.short_rate * turns, 1.0)


def _factor_of_state(
    overlay: VolatilityOverlay | FlowOverlay,
    multiple: float,
    volatility: float,
    index_return: float,
) -> float:
    """The factor that the state of the market makes; 1 where that is not known."""
    state = volatility
    if isinstance(overlay, FlowOverlay):
        state = float(reset_trade_rate(multiple, index_return))
    return 1.0 if np.isnan(state) else float(state_factor(state, overlay.base, overlay.slope))
