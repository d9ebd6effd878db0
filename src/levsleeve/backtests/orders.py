"""The order test and the fills: what an order takes from the account and what it leaves."""

import math

from levsleeve.backtests.measures import equity_with_loan_value, requirement
from levsleeve.backtests.state import (
    CASH,
    COMMISSION,
    CONTRIBUTIONS,
    FEES,
    MONTH_CONTRACTS,
    MONTH_SHARES,
    SPREAD,
    TRADED,
    Account,
    Terms,
    each,
    tradable_part,
)
from levsleeve.backtests.tape import (
    BORROW_STATE,
    Tape,
    fund_terms_of,
    sale_fees_of,
)
from levsleeve.compiled import hot_rule, rule
from levsleeve.instruments.borrow_state import BORROW_AVAILABLE
from levsleeve.margin.account import account_passes, closing_part, sizing_reserve
from levsleeve.margin.book import CONTRACTS, MARK, MULTIPLIER, PREMIUM, SHARES, UNDERLYING
from levsleeve.margin.combination import END_OF_DAY, ORDER_INITIAL, side_requirement
from levsleeve.margin.fees import (
    option_commission,
    regulatory_option_fees,
    regulatory_sale_fees,
    share_commission,
    share_pass_through,
)
from levsleeve.margin.schedule import CASH_ACCOUNT


@hot_rule
def share_costs(
    account: Account, i: int, shares: float, tape: Tape, t: int, terms: Terms
) -> tuple[float, float, float]:
    """Dollars of spread, commission and fees on a trade of fund ``i``; negative ``shares`` sell."""
    price = account.book.funds[i, MARK]
    quantity = abs(shares)
    spread = quantity * price * each(terms.fund_spread_rates, i)
    traded = account.money[MONTH_SHARES]
    commission = share_commission(quantity, price, terms.commission, traded)
    fees = share_pass_through(quantity, price, terms.commission, traded)
    if shares < 0.0:
        fees += regulatory_sale_fees(quantity, price, sale_fees_of(tape, t))
    return spread, commission, fees


@hot_rule
def option_half_spread(premium: float, i: int, terms: Terms) -> float:
    """Dollars per share between the mark and the fill of an option on fund ``i``.

    Slippage included; never more than the mark.
    """
    asked = each(terms.option_spread_rates, i) * premium
    return min(premium, max(asked, each(terms.option_spread_minimums_usd, i)))


@hot_rule
def option_costs(
    account: Account,
    contracts: float,
    multiplier: float,
    premium: float,
    tape: Tape,
    t: int,
    terms: Terms,
) -> tuple[float, float]:
    """Dollars of commission and fees on a trade in options; ``contracts`` signed."""
    quantity, traded = abs(contracts), account.money[MONTH_CONTRACTS]
    commission = option_commission(quantity, premium, terms.commission, traded)
    fees = regulatory_option_fees(
        quantity, multiplier, premium, contracts < 0.0, sale_fees_of(tape, t)
    )
    return commission, fees


@hot_rule
def available_after(
    account: Account, tape: Tape, t: int, i: int, shares: float, reserve_usd: float, terms: Terms
) -> bool:
    """Whether ``shares`` more of fund ``i`` (signed) leave enough: the order test.

    Costs included, available funds must not fall below ``reserve_usd``, which sizing sets aside.

    References
    ----------
    12 CFR 220.12; FINRA Rule 4210(b)(4).
    """
    spread, commission, fees = share_costs(account, i, shares, tape, t, terms)
    held, cash = account.book.funds[i, SHARES], account.money[CASH]
    account.book.funds[i, SHARES] = held + shares
    account.money[CASH] = cash - shares * account.book.funds[i, MARK] - spread - commission - fees
    passes = account_passes(account.money[CASH], account.book, fund_terms_of(tape, t), reserve_usd)
    account.book.funds[i, SHARES], account.money[CASH] = held, cash
    return passes


@hot_rule
def available_funds(account: Account, tape: Tape, t: int) -> float:
    """Dollars that orders may still use: equity with loan value less the order's initial margin."""
    loanable = equity_with_loan_value(account, tape, t)
    return loanable - requirement(account, tape, t, ORDER_INITIAL)


@hot_rule
def _available_when_flat(account: Account, tape: Tape, t: int, i: int, closing: float) -> float:
    """Dollars that orders may use once ``closing`` shares of fund ``i`` are traded."""
    held, cash = account.book.funds[i, SHARES], account.money[CASH]
    account.book.funds[i, SHARES] = held + closing
    account.money[CASH] = cash - closing * account.book.funds[i, MARK]
    available = available_funds(account, tape, t)
    account.book.funds[i, SHARES], account.money[CASH] = held, cash
    return available


@rule
def may_be_short(tape: Tape, t: int, i: int) -> bool:
    """Whether fund ``i`` may be sold short: in a margin account, and with shares to borrow."""
    lent = tape.funds[t, i, BORROW_STATE] == BORROW_AVAILABLE
    return bool(lent and tape.rules[t, CASH_ACCOUNT] == 0.0)


