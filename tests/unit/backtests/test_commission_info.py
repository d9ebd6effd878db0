from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import backtrader as bt
import pandas as pd
import pytest

from levsleeve.backtests.commission_info import FundCommInfo, OptionCommInfo
from levsleeve.errors import ScheduleError, StudyError

CENTS = 1e-9
FEES_ON = date(2025, 1, 15)  # Section 31: $27.80 per million; activity fee: $0.000166 a share


class Scripted(bt.Strategy):
    """Market orders by session, filled at the next open; notes what the broker says."""

    params = (("orders", ()),)

    def __init__(self) -> None:
        self.worth: list[float] = []
        self.cash: list[float] = []

    def next(self) -> None:
        self.worth.append(self.broker.getvalue())
        self.cash.append(self.broker.getcash())
        for session, size in self.p.orders:
            if session == len(self.worth) - 1:
                self.buy(size=size) if size > 0 else self.sell(size=-size)


def run(
    charges: bt.CommInfoBase, prices: Sequence[float], *orders: tuple[int, float]
) -> tuple[Any, Any]:
    """Backtrader's own broker with 100,000 dollars over sessions of one price each."""
    index = pd.bdate_range("2025-01-06", periods=len(prices))
    names = ("open", "high", "low", "close")
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(
        bt.feeds.PandasData(
            dataname=pd.DataFrame(dict.fromkeys(names, prices) | {"volume": 1e6}, index=index)
        )
    )
    cerebro.broker.setcash(100_000.0)
    cerebro.broker.addcommissioninfo(charges)
    cerebro.addstrategy(Scripted, orders=orders)
    (strategy,) = cerebro.run()
    return strategy, cerebro.broker


# --- shares --------------------------------------------------------------------------------------


def test_a_purchase_and_a_sale_pay_commission_and_the_sale_the_regulators() -> None:
    charges = FundCommInfo(plan="ibkr_fixed", fees_on=FEES_ON)
    strategy, broker = run(charges, [10.0, 10.0, 12.0, 12.0], (0, 1_000), (1, -1_000))
    bought = 100_000.0 - 10_000.0 - 1_000 * 0.005
    sold = 12_000.0 - 1_000 * 0.005 - 12_000.0 * 27.80 / 1e6 - 1_000 * 0.000166
    assert strategy.cash == pytest.approx(
        [100_000.0, bought, bought + sold, bought + sold], abs=CENTS
    )
    assert strategy.worth[1] == pytest.approx(bought + 10_000.0, abs=CENTS)
    assert broker.getcash() == pytest.approx(101_989.5004, abs=CENTS)


def test_without_a_date_no_regulator_is_paid() -> None:
    _, broker = run(FundCommInfo(), [10.0, 10.0, 12.0, 12.0], (0, 1_000), (1, -1_000))
    assert broker.getcash() == pytest.approx(100_000.0 + 2_000.0 - 2 * 5.0, abs=CENTS)


@pytest.mark.parametrize(
    ("shares", "price", "dollars"),
    [
        (100, 25.0, 1.00),  # the minimum
        (1, 10.0, 0.10),  # 1 % of an order of ten dollars beats the minimum
        (1_000, 0.25, 2.50),  # and the half cent a share
        (3_000, 25.0, 15.00),
    ],
)
def test_the_maximum_of_one_percent_beats_the_minimum(
    shares: int, price: float, dollars: float
) -> None:
    _, broker = run(FundCommInfo(plan="ibkr_fixed"), [price] * 3, (0, shares))
    assert broker.getcash() == pytest.approx(100_000.0 - shares * price - dollars, abs=CENTS)


def test_a_tiered_plan_starts_at_its_first_slice_and_passes_its_costs_on() -> None:
    charges = FundCommInfo(plan="ibkr_tiered")
    commission = 1_000 * 0.0035
    expected = commission + 1_000 * 0.0002 + 0.000735 * commission
    assert charges.getcommission(1_000, 80.0) == pytest.approx(expected, abs=CENTS)


def test_the_half_spread_is_paid_on_both_sides() -> None:
    charges = FundCommInfo(plan="none", half_spread_rate=0.0005)
    _, broker = run(charges, [10.0, 10.0, 12.0, 12.0], (0, 1_000), (1, -1_000))
    assert broker.getcash() == pytest.approx(100_000 + 2_000 - 5.0 - 6.0, abs=CENTS)


def test_a_short_is_charged_as_a_sale_and_costs_no_interest() -> None:
    charges = FundCommInfo(fees_on=FEES_ON)
    strategy, _ = run(charges, [10.0] * 5, (0, -1_000), (3, 1_000))
    after_sale = 100_000.0 + 10_000.0 - 5.0 - 10_000.0 * 27.80 / 1e6 - 0.166
    assert strategy.cash[1:4] == pytest.approx([after_sale] * 3, abs=CENTS)
    assert strategy.cash[4] == pytest.approx(after_sale - 10_000.0 - 5.0, abs=CENTS)


