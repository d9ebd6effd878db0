"""What a sizing rule may see of the market: total returns up to a close, and what is held."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from levsleeve.compiled import Floats
from levsleeve.strategies.series import levels


@dataclass(frozen=True, eq=False)
class History:
    """Total returns by session, those before the study's first session included.

    ``index`` are returns of the benchmark, ``bills`` what bills earned since the close before,
    ``funds`` (n_sessions, n_funds) returns of the funds; the first row of each is 0.0.  ``first``
    is the row of the study's first session.
    """

    index: Floats
    bills: Floats
    funds: Floats
    first: int = 0

    @property
    def worth(self) -> Floats:
        """What a dollar in the benchmark is worth at each close, its income kept."""
        return levels(self.index)

    @property
    def worth_of_bills(self) -> Floats:
        """What a dollar in bills is worth at each close."""
        return levels(self.bills)

    def of_holdings(self, weights: Floats) -> Floats:
        """Returns of holdings at these weights, set anew at every close, without the cash."""
        return self.funds @ weights

    def until(self, row: int) -> "History":
        """What was known at the close of a row."""
        end = row + 1
        return replace(self, index=self.index[:end], bills=self.bills[:end], funds=self.funds[:end])


class Base(NamedTuple):
    """The holdings that a sizing rule scales: signed base weights as fractions of equity.

    ``multiples`` are the funds' daily multiples, ``cost_rates`` their running costs a year.
    """

    weights: Floats
    multiples: Floats
    cost_rates: Floats

    @property
    def exposure(self) -> float:
        """Index exposure at a scale of 1, in turns of equity; negative is short."""
        return float(self.weights @ self.multiples)

    @property
    def cost_rate(self) -> float:
        """What the funds charge at a scale of 1, a fraction of equity a year; shorts earn it."""
        return float(self.weights @ self.cost_rates)
