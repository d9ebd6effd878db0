"""The compiled driver: one account, one loop over the sessions of a market.

The order of a session is that of ``MarginBroker``, step for step, through the same rules: what the
two leave is equal in every bit.  Sleeves run here; any other Backtrader strategy does not.
"""

from typing import NamedTuple

from levsleeve.backtests.decisions import decide
from levsleeve.backtests.forced import (
    buy_in,
    intraday_test,
    maintenance_test,
    special_memorandum_test,
    wipe_test,
)
from levsleeve.backtests.ledger import write_row
from levsleeve.backtests.marks import expire, mark, mark_open
from levsleeve.backtests.measures import Measures, Standing, measure, net_liquidation, standing_of
from levsleeve.backtests.plan import Plan
from levsleeve.backtests.state import (
    ALIVE,
    ENDED,
    EVENT_COUNT,
    NEXT_OPEN,
    SAME_CLOSE,
    TRADED,
    Account,
    Terms,
)
from levsleeve.backtests.steps import close_session, open_session
from levsleeve.backtests.tally import (
    count_close,
    count_events,
    count_instants,
)
from levsleeve.backtests.tape import RECALLS, Tape
from levsleeve.backtests.waiting import (
    accept_orders,
    any_waits,
    cover_orders,
    follow_slots,
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
def live(  # noqa: C901, PLR0912, PLR0915  (the order of a session, in one place)
    account: Account,
    orders: Floats,
    memory: Floats,
    tape: Tape,
    terms: Terms,
    plan: Plan,
    ways: Ways,
    out: Record,
) -> int:
    """Live an account through the sessions of a tape; returns how many it lived."""
    before = net_liquidation(account)
    for t in range(tape.sessions.shape[0]):
        if any_waits(orders):
            if ways.fill != SAME_CLOSE:
                accept_orders(account, orders, t - 1.0, terms.share_parts)
            split_orders(orders, tape, t, terms.share_parts)
        open_session(account, tape, t, terms)
        follow_slots(account, orders, tape, t)
        _trade_before_the_close(account, orders, tape, t, terms, ways)
        if account.money[ENDED] == ALIVE:
            _come_to_the_close(account, orders, tape, t, terms)
        marked = standing_of(account, tape, t)
        measured = NOTHING_MEASURED
        if ways.keeps != 0.0:
            measured = measure(account, tape, t, terms.volatility)
        touched = _answer_call(account, orders, tape, t, terms, marked)
        if ways.fill == SAME_CLOSE and account.money[ENDED] == ALIVE:
            now = standing_of(account, tape, t) if touched else marked
            decide(account, orders, memory, tape, t, ways.fill, plan, terms.share_parts, now)
            accept_orders(account, orders, float(t), terms.share_parts)
        acts = any_waits(orders) or account.money[TRADED] != 0.0
        if acts and account.money[ENDED] == ALIVE:
            _trade_at_the_close(account, orders, tape, t, terms, ways.cuts)
            touched = True
        left = standing_of(account, tape, t) if touched else marked
        close_session(account, tape, t, left.equity_with_loan_value)
        if ways.keeps != 0.0:
            write_row(out.rows[t], account, measured, measure(account, tape, t, terms.volatility))
        else:
            count_instants(out.counts, marked, left, touched)
            count_close(out.counts, out.returns, account, t, before, left)
        before = left.equity
        if ways.fill != SAME_CLOSE and account.money[ENDED] == ALIVE:
            decide(account, orders, memory, tape, t, ways.fill, plan, terms.share_parts, left)
        if ways.keeps != 0.0:
            out.event_ends[t] = account.money[EVENT_COUNT]
        else:
            count_events(out.counts, account)
        if account.money[ENDED] != ALIVE:
            return t + 1
    return tape.sessions.shape[0]


NOTHING_MEASURED = Measures(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@hot_rule
def _trade_before_the_close(
    account: Account, orders: Floats, tape: Tape, t: int, terms: Terms, ways: Ways
) -> None:
    """Fills at the open, and the test at the extremes of the session."""
    if ways.fill == NEXT_OPEN:
        mark_open(account, tape, t, terms.volatility)
        work_orders(account, orders, tape, t, max(t - 1, 0), terms, ways.cuts)
    if ways.intraday_test != 0.0 and intraday_test(account, tape, t, terms):
        reduce_only(account, orders)


@hot_rule
def _come_to_the_close(account: Account, orders: Floats, tape: Tape, t: int, terms: Terms) -> None:
    """Marks, expiries and buy-ins at the close."""
    mark(account, tape, t, terms.volatility)
    expire(account, tape, t, terms.commission.exercise_usd)
    if tape.sessions[t, RECALLS] != 0.0:
        first_event = int(account.money[EVENT_COUNT])
        buy_in(account, tape, t, terms)
        cover_orders(account, orders, first_event)


@hot_rule
def _answer_call(
    account: Account, orders: Floats, tape: Tape, t: int, terms: Terms, marked: Standing
) -> bool:
    """The maintenance test at the close; whether anything may have changed."""
    excess = marked.equity_with_loan_value - marked.maintenance_margin
    touched = account.money[ENDED] != ALIVE
    if not touched and maintenance_test(account, tape, t, terms, excess):
        reduce_only(account, orders)
        touched = True
    if touched or marked.equity <= 0.0:
        touched = True
        wipe_test(account)
    return touched


@hot_rule
def _trade_at_the_close(
    account: Account, orders: Floats, tape: Tape, t: int, terms: Terms, cuts: float
) -> None:
    """Fills at the close, and the test at the end of a day with trades."""
    work_orders(account, orders, tape, t, t, terms, cuts)
    if special_memorandum_test(account, tape, t, terms):
        reduce_only(account, orders)
    wipe_test(account)
