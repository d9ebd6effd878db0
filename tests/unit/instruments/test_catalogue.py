import math
from datetime import date
from typing import get_args

import pytest

from levsleeve.errors import DataError
from levsleeve.instruments.catalogue import (
    BILLS,
    CATALOGUE,
    INDEXES,
    BenchmarkClass,
    Split,
    bundled_indexes,
    fund_facts,
    known_symbols,
    shares_per_starting_share,
    study_symbols,
)

KNOWN = (
    "UPRO, SPXU, SSO, SDS, SH, SPXL, SPXS, SPY, IVV, VOO, DIA, DDM, UDOW, DOG, DXD, SDOW, "
    "QQQ, QLD, TQQQ, PSQ, QID, SQQQ, IWM, UWM, TNA, TZA, SOXL, SOXS, FAS, FAZ, TECL, TECS, "
    "NUGT, TLT, TMF, TMV, UVXY, SVXY"
)
STANDINGS = ("confirmed", "measured", "secondary", "unconfirmed", "assumed")

# --- the table is well-formed --------------------------------------------------------------------


@pytest.mark.parametrize("symbol", CATALOGUE)
def test_every_fund_says_what_it_is_since_when_and_how_well_that_is_known(symbol: str) -> None:
    facts = CATALOGUE[symbol]
    dates, multiples = zip(*facts.multiples, strict=True)
    assert facts.symbol == symbol
    assert facts.index in INDEXES
    assert date(1993, 1, 22) <= facts.inception < date(2012, 1, 1)
    assert dates[0] == facts.inception
    assert list(dates) == sorted(set(dates))
    assert all(type(since) is date for since in dates)
    assert all(isinstance(multiple, float) and 0 < abs(multiple) <= 3 for multiple in multiples)
    assert 0.0003 <= facts.expense_ratio <= 0.012
    assert any(word in facts.source for word in STANDINGS)


@pytest.mark.parametrize("symbol", CATALOGUE)
def test_splits_follow_the_inception_in_order_and_change_the_count(symbol: str) -> None:
    facts = CATALOGUE[symbol]
    days = [split.ex_date for split in facts.splits]
    assert days == sorted(set(days))
    assert all(day > facts.inception for day in days)
    assert all(1 in (split.new_shares, split.old_shares) for split in facts.splits)
    assert all(split.new_shares != split.old_shares for split in facts.splits)
    assert ("confirmed" in facts.source) or not facts.splits


@pytest.mark.parametrize("symbol", INDEXES)
def test_every_index_has_a_class_a_standing_and_a_fund(symbol: str) -> None:
    index = INDEXES[symbol]
    assert index.benchmark_class in get_args(BenchmarkClass)
    assert any(word in index.source for word in STANDINGS)
    assert any(facts.index == symbol for facts in CATALOGUE.values())
    assert symbol not in CATALOGUE


def test_a_fund_that_a_study_can_hold_never_changed_its_multiple() -> None:
    for symbol in study_symbols():
        plain = symbol in INDEXES or symbol == BILLS
        assert plain or len(CATALOGUE[symbol].multiples) == 1


def test_only_a_fund_on_a_bundled_index_has_a_measured_spread() -> None:
    measured = {symbol for symbol, facts in CATALOGUE.items() if facts.financing_spread is not None}
    assert measured == {"UPRO", "SPXU", "SSO", "SDS", "SH", "SPY", "IVV", "VOO"}
    assert {symbol for symbol, facts in CATALOGUE.items() if facts.compared} == {
        "UPRO",
        "SPXU",
        "SSO",
    }


# --- against figures typed by hand ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("multiple", "symbols"),
    [
        (3.0, "UPRO SPXL UDOW TQQQ TNA SOXL FAS TECL TMF"),
        (2.0, "SSO DDM QLD UWM NUGT"),
        (1.5, "UVXY"),
        (1.0, "SPY IVV VOO DIA QQQ IWM TLT"),
        (-0.5, "SVXY"),
        (-1.0, "SH DOG PSQ"),
        (-2.0, "SDS DXD QID"),
        (-3.0, "SPXU SPXS SDOW SQQQ TZA SOXS FAZ TECS TMV"),
    ],
)
def test_today_every_fund_of_a_row_has_its_multiple(multiple: float, symbols: str) -> None:
    found = {
        s for s, facts in CATALOGUE.items() if facts.multiple_on(date(2026, 11, 20)) == multiple
    }
    assert found == set(symbols.split())


