"""Borrowing a fund's shares, by date: its fee and whether there are any, from a study or a file."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from levsleeve.compiled import Floats
from levsleeve.errors import StudyError
from levsleeve.instruments.borrow_state import BORROW_AVAILABLE, BORROW_STATES
from levsleeve.instruments.catalogue import no_such_fund
from levsleeve.instruments.fund import PERCENT
from levsleeve.margin.charges import BorrowRates
from levsleeve.strict_table import StrictTable, user_text

HIGHEST_RATE = 10.0
"""1,000 % a year: above it a figure is taken for percent."""

HEADERS = (["date", "rate", "state"], ["date", "rate"], ["date", "state"])
FILE = "borrow fees by date are a CSV file with the header date,rate,state"


def _a_fraction(rate: float) -> float:
    """Borrow fees are fractions a year."""
    if not 0.0 <= rate <= HIGHEST_RATE:
        raise ValueError(
            f"{rate}; a fraction a year from 0 to {HIGHEST_RATE:g} is right, such as 0.04 for 4 %"
        )
    return rate


class BorrowEntry(StrictTable):
    """From ``since`` to the fund's next entry: the borrow fee and whether shares can be borrowed.

    ``rate`` is a fraction a year; left out, the one before stays.  ``unavailable`` lets no new
    short be opened, ``recalled`` has those that exist bought in as well.  ``file`` names a CSV file
    beside the study in place of all three.
    """

    fund: Annotated[str, Field(min_length=1)]
    since: date | None = None
    rate: Annotated[float, AfterValidator(_a_fraction)] | None = None
    state: Literal["available", "unavailable", "recalled"] = "available"
    file: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "BorrowEntry":
        """Either a date or a file."""
        if self.file is None and self.since is None:
            raise ValueError("since: missing; the date from which it holds, or a file, is right")
        beside = [key for key in ("since", "rate", "state") if key in self.model_fields_set]
        if self.file is not None and beside:
            raise ValueError(
                f"file: {self.file!r} beside {beside[0]}; a file brings dates, rates and states "
                "of its own"
            )
        return self


class BorrowTerms(NamedTuple):
    """By session and fund: borrow fees, fractions a year, and states (see ``borrow_state``)."""

    rates: Floats
    states: Floats


class _Step(NamedTuple):
    """What holds from a date on; no rate: the one before."""

    since: date
    rate: float | None
    state: float


def borrow_by_session(
    entries: Sequence[BorrowEntry],
    symbols: Sequence[str],
    sessions: pd.DatetimeIndex,
    placeholder_rates: Sequence[float],
    folder: Path,
) -> BorrowTerms:
    """Fees and states on each session, both of shape (n_sessions, n_funds).

    Parameters
    ----------
    placeholder_rates
        The fee of each of ``symbols`` before its first entry with a rate, a fraction a year.
        Before its first entry a fund is available.
    folder
        Where the entries' files are sought.

    Raises
    ------
    StudyError
        If an entry is for another fund, two of a fund are from one date, or a file is not as it
        should be.
    """
    _refuse_unknown_funds(entries, symbols)
    rates = np.tile(np.asarray(placeholder_rates, dtype=np.float64), (len(sessions), 1))
    states = np.full_like(rates, BORROW_AVAILABLE)
    for i, symbol in enumerate(symbols):
        for step in _steps_of(symbol, entries, folder):
            row = int(sessions.searchsorted(pd.Timestamp(step.since)))
            states[row:, i] = step.state
            if step.rate is not None:
                rates[row:, i] = step.rate
    return BorrowTerms(rates, states)


def borrow_line(entries: Sequence[BorrowEntry], placeholder: BorrowRates) -> str:
    """What a run takes for the borrow fee, in one line of its assumptions.

    Examples
    --------
    >>> entry = BorrowEntry(fund="UPRO", since=date(2009, 6, 25), rate=0.02)
    >>> borrow_line([entry], BorrowRates(bull_rate=0.01, inverse_rate=0.04))
    'UPRO by date (1 entry from 2009-06-25); otherwise assumed 1 % a year for bulls,
    4 % for inverse funds'
    """
    assumed = (
        f"assumed {PERCENT * placeholder.bull_rate:g} % a year for bulls, "
        f"{PERCENT * placeholder.inverse_rate:g} % for inverse funds"
    )
    if not entries:
        return assumed
    funds = dict.fromkeys(entry.fund for entry in entries)
    return "; ".join([*(_fund_words(fund, entries) for fund in funds), f"otherwise {assumed}"])


def _fund_words(fund: str, entries: Sequence[BorrowEntry]) -> str:
    """One fund's entries in a few words."""
    own = [entry for entry in entries if entry.fund == fund]
    dates = [entry.since for entry in own if entry.since is not None]
    words = [entry.file for entry in own if entry.file is not None]
    if dates:
        noun = "entry" if len(dates) == 1 else "entries"
        words.insert(0, f"{len(dates)} {noun} from {min(dates)}")
    return f"{fund} by date ({', '.join(words)})"


