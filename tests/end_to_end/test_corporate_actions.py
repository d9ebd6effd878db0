"""Splits and distributions while shares, options and orders are held; figures by hand."""

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
from tests.end_to_end.scripts import Script, run_script

from levsleeve.backtests.ledger import identity_errors
from levsleeve.backtests.state import FRACTIONAL_SHARES
from levsleeve.instruments.option import OptionContract

SLOT = "UPRO:option"
Order = bt.Order


def split_market(before: float, ratio: float, *later: float, **more: Any) -> Any:
    """UPRO at one price for two sessions, then split, then at later prices (or the same)."""
    after = later or (before / ratio,) * 2
    return market_of({"UPRO": [before, before, *after]}, splits={"UPRO": {2: ratio}}, **more)


# -- shares ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "ratio", "left", "price", "cash"),
    [
        (102.0, 0.25, 25.0, 40.0, 20.0),  # 25.5: half a share at 40
        (-102.0, 0.25, -25.0, 40.0, -20.0),  # a short pays for it
        (101.0, 1.5, 151.0, 20.0 / 3.0, 10.0 / 3.0),
        (-101.0, 1.5, -151.0, 20.0 / 3.0, -10.0 / 3.0),
        (7.0, 0.1, 0.0, 100.0, 70.0),  # nothing whole is left
        (101.0, 3.0, 303.0, 10.0 / 3.0, 0.0),
    ],
)
def test_a_split_leaves_whole_shares_and_settles_the_rest_in_cash(
    held: float, ratio: float, left: float, price: float, cash: float
) -> None:
    broker = run_plan(split_market(10.0, ratio), [(0, "UPRO", held, None)], cash=10_000.0)
    ledger = broker.ledger.frame()
    assert list(ledger["shares:UPRO"]) == [0.0, held, left, left]
    assert ledger["cash"].iloc[2] - ledger["cash"].iloc[1] == pytest.approx(cash)
    assert list(ledger["equity"]) == pytest.approx([10_000.0] * 4, abs=1e-9)
    event = events_of(broker, "split").iloc[0]
    assert (event["before"], event["after"]) == (held, left)
    assert event["price"] == pytest.approx(price)
    assert event["why"] == "split of the fund"
    assert broker.getposition(broker.data_at(0)).size == left
    assert identity_errors(ledger, 10_000.0).abs().to_numpy().max() < 1e-9


@pytest.mark.parametrize(("held", "left"), [(102.0, 25.5), (-102.0, -25.5)])
def test_where_fractions_trade_a_split_keeps_them(held: float, left: float) -> None:
    terms = FREE._replace(share_parts=FRACTIONAL_SHARES)
    broker = run_plan(
        split_market(10.0, 0.25), [(0, "UPRO", held, None)], cash=10_000.0, terms=terms
    )
    ledger = broker.ledger.frame()
    assert ledger["shares:UPRO"].iloc[-1] == left
    assert ledger["cash"].iloc[1] == ledger["cash"].iloc[2]


def test_a_reverse_split_relieves_a_short_from_the_dollar_floor() -> None:
    # 1,000 short at 2 ask 2.50 each; 250 at 8 nine tenths of 8.
    broker = run_plan(split_market(2.0, 0.25), [(0, "UPRO", -1_000, None)], cash=10_000.0)
    asked = broker.ledger.frame()["maintenance_margin"]
    assert list(asked.iloc[1:]) == pytest.approx([2_500.0, 1_800.0, 1_800.0])


# -- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "contracts", "multiplier"),
    [(2.0, 2.0, 100.0), (3.0, 3.0, 100.0), (1.5, 1.0, 150.0), (0.25, 1.0, 25.0), (0.1, 1.0, 10.0)],
)
@pytest.mark.parametrize(("right", "side"), [("put", 1), ("put", -1), ("call", -1), ("call", 1)])
def test_an_option_is_adjusted_on_either_side_and_loses_no_value(
    ratio: float, contracts: float, multiplier: float, right: Any, side: int
) -> None:
    contract = OptionContract("UPRO", right, 90.0, date(2019, 9, 20))
    market = split_market(100.0, ratio)
    broker = run_plan(market, [(0, SLOT, side, contract)], cash=20_000.0, slots=(SLOT,))
    account, ledger = broker.account, broker.ledger.frame()
    assert account.book.contracts[0] == side * contracts
    assert account.book.multipliers[0] == pytest.approx(multiplier)
    assert account.book.strikes[0] == pytest.approx(90.0 / ratio)
    unsplit = run_plan(
        market_of({"UPRO": [100.0] * 4}), [(0, SLOT, side, contract)], cash=20_000.0, slots=(SLOT,)
    ).ledger.frame()
    for column in ("equity", "value:UPRO:option", "maintenance_margin", "exposure"):
        assert list(ledger[column]) == pytest.approx(list(unsplit[column]))


# -- distributions --------------------------------------------------------------------------------


