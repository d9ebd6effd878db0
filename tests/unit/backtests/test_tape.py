"""The packed tape: its columns by name, and what it knows before any run."""

import numpy as np
import pytest
from tests.end_to_end.accounts import market_of

from levsleeve.backtests.tape import (
    ACTIONS,
    COLUMNS,
    HOUSE_MOVED,
    NEW_MONTH,
    RECALLS,
    RULES_MOVED,
    Tape,
    retaped,
    sale_fees_of,
    tape_of,
)
from levsleeve.margin.schedule import LOAN_HORIZON, SHORT_BASE


def tape() -> Tape:
    """Six sessions from Thursday 2019-05-30 on, two funds."""
    return market_of({"UPRO": [50.0] * 6, "SPXU": [30.0] * 6}, start="2019-05-30", fees=True).tape


def test_a_tape_gives_back_the_columns_it_was_made_of() -> None:
    rng, one = np.random.default_rng(1), tape()
    given = {name: rng.random(getattr(one, name).shape) for name in COLUMNS}
    other = tape_of(**given)
    for name, column in given.items():
        assert np.array_equal(getattr(other, name), column), name


def test_a_column_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        tape().closes[0, 0] = 1.0


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(AttributeError) as stopped:
        _ = tape().close
    assert str(stopped.value) == "tape: it has no column 'close'"
    with pytest.raises(TypeError, match="unexpected keyword argument 'close'"):
        retaped(tape(), close=tape().closes)


def marked(one: Tape, column: int) -> list[int]:
    """The sessions that a column marks."""
    assert set(one.sessions[:, column]) <= {0.0, 1.0}
    found: list[int] = np.flatnonzero(one.sessions[:, column]).tolist()
    return found


def test_the_first_session_of_a_calendar_month_is_marked_but_for_the_very_first() -> None:
    assert marked(tape(), NEW_MONTH) == [2]  # Monday 2019-06-03


def test_sessions_with_a_split_or_a_distribution_are_marked() -> None:
    one = tape()
    splits, dividends = one.splits.copy(), one.dividends.copy()
    splits[1, 1], dividends[3, 0] = 0.25, 0.1
    assert marked(retaped(one, splits=splits), ACTIONS) == [1]
    assert marked(retaped(one, splits=splits, dividends=dividends), ACTIONS) == [1, 3]


def test_sessions_on_which_a_lender_wants_shares_back_are_marked() -> None:
    one = tape()
    states = one.borrow_states.copy()
    states[4:, 0] = 2.0
    assert marked(retaped(one, borrow_states=states), RECALLS) == [4, 5]


def test_a_change_of_the_rules_is_marked_but_not_the_passing_of_time() -> None:
    one = tape()
    rules = one.rules.copy()
    rules[:, LOAN_HORIZON] += np.arange(6.0)
    assert marked(retaped(one, rules=rules), RULES_MOVED) == []
    rules[3:, SHORT_BASE] += 0.1
    assert marked(retaped(one, rules=rules), RULES_MOVED) == [3]


def test_a_change_of_the_house_is_marked() -> None:
    one = tape()
    overlays = one.overlays.copy()
    overlays[2, 1, 0] = 0.6
    assert marked(retaped(one, overlays=overlays), HOUSE_MOVED) == [2, 3]


def test_rules_read_the_fees_of_a_session() -> None:
    one = tape()
    assert list(sale_fees_of(one, 2)) == one.sale_fees[2].tolist()
    assert one.sale_fees[2].any()
