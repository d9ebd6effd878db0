from datetime import date
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from tests.end_to_end.accounts import FREE, IBKR_INTEREST, Planned, market_of, run_plan, strategy_of

from levsleeve.backtests.bookkeeping import drain
from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.driver import run_market
from levsleeve.backtests.events import events_frame
from levsleeve.backtests.ledger import identity_errors
from levsleeve.backtests.state import EVENT_COUNT, Terms
from levsleeve.errors import LedgerError, StudyError
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.charges import commission_plan


def events_of(broker: MarginBroker) -> pd.DataFrame:
    return events_frame(broker.event_rows, broker.market.sessions, broker.market.symbols)


# FINRA Regulatory Notice 09-53 prints both examples.
def test_the_notices_long_example_100_shares_of_a_2x_at_28_require_1400() -> None:
    broker = run_plan(market_of({"SSO": [28.0] * 3}), [(0, "SSO", 100, None)], cash=10_000.0)
    ledger = broker.ledger.frame()
    assert ledger["maintenance_margin"].iloc[-1] == pytest.approx(1400.0, abs=1e-9)
    assert ledger["excess_liquidity"].iloc[-1] == pytest.approx(8600.0, abs=1e-9)


def test_the_notices_short_example_100_short_of_a_3x_at_26_require_2340() -> None:
    broker = run_plan(market_of({"UPRO": [26.0] * 3}), [(0, "UPRO", -100, None)], cash=10_000.0)
    ledger = broker.ledger.frame()
    assert ledger["cash"].iloc[-1] == pytest.approx(12_600.0)
    assert ledger["maintenance_margin"].iloc[-1] == pytest.approx(2340.0, abs=1e-9)
    assert ledger["utilization"].iloc[-1] == pytest.approx(0.234)


def test_before_december_2009_a_3x_fund_needs_25_percent_like_any_other() -> None:
    before = market_of({"UPRO": [28.0] * 3}, start="2009-11-24")
    ledger = run_plan(before, [(0, "UPRO", 100, None)], cash=10_000.0).ledger.frame()
    assert ledger["maintenance_margin"].iloc[-1] == pytest.approx(700.0)


def test_a_change_of_rules_is_an_event_with_the_requirement_before_and_after() -> None:
    market = market_of({"UPRO": [28.0] * 6}, start="2009-11-25")
    broker = run_plan(market, [(0, "UPRO", 100, None)], cash=10_000.0)
    changed = events_of(broker).query("kind == 'rule_change'").iloc[0]
    assert changed["session"] == pd.Timestamp("2009-12-01")
    assert (changed["before"], changed["after"]) == (700.0, 2100.0)


RUNAWAY = [100.0, 100.0, 120.0, 150.0, 150.0]


def test_backtraders_own_broker_lets_1000_dollars_short_100_000_and_reach_minus_49_000() -> None:
    class Short(bt.Strategy):
        def next(self) -> None:
            if len(self) == 1:
                self.sell(size=1000)

    market = market_of({"SP500": RUNAWAY})
    cerebro = bt.Cerebro(stdstats=False)
    frame = pd.DataFrame(
        dict.fromkeys(["open", "high", "low", "close"], RUNAWAY), index=market.sessions
    )
    cerebro.adddata(bt.feeds.PandasData(dataname=frame, volume=None, openinterest=None))
    cerebro.broker.setcash(1000.0)
    cerebro.addstrategy(Short)
    cerebro.run()
    assert cerebro.broker.getvalue() == pytest.approx(-49_000.0)


def test_ours_refuses_that_order_and_keeps_the_1000_dollars() -> None:
    broker = run_plan(market_of({"SP500": RUNAWAY}), [(0, "SP500", -1000, None)], cash=1000.0)
    refused = events_of(broker).iloc[0]
    assert (refused["kind"], refused["shares"], refused["after"]) == ("order_refused", -1000.0, 0.0)
    assert broker.getvalue() == 1000.0
    assert ("SP500", "Margin") in strategy_of(broker).seen


