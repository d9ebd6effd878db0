"""The vocabulary of sizing rules: tables of a study file, and objects of a strategy file.

A rule answers with the *scale* of a sleeve at each close: what its base weights are multiplied by.
A scale of 1 holds them, 0 holds nothing; caps, the reserve and stop-flight can only lower it.
"""

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from levsleeve.compiled import Floats
from levsleeve.strategies.branches import Branch, Seen, filtered, scaled
from levsleeve.strategies.choices import Choice, Fraction, NonNegative, Positive, Sessions
from levsleeve.strategies.series import (
    SESSIONS_A_YEAR,
    ewma_volatility,
    expanding_mean,
    levels,
    rolling_mean,
    rolling_return,
    rolling_variance,
    rolling_volatility,
    switched,
    trailing_return,
)

Of = Literal["benchmark", "holdings"]
FEWEST = 2
"""Returns that a variance needs."""


class SizingRule(Choice):
    """What every rule of the vocabulary can do."""

    @abstractmethod
    def branches(self, seen: Seen) -> list[Branch]:
        """The scale as the least of several branches, by session."""

    @property
    def longest(self) -> int:
        """Sessions that it must have seen before it answers."""
        return 0

    @property
    def needs_rates(self) -> bool:
        """Whether it looks at maintenance rates."""
        return False


class FixedFraction(SizingRule):
    """The base weights times ``fraction``, whatever happens."""

    rule: Literal["fixed_fraction"] = "fixed_fraction"
    fraction: NonNegative = 1.0

    def branches(self, seen: Seen) -> list[Branch]:
        """A constant."""
        return [scaled(np.full(seen.rows, self.fraction))]


class _OfVolatility(SizingRule):
    """What rules know that look at volatility: of what, and how it is estimated.

    ``of`` is the benchmark, times the exposure of the base weights, or the holdings themselves.
    With ``decay`` the estimate is exponentially weighted; else it spans ``window`` sessions.
    """

    of: Of = "benchmark"
    window: Sessions = 21
    decay: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None

    @property
    def longest(self) -> int:
        """The window, or one return."""
        return self.window if self.decay is None else 1

    def volatility(self, seen: Seen) -> Floats:
        """Of the base holdings a year, by session."""
        returns = seen.returns(self.of)
        if self.decay is None:
            found = rolling_volatility(returns, max(self.window, FEWEST))
        else:
            found = ewma_volatility(returns, self.decay)
        return found * seen.turns(self.of)


class VolatilityTarget(_OfVolatility):
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


class VolatilityManaged(_OfVolatility):
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
        """Inverse variance over its mean so far."""
        inverse = _ratio(1.0, self.volatility(seen) ** 2)
        return [scaled(_product(self.mean_scale * inverse, 1.0 / expanding_mean(inverse)))]


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
        return [scaled(np.where(np.isnan(best), best, np.maximum(self.kelly_fraction * best, 0.0)))]


class Cppi(SizingRule):
    """Index exposure of ``multiplier`` times the cushion above a floor that grows with bills.

    ``floor`` is a fraction of the equity at the start.  It is gap-safe only up to
    ``multiplier <= 1 / worst move of one session``: a greater gap breaks the floor.

    References
    ----------
    Black, F. and Perold, A. (1992), Journal of Economic Dynamics and Control 16(3-4).
    """

    rule: Literal["cppi"] = "cppi"
    multiplier: Positive = 3.0
    floor: Fraction = 0.8

    def branches(self, seen: Seen) -> list[Branch]:
        """A cushion above a path known ahead."""
        earned = seen.history.bills.copy()
        earned[: seen.history.first + 1] = 0.0
        floors = self.floor * levels(earned)
        return [Branch(np.ones(seen.rows), floors, np.nan, self.multiplier / seen.gross_turns)]


