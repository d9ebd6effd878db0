"""What the benchmarks share: timings taken in turns, and tables of them."""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PRICES = ROOT / "data" / "cache"
SECONDS = 3.0
"""Time for each row."""
FEWEST = 3
"""Timings of a row, however long one takes."""

Call = Callable[[], object]


class Timing(NamedTuple):
    """Seconds of a call: by the clock, and of all cores together, each the least of many timings.

    ``noise`` is the median by the clock over the least: near 1 on a machine that is otherwise idle.
    """

    clock: float
    cores: float
    noise: float


def side_by_side(calls: Mapping[str, Call], seconds: float) -> dict[str, Timing]:
    """Time every call for so many seconds, in turns, so that all of them meet the same machine.

    The first call of each, which may compile, is not counted.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    due = list(calls)
    while due:
        for name in due:
            taken[name].append(_timed(calls[name]))
        due = [name for name in due if not _enough(taken[name], seconds)]
    return {name: _summed_up(timings) for name, timings in taken.items()}


def _timed(call: Call) -> tuple[float, float]:
    """Seconds of one call, by the clock and of all cores together."""
    start, cores = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - cores


def _enough(timings: Sequence[tuple[float, float]], seconds: float) -> bool:
    """Whether a call was timed for long enough."""
    return len(timings) >= FEWEST and sum(clock for clock, _ in timings) >= seconds


def _summed_up(timings: Sequence[tuple[float, float]]) -> Timing:
    """What is kept of the timings of a call."""
    clock = [clock for clock, _ in timings]
    least = min(clock)
    return Timing(least, min(cores for _, cores in timings), statistics.median(clock) / least)


def shown(seconds: float) -> str:
    """A time in the unit that a reader expects."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds / 1e-9:.0f} ns"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Text in columns: the first is a name, the others are numbers."""
    lines = [header, *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if k else text.ljust(width)
            for k, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark of runs has."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="time for each row")
    parser.add_argument("--sessions", type=int, help="only so many sessions, the first ones")
    parser.add_argument("--prices", type=Path, default=PRICES, help="folder of the price cache")
    return parser
