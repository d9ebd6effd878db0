from datetime import date

import pytest

from levsleeve.margin.charges import commission_plan, sale_fees
from levsleeve.margin.fees import (
    activity_fee,
    calendar_month,
    option_commission,
    regulatory_option_fees,
    regulatory_sale_fees,
    section_31_fee,
    share_commission,
    share_pass_through,
)

FIXED = commission_plan("ibkr_fixed")
TIERED = commission_plan("ibkr_tiered")
NONE = commission_plan("none")


@pytest.mark.parametrize(
    ("shares", "price", "commission"),
    [
        # IBKR's fixed plan: $0.005 a share, at least $1.00, at most 1 % of value; the last wins.
        (100, 25.00, 1.00),
        (1_000, 80.00, 5.00),
        (1_000, 0.25, 2.50),  # half of the 5.00 by share
        (1, 50.00, 0.50),  # half of the minimum
        (200, 25.00, 1.00),
        (201, 25.00, 1.005),
        (4, 25.00, 1.00),  # 1 % of 100 dollars is the minimum
        (3, 25.00, 0.75),
        (0, 25.00, 0.00),
        (100, 0.00, 0.00),
    ],
)
def test_a_trade_in_shares_costs_what_the_fixed_plan_says(
    shares: float, price: float, commission: float
) -> None:
    assert share_commission(float(shares), price, FIXED) == pytest.approx(commission, abs=1e-9)
    assert share_commission(float(shares), price, NONE) == 0.0
    assert share_pass_through(float(shares), price, FIXED) == 0.0


@pytest.mark.parametrize(
    ("shares", "price", "commission"),
    [
        # IBKR's tiered plan: $0.0035 a share, at least $0.35, at most 1 % of value; the last wins.
        (500, 20.00, 1.75),
        (100, 25.00, 0.35),
        (101, 25.00, 0.3535),
        (1, 25.00, 0.25),  # 1 % of 25 dollars
        (1_000, 0.25, 2.50),  # 1 % of 250 dollars
        (0, 25.00, 0.00),
        # IBKR's page that compares both plans: 700; and 1,050 + 5,400 + 25,500 + 10,000.
        (200_000, 5.00, 700.00),
        (30_000_000, 5.00, 41_950.00),
        (120_000_000, 5.00, 121_950.00),  # 111,950 for 100 million, 10,000 for 20 million more
    ],
)
def test_a_trade_in_shares_costs_what_the_tiered_plan_says(
    shares: float, price: float, commission: float
) -> None:
    assert share_commission(float(shares), price, TIERED) == pytest.approx(commission, abs=1e-9)


@pytest.mark.parametrize(
    ("month", "shares", "commission"),
    [
        (299_900, 100, 0.35),
        (299_900, 200, 0.55),  # 100 at 0.35 cents and 100 at 0.2
        (300_000, 1_000, 2.00),
        (300_000, 100, 0.35),  # 0.20 is under the minimum
        (2_999_000, 2_000, 3.50),  # 1,000 at 0.2 cents, 1,000 at 0.15
        (250_000, 29_750_000, 41_075.00),  # the 30 million of the page, less 875 for the first
        (100_000_000, 10_000, 5.00),
    ],
)
def test_shares_traded_earlier_in_the_month_count_towards_the_tier(
    month: float, shares: float, commission: float
) -> None:
    charged = share_commission(float(shares), 5.0, TIERED, float(month))
    assert charged == pytest.approx(commission, abs=1e-6)
    assert share_commission(float(shares), 5.0, FIXED, float(month)) == 0.005 * max(shares, 200)


@pytest.mark.parametrize(
    ("shares", "clearing", "finra", "nyse"),
    [
        # IBKR's page that compares both plans, in cents (it prints 0.12 for 0.1225).
        (30_000_000, 6_000.00, 23.49, 7.34),
        (200_000, 40.00, 0.39, 0.12),
    ],
)
def test_clearing_and_pass_through_come_beside_the_tiered_commission(
    shares: float, clearing: float, finra: float, nyse: float
) -> None:
    passed_on = share_pass_through(float(shares), 5.0, TIERED)
    assert passed_on == pytest.approx(clearing + finra + nyse, abs=0.01)


def test_the_pass_through_is_of_the_commission_of_the_tier() -> None:
    passed_on = share_pass_through(1_000.0, 5.0, TIERED, 300_000.0)
    assert passed_on == pytest.approx(1_000 * 0.0002 + 0.000735 * 2.00, abs=1e-12)


@pytest.mark.parametrize(
    ("contracts", "premium", "commission"),
    [
        # By premium: 0.65 from $0.10, 0.50 from $0.05, 0.25 below; an order at least 1.00.
        (10, 3.00, 6.50),
        (10, 0.10, 6.50),
        (10, 0.0999, 5.00),
        (10, 0.07, 5.00),
        (10, 0.05, 5.00),
        (10, 0.0499, 2.50),
        (10, 0.00, 2.50),
        (1, 3.00, 1.00),
        (2, 3.00, 1.30),
        (0, 3.00, 0.00),
    ],
)
def test_a_trade_in_options_costs_by_the_premium(
    contracts: float, premium: float, commission: float
) -> None:
    charged = option_commission(float(contracts), premium, FIXED)
    assert charged == pytest.approx(commission, abs=1e-9)
    assert option_commission(float(contracts), premium, NONE) == 0.0


