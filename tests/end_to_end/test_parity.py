"""The compiled driver leaves what the Backtrader driver leaves, in every bit, in any account."""

import math
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.end_to_end.accounts import market_of
from tests.end_to_end.both_drivers import (
    Sleeved,
    by_backtrader,
    by_the_kernel,
    digest,
    kinds_of,
    ready,
    ready_in,
    short_run,
)
from tests.parity import Left, first_difference
from tests.workspaces import REPOSITORY

from levsleeve import Holding, ProtectivePut, Sleeve, SleeveStrategy
from levsleeve.backtests.account_table import CALL_POLICIES, FILLS
from levsleeve.backtests.event_kinds import EventKind, Why
from levsleeve.backtests.market import Market
from levsleeve.backtests.workspace import load_strategy
from levsleeve.margin.policy import Policy
from levsleeve.margin.profile import DEFAULT_PROFILE, profile_names
from levsleeve.margin.rulebook import rulebook
from levsleeve.margin.table_reader import table
from levsleeve.pricing.volatility import MODELS

WHOLE = {"start": date(1999, 6, 1), "end": date(2018, 12, 31)}
REAL_OPENS = {
    "start": date(2007, 10, 1),
    "end": date(2009, 3, 31),
    "rules_as_of": date(2010, 4, 30),
}
"""The opens of the bundled index are opens there, as ``next_open`` needs them."""

# -- the sleeves that come along -------------------------------------------------------------------

SHIPPED = [
    Sleeved("bull_3x"),
    Sleeved("bull_3x_puts"),
    Sleeved("bull_3x_inverse"),
    Sleeved("bull_3x_guarded"),
    Sleeved("bear_sleeve", {"form": "long_inverse"}),
    Sleeved("bear_sleeve", {"form": "short_bull"}),
]


def test_every_strategy_file_that_is_a_sleeve_is_compared() -> None:
    files = (REPOSITORY / "strategies").glob("*.py")
    sleeves = {path.stem for path in files if issubclass(load_strategy(path), SleeveStrategy)}
    assert sleeves == {sleeve.strategy for sleeve in SHIPPED}


@pytest.mark.parametrize("sleeve", SHIPPED)
def test_a_shipped_sleeve_leaves_the_same_in_both_drivers(
    price_cache: Path, sleeve: Sleeved
) -> None:
    run = ready(price_cache, sleeve)
    assert first_difference(by_backtrader(run), by_the_kernel(run)) is None


def test_twenty_years_of_puts_leave_the_same_in_both_drivers(price_cache: Path) -> None:
    run = ready(price_cache, Sleeved("bull_3x_puts"), study=WHOLE)
    left = by_the_kernel(run)
    assert first_difference(by_backtrader(run), left) is None
    assert len(left.ledger) == 4_929
    assert len(left.event_rows) > 900


class SixADay(SleeveStrategy):
    """Six funds, traded on every session."""

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:  # noqa: ARG003
        funds = [f"SP500?L={multiple}" for multiple in (1, 1.5, 2, 2.5, 3, -1)]
        return Sleeve(tuple(Holding(fund, 0.1) for fund in funds), cap=1.0, rebalance="daily")


def test_events_beyond_the_room_of_the_first_pass_are_all_kept(price_cache: Path) -> None:
    span = {"start": date(2008, 9, 2), "end": date(2008, 12, 31)}
    sleeve = Sleeved("six_a_day", given=SixADay)
    run = ready(price_cache, sleeve, {"fractional_shares": True}, span)
    left = by_the_kernel(run)
    assert first_difference(by_backtrader(run), left) is None
    # The first pass has room for four events a session and 64 more.
    assert len(left.event_rows) > 4 * len(left.ledger) + 64


# -- every kind of account -------------------------------------------------------------------------


class Mixed(SleeveStrategy):
    """A bull under puts, a short bear and the index, with so much of each that calls follow."""

    params = (("tenor_days", 30.0), ("rebalance", "monthly"))

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:
        holdings = Holding("UPRO", 1.0), Holding("SPXU", -0.3), Holding("SP500", 0.6)
        put = ProtectivePut("UPRO", 0.9, parameters.tenor_days)
        return Sleeve(holdings, cap=1.3, hedge=put, rebalance=parameters.rebalance)


