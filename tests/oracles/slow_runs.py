"""One run twice: by the engine through Backtrader and by the slow account, and how far apart."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from tests.oracles.slow_account import SlowAccount
from tests.oracles.slow_rules import Fund, Plan, PutRule, Row, World

from levsleeve import ProtectivePut, Sleeve, SleeveStrategy
from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.driver import run_market
from levsleeve.backtests.events import events_frame
from levsleeve.backtests.market import Market
from levsleeve.backtests.state import Terms
from levsleeve.compiled import Floats

TOTALS = [
    "cash",
    "equity",
    "maintenance_margin",
    "initial_margin",
    "special_memorandum_account",
]
BORROW_WORDS = ("available", "unavailable", "recalled")
POLICY_WORDS = ("at once", "wait", "close out")


@dataclass(frozen=True)
class Run:
    """A sleeve in a market under the terms and switches of an account."""

    market: Market
    sleeve: Sleeve
    terms: Terms
    cash: float
    skew: str = "vix_standard_skew"
    fill: str = "next_close"
    intraday: bool = False


@dataclass(frozen=True)
class Session:
    """What one of the two has at a session's end; ``deposits`` are those that calls stated."""

    amounts: list[float]
    events: list[str]
    deposits: list[float]


class AnySleeve(SleeveStrategy):
    """Whatever sleeve it is given."""

    params = (("sleeve", None),)

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:
        sleeve = parameters.sleeve
        assert isinstance(sleeve, Sleeve)
        return sleeve


def engine_broker(run: Run) -> MarginBroker:
    broker = MarginBroker(
        market=run.market,
        terms=run.terms,
        slots=run.sleeve.slots,
        on_shortfall="cut",
        cash=run.cash,
        fill=run.fill,
        intraday_test=run.intraday,
    )
    return run_market(AnySleeve, {"sleeve": run.sleeve}, run.market, broker)


def engine_sessions(run: Run) -> list[Session]:
    broker = engine_broker(run)
    ledger = broker.ledger.frame()
    places = [f"shares:{name}" for name in (*run.market.symbols, *run.sleeve.slots)]
    kinds: dict[pd.Timestamp, list[str]] = {session: [] for session in ledger.index}
    deposits: dict[pd.Timestamp, list[float]] = {session: [] for session in ledger.index}
    events = events_frame(broker.event_rows, run.market.sessions, run.market.symbols)
    for session, kind, price in zip(
        events["session"], events["kind"], events["price"], strict=True
    ):
        kinds[session].append(kind)
        if kind == "margin_call":
            deposits[session].append(price)
    amounts = ledger[TOTALS + places].to_numpy().tolist()
    return [
        Session(row, sorted(kinds[session]), sorted(deposits[session]))
        for session, row in zip(ledger.index, amounts, strict=True)
    ]


def slow_sessions(run: Run) -> list[Session]:
    rows = SlowAccount(world_of(run.market, run.terms), plan_of(run)).run()
    return [_slow_session(row, len(run.sleeve.slots)) for row in rows]


def _slow_session(row: Row, n_slots: int) -> Session:
    totals = [row.cash, row.equity, row.maintenance, row.initial, row.special_memorandum]
    amounts = totals + row.shares + [row.option_shares] * n_slots
    return Session(amounts, row.events, row.deposits)


def world_of(market: Market, terms: Terms) -> World:
    tape, n = market.tape, len(market.symbols)

    def by_fund(rates: Floats) -> list[float]:
        return [float(rate) for rate in np.broadcast_to(rates, (n,))]

    spreads = by_fund(terms.fund_spread_rates)
    option_spreads = by_fund(terms.option_spread_rates)
    option_least = by_fund(terms.option_spread_minimums_usd)
    funds = [
        Fund(
            symbol=symbol,
            multiple=float(tape.multiples[0, i]),
            cost_rate=float(tape.cost_rates[0, i]),
            half_spread=spreads[i],
            option_half_spread=option_spreads[i],
            option_half_least=option_least[i],
            borrow_rates=tape.borrow_rates[:, i].tolist(),
            borrow_states=[BORROW_WORDS[int(state)] for state in tape.borrow_states[:, i]],
            opens=tape.opens[:, i].tolist(),
            lows=tape.lows[:, i].tolist(),
            highs=tape.highs[:, i].tolist(),
            closes=tape.closes[:, i].tolist(),
            splits=tape.splits[:, i].tolist(),
            dividends=tape.dividends[:, i].tolist(),
        )
        for i, symbol in enumerate(market.symbols)
    ]
    return World(
        dates=[stamp.date() for stamp in market.sessions],
        funds=funds,
        bills=tape.bill_rates.tolist(),
        vix=tape.volatility.tolist(),
        expiries=[date.fromordinal(int(day)) for day in market.expiries],
        cash_flows=tape.cash_flows.tolist(),
        rules_on=market.rulebook.rules_as_of,
    )


def plan_of(run: Run) -> Plan:
    sleeve, terms, symbols = run.sleeve, run.terms, run.market.symbols
    put = None
    if isinstance(sleeve.hedge, ProtectivePut):
        hedge = sleeve.hedge
        put = PutRule(symbols.index(hedge.fund), hedge.moneyness, hedge.tenor_days, hedge.coverage)
    return Plan(
        cash=run.cash,
        weights=[sleeve.targets[symbol] for symbol in symbols],
        cap=sleeve.cap,
        cadence=sleeve.rebalance,
        band=sleeve.band,
        put=put,
        fill=run.fill,
        intraday=run.intraday,
        on_call=POLICY_WORDS[int(terms.call_policy)],
        call_sessions=int(terms.call_sessions),
        parts=int(terms.share_parts),
        cash_account=run.market.rulebook.policy.margin_mode == "cash",
        penalty=terms.liquidation_penalty_rate,
        skew=run.skew,
        tier_scale=0.01 if terms.commission.share_ends[0] == 3e3 else None,
        exercise=terms.commission.exercise_usd,
    )


def largest_difference(engine: list[Session], slow: list[Session]) -> float:
    """Dollars (or shares) between the two on any session, events having been found equal."""
    assert [session.events for session in engine] == [session.events for session in slow]
    apart = [
        abs(one - other)
        for mine, theirs in zip(engine, slow, strict=True)
        for one, other in zip(
            mine.amounts + mine.deposits, theirs.amounts + theirs.deposits, strict=True
        )
    ]
    return max(apart)
