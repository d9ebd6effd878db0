"""Splits under Backtrader strategies: signals go by the history in the shares of the day."""

from collections.abc import Mapping
from typing import Any

import backtrader as bt
import pandas as pd
import pytest
from tests.unit.backtests.split_runs import (
    Build,
    Watcher,
    as_traded,
    engine_over,
    known_on,
    steady_prices,
    watch,
)

from levsleeve.errors import StudyError

SESSIONS = 90
SPLITS = {45: 3.0, 46: 0.25, 70: 1.5}
FUND = as_traded(steady_prices(SESSIONS), SPLITS)
OTHER = steady_prices(SESSIONS, seed=2)


class NextOnly(bt.Indicator):
    """A slow average that has ``next`` alone."""

    lines: Any = ("slow",)

    def nextstart(self) -> None:
        self.lines.slow[0] = self.data[0]

    def next(self) -> None:
        self.lines.slow[0] = 0.9 * self.lines.slow[-1] + 0.1 * self.data[0]


class Above(bt.Indicator):
    """How far the price is above its average, by ``next`` alone."""

    lines: Any = ("above",)

    def __init__(self) -> None:
        self.average = bt.ind.EMA(self.data, period=4)

    def next(self) -> None:
        self.lines.above[0] = self.data[0] / self.average[0] - 1.0


class RunningHigh(bt.Indicator):
    """The highest price so far, kept where a second computation finds it."""

    lines: Any = ("high",)

    def __init__(self) -> None:
        self.highest = 0.0

    def next(self) -> None:
        self.highest = max(self.highest, self.data[0])
        self.lines.high[0] = self.highest


def named(lines: Any) -> dict[str, Any]:
    return dict(zip(lines.getlinealiases(), lines, strict=True))


INDICATORS: dict[str, Build] = {
    "SMA": lambda s: {"sma": bt.ind.SMA(s.data, period=5)},
    "EMA": lambda s: {"ema": bt.ind.EMA(s.data, period=5)},
    "RSI": lambda s: {"rsi": bt.ind.RSI(s.data, period=7)},
    "MACD": lambda s: named(bt.ind.MACD(s.data, period_me1=3, period_me2=6, period_signal=4).lines),
    "CrossOver": lambda s: {"cross": bt.ind.CrossOver(s.data, bt.ind.SMA(s.data, period=5))},
    "BollingerBands": lambda s: named(bt.ind.BollingerBands(s.data, period=5).lines),
    "ATR": lambda s: {"atr": bt.ind.ATR(s.data, period=5)},
    "ParabolicSAR": lambda s: {"sar": bt.ind.PSAR(s.data)},
    "next alone": lambda s: {"slow": NextOnly(s.data)},
    "next alone over a line": lambda s: {"slow": NextOnly(s.data.close)},
    "next alone with an indicator inside": lambda _: {"above": Above()},
    "line operation": lambda s: {"gap": s.data.close - bt.ind.SMA(s.data, period=5)},
    "yesterday's close": lambda s: {"last": s.data.close(-1)},
    "SMA of EMA": lambda s: {"nested": bt.ind.SMA(bt.ind.EMA(s.data, period=4), period=4)},
    "constant first": lambda s: {"floor": bt.Max(0.0, s.data.close - s.data.close(-1))},
    "dollar volume": lambda s: {"turnover": bt.ind.SMA(s.data.close * s.data.volume, period=5)},
}


@pytest.mark.parametrize("build", INDICATORS.values(), ids=INDICATORS)
def test_at_each_session_an_indicator_is_that_of_a_run_over_the_history_then_known(
    build: Build,
) -> None:
    seen = watch({"FUND": FUND}, build, {"FUND": SPLITS})
    for session in (30, 44, 45, 46, 47, 50, 69, 70, 71, 89):
        known = watch({"FUND": known_on(FUND, SPLITS, session)}, build)
        assert seen.iloc[session].to_dict() == known.iloc[-1].to_dict()  # in every bit


def test_averages_are_those_of_pandas_over_the_history_then_known() -> None:
    seen = watch(
        {"FUND": FUND},
        lambda s: {"sma": bt.ind.SMA(s.data, period=5), "ema": bt.ind.EMA(s.data, period=5)},
        {"FUND": SPLITS},
    )
    for session in range(4, SESSIONS):
        closes = known_on(FUND, SPLITS, session)["close"]
        seeded = closes.iloc[4:].copy()  # Backtrader starts an EMA from the first average
        seeded.iloc[0] = closes.iloc[:5].mean()
        ema = seeded.ewm(span=5, adjust=False).mean().iloc[-1]
        sma = closes.rolling(5).mean().iloc[-1]
        assert seen["sma"][session] == pytest.approx(sma, rel=1e-12)
        assert seen["ema"][session] == pytest.approx(ema, rel=1e-12)


