"""The description of a sleeve: what it holds, what hedges it, and the cap that never moves."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from levsleeve.errors import StudyError
from levsleeve.instruments.fund import parse_fund
from levsleeve.strategies.allocation import InverseVolatility, Rotation
from levsleeve.strategies.cadence import Cadence
from levsleeve.strategies.exits import Exits
from levsleeve.strategies.limits import Caps, Reserve
from levsleeve.strategies.own_rule import OwnRule
from levsleeve.strategies.positions import Hedge, Holding, InverseLayer, ProtectivePut
from levsleeve.strategies.sizing_rules import SizingRule
from levsleeve.strategies.sleeve_checks import (
    check_caps,
    check_holdings,
    check_numbers,
    check_put,
    check_types,
)
from levsleeve.strategies.stop_flight import StopFlight

__all__ = ["Hedge", "Holding", "InverseLayer", "ProtectivePut", "Sleeve"]


@dataclass(frozen=True, slots=True)
class Sleeve:
    """A small part of a portfolio in leveraged funds, sized as fractions of the account's equity.

    The ``holdings`` have base weights, which ``allocation`` may divide anew and which ``sizing``
    scales at each decision: one of ``strategies.sizing_rules``, or a function of one's own (see
    ``OwnRule``); without it they stand.  A ``core`` is held beside it at fixed weights.

    ``cap`` bounds the gross weight of the leveraged funds, hedge and core included, at every
    decision, whatever the sizing says; ``caps`` and ``reserve`` say what else must hold.
    ``stop_flight`` acts on margin utilization, ``exits`` end the sleeve.  ``rebalance`` and
    ``rebalance_offset`` (sessions into the period) say when weights are set anew; ``band`` is the
    least deviation of a weight, as a fraction of equity, that is traded.

    Raises
    ------
    StudyError
        If a weight, the cap, a rule or the hedge cannot be run.
    DataError
        If a fund has no such name.
    """

    holdings: tuple[Holding, ...]
    cap: float
    hedge: Hedge | None = None
    rebalance: Cadence = "monthly"
    band: float = 0.0
    sizing: SizingRule | OwnRule | Callable[..., float] | None = None
    allocation: Rotation | InverseVolatility | None = None
    core: tuple[Holding, ...] = ()
    caps: Caps = field(default_factory=Caps)
    reserve: Reserve | None = None
    stop_flight: StopFlight | None = None
    exits: Exits | None = None
    rebalance_offset: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be run, naming the fund and the number."""
        if callable(self.sizing) and not isinstance(self.sizing, OwnRule):
            object.__setattr__(self, "sizing", OwnRule(self.sizing))
        check_types(self)
        check_numbers(self)
        check_holdings(self)
        if isinstance(self.hedge, ProtectivePut):
            check_put(self, self.hedge)
        check_caps(self)

    @property
    def rule(self) -> SizingRule | OwnRule | None:
        """The sizing rule, a function of one's own made one."""
        if self.sizing is None or isinstance(self.sizing, SizingRule | OwnRule):
            return self.sizing
        return OwnRule(self.sizing)

    @property
    def has_rules(self) -> bool:
        """Whether anything but base weights, a cap and a hedge decides."""
        rules = (self.sizing, self.allocation, self.reserve, self.stop_flight, self.exits)
        return any(rule is not None for rule in rules) or self.caps != Caps()

    @property
    def targets(self) -> dict[str, float]:
        """Signed base weight per fund, the inverse layer and the core included."""
        weights = {holding.fund: holding.weight for holding in self.holdings}
        if isinstance(self.hedge, InverseLayer):
            fund, weight = self._layer(self.hedge)
            weights[fund] = weight
        return weights | {holding.fund: holding.weight for holding in self.core}

    @property
    def core_funds(self) -> frozenset[str]:
        """The funds that are held beside the sleeve."""
        return frozenset(holding.fund for holding in self.core)

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
        multiple = parse_fund(layer.fund).multiple
        weight = -layer.ratio * exposure / multiple if multiple != 0.0 else 0.0
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


def limits_of(sleeve: Sleeve) -> tuple[float, ...]:
    """A sleeve's policy as ``strategies.limits`` takes it, in the order of the places there."""
    caps, reserve = sleeve.caps, sleeve.reserve
    named = (caps.single_fund, caps.delta, caps.risk_share)
    kept = (0.0, 0.0) if reserve is None else (reserve.house_rate, reserve.keep)
    return (sleeve.cap, *(math.inf if cap is None else cap for cap in named), *kept)
