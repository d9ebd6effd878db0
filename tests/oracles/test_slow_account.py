"""The engine against an independent slow account, on every session, to a millionth of a dollar."""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.oracles.slow_runs import Run, engine_sessions, largest_difference, slow_sessions
from tests.oracles.slow_wild import switched_run, wild_run

from levsleeve.backtests.market import build_market
from levsleeve.backtests.prepare import prepare
from levsleeve.backtests.state import AFTER_SESSIONS
from levsleeve.backtests.study import read_study
from levsleeve.data.library import Library
from levsleeve.margin.rulebook import rulebook

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "backtests" / "quickstart.toml"
CRISIS = (date(2007, 6, 1), date(2010, 2, 26))
FIXED = date(2010, 4, 30)
TOLERANCE_USD = 1e-6
SLEEVES = ["bull", "bull-puts", "bull-inverse", "bear-long-inverse", "bear-short-bull"]
SETTINGS: dict[str, dict[str, Any]] = {
    "next open": {"fill": "next_open"},
    "same close": {"fill": "same_close"},
    "intraday": {"intraday": True},
    "intraday at opens": {"fill": "next_open", "intraday": True},
    "three sessions to cure": {"intraday": True, "call_sessions": 3.0},
}

SIZED = [
    *((setting, 1.0) for setting in SETTINGS),
    *((setting, 2.4) for setting in SETTINGS),
]
"""Settings, and times its own size: more than twice that, every sleeve is called."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library.open(tmp_path_factory.mktemp("bundled"))


def quickstart_run(library: Library, name: str, rules: date | None) -> Run:
    study = read_study(QUICKSTART)
    table = next(entry for entry in study.sleeve if entry.name == name)
    prepared = prepare(table, QUICKSTART)
    sleeve = prepared.strategy.described(SimpleNamespace(**prepared.parameters))
    market = build_market(library, sleeve.funds, CRISIS, rulebook(rules_as_of=rules))
    profile, model = market.rulebook.profile, study.volatility_model
    terms = study.account.terms(profile, market.symbols, model)
    return Run(market, sleeve, terms, study.account.cash_usd)


def compare(run: Run) -> tuple[float, list[list[str]]]:
    """Dollars between the two, and the kinds of events of each session."""
    engine = engine_sessions(run)
    return largest_difference(engine, slow_sessions(run)), [page.events for page in engine]


@pytest.mark.parametrize("rules", [FIXED, None], ids=["fixed rules", "dated rules"])
@pytest.mark.parametrize("name", SLEEVES)
def test_a_quickstart_sleeve_is_the_slow_accounts_through_the_crisis(
    library: Library, name: str, rules: date | None
) -> None:
    off, kinds = compare(quickstart_run(library, name, rules))
    assert off < TOLERANCE_USD
    assert any("split" in session for session in kinds)
    assert ["rule_change" in session for session in kinds].count(True) == (rules is None)


@pytest.mark.parametrize(("setting", "times"), SIZED)
@pytest.mark.parametrize("name", SLEEVES)
def test_a_quickstart_sleeve_of_any_size_is_the_slow_accounts_under_every_setting(
    library: Library, name: str, setting: str, times: float
) -> None:
    changes = dict(SETTINGS[setting])
    run = quickstart_run(library, name, FIXED)
    sessions = changes.pop("call_sessions", None)
    if sessions:
        waits = run.terms._replace(call_policy=AFTER_SESSIONS, call_sessions=sessions)
        run = replace(run, terms=waits)
    holdings = tuple(replace(h, weight=times * h.weight) for h in run.sleeve.holdings)
    sized = replace(run.sleeve, holdings=holdings, cap=times * run.sleeve.cap)
    off, kinds = compare(replace(run, sleeve=sized, **changes))
    assert off < TOLERANCE_USD
    if times > 1.0:
        assert any("margin_call" in session for session in kinds)


PLAIN_SEEDS = range(35, 60)
SWITCHED_SEEDS = (62, 100, 255, *range(160, 230))
"""The first meet what is rare: a call not cured at once, a closing that waits for a price, an
account emptied by its owner."""


@cache
def wild_difference(seed: int, *, switched: bool) -> tuple[float, frozenset[str]]:
    """Dollars between the two, and the kinds of events of the run."""
    off, kinds = compare(switched_run(seed) if switched else wild_run(seed))
    return off, frozenset(kind for session in kinds for kind in session)


@pytest.mark.parametrize("seed", PLAIN_SEEDS)
def test_a_wild_sleeve_is_the_slow_accounts(seed: int) -> None:
    assert wild_difference(seed, switched=False)[0] < TOLERANCE_USD


@pytest.mark.parametrize("seed", SWITCHED_SEEDS)
def test_a_wild_sleeve_is_the_slow_accounts_with_every_switch_drawn(seed: int) -> None:
    assert wild_difference(seed, switched=True)[0] < TOLERANCE_USD


def test_the_wild_sleeves_reach_every_kind_of_event() -> None:
    kinds = [wild_difference(seed, switched=True)[1] for seed in SWITCHED_SEEDS]
    assert frozenset().union(*kinds) == {
        "order_filled", "order_cut", "order_refused", "margin_call", "liquidation",
        "option_expired", "split", "wiped", "rule_change", "option_rolled", "call_met",
        "closed_out", "buy_in", "deposit", "withdrawal", "withdrawal_cut",
    }  # fmt: skip


def test_a_half_spread_one_percent_wider_is_told_apart() -> None:
    run = wild_run(1)
    wider = run.terms._replace(fund_spread_rates=1.01 * run.terms.fund_spread_rates)
    engine, slow = engine_sessions(run), slow_sessions(replace(run, terms=wider))
    assert abs(engine[-1].amounts[1] - slow[-1].amounts[1]) > TOLERANCE_USD


def test_a_call_that_waits_one_session_longer_is_told_apart() -> None:
    run = switched_run(163)
    longer = run.terms._replace(call_sessions=run.terms.call_sessions + 1.0)
    engine, slow = engine_sessions(run), slow_sessions(replace(run, terms=longer))
    assert [page.events for page in engine] != [page.events for page in slow]
