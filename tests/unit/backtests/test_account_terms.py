"""What an account of a study becomes: the costs of each fund and the terms of its broker."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.backtests.test_account_table import account

from levsleeve.backtests.state import (
    AFTER_SESSIONS,
    AT_ONCE,
    CLOSE_OUT,
    FRACTIONAL_SHARES,
    WHOLE_SHARES,
    Terms,
)
from levsleeve.errors import ScheduleError
from levsleeve.margin.charges import commission_plan, financing_plan
from levsleeve.margin.profile import load_profile
from levsleeve.pricing.volatility import volatility_model

SYMBOLS = ("UPRO", "SPXU", "SP500?L=2")


def terms(profile: str = "finra", **keys: Any) -> Terms:
    return account(**keys).terms(load_profile(profile), SYMBOLS, "vix_standard_skew")


# -- costs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "rates"),
    [
        ({}, [0.0002, 0.0002, 0.0002]),
        ({"fund_half_spread_rate": 0.001, "fund_slippage_rate": 0.002}, [0.003, 0.003, 0.003]),
        # One half of what a fund costs may be its own; nothing is a figure, too.
        (
            {
                "fund_half_spread_rate": 0.001,
                "fund_slippage_rate": 0.002,
                "fund_costs": {
                    "UPRO": {"half_spread_rate": 0.01},
                    "SPXU": {"slippage_rate": 0.0},
                    "SP500?L=2": {"half_spread_rate": 0.0, "slippage_rate": 0.05},
                },
            },
            [0.012, 0.001, 0.05],
        ),
        ({"fund_costs": {"SH": {"half_spread_rate": 0.5}}}, [0.0002, 0.0002, 0.0002]),
    ],
)
def test_each_fund_costs_its_own_half_spread_and_slippage_or_that_of_all(
    keys: dict[str, Any], rates: list[float]
) -> None:
    assert list(terms(**keys).fund_spread_rates) == pytest.approx(rates)


@pytest.mark.parametrize(
    ("keys", "rates", "least"),
    [
        ({}, [0.05] * 3, [0.05] * 3),
        ({"option_slippage_rate": 0.01}, [0.06] * 3, [0.05] * 3),
        (
            {
                "option_half_spread_minimum_usd": 0.02,
                "option_slippage_rate": 0.01,
                "option_costs": {
                    "UPRO": {"half_spread_rate": 0.1},
                    "SPXU": {"half_spread_minimum_usd": 0.0},
                    "SP500?L=2": {"slippage_rate": 0.2, "half_spread_minimum_usd": 0.5},
                },
            },
            [0.11, 0.06, 0.25],
            [0.02, 0.0, 0.5],
        ),
    ],
)
def test_options_on_each_fund_cost_their_own_or_that_of_all(
    keys: dict[str, Any], rates: list[float], least: list[float]
) -> None:
    made = terms(**keys)
    assert list(made.option_spread_rates) == pytest.approx(rates)
    assert list(made.option_spread_minimums_usd) == pytest.approx(least)


def test_the_costs_of_one_fund_can_be_asked_for() -> None:
    given = account(fund_costs={"UPRO": {"slippage_rate": 0.01}})
    assert (given.fund_spread("UPRO"), given.fund_spread("SPXU")) == (0.0102, 0.0002)
    assert given.option_spread("UPRO") == (0.05, 0.05)


# -- terms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "policy", "sessions"),
    [
        ({}, AT_ONCE, 3.0),
        ({"call_policy": "ibkr"}, AT_ONCE, 3.0),
        ({"call_policy": "call"}, AFTER_SESSIONS, 3.0),
        ({"call_policy": "call", "call_sessions": 15}, AFTER_SESSIONS, 15.0),
        ({"call_policy": "stop"}, CLOSE_OUT, 3.0),
    ],
)
def test_the_policy_on_calls_becomes_a_number(
    keys: dict[str, Any], policy: float, sessions: float
) -> None:
    made = terms(**keys)
    assert (made.call_policy, made.call_sessions) == (policy, sessions)


def test_fractions_penalty_and_volatility_reach_the_terms() -> None:
    assert terms().share_parts == WHOLE_SHARES
    assert terms(fractional_shares=True).share_parts == FRACTIONAL_SHARES
    assert terms(liquidation_penalty_rate=0.01).liquidation_penalty_rate == 0.01
    assert terms().volatility == volatility_model("vix_standard_skew")


def test_plans_are_the_studys_own_or_those_of_its_broker() -> None:
    for keys, commission, financing in (
        ({}, "ibkr_fixed", "ibkr"),
        ({"commission": "ibkr_tiered", "financing": "ibkr_lite"}, "ibkr_tiered", "ibkr_lite"),
        ({"commission": "none"}, "none", "ibkr"),
    ):
        made = terms(**keys)
        for plan, expected in (
            (made.commission, commission_plan(commission)),
            (made.financing, financing_plan(financing)),
        ):
            for mine, other in zip(plan, expected, strict=True):
                np.testing.assert_array_equal(mine, other)


def test_a_brokers_own_plans_are_used_by_name(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        "source = 'a letter'\nstanding = 'confirmed'\nfinancing = 'dear'\n"
        "[financing_plan.dear]\nsource = 'a letter'\nstanding = 'confirmed'\n"
        "day_count_basis = 365.0\nfull_rate_net_liquidation_usd = 0.0\nleast_debit_rate = 0.08\n"
        "borrow_markup = 1.0\nborrow_round_up_usd = 0.0\n"
        "debit = [{ up_to_usd = inf, spread = 0.05 }]\n"
        "credit = [{ up_to_usd = inf }]\nshort_proceeds = [{ up_to_usd = inf }]\n",
        encoding="utf-8",
    )
    profile = load_profile("mine.toml", tmp_path)
    made = account().terms(profile, SYMBOLS, "vix_standard_skew")
    assert (made.financing.day_count_basis, made.financing.least_debit_rate) == (365.0, 0.08)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            "financing",
            "mine: no financing plan of that name; known are ibkr, ibkr_2021, ibkr_lite, "
            "ibkr_older_credit",
        ),
        (
            "commission",
            "mine: no commission plan of that name; known are ibkr_fixed, ibkr_tiered, none",
        ),
    ],
)
def test_a_plan_that_nobody_knows_is_refused_when_the_terms_are_made(
    key: str, message: str
) -> None:
    with pytest.raises(ScheduleError) as refused:
        terms(**{key: "mine"})
    assert str(refused.value) == message
