from typing import Any

import pytest
from tests.unit.margin.books import book, excess_liquidity, terms

from levsleeve.margin.liquidation import in_deficit, shares_to_trade


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
    funds, towards_zero = terms([multiple]), -1.0 if shares > 0.0 else 1.0
    rate = {1.0: 0.25, 2.0: 0.50, 3.0: 0.75} if shares > 0.0 else {1.0: 0.30, 2.0: 0.60, 3.0: 0.90}
    each = 100.0 * rate[multiple]

    def left(traded: float) -> float:
        held = shares + towards_zero * traded
        return excess_liquidity(cash - towards_zero * traded * 100.0, book([held], [100.0]), funds)

    assert left(0.0) == pytest.approx(-deficiency, abs=1e-9)
    assert shares_to_trade(deficiency, abs(shares), each) == to_trade
    assert 0.0 <= left(to_trade) < each
    assert left(to_trade - 1.0) < 0.0


@pytest.mark.parametrize(
    ("cash", "price", "switches", "to_trade"),
    [
        # A house that asks all of the value sells the debit: 64,000 of equity, 80,000 required.
        (-16_000.0, 80.0, {"house": {"kind": "rate", "long_rate": 1.0}}, 200.0),
        # LEAN's test: a flat quarter instead of the rules.
        (-77_200.0, 100.0, {"flat_rate": 0.25}, 88.0),
    ],
)
def test_the_requirement_that_a_share_frees_is_the_one_in_force(
    cash: float, price: float, switches: dict[str, Any], to_trade: float
) -> None:
    positions, funds = book([1_000.0], [price]), terms([3.0], switches)
    deficiency = -excess_liquidity(cash, positions, funds)
    each = float(switches.get("flat_rate", 1.0)) * price
    assert shares_to_trade(deficiency, 1_000.0, each) == to_trade


@pytest.mark.parametrize(
    "deficiency",
    [
        500.0,  # 2,000 shares at 0.50 and a flat 50 %: selling all frees 500
        500.01,
        750.0,  # equity is negative, nothing cures
    ],
)
def test_all_shares_go_when_no_fewer_cure(deficiency: float) -> None:
    assert shares_to_trade(deficiency, 2_000.0, 0.25) == 2_000.0


@pytest.mark.parametrize("deficiency", [0.0, -100.0])
def test_an_account_in_order_trades_nothing(deficiency: float) -> None:
    assert shares_to_trade(deficiency, 300.0, 75.0) == 0.0


def test_a_position_of_nothing_or_one_that_frees_nothing_goes_entirely() -> None:
    assert shares_to_trade(100.0, 0.0, 75.0) == 0.0
    assert shares_to_trade(100.0, 300.0, 0.0) == 300.0


@pytest.mark.parametrize(
    ("deficiency", "to_trade"),
    [(99.0, 10.0), (100.0, 10.0), (100.1, 10.5), (105.0, 10.5), (106.0, 10.5)],
)
def test_a_fraction_of_a_share_goes_with_the_last_one(deficiency: float, to_trade: float) -> None:
    # Ten shares and a half, each frees 10 dollars.
    assert shares_to_trade(deficiency, 10.5, 10.0) == to_trade


def test_a_deficiency_that_is_a_whole_number_of_shares_takes_no_share_more() -> None:
    # 0.9 x 77.7 is not exact in binary: 241 of them must be 241 shares.
    each = 0.9 * 77.7
    for shares in range(1, 300):
        assert shares_to_trade(shares * each, 300.0, each) == shares


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
