import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from levsleeve.data.parquet import read_frame, write_frame
from levsleeve.data.prices import PriceTable, Provenance, rows_sha256
from levsleeve.data.store import Store
from levsleeve.errors import DataError

HAND = Provenance("hand", "2020-01-01", "typed", notes="three sessions")


def sessions() -> pd.DatetimeIndex:
    days = pd.DatetimeIndex(["2020-01-02", "2020-01-03", "2020-01-06"])
    return days.as_unit("us").rename("session")


def table(symbol: str = "XYZ", close: float = 10.0) -> PriceTable:
    columns = dict.fromkeys(("open", "high", "low", "close"), close)
    columns |= {"volume": 1.0, "dividend": 0.0, "split": 1.0}
    return PriceTable(symbol, "as_traded", pd.DataFrame(columns, index=sessions()), HAND)


def rates() -> "pd.Series[float]":
    return pd.Series([0.01, -0.001, 0.03], index=sessions())


def test_prices_come_back_as_they_were_stored(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_prices(table())
    back = store.read_prices("XYZ")
    pd.testing.assert_frame_equal(back.frame, table().frame, check_exact=True)
    assert (back.symbol, back.kind) == ("XYZ", "as_traded")
    expected = Provenance("hand", "2020-01-01", "typed", rows_sha256(back.frame), "three sessions")
    assert back.provenance == store.provenance("XYZ") == expected
    assert store.row_hash("XYZ") == rows_sha256(table().frame)


def test_a_series_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_series("BILL", rates(), HAND)
    pd.testing.assert_series_equal(
        store.read_series("BILL"), rates().rename("BILL"), check_exact=True
    )


def test_a_store_lists_its_symbols_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")
    assert store.symbols() == ()
    for symbol in ("^VIX", "BRK.B", "CL=F", "spy", "SPY"):
        store.write_prices(table(symbol))
    assert store.symbols() == ("BRK.B", "CL=F", "SPY", "^VIX", "spy")
    assert "spy" in store
    assert "QQQ" not in store
    assert "../SPY" not in store
    assert 3 not in store


def test_two_symbols_never_share_a_file_even_where_case_is_ignored(tmp_path: Path) -> None:
    store = Store(tmp_path)
    names = [store.path(symbol).name.upper() for symbol in ("SPY", "spy", "Spy", "^SPY", "S.PY")]
    assert len(set(names)) == 5
    assert store.path("^GSPC").name == "%5EGSPC.parquet"


@pytest.mark.parametrize(
    "symbol", ["", "../SPY", "A/B", "A\\B", ".SPY", "A B", "SP500?L=3", "É", "A\n"]
)
def test_what_is_not_a_symbol_is_refused(tmp_path: Path, symbol: str) -> None:
    with pytest.raises(DataError) as caught:
        Store(tmp_path).path(symbol)
    assert str(caught.value) == (
        f"{symbol or 'an empty name'}: not a symbol; "
        "letters, digits and ^ . - _ = after a first letter, digit or ^ are right"
    )


def test_an_unknown_symbol_is_met_with_those_that_are_stored(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(DataError) as caught:
        store.read_prices("XYZ")
    assert (
        str(caught.value)
        == f"XYZ: not in {tmp_path}, which holds nothing; it must be imported first"
    )
    store.write_prices(table("ABC"))
    store.write_prices(table("DEF"))
    with pytest.raises(DataError) as caught:
        store.read_series("XYZ")
    assert (
        str(caught.value)
        == f"XYZ: not in {tmp_path}, which holds ABC, DEF; it must be imported first"
    )


def test_prices_are_not_read_as_a_series_nor_a_series_as_prices(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_prices(table())
    store.write_series("BILL", rates(), HAND)
    with pytest.raises(DataError) as caught:
        store.read_series("XYZ")
    assert str(caught.value) == ("XYZ: prices are stored, not a series; read them as a price table")
    with pytest.raises(DataError) as caught:
        store.read_prices("BILL")
    assert str(caught.value) == "BILL: a series is stored, not prices; read it as a series"


def test_rows_edited_by_hand_are_detected(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_prices(table())
    path = store.path("XYZ")
    frame, metadata = read_frame(path)
    frame.loc["2020-01-03", "close"] = 10.0000001
    write_frame(path, frame, metadata)
    with pytest.raises(DataError) as caught:
        store.read_prices("XYZ")
    assert str(caught.value) == (
        f"XYZ: the rows of {path} are not those that were stored; "
        "delete the file and run again: bundled data are imported anew"
    )


def test_a_ledger_that_strayed_into_the_store_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    write_frame(store.path("LEDGER"), table().frame, {"vendor": "nobody"})
    with pytest.raises(DataError) as caught:
        store.provenance("LEDGER")
    assert str(caught.value) == (
        f"{store.path('LEDGER')}: no kind, retrieved, request, rows_sha256, notes in its "
        "metadata, so it is no file of the store; move it elsewhere"
    )


def test_a_store_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    root = tmp_path / "file" / "store"
    with pytest.raises(DataError) as caught:
        Store(root).write_prices(table())
    assert str(caught.value) == (
        f"{root}: cannot be written (Not a directory); name a folder that can be"
    )


def test_reading_touches_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_prices(table())
    (tmp_path / ".lock").unlink()
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    before = sorted(os.listdir(tmp_path)), tmp_path.stat().st_mtime_ns
    try:
        store.read_prices("XYZ")
        store.row_hash("XYZ")
        assert store.symbols() == ("XYZ",)
    finally:
        tmp_path.chmod(stat.S_IRWXU)
    assert (sorted(os.listdir(tmp_path)), tmp_path.stat().st_mtime_ns) == before


def test_writers_at_the_same_time_leave_one_whole_table(tmp_path: Path) -> None:
    store = Store(tmp_path)
    closes = [float(close) for close in range(1, 21)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda close: store.write_prices(table(close=close)), closes))
    assert store.read_prices("XYZ").close.iloc[0] in closes
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "XYZ.parquet"]
