"""The account of a study: every key, what it refuses, and the terms that come of it."""

from datetime import date
from typing import Any

import pytest

from levsleeve.backtests.account_table import AccountTable
from levsleeve.backtests.study import parse_study
from levsleeve.errors import StudyError


def account(**keys: Any) -> AccountTable:
    """The account table of a study that says no more than this."""
    study = {
        "schema": 1,
        "name": "s",
        "start": date(2008, 1, 2),
        "end": date(2009, 1, 2),
        "account": keys,
        "sleeve": [{"name": "a", "strategy": "bull_3x"}],
    }
    return parse_study(study).account


def test_an_account_that_says_nothing_is_this_one() -> None:
    given = account()
    policy = given.policy.model_dump()
    assert given.model_dump() == {
        "cash_usd": 100_000.0,
        "profile": "finra",
        "policy": policy,
        "financing": None,
        "commission": None,
        "fund_half_spread_rate": 0.0002,
        "fund_slippage_rate": 0.0,
        "fund_costs": {},
        "option_half_spread_rate": 0.05,
        "option_half_spread_minimum_usd": 0.05,
        "option_slippage_rate": 0.0,
        "option_costs": {},
        "liquidation_penalty_rate": 0.0,
        "fill": "next_close",
        "intraday_test": False,
        "fractional_shares": False,
        "call_policy": "ibkr",
        "call_sessions": 3,
        "cash_flow": (),
        "borrow": (),
    }
    assert given.policy.given == {}


EVERY_KEY: dict[str, Any] = {
    "cash_usd": 5_000.0,
    "profile": "ibkr",
    "policy": {"hedge_relief": "finra"},
    "financing": "ibkr_lite",
    "commission": "ibkr_tiered",
    "fund_half_spread_rate": 0.001,
    "fund_slippage_rate": 0.002,
    "fund_costs": {"UPRO": {"half_spread_rate": 0.0}},
    "option_half_spread_rate": 0.02,
    "option_half_spread_minimum_usd": 0.01,
    "option_slippage_rate": 0.03,
    "option_costs": {"UPRO": {"slippage_rate": 0.0}},
    "liquidation_penalty_rate": 0.01,
    "fill": "next_open",
    "intraday_test": True,
    "fractional_shares": True,
    "call_policy": "call",
    "call_sessions": 5,
    "cash_flow": [{"on": date(2008, 6, 2), "amount_usd": -500.0, "every": "month"}],
    "borrow": [{"fund": "UPRO", "since": date(2008, 6, 2), "rate": 0.04}],
}


def test_every_key_is_taken_as_it_is_given() -> None:
    given = account(**EVERY_KEY)
    assert given.model_fields_set == EVERY_KEY.keys() == AccountTable.model_fields.keys()
    tables = {"cash_flow", "borrow"}
    assert given.model_dump(exclude_unset=True) == {
        key: tuple(chosen) if key in tables else chosen for key, chosen in EVERY_KEY.items()
    }


