"""An option contract on a fund, and the strikes an exchange lists."""

from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True)
class OptionContract:
    """One listed option; ``strike`` in dollars per share, cash-settled at the close of expiry."""

    fund: str
    right: Literal["put", "call"]
    strike: float
    expiry: date

    def __str__(self) -> str:
        """The way a trader writes it: ``UPRO 2008-10-17 85 put``."""
        return f"{self.fund} {self.expiry} {self.strike:g} {self.right}"
