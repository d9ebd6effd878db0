from datetime import date
from typing import Any

import pytest
from tests.unit.margin.books import CALL, PUT, TODAY, Lot, book, excess_liquidity, terms

from levsleeve.margin.account import (
    closing_part,
    gross_value,
    loan_value_equity,
    maintenance_after_expiry,
    maintenance_under_relief,
    margin_requirement,
    option_loan_value,
    option_value,
    order_passes,
    share_value,
    short_value,
    sizing_reserve,
)
from levsleeve.margin.combination import INITIAL_MARGIN, MAINTENANCE
from levsleeve.margin.policy import Policy
from levsleeve.margin.schedule import margin_rules

ROUNDED = 1e-6
RULES = margin_rules(TODAY)

# Long 800 of a 3x bull and short 300 of a 2x one, eight puts held and one call written.
MIXED = book(
    [800.0, -300.0],
    [62.5, 88.0],
    Lot(PUT, 8, 56.0, 1.75),
    Lot(CALL, -1, 70.0, 0.80),
)


def test_values_are_signed_sums_over_shares_and_options() -> None:
    assert share_value(MIXED) == pytest.approx(50_000.0 - 26_400.0)
    assert short_value(MIXED) == pytest.approx(26_400.0)
    assert option_value(MIXED) == pytest.approx(1_400.0 - 80.0)
    assert gross_value(-6_000.0, MIXED) == pytest.approx(6_000 + 50_000 + 26_400 + 1_400 + 80)


def test_the_marks_of_options_are_not_in_equity_with_loan_value() -> None:
    # The puts count in net liquidation, 45,400, and lend nothing.
    positions = book([800.0], [62.5], Lot(PUT, 8, 56.0, 1.75))
    assert loan_value_equity(-6_000.0, positions, RULES) == pytest.approx(44_000.0)
    assert excess_liquidity(-6_000.0, positions, terms([3.0])) == pytest.approx(6_500.0)


@pytest.mark.parametrize(
    ("expiry", "switches", "lent"),
    [
        (date(2020, 3, 3), {"option_loan_value": "finra"}, 0.0),
        (date(2020, 3, 4), {"option_loan_value": "finra"}, 750.0),
        (date(2020, 3, 4), {}, 0.0),
    ],
)
def test_long_options_beyond_nine_months_lend_a_quarter_by_policy(
    expiry: date, switches: dict[str, Any], lent: float
) -> None:
    # Ten at 3.00 held; ten written lend nothing and cost nothing here.
    lots = (Lot(PUT, 10, 90.0, 3.0, expiry), Lot(PUT, -10, 80.0, 2.0, expiry))
    rules = terms([3.0], switches).rules
    positions = book([0.0], [100.0], *lots)
    assert option_loan_value(positions, rules) == pytest.approx(lent)
    assert loan_value_equity(50_000.0, positions, rules) == pytest.approx(50_000.0 + lent)


def test_a_short_options_mark_is_charged_once_inside_its_requirement() -> None:
    # Cash holds the premium of 120: of 3,400 the account must find 3,280.
    positions = book([0.0], [209.0], Lot(PUT, -1, 200.0, 1.20))
    funds = terms([1.0], classes=[2.0])
    assert margin_requirement(positions, funds, MAINTENANCE) == pytest.approx(3_400.0)
    assert excess_liquidity(3_280.0 + 120.0, positions, funds) == pytest.approx(0.0, abs=ROUNDED)


def test_the_requirement_after_expiry_is_that_of_the_shares_alone() -> None:
    # 75 % of 50,000 and 60 % of 26,400, whatever the policy says of relief.
    for relief in ("none", "finra"):
        funds = terms([3.0, 2.0], {"hedge_relief": relief})
        assert maintenance_after_expiry(MIXED, funds) == pytest.approx(37_500 + 15_840)


def test_relief_can_be_reckoned_beside_the_policy_in_force() -> None:
    # 800 shares between a put at 56, which keeps 5.60 and 6.50, and one covered call at 70.
    for relief in ("none", "finra"):
        funds = terms([3.0, 2.0], {"hedge_relief": relief})
        assert maintenance_under_relief(MIXED, funds, 0.0) == pytest.approx(37_500 + 15_840)
        assert maintenance_under_relief(MIXED, funds, 1.0) == pytest.approx(9_680 + 15_840)
        initial = margin_requirement(MIXED, funds, INITIAL_MARGIN)
        assert initial == pytest.approx(37_500 + 15_840)


