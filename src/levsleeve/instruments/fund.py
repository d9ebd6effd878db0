"""What can be held: a fund, and the ticker strings that name one."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from levsleeve.errors import DataError
from levsleeve.instruments.catalogue import (
    BILLS,
    BROAD_BASED,
    CATALOGUE,
    INDEXES,
    BenchmarkClass,
    bundled_indexes,
    no_such_fund,
    study_symbols,
)

PLAIN_MULTIPLES = (0.0, 1.0)
"""Daily multiples of bills and of a plain fund: neither is leveraged."""
PERCENT = 100.0
"""Ticker strings state percent a year; everything inside is a fraction."""


@dataclass(frozen=True, slots=True)
class Fund:
    """A daily-reset fund, the index itself (multiple 1, no expense), or bills (multiple 0).

    Rates are fractions a year: ``expense_ratio`` and ``drag`` of net asset value,
    ``financing_spread`` per borrowed turn over the bill rate.
    """

    symbol: str
    index: str
    multiple: float
    expense_ratio: float = 0.0
    financing_spread: float = 0.0
    drag: float = 0.0
    benchmark_class: BenchmarkClass = "broad_based"
    name: str = ""
    is_index: bool = False

    @property
    def leverage(self) -> float:
        """Magnitude of the daily multiple: 3.0 for a 3x bull and for a 3x bear alike."""
        return abs(self.multiple)

    @property
    def borrowed_turns(self) -> float:
        """Turns of net asset value that the fund finances: L - 1 for a bull, |L| for a bear."""
        return self.multiple - 1.0 if self.multiple > 0 else -self.multiple

    @property
    def is_leveraged(self) -> bool:
        """Whether a cap on leveraged exposure counts it: any multiple but the plain 1, or bills."""
        return self.multiple not in PLAIN_MULTIPLES

    @property
    def is_broad_based(self) -> bool:
        """Whether an option on it has the lower, broad-based rate."""
        return self.benchmark_class in BROAD_BASED

    @property
    def running_cost_rate(self) -> float:
        """Expense, drag and spread together, as a fraction of net asset value a year."""
        return self.expense_ratio + self.drag + self.financing_spread * self.borrowed_turns


def parse_fund(text: str) -> Fund:
    """The fund that a ticker string names, as a study can hold it.

    A catalogue ticker (``UPRO``), a bundled index (``SP500``), ``BILLS`` or a synthetic fund on an
    index, written ``SP500?L=3&E=0.92&SP=0.65&D=0``: daily multiple, expense, financing spread per
    borrowed turn and extra drag, the last three in percent a year.  Facts of the funds that no
    study can hold are in ``catalogue.fund_facts``.

    Raises
    ------
    DataError
        If nothing has that name, its index is not bundled, its financing spread is not known, or
        a parameter is unknown, doubled or not a number.

    Examples
    --------
    >>> parse_fund("UPRO").multiple, parse_fund("SP500?L=-2").leverage
    (3.0, 2.0)
    """
    base, mark, query = text.partition("?")
    if not mark:
        return _named(text)
    if base not in bundled_indexes():
        raise DataError(
            f"{text}: {base or 'nothing'} is not a bundled index; "
            f"a synthetic fund stands on {' or '.join(bundled_indexes())}"
        )
    values = _parameters(text, query)
    if "L" not in values:
        raise DataError(f"{text}: the daily multiple is missing; write {base}?L=3")
    if values["L"] == 0.0:
        raise DataError(f"{text}: the daily multiple is 0; a fund has a multiple such as 3 or -3")
    return Fund(
        symbol=text,
        index=base,
        multiple=values["L"],
        expense_ratio=values.get("E", 0.0) / PERCENT,
        financing_spread=values.get("SP", 0.0) / PERCENT,
        drag=values.get("D", 0.0) / PERCENT,
        benchmark_class=INDEXES[base].benchmark_class,
        name=f"synthetic {values['L']:+g}x {base}",
    )


def _named(text: str) -> Fund:
    """A fund of the catalogue, or a bundled index held as if it were a plain fund."""
    if text in INDEXES:
        index = INDEXES[text]
        _refuse_unbundled(text, "this index", text)
        return Fund(
            text, text, 1.0, benchmark_class=index.benchmark_class, name=index.name, is_index=True
        )
    if text == BILLS:
        return Fund(BILLS, bundled_indexes()[0], 0.0, name="Treasury bills")
    if text not in CATALOGUE:
        otherwise = f"a study can hold {', '.join(study_symbols())}"
        raise DataError(no_such_fund(text, [*CATALOGUE, *INDEXES], otherwise))
    facts = CATALOGUE[text]
    _refuse_unbundled(text, "its index", facts.index)
    if facts.financing_spread is None:
        expense = f"{PERCENT * facts.expense_ratio:g}"
        raise DataError(
            f"{text}: its financing spread was never measured; state one as in "
            f"{facts.index}?L={facts.multiple:g}&E={expense}&SP=0.5"
        )
    return Fund(
        symbol=text,
        index=facts.index,
        multiple=facts.multiple,
        expense_ratio=facts.expense_ratio,
        financing_spread=facts.financing_spread,
        benchmark_class=facts.benchmark_class,
        name=facts.name,
    )


def _refuse_unbundled(text: str, what: str, index: str) -> None:
    """Refuse a fund or index whose prices could not be made."""
    if not INDEXES[index].bundled:
        raise DataError(
            f"{text}: {what} ({INDEXES[index].name}) is not bundled; "
            f"a study can hold {', '.join(study_symbols())}"
        )


def _parameters(text: str, query: str) -> dict[str, float]:
    """The letters of a ticker string and their finite values."""
    values: dict[str, float] = {}
    for letter, written in parse_qsl(query, keep_blank_values=True):
        if letter not in ("L", "E", "SP", "D"):
            raise DataError(f"{text}: {letter} is not a parameter; known are L, E, SP and D")
        if letter in values:
            raise DataError(f"{text}: {letter} is given twice; once is right")
        try:
            values[letter] = float(written)
        except ValueError:
            raise DataError(f"{text}: {letter} is {written!r}; a number is right") from None
        if not abs(values[letter]) < float("inf"):
            raise DataError(f"{text}: {letter} is {written}; a finite number is right")
    return values
