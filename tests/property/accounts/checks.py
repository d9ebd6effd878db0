"""What must hold of every life that was lived, whatever it held and whatever the market did."""

import numpy as np
import pytest
from tests.property.accounts.living import TRADES, Event, Lived

from levsleeve.backtests.event_kinds import EventKind, Why
from levsleeve.instruments.borrow_state import BORROW_AVAILABLE, BORROW_RECALLED

CASH_CAUSES = (
    "debit_interest", "credit_interest", "short_rebate", "borrow_fee", "distributions",
    "commission", "fees", "liquidation", "external",
)  # fmt: skip
"""Causes of a change of equity that go straight to cash; the spread is part of a trade's price."""
TRADABLE = 1e-6
"""Parts of a share are counted to the rounding of a product."""


def dollars(lived: Lived, session: int) -> object:
    """Nothing, to within rounding."""
    return pytest.approx(0.0, abs=lived.scale(session))


# -- the books -------------------------------------------------------------------------------------


def every_dollar_of_cash_is_explained(lived: Lived) -> None:
    """By trades, fees, carry, distributions, settlements and flows from outside."""
    explained = lived.flow(*CASH_CAUSES)
    for event in lived.events:
        if event.kind in TRADES:
            explained[event.session] -= event.shares * event.price
        elif event.kind == EventKind.OPTION_EXPIRED:
            explained[event.session] += event.shares * event.price
        elif event.kind == EventKind.SPLIT and event.place in lived.funds:
            ratio = lived.market.tape.splits[event.session, event.place]
            explained[event.session] += (event.before * ratio - event.after) * event.price
    moved = np.diff(lived.rows["cash"], prepend=lived.life.scene.cash)
    for t in lived.sessions:
        assert moved[t] - explained[t] == dollars(lived, t), t


def the_flows_explain_equity_and_the_parts_make_it(lived: Lived) -> None:
    rows = lived.rows
    explained = np.sum([rows[name] for name in rows if name.startswith("flow:")], axis=0)
    moved = np.diff(rows["equity"], prepend=lived.life.scene.cash)
    values = lived.columns("value")
    assert np.array_equal(values, lived.columns("shares") * lived.columns("price"))
    for t in lived.sessions:
        assert moved[t] - explained[t] == dollars(lived, t), t
        assert rows["equity"][t] - rows["cash"][t] - values[t].sum() == dollars(lived, t), t


def each_event_takes_positions_on_from_the_one_before(lived: Lived) -> None:
    """And what they leave at a session's end is what the ledger and Backtrader hold."""
    held = np.zeros(len(lived.broker.names))
    changes = (*TRADES, EventKind.SPLIT, EventKind.OPTION_EXPIRED)
    shares = lived.columns("shares")
    for t in lived.sessions:
        for event in (e for e in lived.events if e.session == t and e.kind in changes):
            assert event.before == held[event.place], event
            held[event.place] = event.after
        assert held[: len(lived.funds)] == pytest.approx(shares[t, : len(lived.funds)]), t
        assert np.array_equal(held[len(lived.funds) :] != 0.0, shares[t, len(lived.funds) :] != 0.0)
    assert not [differs for differs in lived.differences if differs[1] in lived.broker.names]


def marks_are_closes_and_wait_where_there_is_none(lived: Lived) -> None:
    """An account that is wiped within a session keeps its marks of that moment."""
    closes, splits = lived.market.tape.closes, lived.market.tape.splits
    before = np.zeros(len(lived.funds))
    for t in lived.sessions[: -1 if lived.broker.ended else None]:
        expected = np.where(np.isnan(closes[t]), before / splits[t], closes[t])
        before = lived.columns("price")[t, : len(lived.funds)]
        assert before == pytest.approx(expected, rel=1e-12), t


def prices_earn_what_the_positions_held_before_them(lived: Lived) -> None:
    """Shares of the last close times the move: a split itself earns nothing."""
    if lived.life.broker.fill == "next_open" or lived.life.broker.intraday_test:
        return
    marks, splits = lived.columns("price"), lived.market.tape.splits
    for i, symbol in enumerate(lived.market.symbols):
        held, mark = 0.0, 0.0
        for t in lived.sessions:
            for split in (e for e in lived.of(EventKind.SPLIT, t) if e.place == i):
                held = split.after
            moved = held * (marks[t, i] - mark / splits[t, i])
            assert lived.rows[f"flow:price:{symbol}"][t] - moved == dollars(lived, t), (t, symbol)
            held, mark = lived.columns("shares")[t, i], marks[t, i]


