"""What an audit of the account found: each sentence was once false."""

from datetime import date
from typing import Any

import backtrader as bt
import numpy as np
import pytest
from tests.end_to_end.accounts import FREE, events_of, market_of, run_plan, strategy_of
from tests.end_to_end.scripts import Act, run_script

from levsleeve.errors import StudyError
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.charges import commission_plan

SLOT = "UPRO:put"
CHARGED = FREE._replace(
    commission=commission_plan("ibkr_fixed"),
    option_spread_rates=np.array([0.05]),
    option_spread_minimums_usd=np.array([0.05]),
)


def put(strike: float, expiry: date = date(2019, 12, 20), fund: str = "UPRO") -> OptionContract:
    return OptionContract(fund, "put", strike, expiry)


# -- liquidation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cents", range(12))
def test_of_funds_with_one_requirement_the_first_is_sold_whatever_the_last_bit_says(
    cents: int,
) -> None:
    bull, bear = 61.3 + cents / 100, 57.77 + cents / 70
    market = market_of({"UPRO": [100.0, 100.0, bull], "SPXU": [100.0, 100.0, bear]})
    plan = [(0, "UPRO", 600, None), (0, "SPXU", 600, None)]
    broker = run_plan(market, plan, cash=95_000.0)
    assert events_of(broker, "liquidation")["symbol"].iloc[0] == "UPRO"


def test_a_put_that_costs_more_to_sell_than_it_brings_is_not_sold_by_force() -> None:
    market = market_of({"UPRO": [100.0, 100.0, 100.0, 100.0, 400.0]})
    plan = [(0, SLOT, 20, put(90.0, date(2019, 6, 21))), (1, "UPRO", -50, None)]
    broker = run_plan(market, plan, cash=15_500.0, slots=(SLOT,), terms=CHARGED)
    assert list(events_of(broker, "liquidation")["symbol"]) == ["UPRO"]
    assert broker.ledger.frame()["flow:commission"].iloc[-1] == -1.0


# -- options --------------------------------------------------------------------------------------


def test_an_account_that_borrows_keeps_2000_dollars_when_it_buys_puts() -> None:
    # FINRA 4210(b)(4): 2,100 of equity and a debit of 1,400 leave 100 dollars for premium.
    market = market_of({"SP500": [10.0] * 4})
    contract = OptionContract("SP500", "put", 10.0, date(2019, 12, 20))
    broker = run_plan(
        market,
        [(0, "SP500", 350, None), (2, "SP500:put", 8, contract)],
        cash=2100.0,
        slots=("SP500:put",),
        on_shortfall="cut",
    )
    last = broker.ledger.frame().iloc[-1]
    assert last["shares:SP500:put"] == 200.0
    assert 2000.0 <= last["equity_with_loan_value"] < 2000.0 + 100 * last["price:SP500:put"]


@pytest.mark.parametrize("expiry", [date(2019, 6, 3), date(2019, 6, 4)])
def test_a_contract_that_has_expired_at_its_fill_is_refused_by_name(expiry: date) -> None:
    # Bought at its intrinsic value and settled a session later, it gave the next move for nothing.
    market = market_of({"UPRO": [100.0, 100.0, 60.0]})
    with pytest.raises(StudyError) as refused:
        run_plan(market, [(0, SLOT, 2, put(100.0, expiry))], cash=10_000.0, slots=(SLOT,))
    assert str(refused.value) == (
        f"order in UPRO:put: UPRO {expiry} 100 put has expired at this fill, 2019-06-04; "
        "a later expiry is right"
    )


def test_an_order_to_sell_a_put_that_expires_first_is_cancelled() -> None:
    market = market_of({"UPRO": [100.0] * 6})
    plan = [(0, SLOT, 2, put(90.0, date(2019, 6, 7))), (3, SLOT, -2, None)]
    broker = run_plan(market, plan, cash=10_000.0, slots=(SLOT,))
    assert len(broker.ledger.frame()) == 6
    assert strategy_of(broker).seen[-1] == (SLOT, "Canceled")


