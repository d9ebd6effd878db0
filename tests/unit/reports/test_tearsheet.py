import logging
import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from levsleeve.backtests.metrics import measure
from levsleeve.errors import StudyError
from levsleeve.reports.tearsheet import (
    Difference,
    differences,
    quantstats_metrics,
    write_tearsheet,
)
from levsleeve.reports.tearsheet_appendix import CAUTIONS, PANEL_CAUTIONS
from levsleeve.reports.tearsheet_panels import (
    growth_panel,
    session_panel,
    yearly_panel,
    yearly_returns,
)

TITLE = "<script>alert(1)</script> {{metrics}} hedged & levered"
NOTES = ("Option prices are modelled: Black-Scholes, volatility < 100 %.", "Fills: next close.")


def index_returns(start: str, end: str) -> pd.Series:
    """The bundled S&P 500, first row 0.0."""
    from arch.data import sp500

    changes: pd.Series = sp500.load()["Adj Close"].loc[start:end].pct_change()
    changes.iloc[0] = 0.0
    return changes


def falling_from_the_start() -> tuple[pd.Series, pd.Series]:
    """Two and a half years of 3x and 1x that never see the first close again, in New York time."""
    benchmark = index_returns("2007-10-09", "2009-12-31").tz_localize("America/New_York")
    benchmark.name = "Tom & {Jerry} <i> $5 $6"
    returns = 3 * benchmark
    returns.name = "mine"
    return returns, benchmark


def grown(returns: pd.Series) -> float:
    """Worth of one dollar at the end."""
    return float(np.prod(1 + returns.to_numpy(dtype=float)))


def without_earnings(returns: pd.Series) -> pd.Series:
    return pd.Series(0.0, index=returns.index)


def cells(page: str, label: str) -> list[str]:
    """Figures of one row of the page's tables: benchmark, then sleeve, for those of QuantStats."""
    found = re.search(rf"<tr><td>{re.escape(label)}(?: &dagger;)?</td>(.*?)</tr>", page)
    assert found is not None, label
    return re.findall(r"<td>(.*?)</td>", found[1])


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(StudyError) as caught:
        make()
    return str(caught.value)


# --- one page, drawn once ------------------------------------------------------------------------