RISING = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]


@pytest.mark.parametrize(("splits", "crosses"), [({}, [-1.0]), ({"FUND": {5: 2.0}}, [])])
def test_a_2_for_1_split_of_a_rising_fund_crosses_its_average_only_where_it_is_not_restated(
    splits: dict[str, dict[int, float]], crosses: list[float]
) -> None:
    rising = pd.DataFrame(
        dict.fromkeys(["open", "high", "low", "close", "volume"], RISING),
        index=pd.bdate_range("2019-06-03", periods=7),
    )
    seen = watch({"FUND": as_traded(rising, {5: 2.0})}, INDICATORS["CrossOver"], splits)
    # The closes are 10 ... 14, then 7.5 and 8 against averages of 10 and more.
    assert [cross for cross in seen["cross"].dropna() if cross] == crosses


PAST = pd.DataFrame(
    {
        "open": [88.0, 90.0, 46.0, 47.0],
        "high": [94.0, 96.0, 48.0, 49.0],
        "low": [86.0, 88.0, 44.0, 45.0],
        "close": [90.0, 92.0, 47.0, 46.0],
        "volume": [100.0, 200.0, 500.0, 600.0],
    },
    index=pd.bdate_range("2019-06-03", periods=4),
)
"""A fund that splits 2:1 on its third session."""


class Diary(bt.Strategy):
    """Notes what a strategy sees of the past."""

    params = (("build", None),)

    def __init__(self) -> None:
        self.watched = self.p.build(self)
        self.pages: list[Mapping[str, Any]] = []

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        fund, n = self.data, len(self.data)
        self.pages.append(
            {
                "past": {k: list(getattr(fund, k).get(size=n)) for k in PAST.columns.astype(str)},
                "length": n,
                "own length": len(self),
                "dates": [fund.datetime.date(-ago) for ago in range(n)],
                "own date": self.datetime.date(0),
                "last tick": fund.tick_close,
            }
        )


@pytest.mark.parametrize(
    "build",
    [lambda _: {}, lambda s: {"slow": NextOnly(s.data)}, lambda _: {"sma": bt.ind.SMA(period=2)}],
    ids=["no indicator", "next alone", "average"],
)
def test_on_the_day_of_a_split_a_strategy_sees_the_past_in_new_shares_and_the_day_as_traded(
    build: Build,
) -> None:
    cerebro = engine_over({"FUND": PAST}, {"FUND": {2: 2.0}})
    cerebro.addstrategy(Diary, build=build)
    pages = cerebro.run()[0].pages
    assert pages[1]["past"]["close"] == [90.0, 92.0]
    assert pages[2]["past"] == {
        "open": [44.0, 45.0, 46.0],
        "high": [47.0, 48.0, 48.0],
        "low": [43.0, 44.0, 44.0],
        "close": [45.0, 46.0, 47.0],
        "volume": [200.0, 400.0, 500.0],
    }
    assert pages[3]["past"]["close"] == [45.0, 46.0, 47.0, 46.0]
    dates = [stamp.date() for stamp in PAST.index]
    for n, page in enumerate(pages, start=1):
        assert (page["length"], page["own length"], page["own date"]) == (n, n, dates[n - 1])
        assert page["dates"] == dates[n - 1 :: -1]
    assert [page["last tick"] for page in pages[:3]] == [90.0, 92.0, 47.0]


def of_both(strategy: Any) -> dict[str, Any]:
    """Indicators of a feed, of another one, and of the two together."""
    fund, other = strategy.datas
    return {
        "fund": bt.ind.SMA(fund, period=5),
        "fund cross": bt.ind.CrossOver(fund, bt.ind.EMA(fund, period=5)),
        "other": bt.ind.SMA(other, period=5),
        "other rsi": bt.ind.RSI(other, period=5),
        "other next": NextOnly(other),
        "other cross": bt.ind.CrossOver(other, bt.ind.EMA(other, period=5)),
    }


@pytest.mark.parametrize(
    "other",
    [OTHER, OTHER.iloc[20:], OTHER.drop(OTHER.index[[5, 44, 45, 60]]), OTHER.iloc[:80]],
    ids=["same sessions", "starts later", "other holidays", "ends earlier"],
)
def test_the_split_of_one_fund_leaves_the_signals_of_another_in_every_bit(
    other: pd.DataFrame,
) -> None:
    split = watch({"FUND": FUND, "OTHER": other}, of_both, {"FUND": SPLITS})
    unsplit = watch({"FUND": steady_prices(SESSIONS), "OTHER": other}, of_both)
    columns = ["other", "other rsi", "other next", "other cross"]
    pd.testing.assert_frame_equal(split[columns], unsplit[columns], check_exact=True)
    pd.testing.assert_series_equal(split["fund cross"], unsplit["fund cross"], check_exact=True)


