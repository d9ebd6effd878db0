"""A margin status as plain dicts, lists and numbers: what ``--json`` prints."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from levsleeve.margin.combination import END_OF_DAY, INITIAL_MARGIN, MAINTENANCE
from levsleeve.margin.day_trading import day_trading_buying_power, day_trading_rules
from levsleeve.margin.options import relief_strike
from levsleeve.margin.requirement import (
    special_memorandum_account,
)
from levsleeve.margin.schedule import PORTFOLIO_MODE, rule_source
from levsleeve.what_if.account import AccountAtHand
from levsleeve.what_if.cure import cure_with
from levsleeve.what_if.orders import most_shares, most_value, order_accepted
from levsleeve.what_if.triggers import Trigger

if TYPE_CHECKING:
    from levsleeve.what_if.status import MarginStatus, Outlook


def status_dict(status: "MarginStatus") -> dict[str, Any]:
    """Every number of a status under the names of the account snapshot's answers."""
    account, snapshot = status.account, status.snapshot
    on, profile = account.rules_on, account.rulebook.profile
    return {
        "schema": 1,
        "date": account.on.isoformat(),
        "rules_as_of": on.isoformat(),
        "profile": snapshot.profile,
        "profile_source": f"{profile.source} ({profile.standing})",
        "rules": {kind: rule_source(on, kind) for kind in ("shares", "options", "portfolio")},
        "policy": account.rulebook.policy.model_dump(mode="json"),
        **_outlook(status.now),
        **_option_figures(account),
        **_only_holding(account),
        **_memorandum(status),
        "call_index_move": _asked_move(status),
        "call_index_move_repriced_down": status.repriced[0].move,
        "call_index_move_repriced_up": status.repriced[1].move,
        **_moved_fund(status),
        "call_prices": {
            symbol: _priced(account, symbol, trigger) for symbol, trigger in status.prices.items()
        },
        **_cut_fund(status),
        **_order(status),
        "positions": [
            {**asdict(line), "parts": [asdict(part) for part in line.parts]}
            for line in status.positions
        ],
        "maintenance_with_relief_usd": _maintenance(account.under_relief(1.0)),
        "maintenance_without_relief_usd": _maintenance(account.under_relief(0.0)),
        "house_rates": {
            f"{rate:.2f}": _outlook(outlook) for rate, outlook in status.under_house.items()
        },
        "after_expiry": None if status.after_expiry is None else _outlook(status.after_expiry),
        "day_trading": _day_trading(account),
        "notes": list(status.notes),
    }


def _finite(value: float) -> float | None:
    """A number as JSON can hold it."""
    return value if math.isfinite(value) else None


def _outlook(outlook: "Outlook") -> dict[str, Any]:
    """Figures, triggers and cures of an account under one assumption."""
    figures = {name: _finite(value) for name, value in asdict(outlook.figures).items()}
    return {
        **figures,
        "called": outlook.called,
        "call_index_move_down": outlook.down.move,
        "call_index_move_up": outlook.up.move,
        "call_index_move_method": {"down": outlook.down.method, "up": outlook.up.method},
        "cure": {symbol: asdict(cure) for symbol, cure in outlook.cure.items()},
    }


def _maintenance(account: AccountAtHand) -> float:
    """Dollars of maintenance margin."""
    return account.figures().maintenance_margin_usd


def _asked_move(status: "MarginStatus") -> float | None:
    """The index move the way that was asked for, or the nearest; the other if there is none."""
    down, up = status.now.down.move, status.now.up.move
    if status.snapshot.index_direction == "down":
        return down if down is not None else up
    if status.snapshot.index_direction == "up":
        return up if up is not None else down
    return min((m for m in (down, up) if m is not None), key=abs, default=None)


def _option_figures(account: AccountAtHand) -> dict[str, Any]:
    """What long options ask and what written ones ask beyond their marks, in dollars."""
    held, figures = account.positions, account.figures()
    values = held.contracts * held.multipliers * held.option_marks
    bought, written = float(values[values > 0.0].sum()), float(-values[values < 0.0].sum())
    return {
        "option_requirement_usd": bought - figures.option_loan_value_usd,
        "cash_beyond_premium_usd": figures.maintenance_margin_usd - written,
        "max_debit_usd": figures.long_market_value_usd - figures.maintenance_margin_usd,
    }


