"""What one study's sessions bring, packed into four arrays that compiled rules index by place.

Few arrays matter: a compiled call passes every array of a record as seven words or more.
"""

import math
from typing import NamedTuple

import numpy as np

from levsleeve.compiled import Floats, hot_rule, rule, view_rule
from levsleeve.instruments.borrow_state import BORROW_RECALLED
from levsleeve.margin.book import BENCHMARK_CLASS, MULTIPLE, FundTerms
from levsleeve.margin.charges import SaleFees
from levsleeve.margin.fees import calendar_month
from levsleeve.margin.schedule import LOAN_HORIZON

DATE, DAYS, BENCHMARK_RATE, BILL_RATE, VOLATILITY, CASH_FLOW = range(6)
SALE_FEES = 6
NEW_MONTH, RULES_MOVED, HOUSE_MOVED, ACTIONS, RECALLS = range(11, 16)
"""Columns of ``Tape.sessions``.  Five of sale fees begin at ``SALE_FEES``; the last five are 1.0
where a calendar month begins, the rules or the house ask something else than the session before,
a fund splits or distributes, and a lender wants shares back."""
N_SESSION_FIELDS = 16

CLOSE, OPEN, HIGH, LOW, SPLIT_RATIO, DIVIDEND, BORROW_RATE, BORROW_STATE, COST_RATE = range(2, 11)
"""Columns of ``Tape.funds`` behind those of ``FundTerms.funds``."""
N_TAPE_FUND_FIELDS = 11

_SESSION_COLUMNS = {
    "dates": DATE,
    "days": DAYS,
    "benchmark_rates": BENCHMARK_RATE,
    "bill_rates": BILL_RATE,
    "volatility": VOLATILITY,
    "cash_flows": CASH_FLOW,
}
_FUND_COLUMNS = {
    "multiples": MULTIPLE,
    "benchmark_classes": BENCHMARK_CLASS,
    "closes": CLOSE,
    "opens": OPEN,
    "highs": HIGH,
    "lows": LOW,
    "splits": SPLIT_RATIO,
    "dividends": DIVIDEND,
    "borrow_rates": BORROW_RATE,
    "borrow_states": BORROW_STATE,
    "cost_rates": COST_RATE,
}

COLUMNS = (*_SESSION_COLUMNS, "sale_fees", "rules", "overlays", *_FUND_COLUMNS)
"""What ``tape_of`` takes, by name."""


class Tape(NamedTuple):
    """Sessions by the first axis; ``tape_of`` makes one and says what the columns mean.

    ``sessions`` (n_sessions, 16), ``rules`` (n_sessions, 35) rows of ``margin.schedule``,
    ``overlays`` (n_sessions, n_funds, 6 or more) rows of ``margin.house``, ``funds`` (n_sessions,
    n_funds, 11).  For people the columns have names, as read-only views.
    """

    sessions: Floats
    rules: Floats
    overlays: Floats
    funds: Floats

    def __getattr__(self, name: str) -> Floats:
        """A column by name: per session, or per session and fund."""
        if name == "sale_fees":
            column = self.sessions[:, SALE_FEES:NEW_MONTH]
        elif name in _SESSION_COLUMNS:
            column = self.sessions[:, _SESSION_COLUMNS[name]]
        elif name in _FUND_COLUMNS:
            column = self.funds[:, :, _FUND_COLUMNS[name]]
        else:
            raise AttributeError(f"tape: it has no column {name!r}")
        column = column.view()
        column.flags.writeable = False
        return column


def tape_of(  # noqa: PLR0913  (one argument a column)
    *,
    dates: Floats,
    days: Floats,
    benchmark_rates: Floats,
    bill_rates: Floats,
    volatility: Floats,
    rules: Floats,
    overlays: Floats,
    sale_fees: Floats,
    cash_flows: Floats,
    opens: Floats,
    highs: Floats,
    lows: Floats,
    closes: Floats,
    splits: Floats,
    dividends: Floats,
    multiples: Floats,
    benchmark_classes: Floats,
    borrow_rates: Floats,
    borrow_states: Floats,
    cost_rates: Floats,
) -> Tape:
    """The tape of these columns; the first axis is the session, the second the fund.

    ``days`` counts calendar days since the session before; ``dates`` are proleptic ordinals;
    rates are fractions a year, ``volatility`` is the VIX as a fraction.  Per fund: as-traded
    ``closes``, ``splits`` (new shares per old), ``dividends`` (dollars per share on the ex-date),
    signed ``multiples``, ``benchmark_classes``, ``borrow_rates`` and ``cost_rates`` (the fund's own
    running cost).  ``rules`` are rows of ``margin.schedule``, ``overlays`` per fund of
    ``margin.house``.

    A close that is NaN is a session without a price of that fund: it keeps its mark, and nothing
    trades in it.  ``borrow_states`` are those of ``instruments.borrow_state``; ``cash_flows`` are
    the dated deposits (> 0) and withdrawals in dollars, one a session.
    """
    given = locals()
    sessions = np.zeros((len(dates), N_SESSION_FIELDS))
    for name, place in _SESSION_COLUMNS.items():
        sessions[:, place] = given[name]
    sessions[:, SALE_FEES:NEW_MONTH] = sale_fees
    funds = np.zeros((*closes.shape, N_TAPE_FUND_FIELDS))
    for name, place in _FUND_COLUMNS.items():
        funds[:, :, place] = given[name]
    months = np.array([calendar_month(date) for date in dates])
    sessions[1:, NEW_MONTH] = months[1:] != months[:-1]
    moved = (rules[1:] != rules[:-1]) & ~np.isnan(rules[1:])  # no flat rate is nan on both days
    moved[:, LOAN_HORIZON] = False
    sessions[1:, RULES_MOVED] = moved.any(axis=1)
    sessions[1:, HOUSE_MOVED] = (overlays[1:] != overlays[:-1]).any(axis=(1, 2))
    sessions[:, ACTIONS] = ((splits != 1.0) | (dividends != 0.0)).any(axis=1)
    sessions[:, RECALLS] = (borrow_states == BORROW_RECALLED).any(axis=1)
    rows = np.ascontiguousarray(rules, dtype=np.float64)
    return Tape(sessions, rows, np.ascontiguousarray(overlays, dtype=np.float64), funds)


def retaped(tape: Tape, **columns: Floats) -> Tape:
    """The tape with some columns in place of its own."""
    return tape_of(**{name: getattr(tape, name) for name in COLUMNS} | columns)


@view_rule
def fund_terms_of(tape: Tape, t: int) -> FundTerms:
    """What the rulebook knows of the funds on session ``t``."""
    return FundTerms(tape.funds[t], tape.overlays[t], tape.rules[t])


@hot_rule
def is_quoted(tape: Tape, t: int, i: int) -> bool:
    """Whether fund ``i`` has a price of its own on session ``t``: without one nothing trades."""
    return not math.isnan(tape.funds[t, i, CLOSE])


@rule
def sale_fees_of(tape: Tape, t: int) -> SaleFees:
    """The regulators' fees of session ``t``."""
    row = tape.sessions[t]
    first = SALE_FEES
    return SaleFees(row[first], row[first + 1], row[first + 2], row[first + 3], row[first + 4])
