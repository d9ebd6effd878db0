"""The funds and indexes that are known by name, read once from ``funds.toml``."""

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from levsleeve.errors import DataError

BenchmarkClass = Literal["high_cap_broad_based", "broad_based", "narrow"]
"""How wide an index is to the margin rules; portfolio margin tells the first two apart."""
BROAD_BASED: tuple[BenchmarkClass, ...] = ("high_cap_broad_based", "broad_based")
"""What the option rules call a broad-based index."""


class Split(NamedTuple):
    """``new_shares`` for ``old_shares`` from ``ex_date`` on: 3 and 1 for a 3:1 split."""

    ex_date: date
    new_shares: int
    old_shares: int


def shares_per_starting_share(splits: Sequence[Split], first: date, last: date) -> float:
    """What one share became through the splits between two dates, both included.

    Examples
    --------
    >>> splits = [Split(date(2018, 5, 24), 3, 1), Split(date(2022, 1, 13), 2, 1)]
    >>> shares_per_starting_share(splits, date(2018, 5, 24), date(2022, 12, 31))
    6.0
    """
    within = [split for split in splits if first <= split.ex_date <= last]
    new, old = (math.prod(column) for column in zip((1, 1), *(s[1:] for s in within), strict=True))
    return new / old


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """An index that funds follow; ``bundled`` where its prices come along."""

    symbol: str
    name: str
    benchmark_class: BenchmarkClass
    bundled: bool
    source: str


@dataclass(frozen=True, slots=True)
class FundFacts:
    """What the catalogue knows of a fund; rates are fractions a year.

    ``multiples`` holds each daily multiple with the date it holds from, the first one the
    inception.  ``financing_spread`` is None where it was never measured.  ``splits`` are those
    whose day and ratio are confirmed, not all of them: never adjust prices by them.  ``source``
    gives the standing of each fact in words.
    """

    symbol: str
    index: str
    multiples: tuple[tuple[date, float], ...]
    expense_ratio: float
    inception: date
    source: str
    financing_spread: float | None = None
    splits: tuple[Split, ...] = ()
    compared: str = ""

    @property
    def multiple(self) -> float:
        """The latest daily multiple."""
        return self.multiples[-1][1]

    def multiple_on(self, on: date) -> float:
        """The daily multiple in force on a date; before the inception the first one.

        Examples
        --------
        >>> facts = fund_facts("SVXY")
        >>> facts.multiple_on(date(2018, 2, 26)), facts.multiple_on(date(2018, 2, 27))
        (-1.0, -0.5)
        """
        in_force = [multiple for since, multiple in self.multiples if since <= on]
        return in_force[-1] if in_force else self.multiples[0][1]

    @property
    def benchmark_class(self) -> BenchmarkClass:
        """The class of its index."""
        return INDEXES[self.index].benchmark_class

    @property
    def is_broad_based(self) -> bool:
        """Whether an option on it has the lower, broad-based rate."""
        return self.benchmark_class in BROAD_BASED

    @property
    def name(self) -> str:
        """Such as ``3x S&P 500 bull (UPRO)``, by its latest multiple."""
        index = INDEXES[self.index].name
        if self.multiple == 1.0:
            return f"{index} fund ({self.symbol})"
        side = "bull" if self.multiple > 0 else "bear"
        return f"{abs(self.multiple):g}x {index} {side} ({self.symbol})"


def _fund(symbol: str, written: dict[str, Any]) -> FundFacts:
    """One fund as written: a scalar ``multiple`` holds since the inception."""
    facts = dict(written)
    dated = facts.pop("multiples", None) or [[facts["inception"], facts.pop("multiple")]]
    splits = tuple(Split(*split) for split in facts.pop("splits", ()))
    return FundFacts(
        symbol, multiples=tuple((since, value) for since, value in dated), splits=splits, **facts
    )


def _load() -> tuple[dict[str, IndexFacts], dict[str, FundFacts]]:
    """The two tables of ``funds.toml``."""
    text = files("levsleeve.instruments").joinpath("funds.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    indexes = {symbol: IndexFacts(symbol, **facts) for symbol, facts in tables["index"].items()}
    return indexes, {symbol: _fund(symbol, facts) for symbol, facts in tables["fund"].items()}


INDEXES, CATALOGUE = _load()


def known_symbols() -> tuple[str, ...]:
    """The tickers of every fund in the catalogue."""
    return tuple(CATALOGUE)


def bundled_indexes() -> tuple[str, ...]:
    """The indexes whose prices come along."""
    return tuple(symbol for symbol, index in INDEXES.items() if index.bundled)


BILLS = "BILLS"
"""A fund of Treasury bills: it earns the bill rate and costs nothing, modelled."""


def study_symbols() -> tuple[str, ...]:
    """What a study can hold by name: bundled indexes, funds that can be modelled on one, bills."""
    indexes = bundled_indexes()
    funds = (
        symbol
        for symbol, facts in CATALOGUE.items()
        if facts.index in indexes and facts.financing_spread is not None
    )
    return (*indexes, *funds, BILLS)


def fund_facts(symbol: str) -> FundFacts:
    """What is known of a fund, whether a study can hold it or not.

    Raises
    ------
    DataError
        If no fund has that ticker.
    """
    if symbol in INDEXES:
        on_it = [fund for fund, facts in CATALOGUE.items() if facts.index == symbol]
        raise DataError(f"{symbol}: an index, not a fund; funds on it are {', '.join(on_it)}")
    if symbol not in CATALOGUE:
        raise DataError(no_such_fund(symbol, known_symbols(), f"known are {', '.join(CATALOGUE)}"))
    return CATALOGUE[symbol]


def no_such_fund(name: str, near: Sequence[str], otherwise: str) -> str:
    """The refusal of an unknown name: the nearest of ``near``, or ``otherwise`` if none is."""
    nearest = get_close_matches(name.upper(), near, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else otherwise
    return f"{name or 'an empty name'}: no fund of that name; {hint}"
