from collections.abc import Sequence

import numpy as np
import pytest
from scipy.optimize import linprog

from levsleeve.margin.allocation import NOBODY, most_saving


def uses(
    units: list[float], members: Sequence[tuple[int, ...]], savings: list[float]
) -> tuple[list[float], float]:
    """Units of each combination, and the dollars that they save."""
    padded = [(*member, *[NOBODY] * (3 - len(member))) for member in members]
    table = np.array(padded, dtype=np.float64).reshape(len(members), 3)
    used = most_saving(np.array(units), table, np.array(savings))
    return used.tolist(), float(used @ np.array(savings))


def test_nothing_to_combine_uses_nothing() -> None:
    assert uses([100.0], [], []) == ([], 0.0)


def test_a_combination_that_saves_nothing_is_not_used() -> None:
    assert uses([100.0, 100.0], [(0, 1), (0, 1)], [0.0, -5.0]) == ([0.0, 0.0], 0.0)


def test_the_dearer_saving_takes_what_both_would_use() -> None:
    # 100 shares: 80 with the option that saves 3 each, the rest with the one that saves 1.
    assert uses([100.0, 60.0, 80.0], [(0, 1), (0, 2)], [1.0, 3.0]) == ([20.0, 80.0], 260.0)


def test_taking_the_greatest_saving_first_would_not_be_best() -> None:
    # Positions 0-1 save 5, 0-2 and 1-3 four each: both fours beat the five.
    answer = uses([10.0] * 4, [(0, 1), (0, 2), (1, 3)], [5.0, 4.0, 4.0])
    assert answer == ([0.0, 10.0, 10.0], 80.0)


def test_three_positions_stand_together_as_far_as_the_scarcest() -> None:
    used, saved = uses([1_000.0, 600.0, 400.0], [(0, 1), (0, 1, 2)], [56.0, 60.0])
    assert used == pytest.approx([200.0, 400.0])
    assert saved == pytest.approx(200 * 56 + 400 * 60)


def test_an_odd_cycle_is_shared_by_halves() -> None:
    # 0-1, 1-2, 2-0 save 1 a unit each: 50 of each use all of 100, where one of them saves 100.
    used, saved = uses([100.0] * 3, [(0, 1), (1, 2), (2, 0)], [1.0, 1.0, 1.0])
    assert (used, saved) == ([50.0, 50.0, 50.0], 150.0)


def test_many_equal_savings_end_all_the_same() -> None:
    members = [(0, place) for place in range(1, 9)]
    used, saved = uses([100.0] * 9, members, [2.0] * 8)
    assert (sum(used), saved) == (100.0, 200.0)


def test_positions_of_no_units_use_nothing() -> None:
    assert uses([0.0, 100.0, 100.0], [(0, 1), (1, 2)], [9.0, 1.0]) == ([0.0, 100.0], 100.0)


def test_random_programs_save_what_highs_finds_and_use_no_position_twice() -> None:
    rng = np.random.default_rng(2009)
    for _ in range(400):
        positions, columns = int(rng.integers(2, 8)), int(rng.integers(1, 16))
        units = rng.choice([0.0, 25.0, 100.0, 100.0, 300.0, 700.0], positions)
        members = [
            tuple(rng.choice(positions, min(positions, int(rng.integers(2, 4))), replace=False))
            for _ in range(columns)
        ]
        savings = rng.choice([-3.0, 0.0, 1.0, 1.0, 2.0, 7.5], columns)
        used, saved = uses(units.tolist(), members, savings.tolist())
        takes = np.zeros((positions, columns))
        for column, member in enumerate(members):
            takes[list(member), column] = 1.0
        best = linprog(-savings, A_ub=takes, b_ub=units, method="highs")
        assert saved == pytest.approx(-best.fun, abs=1e-6)
        assert (np.array(used) >= 0.0).all()
        assert (takes @ used <= units + 1e-9).all()
