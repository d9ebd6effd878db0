"""The sentence that names the first difference of two runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.end_to_end.both_drivers import by_the_kernel, short_run
from tests.parity import EVENT_COLUMNS, MONEY, Left, first_difference

from levsleeve.backtests.event_kinds import EventKind
from levsleeve.backtests.state import EVENT_COUNT, EVENT_FIELDS

SESSION = pd.Timestamp("2008-10-28")


@pytest.fixture(scope="module")
def left(price_cache: Path) -> Left:
    return by_the_kernel(short_run(price_cache))


def copied(left: Left) -> Left:
    account = left.account
    book = account.book._replace(funds=account.book.funds.copy(), slots=account.book.slots.copy())
    return Left(
        left.ledger.copy(),
        [(session, event.copy()) for session, event in left.event_rows],
        account._replace(money=account.money.copy(), costs=account.costs.copy(), book=book),
    )


def neighbour(number: float) -> float:
    """The next number above."""
    return float(np.nextafter(number, np.inf)) if np.isfinite(number) else 0.0


def test_the_last_bit_of_any_number_in_the_ledger_is_a_difference(left: Left) -> None:
    for name in left.ledger.columns:
        other = copied(left)
        before = float(left.ledger[name].loc[SESSION])
        other.ledger.loc[SESSION, name] = neighbour(before)
        found = f"2008-10-28: {name} is {before!r} and {neighbour(before)!r}"
        assert first_difference(left, other) == found


def test_the_last_bit_of_any_number_in_an_event_is_a_difference(left: Left) -> None:
    row = next(k for k, (_, event) in enumerate(left.event_rows) if event[0] == EventKind.SPLIT)
    for place, name in enumerate(EVENT_COLUMNS):
        other = copied(left)
        event = other.event_rows[row][1]
        before, event[place] = float(event[place]), neighbour(event[place])
        found = f"2008-10-10: event {row} (split): {name} is {before!r} and {event[place].item()!r}"
        assert first_difference(left, other) == found


def test_the_last_bit_of_any_number_in_the_account_is_a_difference(left: Left) -> None:
    for place, name in enumerate(MONEY):
        other = copied(left)
        before = float(left.account.money[place])
        other.account.money[place] = neighbour(before)
        found = f"at the end: {name} is {before!r} and {neighbour(before)!r}"
        assert first_difference(left, other) == found
    other = copied(left)
    account, book = other.account, other.account.book
    for name, array in (("costs", account.costs), ("funds", book.funds), ("slots", book.slots)):
        for at in np.ndindex(array.shape):
            before = float(array[at])
            array[at] = neighbour(before)
            found = f"at the end: {name}{list(at)} is {before!r} and {neighbour(before)!r}"
            assert first_difference(left, other) == found
            array[at] = before


def test_what_one_run_only_has_is_a_difference(left: Left) -> None:
    fewer = left._replace(event_rows=left.event_rows[:-1])
    last, kind = len(left.event_rows) - 1, EventKind(int(left.event_rows[-1][1][0])).name.lower()
    session = left.ledger.index[left.event_rows[-1][0]]
    found = f"{session:%Y-%m-%d}: event {last} ({kind}) is there in one run only"
    assert first_difference(left, fewer) == first_difference(fewer, left) == found
    shorter = left._replace(ledger=left.ledger.iloc[:-1])
    found = "2008-11-28: there is a row in one run only"
    assert first_difference(left, shorter) == first_difference(shorter, left) == found
    later = copied(left)
    rows = [(t + 1, event) for t, event in later.event_rows]
    found = "2008-08-19: event 0 (order_filled) is there in one run only"
    assert first_difference(left, later._replace(event_rows=rows)) == found


def test_ledgers_of_other_columns_or_sessions_differ(left: Left) -> None:
    renamed = left._replace(ledger=left.ledger.rename(columns={"cash": "money"}))
    assert first_difference(left, renamed) == "2008-08-18: the columns of the ledgers differ"
    later = left._replace(ledger=left.ledger.shift(1, freq="D"))
    assert first_difference(left, later) == "2008-08-18: the sessions of the ledgers differ"


def test_an_event_is_named_before_what_it_brings_to_the_ledger(left: Left) -> None:
    other = copied(left)
    session, event = other.event_rows[-1]
    event[3] += 1.0
    other.ledger.iloc[session] += 1.0
    difference = first_difference(left, other)
    assert difference is not None
    assert f": event {len(left.event_rows) - 1} " in difference


def test_zeros_of_two_signs_differ_and_nans_do_not(left: Left) -> None:
    other = copied(left)
    other.ledger.loc[SESSION, "flow:external"] = -0.0
    assert first_difference(left, other) == "2008-10-28: flow:external is 0.0 and -0.0"
    one = copied(left)
    one.ledger.loc[SESSION, "flow:external"] = np.nan
    other.ledger.loc[SESSION, "flow:external"] = -np.nan
    assert first_difference(one, other) is None


def test_how_many_events_wait_to_be_read_is_no_difference(left: Left) -> None:
    other = copied(left)
    other.account.money[EVENT_COUNT] = 0.0
    assert first_difference(left, other) is None
    assert (len(MONEY), len(EVENT_COLUMNS)) == (EVENT_COUNT, EVENT_FIELDS)
