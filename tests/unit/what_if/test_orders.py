from typing import Any

import pytest
from tests.unit.what_if.accounts import at_hand, fund, option, shares

from levsleeve.what_if.account import AccountAtHand
from levsleeve.what_if.orders import available_for_orders, most_shares, most_value, order_accepted

PLAIN = {"BULL": fund(100.0, 1.0)}
DOUBLE = {"BULL": fund(100.0, 2.0)}


def largest(account: AccountAtHand, *, short: bool = False, fee_usd: float = 0.0) -> float:
    """The largest opening order; one share more must be refused, and itself accepted."""
    most = most_shares(account, 0, short=short, fee_usd=fee_usd)
    sign = -1.0 if short else 1.0
    assert order_accepted(account, 0, sign * most, fee_usd)
    assert not order_accepted(account, 0, sign * (most + 1.0), fee_usd)
    return most


# --- the largest opening order -------------------------------------------------------------------


def test_available_funds_over_the_initial_rate_can_be_opened() -> None:
    # 100,000 over 50 % of a plain fund, 75 % of a 3x, 60 % of a 2x sold short.
    assert largest(at_hand(100_000.0, funds=PLAIN)) == 2000.0
    assert largest(at_hand(100_000.0)) == 1333.0
    assert largest(at_hand(100_000.0, funds=DOUBLE), short=True) == 1666.0
    assert most_value(at_hand(100_000.0), 0, short=False) == pytest.approx(400_000.0 / 3.0)


def test_what_is_held_has_used_its_part() -> None:
    account = at_hand(-20_000.0, shares(1000))
    assert available_for_orders(account) == 5_000.0
    assert largest(account) == 66.0


def test_a_fee_and_the_head_room_of_the_policy_are_left_alone() -> None:
    account = at_hand(100_000.0, funds=PLAIN)
    assert largest(account, fee_usd=50.0) == 1999.0
    policy = {"buffer_rate": 0.1, "free_rate": 0.2, "order_fee_usd": 40.0}
    roomy = at_hand(100_000.0, funds=PLAIN, policy=policy)
    # 100,000 x 0.9 x 0.8 - 40 = 71,960, over 50 a share.
    assert most_shares(roomy, 0, short=False) == 1439.0


def test_the_time_of_trade_test_of_a_broker_opens_twice_as_much_of_a_plain_fund() -> None:
    account = at_hand(100_000.0, funds=PLAIN, policy={"order_initial": "broker"})
    assert largest(account) == 4000.0


def test_nothing_is_opened_in_a_call() -> None:
    account = at_hand(-60_000.0, shares(1000))
    assert most_value(account, 0, short=False) == 0.0
    assert most_shares(account, 0, short=False) == 0.0


def test_the_other_side_is_closed_first() -> None:
    # 100 long of a 2x on 10,000 of equity; flat, 10,000 open 166 short at 60 each.
    account = at_hand(0.0, shares(100), funds=DOUBLE)
    assert most_shares(account, 0, short=True) == 166.0
    assert order_accepted(account, 0, -266.0)
    assert not order_accepted(account, 0, -267.0)


def test_below_the_least_equity_cash_buys_what_it_pays_and_nothing_is_sold_short() -> None:
    account = at_hand(1_550.0, funds=PLAIN)
    assert largest(account) == 15.0
    assert largest(account, fee_usd=60.0) == 14.0
    assert most_shares(account, 0, short=True) == 0.0


def test_below_the_least_equity_a_fund_that_replaces_a_short_is_paid_in_full() -> None:
    # 10 short at 100 with 2,550: flat there are 1,550, which pay for 15.
    account = at_hand(2_550.0, shares(-10), funds=PLAIN)
    assert most_shares(account, 0, short=False) == 15.0


def test_below_the_least_equity_nothing_is_bought_beside_a_short_of_another_fund() -> None:
    funds = {"BULL": fund(100.0, 1.0), "OTHER": fund(10.0, 1.0)}
    account = at_hand(1_550.0, shares(-1, "OTHER"), funds=funds)
    assert most_shares(account, account.place("BULL"), short=False) == 0.0


def test_the_least_equity_is_a_switch() -> None:
    account = at_hand(1_550.0, funds=PLAIN, policy={"minimum_equity_usd": 0.0})
    assert largest(account) == 31.0


# --- one order -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [-1.0, -999.0, -1000.0])
def test_what_only_shrinks_a_position_passes_in_a_call_too(ordered: float) -> None:
    assert order_accepted(at_hand(-99_000.0, shares(1000)), 0, ordered, 500.0)


def test_a_flip_through_zero_is_tested_on_the_whole_new_position() -> None:
    # Equity 10,000: 111 short at 90 each pass, 112 do not.
    account = at_hand(0.0, shares(100))
    assert order_accepted(account, 0, -211.0)
    assert not order_accepted(account, 0, -212.0)


def test_a_fee_can_be_what_an_order_fails_by() -> None:
    account = at_hand(75_000.0)
    assert order_accepted(account, 0, 1000.0)
    assert not order_accepted(account, 0, 1000.0, 0.01)


def test_a_written_option_asks_the_least_equity_as_a_short_does() -> None:
    # Covered by 100 shares, paid in full, 1,900 of equity.
    funds = {"BULL": fund(10.0, 1.0)}
    held = (shares(100), option("call", -1, 12.0, 0.5))
    assert not order_accepted(at_hand(900.0, *held, funds=funds), 0, 1.0)
    assert order_accepted(at_hand(1_000.0, *held, funds=funds), 0, 1.0)
    assert order_accepted(at_hand(900.0, shares(100), funds=funds), 0, 1.0)


def test_boxed_shares_take_their_initial_margin_from_what_orders_may_use() -> None:
    # 1,000 of a plain stock at 100 both long and short: the long side asks 50,000 of 100,000 in
    # cash, and half of 1,000 shares at 100 uses the other 50,000.
    funds = {"BOX": fund(100.0, 1.0), "NEW": fund(100.0, 1.0)}
    held = at_hand(100_000.0, shares(1_000, "BOX"), shares(-1_000, "BOX"), funds=funds)
    new = held.place("NEW")
    assert held.figures().available_funds_usd == pytest.approx(50_000.0)
    assert most_shares(held, new, short=False) == 1_000.0
    assert order_accepted(held, new, 1_000.0)
    assert not order_accepted(held, new, 1_001.0)


@pytest.mark.parametrize(
    ("policy", "maintenance"),
    [
        ({}, 500.0),  # 5 % of the long value
        ({"flat_rate": 0.8}, 8_000.0),
        ({"margin_mode": "portfolio"}, 3_000.0),  # 10 % x 3
        ({"house": {"kind": "rate", "long_rate": 1.0, "short_rate": 1.0}}, 500.0),
    ],
)
def test_boxed_shares_keep_a_twentieth_unless_another_book_replaces_the_rules(
    policy: dict[str, Any], maintenance: float
) -> None:
    held = at_hand(100_000.0, shares(100), shares(-100), policy=policy)
    assert held.figures().maintenance_margin_usd == pytest.approx(maintenance)


def test_a_cash_account_buys_what_its_cash_pays_and_sells_nothing_short() -> None:
    held = at_hand(10_000.0, shares(100), policy={"margin_mode": "cash"})
    assert most_shares(held, 0, short=False) == 100.0  # at 100 dollars
    assert most_shares(held, 0, short=True) == 0.0
    assert order_accepted(held, 0, -100.0)
    assert not order_accepted(held, 0, -101.0)
