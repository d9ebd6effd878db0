"""Every notebook runs from a clean kernel on a small run, and is committed without outputs."""

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from levsleeve.backtests.study_result import StudyResult

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PICTURE, TABLE = "image/png", "text/html"


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # it has no types


def executed(path: Path) -> list[dict[str, Any]]:
    """What every code cell shows, by type of content, after a run from top to bottom."""
    notebook = read(path)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.output_type == "stream"] == []
    return [output.data for output in outputs]


def test_there_is_a_notebook() -> None:
    assert "quickstart.ipynb" in [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in cells] == [[] for _ in cells]
    assert [cell.execution_count for cell in cells] == [None for _ in cells]


def test_the_quickstart_notebook_draws_three_pictures_and_the_comparison(
    checkout: Path, quickstart: StudyResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEVSLEEVE_RUN", raising=False)
    shown = executed(checkout / "notebooks" / "quickstart.ipynb")
    assert sum(PICTURE in data for data in shown) == 3
    comparison, calls = [data[TABLE] for data in shown if TABLE in data]
    assert [name for name in quickstart.sleeves if f"<th>{name}</th>" not in comparison] == []
    assert "2009-03-26" in calls  # the rebound from the lowest close of 2009


def test_the_quickstart_notebook_draws_the_run_that_the_environment_names(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(checkout / "backtests" / "out" / "quickstart", moved)
    (moved / "bull").rename(moved / "renamed")
    comparison = (moved / "comparison.json").read_text(encoding="utf-8")
    (moved / "comparison.json").write_text(comparison.replace('"bull"', '"renamed"'))
    monkeypatch.setenv("LEVSLEEVE_RUN", str(moved))
    shown = executed(checkout / "notebooks" / "quickstart.ipynb")
    comparison_table = next(data[TABLE] for data in shown if TABLE in data)
    assert "<th>renamed</th>" in comparison_table
