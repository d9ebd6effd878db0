"""How many accounts each property lives: a few in the suite, many more in ``make fuzz``."""

import os
from collections import Counter

from hypothesis import settings

FUZZ = "fuzz"
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "levsleeve")
"""The Hypothesis profile of this run; ``tests/conftest.py`` describes and loads it."""
TIMES_MORE = 25
"""Accounts that ``make fuzz`` lives for each one of the suite: more than 50,000 in all."""
TOTAL = "accounts_lived"
LIVED: Counter[str] = Counter()
"""How many random accounts this process has lived; those that live twice count once."""


def accounts(count: int) -> settings:
    """The settings of a property that lives ``count`` accounts in the suite."""
    times = TIMES_MORE if PROFILE == FUZZ else 1
    return settings(max_examples=count * times)
