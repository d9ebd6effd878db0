"""What an account is charged over months and for options, by hand."""

from datetime import date
from typing import Any

import pytest
from tests.end_to_end.accounts import FREE, events_of, market_of, run_plan

from levsleeve.backtests.forced import maintenance_test
from levsleeve.backtests.measures import excess_liquidity
from levsleeve.backtests.state import CASH, new_account
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.charges import commission_plan

SLOT = "UPRO:put"
OWN = {
    "source": "a broker with low tiers",
    "standing": "assumed",
    "shares": [
        {"up_to_shares": 150, "per_share_usd": 0.10},
        {"up_to_shares": float("inf"), "per_share_usd": 0.01},
    ],
    "minimum_order_usd": 0.0,
    "maximum_fraction": 1.0,
    "clearing_per_share_usd": 0.02,
    "pass_through_fraction": 0.5,
    "options": [
        {"up_to_contracts": 3, "per_contract_usd": [1.0, 1.0, 1.0]},
        {"up_to_contracts": float("inf"), "per_contract_usd": [0.25, 0.25, 0.25]},
    ],
    "option_minimum_order_usd": 0.0,
    "option_premium_usd": [0.05, 0.10],
    "exercise_usd": 7.0,
}
TIERED = FREE._replace(commission=commission_plan("own", {"own": OWN}))


def put(strike: float, expiry: date = date(2019, 12, 20)) -> OptionContract:
    return OptionContract("UPRO", "put", strike, expiry)


def test_shares_of_a_calendar_month_climb_the_tiers_and_the_next_month_begins_below() -> None:
    # Sessions of 27 to 31 May, then 3 June 2019.  Both sides and all funds count.
    closes = [100.0] * 6
    market = market_of({"SP500": closes, "SSO": closes}, start="2019-05-27")
    plan = [
        (0, "SP500", 100, None),  # 28 May: 100 at 10 cents
        (1, "SSO", 100, None),  # 29 May: 50 at 10 cents, 50 at one
        (2, "SP500", -100, None),  # 30 May: 100 at one cent
        (3, "SSO", 100, None),  # 31 May: 100 at one cent
        (4, "SSO", -100, None),  # 3 June: 100 at 10 cents
    ]
    ledger = run_plan(market, plan, cash=50_000.0, terms=TIERED).ledger.frame()
    assert list(ledger["flow:commission"]) == pytest.approx([0.0, -10.0, -5.5, -1.0, -1.0, -10.0])
    assert list(ledger["flow:fees"]) == pytest.approx([0.0, -7.0, -4.75, -2.5, -2.5, -7.0])
    assert ledger["equity"].iloc[-1] == pytest.approx(50_000 - 27.5 - 23.75)


def test_a_liquidation_counts_towards_the_tier_and_pays_its_price() -> None:
    market = market_of({"UPRO": [400.0, 400.0, 100.0, 100.0]})
    broker = run_plan(market, [(0, "UPRO", 300, None)], cash=95_300.0, terms=TIERED)
    ledger = broker.ledger.frame()
    # 150 at 10 cents and 150 at one, half of it once more, and clearing of 6 dollars.
    assert ledger["equity"].iloc[1] == pytest.approx(95_300 - 1.5 * 16.5 - 6.0)
    # 17,230.75 short; a share frees 75 and costs 0.01 x 1.5 + 0.02: 230 of them 17,241.95.
    assert list(events_of(broker, "liquidation")["shares"]) == [-230.0]
    assert ledger["flow:commission"].iloc[2] == pytest.approx(-2.30)
    assert ledger["excess_liquidity"].iloc[2] == pytest.approx(17_241.95 - 17_230.75)


