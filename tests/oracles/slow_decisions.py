"""What a sleeve decides at a close, restated: sizes under the cap, then the put."""

import math
from datetime import date

from tests.oracles.slow_book import Order, SlowBook
from tests.oracles.slow_rules import Option, listed, period


def decide(book: SlowBook) -> None:
    t, dates, plan = book.t, book.world.dates, book.plan
    planned = list(book.shares)
    if t == 0 or period(dates[t - 1], plan.cadence) != period(dates[t], plan.cadence):
        planned = resize(book)
    filled_on = t if plan.fill == "same_close" else t + 1
    if plan.put and filled_on < len(dates) and book.quoted(plan.put.fund):
        order_put(book, planned, dates[filled_on])


def order_put(book: SlowBook, planned: list[float], on: date) -> None:
    """The next put, where none is held when the order fills; a close comes after an expiry."""
    rule, held = book.plan.put, book.option
    assert rule is not None
    if held and (book.plan.fill != "next_close" or held.expiry > on):
        return
    contracts = math.floor(rule.coverage * max(0.0, planned[rule.fund]) / 100.0)
    ahead = [expiry for expiry in book.world.expiries if expiry > on]
    if contracts and ahead:
        expiry = min(ahead, key=lambda day: abs((day - on).days - rule.tenor_days))
        strike = listed(rule.moneyness * book.marks[rule.fund])
        put = Option(rule.fund, strike, expiry, float(contracts))
        book.orders = [order for order in book.orders if not order.put]
        book.orders.append(Order(rule.fund, put=put))


def resize(book: SlowBook) -> list[float]:
    """Orders every fund with a price to its weight; returns the shares then held."""
    plan, equity, planned = book.plan, book.equity(), list(book.shares)
    funds = book.world.funds
    gross = sum(abs(w) for w, f in zip(plan.weights, funds, strict=True) if f.multiple != 1.0)
    for i, fund in enumerate(funds):
        weight = plan.weights[i]
        if fund.multiple != 1.0 and gross > plan.cap:
            weight *= plan.cap / gross
        if equity > 0 and not book.quoted(i):
            continue
        book.orders = [order for order in book.orders if order.put or order.fund != i]
        if equity > 0 and abs(book.shares[i] * book.marks[i] / equity - weight) <= plan.band:
            continue
        exact = weight * equity / book.marks[i] if equity > 0 else 0.0
        planned[i] = math.trunc(exact * plan.parts) / plan.parts
        if planned[i] != book.shares[i]:
            book.orders.append(Order(i, planned[i] - book.shares[i]))
    return planned
