from dataclasses import asdict
from typing import Any

import pytest
from tests.unit.what_if.accounts import account, at_hand, fund, option, shares

from levsleeve.errors import AccountError
from levsleeve.what_if.account import account_at_hand
from levsleeve.what_if.reading import read_account

# --- figures -------------------------------------------------------------------------------------


def test_a_long_on_credit_has_the_figures_of_the_definitions() -> None:
    # 1,000 of a 3x at 100 on a debit of 20,000: 75 % to keep and to open.
    assert asdict(at_hand(-20_000.0, shares(1000)).figures()) == {
        "long_market_value_usd": 100_000.0,
        "short_market_value_usd": 0.0,
        "net_liquidation_usd": 80_000.0,
        "equity_with_loan_value_usd": 80_000.0,
        "option_loan_value_usd": 0.0,
        "maintenance_margin_usd": 75_000.0,
        "initial_margin_usd": 75_000.0,
        "end_of_day_initial_usd": 75_000.0,
        "excess_liquidity_usd": 5_000.0,
        "available_funds_usd": 5_000.0,
        "deficiency_usd": 0.0,
        "utilization": 0.9375,
        "cushion": 0.0625,
    }


def test_option_marks_are_in_net_liquidation_and_not_in_equity_with_loan_value() -> None:
    figures = at_hand(
        50_000.0,
        shares(1000),
        shares(-500, "BEAR"),
        option("put", 10, 90.0, 2.5),
        option("call", -5, 110.0, 1.5),
        funds={"BULL": fund(100.0), "BEAR": fund(40.0, -2.0)},
    ).figures()
    # 50,000 + 100,000 - 20,000, and 2,500 bought less 750 written.
    assert figures.net_liquidation_usd == 131_750.0
    assert figures.equity_with_loan_value_usd == 130_000.0
    # 75 % of 100,000 and 60 % of 20,000; the written calls are covered and out of the money.
    assert figures.maintenance_margin_usd == pytest.approx(87_000.0, abs=1e-9)
    assert figures.excess_liquidity_usd == pytest.approx(43_000.0, abs=1e-9)
    assert figures.utilization == pytest.approx(87.0 / 130.0)
    assert figures.cushion == pytest.approx(43.0 / 131.75)


def test_the_requirement_of_a_written_option_holds_its_mark_once() -> None:
    # Uncovered at the money on a 3x of a broad index: 4 + 45 % of 100, for 200 shares.
    figures = at_hand(20_000.0, option("call", -2, 100.0, 4.0)).figures()
    assert figures.maintenance_margin_usd == pytest.approx(9_800.0)
    assert figures.net_liquidation_usd == 19_200.0
    assert figures.excess_liquidity_usd == pytest.approx(10_200.0)


def test_a_plain_fund_needs_half_to_open_and_a_quarter_to_keep() -> None:
    figures = at_hand(0.0, shares(100), funds={"BULL": fund(100.0, 1.0)}).figures()
    assert (figures.maintenance_margin_usd, figures.initial_margin_usd) == (2_500.0, 5_000.0)
    assert (figures.excess_liquidity_usd, figures.available_funds_usd) == (7_500.0, 5_000.0)


def test_the_older_day_end_asks_half_times_the_multiple() -> None:
    figures = at_hand(0.0, shares(100), policy={"end_of_day_initial": "ibkr_legacy"}).figures()
    assert (figures.initial_margin_usd, figures.end_of_day_initial_usd) == (7_500.0, 10_000.0)


def test_a_long_option_lends_a_quarter_beyond_nine_months_where_the_policy_says_so() -> None:
    # 3 March 2020 is nine months to the day, and counts as nine.
    bought = [option("put", 5, 100.0, 10.0, expiry=day) for day in ("2020-03-03", "2020-03-04")]
    lent = at_hand(0.0, *bought, policy={"option_loan_value": "finra"}).figures()
    assert (lent.option_loan_value_usd, lent.equity_with_loan_value_usd) == (1_250.0, 1_250.0)
    assert at_hand(0.0, *bought).figures().equity_with_loan_value_usd == 0.0


