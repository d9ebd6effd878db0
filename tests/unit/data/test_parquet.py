from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from levsleeve.data.parquet import read_frame, read_metadata, write_frame
from levsleeve.errors import DataError


def frame() -> pd.DataFrame:
    sessions = pd.DatetimeIndex(["1999-01-04", "1999-01-05", "2018-12-31"]).as_unit("us")
    return pd.DataFrame(
        {
            "cash": [1.0, float("nan"), -0.1],
            "utilization": [0.5, float("inf"), 0.0],
            "shares:SP500?L=3": np.array([1, 2, 3], dtype="int64"),
            "called": [True, False, False],
        },
        index=sessions.rename("session"),
    )


def events() -> pd.DataFrame:
    sessions = pd.DatetimeIndex(["2008-10-10", "2008-10-10", "2008-10-13"]).as_unit("us")
    kinds = ["margin_call", "liquidation", "order_filled"]
    return pd.DataFrame({"session": sessions, "kind": kinds, "why": ["", None, "rebalance"]})


def test_a_ledger_comes_back_in_every_bit(tmp_path: Path) -> None:
    path = tmp_path / "ledger.parquet"
    write_frame(path, frame(), {"study": "quickstart"})
    back, metadata = read_frame(path)
    pd.testing.assert_frame_equal(back, frame(), check_exact=True)
    assert metadata == {"study": "quickstart"}
    assert read_metadata(path) == metadata


def test_events_may_share_a_session_and_hold_text(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    write_frame(path, events(), {})
    back, _ = read_frame(path)
    assert back.index.equals(pd.DatetimeIndex(events()["session"]))
    assert back["kind"].tolist() == ["margin_call", "liquidation", "order_filled"]
    assert back["why"].isna().tolist() == [False, True, False]


def test_an_empty_table_of_events_keeps_its_columns(tmp_path: Path) -> None:
    write_frame(tmp_path / "events.parquet", events().iloc[:0], {})
    back, _ = read_frame(tmp_path / "events.parquet")
    assert list(back.columns) == ["kind", "why"]
    assert len(back) == 0


def test_sessions_are_dates_in_the_file(tmp_path: Path) -> None:
    write_frame(tmp_path / "x.parquet", frame(), {})
    assert pq.read_schema(tmp_path / "x.parquet").field("session").type == pa.date32()


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    write_frame(one, frame(), {"a": "1", "b": "2"})
    write_frame(other, frame(), {"b": "2", "a": "1"})
    assert one.read_bytes() == other.read_bytes()


def test_a_write_leaves_one_file_that_others_may_read(tmp_path: Path) -> None:
    write_frame(tmp_path / "new" / "x.parquet", frame(), {})
    write_frame(tmp_path / "new" / "x.parquet", frame(), {})
    files = list((tmp_path / "new").iterdir())
    (tmp_path / "plain").touch()
    assert [file.name for file in files] == ["x.parquet"]
    assert files[0].stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_write_that_fails_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.parquet"
    write_frame(path, frame(), {"age": "old"})

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataError) as caught:
        write_frame(path, frame(), {"age": "new"})
    assert str(caught.value) == (
        f"{path}: cannot be written (No space left on device); name a folder that can be"
    )
    assert [file.name for file in tmp_path.iterdir()] == ["x.parquet"]
    assert read_metadata(path) == {"age": "old"}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.parquet"
    with pytest.raises(DataError) as caught:
        read_frame(path)
    assert str(caught.value) == f"{path}: no such file; it must be written first"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_frame(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: cannot be read (Is a directory); a readable file is right"
    )


@pytest.mark.parametrize("kept", [0, 3, 500, -20])
def test_a_file_cut_short_is_named(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "x.parquet"
    write_frame(path, frame(), {})
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError) as caught:
        read_frame(path)
    assert str(caught.value) == (f"{path}: not a whole Parquet file; delete it and run again")


def test_rows_damaged_under_a_sound_footer_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    write_frame(path, frame(), {})
    content = bytearray(path.read_bytes())
    content[4:60] = bytes(56)
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_frame(path)
    assert str(caught.value) == (f"{path}: not a whole Parquet file; delete it and run again")


@pytest.mark.parametrize(
    ("metadata", "found"), [(None, "none"), ({"levsleeve_format": "99"}, "99")]
)
def test_a_file_of_another_format_is_refused(
    tmp_path: Path, metadata: dict[str, str] | None, found: str
) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"close": [1.0]}).replace_schema_metadata(metadata), path)
    with pytest.raises(DataError) as caught:
        read_frame(path)
    assert str(caught.value) == (
        f"{path}: levsleeve format {found}, but this version reads 1; delete it and run again"
    )
