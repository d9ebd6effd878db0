"""What a run is summed up in where its ledger is not kept: a row of counts."""

import math

from levsleeve.backtests.event_kinds import MARGIN_CALL, WHY_SPECIAL_MEMORANDUM, EventKind
from levsleeve.backtests.ledger import within_tolerance
from levsleeve.backtests.measures import (
    Standing,
    account_scale,
    net_liquidation,
    session_return,
)
from levsleeve.backtests.state import (
    ENDED,
    EVENT_COUNT,
    FLOW_CAUSES,
    PRICE,
    Account,
)
from levsleeve.compiled import Floats, hot_rule, inner_rule
from levsleeve.margin.account import cushion, utilization

LOW_CUSHION = 0.10
"""Brokers warn when excess liquidity falls below a tenth of net liquidation."""

COUNTS = (
    "sessions",
    "ended",
    "gaps",
    "ending_equity_usd",
    "peak_utilization",
    "utilization_sum",
    "held_sessions",
    "lowest_cushion",
    "lowest_excess_liquidity_usd",
    "sessions_below_10_percent_cushion",
    "lost_events",
    *(f"flow:{cause}" for cause in FLOW_CAUSES),
    "flow:price",
    *(f"events:{kind.name.lower()}" for kind in EventKind),
)
"""The columns of a tally; ``gaps`` are sessions that do not add up, ``lost_events`` what the buffer
could not hold."""
(
    SESSIONS,
    ENDED_HOW,
    GAPS,
    EQUITY,
    PEAK_UTILIZATION,
    UTILIZATION_SUM,
    HELD_SESSIONS,
    LOWEST_CUSHION,
    LOWEST_EXCESS,
    THIN_SESSIONS,
    LOST_EVENTS,
) = range(11)
FLOWS = 11
EVENTS = FLOWS + len(FLOW_CAUSES) + 1
N_COUNTS = len(COUNTS)


@inner_rule
def begin_counts(counts: Floats) -> None:
    """Start a tally."""
    for place in range(counts.size):
        counts[place] = 0.0
    counts[LOWEST_CUSHION] = math.inf
    counts[LOWEST_EXCESS] = math.inf


@hot_rule
def count_instants(counts: Floats, marked: Standing, left: Standing, touched: bool) -> None:
    """Count how near a call the close was as it was marked, and as the session left it."""
    thin = _count_standing(counts, marked) < LOW_CUSHION
    if touched:
        thin = _count_standing(counts, left) < LOW_CUSHION or thin
    if thin:
        counts[THIN_SESSIONS] += 1.0


@hot_rule
def _count_standing(counts: Floats, standing: Standing) -> float:
    """Count utilization and cushion at one instant of a session; returns the cushion."""
    loanable, maintenance = standing.equity_with_loan_value, standing.maintenance_margin
    used = utilization(maintenance, loanable)
    left = cushion(loanable - maintenance, standing.equity)
    counts[PEAK_UTILIZATION] = max(counts[PEAK_UTILIZATION], used)
    counts[LOWEST_CUSHION] = min(counts[LOWEST_CUSHION], left)
    return left


@hot_rule
def count_close(
    counts: Floats, returns: Floats, account: Account, t: int, before: float, left: Standing
) -> None:
    """What a session leaves: utilization, flows and return on the equity ``before``, in dollars."""
    worth, maintenance = left.equity, left.maintenance_margin
    excess = left.equity_with_loan_value - maintenance
    counts[SESSIONS] += 1.0
    if maintenance > 0.0:
        counts[UTILIZATION_SUM] += utilization(maintenance, left.equity_with_loan_value)
        counts[HELD_SESSIONS] += 1.0
    counts[LOWEST_EXCESS] = min(counts[LOWEST_EXCESS], excess)
    total = 0.0
    for cause in range(PRICE):
        counts[FLOWS + cause] += account.flows[cause]
        total += account.flows[cause]
    for cause in range(PRICE, PRICE + account.book.funds.shape[0]):
        counts[FLOWS + PRICE] += account.flows[cause]
        total += account.flows[cause]
    if not within_tolerance(worth - before - total, account_scale(account)):
        counts[GAPS] += 1.0
    returns[t] = session_return(account, before, worth) if t > 0 else 0.0


@inner_rule
def end_counts(counts: Floats, account: Account) -> None:
    """What the whole run leaves."""
    counts[ENDED_HOW] = account.money[ENDED]
    counts[EQUITY] = net_liquidation(account)


@hot_rule
def count_events(counts: Floats, account: Account) -> None:
    """Count the events of the session by their kind, and forget them."""
    if account.money[EVENT_COUNT] != 0.0:
        _count_events(counts, account)


@inner_rule
def _count_events(counts: Floats, account: Account) -> None:
    """Count the events of the session by their kind, and forget them."""
    waiting, room = account.money[EVENT_COUNT], account.events.shape[0]
    counts[LOST_EVENTS] += max(0.0, waiting - room)
    for row in range(min(int(waiting), room)):
        event = account.events[row]
        counts[EVENTS + int(event[0])] += 1.0
        if event[0] == MARGIN_CALL and event[6] != WHY_SPECIAL_MEMORANDUM:
            counts[LOWEST_EXCESS] = min(counts[LOWEST_EXCESS], event[4])
    account.money[EVENT_COUNT] = 0.0
