"""One sleeve of a study, through Backtrader, the compiled driver, or both."""

from pathlib import Path
from types import SimpleNamespace
from typing import Literal, cast, get_args

from levsleeve.backtests.assumptions import assumptions_of
from levsleeve.backtests.compiled_driver import run_compiled
from levsleeve.backtests.driver import Progress, run_backtrader
from levsleeve.backtests.events import events_frame
from levsleeve.backtests.prepare import Prepared
from levsleeve.backtests.result import SleeveResult
from levsleeve.backtests.sleeve_market import Setting, setting_of_sleeve
from levsleeve.backtests.sleeve_run import SleeveRun, first_difference
from levsleeve.backtests.sleeve_strategy import SleeveStrategy
from levsleeve.backtests.state import CLOSED_OUT, ENDED, WIPED_OUT
from levsleeve.backtests.study import Study
from levsleeve.data.library import Library
from levsleeve.errors import ParityError, StudyError
from levsleeve.strategies.own_rule import OwnRule
from levsleeve.strategies.sleeve import Sleeve

Driver = Literal["backtrader", "kernel", "both"]
DRIVERS = get_args(Driver)


def checked_driver(driver: str) -> Driver:
    """A driver by its name.

    Raises
    ------
    StudyError
        If there is none of that name.
    """
    for known in DRIVERS:
        if driver == known:
            return cast("Driver", known)
    raise StudyError(f"driver: {driver!r}; one of {', '.join(DRIVERS)} is right")


def described_sleeve(prepared: Prepared) -> Sleeve | None:
    """The sleeve that a prepared strategy describes; None where it describes none."""
    if not issubclass(prepared.strategy, SleeveStrategy):
        return None
    return prepared.strategy.described(SimpleNamespace(**prepared.parameters))


def compiled_sleeve(prepared: Prepared) -> Sleeve | None:
    """The sleeve that the compiled driver can run; None for a strategy of the user's own.

    Only what a ``SleeveStrategy`` describes is compiled; one that also acts by itself is not, nor
    one whose own sizing rule sees the account.
    """
    sleeve = described_sleeve(prepared)
    if sleeve is None or prepared.strategy.acts_by_itself():
        return None
    asked_on_the_way = isinstance(sleeve.rule, OwnRule) and sleeve.rule.reads_account
    return None if asked_on_the_way else sleeve


def run_sleeve(
    study: Study,
    study_path: Path,
    prepared: Prepared,
    library: Library,
    *,
    driver: Driver = "backtrader",
    tell: Progress | None = None,
) -> SleeveResult:
    """Run one prepared sleeve of a study.

    A strategy of the user's own runs through Backtrader whatever ``driver`` says.  ``tell`` is
    called now and then with the number of sessions done since the last call.

    Raises
    ------
    ParityError
        If both drivers ran and do not agree in every bit.
    """
    setting = setting_of_sleeve(study, study_path, prepared.needs, library)
    sleeve = compiled_sleeve(prepared) if driver != "backtrader" else None
    if sleeve is None:
        left = run_backtrader(study_path, prepared, setting, tell)
        return _result(study, prepared, setting, left, "backtrader")
    left = run_compiled(setting, sleeve)
    if driver == "both":
        reference = run_backtrader(study_path, prepared, setting, tell)
        apart = first_difference(reference, left, setting.market.symbols)
        if apart:
            raise ParityError(f"{study_path}: sleeve {prepared.name}: {apart}")
    elif tell is not None:
        tell(len(setting.market.sessions))
    return _result(study, prepared, setting, left, driver)


def _result(
    study: Study, prepared: Prepared, setting: Setting, left: SleeveRun, driver: Driver
) -> SleeveResult:
    """What a run left, with what it stands on."""
    market, needs, ended = setting.market, prepared.needs, left.account.money[ENDED]
    names = (*market.symbols, *needs.slots)
    sleeve = described_sleeve(prepared)
    return SleeveResult(
        name=prepared.name,
        study=study.name,
        driver=driver,
        starting_cash_usd=study.account.cash_usd,
        ledger=left.ledger,
        events=events_frame(left.event_rows, market.sessions, market.symbols),
        benchmark_returns=market.benchmark_returns.rename(f"{study.benchmark} TR"),
        bill_returns=market.bill_returns,
        costs_usd=dict(zip(names, left.account.costs.tolist(), strict=True)),
        slots=needs.slots,
        hedge=needs.hedge,
        hedge_places=needs.hedge_places,
        assumptions=assumptions_of(study, market, needs, sleeve),
        data_hashes=market.data_hashes,
        rules_as_of=str(study.rules_as_of),
        hedge_relief=market.rulebook.policy.hedge_relief,
        margin_mode=market.rulebook.policy.margin_mode,
        volatility_model=study.volatility_model,
        wiped=bool(ended == WIPED_OUT),
        closed_out=bool(ended == CLOSED_OUT),
        sleeve=sleeve,
    )
