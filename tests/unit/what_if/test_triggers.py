"""Triggers against closed forms by hand, and against a root of the slow rulebook of the oracles."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from scipy.optimize import brentq
from scipy.stats import norm
from tests.oracles import slow_margin as slow
from tests.unit.what_if.accounts import TODAY, account, at_hand, fund, option, shares

from levsleeve.what_if.account import AccountAtHand
from levsleeve.what_if.status import margin_status
from levsleeve.what_if.triggers import Method, Trigger, index_trigger, price_trigger

NONE = Trigger(None, "none")
PLAIN = {"BULL": fund(100.0, 1.0, "narrow")}


def at(expected: float, method: Method) -> Trigger:
    """A trigger that equals those whose move is as expected up to rounding."""
    near: Any = pytest.approx(expected, rel=1e-12)
    return Trigger(near, method)


def both_ways(held: AccountAtHand, *, reprices: bool = False) -> tuple[Trigger, Trigger]:
    down = index_trigger(held, "down", reprices=reprices)
    return down, index_trigger(held, "up", reprices=reprices)


def move(trigger: Trigger) -> float:
    assert trigger.move is not None
    return trigger.move


# --- shares alone: closed forms ------------------------------------------------------------------


def test_a_long_is_called_at_its_debit_over_what_it_may_borrow() -> None:
    # 16,000 / (1,000 x 0.25) = 64: a fall of 20 %, an index fall of a third of that.
    held = at_hand(-16_000.0, shares(1000), funds={"BULL": fund(80.0)})
    assert price_trigger(held, 0) == at(-0.20, "closed form")
    down, up = both_ways(held)
    assert down == at(-0.20 / 3.0, "closed form")
    assert up == NONE


def test_a_short_is_called_at_its_credit_over_what_it_must_keep() -> None:
    # 110,000 / (1,000 x 1.90) = 57.8947.
    held = at_hand(110_000.0, shares(-1000), funds={"BULL": fund(50.0)})
    assert price_trigger(held, 0) == at(110.0 / 1.9 / 50.0 - 1.0, "closed form")
    down, up = both_ways(held)
    assert down == NONE
    assert move(up) == pytest.approx((110.0 / 1.9 / 50.0 - 1.0) / 3.0)


def test_an_inverse_fund_is_called_by_a_rise() -> None:
    # 36,000 of -2x at 50 %, and 80,000 of 2x: equity 50,000, slope of the pair by hand.
    held = at_hand(
        -36_000.0,
        shares(1000),
        shares(200, "BEAR"),
        funds={"BULL": fund(80.0, 2.0), "BEAR": fund(30.0, -2.0)},
    )
    # E = 50,000, requirement 43,000; a move x adds 148,000 x to equity and 74,000 x to it.
    assert move(index_trigger(held, "down")) == pytest.approx(-7_000.0 / 74_000.0)
    bear = at_hand(-4_000.0, shares(200, "BEAR"), funds={"BEAR": fund(30.0, -2.0)})
    # -4,000 + 3,000 (1 - 2 x) = -1,000 already: called, until the index falls by a sixth.
    assert move(index_trigger(bear, "down")) == pytest.approx(-1.0 / 6.0)
    assert index_trigger(bear, "up") == NONE


def test_a_long_without_debit_is_never_called() -> None:
    held = at_hand(0.0, shares(1000))
    assert (*both_ways(held), price_trigger(held, 0)) == (NONE, NONE, NONE)


def test_cash_alone_is_moved_by_nothing() -> None:
    assert both_ways(at_hand(-100.0)) == (NONE, NONE)


def test_an_account_at_its_limit_is_called_by_any_move_against_it_and_by_no_other() -> None:
    held = at_hand(-25_000.0, shares(1000))
    here = Trigger(0.0, "solved")
    assert (*both_ways(held), price_trigger(held, 0)) == (here, NONE, here)
    assert str(both_ways(held)[0].move) == "0.0"


def test_a_called_account_is_told_where_the_call_ends() -> None:
    # 20,000 / (1,000 x 0.25) = 80 from a price of 64.
    held = at_hand(-20_000.0, shares(1000), funds={"BULL": fund(64.0)})
    assert price_trigger(held, 0) == at(0.25, "closed form")
    down, up = both_ways(held)
    assert (down, up) == (NONE, at(0.25 / 3.0, "closed form"))


def test_the_closed_form_and_the_solution_agree() -> None:
    # Two funds that move against each other; a call without price is solved, and changes nothing.
    funds = {"BULL": fund(80.0, 2.0), "SHORT": fund(50.0, 3.0), "BEAR": fund(30.0, -1.0)}
    holdings = (shares(1000), shares(-300, "SHORT"), shares(200, "BEAR"))
    straight = at_hand(-10_000.0, *holdings, funds=funds)
    solved = at_hand(-10_000.0, *holdings, option("call", 1, 90.0, symbol="BEAR"), funds=funds)
    # 6,000 left, and a rise x takes (0.75 x 6,000 + 1.9 x 45,000 - 0.5 x 160,000) x.  In a fall x
    # the 3x is gone at 1/3 and keeps 2.50 a share: 40,000 (1 - 2 x) + 4,500 (1 + x) = 10,750.
    fallen = at(-33_750.0 / 75_500.0, "solved")
    assert both_ways(straight) == (fallen, at(0.6, "closed form"))
    assert both_ways(solved) == (fallen, at(0.6, "solved"))


# --- shares alone: floors and funds that are wiped out -------------------------------------------


@pytest.mark.parametrize(
    ("price", "called_at"),
    [
        (10.0, 12.0),  # the $5 a share: C/N - 5
        (4.0, 4.5),  # all of its value: C / 2N
        (1.0, 1.8),  # the $2.50 a share: C/N - 2.50
        (12.0, 5.5),  # called, and cured where the $5 a share still hold
    ],
)
def test_a_floor_in_dollars_moves_the_call(price: float, called_at: float) -> None:
    credit = {12.0: 17_000.0, 4.5: 9_000.0, 1.8: 4_300.0, 5.5: 10_500.0}[called_at]
    held = at_hand(credit, shares(-1000), funds={"BULL": fund(price, 1.0)})
    found = price_trigger(held, 0)
    assert price * (1.0 + move(found)) == pytest.approx(called_at)
    assert found.method == ("closed form" if price == 4.0 else "solved")


def test_a_fund_that_is_wiped_out_on_the_way_takes_part_no_further() -> None:
    # The 3x is gone at -1/3; from there 75 % of the plain fund's 100,000 stands against 40,000.
    funds = {"BULL": fund(10.0), "INDEX": fund(100.0, 1.0)}
    held = at_hand(-40_000.0, shares(1000), shares(1000, "INDEX"), funds=funds)
    assert index_trigger(held, "down") == at(-7.0 / 15.0, "solved")


def test_an_inverse_fund_is_wiped_out_by_a_rise() -> None:
    # Short the index at 100 on 140,000, with a -3x of 10,000 that is gone at +1/3.
    funds = {"BEAR": fund(10.0, -3.0), "INDEX": fund(100.0, 1.0)}
    held = at_hand(181_000.0, shares(1000, "BEAR"), shares(-1000, "INDEX"), funds=funds)
    # 181,000 - 130,000 (1 + x) = 0
    assert index_trigger(held, "up") == at(51.0 / 130.0, "solved")


def test_a_box_is_called_by_a_rise_of_its_five_percent() -> None:
    # 1,000 long and short: 5 a share to keep at 100; 6,000 of cash last to 120.
    held = at_hand(6_000.0, shares(1000), shares(-1000))
    assert price_trigger(held, 0) == at(0.20, "solved")
    status = margin_status(account(6_000.0, shares(1000), shares(-1000)))
    assert move(status.prices["BULL"]) == pytest.approx(0.20)


def test_of_two_calls_the_nearer_one_is_told() -> None:
    # A written put asks more in a fall, a written call more in a rise.  At 96.875 the puts ask
    # 2 + 19.375 - 1.875 a share, half of them the calls' mark too; at 127.50 it is the calls that
    # ask 1 + 25.50 and the mark of half the puts, the other half 2 + 9.50.
    options = (option("put", -10, 95.0, 2.0), option("call", -5, 120.0, 1.0))
    held = at_hand(20_000.0, *options, funds=PLAIN)
    down, up = both_ways(held)
    assert (down, up) == (at(-0.03125, "solved"), at(0.275, "solved"))
    assert price_trigger(held, 0) == down


# --- with options --------------------------------------------------------------------------------


def test_a_hedged_share_falls_to_a_tenth_of_the_strike_beyond_its_debit() -> None:
    # Below 90 a hedged share keeps 9: called at 60 + 9 = 69, by an index fall of 10.33 %.
    holdings = (shares(1000), option("put", 10, 90.0, 1.0))
    held = at_hand(-60_000.0, *holdings, policy={"hedge_relief": "finra"})
    assert price_trigger(held, 0) == at(-0.31, "solved")
    assert both_ways(held) == (at(-0.31 / 3.0, "solved"), NONE)


def test_a_long_put_without_relief_changes_no_call() -> None:
    plain = at_hand(-16_000.0, shares(1000))
    hedged = at_hand(-16_000.0, shares(1000), option("put", 10, 90.0, 1.0))
    for reprices in (False, True):
        down, _ = both_ways(hedged, reprices=reprices)
        assert move(down) == pytest.approx(move(index_trigger(plain, "down")), rel=1e-12)


def black_scholes(spot: float, strike: float, years: float, volatility: float, right: str) -> float:
    d1 = (math.log(spot / strike) + volatility**2 / 2 * years) / volatility / math.sqrt(years)
    d2 = d1 - volatility * math.sqrt(years)
    call = float(spot * norm.cdf(d1) - strike * norm.cdf(d2))
    return call if right == "call" else call - spot + strike


def slow_excess(cash: float, held: slow.Fund, *, reprices: bool) -> Callable[[float], float]:
    """Excess liquidity after a move of the fund, by the slow rulebook and a Black-Scholes of ours.

    Prices stay above zero in the brackets of these tests.
    """

    def volatility(one: slow.Option) -> float:
        def off(sigma: float) -> float:
            years = one.days / 365.0
            return black_scholes(held.price, one.strike, years, sigma, one.right) - one.mark

        return float(brentq(off, 0.01, 5.0, xtol=1e-14))

    implied = [volatility(one) for one in held.options] if reprices else []

    def excess(moved: float) -> float:
        price, options = held.price * (1.0 + moved), held.options
        if reprices:
            options = tuple(
                replace(
                    one,
                    mark=black_scholes(price, one.strike, one.days / 365.0, sigma, one.right),
                )
                for one, sigma in zip(held.options, implied, strict=True)
            )
        there = replace(held, price=price, options=options)
        return cash + there.shares * price - slow.requirement(there, "maintenance")

    return excess


def first_root(excess: Callable[[float], float], direction: float, farthest: float) -> float | None:
    """The first crossing on a grid of 2 % of the fund's move, refined; None if there is none."""
    here, start = 0.0, excess(0.0)
    while abs(here) < farthest:
        there = here + direction * 0.02
        end = excess(there)
        if (start < 0.0) != (end < 0.0):
            return float(brentq(excess, here, there, xtol=1e-13))
        here, start = there, end
    return None


