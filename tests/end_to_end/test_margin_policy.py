"""``levsleeve margin --policy``: an account watched by a scheduler."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.workspaces import make_workspace
from typer.testing import CliRunner, Result

from levsleeve.cli.app import app

ACCOUNT: dict[str, Any] = {
    "date": "2018-10-01",
    "cash_usd": 0.0,
    "funds": {"UPRO": {"price_usd": 80.0}},
    "holdings": [{"fund": "UPRO", "side": "long", "shares": 1000}],
}
STUDY = """\
schema = 1
name = "watched"
start = 2008-06-02
end = 2009-06-30

[[sleeve]]
name = "bull"
strategy = "bull_3x"
parameters = { weight = 1.0, cap = 1.0 }
stop_flight = { warn = 0.6, derisk = 0.7, flatten = 0.9, cut_to = 0.5 }
"""
RESERVED = 'reserve = { rise = "history", fall = "history", keep = 0.05 }\n'


@pytest.fixture
def study(tmp_path: Path, price_cache: Path) -> Path:
    return make_workspace(tmp_path, price_cache, STUDY)


def margin(study: Path, *words: str, cash_usd: float = 0.0) -> Result:
    given = json.dumps(ACCOUNT | {"cash_usd": cash_usd})
    command = ["margin", "-", "--policy", str(study), *words]
    return CliRunner().invoke(app, command, input=given)


@pytest.mark.parametrize(
    ("cash_usd", "code", "verdict"),
    [(40_000.0, 0, "ok"), (15_000.0, 10, "warn"), (0.0, 11, "act"), (-30_000.0, 12, "call")],
)
def test_the_exit_code_tells_ok_warn_act_and_call_apart(
    study: Path, cash_usd: float, code: int, verdict: str
) -> None:
    result = margin(study, cash_usd=cash_usd)
    assert result.exit_code == code, result.output
    assert f"policy: {verdict} (exit code {code})" in result.stdout
    told = json.loads(margin(study, "--json", cash_usd=cash_usd).stdout)["sleeve_policy"]
    assert (told["verdict"], told["exit_code"], told["sleeve"]) == (verdict, code, "bull")


def test_the_page_shows_what_the_policy_looks_at_and_what_to_do(study: Path) -> None:
    shown = margin(study).stdout
    for line in (
        "policy of bull",
        "warn 60.0%, derisk 70.0% to 50.0%, flatten 90.0%",
        "sell 334 UPRO, keep 666",
        "+3.00",
    ):
        assert line in shown
    assert "the sizing rule is not asked" not in shown


def test_the_reserve_looks_at_the_index_up_to_the_account(study: Path) -> None:
    # the worst day of the bundled index up to 2018-10-01 is -9.03 %, 2008-10-15
    study.write_text(STUDY + RESERVED)
    told = json.loads(margin(study, "--json", cash_usd=80_000.0).stdout)["sleeve_policy"]
    fall = 1.0 - 0.5 * 3 * 0.09025 - 0.5 * (1.0 - 3 * 0.09025)
    assert told["reserve"] == pytest.approx(fall, abs=5e-4)
    assert "excess liquidity after the reserve's moves" in margin(study).stdout


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        (
            STUDY + '\n[[sleeve]]\nname = "other"\nstrategy = "bull_3x"\n',
            [],
            "it has 2 sleeves; --sleeve with one of bull, other is right",
        ),
        (STUDY, ["--sleeve", "beer"], "sleeve beer: none of that name; one of bull is right"),
        (
            'schema = 1\nname = "own"\nstart = 2008-06-02\nend = 2009-06-30\n'
            '[[sleeve]]\nname = "cross"\nstrategy = "sma_cross"\n',
            [],
            "sleeve cross: sma_cross decides for itself and has no policy; "
            "a SleeveStrategy is right",
        ),
    ],
)
def test_a_policy_that_cannot_be_found_is_refused_in_one_line(
    study: Path, text: str, words: list[str], message: str
) -> None:
    study.write_text(text)
    result = margin(study, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"levsleeve: {study}: {message}\n"


def test_a_sleeve_without_a_policy_is_refused() -> None:
    command = ["margin", "-", "--sleeve", "bull"]
    result = CliRunner().invoke(app, command, input=json.dumps(ACCOUNT))
    assert result.exit_code == 2
    assert result.stderr == (
        "levsleeve: --sleeve bull: without --policy; the study it belongs to is right\n"
    )
