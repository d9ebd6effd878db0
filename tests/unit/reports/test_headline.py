from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from levsleeve.reports.comparison import headline


@pytest.mark.parametrize(
    ("mode", "ending"),
    [("strategy", "of 2010-04-30"), ("portfolio", "of 2010-04-30 | coarse portfolio margin")],
)
def test_a_comparison_under_portfolio_margin_is_labelled_coarse(mode: str, ending: str) -> None:
    result: Any = SimpleNamespace(
        study=SimpleNamespace(title="T", name="t", rules_as_of=date(2010, 4, 30)),
        benchmark=SimpleNamespace(first_session=date(2007, 1, 3), last_session=date(2008, 1, 3)),
        sleeves={"one": SimpleNamespace(margin_mode=mode)},
    )
    assert headline(result) == f"T | 2007-01-03 to 2008-01-03 | margin rules {ending}"