class Tipp(SizingRule):
    """Index exposure of ``multiplier`` times the cushion above a part of the highest equity.

    The floor, ``floor_frac`` of it, never falls, and from a cushion of 0 there is no way back.

    References
    ----------
    Estep, T. and Kritzman, M. (1988), Journal of Portfolio Management 14(4).
    """

    rule: Literal["tipp"] = "tipp"
    multiplier: Positive = 5.0
    floor_frac: Fraction = 0.8

    def branches(self, seen: Seen) -> list[Branch]:
        """A cushion below the peak."""
        scale = self.multiplier / seen.gross_turns
        return [Branch(np.ones(seen.rows), seen.unknown, self.floor_frac, scale)]


class GrossmanZhou(SizingRule):
    """Index exposure ``k (E - alpha M) / E``, with ``M`` the highest equity so far.

    In continuous trading the drawdown stays within ``1 - alpha``; ``k`` is the exposure of a
    cushion's dollar.

    References
    ----------
    Grossman, S. and Zhou, Z. (1993), Mathematical Finance 3(3).
    """

    rule: Literal["grossman_zhou"] = "grossman_zhou"
    alpha: Fraction = 0.75
    k: Positive = 3.0

    def branches(self, seen: Seen) -> list[Branch]:
        """A cushion below the peak."""
        return [Branch(np.ones(seen.rows), seen.unknown, self.alpha, self.k / seen.gross_turns)]


class MarginUtilization(SizingRule):
    """The scale at which maintenance margin is ``target`` of equity, at each session's rates."""

    rule: Literal["margin_utilization"] = "margin_utilization"
    target: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5

    @property
    def needs_rates(self) -> bool:
        """It does."""
        return True

    def branches(self, seen: Seen) -> list[Branch]:
        """Target over the requirement at a scale of 1."""
        return [scaled(_ratio(self.target, seen.requirements))]


class _Filter(SizingRule):
    """A rule that answers 1 or 0."""

    @abstractmethod
    def state(self, seen: Seen) -> Floats:
        """1.0 on and 0.0 off, by session."""

    def branches(self, seen: Seen) -> list[Branch]:
        """All or nothing."""
        return [scaled(self.state(seen))]


class Trend(_Filter):
    """On while the benchmark's total return stands above its moving average of ``window`` sessions.

    It switches on above the average times ``1 + enter`` and off at the average times ``1 - leave``.

    References
    ----------
    Faber, M. (2007), Journal of Wealth Management 9(4); Gayed, M. and Bilello, C. (2016), Leverage
    for the Long Run.
    """

    rule: Literal["trend"] = "trend"
    window: Sessions = 200
    enter: Fraction = 0.0
    leave: Fraction = 0.0

    @property
    def longest(self) -> int:
        """The window."""
        return self.window

    def state(self, seen: Seen) -> Floats:
        """Level against average."""
        worth = seen.history.worth
        average = rolling_mean(worth, self.window)
        return switched(worth, average * (1.0 + self.enter), average * (1.0 - self.leave))


class Momentum(_Filter):
    """On while the benchmark's return over ``window`` sessions is above that of bills.

    The last ``skip`` sessions do not count.

    References
    ----------
    Moskowitz, T., Ooi, Y. and Pedersen, L. (2012), Journal of Financial Economics 104(2).
    """

    rule: Literal["momentum"] = "momentum"
    window: Sessions = 252
    skip: Annotated[int, Field(ge=0, le=2520)] = 0

    @property
    def longest(self) -> int:
        """Window and skip."""
        return self.window + self.skip

    def state(self, seen: Seen) -> Floats:
        """Return of the benchmark against bills."""
        of_index = trailing_return(seen.history.worth, self.window, self.skip)
        of_bills = trailing_return(seen.history.worth_of_bills, self.window, self.skip)
        return switched(of_index, of_bills, of_bills)


