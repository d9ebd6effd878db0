"""Random lives of an account: a scene, a broker, and orders beyond reason or a sleeve."""

from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, get_args

import backtrader as bt
import numpy as np
from hypothesis import strategies as st
from tests.end_to_end.accounts import FREE
from tests.property.accounts.scenes import Scene, scenes
from tests.property.accounts.vocabulary import ruled_sleeves

from levsleeve.backtests.account_table import CALL_POLICIES
from levsleeve.backtests.state import FRACTIONAL_SHARES, WHOLE_SHARES, Terms
from levsleeve.margin.charges import commission_plan, financing_plan
from levsleeve.strategies.cadence import CADENCES
from levsleeve.strategies.sleeve import (
    Hedge,
    Holding,
    InverseLayer,
    ProtectivePut,
    Sleeve,
)

PRICEY = FREE._replace(
    fund_spread_rates=np.array([0.0005]),
    option_spread_rates=np.array([0.05]),
    option_spread_minimums_usd=np.array([0.05]),
    liquidation_penalty_rate=0.002,
    financing=financing_plan("ibkr"),
    commission=commission_plan("ibkr_fixed"),
)
SLOTS = ("one", "two")
FILLS = ("next_close", "next_open", "same_close")
Right = Literal["put", "call"]
KINDS = {
    "market": bt.Order.Market,
    "close": bt.Order.Close,
    "limit": bt.Order.Limit,
    "stop": bt.Order.Stop,
    "stop_limit": bt.Order.StopLimit,
    "trail": bt.Order.StopTrail,
}


@dataclass(frozen=True)
class Order:
    """Signed shares of a fund, none to close what is held; its price is a factor of the mark."""

    session: int
    fund: int
    shares: float
    kind: str = "market"
    price_factor: float = 1.0
    sessions_valid: int | None = None


@dataclass(frozen=True)
class OptionOrder:
    """Signed contracts in a slot: they open one on the fund, or add to or reduce what it holds."""

    session: int
    slot: int
    fund: int
    contracts: float
    right: Right = "put"
    moneyness: float = 1.0
    days: int = 10


@dataclass(frozen=True)
class Broker:
    """How a broker charges, calls and fills."""

    pricey: bool = False
    fractional: bool = False
    call_policy: str = "ibkr"
    call_sessions: int = 1
    fill: str = "next_close"
    intraday_test: bool = False
    on_shortfall: str = "refuse"

    @property
    def terms(self) -> Terms:
        return (PRICEY if self.pricey else FREE)._replace(
            share_parts=FRACTIONAL_SHARES if self.fractional else WHOLE_SHARES,
            call_policy=CALL_POLICIES[self.call_policy],
            call_sessions=float(self.call_sessions),
        )


@dataclass(frozen=True)
class Life:
    scene: Scene
    broker: Broker
    orders: tuple[Order, ...] = ()
    options: tuple[OptionOrder, ...] = ()
    sleeve: Sleeve | None = None


def brokers(**given: Any) -> st.SearchStrategy[Broker]:
    """Any broker, but for what is given."""
    anything = {
        "pricey": (False, True),
        "fractional": (False, True),
        "call_policy": tuple(CALL_POLICIES),
        "call_sessions": (1, 2, 3),
        "fill": FILLS,
        "intraday_test": (False, True),
        "on_shortfall": ("cut", "refuse"),
    }
    choices = {**anything, **{name: (choice,) for name, choice in given.items()}}
    return st.sampled_from(
        [Broker(**dict(zip(choices, chosen, strict=True))) for chosen in product(*choices.values())]
    )


ANY_BROKER = brokers()
CLOSES_ONLY = brokers(fill="next_close", intraday_test=False) | brokers(
    fill="same_close", intraday_test=False
)
"""Brokers that look at closes alone."""
WAYS: list[tuple[str, float, int | None]] = list(
    product(["market", "market", *KINDS], [1.0, 0.9, 0.99, 1.01, 1.1], [None, None, 1, 3])
)
"""Kind, price factor and sessions valid of an order."""
FACTS: list[tuple[Right, float, int]] = list(
    product(get_args(Right), [1.0, 0.8, 0.95, 1.1, 1.4], [2, 3, 5, 8, 20])
)
"""Right, moneyness and days of an option."""
ANY_SHARES = st.integers(-9000, 9000).map(float)
ALL_THAT_FITS = st.sampled_from([1e6, -1e6])
"""More than any account can pay: where orders are cut, they take all its available funds."""


