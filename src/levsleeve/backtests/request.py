"""What a user may ask to run: a study file, or a strategy alone, for which a study is made."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import backtrader as bt

from levsleeve.backtests.study import Study, parse_study, read_study
from levsleeve.backtests.workspace import load_strategy
from levsleeve.errors import StudyError
from levsleeve.strict_table import user_text

DEFAULTS = {
    "schema": 1,
    "start": date(1999, 6, 1),
    "end": date(2018, 12, 31),
    "rules_as_of": date(2010, 4, 30),
}
"""The study around a lone strategy has the sessions and the rules of the quickstart."""
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Request:
    """A study to run.

    ``path`` is the file that it was asked for by, or the name of a class: messages begin with it,
    and relative paths start from its folder.  ``strategies`` are those already loaded, by sleeve.
    """

    study: Study
    path: Path
    strategies: Mapping[str, type[bt.Strategy]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be chosen for a lone strategy.

    ``settings`` are keys of a study file; the table ``sleeve`` among them, those of its one sleeve.
    ``assignments`` set parameters as written at a command line, ``"period=20"``.
    """

    funds: Sequence[str] | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    assignments: Sequence[str] = ()


def request_of(
    asked: str | Path | type[bt.Strategy], choices: Choices, given: Sequence[str] = ()
) -> Request:
    """The study that a path or a strategy class asks for.

    ``given`` are the names of the choices that the user made; a study file takes none.

    Raises
    ------
    StudyError
        If nothing can be run, with what would be right.
    """
    if isinstance(asked, type):
        if not issubclass(asked, bt.Strategy):
            raise StudyError(f"{asked.__name__}: no Backtrader strategy; a bt.Strategy is right")
        return _around(asked, Path(asked.__name__), choices)
    if not isinstance(asked, str | Path):
        raise StudyError(f"{asked!r}: nothing to run; a path or a strategy class is right")
    path = Path(asked)
    if path.suffix == ".py":
        user_text(path, "a strategy is a Python file", StudyError)
        return _around(load_strategy(path), path, choices)
    if given:
        raise StudyError(
            f"{path}: {', '.join(given)}: for a strategy alone, a file ending in .py; "
            "a study says it by its own keys"
        )
    return Request(read_study(path), path)


def _around(strategy: type[bt.Strategy], path: Path, choices: Choices) -> Request:
    """The study of one sleeve around a strategy."""
    name = _name_of(path.stem)
    settings = dict(choices.settings)
    sleeve = {"name": name, "strategy": path.name, "parameters": _chosen(strategy, path, choices)}
    if isinstance(choices.funds, str):
        raise StudyError(f"{path}: funds: {choices.funds!r}; a list of names is right")
    if choices.funds is not None:
        sleeve["funds"] = list(choices.funds)
    further = settings.pop("sleeve", {})
    if not isinstance(further, Mapping):
        raise StudyError(f"{path}: settings.sleeve: {further!r}; one table is right")
    tables = {**DEFAULTS, "name": name, **settings, "sleeve": [{**sleeve, **further}]}
    study = parse_study(tables, subject=str(path))
    return Request(study, path, {study.sleeve[0].name: strategy})


def _name_of(text: str) -> str:
    """A text made a name that a study may have."""
    return re.sub("[^A-Za-z0-9_-]+", "-", text).strip("-_")[:LONGEST_NAME] or "strategy"


def _chosen(strategy: type[bt.Strategy], path: Path, choices: Choices) -> dict[str, object]:
    """The parameters that were chosen, those of a command line as values."""
    chosen = dict(choices.parameters)
    own = dict(strategy.params._getitems())
    for assignment in choices.assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise StudyError(f"{path}: --set {assignment}: no value; --set {name}=20 is right")
        chosen[name] = text if isinstance(own.get(name), str) else _read(text)
    return chosen


def _read(text: str) -> object:
    """A number, true or false where a text reads as one; else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)