def test_a_short_that_fits_is_called_while_it_runs_away_and_never_reaches_minus_49_000() -> None:
    # 200,000 of equity carries 1,000 short at 100; at 150 equity is 150,000 and 45,000 is asked.
    broker = run_plan(market_of({"SP500": RUNAWAY}), [(0, "SP500", -1000, None)], cash=60_000.0)
    ledger = broker.ledger.frame()
    assert ledger["equity"].min() >= 10_000.0 - 1e-9
    assert (ledger["excess_liquidity"] >= -1e-6).all()
    assert "margin_call" in set(events_of(broker)["kind"])


# Deficiency over rate times price, rounded up: 25/50/75 % long, 30/60/90 % short.
@pytest.mark.parametrize(("symbol", "sold"), [("SP500", 88), ("SSO", 194), ("UPRO", 230)])
def test_a_called_long_with_a_debit_of_24700_sells_just_enough(symbol: Any, sold: Any) -> None:
    market = market_of({symbol: [400.0, 400.0, 100.0, 100.0]})
    broker = run_plan(market, [(0, symbol, 300, None)], cash=95_300.0)
    forced = events_of(broker).query("kind == 'liquidation'")
    assert list(forced["shares"]) == [-float(sold)]
    assert broker.ledger.frame()["cash"].iloc[-1] == pytest.approx(-24_700 + 100 * sold)


@pytest.mark.parametrize(("symbol", "bought"), [("SP500", 124), ("SSO", 212), ("UPRO", 242)])
def test_a_called_short_with_35300_of_cash_buys_just_enough(symbol: Any, bought: Any) -> None:
    market = market_of({symbol: [20.0, 20.0, 100.0, 100.0]})
    broker = run_plan(market, [(0, symbol, -300, None)], cash=29_300.0)
    forced = events_of(broker).query("kind == 'liquidation'")
    assert list(forced["shares"]) == [float(bought)]
    assert (broker.ledger.frame()["excess_liquidity"].iloc[2:] >= 0).all()


def test_a_call_is_an_event_with_excess_liquidity_before_and_after_the_liquidation() -> None:
    market = market_of({"UPRO": [400.0, 400.0, 100.0]})
    broker = run_plan(market, [(0, "UPRO", 300, None)], cash=95_300.0)
    call = events_of(broker).query("kind == 'margin_call'").iloc[0]
    assert call["before"] == pytest.approx(-17_200.0)
    assert call["after"] == pytest.approx(50.0)
    assert call["price"] == pytest.approx(17_200.0)
    assert call["why"] == (
        "excess liquidity below zero: a deposit of $17,200.00 would have cured it"
    )


def test_a_liquidation_is_sized_to_pay_for_its_own_penalty_spread_and_fees() -> None:
    costly = replace_terms(
        fund_spread_rates=np.array([0.001]),
        liquidation_penalty_rate=0.01,
        commission=commission_plan("ibkr_fixed"),
    )
    market = market_of({"UPRO": [400.0, 400.0, 100.0]}, fees=True)
    broker = run_plan(market, [(0, "UPRO", 300, None)], cash=95_500.0, terms=costly)
    last = broker.ledger.frame().iloc[-1]
    sold = -events_of(broker).query("kind == 'liquidation'")["shares"].iloc[0]
    assert last["flow:liquidation"] == pytest.approx(-0.01 * 100 * sold)
    assert 0 <= last["excess_liquidity"] < 75.0
    without_penalty_or_costs = int(np.ceil(-(95_500 - 120_000 - 120 - 1.5 + 7_500) / 75))
    assert sold > without_penalty_or_costs


def replace_terms(**changes: Any) -> Terms:
    return FREE._replace(**changes)


