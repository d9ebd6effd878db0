from datetime import date

import numpy as np
import pytest

from levsleeve.margin.requirement import (
    initial_per_share,
    long_maintenance_rate,
    maintenance_per_share,
    multiple_scale,
    share_requirements,
    short_maintenance_per_share,
    special_memorandum_account,
)
from levsleeve.margin.schedule import share_rules

RULES = share_rules(date(2019, 6, 3))
BEFORE = share_rules(date(2009, 11, 30))
CENT = 0.006  # a figure printed in cents
ROUNDED = 1e-6  # a figure printed in full


def account(*holdings: tuple[float, float, float]) -> tuple[float, float]:
    """Maintenance and initial margin of holdings of (shares, price, multiple)."""
    shares, prices, multiples = (np.array(column) for column in zip(*holdings, strict=True))
    return share_requirements(shares, prices, multiples, RULES)


# --- FINRA Regulatory Notice 09-53 ---------------------------------------------------------------


def test_a_hundred_shares_of_a_long_2x_fund_at_28_need_1400_as_the_notice_prints() -> None:
    assert account((100.0, 28.0, 2.0))[0] == pytest.approx(1_400, abs=ROUNDED)


def test_a_hundred_shares_of_a_short_3x_fund_at_26_need_2340_as_the_notice_prints() -> None:
    assert account((-100.0, 26.0, 3.0))[0] == pytest.approx(2_340, abs=ROUNDED)


@pytest.mark.parametrize(
    ("multiple", "long_rate", "short_rate", "long_initial", "short_initial"),
    [
        # The notice prints 50, 75, 60 and 90 %; its base rates are 25 % and 30 % of FINRA Rule
        # 4210(c), its cap 100 %.  Opening takes the greater of that and Regulation T's 50 %.
        (1.0, 0.25, 0.30, 0.50, 0.50),
        (1.5, 0.375, 0.45, 0.50, 0.50),
        (2.0, 0.50, 0.60, 0.50, 0.60),
        (3.0, 0.75, 0.90, 0.75, 0.90),
        (10.0 / 3.0, 10.0 / 12.0, 1.00, 10.0 / 12.0, 1.00),  # the short cap is reached
        (4.0, 1.00, 1.00, 1.00, 1.00),  # the long cap is reached
        (5.0, 1.00, 1.00, 1.00, 1.00),
        (0.5, 0.25, 0.30, 0.50, 0.50),  # a multiple below one lowers nothing
    ],
)
@pytest.mark.parametrize("side", [1.0, -1.0], ids=["bull", "bear"])
def test_rates_are_those_that_the_notice_prints_for_bulls_and_bears_alike(
    multiple: float,
    long_rate: float,
    short_rate: float,
    long_initial: float,
    short_initial: float,
    side: float,
) -> None:
    fund = side * multiple
    assert long_maintenance_rate(fund, RULES) == pytest.approx(long_rate, abs=1e-12)
    assert maintenance_per_share(100.0, fund, short=False, rules=RULES) == pytest.approx(
        100.0 * long_rate, abs=1e-9
    )
    assert maintenance_per_share(100.0, fund, short=True, rules=RULES) == pytest.approx(
        100.0 * short_rate, abs=1e-9
    )
    assert initial_per_share(100.0, fund, short=False, rules=RULES) == pytest.approx(
        100.0 * long_initial, abs=1e-9
    )
    assert initial_per_share(100.0, fund, short=True, rules=RULES) == pytest.approx(
        100.0 * short_initial, abs=1e-9
    )


@pytest.mark.parametrize(
    ("on", "required"),
    [(date(2009, 11, 30), 750.0), (date(2009, 12, 1), 2_250.0)],
)
def test_a_hundred_shares_of_a_3x_fund_at_30_are_scaled_from_december_2009(
    on: date, required: float
) -> None:
    maintenance, _ = share_requirements(
        np.array([100.0]), np.array([30.0]), np.array([3.0]), share_rules(on)
    )
    assert maintenance == pytest.approx(required, abs=ROUNDED)


@pytest.mark.parametrize("multiple", [1.0, 2.0, 3.0, -3.0, 5.0])
def test_before_the_notice_a_multiple_scales_nothing(multiple: float) -> None:
    assert multiple_scale(multiple, BEFORE) == 1.0
    assert long_maintenance_rate(multiple, BEFORE) == 0.25
    assert short_maintenance_per_share(100.0, multiple, BEFORE) == pytest.approx(30.0, abs=1e-12)
    assert initial_per_share(100.0, multiple, short=False, rules=BEFORE) == 50.0
    assert initial_per_share(100.0, multiple, short=True, rules=BEFORE) == 50.0


