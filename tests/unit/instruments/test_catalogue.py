from datetime import date

import pytest

from levsleeve.instruments.catalogue import CATALOGUE, INDEXES


@pytest.mark.parametrize(
    ("symbol", "multiple", "expense_ratio", "financing_spread", "inception"),
    [
        # How well each fact is known stands in the catalogue; pinned so that a change is noticed.
        # The spreads, per borrowed turn over 13-week bills, were measured on UPRO, SSO and SPXU.
        ("UPRO", 3.0, 0.0092, 0.0065, "2009-06-23"),
        ("SPXU", -3.0, 0.0090, -0.0010, "2009-06-23"),
        ("SSO", 2.0, 0.0089, 0.0065, "2006-06-19"),
        ("SDS", -2.0, 0.0090, -0.0010, "2006-07-11"),
        ("SH", -1.0, 0.0089, -0.0010, "2006-06-19"),
    ],
)
def test_a_fund_of_the_catalogue_has_its_own_facts(
    symbol: str, multiple: float, expense_ratio: float, financing_spread: float, inception: str
) -> None:
    facts = CATALOGUE[symbol]
    assert facts.symbol == symbol
    assert facts.index == "SP500"
    assert facts.multiple == multiple
    assert facts.expense_ratio == expense_ratio
    assert facts.financing_spread == financing_spread
    assert facts.inception == inception


def test_the_catalogue_is_these_five_funds_on_one_index() -> None:
    assert list(CATALOGUE) == ["UPRO", "SPXU", "SSO", "SDS", "SH"]
    assert list(INDEXES) == ["SP500"]
    assert INDEXES["SP500"].name == "S&P 500"
    assert INDEXES["SP500"].benchmark_class == "broad_based"


@pytest.mark.parametrize("symbol", CATALOGUE)
def test_every_fund_says_what_it_is_since_when_and_how_well_that_is_known(symbol: str) -> None:
    facts = CATALOGUE[symbol]
    side = "bull" if facts.multiple > 0 else "bear"
    assert facts.name == f"{abs(facts.multiple):g}x S&P 500 {side} ({symbol})"
    assert date.fromisoformat(facts.inception) < date(2010, 1, 1)
    assert any(word in facts.source for word in ("confirmed", "measured"))
    assert facts.index in INDEXES
