"""The Backtrader driver: one sleeve of a study through the margin broker."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import backtrader as bt
import numpy as np

from levsleeve.backtests.assumptions import assumptions_of
from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.events import events_frame
from levsleeve.backtests.feeds import fund_feed, slot_feed
from levsleeve.backtests.market import Market, build_market
from levsleeve.backtests.result import SleeveResult
from levsleeve.backtests.sleeve_strategy import SleeveStrategy
from levsleeve.backtests.study import SleeveTable, Study
from levsleeve.backtests.workspace import Workspace, load_strategy
from levsleeve.data.library import Library
from levsleeve.errors import LevsleeveError, StudyError
from levsleeve.margin.profile import load_profile
from levsleeve.margin.rulebook import Rulebook, rulebook
from levsleeve.strategies.sleeve import InverseLayer, ProtectivePut, Sleeve

Progress = Callable[[int], None]


class _Ticker(bt.Analyzer):
    """Counts sessions for a progress display."""

    params = (("tell", None), ("every", 100))

    def next(self) -> None:
        """Tell now and then how many sessions are done."""
        if len(self.strategy) % self.p.every == 0:
            self.p.tell(self.p.every)

    def stop(self) -> None:
        """Tell the rest."""
        self.p.tell(len(self.strategy) % self.p.every)


def rulebook_of(study: Study, study_path: Path) -> Rulebook:
    """The rulebook of a study: its broker's profile, its own switches, its date of the rules.

    Raises
    ------
    StudyError
        Naming the study file.
    """
    rules_as_of = study.rules_as_of if isinstance(study.rules_as_of, date) else None
    try:
        profile = load_profile(study.account.profile, study_path.parent)
        return rulebook(profile, study.account.policy, rules_as_of)
    except LevsleeveError as error:
        raise StudyError(f"{study_path}: account: {error}") from error


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sleeve of a study, its strategy loaded and described: ready to run any number of times."""

    name: str
    strategy: type[SleeveStrategy]
    parameters: dict[str, Any]
    sleeve: Sleeve


def prepare(table: SleeveTable, study_path: Path) -> Prepared:
    """Load a sleeve's strategy and describe the sleeve, refusing what cannot be run.

    Raises
    ------
    StudyError
        Naming the study file and the sleeve.
    """
    try:
        workspace = Workspace.around(study_path)
        strategy = load_strategy(workspace.strategy_file(table.strategy, study_path))
        if not issubclass(strategy, SleeveStrategy):
            raise StudyError(
                f"strategy: {strategy.__name__} is not a SleeveStrategy; a study file runs sleeves"
            )
        parameters = _parameters(strategy, table)
        return Prepared(table.name, strategy, parameters, _described(strategy, parameters))
    except LevsleeveError as error:
        raise StudyError(f"{study_path}: sleeve {table.name}: {error}") from error


def _described(strategy: type[SleeveStrategy], parameters: dict[str, Any]) -> Sleeve:
    """What a strategy file describes; a failure inside it is told in one line."""
    try:
        sleeve = strategy.describe(SimpleNamespace(**parameters))
    except LevsleeveError:
        raise
    except Exception as error:
        raise StudyError(
            f"{strategy.__name__}.describe: it fails with {type(error).__name__}: {error}; "
            "one that returns a Sleeve is right"
        ) from error
    if not isinstance(sleeve, Sleeve):
        raise StudyError(
            f"{strategy.__name__}.describe: it returns {type(sleeve).__name__}; a Sleeve is right"
        )
    return sleeve


def _parameters(strategy: type[SleeveStrategy], table: SleeveTable) -> dict[str, Any]:
    """The strategy's own parameters with the study's in their place, types agreeing."""
    values: dict[str, Any] = dict(strategy.params._getitems())
    for key, value in table.parameters.items():
        if key not in values:
            near = get_close_matches(key, values, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(values)}"
            raise StudyError(f"parameters.{key}: unknown to {strategy.__name__}; {hint}")
        if isinstance(values[key], float) and type(value) is int:
            value = float(value)
        if type(value) is not type(values[key]):
            raise StudyError(f"parameters.{key}: {value!r}; a value like {values[key]!r} is right")
        values[key] = value
    return values


