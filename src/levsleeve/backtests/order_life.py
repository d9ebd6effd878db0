"""When a waiting Backtrader order may fill at a close, and what a liquidation does to it."""

from typing import TYPE_CHECKING, Any

import backtrader as bt

from levsleeve.errors import StudyError
from levsleeve.margin.account import closing_part

if TYPE_CHECKING:
    from levsleeve.backtests.broker import MarginBroker


def reduces(broker: "MarginBroker", order: Any) -> bool:
    """Whether an order only shrinks a position."""
    size = float(order.executed.remsize)
    return bool(closing_part(float(broker.positions[order.data].size), size) == size)


def triggers(broker: "MarginBroker", order: Any) -> bool:
    """Whether this close fills it: limits at or better than their price, stops at or beyond.

    Raises
    ------
    StudyError
        If closes cannot fill an order of its kind.
    """
    close, price = order.data.close[0], order.created.price
    if order.exectype in (bt.Order.Market, bt.Order.Close):
        return True
    if broker.slot_of(order.data) >= 0:
        raise StudyError(
            f"order in {order.data._name}: {order.getordername()} orders are not taken in "
            "option slots; Market and Close are"
        )
    if order.exectype not in (bt.Order.Limit, bt.Order.Stop):
        raise StudyError(
            f"order in {order.data._name}: {order.getordername()} orders are not filled on closes; "
            "Market, Close, Limit and Stop are"
        )
    wants_below = order.isbuy() == (order.exectype == bt.Order.Limit)
    return bool(close <= price if wants_below else close >= price)


def clip_to_reductions(broker: "MarginBroker") -> None:
    """After a liquidation: orders that open are cancelled, those that reduce are clipped."""
    for order in list(broker.pending):
        held = float(broker.positions[order.data].size)
        size = float(order.executed.remsize)
        keep = closing_part(held, size)
        if keep == 0.0:
            broker.cancel(order)
        elif keep != size:
            order.executed.remsize = keep
