"""What a caller asks for: the members of a request that money depends on, checked; the rest passes as it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from usufruct.gateway.errors import InvalidRequest, UnsupportedContent

_MOST_CHOICES = 16
_LARGEST_OUTPUT = 1 << 32
_CHAT_SETTINGS = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n"),
        *("temperature", "top_p", "top_k", "min_p", "stop", "seed", "logit_bias", "logprobs", "top_logprobs"),
        *("frequency_penalty", "presence_penalty", "repetition_penalty", "reasoning_effort", "verbosity"),
        *("user", "metadata", "prompt_cache_key", "safety_identifier", "parallel_tool_calls"),
    }
)
"""Members of a chat request that steer a model without being read by it."""

_CHAT_TEXTS = frozenset({"tools", "tool_choice", "response_format"})
"""Members of a chat request, besides the messages, that a model reads: they are counted as input."""

_EMBEDDING_SETTINGS = frozenset({"model", "input", "encoding_format", "dimensions", "user"})

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})

_MOST_PARTS = 2_048
"""As many inputs as OpenAI takes at once; as many messages, and parts of one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, read.

    `texts`: everything the model reads, in pieces; `messages`: how many messages or inputs they are. `tokens`: input
    that comes as token numbers. `wanted_output`: text tokens asked for, over all choices; None when left open, 0 when
    there is no output. `longest_input`: the index-wise largest piece, for inputs that are read one by one.
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


def read_chat(body: Mapping[str, Any]) -> Asked:
    """Read a chat request.

    Raises:
        InvalidRequest: names the member that is wrong.
        UnsupportedContent: for images, audio and files.
    """
    body = _known(body, _CHAT_SETTINGS | _CHAT_TEXTS)
    model = _model(body)
    _check_tools(body.get("tools"))
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("messages must be a list with at least one message", field="messages")
    _check_number(messages, "messages")
    texts = [text for index, message in enumerate(messages) for text in _message_texts(message, index)]
    texts += [orjson.dumps(body[name]).decode() for name in sorted(_CHAT_TEXTS & body.keys())]
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
        include_usage=_boolean(_mapping(body, "stream_options"), "include_usage"),
    )


def read_embeddings(body: Mapping[str, Any]) -> Asked:
    """Read a request for embeddings: text, token numbers, or a list of either.

    Raises:
        InvalidRequest: names the member that is wrong.
    """
    body = _known(body, _EMBEDDING_SETTINGS)
    given = body.get("input")
    inputs = [given] if isinstance(given, str) or _token_numbers(given) else given
    if not isinstance(inputs, list) or not inputs:
        raise InvalidRequest("input must be text, token numbers, or a list of either, not empty", field="input")
    _check_number(inputs, "input")
    if not all(isinstance(one, str) or _token_numbers(one) for one in inputs):
        raise InvalidRequest("input holds something that is neither text nor token numbers", field="input")
    return Asked(
        model=_model(body),
        body=body,
        texts=tuple(one for one in inputs if isinstance(one, str)),
        messages=len(inputs),
        tokens=tuple(len(one) for one in inputs if not isinstance(one, str)),
        wanted_output=0,
    )


def _check_number(given: list[object], field: str) -> None:
    """Refuse more parts than are looked at one by one before anybody has paid."""
    if len(given) > _MOST_PARTS:
        raise InvalidRequest(f"{field} may have {_MOST_PARTS} parts, not {len(given)}; send less", field=field)


def _message_texts(message: object, index: int) -> Iterable[str]:
    field = f"messages.{index}"
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise InvalidRequest(f"{field} must be an object with a role: {', '.join(sorted(_ROLES))}", field=field)
    yield from _content_texts(message.get("content"), f"{field}.content")
    more = {name: value for name, value in message.items() if name not in {"role", "content"}}
    if more:
        yield orjson.dumps(more).decode()


def _content_texts(content: object, field: str) -> Iterable[str]:
    if content is None:
        return
    if isinstance(content, str):
        yield content
        return
    if not isinstance(content, list):
        raise InvalidRequest(f"{field} must be text or a list of parts", field=field)
    _check_number(content, field)
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        text = part.get(kind) if isinstance(part, dict) and kind in {"text", "refusal"} else None
        if not isinstance(text, str):
            raise UnsupportedContent(f"{field} has a part of type {kind!r}; only text is counted here", field=field)
        yield text


def _known(body: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Return the members that are given; refuse any that is not known here."""
    given = {name: value for name, value in body.items() if value is not None}
    for name in given.keys() - names:
        raise InvalidRequest(f"{name[:80]} is not taken here: it could not be counted; leave it out", field=name[:80])
    return given


def _check_tools(tools: object) -> None:
    for tool in tools if isinstance(tools, list) else [tools] if tools is not None else []:
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise UnsupportedContent(
                "tools must be a list of functions; other tools are not counted here", field="tools"
            )


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise InvalidRequest("model must be the name of a service; GET /v1/models lists them", field="model")
    return model


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
