"""Sizing rules that answer all or nothing: trend, momentum, volatility."""

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from levsleeve.compiled import Floats
from levsleeve.strategies.branches import Branch, Seen, scaled
from levsleeve.strategies.choices import Fraction, Positive, Sessions
from levsleeve.strategies.series import rolling_mean, switched, trailing_return
from levsleeve.strategies.sizing_base import OfVolatility, SizingRule


class FilterRule(SizingRule):
    """A rule that answers 1 or 0."""

    @abstractmethod
    def state(self, seen: Seen) -> Floats:
        """1.0 on and 0.0 off, by session."""

    def branches(self, seen: Seen) -> list[Branch]:
        """All or nothing."""
        return [scaled(self.state(seen))]


class Trend(FilterRule):
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
        """All of the window but the decision's own close."""
        return self.window - 1

    def state(self, seen: Seen) -> Floats:
        """Level against average."""
        worth = seen.history.worth
        average = rolling_mean(worth, self.window)
        return switched(worth, average * (1.0 + self.enter), average * (1.0 - self.leave))


class Momentum(FilterRule):
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


class VolatilityFilter(OfVolatility, FilterRule):
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
        calm = -self.estimate(seen)
        back = self.threshold if self.reentry is None else self.reentry
        every = np.ones(seen.rows)
        return switched(calm, -back * every, -self.threshold * every)
