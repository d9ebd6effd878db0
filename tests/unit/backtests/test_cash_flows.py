from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from levsleeve.backtests.cash_flows import MONTHS, CashFlow, cash_flows_by_session
from levsleeve.errors import StudyError
from levsleeve.strict_table import in_words

WEEKDAYS = pd.bdate_range("2008-01-01", "2009-12-31")
TUESDAY = date(2008, 1, 1)


def posted(*flows: CashFlow, sessions: pd.DatetimeIndex = WEEKDAYS) -> dict[str, float]:
    """Dollars by the sessions that have any."""
    by_session = cash_flows_by_session(flows, sessions)
    assert by_session.shape == (len(sessions),)
    rows = np.flatnonzero(by_session)
    return {sessions[int(row)].strftime("%Y-%m-%d"): float(by_session[row]) for row in rows}


# --- when a flow is posted -----------------------------------------------------------------------


def test_without_flows_nothing_is_posted() -> None:
    assert posted() == {}


def test_a_flow_falls_on_its_date_or_on_the_next_session() -> None:
    tuesday = CashFlow(on=date(2008, 1, 8), amount_usd=500.0)
    saturday = CashFlow(on=date(2008, 1, 12), amount_usd=-200.0)
    assert posted(tuesday, saturday) == {"2008-01-08": 500.0, "2008-01-14": -200.0}


def test_the_first_and_the_last_session_can_have_a_flow() -> None:
    first, last = (
        CashFlow(on=TUESDAY, amount_usd=1.0),
        CashFlow(on=date(2009, 12, 31), amount_usd=2),
    )
    assert posted(first, last) == {"2008-01-01": 1.0, "2009-12-31": 2.0}


def test_several_flows_of_one_session_add() -> None:
    weekend = [CashFlow(on=date(2008, 1, day), amount_usd=100.0 * day) for day in (12, 13, 14)]
    assert posted(*weekend) == {"2008-01-14": 3_900.0}


def test_repetitions_that_meet_on_one_session_add() -> None:
    sessions = pd.DatetimeIndex(["2008-01-01", "2008-01-31"])
    assert posted(CashFlow(on=TUESDAY, amount_usd=5.0, every="week"), sessions=sessions) == {
        "2008-01-01": 5.0,
        "2008-01-31": 20.0,  # of 8, 15, 22 and 29 January
    }


def test_a_weekly_flow_keeps_its_weekday_to_the_last_session() -> None:
    sessions = WEEKDAYS[:20]  # to Monday, 28 January
    flow = CashFlow(on=date(2008, 1, 4), amount_usd=10.0, every="week")
    fridays = ("2008-01-04", "2008-01-11", "2008-01-18", "2008-01-25")
    assert posted(flow, sessions=sessions) == dict.fromkeys(fridays, 10.0)


@pytest.mark.parametrize(
    ("until", "count"), [(date(2008, 1, 15), 3), (date(2008, 1, 14), 2), (TUESDAY, 1)]
)
def test_until_is_the_last_day_and_belongs_to_it(until: date, count: int) -> None:
    flow = CashFlow(on=TUESDAY, amount_usd=10.0, every="week", until=until)
    assert len(posted(flow)) == count


def test_a_repetition_due_after_the_last_session_is_not_posted() -> None:
    sessions = pd.bdate_range("2008-01-01", "2008-02-29")  # a Friday
    saturday = CashFlow(on=date(2008, 2, 2), amount_usd=1.0, every="month")
    assert posted(saturday, sessions=sessions) == {"2008-02-04": 1.0}


