"""The compiled driver beside vectorbt, bt and backtesting.py, at what all of them can do.

::

    make peers                                     # installs the engines into .venv-peers
    python -m benchmarks.peers                     # with the engines that are installed
    python -m benchmarks.peers --rebalance monthly
    python -m benchmarks.peers --configurations 512

The task: two funds at target weights, set anew at every close and traded at that close for five
basis points, in an account that lends nothing, over twenty years.  Then one fund alone, since
backtesting.py holds no two in one account.  No margin, no options: the others have none.

``time`` is by the clock and for one configuration, ``cores`` what all cores together spent on it;
``ratio`` says how many times the time of the kernel's row of its group that is (the first one).
``ending`` is what the account is worth at the end, ``off ours`` how far that is from the kernel's,
and ``off arithmetic`` how far from a few lines of numpy that trade as the engine does:

* levsleeve and backtesting.py: ten-thousandths of a share, rounded down;
* vectorbt: any fraction of a share;
* bt: any fraction, and costs come out of the amount traded, so that a purchase is smaller and a
  sale larger than the difference to the target.

Many configurations differ in the weight of the first fund; vectorbt has all of them in one
broadcast, which is its best case.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from benchmarks.common_task import Task, Trade, ending_usd, task_of, ten_thousandths
from benchmarks.peer_engines import PEERS, Run
from benchmarks.timing import parser_of, shown, side_by_side, table

from levsleeve.backtests.batch import summaries
from levsleeve.compiled import Floats
from levsleeve.strategies.cadence import CADENCES
from levsleeve.strategies.sleeve import Sleeve

TWO_FUNDS = {"UPRO": 0.5, "SPXU": 0.2}
ONE_FUND = {"UPRO": 0.5}
CONFIGURATIONS = 128
GOAL = "goal: at least 200 times vectorbt per configuration"
HEADER = ("engine", "time", "cores", "ratio", "ending", "off ours", "off arithmetic", "noise")
CENT = 0.005


class Entry(NamedTuple):
    """A row of the table: what it is called, how it trades and what is timed."""

    name: str
    trade: Trade
    run: Run


def one_run(task: Task) -> Iterator[Entry]:
    """A single configuration, through every engine that is installed."""
    yield Entry("levsleeve, summed up", ten_thousandths, kernel(task, [task.case.sleeve], 1))
    yield Entry("levsleeve, whole ledger", ten_thousandths, partial(_whole_ledger, task))
    for peer in PEERS:
        if peer.version and len(task.weights) <= peer.most_funds:
            yield Entry(peer.name, peer.trade, peer.run(task, task.weights[None, :]))


def many_runs(task: Task, number: int) -> Iterator[Entry]:
    """Many configurations at once, through the engines that take them."""
    sleeves = task.configurations(number)
    weights = np.array([[*sleeve.targets.values()] for sleeve in sleeves])
    for workers in sorted({1, os.cpu_count() or 1}):
        run = kernel(task, sleeves, workers)
        yield Entry(f"levsleeve, {number}, workers {workers}", ten_thousandths, run)
    for peer in PEERS:
        if peer.version and peer.many:
            yield Entry(f"{peer.name}, {number} in one", peer.trade, peer.run(task, weights))


def kernel(task: Task, sleeves: Sequence[Sleeve], workers: int) -> Run:
    """Sleeves through the compiled driver, summed up."""

    def run() -> Floats:
        rows = summaries(task.case.setting, sleeves, workers=workers)
        return rows["ending_equity_usd"].to_numpy()

    return run


def _whole_ledger(task: Task) -> Floats:
    """The one configuration with its whole ledger."""
    return task.case.through_kernel()["equity"].to_numpy()[-1:]


def report(task: Task, entries: Sequence[Entry], seconds: float) -> str:
    """The table of some entries; ending values are those of the last configuration."""
    ending = {entry.name: entry.run() for entry in entries}
    times = side_by_side({entry.name: entry.run for entry in entries}, seconds)
    first = entries[0].name
    rows = []
    for name, trade, _ in entries:
        number, timing = len(ending[name]), times[name]
        known = ending_usd(task.closes.to_numpy(), task.weights, task.due, trade)
        usd = ending[name][-1]
        rows.append(
            [
                name,
                shown(timing.clock / number),
                shown(timing.cores / number),
                f"{timing.clock / times[first].clock:,.2f}",
                f"${usd:,.2f}",
                _dollars(usd - ending[first][-1]),
                _dollars(usd - known),
                f"{timing.noise:.2f}",
            ]
        )
    return table(HEADER, rows)


def _dollars(amount: float) -> str:
    """Signed dollars, or nothing below half a cent."""
    return f"{amount:+,.2f}" if abs(amount) >= CENT else "0.00"


def installed() -> str:
    """Versions of the engines, and how to install what is absent."""
    found = ", ".join(f"{peer.package} {peer.version}" for peer in PEERS if peer.version)
    absent = [peer.package for peer in PEERS if not peer.version]
    lines = [f"engines: {found or 'none but ours'}"]
    if absent:
        asked = f"python -m pip install {' '.join(absent)}"
        lines.append(f"not installed: {', '.join(absent)}; {asked} (or make peers) adds them")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Measure, and print the tables."""
    parser = parser_of(__doc__)
    parser.add_argument("--configurations", type=int, default=CONFIGURATIONS, help="of many")
    parser.add_argument("--rebalance", choices=CADENCES, default="daily", help="when sizes are set")
    asked = parser.parse_args(arguments)
    os.environ.setdefault("TQDM_DISABLE", "1")  # no progress bars of backtesting.py
    print(installed(), end="\n\n")
    for weights in (TWO_FUNDS, ONE_FUND):
        task = task_of(weights, asked.rebalance, asked.prices, asked.sessions)
        held = " and ".join(f"{fund} at {weight:g}" for fund, weight in weights.items())
        print(f"{held}, {asked.rebalance}, {task.case.sessions:,} sessions")
        print(report(task, [*one_run(task)], asked.seconds), end="\n\n")
        if len(weights) > 1:
            entries = [*many_runs(task, asked.configurations)]
            print(report(task, entries, asked.seconds), end="\n\n")
    print(GOAL)


if __name__ == "__main__":
    main(sys.argv[1:])
