"""Runs a file of margin cases through the rulebook: ``python tests/oracles/run_cases.py FILE.json``.

A case holds ``id``, ``group``, ``what``, ``given``, ``expect``, ``tolerance`` and ``source``.  The
rulebook is called with ``given``, under other names where it has them, and must answer every name
in ``expect`` within the tolerance; a key that nothing reads is a failure.  Nothing is computed here.
"""

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from case_shapes import ACCOUNT_GROUPS, SHAPES, account_answers

from levsleeve.errors import LevsleeveError

CASE_KEYS = {"id", "group", "what", "given", "expect", "tolerance", "source"}


class Given(dict[str, Any]):
    """The inputs of a case; remembers which were read."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        if super().__contains__(key):
            self.read.add(str(key))
            return True
        return False

    @property
    def unread(self) -> list[str]:
        """Keys that no adapter looked at."""
        return sorted(set(self) - self.read)


@dataclass
class Outcome:
    """What became of one case: passed if there are no findings."""

    case: str
    findings: list[str] = field(default_factory=list)


def run_case(case: dict[str, Any]) -> Outcome:
    """Call the rulebook with one case and compare."""
    outcome = Outcome(str(case.get("id", "a case without id")))
    wrong = sorted(CASE_KEYS ^ set(case))
    if wrong:
        outcome.findings.append(f"keys missing or unknown: {', '.join(wrong)}")
        return outcome
    given = Given(case["given"])
    try:
        answers = _answers(case["group"], given)
    except (LevsleeveError, KeyError, TypeError, ValueError) as error:
        outcome.findings.append(f"refused: {type(error).__name__}: {error}")
        return outcome
    if given.unread:
        outcome.findings.append(f"given keys that nothing reads: {', '.join(given.unread)}")
    tolerance = _tolerance(case["tolerance"], outcome)
    for name, expected in case["expect"].items():
        if name not in answers:
            outcome.findings.append(f"{name}: expected {expected}, but it is not answered")
        elif not _agrees(answers[name], expected, tolerance):
            outcome.findings.append(f"{name}: expected {expected}, got {answers[name]}")
    return outcome


def _answers(group: str, given: Given) -> dict[str, Any]:
    """The rulebook's answers to a case of a group."""
    if group in ACCOUNT_GROUPS:
        answers = account_answers(dict(given))
        given.read.update(given)  # an account snapshot refuses unknown keys itself
        return answers
    if group not in SHAPES:
        known = ", ".join(sorted([*ACCOUNT_GROUPS, *SHAPES]))
        raise ValueError(f"{group}: no such group; known are {known}")
    return SHAPES[group](given)


def _tolerance(written: dict[str, float], outcome: Outcome) -> Callable[[float], float]:
    """How far an answer may be from a number."""
    if len(written) != 1 or not set(written) <= {"absolute", "relative"}:
        outcome.findings.append(f"tolerance: {written}; absolute or relative is right")
    if "relative" in written:
        return lambda expected: abs(expected) * float(written["relative"])
    return lambda _: float(written.get("absolute", 0.0))


def _agrees(got: Any, expected: Any, tolerance: Callable[[float], float]) -> bool:
    """Whether an answer is the expected one: lists by element, booleans exactly."""
    if isinstance(expected, list):
        if not isinstance(got, list) or len(got) != len(expected):
            return False
        return all(_agrees(g, e, tolerance) for g, e in zip(got, expected, strict=True))
    if isinstance(expected, bool) or expected is None:
        return got is expected
    if isinstance(expected, str):
        return bool(got == expected)
    if isinstance(got, bool) or not isinstance(got, int | float) or math.isnan(got):
        return False
    return abs(got - expected) <= tolerance(expected)


def run_file(path: Path) -> list[Outcome]:
    """Run every case of a file."""
    cases = json.loads(path.read_text(encoding="utf-8"))
    return [run_case(case) for case in cases]


def main(arguments: list[str]) -> int:
    """Print failures and a count; 0 if all passed, 1 if any failed, 2 if nothing could be run."""
    if len(arguments) != 1:
        print("usage: python tests/oracles/run_cases.py FILE.json", file=sys.stderr)
        return 2
    try:
        outcomes = run_file(Path(arguments[0]))
    except (OSError, json.JSONDecodeError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 2
    failed = [outcome for outcome in outcomes if outcome.findings]
    for outcome in failed:
        for finding in outcome.findings:
            print(f"{outcome.case}: {finding}")
    print(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
