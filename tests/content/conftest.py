"""A reader's checkout: what comes along, with the quickstart cut to two years and already run."""

import re
import shutil
from pathlib import Path

import pytest
from tests.workspaces import REPOSITORY, make_workspace

from levsleeve.backtests.runner import run_study
from levsleeve.backtests.study import read_study
from levsleeve.backtests.study_result import StudyResult
from levsleeve.data.library import Library
from levsleeve.reports.publish import publish


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory, price_cache: Path) -> StudyResult:
    """The run of 2008 and 2009, the one margin call included, in a workspace of its own."""
    text = (REPOSITORY / "backtests" / "quickstart.toml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^start = \S+", "start = 2008-01-02", text)
    text = re.sub(r"(?m)^end = \S+", "end = 2009-12-31", text)
    root = tmp_path_factory.mktemp("reader")
    small = make_workspace(root, price_cache, study=text)
    study = small.rename(small.with_name("quickstart.toml"))
    for folder in ("notebooks", "docs/examples"):
        shutil.copytree(REPOSITORY / folder, root / folder)
    for other in (REPOSITORY / "backtests").glob("*.toml"):
        if other.name != study.name:
            shutil.copy(other, study.parent)
    result = run_study(read_study(study), study, Library.open(price_cache))
    publish(result, study.parent / "out" / "quickstart", tearsheets=False)
    return result


@pytest.fixture(scope="session")
def checkout(quickstart: StudyResult) -> Path:
    """The root of that workspace."""
    return quickstart.study_path.parents[1]
