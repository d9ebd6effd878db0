"""The facts and formulas of the slow account, restated in plain Python.

Sources: FINRA 4210(c) and Regulatory Notice 09-53, 12 CFR 220.12, IBKR interest tiers and
commissions, SEC, FINRA and exchange fees up to 2018; Black and Scholes (1973), Leung and Sircar
(2015).
"""

import math
from dataclasses import dataclass
from datetime import date

SCALED_FROM = date(2009, 12, 1)
SECTION_31 = [
    (date(1990, 1, 1), 25.70), (date(2010, 1, 15), 12.70), (date(2010, 4, 1), 16.90),
    (date(2011, 1, 21), 19.20), (date(2012, 2, 21), 18.00), (date(2012, 4, 1), 22.40),
    (date(2013, 5, 25), 17.40), (date(2014, 3, 18), 22.10), (date(2015, 2, 14), 18.40),
    (date(2016, 2, 16), 21.80), (date(2017, 7, 4), 23.10), (date(2018, 5, 22), 13.00),
]  # fmt: skip
ACTIVITY = [
    (date(1990, 1, 1), 0.000075, 3.75), (date(2011, 7, 1), 0.000090, 4.50),
    (date(2012, 3, 1), 0.000095, 4.75), (date(2012, 7, 1), 0.000119, 5.95),
]  # fmt: skip
OPTION_ACTIVITY = 0.002
OPTION_REGULATORY = [(date(1990, 1, 1), 0.0), (date(2010, 2, 1), 0.014), (date(2017, 2, 1), 0.0378)]
TIERS = [(3e5, 0.0035), (3e6, 0.0020), (2e7, 0.0015), (1e8, 0.0010), (math.inf, 0.0005)]
DEBIT = [(1e5, 0.0150), (1e6, 0.0100), (5e7, 0.0075), (math.inf, 0.0050)]
SHORT_PROCEEDS = [(1e6, -0.0125), (3e6, -0.0050), (math.inf, -0.0025)]
ROUNDING = 1e-12
"""Of the amounts that a sum adds."""


@dataclass(frozen=True)
class Fund:
    """``closes`` hold NaN where the fund has no price; ``borrow_states`` are words."""

    symbol: str
    multiple: float
    cost_rate: float
    half_spread: float
    option_half_spread: float
    option_half_least: float
    borrow_rates: list[float]
    borrow_states: list[str]
    opens: list[float]
    lows: list[float]
    highs: list[float]
    closes: list[float]
    splits: list[float]
    dividends: list[float]


@dataclass(frozen=True)
class World:
    dates: list[date]
    funds: list[Fund]
    bills: list[float]
    vix: list[float]
    expiries: list[date]
    cash_flows: list[float]
    rules_on: date | None


@dataclass(frozen=True)
class PutRule:
    fund: int
    moneyness: float
    tenor_days: float
    coverage: float


@dataclass(frozen=True)
class Plan:
    cash: float
    weights: list[float]
    cap: float
    cadence: str = "monthly"
    band: float = 0.0
    put: PutRule | None = None
    fill: str = "next_close"
    intraday: bool = False
    on_call: str = "at once"
    call_sessions: int = 0
    parts: int = 1  # of a share that trade
    cash_account: bool = False
    penalty: float = 0.001
    skew: str = "vix_standard_skew"
    tier_scale: float | None = None  # of the published volumes; None: the fixed plan
    exercise: float = 0.0


@dataclass
class Option:
    fund: int
    strike: float
    expiry: date
    contracts: float
    multiplier: float = 100.0
    mark: float = 0.0


@dataclass
class Row:
    cash: float
    equity: float
    maintenance: float
    initial: float
    special_memorandum: float
    shares: list[float]
    option_shares: float
    events: list[str]
    deposits: list[float]


def normal(x: float) -> float:
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


def put_price(spot: float, strike: float, rate: float, years: float, volatility: float) -> float:
    d1 = (math.log(spot / strike) + (rate + volatility**2 / 2) * years) / volatility / years**0.5
    d2 = d1 - volatility * math.sqrt(years)
    return strike * math.exp(-rate * years) * normal(-d2) - spot * normal(-d1)


def tiered(balance: float, start: float, slices: list[tuple[float, float]], base: float) -> float:
    """Dollars a year on the part of a balance above ``start``, each slice at its rate."""
    total = 0.0
    for end, spread in slices:
        total += max(0.0, min(balance, end) - start) * max(0.0, base + spread)
        start = end
    return total


