"""A run that is killed while it writes: nothing under its name, an earlier run as it was."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workspaces import STUDY, make_workspace
from typer.testing import CliRunner

from levsleeve.cli.app import app

KILLED_AT_ITS_FIRST_TEARSHEET = """
import os, signal, sys
from pathlib import Path
import levsleeve
from levsleeve.reports.publish import publish

result = levsleeve.run(sys.argv[1])
publish(result, Path(sys.argv[2]), told=lambda sleeve: os.kill(os.getpid(), signal.SIGKILL))
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows ends no process like this")


def kill_a_run(study: Path, out: Path) -> Path:
    """The folder that a run killed between its two tear sheets leaves."""
    command = [sys.executable, "-c", KILLED_AT_ITS_FIRST_TEARSHEET, str(study), str(out)]
    with subprocess.Popen(command) as process:
        assert process.wait() == -signal.SIGKILL
    return out.with_name(f"{out.name}.unfinished-{process.pid}")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_killed_run_leaves_the_earlier_one_and_what_the_next_run_clears_away(
    tmp_path: Path, price_cache: Path
) -> None:
    text = STUDY.replace('rules_beside = "session"\nvolatility_beside = "vix_linear_skew"\n', "")
    study = make_workspace(tmp_path, price_cache, text.replace("2008-06-02", "2009-01-02"))
    out = study.parent / "out" / "small"

    words = ["run", str(study), "--no-tearsheets"]
    assert CliRunner().invoke(app, words).exit_code == 0
    earlier = contents(out)
    left = kill_a_run(study, out)
    assert sorted(path.name for path in out.parent.iterdir()) == ["small", left.name]
    assert contents(out) == earlier

    later = CliRunner().invoke(app, words)
    assert later.exit_code == 0
    assert later.stderr == f"levsleeve: {left}: left by a run that was killed; removed\n"
    assert [path.name for path in out.parent.iterdir()] == ["small"]
    assert contents(out).keys() == earlier.keys()
