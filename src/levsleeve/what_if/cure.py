"""What cures a call, at present prices and without costs.

Excess liquidity is a concave function of the shares that are traded towards zero: unhedged shares
free the most and go first, and selling shares that cover written calls can cost more than it frees.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from levsleeve.margin.account import gross_value
from levsleeve.margin.liquidation import in_deficit
from levsleeve.what_if.account import AccountAtHand

NARROWINGS = 200


@dataclass(frozen=True, slots=True)
class Cure:
    """Trading one fund towards zero: whole shares, what is then left, and the same in dollars.

    ``shares_to_trade`` are all of them where none suffice; ``cures`` says whether they do.
    """

    shares_to_trade: float
    excess_liquidity_after_usd: float
    market_value_to_cut_usd: float
    market_value_after_cut_usd: float
    cures: bool


def is_called(account: AccountAtHand) -> bool:
    """Whether excess liquidity is below zero by more than rounding."""
    scale = float(gross_value(account.cash_usd, account.positions))
    return bool(in_deficit(account.figures().excess_liquidity_usd, scale))


def cure_with(account: AccountAtHand, i: int) -> Cure:
    """The fewest shares of fund ``i`` towards zero that end a call: whole, and as a value."""
    held = abs(float(account.positions.shares[i]))
    price = float(account.positions.marks[i])
    sign = -1.0 if account.positions.shares[i] > 0.0 else 1.0

    def after(shares: float) -> AccountAtHand:
        return account.traded(i, sign * shares)

    def cured(shares: float) -> bool:
        return not is_called(after(shares))

    shares, fraction = 0.0, 0.0
    if not cured(0.0):
        written = bool((account.positions.contracts < 0.0).any())
        enough = held if cured(held) else _best(held, after, cured) if written else None
        shares = _fewest_whole(enough, held, cured)
        fraction = held if enough is None else _least(enough, after)
    return Cure(
        shares_to_trade=shares,
        excess_liquidity_after_usd=after(shares).figures().excess_liquidity_usd,
        market_value_to_cut_usd=fraction * price,
        market_value_after_cut_usd=(held - fraction) * price,
        cures=cured(shares),
    )


def _best(
    held: float, after: Callable[[float], AccountAtHand], cured: Callable[[float], bool]
) -> float | None:
    """The number of shares that leaves most excess liquidity, if it cures; None if none does.

    Fewer than all can leave more only where written options need shares to cover them.
    """
    low, high = 0.0, held
    for _ in range(NARROWINGS):
        one, other = low + (high - low) / 3.0, high - (high - low) / 3.0
        if after(one).figures().excess_liquidity_usd < after(other).figures().excess_liquidity_usd:
            low = one
        else:
            high = other
    best = 0.5 * (low + high)
    return best if cured(best) else None


def _fewest_whole(enough: float | None, held: float, cured: Callable[[float], bool]) -> float:
    """Fewest whole shares that cure; all of them if none do.

    A fraction of a share that is held goes with the last one.
    """
    if enough is None:
        return held
    low, high = 0, math.ceil(enough)
    while low < high:
        middle = (low + high) // 2
        if cured(min(float(middle), held)):
            high = middle
        else:
            low = middle + 1
    shares = min(float(high), held)
    return shares if cured(shares) else held


def _least(enough: float, after: Callable[[float], AccountAtHand]) -> float:
    """The least number of shares that cures, fractions allowed."""
    low, high = 0.0, enough
    for _ in range(NARROWINGS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if after(middle).figures().excess_liquidity_usd >= 0.0:
            high = middle
        else:
            low = middle
    return high
