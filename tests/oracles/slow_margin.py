"""What the shares and options of one fund require, restated in plain Python and solved by HiGHS.

Sources: FINRA 4210(c), (f)(2) and Regulatory Notices 09-53 and 09-65; 12 CFR 220.4(b)(4), 220.12;
Cboe strategy-based margin.  Every way to margin the positions is a list of combinations, each with
its dollars per share; the requirement is the cheapest list that uses every share and option once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from scipy.optimize import linprog

SHARES_SCALE_FROM = date(2009, 12, 1)
OPTIONS_SCALE_FROM = date(2010, 4, 30)


@dataclass(frozen=True)
class Option:
    """``contracts`` negative where written; ``mark`` in dollars per share."""

    right: str
    contracts: int
    strike: float
    mark: float
    days: int
    per_contract: float = 100.0

    @property
    def written(self) -> bool:
        return self.contracts < 0


@dataclass(frozen=True)
class Switches:
    """``house`` is a factor on the rates of the rule, stopped at 100 % on the long side."""

    relief: bool = False
    floor_scaled: bool = False
    minimum_scaled: bool = True
    collar_scaled: bool = True
    order_broker: bool = False
    legacy: bool = False
    house: float = 1.0


@dataclass(frozen=True)
class Fund:
    shares: int
    price: float
    multiple: float
    narrow: bool
    on: date
    options: tuple[Option, ...] = ()
    switches: Switches = field(default_factory=Switches)

    @property
    def short(self) -> bool:
        return self.shares < 0

    @property
    def times(self) -> float:
        """What the notice multiplies the percentages on shares by."""
        return max(1.0, abs(self.multiple)) if self.on >= SHARES_SCALE_FROM else 1.0

    @property
    def option_times(self) -> float:
        return max(1.0, abs(self.multiple)) if self.on >= OPTIONS_SCALE_FROM else 1.0


def percent_of_rule(fund: Fund) -> float:
    """The rule's maintenance as a fraction of value, dollar floors apart."""
    if not fund.short:
        return min(1.0, 0.25 * fund.times)
    return min(1.0, 0.30 * fund.times) if fund.price >= 5.0 else 1.0


def maintenance_a_share(fund: Fund) -> float:
    price, house = fund.price, fund.switches.house * percent_of_rule(fund) * fund.price
    if not fund.short:
        return min(house, price)
    dollars = max(5.0, 0.30 * price) if price >= 5.0 else max(2.5, price)
    if fund.switches.floor_scaled:
        return max(dollars, min(fund.times * dollars, price), house)
    return max(dollars, house)


def initial_a_share(fund: Fund) -> float:
    half = fund.switches.house * max(0.5, percent_of_rule(fund)) * fund.price
    if not fund.short:
        half = min(half, fund.price)
    return max(half, maintenance_a_share(fund))


def a_share(fund: Fund, kind: str) -> float:
    """Dollars per share without any option."""
    if kind == "maintenance" or (kind == "order" and fund.switches.order_broker):
        return maintenance_a_share(fund)
    if kind == "day end" and fund.switches.legacy:
        return max(initial_a_share(fund), min(1.0, 0.5 * fund.times) * fund.price)
    return initial_a_share(fund)


def uncovered(fund: Fund, option: Option) -> float:
    """A written option alone: its mark, and a percentage less what it is out of the money."""
    call = option.right == "call"
    away = option.strike - fund.price if call else fund.price - option.strike
    percentage = min(1.0, (0.20 if fund.narrow else 0.15) * fund.option_times)
    least = min(1.0, 0.10 * fund.option_times) if fund.switches.minimum_scaled else 0.10
    least *= fund.price if call else option.strike
    return option.mark + max(percentage * fund.price - max(0.0, away), least)


def hedged(fund: Fund, long: Option) -> float:
    """A long share with a long put, or a short one with a long call."""
    call = long.right == "call"
    away = long.strike - fund.price if call else fund.price - long.strike
    return min(maintenance_a_share(fund), 0.10 * long.strike + max(0.0, away))


def boxed(fund: Fund, long: Option, written: Option) -> float:
    """A share between a long option and a written one: collar, conversion and their mirror."""
    price, normal = fund.price, maintenance_a_share(fund)
    away = written.strike - price if fund.short else price - written.strike
    owed = max(0.0, away)
    ways = [hedged(fund, long) + owed]
    if not fund.short:
        quarter = 0.25 * fund.times if fund.switches.collar_scaled else 0.25
        ways.append(min(1.0, quarter) * written.strike + owed)
    if long.strike == written.strike:
        ways.append(0.10 * long.strike + owed)
    return min(*ways, normal + owed)


def pairs(fund: Fund, one: int, two: int) -> Iterator[tuple[tuple[int, ...], float]]:
    """What two options make without shares; places count from 1."""
    p, q = fund.options[one - 1], fund.options[two - 1]
    if p.written and q.written and (p.right, q.right) == ("put", "call"):
        put, call = uncovered(fund, p), uncovered(fund, q)
        yield (one, two), call + p.mark if call >= put else put + q.mark
    if not p.written and q.written and p.right == q.right and p.days >= q.days:
        width = p.strike - q.strike if p.right == "call" else q.strike - p.strike
        yield (one, two), min(uncovered(fund, q), max(0.0, width))


def ways(fund: Fund, kind: str) -> list[tuple[tuple[int, ...], float]]:
    """Every combination: the places it uses (0 are the shares) and its dollars per share."""
    found: list[tuple[tuple[int, ...], float]] = []
    normal = a_share(fund, kind) if fund.shares else 0.0
    protects = "call" if fund.short else "put"
    relieved = fund.switches.relief and kind == "maintenance" and fund.shares != 0
    found.append(((0,), normal))
    for place, option in enumerate(fund.options, start=1):
        found.append(((place,), uncovered(fund, option) if option.written else 0.0))
        if fund.shares and option.written and option.right != protects:
            away = option.strike - fund.price if fund.short else fund.price - option.strike
            found.append(((0, place), normal + max(0.0, away)))
        if relieved and not option.written and option.right == protects:
            found.append(((0, place), hedged(fund, option)))
        for other, second in enumerate(fund.options, start=1):
            found.extend(pairs(fund, place, other))
            protected = not option.written and option.right == protects
            if relieved and protected and second.written and second.right != protects:
                found.append(((0, place, other), boxed(fund, option, second)))
    return found


def requirement(fund: Fund, kind: str) -> float:
    """Dollars of ``maintenance``, ``initial``, ``order`` or ``day end`` margin."""
    found = ways(fund, kind)
    held = [abs(fund.shares)] + [abs(o.contracts) * o.per_contract for o in fund.options]
    uses = np.zeros((len(held), len(found)))
    for column, (places, _) in enumerate(found):
        uses[list(places), column] = 1.0
    answer = linprog([cost for _, cost in found], A_eq=uses, b_eq=held, method="highs")
    assert answer.success, answer.message
    return float(answer.fun)
