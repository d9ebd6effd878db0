"""What a broker does to a slow account unasked: calls, liquidations and buy-ins."""

import math
from collections.abc import Callable

from tests.oracles.slow_book import SlowBook, most


def ask_maintenance(book: SlowBook, *, intraday: bool = False) -> None:
    """A call where maintenance is short of what is left; it stays open until it is cured."""
    if book.closing_out:
        close_out(book)
    elif book.called():
        if book.called_on is None:
            book.events.append("margin_call")
            book.deposits.append(-book.excess())
            book.called_on = book.t
        answer_call(book, book.t - book.called_on, intraday=intraday)
    elif book.called_on is not None and not intraday:
        book.events.append("call_met")
        book.called_on = None


def answer_call(book: SlowBook, sessions: int, *, intraday: bool) -> None:
    """What the policy makes of a call so many sessions old; gone equity is waited for by nobody."""
    due = sessions >= book.plan.call_sessions and not intraday
    if book.plan.on_call == "close out":
        close_out(book)
    elif book.plan.on_call == "at once" or due or book.equity() <= 0:
        liquidate(book, book.called, 0)
        clip(book)
        if not book.called():
            book.called_on = None


def ask_memorandum(book: SlowBook) -> None:
    """The test of a day's end, on days on which a position changed."""
    if book.changed and not book.plan.cash_account and book.restricted():
        book.events.append("margin_call")
        book.deposits.append(-book.memorandum())
        liquidate(book, book.restricted, 1, options=False)


def liquidate(
    book: SlowBook, short: Callable[[], bool], kind: int, *, options: bool = True
) -> None:
    """Trade only as much as needed, shares first, that which frees most per dollar traded.

    ``short`` says whether anything is still missing; ``kind`` 0 is maintenance, 1 initial margin.
    """
    while short() and any(n and book.quoted(i) for i, n in enumerate(book.shares)):
        held = [i for i, n in enumerate(book.shares) if n and book.quoted(i)]
        i = max(held, key=lambda j: round(gain(book, j, kind), 9))
        sell(book, i, needed(book, i, short))
    held_put = book.option
    if options and short() and held_put and book.quoted(held_put.fund):
        brought = book.brought_by(held_put)
        if brought > 0:
            sell_puts(book)


def gain(book: SlowBook, i: int, kind: int) -> float:
    """What a dollar traded by force frees, of maintenance less what it costs in proportion."""
    freed = book.required(i, short=book.shares[i] < 0)[kind] / book.marks[i]
    return freed if kind else freed - book.world.funds[i].half_spread


def needed(book: SlowBook, i: int, short: Callable[[], bool]) -> float:
    """Signed shares of one fund that cure, rounded up to what trades, or all of them."""
    sign, held = -1.0 if book.shares[i] > 0 else 1.0, abs(book.shares[i])
    parts = book.plan.parts

    def too_few(n: int) -> bool:
        quantity = min(n / parts, held)
        return n == 0 or book.after_trade(i, sign * quantity, book.plan.penalty, short)

    return sign * min((most(math.ceil(held * parts), too_few) + 1) / parts, held)


def sell(book: SlowBook, i: int, n: float) -> None:
    book.trade(i, n, book.plan.penalty)
    book.events.append("liquidation")


def sell_puts(book: SlowBook) -> None:
    assert book.option is not None
    book.cash += book.brought_by(book.option)
    book.option, book.changed = None, True
    book.events.append("liquidation")


def close_out(book: SlowBook) -> None:
    """Everything goes as soon as it has a price, and with the last of it the run ends."""
    book.closing_out = True
    for i, n in enumerate(book.shares):
        if n and book.quoted(i):
            sell(book, i, -n)
    if book.option and book.quoted(book.option.fund):
        sell_puts(book)
    clip(book)
    if not any(book.shares) and book.option is None:
        book.events.append("closed_out")
        book.ended = True


def clip(book: SlowBook) -> None:
    """After a liquidation: what opens is cancelled, what reduces may do no more ever after."""
    for order in book.orders:
        order.shares, order.may_open = book.closing(order.fund, order.shares), False
    book.orders = [order for order in book.orders if order.shares]


def buy_in(book: SlowBook) -> None:
    """The lender takes recalled shares back: what waited to buy them in has nothing left to buy."""
    for i, n in enumerate(book.shares):
        recalled = book.world.funds[i].borrow_states[book.t] == "recalled"
        if recalled and n < 0 and book.quoted(i):
            book.trade(i, -n)
            book.events.append("buy_in")
            for order in book.orders:
                if order.fund == i and order.shares > 0:
                    order.shares = max(0.0, order.shares + n)
    book.orders = [order for order in book.orders if order.put or order.shares]
