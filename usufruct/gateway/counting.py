"""How many text tokens a text is: by the asset's vocabulary, or its UTF-8 bytes where there is none.

A byte-level vocabulary never makes more tokens than bytes, so bytes are a safe ceiling. Joined text is counted, never
a sum over pieces of a stream: tokens merge across their borders.
"""

import asyncio
from hashlib import sha256
from typing import Protocol

from tokenizers import Tokenizer

from usufruct.gateway.errors import InvalidAsset
from usufruct.gateway.model import CountingRule
from usufruct.gateway.request import Asked

_LONG = 16_384
"""Characters from which counting leaves the event loop: some milliseconds of work."""


class Counter(Protocol):
    """Counts the text tokens of a text."""

    def count(self, text: str) -> int:
        """Return how many text tokens `text` is."""


class Bytes:
    """Every UTF-8 byte is one text token."""

    def count(self, text: str) -> int:
        """Return the number of bytes."""
        return len(text.encode("utf-8", "surrogatepass"))


class Vocabulary:
    """A `tokenizers` vocabulary."""

    def __init__(self, content: bytes) -> None:
        """Read a `tokenizers` JSON file.

        Raises:
            InvalidAsset: when it is none.
        """
        self.digest = sha256(content).hexdigest()
        try:
            self._tokenizer = Tokenizer.from_str(content.decode())
        except Exception as error:  # the library raises bare Exception
            raise InvalidAsset("vocabulary must be a tokenizers JSON file", field="vocabulary") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def count(self, text: str) -> int:
        """Return the number of tokens, without those a template adds."""
        return len(self._tokenizer.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids)


async def counted(counter: Counter, text: str) -> int:
    """Count `text`, long ones on another thread."""
    return await asyncio.to_thread(counter.count, text) if len(text) > _LONG else counter.count(text)


async def counted_input(counter: Counter, rule: CountingRule, asked: Asked) -> int:
    """Return the input's text tokens: what is said, and what the template adds to it."""
    said = await counted(counter, "\n".join(asked.texts))
    return said + sum(asked.tokens) + asked.messages * rule.per_message + rule.per_request
