"""The common task as other engines are asked to do it, each in the fastest way that it offers.

What is built once for many runs, such as frames of prices, is built before the clock starts.
Each function imports its engine itself: none of them is needed by the library.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.common_task import (
    CASH_USD,
    COST_RATE,
    SHARE_PARTS,
    Task,
    Trade,
    any_fraction,
    cost_inside,
    ten_thousandths,
)

from levsleeve.compiled import Floats

Run = Callable[[], Floats]
"""Ending dollars of each configuration."""


@dataclass(frozen=True)
class Peer:
    """An engine: what it is called, what installs it, how it trades, how it is asked to run.

    ``most_funds`` is how many it holds in one account.  ``run`` takes the task and the weights,
    shape (n_configurations, n_funds); where it is not ``many`` there is one configuration.
    """

    name: str
    package: str
    trade: Trade
    run: Callable[[Task, Floats], Run]
    many: bool = False
    most_funds: int = 1_000

    @property
    def version(self) -> str | None:
        """The version that is installed, if any."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


def vectorbt_by(engine: str) -> Callable[[Task, Floats], Run]:
    """``Portfolio.from_orders`` by target percent, all configurations in one broadcast."""

    def prepared(task: Task, weights: Floats) -> Run:
        import vectorbt

        number, funds = weights.shape
        closes = task.closes.to_numpy()
        groups = np.repeat(np.arange(number), funds)
        frame = pd.DataFrame(np.tile(closes, (1, number)), index=task.closes.index)
        due = task.due[:, None]
        targets = (
            weights.reshape(1, -1) if due.all() else np.where(due, weights.reshape(1, -1), np.nan)
        )

        def run() -> Floats:
            portfolio = vectorbt.Portfolio.from_orders(
                frame,
                size=targets,
                size_type="targetpercent",
                fees=COST_RATE,
                init_cash=CASH_USD,
                cash_sharing=True,
                group_by=groups,
                freq="1D",
                engine=engine,
            )
            return np.atleast_1d(np.asarray(portfolio.final_value()))

        return run

    return prepared


def backtesting_py(task: Task, weights: Floats) -> Run:
    """A strategy of its own class that buys and sells the difference to the target.

    It neither decides on the first session nor fills what the last one decides, so that its
    prices have the first and the last session twice.
    """
    from backtesting import Strategy
    from backtesting.lib import FractionalBacktest

    closes = task.closes.iloc[:, 0]
    padded = np.concatenate([closes.iloc[:1], closes, closes.iloc[-1:]])
    day = pd.Timedelta(days=1)
    index = pd.DatetimeIndex([closes.index[0] - day, *closes.index, closes.index[-1] + day])
    bars = dict.fromkeys(("Open", "High", "Low", "Close"), padded) | {"Volume": 0.0}
    due = [False, *task.due.tolist(), False]
    ((weight,),) = weights.tolist()

    class Targets(Strategy):
        def init(self) -> None:
            """Nothing is computed ahead."""

        def next(self) -> None:
            """Order the difference to the target."""
            if not due[len(self.data) - 1]:
                return
            units = int(weight * self.equity / self.data.Close[-1]) - self.position.size
            if units > 0:
                self.buy(size=units)
            elif units < 0:
                self.sell(size=-units)

    def run() -> Floats:
        test = FractionalBacktest(
            pd.DataFrame(bars, index=index),
            Targets,
            cash=CASH_USD,
            commission=COST_RATE,
            trade_on_close=True,
            fractional_unit=1.0 / SHARE_PARTS,
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Some trades remain open")  # as in every other engine
            return np.array([test.run()["Equity Final [$]"]])

    return run


def bt(task: Task, weights: Floats) -> Run:
    """Specified weights and a rebalance, without algos that it does not need."""
    import bt as engine

    dates = {*task.closes.index[task.due]}
    targets = dict(zip(task.closes.columns, weights[0].tolist(), strict=True))

    def is_due(target: Any) -> bool:  # noqa: ANN401  (bt has no types)
        return target.now in dates

    def cost(quantity: float, price: float) -> float:
        return abs(quantity) * price * COST_RATE

    def run() -> Floats:
        algos = [is_due, engine.algos.WeighSpecified(**targets), engine.algos.Rebalance()]
        test = engine.Backtest(
            engine.Strategy("weights", algos),
            task.closes,
            initial_capital=CASH_USD,
            commissions=cost,
            integer_positions=False,
            progress_bar=False,
        )
        test.run()
        return np.array([test.strategy.value])

    return run


PEERS = (
    Peer("vectorbt, numba", "vectorbt", any_fraction, vectorbt_by("numba"), many=True),
    Peer("vectorbt, rust", "vectorbt-rust", any_fraction, vectorbt_by("rust"), many=True),
    Peer("bt", "bt", cost_inside, bt),
    Peer("backtesting.py", "backtesting", ten_thousandths, backtesting_py, most_funds=1),
)
