"""Questions to a model before it is put on sale: whether it answers as callers will ask, and how fast."""

from dataclasses import dataclass

from usufruct.connectors.openai import UpstreamClient, UpstreamFault, Usage
from usufruct.core import Clock
from usufruct.gateway.model import Endpoint

_HELLO = "hello"
_KNOWN = (
    "When a caller leaves before the end of an answer, the part that arrived is charged, and not the rest. How many "
    "text tokens that part has is known to the server alone; here it shows how long its text tokens are, by this "
    "paragraph of ordinary words, a few numbers (12, 305 and 9240), and some code: `for word in text.split(): n += 1`."
)
_LONGEST_TOKEN = 16
_COUNT = "Count from one to one hundred, in words, separated by commas."
_COUNTED_TOKENS = 128


@dataclass(frozen=True, slots=True)
class Speed:
    """So many text tokens took so long; `first_token`: until the first of them came. Times in milliseconds.

    Of chats, the tokens of an answer after the first; of embeddings, those of the input.
    """

    tokens: int
    duration: int
    first_token: int

    @property
    def tokens_per_second(self) -> float:
        """Tokens in a second, of one call alone."""
        return self.tokens * 1000 / self.duration


class Probe:
    """Asks one model of a server; every question raises an `UpstreamFault`."""

    def __init__(self, server: UpstreamClient, model: str, kind: Endpoint) -> None:
        self._server = server
        self._model = model
        self._kind = kind

    async def answer(self) -> int:
        """Ask for a whole answer; return how many text tokens the question had, 0 when the server does not say."""
        return await self._counted(_HELLO)

    async def stream(self) -> bool:
        """Ask for a streamed answer: a server may answer whole and fail to stream. Tells whether it reports usage."""
        async with self._server.chat_stream(self._question(_HELLO)) as stream:
            async for _ in stream:
                pass
        return isinstance(stream.report, Usage)

    async def bytes_per_token_ppm(self, short: int) -> int:
        """Return the bytes of a known text that became one text token, in millionths; 0: not known.

        `short`: what `answer` returned. Of two questions, one has the text more than the other.
        """
        try:
            tokens = await self._counted(f"{_HELLO} {_KNOWN}") - short if short else 0
        except UpstreamFault:  # it answers, and that is enough to be sold
            return 0
        length = len(_KNOWN) + 1
        return length * 1_000_000 // tokens if length // _LONGEST_TOKEN < tokens <= length else 0

    async def speed(self, clock: Clock) -> Speed | None:
        """Measure one call alone; None when the server does not report its usage."""
        started = clock.monotonic()
        if self._kind is Endpoint.EMBEDDINGS:
            tokens = await self._counted(_KNOWN)
            took = _milliseconds(clock.monotonic() - started)
            return Speed(tokens, took, took) if tokens else None
        first = None
        async with self._server.chat_stream(self._question(_COUNT, _COUNTED_TOKENS)) as stream:
            async for batch in stream:
                if batch.text and first is None:
                    first = clock.monotonic()
        ended = clock.monotonic()
        if not isinstance(stream.report, Usage) or first is None:
            return None
        tokens = stream.report.output_tokens
        if tokens < 2:  # nothing comes after the first: the whole call is what can be measured
            return Speed(max(tokens, 1), _milliseconds(ended - started), _milliseconds(first - started))
        return Speed(tokens - 1, _milliseconds(ended - first), _milliseconds(first - started))

    async def _counted(self, text: str) -> int:
        """Return how many text tokens a server makes of a question; 0 when it does not say."""
        if self._kind is Endpoint.EMBEDDINGS:
            answer = await self._server.embeddings({"model": self._model, "input": text})
        else:
            answer = await self._server.chat(self._question(text))
        return answer.usage.input_tokens if isinstance(answer.usage, Usage) else 0

    def _question(self, text: str, most: int = 1) -> dict[str, object]:
        return {"model": self._model, "messages": [{"role": "user", "content": text}], "max_tokens": most}


async def fetch_vocabulary(server: UpstreamClient, owner: str) -> bytes | None:
    """Return the tokenizer file of a model whose `owner` is one of ours, which serves it; else None."""
    return await server.tokenizer() if owner.startswith("usufruct") else None


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
