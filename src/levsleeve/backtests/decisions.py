"""What a sleeve decides at a close, as one compiled rule for both drivers."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from levsleeve.backtests.market import Market
from levsleeve.backtests.measures import last_session, net_liquidation
from levsleeve.backtests.state import NEXT_CLOSE, SAME_CLOSE, Account
from levsleeve.backtests.tape import CLOSE, DATE, Tape
from levsleeve.backtests.waiting import CONTRACT, DECIDED_ON, TARGET, WANTED
from levsleeve.compiled import Floats, hot_rule, inner_rule
from levsleeve.margin.book import CONTRACTS, EXPIRY, SHARES
from levsleeve.pricing.black_scholes import PUT
from levsleeve.strategies.hedges import (
    CONTRACT_SHARES,
    nearest_expiry,
    put_contracts,
    put_strike,
)
from levsleeve.strategies.sizing import (
    capped_weight,
    outside_band,
    rebalance_sessions,
    target_shares,
)
from levsleeve.strategies.sleeve import ProtectivePut, Sleeve

CAP, BAND, LEVERAGED_WEIGHT, PUTS, PUT_FUND, MONEYNESS, TENOR_DAYS, COVERAGE = range(8)
N_PLAN_FIELDS = 8
"""Places of ``Plan.numbers``: the cap and the gross weight that it bounds, the least deviation that
is traded, and of protective puts: 1.0 if there are any, their fund's number, strike over close,
calendar days to expiry and fraction of the shares covered."""


class Plan(NamedTuple):
    """A sleeve as numbers, over the sessions of one market.

    ``weights`` (signed, of equity) and ``leveraged`` (1.0 or 0.0) are by fund, ``due`` by session:
    1.0 where weights are set anew.  ``expiries`` are the listed ones, rising date ordinals.
    """

    numbers: Floats
    weights: Floats
    leveraged: Floats
    due: Floats
    expiries: Floats


def plan_of(sleeve: Sleeve, market: Market) -> Plan:
    """The numbers of a sleeve whose funds are those of the market."""
    return Plan(
        numbers=numbers_of(sleeve, market.symbols),
        weights=weights_of(sleeve, market.symbols),
        leveraged=leveraged_funds(market),
        due=due_sessions(sleeve.rebalance, market),
        expiries=market.expiries,
    )


def numbers_of(sleeve: Sleeve, symbols: Sequence[str]) -> Floats:
    """``Plan.numbers`` of a sleeve."""
    numbers = np.zeros(N_PLAN_FIELDS)
    numbers[[CAP, BAND, LEVERAGED_WEIGHT]] = sleeve.cap, sleeve.band, sleeve.leveraged_weight
    if isinstance(sleeve.hedge, ProtectivePut):
        put = sleeve.hedge
        place = float(symbols.index(put.fund))
        numbers[PUTS:] = 1.0, place, put.moneyness, put.tenor_days, put.coverage
    return numbers


def weights_of(sleeve: Sleeve, symbols: Sequence[str]) -> Floats:
    """Signed weight of each fund."""
    targets = sleeve.targets
    return np.array([targets[symbol] for symbol in symbols])


def leveraged_funds(market: Market) -> Floats:
    """1.0 for each fund that the cap bounds, 0.0 for the others."""
    return np.array([float(fund.is_leveraged) for fund in market.funds])


def due_sessions(cadence: str, market: Market) -> Floats:
    """1.0 on each session whose close sets the weights anew, 0.0 on the others."""
    return rebalance_sessions(market.sessions, cadence).astype(np.float64)


@hot_rule
def decide(
    account: Account, orders: Floats, tape: Tape, t: int, fill: float, plan: Plan, parts: float
) -> None:
    """Decide at the close of session ``t`` what to hold from the fill on: sizes, then the hedge.

    Orders are written into their rows (see ``waiting``), in place of what still waits there.
    ``parts`` of a share trade.
    """
    if plan.due[t] != 0.0:
        _resize(account, orders, tape, t, plan, parts)
    if plan.numbers[PUTS] != 0.0:
        filled_on = t if fill == SAME_CLOSE else t + 1
        if filled_on < tape.sessions.shape[0]:
            slot = account.book.slots[0]
            settles = fill == NEXT_CLOSE and last_session(tape, filled_on, slot[EXPIRY])
            if slot[CONTRACTS] == 0.0 or settles:
                _renew_puts(account, orders, tape, t, filled_on, plan)


@inner_rule
def _resize(account: Account, orders: Floats, tape: Tape, t: int, plan: Plan, parts: float) -> None:
    """Order every fund to its capped weight where it is outside the band."""
    equity, numbers = net_liquidation(account), plan.numbers
    for i in range(plan.weights.size):
        price, held = tape.funds[t, i, CLOSE], account.book.funds[i, SHARES]
        leveraged = plan.leveraged[i] != 0.0
        gross, cap = numbers[LEVERAGED_WEIGHT], numbers[CAP]
        allowed = capped_weight(plan.weights[i], leveraged, gross, cap)
        order = orders[i]
        order[TARGET] = math.nan
        if math.isnan(price):  # without a price nothing is decided, and what waits goes on waiting
            continue
        order[WANTED], order[DECIDED_ON] = 0.0, t
        if outside_band(held, price, allowed, equity, numbers[BAND]):
            order[TARGET] = target_shares(allowed, equity, price, parts)
            order[WANTED] = order[TARGET] - held


@inner_rule
def _renew_puts(
    account: Account, orders: Floats, tape: Tape, t: int, filled_on: int, plan: Plan
) -> None:
    """Order the next puts, on the shares that will be held where the order fills."""
    numbers, i = plan.numbers, int(plan.numbers[PUT_FUND])
    price, shares = tape.funds[t, i, CLOSE], account.book.funds[i, SHARES]
    if plan.due[t] != 0.0 and not math.isnan(orders[i, TARGET]):
        shares = orders[i, TARGET]
    contracts = put_contracts(shares, numbers[COVERAGE])
    coming = tape.sessions[filled_on, DATE]
    expiry = nearest_expiry(coming, plan.expiries, numbers[TENOR_DAYS])
    if not price > 0.0 or contracts <= 0.0 or expiry == 0.0:  # also without a price
        return
    order = orders[tape.funds.shape[1]]
    order[WANTED], order[DECIDED_ON] = contracts, t
    order[CONTRACT], order[CONTRACT + 1] = CONTRACT_SHARES, put_strike(price, numbers[MONEYNESS])
    order[CONTRACT + 2], order[CONTRACT + 3], order[CONTRACT + 4] = expiry, PUT, i
