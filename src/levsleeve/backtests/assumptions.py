"""What a run takes for granted, in words: every report prints these lines."""

from levsleeve.backtests.market import Market
from levsleeve.backtests.study import Study
from levsleeve.instruments.fund import PERCENT, Fund
from levsleeve.margin.schedule import borrow_rates, share_rule_source
from levsleeve.pricing.volatility import MODEL_NOTE
from levsleeve.strategies.sleeve import ProtectivePut, Sleeve


def assumptions_of(study: Study, market: Market, sleeve: Sleeve) -> dict[str, str]:
    """Subject and sentence of every assumption that decides this run's numbers."""
    account = study.account
    lines = {
        "performance": "hypothetical: a back test, not an account that existed",
        "prices": (
            "S&P 500 price index of the arch package; dividends modelled from a yearly table"
        ),
        "funds": "; ".join(_fund_line(fund) for fund in market.funds),
        "fills": "orders decided at a close fill at the next session's close",
        "rules": _rules_line(market),
        "hedge relief": "none: a protective put lowers no requirement, and has no loan value",
        "financing": (
            f"{account.financing} tiers over the bundled one-month bill rate (stands for the "
            "federal funds rate), actual/360, on calendar days"
        ),
        "borrow fee": (
            f"assumed {PERCENT * borrow_rates().bull_rate:g} % a year for bulls, "
            f"{PERCENT * borrow_rates().inverse_rate:g} % for inverse funds"
        ),
        "trading": (
            f"{account.commission} commissions; half-spread "
            f"{PERCENT * account.fund_half_spread_rate:g} % of a fund's price and liquidation "
            f"penalty {PERCENT * account.liquidation_penalty_rate:g} % of value (both assumed)"
        ),
        "annual figures": "calendar time, 365.25 days a year",
    }
    if isinstance(sleeve.hedge, ProtectivePut):
        rungs = market.volatility_rung.value_counts()
        lines["option prices"] = (
            f"{MODEL_NOTE}; {study.volatility_model}, scaled to the fund (Leung and Sircar 2015)"
        )
        lines["implied volatility"] = (
            f"quoted VIX on {int(rungs.get('vix', 0))} sessions, on "
            f"{int(rungs.get('anchored_proxy', 0))} a proxy from past index returns anchored on "
            "the VIX's mean of the calendar year, which is known only afterwards: used for "
            "pricing, never as a signal; daily log error of the proxy -19 to +18 % (5-95 %)"
        )
        lines["option spread"] = (
            f"half-spread {PERCENT * account.option_half_spread_rate:g} % of the premium, at least "
            f"${account.option_half_spread_minimum_usd:.2f} a share (assumed)"
        )
    return lines


def _fund_line(fund: Fund) -> str:
    """How a fund's prices came about."""
    if fund.is_index:
        return f"{fund.symbol} the index itself, held without cost"
    return (
        f"{fund.symbol} a synthetic twin, modelled: {fund.multiple:+g}x {fund.index} total return, "
        f"expense {PERCENT * (fund.expense_ratio + fund.drag):.2f} %, financing spread "
        f"{PERCENT * fund.financing_spread:+.2f} % a year per borrowed turn over bills, from $100 "
        "with modelled splits; twins of UPRO, SPXU and SSO drifted 0.1-0.3 % a year from the real "
        "funds to 2018, 0.3-0.6 % out of sample"
    )


def _rules_line(market: Market) -> str:
    """Which rulebook, and what that means where funds are older than they were."""
    if market.rules_as_of is None:
        first, last = market.sessions[0].date(), market.sessions[-1].date()
        source = share_rule_source(last)
        return f"each session's own, {first} to {last}: {source}"
    source = share_rule_source(market.rules_as_of)
    return (
        f"those of {market.rules_as_of} on every session, though no 3x fund existed before "
        f"November 2008 and leveraged rates start 2009-12-01: {source}"
    )
