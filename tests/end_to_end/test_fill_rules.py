"""Where an order decided at a close fills: the next close, the next open, or this very close."""

import math
from typing import Any

import backtrader as bt
import numpy as np
import pytest
from tests.end_to_end.accounts import (
    FREE,
    events_of,
    fills_of,
    market_of,
    run_plan,
    sessions_of,
    strategy_of,
)
from tests.end_to_end.scripts import Act, Script, run_script

from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.ledger import identity_errors
from levsleeve.errors import StudyError

OPENS, CLOSES = [100.0, 101.0, 95.0, 90.0], [100.0, 110.0, 120.0, 130.0]
MARKET = market_of({"SP500": CLOSES}, opens={"SP500": OPENS})
FILLS = ("next_close", "next_open", "same_close")
GAP = math.nan


@pytest.mark.parametrize(
    ("fill", "session", "price", "equities"),
    [
        ("next_close", 1, 110.0, [10_000.0, 10_000.0, 10_100.0, 10_200.0]),
        ("next_open", 1, 101.0, [10_000.0, 10_090.0, 10_190.0, 10_290.0]),
        ("same_close", 0, 100.0, [10_000.0, 10_100.0, 10_200.0, 10_300.0]),
    ],
)
def test_ten_shares_decided_at_the_first_close_fill_where_the_rule_says(
    fill: str, session: int, price: float, equities: list[float]
) -> None:
    broker = run_plan(MARKET, [(0, "SP500", 10, None)], cash=10_000.0, fill=fill)
    ledger = broker.ledger.frame()
    assert fills_of(broker) == [(session, price)]
    assert list(ledger["equity"]) == pytest.approx(equities)
    assert list(ledger["shares:SP500"]) == [10.0 if t >= session else 0.0 for t in range(4)]
    assert ledger["cash"].iloc[-1] == 10_000.0 - 10 * price
    assert list(ledger["price:SP500"]) == CLOSES
    assert broker.getposition(broker.data_at(0)).price == price
    assert identity_errors(ledger, 10_000.0).abs().to_numpy().max() < 1e-9


def test_at_the_open_the_spread_and_the_order_test_go_by_the_open() -> None:
    # Half of 80 and 1 % of it a share: 10,000 / 40.80 are 245 shares, at a close of 200 only 98.
    market = market_of({"SP500": [100.0, 200.0]}, opens={"SP500": [100.0, 80.0]})
    terms = FREE._replace(fund_spread_rates=np.array([0.01]))
    plan = [(0, "SP500", 1_000, None)]
    opened, closed = (
        run_plan(market, plan, cash=10_000.0, terms=terms, on_shortfall="cut", fill=fill)
        for fill in ("next_open", "next_close")
    )
    assert fills_of(opened) == [(1, pytest.approx(80.80))]
    assert opened.account.book.shares[0] == 245.0
    row = opened.ledger.frame().iloc[1]
    assert row["flow:spread"] == pytest.approx(-245 * 0.80)
    assert row["flow:price:SP500"] == pytest.approx(245 * 120.0)
    assert closed.account.book.shares[0] == 98.0  # 10,000 / 102


def test_what_was_held_earns_the_night_and_what_is_bought_at_the_open_the_day() -> None:
    # 10 shares from 100 to the open at 101 and on to 110; 10 more from 101; sold at 95, not at 120.
    plan = [(0, "SP500", 10, None), (1, "SP500", -10, None)]
    ledger = run_plan(MARKET, plan, cash=10_000.0, fill="next_open").ledger.frame()
    assert list(ledger["flow:price:SP500"]) == pytest.approx([0.0, 90.0, -150.0, 0.0])
    assert list(ledger["shares:SP500"]) == [0.0, 10.0, 0.0, 0.0]


def test_an_order_for_the_close_waits_for_it_even_when_others_fill_at_the_open() -> None:
    def buy_both(strategy: Any) -> None:
        strategy.buy(size=1, exectype=bt.Order.Close)
        strategy.buy(size=2)

    broker, _ = run_script(MARKET, {0: [buy_both]}, cash=10_000.0, fill="next_open")
    assert fills_of(broker) == [(1, 101.0), (1, 110.0)]
    assert list(events_of(broker, "order_filled")["shares"]) == [2.0, 1.0]


def test_at_this_close_the_orders_of_the_last_session_fill_too() -> None:
    broker = run_plan(MARKET, [(3, "SP500", 7, None)], cash=10_000.0, fill="same_close")
    assert fills_of(broker) == [(3, 130.0)]
    last = broker.ledger.frame().iloc[-1]
    assert (last["shares:SP500"], last["cash"]) == (7.0, 10_000.0 - 910.0)
    assert len(broker.ledger.frame()) == 4


