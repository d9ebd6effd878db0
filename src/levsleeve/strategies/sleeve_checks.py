"""What a sleeve is refused for, before anything runs."""

import math
from typing import TYPE_CHECKING

from levsleeve.errors import StudyError
from levsleeve.instruments.fund import parse_fund
from levsleeve.strategies.allocation import InverseVolatility, Rotation
from levsleeve.strategies.cadence import CADENCES
from levsleeve.strategies.exits import Exits
from levsleeve.strategies.limits import Caps, Reserve
from levsleeve.strategies.own_rule import OwnRule
from levsleeve.strategies.positions import InverseLayer, ProtectivePut
from levsleeve.strategies.sizing_rules import SizingRule
from levsleeve.strategies.stop_flight import StopFlight

if TYPE_CHECKING:
    from levsleeve.strategies.sleeve import Sleeve

MOST_WEIGHT = 10.0
"""No margin account opens ten times its equity: a larger number is a percentage by mistake."""
ROUNDING = 1e-12
"""Weights that meet the cap up to the rounding of a sum are not above it."""
LONGEST_OFFSETS = {"weekly": 4, "monthly": 22, "quarterly": 63}
"""Sessions that a period can have after its first; other cadences have no periods."""
_KINDS = {
    "sizing": (SizingRule, OwnRule),
    "allocation": (Rotation, InverseVolatility),
    "caps": (Caps,),
    "reserve": (Reserve,),
    "stop_flight": (StopFlight,),
    "exits": (Exits,),
}
"""What the parts of a sleeve may be."""


def check_types(sleeve: "Sleeve") -> None:
    """What a strategy file may get wrong before any number does."""
    for name in ("holdings", "core"):
        given = getattr(sleeve, name)
        if not isinstance(given, tuple):
            wrong = type(given).__name__
            raise StudyError(f"{name}: a {wrong}; a tuple such as (Holding(...),) is right")
    if not sleeve.holdings:
        raise StudyError("sleeve: it holds nothing; name at least one fund")
    if not isinstance(sleeve.hedge, ProtectivePut | InverseLayer | None):
        raise StudyError(
            f"hedge: {sleeve.hedge!r}; a ProtectivePut, an InverseLayer or None is right"
        )
    if sleeve.rebalance not in CADENCES:
        raise StudyError(f"rebalance: {sleeve.rebalance!r}; one of {', '.join(CADENCES)} is right")
    for name, kinds in _KINDS.items():
        given = getattr(sleeve, name)
        if not isinstance(given, kinds) and not (given is None and name != "caps"):
            right = " or ".join(kind.__name__ for kind in kinds)
            raise StudyError(f"{name}: {given!r}; {right} is right")


def check_numbers(sleeve: "Sleeve") -> None:
    """The cap, the band and the offset."""
    if not (math.isfinite(sleeve.cap) and 0 < sleeve.cap <= MOST_WEIGHT):
        raise StudyError(
            f"cap: {sleeve.cap}; a fraction of equity above 0 and up to {MOST_WEIGHT:g} is right "
            "(0.40 is forty percent)"
        )
    if not 0.0 <= sleeve.band < 1.0:
        raise StudyError(f"band: {sleeve.band}; a fraction of equity from 0 to below 1 is right")
    if sleeve.rebalance == "band" and sleeve.band == 0.0:
        raise StudyError('band: 0; rebalance = "band" needs a fraction above 0')
    offset: object = sleeve.rebalance_offset
    longest = LONGEST_OFFSETS.get(sleeve.rebalance, 0)
    if not isinstance(offset, int) or not 0 <= offset <= longest:
        right = f"0 to {longest} sessions into the period" if longest else "0"
        raise StudyError(
            f'rebalance_offset: {offset!r} with rebalance = "{sleeve.rebalance}"; {right} is right'
        )


def check_holdings(sleeve: "Sleeve") -> None:
    """Weights are numbers, and a fund is held once."""
    held = (*sleeve.holdings, *sleeve.core)
    for holding in held:
        if not math.isfinite(holding.weight) or holding.weight == 0.0:
            raise StudyError(
                f"{holding.fund}: weight is {holding.weight}; a fraction other than 0 is right"
            )
    for name, holdings in (("sleeve", sleeve.holdings), ("core", sleeve.core)):
        if len({holding.fund for holding in holdings}) < len(holdings):
            raise StudyError(f"{name}: a fund is held twice; give it one weight")
    layer = sleeve.hedge.fund if isinstance(sleeve.hedge, InverseLayer) else ""
    for name in (*(holding.fund for holding in sleeve.holdings), layer):
        if name in sleeve.core_funds:
            raise StudyError(f"{name}: it is in the core and in the sleeve; one is right")
    if sleeve.allocation is not None:
        check_allocation(sleeve)


def check_allocation(sleeve: "Sleeve") -> None:
    """An allocation divides several holdings; a rotation holds them long."""
    allocation, count = sleeve.allocation, len(sleeve.holdings)
    if count < 2:  # noqa: PLR2004  (one cannot be divided)
        raise StudyError(f"allocation: the sleeve holds {count} fund; two or more are right")
    if sleeve.hedge is not None:
        raise StudyError("allocation: with a hedge; a hedge on holdings that stand is right")
    if isinstance(allocation, Rotation):
        if allocation.hold >= count:
            raise StudyError(
                f"allocation.hold: {allocation.hold} of {count} funds; fewer than there are "
                "is right"
            )
        for holding in sleeve.holdings:
            if holding.weight < 0.0:
                raise StudyError(
                    f"{holding.fund}: weight is {holding.weight:g} in a rotation, which holds "
                    "long; a weight above 0 is right"
                )


def check_put(sleeve: "Sleeve", put: "ProtectivePut") -> None:
    """A put protects shares that are held long, at a sensible strike."""
    weights = {holding.fund: holding.weight for holding in sleeve.holdings}
    if weights.get(put.fund, 0.0) <= 0.0:
        raise StudyError(f"{put.fund}: a protective put needs the fund held long in the sleeve")
    if parse_fund(put.fund).multiple == 0.0:
        raise StudyError(f"{put.fund}: no options are listed on bills; a fund or index is right")
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


def check_caps(sleeve: "Sleeve") -> None:
    """The base weights themselves must stand under every cap."""
    gross = sleeve.leveraged_weight
    if gross > sleeve.cap + ROUNDING:
        raise StudyError(
            f"weight: {gross:g} of equity in leveraged funds is above the cap {sleeve.cap:g}; "
            "lower the weight or raise the cap"
        )
    caps, targets = sleeve.caps, sleeve.targets
    for fund, weight in targets.items():
        limit = caps.single_fund
        if limit is not None and parse_fund(fund).is_leveraged and abs(weight) > limit + ROUNDING:
            raise StudyError(
                f"{fund}: weight {weight:g} is above caps.single_fund {limit:g}; "
                "lower the weight or raise the cap"
            )
    delta = sum(weight * parse_fund(fund).multiple for fund, weight in targets.items())
    if caps.delta is not None and abs(delta) > caps.delta + ROUNDING:
        raise StudyError(
            f"caps.delta: the weights have {delta:g} turns of index exposure, above the cap "
            f"{caps.delta:g}; lower the weights or raise the cap"
        )
    plain = [fund for fund in targets if not parse_fund(fund).is_leveraged]
    if caps.risk_share is not None and not plain:
        raise StudyError(
            "caps.risk_share: every fund is leveraged, so that all risk is theirs; "
            "a core beside the sleeve is right"
        )
