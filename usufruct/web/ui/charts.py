"""Charts as geometry: templates draw them as SVG, each with a table of the same numbers under it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import ceil, floor, log10

WIDTH, HEIGHT = 640, 240
"""The size of a chart in its own units; the page scales it."""
BAR_HEIGHT = 40
"""The height of a single bar that is divided."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 12, 32
_TICKS = 4

Number = int | float | Decimal


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across a chart: where it is, and the value that it marks."""

    y: float
    value: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a line, or a bar: its label and value, its place, and its size (0 for a point)."""

    label: str
    value: Number
    x: float
    y: float
    width: float = 0
    height: float = 0


@dataclass(frozen=True, slots=True)
class Chart:
    """A line or a bar chart: marks from left to right, ticks from the bottom up, and the line's SVG path."""

    marks: Sequence[Mark]
    ticks: Sequence[Tick]
    path: str = ""
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def left(self) -> int:
        """Where the plot begins."""
        return _LEFT


def line_chart(points: Sequence[tuple[str, Number]]) -> Chart:
    """Place labelled values, which may be below 0, as a line; an empty sequence is an empty chart."""
    if not points:
        return Chart((), ())
    values = [float(value) for _, value in points]
    low, high, ticks = _scale(min(values), max(values))
    room = WIDTH - _LEFT - _RIGHT
    step = room / max(len(points) - 1, 1)
    marks = [
        Mark(label, value, round(_LEFT + at * step, 1), _y(float(value), low, high))
        for at, (label, value) in enumerate(points)
    ]
    path = "M" + " L".join(f"{mark.x:g} {mark.y:g}" for mark in marks)
    return Chart(marks, ticks, path)


def bar_chart(points: Sequence[tuple[str, Number]]) -> Chart:
    """Place labelled values of 0 or more as bars that begin at 0; an empty sequence is an empty chart."""
    if not points:
        return Chart((), ())
    low, high, ticks = _scale(0.0, max(float(value) for _, value in points))
    step = (WIDTH - _LEFT - _RIGHT) / len(points)
    width = round(min(step * 0.7, 48), 1)
    ground = _y(0.0, low, high)
    marks = []
    for at, (label, value) in enumerate(points):
        y = _y(float(value), low, high)
        x = round(_LEFT + at * step + (step - width) / 2, 1)
        marks.append(Mark(label, value, x, y, width, round(ground - y, 1)))
    return Chart(marks, ticks)


def stacked_bar(parts: Sequence[tuple[str, Number]], width: float = WIDTH, height: float = BAR_HEIGHT) -> list[Mark]:
    """Divide a bar among positive values in proportion, in their order; the last part ends where the bar ends."""
    positive = [(label, value) for label, value in parts if value > 0]
    total = sum(float(value) for _, value in positive)
    edges, sum_so_far = [0.0], 0.0
    for _, value in positive:
        sum_so_far += float(value)
        edges.append(round(width * sum_so_far / total, 1))
    return [
        Mark(label, value, start, 0, round(end - start, 1), height)
        for (label, value), (start, end) in zip(positive, pairwise(edges), strict=True)
    ]


def treemap(parts: Sequence[tuple[str, Number]], width: float = WIDTH, height: float = HEIGHT) -> list[Mark]:
    """Divide a rectangle among positive values in proportion, as near to squares as possible, the largest first.

    Squarified treemaps (Bruls, Huizing and van Wijk, 2000).
    """
    left = sorted(((label, value) for label, value in parts if value > 0), key=lambda each: -each[1])
    total = sum(float(value) for _, value in left)
    x, y, marks = 0.0, 0.0, []
    while left:
        scale = width * height / total
        side = min(width, height)
        taken = _row([float(value) * scale for _, value in left], side)
        row, left = left[:taken], left[taken:]
        area = sum(float(value) for _, value in row) * scale
        depth, at = area / side, 0.0
        for label, value in row:
            length = float(value) * scale / depth
            place = (x, y + at, depth, length) if width >= height else (x + at, y, length, depth)
            marks.append(Mark(label, value, *(round(each, 1) for each in place)))
            at += length
        total -= sum(float(value) for _, value in row)
        if width >= height:
            x, width = x + depth, width - depth
        else:
            y, height = y + depth, height - depth
    return marks


def rows(marks: Sequence[Mark], write: Callable[[Number], str]) -> list[tuple[str, str]]:
    """Return what a chart shows as rows of a table; `write` turns a value into text."""
    return [(mark.label, write(mark.value)) for mark in marks]


def _row(areas: Sequence[float], side: float) -> int:
    """Return how many areas go into the next row along a side: as long as its worst ratio does not get worse."""
    best, total = float("inf"), 0.0
    for count, area in enumerate(areas, 1):
        total += area
        worst = max(side**2 * areas[0] / total**2, total**2 / (side**2 * area))
        if worst > best:
            return count - 1
        best = worst
    return len(areas)


def _scale(low: float, high: float) -> tuple[float, float, list[Tick]]:
    """Return round bounds around the values, and the ticks between them."""
    span = high - low or abs(high) or 1.0
    rough = span / _TICKS
    magnitude = 10.0 ** floor(log10(rough))
    step = next(each * magnitude for each in (1, 2, 2.5, 5, 10) if each * magnitude >= rough * 0.999)
    first, last = floor(low / step), ceil(high / step)
    if first == last:
        last += 1
    bounds = first * step, last * step
    return *bounds, [Tick(_y(at * step, *bounds), at * step) for at in range(first, last + 1)]


def _y(value: float, low: float, high: float) -> float:
    room = HEIGHT - _TOP - _BOTTOM
    return round(_TOP + room * (1 - (value - low) / (high - low)), 1)
