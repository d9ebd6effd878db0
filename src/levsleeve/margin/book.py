"""What the account rules read: positions as two arrays, and what the rulebook knows of their funds.

Rules read the places of a row; the names (``book.shares``, ``book.strikes``) are columns for
people, views that may be written to, which compiled code does not know.
"""

from typing import NamedTuple

import numpy as np

from levsleeve.compiled import Floats

SHARES, MARK = range(2)
"""Columns of ``Book.funds``: signed shares (negative is short), and dollars per share as traded."""

CONTRACTS, MULTIPLIER, STRIKE, EXPIRY, RIGHT, UNDERLYING, PREMIUM = range(7)
"""Columns of ``Book.slots``: signed contracts (negative is written), shares per contract, dollars
per share, date ordinal of the last day, -1 for a put and +1 for a call, number of the fund, and
the option's mark in dollars per share of the underlying."""

N_FUND_FIELDS, N_SLOT_FIELDS = 2, 7


class Book(NamedTuple):
    """Positions: ``funds`` (n_funds, 2) and option ``slots`` (n_slots, 7)."""

    funds: Floats
    slots: Floats

    @property
    def shares(self) -> Floats:
        """Signed shares per fund; negative is short."""
        return self.funds[:, SHARES]

    @property
    def marks(self) -> Floats:
        """Dollars per share, as traded."""
        return self.funds[:, MARK]

    @property
    def contracts(self) -> Floats:
        """Signed contracts per slot; negative is written."""
        return self.slots[:, CONTRACTS]

    @property
    def multipliers(self) -> Floats:
        """Shares per contract."""
        return self.slots[:, MULTIPLIER]

    @property
    def strikes(self) -> Floats:
        """Dollars per share."""
        return self.slots[:, STRIKE]

    @property
    def expiries(self) -> Floats:
        """Date ordinals of the last day."""
        return self.slots[:, EXPIRY]

    @property
    def rights(self) -> Floats:
        """-1 for a put, +1 for a call."""
        return self.slots[:, RIGHT]

    @property
    def underlyings(self) -> Floats:
        """Number of the fund."""
        return self.slots[:, UNDERLYING]

    @property
    def option_marks(self) -> Floats:
        """Dollars per share of the underlying."""
        return self.slots[:, PREMIUM]


def empty_book(n_funds: int, n_slots: int) -> Book:
    """A book that holds nothing."""
    return Book(np.zeros((n_funds, N_FUND_FIELDS)), np.zeros((n_slots, N_SLOT_FIELDS)))


def book_of(
    *,
    shares: Floats,
    marks: Floats,
    contracts: Floats,
    multipliers: Floats,
    strikes: Floats,
    expiries: Floats,
    rights: Floats,
    underlyings: Floats,
    option_marks: Floats,
) -> Book:
    """A book of columns: one entry per fund in the first two, per option slot in the others."""
    options = (contracts, multipliers, strikes, expiries, rights, underlyings, option_marks)
    return Book(_table(shares, marks), _table(*options))


def _table(*columns: Floats) -> Floats:
    """Columns side by side, rows contiguous."""
    return np.ascontiguousarray(np.column_stack(columns), dtype=np.float64)


class FundTerms(NamedTuple):
    """What the rulebook knows of every fund of a book on one day.

    Signed ``multiples`` and ``benchmark_classes`` (see ``schedule``) per fund are the columns of
    ``funds``, which may have more; ``overlays`` (n_funds, 6) are the house's, ``rules`` the day's.
    """

    funds: Floats
    overlays: Floats
    rules: Floats

    @property
    def multiples(self) -> Floats:
        """Signed daily multiple per fund."""
        return self.funds[:, MULTIPLE]

    @property
    def benchmark_classes(self) -> Floats:
        """How wide the market behind each fund is."""
        return self.funds[:, BENCHMARK_CLASS]


MULTIPLE, BENCHMARK_CLASS = range(2)
"""First columns of ``FundTerms.funds``."""


def fund_terms(
    multiples: Floats, benchmark_classes: Floats, overlays: Floats, rules: Floats
) -> FundTerms:
    """The terms of funds whose columns these are."""
    return FundTerms(_table(multiples, benchmark_classes), overlays, rules)
