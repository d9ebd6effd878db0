"""Random lives of an account, lived straight through the compiled steps, without Backtrader."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from hypothesis import strategies as st
from tests.end_to_end.accounts import FREE, market_of

from levsleeve.backtests.forced import maintenance_test, special_memorandum_test, wipe_test
from levsleeve.backtests.market import Market
from levsleeve.backtests.marks import expire, mark
from levsleeve.backtests.measures import Measures, measure, slot_price
from levsleeve.backtests.orders import affordable, affordable_contracts, fill_option, fill_shares
from levsleeve.backtests.state import Account, Terms, new_account
from levsleeve.backtests.steps import close_session, open_session
from levsleeve.compiled import Floats
from levsleeve.margin.charges import commission_plan, financing_plan
from levsleeve.margin.rulebook import rulebook
from levsleeve.pricing.black_scholes import PUT

PRICEY = FREE._replace(
    fund_spread_rates=np.array([0.0005]),
    option_spread_rates=np.array([0.05]),
    option_spread_minimums_usd=np.array([0.05]),
    liquidation_penalty_rate=0.002,
    financing=financing_plan("ibkr"),
    commission=commission_plan("ibkr_fixed"),
)
BOOKS = [
    rulebook(),
    rulebook(switches={"hedge_relief": "finra", "option_loan_value": "finra"}),
    rulebook(switches={"order_initial": "broker", "end_of_day_initial": "ibkr_legacy"}),
    rulebook("house_flow", {"house": {"kind": "factor", "factor": 1.35}}),
]
RATIOS = [2.0, 3.0, 1.5, 0.5, 0.25, 0.1, 1.0 / 3.0]


@dataclass(frozen=True)
class Order:
    session: int
    fund: int
    shares: float


@dataclass(frozen=True)
class PutOrder:
    session: int
    fund: int
    contracts: float
    moneyness: float
    days: int


@dataclass(frozen=True)
class Life:
    market: Market
    terms: Terms
    cash: float
    orders: Sequence[Order]
    puts: Sequence[PutOrder]


@dataclass
class Page:
    """What a session left: copies, and the trades as (signed units, dollars paid per unit)."""

    money: Floats
    shares: Floats
    marks: Floats
    options: Floats
    flows: Floats
    price_flows: Floats
    events: Floats
    measures: Measures
    trades: list[tuple[float, float]] = field(default_factory=list)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Gaps to 20 % of the index, splits, distributions, a change of rules, orders beyond reason."""
    n = draw(st.integers(4, 9))
    multiples = draw(st.lists(st.sampled_from([3, 2, 1, -1, -2, -3]), min_size=1, max_size=3))
    percents = st.integers(-20, 20)
    moves = np.array(draw(st.lists(percents, min_size=n, max_size=n))) / 100.0
    sessions, funds = st.integers(1, n - 1), st.integers(0, len(multiples) - 1)
    closes, splits, dividends = {}, {}, {}
    for i, multiple in enumerate(multiples):
        symbol = f"SP500?L={multiple}&D={i}"
        splits[symbol] = draw(st.dictionaries(sessions, st.sampled_from(RATIOS), max_size=2))
        dividends[symbol] = draw(
            st.dictionaries(sessions, st.sampled_from([0.05, 1.0]), max_size=1)
        )
        growth = np.maximum(1.0 + multiple * moves, 0.05)
        for t, ratio in splits[symbol].items():
            growth[t] /= ratio
        first = draw(st.sampled_from([4.0, 15.0, 60.0, 300.0]))
        closes[symbol] = (first * np.cumprod(growth)).tolist()
    market = market_of(
        closes,
        start=draw(st.sampled_from(["2009-11-25", "2011-06-24"])),
        splits=splits,
        dividends=dividends,
        rate=draw(st.sampled_from([-0.005, 0.0, 0.03])),
        borrow_rate=draw(st.sampled_from([0.0, 0.04])),
        rules_as_of=draw(st.sampled_from([None, date(2010, 4, 30)])),
        book=draw(st.sampled_from(BOOKS)),
        fees=True,
    )
    order = st.builds(Order, sessions, funds, st.integers(-4000, 4000).map(float))
    put = st.builds(
        PutOrder,
        sessions,
        funds,
        st.integers(1, 60).map(float),
        st.sampled_from([0.8, 0.95, 1.1]),
        st.integers(1, 20),
    )
    return Life(
        market,
        draw(st.sampled_from([FREE, PRICEY])),
        draw(st.sampled_from([2_500.0, 50_000.0, 400_000.0])),
        draw(st.lists(order, min_size=1, max_size=8)),
        draw(st.lists(put, max_size=2)),
    )


def live(life: Life) -> list[Page]:
    """One page a session, to the last or to the one that wipes the account."""
    tape, terms = life.market.tape, life.terms
    account = new_account(life.cash, len(life.market.funds), 1)
    pages: list[Page] = []
    for t in range(len(tape.dates)):
        open_session(account, tape, t, terms)
        mark(account, tape, t, terms)
        expire(account, tape, t, terms)
        maintenance_test(account, tape, t, terms)
        wiped = wipe_test(account)
        trades = [] if wiped else trade(account, life, t)
        if not wiped:
            special_memorandum_test(account, tape, t, terms)
        close_session(account, tape, t)
        pages.append(page(account, measure(account, tape, t, terms), trades))
        account.event_count[0] = 0.0
        if wiped:
            break
    return pages


def trade(account: Account, life: Life, t: int) -> list[tuple[float, float]]:
    """Fill the session's orders as far as they fit."""
    tape, terms, done = life.market.tape, life.terms, []
    for order in life.orders:
        if order.session == t:
            allowed = affordable(account, tape, t, order.fund, order.shares, terms)
            done.append((allowed, fill_shares(account, tape, t, order.fund, allowed, terms)))
    for put in life.puts:
        if put.session == t and account.contracts[0] == 0.0:
            enter_put(account, life, t, put)
            fits = affordable_contracts(account, tape, t, 0, put.contracts, terms)
            done.append((100.0 * fits, fill_option(account, tape, t, 0, fits, terms)))
    return done


def enter_put(account: Account, life: Life, t: int, put: PutOrder) -> None:
    """Put the contract into the empty slot at its model price."""
    tape = life.market.tape
    account.multipliers[0], account.rights[0] = 100.0, PUT
    account.strikes[0] = put.moneyness * tape.closes[t, put.fund]
    account.expiries[0] = tape.dates[t] + put.days
    account.underlyings[0] = put.fund
    account.option_marks[0] = slot_price(account, tape, t, t, life.terms, 0)


def page(account: Account, measures: Measures, trades: list[tuple[float, float]]) -> Page:
    return Page(
        money=account.money.copy(),
        shares=account.shares.copy(),
        marks=account.marks.copy(),
        options=np.array([account.contracts[0] * account.multipliers[0], account.option_marks[0]]),
        flows=account.flows.copy(),
        price_flows=account.price_flows.copy(),
        events=account.events[: int(account.event_count[0])].copy(),
        measures=measures,
        trades=trades,
    )
