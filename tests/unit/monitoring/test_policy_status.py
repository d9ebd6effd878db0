"""An account at hand under a sleeve's policy, against hand arithmetic."""

import json
import math
from datetime import date
from typing import Any

import pytest

from levsleeve import Caps, Exits, Holding, Reserve, Sleeve, StopFlight, Trend, margin_status
from levsleeve.monitoring.policy_status import PolicyStatus, policy_status

LONG: dict[str, Any] = {
    "date": "2026-05-01",
    "cash_usd": 0.0,
    "funds": {"UPRO": {"price_usd": 80.0}},
    "holdings": [{"fund": "UPRO", "side": "long", "shares": 1000}],
}
"""Equity 80,000, maintenance 75 %: a utilization of 0.75, and 3 turns of index exposure."""
SHORT = LONG | {
    "cash_usd": 180_000.0,
    "holdings": [{"fund": "UPRO", "side": "short", "shares": 1000}],
}
"""Equity 100,000, maintenance 90 % of 80,000: a utilization of 0.72."""
LADDER = StopFlight(warn=0.6, derisk=0.7, flatten=0.9, cut_to=0.5)


def under(account: dict[str, Any], weight: float = 1.0, **rules: Any) -> PolicyStatus:
    sleeve = Sleeve(**{"holdings": (Holding("UPRO", weight),), "cap": 1.0, **rules})
    return policy_status(margin_status(account), sleeve, "mine", (0.2, 0.1))


def with_cash(cash_usd: float) -> dict[str, Any]:
    return LONG | {"cash_usd": cash_usd}


def test_an_account_within_its_policy_is_ok() -> None:
    assert under(LONG, caps=Caps(single_fund=1.0, delta=3.0)).verdict == "ok"
    calm = under(with_cash(20_000.0), stop_flight=StopFlight())
    assert (calm.verdict, calm.exit_code, calm.rung) == ("ok", 0, "calm")
    assert calm.utilization == pytest.approx(0.6)
    assert calm.levels == pytest.approx((0.7471, 0.8301, 0.9150, 0.6226), abs=5e-5)
    assert (calm.shares_to_trade, calm.actions, calm.notes) == ({}, (), ())
    assert calm.weights == {"UPRO": pytest.approx(0.8)}
    assert calm.delta == pytest.approx(2.4)


def test_above_the_warning_level_it_warns_and_trades_nothing() -> None:
    status = under(with_cash(20_000.0), stop_flight=LADDER)
    assert (status.verdict, status.rung, status.shares_to_trade) == ("warn", "warn", {})
    assert status.actions == ("utilization 60.0% is at or above warn 60.0%",)


def test_above_the_level_that_derisks_it_sells_until_the_aim() -> None:
    # 60,000 of margin is 20,000 above half of 80,000: two thirds stay
    status = under(LONG, stop_flight=LADDER)
    assert (status.verdict, status.exit_code, status.rung) == ("act", 11, "derisk")
    assert status.shares_to_trade == {"UPRO": -334.0}
    assert status.actions == (
        "utilization 75.0% is at or above derisk 70.0%; cut until it is 50.0%",
        "sell 334 UPRO, keep 666",
    )


def test_a_short_is_bought_back() -> None:
    # 72,000 of margin is 22,000 above half of 100,000: 50 of 72 stay
    status = under(SHORT, -0.8, stop_flight=LADDER)
    assert status.shares_to_trade == {"UPRO": 306.0}
    assert status.actions[-1] == "buy back 306 UPRO, keep 694"


def test_above_the_last_level_everything_is_sold_with_its_options() -> None:
    put = {
        "option": "put", "fund": "UPRO", "side": "long", "contracts": 10, "strike_usd": 70.0,
        "price_usd": 1.0, "expiry_date": "2026-06-19",
    }  # fmt: skip
    account = with_cash(-14_000.0) | {"holdings": [*LONG["holdings"], put]}  # 60,000 of 66,000
    status = under(account, stop_flight=LADDER, cap=1.3)
    assert status.rung == "flatten"
    assert status.shares_to_trade == {"UPRO": -1000.0}
    assert status.actions == (
        "utilization 90.9% is at or above flatten 90.0%; sell the sleeve",
        "sell 1,000 UPRO, keep 0",
        "close the options with it",
    )
    assert (status.expiry, status.days_to_expiry) == (date(2026, 6, 19), 49)


