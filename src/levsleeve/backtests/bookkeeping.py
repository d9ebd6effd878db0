"""Keeping Backtrader's own orders and positions in step with the account.

The account is the truth; Backtrader's records exist so that its strategies and analyzers work.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import backtrader as bt

from levsleeve.backtests.event_kinds import BUY_IN, LIQUIDATED, OPTION_EXPIRED, SPLIT
from levsleeve.backtests.order_life import clip_covers
from levsleeve.backtests.state import CHARGED, EVENT_COUNT, tradable_part
from levsleeve.backtests.tape import SPLIT_RATIO
from levsleeve.compiled import Floats
from levsleeve.errors import LedgerError
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.book import UNDERLYING
from levsleeve.pricing.listing import listed_strike_at_or_below

if TYPE_CHECKING:
    from levsleeve.backtests.broker import MarginBroker


def execute_order(
    broker: "MarginBroker",
    order: Any,
    size: float,
    price: float,
    multiplier: float,
    charged: float = 0.0,
) -> None:
    """Book a fill in the order and the position, and tell the order's owner.

    ``charged`` are commission and fees in dollars, shared between what it closes and opens.
    """
    position = broker.positions[order.data]
    basis = position.price
    now_size, now_price, opened, closed = position.update(size, price)
    profit = -closed * (price - basis) * multiplier if closed else 0.0
    closing_charge = charged * closed / size
    order.execute(
        broker.moment,
        size,
        price,
        closed,
        closed * basis * multiplier,
        closing_charge,
        opened,
        opened * price * multiplier,
        charged - closing_charge,
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


def drain(broker: "MarginBroker") -> None:
    """Take the account's events over, and tell Backtrader what happened without one of its orders.

    Raises
    ------
    LedgerError
        If there are more than the account has room for.
    """
    account = broker.account
    count = int(account.money[EVENT_COUNT])
    if count > len(account.events):
        raise LedgerError(
            f"session {broker.session}: {count} events between two readings, but the buffer "
            f"holds {len(account.events)}"
        )
    for row in account.events[:count].copy():
        broker.event_rows.append((broker.session, row))
        kind, place = int(row[0]), int(row[1])
        if kind == SPLIT:
            split_position(broker, broker.data_at(place), row[4], row[5])
        elif kind in (OPTION_EXPIRED, LIQUIDATED, BUY_IN) and row[5] != row[4]:
            units = row[5] - row[4]
            each = abs(row[2] / units)
            announce(broker, broker.data_at(place), units, row[3], each, row[CHARGED])
            if kind == BUY_IN:
                clip_covers(broker, broker.data_at(place), units)
    account.money[EVENT_COUNT] = 0.0


def announce(
    broker: "MarginBroker", data: Any, size: float, price: float, multiplier: float, charged: float
) -> None:
    """Make known a trade that no strategy ordered: a liquidation or the end of an option.

    An order in what an option slot held is cancelled with it: there is nothing left to trade.
    """
    if size == 0.0:
        return
    kind = bt.order.BuyOrder if size > 0 else bt.order.SellOrder
    owner = broker.cerebro.runningstrats[0]
    order = kind(owner=owner, data=data, size=abs(size), exectype=bt.Order.Market)
    order.submit(broker)
    order.accept(broker)
    broker.orders.append(order)
    execute_order(broker, order, size, price, multiplier, float(charged))
    for waiting in orders_in_held(broker, data):
        broker.cancel(waiting)


def orders_in_held(broker: "MarginBroker", data: Any) -> list[Any]:
    """The pending orders in what an option slot holds, which name no contract; none for a fund."""
    if broker.slot_of(data) < 0:
        return []
    waiting = [order for order in broker.pending if order.data is data]
    return [order for order in waiting if "contract" not in order.info]


def contract_named(order: Any) -> OptionContract | None:
    """The contract that an order names, if it names one."""
    contract = order.info.get("contract")
    return contract if isinstance(contract, OptionContract) else None


def split_position(broker: "MarginBroker", data: Any, before: float, after: float) -> None:
    """Restate a position after a split, with its trade and the orders that wait in its option.

    The units are the account's, a fraction paid in cash; prices are per share, so that they go by
    the ratio even where a reverse split leaves the number of contracts alone.
    """
    place, k = broker.places[data._name], broker.slot_of(data)
    fund = int(broker.account.book.slots[k, UNDERLYING]) if k >= 0 else place
    ratio = float(broker.market.tape.funds[broker.session, fund, SPLIT_RATIO])
    position = broker.positions[data]
    position.fix(after, position.price / ratio if after else 0.0)
    for strategy in broker.cerebro.runningstrats:
        for trades in strategy._trades[data].values():
            if trades and trades[-1].isopen:
                trades[-1].size *= after / before
                trades[-1].price /= ratio
    for order in orders_in_held(broker, data):
        restate(order, order.executed.remsize * after / before, ratio)


def restate(order: Any, size: float, ratio: float) -> None:
    """Give a waiting order a new signed size, and its price per new share."""
    order.size = order.created.size = order.executed.remsize = size
    if order.created.price:
        order.created.price /= ratio
    if order.created.pricelimit:
        order.created.pricelimit /= ratio
    if order.trailamount:
        order.p.trailamount /= ratio
    if order.exectype == bt.Order.StopTrailLimit:
        order._limitoffset /= ratio


def scale_orders(broker: "MarginBroker", splits: Floats) -> None:
    """Restate, in new shares, orders that were decided before a split and fill after it."""
    for order in broker.pending:
        contract = contract_named(order)
        name = order.data._name if contract is None else contract.fund
        place = broker.places.get(name, len(splits))
        ratio = float(splits[place]) if place < len(splits) else 1.0
        if ratio == 1.0:
            continue
        parts = broker.terms.share_parts if contract is None else 1.0
        restate(order, float(tradable_part(order.executed.remsize * ratio, parts)), ratio)
        if contract is not None:
            strike = float(listed_strike_at_or_below(contract.strike / ratio))
            order.addinfo(contract=replace(contract, strike=strike))
