"""Synthetic twins on the bundled index against what the real funds earned to the end of 2018."""

import numpy as np
import pandas as pd
import pytest
from tests.oracles.reference import reference_closes

from levsleeve.data.library import Library

LAST = "2018-12-31"
# End ratio real / synthetic, its distance allowed, and the least daily correlation.  The ratios
# were measured independently of this code; the rest is what dated fees and bid prices may cost.
FUNDS = [
    ("UPRO", "2009-06-25", 1.012, 0.997),
    ("SPXU", "2009-06-25", 1.028, 0.9965),
    ("SSO", "2006-12-29", 0.993, 0.993),
]
TOLERANCE = 0.004


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library.open(tmp_path_factory.mktemp("bundled"))


def real_and_synthetic(library: Library, symbol: str, first: str) -> pd.DataFrame:
    real = reference_closes(f"{symbol.lower()}_adj_close").loc[first:LAST]
    worth = (1.0 + library.prices(symbol).total_returns()).cumprod()
    both = pd.DataFrame({"real": real, "synthetic": worth.reindex(real.index)})
    return both / both.iloc[0]


@pytest.mark.parametrize(("symbol", "first", "ratio", "_correlation"), FUNDS)
def test_a_twin_ends_where_the_real_fund_ends(
    library: Library, symbol: str, first: str, ratio: float, _correlation: float
) -> None:
    end = real_and_synthetic(library, symbol, first).iloc[-1]
    assert end["real"] / end["synthetic"] == pytest.approx(ratio, abs=TOLERANCE)


@pytest.mark.parametrize(("symbol", "first", "_ratio", "correlation"), FUNDS)
def test_a_twin_moves_with_the_real_fund_day_by_day(
    library: Library, symbol: str, first: str, _ratio: float, correlation: float
) -> None:
    returns = real_and_synthetic(library, symbol, first).pct_change().iloc[1:]
    assert returns["real"].corr(returns["synthetic"]) > correlation


@pytest.mark.parametrize(("symbol", "first", "_ratio", "_correlation"), FUNDS)
def test_no_calendar_year_of_a_twin_is_off_by_more_than_one_and_a_quarter_percent(
    library: Library, symbol: str, first: str, _ratio: float, _correlation: float
) -> None:
    both = real_and_synthetic(library, symbol, first)
    gap = pd.Series(np.log(both["real"] / both["synthetic"]), index=both.index)
    by_year = gap.groupby(pd.DatetimeIndex(gap.index).year).last().diff().dropna()
    assert by_year.abs().max() < 0.0125


def test_the_modelled_dividends_give_the_total_return_index(library: Library) -> None:
    real = reference_closes("sp500tr_close").loc["1999-01-04":LAST]
    worth = (1.0 + library.prices("SP500").total_returns()).prod()
    assert worth == pytest.approx(real.iloc[-1] / real.iloc[0], rel=0.0005)


def test_the_bundled_bill_rate_is_close_to_the_thirteen_week_bill(library: Library) -> None:
    discount = reference_closes("irx_13week_tbill").loc[:LAST] / 100.0
    simple = (1.0 / (1.0 - discount * 91.0 / 360.0) - 1.0) * 365.0 / 91.0
    both = pd.DataFrame({"bundled": library.bill(), "real": simple}).dropna()
    assert both["bundled"].corr(both["real"]) > 0.98
    assert both.mean()["bundled"] == pytest.approx(both.mean()["real"], abs=0.001)
