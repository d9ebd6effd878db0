"""What must hold of an account whatever it holds and whatever the market does."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.end_to_end.accounts import FREE, market_of
from tests.property.lives import PRICEY, Life, Order, Page, PutOrder, enter_put, live, lives

from levsleeve.backtests import event_kinds, state
from levsleeve.backtests.forced import maintenance_test
from levsleeve.backtests.marks import expire, mark
from levsleeve.backtests.measures import measure, net_liquidation
from levsleeve.backtests.orders import (
    affordable,
    available_after,
    available_funds,
    fill_option,
    fill_shares,
)
from levsleeve.backtests.state import Account, new_account
from levsleeve.backtests.steps import open_session, split_fund
from levsleeve.margin.account import closing_part
from levsleeve.margin.rulebook import rulebook

EXAMPLES = settings(max_examples=300)
CARRY = [
    state.DEBIT_INTEREST, state.CREDIT_INTEREST, state.SHORT_REBATE, state.BORROW_FEE,
    state.DISTRIBUTIONS, state.COMMISSION, state.FEES, state.LIQUIDATION,
]  # fmt: skip


def scale(page: Page) -> float:
    """The size of the sums that rounding acts on."""
    held = float((abs(page.shares) * page.marks).sum()) + float(abs(np.prod(page.options)))
    return 1e-9 * max(1.0, abs(float(page.money[0])) + held)


@EXAMPLES
@given(lives())
def test_every_dollar_of_cash_came_from_a_trade_a_fee_a_payment_or_a_settlement(life: Life) -> None:
    before, tape = life.cash, life.market.tape
    for t, page in enumerate(live(life)):
        moved = float(page.flows[CARRY].sum())
        moved -= sum(units * paid for units, paid in page.trades)
        for kind, place, units, price, held, *_ in page.events:
            if kind == event_kinds.LIQUIDATED:
                moved -= units * price
            elif kind == event_kinds.OPTION_EXPIRED:
                moved += units * price
            elif kind == event_kinds.SPLIT and place < len(page.shares):
                moved += (held * tape.splits[t, int(place)] - units) * price
        assert page.measures.cash - before == pytest.approx(moved, abs=10 * scale(page))
        before = page.measures.cash


@EXAMPLES
@given(lives())
def test_flows_explain_equity_and_the_parts_make_it_on_every_session(life: Life) -> None:
    before = life.cash
    for page in live(life):
        flows = float(page.flows.sum() + page.price_flows.sum())
        parts = page.measures.cash + float(page.shares @ page.marks) + float(np.prod(page.options))
        assert page.measures.equity - before == pytest.approx(flows, abs=10 * scale(page))
        assert page.measures.equity == pytest.approx(parts, abs=scale(page))
        before = page.measures.equity


@EXAMPLES
@given(lives())
def test_the_future_does_not_reach_back(life: Life) -> None:
    tape, half = life.market.tape, len(life.market.sessions) // 2
    other = tape._replace(
        closes=tape.closes.copy(), splits=tape.splits.copy(), dividends=tape.dividends.copy(),
        volatility=tape.volatility.copy(), benchmark_rates=tape.benchmark_rates.copy(),
        rules=tape.rules.copy(), overlays=tape.overlays.copy(),
        borrow_rates=tape.borrow_rates.copy(),
    )  # fmt: skip
    other.closes[half:] *= 1.7
    other.splits[half:] = 2.0
    other.dividends[half:] = 3.0
    other.volatility[half:] = 0.9
    other.benchmark_rates[half:] = 0.2
    other.borrow_rates[half:] = 0.5
    other.rules[half:] *= 1.3
    other.overlays[half:] *= 1.3
    changed = replace(life, market=replace(life.market, tape=other))
    for one, two in zip(live(life)[:half], live(changed)[:half], strict=True):
        assert one.measures == two.measures
        assert np.array_equal(one.events, two.events)


# -- the maintenance test --------------------------------------------------------------------------


@st.composite
def holdings(draw: st.DrawFn) -> tuple[Account, Life]:
    """An account with up to three funds, long and short, marked at the first session."""
    multiples = draw(st.lists(st.sampled_from([3, 2, 1, -1, -3]), min_size=1, max_size=3))
    prices = st.sampled_from([0.8, 3.1, 7.77, 41.3, 260.0])
    closes: dict[str, Sequence[float]] = {
        f"SP500?L={m}&D={i}": [draw(prices)] * 3 for i, m in enumerate(multiples)
    }
    terms = draw(st.sampled_from([FREE, PRICEY]))
    life = Life(market_of(closes, rules_as_of=date(2010, 4, 30)), terms, 0.0, (), ())
    account = new_account(draw(st.integers(-300_000, 300_000).map(float)), len(multiples), 1)
    mark(account, life.market.tape, 0, terms)
    for i in range(len(multiples)):
        account.shares[i] = draw(st.integers(-2000, 2000))
    return account, life


@EXAMPLES
@given(holdings())
def test_a_liquidation_cures_or_leaves_nothing_to_liquidate(held: tuple[Account, Life]) -> None:
    account, life = held
    shares = account.shares.copy()
    called = maintenance_test(account, life.market.tape, 0, life.terms)
    excess = measure(account, life.market.tape, 0, life.terms).excess_liquidity
    assert excess >= -1e-6 or not account.shares.any()
    assert called or np.array_equal(shares, account.shares)
    assert (abs(account.shares) <= abs(shares)).all()
    assert (account.shares * shares >= 0).all()


@EXAMPLES
@given(holdings(), st.integers(1, 999))
def test_without_costs_one_share_fewer_would_not_have_cured(
    held: tuple[Account, Life], thousandths: int
) -> None:
    account, life = held
    tape = life.market.tape
    needed = measure(account, tape, 0, FREE).maintenance_margin
    assume(needed > 0.0)
    account.money[state.CASH] = needed * thousandths / 1000.0 - account.shares @ account.marks
    assert maintenance_test(account, tape, 0, FREE)
    assert measure(account, tape, 0, FREE).excess_liquidity >= -1e-6
    events = account.events[: int(account.event_count[0])]
    last = events[events[:, 0] == event_kinds.LIQUIDATED][-1]
    i, back = int(last[1]), -float(np.sign(last[2]))
    account.shares[i] += back
    account.money[state.CASH] -= back * account.marks[i]
    assert measure(account, tape, 0, FREE).excess_liquidity < 0.0


@EXAMPLES
@given(holdings(), st.integers(1, 999))
def test_with_all_costs_one_share_fewer_would_not_have_cured_a_single_fund(
    held: tuple[Account, Life], thousandths: int
) -> None:
    account, life = held
    tape, before = life.market.tape, account.shares[0]
    account.shares[1:] = 0.0
    needed = measure(account, tape, 0, PRICEY).maintenance_margin
    assume(needed > 0.0)
    cash = needed * thousandths / 1000.0 - before * account.marks[0]
    account.money[state.CASH] = cash
    assert maintenance_test(account, tape, 0, PRICEY)
    traded = account.shares[0] - before
    assert traded * before < 0.0
    fewer = traded + float(np.sign(before))
    account.money[:] = [cash, *[0.0] * (account.money.size - 1)]
    account.shares[0] = before
    fill_shares(account, tape, 0, 0, fewer, PRICEY)
    penalty = abs(fewer) * account.marks[0] * PRICEY.liquidation_penalty_rate
    account.money[state.CASH] -= penalty
    assert measure(account, tape, 0, PRICEY).excess_liquidity < 0.0


@EXAMPLES
@given(lives())
def test_a_day_with_trades_ends_with_a_memorandum_above_zero_or_without_shares(life: Life) -> None:
    for page in live(life):
        if page.money[state.TRADED] > 0.0 and page.shares.any():
            assert page.money[state.SPECIAL_MEMORANDUM] >= -scale(page)


# -- the order test --------------------------------------------------------------------------------


@EXAMPLES
@given(holdings(), st.integers(-6000, 6000).map(float))
def test_an_order_is_cut_to_the_most_that_initial_margin_allows(
    held: tuple[Account, Life], wanted: float
) -> None:
    account, life = held
    tape, terms = life.market.tape, life.terms
    allowed = affordable(account, tape, 0, 0, wanted, terms)
    closing = closing_part(account.shares[0], wanted)
    assert abs(closing) <= abs(allowed) <= abs(wanted)
    if allowed != wanted:
        one_more = allowed + np.sign(wanted)
        assert not available_after(account, tape, 0, 0, one_more, 0.0, terms)
    if allowed != closing:
        fill_shares(account, tape, 0, 0, allowed, terms)
        after = measure(account, tape, 0, terms)
        assert after.equity_with_loan_value >= after.initial_margin - 1e-6
        borrows = account.money[state.CASH] < -1e-6 or (account.shares < 0).any()
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
    held: tuple[Account, Life], wanted: float, buffer: float, free: float, fee: float
) -> None:
    account, life = held
    switches = {"buffer_rate": buffer, "free_rate": free, "order_fee_usd": fee}
    rules = rulebook(switches=switches).rules(date(2010, 4, 30))
    tape = life.market.tape._replace(rules=np.tile(rules, (3, 1)))
    before = available_funds(account, tape, 0)
    allowed = affordable(account, tape, 0, 0, wanted, life.terms)
    if allowed != closing_part(account.shares[0], wanted):
        fill_shares(account, tape, 0, 0, allowed, life.terms)
        left = max(0.0, before) * (1.0 - (1.0 - buffer) * (1.0 - free)) + fee
        assert available_funds(account, tape, 0) >= left - 1e-6


@EXAMPLES
@given(holdings(), st.integers(-6000, 6000).map(float))
def test_a_trade_at_the_mark_moves_equity_by_its_costs_alone(
    held: tuple[Account, Life], shares: float
) -> None:
    account, life = held
    before = net_liquidation(account)
    paid = fill_shares(account, life.market.tape, 0, 0, shares, life.terms)
    costs = -float(account.flows.sum())
    assert costs == pytest.approx(account.costs.sum())
    assert costs >= abs(shares) * abs(paid - account.marks[0]) - 1e-6
    assert net_liquidation(account) - before == pytest.approx(-costs, abs=1e-6)


@EXAMPLES
@given(holdings(), st.integers(-6000, 6000).map(float))
def test_a_round_trip_restores_the_account_less_its_costs(
    held: tuple[Account, Life], shares: float
) -> None:
    account, life = held
    cash, before = float(account.money[state.CASH]), account.shares.copy()
    for leg in (shares, -shares):
        fill_shares(account, life.market.tape, 0, 0, leg, life.terms)
    assert np.array_equal(account.shares, before)
    assert account.money[state.CASH] == pytest.approx(cash - account.costs.sum(), abs=1e-6)
    assert account.money[state.CONTRIBUTIONS] == pytest.approx(0.0, abs=1e-6)


# -- splits, flat markets, puts --------------------------------------------------------------------


@EXAMPLES
@given(
    holdings(),
    st.sampled_from([2.0, 3.0, 15.0, 1.5, 0.5, 0.25, 0.2, 0.1, 1.0 / 3.0, 1.0 / 7.0]),
    st.integers(1, 40).map(float),
)
def test_a_split_changes_no_value_of_shares_or_options(
    held: tuple[Account, Life], ratio: float, contracts: float
) -> None:
    account, life = held
    enter_put(account, life, 0, PutOrder(0, 0, contracts, 0.9, 20))
    account.contracts[0] = contracts
    worth = net_liquidation(account)
    option = contracts * 100.0 * account.option_marks[0]
    covered, moneyness = contracts * 100.0, account.strikes[0] / account.marks[0]
    split_fund(account, 0, ratio, 1.0)
    assert net_liquidation(account) == pytest.approx(worth, abs=1e-6)
    stands_for = account.contracts[0] * account.multipliers[0]
    assert stands_for * account.option_marks[0] == pytest.approx(option, abs=1e-6)
    assert stands_for == pytest.approx(covered * ratio)
    assert account.strikes[0] / account.marks[0] == pytest.approx(moneyness)
    assert account.shares[0] == int(account.shares[0])


@EXAMPLES
@given(
    st.lists(st.sampled_from([3, 2, 1, -1, -3]), min_size=1, max_size=3),
    st.sampled_from([2_500.0, 60_000.0]),
    st.lists(
        st.builds(Order, st.integers(0, 5), st.just(0), st.integers(-4000, 4000).map(float)),
        max_size=8,
    ),
    st.sampled_from([4.0, 0.25, 1.5]),
)
def test_a_flat_market_without_rates_and_costs_leaves_wealth_alone(
    multiples: list[int], cash: float, orders: list[Order], ratio: float
) -> None:
    closes: dict[str, Sequence[float]] = {
        f"SP500?L={m}&D={i}": [20.0] * 6 for i, m in enumerate(multiples)
    }
    first = next(iter(closes))
    closes[first] = [20.0] * 3 + [20.0 / ratio] * 3
    market = market_of(closes, splits={first: {3: ratio}}, rules_as_of=date(2010, 4, 30))
    for page in live(Life(market, FREE, cash, orders, ())):
        assert page.measures.equity == pytest.approx(cash, abs=1e-7)
        assert page.measures.excess_liquidity >= -1e-7


@EXAMPLES
@given(
    st.integers(1, 30).map(float),
    st.integers(1, 10),
    st.lists(st.integers(-4, 20), min_size=12, max_size=12),
    st.sampled_from([FREE, PRICEY]),
)
def test_a_put_that_expires_worthless_costs_its_premium_and_its_costs(
    contracts: float, days: int, percents: list[int], terms: state.Terms
) -> None:
    closes = 100.0 * np.cumprod(1.0 + np.array(percents) / 100.0)
    assume(closes.min() > 70.0)
    market = market_of({"UPRO": [100.0, *closes]})
    tape = market.tape
    account = new_account(100_000.0, 1, 1)
    life = Life(market, terms, 100_000.0, (), ())
    mark(account, tape, 0, terms)
    enter_put(account, life, 0, PutOrder(0, 0, contracts, 0.7, days))
    premium = contracts * 100.0 * account.option_marks[0]
    fill_option(account, tape, 0, 0, contracts, terms)
    costs = account.costs.sum()
    account.flows[:] = 0.0
    for t in range(1, len(tape.dates)):
        open_session(account, tape, t, terms)
        mark(account, tape, t, terms)
        expire(account, tape, t, terms)
    assert account.contracts[0] == 0.0
    assert account.money[state.CASH] == pytest.approx(100_000.0 - premium - costs, abs=1e-6)
