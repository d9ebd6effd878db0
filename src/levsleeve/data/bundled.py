"""Real prices without a network: the data sets that ship inside the package ``arch``.

``SP500`` is the index itself with a modelled dividend, ``VIX`` its implied volatility for
2014-2018, ``BILL`` the one-month Treasury bill rate.  They enter the store through the same
writer as a vendor's prices.
"""

import hashlib
import tomllib
import warnings
from collections.abc import Callable
from importlib.metadata import version
from importlib.resources import files

import numpy as np
import pandas as pd

from levsleeve.compiled import Floats
from levsleeve.data.prices import COLUMNS, PriceTable, Provenance, as_sessions
from levsleeve.data.store import Store
from levsleeve.errors import DataError
from levsleeve.pricing.daily_reset import DAYS_PER_YEAR

PERCENT = 100.0
DECIMALS = 9
"""Of a modelled dividend in dollars, so that every platform has the same rows."""

IMPORT_VERSION = "1"
"""Raised when the import itself changes, so that stores made before are renewed."""

NOTES = {
    "SP500": (
        "price index; the dividend is modelled: it accrues over calendar days at the yearly "
        "yield of the S&P 500 (dividend_yields.toml)"
    ),
    "VIX": "closes where the package has one",
    "BILL": (
        "simple annual rate on 365 days of the one-month bill, from Kenneth French's monthly RF, "
        "known at the start of its month; a month after the last reuses its annual rate"
    ),
}
_DATASETS = {"SP500": "sp500", "VIX": "vix", "BILL": "frenchdata"}
_YIELDS = files("levsleeve.data").joinpath("dividend_yields.toml")


def ensure_bundled(store: Store) -> tuple[str, ...]:
    """Import what the store lacks, or holds from another version; the names imported."""
    needed = tuple(symbol for symbol in _DATASETS if not _is_current(store, symbol))
    for symbol in needed:
        _WRITERS[symbol](store)
    return needed


def import_bundled(store: Store) -> tuple[str, ...]:
    """Import every bundled symbol anew; the names imported."""
    for write in _WRITERS.values():
        write(store)
    return tuple(_WRITERS)


def dividend_yields() -> "pd.Series[float]":
    """Yield of the S&P 500 by year, as a fraction, continuously compounded."""
    table = tomllib.loads(_YIELDS.read_text(encoding="utf-8"))["percent"]
    return pd.Series({int(year): float(rate) / PERCENT for year, rate in table.items()})


def modelled_dividends(close: "pd.Series[float]") -> "pd.Series[float]":
    """Dollars per session that lift each year's log return by that year's yield.

    ``close * (exp(yield * days / 365) - 1)`` for the calendar days since the last session; 0 on
    the first session.

    Raises
    ------
    DataError
        If the table of yields lacks a year.
    """
    sessions = pd.DatetimeIndex(close.index)
    table = dividend_yields()
    lacking = sorted(set(sessions.year) - set(table.index))
    if lacking:
        raise DataError(
            f"dividend yields: none for {', '.join(map(str, lacking))}; "
            f"the table covers {table.index[0]} to {table.index[-1]}"
        )
    rates = table.loc[sessions.year].to_numpy(dtype=np.float64)
    accrued = np.expm1(rates * calendar_days(sessions) / DAYS_PER_YEAR)
    return (close * accrued).round(DECIMALS)


def calendar_days(sessions: pd.DatetimeIndex) -> Floats:
    """Days since the previous session; 0 for the first."""
    gaps = np.diff(sessions.to_numpy()) / np.timedelta64(1, "D")
    return np.concatenate([[0.0], gaps])


def monthly_bill_rates(percent_a_month: "pd.Series[float]") -> "pd.Series[float]":
    """Simple annual rates on 365 days, by month, from percent earned within each month."""
    months = pd.PeriodIndex(percent_a_month.index)
    rates = percent_a_month.to_numpy() / PERCENT * DAYS_PER_YEAR / months.days_in_month.to_numpy()
    return pd.Series(rates, index=months)


def rebuilt_months(stamps: pd.DatetimeIndex) -> pd.PeriodIndex:
    """The months that ``arch`` meant: it reads 201811 as that many nanoseconds of 1970."""
    return pd.PeriodIndex([str(stamp.as_unit("ns").value) for stamp in stamps], freq="M")


def _write_index(store: Store) -> None:
    raw = _load("sp500")
    frame = pd.DataFrame(
        {name: raw[name.capitalize()].astype("float64") for name in COLUMNS[:5]},
    )
    frame.index = as_sessions(pd.DatetimeIndex(raw.index))
    frame["dividend"] = modelled_dividends(frame["close"])
    frame["split"] = 1.0
    store.write_prices(PriceTable("SP500", "index", frame, _provenance("SP500")))


def _write_volatility(store: Store) -> None:
    closes = _load("vix")["vix"].dropna()
    closes.index = as_sessions(pd.DatetimeIndex(closes.index))
    store.write_series("VIX", closes, _provenance("VIX"))


def _write_bill(store: Store) -> None:
    raw = _load("frenchdata")["RF"]
    raw.index = rebuilt_months(pd.DatetimeIndex(raw.index))
    sessions = as_sessions(pd.DatetimeIndex(_load("sp500").index))
    months = sessions.to_period("M")
    rates = monthly_bill_rates(raw).reindex(months.unique(), method="ffill", limit=1)
    bill = pd.Series(rates.loc[months].to_numpy(), index=sessions)
    store.write_series("BILL", bill, _provenance("BILL"))


_WRITERS: dict[str, Callable[[Store], None]] = {
    "SP500": _write_index,
    "VIX": _write_volatility,
    "BILL": _write_bill,
}


def _load(dataset: str) -> pd.DataFrame:
    """A data set of ``arch``, imported only here: it takes seconds and warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from arch.data import frenchdata, sp500, vix

        loaders = {"sp500": sp500.load, "vix": vix.load, "frenchdata": frenchdata.load}
        frame: pd.DataFrame = loaders[dataset]()
    return frame


def _provenance(symbol: str) -> Provenance:
    """The same on every machine with the same package, so that the files are equal too."""
    package = f"arch {version('arch')}"
    request = f"{package}, data set {_DATASETS[symbol]}, import {IMPORT_VERSION}"
    if symbol == "SP500":
        request += f", yields {hashlib.sha256(_YIELDS.read_bytes()).hexdigest()[:8]}"
    return Provenance("arch", package, request, notes=NOTES[symbol])


def _is_current(store: Store, symbol: str) -> bool:
    """Whether the store holds what this import would write; damaged counts as absent."""
    if symbol not in store:
        return False
    try:
        stored = store.provenance(symbol)
    except DataError:
        return False
    return stored.request == _provenance(symbol).request