def lot(right: str, contracts: int, strike: float, mark: float) -> slow.Option:
    return slow.Option(right, contracts, strike, mark, days=46)


def as_written(cash: float, held: slow.Fund) -> AccountAtHand:
    """The slow rulebook's position as a snapshot of ours; the options expire in 46 days."""
    assert held.on == date.fromisoformat(TODAY)
    width = "narrow" if held.narrow else "broad_based"
    options = [option(o.right, o.contracts, o.strike, o.mark) for o in held.options]
    return at_hand(
        cash,
        *([shares(held.shares)] if held.shares else []),
        *options,
        funds={"BULL": fund(held.price, held.multiple, width)},
        policy={"hedge_relief": "finra" if held.switches.relief else "none"},
    )


ON = date.fromisoformat(TODAY)
NORMAL, RELIEF = slow.Switches(), slow.Switches(relief=True)
BOOKS = [  # cash, shares, multiple, switches, options
    pytest.param(
        -40_000.0, 1000, 3.0, NORMAL, [lot("call", -10, 110.0, 2.0)], id="covered call",
    ),
    pytest.param(30_000.0, 0, 1.0, NORMAL, [lot("call", -10, 105.0, 3.0)], id="uncovered call"),
    pytest.param(90_000.0, 0, 3.0, NORMAL, [lot("put", -10, 95.0, 9.0)], id="uncovered put"),
    pytest.param(
        60_000.0, 0, 1.0, NORMAL,
        [lot("put", -10, 95.0, 2.0), lot("call", -10, 105.0, 2.5)], id="strangle",
    ),
    pytest.param(
        9_600.0, 0, 2.0, NORMAL,
        [lot("call", -10, 105.0, 5.0), lot("call", 10, 115.0, 2.5)], id="spread",
    ),
    pytest.param(
        -70_000.0, 1000, 3.0, RELIEF,
        [lot("put", 10, 90.0, 6.0), lot("call", -10, 115.0, 7.0)], id="collar",
    ),
    pytest.param(
        160_000.0, -1000, 2.0, RELIEF,
        [lot("call", 5, 110.0, 4.0), lot("put", -10, 85.0, 3.0)], id="short, half hedged",
    ),
]  # fmt: skip


