"""What must hold of the compiled steps whatever an account holds and whatever it trades."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.end_to_end.accounts import FREE, market_of
from tests.property.accounts.lives import PRICEY

from levsleeve.backtests import event_kinds, state
from levsleeve.backtests.forced import maintenance_test
from levsleeve.backtests.marks import mark
from levsleeve.backtests.measures import excess_liquidity, measure, net_liquidation, slot_price
from levsleeve.backtests.orders import (
    affordable,
    available_after,
    available_funds,
    fill_shares,
)
from levsleeve.backtests.state import EVENT_COUNT, Account, Terms, new_account
from levsleeve.backtests.steps import split_fund
from levsleeve.backtests.tape import Tape, retaped
from levsleeve.margin.account import closing_part
from levsleeve.margin.rulebook import rulebook
from levsleeve.pricing.black_scholes import PUT

EXAMPLES = settings(max_examples=300)


class Held(NamedTuple):
    """An account on the first session of a tape, and its broker's terms."""

    account: Account
    tape: Tape
    terms: Terms


# -- the maintenance test --------------------------------------------------------------------------


@st.composite
def holdings(draw: st.DrawFn) -> Held:
    """An account with up to three funds, long and short, marked at the first session."""
    multiples = draw(st.lists(st.sampled_from([3, 2, 1, -1, -3]), min_size=1, max_size=3))
    prices = st.sampled_from([0.8, 3.1, 7.77, 41.3, 260.0])
    closes: dict[str, Sequence[float]] = {
        f"SP500?L={m}&D={i}": [draw(prices)] * 3 for i, m in enumerate(multiples)
    }
    terms = draw(st.sampled_from([FREE, PRICEY]))
    tape = market_of(closes, rules_as_of=date(2010, 4, 30)).tape
    account = new_account(draw(st.integers(-300_000, 300_000).map(float)), len(multiples), 1)
    mark(account, tape, 0, terms.volatility)
    for i in range(len(multiples)):
        account.book.shares[i] = draw(st.integers(-2000, 2000))
    return Held(account, tape, terms)


def hold_put(held: Held, contracts: float) -> None:
    """Put contracts on the first fund into the empty slot at their model price."""
    account, tape, terms = held
    account.book.contracts[0], account.book.multipliers[0], account.book.rights[0] = (
        contracts,
        100.0,
        PUT,
    )
    account.book.strikes[0] = 0.9 * tape.closes[0, 0]
    account.book.expiries[0] = tape.dates[0] + 20
    account.book.option_marks[0] = slot_price(account, tape, 0, 0, terms.volatility, 0)


@EXAMPLES
@given(holdings())
def test_a_liquidation_cures_or_leaves_nothing_to_liquidate(held: Held) -> None:
    account, tape, terms = held
    shares = account.book.shares.copy()
    called = maintenance_test(account, tape, 0, terms, excess_liquidity(account, tape, 0))
    excess = measure(account, tape, 0, terms.volatility).excess_liquidity
    assert excess >= -1e-6 or not account.book.shares.any()
    assert called or np.array_equal(shares, account.book.shares)
    assert (abs(account.book.shares) <= abs(shares)).all()
    assert (account.book.shares * shares >= 0).all()


@EXAMPLES
@given(holdings(), st.integers(1, 999))
def test_without_costs_one_share_fewer_would_not_have_cured(held: Held, thousandths: int) -> None:
    account, tape, _ = held
    needed = measure(account, tape, 0, FREE.volatility).maintenance_margin
    assume(needed > 0.0)
    account.money[state.CASH] = (
        needed * thousandths / 1000.0 - account.book.shares @ account.book.marks
    )
    assert maintenance_test(account, tape, 0, FREE, excess_liquidity(account, tape, 0))
    assert measure(account, tape, 0, FREE.volatility).excess_liquidity >= -1e-6
    events = account.events[: int(account.money[EVENT_COUNT])]
    last = events[events[:, 0] == event_kinds.LIQUIDATED][-1]
    i, back = int(last[1]), -float(np.sign(last[2]))
    account.book.shares[i] += back
    account.money[state.CASH] -= back * account.book.marks[i]
    assert measure(account, tape, 0, FREE.volatility).excess_liquidity < 0.0


@EXAMPLES
@given(holdings(), st.integers(1, 999))
def test_with_all_costs_one_share_fewer_would_not_have_cured_a_single_fund(
    held: Held, thousandths: int
) -> None:
    account, tape, _ = held
    before = account.book.shares[0]
    account.book.shares[1:] = 0.0
    needed = measure(account, tape, 0, PRICEY.volatility).maintenance_margin
    assume(needed > 0.0)
    cash = needed * thousandths / 1000.0 - before * account.book.marks[0]
    account.money[state.CASH] = cash
    assert maintenance_test(account, tape, 0, PRICEY, excess_liquidity(account, tape, 0))
    traded = account.book.shares[0] - before
    assert traded * before < 0.0
    fewer = traded + float(np.sign(before))
    account.money[:] = [cash, *[0.0] * (account.money.size - 1)]
    account.book.shares[0] = before
    fill_shares(account, tape, 0, 0, fewer, PRICEY)
    penalty = abs(fewer) * account.book.marks[0] * PRICEY.liquidation_penalty_rate
    account.money[state.CASH] -= penalty
    assert measure(account, tape, 0, PRICEY.volatility).excess_liquidity < 0.0


