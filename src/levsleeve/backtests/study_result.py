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
    """Every sleeve of a study, and the runs that the study asks to see beside them.

    All mappings go by the sleeve's name, in the order of the study: ``other_rules`` ran under
    ``rules_beside``, ``other_volatility`` (those with options only) under ``volatility_beside``.
    """

    study: Study
    study_path: Path
    sleeves: Mapping[str, SleeveResult]
    other_rules: Mapping[str, SleeveResult]
    other_volatility: Mapping[str, SleeveResult]

    @property
    def benchmark(self) -> CoreMetrics:
        """The benchmark's total return over the study, without costs."""
        first = next(iter(self.sleeves.values()))
        return measure(first.benchmark_returns, first.bill_returns)

    def table(self) -> pd.DataFrame:
        """One column a sleeve, one row a figure; fractions are fractions, dollars are dollars.

        A row ``FIGURE@VARIANT`` follows the figure that a run beside states anew, or that would
        hold under the other value of ``hedge_relief``; sleeves without such a run or without
        options have NaN there.
        """
        columns = {name: _figures(result) for name, result in self.sleeves.items()}
        for name, result in self.sleeves.items():
            if result.slots:
                other = "after_expiry" if result.hedge_relief == "finra" else "with_relief"
                columns[name][f"peak_utilization@{other}"] = float(
                    result.margin[f"peak_utilization_{other}"]
                )
        beside = (
            (self.other_rules, str(self.study.rules_beside), ("peak_utilization", "margin_calls")),
            (self.other_volatility, str(self.study.volatility_beside), ("cagr", "hedge_net_usd")),
        )
        for runs, variant, figures in beside:
            for name, result in runs.items():
                stated = _figures(result)
                columns[name] |= {f"{figure}@{variant}": stated[figure] for figure in figures}
        for name, result in self.sleeves.items():
            if any((entry.external != 0.0).any() for entry in self.sleeves.values()):
                columns[name]["money_weighted_return"] = result.money_weighted_return
        table = pd.DataFrame(columns)
        base = next(iter(columns.values()))
        order = [
            row
            for figure in base
            if "@" not in figure
            for row in table.index
            if row.split("@")[0] == figure
        ]
        return table.reindex(order)


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
        "hedge_net_usd": float(result.hedging["net_usd"]),
        "ending_equity_usd": float(result.ledger["equity"].iloc[-1]),
    }
