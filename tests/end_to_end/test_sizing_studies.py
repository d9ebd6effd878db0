"""Sizing rules, policy and actions in a study: what runs, is reported, and is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.workspaces import make_workspace
from typer.testing import CliRunner, Result

import levsleeve
from levsleeve.backtests.study_result import StudyResult
from levsleeve.cli.app import app
from levsleeve.errors import StudyError

HEAD = """\
schema = 1
name = "sized"
start = 2008-01-02
end = 2009-12-31
rules_as_of = 2010-04-30

[account]
cash_usd = 250_000.0

[[sleeve]]
name = "bull"
strategy = "bull_3x"
parameters = { weight = 0.5, cap = 0.6 }
"""
EVERYTHING = """\
rebalance = "weekly"
rebalance_offset = 1
band = 0.02
core = [{ fund = "SP500", weight = 0.3 }]
caps = { delta = 2.0, enforce = "daily" }
reserve = { house_rate = 0.8 }
stop_flight = { warn = 0.2, derisk = 0.45, flatten = 0.8, cut_to = 0.3 }
exits = { max_drawdown = 0.15, cool_off_sessions = 10 }

[sleeve.sizing]
rule = "most_cautious"
rules = [{ rule = "vol_target", target_vol = 0.5 }, { rule = "grossman_zhou", alpha = 0.5 }]
"""
OWN = """\
def scale(history):
    return 1.0 if history.worth[-1] > history.worth[-100:].mean() else 0.5


def careful(history, account):
    return max(0.0, 1.0 - 3.0 * (1.0 - account.growth / account.peak))


def lost(history):
    return float("nan")


def broken(history):
    return history.wealth


def words(history):
    return "half"


def three(history, account, more):
    return 1.0


