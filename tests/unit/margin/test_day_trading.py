from datetime import date

import pytest

from levsleeve.errors import ScheduleError
from levsleeve.margin.day_trading import day_trading_buying_power, day_trading_rules

PATTERN, INTRADAY = day_trading_rules(date(2026, 6, 3)), day_trading_rules(date(2026, 6, 4))


def test_the_pattern_rule_ends_on_its_repeal() -> None:
    assert (PATTERN.regime, PATTERN.pattern_minimum_equity_usd) == ("pattern", 25_000.0)
    assert (INTRADAY.regime, INTRADAY.pattern_minimum_equity_usd) == ("intraday", 0.0)


def test_day_trading_scales_with_the_multiple_from_30_april_2010() -> None:
    days = date(2010, 4, 29), date(2010, 4, 30)
    assert [day_trading_rules(day).scales_with_multiple for day in days] == [False, True]


@pytest.mark.parametrize(
    ("day_trades", "trades", "pattern"),
    [
        (3, 3, False),
        (4, 4, True),
        (4, 66, True),  # 6.06 % of all trades
        (4, 67, False),  # 5.97 %
        (6, 100, False),  # 6 % to the trade is not more than 6 %
        (0, 0, False),
    ],
)
def test_four_day_trades_and_more_than_six_percent_of_trades_make_a_pattern(
    day_trades: int, trades: int, *, pattern: bool
) -> None:
    assert PATTERN.is_pattern(day_trades, trades) is pattern
    assert not INTRADAY.is_pattern(day_trades, trades)


@pytest.mark.parametrize(
    ("excess", "equity", "deficit"),
    [
        (500.0, 50_000.0, 0.0),
        (-1_000.0, 10_000.0, 0.0),  # 1,000 dollars are let pass
        (-1_000.5, 10_000.0, 1_000.5),
        (-2_500.0, 50_000.0, 0.0),  # so are 5 % of equity
        (-2_501.0, 50_000.0, 2_501.0),
    ],
)
def test_an_intraday_deficit_is_let_pass_up_to_the_greater_of_two_amounts(
    excess: float, equity: float, deficit: float
) -> None:
    assert INTRADAY.intraday_deficit_usd(excess, equity) == deficit
    assert PATTERN.intraday_deficit_usd(excess, equity) == 0.0


def test_buying_power_within_the_day_is_the_excess_over_the_rate() -> None:
    assert day_trading_buying_power(30_000.0, 0.25) == 120_000.0
    assert day_trading_buying_power(-5.0, 0.25) == 0.0


def test_a_day_before_the_table_is_refused() -> None:
    with pytest.raises(ScheduleError) as refused:
        day_trading_rules(date(1989, 12, 31))
    assert str(refused.value) == (
        "the rule of day trading has no entry on 1989-12-31; the table starts 1990-01-01"
    )
