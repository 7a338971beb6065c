"""Words and sentences of plain English, as far as ranking needs them."""

import re

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9`\"'(*])")
_SUFFIXES = (("ies", "y"), ("sses", "ss"), ("ings", ""), ("ing", ""), ("edly", ""), ("ed", ""), ("es", ""), ("s", ""))
_SHORTEST_STEM = 3

STOPWORDS = frozenset(
    _WORD.findall(
        """
        a about all am an and any are as at be been being but by can could did do does doing for from had has have
        having he her here him his how i if in into is it its itself just many me more most much my no nor of off on
        once only or other our out over own please same she should so some such tell than that the their them then
        there these they this those through to too under until up us very was we were what when where which while who
        whom why will with would you your explain describe mean means get gets happen happens work works i'm it's
        what's don't doesn't
        """
    )
)
"""Words that say nothing about the subject of a question."""


def stem(word: str) -> str:
    """Cut the ending off an English word, so that "refunds", "refunded" and "refund" meet."""
    word = word.removesuffix("'s")
    for suffix, instead in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM and not word.endswith("ss"):
            word = word[: -len(suffix)] + instead
            break
    if len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word[:-1] if len(word) > _SHORTEST_STEM and word.endswith("e") else word


def subject_words(text: str) -> list[str]:
    """Return the stems of all words of `text` that say something about its subject, in order; "not" is one of them."""
    words = _WORD.findall(text.lower().replace("cannot", "can not"))
    return [stem(word) for word in words if word not in STOPWORDS]


def sentences(text: str) -> list[str]:
    """Cut a paragraph into sentences; whitespace becomes single spaces."""
    return [sentence for sentence in _SENTENCE_END.split(" ".join(text.split())) if sentence]
