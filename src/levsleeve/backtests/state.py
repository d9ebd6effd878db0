"""The account that the compiled steps of a session change, and the broker's terms.

All arrays are float64.  An account is a few small arrays changed in place, so that the Backtrader
broker and a compiled loop can hold the very same thing.
"""

import math
from typing import NamedTuple

import numpy as np

from levsleeve.compiled import Floats, rule
from levsleeve.margin.book import EXPIRY, RIGHT, STRIKE, UNDERLYING, Book, empty_book
from levsleeve.margin.charges import CommissionPlan, FinancingPlan
from levsleeve.pricing.volatility import VolatilityModel

AT_ONCE, AFTER_SESSIONS, CLOSE_OUT = 0.0, 1.0, 2.0
"""What the broker does when it calls: liquidate at once what is needed, do so after some sessions
unless the call is cured, or close the account."""

NEXT_CLOSE, NEXT_OPEN, SAME_CLOSE = 0.0, 1.0, 2.0
"""Where an order decided at a close fills."""

PART_ROUNDING = 1e-6
"""A number of parts that is this close to a whole one is whole."""

WHOLE_SHARES, FRACTIONAL_SHARES = 1.0, 10_000.0
"""Parts of a share that trade: whole ones only, or ten-thousandths."""


class Terms(NamedTuple):
    """What the broker charges and does, and how options are priced, the same on every session.

    The three arrays have one entry a fund (for options: the underlying fund), or a single one for
    all: half-spread and slippage together as a fraction of the price, of the premium, and the least
    of it in dollars a share of the option.
    """

    fund_spread_rates: Floats
    option_spread_rates: Floats
    option_spread_minimums_usd: Floats
    liquidation_penalty_rate: float
    share_parts: float
    call_policy: float
    call_sessions: float
    financing: FinancingPlan
    commission: CommissionPlan
    volatility: VolatilityModel


class Account(NamedTuple):
    """A margin account at one instant, with the flows and events of the session under way.

    Funds and option slots are told apart by their arrays in the ``book``; in ``costs`` (dollars
    since the beginning) and in events a slot k has the number ``n_funds + k``.  ``flows`` are by
    cause, then the price of each fund.
    """

    money: Floats
    flows: Floats
    costs: Floats
    book: Book
    events: Floats


CASH = 0
SPECIAL_MEMORANDUM = 1
CONTRIBUTIONS = 2
MONTH_SHARES = 3
MONTH_CONTRACTS = 4
TRADED = 5
CALL_AGE = 6
ENDED = 7
CALLED = 8
EVENT_COUNT = 9
N_MONEY = 10
"""Places in ``Account.money``; contributions are the day's, to the special memorandum account, the
months count what was traded since the calendar month began, and ``TRADED`` is above zero once a
position has changed in the session.  ``CALL_AGE`` counts the sessions since an open margin call,
-1 without one; ``ENDED`` says whether and why the run ends; ``CALLED`` is 1.0 once there was a
margin call, until a sleeve has seen it; ``EVENT_COUNT`` is how many events wait to be read."""

ALIVE, WIPED_OUT, CLOSED_OUT = 0.0, 1.0, 2.0
"""Values of ``ENDED``: equity is gone, or the broker closed the account at a call."""

OPTION = 0
DEBIT_INTEREST = 1
CREDIT_INTEREST = 2
SHORT_REBATE = 3
EXTERNAL = 4
BORROW_FEE = 5
DISTRIBUTIONS = 6
COMMISSION = 7
FEES = 8
SPREAD = 9
LIQUIDATION = 10

FLOW_CAUSES = (
    "option",
    "debit_interest",
    "credit_interest",
    "short_rebate",
    "external",
    "borrow_fee",
    "distributions",
    "commission",
    "fees",
    "spread",
    "liquidation",
)
PRICE = len(FLOW_CAUSES)
"""Causes of a change of equity, in the order of ``Account.flows``; then, from ``PRICE`` on, the
price of each fund.  Behind them stands what of the distributions was each fund's."""


