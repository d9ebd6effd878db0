"""The maintenance test and what the broker does when it fails."""

from levsleeve.backtests.measures import (
    excess_liquidity,
    gross_value,
    net_liquidation,
    requirements,
)
from levsleeve.backtests.orders import (
    fill_option,
    fill_shares,
    option_costs,
    option_half_spread,
)
from levsleeve.backtests.state import (
    ACCOUNT_WIDE,
    CASH,
    LIQUIDATED,
    LIQUIDATION,
    MARGIN_CALL,
    MONTH_SHARES,
    WHY_EQUITY_GONE,
    WHY_EXCESS_LIQUIDITY,
    WIPED,
    Account,
    Tape,
    Terms,
    record,
    sale_fees_of,
    share_rules_of,
)
from levsleeve.backtests.steps import clear_slot
from levsleeve.compiled import rule
from levsleeve.margin.liquidation import ROUNDING, in_deficit, shares_to_cure
from levsleeve.margin.requirement import maintenance_per_share


@rule
def maintenance_test(account: Account, tape: Tape, t: int, terms: Terms) -> bool:
    """Liquidate at once when excess liquidity is below zero; true when the account was called.

    Only what is needed is sold or bought back, costs included: shares first, by excess liquidity
    gained per dollar traded (ties by the order of the funds), long options that bring more than
    they cost to sell last.
    """
    before = excess_liquidity(account, tape, t)
    if not in_deficit(before, gross_value(account)):
        return False
    maintenance = requirements(account, tape, t)[0]
    row = record(
        account, MARGIN_CALL, ACCOUNT_WIDE, 0.0, maintenance, before, before, WHY_EXCESS_LIQUIDITY
    )
    for _ in range(account.shares.size):
        excess = excess_liquidity(account, tape, t)
        if not in_deficit(excess, gross_value(account)):
            break
        i = _dearest(account, tape, t, terms)
        if i < 0:
            break
        _liquidate_shares(account, tape, t, i, -excess, terms)
    for k in range(account.contracts.size):
        excess = excess_liquidity(account, tape, t)
        if _brings(account, tape, t, k, terms) > 0.0 and in_deficit(excess, gross_value(account)):
            _liquidate_option(account, tape, t, k, terms)
    if row < account.events.shape[0]:
        account.events[row, 5] = excess_liquidity(account, tape, t)
    return True


@rule
def _dearest(account: Account, tape: Tape, t: int, terms: Terms) -> int:
    """The held fund whose trading frees most excess liquidity per dollar; -1 if none is held.

    Funds of one requirement tie up to rounding, and the first of them goes.
    """
    rules = share_rules_of(tape, t)
    cost = terms.fund_half_spread_rate + terms.liquidation_penalty_rate
    best = -1
    best_gain = 0.0
    for i in range(account.shares.size):
        held = account.shares[i]
        price = account.marks[i]
        if held != 0.0 and price > 0.0:
            relief = maintenance_per_share(price, tape.multiples[t, i], held < 0.0, rules)
            gain = relief / price - cost
            if best < 0 or gain > best_gain + ROUNDING:
                best = i
                best_gain = gain
    return best


@rule
def _liquidate_shares(
    account: Account, tape: Tape, t: int, i: int, deficiency: float, terms: Terms
) -> None:
    """Trade as much of fund ``i`` towards zero as the deficiency asks, with the penalty."""
    held = account.shares[i]
    price = account.marks[i]
    relief = maintenance_per_share(price, tape.multiples[t, i], held < 0.0, share_rules_of(tape, t))
    quantity = shares_to_cure(
        deficiency,
        abs(held),
        price,
        relief,
        terms.fund_half_spread_rate + terms.liquidation_penalty_rate,
        held > 0.0,
        terms.commission,
        sale_fees_of(tape, t),
        gross_value(account),
        account.money[MONTH_SHARES],
    )
    traded = -quantity if held > 0.0 else quantity
    paid = fill_shares(account, tape, t, i, traded, terms)
    _charge_penalty(account, quantity * price, i, terms)
    record(account, LIQUIDATED, i, traded, paid, held, account.shares[i], WHY_EXCESS_LIQUIDITY)


@rule
def _brings(account: Account, tape: Tape, t: int, k: int, terms: Terms) -> float:
    """Dollars that selling the option of slot ``k`` by force brings after all costs."""
    held, premium = float(account.contracts[k]), float(account.option_marks[k])
    multiplier = float(account.multipliers[k])
    price = premium * (1.0 - terms.liquidation_penalty_rate) - option_half_spread(premium, terms)
    commission, fees = option_costs(account, -held, multiplier, premium, tape, t, terms)
    return held * multiplier * price - commission - fees


@rule
def _liquidate_option(account: Account, tape: Tape, t: int, k: int, terms: Terms) -> None:
    """Sell the whole long option of slot ``k``."""
    held = account.contracts[k]
    quantity = held * account.multipliers[k]
    value = quantity * account.option_marks[k]
    received = fill_option(account, tape, t, k, -held, terms)
    _charge_penalty(account, value, account.shares.size + k, terms)
    record(
        account,
        LIQUIDATED,
        account.shares.size + k,
        -quantity,
        received,
        held,
        0.0,
        WHY_EXCESS_LIQUIDITY,
    )
    clear_slot(account, k)


@rule
def _charge_penalty(account: Account, value: float, place: int, terms: Terms) -> None:
    """Charge the liquidation penalty on the value that was traded by force."""
    penalty = value * terms.liquidation_penalty_rate
    account.money[CASH] -= penalty
    account.flows[LIQUIDATION] -= penalty
    account.costs[place] += penalty


@rule
def is_wiped(account: Account) -> bool:
    """Whether equity is gone; the event says how much is left, or owed."""
    worth = net_liquidation(account)
    if worth > 0.0:
        return False
    record(account, WIPED, ACCOUNT_WIDE, 0.0, 0.0, worth, worth, WHY_EQUITY_GONE)
    return True
