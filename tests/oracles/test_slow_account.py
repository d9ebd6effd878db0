"""The engine against an independent slow account, on every session, to a millionth of a dollar."""

from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.end_to_end.accounts import FREE
from tests.oracles.markets import wild_market
from tests.oracles.slow_account import SlowAccount
from tests.oracles.slow_rules import Fund, Plan, PutRule, Row, World

from levsleeve import Holding, ProtectivePut, Sleeve, SleeveStrategy
from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.driver import run_market
from levsleeve.backtests.events import events_frame
from levsleeve.backtests.market import Market, build_market
from levsleeve.backtests.prepare import prepare
from levsleeve.backtests.state import Terms
from levsleeve.backtests.study import read_study
from levsleeve.data.library import Library
from levsleeve.margin.charges import commission_plan, financing_plan
from levsleeve.margin.rulebook import rulebook
from levsleeve.pricing.volatility import volatility_model
from levsleeve.strategies.sleeve import Cadence

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "backtests" / "quickstart.toml"
CRISIS = (date(2007, 6, 1), date(2010, 2, 26))
TOLERANCE_USD = 1e-6
SLEEVES = ["bull", "bull-puts", "bull-inverse", "bear-long-inverse", "bear-short-bull"]


PRICEY = FREE._replace(
    fund_spread_rates=np.array([0.0002]),
    option_spread_rates=np.array([0.05]),
    option_spread_minimums_usd=np.array([0.05]),
    liquidation_penalty_rate=0.001,
    financing=financing_plan("ibkr"),
    commission=commission_plan("ibkr_fixed"),
)
IBKR_TIERED = commission_plan("ibkr_tiered")
TIERED = IBKR_TIERED._replace(share_ends=IBKR_TIERED.share_ends / 100.0, exercise_usd=15.0)
"""Tiers at a hundredth of the volumes, so that small accounts climb them, and a dear exercise."""


class AnySleeve(SleeveStrategy):
    """Whatever sleeve it is given."""

    params = (("sleeve", None),)

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:
        sleeve = parameters.sleeve
        assert isinstance(sleeve, Sleeve)
        return sleeve


def engine_rows(
    market: Market, sleeve: Sleeve, terms: Terms, cash: float
) -> tuple[pd.DataFrame, list[list[str]]]:
    """The engine's ledger, and the kinds of events of each session."""
    broker = MarginBroker(
        market=market, terms=terms, slots=sleeve.slots, on_shortfall="cut", cash=cash
    )
    run_market(AnySleeve, {"sleeve": sleeve}, market, broker)
    ledger = broker.ledger.frame()
    events = events_frame(broker.event_rows, market.sessions, market.symbols)
    kinds = [sorted(events.loc[events["session"] == session, "kind"]) for session in ledger.index]
    return ledger, kinds


def slow_rows(market: Market, sleeve: Sleeve, terms: Terms, cash: float, skew: str) -> list[Row]:
    """The same run by the slow account."""
    tape = market.tape
    world = World(
        dates=[stamp.date() for stamp in market.sessions],
        funds=[
            Fund(
                symbol=symbol,
                multiple=float(tape.multiples[0, i]),
                cost_rate=float(tape.cost_rates[0, i]),
                borrow_rate=float(tape.borrow_rates[0, i]),
                closes=tape.closes[:, i].tolist(),
                splits=tape.splits[:, i].tolist(),
                dividends=tape.dividends[:, i].tolist(),
            )
            for i, symbol in enumerate(market.symbols)
        ],
        bills=tape.bill_rates.tolist(),
        vix=tape.volatility.tolist(),
        expiries=[date.fromordinal(int(day)) for day in market.expiries],
        rules_on=market.rulebook.rules_as_of,
    )
    put = None
    if isinstance(sleeve.hedge, ProtectivePut):
        hedge = sleeve.hedge
        put = PutRule(
            market.symbols.index(hedge.fund), hedge.moneyness, hedge.tenor_days, hedge.coverage
        )
    plan = Plan(
        cash=cash,
        weights=[sleeve.targets[symbol] for symbol in market.symbols],
        cap=sleeve.cap,
        cadence=sleeve.rebalance,
        band=sleeve.band,
        put=put,
        half_spread=terms.fund_spread_rates[0],
        option_half_spread=terms.option_spread_rates[0],
        option_half_least=terms.option_spread_minimums_usd[0],
        penalty=terms.liquidation_penalty_rate,
        skew=skew,
        tier_scale=0.01 if terms.commission.share_ends[0] == 3e3 else None,
        exercise=terms.commission.exercise_usd,
    )
    return SlowAccount(world, plan).run()


