"""A sizing rule of one's own: one function in a file."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from levsleeve.errors import LevsleeveError, StudyError
from levsleeve.strategies.branches import Branch, Seen, scaled
from levsleeve.strategies.history import History


class AccountSeen(NamedTuple):
    """What a rule may know of the account at a close.

    ``equity`` in dollars, ``growth`` and ``peak`` what a dollar became and at most was,
    ``utilization`` maintenance margin over equity with loan value.
    """

    equity: float
    growth: float
    peak: float
    utilization: float


class OwnRule:
    """A function ``scale(history)`` or ``scale(history, account)`` as a sizing rule.

    ``history`` is a ``History`` that ends at the close of the decision; ``account`` an
    ``AccountSeen``.  The answer is the scale, a number of at least 0.  One that sees the history
    alone is asked ahead, once a session, and runs in both drivers; one that sees the account is
    asked as the run goes on, in Backtrader only.

    Raises
    ------
    StudyError
        If it takes neither one argument nor two.
    """

    needs_rates = False
    longest = 0

    def __init__(self, function: Callable[..., float], source: str = "") -> None:
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)
        self.source = source
        takes = _positional(function)
        if takes not in (1, 2):
            raise StudyError(
                f"sizing: {self.name} takes {takes} arguments; scale(history) or "
                "scale(history, account) is right"
            )
        self.reads_account = takes == 2  # noqa: PLR2004

    def branches(self, seen: Seen) -> list[Branch]:
        """Its answers, asked ahead; nan throughout where it waits for the account."""
        if self.reads_account:
            return [scaled(seen.unknown)]
        history, answers = seen.history, seen.unknown
        for row in range(history.first, seen.rows):
            answers[row] = self.answer(history.until(row))
        return [scaled(answers)]

    def answer(self, history: History, *account: AccountSeen) -> float:
        """The scale that it answers with.

        Raises
        ------
        StudyError
            If it fails, or answers with something that is no number of at least 0.
        """
        given: Any = None
        try:
            given = self.function(history, *account)
            answer = float(given)
        except LevsleeveError:
            raise
        except Exception as error:
            raise StudyError(
                f"sizing: {self.name} fails with {type(error).__name__}: {error}; "
                "one that returns a scale is right"
            ) from error
        if isinstance(given, str | bool):
            raise StudyError(
                f"sizing: {self.name} answers {given!r}; a scale, a number of at least 0, is right"
            )
        if not np.isfinite(answer) or answer < 0.0:
            raise StudyError(
                f"sizing: {self.name} answers {answer:g} after {len(history.index)} sessions; "
                "a scale of at least 0 is right"
            )
        return answer


def _positional(function: Callable[..., float]) -> int:
    """How many arguments a function must be given by position; 0 where nobody can tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(entry.kind in kinds and entry.default is entry.empty for entry in parameters)
