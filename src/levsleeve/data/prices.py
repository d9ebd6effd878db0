"""A price table, the checks that a table passes before anything trusts it, and its identity."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from levsleeve.errors import DataError

PRICES = ("open", "high", "low", "close")
COLUMNS = (*PRICES, "volume", "dividend", "split")
Kind = Literal["as_traded", "index", "total_return_only"]
Mask = NDArray[np.bool_]

ROUNDING = 1e-6
"""Relative error that a vendor's rounding may leave between a high and a close."""

SAME_PRICE = 1e-9
"""Relative distance within which an open counts as a copy of the previous close."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where rows came from.

    ``retrieved`` is an ISO time, or the version of the package that the rows shipped in.
    ``rows_sha256`` is the store's to fill in; ``notes`` says what in the rows is modelled.
    """

    vendor: str
    retrieved: str
    request: str
    rows_sha256: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PriceTable:
    """Daily prices of one symbol with its dividends and splits, checked when built.

    ``frame`` has one row a session (index ``session``: midnight, no time zone, microseconds) and
    the columns of ``COLUMNS``: dollars per share as traded that day, ``dividend`` in dollars per
    share on its ex-date, ``split`` in new shares per old (1 when none).

    ``kind`` is ``as_traded`` (a share one could hold), ``index`` (a level) or
    ``total_return_only`` (adjusted closes, useless for any rule per share).
    """

    symbol: str
    kind: Kind
    frame: pd.DataFrame
    provenance: Provenance

    def __post_init__(self) -> None:
        check_prices(self.symbol, self.frame)

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """The sessions that the table covers, ascending."""
        return pd.DatetimeIndex(self.frame.index)

    @property
    def close(self) -> "pd.Series[float]":
        """Closes in dollars per share of the day."""
        return self.frame["close"]

    def total_returns(self) -> "pd.Series[float]":
        """Simple return of each session with the dividend kept; 0 on the first."""
        worth = (self.frame["close"] + self.frame["dividend"]) * self.frame["split"]
        returns = worth / self.frame["close"].shift(1) - 1.0
        returns.iloc[0] = 0.0
        return returns.rename("total_return")


