"""Sleeves in the market and the account of the quickstart study, for either driver."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from benchmarks.timing import ROOT, Call

from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.compiled_driver import NO_ROWS, NOTHING, run_compiled, ways_of
from levsleeve.backtests.driver import run_market
from levsleeve.backtests.kernel import Record, live
from levsleeve.backtests.memory import clear_memory, no_memory
from levsleeve.backtests.needs import Needs
from levsleeve.backtests.planning import plan_of
from levsleeve.backtests.prepare import prepare
from levsleeve.backtests.sleeve_market import Setting, market_of_sleeve
from levsleeve.backtests.sleeve_strategy import SleeveStrategy
from levsleeve.backtests.state import begin_account, new_account
from levsleeve.backtests.study import Study, read_study
from levsleeve.backtests.tally import N_COUNTS
from levsleeve.backtests.waiting import clear_orders, no_orders
from levsleeve.data.library import Library
from levsleeve.strategies.sleeve import Holding, Sleeve

STUDY = ROOT / "backtests" / "quickstart.toml"
LEAST_SHARE = 0.6
"""The lightest of many sleeves has this share of the weights of the sleeve itself."""


class Described(SleeveStrategy):
    """A sleeve that is at hand already, as a strategy of the Backtrader driver."""

    params = (("sleeve", None),)

    @classmethod
    def describe(cls, parameters: SimpleNamespace) -> Sleeve:
        """The sleeve."""
        sleeve: Sleeve = parameters.sleeve
        return sleeve


@dataclass(frozen=True)
class Case:
    """A sleeve, and what its runs have in common."""

    setting: Setting
    sleeve: Sleeve

    @property
    def sessions(self) -> int:
        """How many sessions a run has."""
        return len(self.setting.market.sessions)

    def through_backtrader(self) -> pd.DataFrame:
        """The ledger of a run through the Backtrader driver."""
        setting = self.setting
        broker = MarginBroker(
            market=setting.market,
            account=setting.account,
            terms=setting.terms,
            slots=self.sleeve.slots,
            on_shortfall="cut",
        )
        run_market(Described, {"sleeve": self.sleeve}, setting.market, broker)
        return broker.ledger.frame()

    def through_kernel(self) -> pd.DataFrame:
        """The ledger of a run through the compiled driver."""
        return run_compiled(self.setting, self.sleeve).ledger

    def compiled_alone(self) -> Call:
        """A run that is only summed up, as one compiled call with everything at hand."""
        setting, n_funds = self.setting, len(self.setting.market.funds)
        plan, ways = plan_of(self.sleeve, setting.market), ways_of(setting, keeps=False)
        cash_usd, n_slots = setting.account.cash_usd, len(self.sleeve.slots)
        account, orders = new_account(cash_usd, n_funds, n_slots), no_orders(n_funds, n_slots)
        memory = no_memory(n_funds)
        out = Record(NO_ROWS, NOTHING, np.zeros(N_COUNTS), np.zeros(self.sessions))

        def run() -> None:
            begin_account(account, cash_usd)
            clear_orders(orders)
            clear_memory(memory)
            live(account, orders, memory, setting.market.tape, setting.terms, plan, ways, out)

        return run

    def spread(self, runs: int) -> list[Sleeve]:
        """So many sleeves that differ in their weights, the last one the sleeve itself."""
        return [_scaled(self.sleeve, share) for share in np.linspace(LEAST_SHARE, 1.0, runs)]


def _scaled(sleeve: Sleeve, share: float) -> Sleeve:
    """The sleeve with that share of its weights."""
    holdings = tuple(Holding(held.fund, held.weight * share) for held in sleeve.holdings)
    return replace(sleeve, holdings=holdings)


def quickstart_case(name: str, prices: Path, sessions: int | None = None) -> Case:
    """A sleeve of the study by its name, over its first sessions or all of them."""
    library, study = Library.open(prices), read_study(STUDY)
    (table,) = [table for table in study.sleeve if table.name == name]
    prepared = prepare(table, STUDY)
    describe = getattr(prepared.strategy, "described")  # noqa: B009  (a SleeveStrategy's)
    sleeve: Sleeve = describe(SimpleNamespace(**prepared.parameters))
    return case_of(sleeve, study, library, sessions)


def even_case(funds: Sequence[str], prices: Path, sessions: int | None = None) -> Case:
    """A sleeve without a hedge that holds the funds at equal weights, half of equity in all."""
    holdings = tuple(Holding(fund, 0.5 / len(funds)) for fund in funds)
    sleeve = Sleeve(holdings=holdings, cap=0.6)
    return case_of(sleeve, read_study(STUDY), Library.open(prices), sessions)


def case_of(sleeve: Sleeve, study: Study, library: Library, sessions: int | None) -> Case:
    """A sleeve in the market and the account of a study."""
    if sessions is not None:
        calendar = library.index(study.benchmark).sessions
        within = calendar[calendar >= pd.Timestamp(study.start)]
        study = study.model_copy(update={"end": within[sessions - 1].date()})
    market = market_of_sleeve(study, STUDY, Needs(sleeve.funds, sleeve.slots), library)
    profile, model = market.rulebook.profile, study.volatility_model
    terms = study.account.terms(profile, market.symbols, model)
    return Case(Setting(market, terms, study.account), sleeve)
