"""Cash that comes from outside or leaves: deposits and withdrawals."""

from levsleeve.backtests.event_kinds import (
    DEPOSIT,
    WHY_CASH_FLOW,
    WHY_WITHDRAWABLE,
    WITHDRAWAL,
    WITHDRAWAL_CUT,
)
from levsleeve.backtests.measures import equity_with_loan_value, net_liquidation, requirement
from levsleeve.backtests.state import (
    ACCOUNT_WIDE,
    CASH,
    CONTRIBUTIONS,
    EXTERNAL,
    Account,
    record,
)
from levsleeve.backtests.tape import (
    Tape,
)
from levsleeve.compiled import rule
from levsleeve.margin.account import is_short
from levsleeve.margin.combination import INITIAL_MARGIN
from levsleeve.margin.schedule import MINIMUM_EQUITY_USD

LEAST_LEFT_USD = 1.0
"""What a withdrawal leaves at least."""


@rule
def external_flow(account: Account, tape: Tape, t: int, amount_usd: float) -> None:
    """Deposit (> 0) or withdraw (< 0) cash; the day's flows must already have been opened.

    A withdrawal is cut to what may leave (see ``withdrawable``).
    """
    before = net_liquidation(account)
    paid = max(amount_usd, -withdrawable(account, tape, t)) if amount_usd < 0.0 else amount_usd
    account.money[CASH] += paid
    account.money[CONTRIBUTIONS] += paid
    account.flows[EXTERNAL] += paid
    kind, why = DEPOSIT if amount_usd > 0.0 else WITHDRAWAL, WHY_CASH_FLOW
    if paid != amount_usd:
        kind, why = WITHDRAWAL_CUT, WHY_WITHDRAWABLE
    record(account, kind, ACCOUNT_WIDE, 0.0, abs(paid), before, before + paid, why)


@rule
def withdrawable(account: Account, tape: Tape, t: int) -> float:
    """Dollars that may be withdrawn, >= 0.

    Available funds stay positive, an account that then borrows or is short keeps the minimum
    equity, and every account keeps a dollar: nothing has no return.

    References
    ----------
    12 CFR 220.5(b); FINRA Rule 4210(b)(4).
    """
    rules = tape.rules[t]
    loanable = equity_with_loan_value(account, tape, t)
    most = loanable - requirement(account, tape, t, INITIAL_MARGIN)
    unborrowed = 0.0 if is_short(account.book) else account.money[CASH]
    most = min(most, max(unborrowed, loanable - rules[MINIMUM_EQUITY_USD]))
    return max(0.0, min(most, net_liquidation(account) - LEAST_LEFT_USD))