def test_without_equity_utilization_and_cushion_are_infinite() -> None:
    figures = at_hand(-100_000.0, shares(1000)).figures()
    assert figures.utilization == float("inf")
    assert figures.cushion == float("-inf")
    assert figures.deficiency_usd == 75_000.0


def test_the_rules_are_those_of_the_date_or_of_the_date_they_are_frozen_at() -> None:
    def maintenance(**keys: str) -> float:
        return at_hand(0.0, shares(100), **keys).figures().maintenance_margin_usd

    assert maintenance(date="2009-11-30") == 2_500.0
    assert maintenance(date="2009-12-01") == 7_500.0
    assert maintenance(date="2009-11-30", rules_as_of="2010-04-30") == 7_500.0


def test_an_account_may_be_dated_on_the_last_day_of_the_calendar() -> None:
    assert at_hand(0.0, shares(100), date="9999-12-31").figures().maintenance_margin_usd == 7_500.0


# --- long and short at once ----------------------------------------------------------------------


def test_boxed_shares_keep_five_percent_and_count_on_both_sides() -> None:
    # 100 long and 60 short of a plain fund at 50: 40 net at 12.50, 60 boxed at 2.50.
    funds = {"BULL": fund(50.0, 1.0)}
    held = at_hand(10_000.0, shares(100), shares(-60), funds=funds)
    figures = held.figures()
    assert held.boxed.tolist() == [60.0]
    assert (figures.long_market_value_usd, figures.short_market_value_usd) == (5_000.0, 3_000.0)
    assert figures.equity_with_loan_value_usd == 12_000.0
    assert figures.maintenance_margin_usd == pytest.approx(650.0)
    assert figures.initial_margin_usd == 2_500.0


def test_a_whole_box_keeps_five_percent_whatever_the_multiple() -> None:
    figures = at_hand(0.0, shares(100), shares(-100)).figures()
    assert figures.maintenance_margin_usd == pytest.approx(500.0)
    assert figures.net_liquidation_usd == 0.0


# --- the account under an assumption -------------------------------------------------------------


def test_relief_is_that_of_the_policy_and_can_be_asked_both_ways() -> None:
    # Ten puts at 90 on 1,000 of a 3x at 100: a tenth of 90 and 10 out of the money, 19 a share.
    holdings = (shares(1000), option("put", 10, 90.0, 1.0))
    hedged = at_hand(-60_000.0, *holdings, policy={"hedge_relief": "finra"})
    assert hedged.figures().maintenance_margin_usd == 19_000.0
    assert hedged.under_relief(0.0).figures().maintenance_margin_usd == 75_000.0
    unhedged = at_hand(-60_000.0, *holdings)
    assert unhedged.figures().maintenance_margin_usd == 75_000.0
    assert unhedged.under_relief(1.0).figures().maintenance_margin_usd == 19_000.0


def test_relief_lowers_maintenance_alone() -> None:
    holdings = (shares(1000), option("put", 10, 90.0, 1.0))
    figures = at_hand(-60_000.0, *holdings, policy={"hedge_relief": "finra"}).figures()
    assert figures.initial_margin_usd == figures.end_of_day_initial_usd == 75_000.0


def test_after_expiry_options_have_settled_at_what_they_are_worth_and_hedge_nothing() -> None:
    hedged = at_hand(
        -60_000.0,
        shares(1000),
        option("put", 10, 103.0, 5.0),
        option("call", -2, 96.0, 6.0),
        option("put", -1, 90.0, 1.0),
        policy={"hedge_relief": "finra"},
    )
    after = hedged.after_expiry()
    # 3 x 1,000 received, 4 x 200 paid, and a written put that dies worthless.
    assert after.cash_usd == -57_800.0
    assert after.options == ()
    assert after.figures().maintenance_margin_usd == 75_000.0
    assert after.figures().net_liquidation_usd == after.figures().equity_with_loan_value_usd