@pytest.mark.parametrize(("held", "paid"), [(100.0, 100.0), (-100.0, -100.0)])
def test_a_distribution_on_the_day_of_a_split_is_per_new_share(held: float, paid: float) -> None:
    # 2 for 1: 200 shares with 0.50 each.
    market = split_market(100.0, 2.0, 49.5, 49.5, dividends={"UPRO": {2: 0.5}})
    broker = run_plan(market, [(0, "UPRO", held, None)], cash=20_000.0)
    ledger = broker.ledger.frame()
    assert list(ledger["flow:distributions"]) == [0.0, 0.0, paid, 0.0]
    assert list(ledger["equity"]) == pytest.approx([20_000.0] * 4)
    assert ledger["cash"].iloc[2] - ledger["cash"].iloc[1] == pytest.approx(paid)


@pytest.mark.parametrize(
    ("fill", "paid"), [("next_close", 0.0), ("next_open", 0.0), ("same_close", 50.0)]
)
def test_shares_bought_on_the_ex_date_receive_nothing(fill: str, paid: float) -> None:
    market = market_of({"UPRO": [100.0] * 4}, dividends={"UPRO": {2: 0.5}})
    ledger = run_plan(market, [(1, "UPRO", 100, None)], cash=20_000.0, fill=fill).ledger.frame()
    assert ledger["flow:distributions"].iloc[2] == paid


def test_a_distribution_that_a_short_owes_can_call_it() -> None:
    # 100 short at 100 on 9,000 keep 9,000: one dollar a share is 100 too much, and 2 x 90 cure it.
    market = market_of({"UPRO": [100.0] * 4}, dividends={"UPRO": {2: 1.0}})
    broker = run_plan(market, [(0, "UPRO", -100, None)], cash=9_000.0)
    assert events_of(broker, "margin_call")["price"].iloc[0] == pytest.approx(100.0)
    assert events_of(broker, "liquidation")["shares"].iloc[0] == 2.0


# -- orders that wait -----------------------------------------------------------------------------


def waiting(side: str, exectype: int, size: int = 10, **terms: Any) -> Script:
    return {0: [lambda s: getattr(s, side)(size=size, exectype=exectype, **terms)]}


@pytest.mark.parametrize(
    ("script", "later", "expected"),
    [
        # Split 4 for 1 at 100: ten shares become forty, every price a quarter.
        (waiting("buy", Order.Limit, price=90.0), (22.75, 22.5), (3, 40.0, 22.5)),
        (waiting("sell", Order.Limit, price=110.0), (27.25, 27.5), (3, -40.0, 27.5)),
        (waiting("buy", Order.Stop, price=104.0), (25.75, 26.0), (3, 40.0, 26.0)),
        (waiting("sell", Order.Stop, price=96.0), (24.25, 24.0), (3, -40.0, 24.0)),
        (
            waiting("sell", Order.StopLimit, price=96.0, plimit=95.0),
            (23.5, 23.75),
            (3, -40.0, 23.75),
        ),
        # 8 dollars below 100 become 2 below 25: 23, then 24 from 26.
        (waiting("sell", Order.StopTrail, trailamount=8.0), (26.0, 24.25, 24.0), (4, -40.0, 24.0)),
        (waiting("buy", Order.StopTrail, trailamount=8.0), (24.0, 25.75, 26.0), (4, 40.0, 26.0)),
        (waiting("sell", Order.StopTrail, trailpercent=0.08), (26.0, 24.0, 23.5), (4, -40.0, 23.5)),
        # A stop at 23 and a limit at 22.50 that have not moved since.
        (
            waiting("sell", Order.StopTrailLimit, trailamount=8.0, price=100.0, plimit=98.0),
            (24.0, 22.25, 22.5),
            (4, -40.0, 22.5),
        ),
    ],
)
def test_an_order_that_waits_over_a_split_waits_for_the_same_value(
    script: Script, later: tuple[float, ...], expected: tuple[int, float, float]
) -> None:
    broker, _ = run_script(split_market(100.0, 4.0, *later, *later[-1:]), script)
    filled = events_of(broker, "order_filled")
    assert (*sessions_of(broker, "order_filled"), *filled["shares"], *filled["price"]) == expected


@pytest.mark.parametrize("fill", ["next_close", "next_open", "same_close"])
def test_the_ends_of_a_bracket_are_restated_under_each_rule(fill: str) -> None:
    def enter(strategy: Any) -> None:
        strategy.buy_bracket(size=10, exectype=Order.Market, stopprice=90.0, limitprice=120.0)

    market = split_market(100.0, 4.0, 25.0, 30.0, 10.0)
    broker, strategy = run_script(market, {0: [enter]}, fill=fill)
    assert fills_of(broker)[-1] == (3, 30.0)
    assert broker.account.book.shares[0] == 0.0
    assert strategy.orders.count(("Stop", "Canceled")) == 1


def test_a_short_covers_all_of_it_after_a_split() -> None:
    market = split_market(100.0, 4.0)
    plan = [(0, "UPRO", -25, None), (1, "UPRO", 25, None)]
    broker = run_plan(market, plan, cash=10_000.0)
    assert list(broker.ledger.frame()["shares:UPRO"]) == [0.0, -25.0, 0.0, 0.0]
    assert strategy_of(broker).held == [0, -25, 0, 0]
