"""``levsleeve run``: progress while it works, then the comparison and the paths."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from levsleeve.backtests.runner import run_study
from levsleeve.backtests.study import Study, read_study
from levsleeve.backtests.study_result import StudyResult
from levsleeve.backtests.workspace import Workspace
from levsleeve.data.library import Library

PLAIN_WIDTH = 140
"""Columns of the comparison where the output is not a terminal."""


def run_command(study_path: Path, out: Path | None, *, as_json: bool, tearsheets: bool) -> None:
    """Run a study, print its comparison, write its files and print where they are."""
    from levsleeve.reports.comparison import (
        NOTES,
        comparison_dict,
        comparison_tables,
        headline,
    )
    from levsleeve.reports.publish import publish, refuse_foreign

    waiting = Console(stderr=True, markup=False, quiet=not Console(stderr=True).is_terminal)
    study = read_study(study_path)
    folder = out or Workspace.around(study_path).out / study.name
    refuse_foreign(folder)
    result = _run_with_progress(study, study_path, waiting)
    width = None if Console().is_terminal else PLAIN_WIDTH
    printed = Console(width=width, markup=False)
    if not as_json:
        printed.print(headline(result), style="bold", highlight=False)
        for table in comparison_tables(result, printed.width):
            printed.print(table)
        for note in NOTES:
            printed.print(note, style="dim", highlight=False)
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


def _run_with_progress(study: Study, study_path: Path, console: Console) -> StudyResult:
    """Run the sleeves under one progress bar a sleeve."""
    with console.status(
        "reading prices (the first run imports the history and compiles the rules)"
    ):
        library = Library.open(Workspace.around(study_path).cache)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("sessions"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:

        def announce(name: str, sessions: int) -> Callable[[int], None]:
            task = progress.add_task(name, total=sessions)
            return lambda done: progress.update(task, advance=done)

        return run_study(study, study_path, library, announce)


def _from_here(path: Path) -> Path:
    """A path as short as it can be said from the current folder."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path