@pytest.mark.parametrize(
    ("month", "contracts", "premium", "commission"),
    [
        # IBKR's options by contracts a month: from 10,000 0.50, of 50,000 0.25, of 100,000 0.15.
        (9_990, 10, 3.00, 6.50),
        (9_990, 20, 3.00, 11.50),
        (10_000, 10, 3.00, 5.00),
        (10_000, 10, 0.07, 5.00),
        (10_000, 10, 0.04, 2.50),
        (50_000, 10, 3.00, 2.50),
        (50_000, 10, 0.07, 2.50),
        (50_000, 10, 0.04, 2.50),
        (100_000, 10, 3.00, 1.50),
        (100_000, 10, 0.04, 1.50),
        (100_000, 5, 3.00, 1.00),  # 0.75 is under the minimum
        (0, 120_000, 3.00, 42_000.00),  # 6,500 + 20,000 + 12,500 + 3,000
    ],
)
def test_contracts_traded_earlier_in_the_month_count_towards_the_tier(
    month: float, contracts: float, premium: float, commission: float
) -> None:
    for plan in (FIXED, TIERED):
        charged = option_commission(float(contracts), premium, plan, float(month))
        assert charged == pytest.approx(commission, abs=1e-6)


@pytest.mark.parametrize(
    ("on", "shares", "price", "section_31", "activity"),
    [
        (date(2025, 1, 15), 1_000, 80.0, 2.224, 0.166),
        (date(2025, 6, 2), 1_000, 80.0, 0.0, 0.166),
        (date(2020, 2, 14), 2_000, 55.0, 2.277, 0.238),  # the last session at 20.70 a million
        (date(2020, 2, 18), 2_000, 55.0, 2.431, 0.238),  # the first at 22.10
        (date(2023, 12, 29), 1_000, 80.0, 0.640, 0.145),
        (date(2024, 1, 2), 1_000, 80.0, 0.640, 0.166),
        (date(2020, 2, 14), 50_000, 1.0, 1.035, 5.95),  # 50,000 shares reach the cap
        (date(2020, 2, 14), 60_000, 1.0, 1.242, 5.95),
        (date(2020, 2, 14), 0, 55.0, 0.0, 0.0),
    ],
)
def test_a_sale_pays_the_regulators_rates_of_its_day(
    on: date, shares: float, price: float, section_31: float, activity: float
) -> None:
    fees = sale_fees(on)
    assert section_31_fee(float(shares), price, selling=True, fees=fees) == pytest.approx(
        section_31, abs=1e-6
    )
    assert activity_fee(float(shares), selling=True, fees=fees) == pytest.approx(activity, abs=1e-6)
    both = regulatory_sale_fees(float(shares), price, fees)
    assert both == pytest.approx(section_31 + activity, abs=1e-6)


def test_a_purchase_carries_neither_fee() -> None:
    fees = sale_fees(date(2025, 1, 15))
    assert section_31_fee(1_000.0, 80.0, selling=False, fees=fees) == 0.0
    assert activity_fee(1_000.0, selling=False, fees=fees) == 0.0


@pytest.mark.parametrize(
    ("on", "contracts", "multiplier", "premium", "bought", "sold"),
    [
        # Options regulatory fee on both sides; on a sale Section 31 on the proceeds, of 10 x 100
        # shares at $3.00 here, and the activity fee a contract.
        (date(2024, 6, 3), 10, 100, 3.00, 0.2685, 0.2685 + 27.80e-6 * 3_000 + 0.0279),
        (date(2025, 6, 2), 10, 100, 3.00, 0.2375, 0.2375 + 0.0279),  # Section 31 is at zero
        (date(2026, 5, 1), 10, 100, 3.00, 0.2375, 0.2375 + 20.60e-6 * 3_000 + 0.0329),
        (date(2010, 4, 30), 10, 100, 3.00, 0.14, 0.14 + 16.90e-6 * 3_000 + 0.02),
        (date(2009, 6, 1), 10, 100, 3.00, 0.0, 25.70e-6 * 3_000 + 0.02),
        (date(2024, 6, 3), 4, 25, 3.00, 0.1074, 0.1074 + 27.80e-6 * 300 + 0.01116),
        (date(2024, 6, 3), 0, 100, 3.00, 0.0, 0.0),
    ],
)
def test_a_trade_in_options_pays_the_regulators_rates_of_its_day(
    on: date, contracts: float, multiplier: float, premium: float, bought: float, sold: float
) -> None:
    for selling, charged in ((False, bought), (True, sold)):
        fees = regulatory_option_fees(
            float(contracts), float(multiplier), premium, selling, sale_fees(on)
        )
        assert fees == pytest.approx(charged, abs=1e-9)


def test_calendar_months_are_told_apart_on_every_day_of_four_centuries() -> None:
    first = date(1901, 1, 1)
    start = calendar_month(float(first.toordinal()))
    for ordinal in range(first.toordinal(), date(2301, 1, 1).toordinal()):
        day = date.fromordinal(ordinal)
        since = 12 * (day.year - first.year) + day.month - first.month
        assert calendar_month(float(ordinal)) - start == since
