"""The driver of a run: Backtrader, the kernel, or both, by command and from Python."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.workspaces import make_workspace
from typer.testing import CliRunner, Result

import levsleeve
from levsleeve.backtests import compiled_driver, drive
from levsleeve.backtests.sleeve_run import SleeveRun, first_difference
from levsleeve.cli.app import app
from levsleeve.errors import ParityError, StudyError

OWN = """
from levsleeve import Holding, Sleeve, SleeveStrategy


class Loud(SleeveStrategy):
    @classmethod
    def describe(cls, parameters):
        return Sleeve(holdings=(Holding("UPRO", 0.5),), cap=0.6)

    def notify_order(self, order):
        pass
"""
LOUD = '\n[[sleeve]]\nname = "loud"\nstrategy = "loud"\n'


def invoke(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, price_cache: Path) -> Path:
    return make_workspace(tmp_path_factory.mktemp("drivers"), price_cache)


def with_a_strategy_of_its_own(study: Path) -> Path:
    (study.parent.parent / "strategies" / "loud.py").write_text(OWN)
    mixed = study.with_name("mixed.toml")
    mixed.write_text(study.read_text().replace('name = "small"', 'name = "mixed"') + LOUD)
    return mixed


def run(study: Path, out: Path, driver: str) -> Result:
    result = invoke("run", study, "--no-tearsheets", "--out", out, "--driver", driver)
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize("driver", ["kernel", "both"])
def test_every_driver_writes_the_same_bytes(study: Path, tmp_path: Path, driver: str) -> None:
    run(study, tmp_path / "one", "backtrader")
    run(study, tmp_path / "other", driver)
    for file in ("ledger.parquet", "events.parquet", "result.json"):
        for sleeve in ("puts", "short"):
            one, other = (tmp_path / side / sleeve / file for side in ("one", "other"))
            assert one.read_bytes() == other.read_bytes(), file
    manifest = json.loads((tmp_path / "other" / "manifest.json").read_text())
    assert manifest["drivers"] == {"puts": driver, "short": driver}


def test_a_run_says_which_driver_ran_what(study: Path, tmp_path: Path) -> None:
    told = run(with_a_strategy_of_its_own(study), tmp_path / "out", "kernel").output
    assert "run by the kernel: puts, short; " in told
    assert "runs through Backtrader only: loud" in told
    assert "kernel" not in run(study, tmp_path / "out", "backtrader").output


def test_a_run_of_both_says_what_they_agree_on(study: Path, tmp_path: Path) -> None:
    told = " ".join(run(study, tmp_path / "out", "both").output.split())
    assert "kernel and Backtrader agree in every bit on puts, short (546 sessions, " in told


def test_an_unknown_driver_is_refused(study: Path) -> None:
    result = invoke("run", study, "--driver", "fortran")
    assert result.exit_code == 2
    assert result.stderr == (
        "levsleeve: driver: 'fortran'; one of backtrader, kernel, both is right\n"
    )
    with pytest.raises(StudyError, match="driver: 'fortran'"):
        levsleeve.run(study, driver="fortran")


def test_drivers_that_differ_end_the_run_with_the_first_difference(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doctored(*arguments: Any) -> SleeveRun:
        left = compiled(*arguments)
        left.ledger.loc["2008-06-09", "cash"] = 1.5
        return left

    compiled = compiled_driver.run_compiled
    monkeypatch.setattr(drive, "run_compiled", doctored)
    result = invoke("run", study, "--driver", "both", "--out", tmp_path / "out")
    assert result.exit_code == 2
    start = f"levsleeve: {study}: sleeve puts: 2008-06-09: cash is "
    assert result.stderr.startswith(start)
    assert result.stderr.endswith(" (backtrader) but 1.5 (kernel)\n")
    assert not (tmp_path / "out").exists()
    with pytest.raises(ParityError):
        levsleeve.run(study, driver="both")


@pytest.fixture(scope="module")
def left(study: Path) -> SleeveRun:
    """What the kernel leaves of the put sleeve."""
    kept: list[SleeveRun] = []

    def keeping(*arguments: Any) -> SleeveRun:
        kept.append(compiled(*arguments))
        return kept[-1]

    compiled = compiled_driver.run_compiled
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drive, "run_compiled", keeping)
        levsleeve.run(study, driver="kernel")
    return kept[0]


def difference(left: SleeveRun, **changes: Any) -> str:
    other = SleeveRun(**{**vars(left), **changes})
    return first_difference(left, other, ["UPRO"])


def test_two_equal_runs_have_no_first_difference(left: SleeveRun) -> None:
    assert difference(left) == ""


def test_the_first_difference_is_by_session_before_quantity(left: SleeveRun) -> None:
    ledger = left.ledger.copy()
    ledger.loc["2008-07-15", "cash"] = 1.0
    ledger.loc["2008-07-14", "equity"] = 2.0
    stated = left.ledger["equity"].loc["2008-07-14"].item()
    assert difference(left, ledger=ledger) == (
        f"2008-07-14: equity is {stated} (backtrader) but 2.0 (kernel)"
    )


def test_a_run_that_is_longer_differs_on_its_first_session_more(left: SleeveRun) -> None:
    assert difference(left, ledger=left.ledger.iloc[:-1]) == (
        "2009-06-30: the run is 273 sessions (backtrader) but 272 sessions (kernel) long"
    )


def test_an_event_that_differs_is_told_in_words(left: SleeveRun) -> None:
    session, row = left.event_rows[0]
    other = row.copy()
    other[3] += 1.0
    told = difference(left, event_rows=[(session, other), *left.event_rows[1:]])
    assert told.startswith("2008-06-03: event 1 is order_filled UPRO on 2008-06-03 (shares ")
    assert f", price {row[3]}, before 0.0, after {row[5]}) (backtrader) but" in told
    assert told.endswith(f", price {other[3]}, before 0.0, after {row[5]}) (kernel)")
    fewer = difference(left, event_rows=left.event_rows[:-1])
    assert fewer.endswith("(backtrader) but none (kernel)")


def test_costs_that_differ_are_told_by_position(left: SleeveRun) -> None:
    costs = left.account.costs + np.array([0.0, 1.0])
    told = difference(left, account=left.account._replace(costs=costs))
    one, other = left.account.costs[1], costs[1]
    assert told == (f"2009-06-30: costs of position 2 are {one} (backtrader) but {other} (kernel)")


def test_variants_of_a_sleeve_are_summed_up_in_their_order(study: Path) -> None:
    variants: list[dict[str, Any]] = [
        {"weight": 0.4},
        {"weight": 0.2, "moneyness": 0.9},
        {"fund": "SSO"},
    ]
    table = levsleeve.run_many(study, "puts", variants)
    assert list(table.columns[:3]) == ["weight", "moneyness", "fund"]
    assert table["fund"].isna().tolist() == [True, True, False]
    assert table["sessions"].tolist() == [273.0] * 3
    again = levsleeve.run_many(study, "puts", variants[::-1], workers=2)
    pd.testing.assert_frame_equal(
        table.drop(columns=["weight", "moneyness", "fund"]),
        again.iloc[::-1].reset_index(drop=True).drop(columns=["weight", "moneyness", "fund"]),
        check_exact=True,
    )


def refused(*arguments: Any) -> str:
    with pytest.raises(StudyError) as stopped:
        levsleeve.run_many(*arguments)
    return str(stopped.value)


def test_variants_that_cannot_run_are_refused(study: Path) -> None:
    mixed = with_a_strategy_of_its_own(study)
    assert refused(study, "calls", [{}]) == (
        f"{study}: sleeve calls: none of that name; one of puts, short is right"
    )
    assert refused(study, "puts", []) == f"{study}: sleeve puts: no variants; at least one is right"
    assert refused(mixed, "loud", [{}]) == (
        f"{mixed}: sleeve loud: Loud is a strategy of its own, which only Backtrader runs, one at "
        "a time; a SleeveStrategy that only describes a sleeve is right"
    )
    assert refused(study, "puts", [{"weights": 0.3}]) == (
        f"{study}: sleeve puts: parameters.weights: unknown to Bull3xPuts; did you mean weight?"
    )
    assert refused("strategies/bull_3x.py", "bull", [{}]) == (
        "strategies/bull_3x.py: a strategy alone; variants are of a sleeve of a study (.toml)"
    )
