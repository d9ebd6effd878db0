"""Sessions of the exchange: expiry dates of listed options, and gaps in a price table."""

import warnings

import numpy as np
import pandas as pd
from pandas.tseries.holiday import GoodFriday, Holiday, nearest_workday

from levsleeve.data.prices import as_sessions

EXCHANGE = "XNYS"
MONTHS_BEYOND = 13
"""Months after the last session for which expiries are known: a year's contract has one."""


_CLOSED_FRIDAYS = (
    GoodFriday,
    Holiday("Juneteenth", month=6, day=19, start_date="2022-01-01", observance=nearest_workday),
)
"""The only holidays of the exchange that can fall on a third Friday; its whole calendar says the
same and takes a quarter of a second to load."""


def monthly_expiries(sessions: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Third Fridays, or the last session before one that is a holiday, ascending.

    From the first session to 13 months past the last; beyond the last session the exchange's
    holidays say which days trade.
    """
    last = sessions[-1]
    end = last + pd.DateOffset(months=MONTHS_BEYOND)
    fridays = pd.date_range(sessions[0], end, freq="WOM-3FRI")
    ahead = fridays[fridays > last]
    closed = [ahead.isin(holiday.dates(last, end)) for holiday in _CLOSED_FRIDAYS]
    ahead = ahead.where(~np.any(closed, axis=0), ahead - pd.Timedelta(days=1))
    past = sessions[sessions.searchsorted(fridays[fridays <= last], side="right") - 1]
    return as_sessions(pd.DatetimeIndex(past.append(ahead)))


def check_calendar(sessions: pd.DatetimeIndex) -> list[str]:
    """How the sessions differ from the exchange's, such as ``2012-10-29 is not a session``."""
    expected = exchange_sessions(sessions[0], sessions[-1])
    extra = dict.fromkeys(sessions.difference(expected), "is not a session")
    missing = dict.fromkeys(expected.difference(sessions), "is missing")
    return [f"{day:%Y-%m-%d} {what}" for day, what in sorted({**extra, **missing}.items())]


def exchange_sessions(first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """The days on which the New York Stock Exchange traded, or will by its present rules."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from exchange_calendars import get_calendar

        calendar = get_calendar(EXCHANGE, start=first, end=last + pd.Timedelta(days=7))
    days = as_sessions(pd.DatetimeIndex(calendar.sessions))
    return days[(days >= first) & (days <= last)]
