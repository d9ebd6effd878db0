"""README and docs are true: their examples run, their tables are complete, their links lead on.

A fenced block is ``python`` (executed), ``pycon`` (a doctest), ``console`` (commands with their
real output, ``...`` for anything), ``sh`` (commands that must exist), ``toml`` (must parse) or
``text``.  With ``title="PATH"`` it is a file of the reader's checkout, written before it is used.
"""

import doctest
import json
import re
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from levsleeve.backtests.events import COLUMNS
from levsleeve.backtests.measures import Measures
from levsleeve.backtests.state import FLOW_CAUSES, EventKind
from levsleeve.backtests.study import AccountTable, SleeveTable, Study
from levsleeve.backtests.study_result import StudyResult
from levsleeve.cli.app import app, main
from levsleeve.reports.comparison import LABELS, comparison_dict, label_of, shown

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINKED = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "data" / "README.md"]
FENCE = re.compile(
    r'^```(?P<kind>\w+)?(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
LIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    kind: str
    title: str | None
    text: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(m["kind"] or "", m["title"], m["text"]) for m in FENCE.finditer(text)]


def prose(*names: str) -> str:
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names)


def all_docs() -> str:
    return prose(*(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")))


def commands() -> set[str]:
    group = typer.main.get_command(app)
    return set(getattr(group, "commands", {}))


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*## ", prose("Makefile"), flags=re.MULTILINE))


def first_cells(page: str) -> set[str]:
    """Everything in code style in the first cell of a table row."""
    rows = re.findall(r"^\|([^|]*)\|", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`([^`]+)`", row)}


# --- examples ------------------------------------------------------------------------------------


class Reader:
    """Does what a page says, block by block, in one workspace and one namespace."""

    def __init__(self, page: Path, root: Path, capsys: Any, monkeypatch: Any) -> None:
        self.page, self.root, self.capsys, self.monkeypatch = page, root, capsys, monkeypatch
        self.names: dict[str, Any] = {}
        monkeypatch.chdir(root)
        monkeypatch.setenv("COLUMNS", "80")

    def follow(self, block: Block) -> None:
        if block.title is not None:
            path = self.root / block.title
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        act = getattr(self, f"_{block.kind or 'text'}", None)
        assert act is not None, f"{self.page.name}: a block of kind {block.kind!r} is not tested"
        act(block)

    def _python(self, block: Block) -> None:
        code = compile(block.text, f"{self.page.name}", "exec")
        if block.title is None:
            exec(code, self.names)  # noqa: S102  (the examples of our own pages)

    def _pycon(self, block: Block) -> None:
        test = doctest.DocTestParser().get_doctest(block.text, self.names, self.page.name, None, 0)
        runner = doctest.DocTestRunner(verbose=False, optionflags=LIKE)
        report: list[str] = []
        result = runner.run(test, out=report.append, clear_globs=False)
        self.names.update(test.globs)
        assert result.attempted > 0
        assert result.failed == 0, "".join(report)

    def _console(self, block: Block) -> None:
        parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)
        assert parts[0] == "", f"{self.page.name}: a console block starts with a command"
        for command, expected in zip(parts[1::2], parts[2::2], strict=True):
            printed = self._answer(command)
            assert doctest.OutputChecker().check_output(expected, printed, LIKE), printed

    def _answer(self, command: str) -> str:
        program, *arguments = shlex.split(command)
        assert program == "levsleeve"
        self.monkeypatch.setattr(sys, "argv", ["levsleeve", *arguments])
        self.capsys.readouterr()
        with pytest.raises(SystemExit):
            main()
        captured = self.capsys.readouterr()
        return str(captured.out + captured.err)

    def _sh(self, block: Block) -> None:
        for line in block.text.splitlines():
            program, *arguments = shlex.split(line, comments=True)
            known = {"make": make_targets(), "levsleeve": commands()}
            assert arguments[0] in known[program], line

    def _toml(self, block: Block) -> None:
        tomllib.loads(block.text)

    def _text(self, block: Block) -> None:
        """Pictures and printed tables; the README's table has a test of its own."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_example_of_a_page_does_what_the_page_says(
    page: Path,
    checkout: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = Reader(page, checkout, capsys, monkeypatch)
    for block in blocks(page):
        reader.follow(block)


def test_no_fence_of_a_page_escapes_the_tests() -> None:
    for page in PAGES:
        fences = re.findall(r"^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert len(fences) == 2 * len(blocks(page)), page.name


# --- completeness --------------------------------------------------------------------------------


def test_every_strategy_and_every_study_is_named_in_the_docs() -> None:
    paths = [*(ROOT / "strategies").glob("*.py"), *(ROOT / "backtests").glob("*.toml")]
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    assert names
    assert [name for name in names if f"`{name}`" not in all_docs()] == []


def test_every_notebook_is_named_in_the_docs() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert [name for name in names if f"`{name}`" not in all_docs()] == []


def test_every_command_is_in_the_docs_and_no_other() -> None:
    named = set(re.findall(r"`levsleeve ([a-z]+)", all_docs() + prose("README.md")))
    documented = {
        re.split(r"[ `]", cell)[1] for cell in first_cells("docs/index.md") if " " in cell
    }
    assert commands() == documented
    assert named <= commands()


def test_every_key_of_a_study_is_in_the_table_of_the_tutorial_and_no_other() -> None:
    keys = {
        field.alias or name
        for table in (Study, AccountTable, SleeveTable)
        for name, field in table.model_fields.items()
    } - {"account", "sleeve"}  # the tables themselves
    section = prose("docs/tutorial.md").split("## Every key of a study file")[1]
    rows = re.findall(r"^\|([^|]*)\|", section, flags=re.MULTILINE)
    documented = {code for row in rows for code in re.findall(r"`([^`]+)`", row)}
    assert documented == keys


def test_the_defaults_in_the_table_of_the_tutorial_are_those_of_the_account() -> None:
    section = prose("docs/tutorial.md").split("`[account]`")[1].split("`[[sleeve]]`")[0]
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", section, flags=re.MULTILINE)
    written = {key: tomllib.loads(f"value = {value}")["value"] for key, value in rows}
    assert written == AccountTable().model_dump()


def test_every_column_and_every_kind_of_event_is_explained() -> None:
    page = prose("docs/conventions.md")
    columns = [
        *Measures._fields,
        "special_memorandum_account",
        *(f"flow:{cause}" for cause in FLOW_CAUSES),
        *COLUMNS,
        *(kind.name.lower() for kind in EventKind),
    ]
    assert [name for name in columns if f"`{name}`" not in page] == []


def test_every_file_of_a_run_and_every_part_of_its_result_is_explained(
    checkout: Path,
) -> None:
    page = prose("docs/conventions.md")
    run = checkout / "backtests" / "out" / "quickstart"
    files = {path.name for path in run.rglob("*") if path.is_file()}
    result = json.loads((run / "bull" / "result.json").read_text(encoding="utf-8"))
    assert [name for name in files if name not in page] == []
    assert [key for key in result if f"`{key}`" not in page] == []


def test_every_fund_with_a_financing_spread_is_on_the_page_of_models() -> None:
    funds = tomllib.loads(prose("src/levsleeve/instruments/funds.toml"))["fund"]
    page = prose("docs/models.md")
    financed = {symbol: facts for symbol, facts in funds.items() if facts.get("financing_spread")}
    assert financed
    for symbol, facts in financed.items():
        figures = (facts["multiple"], 100 * facts["expense_ratio"], 100 * facts["financing_spread"])
        row = "| `{}` | {:+.0f} | {:.2f} | {:+.2f} |".format(symbol, *figures)
        assert row in page


def test_every_date_of_the_requirements_is_on_the_page_of_margin_rules() -> None:
    entries = tomllib.loads(prose("src/levsleeve/margin/tables/shares.toml"))["requirement"]
    page = prose("docs/margin.md")
    for entry in entries:
        assert f"| {entry['effective']} |" in page
        assert entry["standing"] in page


def test_every_module_of_the_package_is_placed_by_the_architecture_page() -> None:
    page = prose("docs/architecture.md")
    package = ROOT / "src" / "levsleeve"
    names = {
        path.relative_to(package).parts[0].removesuffix(".py") for path in package.rglob("*.py")
    }
    assert [name for name in names if name[0] != "_" and f"`{name}`" not in page] == []


def test_every_link_leads_to_a_file() -> None:
    for page in LINKED:
        links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
        local = [link for link in links if "://" not in link]
        assert [link for link in local if not (page.parent / link).exists()] == [], page.name


def test_the_table_of_make_commands_is_that_of_the_makefile() -> None:
    named = {code[5:] for code in first_cells("CONTRIBUTING.md") if code.startswith("make ")}
    assert named == make_targets() - {"help"}


# --- the printed comparison ----------------------------------------------------------------------


def printed_rows(page: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Columns and rows of the first printed comparison of a page; a row beside names its figure."""
    text = next(block.text for block in blocks(page) if "CAGR" in block.text)
    lines = [line for line in text.splitlines() if line.strip(" ─")]
    start = next(number for number, line in enumerate(lines) if line.split()[0] == "CAGR")
    rows, above = {}, ""
    for line in lines[start:]:
        label, *cells = re.split(r"\s{2,}", line.strip())
        beside = line.startswith("   ")
        above = above if beside else label
        rows[f"{above}, {label}" if beside else label] = cells
    return re.split(r"\s{2,}", lines[start - 1].strip()), rows


def expected_rows(comparison: dict[str, Any]) -> dict[str, list[str]]:
    """The same rows from the figures of ``comparison.json``."""
    rows = {}
    for figure in comparison["units"]:
        unit = label_of(figure)[1]
        label, base = label_of(figure)[0].strip(), LABELS[figure.split("@")[0]][0]
        figures = [sleeve[figure] for sleeve in comparison["sleeves"].values()]
        figures.append(None if "@" in figure else comparison["benchmark"].get(figure))
        cells = [shown(float("nan") if value is None else value, unit) for value in figures]
        rows[label if "@" not in figure else f"{base}, {label}"] = cells
    return rows


def test_the_table_of_the_readme_has_the_rows_and_columns_that_are_printed_today(
    quickstart: StudyResult,
) -> None:
    columns, rows = printed_rows(ROOT / "README.md")
    assert columns == [*quickstart.sleeves, f"{quickstart.study.benchmark} TR"]
    assert list(rows) == list(expected_rows(comparison_dict(quickstart)))


def test_the_figures_of_the_readme_are_the_golden_ones() -> None:
    golden = ROOT / "backtests" / "golden" / "quickstart.json"
    comparison = json.loads(golden.read_text(encoding="utf-8"))
    _, rows = printed_rows(ROOT / "README.md")
    assert rows == expected_rows(comparison)