@pytest.mark.parametrize(
    ("index", "benchmark_class", "symbols"),
    [
        ("SP500", "high_cap_broad_based", "SPY IVV VOO SSO UPRO SPXL SH SDS SPXU SPXS"),
        ("DJIA", "high_cap_broad_based", "DIA DDM UDOW DOG DXD SDOW"),
        ("NDX", "broad_based", "QQQ QLD TQQQ PSQ QID SQQQ"),
        ("RUT", "broad_based", "IWM UWM TNA TZA"),
        ("SOX", "narrow", "SOXL SOXS"),
        ("FINANCIALS", "narrow", "FAS FAZ"),
        ("TECHNOLOGY", "narrow", "TECL TECS"),
        ("GOLD_MINERS", "narrow", "NUGT"),
        ("TREASURY_20", "narrow", "TLT TMF TMV"),
        ("VIX_FUTURES", "narrow", "UVXY SVXY"),
    ],
)
def test_the_class_of_a_fund_is_that_of_its_index(
    index: str, benchmark_class: str, symbols: str
) -> None:
    assert {s for s, facts in CATALOGUE.items() if facts.index == index} == set(symbols.split())
    for symbol in symbols.split():
        assert fund_facts(symbol).benchmark_class == benchmark_class
        assert fund_facts(symbol).is_broad_based is (benchmark_class != "narrow")


@pytest.mark.parametrize(
    ("symbol", "expense_ratio", "inception"),
    [
        # The five that studies are made of, pinned so that a change is noticed.
        ("UPRO", 0.0092, "2009-06-23"),
        ("SPXU", 0.0090, "2009-06-23"),
        ("SSO", 0.0089, "2006-06-19"),
        ("SDS", 0.0090, "2006-07-11"),
        ("SH", 0.0089, "2006-06-19"),
        # Some of the others, as their issuers print them.
        ("SPXL", 0.0091, "2008-11-05"),
        ("SQQQ", 0.0095, "2010-02-09"),
        ("TZA", 0.0104, "2008-11-05"),
        ("FAS", 0.0096, "2008-11-06"),
        ("TMF", 0.0106, "2009-04-16"),
        ("TECS", 0.0108, "2008-12-17"),
        ("NUGT", 0.0118, "2010-12-08"),
        ("SVXY", 0.0095, "2011-10-03"),
        ("SPY", 0.000945, "1993-01-22"),
    ],
)
def test_a_fund_has_its_own_expense_and_inception(
    symbol: str, expense_ratio: float, inception: str
) -> None:
    facts = fund_facts(symbol)
    assert facts.expense_ratio == expense_ratio
    assert facts.inception.isoformat() == inception


@pytest.mark.parametrize(
    ("symbol", "financing_spread"),
    [
        # Per borrowed turn over 13-week bills, measured on UPRO, SSO and SPXU.
        ("UPRO", 0.0065),
        ("SSO", 0.0065),
        ("SPXU", -0.0010),
        ("SDS", -0.0010),
        ("SH", -0.0010),
        ("SPY", 0.0),
        ("SPXL", None),
    ],
)
def test_a_fund_has_a_spread_where_one_was_measured(
    symbol: str, financing_spread: float | None
) -> None:
    assert fund_facts(symbol).financing_spread == financing_spread


@pytest.mark.parametrize(
    ("symbol", "on", "multiple"),
    [
        ("SVXY", "2011-10-03", -1.0),
        ("SVXY", "2018-02-26", -1.0),
        ("SVXY", "2018-02-27", -0.5),
        ("UVXY", "2018-02-26", 2.0),
        ("UVXY", "2018-02-27", 1.5),
        ("NUGT", "2020-03-31", 3.0),
        ("NUGT", "2020-04-01", 2.0),
        ("TQQQ", "2020-03-16", 3.0),
        # Before the inception there is only the first one.
        ("SVXY", "2008-10-10", -1.0),
        ("TQQQ", "2008-10-10", 3.0),
    ],
)
def test_the_multiple_is_that_of_the_date(symbol: str, on: str, multiple: float) -> None:
    assert fund_facts(symbol).multiple_on(date.fromisoformat(on)) == multiple


