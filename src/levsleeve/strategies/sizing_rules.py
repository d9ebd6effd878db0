"""The vocabulary of sizing rules: tables of a study file, and objects of a strategy file.

A rule answers with the *scale* of a sleeve at each close: what its base weights are multiplied by.
A scale of 1 holds them, 0 holds nothing; caps, the reserve and stop-flight can only lower it.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from levsleeve.strategies.branches import Branch, Seen, filtered, scaled
from levsleeve.strategies.sizing_base import SizingRule
from levsleeve.strategies.sizing_filters import Momentum, Trend, VolatilityFilter
from levsleeve.strategies.sizing_floors import Cppi, GrossmanZhou, Tipp
from levsleeve.strategies.sizing_targets import (
    FixedFraction,
    Kelly,
    MarginUtilization,
    VolatilityLadder,
    VolatilityManaged,
    VolatilityTarget,
)

__all__ = [
    "AnySizing",
    "Cppi",
    "Filter",
    "FixedFraction",
    "GrossmanZhou",
    "Kelly",
    "MarginUtilization",
    "Momentum",
    "MostCautious",
    "Product",
    "Sizing",
    "SizingRule",
    "Tipp",
    "Trend",
    "VolatilityFilter",
    "VolatilityLadder",
    "VolatilityManaged",
    "VolatilityTarget",
]


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
AnySizing = (
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
    | MostCautious
)
Sizing = Annotated[AnySizing, Field(discriminator="rule")]
Product.model_rebuild()
MostCautious.model_rebuild()
