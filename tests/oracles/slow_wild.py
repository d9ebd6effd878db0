"""Accounts drawn at random: sleeves far above what is prudent, and every switch by chance."""

from dataclasses import replace
from datetime import date

import numpy as np
from tests.end_to_end.accounts import FREE
from tests.oracles.markets import wild_market
from tests.oracles.slow_runs import Run

from levsleeve import Holding, ProtectivePut, Sleeve
from levsleeve.backtests.market import Market
from levsleeve.backtests.state import FRACTIONAL_SHARES, WHOLE_SHARES, Terms
from levsleeve.backtests.tape import retaped
from levsleeve.compiled import Floats
from levsleeve.margin.charges import commission_plan, financing_plan
from levsleeve.margin.rulebook import Rulebook, rulebook
from levsleeve.pricing.volatility import volatility_model
from levsleeve.strategies.cadence import Cadence

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
SYMBOLS = [f"SP500?L={multiple}&E=0.9" for multiple in (3, 2, 1, -1, -2, -3)]
N_SESSIONS = 140


def wild_sleeve(seed: int) -> tuple[Sleeve, str, float]:
    """A sleeve, a skew model and a starting cash."""
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


def wild_run(seed: int, book: Rulebook | None = None) -> Run:
    """An account whose orders fill at the next close, as the plainest study has it."""
    sleeve, skew, cash = wild_sleeve(seed)
    rules = [None, date(2010, 4, 30), date(2005, 1, 3)][seed // 3 % 3]
    market = wild_market(
        seed, sleeve.funds, N_SESSIONS, start="2009-08-03", rules_as_of=rules, book=book
    )
    commission = TIERED if seed % 2 else PRICEY.commission
    terms = PRICEY._replace(volatility=volatility_model(skew), commission=commission)
    return Run(market, sleeve, terms, cash, skew)


def switched_run(seed: int) -> Run:
    """The same with every switch drawn."""
    rng = np.random.default_rng(10_000 + seed)
    cash_account = rulebook(switches={"margin_mode": "cash"})
    run = wild_run(seed, cash_account if rng.random() < 0.15 else None)
    return replace(
        run,
        market=wilder(rng, run.market, run.cash),
        terms=wild_terms(rng, run.terms, len(run.market.symbols)),
        fill=str(rng.choice(["next_close", "next_open", "same_close"])),
        intraday=bool(rng.random() < 0.5),
    )


def wild_terms(rng: np.random.Generator, terms: Terms, n_funds: int) -> Terms:
    """Spreads of each fund's own, a call policy, whole or fractional shares."""
    return terms._replace(
        fund_spread_rates=rng.uniform(0.0, 0.002, n_funds),
        option_spread_rates=rng.uniform(0.0, 0.2, n_funds),
        option_spread_minimums_usd=rng.uniform(0.0, 0.1, n_funds),
        share_parts=float(rng.choice([WHOLE_SHARES, FRACTIONAL_SHARES])),
        call_policy=float(rng.choice([0.0, 1.0, 1.0, 2.0])),
        call_sessions=float(rng.integers(1, 5)),
    )


def wilder(rng: np.random.Generator, market: Market, cash: float) -> Market:
    """Prices within the day, missing closes, dated cash, rates and borrow by session."""
    tape, shape = market.tape, market.tape.closes.shape
    before = np.vstack([tape.closes[:1], tape.closes[:-1]]) / tape.splits
    opens = before * np.exp(rng.normal(0.0, 0.01, shape))
    wide = rng.exponential(0.01, (2, *shape)) + rng.choice([0.0, 0.1], (2, *shape), p=[0.97, 0.03])
    missing = (rng.random(shape) < 0.03) & (rng.random() < 0.4)
    missing[0] = False
    rates = rng.uniform(0.0, 0.05, (shape[0],))
    flows = np.where(rng.random(shape[0]) < 0.06, rng.normal(0.0, 0.3 * cash, shape[0]), 0.0)
    changed = retaped(
        tape,
        opens=np.where(missing, np.nan, opens),
        lows=np.where(missing, np.nan, np.minimum(opens, tape.closes) * np.exp(-wide[0])),
        highs=np.where(missing, np.nan, np.maximum(opens, tape.closes) * np.exp(wide[1])),
        closes=np.where(missing, np.nan, tape.closes),
        cash_flows=flows * (rng.random() < 0.6),
        borrow_rates=rng.uniform(0.0, 0.1, shape),
        borrow_states=spells(rng, shape) * (rng.random() < 0.6),
        bill_rates=rates,
        benchmark_rates=rates,
    )
    return replace(market, tape=changed)


def spells(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Borrow states that last some sessions each."""
    states = np.zeros(shape)
    for i in range(shape[1]):
        for start in rng.integers(0, shape[0], 8):
            states[start : start + rng.integers(1, 8), i] = rng.choice([1.0, 2.0])
    return states
