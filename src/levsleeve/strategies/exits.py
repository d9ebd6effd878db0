"""Explicit exits of a sleeve, and how it may come back."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from levsleeve.compiled import hot_rule
from levsleeve.strategies.choices import Choice, Positive, Share
from levsleeve.strategies.sizing_rules import Filter

COOLED_OFF, NEXT_REBALANCE, NEVER = 0.0, 1.0, 2.0
"""When a sleeve comes back."""
REENTRIES = {"cool_off": COOLED_OFF, "rebalance": NEXT_REBALANCE, "never": NEVER}
NO_EXIT, BY_DRAWDOWN, BY_PROFIT, BY_TIME, BY_FILTER, BY_CALL, BY_HOUSE = range(7)
"""Why a sleeve is left; the first that holds counts."""


class Exits(Choice):
    """When the whole sleeve is sold, its hedge with it.

    ``max_drawdown`` is from the sleeve's highest worth since it was entered, ``take_profit`` its
    gain since then, ``max_days`` calendar days since then.  ``filter`` is a trend, momentum or
    volatility filter that is off, looked at each session.  ``on_margin_call`` follows any call of
    the account; ``max_house_rate`` a maintenance rate above it on a fund that is held.

    It comes back after ``cool_off_sessions``: at once, at the next session that sets weights anew
    (``reentry = "rebalance"``), or never; only while a filter that is named is on, and no rate is
    above the limit.
    """

    max_drawdown: Share | None = None
    take_profit: Positive | None = None
    max_days: Annotated[int, Field(ge=1, le=36_525)] | None = None
    filter: Filter | None = None
    on_margin_call: bool = False
    max_house_rate: Positive | None = None
    cool_off_sessions: Annotated[int, Field(ge=0, le=5040)] = 21
    reentry: Literal["cool_off", "rebalance", "never"] = "cool_off"

    @model_validator(mode="after")
    def _agrees(self) -> "Exits":
        """Something must lead out."""
        ways = (self.max_drawdown, self.take_profit, self.max_days, self.filter,
                self.max_house_rate)  # fmt: skip
        if not self.on_margin_call and all(way is None for way in ways):
            raise ValueError(
                "none is named; one of max_drawdown, take_profit, max_days, filter, "
                "on_margin_call, max_house_rate is right"
            )
        return self


@hot_rule
def exit_reason(  # noqa: PLR0911  (one answer for each way out)
    growth: float, peak: float, entry: float, days: float, filter_on: float, called: float,
    house_rate: float, max_drawdown: float, take_profit: float, max_days: float,
    on_call: float, max_house_rate: float,
) -> int:  # fmt: skip
    """Why a sleeve is left now, or ``NO_EXIT``.

    ``growth``, ``peak`` and ``entry`` are what a dollar in the sleeve became now, at most since it
    was entered, and then; limits that are infinite bind nothing.
    """
    if growth <= peak * (1.0 - max_drawdown):
        return BY_DRAWDOWN
    if growth >= entry * (1.0 + take_profit):
        return BY_PROFIT
    if days >= max_days:
        return BY_TIME
    if on_call != 0.0 and called != 0.0:
        return BY_CALL
    if house_rate > max_house_rate:
        return BY_HOUSE
    if filter_on == 0.0:
        return BY_FILTER
    return NO_EXIT


def exit_numbers(exits: Exits | None) -> tuple[float, ...]:
    """Drawdown, profit, days, on call, house rate, cool-off, re-entry; infinite: never."""
    if exits is None:
        return (math.inf, math.inf, math.inf, 0.0, math.inf, 0.0, COOLED_OFF)
    return (
        math.inf if exits.max_drawdown is None else exits.max_drawdown,
        math.inf if exits.take_profit is None else exits.take_profit,
        math.inf if exits.max_days is None else float(exits.max_days),
        float(exits.on_margin_call),
        math.inf if exits.max_house_rate is None else exits.max_house_rate,
        float(exits.cool_off_sessions),
        REENTRIES[exits.reentry],
    )