# 12 CFR 220.12: a 3x fund takes 75 % to open, so 10,000 buy 133 shares at 100 and not 134.
def test_an_order_that_does_not_fit_is_refused_or_cut_to_what_fits_by_policy() -> None:
    market = market_of({"UPRO": [100.0] * 3})
    plan = [(0, "UPRO", 134, None)]
    refused = run_plan(market, plan, cash=10_000.0)
    cut = run_plan(market, plan, cash=10_000.0, on_shortfall="cut")
    assert refused.ledger.frame()["shares:UPRO"].iloc[-1] == 0.0
    assert cut.ledger.frame()["shares:UPRO"].iloc[-1] == 133.0
    assert list(events_of(cut)["kind"]) == ["order_cut", "order_filled"]
    assert strategy_of(cut).seen[-2:] == [("UPRO", "Partial"), ("UPRO", "Canceled")]


def test_sells_go_before_buys_so_that_a_switch_of_funds_needs_no_cash_of_its_own() -> None:
    market = market_of({"UPRO": [100.0] * 5, "SSO": [100.0] * 5})
    plan = [
        (0, "UPRO", 133, None),
        (2, "SSO", 199, None),  # placed first, needs what the sale frees
        (2, "UPRO", -133, None),
    ]
    ledger = run_plan(market, plan, cash=10_000.0).ledger.frame()
    assert ledger["shares:UPRO"].iloc[-1] == 0.0
    assert ledger["shares:SSO"].iloc[-1] == 199.0


def test_one_order_flips_a_long_into_a_short() -> None:
    market = market_of({"UPRO": [100.0] * 5})
    broker = run_plan(market, [(0, "UPRO", 100, None), (2, "UPRO", -150, None)], cash=10_000.0)
    ledger = broker.ledger.frame()
    assert list(ledger["shares:UPRO"]) == [0.0, 100.0, 100.0, -50.0, -50.0]
    assert ledger["maintenance_margin"].iloc[-1] == pytest.approx(50 * 90.0)
    assert strategy_of(broker).held == [0, 100, 100, -50, -50]


def test_a_flip_that_does_not_fit_is_cut_to_what_closes_and_what_the_short_bears() -> None:
    market = market_of({"UPRO": [100.0] * 5})
    plan = [(0, "UPRO", 100, None), (2, "UPRO", -1000, None)]
    refused = run_plan(market, plan, cash=10_000.0).ledger.frame()
    cut = run_plan(market, plan, cash=10_000.0, on_shortfall="cut").ledger.frame()
    assert refused["shares:UPRO"].iloc[-1] == 0.0
    assert cut["shares:UPRO"].iloc[-1] == -111.0  # 10,000 / 90


def test_below_2000_dollars_nothing_may_be_sold_short_but_a_purchase_may_be_paid_in_full() -> None:
    market = market_of({"SP500": [10.0] * 3})
    short = run_plan(market, [(0, "SP500", -10, None)], cash=1500.0)
    full = run_plan(market, [(0, "SP500", 150, None)], cash=1500.0)
    borrowed = run_plan(market, [(0, "SP500", 151, None)], cash=1500.0)
    assert [b.ledger.frame()["shares:SP500"].iloc[-1] for b in (short, full, borrowed)] == [
        0.0, 150.0, 0.0,
    ]  # fmt: skip


# IBKR tiers: the first 100,000 at the benchmark plus 1.5 %; 50,000 at 5.33 % cost 9.4861 a day.
def test_a_debit_of_50000_costs_the_printed_interest_and_three_days_of_it_over_a_weekend() -> None:
    market = market_of({"SP500": [100.0] * 6}, start="2019-06-05", rate=0.0533)
    terms = replace_terms(financing=IBKR_INTEREST)
    broker = run_plan(market, [(0, "SP500", 1500, None)], cash=100_000.0, terms=terms)
    interest = broker.ledger.frame()["flow:debit_interest"]
    a_day = 50_000 * (0.0533 + 0.015) / 360
    assert a_day == pytest.approx(9.4861111)
    # Cash of 100,000 earned on Wednesday night; bought on Thursday; Friday pays one day.
    earned = 90_000 * (0.0533 - 0.005) / 360
    first = a_day * (50_000 - earned) / 50_000
    assert interest.iloc[2] == pytest.approx(-first)
    assert interest.iloc[3] == pytest.approx(-3 * (50_000 - earned + first) * 0.0683 / 360)


