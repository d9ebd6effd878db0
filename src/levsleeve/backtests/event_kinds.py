"""What can happen to an account and why, as numbers that the compiled steps write.

The words are in ``levsleeve.backtests.events``.
"""

from enum import IntEnum


class EventKind(IntEnum):
    """What can happen to an account."""

    ORDER_FILLED = 0
    ORDER_CUT = 1
    ORDER_REFUSED = 2
    MARGIN_CALL = 3
    LIQUIDATION = 4
    OPTION_EXPIRED = 5
    SPLIT = 6
    WIPED = 7
    RULE_CHANGE = 8
    OPTION_ROLLED = 9
    CALL_MET = 10
    CLOSED_OUT = 11
    BUY_IN = 12
    DEPOSIT = 13
    WITHDRAWAL = 14
    WITHDRAWAL_CUT = 15


class Why(IntEnum):
    """Why it happened."""

    ORDER = 0
    AVAILABLE_FUNDS = 1
    EXCESS_LIQUIDITY = 2
    SETTLED = 3
    FUND_SPLIT = 4
    EQUITY_GONE = 5
    RULES_OF_DATE = 6
    NEXT_CONTRACT = 7
    SPECIAL_MEMORANDUM = 8
    CALL_DUE = 9
    CURED = 10
    CALL_CLOSES = 11
    NO_SHARES_TO_BORROW = 12
    RECALLED = 13
    CASH_ACCOUNT = 14
    FRACTION = 15
    CASH_FLOW = 16
    INTRADAY = 17
    WITHDRAWABLE = 18
    OPTION_GONE = 19


ORDER_FILLED = float(EventKind.ORDER_FILLED)
ORDER_CUT = float(EventKind.ORDER_CUT)
ORDER_REFUSED = float(EventKind.ORDER_REFUSED)
MARGIN_CALL = float(EventKind.MARGIN_CALL)
LIQUIDATED = float(EventKind.LIQUIDATION)
OPTION_EXPIRED = float(EventKind.OPTION_EXPIRED)
SPLIT = float(EventKind.SPLIT)
WIPED = float(EventKind.WIPED)
RULE_CHANGE = float(EventKind.RULE_CHANGE)
OPTION_ROLLED = float(EventKind.OPTION_ROLLED)
CALL_MET = float(EventKind.CALL_MET)
CLOSED = float(EventKind.CLOSED_OUT)
BUY_IN = float(EventKind.BUY_IN)
DEPOSIT = float(EventKind.DEPOSIT)
WITHDRAWAL = float(EventKind.WITHDRAWAL)
WITHDRAWAL_CUT = float(EventKind.WITHDRAWAL_CUT)
WHY_ORDER = float(Why.ORDER)
WHY_AVAILABLE_FUNDS = float(Why.AVAILABLE_FUNDS)
WHY_EXCESS_LIQUIDITY = float(Why.EXCESS_LIQUIDITY)
WHY_SETTLED = float(Why.SETTLED)
WHY_FUND_SPLIT = float(Why.FUND_SPLIT)
WHY_EQUITY_GONE = float(Why.EQUITY_GONE)
WHY_RULES_OF_DATE = float(Why.RULES_OF_DATE)
WHY_NEXT_CONTRACT = float(Why.NEXT_CONTRACT)
WHY_SPECIAL_MEMORANDUM = float(Why.SPECIAL_MEMORANDUM)
WHY_CALL_DUE = float(Why.CALL_DUE)
WHY_CURED = float(Why.CURED)
WHY_CALL_CLOSES = float(Why.CALL_CLOSES)
WHY_NO_SHARES_TO_BORROW = float(Why.NO_SHARES_TO_BORROW)
WHY_RECALLED = float(Why.RECALLED)
WHY_CASH_ACCOUNT = float(Why.CASH_ACCOUNT)
WHY_FRACTION = float(Why.FRACTION)
WHY_CASH_FLOW = float(Why.CASH_FLOW)
WHY_INTRADAY = float(Why.INTRADAY)
WHY_WITHDRAWABLE = float(Why.WITHDRAWABLE)
WHY_OPTION_GONE = float(Why.OPTION_GONE)
