"""Properties of every life, whatever the account trades, its broker asks and the market does."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.end_to_end.accounts import FREE, market_of, run_plan
from tests.property.accounts.checks import BOOKS, CALLS, TRADING
from tests.property.accounts.counted import LIVED, TOTAL, accounts
from tests.property.accounts.lives import (
    CLOSES_ONLY,
    PRICEY,
    Broker,
    Life,
    brokers,
    lives,
    sleeve_lives,
)
from tests.property.accounts.living import Lived, live, live_in
from tests.property.accounts.scenes import Scene, scenes

from levsleeve.backtests.event_kinds import EventKind
from levsleeve.backtests.returns import periodic_returns
from levsleeve.backtests.state import Terms
from levsleeve.backtests.tape import COLUMNS, Tape, retaped, tape_of
from levsleeve.instruments.option import OptionContract

OF_SLEEVES = {
    EventKind.STOP_FLIGHT, EventKind.EXIT, EventKind.RE_ENTRY, EventKind.CAP_TRIMMED,
}  # fmt: skip
"""What only a sleeve with a policy meets: see ``test_parity``."""


def test_plain_orders_keep_the_books_the_rules_and_meet_every_kind_of_event() -> None:
    met: set[int] = set()

    @accounts(500)
    @given(lives())
    def holds(life: Life) -> None:
        lived = live(life)
        for check in (*BOOKS, *TRADING, *CALLS):
            check(lived)
        met.update(event.kind for event in lived.events)

    holds()
    assert met == set(EventKind) - OF_SLEEVES


@accounts(300)
@given(sleeve_lives())
def test_sleeves_keep_the_books_and_the_rules(life: Life) -> None:
    lived = live(life)
    for check in (*BOOKS, *TRADING, *CALLS):
        check(lived)


# -- nobody sees the future ------------------------------------------------------------------------


def assert_same(one: Lived, other: Lived, sessions: int) -> None:
    """The same rows and events on the first sessions, in every bit."""
    assert one.sessions[:sessions] == other.sessions[:sessions]
    for name, column in one.rows.items():
        assert np.array_equal(column[:sessions], other.rows[name][:sessions], equal_nan=True), name
    early = [[e for e in lived.events if e.session < sessions] for lived in (one, other)]
    assert early[0] == early[1]


def changed(tape: Tape, first: int) -> Tape:
    """Another tape from a session on, in everything that a session can bring."""
    other = SimpleNamespace(**{name: np.array(getattr(tape, name)) for name in COLUMNS})
    for prices in (other.closes, other.opens, other.highs, other.lows):
        prices[first:] = np.nan_to_num(prices[first:], nan=33.0) * 1.7
    other.splits[first:] = 2.0
    other.dividends[first:] = 3.0
    other.volatility[first:] = 0.9
    other.benchmark_rates[first:] = 0.2
    other.bill_rates[first:] = 0.1
    other.borrow_rates[first:] = 0.5
    other.borrow_states[first:] = 2.0 - other.borrow_states[first:]
    other.cash_flows[first:] += 1234.0
    other.rules[first:] *= 1.3
    other.overlays[first:] *= 1.3
    other.sale_fees[first:] += 0.01
    other.cost_rates[first:] += 0.01
    other.multiples[first:] *= -1.0
    other.benchmark_classes[first:] = 2.0 - other.benchmark_classes[first:]
    return tape_of(**vars(other))


@accounts(250)
@given(st.one_of(lives(), sleeve_lives()), st.data())
def test_the_future_does_not_reach_back(life: Life, data: st.DataObject) -> None:
    lived = live(life)
    first = data.draw(st.integers(1, len(lived.market.sessions) - 1), label="first changed session")
    other = replace(lived.market, tape=changed(lived.market.tape, first))
    assert_same(lived, live_in(life, other), first)


@accounts(100)
@given(lives(broker=CLOSES_ONLY))
def test_opens_lows_and_highs_matter_to_those_alone_who_trade_or_test_there(life: Life) -> None:
    lived = live(life)
    tape = lived.market.tape
    other = retaped(tape, opens=tape.opens * 1.3, lows=tape.lows * 0.4, highs=tape.highs * 1.9)
    assert_same(lived, live_in(life, replace(lived.market, tape=other)), len(lived.sessions))


@accounts(100)
@given(lives(broker=brokers(fill="next_open", intraday_test=False), most_options=0))
def test_an_order_that_fills_at_the_open_pays_the_open(life: Life) -> None:
    lived = live(replace(life, orders=tuple(replace(o, kind="market") for o in life.orders)))
    opens, spread = lived.market.tape.opens, life.broker.terms.fund_spread_rates[0]
    for event in lived.of(EventKind.ORDER_FILLED):
        price = opens[event.session, event.place] * (1.0 + np.sign(event.shares) * spread)
        assert event.price == pytest.approx(price)


# -- where nothing should happen -------------------------------------------------------------------


def without_rates(scene: Scene) -> Scene:
    """The scene where cash and borrowed shares cost nothing."""
    free = {(fund, 0): 0.0 for fund in range(len(scene.multiples))}
    return replace(scene, rate=0.0, borrow_rates=free)


def flat(scene: Scene) -> Scene:
    """The scene where prices only split, and nobody charges a fee."""
    zeros, ones = (0.0,) * len(scene.moves), (1.0,) * len(scene.moves)
    return replace(
        without_rates(scene),
        moves=zeros,
        lows=ones,
        highs=ones,
        jumps={},
        dividends={},
        charges_sales=False,
    )


@accounts(150)
@given(lives(scenes().map(flat), brokers(pricey=False), most_options=0))
def test_a_flat_market_without_rates_and_costs_leaves_wealth_alone(life: Life) -> None:
    lived = live(life)
    scene = life.scene
    steady = scene.book == "finra" and scene.rules_as_of is not None and not scene.splits
    paid_in = life.scene.cash + np.cumsum(lived.rows["flow:external"])
    for t in lived.sessions:
        assert lived.rows["equity"][t] == pytest.approx(paid_in[t], abs=0.001)
        if steady:
            assert lived.rows["excess_liquidity"][t] >= -0.001
    for check in (*BOOKS, *TRADING, *CALLS):
        check(lived)


@accounts(100)
@given(scenes().map(without_rates), brokers())
def test_deposits_earn_nothing_in_an_account_of_cash_alone(scene: Scene, broker: Broker) -> None:
    lived = live(Life(scene, broker))
    frame = lived.broker.ledger.frame()
    returns = periodic_returns(frame["equity"], frame["flow:external"])
    assert abs(returns).max() < 1e-9  # where all but a dollar was withdrawn, a rounded cent counts
    assert lived.broker.get_fundvalue() == pytest.approx(100.0)


@accounts(100)
@given(
    st.integers(1, 30).map(float),
    st.integers(3, 12),
    st.lists(st.integers(-4, 20), min_size=12, max_size=12),
    st.sampled_from([FREE, PRICEY]),
)
def test_a_put_that_expires_worthless_costs_its_premium_and_its_costs(
    contracts: float, days: int, percents: list[int], terms: Terms
) -> None:
    closes = 100.0 * np.cumprod(1.0 + np.array(percents) / 100.0)
    assume(closes.min() > 70.0)
    market = market_of({"UPRO": [100.0, *closes]})
    put = OptionContract("UPRO", "put", 70.0, (market.sessions[0] + pd.Timedelta(days=days)).date())
    LIVED[TOTAL] += 1
    broker = run_plan(
        market, [(0, "put", contracts, put)], cash=100_000.0, terms=terms, slots=("put",)
    )
    ledger = broker.ledger.frame()
    (paid,) = (row[2] * row[3] for _, row in broker.event_rows if row[0] == EventKind.ORDER_FILLED)
    charged = ledger[["flow:commission", "flow:fees"]].to_numpy().sum()
    assert ledger["shares:put"].iloc[-1] == 0.0
    assert ledger["cash"].iloc[-1] == pytest.approx(100_000.0 - paid + charged, abs=1e-6)