def test_a_called_account_says_so_whatever_the_policy() -> None:
    status = under(with_cash(-30_000.0), stop_flight=LADDER)
    assert (status.verdict, status.exit_code) == ("call", 12)


def test_the_end_of_relief_is_foreseen() -> None:
    put = {
        "option": "put", "fund": "UPRO", "side": "long", "contracts": 10, "strike_usd": 72.0,
        "price_usd": 0.0, "expiry_date": "2026-06-19",
    }  # fmt: skip
    account = LONG | {"holdings": [*LONG["holdings"], put], "policy": {"hedge_relief": "finra"}}
    status = under(account, stop_flight=StopFlight(warn=0.6, derisk=0.8, flatten=0.9, cut_to=0.5))
    assert status.utilization == pytest.approx(0.19)  # 7.20 and 8 dollars a share
    assert status.utilization_after == pytest.approx(0.75)
    assert (status.verdict, status.rung) == ("warn", "calm")
    assert status.actions == (
        "the options' relief ends with them, first on 2026-06-19: utilization would be 75.0%, "
        "at or above the warning level 60.0%",
    )


@pytest.mark.parametrize(
    ("rules", "kept", "told"),
    [
        ({"cap": 0.9}, 900.0, "leveraged funds are 100.0% of equity, above the cap 90.0%"),
        (
            {"caps": Caps(single_fund=0.8)},
            800.0,
            "UPRO is 100.0% of equity, above single_fund 80.0%",
        ),
        (
            {"caps": Caps(delta=2.4)},
            800.0,
            "index exposure is 3.00 turns of equity, above delta 2.40",
        ),
    ],
)  # fmt: skip
def test_what_stands_above_a_cap_is_sold(rules: dict[str, Any], kept: float, told: str) -> None:
    status = under(LONG, 0.5, **rules)
    assert status.verdict == "act"
    assert status.shares_to_trade == {"UPRO": kept - 1000.0}
    assert status.actions == (told, f"sell {1000 - kept:g} UPRO, keep {kept:g}")


def test_the_reserve_asks_what_is_left_after_a_fall_at_the_house_rate() -> None:
    # after -20 % of the index: 1 - 0.6 of profit and loss, less 40 % of margin: nothing is left
    status = under(LONG, reserve=Reserve(house_rate=1.0, fall=0.2, rise=0.1))
    assert status.reserve == pytest.approx(0.0)
    assert status.verdict == "ok"
    kept = under(LONG, reserve=Reserve(house_rate=1.0, fall=0.2, rise=0.1, keep=0.1))
    assert kept.reserve_kept == 0.1
    assert kept.shares_to_trade == {"UPRO": -100.0}  # each part of the weight asks all of itself
    assert kept.actions[0] == "0.0% of equity is left after the reserve's moves, below 10.0%"


def test_the_strictest_of_ladder_and_caps_decides() -> None:
    status = under(LONG, 0.3, stop_flight=LADDER, cap=0.5)
    assert status.shares_to_trade == {"UPRO": -500.0}
    assert under(LONG, 0.5, stop_flight=LADDER, cap=0.9).shares_to_trade == {"UPRO": -334.0}


def test_what_a_snapshot_cannot_show_is_noted() -> None:
    status = under(
        with_cash(80_000.0),
        core=(Holding("SP500", 0.1),),
        caps=Caps(risk_share=0.99),
        exits=Exits(max_drawdown=0.2),
        sizing=Trend(),
    )
    assert status.notes == (
        "caps.risk_share needs past prices and is not looked at here",
        "exits depend on when the sleeve was entered and are not looked at here",
        "the sizing rule is not asked: only what the policy forbids is traded",
    )


def test_every_figure_is_plain_for_json() -> None:
    told = under(LONG).as_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told | {
        "actions": [],
        "notes": [],
    }
    assert told["levels"] == {}
    assert (told["single_fund_cap"], told["delta_cap"], told["reserve"]) == (None, None, None)
    levels = under(LONG, stop_flight=LADDER).as_dict()["levels"]
    assert levels == {"warn": 0.6, "derisk": 0.7, "flatten": 0.9, "cut_to": 0.5}


def test_an_account_without_equity_is_closed() -> None:
    status = under(with_cash(-80_000.0), stop_flight=LADDER)
    assert status.verdict == "call"
    assert math.isinf(status.gross_leveraged)
    assert status.actions[0] == "no equity is left; sell the sleeve"
    assert status.shares_to_trade == {"UPRO": -1000.0}
