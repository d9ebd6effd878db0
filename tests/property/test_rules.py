"""What must hold for every account, price and balance, whatever the tables say."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from levsleeve.compiled import Floats
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
from levsleeve.margin.liquidation import cure_gain, in_deficit, shares_to_cure
from levsleeve.margin.requirement import (
    initial_per_share,
    maintenance_per_share,
    share_requirements,
    special_memorandum_account,
)
from levsleeve.margin.schedule import ShareRules, share_rules
from levsleeve.pricing.listing import listed_strike_at_or_below, strike_interval
from levsleeve.strategies.hedges import put_contracts
from levsleeve.strategies.sizing import capped_weight, target_shares

ON = date(2024, 6, 3)
SCALED, UNSCALED = share_rules(ON), share_rules(date(2009, 11, 30))
FIXED, FEES = commission_plan("ibkr_fixed"), sale_fees(ON)
ROUNDING = 1e-12  # of a few additions and products, relative to their result

rules = st.sampled_from([SCALED, UNSCALED])
commissions = st.sampled_from([FIXED, commission_plan("ibkr_tiered")])
PLANS = [financing_plan(n) for n in ("ibkr", "ibkr_lite", "ibkr_2021", "ibkr_older_credit")]
plans = st.sampled_from(PLANS)
volumes = st.integers(0, 200_000_000).map(float)
prices = st.floats(0.01, 2_000.0)
magnitudes = st.floats(0.5, 6.0)
multiples = st.builds(lambda size, side: size * side, magnitudes, st.sampled_from([-1.0, 1.0]))
balances = st.floats(-1e6, 3e8)
benchmarks = st.floats(-0.02, 0.20)
amounts = st.floats(-1e6, 1e6)


@st.composite
def accounts(draw: st.DrawFn) -> tuple[Floats, Floats, Floats]:
    """Signed whole shares, prices and multiples of up to five holdings."""
    count = draw(st.integers(1, 5))

    def column(values: st.SearchStrategy[float]) -> Floats:
        return np.array(draw(st.lists(values, min_size=count, max_size=count)))

    whole = st.integers(-5_000, 5_000).map(float)
    return column(whole), column(prices), column(multiples)


# --- requirements --------------------------------------------------------------------------------


@given(accounts(), st.integers(1, 50), rules)
def test_an_account_k_times_as_large_needs_k_times_as_much(
    account: tuple[Floats, Floats, Floats], times: int, on: ShareRules
) -> None:
    shares, marks, funds = account
    once = share_requirements(shares, marks, funds, on)
    assert share_requirements(shares * times, marks, funds, on) == pytest.approx(
        (once[0] * times, once[1] * times), rel=ROUNDING
    )


@given(accounts(), rules)
def test_an_account_needs_the_sum_of_what_each_holding_needs_alone(
    account: tuple[Floats, Floats, Floats], on: ShareRules
) -> None:
    shares, marks, funds = account
    alone = [
        share_requirements(shares[i : i + 1], marks[i : i + 1], funds[i : i + 1], on)
        for i in range(len(shares))
    ]
    together = share_requirements(shares, marks, funds, on)
    assert together == pytest.approx(np.sum(alone, axis=0), rel=ROUNDING)
    assert 0.0 <= together[0] <= together[1]


@given(price=prices, one=magnitudes, other=magnitudes, short=st.booleans(), on=rules)
def test_a_larger_multiple_never_needs_less_and_above_the_cap_no_more(
    price: float, one: float, other: float, on: ShareRules, *, short: bool
) -> None:
    less, more = sorted((one, other))
    small = maintenance_per_share(price, less, short, on)
    large = maintenance_per_share(price, more, short, on)
    assert small <= large
    if less >= 4.0:  # both sides are at 100 % of value or at their dollars
        assert small == large
    assert initial_per_share(price, less, short, on) <= initial_per_share(price, more, short, on)


@given(one=prices, other=prices, multiple=multiples, short=st.booleans(), on=rules)
def test_a_dearer_share_never_needs_less(
    one: float, other: float, multiple: float, on: ShareRules, *, short: bool
) -> None:
    less, more = sorted((one, other))
    assert maintenance_per_share(less, multiple, short, on) <= maintenance_per_share(
        more, multiple, short, on
    )
    assert initial_per_share(less, multiple, short, on) <= initial_per_share(
        more, multiple, short, on
    )


@given(prices, multiples, rules)
def test_no_multiple_lowers_the_base_rule_and_only_the_dollars_ask_more_than_the_value(
    price: float, multiple: float, on: ShareRules
) -> None:
    long = maintenance_per_share(price, multiple, short=False, rules=on)
    short = maintenance_per_share(price, multiple, short=True, rules=on)
    floor = 2.50 if price < 5.00 else 5.00
    base = max(floor, price if price < 5.00 else 0.30 * price)
    assert 0.25 * price <= long <= price
    assert base <= short <= max(price, 2.50)


@given(prices, multiples, rules)
def test_a_bull_and_a_bear_of_one_magnitude_need_the_same(
    price: float, multiple: float, on: ShareRules
) -> None:
    for short in (False, True):
        assert maintenance_per_share(price, multiple, short, on) == maintenance_per_share(
            price, -multiple, short, on
        )


@given(prices, prices, magnitudes, st.floats(100.0, 1e6), rules)
def test_an_inverse_fund_never_needs_more_than_a_short_bull_of_the_same_exposure(
    bear: float, bull: float, magnitude: float, value: float, on: ShareRules
) -> None:
    long_inverse, short_bull = (
        share_requirements(np.array([shares]), np.array([price]), np.array([multiple]), on)
        for shares, price, multiple in (
            (value / bear, bear, -magnitude),
            (-value / bull, bull, magnitude),
        )
    )
    for long, short in zip(long_inverse, short_bull, strict=True):
        assert long <= short * (1.0 + ROUNDING)


@given(
    prices, prices, st.floats(1.0, 10.0 / 3.0), st.floats(1.0, 10.0 / 3.0), st.floats(100.0, 1e6)
)
def test_below_the_cap_the_multiple_by_which_exposure_is_taken_does_not_matter(
    bear: float, bull: float, one: float, other: float, exposure: float
) -> None:
    # Maintenance per dollar of index exposure is 25 % long and at least 30 % short.
    long = exposure / one / bear * maintenance_per_share(bear, -one, short=False, rules=SCALED)
    short = exposure / other / bull * maintenance_per_share(bull, other, short=True, rules=SCALED)
    assert long == pytest.approx(0.25 * exposure, rel=ROUNDING)
    assert short >= 0.30 * exposure * (1.0 - ROUNDING)


@given(amounts, amounts, amounts, st.floats(0.0, 1e6))
def test_the_special_memorandum_account_never_falls_by_a_fall_in_prices(
    previous: float, contributions: float, equity: float, initial: float
) -> None:
    rolled = special_memorandum_account(previous, contributions, equity, initial)
    assert rolled >= previous + contributions
    assert rolled >= equity - initial
    assert rolled in (previous + contributions, equity - initial)


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


# --- calls ---------------------------------------------------------------------------------------


@given(
    held=st.integers(1, 20_000),
    price=st.floats(0.10, 1_000.0),
    multiple=multiples,
    short=st.booleans(),
    part=st.floats(0.0, 1.2),
    cost_rate=st.sampled_from([0.0, 0.0005, 0.01, 0.05]),
)
def test_the_shares_that_cure_do_and_one_fewer_does_not(
    held: int, price: float, multiple: float, part: float, cost_rate: float, *, short: bool
) -> None:
    relief = maintenance_per_share(price, multiple, short, SCALED)
    deficiency = part * held * relief
    scale = held * price

    def cures(shares: float) -> bool:
        gain = cure_gain(shares, price, relief, cost_rate, selling=not short, plan=FIXED, fees=FEES)
        return not in_deficit(gain - deficiency, scale)

    assume(in_deficit(-deficiency, scale))
    call = (deficiency, float(held), price, relief, cost_rate)
    shares = shares_to_cure(*call, selling=not short, plan=FIXED, fees=FEES, scale_usd=scale)
    assert shares == int(shares)
    assert 1.0 <= shares <= held
    assert cures(shares) or shares == held
    assert not cures(shares - 1.0)


# --- sizes and strikes ---------------------------------------------------------------------------


@given(st.floats(-3.0, 3.0), st.floats(1.0, 1e7), st.floats(0.01, 1e4))
def test_a_target_is_whole_and_within_its_weight_by_less_than_a_share(
    weight: float, equity: float, price: float
) -> None:
    shares = target_shares(weight, equity, price)
    wanted = abs(weight) * equity / price
    assert shares == int(shares)
    assert shares * weight >= 0.0
    assert wanted - 1.0 - ROUNDING * wanted < abs(shares) <= wanted * (1.0 + ROUNDING)


@given(st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=6), st.floats(0.05, 3.0))
def test_capped_weights_stand_under_the_cap_and_keep_their_proportions(
    weights: list[float], cap: float
) -> None:
    gross = sum(abs(weight) for weight in weights)
    allowed = [
        capped_weight(weight, leveraged=True, gross_leveraged=gross, cap=cap) for weight in weights
    ]
    assert sum(abs(weight) for weight in allowed) == pytest.approx(min(gross, cap), rel=1e-9)
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