class TwoShorts(SleeveStrategy):
    """Short of the bull and of the bear; the weights are set anew on every session."""

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:  # noqa: ARG003
        holdings = Holding("UPRO", -0.3), Holding("SPXU", -0.3)
        return Sleeve(holdings, cap=1.0, rebalance="daily")


TWO_SHORTS = Sleeved("two_shorts", given=TwoShorts)
MIXED = Sleeved("mixed", given=Mixed)
DAILY = Sleeved("mixed", {"rebalance": "daily"}, Mixed)
FAR_PUTS = Sleeved("mixed", {"tenor_days": 330.0}, Mixed)
SHORT = Sleeved("bear_sleeve", {"form": "short_bull", "weight": 1.1, "cap": 1.1})
REFUSED, REFUSED_SHORT = (sleeve._replace(on_shortfall="refuse") for sleeve in (MIXED, SHORT))
CASH_USD = 4_000_000.0
"""Enough for every slice of every plan of interest and commissions."""


class Case(NamedTuple):
    """An account that differs from the plain one, what its study says beside, what it must meet."""

    account: Mapping[str, Any]
    study: Mapping[str, Any] = {}
    meets: tuple[EventKind, ...] = ()
    sleeves: tuple[Sleeved, ...] = (MIXED, SHORT)


def switched(**switches: Any) -> Case:
    return Case({"policy": switches})


def house(kind: str, **terms: Any) -> Case:
    return switched(house={"kind": kind, **terms})


