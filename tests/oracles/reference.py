"""Closes of real funds and indexes that some oracles need and the repository may not contain.

A folder of gzip CSV files, ``<name>.csv.gz`` with the columns ``date,close``: the one that
``LEVSLEEVE_REFERENCE`` names, else a folder ``reference`` in a neighbour of the repository.
"""

import os
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]


def reference_folder() -> Path | None:
    named = os.environ.get("LEVSLEEVE_REFERENCE")
    if named:
        return Path(named)
    return next((path for path in sorted(ROOT.parent.glob("*/reference")) if path.is_dir()), None)


def reference_closes(name: str) -> "pd.Series[float]":
    """Closes by session; skips the calling test where the file is absent."""
    folder = reference_folder()
    path = folder / f"{name}.csv.gz" if folder else Path(f"{name}.csv.gz")
    if not path.is_file():
        pytest.skip(f"no {path.name}: set LEVSLEEVE_REFERENCE to a folder that has it")
    rows = pd.read_csv(path, parse_dates=["date"])
    sessions = pd.DatetimeIndex(rows["date"]).as_unit("us").rename("session")
    return pd.Series(rows["close"].to_numpy(dtype="float64"), index=sessions, name=name)