class VolatilityFilter(_OfVolatility, _Filter):
    """On while volatility is below ``threshold``; off until it is below ``reentry`` again.

    Volatility is the benchmark's own, or that of the holdings (``of``), a fraction a year.
    """

    rule: Literal["vol_filter"] = "vol_filter"
    threshold: Positive = 0.20
    reentry: Positive | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "VolatilityFilter":
        """Coming back must not be easier than staying."""
        if self.reentry is not None and self.reentry > self.threshold:
            raise ValueError(
                f"reentry: {self.reentry:g} is above threshold {self.threshold:g}; at most the "
                "threshold is right"
            )
        return self

    def state(self, seen: Seen) -> Floats:
        """Volatility against the thresholds; the signs turn below into above."""
        calm = -self.volatility(seen) / seen.turns(self.of)
        back = self.threshold if self.reentry is None else self.reentry
        every = np.ones(seen.rows)
        return switched(calm, -back * every, -self.threshold * every)


class VolatilityLadder(_OfVolatility):
    """Index exposure by the benchmark's volatility: ``exposures[i]`` below ``thresholds[i]``.

    There is one exposure more than thresholds: the last holds above all of them.
    """

    rule: Literal["vol_ladder"] = "vol_ladder"
    thresholds: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)] = (
        0.15, 0.25, 0.35,
    )  # fmt: skip
    exposures: Annotated[tuple[NonNegative, ...], Field(strict=False)] = (3.0, 2.0, 1.0, 0.0)

    @model_validator(mode="after")
    def _ordered(self) -> "VolatilityLadder":
        """Thresholds rise and exposures fall."""
        thresholds, exposures = list(self.thresholds), list(self.exposures)
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
        volatility = self.volatility(seen) / seen.turns(self.of)
        rungs = np.searchsorted(np.array(self.thresholds), volatility, side="right")
        exposure = np.array(self.exposures)[np.minimum(rungs, len(self.exposures) - 1)]
        return [scaled(np.where(np.isnan(volatility), np.nan, exposure / seen.gross_turns))]


class Product(SizingRule):
    """The scales of several rules multiplied: filters on a target.  One may read the account."""

    rule: Literal["product"] = "product"
    rules: Annotated[tuple["Sizing", ...], Field(min_length=2, strict=False)]

    @property
    def longest(self) -> int:
        """The longest of all."""
        return max(rule.longest for rule in self.rules)

    @property
    def needs_rates(self) -> bool:
        """Whether any of them does."""
        return any(rule.needs_rates for rule in self.rules)

    def branches(self, seen: Seen) -> list[Branch]:
        """Every branch of one with every branch of the others."""
        found = [scaled(np.ones(seen.rows))]
        for rule in self.rules:
            more = rule.branches(seen)
            found = [filtered(one, other) for one in found for other in more]
        return found


class MostCautious(SizingRule):
    """The least of the scales of several rules."""

    rule: Literal["most_cautious"] = "most_cautious"
    rules: Annotated[tuple["Sizing", ...], Field(min_length=2, strict=False)]

    @property
    def longest(self) -> int:
        """The longest of all."""
        return max(rule.longest for rule in self.rules)

    @property
    def needs_rates(self) -> bool:
        """Whether any of them does."""
        return any(rule.needs_rates for rule in self.rules)

    def branches(self, seen: Seen) -> list[Branch]:
        """All branches."""
        return [branch for rule in self.rules for branch in rule.branches(seen)]


Filter = Annotated[Trend | Momentum | VolatilityFilter, Field(discriminator="rule")]
Sizing = Annotated[
    FixedFraction
    | VolatilityTarget
    | VolatilityManaged
    | Kelly
    | Cppi
    | Tipp
    | GrossmanZhou
    | MarginUtilization
    | Trend
    | Momentum
    | VolatilityFilter
    | VolatilityLadder
    | Product
    | MostCautious,
    Field(discriminator="rule"),
]
Product.model_rebuild()
MostCautious.model_rebuild()


def _ratio(above: float, below: Floats) -> Floats:
    """Their ratio; infinite where there is nothing below, so that the caps decide."""
    with np.errstate(divide="ignore"):
        return above / below


def _product(one: Floats, other: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return one * other