def run_sleeve(
    study: Study,
    study_path: Path,
    prepared: Prepared,
    library: Library,
    *,
    tell: Progress | None = None,
) -> SleeveResult:
    """Run one prepared sleeve of a study.

    ``tell`` is called now and then with the number of sessions done since the last call.
    """
    strategy, sleeve = prepared.strategy, prepared.sleeve
    market = market_of_sleeve(study, study_path, sleeve, library)
    broker = MarginBroker(
        market=market,
        terms=study.account.terms(market.rulebook.profile, market.symbols, study.volatility_model),
        slots=sleeve.slots,
        on_shortfall=strategy.on_shortfall,
        fill=study.account.fill,
        intraday_test=study.account.intraday_test,
        cash=study.account.cash_usd,
    )
    try:
        run_market(strategy, prepared.parameters, market, broker, tell)
    except LevsleeveError:
        raise
    except Exception as error:
        on = market.sessions[max(broker.session, 0)]
        raise StudyError(
            f"{study_path}: sleeve {prepared.name}: {strategy.__name__} fails on {on:%Y-%m-%d} "
            f"with {type(error).__name__}: {error}; a strategy that runs is right"
        ) from error
    kinds = {ProtectivePut: "protective_put", InverseLayer: "inverse_layer", type(None): "none"}
    layer = (sleeve.hedge.fund,) if isinstance(sleeve.hedge, InverseLayer) else ()
    return SleeveResult(
        name=prepared.name,
        study=study.name,
        starting_cash_usd=study.account.cash_usd,
        ledger=broker.ledger.frame(),
        events=events_frame(broker.event_rows, market.sessions, market.symbols),
        benchmark_returns=market.benchmark_returns.rename(f"{study.benchmark} TR"),
        bill_returns=market.bill_returns,
        costs_usd={
            name: float(cost) for name, cost in zip(broker.names, broker.account.costs, strict=True)
        },
        hedge=kinds[type(sleeve.hedge)],
        hedge_places=sleeve.slots or layer,
        assumptions=assumptions_of(study, market, sleeve),
        data_hashes=market.data_hashes,
        rules_as_of=str(study.rules_as_of),
        hedge_relief=market.rulebook.policy.hedge_relief,
        margin_mode=market.rulebook.policy.margin_mode,
        volatility_model=study.volatility_model,
        wiped=broker.wiped,
    )


def market_of_sleeve(study: Study, study_path: Path, sleeve: Sleeve, library: Library) -> Market:
    """The Market that a sleeve of a study trades in.

    Raises
    ------
    StudyError
        If a fund or a price is missing, naming the study file.
    """
    rules = rulebook_of(study, study_path)
    try:
        market = build_market(
            library, sleeve.funds, (study.start, study.end), rules, study.benchmark
        )
        _refuse_unpriced(sleeve, market)
    except LevsleeveError as error:
        raise StudyError(f"{study_path}: {error}") from error
    return market


def run_market(
    strategy: type[bt.Strategy],
    parameters: dict[str, Any],
    market: Market,
    broker: MarginBroker,
    tell: Progress | None = None,
) -> MarginBroker:
    """Run a Backtrader strategy over a Market; the broker that comes back holds the account."""
    cerebro, tape = bt.Cerebro(stdstats=False), market.tape
    cerebro.setbroker(broker)
    for i, symbol in enumerate(market.symbols):
        prices = np.column_stack(
            [tape.opens[:, i], tape.highs[:, i], tape.lows[:, i], tape.closes[:, i]]
        )
        cerebro.adddata(fund_feed(market.sessions, prices), name=symbol)
    for slot in broker.p.slots:
        cerebro.adddata(slot_feed(market.sessions), name=slot)
    cerebro.addstrategy(strategy, **parameters)
    if tell is not None:
        cerebro.addanalyzer(_Ticker, tell=tell)
    cerebro.run()
    return broker


def _refuse_unpriced(sleeve: Sleeve, market: Market) -> None:
    """A put needs a volatility on every session from the first."""
    if isinstance(sleeve.hedge, ProtectivePut) and np.isnan(market.tape.volatility).any():
        priced = market.sessions[~np.isnan(market.tape.volatility)]
        first = f"{priced[0]:%Y-%m-%d}" if len(priced) else "no session at all"
        raise StudyError(
            f"start: {market.sessions[0]:%Y-%m-%d} has no implied volatility, so puts cannot be "
            f"priced; it starts {first}"
        )
