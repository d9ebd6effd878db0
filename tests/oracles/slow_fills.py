"""How the orders of a slow account fill, each with the order test."""

import math

from tests.oracles.slow_book import Order, SlowBook, most
from tests.oracles.slow_rules import Option, fund_put


def fill(book: SlowBook) -> None:
    """Reductions first; what has no price waits."""
    waiting = sorted(book.orders, key=lambda order: not only_reduces(book, order))
    book.orders = [order for order in waiting if not book.quoted(order.fund)]
    for order in waiting:
        if not book.quoted(order.fund):
            continue
        if order.put:
            buy_puts(book, order.put)
        else:
            fill_shares(book, order)


def only_reduces(book: SlowBook, order: Order) -> bool:
    return order.put is None and book.closing(order.fund, order.shares) == order.shares


def fill_shares(book: SlowBook, order: Order) -> None:
    i, parts = order.fund, book.plan.parts
    closed = book.closing(i, order.shares)
    wanted = order.shares if order.may_open else closed
    opened = round(abs(book.whole(wanted - closed)) * parts)
    if book.closing_out or (wanted < closed and not may_be_short(book, i)):
        opened = 0
    sign = math.copysign(1.0 / parts, wanted)
    n = most(opened, lambda n: book.after_trade(i, closed + sign * n, 0.0, lambda: stands(book)))
    allowed = closed + sign * n
    if abs(allowed - wanted) > 0.5 / parts:
        book.events.append("order_cut" if allowed else "order_refused")
    if allowed:
        book.trade(i, allowed)
        book.events.append("order_filled")


def stands(book: SlowBook) -> bool:
    return book.stands(0.0)


def may_be_short(book: SlowBook, i: int) -> bool:
    available = book.world.funds[i].borrow_states[book.t] == "available"
    return available and not book.plan.cash_account


def buy_puts(book: SlowBook, put: Option) -> None:
    spot, wanted = book.marks[put.fund], put.contracts
    put.mark = fund_put(book.world, put, spot, book.t, book.seen, book.plan.skew)
    if book.closing_out or put.expiry <= book.world.dates[book.t]:  # it waited for a price too long
        put.contracts = 0.0
    while put.contracts > 0 and not book.stands(book.price_of(put)):
        put.contracts -= 1.0
    if put.contracts != wanted:
        book.events.append("order_cut" if put.contracts else "order_refused")
    if put.contracts:
        book.cash -= book.price_of(put)
        book.option, book.changed = put, True
        book.events += ["option_rolled", "order_filled"]
