from datetime import date

import pytest

from levsleeve.margin.charges import SaleFees, commission_plan, sale_fees
from levsleeve.margin.liquidation import cure_gain, in_deficit, shares_to_cure
from levsleeve.margin.requirement import maintenance_per_share
from levsleeve.margin.schedule import share_rules

RULES = share_rules(date(2019, 6, 3))
FREE = commission_plan("none")
NO_FEES = SaleFees(0.0, 0.0, 0.0, 0.0, 0.0)
FIXED = commission_plan("ibkr_fixed")
FEES = sale_fees(date(2025, 1, 15))


def freely(deficiency: float, held: float, price: float, relief: float) -> float:
    """Shares to cure when trading costs nothing."""
    arguments = (deficiency, held, price, relief, 0.0)
    return shares_to_cure(*arguments, selling=True, plan=FREE, fees=NO_FEES, scale_usd=held * price)


@pytest.mark.parametrize(
    ("cash", "shares", "multiple", "deficiency", "to_trade"),
    [
        # 300 shares at 100 on 5,300 of equity: deficiency / (rate x price), rounded up.
        (-24_700.0, 300.0, 1.0, 2_200.0, 88.0),
        (-24_700.0, 300.0, 2.0, 9_700.0, 194.0),
        (-24_700.0, 300.0, 3.0, 17_200.0, 230.0),
        (35_300.0, -300.0, 1.0, 3_700.0, 124.0),
        (35_300.0, -300.0, 2.0, 12_700.0, 212.0),
        (35_300.0, -300.0, 3.0, 21_700.0, 242.0),
        # 1,000 shares owing 60,000, once the puts that hedged them have expired.
        (-60_000.0, 1_000.0, 3.0, 35_000.0, 467.0),
    ],
)
def test_a_call_is_cured_by_the_fewest_shares_and_by_not_one_fewer(
    cash: float, shares: float, multiple: float, deficiency: float, to_trade: float
) -> None:
    price, held = 100.0, abs(shares)
    relief = maintenance_per_share(price, multiple, short=shares < 0.0, rules=RULES)
    assert held * relief - (cash + shares * price) == pytest.approx(deficiency, abs=1e-9)
    assert freely(deficiency, held, price, relief) == to_trade
    kept = held - to_trade
    excess = cash + shares * price - kept * relief  # trading at the mark moves no equity
    assert excess >= 0.0
    assert excess - relief < 0.0


def test_a_house_that_raises_its_rate_to_all_of_the_value_sells_the_debit() -> None:
    # 1,000 shares at 80 owing 16,000: 64,000 of equity, 80,000 required.
    assert freely(16_000.0, 1_000.0, 80.0, 80.0) == 200.0


@pytest.mark.parametrize(
    ("deficiency", "held"),
    [
        # 2,000 shares at 0.50 and a flat 50 %: selling all frees 500.
        (500.0, 2_000.0),
        (500.01, 2_000.0),
        (750.0, 2_000.0),  # equity is negative, nothing cures
    ],
)
def test_all_shares_go_when_no_fewer_cure(deficiency: float, held: float) -> None:
    assert freely(deficiency, held, 0.5, 0.25) == held


def test_all_shares_go_when_trading_costs_more_than_it_frees() -> None:
    arguments = (100.0, 300.0, 50.0, 12.5, 0.30)
    assert shares_to_cure(*arguments, selling=True, plan=FREE, fees=NO_FEES, scale_usd=1e4) == 300.0


@pytest.mark.parametrize("deficiency", [0.0, -100.0, 1e-10])
def test_an_account_in_order_trades_nothing(deficiency: float) -> None:
    assert freely(deficiency, 300.0, 100.0, 75.0) == 0.0


def test_a_position_of_nothing_cures_nothing() -> None:
    assert freely(100.0, 0.0, 100.0, 75.0) == 0.0


