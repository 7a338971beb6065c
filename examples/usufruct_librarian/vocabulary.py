"""The librarian's own vocabulary: a byte-level BPE trained on its documents; it counts every call's text tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Self

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

_SIZE = 4096


class Vocabulary:
    """Text to tokens and back; lossless, for any text."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Wrap a byte-level `tokenizer` that adds no special tokens."""
        self._tokenizer = tokenizer

    @classmethod
    def trained_on(cls, texts: Iterable[str], cache: Path | None = None) -> Self:
        """Train on `texts`, or load the result of an earlier training on them from the folder `cache`.

        Training is deterministic: the same texts and the same version of `tokenizers` give the same vocabulary.
        """
        texts = list(texts)
        key = hashlib.sha256(repr((_SIZE, tokenizers.__version__, texts)).encode()).hexdigest()[:32]
        file = cache / f"vocabulary-{key}.json" if cache else None
        if file and file.exists():
            return cls(Tokenizer.from_file(str(file)))
        trained = cls(_train(texts))
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_suffix(f".{secrets.token_hex(8)}")
            unfinished.write_text(trained.to_json(), "utf-8")
            unfinished.replace(file)
        return trained

    def to_json(self) -> str:
        """Return the vocabulary as a `tokenizers` JSON file."""
        return str(self._tokenizer.to_str())

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of `text` as the vocabulary writes them (a space is `Ġ`)."""
        return list(self._tokenizer.encode(text).tokens)

    def count(self, text: str) -> int:
        """Return how many tokens `text` has."""
        return len(self._tokenizer.encode(text))

    def text(self, ids: list[int]) -> str:
        """Return the text of tokens; numbers the vocabulary does not have are left out."""
        return str(self._tokenizer.decode(ids))

    def pieces(self, text: str) -> list[str]:
        """Cut `text` at its token borders; tokens that share a character stay together."""
        starts = sorted({start for start, _ in self._tokenizer.encode(text).offsets})
        return [text[a:b] for a, b in pairwise([*starts, len(text)])]

    def start(self, text: str, most: int) -> str:
        """Return the longest beginning of `text`, cut at a token border, that counts at most `most` tokens."""
        pieces = self.pieces(text)
        kept = min(len(pieces), most)
        while self.count(beginning := "".join(pieces[:kept])) > most:
            kept -= 1
        return beginning


def _train(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=_SIZE, min_frequency=2, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