# -- trading ---------------------------------------------------------------------------------------


def trades(lived: Lived) -> list[Event]:
    return [event for event in lived.events if event.kind in TRADES]


def nothing_trades_without_a_price(lived: Lived) -> None:
    for event in trades(lived):
        assert not np.isnan(lived.market.tape.closes[event.session, event.fund]), event


def nobody_goes_short_who_may_not(lived: Lived) -> None:
    """Neither a cash account, nor anybody in shares that nobody lends; what is short may stay."""
    cash_account = lived.market.rulebook.policy.margin_mode == "cash"
    for event in lived.of(EventKind.ORDER_FILLED):
        if event.after < min(event.before, 0.0):
            assert not cash_account, event
            lent = lived.market.tape.borrow_states[event.session, event.fund] == BORROW_AVAILABLE
            assert lent or event.place not in lived.funds, event


def recalled_shorts_are_flat_after_their_session(lived: Lived) -> None:
    recalled = lived.market.tape.borrow_states == BORROW_RECALLED
    for t in lived.sessions[: -1 if lived.broker.wiped else None]:
        called = recalled[t] & (lived.quoted[t] > 0.0)
        assert (lived.columns("shares")[t, : len(lived.funds)][called] >= 0.0).all(), t


def what_opens_or_splits_is_of_parts_that_trade(lived: Lived) -> None:
    """Whole shares, or ten-thousandths; whole contracts."""
    for event in lived.events:
        opens = event.kind == EventKind.ORDER_FILLED and event.before == 0.0
        if opens or event.kind == EventKind.SPLIT:
            parts = 10_000.0 if event.place in lived.funds and lived.life.broker.fractional else 1.0
            count = event.after * parts
            assert count == pytest.approx(round(count), abs=TRADABLE), event


def what_closes_is_never_refused(lived: Lived) -> None:
    held = np.zeros(len(lived.broker.names))
    for event in lived.events:
        if event.kind in (*TRADES, EventKind.SPLIT, EventKind.OPTION_EXPIRED):
            held[event.place] = event.after
        elif event.kind in (EventKind.ORDER_REFUSED, EventKind.ORDER_CUT):
            had, wanted = held[event.place], event.shares
            if had * wanted < 0.0:
                assert event.place in lived.funds, event
                dropped = 0.0001 if lived.life.broker.fractional else 1.0
                part = dropped if event.why == Why.FRACTION else 0.0
                assert abs(event.after) > min(abs(had), abs(wanted)) - part - TRADABLE, event


def a_day_with_trades_ends_with_a_memorandum_above_zero_or_without_shares(lived: Lived) -> None:
    """Portfolio margin and cash accounts know none."""
    if lived.market.rulebook.policy.margin_mode != "strategy":
        return
    shares, balance = lived.columns("shares"), lived.rows["special_memorandum_account"]
    for t in {event.session for event in trades(lived)}:
        sellable = lived.quoted[t] * shares[t, : len(lived.funds)]
        if sellable.any() and not (lived.broker.ended and t == lived.sessions[-1]):
            assert balance[t] >= -lived.scale(t), t


# -- the end ---------------------------------------------------------------------------------------


def nothing_follows_the_end(lived: Lived) -> None:
    """Equity is above zero to the last session but one, and a wiped account trades no more."""
    assert (lived.rows["equity"][:-1] > 0.0).all()
    ends = [i for i, e in enumerate(lived.events)
            if e.kind in (EventKind.WIPED, EventKind.CLOSED_OUT)]  # fmt: skip
    assert bool(ends) == lived.broker.ended
    if ends:
        after = lived.events[ends[0] + 1 :]
        assert lived.events[ends[0]].session == lived.sessions[-1]
        assert all(event.kind == EventKind.WIPED for event in after)
    else:
        assert len(lived.sessions) == len(lived.market.sessions)


