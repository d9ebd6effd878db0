"""What a sleeve is made of: holdings at base weights, and what hedges them."""

from dataclasses import dataclass
from typing import ClassVar, Literal

HedgeKind = Literal["none", "protective_put", "inverse_layer"]


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
