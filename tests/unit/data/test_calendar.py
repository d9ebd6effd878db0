import pandas as pd
import pytest

from levsleeve.data.calendar import check_calendar, exchange_sessions, monthly_expiries
from levsleeve.data.library import Library


def test_the_bundled_sessions_are_those_of_the_exchange(library: Library) -> None:
    assert check_calendar(library.prices("SP500").sessions) == []


def test_a_missing_and_an_extra_session_are_named() -> None:
    days = exchange_sessions(pd.Timestamp("2012-10-22"), pd.Timestamp("2012-11-05"))
    odd = days.drop(pd.DatetimeIndex(["2012-10-24"])).union(pd.DatetimeIndex(["2012-10-29"]))
    assert check_calendar(odd) == [
        "2012-10-24 is missing",
        "2012-10-29 is not a session",  # the exchange closed for hurricane Sandy
    ]


@pytest.mark.parametrize(
    ("month", "expiry"),
    [
        ("1999-01", "1999-01-15"),
        ("2000-04", "2000-04-20"),  # Good Friday on the 21st
        ("2003-04", "2003-04-17"),
        ("2008-03", "2008-03-20"),
        ("2008-11", "2008-11-21"),
        ("2014-04", "2014-04-17"),
        ("2018-12", "2018-12-21"),
        ("2019-01", "2019-01-18"),  # past the end of the data
        ("2019-04", "2019-04-18"),  # past it, and Good Friday on the 19th
    ],
)
def test_a_month_expires_on_its_third_friday_or_the_session_before(
    library: Library, month: str, expiry: str
) -> None:
    expiries = monthly_expiries(library.prices("SP500").sessions)
    in_month = expiries[expiries.to_period("M") == pd.Period(month)]
    assert in_month.strftime("%Y-%m-%d").tolist() == [expiry]


def test_expiries_run_thirteen_months_past_the_data(library: Library) -> None:
    expiries = monthly_expiries(library.prices("SP500").sessions)
    assert len(expiries) == 20 * 12 + 13
    assert expiries.is_monotonic_increasing
    assert expiries.unit == "us"
    assert expiries.name == "session"
    assert expiries[-1] == pd.Timestamp("2020-01-17")


def test_data_that_begin_after_a_third_friday_have_their_first_expiry_next_month() -> None:
    days = exchange_sessions(pd.Timestamp("2018-01-22"), pd.Timestamp("2018-03-30"))
    assert monthly_expiries(days)[0] == pd.Timestamp("2018-02-16")


def test_expiries_ahead_are_those_of_the_exchange() -> None:
    last = pd.Timestamp("2049-12-31")
    days = exchange_sessions(pd.Timestamp("1990-01-02"), last)
    known = monthly_expiries(days)
    for year in range(1990, 2048):
        ahead = monthly_expiries(days[days.year <= year])
        assert ahead.equals(known[: len(ahead)])


def test_an_expiry_the_day_after_the_last_session_moves_before_its_holiday() -> None:
    days = exchange_sessions(pd.Timestamp("2019-04-01"), pd.Timestamp("2019-04-18"))
    assert monthly_expiries(days)[0] == pd.Timestamp("2019-04-18")
