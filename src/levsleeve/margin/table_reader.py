"""Reading the dated TOML tables of the rulebook.

A rule never names a rate or a date: both come from ``tables/*.toml`` through these few functions.
"""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from levsleeve.errors import ScheduleError

Entry = TypeVar("Entry")


@cache
def table(name: str) -> dict[str, Any]:
    """One TOML table of the rulebook."""
    path = files("levsleeve.margin").joinpath("tables", f"{name}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def in_force(rows: Sequence[tuple[date, Entry]], on: date, subject: str) -> Entry:
    """The last row that is effective on ``on``."""
    started = [row for effective, row in rows if effective <= on]
    if not started:
        raise ScheduleError(
            f"{subject} has no entry on {on}; the table starts {min(e for e, _ in rows)}"
        )
    return started[-1]


def named(plans: Mapping[str, Entry], name: str, what: str) -> Entry:
    """The plan of that name, or an error that lists the names."""
    if name not in plans:
        raise ScheduleError(f"{name}: no {what} of that name; known are {', '.join(sorted(plans))}")
    return plans[name]
