"""Carrying positions at a price: the open, the extremes, the close, and the end of options."""

import math

import numpy as np

from levsleeve.backtests.event_kinds import OPTION_EXPIRED, WHY_SETTLED
from levsleeve.backtests.measures import slot_price, tenor_days
from levsleeve.backtests.state import (
    CASH,
    COMMISSION,
    OPTION,
    Account,
    Tape,
    Terms,
    note_charges,
    record,
)
from levsleeve.compiled import Floats, rule

LOW, HIGH = 0.0, 1.0
"""Sides of a session: where the index was lowest, and highest."""


@rule
def mark_at(account: Account, prices: Floats, tape: Tape, t: int, seen: int, terms: Terms) -> None:
    """Carry every fund at its entry of ``prices`` and every option at the model's price there.

    A fund without a price (NaN) keeps its mark.  ``seen`` is the session whose close gave the
    volatility.
    """
    for i in range(account.shares.size):
        if not math.isnan(prices[i]):
            account.price_flows[i] += account.shares[i] * (prices[i] - account.marks[i])
            account.marks[i] = prices[i]
    for k in range(account.contracts.size):
        if account.contracts[k] != 0.0:
            price = slot_price(account, tape, t, seen, terms, k)
            held = account.contracts[k] * account.multipliers[k]
            account.flows[OPTION] += held * (price - account.option_marks[k])
            account.option_marks[k] = price


@rule
def mark(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Carry every position at the close of session ``t``: funds at the close, options modelled."""
    mark_at(account, tape.closes[t], tape, t, t, terms)


@rule
def mark_open(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Carry every position at the open of session ``t``; volatility is that of the close before."""
    mark_at(account, tape.opens[t], tape, t, max(t - 1, 0), terms)


@rule
def mark_extreme(account: Account, tape: Tape, t: int, side: float, terms: Terms) -> None:
    """Carry every position where the index was at its ``LOW`` or ``HIGH`` of session ``t``.

    A fund that follows its index is at its own low then, an inverse fund at its own high: the low
    of a bull and that of a bear never coincide.  Options have the volatility of the session's
    close.
    """
    prices = np.empty(account.shares.size)
    for i in range(prices.size):
        down = (side == LOW) == (tape.multiples[t, i] > 0.0)
        prices[i] = tape.lows[t, i] if down else tape.highs[t, i]
    mark_at(account, prices, tape, t, t, terms)


@rule
def expire(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Settle in cash, at the marks just made, the options whose last session this is.

    One in the money is exercised, for which the broker may charge.
    """
    for k in range(account.contracts.size):
        if account.contracts[k] != 0.0 and tenor_days(account, tape, t, k) == 0.0:
            held = account.contracts[k] * account.multipliers[k]
            account.money[CASH] += held * account.option_marks[k]
            exercised = terms.commission.exercise_usd if account.option_marks[k] > 0.0 else 0.0
            account.money[CASH] -= exercised
            account.flows[COMMISSION] -= exercised
            account.costs[account.shares.size + k] += exercised
            row = record(
                account,
                OPTION_EXPIRED,
                account.shares.size + k,
                held,
                account.option_marks[k],
                account.contracts[k],
                0.0,
                WHY_SETTLED,
            )
            note_charges(account, row, exercised)
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
