"""The comparison of a study's sleeves: rows with labels and units, for a terminal and as JSON."""

import math
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from levsleeve.backtests.metrics import CoreMetrics
from levsleeve.backtests.result import SleeveResult, finite_or_none
from levsleeve.backtests.study_result import StudyResult

LABELS = {
    "cagr": ("CAGR", "percent"),
    "volatility": ("volatility a year", "percent"),
    "sharpe": ("Sharpe, arithmetic", "ratio"),
    "sharpe_geometric": ("Sharpe, geometric", "ratio"),
    "max_drawdown": ("max drawdown", "percent"),
    "expected_shortfall": ("expected shortfall 1 % a session", "percent"),
    "peak_utilization": ("peak margin utilization", "percent"),
    "mean_utilization": ("mean utilization while invested", "percent"),
    "sessions_below_10_percent_cushion": ("sessions below 10 % cushion", "count"),
    "margin_calls": ("margin calls", "count"),
    "funding_usd": ("interest, rebate, borrow fee", "dollars"),
    "trading_usd": ("commission, fees, spread, penalty", "dollars"),
    "hedge_cost_usd": ("hedge cost", "dollars"),
    "hedge_payoff_usd": ("hedge payoff", "dollars"),
    "hedge_net_usd": ("hedge, net", "dollars"),
    "ending_equity_usd": ("ending equity", "dollars"),
    "money_weighted_return": ("money-weighted return a year", "percent"),
}
"""Label and unit of every row; percent rows hold fractions."""

NOTES = (
    "Hypothetical performance: a back test on modelled funds. Option prices, fund prices, "
    "dividends and borrow fees are modelled; result.json and the tear sheets name the assumptions.",
    "Interest, rebate and borrow fee are the account's; what a fund pays for its own leverage is "
    "in its price. A cost is negative. Sharpe arithmetic: mean excess return over bills; "
    "geometric: (CAGR - CAGR of bills) / volatility. Hedge cost of puts: premium, half-spread and "
    "commission; of an inverse layer: its trading, its payoff being its signed price profit. The "
    "row above it counts the hedge's commission and spread too.",
    "QuantStats annualises by a whole number of sessions where we use calendar time; its figures "
    "stand beside ours, with the reason, at the foot of each tear sheet and in result.json.",
)


def shown(value: float, unit: str) -> str:
    """A figure as the table prints it; a dash where there is none."""
    formats = {
        "percent": f"{100.0 * value:,.2f} %",
        "count": f"{value:,.0f}",
        "dollars": f"{'-' if value < 0 else ''}${abs(value):,.0f}",
        "ratio": f"{value:.2f}",
    }
    return "-" if math.isnan(value) else formats[unit]


def label_of(figure: str) -> tuple[str, str]:
    """Label and unit of a row; a run beside is indented under the figure it states anew."""
    if figure in LABELS:
        return LABELS[figure]
    base, _, variant = figure.partition("@")
    words = {
        "session": "under each date's own rules",
        "with_relief": "with relief for hedged shares",
        "after_expiry": "without relief, as the options expire",
    }
    kind = f"puts by {variant}" if variant.startswith("vix") else f"under the rules of {variant}"
    return f"  {words.get(variant, kind)}", LABELS[base][1]


def headline(result: StudyResult) -> str:
    """One line that says what the comparison is of."""
    study = result.study
    rules = "each session's own" if study.rules_as_of == "session" else f"of {study.rules_as_of}"
    first, last = result.benchmark.first_session, result.benchmark.last_session
    line = f"{study.title or study.name} | {first} to {last} | margin rules {rules}"
    if any(sleeve.margin_mode == "portfolio" for sleeve in result.sleeves.values()):
        return f"{line} | coarse portfolio margin"
    return line


def driven(result: StudyResult) -> str:
    """Which driver ran which sleeve, and what both agreed on."""
    by_driver: dict[str, list[SleeveResult]] = {}
    for sleeve in result.sleeves.values():
        by_driver.setdefault(sleeve.driver, []).append(sleeve)
    told = []
    for driver, sleeves in by_driver.items():
        names = ", ".join(sleeve.name for sleeve in sleeves)
        if driver == "both":
            sessions = sum(len(sleeve.ledger) for sleeve in sleeves)
            events = sum(len(sleeve.events) for sleeve in sleeves)
            told.append(
                f"kernel and Backtrader agree in every bit on {names} "
                f"({sessions:,} sessions, {events:,} events)"
            )
        elif driver == "kernel":
            told.append(f"run by the kernel: {names}")
        else:
            told.append(
                "a strategy of its own, or a sizing rule that sees the account, runs through "
                f"Backtrader only: {names}"
            )
    return "; ".join(told)


