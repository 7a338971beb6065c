"""Whether every number of a text is one of the figures that it was written from.

A number is a figure when it is written as the figure is, or is the same amount: $1,320 billion is $1.32 trillion. It
may be rounded, to two digits or more: 61.4 may be 61, but 2.9 is not 3. A sign that is written must be the figure's;
words such as "fell" are not judged, nor are numbers in words. Neither per cent nor money is a plain number: 61 of 100
is not 61 %, and number 4 is not $4.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

_NUMBER: Final = re.compile(r"([+\-\u2212]?)([$€£]?)([0-9]+(?:,[0-9]{3})*)(\.[0-9]+)?(%?)")
_JOINED: Final = re.compile(r"(.*[0-9%])(?:-([A-Za-z]+)|[/\u2013\u2014](.*))")
_MARKS: Final = ".,;:!?()[]{}<>\"'`*_~\u2248\u00ab\u00bb\u201c\u201d\u201e\u2018\u2019\u2026"
_SCALES: Final = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_PER_CENT: Final = ("%", "percent")
_LEAST_DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as it is written: `step` is one in its last place; sign and currency are empty where none is written."""

    sign: str
    currency: str
    value: Decimal
    step: Decimal
    per_cent: bool

    def is_figure(self, figure: "Amount") -> bool:
        """Tell whether this is a way to write a figure."""
        if self.per_cent != figure.per_cent or (self.sign and self.sign != (figure.sign or "+")):
            return False
        if self.currency and self.currency != figure.currency:
            return False
        if self.value == figure.value:
            return True
        long_enough = self.value >= self.step * 10 ** (_LEAST_DIGITS - 1)
        return long_enough and abs(self.value - figure.value) * 2 <= self.step


def unknown_numbers(text: str, figures: str) -> list[str]:
    """Return the words of `text` with digits that are none of the numbers of `figures`, in order."""
    words = {word.casefold() for word, _ in _numeric_words(figures)}
    amounts = [found for word, following in _numeric_words(figures) if (found := _amount(word, following))]
    unknown = []
    for word, following in _numeric_words(text):
        parts = _parts(word, following)
        known = word.casefold() in words and _amount(word, following) is None
        known = known or all(part and any(part.is_figure(each) for each in amounts) for part in parts)
        if not known:
            unknown.append(word)
    return unknown


def _numeric_words(text: str) -> Iterator[tuple[str, str]]:
    """Yield words with digits, without the marks around them, and the word that follows each."""
    for word, following in pairwise([*text.replace("per cent", "percent").split(), ""]):
        if any(each.isdigit() or unicodedata.category(each) == "No" for each in word):
            yield word.strip(_MARKS), following.strip(_MARKS).casefold()


def _parts(word: str, following: str) -> list[Amount | None]:
    """Return the amounts of a word: two of `61/100`, one of `90-day`; None for any other word."""
    joined = _JOINED.fullmatch(word)
    if joined is None:
        return [_amount(word, following)]
    if joined[2]:
        return [_amount(joined[1], joined[2].casefold())]
    return [_amount(joined[1], ""), _amount(joined[3], following)]


def _amount(word: str, following: str) -> Amount | None:
    found = _NUMBER.fullmatch(word)
    if found is None:
        return None
    sign, currency, whole, fraction, per_cent = (group or "" for group in found.groups())
    scale = Decimal(10) ** _SCALES.get(following, 0)
    return Amount(
        sign.replace("\u2212", "-"),
        currency,
        Decimal(whole.replace(",", "") + fraction) * scale,
        Decimal(10) ** -max(len(fraction) - 1, 0) * scale,
        bool(per_cent) or following in _PER_CENT,
    )
