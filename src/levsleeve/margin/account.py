"""An account under the rulebook: what it is worth, what it must keep, and what an order may do."""

import math

from levsleeve.compiled import Floats, hot_rule, rule
from levsleeve.margin.book import (
    CONTRACTS,
    EXPIRY,
    MARK,
    MULTIPLIER,
    PREMIUM,
    SHARES,
    Book,
    FundTerms,
)
from levsleeve.margin.combination import (
    MAINTENANCE,
    ORDER_INITIAL,
    requirement_with,
    share_requirement,
    side_requirement,
)
from levsleeve.margin.liquidation import in_deficit
from levsleeve.margin.options import loan_value_rate
from levsleeve.margin.requirement import boxed_per_share
from levsleeve.margin.schedule import (
    BUFFER_RATE,
    CASH_ACCOUNT,
    FLAT_RATE,
    FREE_RATE,
    HEDGE_RELIEF,
    MINIMUM_EQUITY_USD,
    ORDER_FEE_USD,
    ORDER_INITIAL_BROKER,
    PORTFOLIO_MINIMUM_EQUITY_USD,
    PORTFOLIO_MODE,
)


@hot_rule
def share_value(book: Book) -> float:
    """Signed market value of the shares, in dollars."""
    total = 0.0
    for i in range(book.funds.shape[0]):
        total += book.funds[i, SHARES] * book.funds[i, MARK]
    return total


@hot_rule
def short_value(book: Book) -> float:
    """Market value of the shares sold short, >= 0, in dollars."""
    total = 0.0
    for i in range(book.funds.shape[0]):
        if book.funds[i, SHARES] < 0.0:
            total -= book.funds[i, SHARES] * book.funds[i, MARK]
    return total


@hot_rule
def option_value(book: Book) -> float:
    """Signed value of the options at their marks, in dollars."""
    total = 0.0
    for k in range(book.slots.shape[0]):
        total += book.slots[k, CONTRACTS] * book.slots[k, MULTIPLIER] * book.slots[k, PREMIUM]
    return total


@hot_rule
def option_loan_value(book: Book, rules: Floats) -> float:
    """Dollars that long options lend, >= 0."""
    total = 0.0
    for k in range(book.slots.shape[0]):
        if book.slots[k, CONTRACTS] > 0.0:
            value = book.slots[k, CONTRACTS] * book.slots[k, MULTIPLIER] * book.slots[k, PREMIUM]
            total += value * loan_value_rate(book.slots[k, EXPIRY], rules)
    return total


@hot_rule
def gross_value(cash_usd: float, book: Book) -> float:
    """Cash and positions without their signs: the scale of rounding errors, in dollars."""
    total = abs(cash_usd)
    for i in range(book.funds.shape[0]):
        total += abs(book.funds[i, SHARES]) * book.funds[i, MARK]
    for k in range(book.slots.shape[0]):
        total += abs(book.slots[k, CONTRACTS]) * book.slots[k, MULTIPLIER] * book.slots[k, PREMIUM]
    return total


@hot_rule
def loan_value_equity(cash_usd: float, book: Book, rules: Floats) -> float:
    """Equity with loan value: cash, shares, and what long options lend.  Dollars.

    References
    ----------
    Interactive Brokers, key margin definitions.
    """
    return cash_usd + share_value(book) + option_loan_value(book, rules)


@hot_rule
def margin_requirement(book: Book, terms: FundTerms, kind: float) -> float:
    """Dollars that all positions require, funds never netted against each other.

    ``kind`` is ``MAINTENANCE``, ``INITIAL_MARGIN``, ``ORDER_INITIAL`` or ``END_OF_DAY``.
    """
    total = 0.0
    for i in range(book.funds.shape[0]):
        total += requirement_with(book, i, terms, kind, terms.rules[HEDGE_RELIEF] != 0.0)
    return total


@rule
def boxed_share(book: Book, i: int, terms: FundTerms, kind: float) -> float:
    """Dollars per share of fund ``i`` held long and short at once, beside the net shares.

    Maintenance is a fraction of the long value, whatever the house asks; initial margin is that of
    the long side alone.  A flat rate or portfolio margin charges the long side.

    References
    ----------
    FINRA Rule 4210(e)(1), unconfirmed; 12 CFR 220.12(c)(2).
    """
    rules = terms.rules
    by_rule = rules[PORTFOLIO_MODE] == 0.0 and math.isnan(rules[FLAT_RATE])
    broker = kind == ORDER_INITIAL and rules[ORDER_INITIAL_BROKER] != 0.0
    if by_rule and (kind == MAINTENANCE or broker):
        return boxed_per_share(book.funds[i, MARK], rules)
    return side_requirement(book, i, False, terms, kind)