# --- head-room -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switches", "reserve"),
    [
        ({}, 0.0),
        ({"buffer_rate": 0.1}, 1_000.0),
        ({"free_rate": 0.25}, 2_500.0),
        # 10,000 x 0.9 x 0.75 = 6,750 are used, less a fee of 5.
        ({"buffer_rate": 0.1, "free_rate": 0.25, "order_fee_usd": 5.0}, 3_255.0),
        ({"order_fee_usd": 5.0}, 5.0),
    ],
)
def test_sizing_leaves_a_buffer_a_free_part_and_a_fee(
    switches: dict[str, float], reserve: float
) -> None:
    rules = margin_rules(TODAY, Policy.model_validate(switches))
    assert sizing_reserve(10_000.0, rules) == pytest.approx(reserve)


def test_an_account_without_available_funds_reserves_the_fee_alone() -> None:
    rules = margin_rules(TODAY, Policy(buffer_rate=0.5, order_fee_usd=5.0))
    assert sizing_reserve(-1_000.0, rules) == 5.0


# --- the order test ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equity", "initial", "free_cash", "short", "passes"),
    [
        # 133 shares of a 3x fund at 100 on 10,000, and one more.
        (10_000.0, 9_975.0, -3_300.0, False, True),
        (10_000.0, 10_050.0, -3_400.0, False, False),
        (10_000.0, 10_000.0, -3_400.0, False, True),
        # FINRA Rule 4210(b)(4): 2,000 dollars to borrow or to be short, none to pay in full.
        (1_500.0, 500.0, 500.0, False, True),
        (1_500.0, 750.0, 0.0, False, True),
        (1_500.0, 750.0, -0.01, False, False),
        (1_999.99, 30.0, 1_000.0, True, False),
        (2_000.0, 30.0, 1_000.0, True, True),
        (2_000.0, 1_000.0, -500.0, False, True),
        (-10.0, 0.0, 5.0, False, False),
    ],
)
def test_an_order_passes_on_initial_margin_and_on_the_minimum_equity(
    equity: float, initial: float, free_cash: float, *, short: bool, passes: bool
) -> None:
    assert order_passes(equity, initial, free_cash, short, 20_000.0, RULES) is passes


def test_the_rounding_of_large_sums_refuses_no_order() -> None:
    assert order_passes(1e9, 1e9 + 1e-4, 0.0, False, 1e9, RULES)  # noqa: FBT003  (by position)
    assert not order_passes(1e9, 1e9 + 1e-2, 0.0, False, 1e9, RULES)  # noqa: FBT003  (by position)


@pytest.mark.parametrize(("least", "passes"), [(0.0, True), (1_500.0, True), (5_000.0, False)])
def test_the_minimum_equity_is_a_switch(least: float, *, passes: bool) -> None:
    rules = margin_rules(TODAY, Policy(minimum_equity_usd=least))
    answer = order_passes(1_500.0, 500.0, -100.0, True, 5_000.0, rules)  # noqa: FBT003  (by position)
    assert answer is passes


@pytest.mark.parametrize(("equity", "passes"), [(99_999.0, False), (100_000.0, True)])
def test_under_portfolio_margin_every_opening_takes_a_hundred_thousand(
    equity: float, *, passes: bool
) -> None:
    rules = margin_rules(TODAY, Policy(margin_mode="portfolio"))
    answer = order_passes(equity, 10.0, 500.0, False, equity, rules)  # noqa: FBT003  (by position)
    assert answer is passes
    waived = margin_rules(TODAY, Policy(margin_mode="portfolio", minimum_equity_usd=0.0))
    assert order_passes(equity, 10.0, 500.0, False, equity, waived)  # noqa: FBT003  (by position)


@pytest.mark.parametrize(
    ("held", "shares", "closing"),
    [
        (100.0, 10.0, 0.0),
        (100.0, -30.0, -30.0),
        (100.0, -100.0, -100.0),
        (100.0, -130.0, -100.0),
        (-100.0, 130.0, 100.0),
        (-100.0, -10.0, 0.0),
        (0.0, 10.0, 0.0),
    ],
)
def test_only_the_part_towards_zero_closes(held: float, shares: float, closing: float) -> None:
    assert closing_part(held, shares) == closing
