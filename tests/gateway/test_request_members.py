"""The members of a request: nothing goes upstream uncounted, and clients' harmless defaults are dropped."""

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.core import UsufructError
from usufruct.gateway.errors import InvalidRequest, UnsupportedContent
from usufruct.gateway.operations.chat import read_chat
from usufruct.gateway.operations.embeddings import read_embeddings

NOTE = "n" * 20_000
TEXT = {"type": "text", "text": "hello"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "strict": True, "schema": {"type": "object"}}}

FULL: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": [TEXT]},
        {"role": "user", "name": "bob", "content": [TEXT, TEXT]},
        {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_content": "well"},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
    ],
    "tools": [TOOL],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": SCHEMA,
    "stream_options": {"include_usage": True},
    "logit_bias": {"50256": -100},
    "stop": ["a", "b"],
    "temperature": 0.5,
}
"""A request that has an object everywhere a chat request may have one."""


def objects(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all objects inside `value`, but for JSON schemas, which are counted whole."""
    found: list[tuple[Any, ...]] = []
    if isinstance(value, dict):
        found = [path]
        inner = [(name, each) for name, each in value.items() if name not in {"parameters", "schema"}]
    else:
        inner = list(enumerate(value)) if isinstance(value, list) else []
    return found + [each for name, part in inner for each in objects(part, (*path, name))]


def at(body: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        body = body[name]
    return body


def sent(body: dict[str, Any], *forward: str) -> bytes:
    """Return what would go upstream."""
    return orjson.dumps(read_chat(body, frozenset(forward)).upstream_body("u", 5))


def test_the_full_request_goes_upstream_as_it_is():
    expected = copy.deepcopy(FULL) | {"model": "u", "max_tokens": 5}
    assert orjson.loads(sent(FULL)) == expected
    assert read_chat(FULL).dropped == ()


@pytest.mark.parametrize("path", objects(FULL), ids=lambda path: ".".join(map(str, path)) or "body")
def test_an_unknown_member_of_any_object_is_never_forwarded_uncounted(path):
    """A note of 20,000 bytes anywhere: refused, naming where, or dropped and named; never sent."""
    body = copy.deepcopy(FULL)
    at(body, path)["note"] = NOTE
    try:
        asked = read_chat(body)
    except UsufructError as refused:
        named = f"{refused.details['field']} {refused.message}"
        assert refused.status == 400  # noqa: PT017 - one of two allowed endings
        assert "note" in named or path == ("logit_bias",)
    else:
        assert asked.dropped == (".".join(name for name in path if isinstance(name, str)) + ".note",)
        assert NOTE.encode() not in orjson.dumps(asked.upstream_body("u", 5))


@pytest.mark.parametrize("path", objects(FULL), ids=lambda path: ".".join(map(str, path)) or "body")
def test_cache_control_is_dropped_wherever_clients_put_it(path):
    if path[:1] in {("logit_bias",), ("response_format",), ("tool_choice",)}:
        pytest.skip("no client puts it there")
    body = copy.deepcopy(FULL)
    at(body, path)["cache_control"] = {"type": "ephemeral"}
    asked = read_chat(body)
    assert asked.dropped == (".".join([*(name for name in path if isinstance(name, str)), "cache_control"]),)
    assert asked.texts == read_chat(FULL).texts
    assert asked.upstream_body("u", 5) == read_chat(FULL).upstream_body("u", 5)


def test_reading_changes_nothing_of_what_was_given():
    body = copy.deepcopy(FULL)
    body["messages"][0]["content"][0]["cache_control"] = {"type": "ephemeral"}
    given = copy.deepcopy(body)
    read_chat(body)
    assert body == given


HARMLESS: list[tuple[str, Any]] = [
    ("store", False),
    ("store", True),
    ("metadata", {"sessionId": "1", "promptId": "2"}),
    ("service_tier", "auto"),
    ("service_tier", "default"),
    ("chat_template_kwargs", {"enable_thinking": False}),
    ("functions", []),
    ("function_call", "auto"),
    ("tools", []),
    ("plugins", []),
    ("modalities", ["text"]),
    ("prompt_cache_retention", "in_memory"),
    ("promptCacheKey", "s"),
    ("cache_control", {"type": "ephemeral"}),
    ("usage", {"include": True}),
    ("include_reasoning", True),
    ("reasoning", {"effort": "low"}),
    ("thinking", {"type": "enabled"}),
    ("enable_thinking", True),
    ("vl_high_resolution_images", True),
    ("include", ["reasoning.encrypted_content"]),
]


@pytest.mark.parametrize(("name", "value"), HARMLESS, ids=lambda value: orjson.dumps(value).decode())
def test_harmless_defaults_of_clients_are_dropped_by_name(name, value):
    plain = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    asked = read_chat({**plain, name: value})
    assert asked.dropped == (() if name == "tools" else (name,))  # no tools are no tools: nothing is lost
    assert asked.texts == ("hello",)
    assert asked.upstream_body("u", 5) == {**plain, "model": "u", "max_tokens": 5}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("service_tier", "priority"),
        ("service_tier", "flex"),
        ("functions", [{"name": "f"}]),
        ("function_call", {"name": "f"}),
        ("modalities", ["text", "audio"]),
        ("store", "yes"),
        ("metadata", "text"),
        ("n_predict", 9),
        ("web_search_options", {}),
        ("models", ["a"]),
        ("prediction", {"type": "content", "content": "x"}),
    ],
)
def test_what_changes_cost_or_meaning_is_refused_by_name(name, value):
    with pytest.raises(InvalidRequest, match=name) as refused:
        read_chat({"model": "m", "messages": [{"role": "user", "content": "hello"}], name: value})
    assert refused.value.details == {"field": name}


def test_what_the_seller_allows_is_forwarded_and_counted():
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "chat_template_kwargs": {"enable_thinking": False},
        "service_tier": "priority",
        "store": False,
    }
    asked = read_chat(body, frozenset({"chat_template_kwargs", "service_tier"}))
    assert asked.dropped == ("store",)
    assert asked.texts == ("hello", '{"enable_thinking":false}', '"priority"')
    del body["store"]
    assert asked.upstream_body("u", 5) == body | {"model": "u", "max_tokens": 5}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", NOTE),
        ("temperature", {"note": NOTE}),
        ("top_p", True),
        ("seed", 1.5),
        ("seed", [NOTE]),
        ("stop", NOTE),
        ("stop", ["a"] * 17),
        ("stop", [["a"]]),
        ("logit_bias", {"a" * 21: 1}),
        ("logit_bias", {str(number): 1 for number in range(1_025)}),
        ("logit_bias", [1]),
        ("logprobs", {}),
        ("logprobs", 1_000),
        ("top_logprobs", "5"),
        ("top_logprobs", 21),
        ("top_logprobs", -1),
        ("parallel_tool_calls", "no"),
        ("reasoning_effort", NOTE),
        ("verbosity", {"note": NOTE}),
        ("user", NOTE),
        ("user", {"id": 1}),
        ("prompt_cache_key", NOTE),
        ("safety_identifier", 5),
        ("tool_choice", "n" * 100),
        ("response_format", "json"),
        ("response_format", {"type": "grammar", "grammar": "root"}),
        ("tools", {"type": "function"}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_settings_are_of_their_kind_and_short(name, value):
    """A setting is forwarded without being counted: it has no room for text."""
    with pytest.raises((InvalidRequest, UnsupportedContent)) as refused:
        read_chat({"model": "m", "messages": [{"role": "user", "content": "hello"}], name: value})
    assert refused.value.details["field"].split(".")[0] == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 1),
        ("stop", "END"),
        ("stop", []),
        ("seed", -5),
        ("logprobs", True),
        ("logprobs", 20),
        ("top_logprobs", 20),
        ("reasoning_effort", "low"),
        ("user", "u" * 1_024),
        ("tool_choice", "auto"),
        ("response_format", {"type": "json_object"}),
    ],
)
def test_settings_of_their_kind_go_upstream(name, value):
    body = {"model": "m", "messages": [{"role": "user", "content": "hello"}], name: value}
    assert read_chat(body).upstream_body("u", 5) == body | {"model": "u", "max_tokens": 5}


@pytest.mark.parametrize(("name", "value"), [("dimensions", NOTE), ("encoding_format", NOTE), ("user", {"a": NOTE})])
def test_settings_of_embeddings_have_no_room_for_text_either(name, value):
    with pytest.raises(InvalidRequest) as refused:
        read_embeddings({"model": "m", "input": "x", name: value})
    assert refused.value.details == {"field": name}


def test_harmless_members_of_embeddings_are_dropped():
    asked = read_embeddings({"model": "m", "input": "x", "metadata": {"a": "b"}})
    assert (asked.dropped, asked.upstream_body("u")) == (("metadata",), {"model": "u", "input": "x"})


def test_an_answer_given_back_by_a_stock_client_is_taken():
    """Clients send a model's message back as they got it, empty members, annotations and all."""
    echoed = {
        "role": "assistant",
        "content": "hi",
        "refusal": None,
        "annotations": [],
        "audio": None,
        "function_call": None,
        "tool_calls": [{**CALL, "index": 0}],
        "provider_specific_fields": {"a": "b"},
        "reasoning_details": [{"type": "reasoning.text", "text": "well"}],
    }
    asked = read_chat({"model": "m", "messages": [echoed]})
    kept = {"role": "assistant", "content": "hi", "tool_calls": [CALL]}
    assert asked.upstream_body("u", 5)["messages"] == [kept]
    assert set(asked.dropped) == {
        "messages.annotations",
        "messages.tool_calls.index",
        "messages.provider_specific_fields",
        "messages.reasoning_details",
    }


@given(
    st.sampled_from(objects(FULL)),
    st.text(st.characters(codec="ascii"), min_size=1, max_size=12),
    st.none() | st.booleans() | st.integers(0, 9) | st.just(NOTE) | st.just([NOTE]) | st.just({"a": NOTE}),
)
def test_no_member_anywhere_smuggles_text_past_the_count(path, name, value):
    body = copy.deepcopy(FULL)
    at(body, path)[name] = value
    try:
        asked = read_chat(body)
    except UsufructError as refused:
        assert refused.status == 400  # noqa: PT017 - one of two allowed endings
    else:
        counted = "\n".join(asked.texts).count("n" * 1_000)
        assert orjson.dumps(asked.upstream_body("u", 5)).count(b"n" * 1_000) <= counted
