"""Reading the table of a plan key by key, ours and a user's alike, and refusing what is wrong.

A ``Reader`` takes where a value stands, for the message, and the value; it returns it checked.
"""

import math
import sys
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from levsleeve.errors import ScheduleError

Reader = Callable[[str, object], Any]


def read_table(
    where: str, entry: object, readers: Mapping[str, Reader], optional: Collection[str] = ()
) -> dict[str, Any]:
    """The checked values of a table that has these keys and no others.

    Raises
    ------
    ScheduleError
        If a key is unknown or missing, or what it holds is refused.
    """
    if not isinstance(entry, Mapping):
        raise _refusal(where, entry, "a table")
    for key in entry:
        if key not in readers:
            near = get_close_matches(str(key), readers, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(readers)}"
            raise ScheduleError(f"{where}: {key}: unknown key; {hint}")
    for key in readers:
        if key not in entry and key not in optional:
            raise ScheduleError(f"{where}: {key}: missing; this key is required")
    return {
        key: read(f"{where}: {key}", entry[key]) for key, read in readers.items() if key in entry
    }


def text(where: str, value: object) -> str:
    """Words, at least one."""
    if not isinstance(value, str) or not value.strip():
        raise _refusal(where, value, "text in quotes")
    return value


def number(right: str, fits: Callable[[float], bool]) -> Reader:
    """A reader of one number; ``right`` says in words what ``fits`` accepts, never a NaN."""

    def read(where: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not fits(value):
            raise _refusal(where, value, right)
        return float(value)

    return read


LARGEST = sys.float_info.max
amount = number("a finite number of at least 0", lambda value: 0.0 <= value <= LARGEST)
above_zero = number("a finite number above 0", lambda value: 0.0 < value <= LARGEST)
fraction = number("a fraction from 0 to 1", lambda value: 0.0 <= value <= 1.0)
spread = number("a fraction between -1 and 1", lambda value: -1.0 < value < 1.0)
_end = number("a number above 0, or inf to end the last slice,", lambda value: value > 0.0)


def amounts(count: int) -> Reader:
    """A reader of so many numbers, each at least 0."""

    def read(where: str, value: object) -> list[float]:
        if not isinstance(value, list | tuple) or len(value) != count:
            raise _refusal(where, value, f"a list of {count} numbers")
        return [amount(f"{where}: number {n}", part) for n, part in enumerate(value, start=1)]

    return read


def two_premiums(where: str, value: object) -> list[float]:
    """Two dollar amounts that part three classes of premium."""
    low, high = amounts(2)(where, value)
    if low >= high:
        raise _refusal(where, value, "a lower number before a higher one")
    return [low, high]


def slices(end: str, readers: Mapping[str, Reader], optional: Collection[str] = ()) -> Reader:
    """A reader of slices of a balance or volume, each ended by the key ``end``, the last by inf."""
    keys = {end: _end, **readers}

    def read(where: str, value: object) -> list[dict[str, Any]]:
        if not isinstance(value, list | tuple) or not value:
            raise _refusal(where, value, "a list of slices")
        rows = [
            read_table(f"{where}: slice {n}", row, keys, optional)
            for n, row in enumerate(value, start=1)
        ]
        ends = [row[end] for row in rows]
        if ends[-1] != math.inf or any(first >= second for first, second in pairwise(ends)):
            raise _refusal(f"{where}: {end}", ends, "increasing up to inf")
        return rows

    return read


def _refusal(where: str, value: object, right: str) -> ScheduleError:
    """What stands there, shortened, and what would be right."""
    return ScheduleError(f"{where}: {repr(value)[:60]}; {right} is right")
