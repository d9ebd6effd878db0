from datetime import date
from pathlib import Path
from typing import Any

import backtrader as bt
import pytest

from levsleeve.backtests.request import Choices, request_of
from levsleeve.errors import StudyError

STRATEGY = """\
import backtrader as bt


class One(bt.Strategy):
    params = (("period", 20), ("rate", 0.5), ("fund", "UPRO"), ("loud", False), ("limit", None))
"""


class Mine(bt.Strategy):
    params = (("period", 20),)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.py"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


def test_a_strategy_alone_gets_the_sessions_and_rules_of_the_quickstart(file: Path) -> None:
    study = request_of(file, Choices()).study
    quickstart = request_of(
        Path(__file__).parents[3] / "backtests" / "quickstart.toml", Choices()
    ).study
    for key in ("start", "end", "benchmark", "rules_as_of", "volatility_model"):
        assert getattr(study, key) == getattr(quickstart, key), key
    assert (study.name, study.account.cash_usd) == ("one", 100_000.0)
    assert [(sleeve.name, sleeve.strategy) for sleeve in study.sleeve] == [("one", "one.py")]


def test_a_class_is_named_by_its_name_and_belongs_to_the_current_folder() -> None:
    request = request_of(Mine, Choices(funds=("SSO",), parameters={"period": 5}))
    assert (request.path, request.study.name) == (Path("Mine"), "Mine")
    assert request.study.sleeve[0].funds == ["SSO"]
    assert request.study.sleeve[0].parameters == {"period": 5}
    assert request.strategies == {"Mine": Mine}


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("sma cross (2)", "sma-cross-2"),
        ("_mine", "mine"),
        ("стратегия", "strategy"),
        ("a" * 70, "a" * 64),
    ],
)
def test_a_file_of_any_name_makes_a_study_of_a_valid_name(
    tmp_path: Path, stem: str, name: str
) -> None:
    path = tmp_path / f"{stem}.py"
    path.write_text(STRATEGY, encoding="utf-8")
    assert request_of(path, Choices()).study.name == name


def test_settings_are_keys_of_a_study_and_of_its_sleeve(file: Path) -> None:
    settings = {
        "name": "other",
        "start": date(2008, 1, 2),
        "account": {"cash_usd": 5_000.0},
        "sleeve": {"name": "only", "slots": ["UPRO:put"], "on_shortfall": "cut"},
    }
    request = request_of(str(file), Choices(settings=settings))
    study, sleeve = request.study, request.study.sleeve[0]
    assert (study.name, study.start, study.account.cash_usd) == ("other", date(2008, 1, 2), 5_000.0)
    assert (sleeve.name, sleeve.slots, sleeve.on_shortfall) == ("only", ["UPRO:put"], "cut")
    assert list(request.strategies) == ["only"]


def test_an_assignment_is_read_as_the_strategys_own_value_is(file: Path) -> None:
    texts = ["period=5", "rate=1e-3", "fund=10", "loud=True", "limit=7"]
    chosen = request_of(file, Choices(assignments=texts)).study.sleeve[0].parameters
    assert chosen == {"period": 5, "rate": 0.001, "fund": "10", "loud": True, "limit": 7}
    assert isinstance(chosen["loud"], bool)
    words = request_of(file, Choices(assignments=["limit=a=b"])).study.sleeve[0].parameters
    assert words == {"limit": "a=b"}


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (Choices(assignments=["period"]), "--set period: no value; --set period=20 is right"),
        (Choices(funds="UPRO"), "funds: 'UPRO'; a list of names is right"),
        (Choices(settings={"sleeve": []}), "settings.sleeve: []; one table is right"),
        (
            Choices(settings={"benchmarks": "SP500"}),
            "benchmarks: unknown key; did you mean benchmark?",
        ),
    ],
)
def test_a_choice_that_is_wrong_is_told_by_file(file: Path, choices: Choices, message: str) -> None:
    with pytest.raises(StudyError) as refused:
        request_of(file, choices)
    assert str(refused.value) == f"{file}: {message}"


def test_what_is_no_strategy_and_no_file_is_refused(tmp_path: Path) -> None:
    gone: Any = tmp_path / "gone.py"
    expected: list[tuple[Any, str]] = [
        (int, "int: no Backtrader strategy; a bt.Strategy is right"),
        (3, "3: nothing to run; a path or a strategy class is right"),
        (gone, f"{gone}: no such file; a strategy is a Python file"),
    ]
    for asked, message in expected:
        with pytest.raises(StudyError) as refused:
            request_of(asked, Choices())
        assert str(refused.value) == message


def test_a_study_file_takes_no_choices() -> None:
    with pytest.raises(StudyError) as refused:
        request_of("s.toml", Choices(), given=["funds", "settings"])
    assert str(refused.value) == (
        "s.toml: funds, settings: for a strategy alone, a file ending in .py; "
        "a study says it by its own keys"
    )
