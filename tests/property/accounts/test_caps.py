"""Tries to break the policy of a sleeve: whatever a random sizing rule asks, every cap holds."""

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from hypothesis import given
from tests.property.accounts.counted import LIVED, TOTAL, accounts
from tests.property.accounts.lives import Life, brokers, sleeve_lives
from tests.property.accounts.scenes import market_in, scenes

from levsleeve import Sleeve
from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.driver import run_market
from levsleeve.backtests.market import Market
from levsleeve.backtests.measures import net_liquidation
from levsleeve.backtests.sleeve_strategy import SleeveStrategy
from levsleeve.backtests.waiting import DECIDED_ON, TARGET
from levsleeve.compiled import Floats
from levsleeve.strategies.limits import Reserve

ROUNDING = 1e-9
NEAR = 0.01
"""Of a bound that binds."""


class Aim(NamedTuple):
    """Shares aimed at, or held, at the close of a session, and what the account is worth."""

    session: int
    shares: Floats
    equity: float


class Witness(SleeveStrategy):
    """Carries out a life's sleeve and notes what it aims at whenever it orders anything."""

    params = (("life", None),)

    @classmethod
    def describe(cls, parameters: object) -> Sleeve:
        sleeve = parameters.life.sleeve  # type: ignore[attr-defined]
        assert isinstance(sleeve, Sleeve)
        return sleeve

    def __init__(self) -> None:
        super().__init__()
        self.aims: list[Aim] = []

    def next(self) -> None:
        broker, t = self.broker, self.broker.session
        account, n = broker.account, len(broker.market.funds)
        held, equity = account.book.shares.copy(), net_liquidation(account)
        super().next()
        orders = self.decided[:n]
        decided = orders[:, DECIDED_ON] == t
        if equity > 0.0 and not broker.ended and decided.any():
            aimed = np.where(decided & ~np.isnan(orders[:, TARGET]), orders[:, TARGET], held)
            self.aims.append(Aim(t, aimed, equity))


class Lived(NamedTuple):
    market: Market
    broker: MarginBroker
    strategy: Witness


def witnessed(life: Life) -> Lived:
    LIVED[TOTAL] += 1
    market, sleeve = market_in(life.scene), life.sleeve
    assert sleeve is not None
    broker = MarginBroker(
        market=market, terms=life.broker.terms, slots=sleeve.slots, cash=life.scene.cash,
        on_shortfall=life.broker.on_shortfall, fill=life.broker.fill,
    )  # fmt: skip
    run_market(Witness, {"life": life}, market, broker)
    return Lived(market, broker, broker.cerebro.runningstrats[0])


class Bound(NamedTuple):
    """A quantity that a policy bounds, and its bound."""

    name: str
    found: float
    most: float


def bounds(lived: Lived, sleeve: Sleeve, aim: Aim, slack: float) -> list[Bound]:
    """What the policy bounds, from weights that rounding may have moved by ``slack`` turns."""
    market, t, caps = lived.market, aim.session, sleeve.caps
    weights = aim.shares * market.tape.closes[t] / aim.equity
    leveraged = np.array([fund.is_leveraged for fund in market.funds])
    multiples = np.array([fund.multiple for fund in market.funds])
    gross = np.abs(weights)[leveraged]
    found = [Bound("cap", float(gross.sum()), sleeve.cap)]
    if caps.single_fund is not None:
        found.append(Bound("single_fund", float(gross.max(initial=0.0)), caps.single_fund))
    if caps.delta is not None:
        found.append(Bound("delta", abs(float(weights @ multiples)), caps.delta + slack))
    if caps.risk_share is not None and t >= caps.risk_window:
        seen = market.history.funds[t - caps.risk_window + 1 : t + 1]
        covariances, missed = np.atleast_2d(np.cov(seen.T)), slack / np.abs(multiples).min()
        parts = weights * (covariances @ weights)
        moved = 2.0 * missed * (np.abs(covariances) @ (np.abs(weights) + missed)).sum()
        allowed = caps.risk_share * parts.sum() + 2.0 * moved + 1e-6 * np.abs(parts).sum()
        found.append(Bound("risk_share", float(parts[leveraged].sum()), float(allowed)))
    if sleeve.reserve is not None:
        found += reserve_bounds(lived, sleeve.reserve, weights, t, slack)
    return found


