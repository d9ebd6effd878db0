from datetime import date
from typing import Any

import pytest
from tests.unit.what_if.accounts import account, fund, option, shares

from levsleeve.errors import AccountError
from levsleeve.what_if.as_dict import status_dict
from levsleeve.what_if.reading import read_account
from levsleeve.what_if.snapshot import FundAtHand, fund_at_hand, holdings_of, in_digits
from levsleeve.what_if.status import margin_status


def held(*holdings: Any) -> list[str]:
    snapshot = read_account({**account(0.0), "holdings": list(holdings)}).snapshot
    return [str(holding) for holding in holdings_of(snapshot, "account")]


def known(symbol: str, entry: dict[str, Any], **keys: Any) -> FundAtHand:
    snapshot = read_account(account(0.0, **{"funds": {symbol: entry}, **keys})).snapshot
    return fund_at_hand(symbol, snapshot, "account", "long 1 share")


# --- holdings ------------------------------------------------------------------------------------


def test_holdings_are_named_as_a_trader_writes_them() -> None:
    assert held(shares(1_234_567), shares(-0.5), option("call", -2, 72.5)) == [
        "long 1234567 BULL",
        "short 0.5 BULL",
        "short 2 BULL 2019-07-19 72.5 call",
    ]


def test_a_contract_is_for_a_hundred_shares_unless_it_says_otherwise() -> None:
    snapshot = read_account(
        account(0.0, option("put", 1, 90.0), {**option("put", 1, 90.0), "shares_per_contract": 10})
    ).snapshot
    sizes = [getattr(holding, "shares_per_contract") for holding in holdings_of(snapshot, "it")]  # noqa: B009
    assert sizes == [100.0, 10.0]


def test_an_option_may_expire_on_the_day_itself() -> None:
    assert held(option("put", 1, 90.0, expiry="2019-06-03")) == ["long 1 BULL 2019-06-03 90 put"]


LONG, PUT = shares(1000), option("put", 10, 90.0, 1.0)


@pytest.mark.parametrize(
    ("holding", "message"),
    [
        ({**LONG, "shares": 0}, "(long BULL): shares: 0; a number above 0 is right"),
        ({**LONG, "shares": -5}, "(long BULL): shares: -5; a number above 0 is right"),
        ({**LONG, "shares": "1000"}, "(long BULL): shares: '1000'; a number is right"),
        ({**LONG, "shares": True}, "(long BULL): shares: True; a number is right"),
        ({**LONG, "shares": float("nan")}, "(long BULL): shares: nan; a finite number is right"),
        (
            {**LONG, "shares": 1e308},
            "(long BULL): shares: 1e+308; a number of at most 1e+12 is right",
        ),
        ({**LONG, "side": "both"}, "(both BULL): side: 'both'; 'long' or 'short' is right"),
        ({**LONG, "share": 5}, "(long BULL): share: unknown key; did you mean shares?"),
        (
            {"fund": "BULL", "side": "long"},
            "(long BULL): shares: missing; this key is required",
        ),
        ({}, "(nameless): fund: missing; this key is required"),
        (
            "BULL",
            ": 'BULL'; a table with fund, side and shares, or one of an option, is right",
        ),
        ({**PUT, "option": "puts"}, "(long BULL puts): option: 'puts'; 'call' or 'put' is right"),
        ({**PUT, "strike": 5}, "(long BULL put): strike: unknown key; did you mean strike_usd?"),
        (
            {**PUT, "strike_usd": 0},
            "(long BULL put): strike_usd: 0; a number of at least 0.0001 is right",
        ),
        (
            {**PUT, "price_usd": -1.0},
            "(long BULL put): price_usd: -1.0; a number of at least 0 is right",
        ),
        (
            {key: value for key, value in PUT.items() if key != "expiry_date"},
            "(long BULL put): expiry_date: missing; this key is required",
        ),
        (
            {**PUT, "expiry_date": "soon"},
            "(long BULL put): expiry_date: 'soon'; a date such as \"2018-12-31\" is right",
        ),
        (
            {**PUT, "expiry_date": "2019-05-31"},
            "(long BULL put): expiry_date: 2019-05-31 is before the account's date 2019-06-03; "
            "an option that is still alive is right",
        ),
    ],
)
def test_a_holding_that_is_wrong_is_named(holding: Any, message: str) -> None:
    with pytest.raises(AccountError) as refused:
        held(LONG, holding)
    blank = "" if message.startswith(":") else " "
    assert str(refused.value) == f"account: holding 2{blank}{message}"


# --- funds ---------------------------------------------------------------------------------------


def test_a_fund_of_the_catalogue_needs_a_price_alone() -> None:
    assert known("UPRO", {"price_usd": 80.0}) == FundAtHand(
        symbol="UPRO", price_usd=80.0, multiple=3.0, benchmark_class="high_cap_broad_based"
    )


def test_a_multiple_that_changed_is_that_of_the_date_whatever_the_rules() -> None:
    price = {"price_usd": 10.0}
    assert known("SVXY", price, date="2018-02-26").multiple == -1.0
    assert known("SVXY", price, date="2018-02-27").multiple == -0.5
    assert known("SVXY", price, date="2018-02-27", rules_as_of="2018-02-26").multiple == -0.5


def test_a_synthetic_fund_is_known_by_its_name() -> None:
    found = known("SP500?L=-2", {"price_usd": 10.0})
    assert (found.multiple, found.benchmark_class) == (-2.0, "high_cap_broad_based")


