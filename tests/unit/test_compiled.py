import ast
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from levsleeve import compiled
from levsleeve.compiled import source_hash
from levsleeve.margin.account import margin_requirement
from levsleeve.margin.book import Book, book_of
from levsleeve.margin.charges import commission_plan, financing_plan, sale_fees
from levsleeve.margin.fees import option_commission, regulatory_sale_fees, share_commission
from levsleeve.margin.financing import debit_interest_a_year, short_rebate_a_year
from levsleeve.margin.liquidation import shares_to_trade
from levsleeve.margin.rulebook import rulebook
from levsleeve.margin.schedule import BROAD
from levsleeve.margin.trigger import index_move_to_call
from levsleeve.pricing.black_scholes import CALL, PUT, option_delta, option_price
from levsleeve.pricing.volatility import MODELS, fund_option_price
from levsleeve.strategies.sizing import target_shares

ON = date(2018, 6, 1)


def statement(price: float) -> Book:
    """A long with puts and a call, a short with a call, and a spread, on three funds."""
    return book_of(
        shares=np.array([310.0, -77.0, 0.0]),
        marks=price * np.array([1.0, 1.1, 0.3]),
        contracts=np.array([2.0, 1.0, -3.0, 1.0, -2.0, 1.0]),
        multipliers=np.full(6, 100.0),
        strikes=price * np.array([0.9, 0.83, 1.07, 1.21, 0.29, 0.23]),
        expiries=np.full(6, float(ON.toordinal()) + 37.0),
        rights=np.array([PUT, PUT, CALL, CALL, PUT, PUT]),
        underlyings=np.array([0.0, 0.0, 0.0, 1.0, 2.0, 2.0]),
        option_marks=price * np.array([0.03, 0.02, 0.01, 0.04, 0.02, 0.01]),
    )


def answers() -> Iterator[float]:
    """Some calls of every kind of rule, at numbers that no binary fraction hits."""
    plan, fees, interest = commission_plan("ibkr_fixed"), sale_fees(ON), financing_plan("ibkr")
    book = rulebook("ibkr", {"hedge_relief": "finra"})
    terms = book.terms(ON, [3.0, -2.0, 1.0], [BROAD] * 3)
    for price in (1.37, 7.77, 83.19):
        positions = statement(price)
        yield from (margin_requirement(positions, terms, kind) for kind in range(4))
        values = positions.shares * positions.marks
        yield index_move_to_call(price * 99.0, values, terms.multiples, np.array([0.7, 0.6, 0.3]))
        yield share_commission(713.0, price, plan)
        yield option_commission(13.0, price / 100.0, plan)
        yield regulatory_sale_fees(713.0, price, fees)
        yield debit_interest_a_year(price * 98_765.4, 0.0177, interest)
        yield short_rebate_a_year(price * 98_765.4, 0.0177, interest)
        yield shares_to_trade(price * 99.0, 713.0, 0.9 * price)
        yield target_shares(0.37, 98_765.4, price, 1.0)
        for right in (PUT, CALL):
            yield option_price(price, 0.87 * price, 37 / 365, 0.0177, 0.61, right)
            yield option_delta(price, 0.87 * price, 37 / 365, 0.0177, 0.61, right)
            for model in MODELS.values():
                for multiple in (3.0, -3.0):
                    yield fund_option_price(
                        price, 0.87 * price, 0.1, right, 0.0177, multiple, 0.0222, 0.213, model
                    )


def program(environment: dict[str, str], *arguments: str) -> str:
    """What a fresh interpreter prints."""
    finished = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_rules_give_the_same_bits_compiled_and_as_plain_python() -> None:
    here = [float(answer).hex() for answer in answers()]
    assert len(here) == 3 * 24
    other = "0" if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" else "1"
    there = program({"NUMBA_DISABLE_JIT": other}, str(Path(__file__)))
    assert there.split() == here


def package(folder: Path) -> Path:
    (folder / "margin").mkdir(parents=True)
    (folder / "margin" / "rule.py").write_text("RATE = 0.25\n")
    (folder / "margin" / "rates.toml").write_text("rate = 0.25\n")
    (folder / "empty.py").write_text("")
    return folder


