import numpy as np
import pandas as pd
import pytest

from levsleeve.data.calendar import exchange_sessions
from levsleeve.errors import StudyError
from levsleeve.strategies.cadence import rebalance_sessions
from levsleeve.strategies.sizing import (
    branch_scale,
    outside_band,
    target_shares,
)


def test_a_signal_without_a_multiplier_is_the_scale() -> None:
    assert branch_scale(0.4, 0.0, np.nan, np.nan, 0.1, 2.0) == 0.4


@pytest.mark.parametrize(
    ("floor", "trailing", "growth", "peak", "scale"),
    [
        # A multiplier of 3 on a signal of 0.5: one and a half times the cushion over equity.
        (0.75, np.nan, 1.0, 4.0, 0.375),
        (0.75, 0.9, 1.0, 4.0, 0.375),  # a floor known ahead goes before one that trails
        (np.nan, 0.75, 1.0, 1.0, 0.375),
        (np.nan, 0.75, 1.5, 2.0, 0.0),  # at the floor
        (np.nan, 0.75, 1.0, 2.0, 0.0),  # below it
        (0.0, np.nan, 0.0, 1.0, 0.0),  # nothing is left
    ],
)
def test_a_cushion_above_a_floor_scales_a_signal(
    floor: float, trailing: float, growth: float, peak: float, scale: float
) -> None:
    assert branch_scale(0.5, 3.0, floor, trailing, growth, peak) == scale


@pytest.mark.parametrize(
    ("weight", "equity", "price", "shares"),
    [
        (0.5, 10_000.0, 33.0, 151.0),  # 151.5
        (-0.5, 10_000.0, 33.0, -151.0),  # towards zero on both sides
        (0.5, 10_000.0, 50.0, 100.0),
        (0.5, 99.0, 50.0, 0.0),
        (0.0, 10_000.0, 50.0, 0.0),
        (1.5, 10_000.0, 100.0, 150.0),
        (0.5, 0.0, 50.0, 0.0),
        (0.5, -10_000.0, 50.0, 0.0),
        (-0.5, -10_000.0, 50.0, 0.0),
        (0.5, 10_000.0, 0.0, 0.0),
    ],
)
def test_a_target_is_in_whole_shares_worth_at_most_the_weight(
    weight: float, equity: float, price: float, shares: float
) -> None:
    assert target_shares(weight, equity, price, 1.0) == shares


@pytest.mark.parametrize(
    ("shares", "price", "equity", "outside"),
    [
        # A target of half of equity, a band of 5 %.
        (500.0, 10.0, 10_000.0, False),
        (560.0, 10.0, 10_000.0, True),
        (440.0, 10.0, 10_000.0, True),
        (545.0, 10.0, 10_000.0, False),
        (455.0, 10.0, 10_000.0, False),
        (-500.0, 10.0, 10_000.0, True),
        (500.0, 10.0, 0.0, True),  # nothing is left: trade
        (500.0, 10.0, -1.0, True),
    ],
)
def test_a_weight_is_traded_once_it_deviates_by_more_than_the_band(
    shares: float, price: float, equity: float, *, outside: bool
) -> None:
    assert outside_band(shares, price, 0.5, equity, 0.05) is outside


def test_a_deviation_of_exactly_the_band_is_left_alone() -> None:
    assert outside_band(75.0, 1.0, 0.5, 100.0, 0.25) is False
    assert outside_band(76.0, 1.0, 0.5, 100.0, 0.25) is True
    assert outside_band(50.0, 1.0, 0.5, 100.0, 0.0) is False