def test_short_proceeds_secure_the_loan_of_shares_and_only_free_cash_earns_interest() -> None:
    market = market_of({"SP500": [100.0] * 4}, rate=0.05, borrow_rate=0.01)
    broker = run_plan(market, [(0, "SP500", -1500, None)], cash=200_000.0)
    row = broker.ledger.frame().iloc[2]
    credit = (200_000 - 10_000) * (0.05 - 0.005) / 360
    rebate = 50_000 * (0.05 - 0.0125) / 360  # the first 100,000 of 150,000 earn nothing
    borrow = 1500 * 102 * 0.01 / 360
    # the first session on cash alone earned interest too, so allow for a day's interest on it
    assert row["flow:credit_interest"] == pytest.approx(credit, rel=1e-3)
    assert row["flow:short_rebate"] == pytest.approx(rebate)
    assert row["flow:borrow_fee"] == pytest.approx(-borrow)


def test_longs_receive_a_distribution_on_its_ex_date_and_shorts_owe_it() -> None:
    market = market_of(
        {"UPRO": [100.0] * 4, "SSO": [100.0] * 4}, dividends={"UPRO": {2: 0.5}, "SSO": {2: 0.25}}
    )
    plan = [(0, "UPRO", 100, None), (0, "SSO", -100, None)]
    ledger = run_plan(market, plan, cash=50_000.0).ledger.frame()
    assert list(ledger["flow:distributions"]) == [0.0, 0.0, 50.0 - 25.0, 0.0]


# -- splits ---------------------------------------------------------------------------------------


def test_a_reverse_split_changes_the_count_never_the_value_and_pays_the_fraction_in_cash() -> None:
    market = market_of({"UPRO": [10.0, 10.0, 40.0, 40.0]}, splits={"UPRO": {2: 0.25}})
    broker = run_plan(market, [(0, "UPRO", 102, None)], cash=10_000.0)
    ledger = broker.ledger.frame()
    assert list(ledger["shares:UPRO"]) == [0.0, 102.0, 25.0, 25.0]
    assert ledger["cash"].iloc[-1] == pytest.approx(10_000 - 1020 + 0.5 * 40)
    assert (ledger["equity"] == 10_000.0).all()
    assert strategy_of(broker).held == [0, 102, 25, 25]


def test_an_order_decided_before_a_split_fills_after_it_in_new_shares() -> None:
    market = market_of({"UPRO": [400.0, 100.0, 100.0]}, splits={"UPRO": {1: 4.0}})
    ledger = run_plan(market, [(0, "UPRO", 10, None)], cash=10_000.0).ledger.frame()
    assert ledger["shares:UPRO"].iloc[-1] == 40.0


@pytest.mark.parametrize(
    ("closes", "ratio", "contracts", "shares", "strike"),
    [
        ([100.0, 100.0, 25.0, 25.0], 4.0, 4.0, 400.0, 22.5),
        ([10.0, 10.0, 40.0, 40.0], 0.25, 1.0, 25.0, 36.0),
    ],
)
def test_a_put_over_a_split_keeps_its_value(
    closes: Any, ratio: Any, contracts: Any, shares: Any, strike: Any
) -> None:
    market = market_of({"UPRO": closes}, splits={"UPRO": {2: ratio}})
    put = OptionContract("UPRO", "put", 0.9 * closes[0], date(2019, 9, 20))
    broker = run_plan(market, [(0, "UPRO:put", 1, put)], cash=10_000.0, slots=("UPRO:put",))
    ledger, account = broker.ledger.frame(), broker.account
    assert ledger["shares:UPRO:put"].iloc[-1] == shares
    assert (account.book.contracts[0], account.book.strikes[0]) == (
        contracts,
        pytest.approx(strike),
    )
    one_day = ledger["value:UPRO:put"].iloc[2] / ledger["value:UPRO:put"].iloc[1]
    assert 0.95 < one_day < 1.0  # a day of time value, nothing else
    assert identity_errors(ledger, 10_000.0).abs().to_numpy().max() < 1e-9