@pytest.mark.parametrize(
    ("symbol", "factor"),
    [
        ("UPRO", 72.0),  # 3 x 2 x 2 x 3 x 2, as counted elsewhere
        ("SDS", 1 / 80),
        ("SQQQ", 1 / 256),  # the four whose day and ratio are confirmed
        ("SOXL", 60.0),
        ("SPY", 1.0),
    ],
)
def test_confirmed_splits_multiply_to_the_factor_of_the_price(symbol: str, factor: float) -> None:
    splits = fund_facts(symbol).splits
    assert math.prod(s.new_shares / s.old_shares for s in splits) == pytest.approx(factor)


def test_a_split_states_new_shares_before_old_ones() -> None:
    assert fund_facts("SPXU").splits == (Split(date(2018, 5, 24), new_shares=1, old_shares=4),)


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("UPRO", "3x S&P 500 bull (UPRO)"),
        ("SH", "1x S&P 500 bear (SH)"),
        ("SVXY", "0.5x S&P 500 VIX short-term futures bear (SVXY)"),
        ("QQQ", "Nasdaq-100 fund (QQQ)"),
    ],
)
def test_a_fund_is_named_by_what_it_does(symbol: str, name: str) -> None:
    assert fund_facts(symbol).name == name


def test_one_share_becomes_what_the_splits_between_two_dates_make_of_it() -> None:
    splits = fund_facts("UPRO").splits  # 3:1, 2:1, 2:1, 3:1, 2:1

    def shares(first: str, last: str) -> float:
        between = date.fromisoformat(first), date.fromisoformat(last)
        return shares_per_starting_share(splits, *between)

    assert shares("2009-06-23", "2026-11-20") == 72.0
    assert shares("2018-05-24", "2022-01-13") == 6.0  # both days are within
    assert shares("2018-05-25", "2022-01-12") == 1.0
    assert shares("2018-05-24", "2018-05-24") == 3.0
    assert shares("2022-01-13", "2018-05-24") == 1.0  # no day lies between


def test_reverse_splits_are_counted_exactly() -> None:
    splits = [Split(date(2012, 5, 11), 1, 4), Split(date(2013, 1, 2), 1, 3)]
    assert shares_per_starting_share(splits, date(2012, 1, 1), date(2014, 1, 1)) == 1 / 12
    back = [*splits, Split(date(2013, 6, 3), 12, 1)]
    assert shares_per_starting_share(back, date(2012, 1, 1), date(2014, 1, 1)) == 1.0
    assert shares_per_starting_share([], date(2012, 1, 1), date(2014, 1, 1)) == 1.0


# --- names ---------------------------------------------------------------------------------------


def test_the_lists_of_names_are_these() -> None:
    assert ", ".join(known_symbols()) == KNOWN
    assert bundled_indexes() == ("SP500",)
    held = ("SP500", "UPRO", "SPXU", "SSO", "SDS", "SH", "SPY", "IVV", "VOO", "BILLS")
    assert study_symbols() == held


@pytest.mark.parametrize(
    ("symbol", "message"),
    [
        ("UPROO", "UPROO: no fund of that name; did you mean UPRO?"),
        ("tqqq", "tqqq: no fund of that name; did you mean TQQQ?"),
        ("AAPL", f"AAPL: no fund of that name; known are {KNOWN}"),
        ("", f"an empty name: no fund of that name; known are {KNOWN}"),
        ("RUT", "RUT: an index, not a fund; funds on it are IWM, UWM, TNA, TZA"),
    ],
)
def test_facts_of_a_fund_that_is_not_known_are_refused(symbol: str, message: str) -> None:
    with pytest.raises(DataError) as refused:
        fund_facts(symbol)
    assert str(refused.value) == message
