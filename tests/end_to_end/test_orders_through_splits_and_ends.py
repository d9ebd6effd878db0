"""Orders that meet a split, an expiry, a test at the day's end or a part that does not trade."""

from datetime import date
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
from tests.end_to_end.scripts import run_script

from levsleeve.backtests.state import AT_ONCE
from levsleeve.errors import StudyError
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.charges import commission_plan
from levsleeve.margin.rulebook import rulebook

SLOT = "UPRO:option"


def put(strike: float, expiry: date = date(2019, 9, 20)) -> OptionContract:
    return OptionContract("UPRO", "put", strike, expiry)


def test_a_sale_at_the_days_end_clips_the_orders_that_wait() -> None:
    # 600 take 30,000 to open and 25,000 are there: 100 go.  The stop for 600 then finds 500.
    book = rulebook(switches={"order_initial": "broker"})
    market = market_of({"SP500": [100.0, 100.0, 94.0, 130.0]}, book=book)
    script: dict[int, list[Any]] = {
        0: [
            lambda s: s.buy(size=600),
            lambda s: s.sell(size=600, exectype=bt.Order.Stop, price=95.0),
        ]
    }
    broker, _ = run_script(market, script, cash=25_000.0)
    assert list(events_of(broker, "liquidation")["shares"]) == [-100.0]
    assert broker.account.book.shares.tolist() == [0.0]


# A split while an order waits that names the very contract which its slot holds.


@pytest.mark.parametrize(
    ("ratio", "order", "left"),
    [
        (3.0, 1.0, 900.0),  # 2 and 1 contracts are 6 and 3
        (0.25, 4.0, 150.0),  # 6 of 25 shares
        (3.0, -2.0, 0.0),
        (0.25, -2.0, 0.0),
    ],
)
def test_an_order_in_the_contract_that_is_held_follows_it_over_a_split(
    ratio: float, order: float, left: float
) -> None:
    price = 100.0 / ratio
    market = market_of({"UPRO": [100.0, 100.0, price, price]}, splits={"UPRO": {2: ratio}})
    plan = [(0, SLOT, 2.0, put(85.0)), (1, SLOT, order, put(85.0))]
    broker = run_plan(market, plan, cash=50_000.0, slots=(SLOT,))
    assert broker.ledger.frame()[f"shares:{SLOT}"].iloc[-1] == left


def test_an_option_that_expires_on_a_saturday_settles_at_fridays_close() -> None:
    market = market_of({"UPRO": [100.0, 100.0, 100.0, 100.0, 100.0, 50.0]})
    assert market.sessions[4].day_name() == "Friday"
    broker = run_plan(
        market, [(0, SLOT, 1.0, put(90.0, date(2019, 6, 8)))], cash=50_000.0, slots=(SLOT,)
    )
    ended = events_of(broker, "option_expired").iloc[0]
    assert (ended["session"], ended["price"]) == (market.sessions[4], 0.0)


def test_a_contract_whose_last_session_is_over_is_refused_though_its_date_is_not() -> None:
    market = market_of({"UPRO": [100.0] * 6})
    with pytest.raises(StudyError) as refused:
        run_plan(market, [(3, SLOT, 1.0, put(90.0, date(2019, 6, 8)))], cash=1e4, slots=(SLOT,))
    assert str(refused.value) == (
        "order in UPRO:option: UPRO 2019-06-08 90 put has expired at this fill, 2019-06-07; "
        "a later expiry is right"
    )


# Parts that do not trade are cut when an order is accepted.


def test_an_order_for_a_fraction_fills_whole_and_is_completed() -> None:
    market = market_of({"UPRO": [100.0] * 4})
    broker = run_plan(market, [(0, "UPRO", 10.75, None)], cash=10_000.0)
    assert strategy_of(broker).seen[-1] == ("UPRO", "Completed")
    cut = events_of(broker, "order_cut").iloc[0]
    assert (cut["before"], cut["after"]) == (10.75, 10.0)
    assert cut["why"] == "fractions of a share do not trade"


@pytest.mark.parametrize(
    ("order", "left"), [(-12.5, 88.0), (-100.0, 0.0), (-100.5, 0.0), (-150.5, -50.0)]
)
def test_a_sale_leaves_no_fraction_of_a_share_behind(order: float, left: float) -> None:
    plan = [(0, "UPRO", 100, None), (1, "UPRO", order, None)]
    broker = run_plan(market_of({"UPRO": [100.0] * 5}), plan, cash=50_000.0)
    assert broker.account.book.shares.tolist() == [left]


def test_an_order_for_less_than_a_share_is_rejected() -> None:
    broker = run_plan(market_of({"UPRO": [100.0] * 4}), [(0, "UPRO", 0.5, None)], cash=10_000.0)
    assert strategy_of(broker).seen[-1] == ("UPRO", "Rejected")
    assert list(events_of(broker, "order_refused")["why"]) == ["fractions of a share do not trade"]


