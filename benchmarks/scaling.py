"""How the compiled driver's time grows with configurations, sessions, funds and cores.

::

    python -m benchmarks.scaling                   # up to 1,000 configurations, on all cores
    python -m benchmarks.scaling --most 10000      # more of them

Each table varies one thing; the others stay at the put-hedged bull of the quickstart study, all of
its sessions, one core.  ``a session`` is the time by the clock for one session of one run, and is
to stay the same down a column: what it falls by is what Python does once for all runs, what it
rises by is the funds' own work.  Sleeves of several funds hold them at equal weights, unhedged.

``parallel`` is the time of one worker over the time of several times their number: 100 % where
nothing is lost.  ``machine`` is the same of a hash over a few megabytes, which threads share
nothing in: where it is below 100 % too, other programs had the cores, and ``parallel`` says more of
them than of us.
"""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from os import cpu_count
from pathlib import Path

from benchmarks.cases import Case, even_case, quickstart_case
from benchmarks.timing import Call, parser_of, shown, side_by_side, table

from levsleeve.backtests.batch import summaries

SLEEVE = "bull-puts"
MOST = 1000
FUNDS = ("UPRO", "SPXU", "SSO", "SDS")
SHORTEST = 1000
"""Sessions; four years."""
BYTES, HASHES = bytes(2**22), 32
GOAL = "goal: at least 85 % parallel on two cores"


def runs_of(case: Case, number: int, workers: int = 1) -> Call:
    """So many runs summed up."""
    return partial(summaries, case.setting, case.spread(number), workers=workers)


def configurations(case: Case, most: int, seconds: float) -> str:
    """One run, ten, and so on up to the most."""
    numbers = [10**k for k in range(len(str(most))) if 10**k <= most]
    calls = {f"{number:,}": (runs_of(case, number), number * case.sessions) for number in numbers}
    return _table("configurations", calls, seconds)


def sessions(case: Case, most: int, prices: Path, seconds: float) -> str:
    """The first sessions, twice as many, and so on up to all."""
    numbers, calls = [case.sessions], {}
    while numbers[0] // 2 >= min(SHORTEST, case.sessions // 2):
        numbers.insert(0, numbers[0] // 2)
    for number in numbers:
        shorter = quickstart_case(SLEEVE, prices, number)
        calls[f"{number:,}"] = runs_of(shorter, most), most * number
    return _table("sessions", calls, seconds)


def funds(most: int, prices: Path, length: int, seconds: float) -> str:
    """One fund, two and four, without options."""
    calls = {}
    for number in (1, 2, 4):
        held = even_case(FUNDS[:number], prices, length)
        calls[f"{number}"] = runs_of(held, most), most * length
    return _table("funds", calls, seconds)


def _table(varied: str, calls: Mapping[str, tuple[Call, int]], seconds: float) -> str:
    """A table of calls by name, with how many sessions each lives in all."""
    times = side_by_side({name: call for name, (call, _) in calls.items()}, seconds)
    rows = [
        [
            name,
            shown(times[name].clock),
            shown(times[name].clock / lived),
            shown(times[name].cores / lived),
            f"{times[name].noise:.2f}",
        ]
        for name, (_, lived) in calls.items()
    ]
    return table([varied, "time", "a session", "cores", "noise"], rows)


def workers(case: Case, most: int, seconds: float) -> str:
    """All configurations on one worker, two, and so on up to one a core."""
    cores, numbers = cpu_count() or 1, [1]
    while numbers[-1] < cores:
        numbers.append(min(2 * numbers[-1], cores))
    ours: dict[str, Call] = {f"{number}": runs_of(case, most, number) for number in numbers}
    hashes: dict[str, Call] = {f"{number} hash": partial(_hash, number) for number in numbers}
    times, lived = side_by_side(ours | hashes, seconds), most * case.sessions

    def parallel(number: int, kind: str = "") -> str:
        return f"{times[f'1{kind}'].clock / times[f'{number}{kind}'].clock / number:.0%}"

    rows = []
    for number, name in zip(numbers, ours, strict=True):
        clock, spent, noise = times[name]
        per = [shown(clock), shown(clock / lived), shown(spent / lived)]
        rows.append([name, *per, parallel(number), parallel(number, " hash"), f"{noise:.2f}"])
    heads = ["workers", "time", "a session", "cores", "parallel", "machine", "noise"]
    return table(heads, rows)


def _hash(number: int) -> None:
    """Work that the machine can share among so many threads without loss."""
    with ThreadPoolExecutor(number) as pool:
        list(pool.map(hashlib.sha256, [BYTES] * HASHES))


def main(arguments: Sequence[str]) -> None:
    """Measure, and print four tables."""
    parser = parser_of(__doc__)
    parser.add_argument("--most", type=int, default=MOST, help="configurations where they are many")
    asked = parser.parse_args(arguments)
    case, most = quickstart_case(SLEEVE, asked.prices, asked.sessions), asked.most
    print(f"{SLEEVE}, {case.sessions:,} sessions", end="\n\n")
    print(configurations(case, most, asked.seconds), end="\n\n")
    print(sessions(case, most, asked.prices, asked.seconds), end="\n\n")
    print(funds(most, asked.prices, case.sessions, asked.seconds), end="\n\n")
    print(workers(case, most, asked.seconds))
    print(GOAL)


if __name__ == "__main__":
    main(sys.argv[1:])
