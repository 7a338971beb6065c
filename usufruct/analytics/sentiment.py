"""Sentiment of headlines by VADER, a published lexicon with rules; hour by hour, each hour from its own texts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

Kind = Literal["news", "reddit", "twitter"]
KINDS: Final[tuple[Kind, ...]] = ("news", "reddit", "twitter")
HOUR: Final = 3_600
POSITIVE: Final = 60.0
NEGATIVE: Final = 40.0
_CLEAR: Final = 0.05
"""From this compound score on VADER's authors call a text positive, and negative below its opposite."""
_QUOTED: Final = 140

NEUTRAL: Final = ("block", "blocks", "share", "shares", "interest", "security", "securities", "value", "support")
"""Words of VADER's lexicon that are terms of this field, and say nothing good or bad here."""
MARKET_WORDS: Final = {"bullish": 2.0, "bearish": -2.0, "hack": -2.0, "rug": -2.0, "plunges": -2.0, "surges": 2.0}
"""Words of this field that the lexicon lacks, on its scale of -4 to 4."""


@dataclass(frozen=True, slots=True)
class Headline:
    """A text of a kind of source at a time, seconds since 1970."""

    at: int
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class KindSentiment:
    """The texts of one kind in one hour: their mean as a grade, 0 to 100, a label and a summary in words."""

    grade: float
    label: str
    summary: str


@dataclass(frozen=True, slots=True)
class HourSentiment:
    """One hour, which begins at `at`; `market` is the mean of the kinds and of the day's fear and greed."""

    at: int
    market: float
    market_label: str
    kinds: Mapping[Kind, KindSentiment]


def compound_scores(texts: Iterable[str]) -> list[float]:
    """Return VADER's compound score of each text, -1 to 1."""
    analyzer = _analyzer()
    return [float(analyzer.polarity_scores(text)["compound"]) for text in texts]


def label(grade: float) -> str:
    """Return a grade in a word."""
    return "Positive" if grade >= POSITIVE else "Negative" if grade <= NEGATIVE else "Neutral"


def hourly_sentiment(headlines: Sequence[Headline], fear_and_greed: Mapping[int, float]) -> list[HourSentiment]:
    """Return the sentiment of each hour that has a headline or starts a day with a value, the newest first.

    `fear_and_greed`: the market's value known at the start of a day, by that day's first second.
    """
    hours: dict[int, dict[Kind, list[str]]] = {start: {} for start in fear_and_greed}
    for each in headlines:
        hours.setdefault(each.at - each.at % HOUR, {}).setdefault(each.kind, []).append(each.text)
    return [_hour(at, texts, fear_and_greed.get(at - at % (24 * HOUR))) for at, texts in sorted(hours.items())[::-1]]


def _hour(at: int, texts: Mapping[Kind, Sequence[str]], market: float | None) -> HourSentiment:
    kinds = {kind: _kind(texts[kind]) for kind in KINDS if kind in texts}
    known = [each.grade for each in kinds.values()] + ([] if market is None else [market])
    mean = sum(known) / len(known)
    return HourSentiment(at, mean, label(mean), kinds)


def _kind(texts: Sequence[str]) -> KindSentiment:
    scores = compound_scores(texts)
    grade = 50.0 + 50.0 * sum(scores) / len(scores)
    good, bad = sum(score >= _CLEAR for score in scores), sum(score <= -_CLEAR for score in scores)
    strongest = texts[max(range(len(texts)), key=lambda at: abs(scores[at]))]
    noun = "text" if len(texts) == 1 else "texts"
    summary = f"{len(texts)} {noun}: {good} positive, {bad} negative. The strongest: {strongest[:_QUOTED]}"
    return KindSentiment(grade, label(grade), summary)


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    analyzer = SentimentIntensityAnalyzer()
    for word in NEUTRAL:
        analyzer.lexicon.pop(word, None)
    analyzer.lexicon.update(MARKET_WORDS)
    return analyzer
