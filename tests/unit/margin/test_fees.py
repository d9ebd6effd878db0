from datetime import date

import pytest

from levsleeve.margin.charges import commission_plan, sale_fees
from levsleeve.margin.fees import option_commission, regulatory_sale_fees, share_commission

FIXED = commission_plan("ibkr_fixed")
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
    fees = regulatory_sale_fees(float(shares), price, sale_fees(on))
    assert fees == pytest.approx(section_31 + activity, abs=1e-6)
