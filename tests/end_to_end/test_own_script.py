"""The margin broker in a script of a user's own: own feeds, sizers, analyzers, no command line."""

from datetime import date, timedelta
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from levsleeve import FundData, MarginBroker, OptionContract, slot_feed
from levsleeve.backtests.events import events_frame
from levsleeve.backtests.ledger import identity_errors
from levsleeve.errors import LevsleeveError

FREE: dict[str, Any] = {"commission": "none", "fund_half_spread_rate": 0.0}


def bars(closes: list[float], start: str = "2019-06-03", **columns: list[float]) -> pd.DataFrame:
    """Daily bars that open where they close, on business days."""
    index = pd.bdate_range(start, periods=len(closes))
    prices = dict.fromkeys(("open", "high", "low", "close"), closes)
    return pd.DataFrame({**prices, "volume": 0.0, **columns}, index=index, dtype=np.float64)


class Acts(bt.Strategy):
    """Does what a plan says on a bar, counted from zero: bar -> what to call with the strategy."""

    params: Any = (("plan", {}),)

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def notify_order(self, order: Any) -> None:
        self.told.append((order.data._name, order.getstatusname()))

    def next(self) -> None:
        for act in self.p.plan.get(len(self) - 1, ()):
            act(self)


def script(
    feeds: dict[str, Any], plan: dict[int, list[Any]], **broker: Any
) -> tuple[MarginBroker, Acts]:
    """A cerebro of these feeds with the margin broker; frames become feeds."""
    cerebro = bt.Cerebro(stdstats=False)
    for name, feed in feeds.items():
        made = FundData(dataname=feed) if isinstance(feed, pd.DataFrame) else feed
        cerebro.adddata(made, name=name)
    account = {**FREE, **broker.pop("account", {})}
    made_broker = cerebro.setbroker(MarginBroker(account=account, **broker))
    cerebro.addstrategy(Acts, plan=plan)
    (strategy,) = cerebro.run()
    return made_broker, strategy


def kinds_of(broker: MarginBroker) -> list[str]:
    frame = events_frame(broker.event_rows, broker.market.sessions, broker.market.symbols)
    return list(frame["kind"])


def buy(count: float, **named: Any) -> Any:
    return lambda s: s.buy(size=count, **named)


def test_a_ticker_of_the_catalogue_brings_its_multiple_and_its_margin() -> None:
    broker, _ = script({"TQQQ": bars([100.0] * 4)}, {0: [buy(100)]}, cash=20_000.0)
    row = broker.ledger.frame().iloc[-1]
    assert row["maintenance_margin"] == pytest.approx(7_500.0)
    assert row["exposure"] == pytest.approx(30_000.0)


def test_a_multiple_is_that_of_the_session() -> None:
    # SVXY was cut from -1 to -0.5 on 2018-02-27; both are margined as one times.
    closes = bars([100.0] * 6, start="2018-02-22")
    broker, _ = script({"SVXY": closes}, {0: [buy(100)]}, cash=20_000.0)
    exposure = broker.ledger.frame()["exposure"]
    assert exposure.loc["2018-02-26"] == pytest.approx(-10_000.0)
    assert exposure.loc["2018-02-27"] == pytest.approx(-5_000.0)


def test_a_plain_share_is_named_with_its_multiple() -> None:
    broker, _ = script(
        {"ACME": bars([50.0] * 4)}, {0: [buy(100)]}, cash=20_000.0, funds={"ACME": 1.0}
    )
    assert broker.ledger.frame()["maintenance_margin"].iloc[-1] == pytest.approx(1_250.0)


def test_cash_may_be_set_as_backtrader_sets_it() -> None:
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(FundData(dataname=bars([100.0] * 3)), name="UPRO")
    cerebro.setbroker(MarginBroker())
    cerebro.addstrategy(Acts)
    cerebro.broker.setcash(12_345.0)
    cerebro.run()
    assert cerebro.broker.getvalue() == 12_345.0
    assert cerebro.broker.ledger.frame()["equity"].iloc[0] == pytest.approx(12_345.0)


