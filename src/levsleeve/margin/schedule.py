"""The requirements on shares by date, read once and handed to the compiled rules as records."""

from datetime import date
from typing import NamedTuple

from levsleeve.margin.table_reader import in_force, table


class ShareRules(NamedTuple):
    """What the rules ask on shares on one day.  Rates are fractions of market value, >= 0."""

    long_base: float
    short_base: float
    scales_with_multiple: float
    initial: float
    short_floor_usd: float
    short_low_floor_usd: float
    minimum_equity_usd: float


def share_rules(on: date) -> ShareRules:
    """The requirements on shares that hold on ``on``.

    Raises
    ------
    ScheduleError
        If ``on`` precedes the table.

    References
    ----------
    FINRA Rule 4210(c); FINRA Regulatory Notice 09-53; 12 CFR 220.12.

    Examples
    --------
    >>> from datetime import date
    >>> share_rules(date(2009, 11, 30)).scales_with_multiple
    0.0
    >>> share_rules(date(2009, 12, 1)).scales_with_multiple
    1.0
    """
    rows = [(entry["effective"], entry) for entry in table("shares")["requirement"]]
    entry = in_force(rows, on, "the requirement on shares")
    return ShareRules(*(float(entry[field]) for field in ShareRules._fields))


def share_rule_source(on: date) -> str:
    """Where the requirement of ``on`` comes from, and how well it is known."""
    rows = [(entry["effective"], entry) for entry in table("shares")["requirement"]]
    entry = in_force(rows, on, "the requirement on shares")
    return f"{entry['source']} ({entry['standing']})"


def share_rule_sources(first: date, last: date) -> list[tuple[date, str]]:
    """Every entry in force between two dates: since when, and its source."""
    entries = table("shares")["requirement"]
    started = [entry for entry in entries if entry["effective"] <= last]
    begun_by = max((e["effective"] for e in started if e["effective"] <= first), default=first)
    return [
        (entry["effective"], f"{entry['source']} ({entry['standing']})")
        for entry in started
        if entry["effective"] >= begun_by
    ]
