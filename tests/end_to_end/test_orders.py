"""The order test: order by order, costs included; what is cut, refused or never refused."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from tests.end_to_end.accounts import FREE, events_of, market_of, run_plan, strategy_of

from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.state import AFTER_SESSIONS, FRACTIONAL_SHARES
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.charges import commission_plan
from levsleeve.margin.rulebook import rulebook

FLAT = [100.0] * 6
PAIR = market_of({"SP500": FLAT, "SSO": FLAT})  # both take half of their value to open
WIDE = FREE._replace(fund_spread_rates=np.array([0.01]))
FUNDS_SHORT = "available funds do not cover its initial margin and costs"
WHOLE_ONLY = "fractions of a share do not trade"


def held(broker: MarginBroker) -> dict[str, float]:
    return dict(zip(broker.market.symbols, broker.account.book.shares.tolist(), strict=True))


# -- one order after the other --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # 150 cost 150 of spread and take 7,500; 2,350 are left, and the next take 51 each.
        (("SP500", 150), ("SSO", 100), {"SP500": 150.0, "SSO": 46.0}),
        # 100 cost 100 and take 5,000; 4,900 are left for 96.
        (("SSO", 100), ("SP500", 150), {"SP500": 96.0, "SSO": 100.0}),
    ],
)
def test_each_order_is_tested_on_what_those_before_it_left(
    first: tuple[str, int], second: tuple[str, int], expected: dict[str, float]
) -> None:
    plan = [(0, *first, None), (0, *second, None)]
    broker = run_plan(PAIR, plan, cash=10_000.0, terms=WIDE, on_shortfall="cut")
    assert held(broker) == expected
    cut = events_of(broker, "order_cut").iloc[0]
    assert (cut["symbol"], cut["why"]) == (second[0], FUNDS_SHORT)
    assert (cut["before"], cut["after"]) == (second[1], expected[second[0]])


@pytest.mark.parametrize(("cash", "shares"), [(9_976.0, 133.0), (9_975.99, 0.0)])
def test_an_order_passes_with_nothing_to_spare_and_fails_for_a_cent(
    cash: float, shares: float
) -> None:
    # 133 of a 3x fund at 100 take 9,975, and a commission of one dollar.
    terms = FREE._replace(commission=commission_plan("ibkr_fixed"))
    broker = run_plan(market_of({"UPRO": FLAT}), [(0, "UPRO", 133, None)], cash=cash, terms=terms)
    assert held(broker) == {"UPRO": shares}
    if not shares:
        assert events_of(broker, "order_refused")["why"].iloc[0] == FUNDS_SHORT
        assert strategy_of(broker).seen[-1] == ("UPRO", "Margin")


@pytest.mark.parametrize(("wanted", "bought"), [(99, 99.0), (100, 0.0)])
def test_a_partial_sale_frees_funds_for_a_purchase_that_was_placed_before_it(
    wanted: int, bought: float
) -> None:
    # 133 of UPRO take 9,975 of 10,000.  66 less free 4,950, and with the 25 they open 99 of SSO.
    market = market_of({"UPRO": FLAT, "SSO": FLAT})
    plan = [(0, "UPRO", 133, None), (2, "SSO", wanted, None), (2, "UPRO", -66, None)]
    broker = run_plan(market, plan, cash=10_000.0)
    assert held(broker) == {"UPRO": 67.0, "SSO": bought}


def test_an_opening_order_does_not_wait_for_a_sale_of_a_later_session() -> None:
    market = market_of({"UPRO": FLAT, "SSO": FLAT})
    plan = [(0, "UPRO", 133, None), (2, "SSO", 50, None), (3, "UPRO", -66, None)]
    assert held(run_plan(market, plan, cash=10_000.0)) == {"UPRO": 67.0, "SSO": 0.0}


# -- through zero ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_shortfall", "wanted", "left", "status"),
    [
        ("refuse", 233, 133.0, "Completed"),  # 10,000 carry 133 long at 75 each
        ("refuse", 234, 0.0, "Canceled"),  # what closes is never refused
        ("cut", 233, 133.0, "Completed"),
        ("cut", 1_000, 133.0, "Canceled"),
    ],
)
def test_one_order_turns_a_short_of_100_into_a_long(
    on_shortfall: str, wanted: int, left: float, status: str
) -> None:
    market = market_of({"UPRO": FLAT})
    plan = [(0, "UPRO", -100, None), (2, "UPRO", wanted, None)]
    broker = run_plan(market, plan, cash=10_000.0, on_shortfall=on_shortfall)
    assert list(broker.ledger.frame()["shares:UPRO"]) == [0.0, -100.0, -100.0, left, left, left]
    assert strategy_of(broker).seen[-1] == ("UPRO", status)
    assert broker.getposition(broker.data_at(0)).size == left
    cut = events_of(broker, "order_cut")
    assert list(cut["after"]) == ([left + 100.0] if status == "Canceled" else [])


# -- what is never refused ------------------------------------------------------------------------


def test_below_the_initial_margin_nothing_opens_and_everything_may_close() -> None:
    # At 90 equity is 8,000, half of the value 9,000: no call (4,500), and no purchase.
    market = market_of({"SP500": [100.0, 100.0, 90.0, 90.0, 90.0]})
    plan = [(0, "SP500", 200, None), (2, "SP500", 1, None), (3, "SP500", -1, None)]
    broker = run_plan(market, plan, cash=10_000.0)
    assert list(broker.ledger.frame()["shares:SP500"]) == [0.0, 200.0, 200.0, 200.0, 199.0]
    assert list(events_of(broker, "order_refused")["shares"]) == [1.0]


def test_on_an_open_call_nothing_opens_and_everything_may_close() -> None:
    # 300 at 100 on a debit of 24,700 lack 17,200; the call waits.
    waiting = FREE._replace(call_policy=AFTER_SESSIONS, call_sessions=15.0)
    market = market_of({"UPRO": [400.0, 400.0, *FLAT], "SSO": [100.0] * 8})
    plan = [(0, "UPRO", 300, None), (2, "SSO", 1, None), (2, "UPRO", -1, None)]
    plan += [(3, "UPRO", -50, None), (4, "SSO", -1, None)]
    broker = run_plan(market, plan, cash=95_300.0, terms=waiting)
    assert held(broker) == {"UPRO": 249.0, "SSO": 0.0}
    refused = events_of(broker, "order_refused")
    assert list(zip(refused["symbol"], refused["shares"], strict=True)) == [
        ("SSO", 1.0), ("SSO", -1.0),
    ]  # fmt: skip


# -- fractions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "whole", "parts"),
    [(10.7, 10.0, 10.7), (10.12345, 10.0, 10.1234), (-10.12345, -10.0, -10.1234)],
)
def test_a_fraction_that_does_not_trade_is_dropped_and_told(
    wanted: float, whole: float, parts: float
) -> None:
    fractional = FREE._replace(share_parts=FRACTIONAL_SHARES)
    for terms, expected in ((FREE, whole), (fractional, parts)):
        broker = run_plan(PAIR, [(0, "SP500", wanted, None)], cash=10_000.0, terms=terms)
        assert held(broker)["SP500"] == expected
        told = events_of(broker, "order_cut")
        assert len(told) == (wanted != expected)
        if wanted != expected:
            row = told.iloc[0]
            assert (row["before"], row["after"], row["why"]) == (wanted, expected, WHOLE_ONLY)


def test_half_a_share_is_refused_where_whole_ones_trade() -> None:
    broker = run_plan(PAIR, [(0, "SP500", 0.5, None)], cash=10_000.0)
    refused = events_of(broker, "order_refused").iloc[0]
    assert (refused["before"], refused["after"], refused["why"]) == (0.5, 0.0, WHOLE_ONLY)


def test_an_order_in_fractions_is_cut_to_the_ten_thousandth_that_is_paid() -> None:
    # 1,000 dollars, too few to borrow, pay 3.3333 shares at 300.
    terms = FREE._replace(share_parts=FRACTIONAL_SHARES)
    market = market_of({"SP500": [300.0] * 3})
    broker = run_plan(
        market, [(0, "SP500", 10, None)], cash=1_000.0, terms=terms, on_shortfall="cut"
    )
    assert held(broker) == {"SP500": 3.3333}
    assert broker.getcash() == pytest.approx(1_000.0 - 300 * 3.3333)
    assert events_of(broker, "order_cut")["why"].iloc[0] == FUNDS_SHORT


def test_a_position_in_fractions_is_closed_whole() -> None:
    terms = FREE._replace(share_parts=FRACTIONAL_SHARES)
    plan = [(0, "SP500", 10.7, None), (2, "SP500", -10.7, None)]
    broker = run_plan(PAIR, plan, cash=10_000.0, terms=terms)
    assert (held(broker)["SP500"], broker.getcash()) == (0.0, pytest.approx(10_000.0))


# -- spreads --------------------------------------------------------------------------------------


def test_each_fund_has_its_own_spread() -> None:
    terms = FREE._replace(fund_spread_rates=np.array([0.001, 0.01]))
    plan = [(0, "SP500", 10, None), (0, "SSO", 10, None), (2, "SSO", -10, None)]
    broker = run_plan(PAIR, plan, cash=10_000.0, terms=terms)
    assert list(events_of(broker, "order_filled")["price"]) == pytest.approx([100.1, 101.0, 99.0])
    assert list(broker.account.costs) == pytest.approx([1.0, 20.0])
    spread = broker.ledger.frame()["flow:spread"]
    assert list(spread) == pytest.approx([0.0, -11.0, 0.0, -10.0, 0.0, 0.0])


def test_options_on_each_fund_have_their_own_spread_and_least_of_it() -> None:
    # 5 % of the premium on one, at least 9 dollars a share on the other.
    terms = FREE._replace(
        option_spread_rates=np.array([0.05, 0.05]),
        option_spread_minimums_usd=np.array([0.05, 9.0]),
    )
    slots = ("SP500:put", "SSO:put")
    plan: list[tuple[int, str, float, Any]] = [
        (0, f"{fund}:put", 2, OptionContract(fund, "put", 110.0, date(2019, 12, 20)))
        for fund in ("SP500", "SSO")
    ]
    broker = run_plan(PAIR, plan, cash=50_000.0, terms=terms, slots=slots)
    bought = broker.ledger.frame().iloc[1]
    assert bought["price:SP500:put"] > 10.0
    assert broker.account.costs[2] == pytest.approx(0.05 * bought["value:SP500:put"])
    assert broker.account.costs[3] == pytest.approx(200 * 9.0)
    assert bought["equity"] == pytest.approx(50_000.0 - broker.account.costs.sum())


# -- cash accounts --------------------------------------------------------------------------------

CASH_BOOK = rulebook(switches={"margin_mode": "cash"})


@pytest.mark.parametrize(("wanted", "left"), [(100, 100.0), (101, 0.0)])
def test_a_cash_account_buys_what_it_can_pay(wanted: int, left: float) -> None:
    market = market_of({"SP500": FLAT}, book=CASH_BOOK)
    broker = run_plan(market, [(0, "SP500", wanted, None)], cash=10_000.0)
    assert held(broker) == {"SP500": left}
    refused = list(events_of(broker, "order_refused")["why"])
    assert refused == ([] if left else [FUNDS_SHORT])


def test_a_cash_account_sells_what_it_has_and_nothing_short() -> None:
    market = market_of({"SP500": FLAT}, book=CASH_BOOK)
    plan = [(0, "SP500", -10, None), (1, "SP500", 10, None), (3, "SP500", -15, None)]
    broker = run_plan(market, plan, cash=10_000.0, on_shortfall="cut")
    assert list(broker.ledger.frame()["shares:SP500"]) == [0.0, 0.0, 10.0, 10.0, 0.0, 0.0]
    told = [*events_of(broker, "order_refused")["why"], *events_of(broker, "order_cut")["why"]]
    assert told == ["a cash account sells nothing short"] * 2


def test_a_cash_account_is_never_called() -> None:
    market = market_of({"SP500": [100.0, 100.0, 1.0, 100.0]}, book=CASH_BOOK)
    broker = run_plan(market, [(0, "SP500", 100, None)], cash=10_000.0)
    assert events_of(broker, "margin_call").empty
    assert broker.getvalue() == 10_000.0


@pytest.mark.parametrize("right", ["put", "call"])
def test_a_cash_account_writes_no_options_but_buys_them(right: Any) -> None:
    market = market_of({"SP500": FLAT}, book=CASH_BOOK)
    contract = OptionContract("SP500", right, 100.0, date(2019, 12, 20))
    for contracts in (-1, 1):
        broker = run_plan(
            market, [(0, "hedge", contracts, contract)], cash=50_000.0, slots=("hedge",)
        )
        assert broker.account.book.contracts[0] == max(contracts, 0)
        assert len(events_of(broker, "order_refused")) == (contracts < 0)
