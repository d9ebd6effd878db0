"""Figures of ours beside those of the reference, and claims that hold or do not."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.timing import table

REFERENCE = Path(__file__).with_name("reference.toml")
ROUNDING = 1e-9
"""Of a difference that is exactly the tolerance."""


@dataclass(frozen=True)
class Figure:
    """A number of a row beside the reference's, both in the reference's unit."""

    row: str
    name: str
    ours: float
    reference: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether they are no further apart than the tolerance."""
        return abs(self.ours - self.reference) <= self.tolerance + ROUNDING

    @property
    def verdict(self) -> str:
        """In a word."""
        return "agrees" if self.agrees else "differs"


@dataclass(frozen=True)
class Claim:
    """A sentence, whether it holds, and what shows it."""

    sentence: str
    holds: bool
    shown: str


@dataclass(frozen=True)
class Section:
    """One topic: figures as rows of a table or as a list, claims, and remarks on both."""

    title: str
    rows: tuple[Figure, ...] = ()
    facts: tuple[Figure, ...] = ()
    claims: tuple[Claim, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether every figure agrees and every claim holds."""
        figures = all(figure.agrees for figure in (*self.rows, *self.facts))
        return figures and all(claim.holds for claim in self.claims)

    def text(self) -> str:
        """What is printed."""
        parts = [self.title, *(f"  {remark}" for remark in self.remarks)]
        if self.rows:
            parts.append(_as_rows(self.rows))
        if self.facts:
            parts.append(_as_list(self.facts))
        parts += [
            f"{'holds' if claim.holds else 'DOES NOT HOLD'}: {claim.sentence} ({claim.shown})"
            for claim in self.claims
        ]
        return "\n".join(parts)


@cache
def reference() -> dict[str, Any]:
    """The tables of the reference."""
    return tomllib.loads(REFERENCE.read_text(encoding="utf-8"))


def rows_of(section: str, row: str, ours: Mapping[str, float]) -> list[Figure]:
    """Figures of a row of a section: those that the reference prints."""
    printed: Mapping[str, float] = reference()[section]["rows"][row]
    limits = reference()["tolerances"]
    return [Figure(row, name, ours[name], figure, limits[name]) for name, figure in printed.items()]


def facts_of(section: str, ours: Mapping[str, float]) -> tuple[Figure, ...]:
    """Figures of a section that stand alone, all that the reference prints."""
    return tuple(
        Figure("sample", name, ours[name], fact["printed"], fact["tolerance"])
        for name, fact in reference()[section]["facts"].items()
    )


def title_of(section: str) -> str:
    """The title of a section."""
    return str(reference()[section]["title"])


def _as_rows(figures: Sequence[Figure]) -> str:
    """One line a row: ours, the reference's in parentheses, a star where they differ."""
    names = list(dict.fromkeys(figure.name for figure in figures))
    by_row: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        by_row.setdefault(figure.row, {})[figure.name] = figure
    limits = {figure.name: f"within {figure.tolerance:g}" for figure in figures}
    lines = [
        [row, *(_cell(found[name]) if name in found else "" for name in names), _verdict(found)]
        for row, found in by_row.items()
    ]
    header = ["ours (reference)", *(_label(name) for name in names), "verdict"]
    return table(header, [["", *(limits[name] for name in names), ""], *lines])


def _label(name: str) -> str:
    """A name of the reference as it is printed."""
    return name.removesuffix("_percent").replace("_", " ") + ", %" * name.endswith("_percent")


def _cell(figure: Figure) -> str:
    star = "" if figure.agrees else "*"
    return f"{figure.ours:.3f} ({figure.reference:g}){star}"


def _verdict(found: Mapping[str, Figure]) -> str:
    return "agrees" if all(figure.agrees for figure in found.values()) else "differs"


def _as_list(figures: Sequence[Figure]) -> str:
    """One line a figure."""
    lines = [
        [
            f"{figure.row}: {_label(figure.name)}",
            f"{figure.ours:.4f}",
            f"{figure.reference:.4f}",
            f"{figure.tolerance:.4f}",
            figure.verdict,
        ]
        for figure in figures
    ]
    return table(["figure", "ours", "reference", "within", "verdict"], lines)
