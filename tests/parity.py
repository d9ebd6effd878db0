"""What the two drivers leave of one run, compared in every bit."""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from levsleeve.backtests.event_kinds import EventKind
from levsleeve.backtests.state import EVENT_COUNT, Account
from levsleeve.compiled import Floats

EVENT_COLUMNS = (
    "kind", "place", "shares", "price", "before", "after", "why", "underlying", "right", "strike",
    "expiry", "charged",
)  # fmt: skip
MONEY = (
    "cash", "special memorandum account", "contributions", "shares of the month",
    "contracts of the month", "traded", "age of the call", "ended", "called",
)  # fmt: skip
"""Places of ``Account.money`` but for ``EVENT_COUNT``, the last: one driver reads its events each
session, the other at the end."""


class Left(NamedTuple):
    """What a run left: its ledger, its events with the number of their session, its account."""

    ledger: pd.DataFrame
    event_rows: Sequence[tuple[int, Floats]]
    account: Account


def first_difference(one: Left, other: Left) -> str | None:
    """The first difference in the bits of two runs, by session and quantity; None: there is none.

    A NaN is a NaN, whatever its payload; zeros have signs.
    """
    found = [*_event_difference(one, other), *_row_difference(one, other)]
    if found:
        session, words = min(found, key=itemgetter(0))
        longer = max(one.ledger.index, other.ledger.index, key=len)
        return f"{longer[session]:%Y-%m-%d}: {words}"
    return next(_account_difference(one.account, other.account), None)


def _unequal(one: Floats, other: Floats) -> NDArray[np.intp]:
    """Where two arrays of one shape differ: a row of indices for each place."""
    bits = one.view(np.uint64) != other.view(np.uint64)
    return np.argwhere(bits & ~(np.isnan(one) & np.isnan(other)))


def _event_difference(one: Left, other: Left) -> Iterator[tuple[int, str]]:
    """The first event that only one run has, or that differs."""
    pairs = zip(one.event_rows, other.event_rows, strict=False)
    for k, ((t, event), (u, twin)) in enumerate(pairs):
        name = f"event {k} ({EventKind(int(event[0])).name.lower()})"
        if t != u:
            yield min(t, u), f"{name} is there in one run only"
            return
        for (column,) in _unequal(event, twin).tolist():
            mine, its = event[column].item(), twin[column].item()
            yield t, f"{name}: {EVENT_COLUMNS[column]} is {mine!r} and {its!r}"
            return
    fewer = min(len(one.event_rows), len(other.event_rows))
    for t, event in [*one.event_rows[fewer:], *other.event_rows[fewer:]][:1]:
        name = EventKind(int(event[0])).name.lower()
        yield t, f"event {fewer} ({name}) is there in one run only"


def _row_difference(one: Left, other: Left) -> Iterator[tuple[int, str]]:
    """The first row of the ledger that only one run has, or that differs."""
    if list(one.ledger.columns) != list(other.ledger.columns):
        yield 0, "the columns of the ledgers differ"
        return
    fewer = min(len(one.ledger), len(other.ledger))
    if not one.ledger.index[:fewer].equals(other.ledger.index[:fewer]):
        yield 0, "the sessions of the ledgers differ"
        return
    mine, its = (np.ascontiguousarray(left.ledger.to_numpy()[:fewer]) for left in (one, other))
    for t, column in _unequal(mine, its)[:1].tolist():
        name = one.ledger.columns[column]
        yield t, f"{name} is {mine[t, column].item()!r} and {its[t, column].item()!r}"
    if len(one.ledger) != len(other.ledger):
        yield fewer, "there is a row in one run only"


def _account_difference(one: Account, other: Account) -> Iterator[str]:
    """Where the accounts differ at the end of the runs."""
    arrays = (
        ("money", one.money[:EVENT_COUNT], other.money[:EVENT_COUNT]),
        ("costs", one.costs, other.costs),
        ("funds", one.book.funds, other.book.funds),
        ("slots", one.book.slots, other.book.slots),
    )
    for name, mine, its in arrays:
        for place in _unequal(mine, its).tolist():
            what = MONEY[place[0]] if name == "money" else f"{name}{place}"
            at = tuple(place)
            yield f"at the end: {what} is {mine[at].item()!r} and {its[at].item()!r}"