EVENT_FIELDS = 12
CHARGED = 11
"""Kind, symbol, shares, price, before, after, why, of an option its underlying, right, strike and
expiry, and what a forced trade was ``CHARGED`` beside its price: columns of ``Account.events``."""
ACCOUNT_WIDE = -1
"""The symbol of an event that concerns the whole account."""


def new_account(cash_usd: float, n_funds: int, n_slots: int) -> Account:
    """An account that holds cash only; its special memorandum account starts at that cash."""
    capacity = 16 * (n_funds + n_slots) + 16
    account = Account(
        money=np.zeros(N_MONEY),
        flows=np.zeros(PRICE + 2 * n_funds),
        costs=np.zeros(n_funds + n_slots),
        book=empty_book(n_funds, n_slots),
        events=np.zeros((capacity, EVENT_FIELDS)),
    )
    begin_account(account, cash_usd)
    return account


@rule
def begin_account(account: Account, cash_usd: float) -> None:
    """Begin anew with cash only, whatever the account held; the event buffer is overwritten."""
    account.money[:] = 0.0
    account.money[CASH] = cash_usd
    account.money[SPECIAL_MEMORANDUM] = cash_usd
    account.money[CALL_AGE] = -1.0
    account.flows[:] = 0.0
    account.costs[:] = 0.0
    account.book.funds[:] = 0.0
    account.book.slots[:] = 0.0


@rule
def each(rates: Floats, i: int) -> float:
    """The entry of fund ``i``, or the one that holds for all."""
    return rates[i] if rates.size > 1 else rates[0]


@rule
def tradable_part(shares: float, share_parts: float) -> float:
    """Signed shares without the fraction that does not trade, towards zero.

    What is within a millionth of a part of the next one is that one: a rounded difference.

    Examples
    --------
    >>> tradable_part(-10.75, 1.0), tradable_part(10.75, 10_000.0), tradable_part(0.3 - 0.1, 10.0)
    (-10.0, 10.75, 0.2)
    """
    units = abs(shares) * share_parts + PART_ROUNDING
    return math.copysign(math.floor(units) / share_parts, shares) + 0.0


@rule
def record(
    account: Account,
    kind: float,
    place: int,
    shares: float,
    price: float,
    before: float,
    after: float,
    why: float,
) -> int:
    """Write an event and return its row; a full buffer keeps counting, so that nobody misses it.

    ``place`` is the number of the fund or slot.  The driver empties the buffer at least once a
    session and refuses a count beyond its length.
    """
    row = int(account.money[EVENT_COUNT])
    account.money[EVENT_COUNT] += 1.0
    if row < account.events.shape[0]:
        events = account.events
        events[row, 0] = kind
        events[row, 1] = place
        events[row, 2] = shares
        events[row, 3] = price
        events[row, 4] = before
        events[row, 5] = after
        events[row, 6] = why
        k = place - account.book.funds.shape[0]
        events[row, 7] = account.book.slots[k, UNDERLYING] if k >= 0 else -1.0
        events[row, 8] = account.book.slots[k, RIGHT] if k >= 0 else -1.0
        events[row, 9] = account.book.slots[k, STRIKE] if k >= 0 else -1.0
        events[row, 10] = account.book.slots[k, EXPIRY] if k >= 0 else -1.0
        events[row, CHARGED] = 0.0
    return row


@rule
def charges(account: Account) -> float:
    """Dollars of commission, fees and penalties charged in the session, >= 0."""
    return float(-account.flows[COMMISSION] - account.flows[FEES] - account.flows[LIQUIDATION])


@rule
def note_charges(account: Account, row: int, charged: float) -> None:
    """Write what a trade was charged into its event."""
    if row < account.events.shape[0]:
        account.events[row, CHARGED] = charged
