"""The languages of the pages: gettext catalogues beside the templates, numbers and dates by CLDR."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from math import floor, log10

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, format_decimal, format_percent

SOURCE = "en"
"""The language that messages are written in."""

_CATALOGUE = ".po"
_HEADER_LENGTH = 200
"""Characters of an `accept-language` header that are read; browsers send fewer."""

_EXACT = Context(prec=200)
"""Digits for every amount of 256 bits, and as many after the point as a token may have."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its code, its messages, and how it writes numbers and dates."""

    code: str
    messages: NullTranslations
    locale: Locale

    @property
    def name(self) -> str:
        """The language's name in itself."""
        return (self.locale.get_display_name() or self.code).capitalize()

    def number(self, value: int | Decimal, decimals: int = 0) -> str:
        """Write a number with at most `decimals` digits after the point."""
        return _number(value, decimals, self.code)

    def money(self, amount: int, decimals: int, symbol: str) -> str:
        """Write atomic units as whole ones, exactly: a price is never rounded on screen."""
        return f"{self.number(Decimal(amount).scaleb(-decimals, _EXACT), decimals)}\N{NO-BREAK SPACE}{symbol}"

    def decimal(self, value: float) -> str:
        """Write a number with at most six digits after the point."""
        return _decimal(value, self.code)

    def significant(self, value: float, digits: int = 4) -> str:
        """Write a number with at least two digits after the point, or with more if it needs them for `digits`."""
        return _significant(value, digits, self.code)

    def short(self, value: float) -> str:
        """Write a large number with three digits and a word for its size: 1.23T, 1,23 Bio."""
        return _short(value, self.code)

    def change(self, part: float) -> str:
        """Write a gain or loss, a part of 1, in per cent with its sign."""
        shown = round(part, 3) or 0.0  # no "-0"
        return f"+{self.share(shown)}" if shown > 0 else self.share(shown)

    def calendar_day(self, at: datetime) -> str:
        """Write a day with its year."""
        return _calendar_day(at, self.code)

    def day(self, at: datetime) -> str:
        """Write a day without its year."""
        return _day(at, self.code)

    def month(self, at: datetime) -> str:
        """Write a month with its year."""
        return _month(at, self.code)

    def share(self, part: float) -> str:
        """Write a share of 1 in per cent, with one digit after the point."""
        return _share(round(part, 3), self.code)

    def date(self, at: datetime) -> str:
        """Write a moment in UTC."""
        return _date(at, self.code)


# What was written is kept: CLDR's rules take long, and pages write the same prices and days again and again. A code is
# looked up faster than a `Locale`.


@lru_cache
def _locale(code: str) -> Locale:
    return Locale.parse(code)


@lru_cache(maxsize=10_000)
def _number(value: int | Decimal, decimals: int, code: str) -> str:
    with localcontext(_EXACT):
        return format_decimal(value, "#,##0" + ("." + "#" * decimals if decimals else ""), _locale(code))


@lru_cache(maxsize=10_000)
def _decimal(value: float, code: str) -> str:
    return format_decimal(value, "#,##0.######", _locale(code))


@lru_cache(maxsize=10_000)
def _significant(value: float, digits: int, code: str) -> str:
    size = 0 if value == 0 else floor(log10(abs(value)))
    after = max(2, min(12, digits - 1 - size))
    pattern = "#,##0.00" if size >= 0 else "#,##0.00" + "#" * (after - 2)
    return format_decimal(round(value, after), pattern, _locale(code))


@lru_cache(maxsize=10_000)
def _short(value: float, code: str) -> str:
    size = 0 if abs(value) < 1 else floor(log10(abs(value))) % 3
    return format_compact_decimal(value, locale=_locale(code), fraction_digits=2 - size)


@lru_cache(maxsize=1_000)
def _calendar_day(at: datetime, code: str) -> str:
    return _unbroken(format_date(at, "d MMM y", _locale(code)))


@lru_cache(maxsize=1_000)
def _month(at: datetime, code: str) -> str:
    return format_date(at, "LLLL y", _locale(code))


@lru_cache(maxsize=1_000)
def _share(part: float, code: str) -> str:
    return format_percent(part, locale=_locale(code), decimal_quantization=False)


@lru_cache(maxsize=1_000)
def _day(at: datetime, code: str) -> str:
    return _unbroken(format_date(at, "d MMM", _locale(code)))


@lru_cache(maxsize=1_000)
def _date(at: datetime, code: str) -> str:
    return _unbroken(format_datetime(at, "d MMM y, HH:mm 'UTC'", locale=_locale(code)))


def _unbroken(text: str) -> str:
    """Let a date break between day and time alone, where a narrow phone has no room for both."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace(",\N{NO-BREAK SPACE}", ", ")


def load_languages(packages: Iterable[str]) -> dict[str, Language]:
    """Return the languages that some package has a catalogue for, and the source language first, by code.

    A process reads the catalogues of the same packages once.
    """
    return dict(_languages(tuple(packages)))


@lru_cache
def _languages(packages: tuple[str, ...]) -> Mapping[str, Language]:
    catalogues: dict[str, GNUTranslations] = {}
    for package in packages:
        for file in sorted(_catalogues(package), key=lambda each: each.name):
            code = file.name.removesuffix(_CATALOGUE)
            compiled = BytesIO()
            with file.open("rb") as source:
                write_mo(compiled, read_po(source, locale=code))
            compiled.seek(0)
            messages = GNUTranslations(compiled)
            if code in catalogues:
                messages.add_fallback(catalogues[code])
            catalogues[code] = messages
    languages: Mapping[str, NullTranslations] = {SOURCE: NullTranslations(), **catalogues}
    return {code: Language(code, messages, Locale.parse(code)) for code, messages in languages.items()}


def _catalogues(package: str) -> list[Traversable]:
    folder = files(package) / "locales"
    return [each for each in folder.iterdir() if each.name.endswith(_CATALOGUE)] if folder.is_dir() else []


def preferred_language(accepted: str, offered: Iterable[str], fallback: str) -> str:
    """Return the offered language that an `accept-language` header prefers, or else `fallback`."""
    return _preferred(accepted[:_HEADER_LENGTH], tuple(offered), fallback)


@lru_cache(maxsize=1_000)
def _preferred(accepted: str, offered: tuple[str, ...], fallback: str) -> str:
    wanted: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, weight = part.partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        code = tag.strip().lower().partition("-")[0]
        if code in offered and quality > 0:
            wanted.append((-quality, code))
    return min(wanted, key=lambda each: each[0])[1] if wanted else fallback