@pytest.mark.parametrize(
    ("on", "every", "expected"),
    [
        (
            date(2008, 1, 31),
            "month",
            ["2008-01-31", "2008-02-29", "2008-03-31", "2008-04-30", "2008-05-31", "2008-06-30"],
        ),
        (date(2007, 12, 30), "month", ["2007-12-30", "2008-01-30", "2008-02-29", "2008-03-30"]),
        (date(2008, 5, 31), "quarter", ["2008-05-31", "2008-08-31", "2008-11-30", "2009-02-28"]),
        (
            date(2008, 2, 29),
            "year",
            ["2008-02-29", "2009-02-28", "2010-02-28", "2011-02-28", "2012-02-29"],
        ),
        (date(2008, 12, 24), "week", ["2008-12-24", "2008-12-31", "2009-01-07"]),
    ],
)
def test_a_repetition_keeps_the_day_of_the_month_or_takes_its_last(
    on: date, every: Any, expected: list[str]
) -> None:
    flow = CashFlow(on=on, amount_usd=1.0, every=every)
    days = [day.isoformat() for day in flow.dates(date.fromisoformat(expected[-1]))]
    assert days == expected


@given(
    on=st.dates(date(1999, 1, 1), date(2018, 12, 31)),
    every=st.sampled_from(sorted(MONTHS)),
    days=st.integers(0, 4_000),
)
def test_the_dates_are_those_of_pandas_offsets_from_the_first_day(
    on: date, every: Any, days: int
) -> None:
    last = on + pd.Timedelta(days=days)
    expected, count = [], 0
    while (day := (pd.Timestamp(on) + pd.DateOffset(months=MONTHS[every] * count)).date()) <= last:
        expected.append(day)
        count += 1
    assert CashFlow(on=on, amount_usd=1.0, every=every).dates(last) == expected


@given(st.lists(st.tuples(st.integers(0, 730), st.integers(-9_999, 9_999).filter(bool))))
def test_every_dollar_is_posted_once(given_flows: list[tuple[int, int]]) -> None:
    flows = [
        CashFlow(on=(WEEKDAYS[0] + pd.Timedelta(days=day)).date(), amount_usd=dollars)
        for day, dollars in given_flows
    ]
    total = sum(dollars for _, dollars in given_flows)
    assert cash_flows_by_session(flows, WEEKDAYS).sum() == total


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"on": date(2007, 12, 31), "amount_usd": 1.0},
            "account.cash_flow: on 2007-12-31 is outside the sessions of the study, "
            "2008-01-01 to 2009-12-31; a date within them is right",
        ),
        (
            {"on": date(2010, 1, 1), "amount_usd": 1.0},
            "account.cash_flow: on 2010-01-01 is outside the sessions of the study, "
            "2008-01-01 to 2009-12-31; a date within them is right",
        ),
        (
            {"on": TUESDAY, "amount_usd": 1.0, "every": "year", "until": date(2010, 1, 1)},
            "account.cash_flow: until 2010-01-01 is outside the sessions of the study, "
            "2008-01-01 to 2009-12-31; a date within them is right",
        ),
    ],
)
def test_a_date_outside_the_sessions_is_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError) as refused:
        cash_flows_by_session([CashFlow(**table)], WEEKDAYS)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"amount_usd": 0},
            "amount_usd: 0.0; a deposit above 0 or a withdrawal below 0 is right",
        ),
        ({"amount_usd": float("nan")}, "amount_usd: nan; a finite number is right"),
        ({"amount_usd": float("-inf")}, "amount_usd: -inf; a finite number is right"),
        ({"amount_usd": "500"}, "amount_usd: '500'; a number is right"),
        (
            {"on": "2008-01-01"},
            "on: '2008-01-01'; a date such as 2018-12-31 without quotes is right",
        ),
        ({"every": "day"}, "every: 'day'; 'week', 'month', 'quarter' or 'year' is right"),
        ({"amount": 1.0}, "amount: unknown key; did you mean amount_usd?"),
        (
            {"until": date(2008, 3, 1)},
            'until: 2008-03-01 beside no every; until ends what repeats, such as every = "month"',
        ),
        (
            {"every": "month", "until": date(2007, 12, 31)},
            "until: 2007-12-31 is before on 2008-01-01; the same date or a later one is right",
        ),
    ],
)
def test_a_key_that_is_wrong_is_named_with_what_would_be_right(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        CashFlow.model_validate({"on": TUESDAY, "amount_usd": 1.0} | changes)
    assert in_words(refused.value, CashFlow) == message
