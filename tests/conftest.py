"""What every test shares: one Hypothesis profile, and the switch that rewrites golden files."""

import pytest
from hypothesis import settings

# No deadline: the first call of a rule compiles it.  Derandomized: the same examples on every run.
settings.register_profile("levsleeve", deadline=None, derandomize=True)
settings.load_profile("levsleeve")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-golden",
        action="store_true",
        help="write what the studies answer now to backtests/golden instead of comparing with it",
    )


@pytest.fixture
def rewrite_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--rewrite-golden"))