# -- what it refuses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"cash_usd": 0.0}, "account.cash_usd: 0.0; a number above 0 is right"),
        ({"profile": 3}, "account.profile: 3; text in quotes is right"),
        ({"financing": 3}, "account.financing: 3; text in quotes is right"),
        ({"commission": 3}, "account.commission: 3; text in quotes is right"),
        (
            {"policy": {"margin_mode": "loan"}},
            "account.policy.margin_mode: 'loan'; 'strategy', 'portfolio' or 'cash' is right",
        ),
        (
            {"fund_half_spread_rate": -0.1},
            "account.fund_half_spread_rate: -0.1; a number of at least 0 is right",
        ),
        ({"fund_slippage_rate": 1.0}, "account.fund_slippage_rate: 1.0; a number below 1 is right"),
        (
            {"fund_costs": {"UPRO": {"half_spread_rate": 2.0}}},
            "account.fund_costs.UPRO.half_spread_rate: 2.0; a number below 1 is right",
        ),
        (
            {"fund_costs": {"UPRO": {"half_spread": 0.1}}},
            "account.fund_costs.UPRO.half_spread: unknown key; did you mean half_spread_rate?",
        ),
        (
            {"fund_costs": {"UPRO": {"half_spread_minimum_usd": 0.1}}},
            "account.fund_costs.UPRO.half_spread_minimum_usd: unknown key; "
            "did you mean half_spread_rate?",
        ),
        ({"fund_costs": {"UPRO": 0.1}}, "account.fund_costs.UPRO: 0.1; a table is right"),
        (
            {"option_half_spread_rate": float("nan")},
            "account.option_half_spread_rate: nan; a finite number is right",
        ),
        (
            {"option_half_spread_minimum_usd": float("inf")},
            "account.option_half_spread_minimum_usd: inf; a finite number is right",
        ),
        (
            {"option_slippage_rate": "much"},
            "account.option_slippage_rate: 'much'; a number is right",
        ),
        (
            {"option_costs": {"UPRO": {"half_spread_minimum_usd": -1.0}}},
            "account.option_costs.UPRO.half_spread_minimum_usd: -1.0; "
            "a number of at least 0 is right",
        ),
        (
            {"liquidation_penalty_rate": 1.0},
            "account.liquidation_penalty_rate: 1.0; a number below 1 is right",
        ),
        (
            {"fill": "next_week"},
            "account.fill: 'next_week'; 'next_close', 'next_open' or 'same_close' is right",
        ),
        (
            {"fund_half_spread_rate": 0.6, "fund_slippage_rate": 0.5},
            "account.fund_slippage_rate: half-spread and slippage are 1.1 of the price together; "
            "less than 1 is right",
        ),
        (
            {"option_costs": {"UPRO": {"half_spread_rate": 0.9, "slippage_rate": 0.1}}},
            "account.option_costs: UPRO: half-spread and slippage are 1 of the price together; "
            "less than 1 is right",
        ),
        ({"intraday_test": 1}, "account.intraday_test: 1; true or false is right"),
        ({"fractional_shares": "no"}, "account.fractional_shares: 'no'; true or false is right"),
        (
            {"call_policy": "hope"},
            "account.call_policy: 'hope'; 'ibkr', 'call' or 'stop' is right",
        ),
        (
            {"call_policy": "call", "call_sessions": 0},
            "account.call_sessions: 0; a number of at least 1 is right",
        ),
        (
            {"call_policy": "call", "call_sessions": 16},
            "account.call_sessions: 16; a number of at most 15 is right",
        ),
        (
            {"call_policy": "call", "call_sessions": 2.5},
            "account.call_sessions: 2.5; a whole number is right",
        ),
        (
            {"call_sessions": 3},
            "account.call_sessions: 3, but call_policy ibkr waits for no cure; "
            'call_policy = "call" does',
        ),
        (
            {"call_policy": "stop", "call_sessions": 5},
            "account.call_sessions: 5, but call_policy stop waits for no cure; "
            'call_policy = "call" does',
        ),
    ],
)
def test_a_key_that_is_wrong_is_named_with_what_would_be_right(
    keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(StudyError) as refused:
        account(**keys)
    assert str(refused.value) == f"study: {message}"


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("fund_costs", {"SSO": {"slippage_rate": 0.1}}),
        ("option_costs", {"SSO": {"slippage_rate": 0.1}}),
        ("borrow", [{"fund": "SSO", "since": date(2008, 6, 2), "rate": 0.04}]),
    ],
)
def test_what_is_said_of_a_fund_that_nothing_holds_is_refused(key: str, entry: object) -> None:
    given = account(**{key: entry})
    given.refuse_unheld(["UPRO", "SSO"])
    with pytest.raises(StudyError) as refused:
        given.refuse_unheld(["UPRO", "SPXU"])
    assert str(refused.value) == f"account.{key}: SSO is not held; one of UPRO, SPXU is right"