def policy_lines(result: StudyResult) -> list[str]:
    """Of each sleeve with rules: its leveraged weight against the cap, and what acted."""
    return [
        f"{name}: {_policy_words(run.policy)}"
        for name, run in result.sleeves.items()
        if run.policy is not None and run.sleeve is not None and run.sleeve.has_rules
    ]


def _policy_words(policy: dict[str, Any]) -> str:
    """One sleeve's policy in a line."""
    words = [
        f"leveraged weight at most {policy['peak_leveraged_weight']:.1%} at a close "
        f"(cap {policy['cap']:.1%} at decisions, above it on {policy['sessions_above_cap']:,} "
        "sessions)"
    ]
    counted = {
        "stop-flight warnings": policy["warnings"],
        "cuts": policy["cuts"],
        "sales": policy["sales"],
        "exits": policy["exits"],
        "re-entries": policy["re_entries"],
        "trims to the cap": policy["cap_trims"],
    }
    words += [f"{count:,} {what}" for what, count in counted.items() if count]
    return ", ".join(words)


def comparison_tables(result: StudyResult, width: int) -> list[Table]:
    """The comparison for a terminal of ``width`` columns: one column a sleeve, the benchmark last.

    Where they do not all fit side by side, as many as do stand in each of several tables.
    """
    columns = _columns(result)
    labels, *sleeves = columns
    tables: list[Table] = []
    page: list[list[str]] = [labels]
    for column in sleeves:
        if len(page) > 1 and _width([*page, column]) > width:
            tables.append(_table(page))
            page = [labels]
        page.append(column)
    return [*tables, _table(page)]


def _columns(result: StudyResult) -> list[list[str]]:
    """The cells of every column, its heading first; the labels are the first column."""
    study, table = result.study, result.table()
    rows = [label_of(str(figure)) for figure in table.index]
    benchmark = _benchmark_figures(result.benchmark)
    columns = [["", *(label for label, _ in rows)]]
    for name, sleeve in result.sleeves.items():
        cells = zip(table[name], rows, strict=True)
        ended = " (wiped)" if sleeve.wiped else " (closed out)" if sleeve.closed_out else ""
        heading = f"{name}{ended}"
        columns.append([heading, *(shown(float(value), unit) for value, (_, unit) in cells)])
    known = [benchmark.get(str(figure), math.nan) for figure in table.index]
    cells = zip(known, rows, strict=True)
    columns.append([f"{study.benchmark} TR", *(shown(value, unit) for value, (_, unit) in cells)])
    return columns


def _width(columns: Sequence[Sequence[str]]) -> int:
    """Characters that a table of these columns takes, three between two columns."""
    between = 3
    return sum(max(map(len, column)) + between for column in columns)


def _table(columns: Sequence[Sequence[str]]) -> Table:
    """A table without frame; figures flush right, never wrapped."""
    page = Table(box=SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        page.add_column(column[0], justify="left" if i == 0 else "right", no_wrap=True)
    for row in zip(*(column[1:] for column in columns), strict=True):
        page.add_row(*row)
    return page


def comparison_dict(result: StudyResult) -> dict[str, Any]:
    """The comparison as JSON: figures by sleeve, units, benchmark, notes."""
    study, table = result.study, result.table()
    return {
        "schema": 1,
        "study": study.name,
        "title": study.title or study.name,
        "start": result.benchmark.first_session.isoformat(),
        "end": result.benchmark.last_session.isoformat(),
        "rules_as_of": str(study.rules_as_of),
        "rules_beside": str(study.rules_beside) if study.rules_beside is not None else None,
        "volatility_model": study.volatility_model,
        "volatility_beside": study.volatility_beside,
        "units": {
            str(figure): label_of(str(figure))[1].replace("percent", "fraction")
            for figure in table.index
        },
        "sleeves": {
            name: finite_or_none({str(key): float(value) for key, value in column.items()})
            for name, column in table.items()
        },
        "wiped": {name: sleeve.wiped for name, sleeve in result.sleeves.items()},
        "closed_out": {name: sleeve.closed_out for name, sleeve in result.sleeves.items()},
        "benchmark": {"symbol": study.benchmark, **result.benchmark.as_dict()},
        "notes": list(NOTES),
    }


def _benchmark_figures(core: CoreMetrics) -> dict[str, float]:
    """The rows that a benchmark has too."""
    names = (
        "cagr",
        "volatility",
        "sharpe",
        "sharpe_geometric",
        "max_drawdown",
        "expected_shortfall",
    )
    return {name: float(getattr(core, name)) for name in names}
