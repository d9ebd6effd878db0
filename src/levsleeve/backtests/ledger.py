"""The ledger: one row a session, and the two sums that must hold on every row."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from levsleeve.backtests.measures import Measures, account_scale
from levsleeve.backtests.state import FLOW_CAUSES, PRICE, SPECIAL_MEMORANDUM, Account
from levsleeve.errors import LedgerError
from levsleeve.margin.account import utilization

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
        self._columns = (
            *_HEAD,
            *(f"shares:{name}" for name in (*symbols, *slots)),
            *(f"price:{name}" for name in (*symbols, *slots)),
            *(f"value:{name}" for name in (*symbols, *slots)),
            *(f"flow:price:{symbol}" for symbol in symbols),
            *(f"flow:{cause}" for cause in FLOW_CAUSES),
        )
        self._rows = np.full((len(sessions), len(self._columns)), np.nan)
        self._equity = starting_cash_usd
        self._written = 0

    def write(self, account: Account, marked: Measures, measures: Measures) -> None:
        """Add the row of the next session.

        ``marked`` is what the close brought before anything was traded at it, ``measures`` what
        the session left.

        Raises
        ------
        LedgerError
            If the flows do not explain the change of equity, or the parts do not make the whole.
        """
        held = np.concatenate(
            [account.book.shares, account.book.contracts * account.book.multipliers]
        )
        prices = np.concatenate([account.book.marks, account.book.option_marks])
        values = held * prices
        flows = np.roll(account.flows, len(account.flows) - PRICE)
        tolerance = TOLERANCE_USD * max(1.0, account_scale(account) / TOLERANCE_SCALE_USD)
        self._check(
            "moved", "its flows make", measures.equity - self._equity, flows.sum(), tolerance
        )
        whole = measures.cash + values.sum()
        self._check("is", "cash and positions make", measures.equity, whole, tolerance)
        row = self._rows[self._written]
        head = len(_HEAD)
        row[: len(measures)] = measures
        row[len(measures) : head] = (
            account.money[SPECIAL_MEMORANDUM],
            marked.utilization,
            marked.cushion,
            utilization(marked.maintenance_with_relief, marked.equity_with_loan_value),
            utilization(marked.maintenance_after_expiry, marked.equity_with_loan_value),
        )
        row[head:] = np.concatenate([held, prices, values, flows])
        self._equity = measures.equity
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
        return pd.DataFrame(self._rows[: self._written], index=index, columns=list(self._columns))


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
