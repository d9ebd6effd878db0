"""The order test and the fills: what an order takes from the account and what it leaves."""

from levsleeve.backtests.measures import (
    equity_with_loan_value,
    gross_value,
    requirements,
    short_value,
)
from levsleeve.backtests.state import (
    CASH,
    COMMISSION,
    CONTRIBUTIONS,
    FEES,
    MONTH_CONTRACTS,
    MONTH_SHARES,
    SPREAD,
    Account,
    Tape,
    Terms,
    sale_fees_of,
    share_rules_of,
)
from levsleeve.compiled import rule
from levsleeve.margin.fees import (
    option_commission,
    regulatory_option_fees,
    regulatory_sale_fees,
    share_commission,
    share_pass_through,
)
from levsleeve.margin.liquidation import in_deficit
from levsleeve.margin.requirement import initial_per_share


@rule
def share_costs(
    account: Account, shares: float, price: float, tape: Tape, t: int, terms: Terms
) -> tuple[float, float, float]:
    """Dollars of half-spread, commission and fees on a trade; ``shares`` signed, negative sells."""
    quantity = abs(shares)
    spread = quantity * price * terms.fund_half_spread_rate
    traded = account.money[MONTH_SHARES]
    commission = share_commission(quantity, price, terms.commission, traded)
    fees = share_pass_through(quantity, price, terms.commission, traded)
    if shares < 0.0:
        fees += regulatory_sale_fees(quantity, price, sale_fees_of(tape, t))
    return spread, commission, fees


@rule
def option_half_spread(premium: float, terms: Terms) -> float:
    """Dollars per share between an option's mark and its fill; never more than the mark."""
    return min(
        premium,
        max(terms.option_half_spread_rate * premium, terms.option_half_spread_minimum_usd),
    )


@rule
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


@rule
def available_after(
    account: Account, tape: Tape, t: int, i: int, shares: float, terms: Terms
) -> bool:
    """Whether ``shares`` more of fund ``i`` (signed) leave enough: the order test.

    Available funds, costs included, must not fall below zero, and an account that then borrows or
    is short must hold the minimum equity; a purchase paid in full is allowed below it.

    References
    ----------
    12 CFR 220.12; FINRA Rule 4210(b)(4).
    """
    price = account.marks[i]
    spread, commission, fees = share_costs(account, shares, price, tape, t, terms)
    rules = share_rules_of(tape, t)
    held = account.shares[i]
    loanable = equity_with_loan_value(account) - spread - commission - fees
    account.shares[i] = held + shares
    initial = requirements(account, tape, t)[1]
    shorts = short_value(account)
    scale = gross_value(account)
    account.shares[i] = held
    if in_deficit(loanable - initial, scale):
        return False
    cash = account.money[CASH] - shares * price - spread - commission - fees
    borrows = in_deficit(cash - shorts, scale) or shorts > 0.0
    return not (borrows and in_deficit(loanable - rules.minimum_equity_usd, scale))


@rule
def closing_part(held: float, shares: float) -> float:
    """The part of a signed order that only shrinks a position: it is never refused."""
    if held * shares >= 0.0:
        return 0.0
    return shares if abs(shares) <= abs(held) else -held


@rule
def affordable(account: Account, tape: Tape, t: int, i: int, shares: float, terms: Terms) -> float:
    """The most of a signed order in fund ``i`` that passes the order test, in whole shares.

    The closing part always passes; an opening part, a flip through zero included, is tested on the
    whole new position.
    """
    closing = closing_part(account.shares[i], shares)
    if closing == shares or available_after(account, tape, t, i, shares, terms):
        return shares
    sign = 1.0 if shares > 0.0 else -1.0
    low, high = 0.0, float(int(abs(shares - closing)))
    while low < high:
        middle = float(int((low + high + 1.0) / 2.0))
        if available_after(account, tape, t, i, closing + sign * middle, terms):
            low = middle
        else:
            high = middle - 1.0
    return closing + sign * low


@rule
def fill_shares(account: Account, tape: Tape, t: int, i: int, shares: float, terms: Terms) -> float:
    """Trade signed ``shares`` of fund ``i`` at its mark; returns the price paid or received.

    Equity falls by the costs alone.
    """
    price = float(account.marks[i])
    spread, commission, fees = share_costs(account, shares, price, tape, t, terms)
    rules = share_rules_of(tape, t)
    held = account.shares[i]
    closing = closing_part(held, shares)
    multiple = tape.multiples[t, i]
    released = abs(closing) * initial_per_share(price, multiple, held < 0.0, rules)
    taken = abs(shares - closing) * initial_per_share(price, multiple, shares < 0.0, rules)
    account.money[CONTRIBUTIONS] += released - taken
    account.money[CASH] -= shares * price + spread + commission + fees
    account.money[MONTH_SHARES] += abs(shares)
    account.shares[i] = held + shares
    account.flows[SPREAD] -= spread
    account.flows[COMMISSION] -= commission
    account.flows[FEES] -= fees
    account.costs[i] += spread + commission + fees
    if shares == 0.0:
        return price
    return price + spread / shares


@rule
def affordable_contracts(
    account: Account,
    tape: Tape,
    t: int,
    contracts: float,
    multiplier: float,
    premium: float,
    terms: Terms,
) -> float:
    """The most whole contracts whose premium and costs the available funds pay in full.

    An account that then borrows or is short keeps the minimum equity, as after any opening.
    """
    rules = share_rules_of(tape, t)
    initial = requirements(account, tape, t)[1]
    loanable = equity_with_loan_value(account)
    scale, shorts = gross_value(account), short_value(account)
    each = (premium + option_half_spread(premium, terms)) * multiplier
    low, high = 0.0, float(int(contracts))
    while low < high:
        middle = float(int((low + high + 1.0) / 2.0))
        commission, fees = option_costs(account, middle, multiplier, premium, tape, t, terms)
        cost = middle * each + commission + fees
        borrows = shorts > 0.0 or in_deficit(account.money[CASH] - cost - shorts, scale)
        least = max(initial, rules.minimum_equity_usd) if borrows else initial
        if in_deficit(loanable - cost - least, scale):
            high = middle - 1.0
        else:
            low = middle
    return low


@rule
def fill_option(
    account: Account, tape: Tape, t: int, k: int, contracts: float, terms: Terms
) -> float:
    """Trade signed ``contracts`` of the option in slot ``k``; returns the price per share.

    The slot's contract and mark are set by the caller; equity falls by the costs alone.
    """
    premium = float(account.option_marks[k])
    multiplier = float(account.multipliers[k])
    quantity = abs(contracts) * multiplier
    half = option_half_spread(premium, terms)
    commission, fees = option_costs(account, contracts, multiplier, premium, tape, t, terms)
    account.money[CASH] -= contracts * multiplier * premium
    account.money[CASH] -= quantity * half + commission + fees
    account.money[MONTH_CONTRACTS] += abs(contracts)
    account.contracts[k] += contracts
    account.flows[SPREAD] -= quantity * half
    account.flows[COMMISSION] -= commission
    account.flows[FEES] -= fees
    account.costs[account.shares.size + k] += quantity * half + commission + fees
    return premium + half if contracts > 0.0 else premium - half
