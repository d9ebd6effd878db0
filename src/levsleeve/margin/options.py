"""What options require and relieve, in dollars per share of the underlying.

``right`` is -1 for a put and +1 for a call, as in pricing; marks are current, never the premium at
which an option was opened.  A short option's requirement includes its mark.
"""

from levsleeve.compiled import Floats, hot_rule, rule
from levsleeve.margin.requirement import multiple_scale
from levsleeve.margin.schedule import (
    BROAD_BASE,
    COLLAR_RATE_SCALED,
    COLLAR_STRIKE_RATE,
    HEDGE_STRIKE_RATE,
    LOAN_HORIZON,
    LOAN_RATE,
    NARROW,
    NARROW_BASE,
    OPTION_LOAN_VALUE,
    OPTION_MINIMUM,
    OPTION_MINIMUM_SCALED,
    OPTION_SCALES_WITH_MULTIPLE,
)


@rule
def out_of_the_money(price: float, strike: float, right: float) -> float:
    """Dollars by which an option is out of the money, >= 0."""
    return max(0.0, right * (strike - price))


@rule
def in_the_money(price: float, strike: float, right: float) -> float:
    """Dollars by which an option is in the money, >= 0."""
    return max(0.0, right * (price - strike))


@rule
def uncovered_option(
    price: float,
    strike: float,
    mark: float,
    right: float,
    multiple: float,
    benchmark_class: float,
    rules: Floats,
) -> float:
    """Dollars per share for a short option that nothing covers, its mark included.

    The mark, and the greater of the base rate less the out-of-the-money amount and a minimum on
    the price (call) or the strike (put).  The multiple scales the base rate, at most to 100 %, and
    the minimum with the switch ``option_minimum = "scaled"``.

    References
    ----------
    FINRA Rule 4210(f)(2); FINRA Regulatory Notice 09-65.

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.schedule import BROAD, margin_rules
    >>> rules = margin_rules(date(2019, 6, 3))
    >>> round(uncovered_option(100.0, 105.0, 2.0, 1.0, 3.0, BROAD, rules), 2)
    42.0
    """
    scale = max(1.0, abs(multiple)) if rules[OPTION_SCALES_WITH_MULTIPLE] != 0.0 else 1.0
    base = rules[NARROW_BASE] if benchmark_class == NARROW else rules[BROAD_BASE]
    minimum = rules[OPTION_MINIMUM]
    if rules[OPTION_MINIMUM_SCALED] != 0.0:
        minimum = min(minimum * scale, 1.0)
    least = minimum * (price if right > 0.0 else strike)
    asked = min(base * scale, 1.0) * price - out_of_the_money(price, strike, right)
    return mark + max(asked, least)


@rule
def hedged_share(price: float, strike: float, right: float, normal: float, rules: Floats) -> float:
    """Dollars of maintenance per share that a long option hedges: a put a long, a call a short.

    A tenth of the strike and the out-of-the-money amount, at most ``normal``, the requirement
    without a hedge.  The tenth does not scale with the multiple.

    References
    ----------
    FINRA Rule 4210(f)(2)(H)(v)a.

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.schedule import margin_rules
    >>> hedged_share(100.0, 90.0, -1.0, 75.0, margin_rules(date(2019, 6, 3)))
    19.0
    """
    tenth = rules[HEDGE_STRIKE_RATE] * strike
    return min(normal, tenth + out_of_the_money(price, strike, right))


@rule
def relief_strike(price: float, normal: float, rules: Floats) -> float:
    """Strike of a put above which it lowers the requirement of a long share, in dollars.

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.schedule import margin_rules
    >>> round(relief_strike(100.0, 75.0, margin_rules(date(2019, 6, 3))), 4)
    27.7778
    """
    return (price - normal) / (1.0 - rules[HEDGE_STRIKE_RATE])


@rule
def collared_share(
    price: float,
    put_strike: float,
    call_strike: float,
    multiple: float,
    normal: float,
    rules: Floats,
) -> float:
    """Dollars of maintenance per long share with a long put and a short call.

    The least of the hedged share, a quarter of the call's strike and ``normal``, and the amount by
    which the call is in the money.  At one strike it is a conversion: at most a tenth of the strike
    and the amount by which the call is in the money.  The quarter scales with the multiple by the
    switch ``collar_rate = "scaled"``, at most to 100 %.

    References
    ----------
    FINRA Rule 4210(f)(2)(H)(v)b-d, unconfirmed.
    """
    hedged = hedged_share(price, put_strike, -1.0, normal, rules)
    rate = rules[COLLAR_STRIKE_RATE]
    if rules[COLLAR_RATE_SCALED] != 0.0:
        rate = min(rate * multiple_scale(multiple, rules), 1.0)
    owed = in_the_money(price, call_strike, 1.0)
    collared = min(hedged, rate * call_strike) + owed
    if put_strike != call_strike:
        return collared
    return min(collared, rules[HEDGE_STRIKE_RATE] * put_strike + owed)


@rule
def boxed_short_share(
    price: float, call_strike: float, put_strike: float, normal: float, rules: Floats
) -> float:
    """Dollars of maintenance per short share with a long call and a short put.

    The hedged share and the amount by which the put is in the money.  At one strike it is a reverse
    conversion: at most a tenth of the strike and that amount.

    References
    ----------
    FINRA Rule 4210(f)(2)(H)(v)c; 12 CFR 220.4(b)(4)(i).
    """
    owed = in_the_money(price, put_strike, -1.0)
    boxed = hedged_share(price, call_strike, 1.0, normal, rules) + owed
    if put_strike != call_strike:
        return boxed
    return min(boxed, rules[HEDGE_STRIKE_RATE] * call_strike + owed)


@rule
def spread_width(short_strike: float, long_strike: float, right: float) -> float:
    """Dollars per share that a spread can lose beyond its debit; 0 for a debit spread.

    References
    ----------
    FINRA Rule 4210(f)(2)(H)(i).
    """
    return max(0.0, right * (long_strike - short_strike))


@hot_rule
def loan_value_rate(expiry: float, rules: Floats) -> float:
    """Fraction of a long option's price that may be lent against: none to nine months.

    ``expiry`` is a date ordinal; nine months to the day count as nine.

    References
    ----------
    FINRA Rule 4210(f)(2)(D); Cboe strategy-based margin.
    """
    if rules[OPTION_LOAN_VALUE] == 0.0 or expiry <= rules[LOAN_HORIZON]:
        return 0.0
    return rules[LOAN_RATE]
