"""How long a run of a quickstart sleeve takes from nothing, in a process of its own.

::

    python -m benchmarks.start_up                  # with rules that were compiled before
    python -m benchmarks.start_up --cold           # compiled anew as well, which takes minutes

Every row is a new process, by the clock from its start to its end: the least of several; ``cores``
is what all cores together spent on it.  The columns behind are what it says of itself: the imports,
the market of the study from the price cache, and the run.  ``import levsleeve`` loads nothing
until a name is used.

A cold process finds no compiled rules: its cache of machine code is a folder that is removed
again.  The first process that uses a rule after an edit or an update pays that once.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.timing import PRICES, ROOT, shown, table

STARTS = 5
SLEEVE = "bull-puts"
KINDS = {
    "import": "import levsleeve",
    "kernel": "a kernel run",
    "backtrader": "a Backtrader run",
}
GOAL = "goal: a warm kernel run below 2 s"
HEADER = ("process", "time", "cores", "imports", "market", "run")


def stages(kind: str, prices: Path, sessions: int | None) -> dict[str, float]:
    """Seconds of what one process does, as a command would: its imports, the market, the run."""
    marks = [time.perf_counter()]
    if kind == "import":
        import levsleeve  # noqa: F401  (what is timed)

        marks.append(time.perf_counter())
    else:
        from levsleeve.cli.app import collect_rarely

        collect_rarely()
        from benchmarks.cases import quickstart_case

        marks.append(time.perf_counter())
        case = quickstart_case(SLEEVE, prices, sessions)
        marks.append(time.perf_counter())
        run = case.through_kernel if kind == "kernel" else case.through_backtrader
        run()
        marks.append(time.perf_counter())
    names = ("imports", "market", "run")[: len(marks) - 1]
    return {name: marks[k + 1] - marks[k] for k, name in enumerate(names)}


def process(kind: str, options: Sequence[str], cache: Path | None = None) -> dict[str, float]:
    """Seconds of a process by stage and in all; ``cache`` is in place of the user's folder."""
    environment = dict(os.environ)
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = str(cache)
    command = [sys.executable, "-m", "benchmarks.start_up", *options, "--only", kind]
    start, before = time.perf_counter(), _spent()
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, check=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found | {"time": time.perf_counter() - start, "cores": _spent() - before}


def _spent() -> float:
    """Seconds of all cores that the processes started from here took so far."""
    ended = os.times()
    return ended.children_user + ended.children_system


def least(kind: str, options: Sequence[str], starts: int) -> dict[str, float]:
    """The quickest of several processes, after one that compiles what is missing."""
    process(kind, options)
    return min((process(kind, options) for _ in range(starts)), key=lambda stage: stage["time"])


def cold(kind: str, options: Sequence[str]) -> dict[str, float]:
    """A process that finds no compiled rules."""
    with tempfile.TemporaryDirectory() as folder:
        return process(kind, options, Path(folder))


def row(name: str, stage: Mapping[str, float]) -> list[str]:
    """A row of the table; a stage that the process has not is blank."""
    return [name, *(shown(stage[key]) if key in stage else "" for key in HEADER[1:])]


def main(arguments: Sequence[str]) -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cold", action="store_true", help="also with nothing compiled (minutes)")
    parser.add_argument("--starts", type=int, default=STARTS, help="processes for each row")
    parser.add_argument("--sessions", type=int, help="only so many sessions, the first ones")
    parser.add_argument("--prices", type=Path, default=PRICES, help="folder of the price cache")
    parser.add_argument("--only", choices=KINDS, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.only:
        print(json.dumps(stages(asked.only, asked.prices, asked.sessions)))
        return
    limits = [] if asked.sessions is None else ["--sessions", str(asked.sessions)]
    options = ["--prices", str(asked.prices), *limits]
    rows = [row(name, least(kind, options, asked.starts)) for kind, name in KINDS.items()]
    if asked.cold:
        rows += [
            row(f"{KINDS[kind]}, cold", cold(kind, options)) for kind in ("kernel", "backtrader")
        ]
    print(table(HEADER, rows))
    print(GOAL)


if __name__ == "__main__":
    main(sys.argv[1:])
