import subprocess
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from levsleeve.data.bundled import (
    dividend_yields,
    ensure_bundled,
    import_bundled,
    modelled_dividends,
    monthly_bill_rates,
    rebuilt_months,
)
from levsleeve.data.library import Library
from levsleeve.data.parquet import read_frame, write_frame
from levsleeve.data.prices import Provenance
from levsleeve.data.store import Store
from levsleeve.errors import DataError


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("store"))
    assert ensure_bundled(store) == ("SP500", "VIX", "BILL")
    return store


def test_the_index_closes_are_those_that_were_published(store: Store) -> None:
    index = store.read_prices("SP500")
    published = {"1999-01-04": 1228.10, "2000-03-24": 1527.46, "2002-10-09": 776.76,
                 "2007-10-09": 1565.15, "2009-03-09": 676.53, "2018-12-31": 2506.85}  # fmt: skip
    assert index.kind == "index"
    assert len(index.sessions) == 5031
    assert {day: round(float(index.close[day]), 2) for day in published} == published


def test_the_price_index_grew_as_measured_elsewhere(store: Store) -> None:
    close = store.read_prices("SP500").close
    returns = close.pct_change().iloc[1:]
    assert (close.iloc[-1] / close.iloc[0]) ** (252 / 5030) - 1 == pytest.approx(0.0364, abs=5e-5)
    assert returns.min() == pytest.approx(-0.0903, abs=5e-5)  # 2008-10-15
    assert returns.max() == pytest.approx(0.1158, abs=5e-5)  # 2008-10-13


def test_each_year_earns_its_dividend_yield(store: Store) -> None:
    index = store.read_prices("SP500")
    price = index.close / index.close.shift(1).fillna(index.close)
    gained = np.log((1.0 + index.total_returns()) / price)
    by_year = pd.Series(gained, index=index.sessions).groupby(index.sessions.year).sum()
    expected = dividend_yields().loc[by_year.index]
    # The days from last session to last session are 362 to 368, not always 365.
    assert by_year.to_numpy() == pytest.approx(expected.to_numpy(), rel=4 / 365)
    assert by_year.sum() == pytest.approx(expected.sum(), rel=0.001)
    assert index.frame["dividend"].iloc[0] == 0.0
    assert "modelled" in index.provenance.notes


def test_a_weekend_accrues_three_days_of_dividend() -> None:
    sessions = pd.DatetimeIndex(["2018-01-04", "2018-01-05", "2018-01-08"])
    dividends = modelled_dividends(pd.Series([1000.0, 1000.0, 1000.0], index=sessions))
    one, three = 1000 * 0.0196 / 365, 3000 * 0.0196 / 365
    assert dividends.tolist() == pytest.approx([0.0, one, three], rel=1e-4)


def test_a_year_without_a_yield_is_refused() -> None:
    sessions = pd.DatetimeIndex(["1997-12-31", "1998-01-02", "1999-01-04"])
    with pytest.raises(DataError) as caught:
        modelled_dividends(pd.Series(1.0, index=sessions))
    assert str(caught.value) == (
        "dividend yields: none for 1997, 1998; the table covers 1999 to 2024"
    )


def test_the_volatility_index_has_only_closes(store: Store) -> None:
    vix = store.read_series("VIX")
    assert len(vix) == 1305 - 46
    assert vix["2015-08-24"] == 40.74
    assert vix["2018-02-05"] == 37.32


def test_the_bill_rate_is_known_on_every_session_of_the_index(store: Store) -> None:
    bill = store.read_series("BILL")
    assert pd.DatetimeIndex(bill.index).equals(store.read_prices("SP500").sessions)
    # RF of 0.18 % in November 2018 (30 days); December has none and reuses that annual rate.
    assert bill["2018-11-30"] == pytest.approx(0.0018 * 365 / 30, rel=1e-12)
    assert bill["2018-12-31"] == bill["2018-11-30"]
    # 0.35 % in January 1999 (31 days), from the first session of the month.
    assert bill["1999-01-04"] == pytest.approx(0.0035 * 365 / 31, rel=1e-12)


def test_months_read_as_nanoseconds_become_months_again() -> None:
    stamps = pd.DatetimeIndex(pd.to_datetime([192607, 201811]))
    assert rebuilt_months(stamps).astype(str).tolist() == ["1926-07", "2018-11"]


def test_a_month_earns_its_rate_over_its_own_days() -> None:
    months = pd.PeriodIndex(["2016-02", "2016-03"], freq="M")
    rates = monthly_bill_rates(pd.Series([0.29, 0.31], index=months))
    assert rates.tolist() == pytest.approx([0.0365, 0.0365], rel=1e-12)


def test_what_is_already_there_is_not_imported_again(store: Store) -> None:
    assert ensure_bundled(store) == ()


def test_importing_twice_gives_the_same_bytes(store: Store, tmp_path: Path) -> None:
    again = Store(tmp_path)
    assert import_bundled(again) == ("SP500", "VIX", "BILL")
    for symbol in ("SP500", "VIX", "BILL"):
        assert again.path(symbol).read_bytes() == store.path(symbol).read_bytes()


def test_only_what_is_stale_or_damaged_is_renewed(store: Store, tmp_path: Path) -> None:
    copy = Store(tmp_path)
    for symbol in store.symbols():
        copy.path(symbol).write_bytes(store.path(symbol).read_bytes())
    frame, metadata = read_frame(copy.path("VIX"))
    older = {**metadata, "request": metadata["request"].replace(version("arch"), "7.0")}
    write_frame(copy.path("VIX"), frame, older)
    copy.path("BILL").write_bytes(b"PAR1")
    assert ensure_bundled(copy) == ("VIX", "BILL")
    assert ensure_bundled(copy) == ()


def test_provenance_names_the_package_and_no_clock(store: Store) -> None:
    package = f"arch {version('arch')}"
    assert store.provenance("BILL") == Provenance(
        vendor="arch",
        retrieved=package,
        request=f"{package}, data set frenchdata, import 1",
        rows_sha256=store.row_hash("BILL"),
        notes=(
            "simple annual rate on 365 days of the one-month bill, from Kenneth French's monthly "
            "RF, known at the start of its month; a month after the last reuses its annual rate"
        ),
    )


def test_importing_lets_no_warning_out(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        import_bundled(Store(tmp_path))
    assert seen == []


def test_the_data_layer_starts_without_the_packages_that_take_seconds() -> None:
    program = (
        "import sys, levsleeve.data.library, levsleeve.data.calendar; "
        "print({'arch', 'exchange_calendars'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "set()"


def test_a_bundled_file_edited_by_hand_is_not_read(store: Store, tmp_path: Path) -> None:
    copy = Store(tmp_path)
    ensure_bundled(copy)
    frame, metadata = read_frame(copy.path("BILL"))
    write_frame(copy.path("BILL"), frame + 0.01, metadata)
    with pytest.raises(DataError, match="not those that were stored"):
        Library.open(tmp_path).bill()