def test_what_the_snapshot_says_of_a_known_fund_wins_and_is_noted() -> None:
    found = known("UPRO", {"price_usd": 80.0, "multiple": 2.0, "benchmark": "narrow"})
    assert (found.multiple, found.benchmark_class) == (2.0, "narrow")
    assert found.note == "multiple 2 as given; the catalogue has 3"
    assert known("UPRO", {"price_usd": 80.0, "multiple": 3.0}).note == ""


def test_an_unknown_fund_without_a_benchmark_is_taken_as_narrow_and_noted() -> None:
    found = known("ACME", {"price_usd": 80.0, "multiple": 1.0})
    assert found.benchmark_class == "narrow"
    assert found.note == "benchmark not given: taken as narrow, the dearer"
    assert known("ACME", fund(80.0)).note == ""


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "price_usd: missing; this key is required"),
        ({"price_usd": 0}, "price_usd: 0; a number of at least 0.0001 is right"),
        ({"price_usd": -80.0}, "price_usd: -80.0; a number of at least 0.0001 is right"),
        ({"price_usd": "80"}, "price_usd: '80'; a number is right"),
        ({"price_usd": None}, "price_usd: None; a number is right"),
        ({"price_usd": float("inf")}, "price_usd: inf; a finite number is right"),
        ({"price": 80.0}, "price: unknown key; did you mean price_usd?"),
        (
            {"price_usd": 80.0, "benchmark": "wide"},
            "benchmark: 'wide'; 'high_cap_broad_based', 'broad_based' or 'narrow' is right",
        ),
        (
            {"price_usd": 80.0},
            "multiple: missing, and the catalogue does not know the fund; its signed daily "
            "multiple is right (1 for a plain stock)",
        ),
        (
            {"price_usd": 80.0, "multiple": 0},
            "multiple: 0; a signed daily multiple, not 0 and at most 100 in size, is right",
        ),
        (
            {"price_usd": 80.0, "multiple": -1e308},
            "multiple: -1e+308; a signed daily multiple, not 0 and at most 100 in size, is right",
        ),
        (
            {"price_usd": 80.0, "multiple": float("nan")},
            "multiple: nan; a finite number is right",
        ),
    ],
)
def test_a_fund_that_is_wrong_is_named(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(AccountError) as refused:
        known("ACME", entry)
    assert str(refused.value) == f"account: funds.ACME: {message}"


def test_a_fund_without_an_entry_is_refused_for_the_position_that_needs_it() -> None:
    snapshot = read_account(account(0.0)).snapshot
    with pytest.raises(AccountError) as refused:
        fund_at_hand("ACME", snapshot, "mine.json", "long 5 ACME")
    assert str(refused.value) == (
        "mine.json: long 5 ACME: ACME is not among the funds; "
        '"funds": {"ACME": {"price_usd": ...}} is right'
    )


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (1000.0, "1000"),
        (1_234_567.1, "1234567.1"),
        (0.1 + 0.2, "0.3"),
        (72.5, "72.5"),
        (1e12, "1000000000000"),
        (0.0001, "0.0001"),
        (0.0, "0"),
    ],
)
def test_a_number_is_written_in_digits(number: float, written: str) -> None:
    assert in_digits(number) == written


def test_the_date_of_a_snapshot_is_a_date() -> None:
    assert read_account(account(0.0)).snapshot.date_ == date(2019, 6, 3)


def test_the_only_fund_is_the_one_to_order() -> None:
    written = account(10_000.0, order={"action": "buy", "shares": 133})
    assert status_dict(margin_status(written))["order_accepted"] is True


def test_an_order_says_its_fund_where_there_are_several() -> None:
    funds = {"A": fund(1.0), "B": fund(1.0)}
    with pytest.raises(AccountError) as refused:
        margin_status(account(10_000.0, funds=funds, order={"action": "buy", "shares": 1}))
    assert str(refused.value) == "account: order.fund: missing; one of A, B is right"


def test_the_date_of_the_rules_may_stand_among_the_switches_but_only_once() -> None:
    frozen = account(0.0, policy={"rules_as_of": "2010-04-30"}, date="2009-06-01")
    assert status_dict(margin_status(frozen))["rules_as_of"] == "2010-04-30"
    with pytest.raises(AccountError) as refused:
        margin_status({**frozen, "rules_as_of": "2009-01-05"})
    assert str(refused.value) == (
        "account: rules_as_of: 2009-01-05, but policy.rules_as_of is 2010-04-30; one date is right"
    )


def test_none_switches_off_the_house_and_the_flat_rate() -> None:
    written = account(0.0, shares(100), policy={"house": "none", "flat_rate": "none"})
    assert margin_status(written).figures.maintenance_margin_usd == 7_500.0


def test_portfolio_margin_has_no_special_memorandum_account() -> None:
    written = account(200_000.0, special_memorandum_account_usd=1_000.0)
    assert "special_memorandum_account_usd" in status_dict(margin_status(written))
    written["policy"] = {"margin_mode": "portfolio"}
    assert "special_memorandum_account_usd" not in status_dict(margin_status(written))


@pytest.mark.parametrize(
    ("written", "owed"),
    [
        (account(-0.01, shares(100)), "cash_usd -0.01"),
        (account(50_000.0, shares(-100)), "short 100 BULL"),
    ],
)
def test_a_cash_account_that_owes_is_refused(written: dict[str, Any], owed: str) -> None:
    with pytest.raises(AccountError) as refused:
        margin_status({**written, "policy": {"margin_mode": "cash"}})
    assert str(refused.value) == (
        f"account: policy.margin_mode: cash, but the account has {owed}; a cash account borrows "
        "and sells short nothing, margin_mode strategy is right"
    )
