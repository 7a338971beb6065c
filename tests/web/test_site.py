"""Whatever accent an operator chooses, text in it and on it can be read."""

import re

from hypothesis import given
from hypothesis import strategies as st

from usufruct.web.ui.site import Site, contrast

WHITE, DARK = (255, 255, 255), (20, 22, 26)
CHANNEL = st.integers(0, 255)
COLOUR = st.tuples(CHANNEL, CHANNEL, CHANNEL)


def accents(site: Site):
    return [tuple(bytes.fromhex(each)) for each in re.findall("--accent: #([0-9a-f]{6})", site.stylesheet)]


@given(COLOUR)
def test_every_accent_can_be_read_on_its_background_and_under_text(colour):
    light, dark = accents(Site(accent="#{:02x}{:02x}{:02x}".format(*colour)))
    assert contrast(light, WHITE) >= 4.5
    assert contrast(dark, DARK) >= 4.5


@given(COLOUR)
def test_a_readable_accent_is_left_as_it_is(colour):
    light, dark = accents(Site(accent="#{:02x}{:02x}{:02x}".format(*colour)))
    assert (light == colour) == (contrast(colour, WHITE) >= 4.5)
    assert (dark == colour) == (contrast(colour, DARK) >= 4.5)


def test_contrast_is_that_of_the_standard():
    assert contrast(WHITE, (0, 0, 0)) == 21
    assert contrast(WHITE, WHITE) == 1
    assert round(contrast((119, 119, 119), WHITE), 2) == 4.48
