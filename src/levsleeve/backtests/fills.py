"""Working a strategy's orders: which come first, what of each passes the order test, the fill."""

import math
from typing import TYPE_CHECKING, Any

import backtrader as bt

from levsleeve.backtests.bookkeeping import contract_named, drain, execute_order, restate
from levsleeve.backtests.contracts import contract_held, make_ready
from levsleeve.backtests.order_life import clip, expired, reached, reduces
from levsleeve.backtests.settling import is_closing_out, settle_order, tradable_order
from levsleeve.backtests.tape import (
    is_quoted,
)
from levsleeve.errors import StudyError
from levsleeve.margin.book import UNDERLYING

if TYPE_CHECKING:
    from levsleeve.backtests.broker import MarginBroker


def work_pending(broker: "MarginBroker", *, opening: bool) -> None:
    """Fill what can fill at the price the broker looks at: orders that only reduce come first.

    At the ``opening`` orders for the close wait.  An order in a fund without a price waits, too.
    """
    for order in sorted(broker.pending, key=lambda order: not reduces(broker, order)):
        if order.alive() and order.info.get("reduces_only"):
            clip(broker, order)
        if order.alive():  # an order that filled just before may have cancelled it
            _work(broker, order, opening=opening)


def _work(broker: "MarginBroker", order: Any, *, opening: bool) -> None:
    """Fill one order if it can fill now, end it if its time is over."""
    if order.executed.remsize == 0.0:  # a reverse split left nothing of it
        broker.cancel(order)
    elif expired(broker, order):
        broker.pending.remove(order)
        finish(broker, order)
    elif opening and order.exectype == bt.Order.Close:
        return
    elif not _is_quoted(broker, order):
        order.addinfo(waited=True)
    elif order.active() and reached(broker, order):
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
    place, wanted = broker.places[order.data._name], float(order.executed.remsize)
    tradable = float(tradable_order(account, place, wanted, broker.terms.share_parts))
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
        place = int(broker.account.book.slots[k, UNDERLYING])
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
    account, terms, wanted = broker.account, broker.terms, float(order.executed.remsize)
    place, k = broker.places[order.data._name], broker.slot_of(order.data)
    if k >= 0 and not is_closing_out(account, terms):
        make_ready(broker, order, k, wanted)
    tape, t, cuts = broker.market.tape, broker.session, float(broker.p.on_shortfall == "cut")
    settled = settle_order(account, tape, t, place, wanted, terms, cuts)
    allowed = float(settled.allowed)
    if allowed != 0.0:
        paid, charged = float(settled.price_usd), float(settled.charged_usd)
        execute_order(broker, order, allowed, paid, float(settled.multiplier), charged)
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
