"""What one run of a sleeve leaves, and whether two drivers left the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from levsleeve.backtests.events import events_frame
from levsleeve.backtests.state import Account
from levsleeve.compiled import Floats

REFERENCE, COMPILED = "backtrader", "kernel"


@dataclass(frozen=True)
class SleeveRun:
    """What one run left: its account, its ledger, and its events, each with its session's number.

    An event is a row of ``Account.events``.
    """

    account: Account
    ledger: pd.DataFrame
    event_rows: Sequence[tuple[int, Floats]]


def first_difference(reference: SleeveRun, compiled: SleeveRun, symbols: Sequence[str]) -> str:
    """Where two runs of one sleeve differ first, by session and quantity; empty if nowhere.

    Ledgers are compared bit by bit on every session, then events, then costs by position.
    """
    return (
        _ledgers_apart(reference.ledger, compiled.ledger)
        or _events_apart(reference, compiled, symbols)
        or _costs_apart(reference, compiled)
    )


def _ledgers_apart(one: pd.DataFrame, other: pd.DataFrame) -> str:
    """The first figure of a ledger that differs, or how long each is."""
    n = min(len(one), len(other))
    table, beside = one.to_numpy()[:n], other.to_numpy()[:n]
    apart = np.argwhere((table != beside) & ~(np.isnan(table) & np.isnan(beside)))
    if len(apart):
        row, column = apart[0]
        stated = float(table[row, column]), float(beside[row, column])
        return f"{one.index[row]:%Y-%m-%d}: {one.columns[column]} is {_both(*stated)}"
    if len(one) == len(other):
        return ""
    longer = max(one, other, key=len)
    lasts = f"{len(one):,} sessions", f"{len(other):,} sessions"
    return f"{longer.index[n]:%Y-%m-%d}: the run is {_both(*lasts)} long"


def _events_apart(reference: SleeveRun, compiled: SleeveRun, symbols: Sequence[str]) -> str:
    """The first event that differs."""
    number = _first_event_apart(reference.event_rows, compiled.event_rows)
    if number is None:
        return ""
    sessions = pd.DatetimeIndex(reference.ledger.index)
    events = [
        events_frame(run.event_rows[number : number + 1], sessions, symbols)
        for run in (reference, compiled)
    ]
    day = min(event["session"].iloc[0] for event in events if len(event))
    return f"{day:%Y-%m-%d}: event {number + 1} is {_both(*map(_told, events))}"


def _costs_apart(reference: SleeveRun, compiled: SleeveRun) -> str:
    """The first position whose costs over the run differ."""
    one, other = reference.account.costs, compiled.account.costs
    for place in np.flatnonzero(one != other)[:1]:
        stated = float(one[place]), float(other[place])
        day = reference.ledger.index[-1]
        return f"{day:%Y-%m-%d}: costs of position {place + 1} are {_both(*stated)}"
    return ""


def _first_event_apart(
    one: Sequence[tuple[int, Floats]], other: Sequence[tuple[int, Floats]]
) -> int | None:
    """The number of the first event that is not the same in both, if there is one."""
    for number, ((t, row), (u, beside)) in enumerate(zip(one, other, strict=False)):
        if t != u or not np.array_equal(row, beside, equal_nan=True):
            return number
    return None if len(one) == len(other) else min(len(one), len(other))


def _told(event: pd.DataFrame) -> str:
    """One event in words, or that there is none."""
    if event.empty:
        return "none"
    row = event.iloc[0]
    names = ("shares", "price", "before", "after")
    figures = ", ".join(f"{name} {float(row[name])}" for name in names)
    return f"{row['kind']} {row['symbol']} on {row['session']:%Y-%m-%d} ({figures})"


def _both(reference: object, compiled: object) -> str:
    """What the two drivers say."""
    return f"{reference} ({REFERENCE}) but {compiled} ({COMPILED})"
