import numpy as np
import pandas as pd
import pytest

from levsleeve.backtests.opens import refuse_copied_opens
from levsleeve.compiled import Floats
from levsleeve.errors import StudyError

SESSIONS = pd.bdate_range("1999-01-04", periods=301)


def prices(copies: int, count: int = 301) -> tuple[Floats, Floats, Floats]:
    """Opens, closes and splits of so many sessions; the first opens after the first are copies."""
    closes = 100.0 + np.arange(count, dtype=np.float64)
    opens = closes - 0.25
    opens[1 : copies + 1] = closes[:copies]
    return opens, closes, np.ones(count)


@pytest.mark.parametrize("count", [101, 201, 301])
def test_exactly_one_percent_of_copies_may_be_chance(count: int) -> None:
    allowed = (count - 1) // 100
    refuse_copied_opens(*prices(allowed, count), SESSIONS[:count], "UPRO")
    with pytest.raises(StudyError, match=f"^UPRO: {allowed + 1} of {count - 1} opens "):
        refuse_copied_opens(*prices(allowed + 1, count), SESSIONS[:count], "UPRO")


def test_opens_that_copy_the_close_before_are_refused_with_their_count_and_first_session() -> None:
    opens, closes, splits = prices(0)
    opens[[3, 7, 9, 300]] = closes[[2, 6, 8, 299]]
    with pytest.raises(StudyError) as refused:
        refuse_copied_opens(opens, closes, splits, SESSIONS, "UPRO")
    assert str(refused.value) == (
        "UPRO: 4 of 300 opens (1.3 %) are copies of the close before, first 1999-01-07, so that a "
        'fill at the open would be a hidden fill at that close; fill = "next_close", or prices '
        "with real opens, is right"
    )


def test_a_large_count_is_told_with_its_thousands() -> None:
    sessions = pd.bdate_range("1999-01-04", periods=4_929)
    with pytest.raises(StudyError) as refused:
        refuse_copied_opens(*prices(1_612, 4_929), sessions, "UPRO")
    assert str(refused.value).startswith("UPRO: 1,612 of 4,928 opens (32.7 %) are copies ")


def test_an_open_is_compared_after_its_split() -> None:
    opens, closes, splits = prices(0, 3)
    splits[1] = 4.0
    opens[1] = closes[0] / 4.0
    with pytest.raises(StudyError, match=r"^SH: 1 of 2 opens \(50\.0 %\)"):
        refuse_copied_opens(opens, closes, splits, SESSIONS[:3], "SH")
    opens[1] = closes[0]  # four times the close before, in its own shares
    refuse_copied_opens(opens, closes, splits, SESSIONS[:3], "SH")


@pytest.mark.parametrize(("difference", "copied"), [(1e-10, True), (1e-8, False)])
def test_prices_that_differ_by_rounding_are_copies(difference: float, copied: bool) -> None:  # noqa: FBT001
    opens, closes, splits = prices(1, 2)
    opens[1] *= 1.0 + difference
    if copied:
        with pytest.raises(StudyError, match=r"^SH: 1 of 1 opens"):
            refuse_copied_opens(opens, closes, splits, SESSIONS[:2], "SH")
    else:
        refuse_copied_opens(opens, closes, splits, SESSIONS[:2], "SH")


def test_the_first_open_has_no_close_before_it() -> None:
    opens, closes, splits = prices(0, 1)
    refuse_copied_opens(opens, closes, splits, SESSIONS[:1], "SH")