# --- FINRA Rule 4210(c)(2)-(3): dollars per share ------------------------------------------------


@pytest.mark.parametrize(
    ("price", "multiple", "required"),
    [
        # Below $5 the greater of $2.50 and 100 %; from $5 the greater of $5 and 30 %.
        (60.00, 1.0, 18.00),
        (16.67, 1.0, 5.001),  # 30 % passes $5 between the two
        (16.66, 1.0, 5.00),
        (5.00, 1.0, 5.00),
        (4.99, 1.0, 4.99),
        (4.00, 1.0, 4.00),
        (2.51, 1.0, 2.51),
        (2.50, 1.0, 2.50),
        (2.49, 1.0, 2.50),  # more than the share is worth
        (0.10, 1.0, 2.50),
        # The multiple scales the percentage, not the dollars.
        (12.00, 2.0, 7.20),
        (8.40, 2.0, 5.04),
        (8.33, 2.0, 5.00),
        (6.00, 2.0, 5.00),
        (60.00, 3.0, 54.00),
        (12.00, 3.0, 10.80),
        (5.56, 3.0, 5.004),
        (5.55, 3.0, 5.00),
        (5.00, 3.0, 5.00),
        (4.00, 3.0, 4.00),
        (1.00, 3.0, 2.50),
        # The cap limits the scaling, and the floor may still ask more than the value.
        (12.00, 4.0, 12.00),
        (12.00, -3.0, 10.80),
    ],
)
def test_a_short_share_needs_the_dollars_or_the_percentage(
    price: float, multiple: float, required: float
) -> None:
    per_share = short_maintenance_per_share(price, multiple, RULES)
    assert per_share == pytest.approx(required, abs=ROUNDED)
    assert account((-100.0, price, multiple))[0] == pytest.approx(100 * required, abs=1e-4)


@pytest.mark.parametrize(
    ("price", "initial"), [(1.0, 2.50), (4.0, 4.0), (6.0, 5.0), (9.0, 5.0), (12.0, 6.0)]
)
def test_opening_a_short_share_of_a_cheap_fund_takes_its_floor(
    price: float, initial: float
) -> None:
    # Half the value passes the floor of $5 at $10.
    per_share = initial_per_share(price, 1.0, short=True, rules=RULES)
    assert per_share == pytest.approx(initial, abs=1e-12)


def test_a_long_share_has_no_floor() -> None:
    assert maintenance_per_share(1.0, 1.0, short=False, rules=RULES) == 0.25


# --- an account ----------------------------------------------------------------------------------


def test_a_bull_and_its_inverse_layer_are_added_and_never_netted() -> None:
    # 75 % of 50,000 and of 9,200.
    maintenance, initial = account((800.0, 62.5, 3.0), (500.0, 18.4, -3.0))
    assert maintenance == pytest.approx(44_400, abs=ROUNDED)
    assert initial == pytest.approx(44_400, abs=ROUNDED)


def test_a_short_leg_beside_a_long_one_is_charged_on_its_own_side() -> None:
    # 60 % of 26,400 short and 25 % (to open 50 %) of 24,600 long.
    maintenance, initial = account((-300.0, 88.0, 2.0), (60.0, 410.0, 1.0))
    assert maintenance == pytest.approx(21_990, abs=ROUNDED)
    assert initial == pytest.approx(28_140, abs=ROUNDED)


def test_a_fund_that_is_not_held_needs_nothing() -> None:
    assert account((0.0, 1.0, 3.0), (-0.0, 50.0, -3.0)) == (0.0, 0.0)
    none = np.array([], dtype=np.float64)
    assert share_requirements(none, none, none, RULES) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("cash", "shares", "multiple", "call_price"),
    [
        # Long: debit / (shares x (1 - rate)); short: credit / (shares x (1 + rate)).
        (-40_000.0, 1_000.0, 1.0, 53.3333333333),
        (-16_000.0, 1_000.0, 3.0, 64.0),
        (-20_000.0, 1_000.0, 3.0, 80.0),
        (110_000.0, -1_000.0, 3.0, 57.8947368421),
        (25_000.0, -100.0, 3.0, 131.5789473684),
    ],
)
def test_excess_liquidity_is_zero_at_the_price_that_calls(
    cash: float, shares: float, multiple: float, call_price: float
) -> None:
    maintenance, _ = account((shares, call_price, multiple))
    assert cash + shares * call_price - maintenance == pytest.approx(0.0, abs=ROUNDED)