def largest_difference(
    market: Market, sleeve: Sleeve, terms: Terms, cash: float, skew: str = "vix_standard_skew"
) -> tuple[float, list[list[str]]]:
    """Dollars (or shares) between the two on any session, events having been found equal."""
    ledger, kinds = engine_rows(market, sleeve, terms, cash)
    rows = slow_rows(market, sleeve, terms, cash, skew)
    assert len(ledger) == len(rows)
    assert kinds == [row.events for row in rows]
    slots = list(sleeve.slots)
    mine = np.array(
        [
            [r.cash, r.equity, r.maintenance, r.initial, r.special_memorandum, *r.shares]
            + [r.option_shares] * len(slots)
            for r in rows
        ]
    )
    columns = ["cash", "equity", "maintenance_margin", "initial_margin"]
    columns += ["special_memorandum_account"]
    columns += [f"shares:{name}" for name in (*market.symbols, *slots)]
    return float(np.abs(ledger[columns].to_numpy() - mine).max()), kinds


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library.open(tmp_path_factory.mktemp("bundled"))


@pytest.mark.parametrize("rules", [date(2010, 4, 30), None], ids=["fixed rules", "dated rules"])
@pytest.mark.parametrize("name", SLEEVES)
def test_a_quickstart_sleeve_is_the_slow_accounts_through_the_crisis(
    library: Library, name: str, rules: date | None
) -> None:
    study = read_study(QUICKSTART)
    table = next(entry for entry in study.sleeve if entry.name == name)
    prepared = prepare(table, QUICKSTART)
    sleeve = prepared.strategy.described(SimpleNamespace(**prepared.parameters))
    market = build_market(library, sleeve.funds, CRISIS, rulebook(rules_as_of=rules))
    profile, model = market.rulebook.profile, study.volatility_model
    terms = study.account.terms(profile, market.symbols, model)
    off, kinds = largest_difference(market, sleeve, terms, study.account.cash_usd)
    assert off < TOLERANCE_USD
    assert any("split" in session for session in kinds)
    assert ["rule_change" in session for session in kinds].count(True) == (rules is None)


SYMBOLS = [f"SP500?L={multiple}&E=0.9" for multiple in (3, 2, 1, -1, -2, -3)]


def wild_sleeve(seed: int) -> tuple[Sleeve, str, float]:
    """A sleeve far above what is prudent, a skew model and a starting cash, by chance."""
    rng = np.random.default_rng(seed)
    funds = [str(symbol) for symbol in rng.choice(SYMBOLS, rng.integers(1, 4), replace=False)]
    sides = rng.choice([1.0, 1.0, -1.0], len(funds))
    most = {1: 2.2, 2: 1.2, 3: 0.8}[len(funds)]
    weights = sides * rng.uniform(0.2, most, len(funds))
    hedge = None
    if weights[0] > 0 and rng.random() < 0.6:
        hedge = ProtectivePut(
            funds[0],
            moneyness=float(rng.uniform(0.7, 1.1)),
            tenor_days=float(rng.choice([7.0, 30.0, 60.0])),
            coverage=float(rng.choice([0.5, 1.0])),
        )
    cadences: list[Cadence] = ["daily", "weekly", "monthly", "monthly"]
    sleeve = Sleeve(
        tuple(Holding(fund, float(w)) for fund, w in zip(funds, weights, strict=True)),
        cap=9.0,
        hedge=hedge,
        rebalance=cadences[rng.integers(4)],
        band=float(rng.choice([0.0, 0.05])),
    )
    skew = str(rng.choice(["vix_standard_skew", "vix_linear_skew"]))
    return sleeve, skew, float(rng.choice([3_000.0, 40_000.0, 250_000.0]))


def wild_run(seed: int) -> tuple[Market, Sleeve, Terms, float, str]:
    sleeve, skew, cash = wild_sleeve(seed)
    rules = [None, date(2010, 4, 30), date(2005, 1, 3)][seed // 3 % 3]
    market = wild_market(seed, sleeve.funds, 140, start="2009-08-03", rules_as_of=rules)
    commission = TIERED if seed % 2 else PRICEY.commission
    terms = PRICEY._replace(volatility=volatility_model(skew), commission=commission)
    return market, sleeve, terms, cash, skew


SEEDS = range(35, 75)


@cache
def wild_difference(seed: int) -> tuple[float, frozenset[str]]:
    """Dollars between the two, and the kinds of events of the run."""
    off, kinds = largest_difference(*wild_run(seed))
    return off, frozenset(kind for session in kinds for kind in session)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_wild_sleeve_is_the_slow_accounts(seed: int) -> None:
    assert wild_difference(seed)[0] < TOLERANCE_USD


def test_the_wild_sleeves_reach_every_kind_of_event() -> None:
    assert frozenset().union(*(wild_difference(seed)[1] for seed in SEEDS)) == {
        "order_filled", "order_cut", "order_refused", "margin_call", "liquidation",
        "option_expired", "split", "wiped", "rule_change", "option_rolled",
    }  # fmt: skip


def test_a_half_spread_one_percent_wider_is_told_apart() -> None:
    market, sleeve, terms, cash, skew = wild_run(1)
    ledger, _ = engine_rows(market, sleeve, terms, cash)
    wider = terms._replace(fund_spread_rates=1.01 * terms.fund_spread_rates)
    rows = slow_rows(market, sleeve, wider, cash, skew)
    assert abs(ledger["equity"].iloc[-1] - rows[-1].equity) > TOLERANCE_USD