def _only_holding(account: AccountAtHand) -> dict[str, Any]:
    """Rates and requirements per share, where a single holding of shares is all there is."""
    held, terms = account.positions, account.terms
    places = np.flatnonzero(held.shares)
    if len(places) != 1 or account.options or account.boxed.any():
        return {}
    i = int(places[0])
    price, short = float(held.marks[i]), bool(held.shares[i] < 0.0)
    maintenance, initial, end_of_day = (
        account.per_share(i, kind, short=short)
        for kind in (MAINTENANCE, INITIAL_MARGIN, END_OF_DAY)
    )
    break_even = None if short else float(relief_strike(price, maintenance, terms.rules))
    return {
        "maintenance_per_share_usd": maintenance,
        "initial_per_share_usd": initial,
        "maintenance_rate": maintenance / price,
        "initial_rate": initial / price,
        "end_of_day_initial_rate": end_of_day / price,
        "relief_break_even_strike_usd": break_even,
    }


def _memorandum(status: "MarginStatus") -> dict[str, Any]:
    """The special memorandum account at the end of this day, if one was given."""
    given = status.snapshot.special_memorandum_account_usd
    if given is None or status.account.terms.rules[PORTFOLIO_MODE] != 0.0:
        return {}
    figures = status.figures
    rolled = special_memorandum_account(
        given, 0.0, figures.equity_with_loan_value_usd, figures.end_of_day_initial_usd
    )
    return {
        "special_memorandum_account_usd": float(rolled),
        "special_memorandum_account_compliant": bool(rolled >= 0.0),
    }


def _priced(account: AccountAtHand, symbol: str, trigger: Trigger) -> dict[str, Any]:
    """The price of a fund at which a call begins or ends, all else fixed."""
    price = float(account.positions.marks[account.place(symbol)])
    move = trigger.move
    return {
        "call_price_usd": None if move is None else price * (1.0 + move),
        "call_move": move,
        "method": trigger.method,
    }


def _moved_fund(status: "MarginStatus") -> dict[str, Any]:
    """The call price of the fund that was asked about; there is none of one that is not held."""
    symbol = status.snapshot.move_fund
    if symbol is None:
        return {}
    trigger = status.prices.get(symbol, Trigger(None, "none"))
    priced = _priced(status.account, symbol, trigger)
    return {key: priced[key] for key in ("call_price_usd", "call_move")}


def _cut_fund(status: "MarginStatus") -> dict[str, Any]:
    """What trading the fund that was asked about would do; nothing, if it is not held."""
    symbol = status.snapshot.cut_fund
    if symbol is None:
        return {}
    return asdict(cure_with(status.account, status.account.place(symbol)))


def _order(status: "MarginStatus") -> dict[str, Any]:
    """Whether the order passes, or how large an opening one may be."""
    order, account = status.snapshot.order, status.account
    fund = status.snapshot.order_fund
    if order is None or fund is None:
        return {}
    i = account.place(fund)
    if order.side is not None:
        short = order.side == "short"
        return {
            "max_shares": most_shares(account, i, short=short, fee_usd=order.fee_usd),
            "max_market_value_usd": most_value(account, i, short=short, fee_usd=order.fee_usd),
        }
    shares = (order.shares or 0.0) * (1.0 if order.action == "buy" else -1.0)
    return {"order_accepted": order_accepted(account, i, shares, order.fee_usd)}


def _day_trading(account: AccountAtHand) -> dict[str, Any]:
    """The day-trading rules of the date, and what they would let each fund be traded for."""
    rules = day_trading_rules(account.rules_on)
    figures = account.figures()
    powers = {}
    for fund in account.funds if rules.regime == "pattern" else ():
        rate = account.day_trading_rate(fund.symbol, scales=rules.scales_with_multiple)
        powers[fund.symbol] = float(day_trading_buying_power(figures.excess_liquidity_usd, rate))
    return {
        **asdict(rules),
        "intraday_deficit_usd": rules.intraday_deficit_usd(
            figures.excess_liquidity_usd, figures.equity_with_loan_value_usd
        ),
        "buying_power_usd": powers,
    }
