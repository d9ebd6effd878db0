"""What every sizing rule can do, and those that look at volatility know."""

from abc import abstractmethod
from typing import Annotated, Literal

from pydantic import Field, model_validator

from levsleeve.compiled import Floats
from levsleeve.strategies.branches import Branch, Seen
from levsleeve.strategies.choices import Choice, Sessions
from levsleeve.strategies.series import ewma_volatility, rolling_volatility

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


class OfVolatility(SizingRule):
    """What rules know that look at volatility: of what, and how it is estimated.

    ``of`` is the benchmark, times the exposure of the base weights, or the holdings themselves.
    With ``decay`` the estimate is exponentially weighted; else it spans ``window`` sessions.
    """

    of: Of = "benchmark"
    window: Sessions = 21
    decay: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None

    @model_validator(mode="after")
    def _one_estimate(self) -> "OfVolatility":
        """Weights that decay have no window."""
        if self.decay is not None and "window" in self.model_fields_set:
            raise ValueError(
                f"decay: {self.decay:g} with a window of {self.window}; one of the two is right"
            )
        return self

    @property
    def longest(self) -> int:
        """The window, or one return."""
        return max(self.window, FEWEST) if self.decay is None else 1

    def estimate(self, seen: Seen) -> Floats:
        """Volatility of the benchmark, or of the holdings, a year, by session."""
        returns = seen.returns(self.of)
        if self.decay is None:
            return rolling_volatility(returns, max(self.window, FEWEST))
        return ewma_volatility(returns, self.decay)

    def volatility(self, seen: Seen) -> Floats:
        """Of the base holdings a year, by session."""
        return self.estimate(seen) * seen.turns(self.of)
