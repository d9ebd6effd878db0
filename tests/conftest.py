"""What every test shares: Hypothesis profiles, and the switch that rewrites golden files."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from tests.property.accounts.counted import FUZZ, PROFILE
from tests.workspaces import make_workspace

from levsleeve.data.bundled import ensure_bundled
from levsleeve.data.store import Store

# No deadline: the first call of a rule compiles it.  Derandomized: the same examples on every run.
# make fuzz looks for others, and says how to repeat what it finds.
settings.register_profile("levsleeve", deadline=None, derandomize=True)
settings.register_profile(FUZZ, deadline=None, derandomize=False, print_blob=True)
settings.load_profile(PROFILE)

# Without the compiler a rule answers with numpy's scalars, and examples show plain numbers.
if os.environ.get("NUMBA_DISABLE_JIT") == "1":
    np.set_printoptions(legacy="1.25")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-golden",
        action="store_true",
        help="write what the studies answer now to backtests/golden instead of comparing with it",
    )


@pytest.fixture
def rewrite_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--rewrite-golden"))


@pytest.fixture(scope="session")
def price_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Parquet cache that holds the bundled history, imported once."""
    cache = tmp_path_factory.mktemp("prices") / "cache"
    ensure_bundled(Store(cache))
    return cache


@pytest.fixture
def small_study(tmp_path: Path, price_cache: Path) -> Path:
    """The path of a small study in a workspace of its own."""
    return make_workspace(tmp_path, price_cache)