NUMBER = 3.0
"""


@pytest.fixture
def folder(tmp_path: Path, price_cache: Path) -> Path:
    study = make_workspace(tmp_path, price_cache, HEAD)
    (study.parent / "own.py").write_text(OWN)
    return study.parent


def write(folder: Path, rules: str) -> Path:
    path = folder / "sized.toml"
    path.write_text(HEAD + rules)
    return path


def run(study: Path, driver: str = "kernel") -> Result:
    command = ["run", str(study), "--no-tearsheets", "--driver", driver]
    return CliRunner().invoke(app, command)


def result_of(folder: Path) -> dict[str, Any]:
    path = folder / "out" / "sized" / "bull" / "result.json"
    result: dict[str, Any] = json.loads(path.read_text())
    return result


def test_every_key_of_a_sleeve_runs_in_both_drivers_and_is_reported(folder: Path) -> None:
    result = run(write(folder, EVERYTHING), "both")
    assert result.exit_code == 0, result.output
    told = result_of(folder)
    policy = told["policy"]
    assert (policy["cap"], policy["enforce"]) == (0.6, "daily")
    assert policy["warnings"] > 0
    assert policy["exits"] > 0
    assert policy["re_entries"] in (policy["exits"], policy["exits"] - 1)
    assert 0.0 < policy["mean_leveraged_weight"] < policy["peak_leveraged_weight"] < 0.6
    assert policy["sessions_above_cap"] == 0
    lines = told["assumptions"]
    assert lines["sizing"] == (
        "most_cautious(rules [vol_target(target_vol 0.5), grossman_zhou(alpha 0.5)]); "
        "from closes up to the decision's, BUS/252"
    )
    assert lines["core"] == "0.3 SP500, set anew with the sleeve"
    assert lines["caps"] == "Caps(delta 2, enforce daily)"
    assert lines["reserve"] == (
        "Reserve(house_rate 0.8); moves of the index, funds by multiple"
    )  # fmt: skip
    assert lines["stop-flight"].startswith("StopFlight(warn 0.2, derisk 0.45, flatten 0.8, cut_to")
    assert lines["exits"] == "Exits(max_drawdown 0.15, cool_off_sessions 10)"


def ran(folder: Path, rules: str) -> StudyResult:
    return levsleeve.run(write(folder, rules), driver="kernel")


def test_profits_of_sleeve_and_core_are_what_their_prices_and_trades_brought(folder: Path) -> None:
    result = ran(folder, 'core = [{ fund = "SP500", weight = 0.3 }]\n').sleeves["bull"]
    assert result.policy is not None
    funding = result.funding
    carried = sum(
        funding[f"{cause}_usd"]
        for cause in ("debit_interest", "credit_interest", "short_rebate", "borrow_fee",
                      "distributions")
    )  # fmt: skip
    parts = result.policy["sleeve_profit_usd"] + result.policy["core_profit_usd"] + carried
    gained = float(result.ledger["equity"].iloc[-1]) - 250_000.0
    assert parts == pytest.approx(gained, abs=1e-6)
    assert result.policy["sleeve_profit_usd"] < result.policy["core_profit_usd"] < 0.0


def test_drift_above_the_cap_is_reported_and_trimmed_where_it_is_enforced(folder: Path) -> None:
    tight = HEAD.replace("cap = 0.6", "cap = 0.5")
    study = folder / "sized.toml"
    study.write_text(tight)
    drifting = levsleeve.run(study, driver="kernel").sleeves["bull"].policy
    study.write_text(tight + 'caps = { enforce = "daily" }\n')
    trimmed = levsleeve.run(study, driver="kernel").sleeves["bull"].policy
    assert drifting is not None
    assert trimmed is not None
    assert drifting["sessions_above_cap"] > 100
    assert drifting["cap_trims"] == 0
    assert trimmed["cap_trims"] > 50
    assert trimmed["peak_leveraged_weight"] < drifting["peak_leveraged_weight"]


def test_a_rule_of_ones_own_runs_in_both_drivers(folder: Path) -> None:
    result = run(write(folder, 'sizing = { rule = "file", file = "own.py" }\n'), "both")
    assert result.exit_code == 0, result.output
    assert "agree in every bit on bull" in result.stdout
    assert result_of(folder)["assumptions"]["sizing"] == (
        "a rule of one's own, scale, which sees the history"
    )


def test_a_rule_of_ones_own_that_sees_the_account_runs_through_backtrader_and_says_so(
    folder: Path,
) -> None:
    own = 'rebalance = "daily"\nsizing = { rule = "file", file = "own.py", function = "careful" }\n'
    result = run(write(folder, own), "both")
    assert result.exit_code == 0, result.output
    assert "runs through Backtrader only: bull" in " ".join(result.stdout.split())
    told = result_of(folder)
    assert told["assumptions"]["sizing"] == (
        "a rule of one's own, careful, which sees the history and the account"
    )
    # three times the drawdown off the scale: a third of drawdown sells all, in a crash of two
    assert -0.40 < told["metrics"]["max_drawdown"] < -0.20


def test_the_study_of_sizing_rules_says_from_when_each_answers(folder: Path) -> None:
    study = write(folder, 'sizing = { rule = "trend" }\n')
    study.write_text(study.read_text().replace("2008-01-02", "1999-06-01"))
    lines = levsleeve.run(study, driver="kernel").sleeves["bull"].assumptions
    assert lines["sizing"] == (
        "trend(); from closes up to the decision's, BUS/252; nothing is held before 1999-10-18, "
        "its first answer"
    )


REFUSED = [
    (
        'sizing = { rule = "vol_target", window = 5040 }',
        "sleeve bull: sizing.window: 5040 looks 5040 sessions back, but there are 2766 up to "
        "2009-12-31; a shorter window is right",
    ),
    (
        'sizing = { rule = "product", rules = [{ rule = "trend" }, { rule = "kelly", '
        "window = 4000, min_window = 3000 }] }",
        "sleeve bull: sizing.rules.1.min_window: 3000 looks 3000 sessions back, but there are "
        "2766 up to 2009-12-31; a shorter window is right",
    ),
    (
        'exits = { filter = { rule = "trend", window = 5000 } }',
        "sleeve bull: exits.filter.window: 5000 looks 4999 sessions back, but there are 2766 up to "
        "2009-12-31; a shorter window is right",
    ),
    (
        "stop_flight = { flatten = 0.7 }",
        "sleeve bull: stop_flight.derisk: 0.830 is not below flatten 0.700, gap-safe levels of "
        "these rates included; a ladder that tightens from cut_to and warn over derisk to flatten "
        "is right",
    ),
    (
        "stop_flight = { derisk = 0.8, flatten = 0.7 }",
        "sleeve.0.stop_flight.derisk: 0.8 is not below flatten 0.7; a ladder that tightens from "
        "cut_to and warn over derisk to flatten is right",
    ),
    (
        'sizing = { rule = "vol_target", window = 21, decay = 0.9 }',
        "sleeve.0.sizing.decay: 0.9 with a window of 21; one of the two is right",
    ),
    (
        "cap = 0.4",
        "sleeve bull: weight: 0.5 of equity in leveraged funds is above the cap 0.4; "
        "lower the weight or raise the cap",
    ),
    (
        'sizing = { rule = "file", file = "own.py", function = "lost" }',
        "sleeve bull: sizing: lost answers nan after 2263 sessions; a scale of at least 0 is right",
    ),
    (
        'sizing = { rule = "file", file = "own.py", function = "broken" }',
        "sleeve bull: sizing: broken fails with AttributeError: 'History' object has no attribute "
        "'wealth'; one that returns a scale is right",
    ),
    (
        'sizing = { rule = "file", file = "own.py", function = "words" }',
        "sleeve bull: sizing: words fails with ValueError: could not convert string to float: "
        "'half'; one that returns a scale is right",
    ),
    (
        'sizing = { rule = "file", file = "own.py", function = "three" }',
        "sleeve bull: sizing: three takes 3 arguments; scale(history) or scale(history, account) "
        "is right",
    ),
    (
        'sizing = { rule = "file", file = "own.py", function = "NUMBER" }',
        "sleeve bull: own.py: it has no function NUMBER; def NUMBER(history) is right",
    ),
    (
        'sizing = { rule = "file", file = "fails.py" }',
        "sleeve bull: fails.py: it fails when loaded with ZeroDivisionError: division by zero; "
        "a file that imports cleanly is right",
    ),
    (
        'sizing = { rule = "file", file = "rule.txt" }',
        "sleeve bull: rule.txt: not a Python file; a file ending in .py is right",
    ),
]


@pytest.mark.parametrize(("rules", "message"), REFUSED)
def test_what_cannot_run_is_refused_before_the_run_naming_the_key(
    folder: Path, rules: str, message: str
) -> None:
    (folder / "fails.py").write_text("1 / 0\n")
    (folder / "rule.txt").write_text("scale = 1.0\n")
    study = write(folder, rules + "\n")
    result = run(study)
    assert result.exit_code == 2
    assert result.stderr == f"levsleeve: {study}: {message}\n"
    assert not (folder / "out").exists()


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    study = write(folder, 'sizing = { rule = "file", file = "none.py" }\n')
    result = run(study)
    assert result.stderr == (
        f"levsleeve: {study}: sleeve bull: {folder / 'none.py'}: no such file; "
        "a sizing rule is a Python file\n"
    )


def test_a_plain_strategy_takes_no_rules(folder: Path) -> None:
    study = write(folder, 'sizing = { rule = "trend" }\n')
    text = study.read_text().replace('"bull_3x"', '"sma_cross"')
    study.write_text(text.replace("parameters = { weight = 0.5, cap = 0.6 }\n", ""))
    assert run(study).stderr == (
        f"levsleeve: {study}: sleeve bull: sizing: SmaCross decides for itself; "
        "a SleeveStrategy takes rules from a study\n"
    )


# --- variants ------------------------------------------------------------------------------------


def test_variants_set_keys_of_rules_and_parameters_alike(folder: Path) -> None:
    study = write(folder, 'sizing = { rule = "vol_target" }\n')
    variants: list[dict[str, Any]] = [
        {"sizing.target_vol": 0.2, "rebalance": "weekly", "weight": 0.4},
        {"stop_flight.derisk": 0.2, "stop_flight.flatten": 0.9, "sizing.target_vol": 0.6},
    ]
    table = levsleeve.run_many(study, "bull", variants)
    text = study.read_text().replace("weight = 0.5", "weight = 0.4")
    study.write_text(
        text.replace('rule = "vol_target"', 'rule = "vol_target", target_vol = 0.2')
        + 'rebalance = "weekly"\n'
    )
    alone = levsleeve.run(study, driver="kernel").sleeves["bull"]
    assert table["cagr"][0] == pytest.approx(alone.metrics.cagr, rel=1e-9)
    assert table["events:stop_flight"].tolist()[0] == 0
    assert table["events:stop_flight"].tolist()[1] > 0


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ({"sizing.target_vool": 0.2}, "sizing.target_vool: unknown key; did you mean target_vol?"),
        ({"sizing.window": 5000}, "sizing.window: 5000 looks 5000 sessions back, but there are "
         "2766 up to 2009-12-31; a shorter window is right"),
        ({"band": 2.0}, "band: 2.0; a fraction of equity from 0 to below 1 is right"),
    ],
)  # fmt: skip
def test_a_variant_that_cannot_run_is_refused_by_its_key(
    folder: Path, variant: dict[str, Any], message: str
) -> None:
    study = write(folder, 'sizing = { rule = "vol_target" }\n')
    with pytest.raises(StudyError) as stopped:
        levsleeve.run_many(study, "bull", [variant])
    assert str(stopped.value) == f"{study}: sleeve bull: {message}"


def test_the_page_of_a_run_says_what_the_policy_met(folder: Path) -> None:
    shown = " ".join(run(write(folder, EVERYTHING)).stdout.split())
    policy = result_of(folder)["policy"]
    assert (
        f"bull: leveraged weight at most {policy['peak_leveraged_weight']:.1%} at a close (cap "
        f"60.0% at decisions, above it on 0 sessions), {policy['warnings']} stop-flight warnings"
    ) in shown
    assert f"{policy['exits']} exits, {policy['re_entries']} re-entries" in shown


def test_a_sleeve_without_rules_has_no_line_of_policy(folder: Path) -> None:
    assert "leveraged weight at most" not in run(write(folder, "")).stdout


def test_a_dotted_key_changes_that_alone_of_what_the_strategy_describes(folder: Path) -> None:
    study = write(folder, "")
    text = study.read_text().replace('"bull_3x"', '"bull_3x_guarded"')
    study.write_text(text.replace("parameters = { weight = 0.5, cap = 0.6 }\n", ""))
    same = {"exits.max_drawdown": 0.25, "sizing.rules.1.target_vol": 0.2}
    table = levsleeve.run_many(study, "bull", [{}, same, {"sizing.rules.0.window": 50}])
    ends = table["ending_equity_usd"]
    assert ends[0] == ends[1] != ends[2]


def test_a_parameter_that_is_named_as_a_figure_stands_beside_it(folder: Path) -> None:
    study = write(folder, "")
    text = study.read_text().replace('"bull_3x"', '"bull_3x_guarded"')
    study.write_text(text.replace("parameters = { weight = 0.5, cap = 0.6 }\n", ""))
    table = levsleeve.run_many(study, "bull", [{"max_drawdown": 0.1}, {"max_drawdown": 0.2}])
    assert table["parameters.max_drawdown"].tolist() == [0.1, 0.2]
    assert (table["max_drawdown"] < 0.0).all()


@pytest.mark.parametrize(
    "name", ["core.0.weight", "sizing.rules.7.window", "band.x", "strategy.x", "nope.a"]
)
def test_a_dotted_key_that_leads_nowhere_is_refused(folder: Path, name: str) -> None:
    study = write(folder, 'sizing = { rule = "vol_target" }\n')
    with pytest.raises(StudyError) as stopped:
        levsleeve.run_many(study, "bull", [{name: 0.2}])
    assert str(stopped.value).startswith(f"{study}: sleeve bull: ")


def test_variants_that_are_no_list_are_refused(folder: Path) -> None:
    study = write(folder, 'sizing = { rule = "vol_target" }\n')
    with pytest.raises(StudyError) as stopped:
        levsleeve.run_many(study, "bull", {"band": 0.1})  # type: ignore[arg-type]
    assert str(stopped.value) == "variants: {'band': 0.1}; a list of mappings is right"


def test_a_variant_of_a_rule_that_sees_the_account_is_refused(folder: Path) -> None:
    own = 'sizing = { rule = "file", file = "own.py", function = "careful" }\n'
    study = write(folder, own)
    with pytest.raises(StudyError) as stopped:
        levsleeve.run_many(study, "bull", [{"weight": 0.2}])
    assert str(stopped.value) == (
        f"{study}: sleeve bull: sizing: careful sees the account, so that only Backtrader runs "
        "it, one at a time; scale(history) is right"
    )
