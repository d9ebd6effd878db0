"""One small adapter per shape of case: names in, the rulebook's answers out, nothing computed."""

import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
from tests.oracles.case_memorandum import rules_date, sma

from levsleeve.backtests.state import CASH, WHOLE_SHARES, new_account
from levsleeve.backtests.steps import split_fund
from levsleeve.instruments.catalogue import Split, shares_per_starting_share
from levsleeve.instruments.reset import rebalance_trade
from levsleeve.margin.charges import FinancingPlan, commission_plan, financing_plan, sale_fees
from levsleeve.margin.fees import activity_fee, option_commission, section_31_fee, share_commission
from levsleeve.margin.financing import (
    accrued,
    borrow_fee_a_year,
    borrow_mark,
    credit_interest_a_year,
    debit_interest_a_year,
    short_rebate_a_year,
)
from levsleeve.margin.house import NO_OVERLAY
from levsleeve.margin.policy import Policy
from levsleeve.margin.requirement import maintenance_per_share
from levsleeve.margin.schedule import BENCHMARK_CLASSES, margin_rules
from levsleeve.pricing.daily_reset import (
    carry_rate,
    effective_multiple,
    literature_return,
    net_asset_values,
    path_approximation,
)
from levsleeve.what_if.status import margin_status
from levsleeve.what_if.two_ways import Leg, sensitivity, two_ways, two_ways_to_exposure

ACCOUNT_GROUPS = {
    "rates", "floors", "triggers", "buying_power", "protective_options", "naked_options", "house",
    "liquidation", "dated_switches", "account", "orders", "lean_ib",
}  # fmt: skip
"""Groups whose cases are account snapshots."""

Answers = dict[str, Any]


def account_answers(given: Mapping[str, Any]) -> Answers:
    """An account snapshot as ``levsleeve margin`` takes it."""
    return margin_status(given).to_dict()


def _days(given: Mapping[str, Any]) -> float:
    if "from_date" not in given:
        return float(given["days"])
    first, last = (date.fromisoformat(given[key]) for key in ("from_date", "to_date"))
    between = (last - first).days
    if given.get("days", between) != between:
        raise ValueError(f"days: {given['days']}, but the dates are {between} apart")
    return float(between)


def _plan(given: Mapping[str, Any]) -> FinancingPlan:
    """The case's own slices in a plan, which are the same for every kind of balance."""
    ends = np.array([_number(row["up_to_usd"], math.inf) for row in given["tiers"]])
    spreads = np.array([_number(row["spread"], math.nan) for row in given["tiers"]])
    return financing_plan("ibkr")._replace(
        debit_ends=ends, debit_spreads=spreads, credit_ends=ends, credit_spreads=spreads,
        short_ends=ends, short_spreads=spreads, day_count_basis=float(given["day_count_basis"]),
    )  # fmt: skip


def _number(value: float | None, absent: float) -> float:
    return absent if value is None else float(value)


def interest(given: Mapping[str, Any]) -> Answers:
    plan, balance = _plan(given), float(given["balance_usd"])
    kind, benchmark = given["balance"], float(given["benchmark_rate"])
    worth = given.get("net_asset_value_usd", math.nan)
    full = given.get("full_rate_net_asset_value_usd", math.nan)
    if kind == "debit":
        annual = debit_interest_a_year(balance, benchmark, plan)
    elif kind == "credit":
        plan = plan._replace(full_rate_net_liquidation_usd=float(full))
        annual = credit_interest_a_year(balance, float(worth), benchmark, plan)
    elif kind == "short_proceeds":
        annual = short_rebate_a_year(balance, benchmark, plan)
    else:
        raise ValueError(f"balance: {kind}; debit, credit or short_proceeds is right")
    return {
        "annual_interest_usd": float(annual),
        "interest_usd": float(accrued(annual, _days(given), plan)),
    }


def borrow(given: Mapping[str, Any]) -> Answers:
    plan = financing_plan("ibkr")._replace(day_count_basis=float(given["day_count_basis"]))
    if given["mark_rule"] == "close":
        plan = plan._replace(borrow_markup=1.0, borrow_round_up_usd=0.0)
    elif given["mark_rule"] != "ibkr_102_rounded_up":
        raise ValueError(f"mark_rule: {given['mark_rule']}; ibkr_102_rounded_up or close is right")
    close, shares = float(given["close_usd"]), float(given["shares"])
    annual = borrow_fee_a_year(shares, close, float(given["borrow_rate"]), plan)
    return {
        "mark_usd": float(borrow_mark(close, plan)),
        "borrow_fee_usd": float(accrued(annual, _days(given), plan)),
    }


def commissions(given: Mapping[str, Any]) -> Answers:
    plan = commission_plan(given["plan"].removesuffix("_first_tier"))
    if given["plan"].endswith("_first_tier"):
        first = plan.per_share_usd[:1]
        plan = plan._replace(share_ends=np.full_like(first, math.inf), per_share_usd=first)
    if given["instrument"] == "option":
        contracts, premium = float(given["contracts"]), float(given["premium_usd"])
        return {"commission_usd": float(option_commission(contracts, premium, plan))}
    if given["instrument"] != "stock":
        raise ValueError(f"instrument: {given['instrument']}; stock or option is right")
    shares, price = float(given["shares"]), float(given["price_usd"])
    return {"commission_usd": float(share_commission(shares, price, plan))}


