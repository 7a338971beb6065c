"""The rules of levels against a walk over the thresholds, and how the configuration writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.config import InvalidSetting
from usufruct.staking.level_model import LevelTerms, level_of, read_levels

TOKEN = 10**18
TEXTS = [f"{100 * number}={2.5 * number}:{1 + number}" for number in range(1, 11)]


@given(st.sets(st.integers(1, 2**96 - 1), min_size=10, max_size=10), st.integers(0, 2**97))
def test_a_level_is_the_highest_whose_threshold_is_reached(thresholds: set[int], score: int):
    levels = [LevelTerms(each, 0, 10_000) for each in sorted(thresholds)]
    found = 0
    for number, level in enumerate(levels, 1):
        if score >= level.threshold:
            found = number
    assert level_of(score, levels) == found
    for number, level in enumerate(levels, 1):
        assert level_of(level.threshold, levels) == number
        assert level_of(level.threshold - 1, levels) == number - 1


def test_ten_levels_are_read():
    levels = read_levels(", ".join(TEXTS))
    assert levels[0] == LevelTerms(100 * TOKEN, 250, 20_000)
    assert levels[9] == LevelTerms(1_000 * TOKEN, 2_500, 110_000)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "0=2.5:2"),  # no score
        (1, "100=2.5:0.9"),  # less than the usual quota
        (5, "400=12.5:6"),  # not above the level below
        (5, "500=9.9:6"),  # less discount
        (5, "500=12.5:4.9"),  # less quota
        (10, "1000=50.01:11"),
        (10, "1000=25:100.1"),
        (10, f"{2**96}=25:11"),
        (3, "300=7.5"),
        (3, "300"),
        (3, "many=7.5:4"),
        (3, "300=7.555:4"),
    ],
)
def test_a_level_that_cannot_be_is_named(number: int, text: str):
    texts = [*TEXTS]
    texts[number - 1] = text
    with pytest.raises(InvalidSetting, match=f"^level {number} of `platform_token.levels` is '{text}'; "):
        read_levels(",".join(texts))


def test_all_ten_levels_must_be_named():
    with pytest.raises(InvalidSetting, match="has 9 levels; name all 10"):
        read_levels(",".join(TEXTS[1:]))
