"""The wheel, built from the tree without a network and used without the tree."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DISTRIBUTION_INFO = f"levsleeve-{PROJECT['version']}.dist-info"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    built = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel_names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_one_package_and_its_description(wheel_names: list[str]) -> None:
    assert {name.partition("/")[0] for name in wheel_names} == {"levsleeve", DISTRIBUTION_INFO}


def test_the_wheel_holds_every_source_file_and_table_and_nothing_else(
    wheel_names: list[str],
) -> None:
    package = ROOT / "src" / "levsleeve"
    on_disk = {
        f"levsleeve/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {name for name in wheel_names if name.startswith("levsleeve/")} == on_disk


def test_the_wheel_carries_the_tables_of_facts(wheel_names: list[str]) -> None:
    assert "levsleeve/instruments/funds.toml" in wheel_names


def test_the_wheel_says_that_it_is_typed(wheel_names: list[str]) -> None:
    assert "levsleeve/py.typed" in wheel_names


def test_the_wheel_carries_the_licence(wheel_names: list[str]) -> None:
    assert f"{DISTRIBUTION_INFO}/licenses/LICENSE" in wheel_names


def test_the_wheel_starts_the_command_line_where_pyproject_says(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"{DISTRIBUTION_INFO}/entry_points.txt").decode()
    assert text.strip() == "[console_scripts]\nlevsleeve = levsleeve.cli.app:main"


def test_the_metadata_state_name_licence_and_python(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        lines = archive.read(f"{DISTRIBUTION_INFO}/METADATA").decode().splitlines()
    assert "Name: levsleeve" in lines
    assert "License-Expression: GPL-3.0-or-later" in lines
    assert "Requires-Python: >=3.11" in lines


def test_an_unpacked_wheel_works_far_from_the_tree(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "import levsleeve; from levsleeve.instruments.fund import parse_fund;"
        "[getattr(levsleeve, name) for name in getattr(levsleeve, '__all__', [])];"
        "print(levsleeve.__file__, parse_fund('UPRO').multiple)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.split() == [str(tmp_path / "levsleeve" / "__init__.py"), "3.0"], run.stderr


def test_the_version_is_stated_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{PROJECT['version']}]" in changelog