@pytest.mark.parametrize(
    ("deficiency", "to_trade"),
    [(99.0, 10.0), (100.0, 10.0), (100.1, 10.5), (105.0, 10.5), (106.0, 10.5)],
)
def test_a_fraction_of_a_share_goes_with_the_last_one(deficiency: float, to_trade: float) -> None:
    # Ten shares and a half, each frees 10 dollars.
    assert freely(deficiency, 10.5, 10.0, 10.0) == to_trade


def test_costs_ask_for_more_shares_and_those_cure_by_hand() -> None:
    # Each of 96 shares frees 25 and costs 2 % of 100: 2,208.  Less 1.00 of commission, 0.26688 of
    # Section 31 (27.80 a million of 9,600) and 0.015936 of activity fee: 2,206.72 for 2,200.
    # With 95 shares only 2,185 less 1.28.
    def gain(shares: float) -> float:
        return cure_gain(shares, 100.0, 25.0, 0.02, selling=True, plan=FIXED, fees=FEES)

    assert gain(96.0) == pytest.approx(2_206.717184, abs=1e-9)
    assert gain(95.0) == pytest.approx(2_183.720130, abs=1e-9)
    arguments = (2_200.0, 300.0, 100.0, 25.0, 0.02)
    assert shares_to_cure(*arguments, selling=True, plan=FIXED, fees=FEES, scale_usd=3e4) == 96.0


def test_a_liquidation_pays_the_tier_that_the_month_has_reached() -> None:
    # 1,000 shares that free 25 each: 300,000 shares into the month the commission is 2.00, clearing
    # 0.20 and pass-through 0.00147; at the month's start 3.50, 0.20 and 0.0025725.
    tiered = commission_plan("ibkr_tiered")

    def gain(month_shares: float) -> float:
        position = (1_000.0, 100.0, 25.0, 0.0)
        return cure_gain(
            *position, selling=False, plan=tiered, fees=FEES, month_shares=month_shares
        )

    assert gain(300_000.0) == pytest.approx(24_997.79853, abs=1e-9)
    assert gain(0.0) == pytest.approx(24_996.2974275, abs=1e-9)
    call = (24_997.0, 1_002.0, 100.0, 25.0, 0.0)
    for month_shares, to_trade in ((300_000.0, 1_000.0), (0.0, 1_001.0)):
        answer = shares_to_cure(
            *call, selling=False, plan=tiered, fees=FEES, scale_usd=1e5, month_shares=month_shares
        )
        assert answer == to_trade


def test_costs_of_a_purchase_carry_no_fees_of_a_sale() -> None:
    gain = cure_gain(96.0, 100.0, 25.0, 0.02, selling=False, plan=FIXED, fees=FEES)
    assert gain == pytest.approx(2_207.0, abs=1e-9)


@pytest.mark.parametrize(
    ("deficiency", "selling", "to_trade"),
    [
        # 299 shares gain 299 x 23 - 1.495 of commission = 6,875.505 when bought; sold, they pay the
        # regulators 0.83122 and 0.049634 on top and gain 6,874.624146.
        (6_874.624, True, 299.0),
        (6_874.625, True, 300.0),
        (6_875.505, False, 299.0),
        (6_875.506, False, 300.0),
    ],
)
def test_the_last_share_is_a_matter_of_the_fees(
    deficiency: float, to_trade: float, *, selling: bool
) -> None:
    arguments = (deficiency, 300.0, 100.0, 25.0, 0.02)
    answer = shares_to_cure(*arguments, selling=selling, plan=FIXED, fees=FEES, scale_usd=3e4)
    assert answer == to_trade


@pytest.mark.parametrize(
    ("excess", "scale", "called"),
    [
        (0.0, 0.0, False),  # exactly zero is compliant
        (-0.0, 1e6, False),
        (0.01, 1e6, False),
        (-0.01, 1e6, True),
        (-1e-9, 1e4, False),  # the rounding of an addition
        (-1e-7, 1e4, True),
        (-1e-12, 0.0, False),
        (-1e-11, 0.0, True),
    ],
)
def test_an_account_is_called_below_zero_by_more_than_rounding(
    excess: float, scale: float, *, called: bool
) -> None:
    assert in_deficit(excess, scale) is called