def reserve_bounds(
    lived: Lived, reserve: Reserve, weights: Floats, t: int, slack: float
) -> list[Bound]:
    """What must be left of equity above margin after each move, with the signs turned."""
    market, plan = lived.market, lived.strategy.plan
    leveraged = np.array([fund.is_leveraged for fund in market.funds])
    multiples = np.array([fund.multiple for fund in market.funds])
    rates = np.where(leveraged, np.maximum(plan.rates[t], reserve.house_rate), plan.rates[t])
    worth = np.cumprod(1.0 + market.history.index)
    moves = [
        worth[end] / worth[start] - 1.0
        for end in range(t + 1)
        for start in range(max(0, end - reserve.reset_sessions), end)
    ]
    fall = max([0.0, *(-move for move in moves)]) if reserve.fall == "history" else reserve.fall
    rise = max([0.0, *moves]) if reserve.rise == "history" else reserve.rise
    found = []
    for move in (0.0, -fall, rise):
        after = np.maximum(1.0 + multiples * move, 0.0)
        left = 1.0 + weights @ (after - 1.0) - rates @ np.abs(weights * after)
        most = slack * (1.0 + after.max()) - reserve.keep
        found.append(Bound(f"reserve after {move:.3f}", -float(left), float(most)))
    return found


def slack_of(lived: Lived, life: Life, aim: Aim) -> float:
    """Turns of index exposure that whole parts of shares may miss their weights by."""
    multiples = np.abs([fund.multiple for fund in lived.market.funds])
    parts = life.broker.terms.share_parts
    return float(multiples @ lived.market.tape.closes[aim.session]) / parts / aim.equity


RULED = sleeve_lives(brokers(intraday_test=False), scene=scenes(gaps=False), ruled=True)


def test_at_every_decision_the_weights_that_are_aimed_at_obey_the_policy() -> None:
    met: Counter[str] = Counter()

    @accounts(150)
    @given(RULED)
    def holds(life: Life) -> None:
        lived = witnessed(life)
        assert life.sleeve is not None
        for aim in lived.strategy.aims:
            slack = slack_of(lived, life, aim)
            for bound in bounds(lived, life.sleeve, aim, slack):
                assert bound.found <= bound.most + ROUNDING, (bound, aim)
                met[bound.name.split()[0]] += bound.most - bound.found < NEAR

    holds()
    assert set(met) == {"cap", "single_fund", "delta", "risk_share", "reserve"}
    assert min(met.values()) >= 2


def enforced(life: Life) -> Life:
    """Its caps are enforced daily, no ladder sells first, and sales cost nothing."""
    sleeve = life.sleeve
    assert sleeve is not None
    caps = sleeve.caps.model_copy(update={"enforce": "daily"})
    scene = replace(life.scene, charges_sales=False)
    return replace(life, scene=scene, sleeve=replace(sleeve, caps=caps, stop_flight=None))


AT_ONCE = sleeve_lives(
    brokers(fill="same_close", intraday_test=False, pricey=False, on_shortfall="cut"),
    scene=scenes(gaps=False), hedges=("none", "layer"), ruled=True,
).map(enforced)  # fmt: skip


@accounts(60)
@given(AT_ONCE)
def test_a_cap_that_is_enforced_daily_holds_at_the_end_of_every_session(life: Life) -> None:
    lived, sleeve = witnessed(life), life.sleeve
    assert sleeve is not None
    frame = lived.broker.ledger.frame()
    leveraged = [fund for fund in lived.market.funds if fund.is_leveraged]
    for _, row in frame[frame["equity"] > 0.0].iterrows():
        weights = [abs(row[f"value:{fund.symbol}"]) / row["equity"] for fund in leveraged]
        assert sum(weights) <= sleeve.cap + ROUNDING
        if sleeve.caps.single_fund is not None:
            assert max(weights, default=0.0) <= sleeve.caps.single_fund + ROUNDING


LATER = sleeve_lives(
    brokers(fill="next_close", intraday_test=False, pricey=False, on_shortfall="cut"),
    scene=scenes(gaps=False), hedges=("none", "layer"), ruled=True,
).map(enforced)  # fmt: skip


@accounts(60)
@given(LATER)
def test_after_its_fill_a_trim_obeys_but_for_the_move_since_it_was_decided(life: Life) -> None:
    lived, sleeve = witnessed(life), life.sleeve
    assert sleeve is not None
    frame, tape = lived.broker.ledger.frame(), lived.market.tape
    leveraged = [i for i, fund in enumerate(lived.market.funds) if fund.is_leveraged]
    names = [f"shares:{lived.market.funds[i].symbol}" for i in leveraged]
    for t in range(len(frame) - 1):
        now, later = frame.iloc[t], frame.iloc[t + 1]
        if now["equity"] > 0.0 and not (tape.splits[t + 1] != 1.0).any():
            decided = later[names].abs().to_numpy() * tape.closes[t, leveraged] / now["equity"]
            assert decided.sum() <= sleeve.cap + ROUNDING
