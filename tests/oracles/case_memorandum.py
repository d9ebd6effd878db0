"""The adapter of cases on the special memorandum account: a running account of the backtests."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from levsleeve.backtests.external import external_flow
from levsleeve.backtests.marks import mark
from levsleeve.backtests.measures import account_scale, equity_with_loan_value
from levsleeve.backtests.orders import fill_shares
from levsleeve.backtests.state import (
    AT_ONCE,
    SPECIAL_MEMORANDUM,
    WHOLE_SHARES,
    Account,
    Terms,
    new_account,
)
from levsleeve.backtests.steps import close_session, open_session
from levsleeve.backtests.tape import CLOSE, Tape, retaped, tape_of
from levsleeve.instruments.borrow_state import BORROW_AVAILABLE
from levsleeve.margin.charges import commission_plan, financing_plan
from levsleeve.margin.house import NO_OVERLAY
from levsleeve.margin.liquidation import in_deficit
from levsleeve.margin.policy import Policy
from levsleeve.margin.schedule import BROAD, margin_rules
from levsleeve.pricing.volatility import volatility_model


def rules_date(given: Mapping[str, Any]) -> date:
    """The day whose rules apply; where none is given, one on which every rule is in force."""
    return date.fromisoformat(given.get("date", "2019-06-03"))


PRICE_USD = 10_000.0
"""Far above every floor in dollars."""


def sma(given: Mapping[str, Any]) -> dict[str, Any]:
    """The account of the backtests, one session an event, each closed with the roll of the day."""
    events = given["events"]
    policy = Policy(end_of_day_initial=given["end_of_day_initial"])
    tape = _tape(len(events) + 1, given["multiple"], rules_date(given), policy)
    for t, event in enumerate(events, start=1):
        grown = 1.0 + (event["return"] if event["event"] == "price_move" else 0.0)
        tape.funds[t:, 0, CLOSE] *= grown
    account = new_account(float(given["start_cash_usd"]), 1, 0)
    account.money[SPECIAL_MEMORANDUM] = float(given["start_sma_usd"])
    account.book.marks[0] = PRICE_USD
    side = {"long": 1.0, "short": -1.0}[given["side"]]
    rolled, compliant = [], []
    for t, event in enumerate(events, start=1):
        kind = event["event"]
        value = float(event["value_usd"]) if kind != "price_move" else 0.0
        if kind in ("dividend_received", "dividend_paid"):
            dividends = tape.dividends.copy()
            dividends[t, 0] = _dividend(account, value, paid=kind == "dividend_paid")
            tape = retaped(tape, dividends=dividends)
        open_session(account, tape, t, FREE)
        mark(account, tape, t, FREE.volatility)
        if kind in ("open", "add", "reduce"):
            shares = value / account.book.marks[0] * (-side if kind == "reduce" else side)
            fill_shares(account, tape, t, 0, shares, FREE)
        elif kind in ("deposit", "withdrawal"):
            external_flow(account, tape, t, value if kind == "deposit" else -value)
        elif kind not in ("price_move", "dividend_received", "dividend_paid"):
            raise ValueError(f"event: {kind}; no such event")
        close_session(account, tape, t, equity_with_loan_value(account, tape, t))
        rolled.append(float(account.money[SPECIAL_MEMORANDUM]))
        compliant.append(not in_deficit(rolled[-1], account_scale(account)))
    return {"special_memorandum_account_usd": rolled, "compliant": compliant}


def _dividend(account: Account, value_usd: float, *, paid: bool) -> float:
    """Dollars per share of a distribution that a long receives or a short pays."""
    held = float(account.book.shares[0])
    if held == 0.0 or (held < 0.0) != paid:
        raise ValueError(f"event: a dividend {'paid' if paid else 'received'} on {held:g} shares")
    return value_usd / abs(held)


NOTHING = financing_plan("ibkr")
FREE = Terms(
    fund_spread_rates=np.zeros(1), option_spread_rates=np.zeros(1),
    option_spread_minimums_usd=np.zeros(1), liquidation_penalty_rate=0.0, share_parts=WHOLE_SHARES,
    call_policy=AT_ONCE, call_sessions=0.0, commission=commission_plan("none"),
    financing=NOTHING._replace(debit_spreads=np.zeros_like(NOTHING.debit_spreads)),
    volatility=volatility_model("vix_standard_skew"),
)  # fmt: skip
"""A broker that charges nothing, at rates of zero."""


def _tape(n: int, multiple: float, on: date, policy: Policy) -> Tape:
    """Sessions of one fund at one price, without rates, fees or splits."""
    nothing, one = np.zeros(n), np.ones((n, 1))
    return tape_of(
        dates=on.toordinal() + np.arange(n, dtype=np.float64), days=np.ones(n),
        benchmark_rates=nothing, bill_rates=nothing, volatility=nothing,
        rules=np.tile(margin_rules(on, policy), (n, 1)), overlays=np.tile(NO_OVERLAY, (n, 1, 1)),
        sale_fees=np.zeros((n, 5)), cash_flows=nothing, opens=one * PRICE_USD,
        highs=one * PRICE_USD, lows=one * PRICE_USD, closes=one * PRICE_USD,
        splits=one.copy(), dividends=one * 0.0,
        multiples=one * multiple, benchmark_classes=one * BROAD, borrow_rates=one * 0.0,
        borrow_states=one * BORROW_AVAILABLE, cost_rates=one * 0.0,
    )  # fmt: skip
