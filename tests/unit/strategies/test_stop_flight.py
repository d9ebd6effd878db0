"""The ladder of stop-flight: its levels against published ones, its rungs, its cut."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from levsleeve.errors import StudyError
from levsleeve.strategies.stop_flight import (
    CALM,
    DERISKED,
    FLATTENED,
    WARNED,
    StopFlight,
    gap_safe_utilization,
    kept_part,
    rung_of,
)

LEVELS = np.array([0.5, 0.6, 0.8, 0.4])


@pytest.mark.parametrize(
    ("leverage", "rate", "short", "move", "safe"),
    [
        (3.0, 0.90, True, 0.05, 0.759),
        (3.0, 0.90, True, 0.0952, 0.624),
        (3.0, 0.90, True, 0.1158, 0.577),
        (2.0, 0.60, True, 0.05, 0.789),
        (2.0, 0.60, True, 0.0952, 0.663),
        (2.0, 0.60, True, 0.1158, 0.618),
        (3.0, 0.75, False, 0.0903, 0.917),
        (3.0, 0.75, False, 0.1198, 0.893),
        (3.0, 0.75, False, 0.2047, 0.830),
        (2.0, 0.50, False, 0.0903, 0.847),
        (2.0, 0.50, False, 0.1198, 0.807),
        (2.0, 0.50, False, 0.2047, 0.710),
    ],
)
def test_gap_safe_utilization_is_that_of_the_table(
    leverage: float, rate: float, move: float, safe: float, *, short: bool
) -> None:
    assert round(gap_safe_utilization(leverage, rate, move, short), 3) == safe


@given(
    leverage=st.sampled_from([1.0, 2.0, 3.0]),
    rate=st.floats(0.05, 1.0),
    move=st.floats(0.0, 0.3),
    short=st.booleans(),
)
def test_a_move_from_gap_safe_utilization_leads_just_to_a_call(
    leverage: float, rate: float, move: float, *, short: bool
) -> None:
    used = gap_safe_utilization(leverage, rate, move, short)
    held = used / rate  # market value over equity
    profit = -held * leverage * move
    left = held * (1.0 + leverage * move) if short else held * (1.0 - leverage * move)
    assert 1.0 + profit == pytest.approx(rate * left, abs=1e-9)


def test_a_move_that_takes_all_of_a_fund_takes_no_more() -> None:
    # Nothing is left that needs margin: u / m dollars are lost of one.
    assert gap_safe_utilization(3.0, 0.75, 0.5, short=False) == 0.75
    assert gap_safe_utilization(3.0, 0.75, 0.9, short=False) == 0.75


def test_what_needs_no_margin_is_safe_at_any_utilization() -> None:
    assert gap_safe_utilization(3.0, 0.0, 0.2, short=True) == 1.0


# --- levels ---------------------------------------------------------------------------------------


def test_levels_that_are_left_out_follow_from_the_gap_safe_utilization() -> None:
    rates = np.array([[0.9], [0.6]])
    found = StopFlight().levels([-0.5], [3.0], rates)
    for row, rate in zip(found, (0.9, 0.6), strict=True):
        loss = 3.0 * 0.1158
        safe = 1.0 / (1.0 + loss + loss / rate)
        np.testing.assert_allclose(
            row, [0.9 * safe, safe, (1.0 + safe) / 2.0, 0.75 * safe], rtol=1e-12
        )


@pytest.mark.parametrize(
    ("weight", "multiple", "move"),
    [(0.5, 3.0, 0.2047), (-0.5, 3.0, 0.1158), (0.5, -3.0, 0.1158), (-0.5, -3.0, 0.2047)],
)
def test_a_fall_endangers_what_gains_with_the_index_and_a_rise_what_loses(
    weight: float, multiple: float, move: float
) -> None:
    found = StopFlight().levels([weight], [multiple], np.array([[0.75]]))
    expected = gap_safe_utilization(3.0, 0.75, move, weight < 0.0)
    assert found[0, 1] == pytest.approx(expected, rel=1e-12)


def test_the_lowest_of_several_funds_counts_and_those_without_leverage_do_not() -> None:
    rates = np.array([[0.75, 0.9, 0.25, 0.9]])
    found = StopFlight().levels([0.5, -0.1, 2.0, 0.0], [3.0, 3.0, 1.0, -3.0], rates)
    assert round(found[0, 1], 3) == 0.577


def test_levels_that_are_given_stand_and_the_others_follow_derisk() -> None:
    rates = np.array([[0.75], [0.75]])
    given_one = StopFlight(derisk=0.5).levels([0.5], [3.0], rates)
    np.testing.assert_allclose(given_one, [[0.45, 0.5, 0.75, 0.375]] * 2, rtol=1e-12)
    all_given = StopFlight(warn=0.3, derisk=0.4, flatten=0.9, cut_to=0.1)
    np.testing.assert_allclose(
        all_given.levels([0.5], [3.0], rates), [[0.3, 0.4, 0.9, 0.1]] * 2, rtol=1e-12
    )


def test_without_leverage_the_ladder_acts_at_a_call_alone() -> None:
    found = StopFlight().levels([0.5], [1.0], np.array([[0.25]]))
    np.testing.assert_allclose(found, [[0.9, 1.0, 1.0, 0.75]], rtol=1e-12)


def test_a_session_on_which_all_must_be_paid_up_contradicts_no_other() -> None:
    # At a rate of 1 a long fund cannot be called, so that its ladder ends at 1 on that day.
    found = StopFlight().levels([0.5], [3.0], np.array([[1.0], [0.75]]))
    np.testing.assert_allclose(found[0], [0.9, 1.0, 1.0, 0.75], rtol=1e-12)
    np.testing.assert_allclose(found[1, 1:3], [0.830, 0.915], atol=5e-4)


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"flatten": 0.6}, "derisk: 0.830 is not below flatten 0.600"),
        ({"warn": 0.9}, "warn: 0.900 is not below derisk 0.830"),
        ({"cut_to": 0.85}, "cut_to: 0.850 is not below derisk 0.830"),
    ],
)
def test_a_level_that_contradicts_the_gap_safe_ones_is_refused(
    keys: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(StudyError) as refused:
        StopFlight(**keys).levels([0.5], [3.0], np.array([[0.75]]))
    assert str(refused.value) == (
        f"stop_flight.{wrong}, gap-safe levels of these rates included; a ladder that tightens "
        "from cut_to and warn over derisk to flatten is right"
    )


# --- rungs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "before", "rung"),
    [
        (0.49, CALM, CALM), (0.50, CALM, WARNED), (0.60, CALM, DERISKED), (0.80, CALM, FLATTENED),
        (np.inf, CALM, FLATTENED),
        # One is left only 0.05 below its threshold, ...
        (0.46, WARNED, WARNED), (0.44, WARNED, CALM), (0.56, DERISKED, DERISKED),
        (0.54, DERISKED, WARNED), (0.76, FLATTENED, FLATTENED), (0.74, FLATTENED, DERISKED),
        # ... and several at once where utilization fell far enough.
        (0.46, FLATTENED, WARNED), (0.10, FLATTENED, CALM), (0.82, WARNED, FLATTENED),
    ],
)  # fmt: skip
def test_a_rung_is_taken_at_its_threshold_and_left_well_below_it(
    used: float, before: float, rung: float
) -> None:
    assert rung_of(used, LEVELS, before, 0.05) == rung


def test_without_hysteresis_a_rung_is_left_below_its_threshold() -> None:
    assert rung_of(0.59, LEVELS, DERISKED, 0.0) == WARNED
    assert rung_of(0.60, LEVELS, DERISKED, 0.0) == DERISKED


# --- the cut --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("maintenance", "sized", "loanable", "cut_to", "part"),
    [
        (80.0, 80.0, 100.0, 0.4, 0.5),
        (80.0, 60.0, 100.0, 0.4, 1.0 / 3.0),  # 40 of 60 must go
        (80.0, 30.0, 100.0, 0.4, 0.0),  # the core alone is above the aim
        (80.0, 80.0, 0.0, 0.4, 0.0),
        (80.0, 80.0, -50.0, 0.4, 0.0),
        (30.0, 30.0, 100.0, 0.4, 1.0),  # it is there already
        (80.0, 0.0, 100.0, 0.4, 1.0),  # nothing of the sleeve needs margin
    ],
)
def test_a_cut_keeps_what_leads_to_its_aim(
    maintenance: float, sized: float, loanable: float, cut_to: float, part: float
) -> None:
    assert kept_part(maintenance, sized, loanable, cut_to) == pytest.approx(part, abs=1e-12)


@given(st.floats(1.0, 1e6), st.floats(0.01, 1.0), st.floats(1.0, 1e6), st.floats(0.05, 0.9))
def test_what_is_kept_uses_just_the_aim_where_the_sleeve_can_reach_it(
    maintenance: float, share: float, loanable: float, cut_to: float
) -> None:
    sized = share * maintenance
    part = kept_part(maintenance, sized, loanable, cut_to)
    assert 0.0 <= part <= 1.0
    assume(0.0 < part < 1.0)
    left = maintenance - (1.0 - part) * sized
    assert left / loanable == pytest.approx(cut_to, rel=1e-6)
