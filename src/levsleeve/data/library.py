"""The one place that a study takes prices, rates and volatilities from."""

from pathlib import Path

import pandas as pd

from levsleeve.data.bundled import ensure_bundled
from levsleeve.data.prices import PriceTable
from levsleeve.data.store import Store
from levsleeve.data.synthetic import synthetic_prices
from levsleeve.data.volatility import implied_volatility_index
from levsleeve.errors import DataError
from levsleeve.instruments.fund import parse_fund


class Library:
    """What a store holds, and the synthetic funds that stand on it, each read once.

    Examples
    --------
    ::

        library = Library.open(Path("data/cache"))
        library.prices("SP500?L=3&E=0.92&SP=0.65").close
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tables: dict[str, PriceTable] = {}
        self._series: dict[str, pd.Series[float]] = {}
        self._volatilities: dict[str, pd.DataFrame] = {}
        self._hashes: dict[str, str] = {}

    @classmethod
    def open(cls, root: Path) -> "Library":
        """The library in a folder, with the bundled data imported if they are not there yet."""
        store = Store(root)
        ensure_bundled(store)
        return cls(store)

    def prices(self, symbol: str) -> PriceTable:
        """Prices of an index, of a catalogue fund's synthetic twin, or of a ticker string.

        Raises
        ------
        DataError
            If nothing has that name.
        """
        if symbol not in self._tables:
            fund = parse_fund(symbol)
            self._tables[symbol] = (
                self._read_prices(symbol)
                if fund.is_index
                else synthetic_prices(fund, self.index(fund.index), self.bill())
            )
        return self._tables[symbol]

    def index(self, symbol: str) -> PriceTable:
        """Levels of an index.

        Raises
        ------
        DataError
            If it names a fund, or nothing.
        """
        fund = parse_fund(symbol)
        if not fund.is_index:
            raise DataError(f"{symbol}: a fund, not an index; its index is {fund.index}")
        return self.prices(symbol)

    def bill(self) -> "pd.Series[float]":
        """Simple annual bill rate on 365 days, by session, as a fraction."""
        return self._read_series("BILL")

    def volatility(self, symbol: str) -> pd.DataFrame:
        """Implied volatility of an index by session; see ``implied_volatility_index``."""
        if symbol not in self._volatilities:
            close = self.index(symbol).close
            vix = self._read_series("VIX")
            self._volatilities[symbol] = implied_volatility_index(vix, close)
        return self._volatilities[symbol]

    def hashes(self) -> dict[str, str]:
        """Row hash of everything read from the store so far, by symbol."""
        return dict(sorted(self._hashes.items()))

    def _read_prices(self, symbol: str) -> PriceTable:
        table = self._store.read_prices(symbol)
        self._hashes[symbol] = table.provenance.rows_sha256
        return table

    def _read_series(self, symbol: str) -> "pd.Series[float]":
        if symbol not in self._series:
            self._series[symbol] = self._store.read_series(symbol)
            self._hashes[symbol] = self._store.row_hash(symbol)
        return self._series[symbol]