@pytest.mark.parametrize("fill", ["next_close", "next_open"])
def test_otherwise_the_orders_of_the_last_session_never_fill(fill: str) -> None:
    broker = run_plan(MARKET, [(3, "SP500", 7, None)], cash=10_000.0, fill=fill)
    assert fills_of(broker) == []


@pytest.mark.parametrize("fill", FILLS)
def test_a_strategy_sees_at_each_close_what_it_ordered_at_the_one_before(fill: str) -> None:
    broker = run_plan(MARKET, [(0, "SP500", 10, None)], cash=10_000.0, fill=fill)
    assert strategy_of(broker).held == [0, 10, 10, 10]


def test_a_fill_rule_is_one_of_three() -> None:
    with pytest.raises(StudyError) as refused:
        MarginBroker(market=MARKET, terms=FREE, fill="next_week")
    assert str(refused.value) == (
        "fill: 'next_week'; one of next_close, next_open, same_close is right"
    )


# -- limits ---------------------------------------------------------------------------------------


def limit_order(price: float, *, buy: bool) -> Script:
    def place(strategy: Any) -> None:
        trade = strategy.buy if buy else strategy.sell
        trade(size=10, exectype=bt.Order.Limit, price=price)

    return {0: [place]}


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize(("buy", "reached", "missed"), [(True, 99.0, 99.1), (False, 101.1, 101.0)])
def test_a_limit_order_fills_only_where_it_is_kept_with_the_spread(
    fill: str, *, buy: bool, reached: float, missed: float
) -> None:
    # Limit 100 and a spread of 1 %: a buyer pays 99.99 at 99 and 100.091 at 99.1; a seller takes
    # 100.089 at 101.1 and 99.99 at 101.
    prices = [200.0 if buy else 50.0, missed, reached, missed]
    market = market_of({"SP500": prices})
    terms = FREE._replace(fund_spread_rates=np.array([0.01]))
    broker, _ = run_script(market, limit_order(100.0, buy=buy), terms=terms, fill=fill)
    paid = reached * (1.01 if buy else 0.99)
    assert fills_of(broker) == [(2, pytest.approx(paid))]
    assert (paid <= 100.0) if buy else (paid >= 100.0)


def test_at_the_open_a_limit_is_looked_at_once_more_at_the_close() -> None:
    market = market_of({"SP500": [100.0, 94.0, 90.0]}, opens={"SP500": [100.0, 101.0, 93.0]})
    for limit, session, price in ((95.0, 1, 94.0), (93.5, 2, 93.0), (92.0, 2, 90.0)):
        broker, _ = run_script(market, limit_order(limit, buy=True), fill="next_open")
        assert fills_of(broker) == [(session, price)]


def test_lows_and_highs_fill_no_order() -> None:
    market = market_of(
        {"SP500": [100.0] * 3}, lows={"SP500": [50.0] * 3}, highs={"SP500": [200.0] * 3}
    )
    for fill in FILLS:
        for limit, buy in ((90.0, True), (110.0, False)):
            assert fills_of(run_script(market, limit_order(limit, buy=buy), fill=fill)[0]) == []


# -- sessions without a price ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fill", "expected"),
    [("next_close", (3, 120.0)), ("next_open", (3, 119.0)), ("same_close", (0, 100.0))],
)
def test_an_order_in_a_fund_without_a_price_waits_for_one(
    fill: str, expected: tuple[int, float]
) -> None:
    market = market_of(
        {"SP500": [100.0, GAP, GAP, 120.0, 125.0]},
        opens={"SP500": [100.0, GAP, GAP, 119.0, 125.0]},
    )
    broker = run_plan(market, [(0, "SP500", 10, None)], cash=10_000.0, fill=fill)
    assert fills_of(broker) == [expected]


def test_a_fund_without_a_price_keeps_its_mark_and_is_not_sold_by_force() -> None:
    # SSO falls to a quarter while UPRO has no price: what SSO cannot cure waits for UPRO's price.
    market = market_of({"UPRO": [100.0, 100.0, GAP, 100.0], "SSO": [100.0, 100.0, 25.0, 25.0]})
    plan = [(0, "UPRO", 100, None), (0, "SSO", 100, None)]
    broker = run_plan(market, plan, cash=12_500.0)
    forced = events_of(broker, "liquidation")
    # 5,000 of equity where 7,500 and 1,250 are asked: all of SSO gives 1,250, at 100 another 34
    # shares of UPRO the 2,500 that lack.
    assert list(forced["symbol"]) == ["SSO", "UPRO"]
    assert list(forced["shares"]) == [-100.0, -34.0]
    assert sessions_of(broker, "liquidation") == [2, 3]
    assert broker.ledger.frame()["price:UPRO"].iloc[2] == 100.0


# -- brackets, pairs, time, cancelling ------------------------------------------------------------


def bracket(strategy: Any) -> None:
    strategy.buy_bracket(size=10, exectype=bt.Order.Market, stopprice=95.0, limitprice=110.0)


