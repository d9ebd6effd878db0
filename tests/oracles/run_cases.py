"""Runs a file of margin cases: ``python tests/oracles/run_cases.py FILE.json``.

A case holds ``id``, ``group``, ``what``, ``given``, ``expect``, ``tolerance`` and ``source``.  The
rulebook is called with ``given``, under other names where it has them, and must answer every name
in ``expect`` within the tolerance; a key that nothing reads is a failure.  Nothing is computed.
"""

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.oracles.case_shapes import ACCOUNT_GROUPS, SHAPES, Answers, account_answers

CASE_KEYS = {"id", "group", "what", "given", "expect", "tolerance", "source"}
TABLES = ("given", "expect", "tolerance")
WHOLE = {"max_shares", "shares_to_trade", "shares_after"}
"""Counts of shares, for which no tolerance holds."""


class Given(dict[str, Any]):
    """The inputs of a case, tables inside included; remembers which keys were read."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__({key: _remembering(value) for key, value in values.items()})
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def unread(self, place: str = "") -> list[str]:
        """Keys that no adapter looked at, such as ``events.0.value``."""
        found = [f"{place}{key}" for key in sorted(set(self) - self.read)]
        for key, value in self.items():
            inside = value if isinstance(value, list) else [value]
            for number, table in enumerate(inside):
                if isinstance(table, Given):
                    at = f"{key}.{number}" if isinstance(value, list) else key
                    found += table.unread(f"{place}{at}.")
        return found


def _remembering(value: Any) -> Any:
    """A table, or a list of tables, that remembers what is read of it."""
    if isinstance(value, list):
        return [_remembering(entry) for entry in value]
    return Given(value) if isinstance(value, dict) else value


@dataclass(frozen=True)
class Outcome:
    """What became of one case: passed if there are no findings."""

    case: str
    findings: list[str]


def run_case(case: Any) -> Outcome:
    """Call the rulebook with one case and compare."""
    if not isinstance(case, dict):
        return Outcome("a case", [f"{case!r}; a table is right"])
    name = str(case.get("id", "a case without id"))
    return Outcome(name, _misshapen(case) or _differences(case))


def _misshapen(case: dict[str, Any]) -> list[str]:
    """What keeps a case from being run."""
    wrong = sorted(CASE_KEYS ^ set(case))
    if wrong:
        return [f"keys missing or unknown: {', '.join(wrong)}"]
    found = [f"{key}: {case[key]!r}; a table is right" for key in TABLES if _no_table(case[key])]
    if found:
        return found
    if not case["expect"]:
        found.append("expect: empty; at least one answer is right")
    written = case["tolerance"]
    kinds, values = set(written), list(written.values())
    if kinds not in ({"absolute"}, {"relative"}) or not _is_number(values[0]):
        found.append(f"tolerance: {written}; one number, absolute or relative, is right")
    return found


def _no_table(value: Any) -> bool:
    return not isinstance(value, dict)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _differences(case: dict[str, Any]) -> list[str]:
    """Where the rulebook's answers are not the expected ones."""
    given = Given(case["given"])
    try:
        answers = _answers(case["group"], given)
    except Exception as error:  # whatever one case breaks, the others must still be run
        return [f"refused: {type(error).__name__}: {error}"]
    unread = given.unread()
    found = [f"given keys that nothing reads: {', '.join(unread)}"] if unread else []
    tolerance = _tolerance(case["tolerance"])
    for name, expected in case["expect"].items():
        if name not in answers:
            found.append(f"{name}: expected {expected}, but it is not answered")
        elif not _agrees(answers[name], expected, _exact if name in WHOLE else tolerance):
            found.append(f"{name}: expected {expected}, got {answers[name]}")
    return found


def _answers(group: str, given: Given) -> Answers:
    """The rulebook's answers to a case of a group."""
    if group in ACCOUNT_GROUPS:
        answers = account_answers(given)
        _all_read(given)
        return answers
    if group not in SHAPES:
        known = ", ".join(sorted([*ACCOUNT_GROUPS, *SHAPES]))
        raise ValueError(f"{group}: no such group; known are {known}")
    return SHAPES[group](given)


def _all_read(table: Any) -> None:
    """Count every key as read: an account snapshot refuses unknown ones itself."""
    if isinstance(table, Given):
        table.read.update(table)
    inside = table.values() if isinstance(table, dict) else table
    for value in inside:
        if isinstance(value, Given | list):
            _all_read(value)


def _exact(_: float) -> float:
    return 0.0


def _tolerance(written: dict[str, float]) -> Callable[[float], float]:
    """How far an answer may be from a number."""
    if "relative" in written:
        return lambda expected: abs(expected) * written["relative"]
    return lambda _: written["absolute"]


def _agrees(got: Any, expected: Any, tolerance: Callable[[float], float]) -> bool:
    """Whether an answer is the expected one: lists by element, booleans and words exactly."""
    if isinstance(expected, list):
        same_length = isinstance(got, list) and len(got) == len(expected)
        return same_length and all(map(_agrees, got, expected, [tolerance] * len(expected)))
    if _is_number(expected) and _is_number(got):
        return bool(abs(got - expected) <= tolerance(expected))
    return type(got) is type(expected) and bool(got == expected)


def run_file(path: Path) -> list[Outcome]:
    """Run every case of a file.

    Raises
    ------
    ValueError
        If it is not a JSON list of cases.
    """
    cases = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(cases, list) or not cases:
        raise ValueError("no cases; a list of cases is right")
    return [run_case(case) for case in cases]


def _say(line: str, stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(f"{line}\n")


def main(arguments: list[str]) -> int:
    """Print failures and a count; 0 if all passed, 1 if any failed, 2 if nothing could be run."""
    if len(arguments) != 1:
        _say("usage: python tests/oracles/run_cases.py FILE.json", sys.stderr)
        return 2
    try:
        outcomes = run_file(Path(arguments[0]))
    except (OSError, ValueError) as error:
        _say(f"{arguments[0]}: {error}", sys.stderr)
        return 2
    for outcome in outcomes:
        for finding in outcome.findings:
            _say(f"{outcome.case}: {finding}")
    failed = sum(bool(outcome.findings) for outcome in outcomes)
    _say(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