@hot_rule
def affordable(account: Account, tape: Tape, t: int, i: int, shares: float, terms: Terms) -> float:
    """The most of a signed order in fund ``i`` that passes the order test.

    The closing part always passes; an opening part, a flip through zero included, is tested on the
    whole new position, and leaves the head-room that the policy keeps.  It opens whole shares, or
    ten-thousandths where fractions trade, and nothing short that cannot be borrowed.
    """
    closing = closing_part(account.book.funds[i, SHARES], shares)
    parts = terms.share_parts
    shares = closing + tradable_part(shares - closing, parts)
    if closing == shares or (shares < closing and not may_be_short(tape, t, i)):
        return closing
    reserve = sizing_reserve(_available_when_flat(account, tape, t, i, closing), tape.rules[t])
    if available_after(account, tape, t, i, shares, reserve, terms):
        return shares
    sign = 1.0 if shares > 0.0 else -1.0
    low, high = 0.0, math.floor(abs(shares - closing) * parts + 0.5) * 1.0
    while low < high:
        middle = float(int((low + high + 1.0) / 2.0))
        tried = closing + sign * middle / parts
        if available_after(account, tape, t, i, tried, reserve, terms):
            low = middle
        else:
            high = middle - 1.0
    return closing + sign * low / parts


@hot_rule
def fill_shares(account: Account, tape: Tape, t: int, i: int, shares: float, terms: Terms) -> float:
    """Trade signed ``shares`` of fund ``i`` at its mark; returns the price paid or received.

    Equity falls by the costs alone.
    """
    price = float(account.book.funds[i, MARK])
    spread, commission, fees = share_costs(account, i, shares, tape, t, terms)
    held = account.book.funds[i, SHARES]
    closing = closing_part(held, shares)
    funds = fund_terms_of(tape, t)
    released = abs(closing) * side_requirement(account.book, i, held < 0.0, funds, END_OF_DAY)
    taken = abs(shares - closing) * side_requirement(
        account.book, i, shares < 0.0, funds, END_OF_DAY
    )
    account.money[CONTRIBUTIONS] += released - taken
    account.money[CASH] -= shares * price + spread + commission + fees
    account.money[MONTH_SHARES] += abs(shares)
    account.money[TRADED] += abs(shares)
    account.book.funds[i, SHARES] = held + shares
    account.flows[SPREAD] -= spread
    account.flows[COMMISSION] -= commission
    account.flows[FEES] -= fees
    account.costs[i] += spread + commission + fees
    if shares == 0.0:
        return price
    return price + spread / shares


@hot_rule
def affordable_contracts(
    account: Account, tape: Tape, t: int, k: int, contracts: float, terms: Terms
) -> float:
    """The most whole contracts of the option in slot ``k`` that pass the order test, signed.

    The closing part always passes.  A bought option is paid in full, less what it lends; a written
    one brings its price and needs its requirement.  An account that then borrows or is short keeps
    the minimum equity, and a cash account writes nothing.
    """
    closing = closing_part(account.book.slots[k, CONTRACTS], contracts)
    if closing == contracts:
        return closing
    if _passes_with(account, tape, t, k, contracts, terms):
        return contracts
    sign = 1.0 if contracts > 0.0 else -1.0
    low, high = 0.0, float(int(abs(contracts - closing)))
    while low < high:
        middle = float(int((low + high + 1.0) / 2.0))
        if _passes_with(account, tape, t, k, closing + sign * middle, terms):
            low = middle
        else:
            high = middle - 1.0
    return closing + sign * low


@hot_rule
def _passes_with(
    account: Account, tape: Tape, t: int, k: int, contracts: float, terms: Terms
) -> bool:
    """Whether the account passes the order test with so many contracts more of slot ``k``."""
    premium, multiplier = account.book.slots[k, PREMIUM], account.book.slots[k, MULTIPLIER]
    half = option_half_spread(premium, int(account.book.slots[k, UNDERLYING]), terms)
    commission, fees = option_costs(account, contracts, multiplier, premium, tape, t, terms)
    held, cash = account.book.slots[k, CONTRACTS], account.money[CASH]
    account.book.slots[k, CONTRACTS] = held + contracts
    account.money[CASH] = cash - contracts * multiplier * premium
    account.money[CASH] -= abs(contracts) * multiplier * half + commission + fees
    passes = account_passes(account.money[CASH], account.book, fund_terms_of(tape, t), 0.0)
    account.book.slots[k, CONTRACTS], account.money[CASH] = held, cash
    return passes


@hot_rule
def fill_option(
    account: Account, tape: Tape, t: int, k: int, contracts: float, terms: Terms
) -> float:
    """Trade signed ``contracts`` of the option in slot ``k``; returns the price per share.

    The slot's contract and mark are set by the caller; equity falls by the costs alone.
    """
    premium = float(account.book.slots[k, PREMIUM])
    multiplier = float(account.book.slots[k, MULTIPLIER])
    quantity = abs(contracts) * multiplier
    half = option_half_spread(premium, int(account.book.slots[k, UNDERLYING]), terms)
    commission, fees = option_costs(account, contracts, multiplier, premium, tape, t, terms)
    account.money[CASH] -= contracts * multiplier * premium
    account.money[CASH] -= quantity * half + commission + fees
    account.money[MONTH_CONTRACTS] += abs(contracts)
    account.money[TRADED] += quantity
    account.book.slots[k, CONTRACTS] += contracts
    account.flows[SPREAD] -= quantity * half
    account.flows[COMMISSION] -= commission
    account.flows[FEES] -= fees
    account.costs[account.book.funds.shape[0] + k] += quantity * half + commission + fees
    return premium + half if contracts > 0.0 else premium - half
