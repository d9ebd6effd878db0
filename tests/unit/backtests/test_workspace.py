import sys
from pathlib import Path

import pytest

from levsleeve.backtests.workspace import Workspace, load_strategy
from levsleeve.errors import StudyError

STRATEGY = "import backtrader as bt\n\n\nclass One(bt.Strategy):\n    pass\n"


def test_the_workspace_of_a_study_is_the_nearest_folder_with_strategies(tmp_path: Path) -> None:
    (tmp_path / "strategies").mkdir()
    (tmp_path / "backtests" / "deep").mkdir(parents=True)
    around = Workspace.around(tmp_path / "backtests" / "deep" / "s.toml")
    assert around.root == tmp_path.resolve()
    assert around.out == tmp_path.resolve() / "backtests" / "out"


def test_without_strategies_anywhere_it_is_the_studys_own_folder(tmp_path: Path) -> None:
    assert Workspace.around(tmp_path / "s.toml").root == tmp_path.resolve()


def test_a_strategy_is_found_by_name_or_by_path(tmp_path: Path) -> None:
    (tmp_path / "strategies").mkdir()
    named, beside = tmp_path / "strategies" / "one.py", tmp_path / "mine.py"
    named.write_text(STRATEGY, encoding="utf-8")
    beside.write_text(STRATEGY, encoding="utf-8")
    workspace, study = Workspace(tmp_path), tmp_path / "s.toml"
    assert workspace.strategy_file("one", study) == named
    assert workspace.strategy_file("mine.py", study) == beside.resolve()
    assert load_strategy(named).__name__ == "One"


def test_a_strategy_file_may_import_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "rules_of_a_test.py").write_text("PERIOD = 7\n", encoding="utf-8")
    text = "from rules_of_a_test import PERIOD\n" + STRATEGY.replace("pass", "period = PERIOD")
    (tmp_path / "s.py").write_text(text, encoding="utf-8")
    before = list(sys.path)
    assert load_strategy(tmp_path / "s.py").period == 7
    assert sys.path == before


def test_a_strategy_that_is_not_there_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "bull.py").write_text(STRATEGY, encoding="utf-8")
    workspace, study = Workspace(tmp_path), tmp_path / "s.toml"
    expected = {
        "bul": "strategy: no strategies/bul.py in this workspace; did you mean bull?",
        "xyz": "strategy: no strategies/xyz.py in this workspace; known are bull",
        "../bull": "strategy: no strategies/../bull.py in this workspace; did you mean bull?",
        "gone.py": (
            f"strategy: gone.py is not a file beside the study ({tmp_path / 'gone.py'}); "
            "a name without .py is sought in strategies/"
        ),
    }
    for name, message in expected.items():
        with pytest.raises(StudyError) as refused:
            workspace.strategy_file(name, study)
        assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "1 / 0\n",
            "s.py: it fails when loaded with ZeroDivisionError: division by zero; "
            "a file that imports cleanly is right",
        ),
        ("x = 1\n", "s.py: it defines 0 Backtrader strategies; exactly one is right"),
        (
            STRATEGY + STRATEGY.replace("One", "Two").replace("import backtrader as bt\n", ""),
            "s.py: it defines 2 Backtrader strategies; exactly one is right",
        ),
    ],
)
def test_a_file_that_is_no_strategy_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "s.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError) as refused:
        load_strategy(path)
    assert str(refused.value) == message


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as refused:
        load_strategy(tmp_path / "s.txt")
    assert str(refused.value) == "s.txt: not a Python file; a file ending in .py is right"
