"""Positions and the terms of their funds, written the way a statement lists them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from levsleeve.compiled import Floats
from levsleeve.margin.account import loan_value_equity, margin_requirement
from levsleeve.margin.book import Book, FundTerms, book_of
from levsleeve.margin.combination import MAINTENANCE
from levsleeve.margin.profile import Profile
from levsleeve.margin.rulebook import rulebook
from levsleeve.margin.schedule import BROAD

TODAY = date(2019, 6, 3)
EXPIRY = date(2019, 7, 19)
PUT, CALL = -1.0, 1.0


class Lot(NamedTuple):
    """Options of one kind; ``contracts`` are negative where written, ``mark`` is a share's."""

    right: float
    contracts: float
    strike: float
    mark: float = 0.0
    expiry: date = EXPIRY
    fund: int = 0
    multiplier: float = 100.0


def book(shares: Sequence[float], marks: Sequence[float], *lots: Lot) -> Book:
    """Signed shares per fund at their prices, and options."""

    def column(values: Sequence[float]) -> Floats:
        return np.array(values, dtype=np.float64)

    return book_of(
        shares=column(shares),
        marks=column(marks),
        contracts=column([lot.contracts for lot in lots]),
        multipliers=column([lot.multiplier for lot in lots]),
        strikes=column([lot.strike for lot in lots]),
        expiries=column([lot.expiry.toordinal() for lot in lots]),
        rights=column([lot.right for lot in lots]),
        underlyings=column([lot.fund for lot in lots]),
        option_marks=column([lot.mark for lot in lots]),
    )


def terms(
    multiples: Sequence[float],
    switches: Mapping[str, Any] | None = None,
    *,
    on: date = TODAY,
    classes: Sequence[float] | None = None,
    profile: Profile | str = "finra",
) -> FundTerms:
    """What the rulebook knows of funds of these multiples, all on broad-based indexes."""
    book_of_rules = rulebook(profile, switches)
    return book_of_rules.terms(on, multiples, classes or [BROAD] * len(multiples))


def required(
    positions: Book,
    multiple: float,
    switches: Mapping[str, Any] | None = None,
    kind: float = MAINTENANCE,
    on: date = TODAY,
) -> float:
    """Dollars that a book of one broad-based fund requires."""
    return float(margin_requirement(positions, terms([multiple], switches, on=on), kind))


def excess_liquidity(cash: float, positions: Book, funds: FundTerms) -> float:
    """Equity with loan value less maintenance margin."""
    equity = loan_value_equity(cash, positions, funds.rules)
    return float(equity - margin_requirement(positions, funds, MAINTENANCE))
