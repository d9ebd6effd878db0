"""The runs of one study side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from levsleeve.backtests.metrics import CoreMetrics, measure
from levsleeve.backtests.result import SleeveResult
from levsleeve.backtests.study import Study


@dataclass(frozen=True)
class StudyResult:
    """Every sleeve of a study, and the same under the second rulebook where one is asked for.

    Both mappings go by the sleeve's name, in the order of the study.
    """

    study: Study
    study_path: Path
    sleeves: Mapping[str, SleeveResult]
    beside: Mapping[str, SleeveResult]

    @property
    def benchmark(self) -> CoreMetrics:
        """The benchmark's total return over the study, without costs."""
        first = next(iter(self.sleeves.values()))
        return measure(first.benchmark_returns, first.bill_returns)

    def table(self) -> pd.DataFrame:
        """One column a sleeve, one row a figure; fractions are fractions, dollars are dollars."""
        columns = {name: _figures(result) for name, result in self.sleeves.items()}
        table = pd.DataFrame(columns)
        for name, result in self.beside.items():
            for figure in ("peak_utilization", "margin_calls"):
                row = f"{figure}_rules_{result.rules_as_of}"
                table.loc[row, name] = float(result.margin[figure])
        return table


def _figures(result: SleeveResult) -> dict[str, float]:
    """The rows of the comparison."""
    metrics, margin = result.metrics, result.margin
    return {
        "cagr": metrics.cagr,
        "volatility": metrics.volatility,
        "sharpe": metrics.sharpe,
        "sharpe_geometric": metrics.sharpe_geometric,
        "max_drawdown": metrics.max_drawdown,
        "expected_shortfall": metrics.expected_shortfall,
        "peak_utilization": float(margin["peak_utilization"]),
        "mean_utilization": float(margin["mean_utilization"]),
        "sessions_below_10_percent_cushion": float(margin["sessions_below_10_percent_cushion"]),
        "margin_calls": float(margin["margin_calls"]),
        "funding_usd": result.funding["net_usd"],
        "trading_usd": result.funding["trading_usd"],
        "hedge_cost_usd": float(result.hedging["cost_usd"]),
        "hedge_payoff_usd": float(result.hedging["payoff_usd"]),
        "ending_equity_usd": float(result.ledger["equity"].iloc[-1]),
    }
