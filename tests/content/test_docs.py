"""README and docs are true: their examples run, their tables are complete, their links lead on.

A fenced block is ``python`` (executed), ``pycon`` (a doctest), ``console`` (commands with their
real output, ``...`` for anything), ``sh`` (commands that must exist), ``toml`` and ``json`` (must
parse) or ``text``.  With ``title="PATH"`` it is a file of the reader's checkout, written before it
is used; a file that comes along is shown as it is.
"""

import doctest
import json
import re
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
import typer
from pydantic import BaseModel

from levsleeve.backtests.account_table import AccountTable, FundCosts, OptionCosts
from levsleeve.backtests.borrow import BorrowEntry
from levsleeve.backtests.cash_flows import CashFlow
from levsleeve.backtests.event_kinds import EventKind
from levsleeve.backtests.events import COLUMNS
from levsleeve.backtests.measures import Measures
from levsleeve.backtests.state import FLOW_CAUSES
from levsleeve.backtests.study import SleeveTable, Study
from levsleeve.backtests.study_result import StudyResult
from levsleeve.cli.app import app, main
from levsleeve.margin.policy import (
    FactorOverlay,
    FlowOverlay,
    Policy,
    RateOverlay,
    VolatilityOverlay,
)
from levsleeve.margin.profile import Profile, load_profile, profile_names
from levsleeve.reports.comparison import LABELS, comparison_dict, label_of, shown
from levsleeve.what_if.snapshot import FundEntry, OptionHolding, Order, ShareHolding, Snapshot
from levsleeve.what_if.status import margin_status

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINKED = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "data" / "README.md"]
ACCOUNT_SECTION = "Fills, calls and costs of a study"
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


def section(page: str, title: str) -> str:
    """The text below a heading of the second level."""
    return prose(page).split(f"\n## {title}\n")[1].split("\n## ")[0]


def coded(text: str) -> set[str]:
    """Everything in code style, outside of blocks."""
    return set(re.findall(r"`([^`]+)`", FENCE.sub("", text)))


def first_cells_of(text: str) -> set[str]:
    """Everything in code style in the first cell of a table row."""
    return coded("\n".join(re.findall(r"^\|([^|]*)\|", text, re.MULTILINE)))


def first_cells(page: str) -> set[str]:
    return first_cells_of(prose(page))


def keys_of(*tables: type[BaseModel]) -> set[str]:
    """The keys that a user may write in these tables."""
    return {field.alias or name for table in tables for name, field in table.model_fields.items()}


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
            path.parent.mkdir(parents=True, exist_ok=True)
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
            files = [argument for argument in arguments[1:] if "/" in argument]
            assert [name for name in files if not (self.root / name).exists()] == [], line

    def _toml(self, block: Block) -> None:
        tomllib.loads(block.text)

    def _json(self, block: Block) -> None:
        json.loads(block.text)

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


def test_a_file_that_comes_along_is_shown_as_it_is() -> None:
    shown_files = [(block.title, block.text) for page in PAGES for block in blocks(page)]
    shipped = [(ROOT / title, text) for title, text in shown_files if title]
    compared = [(path, text) for path, text in shipped if path.exists()]
    assert compared
    for path, text in compared:
        assert text == path.read_text(encoding="utf-8"), path


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
    keys = keys_of(Study, AccountTable, SleeveTable) - {"account", "sleeve"}  # tables themselves
    assert first_cells_of(section("docs/tutorial.md", "Every key of a study file")) == keys


def test_the_defaults_in_the_table_of_the_tutorial_are_those_of_the_account() -> None:
    table = prose("docs/tutorial.md").split("`[account]`")[1].split("`[[sleeve]]`")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", table, flags=re.MULTILINE)
    written = {
        key: None if "profile's" in cell else tomllib.loads(f"value = {cell.strip('`')}")["value"]
        for key, cell in rows
    }
    assert written == AccountTable().model_dump(mode="json") | {"policy": None}


def test_every_key_of_a_table_of_the_account_is_explained_on_the_page_of_brokers() -> None:
    shown_keys = first_cells("docs/brokers.md") | coded(section("docs/brokers.md", ACCOUNT_SECTION))
    assert keys_of(CashFlow, BorrowEntry) - shown_keys == set()
    blocks_of = section("docs/brokers.md", ACCOUNT_SECTION)
    for table, key in ((FundCosts, "fund_costs"), (OptionCosts, "option_costs")):
        written = blocks_of.split(f"[account.{key}.UPRO]")[1].split("\n\n")[0]
        assert set(re.findall(r"^(\w+) =", written, re.MULTILINE)) == keys_of(table)


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
    tables = tomllib.loads(prose("src/levsleeve/margin/tables/requirements.toml"))
    page = prose("docs/margin.md")
    for kind, entries in tables.items():
        for entry in entries:
            row = f"| {entry['effective']} | {kind.replace('_', ' ')} |"
            (line,) = [line for line in page.splitlines() if line.startswith(row)]
            standing = re.split("[;,]", entry["standing"])[0]
            assert standing in line