def maintenance_each(price: float, multiple: float, *, short: bool, on: date) -> float:
    """Dollars per share that a position must keep."""
    k = max(1.0, abs(multiple)) if on >= SCALED_FROM else 1.0
    if not short:
        return min(0.25 * k, 1.0) * price
    if price < 5.0:
        return max(2.50, price)
    return max(5.00, 0.30 * price, min(0.30 * k, 1.0) * price)


def initial_each(price: float, multiple: float, *, short: bool, on: date) -> float:
    return max(0.5 * price, maintenance_each(price, multiple, short=short, on=on))


def section_31(on: date) -> float:
    """Dollars to the SEC on a dollar of proceeds."""
    return [r for since, r in SECTION_31 if since <= on][-1] / 1e6


def share_cost(price: float, n: float, plan: Plan, on: date, earlier: float) -> float:
    """Commission and fees; ``earlier`` shares were traded in the month."""
    quantity = abs(n)
    value = quantity * price
    cost = 0.0
    if plan.tier_scale is not None:
        tiers = [(plan.tier_scale * end, each) for end, each in TIERS]
        asked = tiered(earlier + quantity, 0.0, tiers, 0.0) - tiered(earlier, 0.0, tiers, 0.0)
        commission = min(max(asked, 0.35), 0.01 * value)
        cost += commission * (1.0 + 0.000175 + 0.00056) + 0.0002 * quantity
    else:
        cost += min(max(0.005 * quantity, 1.0), 0.01 * value)
    if n < 0:
        each, most = [(e, m) for since, e, m in ACTIVITY if since <= on][-1]
        cost += value * section_31(on) + min(each * quantity, most)
    return cost


def option_cost(held: Option, fund: Fund, on: date, *, selling: bool) -> float:
    """Half-spread, commission and fees for trading all of it, under 10,000 contracts a month."""
    half = min(held.mark, max(fund.option_half_least, fund.option_half_spread * held.mark))
    each = 0.25 if held.mark < 0.05 else 0.50 if held.mark < 0.10 else 0.65
    shares = held.contracts * held.multiplier
    cost = shares * half + max(each * held.contracts, 1.0)
    cost += held.contracts * [r for since, r in OPTION_REGULATORY if since <= on][-1]
    if selling:
        cost += shares * held.mark * section_31(on) + held.contracts * OPTION_ACTIVITY
    return cost


def fund_put(world: World, held: Option, spot: float, t: int, seen: int, skew: str) -> float:
    """European Black-Scholes at the index volatility that Leung and Sircar map the strike to.

    ``seen`` is the session whose close told the rate and the volatility.
    """
    fund, rate, vix = world.funds[held.fund], world.bills[seen], world.vix[seen]
    years = (held.expiry - world.dates[t]).days / 365.0
    if years <= 0:
        return max(0.0, held.strike - spot)
    level = 0.8545 if skew == "vix_standard_skew" else 0.85
    carry = (rate * (fund.multiple - 1.0) + fund.cost_rate) * years
    decay = fund.multiple * (fund.multiple - 1.0) / 2.0 * (level * vix) ** 2 * years
    moneyness = (math.log(held.strike / spot) + carry + decay) / fund.multiple
    if skew == "vix_standard_skew":
        x = (moneyness - (rate - 0.019) * years) / (vix * math.sqrt(years))
        x = min(max(x, -4.0), 0.5)
        index = vix * (0.8545 - 0.2759 * x - 0.0063 * x * x)
    else:
        tenor = math.sqrt(30.0 / 365.0 / max(years, 5.0 / 365.0))
        index = 0.85 * vix * min(max(1.0 - 3.5 * moneyness * tenor, 0.5), 2.5)
    return put_price(spot, held.strike, rate, years, abs(fund.multiple) * index)


def period(on: date, cadence: str) -> tuple[int, ...]:
    """What names the period that a date is in: a new name is a new period."""
    year, week, _ = on.isocalendar()
    return {
        "daily": (on.toordinal(),),
        "weekly": (year, week),
        "monthly": (on.year, on.month),
        "quarterly": (on.year, (on.month - 1) // 3),
        "once": (0,),
    }[cadence]


def listed(target: float) -> float:
    """The highest listed strike at or below: $0.50 apart below 25, $1 to 200, $5 above."""
    step = 0.5 if target < 25 else 1.0 if target <= 200 else 5.0
    return max(0.5, math.floor(target / step) * step)
