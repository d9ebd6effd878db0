"""Says at the end how many random accounts were lived, the workers' together."""

from typing import Any

import pytest
from tests.property.accounts.counted import LIVED, TOTAL


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands its count to the process that started it."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[TOTAL] = LIVED[TOTAL]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker is done."""
    LIVED[TOTAL] += getattr(node, "workeroutput", {}).get(TOTAL, 0)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if LIVED[TOTAL]:
        terminalreporter.write_line(f"{LIVED[TOTAL]:,} random accounts lived")
