"""What holds for every account snapshot, whatever is held, on whatever date, at whatever price."""

import json
import os
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from levsleeve.errors import AccountError
from levsleeve.what_if.account import AccountAtHand, account_at_hand
from levsleeve.what_if.cure import cure_with, is_called
from levsleeve.what_if.explain import position_lines
from levsleeve.what_if.orders import most_shares, order_accepted
from levsleeve.what_if.reading import read_account
from levsleeve.what_if.status import margin_status
from levsleeve.what_if.triggers import index_trigger, price_trigger

Written = dict[str, Any]

DATES = [date(2005, 1, 3), date(2010, 1, 4), date(2019, 6, 3), date(2026, 7, 1)]
SYMBOLS = ["BULL", "BEAR", "INDEX"]
LEAST_PRICE = 0.0001
STATUSES = 4 if os.environ.get("NUMBA_DISABLE_JIT") == "1" else 30
"""Examples that ask for a whole status: without the compiler each takes seconds."""

prices = st.one_of(st.floats(0.5, 20.0), st.floats(0.5, 500.0)).map(lambda price: round(price, 2))
multiples = st.sampled_from([-3.0, -2.0, -1.0, 1.0, 1.5, 2.0, 3.0, 4.0])
classes = st.sampled_from(["high_cap_broad_based", "broad_based", "narrow"])
sides = st.sampled_from(["long", "short"])
policies = st.fixed_dictionaries(
    {
        "hedge_relief": st.sampled_from(["none", "finra"]),
        "option_loan_value": st.sampled_from(["none", "finra"]),
    },
    optional={
        "short_floor": st.just("scaled"),
        "order_initial": st.just("broker"),
        "end_of_day_initial": st.just("ibkr_legacy"),
        "option_minimum": st.just("unscaled"),
        "collar_rate": st.just("unscaled"),
        "house": st.builds(
            lambda long, short: {"kind": "rate", "long_rate": long, "short_rate": short},
            st.floats(0.0, 1.0),
            st.floats(0.0, 2.0),
        ),
    },
)


@st.composite
def share_holdings(draw: st.DrawFn) -> Written:
    return {
        "fund": draw(st.sampled_from(SYMBOLS)),
        "side": draw(sides),
        "shares": draw(st.one_of(st.integers(1, 3000).map(float), st.floats(0.01, 3000.0))),
    }


@st.composite
def option_holdings(draw: st.DrawFn, on: date, funds: dict[str, Written]) -> Written:
    symbol = draw(st.sampled_from(SYMBOLS))
    strike = funds[symbol]["price_usd"] * draw(st.floats(0.5, 1.5))
    return {
        "option": draw(st.sampled_from(["call", "put"])),
        "fund": symbol,
        "side": draw(sides),
        "contracts": float(draw(st.integers(1, 20))),
        "strike_usd": max(0.01, round(strike, 2)),
        "price_usd": round(draw(st.floats(0.0, 0.3)) * funds[symbol]["price_usd"], 2),
        "expiry_date": str(on + timedelta(days=draw(st.integers(0, 500)))),
    }


@st.composite
def accounts(draw: st.DrawFn, *, options: int = 3) -> Written:
    """A snapshot of up to three funds, four holdings of shares and some options."""
    on = draw(st.sampled_from(DATES))
    funds = {
        symbol: {
            "price_usd": draw(prices), "multiple": draw(multiples), "benchmark": draw(classes),
        }
        for symbol in SYMBOLS
    }  # fmt: skip
    held = draw(st.lists(share_holdings(), max_size=4))
    held += draw(st.lists(option_holdings(on, funds), max_size=options))
    return {
        "date": str(on),
        "cash_usd": round(draw(st.floats(-300_000.0, 500_000.0)), 2),
        "funds": funds,
        "holdings": held,
        "policy": draw(policies),
    }


def at_hand(written: Written) -> AccountAtHand:
    return account_at_hand(read_account(written))


def gross(account: AccountAtHand) -> float:
    """Cash, shares and options without their signs, and a dollar."""
    held = account.positions
    shares = (abs(held.shares) + 2.0 * account.boxed) * held.marks
    options = abs(held.contracts) * held.multipliers * held.option_marks
    return 1.0 + abs(account.cash_usd) + float(shares.sum()) + float(options.sum())


def excess(account: AccountAtHand) -> float:
    return account.figures().excess_liquidity_usd


# --- figures -------------------------------------------------------------------------------------


@given(accounts(), st.randoms(use_true_random=False))
def test_figures_do_not_depend_on_how_a_holding_is_written_down(
    written: Written, random: Any
) -> None:
    pieces = []
    for holding in written["holdings"]:
        key = "contracts" if "option" in holding else "shares"
        half = 0.5 * holding[key]
        pieces += [{**holding, key: half}, {**holding, key: half}]
    random.shuffle(pieces)
    once, twice = at_hand(written), at_hand({**written, "holdings": pieces})
    assert twice.figures().maintenance_margin_usd == pytest.approx(
        once.figures().maintenance_margin_usd, abs=1e-10 * gross(once)
    )
    assert twice.figures().initial_margin_usd == pytest.approx(
        once.figures().initial_margin_usd, abs=1e-10 * gross(once)
    )
    assert twice.figures().net_liquidation_usd == pytest.approx(
        once.figures().net_liquidation_usd, abs=1e-10 * gross(once)
    )


