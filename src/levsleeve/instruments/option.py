"""An option contract on a fund, and the strikes an exchange lists."""

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

from levsleeve.errors import StudyError


@dataclass(frozen=True, slots=True)
class OptionContract:
    """One listed option; ``strike`` in dollars per share, cash-settled at the close of expiry."""

    fund: str
    right: Literal["put", "call"]
    strike: float
    expiry: date

    def __post_init__(self) -> None:
        """Refuse what is no option: a slip would price another one in silence.

        Raises
        ------
        StudyError
            Naming the term and what would be right.
        """
        if self.right not in ("put", "call"):
            raise StudyError(f"option: right {self.right!r}; 'put' or 'call' is right")
        strike: object = self.strike
        known = isinstance(strike, int | float) and not isinstance(strike, bool)
        if not (known and math.isfinite(self.strike) and self.strike > 0.0):
            raise StudyError(f"option: strike {self.strike!r}; dollars above 0 are right")
        if type(self.expiry) is not date:
            raise StudyError(f"option: expiry {self.expiry!r}; a date such as 2008-10-17 is right")

    def __str__(self) -> str:
        """The way a trader writes it: ``UPRO 2008-10-17 85 put``."""
        return f"{self.fund} {self.expiry} {self.strike:g} {self.right}"
