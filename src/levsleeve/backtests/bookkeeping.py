"""Keeping Backtrader's own orders and positions in step with the account.

The account is the truth; Backtrader's records exist so that its strategies and analyzers work.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import backtrader as bt

from levsleeve.compiled import Floats
from levsleeve.pricing.listing import listed_strike_at_or_below

if TYPE_CHECKING:
    from levsleeve.backtests.broker import MarginBroker


def execute_order(
    broker: "MarginBroker", order: Any, size: float, price: float, multiplier: float
) -> None:
    """Book a fill in the order and the position, and tell the order's owner."""
    position = broker.positions[order.data]
    basis = position.price
    now_size, now_price, opened, closed = position.update(size, price)
    profit = -closed * (price - basis) * multiplier if closed else 0.0
    order.execute(
        order.data.datetime[0],
        size,
        price,
        closed,
        closed * basis * multiplier,
        0.0,
        opened,
        opened * price * multiplier,
        0.0,
        0.0,
        profit,
        now_size,
        now_price,
    )
    order.addcomminfo(broker.getcommissioninfo(order.data))
    if order.executed.remsize:
        order.partial()
    else:
        order.completed()
    broker.notify(order)


def announce(
    broker: "MarginBroker", data: Any, size: float, price: float, multiplier: float
) -> None:
    """Make known a trade that no strategy ordered: a liquidation or the end of an option."""
    if size == 0.0:
        return
    kind = bt.order.BuyOrder if size > 0 else bt.order.SellOrder
    owner = broker.cerebro.runningstrats[0]
    order = kind(owner=owner, data=data, size=abs(size), exectype=bt.Order.Market)
    order.submit(broker)
    order.accept(broker)
    broker.orders.append(order)
    execute_order(broker, order, size, price, multiplier)


def split_position(broker: "MarginBroker", data: Any, before: float, after: float) -> None:
    """Restate a position after a split: more or fewer units at a price that keeps its cost."""
    position = broker.positions[data]
    price = position.price * before / after if after else 0.0
    position.fix(after, price)


def scale_orders(orders: Iterable[Any], places: Mapping[str, int], splits: Floats) -> None:
    """Restate, in new shares, orders that were decided before a split and fill after it."""
    for order in orders:
        contract = order.info.get("contract")
        name = order.data._name if contract is None else contract.fund
        place = places.get(name, len(splits))
        ratio = float(splits[place]) if place < len(splits) else 1.0
        if ratio == 1.0:
            continue
        size = float(int(order.executed.remsize * ratio))
        order.size = order.created.size = size
        order.executed.remsize = size
        if order.created.price:
            order.created.price /= ratio
        if contract is not None:
            strike = float(listed_strike_at_or_below(contract.strike / ratio))
            order.addinfo(contract=replace(contract, strike=strike))
