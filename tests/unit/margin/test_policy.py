import tomllib
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from levsleeve.errors import StudyError
from levsleeve.margin.policy import FactorOverlay, Policy, RateOverlay
from levsleeve.margin.rulebook import rulebook


def refusal(text: str) -> str:
    """What is said of switches written in TOML."""
    with pytest.raises(StudyError) as refused:
        rulebook(switches=tomllib.loads(text))
    return str(refused.value)


def test_the_first_value_of_every_switch_is_its_default() -> None:
    assert Policy().model_dump() == {
        "short_floor": "unscaled",
        "order_initial": "regt",
        "end_of_day_initial": "finra",
        "hedge_relief": "none",
        "option_loan_value": "none",
        "option_minimum": "scaled",
        "collar_rate": "scaled",
        "margin_mode": "strategy",
        "flat_rate": None,
        "minimum_equity_usd": None,
        "buffer_rate": 0.0,
        "free_rate": 0.0,
        "order_fee_usd": 0.0,
        "house": None,
    }


def test_a_policy_is_never_changed() -> None:
    policy: Any = Policy()
    with pytest.raises(ValidationError):
        policy.flat_rate = 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hedge_releif = 'finra'", "hedge_releif: unknown key; did you mean hedge_relief?"),
        (
            "zeal = 1",
            "zeal: unknown key; known are short_floor, order_initial, end_of_day_initial, "
            "hedge_relief, option_loan_value, option_minimum, collar_rate, margin_mode, flat_rate, "
            "minimum_equity_usd, buffer_rate, free_rate, order_fee_usd, house",
        ),
        ("hedge_relief = 'yes'", "hedge_relief: 'yes'; 'none' or 'finra' is right"),
        ("margin_mode = 1", "margin_mode: 1; 'strategy', 'portfolio' or 'cash' is right"),
        ("flat_rate = 0", "flat_rate: 0; a number above 0 is right"),
        ("flat_rate = nan", "flat_rate: nan; a finite number is right"),
        ("flat_rate = '0.5'", "flat_rate: '0.5'; a number is right"),
        ("buffer_rate = 1.0", "buffer_rate: 1.0; a number below 1 is right"),
        ("free_rate = -0.1", "free_rate: -0.1; a number of at least 0 is right"),
        ("order_fee_usd = true", "order_fee_usd: True; a number is right"),
        ("minimum_equity_usd = inf", "minimum_equity_usd: inf; a finite number is right"),
    ],
)
def test_a_switch_that_is_wrong_is_refused_with_what_would_be_right(
    text: str, message: str
) -> None:
    assert refusal(text) == f"policy: {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "flat_rate = 0.5\nhouse = { kind = 'rate', long_rate = 1.0 }",
            "flat_rate: 0.5 replaces the rulebook that house overlays; one of the two is right",
        ),
        (
            "margin_mode = 'portfolio'\nflat_rate = 0.5",
            "flat_rate: 0.5 contradicts margin_mode portfolio, which knows no such rule; "
            "margin_mode strategy is right",
        ),
        (
            "margin_mode = 'portfolio'\nhedge_relief = 'finra'",
            "hedge_relief: finra contradicts margin_mode portfolio, which knows no such rule; "
            "margin_mode strategy is right",
        ),
        (
            "margin_mode = 'portfolio'\noption_loan_value = 'finra'",
            "option_loan_value: finra contradicts margin_mode portfolio, which knows no such rule; "
            "margin_mode strategy is right",
        ),
        (
            "margin_mode = 'portfolio'\nend_of_day_initial = 'ibkr_legacy'",
            "end_of_day_initial: ibkr_legacy contradicts margin_mode portfolio, which knows no "
            "such rule; margin_mode strategy is right",
        ),
    ],
)
def test_switches_that_contradict_each_other_are_refused_by_name(text: str, message: str) -> None:
    assert refusal(text) == f"policy: {message}"


@pytest.mark.parametrize(
    ("house", "message"),
    [
        ("factor = 1.35", "kind: missing; this key is required"),
        (
            "kind = 'fator'\nfactor = 1.35",
            "kind: 'fator'; one of 'factor', 'rate', 'volatility', 'flow' is right",
        ),
        # A key that is unknown goes before the one that is missing for it.
        ("kind = 'factor'\nfacter = 1.35", "facter: unknown key; did you mean factor?"),
        ("kind = 'factor'", "factor: missing; this key is required"),
        ("kind = 'factor'\nfactor = 0.0", "factor: 0.0; a number above 0 is right"),
        (
            "kind = 'factor'\nfactor = 1.35\nlong_cap = 0.0",
            "long_cap: 0.0; a number above 0 is right",
        ),
        (
            "kind = 'factor'\nfactor = 1.35\napplies_to = 'all'",
            "applies_to: 'all'; 'both', 'maintenance' or 'initial' is right",
        ),
        ("kind = 'rate'\nlong_rte = 0.3", "long_rte: unknown key; did you mean long_rate?"),
        ("kind = 'rate'\nper_turns = true", "per_turns: unknown key; did you mean per_turn?"),
        ("kind = 'rate'\nper_turn = 'yes'", "per_turn: 'yes'; true or false is right"),
        (
            "kind = 'rate'\nzeal = 1",
            "zeal: unknown key; known are effective, until, above_multiple, source, standing, "
            "kind, long_rate, short_rate, per_turn",
        ),
        (
            "kind = 'volatility'\nbase = 0.2\nslop = 0.5\nceiling = 1.0",
            "slop: unknown key; did you mean slope?",
        ),
        (
            "kind = 'volatility'\nbase = 0\nslope = 0.5\nceiling = 1.0",
            "base: 0; a number above 0 is right",
        ),
        (
            "kind = 'flow'\nbase = 0.06\nslope = 0.5\nceilng = 1.0",
            "ceilng: unknown key; did you mean ceiling?",
        ),
        (
            "kind = 'flow'\nbase = 0.06\nslope = -1\nceiling = 1.0",
            "slope: -1; a number of at least 0 is right",
        ),
        (
            "kind = 'rate'\neffective = '2020-01-02'",
            "effective: '2020-01-02'; a date such as 2018-12-31 without quotes is right",
        ),
        (
            "kind = 'rate'\nuntil = 2020-01-02T09:30:00",
            "until: 2020-01-02 09:30:00; a date such as 2018-12-31 without quotes is right",
        ),
        (
            "kind = 'rate'\neffective = 2020-01-02\nuntil = 2020-01-01",
            "until: 2020-01-01 is before effective 2020-01-02; a later date is right",
        ),
        (
            "kind = 'factor'\nfactor = 1.35\nfull_from = 2020-10-23",
            "full_from: 2020-10-23 without effective; an effective date not after it is right",
        ),
        (
            "kind = 'factor'\nfactor = 1.35\neffective = 2020-10-24\nfull_from = 2020-10-23",
            "full_from: 2020-10-23 before effective 2020-10-24; an effective date not after it is "
            "right",
        ),
    ],
)
def test_a_house_that_is_wrong_is_refused_by_its_kind(house: str, message: str) -> None:
    assert refusal(f"[house]\n{house}") == f"policy: house.{message}"


@pytest.mark.parametrize("value", ["3", "'factor'", "[]"])
def test_a_house_is_a_table(value: str) -> None:
    assert refusal(f"house = {value}") == f"policy: house: {value}; a table is right"


def test_an_overlay_may_begin_and_end_on_one_day() -> None:
    day = date(2020, 10, 23)
    assert RateOverlay(effective=day, until=day).until == day
    assert FactorOverlay(factor=1.35, effective=day, full_from=day).full_from == day
