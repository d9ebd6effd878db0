"""Sizing rules that aim at a number: a fraction, a volatility, the greatest growth, utilization."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from levsleeve.compiled import Floats
from levsleeve.strategies.branches import Branch, Seen, scaled
from levsleeve.strategies.choices import NonNegative, Positive, Sessions
from levsleeve.strategies.series import (
    SESSIONS_A_YEAR,
    expanding_mean,
    rolling_return,
    rolling_variance,
)
from levsleeve.strategies.sizing_base import FEWEST, Of, OfVolatility, SizingRule


class FixedFraction(SizingRule):
    """The base weights times ``fraction``, whatever happens."""

    rule: Literal["fixed_fraction"] = "fixed_fraction"
    fraction: NonNegative = 1.0

    def branches(self, seen: Seen) -> list[Branch]:
        """A constant."""
        return [scaled(np.full(seen.rows, self.fraction))]


class VolatilityTarget(OfVolatility):
    """The scale at which the holdings have the volatility ``target_vol``, a fraction a year.

    References
    ----------
    S&P Dow Jones Indices, Index Mathematics Methodology, risk control indices.
    """

    rule: Literal["vol_target"] = "vol_target"
    target_vol: Positive = 0.15

    def branches(self, seen: Seen) -> list[Branch]:
        """Target over estimate."""
        return [scaled(_ratio(self.target_vol, self.volatility(seen)))]


class VolatilityManaged(OfVolatility):
    """The scale in proportion to the inverse of the variance, ``mean_scale`` on average so far.

    The constant of proportion is known at each close: it expands, never the full sample's.

    References
    ----------
    Moreira, A. and Muir, T. (2017), Journal of Finance 72(4); on its weakness out of sample,
    Cederburg, S. and others (2020), Journal of Financial Economics 138(1).
    """

    rule: Literal["vol_managed"] = "vol_managed"
    mean_scale: Positive = 1.0

    def branches(self, seen: Seen) -> list[Branch]:
        """Inverse variance over its mean so far; sessions without variance do not count in that."""
        inverse = _ratio(1.0, self.volatility(seen) ** 2)
        calm = np.isinf(inverse)
        mean = expanding_mean(np.where(calm, np.nan, inverse))
        return [scaled(np.where(calm, np.inf, self.mean_scale * inverse / mean))]


class Kelly(SizingRule):
    """``kelly_fraction`` of the scale of greatest growth, after the costs of the funds.

    ``w* = (B (mu - rf) - costs) / (B**2 sigma**2)`` for base weights of index exposure ``B``, from
    up to ``window`` returns of the benchmark and no fewer than ``min_window``; ``of`` the holdings,
    their own mean excess over its variance, costs included in it.  Never below 0.

    References
    ----------
    Kelly, J. (1956), Bell System Technical Journal 35(4); Thorp, E. (2006), The Kelly criterion.
    """

    rule: Literal["kelly"] = "kelly"
    kelly_fraction: Positive = 0.25
    window: Sessions = 756
    min_window: Sessions = 252
    of: Of = "benchmark"

    @model_validator(mode="after")
    def _ordered(self) -> "Kelly":
        """The fewest returns may not be more than the window holds."""
        if self.min_window > self.window or self.min_window < FEWEST:
            raise ValueError(
                f"min_window: {self.min_window} with a window of {self.window}; from 2 up to the "
                "window is right"
            )
        return self

    @property
    def longest(self) -> int:
        """The fewest returns."""
        return self.min_window

    def branches(self, seen: Seen) -> list[Branch]:
        """Mean excess over variance."""
        returns, base = seen.returns(self.of), seen.base
        of_index = self.of == "benchmark"
        turns = base.exposure if of_index else 1.0
        funded = 1.0 if of_index else float(base.weights.sum())
        seen.turns(self.of)  # refuses an exposure of 0
        free = returns - funded * seen.history.bills
        excess = rolling_return(free, self.window, self.min_window) * SESSIONS_A_YEAR
        variance = rolling_variance(returns, self.window, self.min_window) * SESSIONS_A_YEAR
        cost = base.cost_rate if of_index else 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            best = (turns * excess - cost) / (turns * turns * variance)
        best = np.where(np.isnan(best) & (variance == 0.0), 0.0, best)  # neither gain nor risk
        return [scaled(np.where(np.isnan(best), best, np.maximum(self.kelly_fraction * best, 0.0)))]


class MarginUtilization(SizingRule):
    """The scale at which the account's maintenance margin is ``target`` of equity.

    Each session's rates count, and the margin of a core.
    """

    rule: Literal["margin_utilization"] = "margin_utilization"
    target: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5

    @property
    def needs_rates(self) -> bool:
        """It does."""
        return True

    def branches(self, seen: Seen) -> list[Branch]:
        """Target over the requirement at a scale of 1."""
        left = np.maximum(self.target - seen.core_requirement, 0.0)
        return [scaled(_ratio(left, seen.requirements))]


class VolatilityLadder(OfVolatility):
    """Index exposure by the benchmark's volatility: ``exposures[i]`` below ``thresholds[i]``.

    There is one exposure more than thresholds: the last holds above all of them.
    """

    rule: Literal["vol_ladder"] = "vol_ladder"
    thresholds: Annotated[tuple[Positive, ...], Field(strict=False)] = (
        0.15, 0.25, 0.35,
    )  # fmt: skip
    exposures: Annotated[tuple[NonNegative, ...], Field(strict=False)] = (3.0, 2.0, 1.0, 0.0)

    @model_validator(mode="after")
    def _ordered(self) -> "VolatilityLadder":
        """Thresholds rise and exposures fall."""
        thresholds, exposures = list(self.thresholds), list(self.exposures)
        if not thresholds:
            raise ValueError("thresholds: none is given; one or more are right")
        if thresholds != sorted(set(thresholds)):
            raise ValueError(f"thresholds: {thresholds} do not rise; rising numbers are right")
        if len(exposures) != len(thresholds) + 1:
            raise ValueError(
                f"exposures: {len(exposures)} for {len(thresholds)} thresholds; one more than "
                "thresholds is right"
            )
        if exposures != sorted(exposures, reverse=True):
            raise ValueError(f"exposures: {exposures} do not fall; falling numbers are right")
        return self

    def branches(self, seen: Seen) -> list[Branch]:
        """The rung of each session."""
        volatility = self.estimate(seen)
        rungs = np.searchsorted(np.array(self.thresholds), volatility, side="right")
        exposure = np.array(self.exposures)[np.minimum(rungs, len(self.exposures) - 1)]
        return [scaled(np.where(np.isnan(volatility), np.nan, exposure / seen.gross_turns))]


def _ratio(above: Floats | float, below: Floats) -> Floats:
    """Their ratio; infinite where there is nothing below, so that the caps decide."""
    with np.errstate(divide="ignore"):
        return above / below
