"""Which members of a request go upstream, and what each may hold: nothing is forwarded that was not counted.

A setting steers a model without being read by it, so it is not counted, and has no room for text. What a model reads is
counted as JSON. Members that stock clients send by habit, and that change neither cost nor meaning, are dropped; the
rest is refused by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from usufruct.gateway.errors import InvalidRequest

Check = Callable[[object], bool]

_MOST_STOPS = 16
_MOST_BIASES = 1_024
_LONGEST_NUMERAL = 20
_MOST_ALTERNATIVES = 20
_LONGEST_NAME = 64
_LONGEST_SHOWN = 80


def _of(*kinds: type) -> Check:
    """Return a check of a JSON value's type; true and false are no numbers."""
    return lambda value: type(value) in kinds


def _text_up_to(longest: int) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= longest


def _anything(_: object) -> bool:
    return True


_boolean, _object, _list, _text = _of(bool), _of(dict), _of(list), _of(str)
_whole, _number = _of(int), _of(int, float)
_word, _id = _text_up_to(32), _text_up_to(1_024)


def _alternatives(value: object) -> bool:
    """Tell whether this is a number of alternatives to a token: many make an answer too long to be taken, or paid."""
    return type(value) is int and 0 <= value <= _MOST_ALTERNATIVES


def _stops(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= _MOST_STOPS and all(map(_id, value))
    return _id(value)


def _biases(value: object) -> bool:
    if not isinstance(value, dict) or len(value) > _MOST_BIASES:
        return False
    return all(len(token) <= _LONGEST_NUMERAL and _number(bias) for token, bias in value.items())


def _one_of(*values: object) -> Check:
    return lambda value: value in values


@dataclass(frozen=True, slots=True)
class Shape:
    """The members of an object: `known` ones go upstream if they hold what they should, `dropped` ones do not.

    A list of one shape stands for a list of objects of that shape.
    """

    known: Mapping[str, "Check | Shape | list[Shape]"]
    dropped: Mapping[str, Check] = field(default_factory=dict)


_CACHE: Mapping[str, Check] = {"cache_control": _object}

SETTINGS: Mapping[str, Check] = {
    **dict.fromkeys(("temperature", "top_p", "min_p", "frequency_penalty", "presence_penalty"), _number),
    **dict.fromkeys(("repetition_penalty",), _number),
    **dict.fromkeys(("top_k", "seed"), _whole),
    **dict.fromkeys(("reasoning_effort", "verbosity"), _word),
    **dict.fromkeys(("user", "prompt_cache_key", "safety_identifier"), _id),
    "parallel_tool_calls": _boolean,
    "logprobs": lambda value: _boolean(value) or _alternatives(value),
    "top_logprobs": _alternatives,
    "stop": _stops,
    "logit_bias": _biases,
}
"""Members of a chat request that steer a model without being read by it."""

HARMLESS: Mapping[str, Check] = {
    **dict.fromkeys(("metadata", "cache_control", "chat_template_kwargs", "chat_template_args"), _object),
    **dict.fromkeys(("usage", "reasoning", "thinking", "extra_headers", "prompt_cache_options"), _object),
    **dict.fromkeys(("store", "include_reasoning", "enable_thinking", "vl_high_resolution_images"), _boolean),
    **dict.fromkeys(("tool_stream", "reasoning_split", "add_generation_prompt"), _boolean),
    **dict.fromkeys(("promptCacheKey", "session_id", "sessionId", "chat_id", "conversation_id", "trace_id"), _id),
    **dict.fromkeys(("prompt_cache_retention", "reasoning_format", "reasoning_summary"), _word),
    "thinking_budget": _whole,
    "include": _list,
    "service_tier": _one_of("auto", "default", "standard"),
    "function_call": _one_of("auto", "none"),
    "modalities": lambda value: value == ["text"],
    "n_keep": _one_of(0, -1),
    "echo": _one_of(False),
    "functions": lambda value: value == [],
}
"""Members that clients send by habit: dropped with these values, unless the seller has them forwarded.

service_tier, function_call, modalities and functions have other values that change cost or meaning: those are refused.
"""

FORWARDABLE = frozenset(HARMLESS)
"""What a seller may have forwarded: it is counted as JSON then."""

_FUNCTION = Shape({"name": _text, "arguments": _anything}, _CACHE)
_TOOL_CALL = Shape(
    {"id": _text, "type": _one_of("function"), "function": _FUNCTION, "extra_content": _object},
    {**_CACHE, "index": _whole, "provider_specific_fields": _object},
)
MESSAGE = Shape(
    {
        **dict.fromkeys(("role", "content"), _anything),
        **dict.fromkeys(("name", "tool_call_id", "refusal", "reasoning_content", "reasoning"), _text),
        "tool_calls": [_TOOL_CALL],
        "function_call": _FUNCTION,
    },
    {
        **_CACHE,
        **dict.fromkeys(("annotations", "reasoning_details", "thinking_blocks", "citations"), _list),
        **dict.fromkeys(("provider_specific_fields", "metadata"), _object),
        "id": _id,
        "parsed": _anything,
    },
)
PARTS: Mapping[str, Shape] = {
    kind: Shape({"type": _text, kind: _text}, {**_CACHE, "annotations": _list, "id": _id})
    for kind in ("text", "refusal")
}
"""Parts of a message's content by their type, which is also the name of the member that holds their text."""

TOOL = Shape(
    {
        "type": _text,
        "function": Shape({"name": _text, "description": _text, "parameters": _object, "strict": _boolean}, _CACHE),
    },
    _CACHE,
)
_NAMED = Shape({"type": _one_of("function"), "function": Shape({"name": _text})})
_FORMAT = Shape(
    {
        "type": _one_of("text", "json_object", "json_schema"),
        "json_schema": Shape({"name": _text, "description": _text, "schema": _object, "strict": _boolean}),
        "schema": _object,
    }
)
SHAPES: Mapping[str, Shape] = {"tool_choice": _NAMED, "response_format": _FORMAT}
"""Members of a chat request, besides messages and tools, that a model reads."""

STREAM_OPTIONS = Shape(
    {"include_usage": _anything},
    {**_CACHE, **dict.fromkeys(("include_obfuscation", "continuous_usage_stats"), _boolean)},
)
CHOICES = frozenset({"none", "auto", "required", "any"})
"""What `tool_choice` may be in a word."""

EMBEDDING_SETTINGS: Mapping[str, Check] = {"encoding_format": _word, "dimensions": _whole, "user": _id}


class Sieve:
    """Reads the objects of one request: what is known stays, what is harmless is dropped, the rest is refused."""

    __slots__ = ("_forward", "dropped")

    def __init__(self, forward: frozenset[str] = frozenset()) -> None:
        """Drop nothing of what is named in `forward`."""
        self._forward = forward
        self.dropped: dict[str, None] = {}

    def read_body(
        self, given: Mapping[str, Any], settings: Mapping[str, Check], read: frozenset[str]
    ) -> dict[str, Any]:
        """Return the members to go upstream; those in `read` are checked by who reads them.

        Raises:
            InvalidRequest: for a member that is not known, or does not hold what it should.
        """
        kept = {}
        for name, value in given.items():
            if value is None:
                continue
            check = settings.get(name)
            if check is not None and not check(value):
                raise _refusal(name, f"{name} is not of the kind or size it should be; leave it out or shorten it")
            if check is not None or name in read or name in self._forward:
                kept[name] = value
            else:
                self._drop(name, value, name[:_LONGEST_SHOWN], HARMLESS.get(name))
        return kept

    def read_object(self, value: object, shape: Shape, where: str) -> dict[str, Any]:
        """Return an object of a shape, without what is dropped.

        Raises:
            InvalidRequest: when it is none, or for a member that cannot stay in it.
        """
        if not isinstance(value, dict):
            raise _refusal(where, f"{where} must be an object")
        kept: dict[str, Any] = {}
        for name, member in value.items():
            wanted = shape.known.get(name)
            if wanted is None:
                self._drop(name, member, f"{where}.{name[:_LONGEST_SHOWN]}", shape.dropped.get(name))
            elif member is None:
                continue
            elif isinstance(wanted, Shape):
                kept[name] = self.read_object(member, wanted, f"{where}.{name}")
            elif isinstance(wanted, list):
                if given := self.read_list(member, wanted[0], f"{where}.{name}"):
                    kept[name] = given
            elif wanted(member):
                kept[name] = member
            else:
                raise _refusal(f"{where}.{name}", f"{where}.{name} does not hold what it should; correct it")
        return kept

    def read_list(self, value: object, shape: Shape, where: str) -> list[dict[str, Any]]:
        """Return a list of objects of a shape, without what is dropped.

        Raises:
            InvalidRequest: when it is none, or for a member that cannot stay in it.
        """
        if not isinstance(value, list):
            raise _refusal(where, f"{where} must be a list")
        return [self.read_object(item, shape, f"{where}.{number}") for number, item in enumerate(value)]

    def _drop(self, name: str, value: object, where: str, harmless: Check | None) -> None:
        """Leave a member out, and name it, if that loses nothing: a null, an empty list, or what it holds by habit."""
        if value is None:
            return
        empty = value == [] and name.isascii() and name.isidentifier() and len(name) <= _LONGEST_NAME
        if not empty and (harmless is None or not harmless(value)):
            what = "is not taken here: it could not be counted" if harmless is None else "is not taken with this value"
            raise _refusal(where, f"{where} {what}; leave it out")
        self.dropped[".".join(part for part in where.split(".") if not part.isdigit())] = None


def _refusal(where: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, field=where)