@given(accounts())
def test_the_lines_of_the_positions_add_up_to_the_maintenance_margin(written: Written) -> None:
    account = at_hand(written)
    lines = position_lines(account)
    total = sum(line.requirement_usd for line in lines)
    maintenance = account.figures().maintenance_margin_usd
    assert total == pytest.approx(maintenance, abs=1e-10 * gross(account))
    for line in lines:
        assert line.requirement_usd == sum(part.requirement_usd for part in line.parts)
        assert line.rule
        assert line.source


@given(accounts())
def test_definitions_hold_between_the_figures(written: Written) -> None:
    account = at_hand(written)
    found = account.figures()
    assert found.excess_liquidity_usd == (
        found.equity_with_loan_value_usd - found.maintenance_margin_usd
    )
    assert found.available_funds_usd == found.equity_with_loan_value_usd - found.initial_margin_usd
    assert found.deficiency_usd == max(0.0, -found.excess_liquidity_usd)
    shares = found.long_market_value_usd - found.short_market_value_usd
    assert found.equity_with_loan_value_usd - found.option_loan_value_usd == pytest.approx(
        account.cash_usd + shares, abs=1e-10 * gross(account)
    )
    assert found.end_of_day_initial_usd >= found.initial_margin_usd - 1e-10 * gross(account)


@given(accounts(), st.data())
def test_a_hedge_never_raises_the_requirement(written: Written, data: st.DataObject) -> None:
    account = at_hand(written)
    rounding = 1e-10 * gross(account)
    hedged = account.under_relief(1.0).figures().maintenance_margin_usd
    unhedged = account.under_relief(0.0).figures().maintenance_margin_usd
    assert hedged <= unhedged + rounding
    bought = data.draw(option_holdings(account.on, written["funds"]))
    more = at_hand({**written, "holdings": [*written["holdings"], {**bought, "side": "long"}]})
    asked = account.figures().maintenance_margin_usd
    assert more.figures().maintenance_margin_usd <= asked + rounding


@given(accounts(), st.floats(0.0, 1.5))
def test_a_house_rate_never_lowers_the_requirement(written: Written, rate: float) -> None:
    account = at_hand(written)
    raised = account.under_house_rate(rate).figures()
    assert raised.maintenance_margin_usd >= (
        account.figures().maintenance_margin_usd - 1e-10 * gross(account)
    )


# --- triggers ------------------------------------------------------------------------------------


def moved(written: Written, weights: dict[str, float], move: float) -> AccountAtHand:
    """The account with its funds at other prices and everything else as it was."""
    funds = {
        symbol: {**fund, "price_usd": fund["price_usd"] * (1.0 + weights[symbol] * move)}
        for symbol, fund in written["funds"].items()
    }
    return at_hand({**written, "funds": funds})


def check_trigger(
    written: Written, weights: dict[str, float], move: float | None, farthest: float
) -> None:
    """Zero at the move, and the sign of now on the way to it, or as far as prices stay above 0."""
    account = at_hand(written)
    start, scale = excess(account), gross(account)
    steepest = max(abs(weight) for weight in weights.values())
    end = move if move is not None else farthest / steepest
    worth = [written["funds"][s]["price_usd"] * (1.0 + weights[s] * end) for s in SYMBOLS]
    assume(min(worth) > LEAST_PRICE)
    if move is not None:
        assert abs(excess(moved(written, weights, move))) <= 1e-6 * scale
    for part in (0.3, 0.7, 0.95):
        there = excess(moved(written, weights, part * end))
        assert there * start >= 0.0 or abs(there) <= 1e-9 * scale


@settings(max_examples=60)
@given(accounts(), st.sampled_from(["down", "up"]))
def test_excess_liquidity_is_nothing_at_the_index_move_that_calls(
    written: Written, direction: str
) -> None:
    weights = {symbol: fund["multiple"] for symbol, fund in written["funds"].items()}
    move = index_trigger(at_hand(written), direction).move
    assert move is None or (move <= 0.0 if direction == "down" else move >= 0.0)
    check_trigger(written, weights, move, -0.99 if direction == "down" else 0.99)


@settings(max_examples=60)
@given(accounts(), st.sampled_from(SYMBOLS))
def test_excess_liquidity_is_nothing_at_the_price_that_calls(written: Written, name: str) -> None:
    account = at_hand(written)
    assume(name in [fund.symbol for fund in account.funds])
    move = price_trigger(account, account.place(name)).move
    weights = {symbol: float(symbol == name) for symbol in SYMBOLS}
    check_trigger(written, weights, move, -0.99)


# --- cures and orders ----------------------------------------------------------------------------