def test_contracts_trade_whole() -> None:
    broker = run_plan(
        market_of({"UPRO": [100.0] * 4}), [(0, SLOT, 1.5, put(90.0))], cash=1e4, slots=(SLOT,)
    )
    assert broker.account.book.contracts.tolist() == [1.0]


@pytest.mark.parametrize(("size", "cash"), [(1000.0, 50_000.0), (666.5, 1e6)])
def test_a_bracket_protects_what_its_first_order_filled(size: float, cash: float) -> None:
    # 50,000 open 666 at 75 each; of 666.5 the half does not trade.  The stop sells them at 85.
    market = market_of({"UPRO": [100.0, 100.0, 100.0, 85.0]})
    script = {0: [lambda s: s.buy_bracket(size=size, price=100.0, stopprice=90.0, limitprice=150)]}
    broker, _ = run_script(market, script, cash=cash, on_shortfall="cut")
    assert fills_of(broker) == [(1, 100.0), (3, 85.0)]
    assert broker.account.book.shares.tolist() == [0.0]


def test_a_forced_trade_tells_backtrader_what_it_was_charged() -> None:
    terms = FREE._replace(
        commission=commission_plan("ibkr_fixed"), liquidation_penalty_rate=0.01,
        call_policy=AT_ONCE, fund_spread_rates=np.zeros(1),
    )  # fmt: skip

    class Watching(bt.Strategy):
        def __init__(self) -> None:
            self.charged = 0.0

        def notify_order(self, order: Any) -> None:
            if order.status in (order.Completed, order.Partial):
                self.charged += order.executed.comm

        def next(self) -> None:
            if len(self) == 1:
                self.buy(size=300)

    from levsleeve.backtests.broker import MarginBroker
    from levsleeve.backtests.driver import run_market

    market = market_of({"UPRO": [400.0, 400.0, 100.0]}, fees=True)
    broker = run_market(
        Watching, {}, market, MarginBroker(market=market, terms=terms, cash=95_500.0)
    )
    ledger = broker.ledger.frame()
    told = broker.cerebro.runningstrats[0].charged
    paid = ledger[["flow:commission", "flow:fees", "flow:liquidation"]].to_numpy().sum()
    assert sessions_of(broker, "liquidation") == [2]
    assert told == pytest.approx(-paid)
    assert told > 50.0


def test_at_the_same_close_a_strategy_decides_on_what_a_liquidation_left() -> None:
    terms = FREE._replace(liquidation_penalty_rate=0.05)
    market = market_of({"SP500": [100.0, 100.0, 45.0, 45.0]})
    plan = [(0, "SP500", 160, None)]
    broker = run_plan(market, plan, cash=10_000.0, terms=terms, fill="same_close")
    assert list(events_of(broker, "liquidation")["shares"]) == [-67.0]
    strategy = strategy_of(broker)
    assert strategy.equities[2] == pytest.approx(1_049.25)
    assert strategy.held[2] == 93.0


def test_forced_trades_sell_ten_thousandths_where_those_trade() -> None:
    # 13.3333 at 320 with 1,000 of cash; at 100 they keep 75 each.
    terms = FREE._replace(share_parts=10_000.0)
    market = market_of({"UPRO": [320.0, 320.0, 240.0]})
    broker = run_plan(market, [(0, "UPRO", 13.3333, None)], cash=3_200.0, terms=terms)
    owed = 13.3333 * 320.0 - 3_200.0
    deficiency = 0.75 * 13.3333 * 240.0 - (13.3333 * 240.0 - owed)
    sold = -events_of(broker, "liquidation")["shares"].iloc[0]
    assert sold == pytest.approx(np.ceil(deficiency / 180.0 * 10_000) / 10_000)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"right": "Put"}, "option: right 'Put'; 'put' or 'call' is right"),
        ({"strike": -5.0}, "option: strike -5.0; dollars above 0 are right"),
        ({"strike": float("nan")}, "option: strike nan; dollars above 0 are right"),
        ({"strike": True}, "option: strike True; dollars above 0 are right"),
        (
            {"expiry": "2019-06-06"},
            "option: expiry '2019-06-06'; a date such as 2008-10-17 is right",
        ),
    ],
)
def test_a_contract_that_is_no_option_is_refused(terms: dict[str, Any], message: str) -> None:
    right: dict[str, Any] = {
        "fund": "UPRO", "right": "put", "strike": 90.0, "expiry": date(2019, 9, 20),
    }  # fmt: skip
    with pytest.raises(StudyError) as refused:
        OptionContract(**{**right, **terms})
    assert str(refused.value) == message
