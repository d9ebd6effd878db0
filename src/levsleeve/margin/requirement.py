"""What shares require: maintenance and initial margin, per share and over an account.

Longs and shorts are never netted: each holding is charged alone (FINRA Rule 4210(c)).
"""

from levsleeve.compiled import Floats, rule
from levsleeve.margin.schedule import ShareRules


@rule
def multiple_scale(multiple: float, rules: ShareRules) -> float:
    """Factor on the base rates: the magnitude of the daily multiple, never below 1.

    References
    ----------
    FINRA Regulatory Notice 09-53: "commensurate with the leverage of the ETF".
    """
    if rules.scales_with_multiple == 0.0:
        return 1.0
    return max(1.0, abs(multiple))


@rule
def long_maintenance_rate(multiple: float, rules: ShareRules) -> float:
    """Fraction of market value that a long position must keep, at most 1.

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.schedule import share_rules
    >>> [long_maintenance_rate(x, share_rules(date(2020, 1, 2))) for x in (1.0, 2.0, -3.0, 5.0)]
    [0.25, 0.5, 0.75, 1.0]
    """
    return min(rules.long_base * multiple_scale(multiple, rules), 1.0)


@rule
def short_maintenance_per_share(price: float, multiple: float, rules: ShareRules) -> float:
    """Dollars per share that a short position must keep above its own value.

    Below the floor price ($5.00) the greater of $2.50 and 100 % of value, from there the greater
    of $5.00 and 30 %; the multiple scales the percentage, not the dollar floor, and the cap of
    100 % limits the scaling only.  ``price`` is as traded, never adjusted for later splits.

    References
    ----------
    FINRA Rule 4210(c)(2)-(3); FINRA Regulatory Notice 09-53.

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.schedule import share_rules
    >>> rules = share_rules(date(2020, 1, 2))
    >>> [round(short_maintenance_per_share(s, 3.0, rules), 2) for s in (26.0, 5.2, 4.0, 1.0)]
    [23.4, 5.0, 4.0, 2.5]
    """
    if price >= rules.short_floor_usd:
        base = max(rules.short_floor_usd, rules.short_base * price)
        rate = min(rules.short_base * multiple_scale(multiple, rules), 1.0)
        return max(base, rate * price)
    return max(rules.short_low_floor_usd, price)


@rule
def maintenance_per_share(price: float, multiple: float, short: bool, rules: ShareRules) -> float:
    """Dollars per share that the maintenance requirement asks on this side."""
    if short:
        return short_maintenance_per_share(price, multiple, rules)
    return long_maintenance_rate(multiple, rules) * price


@rule
def initial_per_share(price: float, multiple: float, short: bool, rules: ShareRules) -> float:
    """Dollars per share needed to open: the greater of Regulation T's half and maintenance.

    References
    ----------
    12 CFR 220.12(a), (c)(1); FINRA Rule 4210(b).

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.schedule import share_rules
    >>> initial_per_share(100.0, 3.0, False, share_rules(date(2020, 1, 2)))
    75.0
    """
    return max(rules.initial * price, maintenance_per_share(price, multiple, short, rules))


@rule
def share_requirements(
    shares: Floats, prices: Floats, multiples: Floats, rules: ShareRules
) -> tuple[float, float]:
    """Dollars of maintenance and of initial margin over all holdings, never netted.

    Parameters
    ----------
    shares : shape (n_funds,)
        Signed; negative is short.
    prices : shape (n_funds,)
        Dollars, as traded.
    multiples : shape (n_funds,)
        Signed daily multiples.
    """
    maintenance = 0.0
    initial = 0.0
    for i in range(shares.size):
        held = abs(shares[i])
        if held > 0.0:
            short = shares[i] < 0.0
            maintenance += held * maintenance_per_share(prices[i], multiples[i], short, rules)
            initial += held * initial_per_share(prices[i], multiples[i], short, rules)
    return maintenance, initial


@rule
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
