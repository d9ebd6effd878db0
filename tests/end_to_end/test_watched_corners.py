"""Corners of what watches a sleeve, checked by hand: distributions, unknown risk, late filters."""

from typing import Any

import pytest
from tests.end_to_end.accounts import FREE, market_of
from tests.end_to_end.sleeves import run_small

from levsleeve import (
    Caps,
    Exits,
    Holding,
    MarginUtilization,
    Sleeve,
    StopFlight,
    Trend,
)
from levsleeve.backtests.account_table import account_table
from levsleeve.backtests.batch import summaries
from levsleeve.backtests.compiled_driver import run_compiled
from levsleeve.backtests.event_kinds import EventKind, Why
from levsleeve.backtests.sleeve_market import Setting
from levsleeve.errors import StudyError
from levsleeve.strategies.cadence import Cadence

FLAT = [100.0] * 6


def beside_a_core(weight: float = 0.5, **keys: Any) -> Sleeve:
    facts: dict[str, Any] = {"cap": 1.0, "rebalance": "daily"}
    core = (Holding("SP500", 0.2),)
    return Sleeve((Holding("UPRO", weight),), core=core, **(facts | keys))


@pytest.mark.parametrize(("dividend", "exits"), [(10.0, []), (0.0, [(3, Why.DRAWDOWN)])])
def test_a_distribution_is_no_loss_of_a_sleeve_beside_a_core(
    dividend: float, exits: list[tuple[int, Why]]
) -> None:
    # half of equity falls by a tenth on the ex-date: 5 % of it, which the distribution returns
    closes = {"UPRO": [100.0, 100.0, 100.0, 90.0, 90.0, 90.0], "SP500": FLAT}
    market = market_of(closes, dividends={"UPRO": {3: dividend}} if dividend else None)
    run = run_small(market, beside_a_core(exits=Exits(max_drawdown=0.04)))
    assert run.when(EventKind.EXIT) == exits


def test_no_leveraged_fund_is_held_before_its_risk_is_known() -> None:
    rises = [100.0, 103.0, 99.0, 102.0, 98.0, 103.0, 99.0, 102.0, 98.0, 101.0]
    index = [100.0, 101.0, 99.8, 100.7, 99.4, 101.0, 99.7, 100.7, 99.5, 100.4]
    sleeve = beside_a_core(caps=Caps(risk_share=0.9, risk_window=5))
    run = run_small(market_of({"UPRO": rises, "SP500": index}), sleeve)
    assert run.shares("UPRO")[:6] == [0.0] * 6  # decided from the sixth close on
    assert min(run.shares("UPRO")[6:]) > 0.0
    assert min(run.shares("SP500")[1:]) > 0.0


@pytest.mark.parametrize("rebalance", ["once", "monthly"])
def test_a_sleeve_whose_filter_is_off_at_first_is_entered_once_it_is_on(rebalance: Cadence) -> None:
    closes = {"UPRO": [100.0, 97.0, 94.0, 98.0, 104.0, 106.0, 107.0, 108.0]}
    filtered = Exits(filter=Trend(window=3), cool_off_sessions=2)
    sleeve = Sleeve((Holding("UPRO", 0.5),), cap=0.6, rebalance=rebalance, exits=filtered)
    run = run_small(market_of(closes), sleeve)
    first = next(t for t, held in enumerate(run.shares("UPRO")) if held)
    assert first == 4  # above its average of three closes on the fourth session, filled on the next
    assert run.when(EventKind.RE_ENTRY) == []


def test_the_margin_of_a_core_counts_in_the_utilization_that_is_aimed_at() -> None:
    # 0.25 x 0.4 of the core; the other 0.3 of 0.4 are 0.75 of a weight of 0.4
    sleeve = Sleeve(
        (Holding("UPRO", 1.0),),
        cap=1.0,
        rebalance="daily",
        core=(Holding("SP500", 0.4),),
        sizing=MarginUtilization(target=0.4),
    )
    run = run_small(market_of({"UPRO": FLAT, "SP500": FLAT}), sleeve)
    assert run.shares("UPRO")[1:] == [400.0] * 5
    assert run.ledger["utilization"].iloc[-1] == pytest.approx(0.4)


def test_extremes_of_a_session_that_traded_say_nothing() -> None:
    # 1,200 shares on 20,000 dollars: at 60 dollars 54,000 of 52,000 are used.  They are bought at
    # the close of the second session, so that only the second low of 60 is theirs.
    lows = {"UPRO": [100.0, 60.0, 99.0, 99.0, 60.0, 99.0]}
    ladder = StopFlight(warn=0.92, derisk=0.95, flatten=1.0, cut_to=0.8, check="intraday")
    sleeve = Sleeve((Holding("UPRO", 1.2),), cap=1.2, rebalance="once", stop_flight=ladder)
    run = run_small(market_of({"UPRO": FLAT}, lows=lows), sleeve)
    (sold,) = run.of(EventKind.STOP_FLIGHT)
    assert (sold.session, sold.why) == (4, Why.FLATTENED)
    assert sold.before == pytest.approx(54.0 / 52.0)
    assert run.shares("UPRO") == [0.0, 1200.0, 1200.0, 1200.0, 1200.0, 0.0]


def careful(_history: object, account: object) -> float:
    return 1.0


def test_the_kernel_refuses_a_rule_that_sees_the_account() -> None:
    market = market_of({"UPRO": FLAT})
    sleeve = Sleeve((Holding("UPRO", 0.5),), cap=0.6, sizing=careful)
    setting = Setting(market, FREE, account_table({"cash_usd": 1e5}), cuts=True)
    for refused in (lambda: run_compiled(setting, sleeve), lambda: summaries(setting, [sleeve])):
        with pytest.raises(StudyError) as stopped:
            refused()
        assert str(stopped.value) == (
            "sizing: careful sees the account, so that only Backtrader runs it; "
            "scale(history) is right"
        )
