"""The Backtrader driver: one strategy of a study through the margin broker."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from traceback import walk_tb
from typing import Any

import backtrader as bt
import numpy as np

from levsleeve.backtests.account_market import market_of_account
from levsleeve.backtests.assumptions import assumptions_of
from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.events import events_frame
from levsleeve.backtests.feeds import fund_feed, slot_feed
from levsleeve.backtests.market import Market, build_market
from levsleeve.backtests.needs import Needs
from levsleeve.backtests.prepare import Prepared
from levsleeve.backtests.result import SleeveResult
from levsleeve.backtests.study import Study
from levsleeve.data.library import Library
from levsleeve.errors import LevsleeveError, StudyError
from levsleeve.margin.profile import load_profile
from levsleeve.margin.rulebook import Rulebook, rulebook

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
    strategy, needs = prepared.strategy, prepared.needs
    market = market_of_sleeve(study, study_path, needs, library)
    broker = MarginBroker(
        market=market,
        account=study.account,
        terms=study.account.terms(market.rulebook.profile, market.symbols, study.volatility_model),
        slots=needs.slots,
        on_shortfall=needs.on_shortfall,
    )
    try:
        run_market(strategy, prepared.parameters, market, broker, tell)
    except LevsleeveError:
        raise
    except Exception as error:
        first = broker.session < 0
        when = "as it starts" if first else f"on {market.sessions[broker.session]:%Y-%m-%d}"
        raise StudyError(
            f"{study_path}: sleeve {prepared.name}: {strategy.__name__} fails {when} with "
            f"{type(error).__name__}: {error}; {_remedy(error, needs.feeds)}"
        ) from error
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
        slots=needs.slots,
        hedge=needs.hedge,
        hedge_places=needs.hedge_places,
        assumptions=assumptions_of(study, market, needs),
        data_hashes=market.data_hashes,
        rules_as_of=str(study.rules_as_of),
        hedge_relief=market.rulebook.policy.hedge_relief,
        margin_mode=market.rulebook.policy.margin_mode,
        volatility_model=study.volatility_model,
        wiped=broker.wiped,
        closed_out=broker.closed_out,
    )


def _remedy(error: Exception, feeds: Sequence[str]) -> str:
    """What would be right instead of a failure: more feeds, where it asked for one it has not."""
    if str(error) == "array assignment index out of range":  # as Backtrader says it
        return "an indicator needs more sessions than the run has; a longer run is right"
    *_, (innermost, _line) = walk_tb(error.__traceback__)
    reads_feeds = {"datas", "datasbyname"} & {*innermost.f_code.co_names}
    lacks = reads_feeds and re.search(
        "^list index out of range|^not enough values to unpack", str(error)
    )
    unnamed = reads_feeds and isinstance(error, KeyError)
    numbered = re.search(r"no attribute 'data(\d+)", str(error))
    if lacks or unnamed or (numbered and int(numbered[1]) >= len(feeds)):
        count = f"{len(feeds)} feed{'s' if len(feeds) > 1 else ''}"
        return f"it was given {count} ({', '.join(feeds)}); --funds or funds = [...] names more"
    return "a strategy that runs is right"


def market_of_sleeve(study: Study, study_path: Path, needs: Needs, library: Library) -> Market:
    """The Market that a sleeve of a study trades in.

    Raises
    ------
    StudyError
        If a fund or a price is missing, naming the study file.
    """
    rules = rulebook_of(study, study_path)
    try:
        market = build_market(
            library, needs.funds, (study.start, study.end), rules, study.benchmark
        )
        market = market_of_account(market, study.account, study_path.parent)
        _refuse_unpriced(needs, market)
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


def _refuse_unpriced(needs: Needs, market: Market) -> None:
    """An option needs a volatility on every session from the first."""
    if needs.slots and np.isnan(market.tape.volatility).any():
        priced = market.sessions[~np.isnan(market.tape.volatility)]
        first = f"{priced[0]:%Y-%m-%d}" if len(priced) else "no session at all"
        raise StudyError(
            f"start: {market.sessions[0]:%Y-%m-%d} has no implied volatility, so options cannot "
            f"be priced; it starts {first}"
        )
