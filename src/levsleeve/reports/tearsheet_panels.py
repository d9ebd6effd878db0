"""Three panels of the tear sheet, as SVG text, that QuantStats 0.0.86 draws wrongly.

* Returns by year: over more than ten years and on pandas 3, its bars and its labels stand at
  opposite ends of the axis.
* Growth on a logarithmic scale: its scale is linear up to a gain of 200 %.
* Return of each session: it draws the running sum instead, at zero on every weekend.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from levsleeve.backtests.returns import sessions_of
from levsleeve.compiled import Floats

SLEEVE = "#348DC1"
BENCHMARK = "#E0B030"
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 576, 54, 8, 46, 24
_MOST_LABELS, _FEWEST_LABELS, _FEW_DECADES = 10, 4, 4
_STEPS = (1.0, 2.0, 5.0, 10.0)


def yearly_returns(returns: pd.Series) -> pd.Series:
    """Compounded return of each calendar year, indexed by year; the ends may be part years."""
    year = sessions_of(returns.index).year
    return (1.0 + pd.Series(returns.to_numpy(), index=year)).groupby(level=0).prod() - 1.0


def yearly_panel(returns: pd.Series, benchmark: pd.Series, benchmark_name: str) -> str:
    """Two bars a year, benchmark then sleeve, each standing on its own label."""
    theirs, ours = yearly_returns(benchmark), yearly_returns(returns)
    panel = _Panel.over([*theirs, *ours, 0.0], height=288)
    slot = (_WIDTH - _LEFT - _RIGHT) / len(ours)
    every = math.ceil(len(ours) / (2 * _MOST_LABELS))
    marks = []
    for row, year in enumerate(ours.index):
        left = _LEFT + slot * row
        for shift, colour, name, earned in (
            (0.1, BENCHMARK, benchmark_name, theirs[year]),
            (0.5, SLEEVE, "sleeve", ours[year]),
        ):
            top, bottom = panel.pixel(max(earned, 0.0)), panel.pixel(min(earned, 0.0))
            marks.append(
                f'<rect x="{left + shift * slot:.1f}" y="{top:.1f}" width="{0.4 * slot:.1f}" '
                f'height="{bottom - top:.1f}" fill="{colour}">'
                f"<title>{year} {escape(name)} {earned:.2%}</title></rect>"
            )
        if row % every == 0:
            marks.append(panel.below(left + slot / 2, str(year)))
    return panel.drawn("Returns by calendar year", benchmark_name, marks)


def growth_panel(returns: pd.Series, benchmark: pd.Series, benchmark_name: str) -> str:
    """Worth of one dollar on a truly logarithmic scale; a wipe ends on the lower edge."""
    theirs, ours = (
        np.cumprod(1.0 + line.to_numpy(dtype=np.float64)) for line in (benchmark, returns)
    )
    worth = np.concatenate((theirs, ours))
    panel = _Panel.logarithmic(worth[worth > 0.0], height=288)
    days = sessions_of(returns.index)
    marks = [
        _line(days, np.array([panel.pixel(dollars) for dollars in line]), colour)
        for line, colour in ((theirs, BENCHMARK), (ours, SLEEVE))
    ]
    return panel.drawn(
        "Worth of one dollar, logarithmic", benchmark_name, [*marks, *_dates(panel, days)]
    )


def session_panel(returns: pd.Series) -> str:
    """Return of the sleeve on each session, as one upright stroke from zero."""
    changes = returns.to_numpy(dtype=np.float64)
    panel = _Panel.over([*changes, 0.0], height=216)
    days, zero = sessions_of(returns.index), panel.pixel(0.0)
    strokes = "".join(
        f"M{x:.1f} {zero:.1f}V{panel.pixel(change):.1f}"
        for x, change in zip(_across(days, days), changes, strict=True)
        if change != 0.0
    )
    path = f'<path d="{strokes}" stroke="{SLEEVE}" stroke-width="0.5" fill="none"/>'
    return panel.drawn("Return of each session", None, [path, *_dates(panel, days)])


@dataclass(frozen=True, slots=True)
class _Panel:
    """A frame with a vertical scale: labelled ticks, and where a value stands on it."""

    height: int
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    transform: Callable[[float], float]

    @classmethod
    def over(cls, values: Sequence[float], height: int) -> "_Panel":
        """A linear scale of fractions that holds every value."""
        low, high = min(values), max(values)
        step = _step((high - low or 0.01) / 5)
        low, high = math.floor(low / step), math.ceil(high / step)
        high = max(high, low + 1)
        digits = max(0, -math.floor(math.log10(step)) - 2)
        ticks = tuple((row * step, f"{row * step:.{digits}%}") for row in range(low, high + 1))
        return cls(height, low * step, high * step, ticks, float)

    @classmethod
    def logarithmic(cls, values: Floats, height: int) -> "_Panel":
        """A logarithmic scale of dollars from the least value to the largest, widened a little."""
        low, high = float(values.min()), float(values.max())
        air = max((high / low) ** 0.04, 1.001)
        low, high = low / air, high * air
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        fine = (1, 2, 5) if len(decades) <= _FEW_DECADES else (1,)
        marks = [digit * 10.0**power for power in decades for digit in fine]
        shown = [mark for mark in marks if low <= mark <= high]
        if len(shown) < _FEWEST_LABELS:  # less than a decade: even steps, logarithmic places
            step = _step((high - low) / 5)
            rows = range(math.ceil(low / step), math.floor(high / step) + 1)
            shown = [row * step for row in rows]
        ticks = tuple((mark, _dollars(mark)) for mark in shown)
        return cls(height, low, high, ticks, math.log)

    def pixel(self, value: float) -> float:
        """Height of a value on the drawing, from the top; what is off the scale, on its edge."""
        low, high = self.transform(self.low), self.transform(self.high)
        at = self.transform(min(max(value, self.low), self.high))
        return _TOP + (self.height - _TOP - _BOTTOM) * (high - at) / (high - low)

    def below(self, x: float, label: str, anchor: str = "middle") -> str:
        """A label under the frame."""
        y = self.height - _BOTTOM + 14
        return f'<text class="tick" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{label}</text>'

    def drawn(self, title: str, benchmark_name: str | None, marks: Sequence[str]) -> str:
        """The whole drawing; the legend is left out without a benchmark."""
        grid = "".join(
            f'<path d="M{_LEFT} {self.pixel(value):.1f}H{_WIDTH - _RIGHT}" '
            f'stroke="{"#555" if value == 0.0 else "#ddd"}" stroke-width="0.6"/>'
            f'<text class="tick" x="{_LEFT - 6}" y="{self.pixel(value) + 3:.1f}" '
            f'text-anchor="end">{label}</text>'
            for value, label in self.ticks
        )
        legend = "" if benchmark_name is None else _legend(benchmark_name)
        return (
            f'<svg viewBox="0 0 {_WIDTH} {self.height}" role="img" '
            f'xmlns="http://www.w3.org/2000/svg"><title>{title}</title>'
            f'<text class="title" x="{_WIDTH / 2:.0f}" y="16" text-anchor="middle">{title}</text>'
            f"{legend}{grid}{''.join(marks)}</svg>"
        )


def _legend(benchmark_name: str) -> str:
    """Both colours with their names, under the title."""
    return "".join(
        f'<rect x="{x}" y="26" width="14" height="8" fill="{colour}"/>'
        f'<text class="tick" x="{x + 19}" y="34">{escape(name)}</text>'
        for x, colour, name in ((_LEFT, SLEEVE, "Sleeve"), (_LEFT + 70, BENCHMARK, benchmark_name))
    )


def _dollars(amount: float) -> str:
    """A tick of the logarithmic scale: cents and less without trailing zeros, never an exponent."""
    text = f"{amount:,.8f}".rstrip("0").rstrip(".")
    return f"${text}" if float(text.replace(",", "")) else f"${amount:.0e}"


def _step(least: float) -> float:
    """The next of 1, 2, 5, 10 times a power of ten."""
    scale = 10.0 ** math.floor(math.log10(least))
    return next(step * scale for step in _STEPS if step * scale >= least * (1 - 1e-9))


def _across(days: pd.DatetimeIndex, span: pd.DatetimeIndex) -> Floats:
    """Distance of each day from the left edge, in calendar time over the span."""
    share = (days - span[0]) / (span[-1] - span[0])
    at: Floats = _LEFT + (_WIDTH - _LEFT - _RIGHT) * share.to_numpy(dtype=np.float64)
    return at


def _line(days: pd.DatetimeIndex, heights: Floats, colour: str) -> str:
    """One curve through calendar time."""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(_across(days, days), heights, strict=True))
    return f'<polyline points="{points}" stroke="{colour}" stroke-width="1.2" fill="none"/>'


def _dates(panel: _Panel, days: pd.DatetimeIndex) -> list[str]:
    """Labels of the horizontal axis: first days of years; of a short span, its two ends."""
    januaries = pd.date_range(days[0], days[-1], freq="YS")
    if len(januaries) < 2:  # noqa: PLR2004  (one label is no scale)
        left, right = (f"{day:%Y-%m-%d}" for day in (days[0], days[-1]))
        return [panel.below(_LEFT, left, "start"), panel.below(_WIDTH - _RIGHT, right, "end")]
    shown = januaries[:: math.ceil(len(januaries) / _MOST_LABELS)]
    return [panel.below(x, f"{day:%Y}") for x, day in zip(_across(shown, days), shown, strict=True)]
