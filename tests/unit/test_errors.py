import inspect

import pytest

from levsleeve import errors
from levsleeve.errors import (
    AccountError,
    DataError,
    LedgerError,
    LevsleeveError,
    ParityError,
    ScheduleError,
    StudyError,
)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (DataError, ValueError),
        (ScheduleError, LookupError),
        (StudyError, ValueError),
        (AccountError, ValueError),
        (LedgerError, AssertionError),
        (ParityError, AssertionError),
    ],
)
def test_an_error_is_caught_as_ours_and_as_what_python_calls_it(
    error: type[LevsleeveError], builtin: type[Exception]
) -> None:
    assert error.__bases__ == (LevsleeveError, builtin)


def test_the_base_error_is_no_builtin_error_but_an_exception() -> None:
    assert LevsleeveError.__bases__ == (Exception,)


def test_the_tree_in_the_documentation_names_every_class() -> None:
    classes = dict(inspect.getmembers(errors, inspect.isclass))
    assert set(classes) == {
        "AccountError", "DataError", "LedgerError", "LevsleeveError", "ParityError",
        "ScheduleError", "StudyError",
    }  # fmt: skip
    tree = inspect.getdoc(errors) or ""
    assert [name for name in classes if name not in tree] == []


@pytest.mark.parametrize("error", [AccountError, DataError, LedgerError, ScheduleError, StudyError])
def test_a_message_is_shown_as_it_was_written(error: type[LevsleeveError]) -> None:
    # A KeyError, one of the lookup errors, would print it in quotation marks.
    assert str(error("UPRO: no price on 2009-06-22")) == "UPRO: no price on 2009-06-22"