def equity_falls_below_zero_by_the_gap_alone(lived: Lived) -> None:
    """Beyond equity go the move since the last mark, carry and the costs of closing, no more."""
    if not lived.broker.wiped or len(lived.sessions) == 1:
        return
    t = lived.sessions[-1]
    assert lived.rows["equity"][t] <= lived.scale(t)
    flows = [lived.rows[name][t] for name in lived.rows if name.startswith("flow:")]
    assert lived.rows["equity"][t] >= min(0.0, sum(flows)) - lived.scale(t)
    assert lived.of(EventKind.WIPED, t)[0].before >= sum(min(flow, 0.0) for flow in flows)


# -- margin calls ----------------------------------------------------------------------------------


def a_liquidation_cures_or_leaves_nothing_to_sell(lived: Lived) -> None:
    """Of the policies that liquidate at the call, at once or everything."""
    if lived.life.broker.call_policy == "call":
        return
    held = np.zeros(len(lived.broker.names))
    marks = lived.columns("price")
    for at, event in enumerate(lived.events):
        if event.kind in (*TRADES, EventKind.SPLIT, EventKind.OPTION_EXPIRED):
            held[event.place] = event.after
        if event.kind != EventKind.MARGIN_CALL or event.why == Why.SPECIAL_MEMORANDUM:
            continue
        left = held.copy()
        for sold in lived.events[at + 1 :]:
            if sold.kind != EventKind.LIQUIDATION or sold.session != event.session:
                break
            left[sold.place] = sold.after
        funds = slice(0, len(lived.funds))
        sellable = left[funds] * lived.quoted[event.session] * marks[event.session, funds]
        assert event.after >= -lived.scale(event.session) or not sellable.any(), event


def a_session_without_orders_ends_without_a_deficit(lived: Lived) -> None:
    """Or without shares, where the broker liquidates at once."""
    filled = {event.session for event in lived.of(EventKind.ORDER_FILLED)}
    if lived.life.broker.call_policy == "call":
        return
    for t in set(lived.sessions) - filled:
        sellable = lived.columns("value")[t, : len(lived.funds)] * lived.quoted[t]
        if sellable.any() and not (lived.broker.ended and t == lived.sessions[-1]):
            assert lived.rows["excess_liquidity"][t] >= -lived.scale(t), t


def a_call_waits_its_sessions(lived: Lived) -> None:
    """No liquidation before the last of them, none once the call was cured, none later.

    Later goes only what had no price until then.
    """
    if lived.life.broker.call_policy != "call":
        return
    due, liquidated = -1, False
    for event in lived.events:
        if event.why == Why.SPECIAL_MEMORANDUM:
            continue
        if event.kind == EventKind.MARGIN_CALL:
            assert due < 0 or liquidated, event
            due, liquidated = event.session + lived.life.broker.call_sessions, False
        elif event.kind == EventKind.CALL_MET:
            assert due >= 0, event
            due = -1
        elif event.kind == EventKind.LIQUIDATION and event.why == Why.CALL_DUE:
            assert 0 <= due <= event.session, event
            unpriced = np.isnan(lived.market.tape.closes[due : event.session, event.fund])
            assert unpriced.all() or event.place not in lived.funds, event
            liquidated = True
        elif event.kind == EventKind.LIQUIDATION:
            assert lived.broker.wiped, event
            assert event.session == lived.sessions[-1], event


BOOKS = (
    every_dollar_of_cash_is_explained,
    the_flows_explain_equity_and_the_parts_make_it,
    each_event_takes_positions_on_from_the_one_before,
    marks_are_closes_and_wait_where_there_is_none,
    prices_earn_what_the_positions_held_before_them,
)
TRADING = (
    nothing_trades_without_a_price,
    nobody_goes_short_who_may_not,
    recalled_shorts_are_flat_after_their_session,
    what_opens_or_splits_is_of_parts_that_trade,
    what_closes_is_never_refused,
    a_day_with_trades_ends_with_a_memorandum_above_zero_or_without_shares,
)
CALLS = (
    nothing_follows_the_end,
    equity_falls_below_zero_by_the_gap_alone,
    a_liquidation_cures_or_leaves_nothing_to_sell,
    a_session_without_orders_ends_without_a_deficit,
    a_call_waits_its_sessions,
)
