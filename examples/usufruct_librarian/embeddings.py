"""Embeddings without a neural network: TF-IDF over BPE tokens, reduced by a fixed sparse random projection.

Each token has a vector with 16 entries of +1 or -1 at places drawn from a hash of the token. A text is the sum
of its tokens' vectors, each times (1 + ln(count)) x idf, scaled to length 1. Such a projection keeps the angles between
TF-IDF vectors up to a small error that shrinks with the number of dimensions (Johnson and Lindenstrauss; Achlioptas).
Texts are near each other when they share tokens; meaning beyond that is not seen.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from usufruct_librarian.vocabulary import Vocabulary

DEFAULT_DIMENSIONS = 384
MOST_DIMENSIONS = 2048
_ENTRIES = 16


class Embedder:
    """Turns texts into vectors; knows from its documents how much each token says."""

    def __init__(self, vocabulary: Vocabulary, documents: Sequence[str]) -> None:
        """Learn token weights from `documents`."""
        self._vocabulary = vocabulary
        self._documents = len(documents)
        self._spread = Counter(token for text in documents for token in set(self._tokens(text)))

    def embed(self, text: str, dimensions: int = DEFAULT_DIMENSIONS) -> list[float]:
        """Return the vector of `text`, of length 1; all zeros for a text without tokens."""
        vector = [0.0] * dimensions
        for token, times in sorted(Counter(self._tokens(text)).items()):
            weight = (1 + math.log(times)) * self._idf(token)
            for place, sign in _projection(token, dimensions):
                vector[place] += sign * weight
        length = math.sqrt(math.fsum(x * x for x in vector))
        return [x / length for x in vector] if length else vector

    def _tokens(self, text: str) -> list[str]:
        return self._vocabulary.tokens(" " + " ".join(text.lower().split())) if text.strip() else []

    def _idf(self, token: str) -> float:
        among = self._spread[token]
        return math.log(1 + (self._documents - among + 0.5) / (among + 0.5))


@lru_cache(maxsize=1 << 14)
def _projection(token: str, dimensions: int) -> tuple[tuple[int, int], ...]:
    """Return the places and signs of a token's entries, drawn from its hash: the same on every machine."""
    digest = hashlib.blake2b(token.encode(), digest_size=4 * _ENTRIES).digest()
    draws = [int.from_bytes(digest[i : i + 4], "big") for i in range(0, len(digest), 4)]
    return tuple(((draw >> 1) % dimensions, 1 if draw & 1 else -1) for draw in draws)
