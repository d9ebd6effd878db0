"""Print published and reference figures beside ours.

::

    python -m replication              # all sections
    python -m replication sizing kelly # some of them

The exit status is 1 where a figure differs by more than its tolerance, or a claim does not hold.
Only bundled data are needed.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.timing import PRICES
from replication import cushions, kelly, look_ahead, rotation, sizing_table
from replication.figures import Section
from replication.sample import Sample, bundled_sample

SECTIONS: dict[str, Callable[[Sample], Section]] = {
    "sizing": sizing_table.section,
    "rotation": rotation.section,
    "kelly": kelly.section,
    "cushions": cushions.section,
    "look-ahead": look_ahead.section,
}


def summary(sections: Sequence[Section]) -> str:
    """How many figures and claims there are, and how many of them stand."""
    figures = [figure for one in sections for figure in (*one.rows, *one.facts)]
    claims = [claim for one in sections for claim in one.claims]
    agree, hold = sum(one.agrees for one in figures), sum(one.holds for one in claims)
    return f"{agree} of {len(figures)} figures agree, {hold} of {len(claims)} claims hold"


def main(arguments: Sequence[str]) -> int:
    """Print the sections asked for; 0 where everything stands."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--prices", type=Path, default=PRICES, help="folder of the price cache")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"{unknown[0]}: no such section; one of {', '.join(SECTIONS)} is right")
    sample = bundled_sample(asked.prices)
    sections = [SECTIONS[name](sample) for name in asked.sections or SECTIONS]
    for section in sections:
        print(section.text(), end="\n\n")
    print(summary(sections))
    return 0 if all(section.agrees for section in sections) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
