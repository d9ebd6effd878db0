"""What shares require: maintenance and initial margin, in dollars per share.

``rules`` is a row of ``levsleeve.margin.schedule``, ``overlay`` one of ``levsleeve.margin.house``.
Longs and shorts are never netted: each holding is charged alone (FINRA Rule 4210(c)).
"""

import math

from levsleeve.compiled import Floats, hot_rule, rule
from levsleeve.margin.house import (
    INITIAL_FACTOR,
    MAINTENANCE_FACTOR,
    house_rate,
)
from levsleeve.margin.schedule import (
    BOXED_RATE,
    BROAD,
    BROAD_MOVE,
    FLAT_RATE,
    HIGH_CAP,
    HIGH_CAP_DOWN,
    HIGH_CAP_UP,
    INITIAL,
    LEGACY_END_OF_DAY,
    LEGACY_INITIAL,
    LONG_BASE,
    NARROW_MOVE,
    ORDER_INITIAL_BROKER,
    PORTFOLIO_MODE,
    SCALES_WITH_MULTIPLE,
    SHORT_BASE,
    SHORT_FLOOR_SCALED,
    SHORT_FLOOR_USD,
    SHORT_LOW_FLOOR_USD,
)


@hot_rule
def multiple_scale(multiple: float, rules: Floats) -> float:
    """Factor on the base rates: the magnitude of the daily multiple, never below 1.

    References
    ----------
    FINRA Regulatory Notice 09-53: "commensurate with the leverage of the ETF".
    """
    if rules[SCALES_WITH_MULTIPLE] == 0.0:
        return 1.0
    return max(1.0, abs(multiple))


@hot_rule
def long_maintenance_rate(multiple: float, rules: Floats) -> float:
    """Fraction of market value that the rule asks of a long position, at most 1.

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.schedule import margin_rules
    >>> [long_maintenance_rate(x, margin_rules(date(2020, 1, 2))) for x in (1.0, 2.0, -3.0, 5.0)]
    [0.25, 0.5, 0.75, 1.0]
    """
    return min(rules[LONG_BASE] * multiple_scale(multiple, rules), 1.0)


@hot_rule
def short_maintenance_rate(price: float, multiple: float, rules: Floats) -> float:
    """Fraction of market value that the rule asks of a short one, its dollar floors apart."""
    base = rules[SHORT_BASE] if price >= rules[SHORT_FLOOR_USD] else 1.0
    return min(base * multiple_scale(multiple, rules), 1.0)


@hot_rule
def short_maintenance_per_share(price: float, multiple: float, rules: Floats) -> float:
    """Dollars per share that the rule asks of a short position above its own value.

    Below the floor price ($5.00) the greater of $2.50 and 100 % of value, from there the greater
    of $5.00 and 30 %; the multiple scales the percentage, and with the switch ``short_floor =
    "scaled"`` the dollar floor too, up to 100 % of value.  The cap limits the scaling only: it does
    not undercut a floor.  ``price`` is as traded, never adjusted for later splits.

    References
    ----------
    FINRA Rule 4210(c)(2)-(3); FINRA Regulatory Notice 09-53.

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.schedule import margin_rules
    >>> rules = margin_rules(date(2020, 1, 2))
    >>> [round(short_maintenance_per_share(s, 3.0, rules), 2) for s in (26.0, 5.2, 4.0, 1.0)]
    [23.4, 5.0, 4.0, 2.5]
    """
    if price >= rules[SHORT_FLOOR_USD]:
        base = max(rules[SHORT_FLOOR_USD], rules[SHORT_BASE] * price)
    else:
        base = max(rules[SHORT_LOW_FLOOR_USD], price)
    if rules[SHORT_FLOOR_SCALED] != 0.0:
        return max(base, min(multiple_scale(multiple, rules) * base, price))
    return max(base, short_maintenance_rate(price, multiple, rules) * price)


@hot_rule
def portfolio_rate(multiple: float, short: bool, benchmark_class: float, rules: Floats) -> float:
    """Worst loss over the range of index moves, as a fraction of value: coarse portfolio margin.

    The range grows by the multiple and is mirrored for an inverse fund; a fund cannot lose more
    than it is worth.  Each position alone: no offsets, and options are not revalued.

    References
    ----------
    FINRA Rule 4210(g); IBKR, portfolio margin of leveraged funds.
    """
    down, up = rules[NARROW_MOVE], rules[NARROW_MOVE]
    if benchmark_class == HIGH_CAP:
        down, up = rules[HIGH_CAP_DOWN], rules[HIGH_CAP_UP]
    elif benchmark_class == BROAD:
        down, up = rules[BROAD_MOVE], rules[BROAD_MOVE]
    loses_in_a_fall = (multiple > 0.0) != short
    loss = abs(multiple) * (down if loses_in_a_fall else up)
    return loss if short else min(loss, 1.0)


