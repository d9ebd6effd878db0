"""Backtrader runs over prices as traded that split, and the history as a day's vendor shows it."""

from collections.abc import Callable, Mapping
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from levsleeve.backtests.restate import require_repeatable, restate_history

Splits = Mapping[int, float]
Build = Callable[[Any], Mapping[str, Any]]


def steady_prices(sessions: int, seed: int = 1, first: str = "2019-06-03") -> pd.DataFrame:
    """Random daily prices and volumes of a fund that never splits."""
    chance = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(chance.normal(0.0, 0.03, sessions)))
    open_ = close * np.exp(chance.normal(0.0, 0.01, sessions))
    return pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) * 1.01,
            "low": np.minimum(open_, close) * 0.99,
            "close": close,
            "volume": chance.integers(1_000, 9_000, sessions).astype(float),
        },
        index=pd.bdate_range(first, periods=sessions),
    )


def as_traded(prices: pd.DataFrame, splits: Splits) -> pd.DataFrame:
    """What a fund with these prices trades at if it splits: lower from each split on."""
    traded = prices.copy()
    for session, ratio in splits.items():
        traded.iloc[session:, :4] /= ratio
        traded.iloc[session:, 4] *= ratio
    return traded


def known_on(traded: pd.DataFrame, splits: Splits, session: int) -> pd.DataFrame:
    """The history up to a session in that session's shares."""
    known = traded.iloc[: session + 1].copy()
    for on, ratio in sorted(splits.items()):
        if on <= session:
            known.iloc[:on, :4] /= ratio
            known.iloc[:on, 4] *= ratio
    return known


class SplittingBroker(bt.brokers.BackBroker):
    """Backtrader's own broker, which restates the feeds that split; ``splits`` go by feed name."""

    params = (("splits", None),)

    def start(self) -> None:
        super().start()
        self.ahead = {(name, s): r for name, by in self.p.splits.items() for s, r in by.items()}
        self.started = False

    def next(self) -> None:
        if not self.started:
            self.started = True
            require_repeatable(self.cerebro)
        feeds = self.cerebro.datasbyname
        today = [key for key in self.ahead if len(feeds[key[0]]) - 1 == key[1]]
        if today:
            restate_history(self.cerebro, {feeds[key[0]]: self.ahead.pop(key) for key in today})
        super().next()


class Watcher(bt.Strategy):
    """Notes at each session what the lines show that ``build`` makes."""

    params = (("build", None),)

    def __init__(self) -> None:
        self.passes = 0
        self.watched = self.p.build(self)
        self.seen: list[dict[str, float]] = []

    def _once(self) -> None:
        self.passes += 1
        super()._once()

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        self.seen.append({n: line[0] if len(line) else np.nan for n, line in self.watched.items()})


def engine_over(
    feeds: Mapping[str, pd.DataFrame],
    splits: Mapping[str, Splits] | None = None,
    *,
    stdstats: bool = False,
) -> Any:
    """An engine with feeds of prices as traded, whose broker restates the given splits."""
    cerebro = bt.Cerebro(stdstats=stdstats)
    cerebro.setbroker(SplittingBroker(splits=splits or {}))
    for name, prices in feeds.items():
        cerebro.adddata(bt.feeds.PandasData(dataname=prices), name=name)
    return cerebro


def watch(
    feeds: Mapping[str, pd.DataFrame],
    build: Build,
    splits: Mapping[str, Splits] | None = None,
) -> pd.DataFrame:
    """What the lines of ``build`` show at each session of a run, one column a line."""
    cerebro = engine_over(feeds, splits)
    cerebro.addstrategy(Watcher, build=build)
    return pd.DataFrame(cerebro.run()[0].seen)
