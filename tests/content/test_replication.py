"""Every figure of the replication lies within its tolerance; only bundled data are read."""

import re
from pathlib import Path

import pytest
from replication import sizing_table
from replication.__main__ import SECTIONS, main, summary
from replication.figures import Claim, Figure, Section, reference
from replication.sample import Sample, bundled_sample

from levsleeve.strategies.sizing_rules import Kelly

TABLES = ("sizing", "rotation")
LISTS = ("rotation", "kelly", "look-ahead")
TABLE_ROWS = [(name, row) for name in TABLES for row in reference()[name]["rows"]]
FACTS = [(name, fact) for name in LISTS for fact in reference()[name]["facts"]]


@pytest.fixture(scope="module")
def sample(price_cache: Path) -> Sample:
    return bundled_sample(price_cache)


@pytest.fixture(scope="module")
def sections(sample: Sample) -> dict[str, Section]:
    return {name: make(sample) for name, make in SECTIONS.items()}


@pytest.mark.parametrize(("name", "row"), TABLE_ROWS)
def test_a_row_is_that_of_the_reference(sections: dict[str, Section], name: str, row: str) -> None:
    figures = [figure for figure in sections[name].rows if figure.row == row]
    assert {figure.name for figure in figures} == set(reference()[name]["rows"][row])
    assert [figure for figure in figures if not figure.agrees] == []


@pytest.mark.parametrize(("name", "fact"), FACTS)
def test_a_figure_is_that_of_the_reference(
    sections: dict[str, Section], name: str, fact: str
) -> None:
    (figure,) = [
        figure for figure in sections[name].facts if figure.row == "sample" and figure.name == fact
    ]
    assert abs(figure.ours - figure.reference) <= figure.tolerance


def test_every_row_of_the_tables_is_in_the_reference(sections: dict[str, Section]) -> None:
    for name in TABLES:
        assert {figure.row for figure in sections[name].rows} == set(reference()[name]["rows"])


def test_a_kelly_weight_that_counts_the_costs_of_the_fund_is_smaller(sample: Sample) -> None:
    counted = sizing_table.measured(sizing_table.Entry(Kelly()), sample)
    left_out = sizing_table.measured(
        sizing_table.ENTRIES["1/4 Kelly, costs of the fund left out"], sample
    )
    assert counted["mean_leverage"] < left_out["mean_leverage"]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_figure_agrees_and_every_claim_holds(sections: dict[str, Section], name: str) -> None:
    found = sections[name]
    assert [figure for figure in (*found.rows, *found.facts) if not figure.agrees] == []
    assert [claim for claim in found.claims if not claim.holds] == []
    assert found.facts or found.claims


def test_the_sections_asked_for_are_printed(
    price_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rotation", "cushions", "--prices", str(price_cache)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == reference()["rotation"]["title"]
    assert "Constant-proportion insurance and gaps (Black and Perold 1992)" in printed
    rows = [line for line in printed if line.endswith("agrees")]
    assert len(rows) == len(reference()["rotation"]["rows"]) + len(reference()["rotation"]["facts"])
    counts = r"(\d\d+) of \1 figures agree, (\d\d+) of \2 claims hold"
    assert re.fullmatch(counts, printed[-1])


def test_a_figure_that_differs_fails_the_command(
    price_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    far = Section("title", rows=(Figure("a", "sharpe", 0.32, 0.30, 0.01),))
    monkeypatch.setitem(SECTIONS, "kelly", lambda _: far)
    assert main(["kelly", "--prices", str(price_cache)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == ("0 of 1 figures agree, 0 of 0 claims hold")


def test_an_unknown_section_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sizes"])
    known = "sizing, rotation, kelly, cushions, look-ahead"
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.endswith(f"error: sizes: no such section; one of {known} is right")


def test_what_differs_is_marked() -> None:
    near, far = Figure("a", "sharpe", 0.31, 0.30, 0.01), Figure("b", "sharpe", 0.32, 0.30, 0.01)
    one = Section("title", rows=(near, far), facts=(far,), claims=(Claim("it is", False, "3"),))  # noqa: FBT003
    assert not one.agrees
    assert one.text().splitlines() == [
        "title",
        "ours (reference)        sharpe  verdict",
        "                   within 0.01         ",
        "a                  0.310 (0.3)   agrees",
        "b                 0.320 (0.3)*  differs",
        "figure       ours  reference  within  verdict",
        "b: sharpe  0.3200     0.3000  0.0100  differs",
        "DOES NOT HOLD: it is (3)",
    ]
    assert summary([one]) == "1 of 3 figures agree, 0 of 1 claims hold"
