"""What a night costs over weekends and holidays, and shares that cannot be borrowed any more."""

import math
from typing import Any

import numpy as np
import pytest
from tests.end_to_end.accounts import (
    FREE,
    IBKR_INTEREST,
    events_of,
    market_of,
    run_plan,
    strategy_of,
)

from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.market import Market
from levsleeve.instruments.borrow_state import BORROW_RECALLED, BORROW_UNAVAILABLE

FLAT = [100.0] * 6
INTEREST = FREE._replace(financing=IBKR_INTEREST)
RECALLED = "the lender recalled the shares"
NONE_TO_BORROW = "no shares to borrow"


def from_session(first: int, state: float, n: int = 6) -> dict[str, dict[int, float]]:
    return {"UPRO": dict.fromkeys(range(first, n), state)}


def around_july_4(**more: Any) -> Market:
    """Sessions of Monday 1 July 2019 to Tuesday the 9th, without the 4th."""
    return market_of({"SP500": FLAT}, start="2019-07-01", holidays=("2019-07-04",), **more)


# -- carry ----------------------------------------------------------------------------------------


def test_a_borrow_fee_is_charged_for_every_calendar_day_of_a_holiday_and_a_weekend() -> None:
    # 100 short, marked at 102, at 3.6 % a year over 360: 1.02 a day.  Sold on Tuesday 2 July 2019;
    # then Wednesday, Friday (the 4th is a holiday), Monday and Tuesday.
    market = around_july_4(borrow_rate=0.036)
    ledger = run_plan(market, [(0, "SP500", -100, None)], cash=50_000.0).ledger.frame()
    days = [0, 0, 1, 2, 3, 1]
    assert list(ledger["flow:borrow_fee"]) == pytest.approx([-1.02 * day for day in days])
    assert ledger["equity"].iloc[-1] == pytest.approx(50_000.0 - 7 * 1.02)


def test_the_interest_on_a_debit_is_owed_on_for_every_calendar_day() -> None:
    market = around_july_4()
    broker = run_plan(market, [(0, "SP500", 1_500, None)], cash=100_000.0, terms=INTEREST)
    owed, charged = 50_000.0, [0.0, 0.0]
    for days in (1, 2, 3, 1):  # 1.5 % over a benchmark of nothing
        charged.append(-owed * 0.015 * days / 360)
        owed -= charged[-1]
    assert list(broker.ledger.frame()["flow:debit_interest"]) == pytest.approx(charged)


def test_a_debit_of_a_million_is_charged_slice_by_slice() -> None:
    # 100,000 at 1.5 % and 900,000 at 1 %: 10,500 a year, 29.17 a day.
    market = market_of({"SP500": FLAT[:4]})
    broker = run_plan(market, [(0, "SP500", 25_000, None)], cash=1_500_000.0, terms=INTEREST)
    assert broker.ledger.frame()["flow:debit_interest"].iloc[2] == pytest.approx(-10_500.0 / 360)


def test_short_proceeds_of_a_million_and_a_half_earn_the_694_that_ibkr_prints() -> None:
    # At a benchmark of 1 %: nothing on the first million, 0.5 % on the rest.
    market = market_of({"SP500": FLAT[:4]}, rate=0.01)
    broker = run_plan(market, [(0, "SP500", -15_000, None)], cash=1_000_000.0)
    assert round(broker.ledger.frame()["flow:short_rebate"].iloc[2], 2) == 6.94


def test_a_borrow_fee_goes_by_the_rate_and_the_close_of_the_session_before() -> None:
    # Marked at 102, 102, 113 (1.02 x 110 = 112.2, rounded up), 113; Thursday to Monday.
    rates = {"UPRO": {2: 0.072, 3: 0.36, 4: 0.0}}
    market = market_of(
        {"UPRO": [100.0, 100.0, 100.0, 110.0, 110.0, 110.0]}, borrow_rate=0.036, borrow_rates=rates
    )
    broker = run_plan(market, [(0, "UPRO", -100, None)], cash=50_000.0)
    expected = [0.0, 0.0, -1.02, -2.04, -11.30, 0.0]
    assert list(broker.ledger.frame()["flow:borrow_fee"]) == pytest.approx(expected)


# -- shares that cannot be borrowed ---------------------------------------------------------------


def test_without_shares_to_borrow_no_short_is_opened_and_the_event_says_so() -> None:
    market = market_of({"UPRO": FLAT}, borrow_states=from_session(1, BORROW_UNAVAILABLE))
    broker = run_plan(market, [(0, "UPRO", -10, None)], cash=10_000.0, on_shortfall="cut")
    refused = events_of(broker, "order_refused").iloc[0]
    assert (refused["shares"], refused["after"], refused["why"]) == (-10.0, 0.0, NONE_TO_BORROW)
    assert strategy_of(broker).seen[-1] == ("UPRO", "Margin")


