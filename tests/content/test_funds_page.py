from pathlib import Path

from levsleeve.instruments.catalogue import CATALOGUE, INDEXES, FundFacts, study_symbols

PAGE = Path(__file__).parents[2] / "docs" / "funds.md"


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def multiples(facts: FundFacts) -> str:
    first, *later = facts.multiples
    return ", ".join([f"{first[1]:+g}", *(f"{value:+g} from {since}" for since, value in later)])


def rows_of_indexes() -> list[str]:
    return [
        row(
            f"`{index.symbol}`",
            index.name,
            index.benchmark_class.replace("_", " "),
            "yes" if index.bundled else "no",
        )
        for index in INDEXES.values()
    ]


def rows_of_funds() -> list[str]:
    return [
        row(
            f"`{symbol}`",
            multiples(facts),
            INDEXES[facts.index].name,
            facts.inception.isoformat(),
            f"{100 * facts.expense_ratio:.4g}",
            "yes" if symbol in study_symbols() else "no",
        )
        for symbol, facts in CATALOGUE.items()
    ]


def test_the_page_of_funds_shows_the_catalogue() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    shown = [line for line in lines if line.startswith("| `")]
    assert shown == rows_of_indexes() + rows_of_funds()