def test_a_box_outlives_the_options() -> None:
    held = at_hand(0.0, shares(100), shares(-100), option("put", 1, 90.0))
    assert held.after_expiry().figures().maintenance_margin_usd == pytest.approx(500.0)


@pytest.mark.parametrize(
    ("rate", "long", "short", "plain"),
    [
        (0.60, 75.0, 90.0, 25.0),  # below the rule: nothing changes
        (0.80, 80.0, 90.0, 25.0),
        (1.00, 100.0, 100.0, 25.0),  # never on a plain fund
    ],
)
def test_a_house_rate_raises_leveraged_funds_on_both_sides(
    rate: float, long: float, short: float, plain: float
) -> None:
    funds = {"BULL": fund(100.0), "BEAR": fund(100.0, -3.0), "INDEX": fund(100.0, 1.0)}
    held = at_hand(0.0, shares(1), shares(-1, "BEAR"), shares(1, "INDEX"), funds=funds)
    figures = held.under_house_rate(rate).figures()
    assert figures.maintenance_margin_usd == pytest.approx(long + short + plain)


def test_a_house_rate_never_lowers_a_dearer_one() -> None:
    house = {"kind": "rate", "short_rate": 1.8}
    held = at_hand(0.0, shares(-1), policy={"house": house})
    assert held.under_house_rate(1.0).figures().maintenance_margin_usd == pytest.approx(180.0)


def test_a_trade_at_the_price_changes_equity_by_its_fee_alone() -> None:
    held = at_hand(-20_000.0, shares(1000))
    after = held.traded(0, -400.0, 7.0)
    assert after.figures().net_liquidation_usd == 79_993.0
    assert after.positions.shares.tolist() == [600.0]
    assert held.positions.shares.tolist() == [1000.0]


# --- where it cannot be margined -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"profile": "house_volatility"},
            "account: volatility_index: missing; the house rate of house_volatility depends on it, "
            "a fraction is right",
        ),
        (
            {"profile": "house_flow"},
            "account: previous_index_return: missing; the house rate of house_flow depends on it, "
            "a fraction is right",
        ),
        (
            {"date": "1980-01-02"},
            "account: the requirement on shares has no entry on 1980-01-02; "
            "the table starts 1990-01-01",
        ),
        (
            {"rules_as_of": "1980-01-02"},
            "account: the requirement on shares has no entry on 1980-01-02; "
            "the table starts 1990-01-01",
        ),
        (
            {"policy": {"flat_rate": 1e308}},
            "account: house and flat rates: above 1e+12; fractions of value are right",
        ),
        (
            {"policy": {"house": {"kind": "rate", "short_rate": 1e13}}},
            "account: house and flat rates: above 1e+12; fractions of value are right",
        ),
        (
            {"policy": {"house": {"kind": "factor", "factor": 1e13, "long_cap": None}}},
            "account: house and flat rates: above 1e+12; fractions of value are right",
        ),
        (
            {"profile": "retail_100", "policy": {"flat_rate": 0.5}},
            "account: policy: flat_rate: 0.5 replaces the rulebook that the profile's house rates "
            "overlay; a profile without house rates is right",
        ),
        (
            {"profile": "elsewhere.toml"},
            "account: elsewhere.toml: no such file; a broker profile is a TOML file",
        ),
    ],
)
def test_what_cannot_be_margined_is_refused_by_name(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(AccountError) as refused:
        account_at_hand(read_account(account(0.0, shares(100), **keys)))
    assert str(refused.value) == message


def test_a_house_rate_that_depends_on_the_market_is_told_its_state() -> None:
    # 75 % x (1 + 0.5 x (0.30 - 0.20) / 0.20) and 75 % x (1 + 0.2 x (0.12 - 0.06) / 0.06).
    volatile = at_hand(0.0, shares(1), profile="house_volatility", volatility_index=0.30)
    assert volatile.figures().maintenance_margin_usd == pytest.approx(93.75)
    flowing = at_hand(0.0, shares(1), profile="house_flow", previous_index_return=-0.02)
    assert flowing.figures().maintenance_margin_usd == pytest.approx(90.0)
