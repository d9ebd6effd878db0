"""Accounts that other engines carry on with, and what becomes of them here."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import backtrader as bt
import pandas as pd
import pytest
from tests.end_to_end.accounts import events_of, market_of, run_plan

from levsleeve.backtests.ledger import identity_errors
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.rulebook import rulebook


def backtraders_equity(
    closes: Sequence[float], size: int, cash: float, leverage: float = 1.0
) -> list[float]:
    """Equity at each close in Backtrader's own broker after one order at the first."""
    equity: list[float] = []

    class Once(bt.Strategy):
        def next(self) -> None:
            equity.append(self.broker.getvalue())
            if len(self) == 1:
                (self.buy if size > 0 else self.sell)(size=abs(size))

    prices: dict[str, Any] = dict.fromkeys(["open", "high", "low", "close"], closes)
    frame = pd.DataFrame(prices, index=market_of({"SP500": closes}).sessions)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame, volume=None, openinterest=None))
    cerebro.broker.setcash(cash)
    cerebro.broker.setcommission(leverage=leverage)
    cerebro.addstrategy(Once)
    cerebro.run()
    return equity


# -- shorts ---------------------------------------------------------------------------------------

RALLY = [100.0, 100.0, 150.0, 60.0]


def test_a_short_100_times_its_equity_reaches_minus_49_000_and_recovers_elsewhere() -> None:
    assert backtraders_equity(RALLY, -1_000, 1_000.0) == [1_000.0, 1_000.0, -49_000.0, 41_000.0]
    broker = run_plan(market_of({"SP500": RALLY}), [(0, "SP500", -1_000, None)], cash=1_000.0)
    assert list(broker.ledger.frame()["equity"]) == [1_000.0] * 4
    assert list(events_of(broker, "order_refused")["shares"]) == [-1_000.0]


def test_a_short_that_fits_is_bought_back_in_the_rally_and_misses_most_of_the_fall() -> None:
    # At 150 equity is 10,000 where 45,000 are asked: 778 x 45 cure it, and 222 earn 90 each.
    assert backtraders_equity(RALLY, -1_000, 60_000.0)[2:] == [10_000.0, 100_000.0]
    broker = run_plan(market_of({"SP500": RALLY}), [(0, "SP500", -1_000, None)], cash=60_000.0)
    assert list(broker.ledger.frame()["equity"].iloc[2:]) == [10_000.0, 29_980.0]
    assert list(events_of(broker, "liquidation")["shares"]) == [778.0]


def test_a_short_whose_equity_is_gone_never_recovers() -> None:
    closes = [100.0, 100.0, 170.0, 60.0]
    assert backtraders_equity(closes, -1_000, 60_000.0)[2:] == [-10_000.0, 100_000.0]
    broker = run_plan(market_of({"SP500": closes}), [(0, "SP500", -1_000, None)], cash=60_000.0)
    assert list(broker.ledger.frame()["equity"]) == [60_000.0, 60_000.0, -10_000.0]
    assert events_of(broker, "wiped")["after"].iloc[0] == -10_000.0


# -- longs ----------------------------------------------------------------------------------------


def test_a_long_with_five_percent_of_equity_is_never_called_elsewhere() -> None:
    # 1,000 at 190, half borrowed, fall to 100: 5,000 are left of 100,000.  A quarter is asked:
    # 800 shares go, and of the way back 200 earn 90 each.
    closes = [190.0, 190.0, 100.0, 190.0]
    elsewhere = backtraders_equity(closes, 1_000, 95_000.0, leverage=2.0)
    assert elsewhere == [95_000.0, 95_000.0, 5_000.0, 95_000.0]
    broker = run_plan(market_of({"SP500": closes}), [(0, "SP500", 1_000, None)], cash=95_000.0)
    assert events_of(broker, "margin_call")["price"].iloc[0] == pytest.approx(20_000.0)
    assert list(events_of(broker, "liquidation")["shares"]) == [-800.0]
    assert list(broker.ledger.frame()["equity"]) == [95_000.0, 95_000.0, 5_000.0, 23_000.0]


@pytest.mark.parametrize("symbol", ["SP500", "SSO", "UPRO"])
@pytest.mark.parametrize(
    ("closes", "shares", "cash", "traded"),
    [
        ([400.0, 400.0, 100.0, 100.0], 300, 95_300.0, -88.0),  # a debit of 24,700
        ([20.0, 20.0, 100.0, 100.0], -300, 29_300.0, 88.0),  # 35,300 of cash
    ],
)
def test_a_flat_rate_of_a_quarter_trades_88_whatever_the_fund_and_the_side(
    symbol: str, closes: list[float], shares: int, cash: float, traded: float
) -> None:
    # 5,300 of equity where 7,500 are asked: 2,200 / 25.  The rule takes 88, 194 and 230 of longs
    # in funds of multiple 1, 2 and 3, and 124, 212 and 242 of shorts.
    book = rulebook(switches={"flat_rate": 0.25})
    broker = run_plan(
        market_of({symbol: closes}, book=book), [(0, symbol, shares, None)], cash=cash
    )
    assert list(events_of(broker, "liquidation")["shares"]) == [traded]
    last = broker.ledger.frame().iloc[-1]
    assert (last["equity"], last["excess_liquidity"]) == pytest.approx((5_300.0, 0.0))


# -- puts bought from a budget --------------------------------------------------------------------

SLOT = "UPRO:put"
FRIDAYS = [date(2019, 6, day) for day in (7, 14, 21)]  # sessions 4, 9 and 14


def rolled(strike: float, contracts: int, days: int = 16) -> Any:
    """Puts bought on each Monday's close in a market that does not move."""
    market = market_of({"UPRO": [100.0] * days})
    plan = [
        (5 * week, SLOT, contracts, OptionContract("UPRO", "put", strike, friday))
        for week, friday in enumerate(FRIDAYS)
    ]
    return run_plan(market, plan, cash=50_000.0, slots=(SLOT,))


def test_in_a_flat_market_puts_that_return_their_cost_leave_wealth_to_the_cent() -> None:
    # Struck at twice the price they are worth 100 a share and nothing else, in and out.
    broker = rolled(200.0, 4)
    ledger = broker.ledger.frame()
    assert list(events_of(broker, "order_filled")["price"]) == pytest.approx([100.0] * 3)
    assert list(events_of(broker, "option_expired")["price"]) == [100.0] * 3
    assert list(ledger["equity"].round(2)) == [50_000.0] * 16
    assert list(ledger["cash"].round(2).iloc[[0, 1, 4, 6, 9, 11, 14]]) == [
        50_000.0, 10_000.0, 50_000.0, 10_000.0, 50_000.0, 10_000.0, 50_000.0,
    ]  # fmt: skip
    assert identity_errors(ledger, 50_000.0).abs().to_numpy().max() < 1e-9


def test_in_a_flat_market_puts_that_expire_worthless_cost_exactly_their_premiums() -> None:
    broker = rolled(95.0, 10)
    premiums = 1_000 * events_of(broker, "order_filled")["price"]
    assert (premiums > 100.0).all()
    at_expiries = broker.ledger.frame()["equity"].iloc[[4, 9, 14]]
    assert list(at_expiries) == pytest.approx(list(50_000.0 - premiums.cumsum()), abs=1e-9)
    assert list(events_of(broker, "option_expired")["price"]) == [0.0] * 3