@pytest.mark.parametrize(
    ("fill", "shares"),
    [
        ("next_close", [0.0, 10.0, 0.0, 0.0]),  # in at 104, out at 120
        ("next_open", [0.0, 10.0, 0.0, 0.0]),  # in at 103, out at the next open, 119
        ("same_close", [10.0, 10.0, 0.0, 0.0]),  # in at 100, out at 120
    ],
)
def test_a_bracket_enters_and_leaves_under_each_rule(fill: str, shares: list[float]) -> None:
    market = market_of(
        {"SP500": [100.0, 104.0, 120.0, 90.0]}, opens={"SP500": [100.0, 103.0, 119.0, 91.0]}
    )
    broker, strategy = run_script(market, {0: [bracket]}, fill=fill)
    assert list(broker.ledger.frame()["shares:SP500"]) == shares
    entry, leave = {
        "next_close": (104.0, 120.0),
        "next_open": (103.0, 119.0),
        "same_close": (100.0, 120.0),
    }[fill]
    assert [price for _, price in fills_of(broker)] == [entry, leave]
    assert strategy.orders.count(("Stop", "Canceled")) == 1


def test_the_ends_of_a_bracket_that_entered_at_the_open_are_looked_at_from_that_close_on() -> None:
    market = market_of({"SP500": [100.0, 94.0, 94.0]}, opens={"SP500": [100.0, 103.0, 94.0]})
    broker, _ = run_script(market, {0: [bracket]}, fill="next_open")
    assert fills_of(broker) == [(1, 103.0), (1, 94.0)]


@pytest.mark.parametrize(("turn", "kind"), [(94.0, "Stop"), (111.0, "Limit")])
@pytest.mark.parametrize("fill", ["next_open", "same_close"])
def test_of_a_pair_only_one_fills_under_each_rule(fill: str, turn: float, kind: str) -> None:
    def leave_either_way(strategy: Any) -> None:
        first = strategy.sell(size=10, exectype=bt.Order.Stop, price=95.0)
        strategy.sell(size=10, exectype=bt.Order.Limit, price=110.0, oco=first)

    script: Script = {0: [lambda s: s.buy(size=10)], 1: [leave_either_way]}
    market = market_of({"SP500": [100.0, 100.0, turn, 205.0 - turn, 50.0]})
    broker, strategy = run_script(market, script, fill=fill)
    assert broker.account.book.shares[0] == 0.0
    assert fills_of(broker)[1] == (2, turn)
    other = {"Stop": "Limit", "Limit": "Stop"}[kind]
    assert (kind, "Completed") in strategy.orders
    assert (other, "Canceled") in strategy.orders


@pytest.mark.parametrize(
    ("fill", "days", "session"),
    [
        # A limit of 95; closes 100, 100, 94 on 3, 4 and 5 June: valid on the day that is named.
        ("next_close", 5, 2),
        ("next_close", 4, None),
        ("next_open", 5, 2),
        ("next_open", 4, None),
        ("same_close", 5, 2),
        ("same_close", 4, None),
    ],
)
def test_an_order_is_valid_through_its_last_day(fill: str, days: int, session: int | None) -> None:
    def place(strategy: Any) -> None:
        until = strategy.data.datetime.date(0).replace(day=days)
        strategy.buy(size=10, exectype=bt.Order.Limit, price=95.0, valid=until)

    market = market_of({"SP500": [100.0, 100.0, 94.0, 94.0]})
    broker, strategy = run_script(market, {0: [place]}, fill=fill)
    assert [t for t, _ in fills_of(broker)] == ([] if session is None else [session])
    assert (("Limit", "Expired") in strategy.orders) == (session is None)


@pytest.mark.parametrize(
    ("fill", "expected"),
    [("next_close", []), ("next_open", []), ("same_close", [(0, 100.0)])],
)
def test_an_order_for_the_day_of_its_decision_fills_only_at_that_close(
    fill: str, expected: list[tuple[int, float]]
) -> None:
    def place(strategy: Any) -> None:
        strategy.buy(size=10, exectype=bt.Order.Limit, price=200.0, valid=bt.Order.DAY)

    assert fills_of(run_script(MARKET, {0: [place]}, fill=fill)[0]) == expected


@pytest.mark.parametrize("fill", FILLS)
def test_an_order_that_is_cancelled_in_time_never_fills(fill: str) -> None:
    def place(strategy: Any) -> None:
        strategy.placed["limit"] = strategy.buy(size=10, exectype=bt.Order.Limit, price=95.0)

    cancel: Act = lambda strategy: strategy.cancel(strategy.placed["limit"])  # noqa: E731
    market = market_of({"SP500": [100.0, 100.0, 94.0, 94.0]})
    broker, strategy = run_script(market, {0: [place], 1: [cancel]}, fill=fill)
    assert fills_of(broker) == []
    assert strategy.orders[-1] == ("Limit", "Canceled")
