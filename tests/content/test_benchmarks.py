"""The benchmark runs and measures what it says; how fast anything is, is no test."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "rules.py"
BRIEF = 1e-4
"""Seconds for each case: a few calls."""


@pytest.fixture(scope="module")
def rules() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_of_rules", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_case_takes_some_time(rules: ModuleType) -> None:
    found = rules.measured([], BRIEF)
    assert list(found) == list(rules.cases())
    assert min(found.values()) > 0.0


def test_the_table_sets_the_plain_rule_beside_the_compiled_one(
    rules: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    rules.main(["per_share", "--seconds", str(BRIEF)])
    header, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert header == ["one", "call", "compiled", "plain", "Python", "ratio"]
    assert [row[0] for row in rows] == ["maintenance_per_share", "initial_per_share"]
    for row in rows:
        assert float(row[-1]) > 0.0


def test_times_are_shown_in_a_unit_that_reads_well(rules: ModuleType) -> None:
    table = rules.table({"a": 250.0, "b": 2e4}, {"a": 1000.0, "b": 3e9})
    assert [row.split() for row in table.splitlines()[1:]] == [
        ["a", "250", "ns", "1.00", "us", "4.0"],
        ["b", "20.00", "us", "3.00", "s", "150000.0"],
    ]
