"""Limits, stops and trailing stops: by hand, and as Backtrader's own broker fills them.

On bars of one price (open, high, low and close the same) an order can fill at that price only, so
that Backtrader's broker and this one must agree on the session and the price of every fill.
"""

from datetime import date
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from tests.end_to_end.accounts import FREE, fills_of, market_of
from tests.end_to_end.scripts import Act, Scripted, run_script

Order = bt.Order


def order(side: str, exectype: int, **terms: Any) -> Act:
    """Places ten shares of one kind of order."""
    return lambda strategy: getattr(strategy, side)(size=10, exectype=exectype, **terms)


def first_fill(closes: list[float], act: Act, **more: Any) -> tuple[int, Any] | None:
    done = fills_of(run_script(market_of({"SP500": closes}), {0: [act]}, **more)[0])
    assert len(done) <= 1
    return done[0] if done else None


# -- by hand --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "closes", "expected"),
    [
        # A stop that is passed in a gap fills beyond its level.
        (order("sell", Order.Stop, price=95.0), [100.0, 96.0, 80.0], (2, 80.0)),
        (order("buy", Order.Stop, price=105.0), [100.0, 105.0, 80.0], (1, 105.0)),
        # A stop limit that was reached beyond its limit waits for the limit, whichever way.
        (
            order("buy", Order.StopLimit, price=105.0, plimit=106.0),
            [100.0, 107.0, 106.0],
            (2, 106.0),
        ),
        (order("buy", Order.StopLimit, price=105.0, plimit=106.0), [100.0, 107.0, 90.0], (2, 90.0)),
        (order("buy", Order.StopLimit, price=105.0, plimit=106.0), [100.0, 104.0, 90.0], None),
        (order("sell", Order.StopLimit, price=95.0, plimit=94.0), [100.0, 93.0, 94.0], (2, 94.0)),
        (order("sell", Order.StopLimit, price=95.0, plimit=94.0), [100.0, 94.5, 90.0], (1, 94.5)),
        # A stop 5 below the highest close since: 95, 98, and still 98 at 99 and 98.5.
        (
            order("sell", Order.StopTrail, trailamount=5.0),
            [100.0, 103.0, 99.0, 98.5, 98.0, 90.0],
            (4, 98.0),
        ),
        (order("buy", Order.StopTrail, trailamount=5.0), [100.0, 97.0, 101.0, 102.0], (3, 102.0)),
        # A tenth below: 90, then 108 from 120, so that 109 stays and 107 goes.
        (
            order("sell", Order.StopTrail, trailpercent=0.1),
            [100.0, 120.0, 109.0, 107.0],
            (3, 107.0),
        ),
        # A stop at 95 and a limit 2 below it rise to 105 and 103: 101 is beyond, 104 is not.
        (
            order("sell", Order.StopTrailLimit, trailamount=5.0, price=100.0, plimit=98.0),
            [100.0, 110.0, 101.0, 102.0, 104.0],
            (4, 104.0),
        ),
        (
            order("buy", Order.StopTrailLimit, trailamount=5.0, price=100.0, plimit=102.0),
            [100.0, 90.0, 99.0, 98.0, 96.0],
            (4, 96.0),  # 95 and 97
        ),
    ],
)
@pytest.mark.parametrize("fill", ["next_close", "same_close", "next_open"])
def test_an_order_fills_on_the_session_and_at_the_price_that_its_terms_say(
    act: Act, closes: list[float], expected: tuple[int, float] | None, fill: str
) -> None:
    assert first_fill(closes, act, fill=fill) == expected


def test_a_stop_limit_keeps_its_limit_with_the_spread_too() -> None:
    # The seller of 94.5 receives 93.555, less than 94; of 95.1 94.149.
    terms = FREE._replace(fund_spread_rates=np.array([0.01]))
    act = order("sell", Order.StopLimit, price=95.0, plimit=94.0)
    found = first_fill([100.0, 94.5, 95.1], act, terms=terms)
    assert found == (2, pytest.approx(94.149))


def test_a_stop_that_is_passed_at_the_open_fills_there() -> None:
    market = market_of({"SP500": [100.0, 104.0, 97.0]}, opens={"SP500": [100.0, 90.0, 97.0]})
    broker, _ = run_script(market, {0: [order("sell", Order.Stop, price=95.0)]}, fill="next_open")
    assert fills_of(broker) == [(1, 90.0)]


