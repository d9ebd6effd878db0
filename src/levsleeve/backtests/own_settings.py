"""What a script says to the margin broker beside its account, checked before the run."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from levsleeve.errors import StudyError


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """The parameters of ``MarginBroker`` by their names."""

    funds: Mapping[str, object]
    benchmark_rate: "float | pd.Series[float]"
    volatility: "float | pd.Series[float] | None"
    rules_as_of: date | None
    slots: tuple[str, ...]

    def refuse_missing(self, feeds: Collection[str]) -> None:
        """Every fund that is named needs a feed.

        Raises
        ------
        StudyError
            Naming the fund.
        """
        for name in self.funds:
            if name not in feeds:
                raise StudyError(
                    f"funds: no feed is named {name}; cerebro.adddata(feed, name={name!r}) is right"
                )


def own_settings(parameters: Any) -> OwnSettings:
    """The settings among the parameters of a broker.

    Raises
    ------
    StudyError
        Naming a parameter of the wrong kind.
    """
    funds, slots, on = parameters.funds, parameters.slots, parameters.rules_as_of
    if not isinstance(funds, Mapping | None):
        raise StudyError(f"funds: {funds!r}; a mapping such as {{'ACME': 1.0}} is right")
    if isinstance(slots, str) or not isinstance(slots, list | tuple):
        raise StudyError(f"slots: {slots!r}; names such as ('UPRO:put',) are right")
    if not (on is None or type(on) is date):
        raise StudyError(f"rules_as_of: {on!r}; a date such as date(2010, 4, 30) is right")
    for name in ("benchmark_rate", "volatility"):
        _refuse_no_number(name, getattr(parameters, name), optional=name == "volatility")
    return OwnSettings(
        funds=dict(funds or {}),
        benchmark_rate=parameters.benchmark_rate,
        volatility=parameters.volatility,
        rules_as_of=on,
        slots=tuple(slots),
    )


def _refuse_no_number(name: str, given: object, *, optional: bool) -> None:
    """A rate is a number, or a series of numbers by date."""
    if isinstance(given, pd.Series):
        dated = isinstance(given.index, pd.DatetimeIndex) and not given.index.has_duplicates
        if not (dated and pd.api.types.is_numeric_dtype(given)):
            raise StudyError(f"{name}: a series of numbers by date, each date once, is right")
    elif not (optional and given is None) and (
        isinstance(given, bool) or not isinstance(given, int | float)
    ):
        raise StudyError(f"{name}: {given!r}; a fraction, or a series of them by date, is right")


def checked_cash(cash: object) -> float:
    """Dollars to start with.

    Raises
    ------
    StudyError
        If they are not above zero.
    """
    known = isinstance(cash, int | float) and not isinstance(cash, bool)
    if not (known and 0.0 < float(str(cash)) < float("inf")):
        raise StudyError(f"cash: {cash!r}; dollars above 0 are right")
    return float(str(cash))
