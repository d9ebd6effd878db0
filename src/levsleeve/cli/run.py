"""``levsleeve run``: progress while it works, then the comparison and the paths."""

import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from levsleeve.backtests.drive import Driver, checked_driver
from levsleeve.backtests.request import Choices, Request, request_of
from levsleeve.backtests.runner import run_study
from levsleeve.backtests.study_result import StudyResult
from levsleeve.backtests.workspace import Workspace
from levsleeve.data.library import Library
from levsleeve.errors import StudyError

PLAIN_WIDTH = 140
"""Columns of the comparison where the output is not a terminal."""


@dataclass(frozen=True, slots=True)
class StrategyOptions:
    """The options of a strategy alone as they were typed, None or empty where they were not."""

    funds: str | None = None
    start: str | None = None
    end: str | None = None
    cash: float | None = None
    profile: str | None = None
    rules_as_of: str | None = None
    fill: str | None = None
    set: tuple[str, ...] = ()

    @property
    def given(self) -> list[str]:
        """The options that were typed, by their names."""
        typed = asdict(self)
        return [f"--{name.replace('_', '-')}" for name in typed if typed[name] not in (None, ())]

    def choices(self) -> Choices:
        """What they choose."""
        rules = self.rules_as_of
        account = {
            "cash_usd": self.cash,
            "profile": _from_here_on(self.profile),
            "fill": self.fill,
        }
        settings = {
            "start": _date("--start", self.start),
            "end": _date("--end", self.end),
            "rules_as_of": rules if rules == "session" else _date("--rules-as-of", rules),
            "account": _typed(account) or None,
        }
        return Choices(
            funds=None if self.funds is None else [name.strip() for name in self.funds.split(",")],
            settings=_typed(settings),
            assignments=self.set,
        )


def _typed(options: dict[str, Any]) -> dict[str, Any]:
    """Those that are not None."""
    return {name: option for name, option in options.items() if option is not None}


def _date(option: str, text: str | None) -> date | None:
    """The date that an option states."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise StudyError(f"{option}: {text!r}; a date such as 2018-12-31 is right") from None


def _from_here_on(profile: str | None) -> str | None:
    """A profile's path starts from the current folder, as every path at a command line does."""
    return str(Path(profile).resolve()) if profile and profile.endswith(".toml") else profile


@dataclass(frozen=True, slots=True)
class Ways:
    """How to run and to tell of it: the driver, JSON instead of tables, with tear sheets."""

    driver: str
    as_json: bool
    tearsheets: bool


def run_command(path: Path, out: Path | None, options: StrategyOptions, ways: Ways) -> None:
    """Run a study or a strategy, print its comparison, write its files and print where they are."""
    from levsleeve.reports.comparison import comparison_dict
    from levsleeve.reports.publish import make_room, publish

    waiting = Console(stderr=True, markup=False, quiet=not Console(stderr=True).is_terminal)
    driver, as_json, tearsheets = checked_driver(ways.driver), ways.as_json, ways.tearsheets
    with _prints_of_strategies(as_json):
        request = request_of(path, options.choices(), options.given)
        folder = out or Workspace.around(request.path).out / request.study.name
        for line in make_room(folder):
            typer.echo(f"levsleeve: {line}", err=True)
        result = _run_with_progress(request, waiting, driver)
    width = None if Console().is_terminal else PLAIN_WIDTH
    printed = Console(width=width, markup=False)
    if not as_json:
        _print_comparison(result, printed, driver)
    with waiting.status("writing the tear sheets" if tearsheets else "writing the run") as status:

        def told(name: str) -> None:
            status.update(f"writing the tear sheets: {name} is done")

        files = publish(
            result, folder, tearsheets=tearsheets, processes=os.cpu_count() or 1, told=told
        )
    if as_json:
        typer.echo(json.dumps(comparison_dict(result), indent=2, allow_nan=False))
        return
    printed.print(f"\nwrote {len(files)} files:")
    for place in [*(folder / name for name in result.sleeves), folder]:
        inside = ", ".join(sorted(file.name for file in place.iterdir() if file.is_file()))
        printed.print(f"  {_from_here(place)}/  {inside}", highlight=False)


def _print_comparison(result: StudyResult, printed: Console, driver: Driver) -> None:
    """The comparison of the sleeves, which driver ran them, and how to read it."""
    from levsleeve.reports.comparison import (
        NOTES,
        comparison_tables,
        driven,
        headline,
        policy_lines,
    )

    printed.print(headline(result), style="bold", highlight=False)
    for table in comparison_tables(result, printed.width):
        printed.print(table)
    for line in policy_lines(result):
        printed.print(line, highlight=False)
    if driver != "backtrader":
        printed.print(driven(result), highlight=False)
    for note in NOTES:
        printed.print(note, style="dim", highlight=False)


def _prints_of_strategies(as_json: bool) -> AbstractContextManager[object]:
    """What a strategy prints goes to standard error where standard output is one document."""
    return redirect_stdout(sys.stderr) if as_json else nullcontext()


def _run_with_progress(request: Request, console: Console, driver: Driver) -> StudyResult:
    """Run the sleeves under one progress bar a sleeve."""
    with console.status(
        "reading prices (the first run imports the history and compiles the rules)"
    ):
        library = Library.open(Workspace.around(request.path).cache)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("sessions"),
        TimeElapsedColumn(),
    )
    shared = sys.stdout.isatty()  # what a strategy prints to a file stays out of the bars
    with Progress(*columns, console=console, transient=True, redirect_stdout=shared) as progress:

        def announce(name: str, sessions: int) -> Callable[[int], None]:
            task = progress.add_task(name, total=sessions)
            return lambda done: progress.update(task, advance=done)

        return run_study(request.study, request.path, library, announce, request.strategies, driver)


def _from_here(path: Path) -> Path:
    """A path as short as it can be said from the current folder."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path
