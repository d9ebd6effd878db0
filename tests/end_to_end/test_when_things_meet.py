"""What a broker must get right when several things meet: orders, splits, calls and gaps."""

import math
from datetime import date
from typing import Any

import backtrader as bt
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

from levsleeve.backtests.state import AFTER_SESSIONS, CLOSE_OUT
from levsleeve.instruments.borrow_state import BORROW_RECALLED
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.rulebook import rulebook

SLOT = "UPRO:option"


def put(strike: float, expiry: date = date(2019, 9, 20)) -> OptionContract:
    return OptionContract("UPRO", "put", strike, expiry)


def test_an_order_to_buy_back_an_option_that_expires_first_is_cancelled() -> None:
    market = market_of({"UPRO": [100.0] * 6})
    plan: list[tuple[int, str, float, Any]] = [
        (0, SLOT, -2, put(90.0, date(2019, 6, 7))), (3, SLOT, 2, None),
    ]  # fmt: skip
    broker = run_plan(market, plan, cash=10_000.0, slots=(SLOT,))
    assert len(broker.ledger.frame()) == 6
    assert strategy_of(broker).seen[-1] == (SLOT, "Canceled")


def test_an_order_to_buy_options_back_buys_all_of_them_after_a_split() -> None:
    market = market_of({"UPRO": [100.0, 100.0, 50.0, 50.0]}, splits={"UPRO": {2: 2.0}})
    plan: list[tuple[int, str, float, Any]] = [(0, SLOT, -2, put(90.0)), (1, SLOT, 2, None)]
    broker = run_plan(market, plan, cash=10_000.0, slots=(SLOT,))
    assert broker.ledger.frame()["shares:UPRO:option"].iloc[-1] == 0.0


@pytest.mark.parametrize("exectype", [bt.Order.Market, bt.Order.Stop])
def test_an_order_to_cover_what_was_bought_in_is_cancelled(exectype: int) -> None:
    market = market_of({"UPRO": [100.0] * 5}, borrow_states={"UPRO": {2: BORROW_RECALLED}})
    script = {
        0: [lambda s: s.sell(size=100)],
        1: [lambda s: s.buy(size=100, exectype=exectype, price=99.0)],
    }
    broker, strategy = run_script(market, script, cash=20_000.0)
    assert broker.account.book.shares[0] == 0.0
    assert strategy.orders[-1][1] == "Canceled"


def test_two_sales_that_wait_over_a_liquidation_sell_no_more_than_is_left() -> None:
    market = market_of({"SP500": [400.0, 400.0, 100.0, 100.0]})
    plan = [(0, "SP500", 300, None), (1, "SP500", -150, None), (1, "SP500", -150, None)]
    broker = run_plan(market, plan, cash=95_300.0)
    assert list(events_of(broker, "liquidation")["shares"]) == [-88.0]
    assert broker.account.book.shares[0] == 0.0


def test_the_limit_of_a_trailing_stop_limit_stays_a_quarter_as_far_after_a_split() -> None:
    # A stop 8 and a limit 10 below 100 are 2 and 2.50 below 25, 24 and 23.50 at 26: 22.75 is less.
    market = market_of({"UPRO": [100.0, 100.0, 25.0, 26.0, 22.75]}, splits={"UPRO": {2: 4.0}})
    terms = {"trailamount": 8.0, "price": 100.0, "plimit": 98.0}
    kind = bt.Order.StopTrailLimit
    broker, _ = run_script(market, {0: [lambda s: s.sell(size=10, exectype=kind, **terms)]})
    assert fills_of(broker) == []


def test_a_call_that_is_due_on_a_session_without_a_price_is_due_on_the_next() -> None:
    terms = FREE._replace(call_policy=AFTER_SESSIONS, call_sessions=1.0)
    market = market_of({"UPRO": [400.0, 400.0, 100.0, math.nan, 100.0, 100.0]})
    broker = run_plan(market, [(0, "UPRO", 300, None)], cash=95_300.0, terms=terms)
    assert sessions_of(broker, "margin_call") == [2]
    assert sessions_of(broker, "liquidation") == [4]


def test_an_account_that_is_to_be_closed_is_closed_once_every_fund_has_a_price() -> None:
    market = market_of(
        {"UPRO": [100.0, 100.0, math.nan, 100.0, 100.0], "SSO": [100.0, 100.0, 60.0, 60.0, 60.0]}
    )
    plan = [(0, "UPRO", 100, None), (0, "SSO", 100, None)]
    terms = FREE._replace(call_policy=CLOSE_OUT)
    broker = run_plan(market, plan, cash=12_500.0, terms=terms)
    assert broker.account.book.shares.tolist() == [0.0, 0.0]
    assert sessions_of(broker, "closed_out") == [3]


def test_a_cash_account_that_writes_nothing_says_so() -> None:
    market = market_of({"UPRO": [100.0] * 3}, book=rulebook(switches={"margin_mode": "cash"}))
    broker = run_plan(market, [(0, SLOT, -1, put(90.0))], cash=50_000.0, slots=(SLOT,))
    why = events_of(broker, "order_refused")["why"].iloc[0]
    assert "cash account" in why


def test_the_deposit_of_a_call_is_stated_to_the_cent() -> None:
    # Short 100 at 131.30: 14,000 less 3,130, and 11,817 are asked.
    market = market_of({"UPRO": [100.0, 100.0, 131.3]})
    broker = run_plan(market, [(0, "UPRO", -100, None)], cash=14_000.0)
    assert events_of(broker, "margin_call")["why"].iloc[0] == (
        "excess liquidity below zero: a deposit of $947.00 would have cured it"
    )


def test_an_account_keeps_a_dollar_when_its_owner_takes_everything() -> None:
    market = market_of({"SP500": [100.0] * 5}, cash_flows={2: -10_000.0, 3: 5_000.0})
    broker = run_plan(market, [], cash=10_000.0)
    assert not broker.wiped
    equity = list(broker.ledger.frame()["equity"])
    assert equity == [10_000.0, 10_000.0, 1.0, 5_001.0, 5_001.0]
    cut = events_of(broker, "withdrawal_cut").iloc[0]
    assert (cut["price"], cut["before"], cut["after"]) == (9_999.0, 10_000.0, 1.0)
    assert cut["why"] == "the account may pay out no more"


def test_an_account_that_has_written_options_keeps_2000_dollars() -> None:
    # To write the put took 2,000 of equity; short shares keep it, a written option does not.
    market = market_of({"UPRO": [100.0] * 4}, cash_flows={2: -9_000.0})
    broker = run_plan(market, [(0, SLOT, -1, put(5.0))], cash=2_500.0, slots=(SLOT,))
    assert broker.getvalue() >= 2_000.0 - 0.01
