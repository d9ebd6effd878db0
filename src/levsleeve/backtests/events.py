"""Events in words: what happened to an account, when, before and after."""

import math
from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from levsleeve.backtests.event_kinds import EventKind, Why
from levsleeve.compiled import Floats
from levsleeve.instruments.option import OptionContract
from levsleeve.pricing.black_scholes import PUT

WORDS = {
    Why.ORDER: "order of the strategy",
    Why.AVAILABLE_FUNDS: "available funds do not cover its initial margin and costs",
    Why.EXCESS_LIQUIDITY: "excess liquidity below zero",
    Why.SETTLED: "settled in cash at the close of its last day",
    Why.FUND_SPLIT: "split of the fund",
    Why.EQUITY_GONE: "equity is zero or less: the run ends here",
    Why.RULES_OF_DATE: "requirements on shares changed",
    Why.SPECIAL_MEMORANDUM: "special memorandum account below zero",
    Why.NEXT_CONTRACT: "the slot holds a new contract",
    Why.CALL_DUE: "the margin call was not met in time",
    Why.CURED: "excess liquidity is no longer below zero",
    Why.CALL_CLOSES: "the account is closed at its first margin call",
    Why.NO_SHARES_TO_BORROW: "no shares to borrow",
    Why.RECALLED: "the lender recalled the shares",
    Why.CASH_ACCOUNT: "a cash account sells nothing short",
    Why.FRACTION: "fractions of a share do not trade",
    Why.CASH_FLOW: "dated deposit or withdrawal",
    Why.WITHDRAWABLE: "the account may pay out no more",
    Why.OPTION_GONE: "the option expired while the order waited for a price",
    Why.INTRADAY: "excess liquidity below zero at an extreme of the session",
    Why.WARNED: "margin utilization reached the warning level",
    Why.DERISKED: "margin utilization reached the level that derisks: the sleeve is cut",
    Why.FLATTENED: "margin utilization reached the last level: the sleeve is sold",
    Why.RETURNED: "margin utilization is calm and the cool-off over: the sleeve may grow again",
    Why.DRAWDOWN: "maximum drawdown of the sleeve",
    Why.PROFIT: "take-profit of the sleeve",
    Why.TIME_LIMIT: "time limit of the sleeve",
    Why.FILTER_OFF: "the filter of the sleeve is off",
    Why.CALLED: "a margin call of the account",
    Why.HOUSE_RATE: "the maintenance rate of a fund rose above the sleeve's limit",
    Why.COOLED_OFF: "the cool-off of the sleeve is over",
    Why.ABOVE_CAP: "the weights had drifted above a cap",
}
HUNDREDTH_OF_A_CENT = 0.01
"""In cents: a deposit is stated to the next cent, not for rounding's sake."""
COLUMNS = ("session", "kind", "symbol", "shares", "price", "before", "after", "why")


def contract_of(row: Floats, symbols: Sequence[str]) -> OptionContract:
    """The option that an event row concerns."""
    return OptionContract(
        fund=symbols[int(row[7])],
        right="put" if row[8] == PUT else "call",
        strike=float(row[9]),
        expiry=date.fromordinal(int(row[10])),
    )


def _symbol(row: Floats, symbols: Sequence[str]) -> str:
    """A fund's symbol, an option's contract, or nothing for the whole account."""
    place = int(row[1])
    if place < 0:
        return ""
    if place < len(symbols):
        return symbols[place]
    return str(contract_of(row, symbols))


def whole_cents(dollars: float) -> float:
    """Dollars rounded up to the next cent, but not for rounding's sake."""
    return math.ceil(100.0 * dollars - HUNDREDTH_OF_A_CENT) / 100.0


def _reason(row: Floats) -> str:
    """Why it happened; a margin call says what would have cured it."""
    words = WORDS[Why(int(row[6]))]
    if int(row[0]) != EventKind.MARGIN_CALL:
        return words
    return f"{words}: a deposit of ${whole_cents(row[3]):,.2f} would have cured it"


def events_frame(
    rows: Sequence[tuple[int, Floats]], sessions: pd.DatetimeIndex, symbols: Sequence[str]
) -> pd.DataFrame:
    """Events as a table, one row each, in the order in which they happened.

    ``shares`` are signed (contracts times multiplier for options), ``price`` is dollars per share
    paid or received.  ``before`` and ``after`` are the position held, but excess liquidity for a
    margin call (of the special memorandum account, its balance), the maintenance requirement for a
    rule change, and equity for deposits, withdrawals and an account that ended; utilization and
    what it is to become for stop-flight, what a dollar in the sleeve became since it was entered
    for an exit, the gross weight of leveraged funds where it is trimmed.  The ``price`` of a
    margin call is the deposit in dollars that would have cured it, that of a deposit or withdrawal
    the dollars that moved.
    """
    table: dict[str, list[object]] = {column: [] for column in COLUMNS}
    for t, row in rows:
        values = (
            sessions[t],
            EventKind(int(row[0])).name.lower(),
            _symbol(row, symbols),
            float(row[2]),
            float(row[3]),
            float(row[4]),
            float(row[5]),
            _reason(row),
        )
        for column, value in zip(COLUMNS, values, strict=True):
            table[column].append(value)
    frame = pd.DataFrame(table)
    frame["session"] = pd.DatetimeIndex(frame["session"]).as_unit("us")
    floats = ["shares", "price", "before", "after"]
    frame[floats] = frame[floats].astype(np.float64)
    return frame
