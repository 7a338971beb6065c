"""What a caller asks for: every member of a request is checked; what a model reads is counted."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from usufruct.core import value
from usufruct.gateway.errors import InvalidRequest, UnsupportedContent
from usufruct.gateway.members import (
    CHOICES,
    EMBEDDING_SETTINGS,
    MESSAGE,
    PARTS,
    SETTINGS,
    SHAPES,
    STREAM_OPTIONS,
    TOOLS,
    Sieve,
)

_MOST_CHOICES = 16
_LARGEST_OUTPUT = 1 << 32
_MOST_SHOWN = 32
_CHAT_TEXTS = frozenset({"tools", *SHAPES})
"""Members of a chat request, besides the messages, that a model reads: they are counted as input."""

_CHAT_READ = _CHAT_TEXTS | {
    *("model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n"),
}
_EMBEDDINGS_READ = frozenset({"model", "input"})
_PLAIN_MESSAGE = frozenset({"role", "content"})

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})

_LEVELS_ABOVE = 8
"""More than there are in a request above anything that is counted as JSON."""

_MOST_PARTS = 2_048
"""As many inputs as OpenAI takes at once; as many messages, and parts of one."""


@value
class Asked:
    """One request, read.

    `texts`: everything the model reads, in pieces; `messages`: how many messages or inputs they are. `tokens`: input
    that comes as token numbers. `wanted_output`: text tokens asked for, over all choices; None when left open, 0 when
    there is no output. `dropped`: members that were left out because nothing is lost by it.
    """

    model: str
    body: Mapping[str, Any]
    texts: tuple[str, ...]
    messages: int
    choices: int = 1
    tokens: tuple[int, ...] = ()
    wanted_output: int | None = None
    stream: bool = False
    include_usage: bool = False
    dropped: tuple[str, ...] = ()

    def upstream_body(self, model: str, output_tokens: int) -> dict[str, Any]:
        """Return the body to send upstream: its name for the model, and no more output than `output_tokens` in all.

        Only members known here are in it: servers take members that undo the limit or cost what nobody counts.
        """
        body = {**self.body, "model": model}
        if self.wanted_output != 0:
            name = "max_completion_tokens" if "max_completion_tokens" in body else "max_tokens"
            body.pop("max_tokens", None)
            body[name] = output_tokens // self.choices
        return body


def read_model(body: Mapping[str, Any]) -> str:
    """Return the name of the service that is asked.

    Raises:
        InvalidRequest: when there is none.
    """
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise InvalidRequest("model must be the name of a service; GET /v1/models lists them", field="model")
    return model


def dropped_header(dropped: Sequence[str]) -> bytes:
    """Write which members were dropped, as a header's value."""
    shown = list(dropped[:_MOST_SHOWN])
    return ",".join([*shown, "..."] if len(dropped) > _MOST_SHOWN else shown).encode()


def read_chat(body: Mapping[str, Any], forward: frozenset[str] = frozenset()) -> Asked:
    """Read a chat request; `forward` names members the seller has forwarded that would be dropped otherwise.

    Raises:
        InvalidRequest: names the member that is wrong.
        UnsupportedContent: for images, audio and files.
    """
    sieve = Sieve(forward)
    body = sieve.read_body(body, SETTINGS, _CHAT_READ)
    model = read_model(body)
    _read_tools(body, sieve)
    _read_formats(body, sieve)
    texts: list[str] = []
    body["messages"] = messages = _read_messages(body.get("messages"), sieve, texts)
    texts += [_json(body[name], name) for name in sorted((forward | _CHAT_TEXTS) & body.keys())]
    choices = _integer(body, "n", 1, _MOST_CHOICES) or 1
    limits = [_integer(body, name, 1, _LARGEST_OUTPUT) for name in ("max_tokens", "max_completion_tokens")]
    given = [limit for limit in limits if limit is not None]
    return Asked(
        model=model,
        body=body,
        texts=tuple(texts),
        messages=len(messages),
        choices=choices,
        wanted_output=min(given) * choices if given else None,
        stream=_boolean(body, "stream"),
        include_usage=_include_usage(body, sieve),
        dropped=tuple(sieve.dropped),
    )


def read_embeddings(body: Mapping[str, Any], forward: frozenset[str] = frozenset()) -> Asked:
    """Read a request for embeddings: text, token numbers, or a list of either; `forward` as in `read_chat`.

    Raises:
        InvalidRequest: names the member that is wrong.
    """
    sieve = Sieve(forward)
    body = sieve.read_body(body, EMBEDDING_SETTINGS, _EMBEDDINGS_READ)
    given = body.get("input")
    inputs = [given] if isinstance(given, str) or _token_numbers(given) else given
    if not isinstance(inputs, list) or not inputs:
        raise InvalidRequest("input must be text, token numbers, or a list of either, not empty", field="input")
    _check_number(inputs, "input")
    if not all(isinstance(one, str) or _token_numbers(one) for one in inputs):
        raise InvalidRequest("input holds something that is neither text nor token numbers", field="input")
    texts = [one for one in inputs if isinstance(one, str)]
    texts += [_json(body[name], name) for name in sorted(forward & body.keys())]
    return Asked(
        model=read_model(body),
        body=body,
        texts=tuple(texts),
        messages=len(inputs),
        tokens=tuple(len(one) for one in inputs if not isinstance(one, str)),
        wanted_output=0,
        dropped=tuple(sieve.dropped),
    )


