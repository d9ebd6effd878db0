"""What a sizing rule sees, and the form in which both drivers carry it out: branches.

The scale of a sleeve is the least of its branches.  A branch is a signal known ahead, from prices
alone, times (where it has a floor) what the account's cushion above the floor allows.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from levsleeve.compiled import Floats
from levsleeve.errors import StudyError
from levsleeve.strategies.history import Base, History


class Branch(NamedTuple):
    """One bound on the scale.

    ``signal`` is by session.  With a ``multiplier`` above 0 it is multiplied by
    ``multiplier x (1 - floor / growth)``, never below 0, where growth is what a dollar of the
    account's equity became: the floor is that of ``floors`` by session, or, where those are nan,
    ``trailing`` times the highest growth.
    """

    signal: Floats
    floors: Floats
    trailing: float
    multiplier: float

    @property
    def reads_account(self) -> bool:
        """Whether it depends on the account."""
        return self.multiplier > 0.0


def scaled(signal: Floats) -> Branch:
    """A branch of prices alone."""
    return Branch(signal, np.full(signal.size, np.nan), np.nan, 0.0)


def filtered(one: Branch, other: Branch) -> Branch:
    """The product of two branches.

    Raises
    ------
    StudyError
        If both read the account.
    """
    if one.reads_account and other.reads_account:
        raise StudyError(
            "sizing: a product of two rules that read the account; most_cautious of them is right"
        )
    reader, plain = (one, other) if one.reads_account else (other, one)
    with np.errstate(invalid="ignore"):
        product = reader.signal * plain.signal
    off = (reader.signal == 0.0) | (plain.signal == 0.0)  # also of an infinite target
    known = ~(np.isnan(reader.signal) | np.isnan(plain.signal))
    return reader._replace(signal=np.where(off & known, 0.0, product))


@dataclass(frozen=True, eq=False)
class Seen:
    """What a rule sees: the history, the base weights, and what these require at each session.

    ``requirements`` are maintenance margins as a fraction of equity at a scale of 1, by row of the
    history; nan before the study.  ``core_requirement`` is what a core beside them requires.
    """

    history: History
    base: Base
    requirements: Floats
    core_requirement: Floats | float = 0.0

    @property
    def rows(self) -> int:
        """Sessions of the history."""
        return int(self.history.index.size)

    @property
    def unknown(self) -> Floats:
        """A series that is nan throughout."""
        return np.full(self.rows, np.nan)

    @property
    def gross_turns(self) -> float:
        """Index exposure at a scale of 1, without its sign.

        Raises
        ------
        StudyError
            If the holdings have none.
        """
        exposure = abs(self.base.exposure)
        if exposure < 1e-12:  # noqa: PLR2004  (rounding of a sum)
            raise StudyError(
                "sizing: the holdings have no index exposure to scale, it is 0; "
                'of = "holdings", or a rule that needs none, is right'
            )
        return exposure

    def returns(self, of: str) -> Floats:
        """Returns of the benchmark, or of the holdings at their base weights."""
        if of == "benchmark":
            return self.history.index
        return self.history.of_holdings(self.base.weights)

    def turns(self, of: str) -> float:
        """Turns of these returns that the base weights hold."""
        return self.gross_turns if of == "benchmark" else 1.0
