"""A study of one sleeve, run by either driver; as a program, without pytest."""

import hashlib
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from tests.parity import Left
from tests.workspaces import REPOSITORY

from levsleeve import Sleeve, SleeveStrategy
from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.compiled_driver import run_compiled
from levsleeve.backtests.driver import run_market
from levsleeve.backtests.event_kinds import EventKind
from levsleeve.backtests.market import Market
from levsleeve.backtests.prepare import Prepared, prepare
from levsleeve.backtests.sleeve_market import Setting, market_of_sleeve
from levsleeve.backtests.study import Study, parse_study
from levsleeve.data.library import Library

STUDY_PATH = REPOSITORY / "backtests" / "parity.toml"
CRISIS = {"start": date(2008, 1, 2), "end": date(2010, 12, 31)}
"""Leveraged rates start in it, on 2009-12-01, and the bull splits under its puts on 2008-10-10."""


class Sleeved(NamedTuple):
    """A strategy by its file's name, or given itself, with the parameters that differ.

    ``on_shortfall`` says what becomes of its openings that available funds do not cover.
    """

    strategy: str
    parameters: Mapping[str, Any] = {}
    given: type[SleeveStrategy] | None = None
    on_shortfall: str = "cut"


class Run(NamedTuple):
    """A study of one sleeve, made ready for either driver."""

    study: Study
    prepared: Prepared
    market: Market


def ready(
    cache: Path,
    sleeve: Sleeved,
    account: Mapping[str, Any] | None = None,
    study: Mapping[str, Any] | None = None,
) -> Run:
    """A study of one sleeve with some keys of its account and of its head.

    It is over ``CRISIS`` unless its keys say otherwise.
    """
    parsed, prepared = _parsed(sleeve, account or {}, study or {})
    market = market_of_sleeve(parsed, STUDY_PATH, prepared.needs, Library.open(cache))
    return Run(parsed, prepared, market)


def ready_in(market: Market, sleeve: Sleeved, account: Mapping[str, Any]) -> Run:
    """The same in a market of its own, which brings the rules."""
    return Run(*_parsed(sleeve, account, {}), market)


def _parsed(
    sleeve: Sleeved, account: Mapping[str, Any], study: Mapping[str, Any]
) -> tuple[Study, Prepared]:
    entry = {
        "name": "one",
        "strategy": sleeve.strategy,
        "parameters": dict(sleeve.parameters),
        "on_shortfall": sleeve.on_shortfall,
    }
    head = {"schema": 1, "name": "parity", **CRISIS, **study}
    parsed = parse_study({**head, "account": dict(account), "sleeve": [entry]})
    return parsed, prepare(parsed.sleeve[0], STUDY_PATH, sleeve.given)


def by_backtrader(run: Run) -> Left:
    study, prepared, market = run
    broker = MarginBroker(
        market=market,
        account=study.account,
        terms=study.account.terms(market.rulebook.profile, market.symbols, study.volatility_model),
        slots=prepared.needs.slots,
        on_shortfall=prepared.needs.on_shortfall,
    )
    run_market(prepared.strategy, prepared.parameters, market, broker)
    return Left(broker.ledger.frame(), broker.event_rows, broker.account)


def by_the_kernel(run: Run) -> Left:
    study, prepared, market = run
    assert issubclass(prepared.strategy, SleeveStrategy)
    sleeve = prepared.strategy.described(SimpleNamespace(**prepared.parameters))
    terms = study.account.terms(market.rulebook.profile, market.symbols, study.volatility_model)
    cuts = prepared.needs.on_shortfall == "cut"
    left = run_compiled(Setting(market, terms, study.account, cuts), sleeve)
    return Left(left.ledger, left.event_rows, left.account)


def kinds_of(left: Left) -> set[EventKind]:
    return {EventKind(int(event[0])) for _, event in left.event_rows}


def describing(sleeve: Sleeve) -> type[SleeveStrategy]:
    """A strategy that describes this sleeve."""

    class Described(SleeveStrategy):
        """The sleeve at hand."""

        @classmethod
        def describe(cls, parameters: Any) -> Sleeve:  # noqa: ARG003
            return sleeve

    return Described


def short_run(cache: Path) -> Run:
    """Puts under a bull in the autumn of 2008, with calls, and a split under the puts."""
    puts = Sleeved("bull_3x_puts", {"weight": 1.3, "cap": 1.3, "moneyness": 0.9})
    span = {"start": date(2008, 8, 18), "end": date(2008, 11, 28)}
    return ready(cache, puts, study=span)


def digest(left: Left) -> str:
    """A hash of the bits of ledger and events."""
    bits = hashlib.sha256(np.ascontiguousarray(left.ledger.to_numpy()).tobytes())
    for session, event in left.event_rows:
        bits.update(session.to_bytes(4) + event.tobytes())
    return bits.hexdigest()


if __name__ == "__main__":
    run = short_run(Path(sys.argv[1]))
    sys.stdout.write(f"{digest(by_backtrader(run))} {digest(by_the_kernel(run))}")