SWITCHES = {
    "short_floor": switched(short_floor="scaled"),
    "order_initial": switched(order_initial="broker"),
    "end_of_day_initial": switched(end_of_day_initial="ibkr_legacy"),
    "hedge_relief": switched(hedge_relief="finra"),
    "option_loan_value": switched(option_loan_value="finra")._replace(sleeves=(FAR_PUTS,)),
    "margin_mode": switched(margin_mode="portfolio"),
    "flat_rate": switched(flat_rate=0.5),
    "minimum_equity_usd": switched(minimum_equity_usd=3_000_000.0),
    "buffer_rate": switched(buffer_rate=0.05),
    "free_rate": switched(free_rate=0.1),
    "order_fee_usd": switched(order_fee_usd=5_000.0),
    "house": house("factor", factor=1.2, effective=date(2008, 9, 15), full_from=date(2008, 10, 15)),
}
"""By the switch that each sets; the two left out concern written options alone."""
MONTHLY = {"on": date(2008, 7, 15), "every": "month"}
CASES = {
    "plain": Case(
        {},
        meets=(
            EventKind.MARGIN_CALL, EventKind.LIQUIDATION, EventKind.ORDER_CUT, EventKind.SPLIT,
            EventKind.OPTION_ROLLED, EventKind.OPTION_EXPIRED, EventKind.RULE_CHANGE,
        ),
        sleeves=(MIXED, SHORT, FAR_PUTS),
    ),
    "refuse": Case({}, meets=(EventKind.ORDER_REFUSED,), sleeves=(REFUSED, REFUSED_SHORT)),
    "fractional": Case({"fractional_shares": True}),
    "intraday": Case({"intraday_test": True}),
    "call": Case({"call_policy": "call", "call_sessions": 2}, meets=(EventKind.CALL_MET,)),
    "stop": Case({"call_policy": "stop"}, meets=(EventKind.CLOSED_OUT,)),
    "same_close": Case({"fill": "same_close"}),
    "fixed_rules": Case({}, {"rules_as_of": date(2010, 4, 30)}),
    "rules_by_session": Case({}, {"rules_as_of": "session"}, (EventKind.RULE_CHANGE,)),
    "costs": Case({
        "fund_half_spread_rate": 0.001, "fund_slippage_rate": 0.0005,
        "fund_costs": {"UPRO": {"slippage_rate": 0.002}},
        "option_half_spread_rate": 0.03, "option_slippage_rate": 0.01,
        "liquidation_penalty_rate": 0.005,
    }),
    "option_costs": Case(
        {"option_costs": {"UPRO": {"half_spread_minimum_usd": 0.10}}}, sleeves=(MIXED,)
    ),
    "deposits": Case(
        {"cash_flow": [{**MONTHLY, "amount_usd": 50_000.0}]}, meets=(EventKind.DEPOSIT,)
    ),
    "withdrawals": Case(
        {"cash_flow": [
            {**MONTHLY, "amount_usd": -40_000.0, "until": date(2009, 6, 30)},
            {"on": date(2010, 1, 30), "amount_usd": -1e7},  # a Saturday
            {"on": date(2010, 3, 1), "amount_usd": 500_000.0},
        ]},
        meets=(EventKind.WITHDRAWAL, EventKind.WITHDRAWAL_CUT, EventKind.DEPOSIT),
    ),
    "recalls": Case(
        {"borrow": [
            {"fund": "UPRO", "since": date(2008, 8, 1), "rate": 0.08},
            {"fund": "UPRO", "since": date(2008, 9, 19), "state": "unavailable"},
            {"fund": "UPRO", "since": date(2008, 11, 3), "rate": 0.25, "state": "recalled"},
            {"fund": "UPRO", "since": date(2008, 12, 1), "rate": 0.02},
            {"fund": "SPXU", "since": date(2009, 1, 5), "state": "recalled"},
            {"fund": "SPXU", "since": date(2009, 3, 2), "rate": 0.06},
        ]},
        meets=(EventKind.BUY_IN, EventKind.ORDER_REFUSED),
        sleeves=(TWO_SHORTS,),
    ),
    "wiped": Case({"call_policy": "call", "call_sessions": 15}, meets=(EventKind.WIPED,)),
    "cash_account": switched(margin_mode="cash"),
    "house_rate": house("rate", long_rate=0.9, short_rate=1.0, until=date(2009, 6, 30)),
    "house_turns": house("rate", long_rate=0.3, short_rate=0.3, per_turn=True),
    "house_volatility": house("volatility", base=0.25, slope=0.4, ceiling=0.8),
    "house_flow": house("flow", base=0.05, slope=0.3, ceiling=0.9),
    **SWITCHES,
    **{f"profile_{name}": Case({"profile": name}) for name in profile_names()},
    # The house rates of this broker are those of the autumn of 2020.
    "profile_ibkr": Case({"profile": "ibkr"}, {"rules_as_of": date(2020, 10, 20)}),
    **{f"commission_{name}": Case({"commission": name}) for name in table("fees")["commission"]},
    **{f"financing_{name}": Case({"financing": name}) for name in table("financing")},
    **{f"model_{name}": Case({}, {"volatility_model": name}) for name in MODELS},
}  # fmt: skip
del CASES["financing_borrow"]  # the placeholder borrow fee is no plan of interest
NOTHING_NEW = {
    "plain", "rules_by_session", f"profile_{DEFAULT_PROFILE}", "commission_ibkr_fixed",
    "financing_ibkr", "model_vix_standard_skew",
}  # fmt: skip
"""Cases that say what holds in the plain account, too."""


def test_every_switch_that_a_sleeve_can_feel_is_turned() -> None:
    assert {*SWITCHES, "option_minimum", "collar_rate"} == {*Policy.model_fields}


@pytest.fixture(scope="module")
def plain(price_cache: Path) -> list[Left]:
    """What the sleeves leave in the plain account."""
    runs = [ready(price_cache, sleeve, {"cash_usd": CASH_USD}) for sleeve in CASES["plain"].sleeves]
    return [by_the_kernel(run) for run in runs]


@pytest.mark.parametrize("name", CASES)
def test_an_account_leaves_the_same_in_both_drivers_and_feels_its_settings(
    price_cache: Path, plain: list[Left], name: str
) -> None:
    case = CASES[name]
    met: set[EventKind] = set()
    as_plain = []
    for sleeve in case.sleeves:
        run = ready(price_cache, sleeve, {"cash_usd": CASH_USD, **case.account}, case.study)
        left = by_the_kernel(run)
        assert first_difference(by_backtrader(run), left) is None, sleeve
        met |= kinds_of(left)
        as_plain.append(any(first_difference(left, other) is None for other in plain))
    assert set(case.meets) <= met
    assert all(as_plain) == (name in NOTHING_NEW)


