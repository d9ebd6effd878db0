"""What the files of the repository may contain, and how large a module may grow."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LARGEST_MODULE_LINES = 300
# Written in pieces, so that this file passes its own test.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:" + "|".join(("work", "root", "home", "Users")) + ")/")
REGISTRY = re.compile("|".join((r"pypi\.", r"pythonhosted\.", r"conda\.anaconda\.")) + r"org")


def files_of_the_repository() -> list[Path]:
    """Tracked files and those about to be: everything that git does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git repository")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def lines_that_match(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files_of_the_repository()
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), 1
        )
        if pattern.search(line)
    ]


@pytest.mark.parametrize("folder", ["work", "root", "home"])
def test_the_pattern_of_machine_paths_sees_one(folder: str) -> None:
    assert MACHINE_PATH.search(f"read /{folder}/someone/prices.csv")
    assert not MACHINE_PATH.search(f"https://www.example.com/{folder}/rules")


def test_no_file_names_a_path_of_one_machine() -> None:
    assert lines_that_match(MACHINE_PATH) == []


def test_no_file_names_a_package_registry() -> None:
    assert lines_that_match(REGISTRY) == []


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "src").rglob("*.py")
    }
    assert lines
    assert {name: count for name, count in lines.items() if count > LARGEST_MODULE_LINES} == {}


@pytest.mark.parametrize("folder", ["backtests/out/run/result.json", "data/cache/UPRO.parquet"])
def test_results_and_cached_prices_are_ignored_by_git(folder: str) -> None:
    ignored = subprocess.run(
        ["git", "check-ignore", "--quiet", "--no-index", folder], cwd=ROOT, check=False
    )
    if ignored.returncode not in (0, 1):
        pytest.skip("not a git repository")
    assert ignored.returncode == 0
