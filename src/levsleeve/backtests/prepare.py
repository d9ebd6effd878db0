"""A sleeve of a study made ready: its strategy loaded, its parameters set, its needs known."""

from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import backtrader as bt

from levsleeve.backtests.needs import DEFAULT_FUNDS, Needs
from levsleeve.backtests.sleeve_strategy import SleeveStrategy
from levsleeve.backtests.study import SleeveTable
from levsleeve.backtests.workspace import Workspace, load_strategy
from levsleeve.errors import LevsleeveError, StudyError


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sleeve of a study, ready to run any number of times."""

    name: str
    strategy: type[bt.Strategy]
    parameters: dict[str, Any]
    needs: Needs


def prepare(
    table: SleeveTable, study_path: Path, strategy: type[bt.Strategy] | None = None
) -> Prepared:
    """Make a sleeve ready, refusing what cannot be run.

    ``strategy`` is taken in place of the one that the table names, where it is loaded already.

    Raises
    ------
    StudyError
        Naming the study file and the sleeve.
    """
    try:
        if strategy is None:
            workspace = Workspace.around(study_path)
            strategy = load_strategy(workspace.strategy_file(table.strategy, study_path))
        strategy = _ruled(strategy, table.rules(study_path))
        parameters = _parameters(strategy, table)
        return Prepared(table.name, strategy, parameters, _needs(strategy, parameters, table))
    except LevsleeveError as error:
        raise StudyError(f"{study_path}: sleeve {table.name}: {error}") from error


def _ruled(strategy: type[bt.Strategy], rules: dict[str, object]) -> type[bt.Strategy]:
    """The strategy with the study's rules in place of those that it describes."""
    if not rules:
        return strategy
    if not issubclass(strategy, SleeveStrategy):
        raise StudyError(
            f"{next(iter(rules))}: {strategy.__name__} decides for itself; "
            "a SleeveStrategy takes rules from a study"
        )
    return strategy.ruled(rules)


def _needs(strategy: type[bt.Strategy], parameters: dict[str, Any], table: SleeveTable) -> Needs:
    """What a strategy says that it needs, or else the study for it.

    A strategy says so by a class method ``run_needs(parameters)``; a plain one has none.
    """
    says = getattr(strategy, "run_needs", None)
    if says is None:
        funds = DEFAULT_FUNDS if table.funds is None else tuple(table.funds)
        needs = Needs(funds, tuple(table.slots))
    else:
        given = [key for key in ("funds", "slots") if key in table.model_fields_set]
        if given:
            raise StudyError(
                f"{given[0]}: {strategy.__name__} names its own; its parameters change them"
            )
        needs = says(SimpleNamespace(**parameters))
    own = getattr(strategy, "on_shortfall", needs.on_shortfall)
    return replace(needs, on_shortfall=table.on_shortfall or own)


def _parameters(strategy: type[bt.Strategy], table: SleeveTable) -> dict[str, Any]:
    """The strategy's own parameters with the study's in their place, types agreeing.

    A parameter that is None by default takes any value.
    """
    values: dict[str, Any] = dict(strategy.params._getitems())
    for key, value in table.parameters.items():
        if key not in values:
            near = get_close_matches(key, values, n=1, cutoff=0.5)
            hint = (
                f"did you mean {near[0]}?" if near else f"known are {', '.join(values) or 'none'}"
            )
            raise StudyError(f"parameters.{key}: unknown to {strategy.__name__}; {hint}")
        own = values[key]
        if isinstance(own, float) and type(value) is int:
            value = float(value)
        if own is not None and type(value) is not type(own):
            raise StudyError(f"parameters.{key}: {value!r}; a value like {own!r} is right")
        values[key] = value
    return values
