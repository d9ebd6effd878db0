"""What a session costs the compiled driver, part by part.

::

    python -m benchmarks.parts                     # the put-hedged bull of the quickstart study
    python -m benchmarks.parts bull                # another sleeve of it
    python -m benchmarks.parts --instructions      # beside, what valgrind counts (minutes)

The first table does each part alone, at every session, in one account.  ``each`` is the time of
doing it once, ``a session`` how often a run of the sleeve does it in a session (its fills are
counted), and ``ns`` the product: their sum is to be compared with the loop as a whole.

The second table is the loop as a whole with one thing after the other switched off; the last row
is the whole with every session kept for the ledger, from Python and back.

``instructions`` are those of a session, or of doing the part once; they do not depend on what else
the machine does.  They need valgrind, and the compiler once more.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from benchmarks.cases import Case, quickstart_case
from benchmarks.instructions import available, count, counted
from benchmarks.part_loops import (
    CARRY,
    CLOSE_TESTS,
    COUNTING,
    DAY_END,
    FUND_MARKS,
    PURCHASE,
    PUT_CHOICE,
    PUT_MARK,
    PUT_PURCHASE,
    REQUIREMENT,
    SALE,
    SIZES,
    part_of,
)
from benchmarks.timing import Call, parser_of, side_by_side, table

from levsleeve.backtests.compiled_driver import run_compiled
from levsleeve.backtests.event_kinds import ORDER_FILLED
from levsleeve.strategies.cadence import rebalance_sessions

PARTS = {
    "carry and corporate actions": CARRY,
    "marks of the funds": FUND_MARKS,
    "mark of the puts": PUT_MARK,
    "maintenance test": CLOSE_TESTS,
    "end of the day": DAY_END,
    "counting": COUNTING,
    "decision on sizes": SIZES,
    "choice of puts": PUT_CHOICE,
    "purchase of shares": PURCHASE,
    "sale of shares": SALE,
    "purchase of puts": PUT_PURCHASE,
}
OF_PUTS = ("mark of the puts", "choice of puts", "purchase of puts")
WHOLE = "the whole loop"
ALONE = {"(a requirement alone)": REQUIREMENT}


def parts_of(case: Case) -> dict[str, Call]:
    """Every part that the sleeve has, by name."""
    named = PARTS | ALONE
    return {
        name: part_of(case, part)
        for name, part in named.items()
        if case.sleeve.slots or name not in OF_PUTS
    }


def wholes_of(case: Case) -> dict[str, Call]:
    """The loop over the sessions with one thing after the other switched off, by name."""
    cases = {WHOLE: case}
    if case.sleeve.slots:
        case = replace(case, sleeve=replace(case.sleeve, hedge=None))
        cases["without puts"] = case
    once = replace(case.sleeve, rebalance="once")
    cases["and sized once only"] = replace(case, sleeve=once)
    found = {name: case.compiled_alone() for name, case in cases.items()}
    return found | {"the whole with its ledger": cases[WHOLE].through_kernel}


def times_a_session(case: Case) -> dict[str, float]:
    """How often a run of the sleeve does each part, per session."""
    run, sessions = run_compiled(case.setting, case.sleeve), case.setting.market.sessions
    fills = [row for _, row in run.event_rows if row[0] == ORDER_FILLED]
    funds = len(case.setting.market.funds)
    bought = sum(row[1] < funds and row[2] > 0.0 for row in fills)
    sold = sum(row[1] < funds and row[2] < 0.0 for row in fills)
    puts = sum(row[1] >= funds for row in fills)
    due = int(rebalance_sessions(sessions, case.sleeve.rebalance).sum())
    slots = [f"shares:{slot}" for slot in case.sleeve.slots]
    covered = int((run.ledger[slots] != 0.0).any(axis=1).sum())
    seldom = {
        "mark of the puts": covered,
        "decision on sizes": due,
        "choice of puts": puts,
        "purchase of shares": bought,
        "sale of shares": sold,
        "purchase of puts": puts,
    }
    return {name: seldom.get(name, len(sessions)) / len(sessions) for name in PARTS}


def part_table(case: Case, each: Mapping[str, float], codes: Mapping[str, float]) -> str:
    """The table of the parts; ``each`` in nanoseconds."""
    often = times_a_session(case) | dict.fromkeys(ALONE, np.nan)
    rows = [
        [
            name,
            f"{nanoseconds:.1f}",
            "" if np.isnan(often[name]) else f"{often[name]:.3f}",
            "" if np.isnan(often[name]) else f"{nanoseconds * often[name]:.1f}",
            *([f"{codes[name]:,.0f}"] if codes else []),
        ]
        for name, nanoseconds in each.items()
    ]
    total = sum(each[name] * often[name] for name in each if name in PARTS)
    rows.append(["sum", "", "", f"{total:.1f}", *([""] if codes else [])])
    return table(["part", "each, ns", "a session", "ns", *_heads(codes)], rows)


def whole_table(each: Mapping[str, float], codes: Mapping[str, float]) -> str:
    """The table of the whole; ``each`` in nanoseconds a session."""
    rows = [
        [name, f"{nanoseconds:.1f}", *([f"{codes[name]:,.0f}"] if codes else [])]
        for name, nanoseconds in each.items()
    ]
    return table(["a session", "ns", *_heads(codes)], rows)


def _heads(codes: Mapping[str, float]) -> list[str]:
    """The header of the column of instructions, where there is one."""
    return ["instructions"] if codes else []


def report(case: Case, seconds: float, codes: Mapping[str, float]) -> str:
    """Both tables; ``codes`` are instructions of a call by name, or none."""
    parts, wholes = parts_of(case), wholes_of(case)
    times = side_by_side(parts | wholes, seconds)
    each = {name: timing.clock * 1e9 / case.sessions for name, timing in times.items()}
    per = {name: counted / case.sessions for name, counted in codes.items()}
    of_parts = part_table(case, {name: each[name] for name in parts}, per)
    return of_parts + "\n\n" + whole_table({name: each[name] for name in wholes}, per)


def instructions_of(case: Case, asked: argparse.Namespace) -> dict[str, float]:
    """Instructions of a call by name, where they are asked for and can be counted."""
    if not asked.instructions:
        return {}
    if not available():
        print("instructions: valgrind is not installed; no column of them")
        return {}
    print("instructions: compiling once more and counting, which takes minutes")
    limits = [] if asked.sessions is None else ["--sessions", str(asked.sessions)]
    arguments = [asked.sleeve, "--prices", str(asked.prices), "--seconds", "0", *limits]
    return counted("benchmarks.parts", arguments, [*parts_of(case), *wholes_of(case)])


def main(arguments: Sequence[str]) -> None:
    """Measure, and print both tables."""
    parser = parser_of(__doc__)
    parser.add_argument("sleeve", nargs="?", default="bull-puts", help="of the quickstart study")
    parser.add_argument("--instructions", action="store_true", help="count them, by valgrind")
    parser.add_argument("--counted", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    case = quickstart_case(asked.sleeve, asked.prices, asked.sessions)
    if asked.counted:
        count(parts_of(case) | wholes_of(case))
        return
    codes = instructions_of(case, asked)
    print(f"{asked.sleeve}, {case.sessions:,} sessions")
    print(report(case, asked.seconds, codes))


if __name__ == "__main__":
    main(sys.argv[1:])
