"""What one order does to the account: how much of it passes, the trade, and its events.

The Backtrader broker and the compiled driver settle every order here; when an order may fill is
theirs to know.
"""

from typing import NamedTuple

from levsleeve.backtests.event_kinds import (
    OPTION_ROLLED,
    ORDER_CUT,
    ORDER_FILLED,
    ORDER_REFUSED,
    WHY_AVAILABLE_FUNDS,
    WHY_CALL_CLOSES,
    WHY_CASH_ACCOUNT,
    WHY_FRACTION,
    WHY_NEXT_CONTRACT,
    WHY_NO_SHARES_TO_BORROW,
    WHY_OPTION_GONE,
    WHY_ORDER,
)
from levsleeve.backtests.marks import clear_slot
from levsleeve.backtests.measures import last_session, slot_price
from levsleeve.backtests.orders import (
    affordable,
    affordable_contracts,
    fill_option,
    fill_shares,
    may_be_short,
)
from levsleeve.backtests.state import (
    CALL_AGE,
    CLOSE_OUT,
    COMMISSION,
    FEES,
    FRACTIONAL_SHARES,
    PART_ROUNDING,
    WHOLE_SHARES,
    Account,
    Terms,
    record,
    tradable_part,
)
from levsleeve.backtests.tape import Tape
from levsleeve.compiled import Floats, hot_rule, rule
from levsleeve.margin.account import closing_part
from levsleeve.margin.book import CONTRACTS, EXPIRY, MARK, MULTIPLIER, PREMIUM, SHARES
from levsleeve.margin.schedule import CASH_ACCOUNT
from levsleeve.pricing.volatility import VolatilityModel

SAME_SHARES = PART_ROUNDING / FRACTIONAL_SHARES
"""An order that differs from what fills by this much is filled: a rounded difference."""


class Settled(NamedTuple):
    """What became of an order: units allowed, price per share, shares a unit, dollars charged.

    ``charged_usd`` are commission and fees, the spread is in the price.
    """

    allowed: float
    price_usd: float
    multiplier: float
    charged_usd: float


@hot_rule
def held_at(account: Account, place: int) -> float:
    """Signed shares of a fund, or contracts of a slot."""
    k = place - account.book.funds.shape[0]
    return account.book.slots[k, CONTRACTS] if k >= 0 else account.book.funds[place, SHARES]


@hot_rule
def _mark_at(account: Account, place: int) -> float:
    """Dollars per share at which a fund or option is carried."""
    k = place - account.book.funds.shape[0]
    return account.book.slots[k, PREMIUM] if k >= 0 else account.book.funds[place, MARK]


@hot_rule
def is_closing_out(account: Account, terms: Terms) -> bool:
    """Whether the account is being closed at a call: nothing opens any more."""
    return bool(account.money[CALL_AGE] >= 0.0 and terms.call_policy == CLOSE_OUT)


@rule
def tradable_order(account: Account, place: int, wanted: float, share_parts: float) -> float:
    """What of a signed order trades: whole shares or parts, and all of what closes a position.

    The event of a cut or refusal is written.
    """
    held = held_at(account, place)
    parts = WHOLE_SHARES if place >= account.book.funds.shape[0] else share_parts
    closing = closing_part(held, wanted)
    whole = closing if closing == -held else 0.0  # closing all of it closes its fraction, too
    tradable = whole + tradable_part(wanted - whole, parts)
    if abs(tradable - wanted) >= SAME_SHARES:
        kind = ORDER_REFUSED if tradable == 0.0 else ORDER_CUT
        price = _mark_at(account, place)
        record(account, kind, place, wanted, price, wanted, tradable, WHY_FRACTION)
    return tradable


@hot_rule
def enter_contract(
    account: Account,
    tape: Tape,
    t: int,
    seen: int,
    model: VolatilityModel,
    k: int,
    contract: Floats,
) -> None:
    """Put a contract into the empty slot ``k``, at the model's price at the funds' marks.

    ``contract`` holds the columns of ``Book.slots`` from the multiplier to the underlying;
    volatility is that of the close of session ``seen``.
    """
    for column in range(contract.size):
        account.book.slots[k, MULTIPLIER + column] = contract[column]
    account.book.slots[k, PREMIUM] = slot_price(account, tape, t, seen, model, k)


@hot_rule
def settle_order(
    account: Account, tape: Tape, t: int, place: int, wanted: float, terms: Terms, cuts: float
) -> Settled:
    """Carry out what of a signed order passes the order test.

    What opens and does not fit is cut to what does where ``cuts`` is 1.0, refused where it is 0.0;
    what closes always passes.  An option's contract stands in its slot already.
    """
    k = place - account.book.funds.shape[0]
    multiplier = account.book.slots[k, MULTIPLIER] if k >= 0 else 1.0
    closing = closing_part(held_at(account, place), wanted)
    allowed, why = wanted, WHY_ORDER
    if is_closing_out(account, terms):
        allowed, why = closing, WHY_CALL_CLOSES
    elif closing != wanted and k >= 0 and last_session(tape, t, account.book.slots[k, EXPIRY]):
        allowed, why = closing, WHY_OPTION_GONE
    elif closing != wanted:
        if k >= 0:
            allowed = affordable_contracts(account, tape, t, k, wanted, terms)
        else:
            allowed = affordable(account, tape, t, place, wanted, terms)
        if allowed != wanted:
            why = _bar(account, tape, t, place) if wanted < closing else WHY_AVAILABLE_FUNDS
            allowed = allowed if cuts != 0.0 else closing
    if allowed != wanted:
        kind = ORDER_REFUSED if allowed == 0.0 else ORDER_CUT
        asked, price = wanted * multiplier, _mark_at(account, place)
        record(account, kind, place, asked, price, asked, allowed * multiplier, why)
    charged = account.flows[COMMISSION] + account.flows[FEES]
    price = _trade(account, tape, t, place, allowed, terms) if allowed != 0.0 else 0.0
    charged -= account.flows[COMMISSION] + account.flows[FEES]
    if k >= 0 and account.book.slots[k, CONTRACTS] == 0.0:
        clear_slot(account, k)
    return Settled(allowed, price, multiplier, charged)


@hot_rule
def _bar(account: Account, tape: Tape, t: int, place: int) -> float:
    """Why an order that sells short may be refused, funds apart."""
    if tape.rules[t, CASH_ACCOUNT] != 0.0:
        return WHY_CASH_ACCOUNT
    if place < account.book.funds.shape[0] and not may_be_short(tape, t, place):
        return WHY_NO_SHARES_TO_BORROW
    return WHY_AVAILABLE_FUNDS


@hot_rule
def _trade(account: Account, tape: Tape, t: int, place: int, units: float, terms: Terms) -> float:
    """Trade signed units of a fund or option, with the events; returns the price per share."""
    held = held_at(account, place)
    k = place - account.book.funds.shape[0]
    if k < 0:
        paid = fill_shares(account, tape, t, place, units, terms)
        after = account.book.funds[place, SHARES]
        record(account, ORDER_FILLED, place, units, paid, held, after, WHY_ORDER)
        return paid
    shares = units * account.book.slots[k, MULTIPLIER]
    paid = fill_option(account, tape, t, k, units, terms)
    after, premium = account.book.slots[k, CONTRACTS], account.book.slots[k, PREMIUM]
    if held == 0.0:
        record(account, OPTION_ROLLED, place, shares, premium, held, after, WHY_NEXT_CONTRACT)
    record(account, ORDER_FILLED, place, shares, paid, held, after, WHY_ORDER)
    return paid
