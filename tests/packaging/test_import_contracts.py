"""Imports flow one way and each vendor lives in one place; and the checker would see a breach."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """The checker on the package below ``root``, whichever copy is installed."""
    program = (
        "import sys; sys.path.insert(0, 'src');"
        "from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False
    )


def a_copy_of_the_package(folder: Path) -> Path:
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_package_keeps_its_import_contracts() -> None:
    checked = lint_imports(ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("statement", "contract"),
    [
        ("import backtrader", "only levsleeve.backtests imports Backtrader"),
        ("import quantstats", "only levsleeve.reports imports QuantStats and Plotly"),
        ("import plotly", "only levsleeve.reports imports QuantStats and Plotly"),
        ("import pyarrow.parquet", "only levsleeve.data.parquet imports pyarrow"),
        ("import yfinance", "only levsleeve.data imports yfinance"),
        ("import levsleeve.instruments.fund", "imports flow one way"),
    ],
)
def test_a_breach_inside_a_function_is_seen(statement: str, contract: str, tmp_path: Path) -> None:
    copy = a_copy_of_the_package(tmp_path)
    with (copy / "src" / "levsleeve" / "errors.py").open("a", encoding="utf-8") as module:
        module.write(f"\n\ndef breach() -> None:\n    {statement}\n")
    checked = lint_imports(copy)
    assert checked.returncode == 1
    assert f"{contract} BROKEN" in checked.stdout


def test_a_module_that_no_layer_names_is_seen(tmp_path: Path) -> None:
    copy = a_copy_of_the_package(tmp_path)
    (copy / "src" / "levsleeve" / "utilities.py").touch()
    checked = lint_imports(copy)
    assert checked.returncode == 1
    assert "utilities" in checked.stdout
