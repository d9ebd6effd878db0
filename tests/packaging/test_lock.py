"""The lock pins every library by hash, and says nothing of where it was made."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS: list[tuple[str, str]] = re.findall(r"^([\w.-]+)==(\S+)", LOCK, flags=re.MULTILINE)


def wanted() -> list[Requirement]:
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    written = [
        *tables["project"]["dependencies"],
        *tables["dependency-groups"]["dev"],
        *tables["build-system"]["requires"],
    ]
    return [Requirement(text) for text in written]


def test_the_lock_satisfies_every_requirement_of_pyproject() -> None:
    pinned = {canonicalize_name(name): version for name, version in PINS}
    unmet = [
        str(requirement)
        for requirement in wanted()
        if pinned.get(canonicalize_name(requirement.name), "") not in requirement.specifier
    ]
    assert unmet == []


def test_one_version_of_each_library_serves_every_python_and_system() -> None:
    names = [name for name, _ in PINS]
    assert sorted(set(names)) == sorted(names)


def test_every_pin_is_followed_by_a_hash() -> None:
    blocks = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(PINS)
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


def test_the_lock_names_no_address_and_no_folder() -> None:
    assert re.findall(r"\S*(?:://|--index|--extra-index|--find-links| @ |file:)\S*", LOCK) == []
