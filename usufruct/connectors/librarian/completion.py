"""From a request to an answer with its exact counts, and from there to the OpenAI format."""

import base64
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from usufruct.connectors.librarian.answering import answer
from usufruct.connectors.librarian.library import Library
from usufruct.connectors.librarian.requests import (
    CHAT_MODEL,
    CONTEXT_WINDOW,
    EMBEDDING_MODEL,
    ChatRequest,
    EmbeddingRequest,
    InputTooLong,
)


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer in pieces of one token each, why it ended, and its counts."""

    pieces: tuple[str, ...]
    finish_reason: str
    input_tokens: int
    output_tokens: int

    @property
    def usage(self) -> dict[str, int]:
        """Return the counts as OpenAI writes them."""
        total = self.input_tokens + self.output_tokens
        return {"prompt_tokens": self.input_tokens, "completion_tokens": self.output_tokens, "total_tokens": total}


def complete(request: ChatRequest, library: Library) -> Completion:
    """Answer a chat request.

    Input tokens are those of all message contents, each counted alone; roles cost nothing. Output tokens are those of
    the text returned.

    Raises:
        InputTooLong: when the input leaves no room for an answer.
    """
    vocabulary = library.vocabulary
    read = _fitting(sum(vocabulary.count(text) for text in request.messages))
    text = answer(request.question, library.ranking).text
    text = text[: min([len(text), *(at for stop in request.stop if (at := text.find(stop)) >= 0)])]
    allowed = min(request.most_tokens, CONTEXT_WINDOW - read)
    reason = "stop"
    if vocabulary.count(text) > allowed:
        text, reason = vocabulary.start(text, allowed), "length"
    return Completion(tuple(vocabulary.pieces(text)), reason, read, vocabulary.count(text))


def _fitting(count: int) -> int:
    if count >= CONTEXT_WINDOW:
        raise InputTooLong(
            f"the input has {count} tokens; the context window is {CONTEXT_WINDOW}: send less", tokens=count
        )
    return count


def whole_answer(completion: Completion, created: int) -> dict[str, Any]:
    """Return a completion as one `chat.completion` object."""
    message = {"role": "assistant", "content": "".join(completion.pieces), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": completion.finish_reason}
    head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "object": "chat.completion", "created": created}
    return head | {"model": CHAT_MODEL, "choices": [choice], "usage": completion.usage}


def streamed_answer(completion: Completion, created: int, *, include_usage: bool) -> Iterator[dict[str, Any]]:
    """Yield `chat.completion.chunk` objects: the role, one per token, the reason it ended, the usage."""
    head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "object": "chat.completion.chunk", "created": created}
    head |= {"model": CHAT_MODEL} | ({"usage": None} if include_usage else {})

    def chunk(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        return head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]}

    yield chunk({"role": "assistant", "content": ""})
    for piece in completion.pieces:
        yield chunk({"content": piece})
    yield chunk({}, completion.finish_reason)
    if include_usage:
        yield head | {"choices": [], "usage": completion.usage}


def embed(request: EmbeddingRequest, library: Library) -> dict[str, Any]:
    """Return the vectors of an embeddings request as OpenAI writes them.

    Raises:
        InputTooLong: when one text is longer than the context window.
    """
    texts = [item if isinstance(item, str) else library.vocabulary.text(item) for item in request.inputs]
    counts = [len(i) if isinstance(i, list) else library.vocabulary.count(i) for i in request.inputs]
    read = sum(_fitting(count) for count in counts)
    vectors = [library.embedder.embed(text, request.dimensions) for text in texts]
    data = [
        {"object": "embedding", "index": index, "embedding": _base64(vector) if request.base64 else vector}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": read, "total_tokens": read}
    return {"object": "list", "data": data, "model": EMBEDDING_MODEL, "usage": usage}


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
