"""One small market under the switches and house rates of a rulebook, with figures by hand."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.end_to_end.accounts import FREE, events_of, market_of, run_plan

from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.market import Market
from levsleeve.backtests.sleeve_market import rulebook_of
from levsleeve.backtests.study import parse_study
from levsleeve.errors import StudyError
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.rulebook import rulebook

SLOT = "UPRO:put"
FLAT = [100.0] * 8
EXPIRY = date(2019, 6, 7)  # the fifth session, number 4
PUT = OptionContract("UPRO", "put", 90.0, EXPIRY)
SETTLED = "special memorandum account below zero"


def market_under(
    switches: dict[str, Any] | None = None,
    closes: Mapping[str, Sequence[float]] | None = None,
    profile: str = "finra",
    **more: Any,
) -> Market:
    """A market of UPRO at 100, unless other closes are given, under a rulebook."""
    return market_of(dict(closes or {"UPRO": FLAT}), book=rulebook(profile, switches), **more)


def hedged(switches: dict[str, Any], puts: int, debit: float) -> MarginBroker:
    """Long 1,000 of a 3x fund that falls from 300 to 100 on session 2, puts struck at 90.

    The puts are worth nothing at 300, so that the account owes ``debit`` from session 1.
    """
    market = market_under(switches, closes={"UPRO": [300.0, 300.0, *FLAT[2:]]})
    plan = [(0, "UPRO", 1_000, None), (0, SLOT, puts, PUT)]
    return run_plan(market, plan, cash=300_000.0 - debit, slots=(SLOT,))


# -- hedge relief ----------------------------------------------------------------------------------


def test_relief_holds_until_the_puts_expire_and_the_account_is_called_that_day() -> None:
    broker = hedged({"hedge_relief": "finra"}, 10, 60_000.0)
    ledger = broker.ledger.frame()
    # 9 of the strike and 10 out of the money a share; 75 once the puts are gone.
    assert list(ledger["cash"].iloc[2:4]) == pytest.approx([-60_000.0] * 2)
    assert list(ledger["maintenance_margin"].iloc[2:4]) == pytest.approx([19_000.0] * 2)
    assert list(ledger["excess_liquidity"].iloc[2:4]) == pytest.approx([21_000.0] * 2)
    assert list(ledger["maintenance_after_expiry"].iloc[2:4]) == pytest.approx([75_000.0] * 2)
    call = events_of(broker, "margin_call").iloc[0]
    assert call["session"] == pd.Timestamp(EXPIRY)
    assert (call["before"], call["after"]) == pytest.approx((-35_000.0, 25.0))
    assert list(events_of(broker, "liquidation")["shares"]) == [-467.0]
    assert ledger["maintenance_margin"].iloc[4] == pytest.approx(533 * 75.0)
    assert ledger["equity"].iloc[4] == pytest.approx(40_000.0)


def test_without_relief_the_same_account_is_called_as_soon_as_it_owes_the_money() -> None:
    broker = hedged({}, 10, 60_000.0)
    call = events_of(broker, "margin_call").iloc[0]
    assert call["session"] == broker.market.sessions[2]
    assert call["before"] == pytest.approx(-35_000.0)
    assert list(events_of(broker, "liquidation")["shares"]) == [-467.0]
    ledger = broker.ledger.frame()
    # What relief would ask of the 533 that are left, and of nothing once the puts are gone.
    assert ledger["maintenance_with_relief"].iloc[2] == pytest.approx(533 * 19.0)
    assert ledger["maintenance_with_relief"].iloc[5] == pytest.approx(533 * 75.0)


def test_a_call_sells_the_shares_that_no_put_covers_first() -> None:
    # At 30 a covered share keeps 9, the others 22.50: 400 of them and 600 under puts keep 14,400.
    market = market_under({"hedge_relief": "finra"}, closes={"UPRO": [100.0] * 3 + [30.0] * 4})
    plan = [(0, "UPRO", 1_000, None), (0, SLOT, 6, PUT)]
    broker = run_plan(market, plan, cash=80_000.0, slots=(SLOT,))
    ledger = broker.ledger.frame()
    equity = 30_000.0 + ledger["cash"].iloc[2]  # what is owed includes the premium
    lacking = 14_400.0 - equity
    assert 4_000.0 < lacking < 9_000.0
    assert events_of(broker, "margin_call")["before"].iloc[0] == pytest.approx(-lacking)
    forced = events_of(broker, "liquidation").iloc[0]
    assert (forced["session"], forced["shares"]) == (market.sessions[3], lacking // -22.5)
    assert 0.0 <= ledger["excess_liquidity"].iloc[3] < 22.5
    assert ledger[f"shares:{SLOT}"].iloc[3] == 600.0


def test_a_sale_by_force_is_a_change_of_position_after_which_the_memorandum_is_looked_at() -> None:
    # The distribution of 25 leaves 25,000 where 30,000 are kept: 167 at 30 cure that.  It left the
    # memorandum 25,000 below zero, which alone bought nothing; a share bought back lends it 50.
    dividends = {"SP500": {2: 25.0}}
    market = market_under(closes={"SP500": FLAT}, dividends=dividends)
    broker = run_plan(market, [(0, "SP500", -1_000, None)], cash=50_000.0)
    forced = events_of(broker, "liquidation")
    assert list(forced["why"]) == ["excess liquidity below zero", SETTLED]
    assert list(forced["shares"]) == [167.0, 333.0]
    assert set(forced["session"]) == {market.sessions[2]}
    row = broker.ledger.frame().iloc[2]
    assert row["special_memorandum_account"] == pytest.approx(0.0, abs=1e-6)


def test_orders_know_no_relief() -> None:
    # 85,000 of equity on 1,000 shares that take 75 each to open, whatever hedges them: 133 more.
    market = market_under({"hedge_relief": "finra"}, closes={"UPRO": [300.0, 300.0, *FLAT[2:]]})
    plan = [(0, "UPRO", 1_000, None), (0, SLOT, 10, PUT), (2, "UPRO", 500, None)]
    broker = run_plan(market, plan, cash=285_000.0, slots=(SLOT,), on_shortfall="cut")
    assert broker.ledger.frame()["shares:UPRO"].iloc[3] == 1_133.0


def test_puts_beyond_nine_months_lend_a_quarter_by_policy() -> None:
    # Bought on 4 June 2019, when nine months reach to 4 March 2020.
    for expiry, part in ((date(2020, 3, 20), 0.25), (date(2020, 2, 21), 0.0)):
        put = OptionContract("UPRO", "put", 90.0, expiry)
        market = market_under({"option_loan_value": "finra"})
        broker = run_plan(market, [(0, SLOT, 5, put)], cash=50_000.0, slots=(SLOT,))
        row = broker.ledger.frame().iloc[1]
        lent = part * row[f"value:{SLOT}"]
        assert row["equity_with_loan_value"] == pytest.approx(row["cash"] + lent)


# -- house rates -----------------------------------------------------------------------------------


def test_a_broker_that_lends_nothing_on_leveraged_funds_lets_none_be_borrowed_for() -> None:
    closes = {"UPRO": FLAT, "SP500": FLAT}
    for symbol, bought in (("UPRO", 100.0), ("SP500", 200.0)):
        market = market_under(profile="retail_100", closes=closes)
        broker = run_plan(market, [(0, symbol, 500, None)], cash=10_000.0, on_shortfall="cut")
        row = broker.ledger.frame().iloc[-1]
        assert row[f"shares:{symbol}"] == bought
    short = run_plan(
        market_under(profile="retail_100"), [(0, "UPRO", -500, None)], cash=10_000.0,
        on_shortfall="cut",
    )  # fmt: skip
    assert short.ledger.frame()["shares:UPRO"].iloc[-1] == -100.0


def test_a_house_that_raises_its_rates_half_way_calls_the_account_that_day() -> None:
    # 1,000 of a 2x fund owing 40,000: 50 % becomes 67.5 %, 112 shares free the 7,500 that lack.
    house = {"kind": "factor", "factor": 1.35, "effective": date(2019, 6, 6)}
    market = market_under({"house": house}, closes={"SSO": FLAT})
    broker = run_plan(market, [(0, "SSO", 1_000, None)], cash=60_000.0)
    ledger = broker.ledger.frame()
    assert list(ledger["maintenance_margin"].iloc[1:3]) == pytest.approx([50_000.0] * 2)
    changed, call = (events_of(broker, kind) for kind in ("rule_change", "margin_call"))
    assert list(changed["session"]) == list(call["session"]) == [pd.Timestamp("2019-06-06")]
    assert (changed["before"].iloc[0], changed["after"].iloc[0]) == (50_000.0, 67_500.0)
    assert changed["why"].iloc[0] == "requirements on shares changed"
    assert (call["before"].iloc[0], call["after"].iloc[0]) == pytest.approx((-7_500.0, 60.0))
    assert list(events_of(broker, "liquidation")["shares"]) == [-112.0]


def test_a_house_rate_that_ends_is_a_change_of_rules_too() -> None:
    house = {"kind": "rate", "long_rate": 0.8, "until": date(2019, 6, 5)}
    broker = run_plan(market_under({"house": house}), [(0, "UPRO", 100, None)], cash=60_000.0)
    changed = events_of(broker, "rule_change")
    assert list(changed["session"]) == [pd.Timestamp("2019-06-06")]
    assert (changed["before"].iloc[0], changed["after"].iloc[0]) == (8_000.0, 7_500.0)


def test_the_increase_of_autumn_2020_reaches_the_ledger_a_twentieth_a_day() -> None:
    market = market_under(profile="ibkr", closes={"SSO": FLAT}, start="2020-10-02")
    ledger = run_plan(market, [(0, "SSO", 100, None)], cash=50_000.0).ledger.frame()
    # Friday 2 October bought on Monday the 5th, the first day of the phase of maintenance.
    expected = [0.0] + [5_000.0 * (1.0 + 0.35 * day / 20.0) for day in range(1, 8)]
    assert list(ledger["maintenance_margin"]) == pytest.approx(expected)


def test_a_house_that_watches_the_reset_trade_calls_the_day_after_a_large_one() -> None:
    # The index falls by 4 %, UPRO by 12: at 88 the 3x fund keeps 75 % and the account 3,000 more
    # than that; a day later, 24 % of assets having been reset, the house asks all of the value.
    closes = {"SP500": [100.0] * 3 + [96.0] * 3, "UPRO": [100.0] * 3 + [88.0] * 3}
    market = market_under(profile="house_flow", closes=closes)
    broker = run_plan(market, [(0, "UPRO", 1_000, None)], cash=81_000.0)
    excess = broker.ledger.frame()["excess_liquidity"]
    assert excess.iloc[3] == pytest.approx(69_000.0 - 66_000.0)
    call = events_of(broker, "margin_call")
    assert list(call["session"]) == [market.sessions[4]]
    assert call["before"].iloc[0] == pytest.approx(69_000.0 - 88_000.0)
    assert list(events_of(broker, "liquidation")["shares"]) == [-216.0]  # 19,000 / 88


def test_a_flat_rate_replaces_the_rules_as_in_leans_tests() -> None:
    # 1,000 buys 2,000 at 1.00; at 0.50 equity is gone, and so are all the shares.
    market = market_under(
        {"flat_rate": 0.5, "minimum_equity_usd": 0.0}, closes={"UPRO": [1.0, 1.0, 2.0, 0.51]}
    )
    broker = run_plan(market, [(0, "UPRO", 2_000, None)], cash=1_000.0)
    ledger = broker.ledger.frame()
    assert list(ledger["maintenance_margin"].iloc[:3]) == [0.0, 1_000.0, 2_000.0]
    # 20 of equity carry 40 dollars of shares: 78 of them.
    assert ledger["shares:UPRO"].iloc[3] == 78.0


# -- the order test and the day's end --------------------------------------------------------------


@pytest.mark.parametrize(("wanted", "left"), [(200, 200.0), (300, 200.0), (400, 200.0)])
def test_an_order_at_the_brokers_initial_is_undone_at_the_close_as_far_as_regulation_t_asks(
    wanted: int, left: float
) -> None:
    # 10,000 carry 400 shares of the index at 25 %, but 200 at the half that the day's end asks.
    market = market_under({"order_initial": "broker"}, closes={"SP500": FLAT})
    broker = run_plan(market, [(0, "SP500", wanted, None)], cash=10_000.0)
    ledger = broker.ledger.frame()
    assert list(events_of(broker, "order_filled")["shares"]) == [float(wanted)]
    assert ledger["shares:SP500"].iloc[1] == left
    calls = events_of(broker, "margin_call")
    if wanted == 200:
        assert calls.empty
        return
    assert calls["why"].iloc[0].startswith(SETTLED)
    assert calls["session"].iloc[0] == market.sessions[1]
    before = 10_000.0 - 50.0 * wanted
    assert (calls["before"].iloc[0], calls["after"].iloc[0]) == pytest.approx((before, 0.0))
    assert calls["price"].iloc[0] == pytest.approx(-before)  # the deposit that would have cured it
    forced = events_of(broker, "liquidation").iloc[0]
    assert (forced["shares"], forced["why"]) == (left - wanted, SETTLED)
    assert ledger["special_memorandum_account"].iloc[1] == pytest.approx(0.0, abs=1e-9)


def test_by_regulation_t_that_order_is_refused() -> None:
    market = market_under(closes={"SP500": FLAT})
    broker = run_plan(market, [(0, "SP500", 300, None)], cash=10_000.0)
    assert list(events_of(broker, "order_refused")["shares"]) == [300.0]
    assert events_of(broker, "margin_call").empty


def test_more_than_the_brokers_initial_is_refused_too() -> None:
    market = market_under({"order_initial": "broker"}, closes={"SP500": FLAT})
    broker = run_plan(market, [(0, "SP500", 401, None)], cash=10_000.0)
    assert list(events_of(broker, "order_refused")["shares"]) == [401.0]


@pytest.mark.parametrize(
    ("symbol", "wanted", "left"),
    [
        ("SP500", 200, 200.0),  # half, as ever
        ("SSO", 150, 100.0),  # a 2x fund takes all of its value overnight
        ("UPRO", 133, 100.0),
        ("UPRO", 90, 90.0),
    ],
)
def test_a_legacy_end_of_day_sells_what_the_order_test_let_be_bought(
    symbol: str, wanted: int, left: float
) -> None:
    market = market_under({"end_of_day_initial": "ibkr_legacy"}, closes={symbol: FLAT})
    broker = run_plan(market, [(0, symbol, wanted, None)], cash=10_000.0)
    assert broker.ledger.frame()[f"shares:{symbol}"].iloc[1] == left
    why = list(events_of(broker, "margin_call")["why"].str.split(":").str[0])
    assert why == [SETTLED] * (left < wanted)


def test_the_test_at_the_close_sells_for_its_costs_as_well() -> None:
    # Bought on a day of +10 %, 100 shares more take 5,500 from a memorandum of nothing, but equity,
    # 12,000 less spreads of 200 and 110, lacks only 4,810 of half the 33,000.  A share that goes
    # gives 55 less 1.10: 90 of them, where 88 would do without costs.
    costly = FREE._replace(fund_spread_rates=np.array([0.01]))
    closes = {"SP500": [100.0, 100.0, 110.0, 110.0]}
    market = market_under({"order_initial": "broker"}, closes=closes)
    plan = [(0, "SP500", 200, None), (1, "SP500", 100, None)]
    broker = run_plan(market, plan, cash=10_000.0, terms=costly)
    assert events_of(broker, "margin_call")["before"].iloc[0] == pytest.approx(-4_810.0)
    assert list(events_of(broker, "liquidation")["shares"]) == [-90.0]
    memorandum = broker.ledger.frame()["special_memorandum_account"]
    assert memorandum.iloc[2] == pytest.approx(90 * 53.9 - 4_810.0)


def test_on_a_day_without_trades_a_negative_memorandum_sells_nothing() -> None:
    # Short the index to the limit; a distribution owed takes the memorandum below zero, and nobody
    # looks at it until a position changes: ten shares bought back at 101 lift it to 5 again.
    market = market_under(
        closes={"SP500": [100.0] * 3 + [101.0] * 5}, dividends={"SP500": {3: 0.5}}
    )
    plan = [(0, "SP500", -1_000, None), (5, "SP500", 10, None)]
    broker = run_plan(market, plan, cash=50_000.0)
    memorandum = broker.ledger.frame()["special_memorandum_account"]
    assert list(memorandum.iloc[1:6]) == pytest.approx([0.0, 0.0, -500.0, -500.0, -500.0])
    assert events_of(broker, "margin_call").empty
    assert memorandum.iloc[6] == pytest.approx(-500.0 + 10 * 50.5)


# -- head-room, minimum equity, portfolio margin ---------------------------------------------------


@pytest.mark.parametrize(
    ("switches", "bought"),
    [
        ({}, 133.0),
        ({"buffer_rate": 0.1}, 120.0),  # 9,000 / 75
        ({"free_rate": 0.25}, 100.0),
        ({"buffer_rate": 0.1, "free_rate": 0.2, "order_fee_usd": 5.0}, 95.0),  # 7,195 / 75
    ],
)
def test_sizing_leaves_the_head_room_of_the_policy(
    switches: dict[str, float], bought: float
) -> None:
    broker = run_plan(
        market_under(switches), [(0, "UPRO", 500, None)], cash=10_000.0, on_shortfall="cut"
    )
    assert broker.ledger.frame()["shares:UPRO"].iloc[1] == bought


@pytest.mark.parametrize(
    ("least", "held"), [(None, 0.0), (0.0, -10.0), (1_500.0, -10.0), (1_501.0, 0.0)]
)
def test_the_least_equity_to_be_short_is_a_switch(least: float | None, held: float) -> None:
    market = market_under({"minimum_equity_usd": least}, closes={"SP500": FLAT})
    broker = run_plan(market, [(0, "SP500", -10, None)], cash=1_500.0)
    assert broker.ledger.frame()["shares:SP500"].iloc[-1] == held


@pytest.mark.parametrize(
    ("cash", "wanted", "held"),
    [
        (150_000.0, 9_000, 6_250.0),  # 24 % of a 3x fund on the S&P 500
        (150_000.0, -9_000, -8_333.0),  # 18 % in a rise
        (90_000.0, 100, 0.0),  # below 100,000 nothing may be opened, paid in full or not
    ],
)
def test_portfolio_margin_lends_more_to_those_who_have_a_hundred_thousand(
    cash: float, wanted: int, held: float
) -> None:
    market = market_under({"margin_mode": "portfolio"})
    broker = run_plan(market, [(0, "UPRO", wanted, None)], cash=cash, on_shortfall="cut")
    row = broker.ledger.frame().iloc[-1]
    assert row["shares:UPRO"] == held
    rate = 0.24 if held > 0.0 else 0.18
    assert row["maintenance_margin"] == pytest.approx(abs(held) * 100.0 * rate)
    assert row["initial_margin"] == row["maintenance_margin"]


def test_portfolio_margin_always_lets_a_position_shrink() -> None:
    market = market_under({"margin_mode": "portfolio"}, closes={"UPRO": [100.0] * 3 + [60.0] * 4})
    plan = [(0, "UPRO", 1_500, None), (4, "UPRO", -100, None), (4, "UPRO", 100, None)]
    broker = run_plan(market, plan, cash=120_000.0)
    assert broker.ledger.frame()["shares:UPRO"].iloc[-1] == 1_400.0
    assert list(events_of(broker, "order_refused")["shares"]) == [100.0]


# -- the rulebook of a study -----------------------------------------------------------------------


def study_with(account: dict[str, Any]) -> Any:
    return parse_study(
        {
            "schema": 1,
            "name": "small",
            "start": date(2008, 1, 2),
            "end": date(2009, 1, 2),
            "rules_as_of": date(2010, 4, 30),
            "account": account,
            "sleeve": [{"name": "a", "strategy": "b"}],
        }
    )


def test_a_studys_account_names_a_profile_and_sets_switches_over_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        "source = 'a letter'\nstanding = 'confirmed'\n[policy]\nhedge_relief = 'finra'\n"
        "order_initial = 'broker'\n",
        encoding="utf-8",
    )
    study = study_with({"profile": "mine.toml", "policy": {"order_initial": "regt"}})
    book = rulebook_of(study, tmp_path / "study.toml")
    assert (book.policy.hedge_relief, book.policy.order_initial) == ("finra", "regt")
    assert book.rules_as_of == date(2010, 4, 30)


@pytest.mark.parametrize(
    ("account", "message"),
    [
        (
            {"profile": "ikbr"},
            "ikbr: no broker profile of that name; known are finra, house_flow, house_volatility, "
            "ibkr, retail_100, scottrade_2010, td_2010, or the path of a TOML file",
        ),
        (
            {"profile": "retail_100", "policy": {"flat_rate": 0.5}},
            "policy: flat_rate: 0.5 replaces the rulebook that the profile's house rates overlay; "
            "a profile without house rates is right",
        ),
    ],
)
def test_a_rulebook_that_cannot_be_is_refused_with_the_study_that_asks_for_it(
    account: dict[str, Any], message: str
) -> None:
    with pytest.raises(StudyError) as refused:
        rulebook_of(study_with(account), Path("backtests/small.toml"))
    assert str(refused.value) == f"backtests/small.toml: account: {message}"


def test_head_room_of_an_order_that_turns_a_short_is_kept_on_the_flat_account() -> None:
    # Short 500 of a 3x at 100 in 110,000 of cash: flat there are 60,000, of which nine tenths buy
    # 720 at 75 each.
    market = market_under({"buffer_rate": 0.1})
    plan = [(0, "UPRO", -500, None), (1, "UPRO", 5_000, None)]
    broker = run_plan(market, plan, cash=60_000.0, on_shortfall="cut")
    assert broker.account.book.shares.tolist() == [720.0]


def test_a_house_that_moves_where_nothing_is_held_is_no_event() -> None:
    house = {"kind": "factor", "factor": 1.35, "effective": date(2019, 6, 6), "above_multiple": 2.5}
    for fund, events in (("SSO", 0), ("UPRO", 1)):
        market = market_under({"house": house}, {fund: FLAT})
        broker = run_plan(market, [(0, fund, 100, None)], cash=50_000.0)
        assert len(events_of(broker, "rule_change")) == events
