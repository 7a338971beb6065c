"""How pages write prices, large amounts and changes, in English and German."""

from datetime import UTC, datetime

import pytest

from usufruct.web.ui import load_languages

LANGUAGES = load_languages(["usufruct.web.ui"])


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [(12956.414, "12,956.41", "12.956,41"), (8, "8.00", "8,00"), (0.04756, "0.04756", "0,04756"), (0, "0.00", "0,00")],
)
def test_a_price_has_four_digits_that_count(value, english, german):
    assert (LANGUAGES["en"].significant(value), LANGUAGES["de"].significant(value)) == (english, german)


def test_a_large_amount_has_a_word_for_its_size():
    shown = [LANGUAGES["en"].short(value) for value in (962_400_000_000, 1_234_000, 12, 0)]
    assert shown == ["962B", "1.23M", "12", "0"]
    assert LANGUAGES["de"].short(1_234_000_000_000).replace("\N{NO-BREAK SPACE}", " ") == "1,23 Bio."


@pytest.mark.parametrize(("part", "shown"), [(0.0281, "+2.8%"), (-0.5, "-50%"), (-0.0004, "0%"), (0, "0%")])
def test_a_change_has_its_sign_and_no_negative_zero(part, shown):
    assert LANGUAGES["en"].change(part) == shown


@pytest.mark.parametrize("code", ["en", "de"])
def test_a_day_stays_on_one_line_and_so_do_a_time_and_its_zone(code):
    at, language = datetime(2026, 11, 8, 14, 5, tzinfo=UTC), LANGUAGES[code]
    day, time = language.date(at).split(", ")
    assert day.split("\N{NO-BREAK SPACE}")[::2] == ["8", "2026"]
    assert time == "14:05\N{NO-BREAK SPACE}UTC"
    assert not any(" " in each for each in (day, language.calendar_day(at), language.day(at)))