def test_an_order_that_turns_a_position_is_charged_as_two() -> None:
    strategy, _ = run(FundCommInfo(), [10.0] * 4, (0, 100), (1, -200))
    # $1.00 for the purchase, $1.00 for the 100 that close, $1.00 for the 100 that open
    assert strategy.cash[2] == pytest.approx(100_000.0 + 1_000.0 - 3.0, abs=CENTS)


# --- options -------------------------------------------------------------------------------------


def test_a_contract_is_worth_its_multiplier() -> None:
    charges = OptionCommInfo(plan="ibkr_fixed", fees_on=FEES_ON)
    strategy, _ = run(charges, [3.0, 3.0, 5.0, 4.0, 4.0], (0, 10), (2, -10))
    # Bought: 6.50 of commission, and $0.02375 a contract to the exchanges.
    bought = 100_000.0 - 3_000.0 - 6.50 - 0.2375
    # Sold at 4.00: the same, Section 31 on $4,000, and $0.00279 a contract of activity fee.
    sold = 4_000.0 - 6.50 - 0.2375 - 4_000.0 * 27.80 / 1e6 - 10 * 0.00279
    assert strategy.cash[1] == pytest.approx(bought, abs=CENTS)
    assert strategy.worth[1:3] == pytest.approx([bought + 3_000.0, bought + 5_000.0], abs=CENTS)
    assert strategy.cash[-1] == pytest.approx(bought + sold, abs=CENTS)
    assert strategy.worth[-1] == strategy.cash[-1]


def test_an_order_for_contracts_needs_the_cash_for_all_their_shares() -> None:
    strategy, broker = run(OptionCommInfo(plan="none"), [3.0] * 3, (0, 334))
    assert broker.getcash() == 100_000.0  # 334 x 100 x 3.00 is more than there is
    assert not strategy.position
    assert OptionCommInfo().getsize(3.0, 100_000.0) == 333


def test_a_written_contract_owes_its_multiplier() -> None:
    charges = OptionCommInfo(plan="none", mult=10.0)
    strategy, _ = run(charges, [3.0, 3.0, 5.0, 5.0], (0, -2))
    assert strategy.cash[1] == 100_060.0
    assert strategy.worth[1:3] == [100_000.0, 99_960.0]
    assert charges.getoperationcost(-2, 3.0) == 60.0
    # Without short cash Backtrader counts what the seller has left of twice the price sold at.
    assert charges.getvalue(strategy.position, 5.0) == -(2 * 3.0 - 5.0) * 2 * 10.0


def test_the_half_spread_of_an_option_is_of_all_its_shares() -> None:
    charges = OptionCommInfo(plan="none", half_spread_rate=0.05)
    assert charges.getcommission(2, 3.0) == pytest.approx(0.05 * 3.0 * 200, abs=CENTS)


# --- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "parameters", "error", "message"),
    [
        (
            FundCommInfo,
            {"plan": "ibkr_fix"},
            ScheduleError,
            "ibkr_fix: no commission plan of that name; known are ibkr_fixed, ibkr_tiered, none",
        ),
        (
            FundCommInfo,
            {"fees_on": date(1989, 12, 29)},
            ScheduleError,
            "the FINRA trading activity fee has no entry on 1989-12-29; "
            "the table starts 1990-01-01",
        ),
        (
            FundCommInfo,
            {"fees_on": "2025-01-15"},
            StudyError,
            "fees_on: '2025-01-15'; a date such as date(2018, 12, 31), or None, is right",
        ),
        (
            FundCommInfo,
            {"fees_on": datetime(2025, 1, 15)},  # noqa: DTZ001
            StudyError,
            "fees_on: datetime.datetime(2025, 1, 15, 0, 0); "
            "a date such as date(2018, 12, 31), or None, is right",
        ),
        (
            FundCommInfo,
            {"half_spread_rate": 2},
            StudyError,
            "half_spread_rate: 2; a fraction of the price from 0 to below 1 is right, "
            "such as 0.0002",
        ),
        (
            OptionCommInfo,
            {"half_spread_rate": "0.05"},
            StudyError,
            "half_spread_rate: '0.05'; a fraction of the price from 0 to below 1 is right, "
            "such as 0.0002",
        ),
        (
            FundCommInfo,
            {"commission": 0.001},
            StudyError,
            "commission: 0.001; the plan's is charged, so that 0.0 is right",
        ),
        (
            FundCommInfo,
            {"mult": 100.0},
            StudyError,
            "mult: 100.0; 1.0 is right for shares, and OptionCommInfo for options",
        ),
        (
            OptionCommInfo,
            {"mult": 0},
            StudyError,
            "mult: 0; a number above 0 is right, such as 100.0",
        ),
    ],
)
def test_a_parameter_that_cannot_be_right_is_refused(
    kind: Any, parameters: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as refused:
        kind(**parameters)
    assert str(refused.value) == message


def test_a_parameter_that_does_not_exist_is_refused_by_python() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'plans'"):
        FundCommInfo(plans="ibkr_fixed")