# -- options --------------------------------------------------------------------------------------

EXPIRY = date(2019, 6, 7)  # the fifth session


def test_a_put_that_expires_worthless_costs_exactly_its_premium() -> None:
    market = market_of({"UPRO": [100.0] * 7})
    put = OptionContract("UPRO", "put", 90.0, EXPIRY)
    broker = run_plan(market, [(0, "UPRO:put", 3, put)], cash=10_000.0, slots=("UPRO:put",))
    events = events_of(broker)
    premium = events.query("kind == 'order_filled'").iloc[0]
    assert premium["symbol"] == "UPRO 2019-06-07 90 put"
    assert broker.getvalue() == pytest.approx(10_000 - 300 * premium["price"], abs=1e-9)
    assert events.iloc[-1]["kind"] == "option_expired"
    assert strategy_of(broker).seen[-1] == ("UPRO:put", "Completed")


def test_a_put_in_the_money_pays_strike_less_close_in_cash_and_leaves_the_slot() -> None:
    market = market_of({"UPRO": [100.0, 100.0, 100.0, 100.0, 80.0, 80.0]})
    put = OptionContract("UPRO", "put", 90.0, EXPIRY)
    broker = run_plan(market, [(0, "UPRO:put", 2, put)], cash=10_000.0, slots=("UPRO:put",))
    ledger = broker.ledger.frame()
    paid = 10_000 - ledger["cash"].iloc[1]
    assert ledger["cash"].iloc[-1] == pytest.approx(10_000 - paid + 200 * 10.0)
    assert list(ledger["shares:UPRO:put"].iloc[-2:]) == [0.0, 0.0]


def test_a_long_put_is_worth_something_but_lends_nothing() -> None:
    market = market_of({"UPRO": [100.0] * 3})
    put = OptionContract("UPRO", "put", 100.0, date(2019, 12, 20))
    broker = run_plan(market, [(0, "UPRO:put", 5, put)], cash=50_000.0, slots=("UPRO:put",))
    row = broker.ledger.frame().iloc[-1]
    assert row["value:UPRO:put"] > 1000.0
    assert row["equity_with_loan_value"] == row["cash"]
    assert row["equity"] == pytest.approx(row["cash"] + row["value:UPRO:put"])
    assert row["exposure"] == pytest.approx(3 * 100 * 500 * -0.4, rel=0.2)  # delta near -0.4


def test_puts_are_bought_only_as_far_as_available_funds_pay_for_them() -> None:
    market = market_of({"UPRO": [100.0] * 3})
    put = OptionContract("UPRO", "put", 100.0, date(2019, 12, 20))
    broker = run_plan(
        market, [(0, "UPRO:put", 50, put)], cash=5000.0, slots=("UPRO:put",), on_shortfall="cut"
    )
    row = broker.ledger.frame().iloc[-1]
    assert 0 < row["shares:UPRO:put"] < 5000
    assert 0 <= row["cash"] < 100 * row["price:UPRO:put"]