def test_without_cash_the_account_has_that_of_its_table() -> None:
    broker, _ = script({"UPRO": bars([100.0] * 3)}, {}, account={"cash_usd": 7_000.0})
    assert broker.getvalue() == 7_000.0


def test_stock_sizers_and_analyzers_work_as_with_any_broker() -> None:
    cerebro = bt.Cerebro()
    closes = [100.0, 100.0, 110.0, 121.0, 121.0, 121.0]
    cerebro.adddata(FundData(dataname=bars(closes)), name="UPRO")
    cerebro.setbroker(MarginBroker(account=FREE, cash=10_000.0))
    cerebro.addsizer(bt.sizers.PercentSizer, percents=50)
    cerebro.addanalyzer(bt.analyzers.TradeAnalyzer, _name="trades")
    cerebro.addanalyzer(bt.analyzers.TimeReturn, _name="returns")
    cerebro.addanalyzer(bt.analyzers.DrawDown, _name="fall")
    cerebro.addstrategy(Acts, plan={0: [lambda s: s.buy()], 3: [lambda s: s.close()]})
    (strategy,) = cerebro.run()
    trades = strategy.analyzers.trades.get_analysis()
    # Half of 10,000 at 100, sold at 121; the SEC and FINRA take their fees of 2019.
    fees = 6_050 * 20.7e-6 + 50 * 0.000119
    assert trades.pnl.net.total == pytest.approx(50 * 21.0 - fees)
    returns = list(strategy.analyzers.returns.get_analysis().values())
    assert np.prod(np.add(1.0, returns)) == pytest.approx(1.105 - fees / 10_000)
    assert strategy.analyzers.fall.get_analysis().max.moneydown == pytest.approx(fees)


def test_splits_and_dividends_are_lines_of_the_feed() -> None:
    frame = bars(
        [100.0, 100.0, 50.0, 50.0],
        split=[1.0, 1.0, 2.0, 1.0],
        dividend=[0.0, 0.0, 0.0, 0.5],
    )
    broker, _ = script({"UPRO": frame}, {0: [buy(10)]}, cash=10_000.0)
    ledger = broker.ledger.frame()
    assert list(ledger["shares:UPRO"]) == [0.0, 10.0, 20.0, 20.0]
    assert list(ledger["equity"]) == pytest.approx([10_000.0] * 3 + [10_010.0])


class Averages(bt.Strategy):
    """Keeps what its average of three closes says."""

    def __init__(self) -> None:
        self.mean = bt.ind.SMA(period=3)
        self.seen: list[float] = []

    def next(self) -> None:
        self.seen.append(self.mean[0])


def test_a_split_is_no_signal_to_a_plain_strategy() -> None:
    cerebro = bt.Cerebro(stdstats=False)
    frame = bars([100.0, 102.0, 104.0, 53.0, 54.0, 55.0], split=[1.0, 1.0, 1.0, 2.0, 1.0, 1.0])
    cerebro.adddata(FundData(dataname=frame), name="UPRO")
    cerebro.setbroker(MarginBroker(account=FREE))
    cerebro.addstrategy(Averages)
    (strategy,) = cerebro.run()
    assert strategy.seen == pytest.approx([102.0, (51 + 52 + 53) / 3, (52 + 53 + 54) / 3, 54.0])


def test_a_fund_without_a_bar_keeps_its_mark_and_its_orders_wait() -> None:
    whole = bars([100.0, 110.0, 120.0, 130.0])
    gapped = bars([20.0, 21.0, 22.0, 23.0]).drop(pd.Timestamp("2019-06-04"))
    plan = {0: [lambda s: s.buy(data=s.data1, size=10)]}
    broker, _ = script({"UPRO": whole, "SSO": gapped}, plan, cash=10_000.0)
    ledger = broker.ledger.frame()
    assert list(ledger["price:SSO"]) == [20.0, 20.0, 22.0, 23.0]
    assert list(ledger["shares:SSO"]) == [0.0, 0.0, 10.0, 10.0]