# --- long inverse against short bull -------------------------------------------------------------


@pytest.mark.parametrize(
    ("multiple", "long_initial", "short_initial"),
    [(1.0, 15_000, 15_000), (2.0, 7_500, 9_000), (3.0, 7_500, 9_000)],
)
def test_thirty_thousand_of_bearish_exposure_needs_a_sixth_less_by_an_inverse_fund(
    multiple: float, long_initial: float, short_initial: float
) -> None:
    shares = 30_000.0 / multiple / 100.0
    long_inverse = account((shares, 100.0, -multiple))
    short_bull = account((-shares, 100.0, multiple))
    assert long_inverse == pytest.approx((7_500, long_initial), abs=ROUNDED)
    assert short_bull == pytest.approx((9_000, short_initial), abs=ROUNDED)


def test_at_four_times_both_sides_need_their_whole_value() -> None:
    assert account((75.0, 100.0, -4.0)) == account((-75.0, 100.0, 4.0)) == (7_500.0, 7_500.0)


@pytest.mark.parametrize(
    ("shares", "multiple", "price", "equity", "excess_liquidity"),
    [
        # 15,000 of equity and 10,000 of a 3x fund, before and after two days of +5 % in the index.
        (100.0, -3.0, 100.00, 15_000.0, 7_500.0),
        (-100.0, 3.0, 100.00, 15_000.0, 6_000.0),
        (100.0, -3.0, 72.25, 12_225.0, 6_806.25),
        (-100.0, 3.0, 132.25, 11_775.0, -127.50),
    ],
)
def test_a_losing_inverse_fund_shrinks_while_a_losing_short_grows_into_a_call(
    shares: float, multiple: float, price: float, equity: float, excess_liquidity: float
) -> None:
    cash = 15_000.0 - shares * 100.0
    assert cash + shares * price == pytest.approx(equity, abs=CENT)
    assert equity - account((shares, price, multiple))[0] == pytest.approx(
        excess_liquidity, abs=CENT
    )


@pytest.mark.parametrize(
    ("shares", "multiple", "change"),
    [(1.0, 1.0, -0.75), (-1.0, 1.0, -1.30), (1.0, 3.0, -0.25), (-1.0, 3.0, -1.90)],
)
def test_a_dollar_against_the_position_costs_this_much_excess_liquidity(
    shares: float, multiple: float, change: float
) -> None:
    adverse = 100.0 - shares
    moved = account((shares, adverse, multiple))[0] - account((shares, 100.0, multiple))[0]
    assert shares * (adverse - 100.0) - moved == pytest.approx(change, abs=ROUNDED)


# --- the special memorandum account (12 CFR 220.5) -----------------------------------------------


@pytest.mark.parametrize(
    ("previous", "contributions", "equity", "initial", "rolled"),
    [
        # Buy 60,000 of a 3x fund (75 %), +10 %, -20 %, sell 20,000.
        (100_000, -45_000, 100_000, 45_000, 55_000),
        (55_000, 0, 106_000, 49_500, 56_500),
        (56_500, 0, 92_800, 39_600, 56_500),  # a fall never lowers it
        (56_500, 15_000, 92_800, 24_600, 71_500),
        # Short 40,000 of a 2x fund (60 %), a deposit, a distribution paid, a withdrawal, half back.
        (100_000, -24_000, 100_000, 24_000, 76_000),
        (76_000, 5_000, 105_000, 24_000, 81_000),
        (81_000, -200, 104_800, 24_000, 80_800),
        (80_800, -3_000, 101_800, 24_000, 77_800),
        (77_800, 12_000, 101_800, 12_000, 89_800),
        # A rate of 100 %: bought, added to beyond what there is, a distribution received.
        (100_000, -60_000, 100_000, 60_000, 40_000),
        (40_000, -45_000, 100_000, 105_000, -5_000),
        (-5_000, 1_000, 101_000, 105_000, -4_000),
    ],
)
def test_the_special_memorandum_account_rolls(
    previous: float, contributions: float, equity: float, initial: float, rolled: float
) -> None:
    answer = special_memorandum_account(
        float(previous), float(contributions), float(equity), float(initial)
    )
    assert answer == pytest.approx(rolled, abs=ROUNDED)
