"""The price store: one Parquet file a symbol, with its provenance and a hash of its rows."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import cast, get_args
from urllib.parse import quote, unquote

import pandas as pd

from levsleeve.data.lock import only_writer
from levsleeve.data.parquet import read_frame, read_metadata, write_frame
from levsleeve.data.prices import Kind, PriceTable, Provenance, check_series, rows_sha256
from levsleeve.errors import DataError

_SYMBOL = re.compile(r"[A-Za-z0-9^][A-Za-z0-9^._=-]*")
_SERIES = "series"
_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True)
class Store:
    """Price tables and series in one folder.  Reading neither writes nor locks anything."""

    root: Path

    def __contains__(self, symbol: object) -> bool:
        return isinstance(symbol, str) and bool(_SYMBOL.fullmatch(symbol)) and self._at(symbol)

    def symbols(self) -> tuple[str, ...]:
        """Every stored symbol, in alphabetical order."""
        return tuple(sorted(unquote(path.stem) for path in self.root.glob(f"[!.]*{_SUFFIX}")))

    def path(self, symbol: str) -> Path:
        """The file of a symbol; characters that a file system may dislike or fold are escaped."""
        if not _SYMBOL.fullmatch(symbol):
            raise DataError(
                f"{symbol or 'an empty name'}: not a symbol; "
                "letters, digits and ^ . - _ = after a first letter, digit or ^ are right"
            )
        escaped = "".join(f"%{ord(c):02X}" if c.islower() else quote(c, safe="=") for c in symbol)
        return self.root / f"{escaped}{_SUFFIX}"

    def write_prices(self, table: PriceTable) -> None:
        """Store a table, in place of any earlier one."""
        self._write(table.symbol, table.kind, table.frame, table.provenance)

    def read_prices(self, symbol: str) -> PriceTable:
        """The stored table of a symbol.

        Raises
        ------
        DataError
            If there is none, or its rows are not those that were stored.
        """
        frame, metadata = self._read(symbol)
        if metadata["kind"] not in get_args(Kind):
            raise DataError(
                f"{symbol}: a {metadata['kind']} is stored, not prices; read it as a series"
            )
        kind = cast("Kind", metadata["kind"])
        return PriceTable(symbol, kind, frame, _provenance(self.path(symbol), metadata))

    def write_series(self, symbol: str, series: "pd.Series[float]", provenance: Provenance) -> None:
        """Store a rate or a volatility: a number for each session that has one."""
        check_series(symbol, series)
        frame = series.astype("float64").to_frame("value")
        self._write(symbol, _SERIES, frame, provenance)

    def read_series(self, symbol: str) -> "pd.Series[float]":
        """The stored series of a symbol; raises as ``read_prices`` does."""
        frame, metadata = self._read(symbol)
        if metadata["kind"] != _SERIES:
            raise DataError(
                f"{symbol}: prices are stored, not a series; read them as a price table"
            )
        return frame["value"].rename(symbol)

    def provenance(self, symbol: str) -> Provenance:
        """Where the rows came from, without reading them."""
        path = self._existing(symbol)
        return _provenance(path, read_metadata(path))

    def row_hash(self, symbol: str) -> str:
        """The hash of the rows as they were stored."""
        return self.provenance(symbol).rows_sha256

    def _at(self, symbol: str) -> bool:
        return self.path(symbol).is_file()

    def _existing(self, symbol: str) -> Path:
        path = self.path(symbol)
        if not path.is_file():
            stored = ", ".join(self.symbols()) or "nothing"
            raise DataError(
                f"{symbol}: not in {self.root}, which holds {stored}; it must be imported first"
            )
        return path

    def _write(self, symbol: str, kind: str, frame: pd.DataFrame, provenance: Provenance) -> None:
        path = self.path(symbol)
        identity = asdict(replace(provenance, rows_sha256=rows_sha256(frame)))
        try:
            with only_writer(self.root):
                write_frame(path, frame, {"symbol": symbol, "kind": kind, **identity})
        except OSError as error:
            raise DataError(
                f"{self.root}: cannot be written ({error.strerror}); name a folder that can be"
            ) from error

    def _read(self, symbol: str) -> tuple[pd.DataFrame, dict[str, str]]:
        """Rows and metadata, once the rows have the hash that they were stored with."""
        path = self._existing(symbol)
        frame, metadata = read_frame(path)
        stored = _provenance(path, metadata).rows_sha256
        if rows_sha256(frame) != stored:
            raise DataError(
                f"{symbol}: the rows of {path} are not those that were stored; "
                "delete the file and run again: bundled data are imported anew"
            )
        return frame, metadata


def _provenance(path: Path, metadata: Mapping[str, str]) -> Provenance:
    """The provenance inside a file's metadata."""
    names = [field.name for field in fields(Provenance)]
    absent = [name for name in ("kind", *names) if name not in metadata]
    if absent:
        raise DataError(
            f"{path}: no {', '.join(absent)} in its metadata, so it is no file of the store; "
            "move it elsewhere"
        )
    return Provenance(**{name: metadata[name] for name in names})
