"""The switches of the rulebook: where sources leave a choice, or a broker asks more than the rule.

Each switch has a default; a study, a broker profile or an account snapshot may set it otherwise.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from levsleeve.strict_table import StrictTable

Fraction = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Dollars = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class _Overlay(StrictTable):
    """What every house overlay may say: since when, until when, and for which funds.

    It holds from ``effective`` up to and including ``until``, for funds whose multiple exceeds
    ``above_multiple`` in magnitude.
    """

    effective: date | None = None
    until: date | None = None
    above_multiple: Rate = 0.0
    source: str = ""
    standing: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> "_Overlay":
        """An overlay may not end before it begins."""
        if self.effective and self.until and self.until < self.effective:
            raise ValueError(
                f"until: {self.until} is before effective {self.effective}; a later date is right"
            )
        return self


class FactorOverlay(_Overlay):
    """Multiplies the rule's rates after their cap; a cap left out bounds nothing.

    ``applies_to`` names the requirement; with ``full_from`` the factor grows from 1 by equal steps,
    one a weekday, from ``effective`` to that date.
    """

    kind: Literal["factor"] = "factor"
    factor: Positive
    long_cap: Positive | None = 1.0
    short_cap: Positive | None = None
    applies_to: Literal["both", "maintenance", "initial"] = "both"
    full_from: date | None = None

    @model_validator(mode="after")
    def _phased(self) -> "FactorOverlay":
        """A phase needs its first day, and an end after it."""
        if self.full_from and not (self.effective and self.effective <= self.full_from):
            since = f"before effective {self.effective}" if self.effective else "without effective"
            raise ValueError(
                f"full_from: {self.full_from} {since}; an effective date not after it is right"
            )
        return self


class RateOverlay(_Overlay):
    """Fractions of market value per side; ``per_turn`` multiplies them by the fund's multiple.

    Rates per turn stop at 1; flat ones may exceed it on the short side.
    """

    kind: Literal["rate"] = "rate"
    long_rate: Rate = 0.0
    short_rate: Rate = 0.0
    per_turn: bool = False


class VolatilityOverlay(_Overlay):
    """Raises the rule's rate with the volatility index (a fraction) of the previous close."""

    kind: Literal["volatility"] = "volatility"
    base: Positive
    slope: Rate
    ceiling: Positive


class FlowOverlay(_Overlay):
    """Raises the rule's rate with the fund's own reset trade of the previous session.

    ``base`` and the trade are fractions of the fund's assets.
    """

    kind: Literal["flow"] = "flow"
    base: Positive
    slope: Rate
    ceiling: Positive


Overlay = Annotated[
    FactorOverlay | RateOverlay | VolatilityOverlay | FlowOverlay, Field(discriminator="kind")
]


class Policy(StrictTable):
    """The switches, defaults first.

    ``flat_rate`` replaces maintenance and initial margin of shares on both sides, to compare with
    other engines; ``buffer_rate``, ``free_rate`` and ``order_fee_usd`` keep head-room when an order
    is sized: the most that is opened uses ``available x (1 - buffer) x (1 - free) - fee``.
    ``margin_mode`` ``cash`` lends nothing and sells nothing short.
    """

    short_floor: Literal["unscaled", "scaled"] = "unscaled"
    order_initial: Literal["regt", "broker"] = "regt"
    end_of_day_initial: Literal["finra", "ibkr_legacy"] = "finra"
    hedge_relief: Literal["none", "finra"] = "none"
    option_loan_value: Literal["none", "finra"] = "none"
    option_minimum: Literal["scaled", "unscaled"] = "scaled"
    collar_rate: Literal["scaled", "unscaled"] = "scaled"
    margin_mode: Literal["strategy", "portfolio", "cash"] = "strategy"
    flat_rate: Positive | None = None
    minimum_equity_usd: Dollars | None = None
    buffer_rate: Fraction = 0.0
    free_rate: Fraction = 0.0
    order_fee_usd: Dollars = 0.0
    house: Overlay | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The switches that were set, overlays as the tables they were checked as."""
        return {name: getattr(self, name) for name in self.model_fields_set}

    @field_validator("flat_rate", "house", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        """The word ``none`` is the default, as of every other switch."""
        return None if value == "none" else value

    @model_validator(mode="after")
    def _agrees(self) -> "Policy":
        """Switches that contradict each other are refused by name."""
        if self.flat_rate is not None and self.house is not None:
            raise ValueError(
                f"flat_rate: {self.flat_rate:g} replaces the rulebook that house overlays; "
                "one of the two is right"
            )
        if self.margin_mode != "strategy":
            self._agrees_with_mode()
        return self

    def _agrees_with_mode(self) -> None:
        """Portfolio margin and a cash account know no rule of strategy margin."""
        known = {"house"} if self.margin_mode == "portfolio" else set()
        for switch, off in (
            ("flat_rate", None), ("hedge_relief", "none"), ("option_loan_value", "none"),
            ("end_of_day_initial", "finra"), ("house", None),
        ):  # fmt: skip
            chosen = getattr(self, switch)
            if chosen != off and switch not in known:
                words = "an overlay" if isinstance(chosen, _Overlay) else chosen
                raise ValueError(
                    f"{switch}: {words} contradicts margin_mode {self.margin_mode}, "
                    "which knows no such rule; margin_mode strategy is right"
                )
