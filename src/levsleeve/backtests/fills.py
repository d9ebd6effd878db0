"""Working a strategy's orders: which come first, what of each passes the order test, the fill."""

import math
from typing import TYPE_CHECKING, Any

import backtrader as bt

from levsleeve.backtests.bookkeeping import contract_named, drain, execute_order, restate
from levsleeve.backtests.contracts import allowed_contracts, contract_held, trade_contracts
from levsleeve.backtests.event_kinds import (
    ORDER_CUT,
    ORDER_FILLED,
    ORDER_REFUSED,
    WHY_AVAILABLE_FUNDS,
    WHY_CALL_CLOSES,
    WHY_CASH_ACCOUNT,
    WHY_FRACTION,
    WHY_NO_SHARES_TO_BORROW,
    WHY_ORDER,
)
from levsleeve.backtests.marks import clear_slot
from levsleeve.backtests.order_life import clip, expired, reached, reduces
from levsleeve.backtests.orders import affordable, fill_shares, may_be_short
from levsleeve.backtests.state import (
    COMMISSION,
    FEES,
    FRACTIONAL_SHARES,
    PART_ROUNDING,
    WHOLE_SHARES,
    is_quoted,
    record,
    tradable_part,
)
from levsleeve.errors import StudyError
from levsleeve.margin.account import closing_part
from levsleeve.margin.schedule import CASH_ACCOUNT

SAME_SHARES = PART_ROUNDING / FRACTIONAL_SHARES
"""An order that differs from what fills by this much is filled: a rounded difference."""

if TYPE_CHECKING:
    from levsleeve.backtests.broker import MarginBroker


def work_pending(broker: "MarginBroker", *, opening: bool) -> None:
    """Fill what can fill at the price the broker looks at: orders that only reduce come first.

    At the ``opening`` orders for the close wait.  An order in a fund without a price waits, too.
    """
    for order in sorted(broker.pending, key=lambda order: not reduces(broker, order)):
        if order.alive() and order.info.get("reduces_only"):
            clip(broker, order)
        if not order.alive():  # also when an order filled just before cancelled it
            continue
        if order.executed.remsize == 0.0:  # a reverse split left nothing of it
            broker.cancel(order)
        elif expired(broker, order):
            broker.pending.remove(order)
            finish(broker, order)
        elif opening and order.exectype == bt.Order.Close:
            continue
        elif order.active() and _is_quoted(broker, order) and reached(broker, order):
            broker.pending.remove(order)
            _fill(broker, order)


def accept(broker: "MarginBroker", order: Any) -> bool:
    """Take an order that was submitted, without what of it does not trade; false if nothing does.

    What it may take of the account is tested when it fills.
    """
    require_tradable(broker, order)
    account, k = broker.account, broker.slot_of(order.data)
    if k >= 0 and contract_named(order) == contract_held(broker, k):
        order.info.pop("contract", None)  # it trades what the slot holds, whatever that becomes
    wanted, held = float(order.executed.remsize), float(broker.positions[order.data].size)
    closing = float(closing_part(held, wanted))
    parts = WHOLE_SHARES if k >= 0 else broker.terms.share_parts
    whole = closing if closing == -held else 0.0  # closing all of it closes its fraction, too
    tradable = whole + float(tradable_part(wanted - whole, parts))
    if abs(tradable - wanted) >= SAME_SHARES:
        place = broker.places[order.data._name]
        price = account.option_marks[k] if k >= 0 else account.marks[place]
        kind = ORDER_REFUSED if tradable == 0.0 else ORDER_CUT
        record(account, kind, place, wanted, price, wanted, tradable, WHY_FRACTION)
    restate(order, tradable, 1.0)
    if tradable == 0.0:
        order.reject(broker)
        finish(broker, order)
    return tradable != 0.0


def require_tradable(broker: "MarginBroker", order: Any) -> None:
    """Refuse an order in a feed that is no fund: a strategy may only look at it.

    Raises
    ------
    StudyError
        Naming the feed.
    """
    name = order.data._name
    if name not in broker.places:
        raise StudyError(
            f"order in {name or 'a feed without a name'}: no fund of that name is known; "
            "a ticker of the catalogue, or funds={NAME: MULTIPLE}, is right"
        )