@pytest.mark.parametrize(
    ("first", "last", "cadence", "due"),
    [
        # Around New Year 2019: no sessions on 25 December, 1 January and 21 January.
        (
            "2018-12-20",
            "2019-01-25",
            "weekly",
            ["12-20", "12-24", "12-31", "01-07", "01-14", "01-22"],
        ),
        ("2018-12-20", "2019-01-25", "monthly", ["12-20", "01-02"]),
        ("2018-12-20", "2019-01-25", "quarterly", ["12-20", "01-02"]),
        ("2018-12-20", "2019-01-25", "once", ["12-20"]),
        # A week and a month that the hurricane of 29 and 30 October 2012 shortened.
        ("2012-10-25", "2012-11-06", "weekly", ["10-25", "10-31", "11-05"]),
        ("2012-10-25", "2012-11-06", "monthly", ["10-25", "11-01"]),
        ("2012-10-25", "2012-11-06", "quarterly", ["10-25"]),
        (
            "2012-10-25",
            "2012-11-06",
            "daily",
            ["10-25", "10-26", "10-31", "11-01", "11-02", "11-05", "11-06"],
        ),
        # The exchange was closed from 11 to 14 September 2001.
        ("2001-09-06", "2001-09-25", "weekly", ["09-06", "09-10", "09-17", "09-24"]),
        # A Good Friday before the first of April; Independence Day on a Monday.
        ("2018-03-26", "2018-04-03", "monthly", ["03-26", "04-02"]),
        ("2016-06-30", "2016-07-08", "weekly", ["06-30", "07-05"]),
        ("2016-06-30", "2016-07-08", "quarterly", ["06-30", "07-01"]),
        # A whole year.
        (
            "2015-01-02",
            "2015-12-31",
            "monthly",
            [
                "01-02", "02-02", "03-02", "04-01", "05-01", "06-01",
                "07-01", "08-03", "09-01", "10-01", "11-02", "12-01",
            ],
        ),
        ("2015-01-02", "2015-12-31", "quarterly", ["01-02", "04-01", "07-01", "10-01"]),
    ],
)  # fmt: skip
def test_the_first_session_of_a_period_decides_and_the_very_first_always(
    first: str, last: str, cadence: str, due: list[str]
) -> None:
    sessions = exchange_sessions(pd.Timestamp(first), pd.Timestamp(last))
    decides = rebalance_sessions(sessions, cadence)
    assert decides.dtype == np.bool_
    assert len(decides) == len(sessions)
    assert sessions[decides].strftime("%m-%d").tolist() == due


@pytest.mark.parametrize("cadence", ["daily", "weekly", "monthly", "quarterly", "once"])
def test_a_cadence_looks_at_nothing_later(cadence: str) -> None:
    sessions = exchange_sessions(pd.Timestamp("2018-11-01"), pd.Timestamp("2019-02-28"))
    whole = rebalance_sessions(sessions, cadence)
    for end in (1, 2, 20, 41, 42):
        assert rebalance_sessions(sessions[:end], cadence).tolist() == whole[:end].tolist()


def test_an_unknown_cadence_is_refused() -> None:
    sessions = exchange_sessions(pd.Timestamp("2018-12-20"), pd.Timestamp("2018-12-31"))
    with pytest.raises(StudyError) as refused:
        rebalance_sessions(sessions, "yearly")
    assert str(refused.value) == (
        "rebalance: 'yearly'; one of daily, weekly, monthly, quarterly, once, band, reset is right"
    )


@pytest.mark.parametrize(
    ("cadence", "offset", "due"),
    [
        # Sessions around New Year 2019: 20, 21 / 24, 26, 27, 28 / 31, 2, 3, 4 / 7 ... 11 / 14 ...
        ("weekly", 1, ["12-20", "12-21", "12-26", "01-02", "01-08", "01-15"]),
        (
            "weekly",
            3,
            ["12-20", "12-28", "01-04", "01-10", "01-17"],
        ),  # the first may have begun before
        ("weekly", 4, ["12-20", "12-28", "01-04", "01-11", "01-18"]),  # of holidays: the last
        ("monthly", 2, ["12-20", "12-24", "01-04"]),
        ("monthly", 12, ["12-20", "01-18"]),
        ("quarterly", 1, ["12-20", "12-21", "01-03"]),
        ("once", 3, ["12-20"]),
    ],
)
def test_an_offset_counts_sessions_into_the_period_up_to_the_last_of_a_shorter_one(
    cadence: str, offset: int, due: list[str]
) -> None:
    sessions = exchange_sessions(pd.Timestamp("2018-12-20"), pd.Timestamp("2019-01-18"))
    decides = rebalance_sessions(sessions, cadence, offset)
    assert sessions[decides].strftime("%m-%d").tolist() == due


@pytest.mark.parametrize("cadence", ["daily", "band", "reset"])
def test_a_band_and_the_funds_reset_are_looked_at_on_every_session(cadence: str) -> None:
    sessions = exchange_sessions(pd.Timestamp("2018-12-20"), pd.Timestamp("2019-01-18"))
    assert rebalance_sessions(sessions, cadence).all()
