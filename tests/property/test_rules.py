"""What must hold for every balance, trade and size, whatever the tables say."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from levsleeve.margin.charges import (
    CommissionPlan,
    FinancingPlan,
    commission_plan,
    financing_plan,
    sale_fees,
)
from levsleeve.margin.fees import (
    option_commission,
    regulatory_option_fees,
    regulatory_sale_fees,
    share_commission,
    share_pass_through,
)
from levsleeve.margin.financing import (
    accrued,
    borrow_mark,
    credit_interest_a_year,
    debit_interest_a_year,
    short_rebate_a_year,
)
from levsleeve.pricing.listing import listed_strike_at_or_below, strike_interval
from levsleeve.strategies.hedges import put_contracts
from levsleeve.strategies.limits import hold_to_policy
from levsleeve.strategies.sizing import target_shares

ON = date(2024, 6, 3)
FIXED, FEES = commission_plan("ibkr_fixed"), sale_fees(ON)
ROUNDING = 1e-12  # of a few additions and products, relative to their result

commissions = st.sampled_from([FIXED, commission_plan("ibkr_tiered")])
PLANS = [financing_plan(n) for n in ("ibkr", "ibkr_lite", "ibkr_2021", "ibkr_older_credit")]
plans = st.sampled_from(PLANS)
volumes = st.integers(0, 200_000_000).map(float)
prices = st.floats(0.01, 2_000.0)
balances = st.floats(-1e6, 3e8)
benchmarks = st.floats(-0.02, 0.20)


# --- interest, borrow and commissions ------------------------------------------------------------


@given(balances, balances, benchmarks, st.floats(-1e5, 1e6), plans)
def test_interest_is_never_negative_and_never_falls_with_the_balance(
    one: float, other: float, benchmark: float, net: float, plan: FinancingPlan
) -> None:
    less, more = sorted((one, other))
    interests: list[Callable[[float], float]] = [
        lambda balance: debit_interest_a_year(balance, benchmark, plan),
        lambda balance: short_rebate_a_year(balance, benchmark, plan),
        lambda balance: credit_interest_a_year(balance, net, benchmark, plan),
    ]
    for interest in interests:
        assert 0.0 <= interest(less) <= interest(more) * (1.0 + ROUNDING)


@given(balances, benchmarks, benchmarks, plans)
def test_interest_never_falls_with_the_benchmark(
    balance: float, one: float, other: float, plan: FinancingPlan
) -> None:
    less, more = sorted((one, other))
    interests: list[Callable[[float], float]] = [
        lambda benchmark: debit_interest_a_year(balance, benchmark, plan),
        lambda benchmark: short_rebate_a_year(balance, benchmark, plan),
        lambda benchmark: credit_interest_a_year(balance, 2e5, benchmark, plan),
    ]
    for interest in interests:
        assert interest(less) <= interest(more) * (1.0 + ROUNDING)


@given(balances, benchmarks, st.floats(0.0, 1e6), plans)
def test_money_costs_at_least_what_the_same_money_earns(
    balance: float, benchmark: float, net: float, plan: FinancingPlan
) -> None:
    paid = debit_interest_a_year(balance, benchmark, plan) * (1.0 + ROUNDING)
    assert credit_interest_a_year(balance, net, benchmark, plan) <= paid
    assert short_rebate_a_year(balance, benchmark, plan) <= paid


@given(balances, benchmarks, plans)
def test_a_debit_is_never_charged_less_than_the_plans_least_rate(
    balance: float, benchmark: float, plan: FinancingPlan
) -> None:
    paid = debit_interest_a_year(balance, benchmark, plan) * (1.0 + ROUNDING)
    assert paid >= plan.least_debit_rate * balance


@given(st.floats(-1e6, 1e6), st.integers(0, 30), st.integers(0, 30), plans)
def test_what_accrues_over_two_spans_accrues_over_both_together(
    a_year: float, one: int, other: int, plan: FinancingPlan
) -> None:
    apart = accrued(a_year, float(one), plan) + accrued(a_year, float(other), plan)
    assert accrued(a_year, float(one + other), plan) == pytest.approx(apart, rel=ROUNDING)


@given(prices)
def test_a_borrowed_share_is_marked_above_its_price_by_less_than_a_dollar_and_two_percent(
    close: float,
) -> None:
    mark = borrow_mark(close, PLANS[0])
    assert mark == int(mark)
    assert 1.02 * close <= mark < 1.02 * close + 1.0


@given(st.floats(0.0, 1e6), prices, commissions, volumes)
def test_a_commission_is_never_above_one_percent_nor_a_fee_below_nothing(
    shares: float, price: float, plan: CommissionPlan, month: float
) -> None:
    commission = share_commission(shares, price, plan, month)
    assert 0.0 <= commission <= 0.01 * shares * price
    assert 0.0 <= share_pass_through(shares, price, plan, month) <= 2e-4 * shares + commission
    fees = regulatory_sale_fees(shares, price, FEES)
    assert 0.0 <= fees <= FEES.section_31_rate * shares * price + FEES.activity_cap_usd


@given(st.integers(0, 100_000), st.integers(0, 100_000), prices, commissions, volumes)
def test_a_larger_order_never_pays_a_smaller_commission(
    one: int, other: int, price: float, plan: CommissionPlan, month: float
) -> None:
    less, more = sorted((float(one), float(other)))
    for commission in (share_commission, option_commission):
        assert commission(less, price, plan, month) <= commission(more, price, plan, month)


@given(st.integers(1, 100_000).map(float), prices, commissions, volumes, volumes)
def test_the_more_was_traded_in_the_month_the_less_an_order_costs(
    units: float, price: float, plan: CommissionPlan, one: float, other: float
) -> None:
    less, more = sorted((one, other))
    for commission in (share_commission, option_commission):
        later = commission(units, price, plan, more)
        assert later <= commission(units, price, plan, less) * (1.0 + ROUNDING)


@given(st.integers(400, 10**8), st.integers(400, 10**8), commissions, volumes)
def test_an_order_in_two_parts_costs_what_the_whole_does_above_the_minimum(
    first: int, second: int, plan: CommissionPlan, month: float
) -> None:
    # At $1,000 a share the maximum is far away; 2,000 shares reach the minimum in every tier.
    one, two = 5.0 * first, 5.0 * second
    parts = share_commission(one, 1e3, plan, month)
    parts += share_commission(two, 1e3, plan, month + one)
    assert share_commission(one + two, 1e3, plan, month) == pytest.approx(parts, rel=ROUNDING)


@given(st.integers(0, 1_000).map(float), st.floats(0.0, 500.0))
def test_selling_an_option_costs_the_regulators_fees_of_buying_it_and_more(
    contracts: float, premium: float
) -> None:
    bought = regulatory_option_fees(contracts, 100.0, premium, selling=False, fees=FEES)
    sold = regulatory_option_fees(contracts, 100.0, premium, selling=True, fees=FEES)
    assert 0.0 <= bought <= sold
    assert sold - bought == pytest.approx(
        contracts * (0.00279 + 27.80e-6 * 100.0 * premium), abs=1e-9
    )


# --- sizes and strikes ---------------------------------------------------------------------------


@given(st.floats(-3.0, 3.0), st.floats(1.0, 1e7), st.floats(0.01, 1e4))
def test_a_target_is_whole_and_within_its_weight_by_less_than_a_share(
    weight: float, equity: float, price: float
) -> None:
    shares = target_shares(weight, equity, price, 1.0)
    wanted = abs(weight) * equity / price
    assert shares == int(shares)
    assert shares * weight >= 0.0
    assert wanted - 1.0 - ROUNDING * wanted < abs(shares) <= wanted * (1.0 + ROUNDING)


@given(st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=6), st.floats(0.05, 3.0))
def test_capped_weights_stand_under_the_cap_and_keep_their_proportions(
    weights: list[float], cap: float
) -> None:
    n, gross, allowed = len(weights), sum(abs(weight) for weight in weights), np.array(weights)
    limits = np.array([cap, np.inf, np.inf, np.inf, 0.0, 0.0])
    funds = np.tile([1.0, 1.0, 3.0], (n, 1))
    hold_to_policy(allowed, funds, limits, np.zeros(n * n), np.zeros(n), 0.0, 0.0)
    assert np.abs(allowed).sum() == pytest.approx(min(gross, cap), rel=1e-9)
    for before, after in zip(weights, allowed, strict=True):
        assert abs(after) <= abs(before)
        assert after * gross == pytest.approx(before * min(gross, cap), rel=1e-9, abs=1e-300)


@given(st.integers(0, 1_000_000), st.floats(0.01, 1.0))
def test_puts_never_cover_more_than_asked_nor_leave_a_whole_contract_uncovered(
    shares: int, coverage: float
) -> None:
    contracts = put_contracts(float(shares), coverage)
    covered = coverage * shares
    assert contracts == int(contracts)
    assert 100.0 * contracts <= covered * (1.0 + ROUNDING)
    assert covered - 100.0 * contracts < 100.0 * (1.0 + ROUNDING)


@given(st.floats(0.5, 5_000.0))
def test_a_listed_strike_is_on_the_grid_and_no_higher_one_fits(target: float) -> None:
    strike = listed_strike_at_or_below(target)
    assert strike <= target * (1.0 + 2.0 * ROUNDING)
    assert strike % strike_interval(strike) == 0.0
    assert strike + strike_interval(strike) > target
    assert listed_strike_at_or_below(strike) == strike