def orders(scene: Scene) -> st.SearchStrategy[Order]:
    """Orders from a share to more than any account can pay, fractions included."""
    whole = st.integers(-4000, 4000).map(float)
    shares = st.one_of(whole, whole, whole.map(lambda count: count / 7.0), st.just(0.0))
    places = st.sampled_from(list(product(range(len(scene.moves)), range(len(scene.multiples)))))
    return st.builds(
        lambda at, count, way: Order(at[0], at[1], count, way[0], way[1], way[2]),
        places,
        shares,
        st.sampled_from(WAYS),
    )


def option_orders(scene: Scene) -> st.SearchStrategy[OptionOrder]:
    """Puts and calls, bought and written, to be held to their end or not."""
    places = list(product(range(len(scene.moves)), range(len(SLOTS)), range(len(scene.multiples))))
    contracts = st.one_of(st.integers(-8, 8), st.integers(-80, 80)).map(float)
    return st.builds(
        lambda at, count, fact: OptionOrder(at[0], at[1], at[2], count, fact[0], fact[1], fact[2]),
        st.sampled_from(places),
        contracts,
        st.sampled_from(FACTS),
    )


@st.composite
def lives(
    draw: st.DrawFn,
    scene: st.SearchStrategy[Scene] | None = None,
    broker: st.SearchStrategy[Broker] = ANY_BROKER,
    *,
    first: st.SearchStrategy[float] = ANY_SHARES | ALL_THAT_FITS,
    most_options: int = 4,
) -> Life:
    """A life of plain orders, the first of them at the first close."""
    drawn = draw(scenes() if scene is None else scene)
    plain, option = orders(drawn), option_orders(drawn)
    return Life(
        scene=drawn,
        broker=draw(broker),
        orders=(Order(0, 0, draw(first)), *draw(st.lists(plain, max_size=8))),
        options=tuple(draw(st.lists(option, max_size=most_options))),
    )


@st.composite
def sleeve_lives(
    draw: st.DrawFn,
    broker: st.SearchStrategy[Broker] = ANY_BROKER,
    *,
    scene: st.SearchStrategy[Scene] | None = None,
    hedges: tuple[str, ...] = ("none", "put", "layer"),
    ruled: bool = False,
) -> Life:
    """A life of a sleeve under one of the hedges, where it can have that.

    In scenes of its own each of its funds has a price on every session.  One that is ``ruled`` has
    a sizing rule, a policy and what watches it, too.
    """
    drawn = draw(scenes(gaps=False) if scene is None else scene)
    weights = st.integers(-150, 200).filter(bool).map(lambda percent: percent / 100.0)
    held = [Holding(symbol, draw(weights)) for symbol in drawn.symbols]
    hedge = draw(st.sampled_from(hedges))
    cadence = draw(st.sampled_from(CADENCES))
    sleeve = Sleeve(
        holdings=tuple(held[:-1] if _layer(drawn, held) and hedge == "layer" else held),
        cap=10.0,
        hedge=_hedge(draw, drawn, held, hedge),
        rebalance=cadence,
        band=draw(st.sampled_from([0.0, 0.05] if cadence != "band" else [0.02, 0.05])),
    )
    if ruled:
        sleeve = draw(ruled_sleeves(sleeve, len(drawn.moves)))
    return Life(drawn, draw(broker), sleeve=sleeve)


def _layer(scene: Scene, held: list[Holding]) -> bool:
    """Whether the last fund can be bought against the others."""
    exposure = sum(h.weight * m for h, m in zip(held[:-1], scene.multiples[:-1], strict=True))
    most = 6.0 * abs(scene.multiples[-1])  # beside twice equity in two funds
    return exposure * scene.multiples[-1] < 0.0 and abs(exposure) <= most


def _hedge(draw: st.DrawFn, scene: Scene, held: list[Holding], kind: str) -> Hedge | None:
    """A put on the first fund if it is held long, an inverse layer of the last, or nothing."""
    if kind == "put" and held[0].weight > 0.0:
        moneyness = draw(st.sampled_from([0.7, 0.85, 1.0, 1.2]))
        return ProtectivePut(held[0].fund, moneyness, draw(st.sampled_from([5.0, 30.0])))
    if kind == "layer" and _layer(scene, held):
        return InverseLayer(held[-1].fund, draw(st.sampled_from([0.25, 1.0])))
    return None