@pytest.mark.parametrize("sleeve", [DAILY, SHORT], ids=["daily", "short"])
@pytest.mark.parametrize(
    ("fill", "call_policy", "intraday_test"), [*product(FILLS, CALL_POLICIES, [False, True])]
)
def test_any_fill_with_any_policy_leaves_the_same_in_both_drivers(
    price_cache: Path, sleeve: Sleeved, fill: str, call_policy: str, *, intraday_test: bool
) -> None:
    account = {"fill": fill, "call_policy": call_policy, "intraday_test": intraday_test}
    run = ready(price_cache, sleeve, account, REAL_OPENS)
    left = by_the_kernel(run)
    assert first_difference(by_backtrader(run), left) is None
    assert EventKind.MARGIN_CALL in kinds_of(left)


# -- what is rare ----------------------------------------------------------------------------------


class BullAndBear(SleeveStrategy):
    """Both funds long, the bull under far puts if there are any."""

    params = (("bull", 1.2), ("bear", 0.1), ("rebalance", "daily"), ("puts", False))

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:
        holdings = Holding("UPRO", parameters.bull), Holding("SPXU", parameters.bear)
        put = ProtectivePut("UPRO", moneyness=0.2) if parameters.puts else None
        return Sleeve(holdings, cap=10.0, hedge=put, rebalance=parameters.rebalance)


def in_both(market: Market, account: Mapping[str, Any], **parameters: Any) -> Left:
    """What both drivers leave of a bull and a bear."""
    run = ready_in(market, Sleeved("bull_and_bear", parameters, BullAndBear), account)
    left = by_the_kernel(run)
    assert first_difference(by_backtrader(run), left) is None
    return left


def whys_of(left: Left) -> list[tuple[int, EventKind, Why]]:
    """Session, kind and reason of every event."""
    return [(t, EventKind(int(event[0])), Why(int(event[6]))) for t, event in left.event_rows]


def test_both_refuse_puts_at_the_open_while_an_account_is_being_closed() -> None:
    closes = {
        "UPRO": [100.0, 100.0, 100.0, 60.0, 60.0, 60.0],
        "SPXU": [20.0, 20.0, 20.0, math.nan, math.nan, 20.0],
    }
    account = {"call_policy": "stop", "fill": "next_open"}
    left = in_both(market_of(closes), account, puts=True)
    places = [int(event[1]) for _, event in left.event_rows]
    refused = (4, EventKind.ORDER_REFUSED, Why.CALL_CLOSES)
    assert (refused, 2) in zip(whys_of(left), places, strict=True)


def test_a_sale_at_a_days_end_drops_what_waits_to_be_bought_in_both() -> None:
    switches = {"order_initial": "broker", "end_of_day_initial": "ibkr_legacy"}
    closes = {"UPRO": [100.0] * 4, "SPXU": [20.0, math.nan, 20.0, 20.0]}
    market = market_of(closes, book=rulebook(switches=switches))
    left = in_both(market, {}, rebalance="once")
    assert (1, EventKind.LIQUIDATION, Why.SPECIAL_MEMORANDUM) in whys_of(left)
    assert (left.ledger["shares:SPXU"] == 0.0).all()


def test_an_order_that_wipes_its_account_ends_the_run_in_both() -> None:
    book = rulebook(switches={"flat_rate": 0.02, "minimum_equity_usd": 0.0})
    market = market_of({"UPRO": [100.0] * 6, "SPXU": [20.0] * 6}, book=book)
    left = in_both(market, {"fund_half_spread_rate": 0.3}, bull=3.0, bear=0.001)
    assert whys_of(left)[-1] == (2, EventKind.WIPED, Why.EQUITY_GONE)
    assert EventKind.LIQUIDATION not in kinds_of(left)


# -- without the compiler --------------------------------------------------------------------------


def test_without_the_compiler_both_drivers_leave_the_same_bits(price_cache: Path) -> None:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        pytest.skip("there is nothing compiled to compare with")
    left = by_the_kernel(short_run(price_cache))
    assert {
        EventKind.MARGIN_CALL, EventKind.LIQUIDATION, EventKind.OPTION_EXPIRED, EventKind.SPLIT,
    } <= kinds_of(left)  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.both_drivers", str(price_cache)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == [digest(left)] * 2
