"""Deposits and withdrawals on their dates: a flow of their own, and no more than may leave."""

from datetime import date
from typing import Any

import pytest
from tests.end_to_end.accounts import FREE, events_of, market_of, run_plan

from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.returns import periodic_returns
from levsleeve.backtests.state import AFTER_SESSIONS
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.rulebook import rulebook

FLAT = [100.0] * 5
FUNDS_SHORT = "the account may pay out no more"


def run(
    flows: dict[int, float],
    shares: float = 0.0,
    *,
    closes: list[float] | None = None,
    cash: float = 10_000.0,
    **more: Any,
) -> MarginBroker:
    market = market_of({"SP500": closes or FLAT}, cash_flows=flows, **more)
    plan = [(0, "SP500", shares, None)] if shares else []
    return run_plan(market, plan, cash=cash)


def test_deposits_and_withdrawals_are_flows_of_their_own_on_the_first_session_and_the_last() -> (
    None
):
    broker = run({0: 500.0, 2: -300.0, 4: 100.0})
    ledger = broker.ledger.frame()
    assert list(ledger["flow:external"]) == [500.0, 0.0, -300.0, 0.0, 100.0]
    assert list(ledger["equity"]) == [10_500.0, 10_500.0, 10_200.0, 10_200.0, 10_300.0]
    assert list(periodic_returns(ledger["equity"], ledger["flow:external"])) == [0.0] * 5
    assert broker.fundvalue == pytest.approx(100.0)
    paid, taken = events_of(broker, "deposit"), events_of(broker, "withdrawal")
    assert list(paid["price"]) == [500.0, 100.0]
    assert (taken["price"].iloc[0], taken["before"].iloc[0], taken["after"].iloc[0]) == (
        300.0, 10_500.0, 10_200.0,
    )  # fmt: skip
    assert {*paid["why"], *taken["why"]} == {"dated deposit or withdrawal"}


@pytest.mark.parametrize("fill", ["next_close", "next_open", "same_close"])
def test_a_deposit_is_there_for_the_orders_of_its_session(fill: str) -> None:
    # 300 of the index take 15,000.
    market = market_of({"SP500": FLAT}, cash_flows={1: 5_000.0})
    decided = 1 if fill == "same_close" else 0
    broker = run_plan(market, [(decided, "SP500", 300, None)], cash=10_000.0, fill=fill)
    assert broker.account.book.shares[0] == 300.0
    assert run_plan(
        market_of({"SP500": FLAT}), [(decided, "SP500", 300, None)], cash=10_000.0, fill=fill
    ).account.book.shares[0] == 0.0  # fmt: skip


@pytest.mark.parametrize(
    ("shares", "closes", "cash", "asked", "left"),
    [
        (100.0, FLAT, 10_000.0, 5_000.0, 5_000.0),  # half of the value stays
        (100.0, FLAT, 10_000.0, 5_000.01, 5_000.0),
        (100.0, FLAT, 10_000.0, 9_000.0, 5_000.0),
        # 100 at 25 in 4,000: 1,500 are cash, and 500 may be borrowed on the 2,000 that stay.
        (100.0, [25.0] * 5, 4_000.0, 9_000.0, 2_000.0),
        # 40 at 25 in 1,500, too little to borrow: the 500 of cash may leave.
        (40.0, [25.0] * 5, 1_500.0, 9_000.0, 1_000.0),
        # Short 10 at 100 in 4,000: only 500 are asked, but who is short keeps 2,000.
        (-10.0, FLAT, 4_000.0, 9_000.0, 2_000.0),
    ],
)
def test_a_withdrawal_is_cut_to_what_may_leave(
    shares: float, closes: list[float], cash: float, asked: float, left: float
) -> None:
    broker = run({2: -asked}, shares, closes=closes, cash=cash)
    ledger = broker.ledger.frame()
    assert list(ledger["equity"]) == pytest.approx([cash, cash, left, left, left])
    assert ledger["flow:external"].iloc[2] == pytest.approx(left - cash)
    cut = events_of(broker, "withdrawal_cut")
    assert len(cut) == (asked != cash - left)
    if len(cut):
        row = cut.iloc[0]
        assert (row["price"], row["before"], row["after"]) == pytest.approx(
            (cash - left, cash, left)
        )
        assert row["why"] == FUNDS_SHORT
    assert events_of(broker, "margin_call").empty


@pytest.mark.parametrize("flow", [-9_000.0, -2_000.0, 2_000.0])
@pytest.mark.parametrize("ratio", [2.0, 0.25])
def test_on_the_day_of_a_split_as_much_may_leave_as_on_any_other(flow: float, ratio: float) -> None:
    plain = run({2: flow}, 100.0).ledger.frame()
    closes = [100.0, 100.0, *[100.0 / ratio] * 3]
    split = run({2: flow}, 100.0, closes=closes, splits={"SP500": {2: ratio}}).ledger.frame()
    for column in ("cash", "equity", "flow:external", "special_memorandum_account"):
        assert list(split[column]) == pytest.approx(list(plain[column]))


def test_a_withdrawal_goes_by_the_close_before_and_may_be_followed_by_a_call() -> None:
    # 5,000 leave at 100; at 60 the 100 shares keep 1,000 where 1,500 are asked: 34 x 15.
    broker = run({2: -5_000.0}, 100.0, closes=[100.0, 100.0, 60.0, 60.0])
    assert list(broker.ledger.frame()["flow:external"]) == [0.0, 0.0, -5_000.0, 0.0]
    assert list(events_of(broker, "liquidation")["shares"]) == [-34.0]


def test_on_an_open_call_nothing_may_leave() -> None:
    market = market_of({"UPRO": [400.0, 400.0, 100.0, 100.0]}, cash_flows={3: -100.0})
    terms = FREE._replace(call_policy=AFTER_SESSIONS, call_sessions=5.0)
    broker = run_plan(market, [(0, "UPRO", 300, None)], cash=95_300.0, terms=terms)
    cut = events_of(broker, "withdrawal_cut").iloc[0]
    assert (cut["price"], cut["before"], cut["after"]) == (0.0, 5_300.0, 5_300.0)
    assert (broker.ledger.frame()["flow:external"] == 0.0).all()


def test_from_a_cash_account_only_cash_may_leave() -> None:
    book = rulebook(switches={"margin_mode": "cash"})
    broker = run({2: -9_000.0}, 70.0, book=book)
    assert list(broker.ledger.frame()["cash"]) == [10_000.0, 3_000.0, 0.0, 0.0, 0.0]
    assert events_of(broker, "withdrawal_cut")["price"].iloc[0] == pytest.approx(3_000.0)


def test_option_premiums_that_lend_nothing_may_not_leave() -> None:
    # Of 10,000 some 4,000 are in a put 40 dollars in the money: the rest may leave.
    put = OptionContract("SP500", "put", 140.0, date(2019, 6, 21))
    market = market_of({"SP500": FLAT}, cash_flows={2: -9_000.0})
    broker = run_plan(market, [(0, "hedge", 1, put)], cash=10_000.0, slots=("hedge",))
    row = broker.ledger.frame().iloc[2]
    assert row["cash"] == pytest.approx(0.0, abs=1e-9)
    assert row["equity"] == pytest.approx(row["value:hedge"])
