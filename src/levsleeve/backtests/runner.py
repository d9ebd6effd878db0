"""Run every sleeve of a study."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import backtrader as bt

from levsleeve.backtests.drive import Driver, described_sleeve, run_sleeve
from levsleeve.backtests.driver import Progress
from levsleeve.backtests.market import sessions_within
from levsleeve.backtests.planning import plan_of
from levsleeve.backtests.prepare import Prepared, prepare
from levsleeve.backtests.result import SleeveResult
from levsleeve.backtests.sleeve_market import market_of_sleeve, rulebook_of
from levsleeve.backtests.study import Study
from levsleeve.backtests.study_result import StudyResult
from levsleeve.data.library import Library
from levsleeve.errors import LevsleeveError, StudyError
from levsleeve.instruments.catalogue import bundled_indexes
from levsleeve.margin.charges import commission_plan, financing_plan, sale_fees
from levsleeve.margin.schedule import margin_rules
from levsleeve.pricing.volatility import MODELS, volatility_model

Runs = dict[str, SleeveResult]
Announce = Callable[[str, int], Progress]
"""Called with a run's name and number of sessions; what it returns is told the sessions done."""


def run_study(
    study: Study,
    study_path: Path,
    library: Library,
    announce: Announce | None = None,
    strategies: Mapping[str, type[bt.Strategy]] | None = None,
    driver: Driver = "backtrader",
) -> StudyResult:
    """Run the sleeves in order, then what the study asks to see beside them.

    Every sleeve is prepared and checked before the first one runs; ``strategies`` are those that
    are loaded already, by the sleeve's name.  ``driver`` runs what it can; a strategy of the user's
    own runs through Backtrader.
    """
    sessions = _checked_sessions(study, study_path, library)
    loaded = strategies or {}
    ready = [prepare(table, study_path, loaded.get(table.name)) for table in study.sleeve]
    _refuse_unheld(study, study_path, ready)
    for prepared in ready:
        _refuse_unplanned(study, study_path, prepared, library)

    def run_all(variant: Study, note: str, wanted: Sequence[Prepared]) -> Runs:
        runs = {}
        for prepared in wanted:
            tell = announce(f"{prepared.name}{note}", sessions) if announce else None
            runs[prepared.name] = run_sleeve(
                variant, study_path, prepared, library, driver=driver, tell=tell
            )
        return runs

    with_options = [entry for entry in ready if entry.needs.slots]
    rules, model = study.rules_beside, study.volatility_beside
    other_rules = study.model_copy(update={"rules_as_of": rules})
    other_model = study.model_copy(update={"volatility_model": model})
    return StudyResult(
        study=study,
        study_path=study_path,
        sleeves=run_all(study, "", ready),
        other_rules=run_all(other_rules, f", rules {rules}", [] if rules is None else ready),
        other_volatility=run_all(other_model, f", {model}", [] if model is None else with_options),
    )


def _refuse_unplanned(study: Study, study_path: Path, prepared: Prepared, library: Library) -> None:
    """Every sleeve has prices and rules that answer on its sessions."""
    market = market_of_sleeve(study, study_path, prepared.needs, library)
    sleeve = described_sleeve(prepared)
    if sleeve is not None:
        try:
            plan_of(sleeve, market)
        except LevsleeveError as error:
            raise StudyError(f"{study_path}: sleeve {prepared.name}: {error}") from error


def _refuse_unheld(study: Study, study_path: Path, ready: Sequence[Prepared]) -> None:
    """Costs and borrow terms name funds that some sleeve holds."""
    held = dict.fromkeys(fund for prepared in ready for fund in prepared.needs.funds)
    try:
        study.account.refuse_unheld(held)
    except StudyError as error:
        raise StudyError(f"{study_path}: {error}") from error


def _known_index(symbol: str) -> None:
    """Refuse a benchmark that is no bundled index."""
    known = bundled_indexes()
    if symbol not in known:
        raise StudyError(f"{symbol}: no bundled index of that name; {', '.join(known)} is right")


def _checked_sessions(study: Study, study_path: Path, library: Library) -> int:
    """How many sessions each run will have, once every name and date of the study is known."""
    profile = rulebook_of(study, study_path).profile

    def rules_of(chosen: object) -> None:
        if isinstance(chosen, date):
            margin_rules(chosen)
            sale_fees(chosen)

    lookups: dict[str, Callable[[], object]] = {
        "benchmark": lambda: _known_index(study.benchmark),
        "rules_as_of": lambda: rules_of(study.rules_as_of),
        "rules_beside": lambda: rules_of(study.rules_beside),
        "volatility_model": lambda: volatility_model(study.volatility_model),
        "volatility_beside": lambda: volatility_model(
            study.volatility_beside or next(iter(MODELS))
        ),
        "account.financing": lambda: financing_plan(
            study.account.financing or profile.financing, profile.financing_plan
        ),
        "account.commission": lambda: commission_plan(
            study.account.commission or profile.commission, profile.commission_plan
        ),
    }
    for key, look_up in lookups.items():
        try:
            look_up()
        except LevsleeveError as error:
            raise StudyError(f"{study_path}: {key}: {error}") from error
    try:
        return len(sessions_within(library.index(study.benchmark), (study.start, study.end)))
    except StudyError as error:
        raise StudyError(f"{study_path}: {error}") from error
