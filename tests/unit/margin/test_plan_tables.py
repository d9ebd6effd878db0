import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.margin.plans import OWN_COMMISSION, OWN_FINANCING

from levsleeve.errors import ScheduleError
from levsleeve.margin.charges import borrow_rates, commission_plan, financing_plan


def changed(text: str, old: str, new: str) -> dict[str, Any]:
    assert text.count(old) == 1
    return tomllib.loads(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("minimum_order_usd = 2", "minimun_order_usd = 2",
         "minimun_order_usd: unknown key; did you mean minimum_order_usd?"),
        ("exercise_usd = 5.0", "", "exercise_usd: missing; this key is required"),
        ("minimum_order_usd = 2", "minimum_order_usd = '2'",
         "minimum_order_usd: '2'; a number is right"),
        ("minimum_order_usd = 2", "minimum_order_usd = true",
         "minimum_order_usd: True; a number is right"),
        ("exercise_usd = 5.0", "exercise_usd = nan",
         "exercise_usd: nan; a finite number is right"),
        ("exercise_usd = 5.0", "exercise_usd = -5.0",
         "exercise_usd: -5.0; a number of at least 0 is right"),
        ("exercise_usd = 5.0", "exercise_usd = inf",
         "exercise_usd: inf; a finite number is right"),
        ("maximum_fraction = 0.05", "maximum_fraction = 5",
         "maximum_fraction: 5; a number of at most 1 is right"),
        ("per_share_usd = 0.004", "per_share_usd = -0.004",
         "shares.1.per_share_usd: -0.004; a number of at least 0 is right"),
        ("[0.5, 0.75, 1]", "[0.5, 0.75]",
         "options.0.per_contract_usd.2: missing; this key is required"),
        ("[0.5, 0.75, 1]", "[0.5, nan, 1]",
         "options.0.per_contract_usd.1: nan; a finite number is right"),
        ("[0.1, 0.2]", "[0.2, 0.1]",
         "option_premium_usd: [0.2, 0.1]; a lower premium before a higher one is right"),
        ("up_to_contracts = inf", "up_to_contracts = 10_000",
         "options.up_to_contracts: [10000.0]; ends that increase up to inf are right"),
        ("up_to_shares = 1_000", "up_to_shares = inf",
         "shares.up_to_shares: [inf, inf]; ends that increase up to inf are right"),
        ("up_to_shares = 1_000", "up_to_shares = 0",
         "shares.0.up_to_shares: 0; a number above 0 is right"),
        ("up_to_shares = 1_000", "up_to_shares = nan",
         "shares.0.up_to_shares: nan; a number above 0 is right"),
    ],
)  # fmt: skip
def test_a_users_commission_plan_that_cannot_be_right_is_refused_by_its_key(
    old: str, new: str, complaint: str
) -> None:
    with pytest.raises(ScheduleError) as refused:
        commission_plan("mine", changed(OWN_COMMISSION, old, new))
    assert str(refused.value) == f"commission plan mine: {complaint}"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("least_debit_rate", "leest_rate",
         "leest_rate: unknown key; did you mean least_debit_rate?"),
        ("day_count_basis = 365", "day_count_basis = 0",
         "day_count_basis: 0; a number above 0 is right"),
        ("borrow_markup = 1.0", "borrow_markup = nan",
         "borrow_markup: nan; a finite number is right"),
        ("spread = 0.03", "spread = 3.0",
         "debit.0.spread: 3.0; a number below 1 is right"),
        (", spread = 0.03", "", "debit.0.spread: missing; this key is required"),
        ("spread = 0.03", "spread_rate = 0.03",
         "debit.0.spread_rate: unknown key; did you mean spread?"),
        ("[{ up_to_usd = inf }]", "[]", "credit: []; at least one table is right"),
        ("[{ up_to_usd = inf }]", "[1.0]", "credit.0: 1.0; a table is right"),
        ("up_to_usd = 50_000", "up_to_usd = inf",
         "debit.up_to_usd: [inf, inf]; ends that increase up to inf are right"),
        ("[mine]\nsource = \"the broker's letter of May 2024\"", "[mine]\nsource = ''",
         "source: ''; text in quotes is right"),
    ],
)  # fmt: skip
def test_a_users_financing_plan_that_cannot_be_right_is_refused_by_its_key(
    old: str, new: str, complaint: str
) -> None:
    with pytest.raises(ScheduleError) as refused:
        financing_plan("mine", changed(OWN_FINANCING, old, new))
    assert str(refused.value) == f"financing plan mine: {complaint}"


def test_a_users_plan_that_is_no_table_is_refused() -> None:
    with pytest.raises(ScheduleError) as refused:
        financing_plan("mine", {"mine": 3})
    assert str(refused.value) == "financing plan mine: 3; a table is right"


@pytest.mark.parametrize(
    ("own", "complaint"),
    [
        ({"bull_rate": 0.01}, "source: missing; this key is required"),
        ({"source": "a list", "standing": "secondary", "bull_rate": 0.01, "inverse_rate": -0.04},
         "inverse_rate: -0.04; a number of at least 0 is right"),
        ({"source": "a list", "standing": "secondary", "bear_rate": 0.04},
         "bear_rate: unknown key; did you mean inverse_rate?"),
    ],
)  # fmt: skip
def test_a_users_borrow_fees_that_cannot_be_right_are_refused_by_their_key(
    own: Mapping[str, object], complaint: str
) -> None:
    with pytest.raises(ScheduleError) as refused:
        borrow_rates(own)
    assert str(refused.value) == f"borrow fees: {complaint}"


def test_an_unknown_key_that_resembles_none_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ScheduleError) as refused:
        borrow_rates({"zzz": 1.0})
    assert str(refused.value) == (
        "borrow fees: zzz: unknown key; known are source, standing, bull_rate, inverse_rate"
    )


def test_a_long_value_is_shortened_in_the_message() -> None:
    with pytest.raises(ScheduleError) as refused:
        commission_plan(
            "mine", changed(OWN_COMMISSION, "exercise_usd = 5.0", f"exercise_usd = '{'9' * 99}'")
        )
    assert str(refused.value) == (
        f"commission plan mine: exercise_usd: '{'9' * 59}...; a number is right"
    )