def as_sessions(stamps: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The same dates in the resolution and under the name that every table here uses."""
    return stamps.as_unit("us").rename("session")


def rows_sha256(frame: pd.DataFrame) -> str:
    """Hash of the sessions and the numbers of a frame of floats, whatever file holds them."""
    digest = hashlib.sha256()
    sessions = pd.DatetimeIndex(frame.index).as_unit("us").to_numpy().astype("<i8")
    digest.update(sessions.tobytes())
    for name in frame.columns:
        digest.update(str(name).encode() + b"\0")
        digest.update(frame[name].to_numpy().astype("<f8").tobytes())
    return digest.hexdigest()


def copied_open_share(frame: pd.DataFrame) -> "pd.Series[float]":
    """Share of each year's sessions whose open merely repeats the previous close.

    An order filled at such an open is filled at the close that it was decided on.
    """
    previous = frame["close"].shift(1) / frame["split"]
    copied = (frame["open"] - previous).abs() <= SAME_PRICE * previous
    years = pd.DatetimeIndex(frame.index).year.rename("year")
    return copied.astype("float64").groupby(years).mean().rename("copied_open_share")


def _whole(frame: pd.DataFrame, *, wrong: bool) -> Mask:
    """One verdict for every row, for what is wrong with the index as a whole."""
    return np.full(len(frame), wrong)


def _stamps(frame: pd.DataFrame) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(frame.index)


def _not_midnight(frame: pd.DataFrame) -> Mask:
    stamps = _stamps(frame)
    return np.asarray(stamps != stamps.normalize())


def _not_ascending(frame: pd.DataFrame) -> Mask:
    stamps = _stamps(frame)
    return np.asarray([False, *(stamps[1:] < stamps[:-1])])


def _range_misses(frame: pd.DataFrame) -> Mask:
    slack = ROUNDING * frame["close"]
    top = frame[["open", "close"]].max(axis=1) - slack
    bottom = frame[["open", "close"]].min(axis=1) + slack
    return ((frame["high"] < top) | (frame["low"] > bottom)).to_numpy()


Check = tuple[str, str, Callable[[pd.DataFrame], Mask]]

_INDEX_CHECKS: tuple[Check, ...] = (
    (
        "the index has a time zone",
        "sessions are dates without one",
        lambda p: _whole(p, wrong=_stamps(p).tz is not None),
    ),
    ("a session is not a date", "every row needs one", lambda p: np.asarray(p.index.isna())),
    ("a session is not midnight", "sessions are dates without a time", _not_midnight),
    ("a session is out of order", "sessions ascend", _not_ascending),
    (
        "a session appears twice",
        "one row a session is right",
        lambda p: np.asarray(p.index.duplicated()),
    ),
    (
        "the index is not in microseconds",
        "datetime64[us] is right",
        lambda p: _whole(p, wrong=_stamps(p).unit != "us"),
    ),
)

_ROW_CHECKS: tuple[Check, ...] = (
    (
        "a number is missing",
        f"every session needs {', '.join(COLUMNS)}",
        lambda p: p[list(COLUMNS)].isna().any(axis=1).to_numpy(),
    ),
    (
        "a number is infinite",
        "every number is finite",
        lambda p: np.isinf(p[list(COLUMNS)].to_numpy()).any(axis=1),
    ),
    (
        "the close is not positive",
        "a fund worth nothing has no rows from that session on",
        lambda p: (p["close"] <= 0.0).to_numpy(),
    ),
    (
        "a price is negative",
        "an open, high or low is 0 or more",
        lambda p: (p[list(PRICES)] < 0.0).any(axis=1).to_numpy(),
    ),
    (
        "high is below low",
        "the high is the larger",
        lambda p: (p["high"] < p["low"]).to_numpy(),
    ),
    (
        "the open or close lies outside low to high",
        "the range contains both",
        _range_misses,
    ),
    (
        "a dividend is negative",
        "dividends are 0 or more, in dollars per share",
        lambda p: (p["dividend"] < 0.0).to_numpy(),
    ),
    (
        "a split is not positive",
        "new shares per old, 1 when there is none",
        lambda p: (p["split"] <= 0.0).to_numpy(),
    ),
    (
        "the volume is negative",
        "0 or more is right",
        lambda p: (p["volume"] < 0.0).to_numpy(),
    ),
)


def check_prices(symbol: str, frame: pd.DataFrame) -> None:
    """Refuse a frame that breaks the contract of a price table, at its first broken row.

    Raises
    ------
    DataError
        Naming the problem, the number of sessions, the first of them and what would be right.
    """
    if not isinstance(frame.index, pd.DatetimeIndex) or frame.index.name != "session":
        raise DataError(
            f"{symbol}: the index is {type(frame.index).__name__} {frame.index.name!r}; "
            "a DatetimeIndex 'session' is right"
        )
    absent = [name for name in COLUMNS if name not in frame.columns]
    if absent:
        raise DataError(f"{symbol}: no column {', '.join(absent)}; needed are {', '.join(COLUMNS)}")
    for name in COLUMNS:
        if frame[name].dtype != np.float64:
            raise DataError(f"{symbol}: column {name} is {frame[name].dtype}; float64 is right")
    if frame.empty:
        raise DataError(f"{symbol}: no sessions; a price table has at least one")
    _refuse(symbol, frame, (*_INDEX_CHECKS, *_ROW_CHECKS))


def check_series(symbol: str, series: "pd.Series[float]") -> None:
    """Refuse a series (a rate, a volatility) with a missing number or a broken index.

    Raises
    ------
    DataError
        As ``check_prices`` does.
    """
    if not isinstance(series.index, pd.DatetimeIndex) or series.index.name != "session":
        raise DataError(
            f"{symbol}: the index is {type(series.index).__name__} {series.index.name!r}; "
            "a DatetimeIndex 'session' is right"
        )
    missing: Check = (
        "a number is missing",
        "a series holds only sessions that have one",
        lambda p: ~np.isfinite(p["value"].to_numpy()),
    )
    _refuse(symbol, series.astype("float64").to_frame("value"), (*_INDEX_CHECKS, missing))


def _refuse(symbol: str, frame: pd.DataFrame, checks: tuple[Check, ...]) -> None:
    """Raise for the first check that any row fails."""
    for problem, remedy, fails in checks:
        rows = frame.index[fails(frame)]
        if len(rows) > 0:
            first = "no date" if rows[0] is pd.NaT else f"{rows[0]:%Y-%m-%d}"
            raise DataError(f"{symbol}: {problem} on {len(rows)} sessions, first {first}; {remedy}")