def test_the_half_spread_of_an_option_is_paid_from_equity_at_once() -> None:
    wide = replace_terms(
        option_spread_rates=np.array([0.05]), option_spread_minimums_usd=np.array([0.05])
    )
    market = market_of({"UPRO": [100.0] * 3})
    put = OptionContract("UPRO", "put", 100.0, date(2019, 12, 20))
    broker = run_plan(
        market, [(0, "UPRO:put", 1, put)], cash=50_000.0, slots=("UPRO:put",), terms=wide
    )
    bought = broker.ledger.frame().iloc[1]
    assert bought["flow:spread"] == pytest.approx(-0.05 * bought["value:UPRO:put"])
    assert bought["equity"] == pytest.approx(50_000 + bought["flow:spread"])


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (
            [(0, "UPRO:put", 1, None)],
            "order in UPRO:put: it names no contract; "
            "buy(data=slot, size=n, contract=OptionContract(...)) is right",
        ),
        (
            [(0, "UPRO:put", 1, OptionContract("SSO", "put", 90.0, EXPIRY))],
            "order in UPRO:put: SSO 2019-06-07 90 put is on a fund outside the study; "
            "the study has UPRO",
        ),
        (
            [(0, "UPRO:put", -2, None)],
            "order in UPRO:put: it names no contract; "
            "buy(data=slot, size=n, contract=OptionContract(...)) is right",
        ),
        (
            [
                (0, "UPRO:put", 1, OptionContract("UPRO", "put", 90.0, EXPIRY)),
                (1, "UPRO:put", -2, None),
            ],
            "order in UPRO:put: it trades -2 contracts but 1 are held; "
            "at most -1 close them, and another order opens",
        ),
        (
            [
                (0, "UPRO:put", 1, OptionContract("UPRO", "put", 90.0, EXPIRY)),
                (1, "UPRO:put", 1, OptionContract("UPRO", "put", 80.0, EXPIRY)),
            ],
            "order in UPRO:put: the slot still holds 1 contracts of another option; "
            "sell them or let them expire first",
        ),
    ],
)
def test_an_order_in_a_slot_that_makes_no_sense_is_refused_by_name(plan: Any, message: Any) -> None:
    market = market_of({"UPRO": [100.0] * 4})
    with pytest.raises(StudyError) as refused:
        run_plan(market, plan, cash=10_000.0, slots=("UPRO:put",))
    assert str(refused.value) == message


# -- the end, and Backtrader's own orders ----------------------------------------------------------


def test_a_gap_through_zero_ends_the_run_and_says_what_is_owed() -> None:
    market = market_of({"UPRO": [100.0, 100.0, 400.0, 100.0, 100.0]})
    broker = run_plan(market, [(0, "UPRO", -100, None)], cash=10_000.0)
    ledger, last = broker.ledger.frame(), events_of(broker).iloc[-1]
    assert broker.wiped
    assert len(ledger) == 3
    assert ledger["equity"].iloc[-1] == pytest.approx(-20_000.0)
    assert (last["kind"], last["after"]) == ("wiped", pytest.approx(-20_000.0))
    assert len(strategy_of(broker).equities) == 2


class Conditional(bt.Strategy):
    params = (("exectype", None), ("price", 0.0), ("buy", True))

    def next(self) -> None:
        if len(self) == 1:
            trade = self.buy if self.p.buy else self.sell
            trade(size=10, exectype=self.p.exectype, price=self.p.price)


@pytest.mark.parametrize(
    ("exectype", "price", "buy", "filled_on"),
    [
        (bt.Order.Limit, 95.0, True, 3),
        (bt.Order.Limit, 104.0, False, 2),
        (bt.Order.Stop, 104.0, True, 2),
        (bt.Order.Stop, 95.0, False, 3),
        (bt.Order.Limit, 50.0, True, None),
    ],
)
def test_limits_and_stops_are_tested_on_closes_and_fill_there(
    exectype: Any, price: Any, buy: Any, filled_on: Any
) -> None:
    market = market_of({"SP500": [100.0, 100.0, 105.0, 90.0, 90.0]})
    broker = MarginBroker(market=market, terms=FREE, cash=10_000.0)
    run_market(Conditional, {"exectype": exectype, "price": price, "buy": buy}, market, broker)
    filled = events_of(broker)
    sessions = [market.sessions.get_loc(stamp) for stamp in filled["session"]]
    assert sessions == ([] if filled_on is None else [filled_on])


