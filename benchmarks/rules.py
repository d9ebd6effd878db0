"""What a rule costs when Python calls it, beside the same source without the compiler.

::

    make bench
    python -m benchmarks.rules                    # every case
    python -m benchmarks.rules fund_requirement   # those whose name contains a word
    python -m benchmarks.rules --seconds 1        # longer, and steadier

A row is one call: the median of many timings, each of so many calls that the clock does not
matter.  The second column is measured in the same run, by a second process in which numba is off
and every rule is the plain Python function that it was written as.  Times vary by a factor of two
between machines and hours; read the last column, and compare times of one run only.

A compiled rule called from Python pays for turning its arguments: some 100 ns for scalars, less
than 100 ns for each array, a microsecond for a tuple of ten.  Compiled callers pay nothing.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

import numpy as np
from benchmarks.timing import ROOT, Call, shown, table

from levsleeve.margin.account import margin_requirement
from levsleeve.margin.charges import commission_plan, financing_plan, sale_fees
from levsleeve.margin.combination import MAINTENANCE, fund_requirement
from levsleeve.margin.fees import regulatory_sale_fees, share_commission
from levsleeve.margin.financing import debit_interest_a_year
from levsleeve.margin.house import NO_OVERLAY
from levsleeve.margin.options import hedged_share, uncovered_option
from levsleeve.margin.requirement import initial_per_share, maintenance_per_share
from levsleeve.margin.schedule import BROAD, margin_rules
from levsleeve.margin.trigger import index_move_to_call, long_call_price
from levsleeve.pricing.black_scholes import PUT, option_price
from levsleeve.what_if.account import account_at_hand
from levsleeve.what_if.reading import read_account
from levsleeve.what_if.status import margin_status

TIMINGS = 51
"""Timings that a median is taken of, where there is time for so many."""
SECONDS = 0.3
"""Time for each case."""
TODAY = date(2019, 6, 3)


def cases() -> dict[str, Call]:
    """What is measured, by name; each is one call with its arguments at hand."""
    return {**_scalar_cases(), **_fund_cases(), **_status_cases()}


def _scalar_cases() -> dict[str, Call]:
    """Rules of one share, trade or balance; the first is little more than its call."""
    rules, fixed, fees = margin_rules(TODAY), commission_plan("ibkr_fixed"), sale_fees(TODAY)
    financing = financing_plan("ibkr")
    share = (100.0, 3.0, False, BROAD, NO_OVERLAY, rules)
    move = (50_000.0, np.array([80_000.0, 6_000.0]), np.array([2.0, -2.0]), np.array([0.5, 0.5]))
    return {
        "long_call_price": partial(long_call_price, 16_000.0, 1000.0, 0.75),
        "option_price": partial(option_price, 100.0, 85.0, 0.25, 0.02, 0.6, PUT),
        "maintenance_per_share": partial(maintenance_per_share, *share),
        "initial_per_share": partial(initial_per_share, *share),
        "uncovered_option": partial(uncovered_option, 100.0, 105.0, 2.0, 1.0, 3.0, BROAD, rules),
        "hedged_share": partial(hedged_share, 100.0, 90.0, -1.0, 75.0, rules),
        "index_move_to_call": partial(index_move_to_call, *move),
        "regulatory_sale_fees": partial(regulatory_sale_fees, 1000.0, 80.0, fees),
        "share_commission": partial(share_commission, 1000.0, 80.0, fixed),
        "debit_interest_a_year": partial(debit_interest_a_year, 250_000.0, 0.05, financing),
    }


def _snapshot(options: int) -> dict[str, Any]:
    """An account of two funds with so many options on the first, long and written by turns."""
    lots = [
        {
            "option": ("put", "call")[k // 2 % 2],
            "fund": "UPRO",
            "side": ("long", "short")[k % 2],
            "contracts": 4 + k,
            "strike_usd": 90.0 + 3 * k,
            "price_usd": 2.5,
            "expiry_date": "2019-07-19",
        }
        for k in range(options)
    ]
    return {
        "date": str(TODAY),
        "cash_usd": -20_000.0,
        "funds": {"UPRO": {"price_usd": 100.0}, "SPXU": {"price_usd": 40.0}},
        "holdings": [
            {"fund": "UPRO", "side": "long", "shares": 1000},
            {"fund": "SPXU", "side": "long", "shares": 300},
            *lots,
        ],
        "policy": {"hedge_relief": "finra"},
    }


def _fund_cases() -> dict[str, Call]:
    """The requirement of a fund with its options, hedges paired at the lowest cost."""
    found: dict[str, Call] = {}
    for options in (0, 1, 2, 4, 8):
        held = account_at_hand(read_account(_snapshot(options)))
        asked = partial(fund_requirement, held.positions, 0, held.terms, MAINTENANCE)
        found[f"fund_requirement, {options} options"] = asked
    held = account_at_hand(read_account(_snapshot(2)))
    found["margin_requirement, 2 funds"] = partial(
        margin_requirement, held.positions, held.terms, MAINTENANCE
    )
    found["figures, 2 options"] = held.figures
    return found


def _status_cases() -> dict[str, Call]:
    """An account snapshot from a mapping to every figure of ``levsleeve margin``."""
    return {
        f"margin_status, {options} options": partial(_answer, _snapshot(options))
        for options in (0, 1, 4)
    }


def _answer(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Every figure of a snapshot."""
    return margin_status(snapshot).to_dict()


def nanoseconds(call: Call, seconds: float) -> float:
    """Median nanoseconds of one call; the first one, which may compile, is not counted."""
    call()
    once = max(_timed(call, 1), 1)
    calls = max(1, round(seconds * 1e9 / TIMINGS / once))
    timings = min(TIMINGS, max(1, round(seconds * 1e9 / calls / once)))
    return statistics.median(_timed(call, calls) / calls for _ in range(timings))


def _timed(call: Call, calls: int) -> int:
    """Nanoseconds of so many calls in a row."""
    start = time.perf_counter_ns()
    for _ in range(calls):
        call()
    return time.perf_counter_ns() - start


def measured(words: Sequence[str], seconds: float) -> dict[str, float]:
    """Nanoseconds by name, of the cases whose name contains one of the words (none: all)."""
    chosen = {n: c for n, c in cases().items() if not words or any(word in n for word in words)}
    return {name: nanoseconds(call, seconds) for name, call in chosen.items()}


def without_compiler(words: Sequence[str], seconds: float) -> dict[str, float]:
    """The same, measured by a process of its own in which rules are plain Python."""
    options = ["--json", "--seconds", str(seconds)]
    command = [sys.executable, "-m", "benchmarks.rules", *options, *words]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, check=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def comparison(compiled: Mapping[str, float], plain: Mapping[str, float]) -> str:
    """Nanoseconds side by side, and how many times faster the compiled rule is."""
    rows = [
        [name, shown(each * 1e-9), shown(plain[name] * 1e-9), f"{plain[name] / each:.1f}"]
        for name, each in compiled.items()
    ]
    return table(["one call", "compiled", "plain Python", "ratio"], rows)


def main(arguments: Sequence[str]) -> None:
    """Measure, and print one table; with ``--json`` the nanoseconds of this process alone."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", help="only cases whose name contains one of these")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="time for each case")
    parser.add_argument("--json", action="store_true", help="nanoseconds of this process, as JSON")
    asked = parser.parse_args(arguments)
    found = measured(asked.words, asked.seconds)
    if asked.json:
        print(json.dumps(found))
    else:
        print(comparison(found, without_compiler(asked.words, asked.seconds)))


if __name__ == "__main__":
    main(sys.argv[1:])