def fees(given: Mapping[str, Any]) -> Answers:
    on = sale_fees(date.fromisoformat(given["date"]))
    selling = {"sell": True, "buy": False}[given["action"]]
    shares, price = float(given["shares"]), float(given["price_usd"])
    return {
        "sec31_usd": float(section_31_fee(shares, price, selling, on)),
        "taf_usd": float(activity_fee(shares, selling, on)),
    }


def portfolio_margin(given: Mapping[str, Any]) -> Answers:
    rules = margin_rules(rules_date(given), Policy(margin_mode="portfolio"))
    width = BENCHMARK_CLASSES[given["benchmark_class"]]
    short = {"long": False, "short": True}[given["side"]]
    value, multiple = float(given["market_value_usd"]), float(given["multiple"])
    asked = maintenance_per_share(value, multiple, short, width, NO_OVERLAY, rules)
    return {"requirement_usd": float(asked)}


def daily_reset(given: Mapping[str, Any]) -> Answers:
    multiple = float(given["multiple"])
    if "index_returns" in given or "pattern" in given:
        return _path(given, multiple)
    if "index_return" in given:
        return {"effective_multiple": float(effective_multiple(multiple, given["index_return"]))}
    costs = (given["cash_rate"], given["swap_spread_rate"], given["expense_ratio"])
    if "index_total_return" in given:
        gained = literature_return(given["index_total_return"], multiple, *costs, _days(given))
        return {"fund_return": float(gained)}
    return {"carry_rate": float(carry_rate(multiple, *costs))}


def _path(given: Mapping[str, Any], multiple: float) -> Answers:
    """A fund and its index over sessions in a row, or over a pattern that repeats."""
    if "pattern" not in given:
        fund, index = (_grown(given["index_returns"], each) for each in (multiple, 1.0))
        return {"fund_return": fund - 1.0, "index_return": index - 1.0}
    returns = given["pattern"] * given["repeats"]
    return {
        "fund_value_exact": _grown(returns, multiple),
        "fund_value_approximation": float(path_approximation(np.array(returns), multiple)),
        "index_value": _grown(returns, 1.0),
    }


def _grown(index_returns: list[float], multiple: float) -> float:
    """A dollar in a fund without carry after a path."""
    returns = np.array(index_returns, dtype=np.float64)
    values = net_asset_values(returns, returns * 0, returns * 0, multiple, 0.0, 0.0)
    return float(values[-1]) if returns.size else 1.0


def flows(given: Mapping[str, Any]) -> Answers:
    multiple, assets = float(given["multiple"]), float(given["assets_usd"])
    return {"rebalance_trade_usd": float(rebalance_trade(multiple, given["index_return"], assets))}


def efficiency(given: Mapping[str, Any]) -> Answers:
    rules = margin_rules(date.fromisoformat(given["date"]))
    if "adverse_move_usd" in given:
        multiple, moved = float(given["multiple"]), float(given["adverse_move_usd"])
        return {
            "excess_liquidity_change_long_usd": moved * sensitivity(multiple, rules, short=False),
            "excess_liquidity_change_short_usd": moved * sensitivity(multiple, rules, short=True),
        }
    magnitude = float(given["multiple_magnitude"])
    if "index_exposure_usd" in given:
        return _legs(*two_ways_to_exposure(magnitude, float(given["index_exposure_usd"]), rules))
    value, equity = float(given["start_market_value_usd"]), float(given["start_equity_usd"])
    return _legs(*two_ways(magnitude, value, equity, rules, given["index_returns"]))


def _legs(long: Leg, short: Leg) -> Answers:
    names = ("equity_usd", "maintenance_usd", "initial_usd", "excess_liquidity_usd")
    legs = {"long_inverse": long, "short_bull": short}
    return {f"{way}_{name}": getattr(leg, name) for way, leg in legs.items() for name in names}


def splits(given: Mapping[str, Any]) -> Answers:
    given.get("ticker")
    if "splits" in given:
        written = [
            Split(date.fromisoformat(row["date"]), row["new_shares"], row["old_shares"])
            for row in given["splits"]
        ]
        first, last = (date.fromisoformat(given[key]) for key in ("from_date", "to_date"))
        return {"shares_per_starting_share": shares_per_starting_share(written, first, last)}
    account = new_account(0.0, 1, 0)
    account.book.shares[0], account.book.marks[0] = given["shares"], given["price_before_usd"]
    split_fund(account, 0, given["new_shares"] / given["old_shares"], WHOLE_SHARES)
    return {
        "shares_after": float(account.book.shares[0]),
        "price_after_usd": float(account.book.marks[0]),
        "cash_in_lieu_usd": float(account.money[CASH]),
    }


SHAPES: dict[str, Callable[[Any], Answers]] = {
    "interest": interest, "borrow": borrow, "commissions": commissions, "fees": fees, "sma": sma,
    "portfolio_margin": portfolio_margin, "daily_reset": daily_reset, "flows": flows,
    "efficiency": efficiency, "splits": splits,
}  # fmt: skip
"""The adapters of the groups that are no account snapshots."""
