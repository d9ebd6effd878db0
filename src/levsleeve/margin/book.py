"""What the account rules read: positions as arrays, and what the rulebook knows of their funds."""

from typing import NamedTuple, Protocol

from levsleeve.compiled import Floats


class Book(Protocol):
    """Positions: one entry per fund in ``shares`` and ``marks``, per option slot in the others."""

    @property
    def shares(self) -> Floats:
        """Signed shares; negative is short."""

    @property
    def marks(self) -> Floats:
        """Dollars per share, as traded."""

    @property
    def contracts(self) -> Floats:
        """Signed contracts; negative is written."""

    @property
    def multipliers(self) -> Floats:
        """Shares per contract."""

    @property
    def strikes(self) -> Floats:
        """Dollars per share."""

    @property
    def expiries(self) -> Floats:
        """Date ordinals of the last day."""

    @property
    def rights(self) -> Floats:
        """-1 for a put, +1 for a call."""

    @property
    def underlyings(self) -> Floats:
        """Number of the fund."""

    @property
    def option_marks(self) -> Floats:
        """Dollars per share of the underlying."""


class Positions(NamedTuple):
    """A ``Book`` for whoever holds no running account."""

    shares: Floats
    marks: Floats
    contracts: Floats
    multipliers: Floats
    strikes: Floats
    expiries: Floats
    rights: Floats
    underlyings: Floats
    option_marks: Floats


class FundTerms(NamedTuple):
    """What the rulebook knows of every fund of a book on one day.

    Signed ``multiples`` and ``benchmark_classes`` (see ``schedule``) per fund, ``overlays``
    (n_funds, 6) of the house, and the ``rules`` of the day.
    """

    multiples: Floats
    benchmark_classes: Floats
    overlays: Floats
    rules: Floats
