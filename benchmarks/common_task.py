"""The task that every engine can do: funds at target weights in an account that lends nothing.

Sizes are set at a close and traded at that same close, for five basis points of what is traded;
cash earns nothing and nothing else costs anything.  Prices are the funds' whole history in the
shares of the first session, so that no engine needs to know of splits.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cases import STUDY, Case, case_of
from numpy.typing import NDArray

from levsleeve.backtests.account_table import account_table
from levsleeve.backtests.study import read_study
from levsleeve.backtests.tape import retaped
from levsleeve.compiled import Floats
from levsleeve.data.library import Library
from levsleeve.margin.charges import FinancingPlan, financing_plan
from levsleeve.strategies.cadence import Cadence, rebalance_sessions
from levsleeve.strategies.sleeve import Holding, Sleeve

CASH_USD = 100_000.0
COST_RATE = 0.0005
SHARE_PARTS = 10_000.0
"""Parts of a share that trade, where fractions do."""
LEAST_SHARE = 0.6
"""The first of many configurations has this share of the first fund's weight."""

ACCOUNT = {
    "cash_usd": CASH_USD,
    "commission": "none",
    "fund_half_spread_rate": COST_RATE,
    "fill": "same_close",
    "fractional_shares": True,
    "policy": {"margin_mode": "cash"},
}


@dataclass(frozen=True)
class Task:
    """The sleeve in its market, and the same as plain arrays."""

    case: Case

    @cached_property
    def closes(self) -> pd.DataFrame:
        """Dollars, by session and fund."""
        market = self.case.setting.market
        return pd.DataFrame(
            market.tape.closes.copy(), index=market.sessions, columns=list(market.symbols)
        )

    @property
    def weights(self) -> Floats:
        """Fractions of equity, by fund."""
        return np.array([*self.case.sleeve.targets.values()])

    @cached_property
    def due(self) -> NDArray[np.bool_]:
        """Whether sizes are set, by session."""
        return rebalance_sessions(self.case.setting.market.sessions, self.case.sleeve.rebalance)

    def configurations(self, number: int) -> list[Sleeve]:
        """So many sleeves that differ in the weight of the first fund, the last one its own."""
        first, *others = self.case.sleeve.holdings
        return [
            replace(self.case.sleeve, holdings=(Holding(first.fund, weight), *others))
            for weight in first.weight * np.linspace(LEAST_SHARE, 1.0, number)
        ]


def task_of(
    weights: Mapping[str, float], cadence: Cadence, prices: Path, sessions: int | None = None
) -> Task:
    """The task for funds without distributions, over the bundled history or its first sessions."""
    library, study = Library.open(prices), read_study(STUDY)
    calendar = library.index(study.benchmark).sessions
    study = study.model_copy(
        update={
            "start": calendar[0].date(),
            "end": calendar[-1].date(),
            "account": account_table(ACCOUNT),
        }
    )
    holdings = tuple(Holding(fund, weight) for fund, weight in weights.items())
    sleeve = Sleeve(holdings=holdings, cap=1.0, rebalance=cadence)
    case = case_of(sleeve, study, library, sessions)
    market, terms = case.setting.market, case.setting.terms
    tape = market.tape
    closes = tape.closes * np.cumprod(tape.splits, axis=0)
    tape = retaped(
        tape,
        **dict.fromkeys(("opens", "highs", "lows", "closes"), closes),
        splits=np.ones_like(closes),
        sale_fees=np.zeros_like(tape.sale_fees),
    )
    free = terms._replace(financing=_no_interest())
    return Task(
        replace(case, setting=replace(case.setting, market=replace(market, tape=tape), terms=free))
    )


def _no_interest() -> FinancingPlan:
    """A plan under which no balance pays or earns anything."""
    everything = {"up_to_usd": math.inf}
    plan = {
        "source": "this benchmark",
        "standing": "assumed",
        "day_count_basis": 365.0,
        "full_rate_net_liquidation_usd": 0.0,
        "least_debit_rate": 0.0,
        "borrow_markup": 1.0,
        "borrow_round_up_usd": 0.0,
        "debit": [everything | {"spread": 0.0}],
        "credit": [everything],
        "short_proceeds": [everything],
    }
    return financing_plan("no_interest", {"no_interest": plan})


Trade = Callable[[Floats, Floats, Floats], Floats]
"""Shares bought (> 0) or sold, of dollars wanted in each fund, its price and the shares held."""


def any_fraction(wanted_usd: Floats, price_usd: Floats, held: Floats) -> Floats:
    """Whatever fraction of a share brings the fund to its weight of the value before costs."""
    return wanted_usd / price_usd - held


def ten_thousandths(wanted_usd: Floats, price_usd: Floats, held: Floats) -> Floats:
    """The same, the holding rounded down to what trades."""
    return np.floor(wanted_usd / price_usd * SHARE_PARTS) / SHARE_PARTS - held


def cost_inside(wanted_usd: Floats, price_usd: Floats, held: Floats) -> Floats:
    """The dollars missing are spent costs included, those in excess are raised costs deducted."""
    missing_usd = wanted_usd - held * price_usd
    return missing_usd / (price_usd * (1.0 + COST_RATE * np.sign(missing_usd)))


def ending_usd(
    closes: Floats, weights: Sequence[float] | Floats, due: NDArray[np.bool_], trade: Trade
) -> float:
    """What the account is worth at the end, by plain arithmetic."""
    cash, held = CASH_USD, np.zeros(closes.shape[1])
    for price, trades in zip(closes, due, strict=True):
        if trades:
            bought = trade(np.asarray(weights) * (cash + held @ price), price, held)
            cash -= bought @ price + COST_RATE * (np.abs(bought) @ price)
            held = held + bought
    return float(cash + held @ closes[-1])
