"""Which rule sets each position's requirement, in words, with its source."""

import math
from dataclasses import dataclass
from datetime import date

import numpy as np

from levsleeve.margin.account import boxed_share
from levsleeve.margin.combination import (
    MAINTENANCE,
    pair,
    share_requirement,
)
from levsleeve.margin.house import NO_OVERLAY, applies
from levsleeve.margin.options import loan_value_rate
from levsleeve.margin.pairing import (
    BOXED_SHORT,
    COLLAR,
    COVERED,
    PROTECTIVE,
    SPREAD,
    STRANGLE,
    Pairing,
)
from levsleeve.margin.requirement import (
    long_maintenance_rate,
    maintenance_per_share,
    multiple_scale,
    short_maintenance_rate,
)
from levsleeve.margin.schedule import MarginRules, rule_source
from levsleeve.what_if.account import AccountAtHand
from levsleeve.what_if.snapshot import OptionHolding, in_digits

NEARLY = 1e-9
"""Units and dollars this close, relative to what is held and to the price, are the same."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some units of a position and what they require together: dollars, rule and source."""

    units: float
    requirement_usd: float
    rule: str
    source: str


@dataclass(frozen=True, slots=True)
class PositionLine:
    """A position and its requirement; ``rate`` is that over market value, None where that is 0."""

    position: str
    fund: str
    market_value_usd: float
    requirement_usd: float
    rate: float | None
    rule: str
    source: str
    parts: tuple[Part, ...]


def position_lines(account: AccountAtHand) -> list[PositionLine]:
    """Every position with the rule that sets its maintenance requirement."""
    lines = []
    for i in range(len(account.funds)):
        lines += _fund_lines(account, i)
    return lines


def _fund_lines(account: AccountAtHand, i: int) -> list[PositionLine]:
    """Shares, boxed shares and options of one fund."""
    held, fund = account.positions, account.funds[i]
    pairing = pair(held, i, account.terms, MAINTENANCE)
    parts = _parts(account, i, pairing)
    lines = []
    if held.shares[i] != 0.0:
        side = "long" if held.shares[i] > 0.0 else "short"
        value = float(held.shares[i] * held.marks[i])
        lines.append(
            _line(
                f"{side} {in_digits(abs(held.shares[i]))} {fund.symbol}",
                fund.symbol,
                value,
                parts[0],
            )
        )
    if account.boxed[i] > 0.0:
        lines.append(_boxed_line(account, i))
    for p, k in enumerate(pairing.places.astype(int), start=1):
        value = float(held.contracts[k] * held.multipliers[k] * held.option_marks[k])
        lines.append(_line(str(account.options[k]), fund.symbol, value, parts[p]))
    return lines


def _line(position: str, fund: str, value: float, parts: list[Part]) -> PositionLine:
    """One position with its parts summed."""
    requirement = sum(part.requirement_usd for part in parts)
    rate = requirement / abs(value) if value else math.inf
    rules = list(dict.fromkeys(part.rule for part in parts))
    sources = list(dict.fromkeys(part.source for part in parts))
    if len(parts) > 1:
        rules = [f"{in_digits(part.units)}: {part.rule}" for part in parts]
    return PositionLine(
        position=position,
        fund=fund,
        market_value_usd=value,
        requirement_usd=requirement,
        rate=rate if math.isfinite(rate) else None,
        rule="; ".join(rules),
        source="; ".join(sources),
        parts=tuple(parts),
    )


def _boxed_line(account: AccountAtHand, i: int) -> PositionLine:
    """Shares held long and short at once; their values cancel."""
    price, units = float(account.positions.marks[i]), float(account.boxed[i])
    each = float(boxed_share(account.positions, i, account.terms, MAINTENANCE))
    part = Part(
        units,
        units * each,
        f"long and short at once: {each / price:.0%} of the long value",
        "FINRA 4210(e)(1) (unconfirmed)",
    )
    symbol = account.funds[i].symbol
    return PositionLine(
        position=f"boxed {in_digits(units)} {symbol}",
        fund=symbol,
        market_value_usd=0.0,
        requirement_usd=part.requirement_usd,
        rate=None,
        rule=part.rule,
        source=part.source,
        parts=(part,),
    )


def _parts(account: AccountAtHand, i: int, pairing: Pairing) -> list[list[Part]]:
    """The parts of every position of a fund: combined first, then what stands alone."""
    parts: list[list[Part]] = [[] for _ in pairing.units]
    alone = pairing.units.copy()
    for c in np.flatnonzero(pairing.uses > 0.0):
        used = float(pairing.uses[c])
        members = [int(p) for p in pairing.members[c] if p >= 0]
        words, source = _combination_words(account, pairing, int(c), members)
        for p, dollars in _shared_cost(account, pairing, int(c), members).items():
            parts[p].append(Part(used, used * dollars, words, source))
        for p in members:
            alone[p] -= used
    for p, units in enumerate(alone):
        if units > NEARLY * pairing.units[p]:
            words, source = _alone_words(account, i, pairing, p)
            parts[p].append(Part(float(units), float(units * pairing.alone[p]), words, source))
    return parts


def _shared_cost(
    account: AccountAtHand, pairing: Pairing, c: int, members: list[int]
) -> dict[int, float]:
    """Dollars per unit of a combination by member: the first bears it; of a strangle, both."""
    costs = dict.fromkeys(members, 0.0)
    costs[members[0]] = float(pairing.costs[c])
    if pairing.kinds[c] == STRANGLE:
        call, put = members
        marks = {p: _mark(account, pairing, p) for p in members}
        if pairing.alone[call] >= pairing.alone[put]:
            return {call: float(pairing.alone[call]), put: marks[put]}
        return {call: marks[call], put: float(pairing.alone[put])}
    return costs


