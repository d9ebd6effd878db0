import numpy as np
import pytest

from levsleeve.margin.charges import financing_plan
from levsleeve.margin.financing import (
    accrued,
    borrow_fee_a_year,
    borrow_mark,
    credit_interest_a_year,
    debit_interest_a_year,
    short_rebate_a_year,
)

PLAN = financing_plan("ibkr")
CLOSE = PLAN._replace(borrow_markup=1.0, borrow_round_up_usd=0.0)
CENT = 0.006  # the broker posts in cents


def over(days: int, dollars_a_year: float) -> float:
    return accrued(dollars_a_year, float(days), PLAN)


@pytest.mark.parametrize(
    ("balance", "benchmark", "days", "a_year", "interest"),
    [
        # IBKR's page of margin rates, 2024: each slice at its own spread over the benchmark.
        (50_000, 0.0533, 1, 3_415, 9.4861111111),
        (250_000, 0.0533, 30, 16_325, 1_360.4166666667),
        (250_000, -0.001, 30, 3_000, 250),  # the benchmark is not below zero for a debit
        (20_000, 0.0433, 4, 1_166, 12.9555555556),  # 17 to 21 January 2025, a holiday week-end
        (100_000, 0.05, 360, 6_500, 6_500),
        (1_000_000, 0.05, 360, 60_500, 60_500),  # 900,000 at 6 %
        (50_000_000, 0.0, 360, 378_000, 378_000),  # 1,500 + 9,000 + 49 million at 0.75 %
        (60_000_000, 0.0, 360, 428_000, 428_000),  # and 10 million at 0.50 %
        (0, 0.05, 30, 0, 0),
        (-5_000, 0.05, 30, 0, 0),
    ],
)
def test_a_debit_is_charged_slice_by_slice(
    balance: float, benchmark: float, days: int, a_year: float, interest: float
) -> None:
    charged = debit_interest_a_year(float(balance), benchmark, PLAN)
    assert charged == pytest.approx(a_year, abs=1e-6)
    assert over(days, charged) == pytest.approx(interest, abs=CENT)


@pytest.mark.parametrize(
    ("balance", "benchmark", "a_year"),
    [
        # IBKR's page of 2021, at a benchmark of 0.07 %: 1.57 %, 1.07 %, then 0.75 % as the least.
        (100_000, 0.0007, 1_570),
        (1_000_000, 0.0007, 11_200),
        (3_000_000, 0.0007, 26_200),
        (5_000_000, 0.0007, 41_200),
        (5_000_000, 0.01, 76_500),  # 2,500 + 18,000 + 2 million at 1.5 % + 2 million at 1.3 %
        (100_000, -0.01, 1_500),
        (0, 0.0007, 0),
    ],
)
def test_no_part_of_a_debit_of_2021_is_charged_less_than_three_quarters_of_a_percent(
    balance: float, benchmark: float, a_year: float
) -> None:
    charged = debit_interest_a_year(float(balance), benchmark, financing_plan("ibkr_2021"))
    assert charged == pytest.approx(a_year, abs=1e-6)


def test_the_lite_plan_charges_and_pays_one_flat_spread() -> None:
    # IBKR's pages of March 2024: a benchmark of 5.33 % makes 7.83 % on debits, 3.83 % on credit.
    lite = financing_plan("ibkr_lite")
    assert debit_interest_a_year(250_000.0, 0.0533, lite) == pytest.approx(19_575.0)
    assert credit_interest_a_year(60_000.0, 150_000.0, 0.0533, lite) == pytest.approx(1_915.0)


def test_the_older_credit_pays_a_third_slice_more() -> None:
    older = financing_plan("ibkr_older_credit")
    # 90,000 at 4.83 % and 100,000 at 5.08 %.
    earned = credit_interest_a_year(200_000.0, 300_000.0, 0.0533, older)
    assert earned == pytest.approx(4_347.0 + 5_080.0)


@pytest.mark.parametrize(
    ("balance", "benchmark", "days", "a_year", "interest"),
    [
        # IBKR's example on its page of short sale cost: 1.5 million pays 6.94 a day.
        (1_500_000, 0.01, 1, 2_500, 6.94),
        (400_000, 0.0483, 30, 10_740, 895),
        (100_000, 0.0483, 30, 0, 0),  # the first 100,000 pay nothing
        (1_000_000, 0.0125, 30, 0, 0),  # a slice whose rate is not above zero pays nothing
        (4_000_000, 0.02, 360, 54_250, 54_250),  # 6,750 + 2 million at 1.5 % + 1 million at 1.75 %
        (1_500_000, -0.01, 30, 0, 0),
        (0, 0.05, 30, 0, 0),
        (-5_000, 0.05, 30, 0, 0),
    ],
)
def test_short_proceeds_are_paid_slice_by_slice(
    balance: float, benchmark: float, days: int, a_year: float, interest: float
) -> None:
    paid = short_rebate_a_year(float(balance), benchmark, PLAN)
    assert paid == pytest.approx(a_year, abs=1e-6)
    assert over(days, paid) == pytest.approx(interest, abs=CENT)


