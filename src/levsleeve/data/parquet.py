"""Frames in Parquet files: written whole or not at all, the same bytes for the same content.

The only module that imports pyarrow.
"""

import io
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from levsleeve.errors import DataError

FORMAT_KEY = "levsleeve_format"
FORMAT = "1"
"""Raised when an older reader would misread a newer file."""


def write_frame(path: Path, frame: pd.DataFrame, metadata: Mapping[str, str]) -> None:
    """Write a frame with sessions as its index or as the column ``session``.

    Sessions become dates.  A reader at any moment finds the old file or the new one, never a
    part; equal frames and metadata give equal bytes.

    Raises
    ------
    DataError
        If the folder cannot be written.
    """
    schema_metadata = {FORMAT_KEY: FORMAT, **dict(sorted(metadata.items()))}
    table = _table(frame).replace_schema_metadata(schema_metadata)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    try:
        _replace(path, sink.getvalue())
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror}); name a folder that can be"
        ) from error


def read_frame(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """The frame, indexed by ``session`` in microseconds, and the metadata of a file of ours.

    Raises
    ------
    DataError
        If the file is missing, unreadable, damaged or of another format.
    """
    file = _open(path)
    metadata = _metadata(path, file)
    try:
        frame = file.read(use_threads=False).to_pandas(date_as_object=False)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path) from error
    frame.index = pd.DatetimeIndex(frame.pop("session")).as_unit("us").rename("session")
    return frame, metadata


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata alone, without reading a row; raises as ``read_frame`` does."""
    return _metadata(path, _open(path))


def _table(frame: pd.DataFrame) -> pa.Table:
    """The columns of a frame, sessions first, without the vendor's own metadata."""
    with_sessions = frame if "session" in frame.columns else frame.reset_index(names="session")
    sessions = pd.DatetimeIndex(with_sessions["session"]).as_unit("s").to_numpy()
    arrays = {"session": pa.array(sessions.astype("datetime64[D]"), type=pa.date32())}
    for name in with_sessions.columns.drop("session"):
        arrays[name] = _array(with_sessions[name])
    return pa.table(arrays)


def _array(column: "pd.Series[Any]") -> pa.Array:
    """A column as numbers with every NaN kept, or as text with every NaN a null."""
    if pd.api.types.is_numeric_dtype(column):
        return pa.array(column.to_numpy(), from_pandas=False)
    return pa.array([None if pd.isna(text) else text for text in column], type=pa.string())


def _replace(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step that survives a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _open(path: Path) -> pq.ParquetFile:
    """The file as Parquet, read into memory so that nothing stays open."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; it must be written first") from None
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); a readable file is right"
        ) from error
    try:
        return pq.ParquetFile(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> DataError:
    return DataError(f"{path}: not a whole Parquet file; delete it and run again")


def _metadata(path: Path, file: pq.ParquetFile) -> dict[str, str]:
    """The metadata without the format, which must be ours."""
    stored = file.schema_arrow.metadata or {}
    metadata = {key.decode(): value.decode() for key, value in stored.items()}
    found = metadata.pop(FORMAT_KEY, "none")
    if found != FORMAT:
        raise DataError(
            f"{path}: levsleeve format {found}, but this version reads {FORMAT}; "
            "delete it and run again"
        )
    return metadata