@rule
def boxed_requirement(boxed: Floats, book: Book, terms: FundTerms, kind: float) -> float:
    """Dollars that ``boxed`` shares per fund require (see ``boxed_share``)."""
    total = 0.0
    for i in range(boxed.size):
        if boxed[i] > 0.0:
            total += boxed[i] * boxed_share(book, i, terms, kind)
    return total


@hot_rule
def utilization(maintenance_usd: float, equity_usd: float) -> float:
    """Maintenance margin over equity with loan value; infinite where that is not positive."""
    return maintenance_usd / equity_usd if equity_usd > 0.0 else math.inf


@hot_rule
def cushion(excess_liquidity_usd: float, net_liquidation_usd: float) -> float:
    """Excess liquidity over net liquidation; minus infinity where that is not positive."""
    if net_liquidation_usd <= 0.0:
        return -math.inf
    return excess_liquidity_usd / net_liquidation_usd


@rule
def maintenance_under_relief(book: Book, terms: FundTerms, relief: float) -> float:
    """Dollars of maintenance as if ``hedge_relief`` were ``finra`` (1.0) or ``none`` (0.0)."""
    total = 0.0
    for i in range(book.funds.shape[0]):
        total += requirement_with(book, i, terms, MAINTENANCE, relief != 0.0)
    return total


@rule
def maintenance_after_expiry(book: Book, terms: FundTerms) -> float:
    """Dollars of maintenance at these prices once every option has expired."""
    total = 0.0
    for i in range(book.funds.shape[0]):
        held = abs(book.funds[i, SHARES])
        if held > 0.0:
            total += held * share_requirement(book, i, terms, MAINTENANCE)
    return total


@rule
def sizing_reserve(available_usd: float, rules: Floats) -> float:
    """Dollars of available funds that sizing leaves alone: buffer, free part and fee, >= 0."""
    usable = available_usd * (1.0 - rules[BUFFER_RATE]) * (1.0 - rules[FREE_RATE])
    return max(0.0, available_usd - usable) + rules[ORDER_FEE_USD]


@rule
def order_passes(
    equity_usd: float,
    initial_usd: float,
    free_cash_usd: float,
    short: bool,
    scale_usd: float,
    rules: Floats,
) -> bool:
    """Whether an account that would stand so after an order, costs included, may take it.

    ``equity_usd`` is equity with loan value, ``free_cash_usd`` cash less the short market value,
    ``short`` whether anything is then sold short.  Available funds must not be negative, and to
    borrow or to be short takes the minimum equity; a purchase paid in full is allowed below it.  A
    cash account is never short.

    References
    ----------
    12 CFR 220.12; FINRA Rule 4210(b)(4), (g).
    """
    barred = short and rules[CASH_ACCOUNT] != 0.0
    if barred or in_deficit(equity_usd - initial_usd, scale_usd):
        return False
    borrows = short or in_deficit(free_cash_usd, scale_usd)
    least = rules[MINIMUM_EQUITY_USD]
    if rules[PORTFOLIO_MODE] != 0.0:
        least = rules[PORTFOLIO_MINIMUM_EQUITY_USD]
        borrows = True
    return not (borrows and in_deficit(equity_usd - least, scale_usd))


@rule
def is_short(book: Book) -> bool:
    """Whether anything is sold short: shares, or written options."""
    short = False
    for i in range(book.funds.shape[0]):
        short = short or book.funds[i, SHARES] < 0.0
    for k in range(book.slots.shape[0]):
        short = short or book.slots[k, CONTRACTS] < 0.0
    return short


@rule
def account_passes(cash_usd: float, book: Book, terms: FundTerms, reserve_usd: float) -> bool:
    """Whether an account that stands so after an opening order may have taken it: the order test.

    ``reserve_usd`` is asked beside the initial margin of the positions.

    References
    ----------
    12 CFR 220.12; FINRA Rule 4210(b)(4), (g).
    """
    return order_passes(
        loan_value_equity(cash_usd, book, terms.rules),
        margin_requirement(book, terms, ORDER_INITIAL) + reserve_usd,
        cash_usd - short_value(book),
        is_short(book),
        gross_value(cash_usd, book),
        terms.rules,
    )


@hot_rule
def closing_part(held: float, shares: float) -> float:
    """The part of a signed order that only shrinks a position: it is never refused."""
    if held * shares >= 0.0:
        return 0.0
    return shares if abs(shares) <= abs(held) else -held
