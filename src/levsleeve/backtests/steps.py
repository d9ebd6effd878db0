"""The first and last steps of a session: carry, corporate actions, dated cash, the day's end.

A driver calls ``open_session``, then the fills at the open if orders fill there, the intraday test
if it is on, ``marks.mark`` and ``marks.expire``, the buy-ins and the maintenance test
(``forced``), the fills at the close (``orders``) and ``close_session``.
"""

import math

from levsleeve.backtests.event_kinds import (
    RULE_CHANGE,
    SPLIT,
    WHY_FUND_SPLIT,
    WHY_RULES_OF_DATE,
)
from levsleeve.backtests.external import external_flow
from levsleeve.backtests.measures import (
    memorandum_now,
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
    SHORT_REBATE,
    SPECIAL_MEMORANDUM,
    TRADED,
    Account,
    Tape,
    Terms,
    record,
    tradable_part,
)
from levsleeve.compiled import rule
from levsleeve.margin.account import short_value
from levsleeve.margin.combination import MAINTENANCE
from levsleeve.margin.fees import calendar_month
from levsleeve.margin.financing import (
    accrued,
    borrow_fee_a_year,
    credit_interest_a_year,
    debit_interest_a_year,
    short_rebate_a_year,
)
from levsleeve.margin.schedule import LOAN_HORIZON


@rule
def open_session(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Start the flows afresh, post carry, splits, distributions, deposits and withdrawals.

    Carry is reckoned on the balances, marks and rates that the last session left, for the calendar
    days since; nothing accrues on the first session.
    """
    for cause in range(account.flows.size):
        account.flows[cause] = 0.0
    for i in range(account.price_flows.size):
        account.price_flows[i] = 0.0
    account.money[CONTRIBUTIONS] = 0.0
    account.money[TRADED] = 0.0
    if account.money[CALL_AGE] >= 0.0:
        account.money[CALL_AGE] += 1.0
    if t > 0:
        _begin_month(account, tape, t)
        _post_carry(account, tape, t, terms)
        _note_rule_change(account, tape, t)
    _corporate_actions(account, tape, t, terms)
    if tape.cash_flows[t] != 0.0:
        external_flow(account, tape, t, tape.cash_flows[t])


@rule
def _corporate_actions(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Splits, and distributions on their ex-date: longs receive, shorts pay."""
    for i in range(account.shares.size):
        if tape.splits[t, i] != 1.0:
            split_fund(account, i, tape.splits[t, i], terms.share_parts)
        if tape.dividends[t, i] != 0.0 and account.shares[i] != 0.0:
            paid = account.shares[i] * tape.dividends[t, i]
            account.money[CASH] += paid
            account.money[CONTRIBUTIONS] += paid
            account.flows[DISTRIBUTIONS] += paid


@rule
def _begin_month(account: Account, tape: Tape, t: int) -> None:
    """Count the volumes of the month from nothing on its first session."""
    if calendar_month(tape.dates[t]) != calendar_month(tape.dates[t - 1]):
        account.money[MONTH_SHARES] = 0.0
        account.money[MONTH_CONTRACTS] = 0.0


@rule
def _post_carry(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Interest on free cash and short proceeds, and borrow fees, straight to cash.

    Free cash is cash less the short market value that secures the borrowed shares.
    """
    plan = terms.financing
    days = tape.days[t]
    benchmark = tape.benchmark_rates[t - 1]
    collateral = short_value(account)
    free = account.money[CASH] - collateral
    if free < 0.0:
        charged = debit_interest_a_year(-free, benchmark, plan)
        account.flows[DEBIT_INTEREST] -= accrued(charged, days, plan)
    else:
        worth = net_liquidation(account)
        earned = credit_interest_a_year(free, worth, benchmark, plan)
        account.flows[CREDIT_INTEREST] += accrued(earned, days, plan)
    rebate = short_rebate_a_year(collateral, benchmark, plan)
    account.flows[SHORT_REBATE] += accrued(rebate, days, plan)
    for i in range(account.shares.size):
        if account.shares[i] < 0.0:
            fee = borrow_fee_a_year(
                -account.shares[i], account.marks[i], tape.borrow_rates[t - 1, i], plan
            )
            account.flows[BORROW_FEE] -= accrued(fee, days, plan)
    account.money[CASH] += account.flows[DEBIT_INTEREST] + account.flows[CREDIT_INTEREST]
    account.money[CASH] += account.flows[SHORT_REBATE] + account.flows[BORROW_FEE]


@rule
def _note_rule_change(account: Account, tape: Tape, t: int) -> None:
    """Record that the rules or the house ask something else, with the maintenance of both days."""
    changed, moved_house = False, False
    for place in range(tape.rules.shape[1]):
        now, then = tape.rules[t, place], tape.rules[t - 1, place]
        moved = now != then and not math.isnan(now)  # no flat rate is nan on both days
        changed = changed or (moved and place != LOAN_HORIZON)
    for i in range(tape.overlays.shape[1]):
        for place in range(tape.overlays.shape[2]):
            moved = tape.overlays[t, i, place] != tape.overlays[t - 1, i, place]
            moved_house = moved_house or moved
    if not (changed or moved_house):
        return
    before = requirement(account, tape, t - 1, MAINTENANCE)
    after = requirement(account, tape, t, MAINTENANCE)
    if changed or before != after:
        record(account, RULE_CHANGE, ACCOUNT_WIDE, 0.0, 0.0, before, after, WHY_RULES_OF_DATE)


@rule
def split_fund(account: Account, i: int, ratio: float, share_parts: float) -> None:
    """Turn one share of fund ``i`` into ``ratio`` shares at its mark over ``ratio``.

    Counts and strikes change, value never: the part of a share that does not trade (see
    ``Terms.share_parts``) is settled in cash at the new mark.  A whole-number split multiplies
    option contracts; any other ratio changes the shares that a contract delivers, as the clearing
    house adjusts it.
    """
    account.marks[i] /= ratio
    before = account.shares[i]
    if before != 0.0:
        exact = before * ratio
        whole = tradable_part(exact, share_parts)
        account.money[CASH] += (exact - whole) * account.marks[i]
        account.shares[i] = whole
        record(account, SPLIT, i, whole, account.marks[i], before, whole, WHY_FUND_SPLIT)
    for k in range(account.contracts.size):
        if account.contracts[k] != 0.0 and account.underlyings[k] == i:
            account.strikes[k] /= ratio
            account.option_marks[k] /= ratio
            held = account.contracts[k]
            if ratio > 1.0 and ratio == float(int(ratio)):
                account.contracts[k] *= ratio
            else:
                account.multipliers[k] *= ratio
            record(
                account,
                SPLIT,
                account.shares.size + k,
                account.contracts[k],
                account.option_marks[k],
                held,
                account.contracts[k],
                WHY_FUND_SPLIT,
            )


@rule
def close_session(account: Account, tape: Tape, t: int) -> None:
    """Roll the special memorandum account at the day's end."""
    account.money[SPECIAL_MEMORANDUM] = memorandum_now(account, tape, t)
