"""Machine instructions of a call, counted by valgrind: as many on a busy machine as on an idle one.

A process under valgrind calls everything that is to be counted and switches the counting on around
it.  The rules are compiled for any processor then, since valgrind knows none of the newest
instructions: what is counted is a little more than what runs otherwise.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.timing import ROOT, Call

CALLS = 20
"""Calls that are counted together, against what the switching itself costs."""
ANY_PROCESSOR = {"NUMBA_CPU_NAME": "generic"}


def available() -> bool:
    """Whether valgrind is installed."""
    return shutil.which("valgrind") is not None and shutil.which("callgrind_control") is not None


def counted(module: str, arguments: Sequence[str], names: Sequence[str]) -> dict[str, float]:
    """Instructions of one call by name, of a module that answers ``--counted`` with ``count``.

    It is called without valgrind first, so that the compiler need not run inside.
    """
    environment = {**os.environ, **ANY_PROCESSOR}
    command = [sys.executable, "-m", module, *arguments]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        watched = ["valgrind", "--tool=callgrind", "--instr-atstart=no"]
        for program in (command, [*watched, f"--callgrind-out-file={out}", *command, "--counted"]):
            subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, check=True)
        totals = [_total(out.with_name(f"out.{k + 1}")) for k in range(len(names) + 1)]
    return {name: (n - totals[0]) / CALLS for name, n in zip(names, totals[1:], strict=True)}


def count(calls: Mapping[str, Call]) -> None:
    """Inside valgrind: have every call counted into its own file, after one that does nothing."""
    for call in (lambda: None, *calls.values()):
        call()
        _tell("--instr=on")
        _tell("--zero")
        for _ in range(CALLS):
            call()
        _tell("--instr=off")
        _tell("--dump")


def _tell(order: str) -> None:
    """Have valgrind switch something in this process."""
    program = shutil.which("callgrind_control") or ""
    subprocess.run([program, order, str(os.getpid())], capture_output=True, check=True)


def _total(path: Path) -> int:
    """The instructions of a file that valgrind left."""
    (total,) = re.findall(r"^totals: (\d+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return int(total)
