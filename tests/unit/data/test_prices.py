import hashlib
import struct
from collections.abc import Callable

import pandas as pd
import pytest

from levsleeve.data.library import Library
from levsleeve.data.prices import (
    PriceTable,
    Provenance,
    check_prices,
    check_series,
    copied_open_share,
    rows_sha256,
)
from levsleeve.errors import DataError

HAND = Provenance("hand", "2020-01-01", "typed")


def prices(**changed: list[float]) -> pd.DataFrame:
    columns = {
        "open": [10.0, 10.5, 5.2],
        "high": [11.0, 10.8, 5.6],
        "low": [9.5, 9.9, 5.0],
        "close": [10.5, 10.0, 5.5],
        "volume": [1e6, 2e6, 3e6],
        "dividend": [0.0, 0.5, 0.0],
        "split": [1.0, 1.0, 2.0],
    }
    sessions = pd.DatetimeIndex(["2020-01-02", "2020-01-03", "2020-01-06"]).as_unit("us")
    return pd.DataFrame({**columns, **changed}, index=sessions.rename("session"))


def with_index(stamps: pd.DatetimeIndex) -> pd.DataFrame:
    return prices().set_axis(stamps.rename("session"))


def days(*stamps: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(stamps).as_unit("us")


def test_total_returns_keep_the_dividend_and_see_through_the_split() -> None:
    table = PriceTable("XYZ", "as_traded", prices(), HAND)
    # (10.00 + 0.50) / 10.50 - 1, then 2 new shares of 5.50 for one old of 10.00.
    assert table.total_returns().tolist() == pytest.approx([0.0, 0.0, 0.1], abs=1e-15)
    assert table.close.tolist() == [10.5, 10.0, 5.5]
    assert table.sessions.equals(prices().index)


NAN = float("nan")
BROKEN_ROWS: list[tuple[dict[str, list[float]], str]] = [
    (
        {"volume": [1.0, NAN, NAN]},
        "XYZ: a number is missing on 2 sessions, first 2020-01-03; "
        "every session needs open, high, low, close, volume, dividend, split",
    ),
    (
        {"high": [11.0, float("inf"), 5.6]},
        "XYZ: a number is infinite on 1 sessions, first 2020-01-03; every number is finite",
    ),
    (
        {"close": [10.5, 10.0, 0.0]},
        "XYZ: the close is not positive on 1 sessions, first 2020-01-06; "
        "a fund worth nothing has no rows from that session on",
    ),
    (
        {"low": [-1.0, 9.9, 5.0]},
        "XYZ: a price is negative on 1 sessions, first 2020-01-02; "
        "an open, high or low is 0 or more",
    ),
    (
        {"high": [9.0, 10.8, 5.6]},
        "XYZ: high is below low on 1 sessions, first 2020-01-02; the high is the larger",
    ),
    (
        {"high": [11.0, 10.4, 5.4]},
        "XYZ: the open or close lies outside low to high on 2 sessions, first 2020-01-03; "
        "the range contains both",
    ),
    (
        {"low": [9.5, 10.1, 5.0]},
        "XYZ: the open or close lies outside low to high on 1 sessions, first 2020-01-03; "
        "the range contains both",
    ),
    (
        {"dividend": [0.0, -0.5, 0.0]},
        "XYZ: a dividend is negative on 1 sessions, first 2020-01-03; "
        "dividends are 0 or more, in dollars per share",
    ),
    (
        {"split": [1.0, 0.0, 2.0]},
        "XYZ: a split is not positive on 1 sessions, first 2020-01-03; "
        "new shares per old, 1 when there is none",
    ),
    (
        {"volume": [1.0, 1.0, -1.0]},
        "XYZ: the volume is negative on 1 sessions, first 2020-01-06; 0 or more is right",
    ),
]


@pytest.mark.parametrize(("changed", "message"), BROKEN_ROWS)
def test_a_broken_row_is_named(changed: dict[str, list[float]], message: str) -> None:
    with pytest.raises(DataError) as caught:
        check_prices("XYZ", prices(**changed))
    assert str(caught.value) == message


BROKEN_INDEXES: list[tuple[Callable[[], pd.DataFrame], str]] = [
    (
        lambda: prices().reset_index(drop=True),
        "XYZ: the index is RangeIndex None; a DatetimeIndex 'session' is right",
    ),
    (
        lambda: prices().rename_axis("Date"),
        "XYZ: the index is DatetimeIndex 'Date'; a DatetimeIndex 'session' is right",
    ),
    (
        lambda: prices().tz_localize("UTC"),
        "XYZ: the index has a time zone on 3 sessions, first 2020-01-02; "
        "sessions are dates without one",
    ),
    (
        lambda: with_index(days("2020-01-02", "NaT", "2020-01-06")),
        "XYZ: a session is not a date on 1 sessions, first no date; every row needs one",
    ),
    (
        lambda: with_index(days("2020-01-02", "2020-01-03 16:00", "2020-01-06")),
        "XYZ: a session is not midnight on 1 sessions, first 2020-01-03; "
        "sessions are dates without a time",
    ),
    (
        lambda: prices().iloc[::-1],
        "XYZ: a session is out of order on 2 sessions, first 2020-01-03; sessions ascend",
    ),
    (
        lambda: with_index(days("2020-01-02", "2020-01-03", "2020-01-03")),
        "XYZ: a session appears twice on 1 sessions, first 2020-01-03; one row a session is right",
    ),
    (
        lambda: with_index(days("2020-01-02", "2020-01-03", "2020-01-06").as_unit("ns")),
        "XYZ: the index is not in microseconds on 3 sessions, first 2020-01-02; "
        "datetime64[us] is right",
    ),
    (
        lambda: prices().drop(columns=["split", "volume"]),
        "XYZ: no column volume, split; needed are open, high, low, close, volume, dividend, split",
    ),
    (
        lambda: prices().astype({"volume": "int64"}),
        "XYZ: column volume is int64; float64 is right",
    ),
    (lambda: prices().iloc[:0], "XYZ: no sessions; a price table has at least one"),
]


@pytest.mark.parametrize(("build", "message"), BROKEN_INDEXES)
def test_a_broken_index_or_column_is_named(build: Callable[[], pd.DataFrame], message: str) -> None:
    with pytest.raises(DataError) as caught:
        check_prices("XYZ", build())
    assert str(caught.value) == message


def test_a_price_table_cannot_be_built_from_broken_rows() -> None:
    with pytest.raises(DataError, match=r"^XYZ: the close is not positive on 1 sessions"):
        PriceTable("XYZ", "as_traded", prices(close=[10.5, 10.0, -1.0]), HAND)


def test_a_vendors_rounding_of_a_high_is_not_an_error() -> None:
    check_prices("XYZ", prices(high=[11.0, 10.5 * (1.0 - 5e-7), 5.6]))


def test_a_series_needs_a_number_for_each_of_its_sessions() -> None:
    rates = prices(close=[0.01, NAN, 0.03])["close"]
    with pytest.raises(DataError) as caught:
        check_series("BILL", rates)
    assert str(caught.value) == (
        "BILL: a number is missing on 1 sessions, first 2020-01-03; "
        "a series holds only sessions that have one"
    )


def test_a_series_is_indexed_by_session() -> None:
    with pytest.raises(DataError) as caught:
        check_series("BILL", pd.Series([0.01, 0.02]))
    assert str(caught.value) == (
        "BILL: the index is RangeIndex None; a DatetimeIndex 'session' is right"
    )


def test_the_row_hash_covers_dates_names_and_numbers_and_nothing_else() -> None:
    frame = prices()[["close", "split"]]
    microseconds = [1577923200000000, 1578009600000000, 1578268800000000]
    expected = hashlib.sha256(
        struct.pack("<3q", *microseconds)
        + b"close\0" + struct.pack("<3d", 10.5, 10.0, 5.5)
        + b"split\0" + struct.pack("<3d", 1.0, 1.0, 2.0)
    )  # fmt: skip
    assert rows_sha256(frame) == expected.hexdigest()


# Share of sessions whose open equals the previous close: measured on the same file elsewhere.
COPIED = [
    (1999, 1999, 0.96), (2000, 2000, 0.96), (2001, 2001, 0.95), (2002, 2002, 0.95),
    (2003, 2003, 0.98), (2004, 2004, 0.98), (2005, 2005, 0.96), (2006, 2006, 0.43),
    (2007, 2007, 0.16), (2008, 2010, 0.01), (2011, 2011, 0.09), (2012, 2012, 0.25),
    (2013, 2013, 0.26), (2014, 2018, 0.00),
]  # fmt: skip


@pytest.mark.parametrize(("first", "last", "share"), COPIED)
def test_copied_opens_of_the_bundled_index_are_found(
    library: Library, first: int, last: int, share: float
) -> None:
    shares = copied_open_share(library.prices("SP500").frame)
    assert shares.loc[first:last].mean() == pytest.approx(share, abs=0.005)


def test_an_open_is_compared_with_the_previous_close_in_new_shares() -> None:
    shares = copied_open_share(prices(open=[10.0, 10.5, 5.0]))
    assert shares.to_dict() == {2020: pytest.approx(2.0 / 3.0)}
