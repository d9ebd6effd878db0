"""What an order may be: accepted or refused, and the largest opening one."""

import math

from levsleeve.margin.account import (
    account_passes,
    boxed_requirement,
    closing_part,
    loan_value_equity,
    sizing_reserve,
)
from levsleeve.margin.combination import ORDER_INITIAL
from levsleeve.margin.liquidation import ROUNDING
from levsleeve.what_if.account import AccountAtHand


def available_for_orders(account: AccountAtHand) -> float:
    """Dollars that orders may use: equity with loan value less the order's initial margin."""
    loanable = loan_value_equity(account.cash_usd, account.positions, account.terms.rules)
    return float(loanable) - account.requirement(ORDER_INITIAL)


def order_accepted(account: AccountAtHand, i: int, shares: float, fee_usd: float = 0.0) -> bool:
    """Whether an order of signed ``shares`` in fund ``i`` passes.

    One that only shrinks a position always does; a flip through zero is tested on the whole new
    position.

    References
    ----------
    12 CFR 220.12; FINRA Rule 4210(b)(4).
    """
    held = float(account.positions.shares[i])
    if closing_part(held, shares) == shares:
        return True
    after = account.traded(i, shares, fee_usd)
    boxed = float(boxed_requirement(after.boxed, after.positions, after.terms, ORDER_INITIAL))
    return bool(account_passes(after.cash_usd, after.positions, after.terms, boxed))


def most_value(account: AccountAtHand, i: int, *, short: bool, fee_usd: float = 0.0) -> float:
    """Dollars of fund ``i`` that can be opened on one side, beyond closing what is held against it.

    Available funds less the head-room of the policy, over the order's initial margin per dollar.
    Shares that would cover a written option may be bought or sold short beyond it.
    """
    available = available_for_orders(_without_other_side(account, i, short=short))
    usable = available - float(sizing_reserve(available, account.terms.rules)) - fee_usd
    price = float(account.positions.marks[i])
    return max(0.0, usable) / (account.per_share(i, ORDER_INITIAL, short=short) / price)


def most_shares(account: AccountAtHand, i: int, *, short: bool, fee_usd: float = 0.0) -> float:
    """Whole shares of fund ``i`` that can be opened on one side.

    An account below the minimum equity may buy what its cash pays, and sell nothing short.
    """
    price, sign = float(account.positions.marks[i]), -1.0 if short else 1.0
    flat = _without_other_side(account, i, short=short)
    value = most_value(account, i, short=short, fee_usd=fee_usd)
    most = math.floor(value / price * (1.0 + ROUNDING))
    paid = math.floor(max(0.0, flat.cash_usd - fee_usd) / price * (1.0 + ROUNDING))
    for shares in (most, min(most, paid)):
        if order_accepted(flat, i, sign * shares, fee_usd):
            return float(shares)
    return 0.0


def _without_other_side(account: AccountAtHand, i: int, *, short: bool) -> AccountAtHand:
    """The account after closing what it holds of fund ``i`` on the other side."""
    held = float(account.positions.shares[i])
    return account.traded(i, -held) if held * (-1.0 if short else 1.0) < 0.0 else account
