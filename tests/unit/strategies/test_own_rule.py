"""A sizing rule of one's own: what it sees, and what is refused of its answers."""

import math
from typing import Any

import numpy as np
import pytest
from tests.unit.strategies.markets import FIRST, ROWS, history_of, seen_of

from levsleeve.errors import DataError, StudyError
from levsleeve.strategies.history import History
from levsleeve.strategies.own_rule import AccountSeen, OwnRule

ACCOUNT = AccountSeen(equity=90_000.0, growth=0.9, peak=1.2, utilization=0.4)


def test_a_rule_of_the_history_is_asked_at_each_close_of_the_study() -> None:
    asked: list[tuple[int, int]] = []

    def scale(history: History) -> float:
        asked.append((len(history.index), len(history.funds)))
        return float(history.index[-1] + 1.0)

    rule, seen = OwnRule(scale), seen_of(history_of(), (0.5,), (3.0,))
    (branch,) = rule.branches(seen)
    assert asked == [(row + 1, row + 1) for row in range(FIRST, ROWS)]
    assert np.isnan(branch.signal[:FIRST]).all()
    np.testing.assert_array_equal(branch.signal[FIRST:], seen.history.index[FIRST:] + 1.0)
    assert not branch.reads_account
    assert not rule.reads_account
    assert rule.name == "scale"


def test_a_rule_of_the_account_waits_for_it() -> None:
    def below_the_peak(history: History, account: AccountSeen) -> float:
        assert len(history.index) == ROWS
        return account.growth / account.peak

    rule = OwnRule(below_the_peak)
    assert rule.reads_account
    (branch,) = rule.branches(seen_of(history_of(), (0.5,), (3.0,)))
    assert np.isnan(branch.signal).all()
    assert rule.answer(history_of(), ACCOUNT) == pytest.approx(0.75, rel=1e-12)


def test_anything_that_can_be_called_is_a_rule() -> None:
    class Half:
        def __call__(self, history: History) -> float:  # noqa: ARG002
            return 0.5

    rule = OwnRule(Half())
    assert rule.name == "Half"
    assert rule.answer(history_of()) == 0.5


@pytest.mark.parametrize("answer", [0, 0.0, 2, np.float64(0.7)])
def test_an_answer_is_any_number_of_at_least_nothing(answer: Any) -> None:
    assert OwnRule(lambda history: answer).answer(history_of()) == float(answer)  # noqa: ARG005


@pytest.mark.parametrize("answer", [True, "1"])
def test_an_answer_that_only_looks_like_a_number_is_refused(answer: Any) -> None:
    def mine(history: History) -> Any:
        return answer

    with pytest.raises(StudyError) as refused:
        OwnRule(mine).answer(history_of())
    assert str(refused.value) == (
        f"sizing: mine answers {answer!r}; a scale, a number of at least 0, is right"
    )


def test_arguments_with_a_default_do_not_make_a_rule_see_the_account() -> None:
    def mine(history: History, window: int = 3, *, more: float = 1.0) -> float:
        return window * more

    rule = OwnRule(mine)
    assert not rule.reads_account
    assert rule.answer(history_of()) == 3.0


@pytest.mark.parametrize(
    ("answer", "shown"), [(math.nan, "nan"), (math.inf, "inf"), (-0.25, "-0.25")]
)
def test_an_answer_that_is_no_scale_is_refused(answer: float, shown: str) -> None:
    def mine(history: History) -> float:
        return answer

    with pytest.raises(StudyError) as refused:
        OwnRule(mine).answer(history_of())
    assert str(refused.value) == (
        f"sizing: mine answers {shown} after 80 sessions; a scale of at least 0 is right"
    )


def test_a_rule_that_fails_is_told_in_one_line() -> None:
    def mine(history: History) -> float:
        return float(history.index[1000])

    with pytest.raises(StudyError) as refused:
        OwnRule(mine).answer(history_of())
    assert str(refused.value) == (
        "sizing: mine fails with IndexError: index 1000 is out of bounds for axis 0 with size 80; "
        "one that returns a scale is right"
    )


def test_a_rule_that_answers_with_nothing_is_told_in_one_line() -> None:
    def mine(history: History) -> Any:
        return None

    with pytest.raises(StudyError) as refused:
        OwnRule(mine).answer(history_of())
    assert str(refused.value) == (
        "sizing: mine fails with TypeError: float() argument must be a string or a real number, "
        "not 'NoneType'; one that returns a scale is right"
    )


def test_an_error_of_our_own_passes_a_rule_unchanged() -> None:
    def mine(history: History) -> float:
        raise DataError("UPRO: no price; one is right")

    with pytest.raises(DataError) as refused:
        OwnRule(mine).answer(history_of())
    assert str(refused.value) == "UPRO: no price; one is right"


@pytest.mark.parametrize(
    ("function", "takes"),
    [
        (lambda: 1.0, "<lambda> takes 0 arguments"),
        (lambda one, two, three: 1.0, "<lambda> takes 3 arguments"),  # noqa: ARG005
        (max, "max takes 0 arguments"),
    ],
)
def test_a_function_of_other_arguments_is_refused(function: Any, takes: str) -> None:
    with pytest.raises(StudyError) as refused:
        OwnRule(function)
    assert str(refused.value) == (
        f"sizing: {takes}; scale(history) or scale(history, account) is right"
    )
