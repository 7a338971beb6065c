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


@dataclass(frozen=True, slots=True)
class Line:
    """A line among several: its name, its SVG path, and where its last point is."""

    name: str
    path: str
    end: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Band:
    """A part of a chart's background: its kind, what it means, and its place."""

    kind: str
    label: str
    x: float
    width: float
    top: int = _TOP
    height: int = HEIGHT - _TOP - _BOTTOM


@dataclass(frozen=True, slots=True)
class LinesChart:
    """Several lines: marks hold the labels of the axis, ticks from the bottom up, bands lie behind the lines."""

    marks: Sequence[Mark]
    ticks: Sequence[Tick]
    lines: Sequence[Line]
    bands: Sequence[Band]
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


def lines_chart(
    labels: Sequence[str], lines: Sequence[tuple[str, Sequence[Number | None]]], bands: Sequence[tuple[str, str]] = ()
) -> LinesChart:
    """Place several lines over the same labels; a value that is not known leaves a gap.

    `bands`: for each label the kind of a band behind the lines, and what it means; an empty kind is no band.
    """
    values = [float(value) for _, each in lines for value in each if value is not None]
    if not values:
        return LinesChart((), (), (), ())
    low, high, ticks = _scale(min(values), max(values))
    step = (WIDTH - _LEFT - _RIGHT) / max(len(labels) - 1, 1)
    places = [round(_LEFT + at * step, 1) for at in range(len(labels))]
    drawn = []
    for name, each in lines:
        points = [
            None if value is None else (x, _y(float(value), low, high)) for x, value in zip(places, each, strict=True)
        ]
        drawn.append(Line(name, _path(points), next((at for at in reversed(points) if at), None)))
    marks = [Mark(label, 0, x, 0) for label, x in zip(labels, places, strict=True)]
    return LinesChart(marks, ticks, drawn, _bands(places, bands))


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


def spaced(count: int, most: int) -> list[int]:
    """Return which of `count` points a chart of at most `most` shows: evenly, the first and the last among them."""
    shown = min(count, most)
    return [at * (count - 1) // max(shown - 1, 1) for at in range(shown)]


def outlined(values: Sequence[float | None], most: int) -> list[int]:
    """Return which of many points to keep so that a line looks the same: the least and greatest of each stretch.

    At most `most` (4 or more), in their order, with the first and the last. A stretch without a known value keeps its
    first point, a gap.
    """
    count = len(values)
    if count <= most:
        return list(range(count))
    stretches = (most - 2) // 2
    kept = {0, count - 1}
    for at in range(stretches):
        stretch = range(count * at // stretches, count * (at + 1) // stretches)
        there = [each for each in stretch if values[each] is not None]
        if there:
            kept |= {min(there, key=lambda each: values[each] or 0.0), max(there, key=lambda each: values[each] or 0.0)}
        else:
            kept.add(stretch[0])
    return sorted(kept)


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


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """Return the SVG path through known points; after one that is not known it begins again."""
    parts, drawing = [], False
    for point in points:
        if point:
            parts.append(f"{'L' if drawing else 'M'}{point[0]:g} {point[1]:g}")
        drawing = point is not None
    return " ".join(parts)


def _bands(places: Sequence[float], bands: Sequence[tuple[str, str]]) -> list[Band]:
    """Return runs of equal bands, each from the middle before its first label to the middle after its last."""
    edges = [places[0], *((one + other) / 2 for one, other in pairwise(places)), places[-1]]
    found, start = [], 0
    for at in range(1, len(bands) + 1):
        if at == len(bands) or bands[at] != bands[start]:
            kind, label = bands[start]
            if kind:
                found.append(Band(kind, label, round(edges[start], 1), round(edges[at] - edges[start], 1)))
            start = at
    return found


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
