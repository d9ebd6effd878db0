"""The QuantStats tear sheet of one sleeve: the only module that imports QuantStats.

QuantStats draws and tabulates; what 0.0.86 gets wrong is kept from it or replaced:

* it is given returns on copies, never prices, tickers or the caller's own frame;
* three panels are our own (see ``tearsheet_panels``), through a template of ours;
* figures that it computes differently stand beside ours with the reason.

The page needs no network and is the same, byte for byte, for the same input and libraries.
"""

import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from levsleeve.backtests.metrics import CoreMetrics, measure, sessions_per_year
from levsleeve.backtests.returns import aligned, checked_returns, sessions_of
from levsleeve.errors import StudyError
from levsleeve.reports.tearsheet_appendix import (
    Difference,
    caution_list,
    checked_table,
    differences,
    note_list,
    with_daggers,
)
from levsleeve.reports.tearsheet_panels import growth_panel, session_panel, yearly_panel

__all__ = ["Difference", "differences", "quantstats_metrics", "write_tearsheet"]

_SLEEVE = "Sleeve"
_LOOK: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"],
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "path.simplify_threshold": 0.5,  # half a pixel: a third of the bytes, nothing to see
    "svg.fonttype": "none",  # text stays text: smaller, and a reader can search it
    "svg.hashsalt": "levsleeve",  # the same identifiers on every run
    "text.color": "#333333",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "xtick.color": "#666666",
    "ytick.color": "#666666",
}
_SVG_PROLOGUE = re.compile(r"<\?xml.*?\?>\s*<!DOCTYPE svg.*?>|<metadata>.*?</metadata>", re.DOTALL)
_UNUSED = re.compile(r"\{\{.*?\}\}")
_LEFT_OUT = "Left out: sleeve or benchmark earned the same on every session."
_NO_RETURN = 0.5  # a series that earns more than this on every session is one of prices
_TAIL = 0.99  # confidence of QuantStats' expected shortfall, the 1 % of ours


def write_tearsheet(
    path: Path,
    returns: pd.Series,
    benchmark: pd.Series,
    *,
    title: str,
    notes: Sequence[str],
    bill_returns: pd.Series | None = None,
) -> None:
    """Write the tear sheet of a series of session returns as one self-contained HTML file.

    QuantStats is given a risk-free rate of zero: of its panels only some take one, so that another
    rate would make the page contradict itself.  The Sharpe ratios against bills are in the checked
    figures.  If sleeve or benchmark earned the same on every session, QuantStats cannot regress
    one on the other: its panels are left out and the page says so.

    Parameters
    ----------
    path
        Replaced whole, or not touched if anything fails.
    returns
        As ``levsleeve.backtests.returns`` describes; first row 0.0.
    benchmark
        Returns on the same sessions at least; its name is shown.  Its first row is taken as 0.0.
    notes
        Assumptions and limits, one sentence each, shown before any figure.
    bill_returns
        What bills earned from close to close, on the same sessions at least; zero if left out.
    """
    if isinstance(notes, str):
        raise StudyError(f"notes: {notes!r} is one text; a list of lines is needed")
    ours, theirs = _ready(returns, benchmark)
    bills = pd.Series(0.0, index=ours.index)
    if bill_returns is not None:
        bills = pd.Series(aligned(bill_returns, ours, "bill_returns"), index=ours.index)
    page = _panels_of_quantstats(ours, theirs) if _varied(ours, theirs) else _panels_missing()
    sleeve, against = measure(ours, bills), measure(theirs, bills)
    name = str(theirs.name)
    slots = {
        "title": escape(title),
        "facts": escape(_facts(sleeve, name, has_bills=bill_returns is not None)),
        "notes": note_list(notes),
        "growth": growth_panel(ours, theirs, name),
        "yearly": yearly_panel(ours, theirs, name),
        "sessions": session_panel(ours),
        "checked": checked_table(sleeve, against, quantstats_metrics(ours, theirs)),
        "cautions": caution_list(),
    }
    parts = re.split(r"<!--levsleeve:(\w+)-->", page)
    parts[1::2] = [slots[slot] for slot in parts[1::2]]
    _replace(path, "".join(parts))


def quantstats_metrics(returns: pd.Series, benchmark: pd.Series) -> dict[str, float]:
    """What QuantStats itself says of the returns, under the names of `CoreMetrics`; and its beta.

    Its risk-free rate is zero, its year the whole number of sessions nearest to the series' own.
    """
    ours, theirs = _ready(returns, benchmark)
    periods = _periods(ours)
    ours = _told_apart_from_prices(ours)
    with _quantstats() as quantstats:
        stats = quantstats.stats
        figures = {
            "cagr": stats.cagr(ours, periods=periods),
            "volatility": stats.volatility(ours, periods=periods),
            "sharpe": stats.sharpe(ours, periods=periods),
            "max_drawdown": stats.max_drawdown(ours),
            "expected_shortfall": stats.conditional_value_at_risk(
                ours, confidence=_TAIL, method="historical"
            ),
            "beta": stats.greeks(ours, theirs, periods=periods)["beta"],
        }
    return {name: float(figure) for name, figure in figures.items()}


