"""Run every sleeve of a study."""

from collections.abc import Callable
from pathlib import Path

from levsleeve.backtests.driver import Progress, prepare, run_sleeve
from levsleeve.backtests.study import Study
from levsleeve.backtests.study_result import StudyResult
from levsleeve.data.library import Library

Announce = Callable[[str], Progress]
"""Called with a sleeve's name before it runs; what it returns is told the sessions done."""


def run_study(
    study: Study, study_path: Path, library: Library, announce: Announce | None = None
) -> StudyResult:
    """Run the sleeves in order, each again under the second rulebook where one is asked for.

    Every sleeve is described and checked before the first one runs.
    """
    for table in study.sleeve:
        prepare(table, study_path)
    sleeves, others = {}, {}
    for table in study.sleeve:
        tell = announce(table.name) if announce else None
        sleeves[table.name] = run_sleeve(study, study_path, table, library, tell=tell)
        if study.rules_beside is not None:
            tell = announce(f"{table.name}, rules {study.rules_beside}") if announce else None
            others[table.name] = run_sleeve(
                study, study_path, table, library, beside=True, tell=tell
            )
    return StudyResult(study, study_path, sleeves, others)
