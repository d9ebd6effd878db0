"""The description of a sleeve: what it holds, what hedges it, and the cap that never moves."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from levsleeve.errors import StudyError
from levsleeve.instruments.fund import parse_fund

Cadence = Literal["daily", "weekly", "monthly", "quarterly", "once"]
CADENCES = get_args(Cadence)
HedgeKind = Literal["none", "protective_put", "inverse_layer"]
MOST_WEIGHT = 10.0
"""No margin account opens ten times its equity: a larger number is a percentage by mistake."""
ROUNDING = 1e-12
"""Weights that meet the cap up to the rounding of a sum are not above it."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A fund held at ``weight``, a signed fraction of equity; negative is short."""

    fund: str
    weight: float


@dataclass(frozen=True, slots=True)
class ProtectivePut:
    """Rolling protective puts on a fund that the sleeve holds long.

    The strike is the highest listed one not above ``moneyness`` times the close, the expiry the
    monthly one nearest ``tenor_days`` ahead; ``coverage`` is the fraction of the shares covered, in
    whole contracts.  Held to expiry, settled in cash, renewed at the same close.
    """

    kind: ClassVar[HedgeKind] = "protective_put"

    fund: str
    moneyness: float = 0.85
    tenor_days: float = 30.0
    coverage: float = 1.0


@dataclass(frozen=True, slots=True)
class InverseLayer:
    """A fund of the opposite sign that offsets ``ratio`` of the sleeve's index exposure."""

    kind: ClassVar[HedgeKind] = "inverse_layer"

    fund: str
    ratio: float = 0.25


Hedge = ProtectivePut | InverseLayer


@dataclass(frozen=True, slots=True)
class Sleeve:
    """A small part of a portfolio in leveraged funds, sized as fractions of equity.

    ``cap`` bounds the gross weight of the leveraged funds, hedge included, at every decision;
    ``band`` is the least deviation of a weight, as a fraction of equity, that is traded.

    Raises
    ------
    StudyError
        If a weight, the cap or the hedge cannot be run.
    DataError
        If a fund has no such name.
    """

    holdings: tuple[Holding, ...]
    cap: float
    hedge: Hedge | None = None
    rebalance: Cadence = "monthly"
    band: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be run, naming the fund and the number."""
        self._check_types()
        if not (math.isfinite(self.cap) and 0 < self.cap <= MOST_WEIGHT):
            raise StudyError(
                f"cap: {self.cap}; a fraction of equity above 0 and up to {MOST_WEIGHT:g} is right "
                "(0.40 is forty percent)"
            )
        if not 0.0 <= self.band < 1.0:
            raise StudyError(f"band: {self.band}; a fraction of equity from 0 to below 1 is right")
        for holding in self.holdings:
            if not math.isfinite(holding.weight) or holding.weight == 0.0:
                raise StudyError(
                    f"{holding.fund}: weight is {holding.weight}; a fraction other than 0 is right"
                )
        if len({holding.fund for holding in self.holdings}) < len(self.holdings):
            raise StudyError("sleeve: a fund is held twice; give it one weight")
        if isinstance(self.hedge, ProtectivePut):
            self._check_put(self.hedge)
        self._check_cap()

    def _check_types(self) -> None:
        """What a strategy file may get wrong before any number does."""
        wrong = type(self.holdings).__name__
        if not isinstance(self.holdings, tuple):
            raise StudyError(f"holdings: a {wrong}; a tuple such as (Holding(...),) is right")
        if not self.holdings:
            raise StudyError("sleeve: it holds nothing; name at least one fund")
        if not isinstance(self.hedge, ProtectivePut | InverseLayer | None):
            raise StudyError(
                f"hedge: {self.hedge!r}; a ProtectivePut, an InverseLayer or None is right"
            )
        if self.rebalance not in CADENCES:
            raise StudyError(
                f"rebalance: {self.rebalance!r}; one of {', '.join(CADENCES)} is right"
            )

    def _check_put(self, put: ProtectivePut) -> None:
        """A put protects shares that are held long, at a sensible strike."""
        weights = {holding.fund: holding.weight for holding in self.holdings}
        if weights.get(put.fund, 0.0) <= 0.0:
            raise StudyError(f"{put.fund}: a protective put needs the fund held long in the sleeve")
        highest = 1.5
        if not 0.0 < put.moneyness <= highest:
            raise StudyError(
                f"moneyness: {put.moneyness}; strike over spot from above 0 to 1.5 is right"
            )
        if not 0.0 < put.coverage <= 1.0:
            raise StudyError(f"coverage: {put.coverage}; a fraction above 0 and up to 1 is right")
        longest = 366.0
        if not 1.0 <= put.tenor_days <= longest:
            raise StudyError(f"tenor_days: {put.tenor_days}; 1 to 366 calendar days are right")

    def _check_cap(self) -> None:
        """The target itself must stand under the cap."""
        gross = self.leveraged_weight
        if gross > self.cap + ROUNDING:
            raise StudyError(
                f"weight: {gross:g} of equity in leveraged funds is above the cap {self.cap:g}; "
                "lower the weight or raise the cap"
            )

    @property
    def targets(self) -> dict[str, float]:
        """Signed weight per fund, the inverse layer included."""
        weights = {holding.fund: holding.weight for holding in self.holdings}
        if isinstance(self.hedge, InverseLayer):
            fund, weight = self._layer(self.hedge)
            weights[fund] = weight
        return weights

    def _layer(self, layer: InverseLayer) -> tuple[str, float]:
        """The inverse layer's fund and weight."""
        if not 0.0 < layer.ratio <= 1.0:
            raise StudyError(f"ratio: {layer.ratio}; a fraction above 0 and up to 1 is right")
        if layer.fund in {holding.fund for holding in self.holdings}:
            raise StudyError(f"{layer.fund}: it is held and hedges at once; one is right")
        exposure = sum(h.weight * parse_fund(h.fund).multiple for h in self.holdings)
        if exposure == 0.0:
            raise StudyError(
                f"{layer.fund}: an inverse layer needs exposure to offset, but the holdings have "
                "0; no hedge is right"
            )
        weight = -layer.ratio * exposure / parse_fund(layer.fund).multiple
        if weight <= 0.0:
            raise StudyError(
                f"{layer.fund}: an inverse layer moves against the sleeve, but both move "
                "the same way; a fund of the opposite multiple is right"
            )
        return layer.fund, weight

    @property
    def leveraged_weight(self) -> float:
        """Gross weight of the leveraged and inverse funds."""
        return sum(
            abs(weight) for fund, weight in self.targets.items() if parse_fund(fund).is_leveraged
        )

    @property
    def funds(self) -> tuple[str, ...]:
        """Every fund it trades, in the order of its targets."""
        return tuple(self.targets)

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of its option slots, one per rung of the hedge."""
        if isinstance(self.hedge, ProtectivePut):
            return (f"{self.hedge.fund}:put",)
        return ()

    @property
    def hedge_places(self) -> tuple[str, ...]:
        """Where its hedge is held: option slots, or the fund of an inverse layer."""
        if isinstance(self.hedge, InverseLayer):
            return (self.hedge.fund,)
        return self.slots
