import json
from pathlib import Path
from typing import Any

import pytest
from tests.workspaces import REPOSITORY, make_workspace

import levsleeve
from levsleeve.backtests.ledger import identity_errors
from levsleeve.backtests.study_result import StudyResult
from levsleeve.reports.comparison import comparison_dict

WEIGHTS = {
    "bull-inverse": 0.625,
    "bull-50-inverse": 0.625,
    "bull-133": 1.3333,
    "bull-200": 2.0,
    "short-200": 2.0,
}
"""Gross weights of leveraged funds, where they are not half of equity."""

STUDIES = sorted((REPOSITORY / "backtests").glob("*.toml"))


@pytest.fixture(scope="module", params=STUDIES, ids=lambda path: path.stem)
def result(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, price_cache: Path
) -> StudyResult:
    """One whole run of a shipped study, on a cache of its own."""
    text = request.param.read_text(encoding="utf-8")
    return levsleeve.run(make_workspace(tmp_path_factory.mktemp("golden"), price_cache, text))


def test_a_shipped_study_answers_what_it_answered_when_its_result_was_committed(
    result: StudyResult,
    rewrite_golden: bool,  # noqa: FBT001
) -> None:
    path = REPOSITORY / "backtests" / "golden" / f"{result.study.name}.json"
    answer = comparison_dict(result)
    if rewrite_golden:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(answer, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    expected = json.loads(path.read_text(encoding="utf-8"))
    for name, figures in expected["sleeves"].items():
        assert_close(answer["sleeves"][name], figures)
    assert_close(answer["benchmark"], expected["benchmark"])
    assert list(answer) == list(expected)


def assert_close(answer: dict[str, Any], expected: dict[str, Any]) -> None:
    """Figures to nine digits (exp and erfc differ in the last by platform), the rest equal."""
    assert list(answer) == list(expected)
    for key, value in expected.items():
        if isinstance(value, float):
            assert answer[key] == pytest.approx(value, rel=1e-9, abs=1e-12), key
        else:
            assert answer[key] == value, key


def test_every_row_of_every_ledger_of_a_shipped_study_adds_up(result: StudyResult) -> None:
    cash = result.study.account.cash_usd
    runs = [*result.sleeves.values(), *result.other_rules.values()]
    for run in [*runs, *result.other_volatility.values()]:
        errors = identity_errors(run.ledger, cash).abs()
        gross = run.ledger.filter(regex="^value:").abs().sum(axis=1) + run.ledger["cash"].abs()
        allowed = 1e-6 * (gross / 1e6).clip(lower=1.0)
        assert (errors.max(axis=1) <= allowed).all(), run.name


def test_no_sleeve_decides_on_more_than_its_weight_which_stands_under_its_cap(
    result: StudyResult,
) -> None:
    # What a fill bought is judged at the close it was decided on; one session of drift follows.
    for name, run in result.sleeves.items():
        weight, sized = WEIGHTS.get(name, 0.50), False
        if run.sleeve is not None and run.sleeve.sizing is not None:
            weight, sized = run.sleeve.cap, True
        held = run.ledger.filter(regex=r"^shares:[A-Z]+$").abs().to_numpy()
        prices = run.ledger.filter(regex=r"^price:[A-Z]+$").shift().to_numpy()
        decided = (held * prices).sum(axis=1) / run.ledger["equity"].shift()
        shares = run.events[~run.events["symbol"].str.contains(" ")]
        filled = shares.loc[shares["kind"] == "order_filled", "session"].unique()
        split = run.events.loc[run.events["kind"] == "split", "session"]
        judged = decided.loc[[session for session in filled if session not in set(split)]]
        assert judged.max() <= weight
        if not run.margin["orders_cut"] and not sized:
            assert len(judged) > 100
            assert judged.max() > weight * 0.95