def _refuse_unknown_funds(entries: Sequence[BorrowEntry], symbols: Sequence[str]) -> None:
    """Every entry is for one of ``symbols``."""
    for entry in entries:
        if entry.fund not in symbols:
            known = f"known are {', '.join(symbols)}"
            raise StudyError(f"account.borrow: {no_such_fund(entry.fund, symbols, known)}")


def _steps_of(symbol: str, entries: Sequence[BorrowEntry], folder: Path) -> list[_Step]:
    """The steps of one fund in the order of their dates, whatever the order of its entries."""
    steps: list[_Step] = []
    for entry in entries:
        if entry.fund == symbol and entry.file is not None:
            steps += _file_steps(folder / entry.file)
        elif entry.fund == symbol and entry.since is not None:
            steps.append(_Step(entry.since, entry.rate, BORROW_STATES[entry.state]))
    steps.sort(key=lambda step: step.since)
    for before, after in pairwise(steps):
        if before.since == after.since:
            raise StudyError(
                f"account.borrow: {symbol} has two entries from {after.since}; "
                "one from each date is right"
            )
    return steps


def _file_steps(path: Path) -> list[_Step]:
    """The rows of a file, checked; empty lines are passed over."""
    text = user_text(path, FILE, StudyError)
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(f"{path}: line {lines.line_num}", row) for row in lines if row]
    except csv.Error as error:
        raise StudyError(f"{path}: line {lines.line_num}: not CSV ({error}); {FILE}") from None
    header = rows[0][1] if rows else []
    if header not in HEADERS:
        raise StudyError(
            f"{path}: the header is {','.join(header)!r}; date,rate,state is right, "
            "without rate or without state if need be"
        )
    if len(rows) == 1:
        raise StudyError(f"{path}: a header without rows; {FILE}")
    steps = [_file_step(where, header, row) for where, row in rows[1:]]
    for (where, _), (before, after) in zip(rows[2:], pairwise(steps), strict=True):
        if after.since <= before.since:
            raise StudyError(
                f"{where}: {after.since} does not follow {before.since}; dates must rise"
            )
    return steps


def _file_step(where: str, header: list[str], row: list[str]) -> _Step:
    """One row; an empty rate leaves the one before."""
    if len(row) != len(header):
        raise StudyError(
            f"{where}: {len(row)} cells under {len(header)} columns; one a column is right"
        )
    cells = dict(zip(header, (cell.strip() for cell in row), strict=True))
    state = cells.get("state", "available")
    if state not in BORROW_STATES:
        raise StudyError(f"{where}: state: {state!r}; {' or '.join(BORROW_STATES)} is right")
    rate = cells.get("rate", "")
    return _Step(
        _date(where, cells["date"]),
        _rate(where, rate) if rate else None,
        BORROW_STATES[state],
    )


def _date(where: str, text: str) -> date:
    """A date written in full; other forms of ISO 8601 are refused."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise StudyError(f"{where}: date: {text!r}; a date such as 2018-12-31 is right")
    return day


def _rate(where: str, text: str) -> float:
    """A fraction a year."""
    try:
        rate = float(text)
    except ValueError:
        raise StudyError(f"{where}: rate: {text!r}; a number such as 0.04 is right") from None
    try:
        return _a_fraction(rate)
    except ValueError as error:
        raise StudyError(f"{where}: rate: {error}") from None
