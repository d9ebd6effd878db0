import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from levsleeve.reports.in_place import clear_leftovers, put_in_place

GONE = 2**22 + 1
"""Above the largest process number that Linux gives."""
AS_IT_BUILDS = """
with put_in_place(out) as folder:
    (folder / "part").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
AT_THE_LAST_STEP = """
def kill(event, arguments):
    if event == "os.rename" and arguments[1] == str(out):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
with put_in_place(out) as folder:
    (folder / "whole").write_text("new")
"""
AS_IT_TIDIES = """
def kill(event, arguments):
    if event == "shutil.rmtree":
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
with put_in_place(out) as folder:
    (folder / "whole").write_text("new")
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows ends no process like this")


def killed(out: Path, script: str) -> int:
    """Run a script that writes ``out`` and kills itself on the way; its process number."""
    head = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from levsleeve.reports.in_place import put_in_place\nout = Path(sys.argv[1])\n"
    )
    with subprocess.Popen([sys.executable, "-c", head + script, str(out)]) as process:
        assert process.wait() == -signal.SIGKILL
        return process.pid


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*"))]


def earlier_run(out: Path) -> None:
    out.mkdir()
    (out / "whole").write_text("old", encoding="utf-8")


def test_what_is_built_takes_its_place_and_nothing_else_is_left(tmp_path: Path) -> None:
    out = tmp_path / "run"
    earlier_run(out)
    with put_in_place(out) as folder:
        assert names(tmp_path) == ["run", "run/whole", f"run.unfinished-{os.getpid()}"]
        (folder / "new").touch()
    assert names(tmp_path) == ["run", "run/new"]


def test_an_error_leaves_the_earlier_run_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "run"
    earlier_run(out)
    with pytest.raises(ZeroDivisionError), put_in_place(out):
        raise ZeroDivisionError
    assert names(tmp_path) == ["run", "run/whole"]


def test_a_run_killed_as_it_builds_has_no_name_and_the_earlier_run_stays(tmp_path: Path) -> None:
    out = tmp_path / "run"
    earlier_run(out)
    left = f"run.unfinished-{killed(out, AS_IT_BUILDS)}"
    assert names(tmp_path) == ["run", "run/whole", left, f"{left}/part"]
    assert clear_leftovers(out) == [f"{tmp_path / left}: left by a run that was killed; removed"]
    assert names(tmp_path) == ["run", "run/whole"]
    assert clear_leftovers(out) == []


def test_a_first_run_killed_as_it_builds_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    left = f"run.unfinished-{killed(tmp_path / 'run', AS_IT_BUILDS)}"
    assert names(tmp_path) == [left, f"{left}/part"]


def test_a_run_killed_between_the_two_renames_gives_the_earlier_run_back(tmp_path: Path) -> None:
    out = tmp_path / "run"
    earlier_run(out)
    pid = killed(out, AT_THE_LAST_STEP)
    assert not out.exists()
    assert clear_leftovers(out) == [
        f"{out}: put back as it was before a run that was killed",
        f"{tmp_path / f'run.unfinished-{pid}'}: left by a run that was killed; removed",
    ]
    assert (out / "whole").read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["run", "run/whole"]


def test_a_run_killed_as_it_removes_the_earlier_one_is_in_place(tmp_path: Path) -> None:
    out = tmp_path / "run"
    earlier_run(out)
    left = f"run.unfinished-{killed(out, AS_IT_TIDIES)}"
    assert names(tmp_path) == ["run", "run/whole", left, f"{left}/whole"]
    assert clear_leftovers(out) == [f"{tmp_path / left}: left by a run that was killed; removed"]
    assert (out / "whole").read_text(encoding="utf-8") == "new"


def test_what_a_living_process_writes_is_left_alone_and_told(tmp_path: Path) -> None:
    out, living = tmp_path / "run", os.getppid()
    theirs = tmp_path / f"run.unfinished-{living}"
    theirs.mkdir()
    assert clear_leftovers(out) == [
        f"{theirs}: process {living} is writing it; if that is no run of levsleeve, it can be "
        "removed"
    ]
    assert theirs.is_dir()


@pytest.mark.parametrize("pid", [os.getpid(), GONE, 10**30], ids=["own", "gone", "beyond"])
def test_what_an_earlier_process_of_any_number_left_is_removed(tmp_path: Path, pid: int) -> None:
    (tmp_path / f"run.unfinished-{pid}").mkdir()
    assert len(clear_leftovers(tmp_path / "run")) == 1
    assert names(tmp_path) == []


def test_only_folders_of_this_run_are_touched(tmp_path: Path) -> None:
    others = [
        f"run2.unfinished-{GONE}", "run.unfinished-", "run.unfinished-1a", f"run.other-{GONE}",
    ]  # fmt: skip
    for name in others:
        (tmp_path / name).mkdir()
    (tmp_path / f"run.unfinished-{GONE}").write_text("a file", encoding="utf-8")
    assert clear_leftovers(tmp_path / "run") == []
    assert names(tmp_path) == sorted([*others, f"run.unfinished-{GONE}"])


def test_a_folder_that_is_not_there_yet_has_no_leftovers(tmp_path: Path) -> None:
    assert clear_leftovers(tmp_path / "absent" / "run") == []