def test_a_ratio_of_two_funds_goes_by_the_shares_of_the_day_whichever_splits() -> None:
    both = {"FUND": FUND, "OTHER": as_traded(OTHER, {46: 0.2, 60: 4.0})}
    splits = {"FUND": SPLITS, "OTHER": {46: 0.2, 60: 4.0}}  # both on session 46

    def ratio(strategy: Any) -> dict[str, Any]:
        quotient = strategy.data1.close / strategy.data0.close
        return {"average": bt.ind.SMA(quotient, period=5), "slow": NextOnly(quotient)}

    seen = watch(both, ratio, splits)
    for session in (44, 45, 46, 47, 60, 70, 89):
        known = {name: known_on(both[name], splits[name], session) for name in both}
        assert seen.iloc[session].to_dict() == watch(known, ratio).iloc[-1].to_dict()


class LastClose(bt.Observer):
    """Records the close."""

    lines: Any = ("seen",)

    def next(self) -> None:
        self.lines.seen[0] = self.data.close[0]


def test_observers_keep_what_they_recorded() -> None:
    cerebro = engine_over({"FUND": FUND}, {"FUND": SPLITS}, stdstats=True)
    cerebro.addobserver(LastClose)
    cerebro.addstrategy(Watcher, build=INDICATORS["SMA"])
    strategy = cerebro.run()[0]
    assert list(strategy.stats.lastclose.seen.get(size=SESSIONS)) == list(FUND["close"])
    assert list(strategy.stats.broker.value.get(size=SESSIONS)) == [10_000.0] * SESSIONS


def test_each_of_several_strategies_gets_its_indicators_restated() -> None:
    cerebro = engine_over({"FUND": FUND}, {"FUND": SPLITS})
    cerebro.addstrategy(Watcher, build=lambda _: {})
    cerebro.addstrategy(Watcher, build=INDICATORS["SMA"])
    cerebro.addstrategy(Watcher, build=INDICATORS["next alone"])
    _, averages, slow = cerebro.run()
    alone = watch({"FUND": FUND}, INDICATORS["SMA"], {"FUND": SPLITS})
    pd.testing.assert_frame_equal(pd.DataFrame(averages.seen), alone, check_exact=True)
    alone = watch({"FUND": FUND}, INDICATORS["next alone"], {"FUND": SPLITS})
    pd.testing.assert_frame_equal(pd.DataFrame(slow.seen), alone, check_exact=True)


@pytest.mark.parametrize(("build", "passes"), [(lambda _: {}, 1), (INDICATORS["SMA"], 1 + 1 + 3)])
def test_indicators_are_computed_again_once_to_check_and_at_each_split_if_there_are_any(
    build: Build, passes: int
) -> None:
    cerebro = engine_over({"FUND": FUND}, {"FUND": SPLITS})
    cerebro.addstrategy(Watcher, build=build)
    assert cerebro.run()[0].passes == passes


@pytest.mark.parametrize("how", [{"runonce": False}, {"preload": False}, {"exactbars": 1}])
def test_indicators_are_refused_at_a_split_where_they_were_not_computed_at_once(
    how: dict[str, Any],
) -> None:
    cerebro = engine_over({"FUND": FUND}, {"FUND": {45: 1.5}})
    cerebro.addstrategy(Watcher, build=INDICATORS["SMA"])
    with pytest.raises(StudyError) as refused:
        cerebro.run(**how)
    assert str(refused.value) == (
        "cerebro: FUND splits 3:2 on 2019-08-05, and without runonce and preload indicators cannot "
        "be restated; cerebro.run() as it is by default, with no resampled feed and no indicator "
        "that forbids runonce, is right"
    )


@pytest.mark.parametrize("how", [{"runonce": False}, {"preload": False}])
def test_without_indicators_the_past_is_restated_in_any_run(how: dict[str, Any]) -> None:
    cerebro = engine_over({"FUND": PAST}, {"FUND": {2: 2.0}})
    cerebro.addstrategy(Diary, build=lambda _: {})
    pages = cerebro.run(**how)[0].pages
    assert pages[3]["past"]["close"] == [45.0, 46.0, 47.0, 46.0]


def test_an_indicator_that_gives_other_values_the_second_time_is_refused_at_the_start() -> None:
    cerebro = engine_over({"FUND": FUND}, {"FUND": SPLITS})
    cerebro.addstrategy(Watcher, build=lambda _: {"sma": bt.ind.SMA(RunningHigh(), period=5)})
    with pytest.raises(StudyError) as refused:
        cerebro.run()
    assert str(refused.value) == (
        "RunningHigh: computed a second time over the same prices it gives other values, so that "
        "no split can be restated; an indicator that keeps what it needs in its lines is right"
    )
    assert len(cerebro.runningstrats[0]) == 0