# -- the order test --------------------------------------------------------------------------------


@EXAMPLES
@given(holdings(), st.integers(-6000, 6000).map(float))
def test_an_order_is_cut_to_the_most_that_initial_margin_allows(held: Held, wanted: float) -> None:
    account, tape, terms = held
    allowed = affordable(account, tape, 0, 0, wanted, terms)
    closing = closing_part(account.book.shares[0], wanted)
    assert abs(closing) <= abs(allowed) <= abs(wanted)
    if allowed != wanted:
        one_more = allowed + np.sign(wanted)
        assert not available_after(account, tape, 0, 0, one_more, 0.0, terms)
    if allowed != closing:
        fill_shares(account, tape, 0, 0, allowed, terms)
        after = measure(account, tape, 0, terms.volatility)
        assert after.equity_with_loan_value >= after.initial_margin - 1e-6
        borrows = account.money[state.CASH] < -1e-6 or (account.book.shares < 0).any()
        assert not borrows or after.equity_with_loan_value >= 2000.0 - 1e-6


@EXAMPLES
@given(
    holdings(),
    st.integers(-6000, 6000).map(float),
    st.sampled_from([0.0, 0.05, 0.5]),
    st.sampled_from([0.0, 0.2]),
    st.sampled_from([0.0, 7.0]),
)
def test_an_order_leaves_the_head_room_of_the_policy(
    held: Held, wanted: float, buffer: float, free: float, fee: float
) -> None:
    account, tape, terms = held
    switches = {"buffer_rate": buffer, "free_rate": free, "order_fee_usd": fee}
    rules = rulebook(switches=switches).rules(date(2010, 4, 30))
    tape = retaped(tape, rules=np.tile(rules, (3, 1)))
    before = available_funds(account, tape, 0)
    allowed = affordable(account, tape, 0, 0, wanted, terms)
    if allowed != closing_part(account.book.shares[0], wanted):
        fill_shares(account, tape, 0, 0, allowed, terms)
        left = max(0.0, before) * (1.0 - (1.0 - buffer) * (1.0 - free)) + fee
        assert available_funds(account, tape, 0) >= left - 1e-6


@EXAMPLES
@given(holdings(), st.integers(-6000, 6000).map(float))
def test_a_trade_at_the_mark_moves_equity_by_its_costs_alone(held: Held, shares: float) -> None:
    account, tape, terms = held
    before = net_liquidation(account)
    paid = fill_shares(account, tape, 0, 0, shares, terms)
    costs = -float(account.flows.sum())
    assert costs == pytest.approx(account.costs.sum())
    assert costs >= abs(shares) * abs(paid - account.book.marks[0]) - 1e-6
    assert net_liquidation(account) - before == pytest.approx(-costs, abs=1e-6)


@EXAMPLES
@given(holdings(), st.integers(-6000, 6000).map(float))
def test_a_round_trip_restores_the_account_less_its_costs(held: Held, shares: float) -> None:
    account, tape, terms = held
    cash, before = float(account.money[state.CASH]), account.book.shares.copy()
    for leg in (shares, -shares):
        fill_shares(account, tape, 0, 0, leg, terms)
    assert np.array_equal(account.book.shares, before)
    assert account.money[state.CASH] == pytest.approx(cash - account.costs.sum(), abs=1e-6)
    assert account.money[state.CONTRIBUTIONS] == pytest.approx(0.0, abs=1e-6)


# -- splits ----------------------------------------------------------------------------------------


@EXAMPLES
@given(
    holdings(),
    st.sampled_from([2.0, 3.0, 15.0, 1.5, 0.5, 0.25, 0.2, 0.1, 1.0 / 3.0, 1.0 / 7.0]),
    st.integers(1, 40).map(float),
)
def test_a_split_changes_no_value_of_shares_or_options(
    held: Held, ratio: float, contracts: float
) -> None:
    account = held.account
    hold_put(held, contracts)
    worth = net_liquidation(account)
    option = contracts * 100.0 * account.book.option_marks[0]
    covered, moneyness = contracts * 100.0, account.book.strikes[0] / account.book.marks[0]
    split_fund(account, 0, ratio, 1.0)
    assert net_liquidation(account) == pytest.approx(worth, abs=1e-6)
    stands_for = account.book.contracts[0] * account.book.multipliers[0]
    assert stands_for * account.book.option_marks[0] == pytest.approx(option, abs=1e-6)
    assert stands_for == pytest.approx(covered * ratio)
    assert account.book.strikes[0] / account.book.marks[0] == pytest.approx(moneyness)
    assert account.book.shares[0] == int(account.book.shares[0])