def _check_number(given: list[object], field: str) -> None:
    """Refuse more parts than are looked at one by one before anybody has paid."""
    if len(given) > _MOST_PARTS:
        raise InvalidRequest(f"{field} may have {_MOST_PARTS} parts, not {len(given)}; send less", field=field)


def _read_messages(messages: object, sieve: Sieve, texts: list[str]) -> list[object]:
    """Return the messages to go upstream; what a model reads of them is added to `texts`."""
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("messages must be a list with at least one message", field="messages")
    _check_number(messages, "messages")
    return [_read_message(message, index, sieve, texts) for index, message in enumerate(messages)]


def _read_message(message: object, index: int, sieve: Sieve, texts: list[str]) -> object:
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(role, str) or role not in _ROLES:
        field = f"messages.{index}"
        raise InvalidRequest(f"{field} must be an object with a role: {', '.join(sorted(_ROLES))}", field=field)
    content = message.get("content")
    plain = message.keys() <= _PLAIN_MESSAGE
    if plain and isinstance(content, str):  # what most messages are
        texts.append(content)
        return message
    kept = message if plain else sieve.read_object(message, MESSAGE, f"messages.{index}")
    read = _read_content(content, f"messages.{index}.content", sieve, texts)
    if "content" in message:  # null is a content too: of an answer that is tool calls
        kept = {**kept, "content": read}
    more = {name: value for name, value in kept.items() if name not in _PLAIN_MESSAGE}
    if more:
        texts.append(_json(more, f"messages.{index}"))
    return kept


def _read_content(content: object, field: str, sieve: Sieve, texts: list[str]) -> object:
    if content is None:
        return None
    if isinstance(content, str):
        texts.append(content)
        return content
    if not isinstance(content, list):
        raise InvalidRequest(f"{field} must be text or a list of parts", field=field)
    _check_number(content, field)
    return [_read_part(part, field, sieve, texts) for part in content]


def _read_part(part: object, field: str, sieve: Sieve, texts: list[str]) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    shape = PARTS.get(kind) if isinstance(kind, str) else None
    text = part.get(kind) if isinstance(part, dict) and shape else None
    if shape is None or not isinstance(text, str):
        raise UnsupportedContent(f"{field} has a part of type {kind!r}; only text is counted here", field=field)
    texts.append(text)
    return sieve.read_object(part, shape, field)


def _read_tools(body: dict[str, Any], sieve: Sieve) -> None:
    if "tools" not in body:
        return
    tools = body["tools"]
    if not isinstance(tools, list) or not all(isinstance(t, dict) and t.get("type") == "function" for t in tools):
        raise UnsupportedContent("tools must be a list of functions; other tools are not counted here", field="tools")
    if tools:
        body["tools"] = sieve.read_list(tools, TOOLS, "tools")
    else:
        body.pop("tools", None)


def _read_formats(body: dict[str, Any], sieve: Sieve) -> None:
    if SHAPES.keys().isdisjoint(body):
        return
    for name, shape in SHAPES.items():
        value = body.get(name)
        word = name == "tool_choice" and isinstance(value, str) and value in CHOICES
        if value is not None and not word:
            body[name] = sieve.read_object(value, shape, name)


def _include_usage(body: dict[str, Any], sieve: Sieve) -> bool:
    if not _mapping(body, "stream_options"):
        return False
    body["stream_options"] = options = sieve.read_object(body["stream_options"], STREAM_OPTIONS, "stream_options")
    return _boolean(options, "include_usage")


def _json(value: object, field: str) -> str:
    """Return as JSON what a model reads of a member.

    Raises:
        InvalidRequest: when it is nested too deeply to be written, within what goes upstream too.
    """
    for _ in range(_LEVELS_ABOVE):
        value = [value]
    try:
        return orjson.dumps(value)[_LEVELS_ABOVE:-_LEVELS_ABOVE].decode()
    except orjson.JSONEncodeError as error:
        raise InvalidRequest(f"{field} is nested too deeply to be sent on; nest it less", field=field) from error


def _integer(body: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = body.get(name)
    if value is None or (type(value) is int and least <= value <= most):
        return value
    raise InvalidRequest(f"{name} must be a whole number from {least} to {most}", field=name)


def _boolean(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise InvalidRequest(f"{name} must be true or false", field=name)


def _mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if value is None or isinstance(value, dict):
        return value or {}
    raise InvalidRequest(f"{name} must be an object", field=name)


def _token_numbers(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(type(number) is int for number in value)
