"""A run of a quickstart sleeve through the compiled driver, beside the same run in Backtrader.

::

    python -m benchmarks.drivers                   # the put-hedged bull, and the bull alone
    python -m benchmarks.drivers bull-puts         # one sleeve of backtests/quickstart.toml
    python -m benchmarks.drivers --runs 10000      # more runs in the rows of many
    python -m benchmarks.drivers --seconds 10      # longer, and steadier

Every row is the least of several timings, taken in turns with the other rows, for one run: from
prices and rules at hand to the result.  ``whole ledger`` keeps every session as the Backtrader
driver does; ``summed up`` keeps a row of metrics.  Many runs differ in their weights, on one core
and on all.  ``compiled alone`` is the loop itself, without what Python does before and after.

``time`` is by the clock; ``cores`` is what all cores together spent on it: where it is well below
``time`` on one core, other programs had the rest.  ``ratio`` is how many times less time a run
takes than through Backtrader, in the same minute on the same machine.  ``noise`` is the median of
the timings over the least: 1 on a machine that is otherwise idle.  Before anything is timed the
ledgers of both drivers are compared.
"""

import sys
from collections.abc import Sequence
from functools import partial
from os import cpu_count

import numpy as np
from benchmarks.cases import Case, quickstart_case
from benchmarks.timing import Call, parser_of, shown, side_by_side, table

from levsleeve.backtests.batch import summaries

SLEEVES = ("bull-puts", "bull")
RUNS = 1000
GOALS = "goals: at most 200 ns a session on one core, at least 3,000 times Backtrader per run"
HEADER = ("one run", "time", "cores", "a session", "runs/s", "ratio", "noise")
REFERENCE = "Backtrader, whole ledger"


def calls_of(case: Case, runs: int) -> dict[str, tuple[Call, int]]:
    """What is timed, by name, with the number of runs that one call makes."""
    setting, many, cores = case.setting, case.spread(runs), cpu_count() or 1
    found: dict[str, tuple[Call, int]] = {
        REFERENCE: (case.through_backtrader, 1),
        "kernel, whole ledger": (case.through_kernel, 1),
        "kernel, summed up": (partial(summaries, setting, [case.sleeve], workers=1), 1),
        "kernel, compiled alone": (case.compiled_alone(), 1),
        f"kernel, {runs:,} summed up, 1 core": (partial(summaries, setting, many, workers=1), runs),
    }
    if cores > 1:
        name = f"kernel, {runs:,} summed up, {cores} cores"
        found[name] = partial(summaries, setting, many, workers=cores), runs
    return found


def agree(case: Case) -> bool:
    """Whether both drivers leave the same ledger, in every bit."""
    theirs, ours = case.through_backtrader(), case.through_kernel()
    return theirs.shape == ours.shape and bool(
        np.array_equal(theirs.to_numpy(), ours.to_numpy(), equal_nan=True)
    )


def report(case: Case, runs: int, seconds: float) -> str:
    """The table of one sleeve."""
    calls = calls_of(case, runs)
    times = side_by_side({name: call for name, (call, _) in calls.items()}, seconds)
    reference, rows = times[REFERENCE].clock, []
    for name, (_, count) in calls.items():
        clock, cores, noise = times[name]
        clock, cores = clock / count, cores / count
        per = [shown(clock), shown(cores), shown(clock / case.sessions), f"{1.0 / clock:,.1f}"]
        rows.append([name, *per, f"{reference / clock:,.0f}", f"{noise:.2f}"])
    return table(HEADER, rows)


def main(arguments: Sequence[str]) -> None:
    """Measure, and print a table for each sleeve."""
    parser = parser_of(__doc__)
    parser.add_argument("sleeves", nargs="*", default=SLEEVES, help="names in the quickstart study")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs in the rows of many")
    asked = parser.parse_args(arguments)
    for name in asked.sleeves:
        case = quickstart_case(name, asked.prices, asked.sessions)
        same = "equal in every bit" if agree(case) else "DIFFERENT"
        print(f"{name}, {case.sessions:,} sessions; the two ledgers are {same}")
        print(report(case, asked.runs, asked.seconds), end="\n\n")
    print(GOALS)


if __name__ == "__main__":
    main(sys.argv[1:])
