"""Properties of margin calls, and of the dollars that come in or leave."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.property.accounts.checks import a_call_waits_its_sessions
from tests.property.accounts.counted import accounts
from tests.property.accounts.lives import ALL_THAT_FITS, CLOSES_ONLY, Life, brokers, lives
from tests.property.accounts.living import Event, Lived, live, live_in
from tests.property.accounts.scenes import Scene, scenes

from levsleeve.backtests.event_kinds import EventKind, Why
from levsleeve.backtests.external import LEAST_LEFT_USD
from levsleeve.backtests.tape import retaped
from levsleeve.margin.schedule import MINIMUM_EQUITY_USD


def calls_at_the_close(lived: Lived) -> list[Event]:
    return [e for e in lived.of(EventKind.MARGIN_CALL) if e.why == Why.EXCESS_LIQUIDITY]


def called_with(lived: Lived, call: Event, deposit: float) -> bool:
    """Whether the same life is called on that session with so much more paid in on it."""
    tape, t = lived.market.tape, call.session
    flows = tape.cash_flows.copy()
    flows[t] = lived.rows["flow:external"][t] + deposit
    market = replace(lived.market, tape=retaped(tape, cash_flows=flows))
    return t in {other.session for other in calls_at_the_close(live_in(lived.life, market))}


def test_the_deposit_that_a_call_states_cures_it_and_a_smaller_one_does_not() -> None:
    called: list[float] = []

    @accounts(200)
    @given(lives(broker=CLOSES_ONLY, first=ALL_THAT_FITS))
    def holds(life: Life) -> None:
        lived = live(life)
        for call in calls_at_the_close(lived)[:1]:
            called.append(call.price)
            stated = math.ceil(100.0 * call.price) / 100.0
            assert not called_with(lived, call, stated), call
            assert called_with(lived, call, call.price - 0.02 - lived.scale(call.session)), call

    holds()
    assert len(called) > 30


def test_a_call_that_waits_liquidates_on_its_session_unless_cured() -> None:
    met: dict[int, int] = {}

    @accounts(200)
    @given(lives(broker=brokers(call_policy="call"), first=ALL_THAT_FITS))
    def holds(life: Life) -> None:
        lived = live(life)
        a_call_waits_its_sessions(lived)
        for event in lived.events:
            met[event.why] = met.get(event.why, 0) + 1

    holds()
    assert min(met[Why.CALL_DUE], met[Why.CURED]) > 5


# -- dollars that leave ----------------------------------------------------------------------------


def with_a_quiet_end(scene: Scene, part: float) -> Scene:
    """One more session, on which no price moves and a part of the first cash is withdrawn."""
    return replace(
        scene,
        moves=(*scene.moves, 0.0),
        open_parts=(*scene.open_parts, 0.0),
        lows=(*scene.lows, 1.0),
        highs=(*scene.highs, 1.0),
        volatility=(*scene.volatility, scene.volatility[-1]),
        cash_flows={**scene.cash_flows, len(scene.moves): -part},
    )


QUIET_ENDS = st.builds(with_a_quiet_end, scenes(gaps=False), st.sampled_from([0.1, 0.5, 2.0]))


@accounts(200)
@given(lives(QUIET_ENDS, most_options=0))
def test_a_withdrawal_leaves_available_funds_and_the_minimum_equity(life: Life) -> None:
    last = len(life.scene.moves) - 1
    early = tuple(order for order in life.orders if order.session < last - 1)
    lived = live(replace(life, orders=early))
    if lived.sessions[-1] < last or lived.broker.ended:
        return
    rows = {name: column[last] for name, column in lived.rows.items()}
    paid, near = -rows["flow:external"], lived.scale(last)
    available = rows["equity_with_loan_value"] - rows["initial_margin"]
    shorts = (lived.columns("shares")[last] < 0.0).any()
    least = lived.market.tape.rules[last, MINIMUM_EQUITY_USD]
    above = rows["equity_with_loan_value"] - least
    unborrowed = -math.inf if shorts else rows["cash"]
    may_still_leave = min(available, max(unborrowed, above), rows["equity"] - LEAST_LEFT_USD)
    assert 0.0 <= paid <= -lived.market.tape.cash_flows[last]
    if paid > 0.0:
        assert may_still_leave >= -near
    if lived.of(EventKind.WITHDRAWAL_CUT, last) and not lived.of(EventKind.LIQUIDATION, last):
        assert may_still_leave <= near
