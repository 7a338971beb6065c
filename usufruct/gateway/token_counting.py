"""How many text tokens a text is: by the listing's vocabulary, or its UTF-8 bytes where there is none.

A byte-level vocabulary never makes more tokens than bytes, so bytes are a safe ceiling. Joined text is counted, never
a sum over pieces of a stream: tokens merge across their borders.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

from usufruct.assets import InvalidListing
from usufruct.gateway.call_limits import CallLimits
from usufruct.gateway.errors import CountingBusy

LONG = 16_384
"""Characters from which counting leaves the event loop: some milliseconds of work."""


Counter = Callable[[str], int]
"""Returns how many text tokens a text is."""


def count_bytes(text: str) -> int:
    """Return the number of UTF-8 bytes, where every one is a text token."""
    return len(text.encode("utf-8", "surrogatepass"))


class Vocabulary:
    """A `tokenizers` vocabulary."""

    def __init__(self, content: bytes) -> None:
        """Read a `tokenizers` JSON file.

        Raises:
            InvalidListing: when it is none.
        """
        from tokenizers import Tokenizer  # megabytes that a gateway whose listings count by bytes does without

        self.digest = sha256(content).hexdigest()
        try:
            self._tokenizer = Tokenizer.from_str(content.decode())
        except Exception as error:  # the library raises bare Exception
            raise InvalidListing("vocabulary must be a tokenizers JSON file", field="vocabulary") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def __call__(self, text: str) -> int:
        """Return the number of tokens, without those a template adds.

        Only batches release the interpreter's lock, which a long text would hold for seconds; they may wait for each
        other, which a short text on the event loop must not.
        """
        text = text.encode("utf-8", "replace").decode()
        if len(text) <= LONG:
            return len(self._tokenizer.encode(text, add_special_tokens=False))
        (counted,) = self._tokenizer.encode_batch_fast([text], add_special_tokens=False)
        return len(counted)


class TokenCounterPool:
    """Counts texts: short ones at once, long ones on separate threads."""

    def __init__(self, limits: CallLimits) -> None:
        """Begin with nothing to count."""
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.counting_threads, "counting")
        self._waiting = 0

    async def count_input(self, counter: Counter, text: str) -> int:
        """Return an input's tokens.

        Raises:
            CountingBusy: when too much long input is being counted.
        """
        if len(text) > LONG and self._waiting and self._waiting + len(text) > self._limits.counting_characters:
            seconds = self._limits.counting_retry_seconds
            raise CountingBusy(
                f"{self._waiting} characters of long input are being counted; "
                f"ask again in {seconds} s, or for less than {LONG} characters",
                retry_after=seconds,
            )
        self._waiting += len(text)
        try:
            return await self.count(counter, text)
        finally:
            self._waiting -= len(text)

    async def count(self, counter: Counter, text: str) -> int:
        """Return a text's tokens; never refused, as what was delivered has to be counted."""
        if len(text) <= LONG:
            return counter(text)
        return await asyncio.get_running_loop().run_in_executor(self._threads, counter, text)

    def close(self) -> None:
        """Count nothing more that has not begun."""
        self._threads.shutdown(wait=False, cancel_futures=True)
