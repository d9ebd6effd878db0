"""Opens that are no opens: copies of the close before, at which nobody could have traded."""

import numpy as np
import pandas as pd

from levsleeve.compiled import Floats
from levsleeve.errors import StudyError
from levsleeve.instruments.fund import PERCENT

MOST_COPIES = 0.01
"""Fraction of a study's opens that may equal the close before by chance."""

_SAME = 1e-9
"""Relative: prices that differ by less differ by rounding only."""


def refuse_copied_opens(
    opens: Floats, closes: Floats, splits: Floats, sessions: pd.DatetimeIndex, symbol: str
) -> None:
    """Refuse the prices of one fund for fills at the open if its opens copy the close before.

    All arrays have the shape (n_sessions,); ``splits`` are new shares for an old one on the session
    they take effect, else 1.0.

    Raises
    ------
    StudyError
        If more than 1 % of the opens after the first equal the close before.
    """
    copied = np.isclose(opens[1:] * splits[1:], closes[:-1], rtol=_SAME, atol=0.0)
    count, total = int(copied.sum()), len(copied)
    if count == 0 or count / total <= MOST_COPIES:
        return
    first = sessions[1 + int(np.argmax(copied))]
    raise StudyError(
        f"{symbol}: {count:,} of {total:,} opens ({PERCENT * count / total:.1f} %) are copies of "
        f"the close before, first {first:%Y-%m-%d}, so that a fill at the open would be a hidden "
        'fill at that close; fill = "next_close", or prices with real opens, is right'
    )
