"""The calls that the command line makes, for Python."""

from pathlib import Path

from levsleeve.backtests.runner import Announce, run_study
from levsleeve.backtests.study import read_study
from levsleeve.backtests.study_result import StudyResult
from levsleeve.backtests.workspace import Workspace
from levsleeve.data.library import Library


def run(
    study: str | Path, *, out: str | Path | None = None, announce: Announce | None = None
) -> StudyResult:
    """Run a study file and return its ledgers, events and figures as pandas frames.

    Parameters
    ----------
    study
        Path of the TOML file; strategies and prices are those of its workspace.
    out
        Folder to write the run into, tear sheets included; None writes nothing but the cache.
    announce
        Called with each run's name and sessions; what it returns is told the sessions done.

    Raises
    ------
    LevsleeveError
        With one message that names the file, the key and what would be right.
    """
    from levsleeve.reports.publish import publish, refuse_foreign

    path = Path(study)
    if out is not None:
        refuse_foreign(Path(out))
    parsed = read_study(path)
    library = Library.open(Workspace.around(path).cache)
    result = run_study(parsed, path, library, announce)
    if out is not None:
        publish(result, Path(out))
    return result
