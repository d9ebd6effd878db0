"""Random sizing rules, policies, ladders and exits that a random sleeve may have."""

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from levsleeve.instruments.fund import parse_fund
from levsleeve.strategies.allocation import InverseVolatility, Rotation
from levsleeve.strategies.exits import Exits
from levsleeve.strategies.history import History
from levsleeve.strategies.limits import Caps, Reserve
from levsleeve.strategies.sizing_rules import (
    Cppi,
    FixedFraction,
    GrossmanZhou,
    Kelly,
    MarginUtilization,
    Momentum,
    MostCautious,
    Product,
    Tipp,
    Trend,
    VolatilityFilter,
    VolatilityLadder,
    VolatilityManaged,
    VolatilityTarget,
)
from levsleeve.strategies.sleeve import Sleeve
from levsleeve.strategies.sleeve_checks import LONGEST_OFFSETS
from levsleeve.strategies.stop_flight import StopFlight

LEAST_EXPOSURE = 1e-6
"""Holdings that offset each other up to rounding have nothing to scale."""
LONG_ENOUGH = 6
"""Sessions from which on covariances can have a window."""


@dataclass(frozen=True)
class Scripted:
    """A rule of one's own that answers from a list, whatever it sees."""

    answers: tuple[float, ...]

    def __call__(self, history: History) -> float:
        return self.answers[len(history.index) % len(self.answers)]


WILD = st.lists(
    st.sampled_from([0.0, 0.3, 1.0, 1.0, 2.5, 40.0, 1e9, 1e300]), min_size=1, max_size=4
).map(lambda answers: Scripted(tuple(answers)))
FILTERS = [
    Trend(window=2), Trend(window=3, enter=0.02, leave=0.02), Momentum(window=1),
    Momentum(window=2, skip=1), VolatilityFilter(window=2, threshold=1.0, reentry=0.5),
]  # fmt: skip
OF_HOLDINGS = [
    VolatilityTarget(window=2, target_vol=0.8, of="holdings"), Kelly(window=3, min_window=2,
    of="holdings"), VolatilityManaged(decay=0.9, of="holdings"), MarginUtilization(target=0.6),
    FixedFraction(fraction=1.5), *FILTERS,
]  # fmt: skip
OF_EXPOSURE = [
    VolatilityTarget(window=2, target_vol=0.8), VolatilityTarget(decay=0.9, target_vol=2.0),
    VolatilityManaged(window=2), Kelly(window=3, min_window=2), Cppi(multiplier=5.0, floor=0.7),
    Tipp(), GrossmanZhou(alpha=0.6, k=4.0),
    VolatilityLadder(window=2, thresholds=(0.5, 1.5), exposures=(3.0, 1.0, 0.2)),
    Product(rules=(Trend(window=2), GrossmanZhou(alpha=0.5))),
    MostCautious(rules=(Tipp(), VolatilityTarget(window=2, target_vol=1.5))),
]  # fmt: skip
LADDERS = [
    StopFlight(), StopFlight(check="intraday", cool_off_sessions=0, return_sessions=2),
    StopFlight(warn=0.4, derisk=0.5, cut_to=0.3, flatten=0.8, cool_off_sessions=1),
    StopFlight(warn=0.2, derisk=0.3, cut_to=0.1, flatten=0.4, cool_off_sessions=2, hysteresis=0.0),
    StopFlight(derisk=0.6, flatten=0.65, cool_off_sessions=0, return_sessions=1, check="intraday"),
]  # fmt: skip
EXITS = [
    Exits(max_drawdown=0.05, cool_off_sessions=1), Exits(take_profit=0.05, cool_off_sessions=0),
    Exits(max_days=3, cool_off_sessions=0, reentry="rebalance"), Exits(max_days=1),
    Exits(filter=Trend(window=2), cool_off_sessions=1), Exits(filter=Momentum(window=1),
    max_drawdown=0.2, cool_off_sessions=0), Exits(on_margin_call=True, cool_off_sessions=2),
    Exits(max_house_rate=0.7, max_drawdown=0.3, reentry="never"),
]  # fmt: skip
RESERVES = [
    Reserve(), Reserve(fall=0.1, rise=0.05, keep=0.3), Reserve(house_rate=0.6, reset_sessions=2),
    Reserve(fall=0.0, rise=0.2, house_rate=1.5),
]  # fmt: skip


@st.composite
def ruled_sleeves(draw: st.DrawFn, sleeve: Sleeve, n_sessions: int) -> Sleeve:
    """The sleeve with whatever of the vocabulary it can have."""

    def some(entries: list[Any]) -> Any:
        return draw(st.sampled_from([None, *entries]))

    if sleeve.hedge is None:
        sleeve = _with_core(draw, sleeve)
    longest = min(2, LONGEST_OFFSETS.get(sleeve.rebalance, 0))
    return replace(
        sleeve,
        **_policy(draw, sleeve, n_sessions),
        sizing=draw(_sizings(sleeve)),
        allocation=_allocation(draw, sleeve),
        reserve=some(RESERVES),
        stop_flight=some(LADDERS),
        exits=some(EXITS),
        rebalance_offset=draw(st.integers(0, longest)),
    )


def _with_core(draw: st.DrawFn, sleeve: Sleeve) -> Sleeve:
    """Its last holding in a core, now and then."""
    if len(sleeve.holdings) == 1 or not draw(st.booleans()):
        return sleeve
    return replace(sleeve, holdings=sleeve.holdings[:-1], core=sleeve.holdings[-1:])


def _sizings(sleeve: Sleeve) -> st.SearchStrategy[Any]:
    """A rule that has something to scale."""
    sized = {fund: w for fund, w in sleeve.targets.items() if fund not in sleeve.core_funds}
    exposure = sum(weight * parse_fund(fund).multiple for fund, weight in sized.items())
    rules: list[Any] = [None, *OF_HOLDINGS]
    if abs(exposure) > LEAST_EXPOSURE:
        rules += OF_EXPOSURE
    return st.sampled_from(rules) | WILD


def _allocation(draw: st.DrawFn, sleeve: Sleeve) -> Rotation | InverseVolatility | None:
    """A division of several holdings, long ones rotated."""
    if sleeve.hedge is not None or len(sleeve.holdings) == 1 or not draw(st.booleans()):
        return None
    if all(holding.weight > 0.0 for holding in sleeve.holdings) and draw(st.booleans()):
        return Rotation(window=draw(st.integers(1, 2)), absolute=draw(st.booleans()))
    return InverseVolatility(window=draw(st.integers(2, 3)))


def _policy(draw: st.DrawFn, sleeve: Sleeve, n_sessions: int) -> dict[str, Any]:
    """Caps that the base weights just meet, or by far."""
    targets = sleeve.targets
    leveraged = [abs(w) for fund, w in targets.items() if parse_fund(fund).is_leveraged]
    delta = abs(sum(w * parse_fund(fund).multiple for fund, w in targets.items()))
    room = draw(st.sampled_from([1.0, 1.2, 1.5]))
    shared = len(leveraged) < len(targets) and n_sessions >= LONG_ENOUGH
    single, net, risk, daily = draw(st.tuples(*[st.booleans()] * 4))
    caps = Caps(
        single_fund=room * max(leveraged) if leveraged and single else None,
        delta=max(room * delta, 0.1) if net else None,
        risk_share=draw(st.sampled_from([0.2, 0.7])) if shared and risk else None,
        risk_window=5,
        enforce="daily" if daily else "decision",
    )
    return {"cap": min(room * sum(leveraged), 10.0) if leveraged else 1.0, "caps": caps}
