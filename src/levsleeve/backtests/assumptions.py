"""What a run takes for granted, in words: every report prints these lines."""

from datetime import date

from levsleeve.backtests.account_lines import account_lines, option_spread_line
from levsleeve.backtests.market import Market
from levsleeve.backtests.needs import Needs
from levsleeve.backtests.sleeve_lines import sleeve_lines
from levsleeve.backtests.study import Study
from levsleeve.instruments.catalogue import CATALOGUE
from levsleeve.instruments.fund import PERCENT, Fund
from levsleeve.margin.policy import Overlay, Policy
from levsleeve.margin.schedule import PORTFOLIO_NOTE, rule_source, rule_sources
from levsleeve.pricing.volatility import MODEL_NOTE
from levsleeve.strategies.sleeve import Sleeve

FIRST_3X_FUND = date(2008, 11, 5)
"""Inception of the first index funds of three times (and minus three times) the S&P 500."""


def assumptions_of(
    study: Study, market: Market, needs: Needs, sleeve: Sleeve | None = None
) -> dict[str, str]:
    """Subject and sentence of every assumption that decides this run's numbers.

    ``sleeve`` is what the strategy describes, if it does.
    """
    account, profile = study.account, market.rulebook.profile
    lines = {
        "performance": "hypothetical: a back test, not an account that existed",
        "prices": (
            "S&P 500 price index of the arch package; dividends modelled from a yearly table"
        ),
        "funds": "; ".join(_fund_line(fund) for fund in market.funds),
        "rules": _rules_line(market),
        "broker": f"{account.profile}: {profile.source} ({profile.standing})",
        "house rates": _house_line(market),
        "hedge relief": _relief_line(market),
        "financing": (
            f"{account.financing or profile.financing} tiers over the bundled one-month bill rate "
            "(stands for the federal funds rate), actual/360, on calendar days"
        ),
        **account_lines(account, market),
        **(sleeve_lines(sleeve, market) if sleeve is not None else {}),
        "annual figures": "calendar time, 365.25 days a year",
    }
    if needs.slots:
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
        lines["option spread"] = option_spread_line(account)
    return lines


def _fund_line(fund: Fund) -> str:
    """How a fund's prices came about."""
    if fund.is_index:
        return f"{fund.symbol} the index itself, held without cost"
    if fund.multiple == 0.0:
        return f"{fund.symbol} a fund of bills, modelled: the bill rate without cost, from $100"
    facts = CATALOGUE.get(fund.symbol)
    compared = facts.compared if facts is not None and facts.compared else "never compared with one"
    return (
        f"{fund.symbol} a synthetic fund, modelled: {fund.multiple:+g}x {fund.index} total return, "
        f"expense {PERCENT * (fund.expense_ratio + fund.drag):.2f} %, financing spread "
        f"{PERCENT * fund.financing_spread:+.2f} % a year per borrowed turn over bills, from $100 "
        f"with modelled splits; against a real fund: {compared}"
    )


def _rules_line(market: Market) -> str:
    """Which rulebook, and what that means where funds are older than they were."""
    first, last = market.sessions[0].date(), market.sessions[-1].date()
    frozen, policy = market.rulebook.rules_as_of, market.rulebook.policy
    replaced = _replaced_rules(policy, frozen or last)
    if replaced:
        return replaced
    if frozen is not None:
        return f"those of {frozen} on every session{_too_early(first)}: {rule_source(frozen)}"
    entries = rule_sources(first, last)
    sources = "; ".join(f"from {since} {source}" for since, source in entries)
    return f"each session's own{_too_early(first)}: {sources}"


def _replaced_rules(policy: Policy, on: date) -> str:
    """What stands in the place of the rules on shares; nothing if they hold."""
    if policy.flat_rate is not None:
        return f"none: a flat rate of {policy.flat_rate:g} of value replaces them"
    if policy.margin_mode == "cash":
        return "those of a cash account: what is bought is paid in full, nothing is sold short"
    if policy.margin_mode == "portfolio":
        return f"{PORTFOLIO_NOTE}: {rule_source(on, 'portfolio')}"
    return ""


def _relief_line(market: Market) -> str:
    """What long options relieve, and what they lend."""
    policy = market.rulebook.policy
    relief = (
        "finra: shares covered by a long option keep a tenth of its strike and its "
        "out-of-the-money amount until it expires; initial margin knows no relief"
        if policy.hedge_relief == "finra"
        else "none: a protective put lowers no requirement"
    )
    lent = "no loan value"
    if policy.option_loan_value == "finra":
        lent = "25 % loan value beyond nine months"
    return f"{relief}; long options have {lent}"


def _house_line(market: Market) -> str:
    """What the broker asks beyond the rules, and the switches that are set otherwise."""
    overlays = [_overlay_words(overlay) for overlay in market.rulebook.overlays]
    switches = market.rulebook.policy.model_dump(exclude_unset=True, exclude={"house"})
    changed = [f"{name} {value}" for name, value in switches.items()]
    asked = "; ".join(overlays) or "none: the rules and nothing more"
    if "volatility" in market.rulebook.needs_state:
        asked += "; it sees the VIX of the close before, where none is quoted a fit to past returns"
    return f"{asked}; switches: {', '.join(changed)}" if changed else asked


def _overlay_words(overlay: Overlay) -> str:
    """One overlay in a few words."""
    words = overlay.model_dump(exclude_defaults=True, exclude={"source", "standing", "kind"})
    terms = ", ".join(f"{name} {value}" for name, value in words.items())
    named = f" ({overlay.source}; {overlay.standing})" if overlay.source else ""
    return f"{overlay.kind}: {terms}{named}"


def _too_early(first: date) -> str:
    """A caution where a study holds funds before there were any."""
    if first >= FIRST_3X_FUND:
        return ""
    return (
        f", though no 3x fund existed before {FIRST_3X_FUND:%B %Y} and leveraged rates start "
        "2009-12-01"
    )