def test_an_order_to_sell_puts_sells_all_of_them_after_a_split() -> None:
    market = market_of({"UPRO": [100.0, 100.0, 50.0, 50.0]}, splits={"UPRO": {2: 2.0}})
    plan = [(0, SLOT, 2, put(90.0)), (1, SLOT, -2, None)]
    broker = run_plan(market, plan, cash=10_000.0, slots=(SLOT,))
    assert broker.ledger.frame()["shares:UPRO:put"].iloc[-1] == 0.0


@pytest.mark.parametrize("exectype", [bt.Order.Limit, bt.Order.Stop])
def test_a_limit_or_stop_in_an_option_slot_is_refused_by_name(exectype: int) -> None:
    # The slot's feed shows 0.0 while orders are worked: a limit of one cent bought at 14 dollars.
    def buy(strategy: Any) -> None:
        slot = strategy.getdatabyname(SLOT)
        strategy.buy(data=slot, size=1, exectype=exectype, price=0.01, contract=put(100.0))

    with pytest.raises(StudyError) as refused:
        run_script(market_of({"UPRO": [100.0] * 3}), {0: [buy]}, slots=(SLOT,))
    name = {bt.Order.Limit: "Limit", bt.Order.Stop: "Stop"}[exectype]
    assert str(refused.value) == (
        f"order in UPRO:put: {name} orders are not taken in option slots; Market and Close are"
    )


def test_the_event_of_a_cut_order_in_puts_counts_shares_like_every_other() -> None:
    market = market_of({"UPRO": [100.0] * 3})
    broker = run_plan(
        market, [(0, SLOT, 50, put(100.0))], cash=5000.0, slots=(SLOT,), on_shortfall="cut"
    )
    cut, filled = events_of(broker, "order_cut").iloc[0], events_of(broker, "order_filled").iloc[0]
    assert (cut["before"], cut["after"]) == (5000.0, filled["shares"])


# -- splits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ratio", "held"), [(1 / 3, 300), (1 / 7, 700), (1 / 49, 49), (1.5, 100)])
def test_an_order_to_sell_everything_sells_everything_after_a_split(
    ratio: float, held: int
) -> None:
    market = market_of({"UPRO": [9.0, 9.0, 9.0 / ratio, 9.0 / ratio]}, splits={"UPRO": {2: ratio}})
    plan = [(0, "UPRO", held, None), (1, "UPRO", -held, None)]
    broker = run_plan(market, plan, cash=10_000.0)
    assert list(broker.ledger.frame()["shares:UPRO"]) == [0.0, held, 0.0, 0.0]


def test_an_order_of_which_a_reverse_split_leaves_nothing_is_cancelled() -> None:
    market = market_of({"UPRO": [10.0, 40.0, 40.0]}, splits={"UPRO": {1: 0.25}})
    broker = run_plan(market, [(0, "UPRO", 3, None)], cash=10_000.0)
    assert strategy_of(broker).seen[-1] == ("UPRO", "Canceled")


def test_a_trade_over_a_split_closes_with_the_profit_of_the_whole() -> None:
    market = market_of({"UPRO": [10.0, 10.0, 40.0, 44.0, 44.0]}, splits={"UPRO": {2: 0.25}})
    script: dict[int, list[Act]] = {0: [lambda s: s.buy(size=100)], 2: [lambda s: s.close()]}
    _, strategy = run_script(market, script)
    assert strategy.closed[0] == pytest.approx((25 * 4.0, 25 * 4.0))


def test_the_cost_of_a_put_is_per_new_share_after_a_reverse_split() -> None:
    market = market_of({"UPRO": [10.0, 10.0, 40.0]}, splits={"UPRO": {2: 0.25}})
    broker = run_plan(market, [(0, SLOT, 2, put(9.0))], cash=10_000.0, slots=(SLOT,))
    paid = events_of(broker, "order_filled")["price"].iloc[0]
    assert broker.getposition(broker.data_at(1)).price == pytest.approx(4 * paid)


# -- what Backtrader promises a strategy -----------------------------------------------------------


