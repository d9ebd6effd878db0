"""What a run is summed up in where its ledger is not kept: a row of counts."""

import math

from levsleeve.backtests.event_kinds import MARGIN_CALL, WHY_SPECIAL_MEMORANDUM, EventKind
from levsleeve.backtests.ledger import within_tolerance
from levsleeve.backtests.measures import (
    account_scale,
    equity_with_loan_value,
    net_liquidation,
    requirement,
)
from levsleeve.backtests.state import (
    BORROW_FEE,
    CREDIT_INTEREST,
    DEBIT_INTEREST,
    ENDED,
    EVENT_COUNT,
    EXTERNAL,
    FLOW_CAUSES,
    PRICE,
    SHORT_REBATE,
    Account,
)
from levsleeve.backtests.tape import Tape
from levsleeve.compiled import Floats, hot_rule, inner_rule
from levsleeve.margin.account import cushion, utilization
from levsleeve.margin.combination import MAINTENANCE

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
    "marked_cushion",
    "lost_events",
    *(f"flow:{cause}" for cause in FLOW_CAUSES),
    "flow:price",
    *(f"events:{kind.name.lower()}" for kind in EventKind),
)
"""The columns of a tally; ``gaps`` are sessions that do not add up, ``lost_events`` those beyond the
buffer of a session."""
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
    MARKED_CUSHION,
    LOST_EVENTS,
) = range(12)
FLOWS = 12
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
def count_marked(counts: Floats, account: Account, tape: Tape, t: int) -> None:
    """Utilization and cushion as the close brought them, before anything is traded at it."""
    loanable = equity_with_loan_value(account, tape, t)
    maintenance = requirement(account, tape, t, MAINTENANCE)
    counts[MARKED_CUSHION] = cushion(loanable - maintenance, net_liquidation(account))
    used = utilization(maintenance, loanable)
    counts[PEAK_UTILIZATION] = max(counts[PEAK_UTILIZATION], used)


@hot_rule
def count_close(
    counts: Floats, returns: Floats, account: Account, tape: Tape, t: int, before: float
) -> None:
    """What a session leaves: utilization, cushion, flows and return.  ``before`` is in dollars."""
    worth = net_liquidation(account)
    loanable = equity_with_loan_value(account, tape, t)
    maintenance = requirement(account, tape, t, MAINTENANCE)
    used, left = utilization(maintenance, loanable), cushion(loanable - maintenance, worth)
    least = min(left, counts[MARKED_CUSHION])
    counts[SESSIONS] += 1.0
    counts[ENDED_HOW] = account.money[ENDED]
    counts[EQUITY] = worth
    counts[PEAK_UTILIZATION] = max(counts[PEAK_UTILIZATION], used)
    if maintenance > 0.0:
        counts[UTILIZATION_SUM] += used
        counts[HELD_SESSIONS] += 1.0
    counts[LOWEST_CUSHION] = min(counts[LOWEST_CUSHION], least)
    counts[LOWEST_EXCESS] = min(counts[LOWEST_EXCESS], loanable - maintenance)
    if least < LOW_CUSHION:
        counts[THIN_SESSIONS] += 1.0
    total = 0.0
    for cause in range(PRICE):
        counts[FLOWS + cause] += account.flows[cause]
        total += account.flows[cause]
    for cause in range(PRICE, account.flows.size):
        counts[FLOWS + PRICE] += account.flows[cause]
        total += account.flows[cause]
    if not within_tolerance(worth - before - total, account_scale(account)):
        counts[GAPS] += 1.0
    returns[t] = _session_return(account, before, worth) if t > 0 else 0.0


@hot_rule
def _session_return(account: Account, before: float, worth: float) -> float:
    """Return of one session on equity, deposits and withdrawals taken out (see ``returns``)."""
    flows, base, carried = account.flows, before, 1.0
    if flows[EXTERNAL] != 0.0:
        posted = flows[DEBIT_INTEREST] + flows[CREDIT_INTEREST]
        posted += flows[SHORT_REBATE] + flows[BORROW_FEE]
        base = before + posted + flows[EXTERNAL]
        carried = 1.0 + posted / before
    return max(carried * worth / base - 1.0, -1.0)


@inner_rule
def count_events(counts: Floats, account: Account) -> None:
    """Count the events of the session by their kind, and forget them."""
    waiting, room = account.money[EVENT_COUNT], account.events.shape[0]
    counts[LOST_EVENTS] += max(0.0, waiting - room)
    for row in range(min(int(waiting), room)):
        event = account.events[row]
        counts[EVENTS + int(event[0])] += 1.0
        if event[0] == MARGIN_CALL and event[6] != WHY_SPECIAL_MEMORANDUM:
            counts[LOWEST_EXCESS] = min(counts[LOWEST_EXCESS], event[4])
    account.money[EVENT_COUNT] = 0.0
