"""The ledger: one row a session, and the two sums that must hold on every row."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from levsleeve.backtests.measures import Measures
from levsleeve.backtests.state import FLOW_CAUSES, PRICE, SPECIAL_MEMORANDUM, Account
from levsleeve.compiled import Floats, hot_rule, rule
from levsleeve.errors import LedgerError
from levsleeve.margin.account import utilization
from levsleeve.margin.book import CONTRACTS, MARK, MULTIPLIER, PREMIUM, SHARES

TOLERANCE_USD = 1e-6
TOLERANCE_SCALE_USD = 1e6
"""The sums hold within a millionth of a dollar per million dollars of gross value."""

_HEAD = (
    *Measures._fields,
    "special_memorandum_account",
    "marked_utilization",
    "marked_cushion",
    "marked_utilization_with_relief",
    "marked_utilization_after_expiry",
)


N_HEAD = len(_HEAD)


def ledger_columns(symbols: Sequence[str], slots: Sequence[str]) -> list[str]:
    """The columns of a ledger over funds and option slots."""
    places = (*symbols, *slots)
    return [
        *_HEAD,
        *(f"shares:{name}" for name in places),
        *(f"price:{name}" for name in places),
        *(f"value:{name}" for name in places),
        *(f"flow:price:{symbol}" for symbol in symbols),
        *(f"flow:{cause}" for cause in FLOW_CAUSES),
    ]


@rule
def write_row(row: Floats, account: Account, marked: Measures, measures: Measures) -> None:
    """Fill a row whose columns are ``ledger_columns``.

    ``marked`` is what the close brought before anything was traded at it, ``measures`` what the
    session left.
    """
    for place, figure in enumerate(measures):
        row[place] = figure
    first = len(measures)
    row[first] = account.money[SPECIAL_MEMORANDUM]
    row[first + 1], row[first + 2] = marked.utilization, marked.cushion
    loanable = marked.equity_with_loan_value
    row[first + 3] = utilization(marked.maintenance_with_relief, loanable)
    row[first + 4] = utilization(marked.maintenance_after_expiry, loanable)
    funds, slots = account.book.funds, account.book.slots
    n_funds, n = funds.shape[0], funds.shape[0] + slots.shape[0]
    for place in range(n):
        k = place - n_funds
        held = funds[place, SHARES] if k < 0 else slots[k, CONTRACTS] * slots[k, MULTIPLIER]
        price = funds[place, MARK] if k < 0 else slots[k, PREMIUM]
        row[N_HEAD + place] = held
        row[N_HEAD + n + place] = price
        row[N_HEAD + 2 * n + place] = held * price
    for i in range(n_funds):
        row[N_HEAD + 3 * n + i] = account.flows[PRICE + i]
    for cause in range(PRICE):
        row[N_HEAD + 3 * n + n_funds + cause] = account.flows[cause]


@hot_rule
def within_tolerance(gap_usd: float, scale_usd: float) -> bool:
    """Whether a sum is right up to rounding on amounts of ``scale_usd``; a NaN never is."""
    return abs(gap_usd) <= TOLERANCE_USD * max(1.0, scale_usd / TOLERANCE_SCALE_USD)


class LedgerBuilder:
    """Collects rows while a run goes on; refuses a row that does not add up."""

    def __init__(
        self,
        sessions: pd.DatetimeIndex,
        symbols: Sequence[str],
        slots: Sequence[str],
        starting_cash_usd: float,
    ) -> None:
        self._sessions = sessions
        self._columns = ledger_columns(symbols, slots)
        places = len(symbols) + len(slots)
        self._values = slice(N_HEAD + 2 * places, N_HEAD + 3 * places)
        self._rows = np.full((len(sessions), len(self._columns)), np.nan)
        self._equity = starting_cash_usd
        self._written = 0

    def write(self, account: Account, marked: Measures, measures: Measures) -> None:
        """Add the row of the next session (see ``write_row``).

        Raises
        ------
        LedgerError
            If the flows do not explain the change of equity, or the parts do not make the whole.
        """
        row = self._rows[self._written : self._written + 1]
        write_row(row[0], account, marked, measures)
        self._refuse_gaps(row)

    def take(self, rows: Floats) -> None:
        """Add rows that were written elsewhere; they are checked like any other."""
        self._rows[self._written : self._written + len(rows)] = rows
        self._refuse_gaps(rows)

    def _refuse_gaps(self, rows: Floats) -> None:
        """Check the rows behind those written, and count them as written."""
        cash, equity = rows[:, 0], rows[:, 1]
        values, flows = rows[:, self._values], rows[:, self._values.stop :]
        moved, explained = np.diff(equity, prepend=self._equity), flows.sum(axis=1)
        scale, whole = abs(cash) + abs(values).sum(axis=1), cash + values.sum(axis=1)
        tolerances = TOLERANCE_USD * np.maximum(1.0, scale / TOLERANCE_SCALE_USD)
        for row, tolerance in enumerate(tolerances):
            self._check("moved", "its flows make", moved[row], explained[row], tolerance)
            self._check("is", "cash and positions make", equity[row], whole[row], tolerance)
            self._equity = float(equity[row])
            self._written += 1

    def _check(
        self, verb: str, parts: str, stated: float, explained: float, tolerance: float
    ) -> None:
        """Both numbers must agree; a NaN never does."""
        if not abs(stated - explained) <= tolerance:
            raise LedgerError(
                f"ledger {self._sessions[self._written]:%Y-%m-%d}: equity {verb} "
                f"${stated:,.6f} but {parts} ${explained:,.6f} (off by "
                f"${abs(stated - explained):,.6f}, tolerance ${tolerance:,.6f})"
            )

    def frame(self) -> pd.DataFrame:
        """The rows written so far, indexed by session."""
        index = self._sessions[: self._written].rename("session")
        return pd.DataFrame(self._rows[: self._written], index=index, columns=self._columns)


def identity_errors(ledger: pd.DataFrame, starting_cash_usd: float) -> pd.DataFrame:
    """How far each row is from its two identities, recomputed from the columns, in dollars.

    Columns ``flows`` (change of equity less the sum of all flows) and ``parts`` (equity less cash
    and all values).
    """
    flows = ledger.filter(regex="^flow:").sum(axis=1)
    moved = ledger["equity"].diff()
    moved.iloc[0] = ledger["equity"].iloc[0] - starting_cash_usd
    parts = ledger["cash"] + ledger.filter(regex="^value:").sum(axis=1)
    return pd.DataFrame({"flows": moved - flows, "parts": ledger["equity"] - parts})
