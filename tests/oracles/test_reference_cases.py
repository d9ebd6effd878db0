"""Every reference figure through the rulebook, and the runner that takes any file of them.

``reference_cases.json`` is ours.  Another table of the same form is taken where there is one: the
file that ``LEVSLEEVE_CASES`` names, else ``cases/margin_cases.json`` in a neighbour of the
repository.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tests.oracles.case_shapes import ACCOUNT_GROUPS, SHAPES
from tests.oracles.run_cases import CASE_KEYS, main, run_case

ROOT = Path(__file__).parents[2]
OURS = Path(__file__).with_name("reference_cases.json")
RUNNER = Path(__file__).with_name("run_cases.py")
COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"
SAMPLE = 1 if COMPILED else 25  # uncompiled, an account takes seconds: every 25th case

Case = dict[str, Any]


def cases_of(path: Path) -> list[Case]:
    cases: list[Case] = json.loads(path.read_text(encoding="utf-8"))
    return cases


def neighbour() -> Path | None:
    named = os.environ.get("LEVSLEEVE_CASES")
    if named:
        return Path(named)
    return next(iter(sorted(ROOT.parent.glob("*/cases/margin_cases.json"))), None)


def table(path: Path | None) -> list[Any]:
    """A parameter a case, named by its identifier; one that is skipped where there is no table."""
    if path is None or not path.is_file():
        reason = "no cases/margin_cases.json beside the repository, and LEVSLEEVE_CASES names none"
        return [pytest.param({}, marks=pytest.mark.skip(reason=reason), id="none")]
    return [pytest.param(case, id=case["id"]) for case in cases_of(path)[::SAMPLE]]


@pytest.mark.parametrize("case", table(OURS))
def test_the_rulebook_gives_the_reference_figure(case: Case) -> None:
    assert run_case(case).findings == []


@pytest.mark.parametrize("case", table(neighbour()))
def test_the_rulebook_gives_the_figure_of_the_table_beside_the_repository(case: Case) -> None:
    assert run_case(case).findings == []


def test_our_table_has_cases_of_every_group() -> None:
    assert {case["group"] for case in cases_of(OURS)} == ACCOUNT_GROUPS | set(SHAPES)


def test_every_case_of_our_table_has_a_name_of_its_own_a_sentence_and_a_source() -> None:
    cases = cases_of(OURS)
    assert len({case["id"] for case in cases}) == len(cases)
    for case in cases:
        assert set(case) == CASE_KEYS
        assert case["what"].endswith(".")
        assert case["source"]


# --- the runner ----------------------------------------------------------------------------------


def ours(identifier: str) -> Case:
    (found,) = (case for case in cases_of(OURS) if case["id"] == identifier)
    return found


ACCOUNT, FLOW, BROKER = "liquidation-short-2x", "flows-3x-0.04", "interest-debit-weekend"
SHARES, EVENTS = "splits-reverse-1-for-4", "sma-legacy-2x"


def without(case: Case, key: str) -> None:
    del case[key]


DOCTORED: list[tuple[str, Callable[[Case], None], str]] = [
    (
        FLOW,
        lambda case: case["expect"].update(rebalance_trade_usd=480_000_000.02),
        "rebalance_trade_usd: expected 480000000.02, got 480000000.0",
    ),
    (
        SHARES,
        lambda case: case.update(
            expect={"shares_after": 26.000_000_1}, tolerance={"absolute": 1.0}
        ),
        "shares_after: expected 26.0000001, got 26.0",
    ),
    (
        EVENTS,
        lambda case: case["expect"].update(compliant=[True, True, True]),
        "compliant: expected [True, True, True], got [True, False, True]",
    ),
    (
        EVENTS,
        lambda case: case["expect"].update(compliant=[True, False]),
        "compliant: expected [True, False], got [True, False, True]",
    ),
    (
        EVENTS,
        lambda case: case["expect"].update(compliant=[1, 0, 1]),
        "compliant: expected [1, 0, 1], got [True, False, True]",
    ),
    (
        FLOW,
        lambda case: case.update(expect={"profit_usd": 1.0}),
        "profit_usd: expected 1.0, but it is not answered",
    ),
    (
        ACCOUNT,
        lambda case: case["expect"].update(max_shares=7),
        "max_shares: expected 7, but it is not answered",
    ),
    (
        FLOW,
        lambda case: case["given"].update(zeal=1),
        "given keys that nothing reads: zeal",
    ),
    (
        BROKER,
        lambda case: case["given"]["tiers"][1].update(floor=0.01),
        "given keys that nothing reads: tiers.1.floor",
    ),
    (
        BROKER,
        lambda case: case["given"].update(days=4),
        "refused: ValueError: days: 4, but the dates are 3 apart",
    ),
    (
        ACCOUNT,
        lambda case: case["given"].update(index_directon="up"),
        "refused: AccountError: account: index_directon: unknown key; "
        "did you mean index_direction?",
    ),
    (
        ACCOUNT,
        lambda case: case["given"].update(policy={"short_flor": "scaled"}),
        "refused: AccountError: account: policy.short_flor: unknown key; did you mean short_floor?",
    ),
    (
        ACCOUNT,
        lambda case: case["given"]["funds"]["FUND"].update(color="red"),
        "refused: AccountError: account: funds.FUND: color: unknown key; "
        "known are price_usd, multiple, benchmark",
    ),
    (
        FLOW,
        lambda case: without(case["given"], "assets_usd"),
        "refused: KeyError: 'assets_usd'",
    ),
    (
        FLOW,
        lambda case: case.update(group="flow"),
        "refused: ValueError: flow: no such group; known are "
        + ", ".join(sorted([*ACCOUNT_GROUPS, *SHAPES])),
    ),
    (FLOW, lambda case: without(case, "source"), "keys missing or unknown: source"),
    (FLOW, lambda case: case.update(page=12), "keys missing or unknown: page"),
    (
        FLOW,
        lambda case: case.update(expect={}),
        "expect: empty; at least one answer is right",
    ),
    (FLOW, lambda case: case.update(given=[]), "given: []; a table is right"),
    (
        FLOW,
        lambda case: case.update(tolerance={"absolute": 1.0, "relative": 1.0}),
        "tolerance: {'absolute': 1.0, 'relative': 1.0}; one number, absolute or relative, is right",
    ),
    (
        FLOW,
        lambda case: case.update(tolerance={"relative": float("inf")}),
        "tolerance: {'relative': inf}; one number, absolute or relative, is right",
    ),
]


@pytest.mark.parametrize(("identifier", "change", "finding"), DOCTORED)
def test_a_doctored_case_fails_with_what_is_wrong(
    identifier: str,
    change: Callable[[Case], None],
    finding: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = deepcopy(ours(identifier))
    change(case)
    path = tmp_path / "doctored.json"
    path.write_text(json.dumps([case, ours(FLOW)]), encoding="utf-8")
    assert main([str(path)]) == 1
    assert capsys.readouterr().out == f"{identifier}: {finding}\n1 passed, 1 failed\n"


def test_what_is_no_case_at_all_fails_and_the_others_are_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(["zeal", {}, ours(FLOW)]), encoding="utf-8")
    assert main([str(path)]) == 1
    keys = ", ".join(sorted(CASE_KEYS))
    assert capsys.readouterr().out == (
        "a case: 'zeal'; a table is right\n"
        f"a case without id: keys missing or unknown: {keys}\n"
        "1 passed, 2 failed\n"
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[{]", "Expecting property name enclosed in double quotes: line 1 column 3 (char 2)"),
        ("{}", "no cases; a list of cases is right"),
        ("[]", "no cases; a list of cases is right"),
    ],
)
def test_a_file_without_cases_cannot_be_run(
    text: str, wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cases.json"
    path.write_text(text, encoding="utf-8")
    assert main([str(path)]) == 2
    assert capsys.readouterr().err == f"{path}: {wrong}\n"


def test_one_file_is_run_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err == "usage: python tests/oracles/run_cases.py FILE.json\n"


def program(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(RUNNER), *arguments], capture_output=True, text=True, check=False
    )


def test_the_program_counts_what_passed(tmp_path: Path) -> None:
    cases = {case["group"]: case for case in cases_of(OURS)}
    few = [case for group, case in cases.items() if group in SHAPES]
    path = tmp_path / "few.json"
    path.write_text(json.dumps([ours(ACCOUNT), *few]), encoding="utf-8")
    run = program(str(path))
    assert (run.returncode, run.stdout, run.stderr) == (
        0,
        f"{1 + len(SHAPES)} passed, 0 failed\n",
        "",
    )


def test_the_program_says_what_failed(tmp_path: Path) -> None:
    path = tmp_path / "doctored.json"
    path.write_text(json.dumps([{**ours(FLOW), "group": "zeal"}, ours(FLOW)]), encoding="utf-8")
    run = program(str(path))
    assert run.returncode == 1
    assert run.stdout.startswith(f"{FLOW}: refused: ValueError: zeal: no such group; known are ")
    assert run.stdout.endswith("\n1 passed, 1 failed\n")


def test_the_program_cannot_run_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.json"
    run = program(str(path))
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == f"{path}: [Errno 2] No such file or directory: '{path}'\n"
