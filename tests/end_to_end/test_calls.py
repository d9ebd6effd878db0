"""Margin calls at the close: at once, after some sessions, or the end of the account."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
from tests.end_to_end.accounts import FREE, events_of, market_of, run_plan, sessions_of, strategy_of

from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.returns import periodic_returns
from levsleeve.backtests.state import AFTER_SESSIONS, CLOSE_OUT, Terms
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.rulebook import rulebook

NOT_MET = "the margin call was not met in time"
BUY = [(0, "UPRO", 300.0, None)]


def waiting(sessions: float) -> Terms:
    return FREE._replace(call_policy=AFTER_SESSIONS, call_sessions=sessions)


def fallen(closes: list[float], **more: Any) -> Any:
    """300 of a 3x fund bought at 400 fall; at P the account has 75 P - 24,700 of excess."""
    return market_of({"UPRO": [400.0, 400.0, *closes]}, **more)


# -- a call that waits ----------------------------------------------------------------------------


def test_a_call_is_met_by_a_price_that_recovers() -> None:
    broker = run_plan(fallen([100.0, 330.0, 330.0]), BUY, cash=95_300.0, terms=waiting(2.0))
    assert (sessions_of(broker, "margin_call"), sessions_of(broker, "call_met")) == ([2], [3])
    met = events_of(broker, "call_met").iloc[0]
    assert met["before"] == pytest.approx(75 * 330.0 - 24_700.0)
    assert met["why"] == "excess liquidity is no longer below zero"
    assert broker.account.book.shares[0] == 300.0


@pytest.mark.parametrize(("deposit", "sold"), [(17_200.0, 0.0), (17_199.0, 1.0), (17_050.0, 2.0)])
def test_a_call_is_met_by_the_deposit_it_asks_for_and_not_by_a_dollar_less(
    deposit: float, sold: float
) -> None:
    market = fallen([100.0] * 4, cash_flows={3: deposit})
    broker = run_plan(market, BUY, cash=95_300.0, terms=waiting(2.0))
    assert sessions_of(broker, "margin_call") == [2]
    assert sessions_of(broker, "call_met") == ([] if sold else [3])
    assert broker.account.book.shares[0] == 300.0 - sold
    assert sessions_of(broker, "liquidation") == ([4] if sold else [])


@pytest.mark.parametrize(
    ("fill", "sessions", "met_on"), [("next_close", 2.0, 4), ("next_open", 1.0, 3)]
)
def test_a_call_is_met_by_the_strategys_own_sale(fill: str, sessions: float, met_on: int) -> None:
    # Sold at the close of session 3, which the test of session 4 sees, or at the open of 3.
    plan = [*BUY, (2, "UPRO", -230.0, None)]
    broker = run_plan(fallen([100.0] * 4), plan, cash=95_300.0, terms=waiting(sessions), fill=fill)
    assert (sessions_of(broker, "call_met"), sessions_of(broker, "liquidation")) == ([met_on], [])
    assert broker.account.book.shares[0] == 70.0


def test_a_call_that_is_not_met_liquidates_only_what_is_needed_when_it_is_due() -> None:
    # At 90, 17,950 are lacking and a share frees 67.50: 266.  No second call in the meantime.
    broker = run_plan(fallen([100.0, 95.0, 90.0, 90.0]), BUY, cash=95_300.0, terms=waiting(2.0))
    assert sessions_of(broker, "margin_call") == [2]
    forced = events_of(broker, "liquidation").iloc[0]
    assert (forced["shares"], forced["price"], forced["why"]) == (-266.0, 90.0, NOT_MET)
    assert sessions_of(broker, "liquidation") == [4]
    excess = broker.ledger.frame()["excess_liquidity"]
    assert list(excess.iloc[2:]) == pytest.approx([-17_200.0, -17_575.0, 5.0, 5.0])


def test_after_one_call_is_met_the_next_fall_makes_another() -> None:
    broker = run_plan(
        fallen([100.0, 330.0, 100.0, 330.0, 330.0]), BUY, cash=95_300.0, terms=waiting(2.0)
    )
    assert sessions_of(broker, "margin_call") == [2, 4]
    assert sessions_of(broker, "call_met") == [3, 5]
    assert sessions_of(broker, "liquidation") == []


def test_a_broker_that_waits_does_not_wait_for_an_account_without_equity() -> None:
    broker = run_plan(fallen([100.0, 80.0, 400.0]), BUY, cash=95_300.0, terms=waiting(15.0))
    assert sessions_of(broker, "liquidation") == sessions_of(broker, "wiped") == [3]
    assert broker.getvalue() == 24_000.0 - 24_700.0


# -- a call that ends the account -----------------------------------------------------------------


def test_a_call_that_closes_the_account_closes_everything_and_ends_the_run() -> None:
    closes = {"UPRO": [400.0, 400.0, 100.0, 400.0], "SSO": [100.0] * 4}
    contract = OptionContract("SSO", "put", 100.0, date(2019, 12, 20))
    plan = [*BUY, (0, "SSO", -10.0, None), (0, "SSO:put", 1.0, contract), (1, "SSO", -5.0, None)]
    broker = run_plan(
        market_of(closes),
        plan,
        cash=110_000.0,
        terms=FREE._replace(call_policy=CLOSE_OUT),
        slots=("SSO:put",),
    )
    ledger = broker.ledger.frame()
    assert len(ledger) == 3
    last = ledger.iloc[-1]
    assert last.filter(like="shares:").abs().sum() == 0.0
    assert last["cash"] == last["equity"]
    assert last["maintenance_margin"] == 0.0
    closed = events_of(broker, "closed_out").iloc[0]
    assert (closed["before"], closed["after"]) == pytest.approx((last["equity"],) * 2)
    assert closed["why"] == "the account is closed at its first margin call"
    assert list(events_of(broker, "liquidation")["shares"]) == [-300.0, 10.0, -100.0]
    assert (broker.ended, broker.wiped) == (True, False)
    assert len(strategy_of(broker).equities) == 2
    assert list(broker.pending) == []


# -- the deposit that would have cured it ---------------------------------------------------------


def long_bull(deposits: dict[int, float]) -> MarginBroker:
    return run_plan(fallen([100.0] * 2, cash_flows=deposits), BUY, cash=95_300.0)


def short_bull(deposits: dict[int, float]) -> MarginBroker:
    market = market_of({"UPRO": [100.0, 100.0, 131.3, 131.3]}, cash_flows=deposits)
    return run_plan(market, [(0, "UPRO", -100, None)], cash=14_000.0)


def written_put(deposits: dict[int, float]) -> MarginBroker:
    market = market_of({"UPRO": [100.0, 100.0, 60.0, 60.0]}, cash_flows=deposits)
    put = OptionContract("UPRO", "put", 90.0, date(2019, 9, 20))
    return run_plan(market, [(0, "UPRO:put", -2, put)], cash=8_000.0, slots=("UPRO:put",))


def at_the_low(deposits: dict[int, float]) -> MarginBroker:
    market = market_of(
        {"UPRO": [100.0, 100.0, 90.0, 90.0]},
        lows={"UPRO": [100.0, 100.0, 63.0, 90.0]},
        cash_flows=deposits,
    )
    return run_plan(market, [(0, "UPRO", 100, None)], cash=8_000.0, intraday_test=True)


def at_the_days_end(deposits: dict[int, float]) -> MarginBroker:
    book = rulebook(switches={"order_initial": "broker"})
    market = market_of({"SP500": [100.0] * 3}, book=book, cash_flows=deposits)
    return run_plan(market, [(0, "SP500", 300, None)], cash=10_000.0)


@pytest.mark.parametrize(
    "account", [long_bull, short_bull, written_put, at_the_low, at_the_days_end]
)
def test_with_the_deposit_that_a_call_states_there_is_no_call_and_a_cent_less_is_too_little(
    account: Callable[[dict[int, float]], MarginBroker],
) -> None:
    called = account({})
    session = sessions_of(called, "margin_call")[0]
    call = events_of(called, "margin_call").iloc[0]
    deposit = float(call["price"])
    assert deposit == pytest.approx(-call["before"])
    assert deposit > 1.0
    assert session not in sessions_of(account({session: deposit}), "margin_call")
    assert session in sessions_of(account({session: deposit - 0.01}), "margin_call")


def test_the_deposits_of_two_calls_by_hand() -> None:
    # Long: 17,200.  Short 100 at 131.30: 14,000 less 3,130, and 11,817 are asked: 947.
    assert list(events_of(long_bull({}), "margin_call")["price"]) == [pytest.approx(17_200.0)]
    assert list(events_of(short_bull({}), "margin_call")["price"]) == [pytest.approx(947.0)]


# -- what else calls ------------------------------------------------------------------------------


@pytest.mark.parametrize(("spread", "sold"), [(0.0, 96.0), (0.01, 100.0)])
def test_the_penalty_and_the_spread_of_a_liquidation_are_sold_for_too(
    spread: float, sold: float
) -> None:
    # 300 of the index at 100 on a debit of 24,700 lack 2,200.  A share frees 25 and costs 2 of
    # penalty, and 1 of spread: 95.7 or 100 shares.
    terms = FREE._replace(liquidation_penalty_rate=0.02, fund_spread_rates=np.array([spread]))
    market = market_of({"SP500": [400.0, 400.0, 100.0, 100.0]})
    cash = 95_300.0 + 120_000.0 * spread
    broker = run_plan(market, [(0, "SP500", 300, None)], cash=cash, terms=terms)
    forced = events_of(broker, "liquidation").iloc[0]
    assert (forced["shares"], forced["price"]) == (-sold, pytest.approx(100.0 * (1 - spread)))
    row = broker.ledger.frame().iloc[2]
    assert row["flow:liquidation"] == pytest.approx(-2.0 * sold)
    assert row["flow:spread"] == pytest.approx(-100.0 * spread * sold)
    assert 0.0 <= row["excess_liquidity"] + 1e-9 < 23.0


def test_the_rules_of_1_december_2009_call_who_was_within_those_of_the_day_before() -> None:
    # 200 at 100 on 10,000: 5,000 are asked until 30 November, 15,000 the day after.
    market = market_of({"UPRO": [100.0] * 6}, start="2009-11-25")
    broker = run_plan(market, [(0, "UPRO", 200, None)], cash=10_000.0)
    call, forced = (events_of(broker, kind).iloc[0] for kind in ("margin_call", "liquidation"))
    assert call["session"] == forced["session"] == market.sessions[4]
    assert market.sessions[4].date() == date(2009, 12, 1)
    assert call["before"] == pytest.approx(-5_000.0)
    assert forced["shares"] == -67.0  # 5,000 / 75


# -- the end --------------------------------------------------------------------------------------


def test_a_gap_through_zero_is_the_end_and_costs_the_gap_alone() -> None:
    # 200 of the index on a debit of 10,000 open at 40: 2,000 are owed, and nothing follows.
    market = market_of({"SP500": [100.0, 100.0, 40.0, 300.0, 300.0]})
    plan = [(0, "SP500", 200, None), (1, "SP500", 10, None)]
    broker = run_plan(market, plan, cash=10_000.0)
    ledger = broker.ledger.frame()
    assert list(ledger["equity"]) == [10_000.0, 10_000.0, -2_000.0]
    assert ledger["shares:SP500"].iloc[-1] == 0.0
    wiped = events_of(broker, "wiped").iloc[0]
    assert (wiped["before"], wiped["after"]) == (-2_000.0, -2_000.0)
    assert wiped["why"] == "equity is zero or less: the run ends here"
    assert list(periodic_returns(ledger["equity"])) == [0.0, 0.0, -1.0]
    assert len(strategy_of(broker).equities) == 2
    assert list(broker.pending) == []