def test_a_feed_that_is_no_fund_can_be_looked_at() -> None:
    feeds = {"UPRO": bars([100.0] * 4), "VIX": bars([20.0, 30.0, 20.0, 20.0])}
    plan = {1: [lambda s: s.buy(size=1) if s.data1.close[0] > 25 else None]}
    broker, _ = script(feeds, plan, cash=10_000.0)
    assert broker.market.symbols == ("UPRO",)
    assert broker.ledger.frame()["shares:UPRO"].iloc[-1] == 1.0


def test_the_benchmark_rate_may_be_a_series() -> None:
    # 60,000 owed over one night at (3 + 1.5) % a year from Thursday on, 1.5 % before.
    closes = bars([100.0] * 5)
    rate = pd.Series([0.0, 0.03], index=pd.to_datetime(["2019-06-01", "2019-06-06"]))
    broker, _ = script(
        {"SP500?L=1": closes}, {0: [buy(1_600)]}, cash=100_000.0, benchmark_rate=rate
    )
    interest = broker.ledger.frame()["flow:debit_interest"]
    assert interest.iloc[2:].tolist() == pytest.approx(
        [-60_000 * 0.015 / 360, -60_002.5 * 0.015 / 360, -60_005.000104 * 0.045 / 360], rel=1e-6
    )


def test_options_trade_in_slots_of_a_script_too() -> None:
    frame = bars([100.0] * 4)
    put = OptionContract("UPRO", "put", 90.0, date(2019, 7, 19))
    sessions = pd.DatetimeIndex(frame.index)
    feeds = {"UPRO": frame, "put": slot_feed(sessions)}
    plan = {0: [lambda s: s.buy(data=s.data1, size=2, contract=put)]}
    volatility = pd.Series(0.2, index=sessions)
    broker, _ = script(feeds, plan, cash=10_000.0, slots=("put",), volatility=volatility)
    ledger = broker.ledger.frame()
    assert list(ledger["shares:put"]) == [0.0, 200.0, 200.0, 200.0]
    assert identity_errors(ledger, 10_000.0).abs().max().max() < 1e-9


def test_the_accounts_borrow_and_dated_cash_reach_a_script() -> None:
    account = {
        "borrow": [{"fund": "UPRO", "since": date(2019, 6, 3), "state": "unavailable"}],
        "cash_flow": [{"on": date(2019, 6, 5), "amount_usd": 500.0}],
    }
    plan = {0: [lambda s: s.sell(size=10)]}
    broker, strategy = script({"UPRO": bars([100.0] * 4)}, plan, cash=10_000.0, account=account)
    assert kinds_of(broker) == ["order_refused", "deposit"]
    assert strategy.told[-1] == ("UPRO", "Margin")
    assert broker.ledger.frame()["equity"].iloc[-1] == pytest.approx(10_500.0)


def test_the_broker_quotes_the_accounts_commission() -> None:
    broker, _ = script(
        {"UPRO": bars([100.0] * 3)}, {}, cash=10_000.0, account={"commission": "ibkr_fixed"}
    )
    charges = broker.getcommissioninfo(broker.cerebro.datasbyname["UPRO"])
    assert charges.getcommission(1_000, 80.0) == pytest.approx(5.0)


def minutes() -> bt.feeds.PandasData:
    return FundData(dataname=bars([100.0] * 3), timeframe=bt.TimeFrame.Minutes)


def noon() -> pd.DataFrame:
    frame = bars([100.0] * 3)
    return frame.set_axis(frame.index + timedelta(hours=12))


UPRO = bars([100.0] * 3)
SLOTTED = {"UPRO": UPRO, "put": slot_feed(pd.DatetimeIndex(UPRO.index))}