@pytest.mark.parametrize("reprices", [False, True], ids=["marks fixed", "repriced"])
@pytest.mark.parametrize(("cash", "count", "multiple", "switches", "options"), BOOKS)
def test_the_call_is_the_first_root_of_the_slow_rulebook(
    cash: float,
    count: int,
    multiple: float,
    switches: slow.Switches,
    options: list[slow.Option],
    *,
    reprices: bool,
) -> None:
    held = slow.Fund(count, 100.0, multiple, multiple == 1.0, ON, tuple(options), switches)
    excess = slow_excess(cash, held, reprices=reprices)
    ours = as_written(cash, held)
    assert ours.figures().excess_liquidity_usd == pytest.approx(excess(0.0), abs=1e-6)
    found = both_ways(ours, reprices=reprices)
    for direction, farthest, trigger in zip((-1.0, 1.0), (0.98, 1.5), found, strict=True):
        root = first_root(excess, direction, farthest)
        if root is None:
            assert trigger.move is None or abs(trigger.move) * multiple > farthest
        else:
            assert move(trigger) * multiple == pytest.approx(root, abs=1e-9)


def test_options_on_their_last_day_move_as_their_intrinsic_value() -> None:
    # Ten calls at 100, marked 3: with the mark fixed 3 + 0.2 S = 43 at 200.  Repriced the mark is
    # S - 97, so 1.2 S - 97 = 43 at 116.67.
    held = at_hand(43_000.0, option("call", -10, 100.0, 3.0, expiry=TODAY), funds=PLAIN)
    assert move(index_trigger(held, "up")) == pytest.approx(1.0)
    assert move(index_trigger(held, "up", reprices=True)) == pytest.approx(140.0 / 120.0 - 1.0)


def test_a_mark_that_no_volatility_explains_keeps_its_distance_from_intrinsic_value() -> None:
    # Calls at 90 marked 8 with the fund at 100: 2 below what they are worth.  S - 92 + 0.2 S = 43.
    held = at_hand(43_000.0, option("call", -10, 90.0, 8.0), funds=PLAIN)
    assert move(index_trigger(held, "up", reprices=True)) == pytest.approx(0.125)
    limit = at_hand(28_000.0, option("call", -10, 90.0, 8.0), funds=PLAIN)
    assert index_trigger(limit, "up", reprices=True) == Trigger(0.0, "solved")


def test_no_index_falls_below_nothing() -> None:
    # Half of 1x: called at a fall of 120 % of the index, which there is not.
    held = at_hand(-30.0, shares(1), funds={"BULL": fund(100.0, 0.5)})
    assert both_ways(held)[0] == NONE


def test_an_account_of_nothing_is_called_by_no_move() -> None:
    assert both_ways(at_hand(0.0)) == (NONE, NONE)