def net(written: Written, symbol: str, shares: float, cash: float) -> AccountAtHand:
    """The account with so many shares of one fund in place of what it holds, and that cash."""
    others = [h for h in written["holdings"] if "option" in h or h["fund"] != symbol]
    if shares != 0.0:
        side = "long" if shares > 0.0 else "short"
        others.append({"fund": symbol, "side": side, "shares": abs(shares)})
    return at_hand({**written, "holdings": others, "cash_usd": cash})


@given(accounts(), st.sampled_from(SYMBOLS))
def test_the_shares_that_cure_do_and_one_less_does_not(written: Written, symbol: str) -> None:
    account = at_hand(written)
    i = account.place(symbol)
    held, price = float(account.positions.shares[i]), float(account.positions.marks[i])
    assume(held != 0.0 and account.boxed[i] == 0.0)
    cure = cure_with(account, i)

    def after(shares: float) -> AccountAtHand:
        left = held - shares if held > 0.0 else held + shares
        return net(written, symbol, left, account.cash_usd + (held - left) * price)

    assert is_called(after(cure.shares_to_trade)) is not cure.cures
    assert excess(after(cure.shares_to_trade)) == pytest.approx(
        cure.excess_liquidity_after_usd, abs=1e-9 * gross(account)
    )
    if not is_called(account):
        assert cure.shares_to_trade == 0.0
    elif cure.cures and cure.shares_to_trade >= 1.0:
        whole = float(int(cure.shares_to_trade))
        assert is_called(after(whole - 1.0 if whole == cure.shares_to_trade else whole))
    else:
        assert cure.shares_to_trade == abs(held)


@given(accounts(options=0), st.sampled_from(SYMBOLS), sides)
def test_the_largest_order_is_accepted_and_one_share_more_is_not(
    written: Written, symbol: str, side: str
) -> None:
    account, sign = at_hand(written), 1.0 if side == "long" else -1.0
    i = account.place(symbol)
    assume(account.positions.shares[i] * sign >= 0.0)
    most = most_shares(account, i, short=side == "short")
    assert order_accepted(account, i, sign * most)
    assert not order_accepted(account, i, sign * (most + 1.0))


# --- JSON ----------------------------------------------------------------------------------------


@settings(max_examples=STATUSES)
@given(accounts())
def test_every_status_can_be_written_as_json(written: Written) -> None:
    asked = {
        **written,
        "special_memorandum_account_usd": 0.0,
        "cut_fund": "BULL",
        "move_fund": "BEAR",
        "order": {"fund": "INDEX", "side": "short"},
    }
    answer = margin_status(asked).to_dict()
    text = json.dumps(answer, allow_nan=False)
    assert json.loads(text) == answer


counts = st.one_of(st.floats(5e-324, 1e12), st.sampled_from([5e-324, 1e-9, 1e12]))
large_prices = st.one_of(st.floats(LEAST_PRICE, 1e12), st.sampled_from([LEAST_PRICE, 1e12]))
positive = st.one_of(st.floats(0.0, 1.7e308, exclude_min=True), st.floats(0.01, 2.0))


@st.composite
def extreme_accounts(draw: st.DrawFn) -> Written:
    """A snapshot at the edges of what is read, under a policy without any."""
    funds = {
        symbol: {
            "price_usd": draw(large_prices),
            "multiple": draw(st.sampled_from([-100.0, 5e-324, 3.0, 100.0])),
        }
        for symbol in SYMBOLS[:2]
    }
    option = {
        "option": draw(st.sampled_from(["call", "put"])),
        "fund": "BULL",
        "side": draw(sides),
        "contracts": draw(counts),
        "shares_per_contract": draw(counts),
        "strike_usd": draw(large_prices),
        "price_usd": draw(st.floats(0.0, 1e12)),
        "expiry_date": draw(st.sampled_from(["2019-06-03", "2019-06-04", "9999-12-31"])),
    }
    shares = {"fund": "BEAR", "side": draw(sides), "shares": draw(counts)}
    house = {"kind": "factor", "factor": 1.0 + draw(positive), "long_cap": None}
    policies = [{}, {"flat_rate": draw(positive)}, {"house": house}]
    return {
        "date": "2019-06-03",
        "cash_usd": draw(st.floats(-1e12, 1e12)),
        "funds": funds,
        "holdings": [option, shares, {**shares, "fund": "BULL"}],
        "policy": draw(st.sampled_from(policies)),
        "move_fund": "BULL",
        "cut_fund": "BEAR",
        "order": {"fund": "BEAR", "side": draw(sides)},
    }


def answer_or_refusal(written: Written) -> str:
    try:
        return json.dumps(margin_status(written).to_dict(), allow_nan=False)
    except AccountError as refused:
        return str(refused)


@settings(max_examples=STATUSES)
@given(extreme_accounts())
def test_the_largest_and_smallest_numbers_are_answered_or_refused(written: Written) -> None:
    assert answer_or_refusal(written).startswith(
        ('{"schema": 1', "account: house and flat rates: above 1e+12; fractions of value are right")
    )
