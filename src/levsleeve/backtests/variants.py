"""Variants of one sleeve of a study, summed up by the compiled driver."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from levsleeve.backtests.batch import summaries
from levsleeve.backtests.drive import compiled_sleeve
from levsleeve.backtests.prepare import Prepared, prepare
from levsleeve.backtests.sleeve_market import setting_of_sleeve
from levsleeve.backtests.study import ParameterValue, SleeveTable, Study
from levsleeve.data.library import Library
from levsleeve.errors import StudyError
from levsleeve.strategies.sleeve import Sleeve

Variant = Mapping[str, ParameterValue]


def run_variants(
    study: Study,
    study_path: Path,
    name: str,
    variants: Sequence[Variant],
    library: Library,
    workers: int | None = None,
) -> pd.DataFrame:
    """Run the sleeve ``name`` once for each variant: parameters that replace those of the study.

    Returns
    -------
    pd.DataFrame
        One row a variant, in order: what it replaced, then the columns of ``batch.summaries``.

    Raises
    ------
    StudyError
        If the study has no such sleeve, a variant cannot be run, or the strategy is the user's own,
        which only Backtrader runs.
    """
    table = _sleeve_table(study, study_path, name)
    if not variants:
        raise StudyError(f"{study_path}: sleeve {name}: no variants; at least one is right")
    strategy = prepare(table, study_path).strategy
    ready = []
    for variant in variants:
        changed = table.model_copy(update={"parameters": {**table.parameters, **variant}})
        ready.append(prepare(changed, study_path, strategy))
    sleeves = [_compiled(prepared, study_path) for prepared in ready]
    groups: dict[tuple[tuple[str, ...], ...], list[int]] = {}
    for number, prepared in enumerate(ready):
        groups.setdefault((prepared.needs.funds, prepared.needs.slots), []).append(number)
    tables = []
    for numbers in groups.values():
        setting = setting_of_sleeve(study, study_path, ready[numbers[0]].needs, library)
        summed = summaries(setting, [sleeves[number] for number in numbers], workers=workers)
        tables.append(summed.set_axis(pd.Index(numbers)))
    replaced = pd.DataFrame([dict(variant) for variant in variants])
    return replaced.join(pd.concat(tables))


def _sleeve_table(study: Study, study_path: Path, name: str) -> SleeveTable:
    """The study's table of one sleeve."""
    for table in study.sleeve:
        if table.name == name:
            return table
    known = ", ".join(table.name for table in study.sleeve)
    raise StudyError(f"{study_path}: sleeve {name}: none of that name; one of {known} is right")


def _compiled(prepared: Prepared, study_path: Path) -> Sleeve:
    """The sleeve of a prepared run, which must be one that the compiled driver can run."""
    sleeve = compiled_sleeve(prepared)
    if sleeve is None:
        raise StudyError(
            f"{study_path}: sleeve {prepared.name}: {prepared.strategy.__name__} is a strategy of "
            "its own, which only Backtrader runs, one at a time; a SleeveStrategy that only "
            "describes a sleeve is right"
        )
    return sleeve