def test_a_trailing_stop_follows_opens_and_closes_where_orders_fill_at_opens() -> None:
    # 5 below 100, below the open of 110, below the close of 112: 107 is passed at the open of 106.
    market = market_of({"SP500": [100.0, 112.0, 111.0]}, opens={"SP500": [100.0, 110.0, 106.0]})
    act = order("sell", Order.StopTrail, trailamount=5.0)
    assert fills_of(run_script(market, {0: [act]}, fill="next_open")[0]) == [(2, 106.0)]


# -- against Backtrader's own broker --------------------------------------------------------------


def backtraders_fills(closes: list[float], act: Act) -> list[tuple[int, float]]:
    """Session and price of the fills of Backtrader's broker on bars of one price."""
    sessions = market_of({"SP500": closes}).sessions
    frame = pd.DataFrame(dict.fromkeys(["open", "high", "low", "close"], closes), index=sessions)
    done: list[tuple[int, float]] = []

    class Watched(Scripted):
        def notify_order(self, order: Any) -> None:
            if order.status == order.Completed:
                done.append((len(self) - 1, order.executed.price))

    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame, volume=None, openinterest=None))
    cerebro.addstrategy(Watched, script={0: [act]})
    cerebro.broker.setcash(1_000_000.0)
    cerebro.run()
    return done


WALKS = 100.0 + np.cumsum(np.random.default_rng(7).integers(-12, 13, (6, 25)) / 4.0, axis=1)
PATHS = [
    [100.0, 97.0, 94.0, 99.0, 104.0, 108.0, 103.0, 96.0, 91.0, 95.0],
    [100.0, 104.0, 109.0, 103.0, 98.0, 92.0, 97.0, 105.0, 110.0, 101.0],
    [100.0, 90.0, 111.0, 89.0, 112.0, 88.0, 113.0, 87.0, 114.0, 86.0],
    [100.0, 100.0, 95.0, 95.0, 105.0, 105.0, 94.0, 94.0, 106.0, 106.0],
    *WALKS.tolist(),  # quarters of a dollar, so that prices are equal to the last bit
]
KINDS: list[tuple[int, dict[str, Any], dict[str, Any]]] = [
    # kind, terms of a purchase, terms of a sale
    (Order.Market, {}, {}),
    (Order.Limit, {"price": 95.0}, {"price": 105.0}),
    (Order.Stop, {"price": 105.0}, {"price": 95.0}),
    (Order.StopLimit, {"price": 105.0, "plimit": 106.0}, {"price": 95.0, "plimit": 94.0}),
    (Order.StopLimit, {"price": 104.0, "plimit": 98.0}, {"price": 96.0, "plimit": 102.0}),
    (Order.StopTrail, {"trailamount": 6.0}, {"trailamount": 6.0}),
    (Order.StopTrail, {"trailpercent": 0.07}, {"trailpercent": 0.07}),
    (
        Order.StopTrailLimit,
        {"trailamount": 6.0, "price": 100.0, "plimit": 101.0},
        {"trailamount": 6.0, "price": 100.0, "plimit": 99.0},
    ),
    (
        Order.StopTrailLimit,
        {"trailpercent": 0.05, "price": 100.0, "plimit": 97.0},
        {"trailpercent": 0.05, "price": 100.0, "plimit": 103.0},
    ),
]


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("kind", range(len(KINDS)))
@pytest.mark.parametrize("until", [None, date(2019, 6, 7)], ids=["open", "five_days"])
def test_on_bars_of_one_price_orders_fill_as_in_backtraders_own_broker(
    kind: int, side: str, until: date | None
) -> None:
    exectype, buying, selling = KINDS[kind]
    act = order(side, exectype, **(buying if side == "buy" else selling), valid=until)
    reached = 0
    for closes in PATHS:
        expected = backtraders_fills(closes, act)
        broker, _ = run_script(market_of({"SP500": closes}), {0: [act]}, cash=1_000_000.0)
        assert fills_of(broker) == expected
        reached += len(expected)
    assert reached > 0  # the paths reach the order now and then
