"""Carrying positions at a price: the open, the extremes, the close, and the end of options."""

import math

from levsleeve.backtests.event_kinds import OPTION_EXPIRED, WHY_SETTLED
from levsleeve.backtests.measures import last_session, slot_price
from levsleeve.backtests.state import (
    CASH,
    COMMISSION,
    OPTION,
    PRICE,
    Account,
    note_charges,
    record,
)
from levsleeve.backtests.tape import (
    CLOSE,
    HIGH,
    LOW,
    OPEN,
    Tape,
)
from levsleeve.compiled import hot_rule, rule
from levsleeve.margin.book import (
    CONTRACTS,
    EXPIRY,
    MARK,
    MULTIPLE,
    MULTIPLIER,
    PREMIUM,
    SHARES,
)
from levsleeve.pricing.volatility import VolatilityModel

INDEX_LOW, INDEX_HIGH = 0.0, 1.0
"""Sides of a session: where the index was lowest, and highest."""


@hot_rule
def carry_fund(account: Account, i: int, price: float) -> None:
    """Carry fund ``i`` at a price; without one (NaN) it keeps its mark."""
    funds = account.book.funds
    if not math.isnan(price):
        account.flows[PRICE + i] += funds[i, SHARES] * (price - funds[i, MARK])
        funds[i, MARK] = price


@hot_rule
def carry_options(account: Account, tape: Tape, t: int, seen: int, model: VolatilityModel) -> None:
    """Carry every option at the model's price at the funds' marks.

    ``seen`` is the session whose close gave the volatility.
    """
    slots = account.book.slots
    for k in range(slots.shape[0]):
        if slots[k, CONTRACTS] != 0.0:
            price = slot_price(account, tape, t, seen, model, k)
            held = slots[k, CONTRACTS] * slots[k, MULTIPLIER]
            account.flows[OPTION] += held * (price - slots[k, PREMIUM])
            slots[k, PREMIUM] = price


@hot_rule
def mark(account: Account, tape: Tape, t: int, model: VolatilityModel) -> None:
    """Carry every position at the close of session ``t``: funds at the close, options modelled."""
    for i in range(account.book.funds.shape[0]):
        carry_fund(account, i, tape.funds[t, i, CLOSE])
    carry_options(account, tape, t, t, model)


@rule
def mark_open(account: Account, tape: Tape, t: int, model: VolatilityModel) -> None:
    """Carry every position at the open of session ``t``; volatility is that of the close before."""
    for i in range(account.book.funds.shape[0]):
        carry_fund(account, i, tape.funds[t, i, OPEN])
    carry_options(account, tape, t, max(t - 1, 0), model)


@rule
def mark_extreme(account: Account, tape: Tape, t: int, side: float, model: VolatilityModel) -> None:
    """Carry every position where the index was at its lowest or highest of session ``t``.

    ``side`` is ``INDEX_LOW`` or ``INDEX_HIGH``.  A fund that follows its index is at its own low
    then, an inverse fund at its own high: the low of a bull and that of a bear never coincide.
    Options have the volatility of the session's close.
    """
    for i in range(account.book.funds.shape[0]):
        down = (side == INDEX_LOW) == (tape.funds[t, i, MULTIPLE] > 0.0)
        carry_fund(account, i, tape.funds[t, i, LOW] if down else tape.funds[t, i, HIGH])
    carry_options(account, tape, t, t, model)


@hot_rule
def expire(account: Account, tape: Tape, t: int, exercise_usd: float) -> None:
    """Settle in cash, at the marks just made, the options whose last session this is.

    One in the money is exercised, for which the broker may charge.
    """
    slots = account.book.slots
    for k in range(slots.shape[0]):
        if slots[k, CONTRACTS] != 0.0 and last_session(tape, t, slots[k, EXPIRY]):
            settle_option(account, k, exercise_usd)


@rule
def settle_option(account: Account, k: int, exercise_usd: float) -> None:
    """Settle the option of slot ``k`` in cash at its mark."""
    slot, place = account.book.slots[k], account.book.funds.shape[0] + k
    held = slot[CONTRACTS] * slot[MULTIPLIER]
    account.money[CASH] += held * slot[PREMIUM]
    exercised = exercise_usd if slot[PREMIUM] > 0.0 else 0.0
    account.money[CASH] -= exercised
    account.flows[COMMISSION] -= exercised
    account.costs[place] += exercised
    row = record(
        account, OPTION_EXPIRED, place, held, slot[PREMIUM], slot[CONTRACTS], 0.0, WHY_SETTLED
    )
    note_charges(account, row, exercised)
    clear_slot(account, k)


@rule
def clear_slot(account: Account, k: int) -> None:
    """Empty an option slot."""
    for place in range(account.book.slots.shape[1]):
        account.book.slots[k, place] = 0.0