def test_contracts_of_a_calendar_month_climb_the_tiers_and_the_next_month_begins_below() -> None:
    market = market_of({"UPRO": [100.0] * 6}, start="2019-05-27")
    plan: list[tuple[int, str, float, Any]] = [
        (0, SLOT, 2, put(90.0)),  # 28 May: 2 at a dollar
        (1, SLOT, -2, None),  # 29 May: 1 at a dollar, 1 at 25 cents
        (2, SLOT, 4, put(90.0)),  # 30 May: 4 at 25 cents
        (4, SLOT, -4, None),  # 3 June: 3 at a dollar, 1 at 25 cents
    ]
    broker = run_plan(market, plan, cash=50_000.0, terms=TIERED, slots=(SLOT,))
    charged = broker.ledger.frame()["flow:commission"]
    assert list(charged) == pytest.approx([0.0, -2.0, -1.25, -1.0, 0.0, -3.25])


@pytest.mark.parametrize(("last", "charged"), [(80.0, 7.0), (95.0, 0.0)])
def test_an_option_that_expires_in_the_money_costs_an_exercise(last: float, charged: float) -> None:
    market = market_of({"UPRO": [100.0, 100.0, 100.0, 100.0, last, last]})
    plan = [(0, SLOT, 2, put(90.0, date(2019, 6, 7)))]
    ledger = run_plan(market, plan, cash=10_000.0, terms=TIERED, slots=(SLOT,)).ledger.frame()
    assert ledger["flow:commission"].iloc[4] == pytest.approx(-charged)
    settled = ledger["cash"].iloc[4] - ledger["cash"].iloc[3]
    assert settled == pytest.approx(200 * max(90.0 - last, 0.0) - charged)


def test_options_pay_the_exchanges_on_both_sides_and_sec_and_finra_on_sales() -> None:
    # June 2019: 3.79 cents a contract; 20.70 a million and 0.2 cents a contract on the sale.
    market = market_of({"UPRO": [100.0] * 5}, fees=True)
    plan = [(0, SLOT, 10, put(100.0)), (2, SLOT, -10, None)]
    broker = run_plan(market, plan, cash=50_000.0, slots=(SLOT,))
    ledger = broker.ledger.frame()
    sold = events_of(broker, "order_filled")["price"].iloc[1]
    charged = [0.379, 0.379 + 0.02 + 20.70e-6 * 1000 * sold]
    assert list(ledger["flow:fees"]) == pytest.approx([0.0, -charged[0], 0.0, -charged[1], 0.0])
    held = ledger["value:UPRO:put"].iloc[1]
    assert ledger["cash"].iloc[1] == pytest.approx(50_000 - held - charged[0])
    assert ledger["flow:commission"].sum() == 0.0


@pytest.mark.parametrize(("left", "bought"), [(0.0, 5.0), (-0.01, 4.0)])
def test_a_purchase_of_puts_must_leave_room_for_its_fees(left: float, bought: float) -> None:
    market = market_of({"UPRO": [100.0] * 3}, fees=True)
    plan = [(0, SLOT, 5, put(100.0))]
    rich = run_plan(market, plan, cash=50_000.0, slots=(SLOT,))
    needed = 50_000.0 - float(rich.ledger.frame()["cash"].iloc[-1])
    cash = needed + left
    broker = run_plan(market, plan, cash=cash, slots=(SLOT,), on_shortfall="cut")
    assert broker.ledger.frame()["shares:UPRO:put"].iloc[-1] == 100.0 * bought
    assert broker.account.money[CASH] >= -1e-9


@pytest.mark.parametrize(("premium", "sold"), [(0.0003, False), (0.0005, True)])
def test_a_put_that_brings_less_than_its_fees_is_not_sold_by_force(
    premium: float, *, sold: bool
) -> None:
    # Ten contracts bring 30 or 50 cents; the fees of June 2019 are 39.9 cents.
    market = market_of({"UPRO": [100.0] * 2}, fees=True)
    account = new_account(-100.0, 1, 1)
    account.book.contracts[0], account.book.multipliers[0] = 10.0, 100.0
    account.book.option_marks[0] = premium
    assert maintenance_test(
        account, market.tape, 0, FREE, excess_liquidity(account, market.tape, 0)
    )
    assert (account.book.contracts[0] == 0.0) == sold
    brought = 1000 * premium * (1.0 - 20.70e-6) - 0.399 if sold else 0.0
    assert account.money[CASH] == pytest.approx(-100.0 + brought, abs=1e-9)