def test_a_short_that_exists_may_stay_and_shrink_but_not_grow() -> None:
    market = market_of({"UPRO": FLAT}, borrow_states=from_session(2, BORROW_UNAVAILABLE))
    plan = [(0, "UPRO", -10, None), (1, "UPRO", -1, None), (3, "UPRO", 4, None)]
    broker = run_plan(market, plan, cash=10_000.0)
    assert list(broker.ledger.frame()["shares:UPRO"]) == [0.0, -10.0, -10.0, -10.0, -6.0, -6.0]
    assert list(events_of(broker, "order_refused")["why"]) == [NONE_TO_BORROW]
    assert events_of(broker, "buy_in").empty


@pytest.mark.parametrize("on_shortfall", ["cut", "refuse"])
def test_an_order_that_would_turn_a_long_short_only_closes_it(on_shortfall: str) -> None:
    market = market_of({"UPRO": FLAT}, borrow_states=from_session(0, BORROW_UNAVAILABLE))
    plan = [(0, "UPRO", 10, None), (2, "UPRO", -15, None)]
    broker = run_plan(market, plan, cash=10_000.0, on_shortfall=on_shortfall)
    assert list(broker.ledger.frame()["shares:UPRO"]) == [0.0, 10.0, 10.0, 0.0, 0.0, 0.0]
    cut = events_of(broker, "order_cut").iloc[0]
    assert (cut["before"], cut["after"], cut["why"]) == (-15.0, -10.0, NONE_TO_BORROW)


def test_other_funds_and_longs_do_not_care() -> None:
    market = market_of({"UPRO": FLAT, "SSO": FLAT}, borrow_states=from_session(0, BORROW_RECALLED))
    plan = [(0, "UPRO", 10, None), (0, "SSO", -10, None)]
    broker = run_plan(market, plan, cash=10_000.0)
    assert broker.account.book.shares.tolist() == [10.0, -10.0]


# -- recalls --------------------------------------------------------------------------------------

SHORT = [(0, "UPRO", -100, None)]


def recalled(closes: list[float], first: int = 2, **more: Any) -> MarginBroker:
    market = market_of(
        {"UPRO": closes}, borrow_states=from_session(first, BORROW_RECALLED, len(closes))
    )
    return run_plan(market, more.pop("plan", SHORT), cash=9_500.0, **more)


@pytest.mark.parametrize("fill", ["next_close", "next_open", "same_close"])
def test_a_recalled_short_is_bought_in_before_the_maintenance_test(fill: str) -> None:
    # At 110 the short of 100 would lack 1,400 (8,500 for 9,900); bought back it needs nothing.
    broker = recalled([100.0, 100.0, 110.0, 110.0], fill=fill)
    bought = events_of(broker, "buy_in").iloc[0]
    assert bought["session"] == broker.market.sessions[2]
    assert (bought["shares"], bought["price"]) == (100.0, 110.0)
    assert (bought["before"], bought["after"], bought["why"]) == (-100.0, 0.0, RECALLED)
    assert events_of(broker, "margin_call").empty
    assert list(broker.ledger.frame()["cash"].iloc[2:]) == pytest.approx([8_500.0] * 2)
    assert strategy_of(broker).held == [0, -100, 0, 0]
    assert strategy_of(broker).seen[-1] == ("UPRO", "Completed")
    called = run_plan(market_of({"UPRO": [100.0, 100.0, 110.0]}), SHORT, cash=9_500.0)
    assert events_of(called, "margin_call")["price"].iloc[0] == pytest.approx(1_400.0)


def test_a_buy_in_pays_the_spread() -> None:
    terms = FREE._replace(fund_spread_rates=np.array([0.001]))
    row = recalled([100.0, 100.0, 100.0, 100.0], terms=terms).ledger.frame().iloc[2]
    assert row["flow:spread"] == pytest.approx(-10.0)
    assert row["flow:liquidation"] == 0.0


def test_a_strategy_that_covers_at_the_open_is_not_bought_in_at_the_close() -> None:
    plan = [*SHORT, (1, "UPRO", 100, None)]
    broker = recalled([100.0] * 4, plan=plan, fill="next_open")
    assert events_of(broker, "buy_in").empty
    assert broker.account.book.shares[0] == 0.0


def test_a_recall_on_a_session_without_a_price_waits_for_one() -> None:
    broker = recalled([100.0, 100.0, math.nan, 105.0])
    bought = events_of(broker, "buy_in").iloc[0]
    assert (bought["session"], bought["price"]) == (broker.market.sessions[3], 105.0)


def test_a_recalled_fund_is_not_sold_short_again() -> None:
    broker = recalled([100.0] * 6, plan=[*SHORT, (2, "UPRO", -10, None)])
    assert list(events_of(broker, "order_refused")["why"]) == [NONE_TO_BORROW]
    assert broker.account.book.shares[0] == 0.0
