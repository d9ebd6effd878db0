from datetime import date
from pathlib import Path
from typing import Any

import pytest

from levsleeve.backtests.study import Study, parse_study, read_study
from levsleeve.errors import StudyError


def tables(**changes: Any) -> dict[str, Any]:
    """A valid study with some keys changed; None removes one."""
    study: dict[str, Any] = {
        "schema": 1,
        "name": "s",
        "start": date(2008, 1, 2),
        "end": date(2009, 1, 2),
        "sleeve": [{"name": "a", "strategy": "bull_3x"}],
    }
    return {key: value for key, value in (study | changes).items() if value is not None}


def test_a_study_of_few_keys_takes_the_defaults_of_the_account() -> None:
    study = parse_study(tables())
    assert (study.benchmark, study.account.cash_usd) == ("SP500", 100_000.0)
    assert (study.rules_as_of, study.volatility_model) == ("session", "vix_standard_skew")


def test_a_whole_number_is_a_number_too() -> None:
    assert parse_study(tables(account={"cash_usd": 5000})).account.cash_usd == 5000.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"account": {"cash_usd": -100.0}},
            "study: account.cash_usd: -100.0; a number above 0 is right",
        ),
        (
            {"account": {"cash_usd": float("nan")}},
            "study: account.cash_usd: nan; a finite number is right",
        ),
        (
            {"account": {"cash_usd": float("inf")}},
            "study: account.cash_usd: inf; a finite number is right",
        ),
        (
            {"account": {"cash_usd": "much"}},
            "study: account.cash_usd: 'much'; a number is right",
        ),
        (
            {"account": {"csh_usd": 1.0}},
            "study: account.csh_usd: unknown key; did you mean cash_usd?",
        ),
        (
            {"account": {"fund_half_spread_rate": 1.5}},
            "study: account.fund_half_spread_rate: 1.5; a number below 1 is right",
        ),
        (
            {"account": {"option_half_spread_minimum_usd": -0.05}},
            "study: account.option_half_spread_minimum_usd: -0.05; a number of at least 0 is right",
        ),
        ({"account": 3}, "study: account: 3; a table is right"),
        ({"titles": "x"}, "study: titles: unknown key; did you mean title?"),
        (
            {"zzz": 1},
            "study: zzz: unknown key; known are schema, name, title, start, end, benchmark, "
            "rules_as_of, rules_beside, volatility_model, volatility_beside, account, sleeve",
        ),
        ({"schema": 2}, "study: schema: 2; 1 is right"),
        ({"schema": None}, "study: schema: missing; this key is required"),
        (
            {"name": "a/b"},
            "study: name: 'a/b'; a name of letters, digits, - and _, 64 at most, is right",
        ),
        (
            {"start": "2008-01-02"},
            "study: start: '2008-01-02'; a date such as 2018-12-31 without quotes is right",
        ),
        (
            {"rules_as_of": "sessions"},
            "study: rules_as_of: 'sessions'; "
            'a date such as 2018-12-31 without quotes, or "session", is right',
        ),
        (
            {"start": date(2009, 1, 2)},
            "study: start: 2009-01-02 is not before end 2009-01-02; an earlier date is right",
        ),
        ({"sleeve": []}, "study: sleeve: []; at least one table is right"),
        ({"sleeve": None}, "study: sleeve: missing; this key is required"),
        ({"sleeve": "bull"}, "study: sleeve: 'bull'; a list of [[sleeve]] tables is right"),
        (
            {"sleeve": [{"name": "a", "strategy": "b"}, {"name": "a", "strategy": "c"}]},
            "study: sleeve: the name a is used twice; names must differ",
        ),
        (
            {"sleeve": [{"name": "a", "stratgy": "b"}]},
            "study: sleeve.0.stratgy: unknown key; did you mean strategy?",
        ),
        (
            {"sleeve": [{"name": "a", "strategy": "b", "weight": 1.0}]},
            "study: sleeve.0.weight: unknown key; known are cap, rebalance, rebalance_offset, "
            "band, sizing, allocation, core, caps, reserve, stop_flight, exits, name, strategy, "
            "funds, slots, on_shortfall, parameters",
        ),
        (
            {"sleeve": [{"name": "a", "strategy": "b", "parameters": {"x": [1]}}]},
            "study: sleeve.0.parameters.x: [1]; a number, a text, true or false is right",
        ),
        (
            {"sleeve": [{"name": "a", "strategy": "b", "funds": "UPRO"}]},
            "study: sleeve.0.funds: 'UPRO'; a list is right",
        ),
        (
            {"sleeve": [{"name": "a", "strategy": "b", "slots": [1]}]},
            "study: sleeve.0.slots.0: 1; text in quotes is right",
        ),
        (
            {"sleeve": [{"name": "a", "strategy": "b", "on_shortfall": "buy"}]},
            "study: sleeve.0.on_shortfall: 'buy'; 'cut' or 'refuse' is right",
        ),
    ],
)
def test_a_key_that_is_wrong_is_named_with_its_value_and_what_would_be_right(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(StudyError) as refused:
        parse_study(tables(**changes))
    assert str(refused.value) == message


def test_files_that_are_no_study_are_refused_by_name(tmp_path: Path) -> None:
    absent, folder = tmp_path / "absent.toml", tmp_path
    latin, broken = tmp_path / "latin.toml", tmp_path / "broken.toml"
    latin.write_bytes(b"name = '\xe4'")
    broken.write_text("name = \n", encoding="utf-8")
    expected = {
        absent: f"{absent}: no such file; a study is a TOML file",
        folder: f"{folder}: a folder; a study is a TOML file",
        latin: f"{latin}: not UTF-8 text; a study is a TOML file",
        broken: f"{broken}: not TOML: Invalid value (at line 1, column 8)",
    }
    for path, message in expected.items():
        with pytest.raises(StudyError) as refused:
            read_study(path)
        assert str(refused.value) == message


def test_a_file_that_may_not_be_read_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "locked.toml"

    def refuse(*_: Any, **__: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(StudyError) as refused:
        read_study(path)
    assert str(refused.value) == (
        f"{path}: cannot be read (Permission denied); a study is a TOML file"
    )


def test_a_study_cannot_be_changed_after_it_was_checked() -> None:
    study = parse_study(tables())
    with pytest.raises(ValueError, match="frozen"):
        study.name = "other"
    assert isinstance(study, Study)
