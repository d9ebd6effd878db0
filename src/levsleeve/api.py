"""The calls that the command line makes, for Python."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from levsleeve.backtests.drive import checked_driver
from levsleeve.backtests.request import Choices, request_of
from levsleeve.backtests.runner import Announce, run_study
from levsleeve.backtests.study import read_study
from levsleeve.backtests.study_result import StudyResult
from levsleeve.backtests.variants import run_variants
from levsleeve.backtests.workspace import Workspace
from levsleeve.data.library import Library
from levsleeve.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd


def run(  # noqa: PLR0913  (keywords, each with a default)
    study: str | Path | type[Any],
    *,
    funds: Sequence[str] | None = None,
    parameters: Mapping[str, float | int | str | bool] | None = None,
    settings: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    driver: str = "backtrader",
    announce: Announce | None = None,
) -> StudyResult:
    """Run a study, or a strategy alone; ledgers, events and figures are pandas frames.

    Parameters
    ----------
    study
        Path of a study (TOML) or of a strategy (``.py``), or a Backtrader strategy class.
        Strategies and prices are those of the workspace around the path, or around the current
        folder for a class.
    funds, parameters
        For a strategy alone: its feeds in order, UPRO unless named, and what replaces its own
        parameters.
    settings
        For a strategy alone: keys of a study file, ``{"start": date(2008, 1, 2), "account":
        {"cash_usd": 50_000.0}}``; unless set, the sessions and rules of the quickstart and
        100,000 dollars.  A table ``sleeve`` among them holds further keys of its sleeve.
    out
        Folder to write the run into, tear sheets included; None writes nothing but the cache.  What
        a killed run left beside it is cleared away.
    driver
        ``"backtrader"``, ``"kernel"`` (compiled; a strategy of your own still runs through
        Backtrader, as ``StudyResult.sleeves[NAME].driver`` says) or ``"both"``, which must agree.
    announce
        Called with each run's name and sessions; what it returns is told the sessions done.

    Raises
    ------
    LevsleeveError
        With one message that names the file, the key and what would be right.
    """
    from levsleeve.reports.publish import make_room, publish

    chosen = {"funds": funds, "parameters": parameters, "settings": settings}
    given = [name for name, choice in chosen.items() if choice is not None]
    if out is not None:
        make_room(Path(out))
    chosen_driver = checked_driver(driver)
    request = request_of(study, Choices(funds, parameters or {}, settings or {}), given)
    library = Library.open(Workspace.around(request.path).cache)
    result = run_study(
        request.study, request.path, library, announce, request.strategies, chosen_driver
    )
    if out is not None:
        publish(result, Path(out))
    return result


def run_many(
    study: str | Path,
    sleeve: str,
    variants: Sequence[Mapping[str, float | int | str | bool]],
    *,
    workers: int | None = None,
) -> "pd.DataFrame":
    """Run one sleeve of a study once for each variant, through the compiled driver, summed up.

    Parameters
    ----------
    study
        Path of a study (TOML).
    sleeve
        The name of one of its sleeves, whose strategy only describes a sleeve.
    variants
        Parameters of the strategy that replace those of the study, one mapping a run.
    workers
        Threads to run on; None: one a core.  The figures do not depend on it.

    Returns
    -------
    pd.DataFrame
        One row a variant, in order: its parameters, then return and risk (``cagr``,
        ``volatility``, ``sharpe``, ``max_drawdown``, ``expected_shortfall`` ...), margin
        (``peak_utilization``, ``lowest_cushion``, ``sessions_below_10_percent_cushion`` ...), the
        dollars of each ``flow:CAUSE`` and the number of each ``events:KIND`` over the run.

    Raises
    ------
    LevsleeveError
        With one message that names the file, the sleeve and what would be right.
    """
    path = Path(study)
    if path.suffix == ".py":
        raise StudyError(f"{path}: a strategy alone; variants are of a sleeve of a study (.toml)")
    library = Library.open(Workspace.around(path).cache)
    return run_variants(read_study(path), path, sleeve, variants, library, workers)
