"""The first and last steps of a session: carry, corporate actions, dated cash, the day's end.

A driver calls ``open_session``, then the fills at the open if orders fill there, the intraday test
if it is on, ``marks.mark`` and ``marks.expire``, the buy-ins and the maintenance test
(``forced``), the fills at the close (``orders``) and ``close_session``.
"""

from levsleeve.backtests.event_kinds import (
    RULE_CHANGE,
    SPLIT,
    WHY_FUND_SPLIT,
    WHY_RULES_OF_DATE,
)
from levsleeve.backtests.external import external_flow
from levsleeve.backtests.measures import (
    memorandum_at,
    net_liquidation,
    requirement,
)
from levsleeve.backtests.state import (
    ACCOUNT_WIDE,
    BORROW_FEE,
    CALL_AGE,
    CASH,
    CONTRIBUTIONS,
    CREDIT_INTEREST,
    DEBIT_INTEREST,
    DISTRIBUTIONS,
    MONTH_CONTRACTS,
    MONTH_SHARES,
    PRICE,
    SHORT_REBATE,
    SPECIAL_MEMORANDUM,
    TRADED,
    Account,
    Terms,
    record,
    tradable_part,
)
from levsleeve.backtests.tape import (
    ACTIONS,
    BENCHMARK_RATE,
    BORROW_RATE,
    CASH_FLOW,
    DAYS,
    DIVIDEND,
    HOUSE_MOVED,
    NEW_MONTH,
    RULES_MOVED,
    SPLIT_RATIO,
    Tape,
)
from levsleeve.compiled import hot_rule, rule
from levsleeve.margin.account import short_value
from levsleeve.margin.book import CONTRACTS, MARK, MULTIPLIER, PREMIUM, SHARES, STRIKE, UNDERLYING
from levsleeve.margin.charges import FinancingPlan
from levsleeve.margin.combination import MAINTENANCE
from levsleeve.margin.financing import (
    accrued,
    borrow_fee_a_year,
    credit_interest_a_year,
    debit_interest_a_year,
    short_rebate_a_year,
)


