from typing import Any

import pytest

from levsleeve.backtests.needs import Needs
from levsleeve.errors import DataError, StudyError


def test_the_feeds_are_the_funds_and_then_the_option_slots() -> None:
    assert Needs(("UPRO", "SPXU"), ("near", "far")).feeds == ("UPRO", "SPXU", "near", "far")


@pytest.mark.parametrize(
    ("needs", "kind", "message"),
    [
        ({"funds": ()}, StudyError, "funds: none; a strategy trades at least one"),
        ({"funds": ("UPROO",)}, DataError, "UPROO: no fund of that name; did you mean UPRO?"),
        (
            {"funds": ("UPRO", "UPRO")},
            StudyError,
            "funds and slots: UPRO is named twice; names must differ",
        ),
        (
            {"funds": ("UPRO",), "slots": ("put", "put")},
            StudyError,
            "funds and slots: put is named twice; names must differ",
        ),
        (
            {"funds": ("UPRO",), "on_shortfall": "buy"},
            StudyError,
            "on_shortfall: 'buy'; 'cut' or 'refuse' is right",
        ),
    ],
)
def test_needs_that_no_run_can_meet_are_refused(
    needs: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as refused:
        Needs(**needs)
    assert str(refused.value) == message
