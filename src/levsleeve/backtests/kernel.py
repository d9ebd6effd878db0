"""The compiled driver: one account, one loop over the sessions of a market.

The order of a session is that of ``MarginBroker``, step for step, through the same rules: what the
two leave is equal in every bit.  Sleeves run here; any other Backtrader strategy does not.
"""

from typing import NamedTuple

from levsleeve.backtests.decisions import Plan, decide
from levsleeve.backtests.forced import (
    buy_in,
    intraday_test,
    maintenance_test,
    special_memorandum_test,
    wipe_test,
)
from levsleeve.backtests.ledger import write_row
from levsleeve.backtests.marks import expire, mark, mark_open
from levsleeve.backtests.measures import Measures, measure, net_liquidation
from levsleeve.backtests.state import (
    ALIVE,
    ENDED,
    EVENT_COUNT,
    NEXT_OPEN,
    SAME_CLOSE,
    Account,
    Terms,
)
from levsleeve.backtests.steps import close_session, open_session
from levsleeve.backtests.tally import count_close, count_events, count_marked
from levsleeve.backtests.tape import RECALLS, Tape
from levsleeve.backtests.waiting import (
    accept_orders,
    any_waits,
    cover_orders,
    reduce_only,
    split_orders,
    work_orders,
)
from levsleeve.compiled import Floats, hot_rule, rule


class Ways(NamedTuple):
    """How a run treats its orders and sessions.

    ``fill`` is one of those in ``state``; the others are switches, 0.0 or 1.0: whether lows and
    highs are tested, whether an opening that does not fit is cut (otherwise it is refused), and
    whether the ledger and the events are kept (otherwise they are only counted).
    """

    fill: float
    intraday_test: float
    cuts: float
    keeps: float


class Record(NamedTuple):
    """What a run writes: ``rows`` of the ledger with the number of events after each, or a tally.

    ``rows`` has the columns of ``ledger.ledger_columns``, ``counts`` those of ``tally``;
    ``returns`` are by session, the first 0.0.
    """

    rows: Floats
    event_ends: Floats
    counts: Floats
    returns: Floats


@rule
def live(  # noqa: C901, PLR0912  (the order of a session, in one place)
    account: Account, orders: Floats, tape: Tape, terms: Terms, plan: Plan, ways: Ways, out: Record
) -> int:
    """Live an account through the sessions of a tape; returns how many it lived."""
    for t in range(tape.sessions.shape[0]):
        before = net_liquidation(account)
        if ways.fill != SAME_CLOSE and any_waits(orders):
            accept_orders(account, orders, t - 1.0, terms.share_parts)
            split_orders(orders, tape, t, terms.share_parts)
        open_session(account, tape, t, terms)
        if ways.fill == NEXT_OPEN:
            mark_open(account, tape, t, terms.volatility)
            work_orders(account, orders, tape, t, max(t - 1, 0), terms, ways.cuts)
        if ways.intraday_test != 0.0 and intraday_test(account, tape, t, terms):
            reduce_only(account, orders)
        marked = _come_to_close(account, orders, tape, t, terms, out, ways.keeps)
        if ways.fill == SAME_CLOSE and account.money[ENDED] == ALIVE:
            decide(account, orders, tape, t, ways.fill, plan, terms.share_parts)
            accept_orders(account, orders, float(t), terms.share_parts)
        if any_waits(orders) and account.money[ENDED] == ALIVE:
            work_orders(account, orders, tape, t, t, terms, ways.cuts)
        if account.money[ENDED] == ALIVE and special_memorandum_test(account, tape, t, terms):
            reduce_only(account, orders)
        wipe_test(account)
        close_session(account, tape, t)
        if ways.keeps != 0.0:
            write_row(out.rows[t], account, marked, measure(account, tape, t, terms.volatility))
            out.event_ends[t] = account.money[EVENT_COUNT]
        else:
            count_close(out.counts, out.returns, account, tape, t, before)
            count_events(out.counts, account)
        if account.money[ENDED] != ALIVE:
            return t + 1
        if ways.fill != SAME_CLOSE:
            decide(account, orders, tape, t, ways.fill, plan, terms.share_parts)
    return tape.sessions.shape[0]


@hot_rule
def _come_to_close(
    account: Account, orders: Floats, tape: Tape, t: int, terms: Terms, out: Record, keeps: float
) -> Measures:
    """Marks, expiries and buy-ins at the close, and the maintenance test."""
    if account.money[ENDED] == ALIVE:
        mark(account, tape, t, terms.volatility)
        expire(account, tape, t, terms.commission.exercise_usd)
        if tape.sessions[t, RECALLS] != 0.0:
            first_event = int(account.money[EVENT_COUNT])
            buy_in(account, tape, t, terms)
            cover_orders(account, orders, first_event)
    if keeps != 0.0:
        marked = measure(account, tape, t, terms.volatility)
    else:
        marked = Measures(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        count_marked(out.counts, account, tape, t)
    if account.money[ENDED] == ALIVE and maintenance_test(account, tape, t, terms):
        reduce_only(account, orders)
    wipe_test(account)
    return marked
