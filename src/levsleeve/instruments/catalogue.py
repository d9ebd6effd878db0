"""The fund catalogue and the bundled indexes, read once from ``funds.toml``."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """An index that funds follow."""

    symbol: str
    name: str
    benchmark_class: str


@dataclass(frozen=True, slots=True)
class FundFacts:
    """What the catalogue knows of a fund; rates are fractions a year."""

    symbol: str
    name: str
    index: str
    multiple: float
    expense_ratio: float
    financing_spread: float
    inception: str
    source: str
    compared: str = ""


def _load() -> tuple[dict[str, IndexFacts], dict[str, FundFacts]]:
    """The two tables of ``funds.toml``."""
    text = files("levsleeve.instruments").joinpath("funds.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    indexes = {symbol: IndexFacts(symbol, **facts) for symbol, facts in tables["index"].items()}
    funds = {symbol: FundFacts(symbol, **facts) for symbol, facts in tables["fund"].items()}
    return indexes, funds


INDEXES, CATALOGUE = _load()
