"""Random sleeves leave the same in the compiled driver as through Backtrader, in every bit."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.parity import Left, first_difference
from tests.property.accounts.counted import accounts
from tests.property.accounts.lives import Life, brokers, sleeve_lives
from tests.property.accounts.living import Lived, live
from tests.property.accounts.scenes import scenes

from levsleeve.backtests.account_table import account_table
from levsleeve.backtests.compiled_driver import run_compiled
from levsleeve.backtests.event_kinds import EventKind
from levsleeve.backtests.sleeve_market import Setting
from levsleeve.strategies.limits import Caps
from levsleeve.strategies.stop_flight import StopFlight


def by_backtrader(lived: Lived) -> Left:
    broker = lived.broker
    return Left(broker.ledger.frame(), broker.event_rows, broker.account)


def by_the_kernel(lived: Lived) -> Left:
    life, broker = lived.life, lived.life.broker
    assert life.sleeve is not None
    keys = {
        "cash_usd": life.scene.cash, "fill": broker.fill, "intraday_test": broker.intraday_test,
    }  # fmt: skip
    cuts = broker.on_shortfall == "cut"
    setting = Setting(lived.market, broker.terms, account_table(keys), cuts)
    run = run_compiled(setting, life.sleeve)
    return Left(run.ledger, run.event_rows, run.account)


# -- lives that meet what is rare ------------------------------------------------------------------


def with_holdings(life: Life, weigh: Callable[[float], float]) -> Life:
    """Its sleeve at other weights of the funds that it holds."""
    assert life.sleeve is not None
    held = [replace(holding, weight=weigh(holding.weight)) for holding in life.sleeve.holdings]
    return replace(life, sleeve=replace(life.sleeve, holdings=tuple(held)))


def invested(life: Life) -> Life:
    """Its weights make one and a half of equity together."""
    assert life.sleeve is not None
    gross = sum(abs(holding.weight) for holding in life.sleeve.holdings)
    return with_holdings(life, lambda weight: 1.5 * weight / gross)


def short(life: Life) -> Life:
    """It is short of every fund."""
    return with_holdings(life, lambda weight: -abs(weight))


def gapped(life: Life) -> Life:
    """Its first fund lacks a price on every third session, and splits now with it, now before."""
    scene = life.scene
    gaps = range(2, len(scene.moves), 3)
    splits = {(0, t - t % 2): ratio for t, ratio in zip(gaps, (0.5, 1.5, 2.0), strict=False)}
    return replace(
        life, scene=replace(scene, missing=frozenset((0, t) for t in gaps), splits=splits)
    )


def shaken(life: Life) -> Life:
    """From the third session on the index falls and rises by turns, and cash comes in after it."""
    scene = life.scene
    moves = [-0.14 if t % 2 == 0 else 0.14 for t in range(len(scene.moves))]
    coming = dict.fromkeys(range(4, len(moves), 3), 1.0)
    return replace(
        life, scene=replace(scene, moves=(*scene.moves[:2], *moves[2:]), cash_flows=coming)
    )


def drained(life: Life) -> Life:
    """Cash is asked out on every third session: a little, then more than the account may pay."""
    scene, asked = life.scene, (-1e-4, -50.0)
    going = {t: asked[t // 3 % 2] for t in range(3, len(scene.moves), 3)}
    return replace(life, scene=replace(scene, cash_flows=going))


def recalled(life: Life) -> Life:
    """Half-way every lender wants the shares back, and lends them again on the last session."""
    scene = life.scene
    n, funds = len(scene.moves), range(len(scene.multiples))
    states = {(fund, n // 2): "recalled" for fund in funds}
    states |= {(fund, n - 1): "available" for fund in funds}
    return replace(life, scene=replace(scene, borrow_states=states))


def held_tight(life: Life) -> Life:
    """Its weights are set once, just at the cap, and whatever drifts above it is trimmed daily."""
    assert life.sleeve is not None
    free = replace(life.sleeve, cap=10.0, caps=Caps(), allocation=None, sizing=None, reserve=None)
    full = invested(replace(life, sleeve=replace(free, exits=None, stop_flight=None)))
    assert full.sleeve is not None
    cap = max(full.sleeve.leveraged_weight, 0.1)
    once = replace(full.sleeve, rebalance="once", rebalance_offset=0, cap=cap)
    return shaken(replace(full, sleeve=replace(once, caps=Caps(enforce="daily"))))


def on_a_ladder(life: Life) -> Life:
    """It is fully invested, and its margin utilization meets every rung sooner or later."""
    sleeve = life.sleeve
    assert sleeve is not None
    free = replace(sleeve, cap=10.0, caps=Caps(), sizing=None, reserve=None, allocation=None)
    ladder = StopFlight(
        warn=0.2, derisk=0.4, cut_to=0.3, flatten=0.9, cool_off_sessions=1, return_sessions=1
    )
    return invested(replace(life, sleeve=replace(free, stop_flight=ladder)))


class Kind(NamedTuple):
    """Random lives, and how many of 75 at least must meet what.

    What is drawn hangs on which modules are loaded, so that the numbers leave room.
    """

    lives: st.SearchStrategy[Life]
    least: Mapping[str, int]


WHO_WAIT_OR_CLOSE = brokers(call_policy="call") | brokers(call_policy="stop")
UNHEDGED = sleeve_lives(brokers(on_shortfall="cut"), scene=scenes(), hedges=("none",))
BOOKS_OF_RULES = ("finra", "relief", "headroom", "dated", "ibkr", "portfolio")
KINDS = {
    "any": Kind(
        sleeve_lives(scene=scenes()),
        {
            "order_filled": 20, "order_cut": 1, "order_refused": 2, "margin_call": 1,
            "liquidation": 1, "split": 2,
        },
    ),
    "puts": Kind(
        sleeve_lives(scene=scenes(), hedges=("put",)).map(gapped),
        {
            "option_rolled": 4, "option_expired": 2, "split_under_options": 2, "waited": 5,
            "rule_change": 1,
        },
    ),
    "calls": Kind(
        sleeve_lives(WHO_WAIT_OR_CLOSE, scene=scenes()).map(invested).map(shaken),
        {"margin_call": 2, "liquidation": 1, "closed_out": 1, "deposit": 10},
    ),
    "calls_met": Kind(
        sleeve_lives(brokers(call_policy="call"), scene=scenes()).map(invested).map(shaken),
        {"margin_call": 5, "call_met": 2},
    ),
    "ruled": Kind(
        sleeve_lives(scene=scenes(books=BOOKS_OF_RULES), ruled=True).map(shaken),
        {"exit": 4, "re_entry": 2, "order_filled": 20},
    ),
    "laddered": Kind(
        sleeve_lives(scene=scenes(), ruled=True).map(on_a_ladder), {"stop_flight": 20}
    ),
    "ruled_tightly": Kind(
        sleeve_lives(scene=scenes(books=BOOKS_OF_RULES), ruled=True).map(held_tight),
        {"cap_trimmed": 4, "order_filled": 25},
    ),
    "ruled_with_gaps": Kind(
        sleeve_lives(scene=scenes(), hedges=("put",), ruled=True).map(gapped),
        {"exit": 4, "waited": 8, "option_rolled": 3},
    ),
    "recalls": Kind(
        UNHEDGED.map(short).map(invested).map(recalled),
        {"buy_in": 8, "margin_call": 3, "liquidation": 2, "order_cut": 3, "wiped": 1},
    ),
    "drained": Kind(
        sleeve_lives(scene=scenes()).map(invested).map(drained),
        {"withdrawal": 2, "withdrawal_cut": 20},
    ),
}  # fmt: skip


def test_every_kind_of_event_must_be_met() -> None:
    kinds = {kind.name.lower() for kind in EventKind}
    assert kinds <= set().union(*(kind.least for kind in KINDS.values()))


def met_by(lived: Lived) -> set[str]:
    """What a life has met: kinds of events, orders that waited for a price, splits of options."""
    waited = [order for order in lived.broker.orders if "waited" in order.info]
    happened = {
        "waited": waited,
        "waited_and_filled": [order for order in waited if order.status == order.Completed],
        "waited_in_vain": [order for order in waited if order.status == order.Canceled],
        "waited_with_puts": [order for order in waited if "contract" in order.info],
        "split_under_options": [e for e in lived.of(EventKind.SPLIT) if e.place not in lived.funds],
    }
    met = {EventKind(event.kind).name.lower() for event in lived.events}
    return met | {name for name, found in happened.items() if found}


@pytest.mark.parametrize("kind", KINDS)
def test_random_sleeves_leave_the_same_in_both_drivers_and_meet_what_there_is(kind: str) -> None:
    met: Counter[str] = Counter()

    @accounts(75)
    @given(KINDS[kind].lives)
    def holds(life: Life) -> None:
        lived = live(life)
        assert first_difference(by_backtrader(lived), by_the_kernel(lived)) is None
        met.update(met_by(lived))

    holds()
    least = KINDS[kind].least
    assert {name: met[name] for name in least if met[name] < least[name]} == {}