@pytest.mark.parametrize(
    ("balance", "net_liquidation", "benchmark", "a_year"),
    [
        # IBKR's page of interest paid, 2024: 50,000 at 4.83 %, 201.25 in 30 days.
        (60_000, 150_000, 0.0533, 2_415),
        (60_000, 100_000, 0.0533, 2_415),
        (60_000, 50_000, 0.0533, 1_207.50),  # half the account, half the rate
        (60_000, 0, 0.0533, 0),
        (60_000, -10_000, 0.0533, 0),
        (10_000, 150_000, 0.0533, 0),  # the first 10,000 earn nothing
        (60_000, 150_000, 0.005, 0),
        (60_000, 150_000, -0.01, 0),
        (-60_000, 150_000, 0.0533, 0),
    ],
)
def test_free_cash_earns_above_the_first_slice_in_proportion_to_the_account(
    balance: float, net_liquidation: float, benchmark: float, a_year: float
) -> None:
    earned = credit_interest_a_year(float(balance), float(net_liquidation), benchmark, PLAN)
    assert earned == pytest.approx(a_year, abs=1e-6)


def test_a_plan_without_a_least_account_pays_every_account_the_whole_rate() -> None:
    plan = PLAN._replace(full_rate_net_liquidation_usd=0.0)
    for net_liquidation, a_year in ((1.0, 2_415.0), (0.0, 0.0), (-1.0, 0.0)):
        earned = credit_interest_a_year(60_000.0, net_liquidation, 0.0533, plan)
        assert earned == pytest.approx(a_year)


def test_a_year_of_365_days_accrues_a_365th_a_day() -> None:
    assert accrued(3_650.0, 3.0, PLAN._replace(day_count_basis=365.0)) == pytest.approx(30.0)


def test_thirty_days_of_credit_interest_are_those_of_the_page() -> None:
    earned = over(30, credit_interest_a_year(60_000.0, 150_000.0, 0.0533, PLAN))
    assert earned == pytest.approx(201.25, abs=CENT)


@pytest.mark.parametrize(
    ("close", "mark"),
    [
        (42.80, 44.0),  # 43.656, rounded up
        (0.10, 1.0),  # a share of ten cents is marked at a dollar
        (27.30, 28.0),
        (50.0, 51.0),  # 102 % is a whole dollar already
        (100.0, 102.0),
        (100.01, 103.0),
        (550.0, 561.0),
        (0.0, 0.0),
    ],
)
def test_borrowed_shares_are_marked_at_102_percent_rounded_up(close: float, mark: float) -> None:
    assert borrow_mark(close, PLAN) == mark
    assert borrow_mark(close, CLOSE) == close


def test_a_borrow_mark_goes_up_to_the_next_multiple_of_the_plans_step() -> None:
    assert borrow_mark(42.80, PLAN._replace(borrow_round_up_usd=0.25)) == 43.75


@pytest.mark.parametrize(
    ("shares", "close", "rate", "days", "fee"),
    [
        # IBKR's details of borrow fees: shares x mark x rate / 360.
        (3_700, 42.80, 0.0029, 1, 1.3114444444),
        (1_000, 0.10, 0.10, 1, 0.2777777778),
        (400, 27.30, 0.04, 4, 4.9777777778),  # 24 to 28 May 2024, a holiday week-end
        (0, 27.30, 0.04, 4, 0.0),
    ],
)
def test_the_borrow_fee_accrues_on_the_mark(
    shares: float, close: float, rate: float, days: int, fee: float
) -> None:
    charged = over(days, borrow_fee_a_year(float(shares), close, rate, PLAN))
    assert charged == pytest.approx(fee, abs=1e-9)


def test_100000_dollars_short_at_the_plain_close_cost_69_cents_a_day_at_a_quarter_percent() -> None:
    charged = over(1, borrow_fee_a_year(1_000.0, 100.0, 0.0025, CLOSE))
    assert charged == pytest.approx(0.6944444444, abs=1e-9)


def test_a_slice_of_a_debit_without_a_spread_costs_nothing() -> None:
    plan = financing_plan("ibkr")
    free = plan._replace(debit_spreads=np.array([np.nan, *plan.debit_spreads[1:]]))
    # Nothing to 100,000, then 1 % over 2 % on 50,000.
    assert debit_interest_a_year(150_000.0, 0.02, free) == pytest.approx(1_500.0)
