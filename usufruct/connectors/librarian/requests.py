"""What callers may ask in the OpenAI format, checked member by member."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from usufruct.connectors.librarian.embedding import DEFAULT_DIMENSIONS, MOST_DIMENSIONS
from usufruct.core import Invalid, NotFound

CHAT_MODEL = "librarian"
EMBEDDING_MODEL = "librarian-embedding"
CONTEXT_WINDOW = 8192
_MOST_INPUTS = 2048
_MOST_STOPS = 4


class InvalidRequest(Invalid):
    """A member of the request is wrong; `details["param"]` names it."""

    code = "invalid_request"


class UnknownModel(NotFound):
    """The model asked for is not offered."""

    code = "model_not_found"


class InputTooLong(Invalid):
    """The input does not fit into the context window."""

    code = "context_length_exceeded"


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A question in its conversation, and how its answer is wanted."""

    messages: tuple[str, ...]
    question: str
    most_tokens: int
    stop: tuple[str, ...]
    stream: bool
    include_usage: bool


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Texts, or texts already cut into tokens, and the form their vectors are wanted in."""

    inputs: tuple[str | list[int], ...]
    dimensions: int
    base64: bool


def read_body(raw: bytes) -> Mapping[str, Any]:
    """Parse a request body, which must be a JSON object.

    Raises:
        InvalidRequest: when it is none.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not JSON ({error}); send a JSON object") from error
    if not isinstance(body, dict):
        raise InvalidRequest("the body must be a JSON object")
    return body


def read_chat(body: Mapping[str, Any]) -> ChatRequest:
    """Read a chat request; sampling options are accepted and change nothing, for there is nothing to sample.

    Raises:
        InvalidRequest: when a member has the wrong shape; UnknownModel: when the model is not the librarian.
    """
    _check_model(body, CHAT_MODEL)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _wrong("messages", "must be a list with at least one message")
    texts = [(_role(message), _content(message)) for message in messages]
    asked = [text for role, text in texts if role == "user"]
    if not asked:
        raise _wrong("messages", "must contain a message whose role is user")
    if body.get("n") not in (None, 1):
        raise _wrong("n", "must be 1: every answer would be the same")
    limit = body.get("max_completion_tokens")
    limit = body.get("max_tokens") if limit is None else limit
    options = body.get("stream_options") or {}
    if not isinstance(options, dict):
        raise _wrong("stream_options", "must be an object")
    return ChatRequest(
        messages=tuple(text for _, text in texts),
        question=asked[-1],
        most_tokens=CONTEXT_WINDOW if limit is None else _number(limit, "max_tokens", 1, 1 << 31),
        stop=_stops(body.get("stop")),
        stream=body.get("stream") is True,
        include_usage=options.get("include_usage") is True,
    )


def read_embedding(body: Mapping[str, Any]) -> EmbeddingRequest:
    """Read an embeddings request.

    Raises:
        InvalidRequest: when a member has the wrong shape; UnknownModel: when the model is another.
    """
    _check_model(body, EMBEDDING_MODEL)
    given = body.get("input")
    single = isinstance(given, str) or (isinstance(given, list) and bool(given) and _is_tokens(given))
    inputs = [given] if single else given
    if not isinstance(inputs, list) or not 0 < len(inputs) <= _MOST_INPUTS:
        raise _wrong("input", f"must be a text, a list of tokens, or a list of 1 to {_MOST_INPUTS} of these")
    if not all(item and (isinstance(item, str) or _is_tokens(item)) for item in inputs):
        raise _wrong("input", "must hold texts or lists of tokens only, none of them empty")
    encoding = body.get("encoding_format")
    if encoding not in (None, "float", "base64"):
        raise _wrong("encoding_format", "must be float or base64")
    wanted = body.get("dimensions")
    dimensions = DEFAULT_DIMENSIONS if wanted is None else _number(wanted, "dimensions", 1, MOST_DIMENSIONS)
    return EmbeddingRequest(tuple(inputs), dimensions, encoding == "base64")


def _wrong(param: str, demand: str) -> InvalidRequest:
    return InvalidRequest(f"{param} {demand}", param=param)


def _check_model(body: Mapping[str, Any], offered: str) -> None:
    model = body.get("model")
    if not isinstance(model, str):
        raise _wrong("model", f"must be a text; here it is {offered}")
    if model != offered:
        raise UnknownModel(f"there is no model {model[:100]!r} at this address; use {offered}", param="model")


def _number(value: object, param: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _wrong(param, f"must be a whole number from {least} to {most}")
    return value


def _role(message: object) -> str:
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(role, str):
        raise _wrong("messages", "must be objects with a role")
    return role


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if content is None and message["role"] == "assistant":
        return ""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [None]
    texts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in parts]
    if not all(isinstance(text, str) for text in texts):
        raise _wrong("messages", "must have a text, or a list of text parts, as content; this service reads text only")
    return "".join(text for text in texts if text)


def _stops(stop: object) -> tuple[str, ...]:
    stops = [stop] if isinstance(stop, str) else [] if stop is None else stop
    if not isinstance(stops, list) or len(stops) > _MOST_STOPS or not all(isinstance(s, str) and s for s in stops):
        raise _wrong("stop", f"must be a text or a list of at most {_MOST_STOPS} texts, none of them empty")
    return tuple(stops)


def _is_tokens(item: object) -> bool:
    return isinstance(item, list) and all(type(number) is int and 0 <= number < 1 << 31 for number in item)
