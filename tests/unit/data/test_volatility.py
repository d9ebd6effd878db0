import math

import numpy as np
import pandas as pd
import pytest
from tests.oracles.reference import reference_closes

from levsleeve.data.library import Library
from levsleeve.data.volatility import (
    anchored_proxy,
    implied_volatility_index,
    volatility_shape,
    yearly_anchors,
)
from levsleeve.errors import DataError


def closes(first: str, log_returns: list[float]) -> "pd.Series[float]":
    sessions = pd.bdate_range(first, periods=len(log_returns) + 1).as_unit("us").rename("session")
    return pd.Series(1000.0 * np.exp(np.cumsum([0.0, *log_returns])), index=sessions)


def test_the_shape_of_a_market_that_alternates_is_hand_arithmetic() -> None:
    # One percent up and down by turns: every trailing volatility is sqrt(252) percent, and five
    # returns ending on an up day sum to one percent.
    close = closes("2018-01-01", [0.01, -0.01] * 40 + [0.01])
    level = 7.7005 + (0.2028 + 0.2873 + 0.1402) * math.sqrt(252.0) - 0.8303
    assert volatility_shape(close).iloc[-1] == pytest.approx(level, rel=1e-12)


def test_the_shape_never_falls_below_nine() -> None:
    assert volatility_shape(closes("2018-01-01", [0.0] * 70)).iloc[-1] == 9.0


def test_the_stand_in_begins_with_the_sixty_third_return() -> None:
    proxy = anchored_proxy(closes("2018-01-01", [0.01, -0.01] * 40))
    assert proxy.iloc[:63].isna().all()
    assert proxy.iloc[63:].notna().all()


def mean_of_year(values: "pd.Series[float]", year: int) -> float:
    return float(values[pd.DatetimeIndex(values.index).year == year].mean())


@pytest.mark.parametrize("year", [2000, 2002, 2005, 2008, 2009, 2013])
def test_each_year_has_its_mean(library: Library, year: int) -> None:
    proxy = anchored_proxy(library.prices("SP500").close)
    assert mean_of_year(proxy, year) == pytest.approx(yearly_anchors()[year], rel=1e-12)


@pytest.mark.parametrize(
    ("year", "ratio"),
    [(2000, 1.116), (2002, 1.171), (2005, 0.919), (2008, 1.107), (2009, 1.312), (2013, 1.006)],
)
def test_the_anchor_over_the_mean_shape_is_as_measured_elsewhere(
    library: Library, year: int, ratio: float
) -> None:
    mean = mean_of_year(volatility_shape(library.prices("SP500").close), year)
    assert yearly_anchors()[year] / mean == pytest.approx(ratio, abs=6e-4)


def test_the_bundled_vix_comes_first_and_the_rung_says_which_is_used(library: Library) -> None:
    volatility = library.volatility("SP500")
    rung = {f"{day:%Y-%m-%d}": name for day, name in volatility["rung"].items()}
    assert rung["2008-11-20"] == "anchored_proxy"
    assert rung["2014-01-02"] == "anchored_proxy"
    assert rung["2018-02-05"] == "vix"
    assert volatility["value"]["2018-02-05"] == 37.32
    assert (volatility["rung"] == "vix").sum() == 1257
    assert volatility["value"].isna().sum() == 63


def test_a_year_without_vix_or_mean_is_refused() -> None:
    close = closes("2018-09-03", [0.01, -0.01] * 50)
    none = pd.Series(dtype="float64", index=close.index[:0])
    with pytest.raises(DataError) as caught:
        implied_volatility_index(none, close)
    assert str(caught.value) == (
        "implied volatility: neither VIX nor yearly mean on 15 sessions, first 2019-01-01; "
        "a VIX close is right after 2018"
    )


def test_a_vix_close_makes_up_for_a_year_without_a_mean() -> None:
    close = closes("2018-09-03", [0.01, -0.01] * 50)
    later = close.index[pd.DatetimeIndex(close.index).year == 2019]
    volatility = implied_volatility_index(pd.Series(20.0, index=later), close)
    assert volatility["value"].iloc[63:].notna().all()
    assert volatility.index[volatility["rung"] == "vix"].equals(later)


@pytest.mark.parametrize(
    ("last", "correlation", "error"), [("2018-12-31", 0.963, 2.33), ("2013-12-31", 0.954, 2.70)]
)
def test_the_series_follows_the_real_vix(
    library: Library, last: str, correlation: float, error: float
) -> None:
    real = reference_closes("vix_close")
    both = pd.DataFrame({"ours": library.volatility("SP500")["value"], "real": real})
    both = both.loc[:last].dropna()
    assert both["ours"].corr(both["real"]) == pytest.approx(correlation, abs=0.002)
    gap = both["ours"] - both["real"]
    assert math.sqrt((gap**2).mean()) == pytest.approx(error, abs=0.02)
