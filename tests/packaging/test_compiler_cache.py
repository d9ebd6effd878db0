"""Machine code on disk: never older than the sources, never in the package's own folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import levsleeve

LISTING = "pricing/listing.py"
"""Holds what ``put_strike`` of another module calls: the grid of listed strikes."""
PROGRAM = """\
from levsleeve.strategies.hedges import put_strike
strike = put_strike(100.0, 0.83)
print(strike, sum(put_strike.stats.cache_hits.values()), put_strike.stats.cache_path)
"""
COMPILED, FROM_DISK = "0", "1"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package in a folder of its own."""
    here = Path(levsleeve.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(here, tmp_path / "site" / "levsleeve", ignore=ignored)


def strike_by(package: Path, program: str = PROGRAM, **environment: str) -> tuple[str, str, Path]:
    """The strike that a fresh interpreter finds, where its machine code was from, and its folder.

    Of numba's own variables it knows those alone that ``environment`` names.
    """
    kept = {name: word for name, word in os.environ.items() if not name.startswith("NUMBA_")}
    kept |= {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=kept, cwd=package.parent,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    strike, origin, folder = ran.stdout.split()
    return strike, origin, Path(folder)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_rule_never_runs_machine_code_from_before_an_edit_of_what_it_calls(
    package: Path, tmp_path: Path
) -> None:
    cache = str(tmp_path / "cache")
    assert strike_by(package, XDG_CACHE_HOME=cache)[:2] == ("83.0", COMPILED)
    assert strike_by(package, XDG_CACHE_HOME=cache)[:2] == ("83.0", FROM_DISK)
    edit(package / LISTING, "return 1.0 if strike", "return 2.0 if strike")
    assert strike_by(package, XDG_CACHE_HOME=cache)[:2] == ("82.0", COMPILED)
    edit(package / LISTING, "HIGH_BAND_USD = 200.0", "HIGH_BAND_USD = 60.0")
    assert strike_by(package, XDG_CACHE_HOME=cache)[:2] == ("80.0", COMPILED)


def test_a_package_that_nobody_may_write_to_compiles_and_stays_as_it_is(
    package: Path, tmp_path: Path
) -> None:
    before = contents(package)
    for path in (package, *package.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)  # does not bind root
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    nowhere = str(tmp_path / "file" / "home")
    environment = {"HOME": nowhere, "XDG_CACHE_HOME": "", "TMPDIR": str(tmp_path / "temporary")}
    strike, origin, folder = strike_by(package, **environment)
    assert (strike, origin) == ("83.0", COMPILED)
    assert folder.is_relative_to(tmp_path / "temporary")
    assert list(folder.glob("hedges.put_strike-*.nbi"))
    assert contents(package) == before
    environment["XDG_CACHE_HOME"] = nowhere
    assert strike_by(package, **environment) == ("83.0", FROM_DISK, folder)


def test_a_folder_that_an_older_process_handed_down_serves_no_older_code(
    package: Path, tmp_path: Path
) -> None:
    handed_down = {"NUMBA_CACHE_DIR": str(tmp_path / "handed_down")}
    assert strike_by(package, **handed_down)[0] == "83.0"
    edit(package / LISTING, "return 1.0 if strike", "return 2.0 if strike")
    assert strike_by(package, **handed_down)[0] == "82.0"


def test_a_process_started_by_an_older_one_runs_the_edited_rule(
    package: Path, tmp_path: Path
) -> None:
    edited = package / LISTING
    parent = f"""\
import subprocess, sys
from pathlib import Path
from levsleeve.strategies.hedges import put_strike
put_strike(100.0, 0.83)
path = Path({str(edited)!r})
path.write_text(path.read_text().replace("return 1.0 if strike", "return 2.0 if strike"))
print(subprocess.run([sys.executable, "-c", {PROGRAM!r}], capture_output=True, text=True).stdout)
"""
    assert strike_by(package, parent, XDG_CACHE_HOME=str(tmp_path))[:2] == ("82.0", COMPILED)


def contents(package: Path) -> dict[Path, bytes]:
    """Every file of a folder."""
    return {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}