@pytest.mark.parametrize(
    ("feeds", "broker", "message"),
    [
        (
            {"VIX": UPRO},
            {},
            "feeds: none is a fund that is known (VIX); cerebro.adddata(feed, name=TICKER), or "
            "funds={NAME: MULTIPLE}, is right",
        ),
        (
            {"": UPRO},
            {},
            "feeds: none is a fund that is known (a feed without a name); "
            "cerebro.adddata(feed, name=TICKER), or funds={NAME: MULTIPLE}, is right",
        ),
        (
            {"ACME": UPRO},
            {"funds": {"ACME": "3x"}},
            "funds: ACME has the multiple '3x'; a number other than 0 is right, 1.0 for a plain "
            "share",
        ),
        (
            {"ACME": UPRO},
            {"funds": {"ACME": 0}},
            "funds: ACME has the multiple 0; a number other than 0 is right, 1.0 for a plain share",
        ),
        ({"UPRO": minutes()}, {}, "UPRO: bars of Minute; daily bars are right"),
        (
            {"UPRO": UPRO, "SSO": noon()},
            {},
            "feeds: bars of 2019-06-03 have different times of day; one for all is right",
        ),
        (
            {"UPRO": UPRO},
            {"slots": ("put",)},
            "slots: no feed is named put; cerebro.adddata(slot_feed(SESSIONS), name='put') is "
            "right",
        ),
        (
            SLOTTED,
            {"slots": ("put",)},
            "volatility: None, but options are priced by it; a series of fractions by date is "
            "right",
        ),
        (
            {"UPRO": UPRO},
            {"benchmark_rate": pd.Series([0.01], index=pd.to_datetime(["2019-06-04"]))},
            "benchmark_rate: nan on 2019-06-03; a fraction above -1 and below 1 on every session "
            "is right",
        ),
        (
            {"UPRO": UPRO},
            {"account": {"profile": "house_flow"}},
            "profile: its house rates watch the index (flow), which the feeds of a script do not "
            "tell; a study, or a profile without such rates, is right",
        ),
        (
            {"UPRO": UPRO.assign(close=[100.0, np.nan, 100.0])},
            {},
            "UPRO: a number is missing on 1 sessions, first 2019-06-04; every session needs open, "
            "high, low, close, volume, dividend, split",
        ),
        (
            {"UPRO": UPRO},
            {"account": {"fund_costs": {"SSO": {}}}},
            "account.fund_costs: SSO is not held; one of UPRO is right",
        ),
        (
            {"UPRO": UPRO},
            {"account": {"cash": 1.0}},
            "account: cash: unknown key; did you mean cash_usd?",
        ),
    ],
)
def test_a_script_that_cannot_be_right_is_refused_by_name(
    feeds: dict[str, Any], broker: dict[str, Any], message: str
) -> None:
    with pytest.raises(LevsleeveError) as refused:
        script(feeds, {}, **broker)
    assert str(refused.value) == message


def test_an_order_in_a_feed_that_is_no_fund_is_refused_by_name() -> None:
    feeds = {"UPRO": UPRO, "VIX": UPRO}
    with pytest.raises(LevsleeveError) as refused:
        script(feeds, {0: [lambda s: s.buy(data=s.data1, size=1)]})
    assert str(refused.value) == (
        "order in VIX: no fund of that name is known; a ticker of the catalogue, or "
        "funds={NAME: MULTIPLE}, is right"
    )


def test_feeds_that_are_not_loaded_ahead_are_refused() -> None:
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(FundData(dataname=UPRO), name="UPRO")
    cerebro.setbroker(MarginBroker())
    cerebro.addstrategy(Acts)
    with pytest.raises(LevsleeveError) as refused:
        cerebro.run(preload=False, runonce=False)
    assert str(refused.value) == (
        "cerebro: the feeds are not loaded ahead, and the margin broker reads them before the "
        "first session; cerebro.run() with preload, without live, replayed or resampled feeds, is "
        "right"
    )


