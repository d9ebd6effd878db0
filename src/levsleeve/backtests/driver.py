"""The Backtrader driver: one strategy of a study through the margin broker."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from traceback import walk_tb
from typing import Any

import backtrader as bt
import numpy as np

from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.feeds import fund_feed, slot_feed
from levsleeve.backtests.market import Market
from levsleeve.backtests.prepare import Prepared
from levsleeve.backtests.sleeve_market import Setting
from levsleeve.backtests.sleeve_run import SleeveRun
from levsleeve.errors import LevsleeveError, StudyError

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


def run_backtrader(
    study_path: Path, prepared: Prepared, setting: Setting, tell: Progress | None = None
) -> SleeveRun:
    """Run one prepared sleeve of a study through Backtrader.

    ``tell`` is called now and then with the number of sessions done since the last call.

    Raises
    ------
    StudyError
        If the strategy fails, naming it, the session and what would be right.
    """
    market, needs = setting.market, prepared.needs
    broker = MarginBroker(
        market=market,
        account=setting.account,
        terms=setting.terms,
        slots=needs.slots,
        on_shortfall=needs.on_shortfall,
    )
    try:
        run_market(prepared.strategy, prepared.parameters, market, broker, tell)
    except LevsleeveError:
        raise
    except Exception as error:
        first = broker.session < 0
        when = "as it starts" if first else f"on {market.sessions[broker.session]:%Y-%m-%d}"
        raise StudyError(
            f"{study_path}: sleeve {prepared.name}: {prepared.strategy.__name__} fails {when} with "
            f"{type(error).__name__}: {error}; {_remedy(error, needs.feeds)}"
        ) from error
    return SleeveRun(broker.account, broker.ledger.frame(), broker.event_rows)


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
