"""Options that the account has written: opened, refused, bought back, settled."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.end_to_end.accounts import FREE, events_of, market_of, run_plan, strategy_of

from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.ledger import identity_errors
from levsleeve.instruments.option import OptionContract

SLOT = "UPRO:option"
FLAT = [100.0] * 6
EXPIRY = date(2019, 6, 7)  # the fifth session, number 4
LATER = date(2019, 9, 20)
Plan = list[tuple[int, str, float, Any]]


def option(right: Any, strike: float, expiry: date = LATER, fund: str = "UPRO") -> OptionContract:
    return OptionContract(fund, right, strike, expiry)


def run(closes: list[float], plan: Plan, cash: float, **more: Any) -> MarginBroker:
    return run_plan(market_of({"UPRO": closes}), plan, cash=cash, slots=(SLOT,), **more)


# -- covered calls --------------------------------------------------------------------------------


def test_a_covered_call_asks_nothing_until_it_is_in_the_money() -> None:
    plan: Plan = [(0, "UPRO", 100, None), (1, SLOT, -1, option("call", 110.0))]
    ledger = run([100.0, 100.0, 100.0, 120.0], plan, 10_000.0).ledger.frame()
    premium = ledger["price:UPRO:option"].iloc[2]
    assert ledger["shares:UPRO:option"].iloc[2] == -100.0
    assert ledger["cash"].iloc[2] == pytest.approx(100 * premium)
    assert ledger["equity"].iloc[2] == pytest.approx(10_000.0)
    # Three quarters of the shares; at 120 also the 10 that the call is in the money.
    assert list(ledger["maintenance_margin"].iloc[1:]) == pytest.approx(
        [7_500.0, 7_500.0, 10_000.0]
    )
    # The premium is cash, the call's mark is in equity only.
    assert ledger["equity_with_loan_value"].iloc[3] == pytest.approx(12_000.0 + 100 * premium)


def test_a_call_without_shares_is_uncovered() -> None:
    # 45 % of 100 less the 10 out of the money, above its mark: 35 a share, on 10,000 two contracts.
    plan: Plan = [(0, SLOT, -5, option("call", 110.0))]
    ledger = run(FLAT, plan, 10_000.0, on_shortfall="cut").ledger.frame().iloc[1]
    assert ledger["shares:UPRO:option"] == -200.0
    mark = ledger["price:UPRO:option"]
    assert ledger["maintenance_margin"] == pytest.approx(200 * (35.0 + mark))
    assert ledger["excess_liquidity"] == pytest.approx(10_000.0 - 7_000.0)


@pytest.mark.parametrize(("last", "paid"), [(120.0, 1_000.0), (109.0, 0.0)])
def test_a_written_call_settles_in_cash_at_the_close_of_its_last_day(
    last: float, paid: float
) -> None:
    plan: Plan = [(0, "UPRO", 100, None), (0, SLOT, -1, option("call", 110.0, EXPIRY))]
    broker = run([100.0] * 4 + [last, last], plan, 10_000.0)
    ledger, expired = broker.ledger.frame(), events_of(broker, "option_expired").iloc[0]
    assert ledger["cash"].iloc[4] - ledger["cash"].iloc[3] == pytest.approx(-paid)
    assert list(ledger["shares:UPRO:option"].iloc[3:]) == [-100.0, 0.0, 0.0]
    assert ledger["shares:UPRO"].iloc[-1] == 100.0
    assert (expired["session"], expired["shares"]) == (pd.Timestamp(EXPIRY), -100.0)
    assert expired["price"] == pytest.approx(paid / 100.0)
    assert strategy_of(broker).seen[-1] == (SLOT, "Completed")


# -- puts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_shortfall", "wanted", "written"),
    [("refuse", 2, 2.0), ("refuse", 3, 0.0), ("cut", 3, 2.0)],
)
def test_puts_are_written_as_far_as_available_funds_go(
    on_shortfall: str, wanted: int, written: float
) -> None:
    # 45 % of 100 less the 10 out of the money, above the mark that it brought: 3,500 a contract.
    plan: Plan = [(0, SLOT, -wanted, option("put", 90.0))]
    broker = run(FLAT, plan, 10_000.0, on_shortfall=on_shortfall)
    row = broker.ledger.frame().iloc[1]
    assert row["shares:UPRO:option"] == -100.0 * written
    assert row["excess_liquidity"] == pytest.approx(10_000.0 - 3_500.0 * written)
    told = events_of(broker, "order_refused" if written == 0.0 else "order_cut")
    if wanted != written:
        assert (told["before"].iloc[0], told["after"].iloc[0]) == (-300.0, -100.0 * written)
        why = "available funds do not cover its initial margin and costs"
        assert told["why"].iloc[0] == why


def test_a_put_far_out_of_the_money_asks_a_tenth_of_its_strike_times_the_multiple() -> None:
    # 45 less 40 is less than 30 % of 60: 18 a share.
    row = run(FLAT, [(0, SLOT, -1, option("put", 60.0))], 10_000.0).ledger.frame().iloc[-1]
    mark = row["price:UPRO:option"]
    assert row["maintenance_margin"] == pytest.approx(100 * (18.0 + mark))


def test_below_2000_dollars_of_equity_nothing_is_written() -> None:
    broker = run(FLAT, [(0, SLOT, -1, option("put", 5.0))], 1_900.0)
    assert broker.account.book.contracts[0] == 0.0
    assert len(events_of(broker, "order_refused")) == 1


@pytest.mark.parametrize(("last", "paid"), [(80.0, 2_000.0), (90.0, 0.0), (95.0, 0.0)])
def test_a_written_put_costs_what_it_is_in_the_money_and_no_shares(
    last: float, paid: float
) -> None:
    broker = run([100.0] * 4 + [last], [(0, SLOT, -2, option("put", 90.0, EXPIRY))], 10_000.0)
    ledger = broker.ledger.frame()
    premium = ledger["cash"].iloc[1] - 10_000.0
    assert premium > 0.0
    assert ledger["equity"].iloc[-1] == pytest.approx(10_000.0 + premium - paid)
    assert ledger["cash"].iloc[-1] == ledger["equity"].iloc[-1]
    assert broker.account.book.shares[0] == 0.0
    assert identity_errors(ledger, 10_000.0).abs().to_numpy().max() < 1e-9


def test_a_written_put_that_is_bought_back_leaves_the_difference_of_the_premiums() -> None:
    plan: Plan = [(0, SLOT, -2, option("put", 90.0)), (2, SLOT, 2, None)]
    broker = run([100.0, 100.0, 100.0, 120.0, 120.0], plan, 10_000.0)
    sold, bought = events_of(broker, "order_filled")["price"]
    assert broker.getvalue() == pytest.approx(10_000.0 + 200 * (sold - bought))
    assert broker.ledger.frame()["maintenance_margin"].iloc[-1] == 0.0


# -- calls of the broker --------------------------------------------------------------------------


def called(crash: float, cash: float) -> MarginBroker:
    """Ten shares and two long calls on the index, two written puts on a 3x fund that crashes."""
    market = market_of({"SP500": FLAT, "UPRO": [100.0, 100.0, crash, crash, crash, crash]})
    plan: Plan = [
        (0, "SP500", 10, None),
        (0, "SP500:call", 2, option("call", 50.0, fund="SP500")),
        (0, SLOT, -2, option("put", 90.0)),
    ]
    return run_plan(market, plan, cash=cash, slots=("SP500:call", SLOT))


def test_in_a_call_shares_go_first_written_options_next_and_long_ones_stay() -> None:
    # At 50 each written put asks 27 (three tenths of 90) above its mark of 40 or more.  The shares
    # free 250, the puts 5,400, which is enough; the long calls lend nothing and stay.
    broker = called(50.0, 20_000.0)
    forced = events_of(broker, "liquidation")
    assert list(forced["symbol"]) == ["SP500", f"UPRO {LATER} 90 put"]
    assert list(forced["shares"]) == [-10.0, 200.0]
    assert forced["price"].iloc[1] > 40.0
    assert broker.account.book.contracts.tolist() == [2.0, 0.0]
    assert broker.ledger.frame()["excess_liquidity"].iloc[2] >= 0.0
    assert strategy_of(broker).seen[-1] == ("UPRO:option", "Completed")


def test_long_options_go_last_when_the_rest_was_not_enough() -> None:
    # At 10 the puts cost 80 a share, 16,000: more than the cash.
    broker = called(10.0, 20_000.0)
    symbols = list(events_of(broker, "liquidation")["symbol"])
    assert symbols == ["SP500", f"UPRO {LATER} 90 put", f"SP500 {LATER} 50 call"]
    ledger = broker.ledger.frame()
    assert ledger["cash"].iloc[2] == pytest.approx(ledger["equity"].iloc[2])
    assert not broker.wiped


def test_the_half_spread_is_paid_to_write_an_option_and_to_buy_it_back() -> None:
    terms = FREE._replace(option_spread_rates=np.array([0.05]))
    plan: Plan = [(0, SLOT, -2, option("put", 90.0)), (2, SLOT, 2, None)]
    broker = run(FLAT, plan, 10_000.0, terms=terms)
    sold, bought = events_of(broker, "order_filled")["price"]
    spread = broker.ledger.frame()["flow:spread"]
    # 95 % of the mark is received, 105 % paid.
    assert spread.iloc[1] == pytest.approx(-200 * sold * 0.05 / 0.95)
    assert spread.iloc[3] == pytest.approx(-200 * bought * 0.05 / 1.05)
    assert broker.getvalue() == pytest.approx(10_000.0 + 200 * (sold - bought))