def _is_quoted(broker: "MarginBroker", order: Any) -> bool:
    """Whether the fund that an order trades, or its option is on, has a price now."""
    k, place = broker.slot_of(order.data), broker.places[order.data._name]
    if k >= 0:
        contract = contract_named(order)
        place = int(broker.account.underlyings[k])
        if contract is not None:
            place = broker.places.get(contract.fund, place)
        if place >= len(broker.market.funds):
            return True
    return bool(is_quoted(broker.market.tape, broker.session, place))


def finish(broker: "MarginBroker", order: Any) -> None:
    """Tell of an order that will not be filled further, and release those tied to it."""
    broker.notify(order)
    broker._ococheck(order)
    broker._bracketize(order, cancel=True)


def _fill(broker: "MarginBroker", order: Any) -> None:
    """Fill, cut or refuse one order."""
    account, wanted = broker.account, float(order.executed.remsize)
    place, k = broker.places[order.data._name], broker.slot_of(order.data)
    allowed, why = _allowed(broker, order, wanted)
    if allowed != wanted:
        price = account.option_marks[k] if k >= 0 else account.marks[place]
        kind = ORDER_REFUSED if allowed == 0.0 else ORDER_CUT
        unit = account.multipliers[k] if k >= 0 else 1.0
        record(account, kind, place, wanted * unit, price, wanted * unit, allowed * unit, why)
    if allowed != 0.0:
        _trade(broker, order, place, allowed)
    elif k >= 0 and account.contracts[k] == 0.0:
        clear_slot(account, k)
    drain(broker)
    if allowed == wanted:
        broker._ococheck(order)
        broker._bracketize(order)
        return
    if allowed == 0.0:
        order.margin()
        finish(broker, order)
        return
    order.cancel()
    broker.notify(order)
    broker._ococheck(order)
    _protect_what_filled(broker, order, abs(allowed))


def _protect_what_filled(broker: "MarginBroker", parent: Any, filled: float) -> None:
    """Let the other orders of a bracket begin, for as much as its first one filled."""
    for child in broker._pchildren[getattr(parent.parent, "ref", parent.ref)]:
        if child is not parent and abs(child.executed.remsize) > filled:
            restate(child, math.copysign(filled, child.executed.remsize), 1.0)
    broker._bracketize(parent)


def _allowed(broker: "MarginBroker", order: Any, wanted: float) -> tuple[float, float]:
    """How much of an order passes the order test, by the policy on shortfall, and why no more."""
    account, tape, t = broker.account, broker.market.tape, broker.session
    k, held = broker.slot_of(order.data), float(broker.positions[order.data].size)
    closing = float(closing_part(held, wanted))
    if broker.is_closing and wanted != closing:
        return closing, WHY_CALL_CLOSES
    if k >= 0:
        allowed = allowed_contracts(broker, order, k, wanted)
    else:
        i = broker.places[order.data._name]
        allowed = float(affordable(account, tape, t, i, wanted, broker.terms))
    if allowed == wanted:
        return allowed, WHY_ORDER
    why = _bar(broker, order) if wanted < closing else WHY_AVAILABLE_FUNDS
    return (closing if broker.p.on_shortfall == "refuse" else allowed), why


def _bar(broker: "MarginBroker", order: Any) -> float:
    """Why an order that sells short may be refused, funds apart."""
    tape, t = broker.market.tape, broker.session
    if tape.rules[t, CASH_ACCOUNT] != 0.0:
        return WHY_CASH_ACCOUNT
    shares = broker.slot_of(order.data) < 0
    if shares and not may_be_short(tape, t, broker.places[order.data._name]):
        return WHY_NO_SHARES_TO_BORROW
    return WHY_AVAILABLE_FUNDS


def _trade(broker: "MarginBroker", order: Any, place: int, allowed: float) -> None:
    """Carry out what was allowed."""
    account, k = broker.account, broker.slot_of(order.data)
    charged = account.flows[COMMISSION] + account.flows[FEES]
    if k >= 0:
        paid, multiplier = trade_contracts(broker, k, allowed)
    else:
        held, multiplier = account.shares[place], 1.0
        tape, t = broker.market.tape, broker.session
        paid = fill_shares(account, tape, t, place, allowed, broker.terms)
        after = account.shares[place]
        record(account, ORDER_FILLED, place, allowed, paid, held, after, WHY_ORDER)
    charged -= account.flows[COMMISSION] + account.flows[FEES]
    execute_order(broker, order, allowed, paid, multiplier, float(charged))