def test_every_switch_is_in_the_table_of_the_page_of_brokers_with_its_values() -> None:
    table = section("docs/brokers.md", "Switches")
    assert first_cells_of(table) == keys_of(Policy)
    rows = {
        key: cell
        for keys, cell in re.findall(r"^\| (`.+?`) \| (.+?) \|", table, flags=re.MULTILINE)
        for key in coded(keys)
    }
    for name, field in Policy.model_fields.items():
        values = get_args(field.annotation)
        if isinstance(field.default, str):
            assert re.findall(r'"(\w+)"', rows[name]) == list(values), name
        else:
            assert rows[name].startswith("none" if field.default is None else f"`{field.default}`")


def test_every_key_of_a_profile_and_of_a_house_rate_is_explained() -> None:
    profile = section("docs/brokers.md", "A broker of your own")
    named = {re.sub(r"[\[\]]|\.NAME", "", cell) for cell in first_cells_of(profile)}
    assert named == keys_of(Profile)
    house = coded(section("docs/margin.md", "House rates"))
    overlays = (FactorOverlay, RateOverlay, VolatilityOverlay, FlowOverlay)
    assert keys_of(*overlays) - house == set()
    assert {table.model_fields["kind"].default for table in overlays} <= house


def test_every_broker_profile_is_on_the_page_of_brokers_with_its_standing() -> None:
    table = section("docs/brokers.md", "Profiles")
    assert first_cells_of(table) == {"profile", *profile_names()}
    for name in profile_names():
        (row,) = [line for line in table.splitlines() if line.startswith(f"| `{name}`")]
        house = load_profile(name).house
        standing = house[0].standing.split(";")[0] if house else "as their tables say"
        assert standing in row.split("|")[-2]


def test_every_key_of_an_account_file_is_in_the_tables_of_its_page_and_no_other() -> None:
    keys = keys_of(Snapshot, FundEntry, ShareHolding, OptionHolding, Order)
    assert first_cells_of(section("docs/what-if.md", "The file")) == keys


ACCOUNTS: list[dict[str, Any]] = [
    {
        "special_memorandum_account_usd": 1_000.0,
        "holdings": [{"fund": "UPRO", "side": "long", "shares": 100}],
        "order": {"fund": "UPRO", "side": "long"},
        "cut_fund": "UPRO",
        "move_fund": "UPRO",
    },
    {"order": {"fund": "UPRO", "action": "buy", "shares": 1}},
]
"""With the example account, these bring every name that an answer can have."""


def answers() -> list[dict[str, Any]]:
    simple = {"date": "2019-06-03", "cash_usd": 1e5, "funds": {"UPRO": {"price_usd": 60.0}}}
    shown_one = margin_status(ROOT / "docs" / "examples" / "account.json")
    return [shown_one.to_dict(), *(margin_status(simple | a).to_dict() for a in ACCOUNTS)]


def test_every_name_of_an_answer_is_explained_and_no_other() -> None:
    text = section("docs/what-if.md", "The JSON answer")
    given = answers()
    names = {name for answer in given for name in answer}
    assert names - coded(text) == set()
    assert first_cells_of(text) - names == set()
    inner = [cure for answer in given for cure in answer["cure"].values()]
    inner += [price for answer in given for price in answer["call_prices"].values()]
    inner += [line for answer in given for line in answer["positions"]]
    assert {name for table in inner for name in table} - coded(text) == set()


def test_every_module_of_the_package_is_placed_by_the_architecture_page() -> None:
    page = prose("docs/architecture.md")
    package = ROOT / "src" / "levsleeve"
    names = {
        path.relative_to(package).parts[0].removesuffix(".py") for path in package.rglob("*.py")
    }
    assert [name for name in names if name[0] != "_" and f"`{name}`" not in page] == []


def anchors(page: Path) -> set[str]:
    """The names by which the headings of a page can be linked to."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_to_a_file_and_to_a_heading_of_it() -> None:
    for page in LINKED:
        links = re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
        for link in [link for link in links if "://" not in link]:
            name, _, heading = link.partition("#")
            target = page.parent / name if name else page
            assert target.exists(), f"{page.name}: {link}"
            assert not heading or heading in anchors(target), f"{page.name}: {link}"


def test_the_table_of_make_commands_is_that_of_the_makefile() -> None:
    named = {code[5:] for code in first_cells("CONTRIBUTING.md") if code.startswith("make ")}
    assert named == make_targets() - {"help"}


# --- the printed comparison ----------------------------------------------------------------------


PRINTED = {"README.md": "quickstart", "docs/notice-2009.md": "notice_2009"}
"""Pages that print a comparison, and its study."""


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


@pytest.mark.parametrize(("page", "study"), PRINTED.items())
def test_the_figures_of_a_printed_comparison_are_the_golden_ones(page: str, study: str) -> None:
    comparison = json.loads(prose(f"backtests/golden/{study}.json"))
    columns, rows = printed_rows(ROOT / page)
    assert columns[:-1] == list(comparison["sleeves"])
    assert rows == expected_rows(comparison)


def test_every_page_that_prints_a_comparison_is_compared() -> None:
    printing = {page for page in PAGES for block in blocks(page) if "CAGR" in block.text}
    assert {page.relative_to(ROOT).as_posix() for page in printing} == set(PRINTED)
