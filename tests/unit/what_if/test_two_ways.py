from datetime import date

import pytest

from levsleeve.margin.schedule import margin_rules
from levsleeve.what_if.two_ways import rates, sensitivity, two_ways, two_ways_to_exposure

RULES = margin_rules(date(2019, 6, 3))


@pytest.mark.parametrize(
    ("multiple", "long", "short"),
    [
        (1.0, (0.25, 0.50), (0.30, 0.50)),
        (2.0, (0.50, 0.50), (0.60, 0.60)),
        (3.0, (0.75, 0.75), (0.90, 0.90)),
        (4.0, (1.00, 1.00), (1.00, 1.00)),
    ],
)
def test_rates_are_those_of_the_published_table(
    multiple: float, long: tuple[float, float], short: tuple[float, float]
) -> None:
    assert rates(-multiple, RULES, short=False) == pytest.approx(long)
    assert rates(multiple, RULES, short=True) == pytest.approx(short)


def test_a_losing_short_costs_far_more_liquidity_than_a_losing_long() -> None:
    assert sensitivity(3.0, RULES, short=False) == pytest.approx(-0.25)
    assert sensitivity(3.0, RULES, short=True) == pytest.approx(-1.90)
    assert sensitivity(1.0, RULES, short=False) == pytest.approx(-0.75)
    assert sensitivity(1.0, RULES, short=True) == pytest.approx(-1.30)


@pytest.mark.parametrize("magnitude", [1.0, 2.0, 3.0])
def test_the_inverse_fund_saves_one_sixth_of_the_maintenance_of_an_exposure(
    magnitude: float,
) -> None:
    long, short = two_ways_to_exposure(magnitude, -30_000.0, RULES)
    assert long.market_value_usd == short.market_value_usd == 30_000.0 / magnitude
    assert long.maintenance_usd == pytest.approx(7_500.0)
    assert short.maintenance_usd == pytest.approx(9_000.0)


def test_at_four_times_both_are_capped_and_nothing_is_saved() -> None:
    long, short = two_ways_to_exposure(4.0, -30_000.0, RULES)
    assert long.maintenance_usd == short.maintenance_usd == 7_500.0


def test_initial_margin_of_a_plain_exposure_is_half_either_way() -> None:
    long, short = two_ways_to_exposure(1.0, -30_000.0, RULES)
    assert (long.initial_usd, short.initial_usd) == (15_000.0, 15_000.0)
    long, short = two_ways_to_exposure(2.0, -30_000.0, RULES)
    assert (long.initial_usd, short.initial_usd) == pytest.approx((7_500.0, 9_000.0))


def test_two_days_of_five_percent_call_the_short_and_not_the_long() -> None:
    # 10,000 of -3x: 0.85 x 0.85 left.  10,000 short of 3x: 1.15 x 1.15.
    long, short = two_ways(3.0, 10_000.0, 15_000.0, RULES, [0.05, 0.05])
    assert long.market_value_usd == pytest.approx(7_225.0)
    assert long.equity_usd == pytest.approx(12_225.0)
    assert long.excess_liquidity_usd == pytest.approx(12_225.0 - 0.75 * 7_225.0)
    assert short.market_value_usd == pytest.approx(13_225.0)
    assert short.excess_liquidity_usd == pytest.approx(11_775.0 - 0.90 * 13_225.0)


def test_an_inverse_fund_loses_no_more_than_it_cost() -> None:
    long, _ = two_ways(3.0, 10_000.0, 15_000.0, RULES, [0.40, 0.10])
    assert (long.market_value_usd, long.equity_usd) == (0.0, 5_000.0)
