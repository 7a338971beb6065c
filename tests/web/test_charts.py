"""Charts' geometry: inside the picture, in proportion, and nothing lost."""

import math
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.web.ui.charts import HEIGHT, WIDTH, bar_chart, line_chart, lines_chart, outlined, stacked_bar, treemap

AMOUNT = st.floats(1e-6, 1e12)
SIGNED = st.floats(-1e12, 1e12, allow_nan=False).filter(lambda each: each == 0 or abs(each) > 1e-6)


def named(values):
    return [(f"n{at}", value) for at, value in enumerate(values)]


@given(st.lists(SIGNED, min_size=1, max_size=60))
def test_a_line_keeps_every_value_in_order_inside_the_picture(values):
    chart = line_chart(named(values))
    assert [mark.value for mark in chart.marks] == values
    assert [mark.x for mark in chart.marks] == sorted(mark.x for mark in chart.marks)
    assert all(0 <= mark.x <= WIDTH and 0 <= mark.y <= HEIGHT for mark in chart.marks)
    assert chart.path.count("L") == len(values) - 1
    for one, other in combinations(chart.marks, 2):
        assert one.y >= other.y or one.value >= other.value  # higher is more
    ticks = [tick.value for tick in chart.ticks]
    assert 2 <= len(ticks) <= 8
    assert ticks[0] <= min(values) + 1e-9 * abs(ticks[0])
    assert ticks[-1] >= max(values) - 1e-9 * abs(ticks[-1])


@given(st.lists(st.floats(0, 1e12).filter(lambda each: each == 0 or each > 1e-6), min_size=1, max_size=40))
def test_bars_stand_on_zero_in_proportion(values):
    marks = bar_chart(named(values)).marks
    top = max(marks, key=lambda mark: mark.value)
    for mark in marks:
        assert mark.height >= 0
        assert mark.y + mark.height == pytest.approx(marks[0].y + marks[0].height, abs=0.2)
        if top.value:
            assert mark.height == pytest.approx(top.height * mark.value / top.value, abs=0.3)


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=25))
def test_a_treemap_divides_the_whole_area_in_proportion(values):
    marks = treemap(named(values))
    assert sorted(mark.label for mark in marks) == sorted(label for label, _ in named(values))
    total = sum(values)
    for mark in marks:
        assert mark.x >= 0
        assert mark.y >= 0
        assert mark.x + mark.width <= WIDTH + 0.2
        assert mark.y + mark.height <= HEIGHT + 0.2
        exact = WIDTH * HEIGHT * mark.value / total
        assert mark.width * mark.height == pytest.approx(exact, abs=0.1 * (mark.width + mark.height) + 0.01)
    for one, other in combinations(marks, 2):
        across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
        down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
        assert min(across, down) <= 0.2


def test_a_treemap_is_squarish():
    ratios = [max(m.width / m.height, m.height / m.width) for m in treemap(named([6, 6, 4, 3, 2, 2, 1]), 600, 400)]
    assert max(ratios) < 3


def test_nothing_is_an_empty_picture():
    assert line_chart([]).marks == bar_chart([]).marks == ()
    assert treemap([("a", 0), ("b", -1)]) == []
    assert math.isfinite(line_chart([("a", 0)]).marks[0].y)
    assert bar_chart([("a", 0)]).marks[0].height == 0


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=12))
def test_a_stacked_bar_is_filled_in_order_and_in_proportion(values):
    marks = stacked_bar(named(values))
    assert [mark.value for mark in marks] == values
    assert marks[0].x == 0
    assert marks[-1].x + marks[-1].width == pytest.approx(WIDTH, abs=0.1)
    for before, after in pairwise(marks):
        assert before.x + before.width == pytest.approx(after.x, abs=0.01)
    for mark in marks:
        assert mark.width == pytest.approx(WIDTH * mark.value / sum(values), abs=0.11)


def test_a_stacked_bar_leaves_nothings_out():
    assert [mark.label for mark in stacked_bar([("a", 0), ("b", 2)])] == ["b"]
    assert stacked_bar([]) == []


def test_several_lines_share_one_scale_and_leave_gaps_where_nothing_is_known():
    chart = lines_chart(["a", "b", "c"], [("one", [0, 10, 20]), ("two", [None, 5, None]), ("three", [None] * 3)])
    one, two, three = chart.lines
    places = [mark.x for mark in chart.marks]
    ground, top = chart.ticks[0].y, one.end[1]
    points = zip(places, (ground, (ground + top) / 2, top), strict=True)
    assert one.path == "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
    assert two.end[0] == places[1]
    assert one.end[1] < two.end[1] < chart.ticks[0].y
    assert (three.path, three.end) == ("", None)
    assert lines_chart([], [("one", [])]).lines == ()


def test_bands_cover_runs_from_edge_to_edge():
    kinds = [("", ""), ("good", "up"), ("good", "up"), ("bad", "down")]
    chart = lines_chart(list("abcd"), [("one", [1, 2, 3, 4])], kinds)
    places = [mark.x for mark in chart.marks]
    assert [(each.kind, each.label) for each in chart.bands] == [("good", "up"), ("bad", "down")]
    good, bad = chart.bands
    assert good.x == pytest.approx((places[0] + places[1]) / 2, abs=0.1)
    assert good.x + good.width == pytest.approx(bad.x, abs=0.2)
    assert bad.x + bad.width == pytest.approx(places[3], abs=0.2)


@given(st.lists(st.none() | SIGNED, max_size=200), st.integers(4, 60))
def test_an_outline_keeps_the_ends_and_the_extremes_in_few_points(values, most):
    kept = outlined(values, most)
    assert kept == sorted(set(kept))
    assert len(kept) <= most
    assert len(values) > most or kept == list(range(len(values)))
    known = [each for each in values if each is not None]
    if values:
        assert (kept[0], kept[-1]) == (0, len(values) - 1)
    if known:
        shown = [values[at] for at in kept if values[at] is not None]
        assert (min(shown), max(shown)) == (min(known), max(known))