def _mark(account: AccountAtHand, pairing: Pairing, p: int) -> float:
    """The mark of the option behind a position, dollars per share."""
    return float(account.positions.option_marks[int(pairing.places[p - 1])])


def _option(account: AccountAtHand, pairing: Pairing, p: int) -> OptionHolding:
    """The option behind a position."""
    return account.options[int(pairing.places[p - 1])]


def _combination_words(
    account: AccountAtHand, pairing: Pairing, c: int, members: list[int]
) -> tuple[str, str]:
    """What a combination is, and its source."""
    names = [_option(account, pairing, p) for p in members if p > 0]
    strikes = [f"{in_digits(option.strike_usd)} {option.option}" for option in names]
    kind, each = pairing.kinds[c], float(pairing.costs[c])
    source = {
        PROTECTIVE: "FINRA 4210(f)(2)(H)(v)a (secondary)",
        COVERED: "12 CFR 220.4(b)(4) (confirmed)",
        COLLAR: "FINRA 4210(f)(2)(H)(v)b-d (unconfirmed)",
        BOXED_SHORT: "FINRA 4210(f)(2)(H)(v)c (unconfirmed)",
        SPREAD: "FINRA 4210(f)(2)(H)(i) (secondary)",
        STRANGLE: "Cboe strategy-based margin (secondary)",
    }[kind]
    words = {
        PROTECTIVE: f"hedged by the {strikes[0]}: a tenth of its strike + out-of-the-money amount",
        COVERED: f"with the written {strikes[0]} covered: the shares, and what it is in the money",
        COLLAR: f"between {' and written '.join(strikes)}: collar or conversion",
        BOXED_SHORT: f"between {' and written '.join(strikes)}: reverse conversion",
        SPREAD: f"spread, written {' against '.join(strikes)}: at most its width",
        STRANGLE: f"written {' and '.join(strikes)}: the dearer side and the other's mark",
    }[kind]
    return f"{words}, ${each:,.2f} a share", source


def _alone_words(account: AccountAtHand, i: int, pairing: Pairing, p: int) -> tuple[str, str]:
    """What sets the requirement of a position that stands alone."""
    if p == 0:
        return share_words(account, i)
    option, on = _option(account, pairing, p), account.rules_on
    if option.side == "short":
        each = float(pairing.alone[p])
        return (
            f"uncovered: its mark and the rate less out-of-the-money, ${each:,.2f} a share",
            rule_source(on, "options"),
        )
    words = "paid in full, lends nothing"
    if loan_value_rate(float(option.expiry_date.toordinal()), account.terms.rules) > 0.0:
        words = "paid in full; lends part of its price beyond nine months"
    return words, "FINRA 4210(f)(2)(D) (secondary)"


def share_words(account: AccountAtHand, i: int) -> tuple[str, str]:
    """What sets the requirement of shares that nothing hedges, and its source."""
    held, terms, rules = account.positions, account.terms, MarginRules(*account.terms.rules)
    on = account.rules_on
    price, multiple, short = float(held.marks[i]), float(terms.multiples[i]), held.shares[i] < 0.0
    if not math.isnan(rules.flat_rate):
        flat = f"flat rate of {rules.flat_rate:.1%} in place of the rulebook"
        words = "cash account: paid in full" if rules.cash_account else flat
        return words, "the account's policy"
    each = float(share_requirement(held, i, terms, MAINTENANCE))
    by_rule = float(
        maintenance_per_share(
            price, multiple, short, terms.benchmark_classes[i], NO_OVERLAY, terms.rules
        )
    )
    if each > by_rule + NEARLY * price:
        return (
            f"house rate: {each / price:.2%} of value (rule: {by_rule / price:.2%})",
            _house_source(account, on, multiple),
        )
    if rules.portfolio_mode:
        worst = f"worst index move x {abs(multiple):g} = {each / price:.2%} of value"
        return f"coarse portfolio margin: {worst}", rule_source(on, "portfolio")
    return _rule_words(price, multiple, by_rule, rules, account, short=bool(short)), rule_source(on)


def _rule_words(
    price: float,
    multiple: float,
    each: float,
    rules: MarginRules,
    account: AccountAtHand,
    *,
    short: bool,
) -> str:
    """Which branch of the share rule binds."""
    row = account.terms.rules
    scale = float(multiple_scale(multiple, row))
    if not short:
        rate = float(long_maintenance_rate(multiple, row))
        cap = ", capped" if rules.long_base * scale > 1.0 else ""
        return f"{rules.long_base:.0%} x {scale:g} = {rate:.1%} of value{cap}"
    rate = float(short_maintenance_rate(price, multiple, row))
    if each > rate * price + NEARLY * price:
        return f"floor of ${each:,.2f} a share"
    if price < rules.short_floor_usd:
        return f"100 % of value under ${rules.short_floor_usd:,.2f}"
    cap = ", capped" if rules.short_base * scale > 1.0 else ""
    return f"{rules.short_base:.0%} x {scale:g} = {rate:.1%} of value{cap}"


def _house_source(account: AccountAtHand, on: date, multiple: float) -> str:
    """Where the house rates of the day come from."""
    sources = [
        f"{overlay.source} ({overlay.standing})" if overlay.source else "the account's policy"
        for overlay in account.rulebook.overlays
        if applies(overlay, on, multiple)
    ]
    return "; ".join(dict.fromkeys(sources)) or "a house rate"