class Recorder(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class Drawn:
    """One page, and what drawing it left behind."""

    def __init__(self, folder: Path) -> None:
        import matplotlib as mpl

        self.returns, self.benchmark = falling_from_the_start()
        self.given = (self.returns.copy(), self.benchmark.copy())
        self.path = folder / "tearsheet.html"
        self.path.write_text("an older page", encoding="utf-8")
        self.records: list[logging.LogRecord] = []
        handler = Recorder(self.records)
        logging.getLogger().addHandler(handler)
        style, filters = dict(mpl.rcParams), list(warnings.filters)
        try:
            self.write(self.path)
        finally:
            logging.getLogger().removeHandler(handler)
        self.style_kept = dict(mpl.rcParams) == style
        self.filters_kept = list(warnings.filters) == filters
        self.page = self.path.read_text(encoding="utf-8")

    def write(self, path: Path) -> None:
        bills = pd.Series(0.0001, index=self.returns.index)
        write_tearsheet(
            path, self.returns, self.benchmark, title=TITLE, notes=NOTES, bill_returns=bills
        )


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    return Drawn(tmp_path_factory.mktemp("tearsheet"))


def test_a_page_replaces_the_old_one_and_leaves_nothing_beside_it(drawn: Drawn) -> None:
    assert "an older page" not in drawn.page
    assert [path.name for path in drawn.path.parent.iterdir()] == ["tearsheet.html"]
    assert drawn.page.rstrip().endswith("</html>")


def test_a_page_asks_nothing_of_the_network(drawn: Drawn) -> None:
    assert not re.findall(
        r"<(?:script|link|img|iframe|object)\b|\bsrc=|href=\"(?!#)|url\((?!#)|@import|onload",
        drawn.page,
    )


def test_texts_of_the_study_are_escaped_and_are_no_orders_to_the_template(drawn: Drawn) -> None:
    shown = "&lt;script&gt;alert(1)&lt;/script&gt; {{metrics}} hedged &amp; levered"
    assert drawn.page.count(shown) == 2  # the tab and the heading
    assert "against Tom &amp; (Jerry) &lt;i&gt; $5 $6. " in drawn.page
    assert f"<li>{NOTES[0].replace('<', '&lt;')}</li><li>{NOTES[1]}</li>" in drawn.page
    assert "<i>" not in drawn.page
    assert "levsleeve:" not in drawn.page


def test_the_page_says_which_rates_and_day_counts_it_uses(drawn: Drawn) -> None:
    assert (
        "2007-10-09 to 2009-12-31, 562 returns, against Tom &amp; (Jerry) &lt;i&gt; $5 $6. "
        "Checked figures: calendar time, bill returns. Panels and metrics by QuantStats"
    ) in drawn.page
    assert "risk-free rate 0 %, 252 sessions a year, benchmark as given." in drawn.page
    assert cells(drawn.page, "Risk-Free Rate") == ["0.0%", "0.0%"]


def test_a_series_that_begins_in_drawdown_has_its_drawdown_rows(drawn: Drawn) -> None:
    worth = np.cumprod(1 + drawn.returns.to_numpy())  # its highest is the first
    assert cells(drawn.page, "Max Drawdown")[1] == f"{100 * (worth.min() - 1):.2f}%"
    assert cells(drawn.page, "Max DD Date") == ["2009-03-09", "2009-03-09"]
    assert cells(drawn.page, "Max DD Period Start")[1] == "2007-10-10"
    assert int(cells(drawn.page, "Longest DD Days")[1]) > 800


def test_quantstats_read_returns_as_returns_over_every_row(drawn: Drawn) -> None:
    for column, series in enumerate((drawn.benchmark, drawn.returns)):
        assert cells(drawn.page, "Cumulative Return")[column] == f"{100 * (grown(series) - 1):.2f}%"
        ratio = series.mean() / series.std() * math.sqrt(252)
        assert float(cells(drawn.page, "Sharpe")[column]) == round(ratio, 2)


def test_the_callers_series_are_as_they_were(drawn: Drawn) -> None:
    for series, given in zip((drawn.returns, drawn.benchmark), drawn.given, strict=True):
        pd.testing.assert_series_equal(series, given)
    assert str(pd.DatetimeIndex(drawn.returns.index).tz) == "America/New_York"


def test_drawing_leaves_no_trace_in_style_log_or_warnings(drawn: Drawn) -> None:
    assert drawn.style_kept
    assert drawn.filters_kept
    assert [record.getMessage() for record in drawn.records] == []


def test_every_row_to_read_with_care_is_marked_and_explained(drawn: Drawn) -> None:
    for label, text in CAUTIONS.items():
        assert re.search(rf"<t[dh]>{re.escape(label)} &dagger;</t[dh]>", drawn.page), label
        assert f"<b>{label}</b> {text}" in drawn.page
    for text in PANEL_CAUTIONS:
        assert f"<li>{text}</li>" in drawn.page


def test_every_panel_is_there_once(drawn: Drawn) -> None:
    assert drawn.page.count("<svg") == drawn.page.count("</svg>") == 14
    for title in (
        "Cumulative Returns vs Benchmark",
        "Worth of one dollar, logarithmic",
        "Cumulative Returns vs Benchmark (Volatility Matched)",
        "Returns by calendar year",
        "Distribution of Monthly Returns",
        "Return of each session",
        "Rolling Beta to Benchmark",
        "Rolling Volatility (6-Months)",
        "Rolling Sharpe (6-Months)",
        "Rolling Sortino (6-Months)",
        "Sleeve - Worst 5 Drawdown Periods",
        "Underwater Plot",
        "Sleeve - Monthly Returns (%)",
        "Sleeve - Return Quantiles",
    ):
        assert len(re.findall(rf"<text[^>]*>\s*{re.escape(title)}\s*</text>", drawn.page)) == 1, (
            title
        )


def test_checked_figures_stand_beside_those_of_quantstats(drawn: Drawn) -> None:
    bills = pd.Series(0.0001, index=drawn.returns.index)
    core = measure(drawn.returns, bills)
    ours, _, theirs, why = cells(drawn.page, "Sharpe ratio, arithmetic")
    assert ours == f"{core.sharpe:.3f}"
    assert theirs == f"{quantstats_metrics(drawn.returns, drawn.benchmark)['sharpe']:.3f}"
    assert why.startswith("QuantStats is given a risk-free rate of zero")
    assert cells(drawn.page, "Max drawdown")[3] == "same"
    assert cells(drawn.page, "Drawdown made good")[0] == "none"


def test_the_same_input_gives_the_same_bytes(drawn: Drawn, tmp_path: Path) -> None:
    drawn.write(tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == drawn.path.read_bytes()


# --- what QuantStats is asked, seen by a stub ----------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    import quantstats

    seen = SimpleNamespace()

    def html(returns: pd.Series, benchmark: pd.Series, **options: str) -> None:
        seen.returns, seen.benchmark, seen.options = returns, benchmark, options
        Path(options["output"]).write_text(
            Path(options["template_path"]).read_text("utf-8"), "utf-8"
        )

    monkeypatch.setattr(quantstats.reports, "html", html)
    return seen


def test_leading_flat_sessions_are_kept(asked: SimpleNamespace, tmp_path: Path) -> None:
    benchmark = index_returns("2016-01-01", "2017-12-31")
    returns = 3 * benchmark
    returns.iloc[:100] = 0.0
    write_tearsheet(tmp_path / "page.html", returns, benchmark, title="flat", notes=())
    assert asked.options["match_dates"] is False
    assert len(asked.returns) == len(asked.benchmark) == len(returns)
    # All 503 rows, 253 to a year: were the flat ones dropped, the ratio would be larger.
    expected = returns.mean() / returns.std() * math.sqrt(253)
    assert quantstats_metrics(returns, benchmark)["sharpe"] == pytest.approx(expected, rel=1e-12)


def test_a_benchmark_that_reaches_further_is_cut_and_starts_at_zero(
    asked: SimpleNamespace, tmp_path: Path
) -> None:
    benchmark = index_returns("2015-01-01", "2017-12-31")
    returns = index_returns("2016-01-04", "2016-12-30")
    write_tearsheet(tmp_path / "page.html", returns, benchmark, title="cut", notes=())
    assert isinstance(asked.benchmark, pd.Series)
    assert asked.benchmark.index.equals(asked.returns.index)
    assert asked.benchmark.iloc[0] == asked.returns.iloc[0] == 0.0
    assert asked.options["benchmark_title"] == "Adj Close"
    assert asked.options["rf"] == 0.0
    assert asked.options["periods_per_year"] == 254  # 251 returns in 361 days of 365.25


@pytest.mark.parametrize("name", [None, "", "_", "Sleeve"])
def test_a_benchmark_without_a_name_of_its_own_is_called_benchmark(
    asked: SimpleNamespace, tmp_path: Path, name: str | None
) -> None:
    returns = index_returns("2016-01-04", "2016-03-30")
    write_tearsheet(tmp_path / "p.html", returns, returns.rename(name), title="", notes=())
    assert asked.options["benchmark_title"] == "Benchmark"


def test_a_sleeve_that_never_trades_has_a_page_without_quantstats(
    asked: SimpleNamespace, tmp_path: Path
) -> None:
    benchmark = index_returns("2016-01-01", "2016-12-31")
    path = tmp_path / "page.html"
    write_tearsheet(path, without_earnings(benchmark), benchmark, title="idle", notes=())
    page = path.read_text(encoding="utf-8")
    assert not vars(asked)
    assert page.count("Left out: sleeve or benchmark earned the same on every session.") == 3
    assert cells(page, "Total return")[0] == cells(page, "Worst session")[0] == "0.00%"
    assert cells(page, "Sharpe ratio, arithmetic")[0] == "none"
    assert page.count("<svg") == 3
    assert "{{" not in page
    assert "bills at zero, no series was given" in page


def test_a_page_that_fails_leaves_the_old_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    returns = index_returns("2016-01-01", "2016-12-31")
    path = tmp_path / "page.html"
    path.write_text("old", encoding="utf-8")

    def broken(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_tearsheet(path, without_earnings(returns), returns, title="", notes=())
    assert path.read_text(encoding="utf-8") == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["page.html"]


# --- what is refused -----------------------------------------------------------------------------


def test_a_ticker_is_no_benchmark(tmp_path: Path) -> None:
    returns = index_returns("2016-01-01", "2016-12-31")
    ticker: Any = "SPY"
    text = "benchmark: 'SPY' is not a pandas Series; pass its returns, never a ticker"
    assert refused(lambda: quantstats_metrics(returns, ticker)) == text
    path = tmp_path / "page.html"
    assert refused(lambda: write_tearsheet(path, returns, ticker, title="", notes=())) == text
    assert not path.exists()


def test_a_benchmark_must_cover_every_session() -> None:
    returns = index_returns("2016-01-01", "2016-12-31")
    assert refused(lambda: quantstats_metrics(returns, returns.iloc[:250])) == (
        "benchmark: no row for 2 of 252 sessions, first 2016-12-29; every session needs one"
    )


def test_a_benchmark_of_prices_is_refused() -> None:
    returns = index_returns("2016-01-01", "2016-12-31")
    prices = 2000 * (1 + returns).cumprod()
    assert refused(lambda: quantstats_metrics(returns, prices)) == (
        f"benchmark: no session below {prices.min():,.2f}, so these are prices; pass its returns"
    )


def test_a_benchmark_that_loses_more_than_everything_is_refused() -> None:
    returns = index_returns("2016-01-01", "2016-12-31")
    broken = returns.copy()
    broken.iloc[3] = -1.5
    assert refused(lambda: quantstats_metrics(returns, broken)) == (
        "benchmark: -1.5 on 2016-01-07 loses more than everything; the least is -1.0"
    )


def test_a_net_asset_value_is_not_read_as_returns() -> None:
    falling = pd.Series([1.0, 0.9, 0.8], index=pd.date_range("2020-01-01", periods=3))
    assert refused(lambda: quantstats_metrics(falling, falling)) == (
        "returns: the first row, 2020-01-01, is 1.0; it must be 0.0, "
        "the session before the first return"
    )


def test_notes_are_lines_not_one_text(tmp_path: Path) -> None:
    returns = index_returns("2016-01-01", "2016-12-31")
    path = tmp_path / "page.html"
    assert refused(lambda: write_tearsheet(path, returns, returns, title="", notes="one")) == (
        "notes: 'one' is one text; a list of lines is needed"
    )


# --- QuantStats' own figures ---------------------------------------------------------------------


def test_figures_of_quantstats_are_what_its_formulas_give() -> None:
    benchmark = index_returns("2014-01-01", "2016-12-31")
    returns = 3 * benchmark
    found = quantstats_metrics(returns, benchmark)
    worth = (1 + returns).cumprod()
    assert found["cagr"] == pytest.approx(worth.iloc[-1] ** (252 / len(returns)) - 1, rel=1e-12)
    assert found["volatility"] == pytest.approx(returns.std() * math.sqrt(252), rel=1e-12)
    assert found["max_drawdown"] == pytest.approx((worth / worth.cummax() - 1).min(), rel=1e-12)
    tail = returns[returns <= returns.quantile(0.01)]
    assert found["expected_shortfall"] == pytest.approx(tail.mean(), rel=1e-12)
    assert found["beta"] == pytest.approx(3.0, rel=1e-12)


def test_one_day_of_a_doubling_without_a_loss_is_not_read_as_prices() -> None:
    benchmark = index_returns("2016-01-01", "2016-12-31")
    returns = benchmark.abs()
    returns.iloc[50] = 1.5
    found = quantstats_metrics(returns, benchmark)
    growth = grown(returns) ** (254 / len(returns)) - 1  # 251 returns in 361 days
    assert found["cagr"] == pytest.approx(growth, rel=1e-12)
    assert found["max_drawdown"] == 0.0
    ratio = returns.mean() / returns.std() * math.sqrt(254)
    assert found["sharpe"] == pytest.approx(ratio, rel=1e-12)


def test_a_wipe_is_minus_one_in_both_and_never_nan() -> None:
    benchmark = index_returns("2016-01-01", "2016-12-31").iloc[:100]
    returns = 3 * benchmark
    returns.iloc[-1] = -1.0
    found = quantstats_metrics(returns, benchmark)
    core = measure(returns, without_earnings(returns))
    assert found["cagr"] == core.cagr == -1.0
    assert found["max_drawdown"] == core.max_drawdown == -1.0
    assert all(math.isfinite(figure) for figure in found.values())


def test_our_drawdown_is_that_of_quantstats_on_the_whole_history() -> None:
    benchmark = index_returns("1999-01-01", "2018-12-31")
    core = measure(3 * benchmark, without_earnings(benchmark))
    theirs = quantstats_metrics(3 * benchmark, benchmark)["max_drawdown"]
    assert core.max_drawdown == pytest.approx(theirs, rel=1e-9)


def test_differences_name_both_figures_and_the_reason() -> None:
    returns = index_returns("2016-01-01", "2016-12-31")
    core = measure(returns, without_earnings(returns))
    theirs = {
        "cagr": core.cagr * (1 + 1e-8),
        "volatility": core.volatility * (1 + 1e-12),
        "max_drawdown": core.max_drawdown - 0.01,
        "sharpe": math.nan,
        "beta": 3.0,
    }
    growth, depth, ratio = differences(core, theirs)
    assert growth == Difference(
        "cagr",
        core.cagr,
        theirs["cagr"],
        "QuantStats counts rows, the starting one included, as so many to a year; ours is "
        "calendar time, 365.25 days a year",
    )
    assert (depth.name, depth.why) == ("max_drawdown", "no reason is known: please report it")
    assert ratio.name == "sharpe"


def test_two_figures_that_do_not_exist_do_not_differ() -> None:
    benchmark = index_returns("2016-01-01", "2016-12-31")
    core = measure(without_earnings(benchmark), without_earnings(benchmark))
    assert differences(core, {"sharpe": math.nan, "volatility": 0.0}) == []


# --- our own panels ------------------------------------------------------------------------------


def test_each_bar_of_twenty_years_stands_on_the_label_of_its_year() -> None:
    benchmark = index_returns("1999-01-01", "2018-12-31")
    panel = yearly_panel(3 * benchmark, benchmark, "S&P 500")
    bars = re.findall(r'<rect x="([\d.]+)"[^>]*width="([\d.]+)"[^>]*><title>(\d{4})', panel)
    labels = {
        year: float(x) for x, year in re.findall(r'x="([\d.]+)" y="278" [^>]*>(\d{4})<', panel)
    }
    assert len(bars) == 40
    assert list(labels) == [str(year) for year in range(1999, 2019)]
    for left, width, year in bars:
        centre = float(left) + float(width) / 2
        assert abs(centre - labels[year]) == pytest.approx(float(width) / 2, abs=0.2)


def test_a_bar_is_as_high_as_its_year_was_good() -> None:
    index = pd.to_datetime(["2019-12-31", "2020-06-30", "2020-12-31", "2021-12-31"])
    returns = pd.Series([0.0, 0.5, 0.2, -0.4], index=index)
    assert yearly_returns(returns).to_dict() == pytest.approx({2019: 0.0, 2020: 0.8, 2021: -0.4})
    panel = yearly_panel(returns, returns / 2, "half & half")
    heights = dict(re.findall(r'height="([\d.]+)" fill="#348DC1"><title>(\d{4})', panel)[::-1])
    by_year = {year: float(height) for height, year in heights.items()}
    assert by_year["2020"] / by_year["2021"] == pytest.approx(2.0, abs=0.01)
    assert by_year["2019"] == 0.0
    assert "<title>2020 sleeve 80.00%</title>" in panel
    assert "half &amp; half" in panel


def test_equal_growth_is_an_equal_climb_on_the_logarithmic_panel() -> None:
    index = pd.date_range("2000-01-01", periods=5, freq="YS")
    tenfold = pd.Series([0.0, 9.0, 9.0, 9.0, 9.0], index=index)
    panel = growth_panel(tenfold, without_earnings(tenfold), "cash")
    lines = re.findall(r'points="([^"]+)"', panel)
    cash, sleeve = ([float(point.split(",")[1]) for point in line.split()] for line in lines)
    assert np.diff(sleeve) == pytest.approx(np.diff(sleeve).mean(), abs=0.11)  # a tenth of a pixel
    assert len(set(cash)) == 1
    assert ">$10,000<" in panel
    assert "e+" not in panel


def test_a_wipe_ends_on_the_lower_edge_of_the_logarithmic_panel() -> None:
    returns = pd.Series([0.0, 0.1, -1.0], index=pd.date_range("2020-01-01", periods=3))
    panel = growth_panel(returns, without_earnings(returns), "cash")
    _, sleeve = (line.split() for line in re.findall(r'points="([^"]+)"', panel))
    assert sleeve[-1] == "568.0,264.0"
    assert "2020-01-01" in panel
    assert "2020-01-03" in panel


def test_the_session_panel_draws_returns_not_their_sum() -> None:
    returns = pd.Series([0.0, 0.1, 0.0, -0.05], index=pd.date_range("2020-01-01", periods=4))
    strokes = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)", session_panel(returns))
    assert len(strokes) == 2  # a session without a return has no stroke
    up, down = (float(zero) - float(end) for _, zero, end in strokes)
    assert up / down == pytest.approx(-2.0, abs=0.01)