def edit(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)


def rename(folder: Path, name: str, new: str) -> None:
    (folder / name).rename(folder / new)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: edit(folder, "margin/rule.py", "RATE = 0.30\n"),
        lambda folder: edit(folder, "margin/rates.toml", "rate = 0.30\n"),
        lambda folder: edit(folder, "empty.py", "\n"),
        lambda folder: edit(folder, "margin/more.py", ""),
        lambda folder: rename(folder, "empty.py", "void.py"),
        lambda folder: rename(folder, "margin/rule.py", "rule.py"),
        lambda folder: (folder / "empty.py").unlink(),
    ],
    ids=["edit", "table", "newline", "new", "rename", "move", "delete"],
)
def test_the_hash_changes_with_every_change_of_a_module_or_table(
    change: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = package(tmp_path / "one")
    before = source_hash(folder)
    change(folder)
    assert source_hash(folder) != before


def test_the_hash_tells_a_name_from_a_text_that_looks_like_one(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    edit(tmp_path / "one", "a.py", "b.py")
    edit(tmp_path / "two", "a.py", "")
    edit(tmp_path / "two", "b.py", "")
    assert source_hash(tmp_path / "one") != source_hash(tmp_path / "two")


def test_the_hash_is_sixteen_digits_of_the_sources_wherever_they_stand(tmp_path: Path) -> None:
    one, two = package(tmp_path / "one"), package(tmp_path / "two")
    (two / "margin" / "__pycache__").mkdir()
    (two / "margin" / "__pycache__" / "rule.pyc").write_bytes(b"\0")
    assert source_hash(one) == source_hash(two)
    assert len(source_hash(one)) == 16
    assert set(source_hash(one)) <= set("0123456789abcdef")


FOLDER = "from levsleeve.margin import fees; print(fees.share_commission.stats.cache_path)"
"""Prints where the machine code of a rule is kept."""
UNNAMED = {"NUMBA_CACHE_DIR": "", "NUMBA_DISABLE_JIT": "0"}


def cache_below(folder: Path) -> Path:
    """The folder of that rule's module below the folder for all machine code."""
    package = Path(compiled.__file__).parent
    return folder / f"numba/margin.fees-{source_hash(package, 'margin/fees.py')}"


def keeps_below(folder: Path, **environment: str) -> bool:
    printed = Path(program(UNNAMED | environment, "-c", FOLDER).strip())
    return printed.parent == cache_below(folder)


def test_machine_code_goes_to_the_cache_of_the_user_under_the_hash(tmp_path: Path) -> None:
    assert keeps_below(tmp_path / "levsleeve", XDG_CACHE_HOME=str(tmp_path))


def test_machine_code_goes_to_a_temporary_folder_when_the_cache_is_no_folder(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    named = {"XDG_CACHE_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path)}
    assert keeps_below(tmp_path / f"levsleeve-{os.getuid()}", **named)


def no_home(_path: Path) -> Path:
    raise RuntimeError("Could not determine home directory.")


def own_temporary_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"levsleeve-{os.getuid()}"


def test_machine_code_goes_to_a_temporary_folder_when_there_is_no_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(Path, "expanduser", no_home)
    assert compiled._cache_root() == own_temporary_folder()


def test_machine_code_goes_to_a_temporary_folder_when_the_cache_is_read_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    # The folders exist already, written by somebody else.  Permissions do not bind root.
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    assert compiled._cache_root() == own_temporary_folder()


def test_a_cache_folder_that_the_user_names_holds_the_code_under_the_hash(tmp_path: Path) -> None:
    assert keeps_below(tmp_path / "chosen", NUMBA_CACHE_DIR=str(tmp_path / "chosen"))


def test_others_of_the_process_keep_their_own_cache(tmp_path: Path) -> None:
    script = (
        "import os, numba; before = numba.config.CACHE_DIR, dict(os.environ);"
        "import levsleeve.margin.fees;"
        "print(before == (numba.config.CACHE_DIR, dict(os.environ)))"
    )
    assert program({"XDG_CACHE_HOME": str(tmp_path)}, "-c", script).strip() == "True"


def test_a_rule_that_is_not_ours_is_compiled_anew_by_each_process() -> None:
    # what it calls in other files could be edited without our noticing
    assert compiled._cache_folder(__file__) is None
    assert compiled.rule(lambda x: x + 1.0)(1.0) == 2.0


def importing(folder: Path) -> Path:
    """A package in which ``top`` reaches ``middle`` and ``low``, and nothing reaches ``aside``."""
    (folder / "margin").mkdir(parents=True)
    (folder / "top.py").write_text("from levsleeve.margin.middle import rate\n")
    (folder / "margin/middle.py").write_text("def f():\n    import levsleeve.margin.low\n")
    (folder / "margin/low.py").write_text("RATE = 0.25\n")
    (folder / "margin/aside.py").write_text("")
    (folder / "whole.py").write_text("from levsleeve import margin\n")
    (folder / "rates.toml").write_text("rate = 0.25\n")
    return folder


@pytest.mark.parametrize(
    ("edited", "changed"),
    [
        ("top.py", {"top.py", "whole.py"}),
        ("margin/middle.py", {"top.py", "margin/middle.py", "whole.py"}),
        ("margin/low.py", {"top.py", "margin/middle.py", "margin/low.py", "whole.py"}),
        ("margin/aside.py", {"whole.py", "margin/aside.py"}),
        ("rates.toml", {"top.py", "margin/middle.py", "margin/low.py", "margin/aside.py",
                        "whole.py"}),
    ],
)  # fmt: skip
def test_the_hash_of_a_module_follows_what_it_imports(
    edited: str, changed: set[str], tmp_path: Path
) -> None:
    folder = importing(tmp_path / "package")
    modules = [path.relative_to(folder).as_posix() for path in folder.rglob("*.py")]
    before = {module: source_hash(folder, module) for module in modules}
    with (folder / edited).open("a") as file:
        file.write("# more\n")
    after = {module: source_hash(folder, module) for module in modules}
    assert {module for module in modules if before[module] != after[module]} == changed


def test_a_division_by_zero_follows_floating_point_rules_when_compiled() -> None:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        pytest.skip("plain Python raises")

    assert math.isinf(compiled.rule(lambda x: 1.0 / x)(0.0))


@compiled.inner_rule
def doubled(number: float) -> float:
    return 2.0 * number


@compiled.rule
def quadrupled(number: float) -> float:
    return doubled(doubled(number))


@compiled.rule
def _halved(number: float) -> float:
    return number / 2.0


def test_what_only_rules_call_gives_them_its_numbers() -> None:
    assert quadrupled(3.0) == 12.0


def test_only_a_rule_with_a_public_name_has_an_entry_from_python() -> None:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        pytest.skip("plain functions have no options")
    rules: list[Any] = [doubled, _halved, quadrupled]
    assert [rule.targetoptions["no_cpython_wrapper"] for rule in rules] == [True, True, False]


def decorators(function: ast.FunctionDef) -> set[str]:
    return {node.id for node in function.decorator_list if isinstance(node, ast.Name)}


RULES = {"rule", "hot_rule", "view_rule", "inner_rule", "array_rule"}


def without_entry(tree: ast.Module) -> set[str]:
    """Names of a module's functions that Python may not call."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {
        function.name
        for function in functions
        if {"inner_rule", "view_rule"} & decorators(function)
        or (RULES & decorators(function) and function.name.startswith("_"))
    }


def test_python_calls_nothing_that_has_no_entry_from_it() -> None:
    # Such a call does not raise: it ends the interpreter.
    package = Path(compiled.__file__).parent
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in package.rglob("*.py")}
    shared = set().union(*(
        {name for name in without_entry(tree) if not name.startswith("_")}
        for tree in trees.values()
    ))  # fmt: skip
    assert len(shared) > 5
    for path, tree in trees.items():
        closed = shared | without_entry(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and decorators(node) & RULES:
                continue
            called = {call.func for call in ast.walk(node) if isinstance(call, ast.Call)}
            names = {function.id for function in called if isinstance(function, ast.Name)}
            assert not names & closed, path


if __name__ == "__main__":
    sys.stdout.write(" ".join(float(answer).hex() for answer in answers()))
