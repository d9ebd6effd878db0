"""Where QuantStats 0.0.86 and our own figures part, and why, in words and in tables."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from levsleeve.backtests.metrics import CoreMetrics

_TOLERANCE = 1e-9  # relative: rounding of different orders of summation stays far below it

_REASONS = {
    "cagr": "QuantStats counts rows, the starting one included, as so many to a year; ours is "
    "calendar time, 365.25 days a year",
    "volatility": "QuantStats counts the starting row as a return of zero and a whole number of "
    "sessions a year; ours leaves that row out and counts the sessions of the series",
    "sharpe": "QuantStats is given a risk-free rate of zero and counts the starting row; ours is "
    "the mean excess over bills",
    "expected_shortfall": "QuantStats averages what lies at or below an interpolated quantile, "
    "starting row included; ours the worst 1 % of returns, rounded up",
}
_NO_REASON = "no reason is known: please report it"

# Label on the page of QuantStats -> what the reader must know.
CAUTIONS = {
    "Time in Market": "counts sessions whose return is not zero: interest on idle cash counts.",
    "CAGR": "counts rows, not calendar time: see the checked figures.",
    "Max DD Period Start": "is the first session below the peak, not the peak.",
    "Max DD Period End": "is the last session below the peak, or of the series.",
    "Recovered": "is the last session below the peak, or of the series.",
    "Recovery Factor": "divides the size of the summed returns by the drawdown: it is positive "
    "even for a sleeve that lost money.",
    "Treynor Ratio": "is the whole return over beta, not a return a year.",
    "Kelly Criterion": "is the formula for bets at fixed odds: no advice on leverage.",
    "Risk of Ruin": "knows wins and losses only, not margin: it is no probability of a call.",
    "Daily Value-at-Risk": "assumes a normal distribution, at 95 %.",
    "Expected Shortfall (cVaR)": "assumes a normal distribution, at 95 %; the checked figure is "
    "historical, at 99 %.",
    "Profit Factor": "is zero where no session lost, which is not the worst but the best case.",
    "3Y (ann.)": "covers 35 months, or the whole of a shorter series.",
    "5Y (ann.)": "covers 59 months, or the whole of a shorter series.",
    "10Y (ann.)": "covers 119 months, or the whole of a shorter series.",
    "Multiplier": "is a ratio of two returns: without meaning where the benchmark is near zero.",
}
PANEL_CAUTIONS = (
    "Rolling beta is drawn at zero until its window is full.",
    "Return quantiles leave out weeks, months, quarters and years that do not end on a session.",
    "Monthly returns show months outside the series as 0.00.",
    "Axes of QuantStats cut percentages instead of rounding them: 19 % can stand for 20 %.",
)

_LABELS = {
    "total_return": "Total return",
    "cagr": "CAGR",
    "cagr_bills": "CAGR of bills",
    "volatility": "Volatility a year",
    "sharpe": "Sharpe ratio, arithmetic",
    "sharpe_geometric": "Sharpe ratio, geometric",
    "max_drawdown": "Max drawdown",
    "drawdown_peak": "Drawdown began",
    "drawdown_trough": "Drawdown deepest",
    "drawdown_recovery": "Drawdown made good",
    "calmar": "Calmar ratio",
    "expected_shortfall": "Expected shortfall, worst 1 %",
    "worst_session": "Worst session",
    "worst_session_on": "Worst session on",
    "best_session": "Best session",
    "best_session_on": "Best session on",
    "sessions": "Returns counted",
    "sessions_per_year": "Sessions a year",
}
_RATIOS = {"sharpe", "sharpe_geometric", "calmar", "sessions_per_year"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that QuantStats and we compute differently; fractions or pure ratios."""

    name: str
    ours: float
    theirs: float
    why: str


def differences(core: CoreMetrics, quantstats: Mapping[str, float]) -> list[Difference]:
    """Figures that differ by more than 1e-9 of the larger; those that we do not have are left out.

    NaN equals NaN and nothing else.
    """
    found = []
    for name, theirs in quantstats.items():
        ours = getattr(core, name, None)
        if ours is None or _same(ours, theirs):
            continue
        found.append(Difference(name, ours, theirs, _REASONS.get(name, _NO_REASON)))
    return found


def checked_table(sleeve: CoreMetrics, benchmark: CoreMetrics, theirs: Mapping[str, float]) -> str:
    """Our figures for sleeve and benchmark, beside those of QuantStats for the sleeve."""
    why = {difference.name: difference.why for difference in differences(sleeve, theirs)}
    ours, against = sleeve.as_dict(), benchmark.as_dict()
    rows = [
        (
            label,
            _shown(name, ours[name]),
            _shown(name, against[name]),
            _shown(name, theirs[name]) if name in theirs else "",
            why.get(name, "same" if name in theirs else ""),
        )
        for name, label in _LABELS.items()
    ]
    head = ("", "Sleeve", "Benchmark", "QuantStats, sleeve", "Why QuantStats differs")
    return _table(head, rows)


def caution_list() -> str:
    """Every caution as an item of a list."""
    named = [f"<b>{escape(label)}</b> {escape(text)}" for label, text in CAUTIONS.items()]
    return "\n".join(f"<li>{item}</li>" for item in [*named, *map(escape, PANEL_CAUTIONS)])


def with_daggers(page: str) -> str:
    """The page with a dagger behind each label that a caution speaks of.

    The label of the growth rate ends in a small percent sign that few fonts have: it goes.
    """
    page = page.replace("<td>CAGR\N{SMALL PERCENT SIGN}</td>", "<td>CAGR</td>")
    for label in CAUTIONS:
        for cell in ("td", "th"):
            page = page.replace(f"<{cell}>{label}</{cell}>", f"<{cell}>{label} &dagger;</{cell}>")
    return page


def note_list(notes: Sequence[str]) -> str:
    """The notes as an escaped list."""
    return "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>"


def _same(ours: float, theirs: float) -> bool:
    """Equal within rounding, NaN with NaN."""
    if math.isnan(ours) or math.isnan(theirs):
        return math.isnan(ours) and math.isnan(theirs)
    return math.isclose(ours, theirs, rel_tol=_TOLERANCE)


def _shown(name: str, figure: float | str | None) -> str:
    """One figure for a reader: percent, except ratios, counts and dates."""
    if figure is None or (isinstance(figure, float) and not math.isfinite(figure)):
        return "none"
    if isinstance(figure, str | int):
        return str(figure)
    return f"{figure:z.3f}" if name in _RATIOS else f"{figure:z.2%}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table of escaped cells."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