@pytest.mark.parametrize(
    ("setting", "instead"),
    [
        ("setcommission", "account={'commission': PLAN} charges a plan"),
        ("addcommissioninfo", "account={'commission': PLAN} charges a plan"),
        ("set_slippage_perc", "account={'fund_slippage_rate': FRACTION} charges it"),
        ("set_slippage_fixed", "account={'fund_slippage_rate': FRACTION} charges it"),
        ("set_coc", "account={'fill': 'same_close'} fills at the close of the decision"),
        ("set_coo", "account={'fill': 'next_open'} fills at the next open"),
        ("set_filler", "an order fills whole, or as far as available funds go"),
        ("set_shortcash", "short proceeds are cash that secures the borrowed shares"),
        ("set_eosbar", "bars are daily, each its own session"),
        ("set_int2pnl", "interest is a column of the ledger, not part of a trade's profit"),
        ("set_checksubmit", "every order is tested when it fills"),
    ],
)
def test_a_setting_of_backtraders_broker_that_would_be_ignored_is_refused(
    setting: str, instead: str
) -> None:
    with pytest.raises(LevsleeveError) as refused:
        getattr(MarginBroker(), setting)(0.001)
    assert str(refused.value) == f"{setting}: the margin broker does not take it; {instead}"


def test_cash_is_not_set_in_the_middle_of_a_run() -> None:
    with pytest.raises(LevsleeveError) as refused:
        script({"UPRO": UPRO}, {1: [lambda s: s.broker.setcash(1e6)]})
    assert str(refused.value) == "setcash: the run has begun; add_cash(DOLLARS) deposits"


TWICE = pd.Series([0.01, 0.02], index=pd.to_datetime(["2019-06-03"] * 2))


@pytest.mark.parametrize(
    ("broker", "message"),
    [
        ({"cash": -5.0}, "cash: -5.0; dollars above 0 are right"),
        ({"cash": 0}, "cash: 0; dollars above 0 are right"),
        ({"cash": True}, "cash: True; dollars above 0 are right"),
        ({"cash": "abc"}, "cash: 'abc'; dollars above 0 are right"),
        ({"cash": float("nan")}, "cash: nan; dollars above 0 are right"),
        ({"account": "ibkr"}, "account: 'ibkr'; a mapping of keys such as 'profile' is right"),
        ({"intraday_test": "no"}, "intraday_test: 'no'; True or False is right"),
        ({"fill": "soon"}, "fill: 'soon'; one of next_close, next_open, same_close is right"),
        ({"funds": ["TQQQ"]}, "funds: ['TQQQ']; a mapping such as {'ACME': 1.0} is right"),
        ({"slots": "put"}, "slots: 'put'; names such as ('UPRO:put',) are right"),
        ({"slots": 5}, "slots: 5; names such as ('UPRO:put',) are right"),
        (
            {"rules_as_of": "2010-04-30"},
            "rules_as_of: '2010-04-30'; a date such as date(2010, 4, 30) is right",
        ),
        (
            {"benchmark_rate": "0.02"},
            "benchmark_rate: '0.02'; a fraction, or a series of them by date, is right",
        ),
        (
            {"benchmark_rate": None},
            "benchmark_rate: None; a fraction, or a series of them by date, is right",
        ),
        (
            {"benchmark_rate": TWICE},
            "benchmark_rate: a series of numbers by date, each date once, is right",
        ),
        (
            {"volatility": pd.Series([0.2])},
            "volatility: a series of numbers by date, each date once, is right",
        ),
    ],
)
def test_a_parameter_of_the_wrong_kind_is_refused_when_the_broker_is_made(
    broker: dict[str, Any], message: str
) -> None:
    with pytest.raises(LevsleeveError) as refused:
        MarginBroker(**broker)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("broker", "message"),
    [
        (
            {"funds": {"NOPE": 1.0}},
            "funds: no feed is named NOPE; cerebro.adddata(feed, name='NOPE') is right",
        ),
        (
            {"benchmark_rate": -2.0},
            "benchmark_rate: -2.0 on 2019-06-03; a fraction above -1 and below 1 on every session "
            "is right",
        ),
        (
            {"volatility": 20.0},
            "volatility: 20.0 on 2019-06-03; a fraction above 0 and below 5 on every session is "
            "right",
        ),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_as_the_run_begins(
    broker: dict[str, Any], message: str
) -> None:
    with pytest.raises(LevsleeveError) as refused:
        script({"UPRO": UPRO}, {}, **broker)
    assert str(refused.value) == message
