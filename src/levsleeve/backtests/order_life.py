"""When a waiting Backtrader order may fill, and what a liquidation does to it."""

from typing import TYPE_CHECKING, Any

import backtrader as bt

from levsleeve.backtests.settling import held_at
from levsleeve.backtests.state import each
from levsleeve.errors import StudyError
from levsleeve.margin.account import closing_part
from levsleeve.margin.book import MARK

if TYPE_CHECKING:
    from levsleeve.backtests.broker import MarginBroker

STOPS = (bt.Order.Stop, bt.Order.StopTrail)
STOP_LIMITS = (bt.Order.StopLimit, bt.Order.StopTrailLimit)
TRAILING = (bt.Order.StopTrail, bt.Order.StopTrailLimit)


def reduces(broker: "MarginBroker", order: Any) -> bool:
    """Whether an order only shrinks a position."""
    size = float(order.executed.remsize)
    return bool(closing_part(_held(broker, order), size) == size)


def _held(broker: "MarginBroker", order: Any) -> float:
    """What the account holds of an order's fund or option."""
    return float(held_at(broker.account, broker.places[order.data._name]))


def reached(broker: "MarginBroker", order: Any) -> bool:
    """Whether the price that the broker looks at fills an order.

    It looks at one price a session, the close, and with ``next_open`` at the open before.  A limit
    order fills where what it pays or receives, spread included, is its limit or better; a
    stop where the price is at its level or beyond.  A trailing stop follows that price, and a stop
    limit that was reached stays a limit order.

    Raises
    ------
    StudyError
        If an order of its kind is not taken.
    """
    kind = order.exectype
    if kind in (bt.Order.Market, bt.Order.Close):
        return True
    if broker.slot_of(order.data) >= 0:
        raise StudyError(
            f"order in {order.data._name}: {order.getordername()} orders are not taken in "
            "option slots; Market and Close are"
        )
    price = float(broker.account.book.funds[broker.places[order.data._name], MARK])
    if kind == bt.Order.Limit:
        return _within(broker, order, price, order.created.price)
    if kind not in (*STOPS, *STOP_LIMITS):
        raise StudyError(
            f"order in {order.data._name}: {order.getordername()} orders are not taken; Market, "
            "Close, Limit, Stop, StopLimit, StopTrail and StopTrailLimit are"
        )
    level = order.created.price
    if order.triggered or (price >= level if order.isbuy() else price <= level):
        order.triggered = True
        return kind in STOPS or _within(broker, order, price, order.created.pricelimit)
    if kind in TRAILING:
        order.trailadjust(price)
    return False


def _within(broker: "MarginBroker", order: Any, price: float, limit: float) -> bool:
    """Whether a fill at ``price`` keeps to the limit, spread included."""
    spread = float(each(broker.terms.fund_spread_rates, broker.places[order.data._name]))
    if order.isbuy():
        return price * (1.0 + spread) <= limit
    return price * (1.0 - spread) >= limit


def expired(broker: "MarginBroker", order: Any) -> bool:
    """Whether an order's time has run out before the session that the broker is in."""
    return bool(order.valid and broker.moment > order.valid and order.expire())


def clip_to_reductions(broker: "MarginBroker") -> None:
    """After a liquidation: orders that open are cancelled, those that reduce may do no more."""
    for order in list(broker.pending):
        order.addinfo(reduces_only=True)
        clip(broker, order)


def clip(broker: "MarginBroker", order: Any) -> None:
    """Shrink an order to what closes the position that is held; cancel what closes nothing."""
    size = float(order.executed.remsize)
    keep = float(closing_part(_held(broker, order), size))
    if keep == 0.0:
        broker.cancel(order)
    elif keep != size:
        order.executed.remsize = keep


def clip_covers(broker: "MarginBroker", feed: Any, bought: float) -> None:
    """After a buy-in of ``bought`` shares: each waiting purchase of that fund buys so many fewer.

    It was to close the short that is gone, in whole or in part.
    """
    for order in [order for order in broker.pending if order.data is feed and order.isbuy()]:
        covered = min(bought, float(order.executed.remsize))
        if covered == order.executed.remsize:
            broker.cancel(order)
        else:
            order.executed.remsize -= covered
