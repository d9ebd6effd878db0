import json
from typing import Any

import pytest
from tests.unit.what_if.accounts import account, fund, option, shares

from levsleeve.what_if.status import margin_status

FIGURES = [
    "long_market_value_usd", "short_market_value_usd", "net_liquidation_usd",
    "equity_with_loan_value_usd", "option_loan_value_usd", "maintenance_margin_usd",
    "initial_margin_usd", "end_of_day_initial_usd", "excess_liquidity_usd", "available_funds_usd",
    "deficiency_usd", "utilization", "cushion",
]  # fmt: skip
OUTLOOK = [
    *FIGURES, "called", "call_index_move_down", "call_index_move_up", "call_index_move_method",
    "cure",
]  # fmt: skip
ALWAYS = [
    "schema", "date", "rules_as_of", "profile", "profile_source", "rules", "policy", *OUTLOOK,
    "option_requirement_usd", "cash_beyond_premium_usd", "max_debit_usd", "call_index_move",
    "call_index_move_repriced_down", "call_index_move_repriced_up", "call_prices", "positions",
    "maintenance_with_relief_usd", "maintenance_without_relief_usd", "house_rates", "after_expiry",
    "day_trading", "notes",
]  # fmt: skip
ONLY_HOLDING = [
    "maintenance_per_share_usd", "initial_per_share_usd", "maintenance_rate", "initial_rate",
    "end_of_day_initial_rate", "relief_break_even_strike_usd",
]  # fmt: skip


