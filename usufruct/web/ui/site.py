"""How an installation looks: the operator's name, logo and accent colour, as settings and as a stylesheet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from usufruct.config import LOGO_TYPES, SiteConfig
from usufruct.core.address_lists import read_publishers
from usufruct.core.networks import public_network

_LIGHT, _DARK = (255, 255, 255), (20, 22, 26)
_CONTRAST = 4.5
"""Least contrast of text against its background: WCAG 2.2, success criterion 1.4.3."""

_STEPS = 40

_THEME = """:root {{ --accent: {light}; --on-accent: #ffffff; }}
@media (prefers-color-scheme: dark) {{ :root {{ --accent: {dark}; --on-accent: {on_dark}; }} }}
"""

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Site:
    """The operator's name and accent colour, the logo's bytes with their media type, and the language by default.

    `explorer`: the site that shows the chain's accounts and transactions, below which they are linked; empty: nowhere.
    `verified`: the names of publishers whom the operator vouches for, by the address that is paid.
    """

    name: str = "Usufruct"
    accent: str = "#0b7a5a"
    logo: tuple[bytes, str] | None = None
    language: str = "en"
    explorer: str = ""
    verified: Mapping[str, str] = field(default_factory=dict)

    @property
    def stylesheet(self) -> str:
        """The accent as CSS: moved towards black or white until text in it, and on it, can be read."""
        accent = _colour(self.accent)
        light, dark = _readable(accent, _LIGHT), _readable(accent, _DARK)
        return _THEME.format(light=_hex(light), dark=_hex(dark), on_dark=_hex(_DARK))


def configured_site(config: SiteConfig, chain_id: int) -> Site:
    """Return the site that an operator configured for a chain; the logo's file is read here, once."""
    logo = None
    if config.logo:
        file = Path(config.logo)
        logo = file.read_bytes(), LOGO_TYPES[file.suffix.lower()]
    explorer = config.explorer or public_network(chain_id).explorer
    return Site(config.name, config.accent, logo, config.language, explorer, read_publishers(config.verified))


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two sRGB colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    parts = [each / 255 for each in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _readable(colour: Colour, background: Colour) -> Colour:
    """Return the colour, moved away from the background just far enough to be read on it."""
    end = 0 if sum(background) > 382 else 255
    for step in range(_STEPS + 1):
        moved = tuple(round(part + (end - part) * step / _STEPS) for part in colour)
        shade = (moved[0], moved[1], moved[2])
        if contrast(shade, background) >= _CONTRAST:
            break
    return shade


def _colour(text: str) -> Colour:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
