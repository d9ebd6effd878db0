"""A run put in place whole, and what killed runs left beside it cleared away.

A run is built beside its folder as ``NAME.unfinished-PID``, named by the process that builds it.
While it takes its place the run before it stands aside as ``NAME.replaced-PID``, always whole.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from levsleeve.errors import StudyError

UNFINISHED, REPLACED = "unfinished", "replaced"


@contextmanager
def put_in_place(out: Path) -> Iterator[Path]:
    """A folder to build in that takes the place of ``out`` at the end, or vanishes on an error.

    Raises
    ------
    StudyError
        If it cannot be written.
    """
    unfinished = _beside(out, UNFINISHED, os.getpid())
    replaced = _beside(out, REPLACED, os.getpid())
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        if out.exists():
            out.rename(replaced)
        unfinished.rename(out)
    except OSError as error:
        raise StudyError(
            f"{out}: cannot be written ({error.strerror}); a writable folder with space (--out) "
            "is right"
        ) from error
    finally:
        if replaced.exists():
            replaced.rename(unfinished if out.exists() else out)
        shutil.rmtree(unfinished, ignore_errors=True)


def clear_leftovers(out: Path) -> list[str]:
    """Remove what killed runs left of ``out``, and put an earlier run back that stood aside.

    What belongs to a process that is still there is left alone.  Returns one line about each.
    """
    lines, abandoned = [], []
    for folder, pid in _leftovers(out):
        if pid != os.getpid() and _is_running(pid):
            lines.append(
                f"{folder}: process {pid} is writing it; if that is no run of levsleeve, "
                "it can be removed"
            )
        else:
            abandoned.append(folder)
    aside = [folder for folder in abandoned if f".{REPLACED}-" in folder.name]
    if aside and not out.exists():
        aside[-1].rename(out)
        abandoned.remove(aside[-1])
        lines.append(f"{out}: put back as it was before a run that was killed")
    for folder in abandoned:
        shutil.rmtree(folder, ignore_errors=True)
        told = "it can be removed" if folder.exists() else "removed"
        lines.append(f"{folder}: left by a run that was killed; {told}")
    return lines


def _beside(out: Path, state: str, pid: int) -> Path:
    """The folder of a process beside ``out``."""
    return out.with_name(f"{out.name}.{state}-{pid}")


def _leftovers(out: Path) -> list[tuple[Path, int]]:
    """The folders of processes beside ``out``, each with its process, in order of their names."""
    named = re.compile(rf"{re.escape(out.name)}\.(?:{UNFINISHED}|{REPLACED})-(\d+)")
    beside = sorted(out.parent.iterdir()) if out.parent.is_dir() else []
    found = [(folder, named.fullmatch(folder.name)) for folder in beside if folder.is_dir()]
    return [(folder, int(match[1])) for folder, match in found if match]


def _is_running(pid: int) -> bool:
    """Whether there is such a process; Windows has no harmless way to ask, so there it is."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True