@hot_rule
def _rule_rate(
    price: float, multiple: float, short: bool, benchmark_class: float, rules: Floats
) -> float:
    """Fraction of value that the rule asks before dollar floors: what a house factor multiplies."""
    if rules[PORTFOLIO_MODE] != 0.0:
        return portfolio_rate(multiple, short, benchmark_class, rules)
    if short:
        return short_maintenance_rate(price, multiple, rules)
    return long_maintenance_rate(multiple, rules)


@hot_rule
def maintenance_per_share(
    price: float,
    multiple: float,
    short: bool,
    benchmark_class: float,
    overlay: Floats,
    rules: Floats,
) -> float:
    """Dollars per share that the maintenance requirement asks: the rule, or the house if dearer.

    References
    ----------
    FINRA Rule 4210(c), (d)(1); FINRA Regulatory Notice 09-53.
    """
    if not math.isnan(rules[FLAT_RATE]):
        return rules[FLAT_RATE] * price
    rate = _rule_rate(price, multiple, short, benchmark_class, rules)
    asked = rate * price
    if short and rules[PORTFOLIO_MODE] == 0.0:
        asked = short_maintenance_per_share(price, multiple, rules)
    return max(asked, house_rate(rate, MAINTENANCE_FACTOR, short, overlay) * price)


@hot_rule
def initial_per_share(
    price: float,
    multiple: float,
    short: bool,
    benchmark_class: float,
    overlay: Floats,
    rules: Floats,
) -> float:
    """Dollars per share needed to open: the greater of Regulation T's half and maintenance.

    Portfolio margin knows no Regulation T: its initial margin is its maintenance.

    References
    ----------
    12 CFR 220.12(a), (c)(1); FINRA Rule 4210(b).

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.house import NO_OVERLAY
    >>> from levsleeve.margin.schedule import BROAD, margin_rules
    >>> initial_per_share(100.0, 3.0, False, BROAD, NO_OVERLAY, margin_rules(date(2020, 1, 2)))
    75.0
    """
    maintenance = maintenance_per_share(price, multiple, short, benchmark_class, overlay, rules)
    if not math.isnan(rules[FLAT_RATE]):
        return maintenance
    rate = _rule_rate(price, multiple, short, benchmark_class, rules)
    if rules[PORTFOLIO_MODE] == 0.0:
        rate = max(rules[INITIAL], rate)
        maintenance = max(rules[INITIAL] * price, maintenance)
    return max(maintenance, house_rate(rate, INITIAL_FACTOR, short, overlay) * price)


@hot_rule
def end_of_day_initial_per_share(
    price: float,
    multiple: float,
    short: bool,
    benchmark_class: float,
    overlay: Floats,
    rules: Floats,
) -> float:
    """Dollars per share of initial margin in the test at the day's end.

    With the switch ``end_of_day_initial = "ibkr_legacy"`` half the value times the multiple, at
    most all of it; otherwise the initial margin of Regulation T.

    References
    ----------
    12 CFR 220.12; IBKR, margin requirements of leveraged funds (an older page).
    """
    initial = initial_per_share(price, multiple, short, benchmark_class, overlay, rules)
    if rules[LEGACY_END_OF_DAY] == 0.0:
        return initial
    return max(min(rules[LEGACY_INITIAL] * multiple_scale(multiple, rules), 1.0) * price, initial)


@hot_rule
def order_initial_per_share(
    price: float,
    multiple: float,
    short: bool,
    benchmark_class: float,
    overlay: Floats,
    rules: Floats,
) -> float:
    """Dollars per share that an order is tested on.

    Regulation T's, or with ``order_initial = "broker"`` the maintenance that IBKR asks at the time
    of a trade.
    """
    if rules[ORDER_INITIAL_BROKER] != 0.0:
        return maintenance_per_share(price, multiple, short, benchmark_class, overlay, rules)
    return initial_per_share(price, multiple, short, benchmark_class, overlay, rules)


@rule
def boxed_per_share(price: float, rules: Floats) -> float:
    """Dollars of maintenance per share held long and short at once.

    References
    ----------
    FINRA Rule 4210(e)(1), unconfirmed.
    """
    return rules[BOXED_RATE] * price


@hot_rule
def special_memorandum_account(
    previous_usd: float, contributions_usd: float, equity_usd: float, initial_usd: float
) -> float:
    """Dollars of the special memorandum account at a day's end; negative breaks Regulation T.

    ``contributions_usd`` is what the day added: deposits and dividends, less withdrawals, plus
    the initial margin that closing released, less the one that opening took.  The account
    ratchets: a fall in prices never lowers it.

    References
    ----------
    12 CFR 220.5.
    """
    return max(previous_usd + contributions_usd, equity_usd - initial_usd)
