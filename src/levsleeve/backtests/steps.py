"""The steps around a session's trading: carry, corporate actions, marks, expiry, and the close.

A driver calls them in this order: ``open_session``, ``mark``, ``expire``, then the maintenance
test (``forced``), the fills (``orders``) and ``close_session``.
"""

import math

from levsleeve.backtests.measures import (
    equity_with_loan_value,
    net_liquidation,
    requirement,
    slot_price,
)
from levsleeve.backtests.state import (
    ACCOUNT_WIDE,
    BORROW_FEE,
    CASH,
    COMMISSION,
    CONTRIBUTIONS,
    CREDIT_INTEREST,
    DEBIT_INTEREST,
    DISTRIBUTIONS,
    EXTERNAL,
    MONTH_CONTRACTS,
    MONTH_SHARES,
    OPTION,
    OPTION_EXPIRED,
    RULE_CHANGE,
    SHORT_REBATE,
    SPECIAL_MEMORANDUM,
    SPLIT,
    TRADED,
    WHY_FUND_SPLIT,
    WHY_RULES_OF_DATE,
    WHY_SETTLED,
    Account,
    Tape,
    Terms,
    record,
)
from levsleeve.compiled import rule
from levsleeve.margin.account import short_value
from levsleeve.margin.combination import END_OF_DAY, MAINTENANCE
from levsleeve.margin.fees import calendar_month
from levsleeve.margin.financing import (
    accrued,
    borrow_fee_a_year,
    credit_interest_a_year,
    debit_interest_a_year,
    short_rebate_a_year,
)
from levsleeve.margin.requirement import special_memorandum_account
from levsleeve.margin.schedule import LOAN_HORIZON


@rule
def open_session(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Start the flows afresh, apply splits and distributions, and post the carry.

    Carry is reckoned on the balances, marks and rates that the last session left, for the calendar
    days since; nothing accrues on the first session.
    """
    for cause in range(account.flows.size):
        account.flows[cause] = 0.0
    for i in range(account.price_flows.size):
        account.price_flows[i] = 0.0
    account.money[CONTRIBUTIONS] = 0.0
    account.money[TRADED] = 0.0
    if t > 0:
        _begin_month(account, tape, t)
        _post_carry(account, tape, t, terms)
        _note_rule_change(account, tape, t)
    for i in range(account.shares.size):
        if tape.splits[t, i] != 1.0:
            split_fund(account, i, tape.splits[t, i])
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
def external_flow(account: Account, amount_usd: float) -> None:
    """Deposit (> 0) or withdraw (< 0) cash; the day's flows must already have been opened."""
    account.money[CASH] += amount_usd
    account.money[CONTRIBUTIONS] += amount_usd
    account.flows[EXTERNAL] += amount_usd


@rule
def split_fund(account: Account, i: int, ratio: float) -> None:
    """Turn one share of fund ``i`` into ``ratio`` shares at its mark over ``ratio``.

    Counts and strikes change, value never: the fraction of a share is settled in cash at the new
    mark.  A whole-number split multiplies option contracts; any other ratio changes the shares
    that a contract delivers, as the clearing house adjusts it.
    """
    account.marks[i] /= ratio
    before = account.shares[i]
    if before != 0.0:
        exact = before * ratio
        whole = float(int(exact + 1e-9 if exact > 0.0 else exact - 1e-9))
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
def mark(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Carry every position at the close of session ``t``: funds at the close, options modelled."""
    for i in range(account.shares.size):
        close = tape.closes[t, i]
        account.price_flows[i] += account.shares[i] * (close - account.marks[i])
        account.marks[i] = close
    for k in range(account.contracts.size):
        if account.contracts[k] != 0.0:
            price = slot_price(account, tape, t, terms, k)
            held = account.contracts[k] * account.multipliers[k]
            account.flows[OPTION] += held * (price - account.option_marks[k])
            account.option_marks[k] = price


@rule
def expire(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Settle in cash, at the marks just made, the options whose last day is this session.

    One in the money is exercised, for which the broker may charge.
    """
    for k in range(account.contracts.size):
        if account.contracts[k] != 0.0 and account.expiries[k] <= tape.dates[t]:
            held = account.contracts[k] * account.multipliers[k]
            account.money[CASH] += held * account.option_marks[k]
            if account.option_marks[k] > 0.0:
                account.money[CASH] -= terms.commission.exercise_usd
                account.flows[COMMISSION] -= terms.commission.exercise_usd
                account.costs[account.shares.size + k] += terms.commission.exercise_usd
            record(
                account,
                OPTION_EXPIRED,
                account.shares.size + k,
                held,
                account.option_marks[k],
                account.contracts[k],
                0.0,
                WHY_SETTLED,
            )
            clear_slot(account, k)


@rule
def clear_slot(account: Account, k: int) -> None:
    """Empty an option slot."""
    account.contracts[k] = 0.0
    account.multipliers[k] = 0.0
    account.strikes[k] = 0.0
    account.expiries[k] = 0.0
    account.rights[k] = 0.0
    account.underlyings[k] = 0.0
    account.option_marks[k] = 0.0


@rule
def close_session(account: Account, tape: Tape, t: int) -> None:
    """Roll the special memorandum account at the day's end."""
    account.money[SPECIAL_MEMORANDUM] = special_memorandum_account(
        account.money[SPECIAL_MEMORANDUM],
        account.money[CONTRIBUTIONS],
        equity_with_loan_value(account, tape, t),
        requirement(account, tape, t, END_OF_DAY),
    )