def _ready(returns: pd.Series, benchmark: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Checked copies on one index without a time zone, named for the page."""
    if not isinstance(benchmark, pd.Series):
        raise StudyError(
            f"benchmark: {benchmark!r} is not a pandas Series; pass its returns, never a ticker"
        )
    index = sessions_of(returns.index)
    ours = pd.Series(checked_returns(returns).copy(), index=index, name=_SLEEVE)
    values = aligned(benchmark, returns, "benchmark").copy()
    values[0] = 0.0
    if values[1:].min() > _NO_RETURN:
        raise StudyError(
            f"benchmark: no session below {values[1:].min():,.2f}, so these are prices; "
            "pass its returns"
        )
    theirs = pd.Series(values, index=index, name=_benchmark_name(benchmark))
    checked_returns(theirs, "benchmark")
    return ours, theirs


def _benchmark_name(benchmark: pd.Series) -> str:
    """Its name, without what QuantStats and its template would read as an order."""
    given = "" if benchmark.name is None else str(benchmark.name)
    name = given.replace("{", "(").replace("}", ")").strip(" _")
    return name if name and name != _SLEEVE else "Benchmark"


def _varied(*series: pd.Series) -> bool:
    """Whether every series has two different returns, the starting row aside."""
    return all(np.ptp(line.to_numpy()[1:]) > 0.0 for line in series)


def _periods(returns: pd.Series) -> int:
    """Whole sessions a year, for windows and annual figures of QuantStats."""
    return max(2, round(sessions_per_year(returns.index)))


def _told_apart_from_prices(returns: pd.Series) -> pd.Series:
    """The returns, with the least possible loss on the first row if they look like prices.

    QuantStats takes a series without a negative value and with one above 1 for prices.  The loss is
    the smallest number there is: adding it to 1 gives 1, dividing by it infinity, shown as a dash.
    """
    if returns.min() < 0.0 or returns.max() <= 1.0:
        return returns
    marked = returns.copy()
    marked.iloc[0] = np.nextafter(0.0, -1.0)
    return marked


def _panels_of_quantstats(returns: pd.Series, benchmark: pd.Series) -> str:
    """Our template, filled by QuantStats, without prologues, dates and empty percent signs."""
    with tempfile.TemporaryDirectory() as folder, _quantstats() as quantstats:
        template, output = Path(folder, "template.html"), Path(folder, "page.html")
        template.write_text(_template(), encoding="utf-8")
        quantstats.reports.html(
            _told_apart_from_prices(returns),
            _told_apart_from_prices(benchmark),
            rf=0.0,
            output=str(output),
            template_path=str(template),
            periods_per_year=_periods(returns),
            match_dates=False,  # True would drop leading flat sessions
            strategy_title=_SLEEVE,
            benchmark_title=benchmark.name,
        )
        page = output.read_text(encoding="utf-8")
    return with_daggers(_SVG_PROLOGUE.sub("", page).replace("<td>%</td>", "<td>-</td>"))


def _panels_missing() -> str:
    """Our template with a sentence where QuantStats would have stood."""
    page = _template()
    for table in ("metrics", "eoy_table", "dd_info"):
        page = page.replace(f"{{{{{table}}}}}", f"<p>{_LEFT_OUT}</p>")
    return _UNUSED.sub("", page)


def _template() -> str:
    """The page with its empty places: ``{{...}}`` for QuantStats, comments for ours."""
    return files("levsleeve.reports").joinpath("tearsheet.html").read_text(encoding="utf-8")


def _facts(sleeve: CoreMetrics, benchmark_name: str, *, has_bills: bool) -> str:
    """One line under the title: dates, benchmark, day count, rates, who drew."""
    with _quantstats() as quantstats:
        version = quantstats.__version__
    bills = "bill returns" if has_bills else "bills at zero, no series was given"
    return (
        f"{sleeve.first_session} to {sleeve.last_session}, {sleeve.sessions} returns, against "
        f"{benchmark_name}. Checked figures: calendar time, {bills}. Panels and metrics by "
        f"QuantStats {version}: risk-free rate 0 %, "
        f"{max(2, round(sleeve.sessions_per_year))} sessions a year, benchmark as given."
    )


@contextmanager
def _quantstats() -> Iterator[ModuleType]:
    """QuantStats with a drawing style of ours, and its complaints kept from the caller.

    Imported here, since it takes seconds and sets matplotlib's style for everyone.
    """
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    fonts = logging.getLogger("matplotlib.font_manager")
    level, backend = fonts.level, plt.get_backend()
    with warnings.catch_warnings(), mpl.rc_context():
        warnings.filterwarnings("ignore", module=r"(quantstats|seaborn|numpy)(\.|$)")
        fonts.setLevel(logging.ERROR)  # every text asks for Arial, and every miss is a line
        try:
            import quantstats

            plt.switch_backend("agg")
            mpl.rcdefaults()
            mpl.rcParams.update(_LOOK)
            yield quantstats
        finally:
            fonts.setLevel(level)
            plt.switch_backend(backend)


def _replace(path: Path, text: str) -> None:
    """Write beside the file, then put it in its place in one step."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
