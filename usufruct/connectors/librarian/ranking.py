"""Which passages a question is about: BM25 over stems, headings counted three times."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.connectors.librarian.passages import Passage
from usufruct.connectors.librarian.words import subject_words

_SATURATION = 1.2
_LENGTH_WEIGHT = 0.5
_HEADING_COUNTS = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A passage, how well it fits (BM25), and which share of the question's weight it covers (0..1)."""

    passage: Passage
    score: float
    coverage: float


class Ranking:
    """An index over passages."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        """Index `passages`; at least one."""
        self._passages = passages
        self.titles = list(dict.fromkeys(passage.title for passage in passages))
        self._words = [_weighted_words(passage) for passage in passages]
        self._lengths = [words.total() for words in self._words]
        self._mean_length = sum(self._lengths) / len(passages)
        self._spread = Counter(word for words in self._words for word in words)

    def weight(self, word: str) -> float:
        """Return how much a stem says: the rarer among the passages, the more; most for one that occurs nowhere."""
        among = self._spread[word]
        return math.log(1 + (len(self._passages) - among + 0.5) / (among + 0.5))

    def search(self, question: str, most: int) -> list[Found]:
        """Return the `most` passages that fit `question` best, best first; those that share no word are left out."""
        asked = sorted(set(subject_words(question)))
        # Plus one: in a small library every known word is frequent, and an unknown one must not outweigh them all.
        shares = {word: 1 + self.weight(word) for word in asked}
        total = sum(shares.values())
        found = [
            Found(passage, score, sum(share for w, share in shares.items() if words[w]) / total)
            for passage, words, length in zip(self._passages, self._words, self._lengths, strict=True)
            if (score := self._score(asked, words, length)) > 0
        ]
        return sorted(found, key=lambda f: -f.score)[:most]

    def _score(self, asked: list[str], words: Counter[str], length: int) -> float:
        damping = _SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * length / self._mean_length)
        return sum(self.weight(w) * words[w] * (_SATURATION + 1) / (words[w] + damping) for w in asked if words[w])


def _weighted_words(passage: Passage) -> Counter[str]:
    return Counter(subject_words(passage.text) + subject_words(passage.heading) * _HEADING_COUNTS)
