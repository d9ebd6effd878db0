"""Many sleeves of one market summed up, a compiled loop over them on each core."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from os import cpu_count
from typing import NamedTuple

import numpy as np
import pandas as pd

from levsleeve.backtests.compiled_driver import NO_ROWS, NOTHING, refuse_asked, ways_of
from levsleeve.backtests.kernel import Record, Ways, live
from levsleeve.backtests.market import Market
from levsleeve.backtests.memory import clear_memory, no_memory
from levsleeve.backtests.metrics import DAYS_PER_YEAR, TAIL, WHOLE
from levsleeve.backtests.plan import Plan
from levsleeve.backtests.planning import Planner
from levsleeve.backtests.sleeve_market import Setting
from levsleeve.backtests.state import Account, Terms, begin_account, new_account
from levsleeve.backtests.tally import COUNTS, N_COUNTS, begin_counts, end_counts
from levsleeve.backtests.tape import Tape
from levsleeve.backtests.waiting import clear_orders, no_orders
from levsleeve.compiled import Floats, array_rule, rule
from levsleeve.errors import LedgerError, StudyError
from levsleeve.strategies.sleeve import Sleeve

FIGURES = ("growth", "mean", "deviation", "max_drawdown", "expected_shortfall", "worst", "best")
GROWTH, MEAN, DEVIATION, DRAWDOWN, SHORTFALL, WORST, BEST = range(7)
"""Columns of what the returns of a run are summed up in: the value of a dollar at the end, mean and
deviation (ddof 1) of a session, and the metrics of the same names."""


class Totals(NamedTuple):
    """What runs are summed up in, a row each: columns ``tally.COUNTS`` and ``FIGURES``.

    ``none`` and ``nothing`` stand for the ledger and its events, which are not kept.
    """

    counts: Floats
    figures: Floats
    none: Floats = NO_ROWS
    nothing: Floats = NOTHING

    def rows(self, first: int, last: int) -> "Totals":
        """Some of the rows."""
        return self._replace(counts=self.counts[first:last], figures=self.figures[first:last])


class Runs(NamedTuple):
    """What runs of one plan differ in: ``numbers`` and base ``weights`` of it, ``cash`` in dollars.

    ``weights`` (n_runs, 1, n_funds) has one run where an allocation moves the weights of all.
    """

    numbers: Floats
    weights: Floats
    cash: Floats


@rule
def live_many(
    account: Account,
    orders: Floats,
    memory: Floats,
    tape: Tape,
    terms: Terms,
    plan: Plan,
    runs: Runs,
    ways: Ways,
    returns: Floats,
    totals: Totals,
) -> None:
    """Live the runs one after the other in one account, and sum each of them up."""
    for c in range(runs.cash.size):
        begin_account(account, runs.cash[c])
        clear_orders(orders)
        clear_memory(memory)
        begin_counts(totals.counts[c])
        weights = runs.weights[min(c, runs.weights.shape[0] - 1)]
        own = Plan(
            runs.numbers[c], plan.funds, plan.course, plan.branches, weights, plan.rates,
            plan.covariances, plan.expiries,
        )  # fmt: skip
        out = Record(totals.none, totals.nothing, totals.counts[c], returns)
        lived = live(account, orders, memory, tape, terms, own, ways, out)
        end_counts(totals.counts[c], account)
        sum_up(totals.figures[c], returns, lived)


@rule
def sum_up(figures: Floats, returns: Floats, lived: int) -> None:
    """Sum up the returns of a run; the first row is no observation."""
    growth, peak, deepest = 1.0, 1.0, 0.0
    total, worst, best = 0.0, math.inf, -math.inf
    for t in range(1, lived):
        growth *= 1.0 + returns[t]
        peak = max(peak, growth)
        deepest = min(deepest, growth / peak - 1.0)
        total += returns[t]
        worst, best = min(worst, returns[t]), max(best, returns[t])
    mean, squares = total / (lived - 1.0), 0.0
    for t in range(1, lived):
        squares += (returns[t] - mean) * (returns[t] - mean)
    figures[GROWTH], figures[MEAN], figures[DRAWDOWN] = growth, mean, deepest
    figures[DEVIATION] = math.sqrt(squares / (lived - 2.0)) if worst < best else 0.0
    figures[WORST], figures[BEST] = worst, best
    figures[SHORTFALL] = _tail_mean(returns, lived)


@array_rule
def _tail_mean(returns: Floats, lived: int) -> float:
    """Mean of the worst hundredth of the returns."""
    worst = np.full(math.ceil(TAIL * (lived - 1.0) - WHOLE), math.inf)  # in rising order
    for t in range(1, lived):
        if returns[t] < worst[-1]:
            place = worst.size - 1
            while place > 0 and worst[place - 1] > returns[t]:
                worst[place] = worst[place - 1]
                place -= 1
            worst[place] = returns[t]
    return float(np.mean(worst))


def summaries(
    setting: Setting,
    sleeves: Sequence[Sleeve],
    cash_usd: Sequence[float] | None = None,
    workers: int | None = None,
) -> pd.DataFrame:
    """Run sleeves of the same funds and slots; one row each, in order.

    Parameters
    ----------
    cash_usd
        What each run begins with; None: the account's cash.
    workers
        Threads to run on; None: one a core.  The rows do not depend on it.

    Returns
    -------
    pd.DataFrame
        The counts of a run under the names that its ``result.json`` knows, ``flow:CAUSE`` and
        ``events:KIND`` as sums over the run, and its metrics.

    Raises
    ------
    LedgerError
        If a run has a session that does not add up, or more events than the buffer holds.
    StudyError
        If the sleeves are not of the market's funds.
    """
    market = setting.market
    _refuse_other_funds(setting, sleeves)
    cash = [setting.account.cash_usd] * len(sleeves) if cash_usd is None else list(cash_usd)
    totals = Totals(np.zeros((len(sleeves), N_COUNTS)), np.zeros((len(sleeves), len(FIGURES))))
    n_funds, n_slots, planner = len(market.funds), len(sleeves[0].slots), Planner(market)

    def work(numbers: range) -> None:
        account = new_account(setting.account.cash_usd, n_funds, n_slots)
        orders, memory = no_orders(n_funds, n_slots), no_memory(n_funds)
        returns, ways = np.zeros(len(market.sessions)), ways_of(setting, keeps=False)
        plans = [planner.plan(sleeves[number]) for number in numbers]
        for _, alike in groupby(zip(numbers, plans, strict=True), lambda pair: id(pair[1].course)):
            first, plan = (pairs := list(alike))[0]
            own = totals.rows(first, first + len(pairs))
            runs = _runs_of([plan for _, plan in pairs], cash[first : first + len(pairs)])
            live_many(
                account, orders, memory, market.tape, setting.terms, plan, runs, ways, returns, own
            )

    threads = workers or cpu_count() or 1
    parts = [
        range(first, min(first + CHUNK, len(sleeves))) for first in range(0, len(sleeves), CHUNK)
    ]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, parts))
    return _frame_of(totals, market)


CHUNK = 64
"""Runs that a thread takes at a time."""


def _runs_of(plans: Sequence[Plan], cash_usd: Sequence[float]) -> Runs:
    """What runs of plans with one course differ in."""
    weights = np.array([plan.weights for plan in plans if len(plan.weights) == 1])
    return Runs(
        numbers=np.array([plan.numbers for plan in plans]),
        weights=weights if len(weights) else plans[0].weights[None],
        cash=np.array(cash_usd, dtype=np.float64),
    )


def _refuse_other_funds(setting: Setting, sleeves: Sequence[Sleeve]) -> None:
    """Every sleeve must trade what the market has."""
    symbols = setting.market.symbols
    for sleeve in sleeves:
        refuse_asked(sleeve)
        if set(sleeve.funds) != set(symbols) or len(sleeve.slots) != len(sleeves[0].slots):
            raise StudyError(
                f"sleeves: one holds {', '.join((*sleeve.funds, *sleeve.slots))}; the funds "
                f"{', '.join(symbols)} and as many option slots as the others are right"
            )


def _frame_of(totals: Totals, market: Market) -> pd.DataFrame:
    """The table of what the runs were summed up in."""
    table = dict(zip(COUNTS, totals.counts.T, strict=True))
    table |= dict(zip(FIGURES, totals.figures.T, strict=True))
    broken = np.flatnonzero((table.pop("gaps") > 0.0) | (table.pop("lost_events") > 0.0))
    if len(broken):
        raise LedgerError(
            f"run {broken[0]}: its flows do not explain its equity, or a session has more events "
            "than the buffer holds; its whole ledger says where"
        )
    lived = table["sessions"].astype(int)
    dates, bills = market.tape.dates, np.cumsum(market.bill_returns.to_numpy())
    years = (dates[lived - 1] - dates[0]) / DAYS_PER_YEAR
    a_year = (lived - 1) / years
    volatility = table.pop("deviation") * np.sqrt(a_year)
    excess = table.pop("mean") - (bills[lived - 1] - bills[0]) / (lived - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        sharpe = np.where(volatility > 0.0, excess * a_year / volatility, np.nan)
        used = table.pop("utilization_sum") / np.maximum(table.pop("held_sessions"), 1.0)
    growth = table.pop("growth")
    table |= {
        "mean_utilization": used,
        "total_return": growth - 1.0,
        "cagr": growth ** (1.0 / years) - 1.0,
        "volatility": volatility,
        "sharpe": sharpe,
    }
    return pd.DataFrame(table)
