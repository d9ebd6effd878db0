"""Variants of one sleeve of a study, summed up by the compiled driver."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ValidationError

from levsleeve.backtests.batch import summaries
from levsleeve.backtests.drive import compiled_sleeve, described_sleeve
from levsleeve.backtests.prepare import Prepared, prepare
from levsleeve.backtests.rules_table import RulesTable
from levsleeve.backtests.sleeve_market import setting_of_sleeve
from levsleeve.backtests.study import ParameterValue, SleeveTable, Study
from levsleeve.data.library import Library
from levsleeve.errors import StudyError
from levsleeve.strategies.own_rule import OwnRule
from levsleeve.strategies.sleeve import Sleeve
from levsleeve.strict_table import in_words

Variant = Mapping[str, ParameterValue]


def run_variants(
    study: Study,
    study_path: Path,
    name: str,
    variants: Sequence[Variant],
    library: Library,
    workers: int | None = None,
) -> pd.DataFrame:
    """Run the sleeve ``name`` once for each variant: settings that replace those of the study.

    A name with a dot, or that of a rule's key (``sizing.target_vol``, ``stop_flight.derisk``,
    ``band``), is a key of the sleeve's table; any other is a parameter of its strategy.

    Returns
    -------
    pd.DataFrame
        One row a variant, in order: what it replaced (``parameters.NAME`` where a summary has the
        name), then the columns of ``batch.summaries``.

    Raises
    ------
    StudyError
        If the study has no such sleeve, a variant cannot be run, or the strategy is the user's own,
        which only Backtrader runs.
    """
    table = _sleeve_table(study, study_path, name)
    listed: object = variants
    if isinstance(listed, str | Mapping):
        raise StudyError(f"variants: {listed!r}; a list of mappings is right")
    if not variants:
        raise StudyError(f"{study_path}: sleeve {name}: no variants; at least one is right")
    strategy = prepare(table.unruled(), study_path).strategy
    ready = [
        prepare(_varied(table, variant, study_path), study_path, strategy) for variant in variants
    ]
    sleeves = [_compiled(prepared, study_path) for prepared in ready]
    groups: dict[tuple[tuple[str, ...], ...], list[int]] = {}
    for number, prepared in enumerate(ready):
        groups.setdefault((prepared.needs.funds, prepared.needs.slots), []).append(number)
    tables = []
    for numbers in groups.values():
        setting = setting_of_sleeve(study, study_path, ready[numbers[0]].needs, library)
        try:
            summed = summaries(setting, [sleeves[number] for number in numbers], workers=workers)
        except StudyError as error:
            raise StudyError(f"{study_path}: sleeve {name}: {error}") from error
        tables.append(summed.set_axis(pd.Index(numbers)))
    summed = pd.concat(tables)
    replaced = pd.DataFrame([dict(variant) for variant in variants])
    shared = {name: f"parameters.{name}" for name in replaced.columns if name in summed.columns}
    return replaced.rename(columns=shared).join(summed)


def _varied(table: SleeveTable, variant: Variant, study_path: Path) -> SleeveTable:
    """The sleeve's table with a variant's settings in place of its own.

    A key inside a rule changes that rule alone, be it the study's or the strategy's own.
    """
    tables: dict[str, Any] = table.model_dump(exclude_unset=True)
    described, name = described_sleeve(prepare(table, study_path)), ""
    try:
        for name, given in variant.items():
            head, *inside = name.split(".")
            if not inside and head not in RulesTable.model_fields:
                tables["parameters"] = {**tables.get("parameters", {}), name: given}
                continue
            own = getattr(described, head, None)
            if inside and head not in tables and isinstance(own, BaseModel):
                tables[head] = own.model_dump()
            if inside in (["rule"], ["kind"]):
                tables[head] = {}  # another rule has other keys
            _put(tables, name, given)
        return SleeveTable.model_validate(tables)
    except ValidationError as error:
        words = in_words(error, SleeveTable)
        raise StudyError(f"{study_path}: sleeve {table.name}: {words}") from None
    except (IndexError, KeyError, TypeError, ValueError):
        raise StudyError(
            f"{study_path}: sleeve {table.name}: {name}: no such setting; a parameter of the "
            "strategy, or a key of its rules such as sizing.window, is right"
        ) from None


def _put(tables: dict[str, Any], name: str, given: object) -> None:
    """Set a key that dots lead to, through tables and numbered lists."""
    head, *inside = name.split(".")
    if head not in RulesTable.model_fields:
        raise KeyError(name)
    place: Any = tables
    for key in [head, *inside][:-1]:
        if isinstance(place, dict):
            place[key] = _opened(place.get(key, {}))
            place = place[key]
        else:
            place[int(key)] = _opened(place[int(key)])
            place = place[int(key)]
    last = name.rpartition(".")[2]
    if isinstance(place, list):
        place[int(last)] = given
    else:
        place[last] = given


def _opened(inner: object) -> Any:  # noqa: ANN401  (a table, or a list of them)
    """A table or list of one's own to change; anything else cannot be gone into."""
    if isinstance(inner, dict):
        return dict(inner)
    if isinstance(inner, list | tuple):
        return list(inner)
    raise TypeError


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
    described = described_sleeve(prepared)
    if sleeve is None and described is not None and isinstance(described.rule, OwnRule):
        raise StudyError(
            f"{study_path}: sleeve {prepared.name}: sizing: {described.rule.name} sees the "
            "account, so that only Backtrader runs it, one at a time; scale(history) is right"
        )
    if sleeve is None:
        raise StudyError(
            f"{study_path}: sleeve {prepared.name}: {prepared.strategy.__name__} is a strategy of "
            "its own, which only Backtrader runs, one at a time; a SleeveStrategy that only "
            "describes a sleeve is right"
        )
    return sleeve
