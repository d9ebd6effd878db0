"""The records that the compiled steps of a session read and write.

All arrays are float64.  An account is a few small arrays changed in place, so that the Backtrader
broker and a compiled loop can hold the very same thing.
"""

import math
from typing import NamedTuple

import numpy as np

from levsleeve.compiled import Floats, rule
from levsleeve.margin.book import FundTerms
from levsleeve.margin.charges import CommissionPlan, FinancingPlan, SaleFees
from levsleeve.pricing.volatility import VolatilityModel


class Tape(NamedTuple):
    """What one study's sessions bring, whatever the account does; first axis is the session.

    ``days`` counts calendar days since the session before; ``dates`` are proleptic ordinals;
    rates are fractions a year, ``volatility`` is the VIX as a fraction.  Per fund: as-traded
    ``closes``, ``splits`` (new shares per old), ``dividends`` (dollars per share on the ex-date),
    signed ``multiples``, ``benchmark_classes``, ``borrow_rates`` and ``cost_rates`` (the fund's own
    running cost).  ``rules`` are rows of ``margin.schedule``, ``overlays`` per fund of
    ``margin.house``.

    A close that is NaN is a session without a price of that fund: it keeps its mark, and nothing
    trades in it.  ``borrow_states`` are those of ``instruments.borrow_state``; ``cash_flows`` are
    the dated deposits (> 0) and withdrawals in dollars, one a session.
    """

    dates: Floats
    days: Floats
    benchmark_rates: Floats
    bill_rates: Floats
    volatility: Floats
    rules: Floats
    overlays: Floats
    sale_fees: Floats
    cash_flows: Floats
    opens: Floats
    highs: Floats
    lows: Floats
    closes: Floats
    splits: Floats
    dividends: Floats
    multiples: Floats
    benchmark_classes: Floats
    borrow_rates: Floats
    borrow_states: Floats
    cost_rates: Floats


AT_ONCE, AFTER_SESSIONS, CLOSE_OUT = 0.0, 1.0, 2.0
"""What the broker does when it calls: liquidate at once what is needed, do so after some sessions
unless the call is cured, or close the account."""

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

    Funds and option slots are told apart by their arrays; in ``costs`` and in events a slot k has
    the number ``n_funds + k``.  ``contracts`` are signed, each on ``multipliers`` shares.
    """

    money: Floats
    shares: Floats
    marks: Floats
    contracts: Floats
    multipliers: Floats
    strikes: Floats
    expiries: Floats
    rights: Floats
    underlyings: Floats
    option_marks: Floats
    flows: Floats
    price_flows: Floats
    costs: Floats
    events: Floats
    event_count: Floats


CASH = 0
SPECIAL_MEMORANDUM = 1
CONTRIBUTIONS = 2
MONTH_SHARES = 3
MONTH_CONTRACTS = 4
TRADED = 5
CALL_AGE = 6
ENDED = 7
"""Places in ``Account.money``; contributions are the day's, to the special memorandum account, the
months count what was traded since the calendar month began, and ``TRADED`` is above zero once a
position has changed in the session.  ``CALL_AGE`` counts the sessions since an open margin call,
-1 without one; ``ENDED`` says whether and why the run ends."""

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
"""Causes of a change of equity beside each fund's price, in the order of ``Account.flows``."""


EVENT_FIELDS = 12
CHARGED = 11
"""Kind, symbol, shares, price, before, after, why, of an option its underlying, right, strike and
expiry, and what a forced trade was ``CHARGED`` beside its price: columns of ``Account.events``."""
ACCOUNT_WIDE = -1
"""The symbol of an event that concerns the whole account."""


def new_account(cash_usd: float, n_funds: int, n_slots: int) -> Account:
    """An account that holds cash only; its special memorandum account starts at that cash."""
    capacity = 16 * (n_funds + n_slots) + 16
    return Account(
        money=np.array([cash_usd, cash_usd, 0.0, 0.0, 0.0, 0.0, -1.0, ALIVE]),
        shares=np.zeros(n_funds),
        marks=np.zeros(n_funds),
        contracts=np.zeros(n_slots),
        multipliers=np.zeros(n_slots),
        strikes=np.zeros(n_slots),
        expiries=np.zeros(n_slots),
        rights=np.zeros(n_slots),
        underlyings=np.zeros(n_slots),
        option_marks=np.zeros(n_slots),
        flows=np.zeros(len(FLOW_CAUSES)),
        price_flows=np.zeros(n_funds),
        costs=np.zeros(n_funds + n_slots),
        events=np.zeros((capacity, EVENT_FIELDS)),
        event_count=np.zeros(1),
    )


@rule
def fund_terms_of(tape: Tape, t: int) -> FundTerms:
    """What the rulebook knows of the funds on session ``t``."""
    return FundTerms(tape.multiples[t], tape.benchmark_classes[t], tape.overlays[t], tape.rules[t])


@rule
def each(rates: Floats, i: int) -> float:
    """The entry of fund ``i``, or the one that holds for all."""
    return rates[i] if rates.size > 1 else rates[0]


@rule
def is_quoted(tape: Tape, t: int, i: int) -> bool:
    """Whether fund ``i`` has a price of its own on session ``t``: without one nothing trades."""
    return not math.isnan(tape.closes[t, i])


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
def sale_fees_of(tape: Tape, t: int) -> SaleFees:
    """The regulators' fees of session ``t``."""
    row = tape.sale_fees[t]
    return SaleFees(row[0], row[1], row[2], row[3], row[4])


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
    row = int(account.event_count[0])
    account.event_count[0] += 1.0
    if row < account.events.shape[0]:
        events = account.events
        events[row, 0] = kind
        events[row, 1] = place
        events[row, 2] = shares
        events[row, 3] = price
        events[row, 4] = before
        events[row, 5] = after
        events[row, 6] = why
        k = place - account.shares.size
        events[row, 7] = account.underlyings[k] if k >= 0 else -1.0
        events[row, 8] = account.rights[k] if k >= 0 else -1.0
        events[row, 9] = account.strikes[k] if k >= 0 else -1.0
        events[row, 10] = account.expiries[k] if k >= 0 else -1.0
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
