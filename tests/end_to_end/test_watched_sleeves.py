"""Stop-flight, exits, trims and the reserve in small markets, checked by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.end_to_end.accounts import market_of
from tests.end_to_end.sleeves import CASH_USD, Small, in_backtrader, run_small

from levsleeve import Holding, ProtectivePut, Sleeve
from levsleeve.backtests.event_kinds import EventKind, Why
from levsleeve.strategies.exits import Exits
from levsleeve.strategies.history import History
from levsleeve.strategies.limits import Caps, Reserve
from levsleeve.strategies.own_rule import AccountSeen
from levsleeve.strategies.sizing_rules import Cppi, FixedFraction, GrossmanZhou
from levsleeve.strategies.stop_flight import StopFlight

FLIGHT, EXIT, BACK, TRIM = (
    EventKind.STOP_FLIGHT, EventKind.EXIT, EventKind.RE_ENTRY, EventKind.CAP_TRIMMED,
)  # fmt: skip
EXACT = 1e-12


def bull(weight: float, **keys: Any) -> Sleeve:
    facts: dict[str, Any] = {"cap": abs(weight), "rebalance": "daily"}
    return Sleeve((Holding("UPRO", weight),), **(facts | keys))


def lived(closes: list[float], sleeve: Sleeve, **keys: Any) -> Small:
    return run_small(market_of({"UPRO": closes}), sleeve, **keys)


# --- stop-flight: maintenance is 0.75 of a long bull, 0.90 of a short one -------------------------

LADDER = StopFlight(warn=0.8, derisk=0.9, flatten=0.95, cut_to=0.55, cool_off_sessions=2)
FALLING = [100.0, 100.0, 90.0, 90.0, 90.0, 90.0, 90.0, 90.0]
"""1180 shares: 88.5 % of equity is used at 100 dollars, 79,650 of 88,200 at 90."""


def test_a_cut_aims_at_its_level_up_to_whole_shares_and_the_cool_off_keeps_it_there() -> None:
    run = lived(FALLING, bull(1.18, stop_flight=LADDER))
    # 0.55 x 88,200 / 0.75 / 90 = 718.67 shares; after two sessions again 1.18 of equity: 1156.4.
    assert run.shares("UPRO") == [0.0, 1180.0, 1180.0, 718.0, 718.0, 1156.0, 1156.0, 1156.0]
    assert run.when(FLIGHT) == [
        (1, Why.WARNED), (2, Why.DERISKED), (4, Why.RETURNED), (5, Why.WARNED),
    ]  # fmt: skip
    cut = run.of(FLIGHT)[1]
    assert (cut.before, cut.after) == pytest.approx((79_650.0 / 88_200.0, 0.55), rel=EXACT)


def test_after_the_cool_off_the_size_returns_in_equal_steps() -> None:
    run = lived(FALLING, bull(1.18, stop_flight=LADDER.model_copy(update={"return_sessions": 2})))
    # From 0.7333 of equity a third, two thirds and all of the way to 1.18, at 980 shares for 1.
    assert run.shares("UPRO")[3:] == [718.0, 718.0, 864.0, 1010.0, 1156.0]
    assert run.when(FLIGHT)[:3] == [(1, Why.WARNED), (2, Why.DERISKED), (6, Why.RETURNED)]


def test_a_cut_is_not_undone_before_utilization_is_calm() -> None:
    ladder = StopFlight(warn=0.6, derisk=0.75, flatten=0.9, cut_to=0.65, cool_off_sessions=0)
    closes = [100.0, 100.0, 115.0, 122.0, 128.0, 114.0, 108.0, 108.0]
    run = lived(closes, bull(-0.6, cap=1.0, stop_flight=ladder, rebalance="once"))
    # 600 short: 0.682 used at 115, 0.759 at 122; 0.65 x 86,800 / 0.9 / 122 = 513.8 stay.
    # They use 0.710 at 128, within 0.05 of what derisks; 0.582 at 114 is calm: 0.6 of 90,382.
    assert run.shares("UPRO") == [0.0, -600.0, -600.0, -600.0, -513.0, -513.0, -475.0, -475.0]
    assert run.when(FLIGHT) == [(2, Why.WARNED), (3, Why.DERISKED), (5, Why.RETURNED)]


def test_a_ladder_of_low_levels_gives_the_size_back_as_well() -> None:
    # The aim of 0.15 lies within 0.05 of the 0.2 that derisks: half of the way is calm enough.
    run = lived([100.0] * 7, bull(0.3, stop_flight=StopFlight(derisk=0.2, cool_off_sessions=2)))
    assert run.when(FLIGHT) == [(1, Why.DERISKED), (3, Why.RETURNED), (4, Why.DERISKED),
                                (6, Why.RETURNED)]  # fmt: skip
    assert run.shares("UPRO") == [0.0, 300.0, 200.0, 200.0, 300.0, 200.0, 200.0]


def test_a_sleeve_stays_out_while_a_rate_is_above_its_limit() -> None:
    run = lived([100.0] * 6, bull(0.5, exits=Exits(max_house_rate=0.7, cool_off_sessions=0)))
    assert run.shares("UPRO") == [0.0] * 6  # 0.75 from the first session on: never entered
    assert run.events == []


def test_the_last_rung_sells_the_puts_as_well_and_both_come_back() -> None:
    ladder = StopFlight(warn=0.8, derisk=0.89, flatten=0.9, cut_to=0.5, cool_off_sessions=1)
    sleeve = bull(1.18, stop_flight=ladder, hedge=ProtectivePut("UPRO", 0.5))
    closes = [100.0, 100.0, 89.0, 89.0, 89.0, 89.0, 89.0]
    run = lived(closes, sleeve)
    assert run.when(FLIGHT)[:3] == [(1, Why.WARNED), (2, Why.FLATTENED), (3, Why.RETURNED)]
    assert run.shares("UPRO")[:4] == [0.0, 1180.0, 1180.0, 0.0]
    assert run.shares("UPRO:put")[:4] == [0.0, 1100.0, 1100.0, 0.0]
    assert run.shares("UPRO")[4] > 1100.0
    assert run.shares("UPRO:put")[4] == 1100.0


def test_a_ladder_that_looks_at_extremes_acts_on_a_low_that_the_close_forgot() -> None:
    closes, lows = [100.0] * 5, [100.0, 100.0, 90.0, 100.0, 100.0]
    market = market_of({"UPRO": closes}, lows={"UPRO": lows})
    blind = run_small(market, bull(1.18, stop_flight=LADDER))
    assert blind.when(FLIGHT) == [(1, Why.WARNED)]
    seen = run_small(
        market, bull(1.18, stop_flight=LADDER.model_copy(update={"check": "intraday"}))
    )
    assert seen.when(FLIGHT)[:2] == [(1, Why.WARNED), (2, Why.DERISKED)]
    assert seen.of(FLIGHT)[1].before == pytest.approx(79_650.0 / 88_200.0, rel=EXACT)


def test_beside_a_core_the_sleeve_alone_is_cut() -> None:
    ladder = StopFlight(warn=0.4, derisk=0.5, flatten=0.9, cut_to=0.3, cool_off_sessions=9)
    sleeve = Sleeve(
        (Holding("UPRO", 0.4),), cap=0.4, core=(Holding("SP500", 0.6),), stop_flight=ladder
    )
    # 0.75 x 0.4 + 0.25 x 0.6 = 0.45 are used at first, 28,500 of 74,000 at 50 and 90 dollars, 9,000
    # of 20,000 at 20 and 20, and 0.75 x 6,000 + 0.25 x 6,000 = 6,000 of 12,000 at 15 and 10.
    closes = {
        "UPRO": [100.0, 100.0, 50.0, 20.0, 15.0, 15.0],
        "SP500": [100.0, 100.0, 90.0, 20.0, 10.0, 10.0],
    }
    run = run_small(market_of(closes), sleeve)
    assert run.when(FLIGHT) == [(1, Why.WARNED), (4, Why.DERISKED)]
    # 0.3 x 12,000 leaves 2,100 beside the core's 1,500: 2,100 / 0.75 / 15 = 186.7 shares.
    assert run.shares("UPRO")[5] == 186.0
    assert run.shares("SP500") == [0.0, *[600.0] * 5]


def test_a_rebalancing_that_a_cut_put_off_comes_the_session_after() -> None:
    ladder = StopFlight(warn=0.4, derisk=0.5, flatten=0.9, cut_to=0.3, cool_off_sessions=9)
    sleeve = Sleeve(
        (Holding("UPRO", 0.4),), cap=0.4, core=(Holding("SP500", 0.6),), rebalance="weekly",
        stop_flight=ladder,
    )  # fmt: skip
    # On the second Monday, session 5, half of 12,000 dollars are used: the cut goes first.
    closes = {"UPRO": [100.0] * 5 + [15.0] * 4, "SP500": [100.0] * 5 + [10.0] * 4}
    run = run_small(market_of(closes), sleeve)
    assert run.when(FLIGHT) == [(1, Why.WARNED), (5, Why.DERISKED)]
    assert run.shares("UPRO") == [0.0, *[400.0] * 5, 186.0, 186.0, 186.0]
    assert run.shares("SP500") == [0.0, *[600.0] * 6, 720.0, 720.0]  # 0.6 x 12,000 / 10


# --- exits ----------------------------------------------------------------------------------------


def test_a_drawdown_counts_from_the_peak_since_the_entry_and_the_sleeve_comes_back() -> None:
    closes = [100.0, 100.0, 120.0, 109.0, 107.0, 107.0, 107.0, 100.0, 97.0]
    sleeve = bull(1.0, exits=Exits(max_drawdown=0.1, cool_off_sessions=2), rebalance="monthly")
    run = lived(closes, sleeve)
    # 120,000 to 107,000 are 10.8 %; back in at 107, 97 is 9.3 % below it and no exit.
    assert run.shares("UPRO") == [0.0, *[1000.0] * 4, 0.0, 0.0, 1000.0, 1000.0]
    assert run.when(EXIT, BACK) == [(4, Why.DRAWDOWN), (6, Why.COOLED_OFF)]
    assert run.of(EXIT)[0].before == pytest.approx(1.07, rel=EXACT)


def test_a_profit_counts_from_the_entry() -> None:
    sleeve = bull(0.5, exits=Exits(take_profit=0.1, reentry="never"), rebalance="monthly")
    run = lived([100.0, 100.0, 119.0, 121.0, 150.0, 150.0], sleeve)
    assert run.when(EXIT, BACK) == [(3, Why.PROFIT)]
    assert run.shares("UPRO") == [0.0, 500.0, 500.0, 500.0, 0.0, 0.0]


def test_a_time_limit_counts_calendar_days_and_the_next_period_brings_the_sleeve_back() -> None:
    exits = Exits(max_days=7, cool_off_sessions=0, reentry="rebalance")
    run = lived([100.0] * 14, bull(0.5, exits=exits, rebalance="weekly"))
    # Decided on Monday, session 0; out on the Monday after, back on the third.
    assert run.when(EXIT, BACK) == [(5, Why.TIME_LIMIT), (10, Why.COOLED_OFF)]
    assert run.shares("UPRO") == [0.0, *[500.0] * 5, *[0.0] * 5, *[500.0] * 3]


def test_a_call_of_the_account_ends_the_sleeve() -> None:
    sleeve = bull(1.3, exits=Exits(on_margin_call=True, reentry="never"), rebalance="monthly")
    run = lived([100.0, 100.0, 80.0, 80.0, 80.0], sleeve)
    assert run.when(EventKind.MARGIN_CALL, EXIT) == [(2, Why.EXCESS_LIQUIDITY), (2, Why.CALLED)]
    assert run.shares("UPRO")[2] > 0.0  # the broker sold what it had to
    assert run.shares("UPRO")[3:] == [0.0, 0.0]


def test_beside_a_core_the_sleeves_own_loss_counts() -> None:
    sleeve = Sleeve(
        (Holding("UPRO", 0.2),), cap=0.2, core=(Holding("SP500", 0.5),),
        exits=Exits(max_drawdown=0.04, reentry="never"),
    )  # fmt: skip
    closes = {
        "UPRO": [100.0, 100.0, 100.0, 85.0, 79.0, 79.0],  # -3 % of equity, then -4.2 %
        "SP500": [100.0, 100.0, 70.0, 80.0, 90.0, 90.0],
    }
    run = run_small(market_of(closes), sleeve)
    assert run.when(EXIT) == [(4, Why.DRAWDOWN)]
    assert run.shares("UPRO")[4:] == [200.0, 0.0]
    assert run.shares("SP500")[4:] == [500.0, 500.0]


def test_an_exit_bares_no_core_above_the_cap_on_index_exposure() -> None:
    sleeve = Sleeve(
        (Holding("UPRO", -0.2),), cap=0.2, core=(Holding("SP500", 1.0),), caps=Caps(delta=0.6),
        exits=Exits(max_drawdown=0.01, reentry="never"),
    )  # fmt: skip
    closes = {"UPRO": [100.0, 100.0, 110.0, 110.0], "SP500": [100.0] * 4}
    run = run_small(market_of(closes), sleeve)
    assert run.when(EXIT) == [(2, Why.DRAWDOWN)]
    assert run.shares("UPRO") == [0.0, -200.0, -200.0, 0.0]
    assert run.shares("SP500") == [0.0, 1000.0, 1000.0, 588.0]  # 0.6 x 98,000 / 100


def test_a_cut_stands_under_the_cap_that_is_looked_at_with_it() -> None:
    ladder = StopFlight(warn=0.3, derisk=0.41, cut_to=0.4, flatten=0.9)
    sleeve = bull(0.5, rebalance="monthly", stop_flight=ladder)
    run = lived([100.0, 100.0, 150.0, 150.0], sleeve)
    assert run.when(FLIGHT) == [(1, Why.WARNED), (2, Why.DERISKED)]
    # 0.6 of equity use 0.45; 0.4 would leave 0.533 of it, the cap leaves 0.5 of 125,000.
    assert run.shares("UPRO") == [0.0, 500.0, 500.0, 416.0]


# --- closing the puts -----------------------------------------------------------------------------

PUT = ProtectivePut("UPRO", 0.9)
LEAVES = Exits(max_drawdown=0.03, reentry="never")
DOWN = [100.0, 100.0, 88.0, 88.0, 88.0, 88.0]


@pytest.mark.parametrize("fill", ["next_close", "next_open", "same_close"])
def test_an_exit_sells_shares_and_puts_where_its_order_fills(fill: str) -> None:
    run = lived(DOWN, bull(1.0, exits=LEAVES, hedge=PUT, rebalance="monthly"), fill=fill)
    gone = 2 if fill == "same_close" else 3
    assert run.when(EXIT) == [(2, Why.DRAWDOWN)]
    assert run.shares("UPRO")[gone - 1] > 0.0
    assert run.shares("UPRO:put")[gone - 1] > 0.0
    assert run.shares("UPRO")[gone:] == [0.0] * (6 - gone)
    assert run.shares("UPRO:put")[gone:] == [0.0] * (6 - gone)


@pytest.mark.parametrize("ratio", [2.0, 1.5, 0.1])
def test_a_split_between_exit_and_fill_leaves_nothing_behind(ratio: float) -> None:
    closes = [*DOWN[:3], *[88.0 / ratio] * 3]
    market = market_of({"UPRO": closes}, splits={"UPRO": {3: ratio}})
    sleeve = bull(1.0, exits=LEAVES, hedge=PUT, rebalance="monthly")
    run = run_small(market, sleeve)
    assert run.when(EventKind.SPLIT) != []
    assert run.shares("UPRO")[3:] == [0.0] * 3
    assert run.shares("UPRO:put")[3:] == [0.0] * 3


def test_puts_that_expire_between_exit_and_fill_leave_nothing_to_close() -> None:
    market = market_of({"UPRO": DOWN})
    market = replace(market, expiries=market.tape.dates[[3, 5]])
    sleeve = bull(1.0, exits=LEAVES, hedge=ProtectivePut("UPRO", 0.9, 1.0), rebalance="monthly")
    run = run_small(market, sleeve)
    assert run.when(EventKind.OPTION_EXPIRED) == [(3, Why.SETTLED)]
    assert run.when(EventKind.OPTION_ROLLED) == [(1, Why.NEXT_CONTRACT)]
    assert run.shares("UPRO:put") == [0.0, 1000.0, 1000.0, 0.0, 0.0, 0.0]


def test_a_liquidation_between_exit_and_fill_leaves_the_rest_to_be_sold() -> None:
    closes = [100.0, 100.0, 88.0, 30.0, 30.0, 30.0]
    sleeve = bull(1.1, exits=LEAVES, hedge=ProtectivePut("UPRO", 0.3), rebalance="monthly")
    run = lived(closes, sleeve)
    assert run.when(EXIT) == [(2, Why.DRAWDOWN)]
    assert run.when(EventKind.LIQUIDATION) == [(3, Why.EXCESS_LIQUIDITY)]
    assert run.shares("UPRO")[3:] == [0.0] * 3
    assert run.shares("UPRO:put")[3:] == [0.0] * 3


# --- caps, reserve, floors ------------------------------------------------------------------------

UP = [100.0, 100.0, 110.0, 110.0, 110.0]
"""Half of equity in 500 shares is 55,000 of 105,000 at 110 dollars; half of that are 477.3."""


def test_a_cap_that_is_enforced_daily_trims_what_drifted_above_it() -> None:
    trimmed = lived(UP, bull(0.5, caps=Caps(enforce="daily"), rebalance="monthly"))
    assert trimmed.shares("UPRO") == [0.0, 500.0, 500.0, 477.0, 477.0]
    (event,) = trimmed.of(TRIM)
    assert (event.session, event.why) == (2, Why.ABOVE_CAP)
    assert (event.before, event.after) == pytest.approx((55.0 / 105.0, 0.5), rel=EXACT)
    drifting = lived(UP, bull(0.5, rebalance="monthly"))
    assert drifting.shares("UPRO") == [0.0, *[500.0] * 4]


@pytest.mark.parametrize(
    ("policy", "shares"),
    [
        ({"cap": 0.6}, 500.0),
        ({"cap": 0.5}, 477.0),
        ({"cap": 0.6, "caps": Caps(single_fund=0.5)}, 477.0),
        ({"cap": 0.6, "caps": Caps(delta=1.5)}, 477.0),
        ({"cap": 0.6, "reserve": Reserve(fall=0.1, rise=0.1, keep=0.5)}, 477.0),
        ({"cap": 0.6, "reserve": Reserve(fall=0.1, rise=0.1, keep=0.4)}, 500.0),
    ],
)
def test_within_the_band_nothing_trades_but_what_the_policy_forbids(
    policy: dict[str, Any], shares: float
) -> None:
    assert lived(UP, bull(0.5, band=0.1, **policy)).shares("UPRO")[3] == shares


def test_the_reserve_is_what_is_left_after_the_worst_move_at_the_house_rate() -> None:
    # A short loses 0.3 w and then owes 1.3 w of margin: 1 - 1.6 w = 0.2.
    reserve = Reserve(fall=0.2, rise=0.1, keep=0.2)
    run = lived([99.0] * 3, bull(-0.9, reserve=reserve))
    assert run.shares("UPRO") == [0.0, -505.0, -505.0]  # 50,000 dollars' worth


def test_a_cushion_above_a_floor_sets_the_exposure() -> None:
    # 4.5 turns of a cushion of 20 % are 0.3 of equity in the bull.
    run = lived([99.0, 99.0, 85.0, 85.0], bull(0.5, sizing=Cppi(multiplier=4.5, floor=0.8)))
    equity = CASH_USD - 303.0 * 14.0
    after = int(1.5 * (equity - 0.8 * CASH_USD) / 85.0)
    assert run.shares("UPRO") == [0.0, 303.0, 303.0, after]


def test_a_floor_trails_the_highest_equity() -> None:
    # 3 turns of a cushion of 20 % are 0.2 of equity; at 120 dollars it is the highest so far.
    run = lived([99.0, 99.0, 120.0, 100.0, 100.0], bull(0.5, sizing=GrossmanZhou(alpha=0.8)))
    highest = CASH_USD + 202.0 * 21.0
    equity = highest - 202.0 * 20.0
    first, second = int(0.2 * highest / 120.0), int((equity - 0.8 * highest) / 100.0)
    assert run.shares("UPRO") == [0.0, 202.0, 202.0, first, second]


# --- rules of one's own that see the account ------------------------------------------------------


def test_a_wild_rule_of_the_account_meets_the_cap_and_what_it_does_not_count() -> None:
    asked: list[AccountSeen] = []

    def wild(history: History, account: AccountSeen) -> float:
        assert len(history.index) == len(asked) + 1
        asked.append(account)
        return 1e300

    # The cap holds the bull; of the index available funds buy what they can, half of it on credit.
    for fund, shares, later in (("UPRO", 500.0, 500.0), ("SP500", 2000.0, 2181.0)):
        asked.clear()
        sleeve = Sleeve((Holding(fund, 0.5),), cap=0.5, sizing=wild, rebalance="daily")
        broker = in_backtrader(market_of({fund: [100.0, 100.0, 110.0]}), sleeve)
        assert broker.ledger.frame()[f"shares:{fund}"].tolist() == [0.0, shares, later]
        assert [account.equity for account in asked[:2]] == [CASH_USD, CASH_USD]
        grown = 1.0 + shares * 10.0 / CASH_USD
        assert asked[2].growth == pytest.approx(grown, rel=EXACT)
        assert asked[2].peak == asked[2].growth


def test_half_of_the_base_weights_is_half_of_the_shares() -> None:
    run = lived([100.0] * 3, bull(0.8, sizing=FixedFraction(fraction=0.5)))
    np.testing.assert_array_equal(run.shares("UPRO"), [0.0, 400.0, 400.0])