@pytest.mark.parametrize("closes", [[100.0, 100.0, 90.0, 90.0], [100.0, 100.0, 90.0, 120.0]])
def test_of_two_orders_of_which_one_cancels_the_other_only_one_fills(closes: list[float]) -> None:
    def sell_either_way(strategy: Any) -> None:
        first = strategy.sell(size=100, exectype=bt.Order.Stop, price=95.0)
        strategy.sell(size=100, exectype=bt.Order.Stop, price=94.0, oco=first)
        strategy.sell(size=100, exectype=bt.Order.Limit, price=110.0, oco=first)

    script: dict[int, list[Act]] = {0: [lambda s: s.buy(size=100)], 1: [sell_either_way]}
    broker, strategy = run_script(market_of({"SP500": closes}), script)
    assert list(broker.ledger.frame()["shares:SP500"]) == [0.0, 100.0, 0.0, 0.0]
    assert sorted(strategy.orders[-3:]) == [
        ("Limit", "Canceled"), ("Stop", "Canceled"), ("Stop", "Completed"),
    ]  # fmt: skip


BRACKET: dict[int, list[Act]] = {
    0: [
        lambda s: s.buy_bracket(
            size=100, exectype=bt.Order.Market, stopprice=95.0, limitprice=110.0
        )
    ]
}


@pytest.mark.parametrize("turn", [90.0, 115.0])
def test_when_one_end_of_a_bracket_fills_the_other_is_cancelled(turn: float) -> None:
    back = 120.0 if turn < 100.0 else 80.0
    market = market_of({"SP500": [100.0, 100.0, 100.0, turn, back, back]})
    broker, strategy = run_script(market, BRACKET)
    assert list(broker.ledger.frame()["shares:SP500"]) == [0.0, 100.0, 100.0, 0.0, 0.0, 0.0]
    assert [status for _, status in strategy.orders].count("Canceled") == 1


def test_a_bracket_whose_order_is_refused_leaves_nothing_behind() -> None:
    broker, strategy = run_script(market_of({"SP500": [100.0] * 4}), BRACKET, cash=3000.0)
    assert list(broker.pending) == []
    assert [status for _, status in strategy.orders][-3:] == ["Margin", "Canceled", "Canceled"]


def test_a_deposit_buys_shares_of_the_account_and_leaves_their_value() -> None:
    script: dict[int, list[Act]] = {0: [lambda s: s.broker.add_cash(1000.0)]}
    broker, _ = run_script(market_of({"SP500": [100.0] * 3}), script, cash=1000.0)
    assert (broker.fundvalue, broker.fundshares) == (100.0, 20.0)


def test_the_leveraged_value_that_backtrader_asks_for_is_equity() -> None:
    market = market_of({"UPRO": [100.0, 100.0, 110.0]})
    broker = run_plan(market, [(0, "UPRO", 50, None)], cash=10_000.0)
    assert broker.get_value(lever=True) == broker.get_value() == 10_500.0


def test_an_order_knows_its_commission_and_a_trade_its_profit_after_it() -> None:
    script: dict[int, list[Act]] = {0: [lambda s: s.buy(size=1000)], 2: [lambda s: s.close()]}
    terms = FREE._replace(commission=commission_plan("ibkr_fixed"))
    _, strategy = run_script(market_of({"SP500": [50.0, 50.0, 50.0, 51.0]}), script, terms=terms)
    assert strategy.charges == [5.0, 5.0]
    assert strategy.closed[0] == pytest.approx((1000.0, 990.0))


def test_a_trade_in_puts_states_its_profit_in_dollars_of_the_account() -> None:
    market = market_of({"UPRO": [100.0, 100.0, 100.0, 100.0, 80.0]})
    script: dict[int, list[Act]] = {
        0: [
            lambda s: s.buy(
                data=s.getdatabyname(SLOT), size=2, contract=put(90.0, date(2019, 6, 7))
            )
        ]
    }
    broker, strategy = run_script(market, script, cash=10_000.0, slots=(SLOT,))
    assert strategy.closed[0][0] == pytest.approx(broker.getvalue() - 10_000.0)