def test_an_order_of_a_kind_that_is_not_taken_is_refused_by_name() -> None:
    market = market_of({"SP500": [100.0] * 3})
    broker = MarginBroker(market=market, terms=FREE, cash=10_000.0)
    parameters = {"exectype": bt.Order.Historical, "price": 100.0, "buy": True}
    with pytest.raises(StudyError) as refused:
        run_market(Conditional, parameters, market, broker)
    assert str(refused.value) == (
        "order in SP500: Historical orders are not taken; Market, Close, Limit, Stop, StopLimit, "
        "StopTrail and StopTrailLimit are"
    )


def test_a_policy_on_shortfall_is_cut_or_refuse() -> None:
    with pytest.raises(StudyError) as refused:
        MarginBroker(market=market_of({"SP500": [1.0] * 2}), terms=FREE, on_shortfall="hope")
    assert str(refused.value) == "on_shortfall: 'hope'; 'cut' or 'refuse' is right"


def test_the_strategy_sees_equity_and_positions_as_the_account_has_them() -> None:
    market = market_of({"UPRO": [100.0, 100.0, 110.0, 121.0]})
    broker = run_plan(market, [(0, "UPRO", 50, None)], cash=10_000.0)
    strategy = strategy_of(broker)
    assert strategy.equities == [10_000.0, 10_000.0, 10_500.0, 11_050.0]
    data = broker.cerebro.datas[0]
    assert broker.getvalue([data]) == pytest.approx(50 * 121.0)
    assert broker.get_leverage() == pytest.approx(6050 / 11_050)
    assert broker.getcash() == pytest.approx(5000.0)


def test_a_deposit_is_a_flow_of_its_own_and_no_profit() -> None:
    class Depositor(Planned):
        def next(self) -> None:
            if len(self) == 2:
                self.broker.add_cash(500.0)

    market = market_of({"SP500": [100.0] * 4})
    broker = MarginBroker(market=market, terms=FREE, cash=1000.0)
    run_market(Depositor, {}, market, broker)
    ledger = broker.ledger.frame()
    assert list(ledger["flow:external"]) == [0.0, 0.0, 500.0, 0.0]
    assert list(ledger["equity"]) == [1000.0, 1000.0, 1500.0, 1500.0]


# 12 CFR 220.5: the special memorandum account ratchets; figures by hand for a 3x fund.
def test_the_special_memorandum_account_ratchets_up_and_never_falls_with_prices() -> None:
    market = market_of({"UPRO": [100.0, 100.0, 110.0, 88.0, 88.0]})
    plan = [(0, "UPRO", 600, None), (3, "UPRO", -227, None)]
    ledger = run_plan(market, plan, cash=100_000.0).ledger.frame()
    account = list(ledger["special_memorandum_account"])
    # opening 60,000 takes 45,000; +10 % lifts it to 106,000 - 49,500; the fall leaves it there
    assert account[:4] == pytest.approx([100_000.0, 55_000.0, 56_500.0, 56_500.0])
    assert account[4] == pytest.approx(56_500 + 0.75 * 227 * 88)


def test_two_runs_of_one_market_give_the_same_bits() -> None:
    market = market_of({"UPRO": [100.0, 90.0, 120.0, 60.0]}, rate=0.03)
    first = run_plan(market, [(0, "UPRO", 120, None)], cash=10_000.0).ledger.frame()
    second = run_plan(market, [(0, "UPRO", 120, None)], cash=10_000.0).ledger.frame()
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_more_events_than_the_buffer_holds_are_a_defect_that_stops_the_run() -> None:
    broker = run_plan(market_of({"UPRO": [100.0] * 3}), [(0, "UPRO", 1, None)], cash=1000.0)
    broker.account.money[EVENT_COUNT] = 1000.0
    with pytest.raises(LedgerError) as stopped:
        drain(broker)
    assert str(stopped.value) == (
        "session 2: 1000 events between two readings, but the buffer holds 32"
    )