def answer(cash: float, *holdings: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return margin_status(account(cash, *holdings, **keys)).to_dict()


def without(keys: list[str], found: dict[str, Any]) -> list[str]:
    return [key for key in found if key not in keys]


# --- which keys ----------------------------------------------------------------------------------


def test_some_keys_are_always_there_in_the_same_order() -> None:
    two = (shares(10), option("put", 1, 90.0, 1.0))
    for found in (answer(0.0), answer(-1e6), answer(0.0, *two)):
        assert list(found) == ALWAYS


@pytest.mark.parametrize(
    ("keys", "added"),
    [
        ({"special_memorandum_account_usd": 5.0},
         ["special_memorandum_account_usd", "special_memorandum_account_compliant"]),
        ({"move_fund": "BULL"}, ["call_price_usd", "call_move"]),
        ({"cut_fund": "BULL"},
         ["shares_to_trade", "excess_liquidity_after_usd", "market_value_to_cut_usd",
          "market_value_after_cut_usd", "cures"]),
        ({"order": {"fund": "BULL", "side": "long"}}, ["max_shares", "max_market_value_usd"]),
        ({"order": {"fund": "BULL", "action": "buy", "shares": 1}}, ["order_accepted"]),
    ],
)  # fmt: skip
def test_what_is_asked_is_answered_whether_the_fund_is_held_or_not(
    keys: dict[str, Any], added: list[str]
) -> None:
    assert without(ALWAYS, answer(0.0, **keys)) == added
    assert without([*ALWAYS, *ONLY_HOLDING], answer(0.0, shares(10), **keys)) == added


def test_an_outlook_has_the_same_keys_under_each_assumption() -> None:
    found = answer(0.0, shares(10), option("put", 1, 90.0, 1.0))
    assert list(found["house_rates"]) == ["0.60", "0.80", "1.00"]
    for outlook in (*found["house_rates"].values(), found["after_expiry"]):
        assert list(outlook) == OUTLOOK
    assert list(found["positions"][0]) == [
        "position", "fund", "market_value_usd", "requirement_usd", "rate", "rule", "source",
        "parts",
    ]  # fmt: skip


def test_what_has_no_meaning_is_none_or_empty() -> None:
    found = answer(-100_000.0)
    assert (found["utilization"], found["cushion"], found["after_expiry"]) == (None, None, None)
    assert (found["call_index_move"], found["call_index_move_down"]) == (None, None)
    assert answer(0.0, policy={"flat_rate": 0.5})["house_rates"] == {}
    json.dumps(found, allow_nan=False)


# --- what they say -------------------------------------------------------------------------------


def test_the_rulebook_is_named_with_its_sources() -> None:
    found = answer(0.0, rules_as_of="2010-04-30", date="2005-01-03", policy={"buffer_rate": 0.1})
    assert (found["schema"], found["date"], found["rules_as_of"]) == (1, "2005-01-03", "2010-04-30")
    assert found["profile"] == "finra"
    assert found["profile_source"].startswith("FINRA Rule 4210, Regulatory Notices 09-53 and 09-65")
    assert found["rules"]["shares"].startswith("FINRA Regulatory Notice 09-53")
    assert list(found["rules"]) == ["shares", "options", "portfolio"]
    assert found["policy"]["buffer_rate"] == 0.1
    assert found["policy"]["hedge_relief"] == "none"


def test_a_single_holding_has_its_rates() -> None:
    found = answer(0.0, shares(10), policy={"end_of_day_initial": "ibkr_legacy"})
    assert [found[key] for key in ONLY_HOLDING] == [
        75.0, 75.0, 0.75, 0.75, 1.0, pytest.approx(25.0 / 0.9),
    ]  # fmt: skip
    short = answer(1e5, shares(-10), funds={"BULL": fund(4.0)})
    assert short["maintenance_per_share_usd"] == 4.0
    assert short["relief_break_even_strike_usd"] is None


@pytest.mark.parametrize(
    "holdings",
    [
        (),
        (shares(10), shares(5, "OTHER")),
        (shares(10), shares(-5)),
        (shares(10), option("put", 1, 90.0)),
    ],
)
def test_more_than_one_holding_has_no_one_rate(holdings: tuple[dict[str, Any], ...]) -> None:
    funds = {"BULL": fund(100.0), "OTHER": fund(50.0)}
    assert not set(ONLY_HOLDING) & set(answer(1e5, *holdings, funds=funds))


def test_options_are_told_apart_from_what_they_stand_for() -> None:
    # 1,000 bought for more than nine months lend 250; ten uncovered calls ask 49 a share, 4 of it
    # their mark.
    found = answer(
        1e6,
        option("put", 2, 90.0, 5.0, expiry="2020-12-18"),
        option("call", -10, 100.0, 4.0),
        policy={"option_loan_value": "finra"},
    )
    assert found["option_requirement_usd"] == 750.0
    assert found["maintenance_margin_usd"] == pytest.approx(49_000.0)
    assert found["cash_beyond_premium_usd"] == pytest.approx(45_000.0)
    assert answer(0.0, shares(1000))["max_debit_usd"] == 25_000.0


def test_relief_is_told_both_ways_boxed_shares_included() -> None:
    holdings = (shares(1200), shares(-200), option("put", 10, 90.0, 1.0))
    for relief, key in (("finra", "with"), ("none", "without")):
        found = answer(0.0, *holdings, policy={"hedge_relief": relief})
        assert found["maintenance_with_relief_usd"] == pytest.approx(19_000.0 + 1_000.0)
        assert found["maintenance_without_relief_usd"] == pytest.approx(75_000.0 + 1_000.0)
        assert found["maintenance_margin_usd"] == found[f"maintenance_{key}_relief_usd"]


def test_the_call_that_was_asked_for_or_the_nearer_one_is_told() -> None:
    # Called at -3.125 % and at +27.5 %: see the triggers.
    options = (option("put", -10, 95.0, 2.0), option("call", -5, 120.0, 1.0))
    funds = {"BULL": fund(100.0, 1.0, "narrow")}

    def told(**keys: Any) -> float:
        return float(answer(20_000.0, *options, funds=funds, **keys)["call_index_move"])

    assert told() == pytest.approx(-0.03125)
    assert told(index_direction="down") == pytest.approx(-0.03125)
    assert told(index_direction="up") == pytest.approx(0.275)


def test_where_there_is_no_call_the_way_that_was_asked_the_other_is_told() -> None:
    for direction in ("down", "up"):
        fallen = answer(-16_000.0, shares(1000), index_direction=direction)
        assert fallen["call_index_move"] == pytest.approx((0.64 - 1.0) / 3.0)
    called = answer(110_000.0, shares(-1000), funds={"BULL": fund(50.0)}, index_direction="down")
    assert called["call_index_move"] == called["call_index_move_up"] > 0.0


def test_a_call_price_is_told_for_every_fund_and_for_the_one_asked_about() -> None:
    funds = {"BULL": fund(80.0), "OTHER": fund(50.0)}
    found = answer(-16_000.0, shares(1000), funds=funds, move_fund="BULL")
    assert found["call_prices"] == {
        "BULL": {
            "call_price_usd": pytest.approx(64.0),
            "call_move": pytest.approx(-0.2),
            "method": "closed form",
        }
    }
    assert found["call_price_usd"] == pytest.approx(64.0)
    other = answer(-16_000.0, shares(1000), funds=funds, move_fund="OTHER")
    assert (other["call_price_usd"], other["call_move"]) == (None, None)


def test_cures_are_told_for_every_fund_and_for_the_one_asked_about() -> None:
    funds = {"BULL": fund(100.0), "OTHER": fund(50.0)}
    found = answer(-60_000.0, shares(1000), funds=funds, cut_fund="BULL")
    assert found["cure"]["BULL"]["shares_to_trade"] == found["shares_to_trade"] == 467.0
    assert found["cures"] is True
    other = answer(-60_000.0, shares(1000), funds=funds, cut_fund="OTHER")
    assert (other["shares_to_trade"], other["cures"]) == (0.0, False)


def test_an_order_is_accepted_or_the_largest_one_is_told() -> None:
    def order(**keys: Any) -> dict[str, Any]:
        return answer(100_000.0, order={"fund": "BULL", **keys})

    assert order(side="long")["max_shares"] == 1333.0
    assert order(side="short", fee_usd=100.0)["max_shares"] == 1110.0
    assert order(side="long")["max_market_value_usd"] == pytest.approx(400_000.0 / 3.0)
    assert order(action="buy", shares=1333)["order_accepted"] is True
    assert order(action="buy", shares=1334)["order_accepted"] is False
    assert order(action="sell", shares=1112)["order_accepted"] is False


# --- the memorandum account and day trading ------------------------------------------------------


@pytest.mark.parametrize(
    ("cash", "before", "after", "compliant"),
    [
        (-20_000.0, 0.0, 5_000.0, True),  # excess over the initial margin lifts it
        (-20_000.0, 9_000.0, 9_000.0, True),  # and a fall never lowers it
        (-60_000.0, 0.0, 0.0, True),
        (-60_000.0, -10.0, -10.0, False),
    ],
)
def test_the_memorandum_account_rolls_to_the_end_of_the_day(
    cash: float, before: float, after: float, *, compliant: bool
) -> None:
    found = answer(cash, shares(1000), special_memorandum_account_usd=before)
    assert found["special_memorandum_account_usd"] == after
    assert found["special_memorandum_account_compliant"] is compliant


@pytest.mark.parametrize(
    ("day", "regime", "powers"),
    [
        ("2010-04-29", "pattern", {"BULL": 400_000.0, "PLAIN": 400_000.0}),
        ("2010-04-30", "pattern", {"BULL": pytest.approx(400_000.0 / 3.0), "PLAIN": 400_000.0}),
        ("2026-06-03", "pattern", {"BULL": pytest.approx(400_000.0 / 3.0), "PLAIN": 400_000.0}),
        ("2026-06-04", "intraday", {}),
    ],
)
def test_day_trading_follows_the_date(day: str, regime: str, powers: dict[str, float]) -> None:
    funds = {"BULL": fund(100.0), "PLAIN": fund(100.0, 1.0)}
    found = answer(100_000.0, funds=funds, date=day)["day_trading"]
    assert (found["regime"], found["buying_power_usd"]) == (regime, powers)
    frozen = answer(100_000.0, funds=funds, date="2026-06-04", rules_as_of=day)["day_trading"]
    assert frozen == found


@pytest.mark.parametrize(
    ("debit", "deficit"),
    [
        (25_000.0, 0.0),
        (28_000.0, 0.0),  # 3,000 short on an equity of 72,000: under 5 % of it
        (30_000.0, 5_000.0),
    ],
)
def test_an_intraday_deficit_above_five_percent_of_equity_is_to_be_cured(
    debit: float, deficit: float
) -> None:
    found = answer(-debit, shares(1000), date="2026-06-04")
    assert found["day_trading"]["intraday_deficit_usd"] == deficit
    before = answer(-debit, shares(1000), date="2026-06-03")
    assert before["day_trading"]["intraday_deficit_usd"] == 0.0
