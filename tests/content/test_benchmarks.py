"""The benchmark of rules runs and measures what it says; how fast anything is, is no test."""

import pytest
from benchmarks import rules, timing

BRIEF = 1e-4
"""Seconds for each case: a few calls."""


def test_every_case_takes_some_time() -> None:
    found = rules.measured([], BRIEF)
    assert list(found) == list(rules.cases())
    assert min(found.values()) > 0.0


def test_the_table_sets_the_plain_rule_beside_the_compiled_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rules.main(["per_share", "--seconds", str(BRIEF)])
    header, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert header == ["one", "call", "compiled", "plain", "Python", "ratio"]
    assert [row[0] for row in rows] == ["maintenance_per_share", "initial_per_share"]
    for row in rows:
        assert float(row[-1]) > 0.0


def test_times_are_shown_in_a_unit_that_reads_well() -> None:
    table = rules.comparison({"a": 250.0, "b": 2e4}, {"a": 1000.0, "b": 3e9})
    assert [row.split() for row in table.splitlines()[1:]] == [
        ["a", "250", "ns", "1.00", "us", "4.0"],
        ["b", "20.00", "us", "3.00", "s", "150000.0"],
    ]


def test_names_stand_left_and_numbers_right() -> None:
    assert timing.table(["one", "time"], [["a", "1"], ["longer", "10.00 ms"]]).splitlines() == [
        "one         time",
        "a              1",
        "longer  10.00 ms",
    ]


def test_calls_are_timed_in_turns_after_one_that_does_not_count() -> None:
    seen: list[str] = []
    calls: dict[str, timing.Call] = {name: lambda name=name: seen.append(name) for name in "ab"}  # type: ignore[misc]
    found = timing.side_by_side(calls, 0.0)
    assert seen == ["a", "b"] * (1 + timing.FEWEST)
    assert list(found) == ["a", "b"]
    for measured in found.values():
        assert measured.clock > 0.0
        assert measured.noise >= 1.0