@hot_rule
def open_session(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Start the flows afresh, post carry, splits, distributions, deposits and withdrawals.

    Carry is reckoned on the balances, marks and rates that the last session left, for the calendar
    days since; nothing accrues on the first session.
    """
    for cause in range(account.flows.size):
        account.flows[cause] = 0.0
    account.money[CONTRIBUTIONS] = 0.0
    account.money[TRADED] = 0.0
    if account.money[CALL_AGE] >= 0.0:
        account.money[CALL_AGE] += 1.0
    if t > 0:
        if tape.sessions[t, NEW_MONTH] != 0.0:
            account.money[MONTH_SHARES] = 0.0
            account.money[MONTH_CONTRACTS] = 0.0
        _post_carry(account, tape, t, terms.financing)
        if tape.sessions[t, RULES_MOVED] + tape.sessions[t, HOUSE_MOVED] != 0.0:
            _note_rule_change(account, tape, t)
    if tape.sessions[t, ACTIONS] != 0.0:
        _corporate_actions(account, tape, t, terms.share_parts)
    if tape.sessions[t, CASH_FLOW] != 0.0:
        external_flow(account, tape, t, tape.sessions[t, CASH_FLOW])


@rule
def _corporate_actions(account: Account, tape: Tape, t: int, share_parts: float) -> None:
    """Splits, and distributions on their ex-date: longs receive, shorts pay."""
    for i in range(account.book.funds.shape[0]):
        if tape.funds[t, i, SPLIT_RATIO] != 1.0:
            split_fund(account, i, tape.funds[t, i, SPLIT_RATIO], share_parts)
        if tape.funds[t, i, DIVIDEND] != 0.0 and account.book.funds[i, SHARES] != 0.0:
            paid = account.book.funds[i, SHARES] * tape.funds[t, i, DIVIDEND]
            account.money[CASH] += paid
            account.money[CONTRIBUTIONS] += paid
            account.flows[DISTRIBUTIONS] += paid
            account.flows[PRICE + account.book.funds.shape[0] + i] = paid


@hot_rule
def _post_carry(account: Account, tape: Tape, t: int, plan: FinancingPlan) -> None:
    """Interest on free cash and short proceeds, and borrow fees, straight to cash.

    Free cash is cash less the short market value that secures the borrowed shares.
    """
    days = tape.sessions[t, DAYS]
    benchmark = tape.sessions[t - 1, BENCHMARK_RATE]
    collateral = short_value(account.book)
    free = account.money[CASH] - collateral
    if free < 0.0:
        charged = debit_interest_a_year(-free, benchmark, plan)
        account.flows[DEBIT_INTEREST] -= accrued(charged, days, plan)
    else:
        worth = net_liquidation(account)
        earned = credit_interest_a_year(free, worth, benchmark, plan)
        account.flows[CREDIT_INTEREST] += accrued(earned, days, plan)
    if collateral > 0.0:
        _post_borrowing(account, tape, t, plan, collateral)
    account.money[CASH] += account.flows[DEBIT_INTEREST] + account.flows[CREDIT_INTEREST]
    account.money[CASH] += account.flows[SHORT_REBATE] + account.flows[BORROW_FEE]


@rule
def _post_borrowing(
    account: Account, tape: Tape, t: int, plan: FinancingPlan, collateral_usd: float
) -> None:
    """What short proceeds earn, and what borrowed shares cost; written to the flows."""
    days, funds = tape.sessions[t, DAYS], account.book.funds
    rebate = short_rebate_a_year(collateral_usd, tape.sessions[t - 1, BENCHMARK_RATE], plan)
    account.flows[SHORT_REBATE] += accrued(rebate, days, plan)
    for i in range(funds.shape[0]):
        if funds[i, SHARES] < 0.0:
            borrow_rate = tape.funds[t - 1, i, BORROW_RATE]
            fee = borrow_fee_a_year(-funds[i, SHARES], funds[i, MARK], borrow_rate, plan)
            account.flows[BORROW_FEE] -= accrued(fee, days, plan)


@rule
def _note_rule_change(account: Account, tape: Tape, t: int) -> None:
    """Record that the rules or the house ask something else, with the maintenance of both days."""
    before = requirement(account, tape, t - 1, MAINTENANCE)
    after = requirement(account, tape, t, MAINTENANCE)
    if tape.sessions[t, RULES_MOVED] != 0.0 or before != after:
        record(account, RULE_CHANGE, ACCOUNT_WIDE, 0.0, 0.0, before, after, WHY_RULES_OF_DATE)


@rule
def split_fund(account: Account, i: int, ratio: float, share_parts: float) -> None:
    """Turn one share of fund ``i`` into ``ratio`` shares at its mark over ``ratio``.

    Counts and strikes change, value never: the part of a share that does not trade (see
    ``Terms.share_parts``) is settled in cash at the new mark.  A whole-number split multiplies
    option contracts; any other ratio changes the shares that a contract delivers, as the clearing
    house adjusts it.
    """
    account.book.funds[i, MARK] /= ratio
    before = account.book.funds[i, SHARES]
    if before != 0.0:
        exact = before * ratio
        whole = tradable_part(exact, share_parts)
        account.money[CASH] += (exact - whole) * account.book.funds[i, MARK]
        account.book.funds[i, SHARES] = whole
        record(account, SPLIT, i, whole, account.book.funds[i, MARK], before, whole, WHY_FUND_SPLIT)
    for k in range(account.book.slots.shape[0]):
        if account.book.slots[k, CONTRACTS] != 0.0 and account.book.slots[k, UNDERLYING] == i:
            account.book.slots[k, STRIKE] /= ratio
            account.book.slots[k, PREMIUM] /= ratio
            held = account.book.slots[k, CONTRACTS]
            if ratio > 1.0 and ratio == float(int(ratio)):
                account.book.slots[k, CONTRACTS] *= ratio
            else:
                account.book.slots[k, MULTIPLIER] *= ratio
            record(
                account,
                SPLIT,
                account.book.funds.shape[0] + k,
                account.book.slots[k, CONTRACTS],
                account.book.slots[k, PREMIUM],
                held,
                account.book.slots[k, CONTRACTS],
                WHY_FUND_SPLIT,
            )


@hot_rule
def close_session(account: Account, tape: Tape, t: int, loanable_usd: float) -> None:
    """Roll the special memorandum account at the day's end, at this equity with loan value."""
    account.money[SPECIAL_MEMORANDUM] = memorandum_at(account, tape, t, loanable_usd)
