"""Values that every call makes: equal by their fields, hashable, with no room for more."""

from dataclasses import field, replace

import pytest

from usufruct.core import value


@value
class Point:
    x: int
    y: int = 0
    note: str = field(default="", compare=False)


def test_a_value_is_equal_and_hashes_by_its_fields():
    assert Point(1, 2) == Point(1, 2, "elsewhere") != Point(2, 1)
    assert len({Point(1), Point(1), Point(2)}) == 2
    assert replace(Point(1, 2), x=3) == Point(3, 2)


def test_a_value_has_no_room_for_another_member():
    with pytest.raises(AttributeError):
        Point(1).z = 3
