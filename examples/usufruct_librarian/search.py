"""Answer a question by quoting: find the passages it is about, by BM25 over stems, and quote their best sentences."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct_librarian.passages import Passage

_SATURATION = 1.2
_LENGTH_WEIGHT = 0.5
_HEADING_COUNTS = 3
_ENOUGH_COVERAGE = 0.5
_NEARLY_AS_GOOD = 0.75
_MOST_PASSAGES = 3
_MOST_SENTENCES = 4
_MOST_TITLES = 10
_LATER_SENTENCE = 0.05

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_SUFFIXES = (("ies", "y"), ("sses", "ss"), ("ings", ""), ("ing", ""), ("edly", ""), ("ed", ""), ("es", ""), ("s", ""))
_SHORTEST_STEM = 3
_STOPWORDS = frozenset(
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
    """Return the stems of the words of `text` without stop words, in order; "not" is kept."""
    return [stem(w) for w in _WORD.findall(text.lower().replace("cannot", "can not")) if w not in _STOPWORDS]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage, its BM25 score, and the share of the question's weight it covers (0..1)."""

    passage: Passage
    score: float
    coverage: float


class Index:
    """An index over at least one passage."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        """Count the stems of every passage."""
        self._words = {p: Counter(subject_words(p.text) + subject_words(p.heading) * _HEADING_COUNTS) for p in passages}
        self._mean_length = sum(words.total() for words in self._words.values()) / len(passages)
        self._spread = Counter(word for words in self._words.values() for word in words)
        self.titles = list(dict.fromkeys(passage.title for passage in passages))

    def weight(self, word: str) -> float:
        """Return the inverse document frequency of a stem; largest for one that occurs nowhere."""
        among = self._spread[word]
        return math.log(1 + (len(self._words) - among + 0.5) / (among + 0.5))

    def search(self, question: str, most: int) -> list[Hit]:
        """Return the `most` passages that fit best, best first; those that share no word are left out."""
        asked = sorted(set(subject_words(question)))
        # Plus one: in a small library every known word is frequent, and an unknown one must not outweigh them all.
        shares = {word: 1 + self.weight(word) for word in asked}
        hits = [
            Hit(passage, score, sum(share for w, share in shares.items() if words[w]) / sum(shares.values()))
            for passage, words in self._words.items()
            if (score := self._score(asked, words)) > 0
        ]
        return sorted(hits, key=lambda hit: -hit.score)[:most]

    def _score(self, asked: list[str], words: Counter[str]) -> float:
        damping = _SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * words.total() / self._mean_length)
        return sum(self.weight(w) * words[w] * (_SATURATION + 1) / (words[w] + damping) for w in asked if words[w])


def answer(question: str, index: Index) -> str:
    """Quote what the documents contain about `question`, or reply that they contain nothing."""
    hits = index.search(question, _MOST_PASSAGES)
    if not hits or hits[0].coverage < _ENOUGH_COVERAGE:
        return _nothing_found(hits, index)
    quoted = [hits[0], *(hit for hit in hits[1:] if hit.score >= _NEARLY_AS_GOOD * hits[0].score)]
    quotes, places = [], []
    for number, hit in enumerate(quoted, 1):
        chosen = _best_sentences(hit.passage, question, index, _MOST_SENTENCES if number == 1 else 1)
        quotes.append(f"{' '.join(chosen)} [{number}]")
        places.append(f"[{number}] {_place(hit.passage)}")
    return "\n\n".join([*quotes, "Sources:\n" + "\n".join(places)])


def _best_sentences(passage: Passage, question: str, index: Index, most: int) -> list[str]:
    """Return the sentences that share most with the question, in the order they are written."""
    asked = set(subject_words(question))

    def fit(position: int) -> float:
        shared = asked & set(subject_words(passage.sentences[position]))
        return sum(index.weight(word) for word in shared) - _LATER_SENTENCE * position

    chosen = sorted(range(len(passage.sentences)), key=fit, reverse=True)[:most]
    return [passage.sentences[position] for position in sorted(chosen)]


def _nothing_found(hits: list[Hit], index: Index) -> str:
    reply = "My documents do not answer this. I am a retrieval service: I can only quote what is written in them."
    if hits:
        return f"{reply} The nearest I found is {_place(hits[0].passage)}."
    return f"{reply} They are about: {'; '.join(index.titles[:_MOST_TITLES])}"


def _place(passage: Passage) -> str:
    return f'{passage.file}, "{passage.heading}"'
