"""Reading requests: what is counted, what passes, what is refused."""

from types import SimpleNamespace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.assets import InvalidListing
from usufruct.core import UsufructError
from usufruct.gateway import CallLimits, CountingRule, InvalidRequest
from usufruct.gateway.operations.chat import read_chat
from usufruct.gateway.operations.embeddings import read_embeddings
from usufruct.gateway.operations.request_reader import read_model
from usufruct.gateway.operations.text import TextMeter, TextRequest
from usufruct.gateway.token_counting import Counter, TokenCounterPool, Vocabulary, count_bytes

HELLO = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
RULE = CountingRule(per_message=3, per_request=10)


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        ({}, ["hello"]),
        ({"temperature": 0.5, "stop": ["x"], "user": "me", "seed": 1}, ["hello"]),
        (
            {"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]},
            ["be kind", "hi"],
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]},
            ["a", "b"],
        ),
        ({"messages": [{"role": "user", "content": "hi", "name": "bob"}]}, ["hi", '{"name":"bob"}']),
        (
            {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]},
            ['{"tool_calls":[{"id":"1"}]}'],
        ),
        ({"tools": [{"type": "function"}]}, ["hello", '[{"type":"function"}]']),
        ({"response_format": {"type": "json_object"}}, ["hello", '{"type":"json_object"}']),
        ({"response_format": None}, ["hello"]),
    ],
)
def test_everything_a_model_reads_is_counted(changes, texts):
    assert list(read_chat(HELLO | changes).texts) == texts


@pytest.mark.parametrize(
    ("changes", "wanted", "sent"),
    [
        ({}, None, {"max_tokens": 40}),
        ({"max_tokens": 50}, 50, {"max_tokens": 40}),
        ({"max_completion_tokens": 50}, 50, {"max_completion_tokens": 40}),
        ({"max_tokens": 60, "max_completion_tokens": 50}, 50, {"max_completion_tokens": 40}),
        ({"n": 2, "max_tokens": 50}, 100, {"max_tokens": 20}),
        ({"n": 2}, None, {"max_tokens": 20}),
    ],
)
def test_the_upstream_is_asked_for_no_more_than_the_allowance(changes, wanted, sent):
    asked = read_chat(HELLO | changes)
    assert asked.wanted_output == wanted
    body = asked.upstream_body("theirs", 40)
    assert body["model"] == "theirs"
    assert {name: value for name, value in body.items() if name.startswith("max_")} == sent
    assert HELLO["model"] == "m"


@pytest.mark.parametrize(
    ("given", "texts", "tokens", "inputs"),
    [
        ("text", ["text"], [], 1),
        (["a", "b"], ["a", "b"], [], 2),
        ([1, 2, 3], [], [3], 1),
        ([[1, 2], [3]], [], [2, 1], 2),
    ],
)
def test_embeddings_take_text_or_numbers(given, texts, tokens, inputs):
    asked = read_embeddings({"model": "m", "input": given, "dimensions": 8})
    assert (list(asked.texts), list(asked.tokens), asked.messages) == (texts, tokens, inputs)
    assert "max_tokens" not in asked.upstream_body("theirs")


@pytest.mark.parametrize("given", [None, [], [[]], [1, "a"], {"a": 1}, [True, 1.5], 7])
def test_embeddings_of_something_else_are_refused(given):
    with pytest.raises(InvalidRequest) as refused:
        read_embeddings({"model": "m", "input": given})
    assert refused.value.details == {"field": "input"}


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
members = st.sampled_from(["model", "messages", "input", "n", "stream", "stream_options", "max_tokens", "tools"])


@given(st.dictionaries(members, values), st.sampled_from([read_chat, read_embeddings]))
def test_no_request_breaks_the_reader(body, read):
    try:
        asked = read(body)
    except UsufructError as refused:
        assert refused.status == 400  # noqa: PT017 - one of two allowed endings
    else:
        assert orjson.dumps(asked.upstream_body("theirs", 8))


async def counted_input(counter: Counter, asked: TextRequest) -> int:
    async def counter_of(_: object) -> Counter:
        return counter

    meter = TextMeter(TokenCounterPool(CallLimits()), counter_of)
    counted = await meter.count_input(SimpleNamespace(counting=RULE), asked)
    return counted.text + counted.added


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
async def test_without_a_vocabulary_bytes_are_counted(texts):
    asked = read_chat({"model": "m", "messages": [{"role": "user", "content": text} for text in texts]})
    expected = len("\n".join(texts).encode()) + 3 * len(texts) + 10
    assert await counted_input(count_bytes, asked) == expected


async def test_a_vocabulary_counts_joined_text(vocabulary):
    counter, pool = Vocabulary(vocabulary), TokenCounterPool(CallLimits())
    pieces = ["to b", "e or", " not to", " be"]
    whole = await pool.count(counter, "".join(pieces))
    assert whole < sum([await pool.count(counter, piece) for piece in pieces])
    assert whole <= len("".join(pieces))
    asked = read_embeddings({"model": "m", "input": [[1, 2, 3], [4]]})
    assert await counted_input(counter, asked) == 4 + 2 * 3 + 10


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"version": "1.0"}'])
def test_what_is_no_vocabulary_is_refused(content):
    with pytest.raises(InvalidListing) as refused:
        Vocabulary(content)
    assert refused.value.details == {"field": "vocabulary"}


@pytest.mark.parametrize(
    "member",
    [
        *("n_predict", "best_of", "chat_template", "service_tier", "web_search_options", "models", "plugins"),
        *("guided_regex", "provider", "min_tokens", "ignore_eos", "options", "lora", "tool_resources", "mcp_servers"),
        *("functions", "function_call", "prediction", "audio", "modalities", "guided_json", "extra"),
    ],
)
def test_members_that_undo_the_limit_or_cost_what_nobody_counts_are_refused(member):
    """llama.cpp lets n_predict replace max_tokens, servers read templates, tiers cost more: none of it is forwarded."""
    with pytest.raises(InvalidRequest, match=member):
        read_chat({**HELLO, member: {"any": "thing"}})
    with pytest.raises(InvalidRequest, match=member):
        read_embeddings({"model": "m", "input": "x", member: 1})


def test_members_without_a_value_are_not_forwarded():
    assert read_chat({**HELLO, "n_predict": None}).upstream_body("u", 5) == {**HELLO, "model": "u", "max_tokens": 5}


@pytest.mark.parametrize("role", ["x" * 1000, "", "User", 5, None])
def test_a_role_is_one_of_the_known_ones(role):
    """Chat templates print the role: free text in it would be input that nobody counts."""
    with pytest.raises(InvalidRequest, match="role"):
        read_chat({"model": "m", "messages": [{"role": role, "content": "hi"}]})


@pytest.mark.parametrize("tools", [[{"type": "custom", "name": "x"}], ["x"], {"type": "web_search"}, 5])
def test_tools_are_functions(tools):
    with pytest.raises(UsufructError) as refused:
        read_chat({**HELLO, "tools": tools})
    assert refused.value.details == {"field": "tools"}


def test_limits_of_a_request_are_kept_to_the_unit():
    message = HELLO["messages"][0]
    part = {"type": "text", "text": "a"}
    for changes in (
        {"n": 16},
        {"n": 1, "max_tokens": 1},
        {"max_completion_tokens": 1 << 32},
        {"messages": [message] * 2_048},
        {"messages": [{"role": "user", "content": [part] * 2_048}]},
    ):
        read_chat(HELLO | changes)
    assert len(read_embeddings({"model": "m", "input": ["a"] * 2_048}).texts) == 2_048


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"n": 0}, "n"),
        ({"n": 17}, "n"),
        ({"n": True}, "n"),
        ({"n": "2"}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 5.0}, "max_tokens"),
        ({"max_tokens": 5, "max_completion_tokens": (1 << 32) + 1}, "max_completion_tokens"),
        ({"stream": 1}, "stream"),
        ({"stream_options": []}, "stream_options"),
        ({"stream_options": {"include_usage": "yes"}}, "include_usage"),
        ({"messages": []}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": HELLO["messages"] * 2_049}, "messages"),
        ({"messages": [*HELLO["messages"], {"role": "user", "content": 5}]}, "messages.1.content"),
        ({"messages": [*HELLO["messages"], "hi"]}, "messages.1"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}] * 2_049}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "text": "a"}]}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": ["a"]}]}, "messages.0.content"),
        ({"x" * 100: 1}, "x" * 80),
    ],
)
def test_what_could_not_be_counted_is_refused_by_member(changes, field):
    with pytest.raises(UsufructError) as refused:
        read_chat(HELLO | changes)
    assert (refused.value.status, refused.value.details) == (400, {"field": field})


@pytest.mark.parametrize("body", [{}, {"model": ""}, {"model": 5}])
def test_the_service_is_named(body):
    with pytest.raises(UsufructError) as refused:
        read_model(body)
    assert (refused.value.status, refused.value.details) == (400, {"field": "model"})


def test_refusals_are_text_a_model_reads_too():
    content = [{"type": "refusal", "refusal": "no"}, {"type": "text", "text": "but"}]
    asked = read_chat({"model": "m", "messages": [{"role": "assistant", "content": content}]})
    assert asked.texts == ("no", "but")


def test_too_many_inputs_are_refused():
    with pytest.raises(InvalidRequest) as refused:
        read_embeddings({"model": "m", "input": ["a"] * 2_049})
    assert refused.value.details == {"field": "input"}


@pytest.mark.parametrize(
    ("changes", "stream", "usage"),
    [
        ({}, False, False),
        ({"stream": True}, True, False),
        ({"stream": True, "stream_options": {"include_usage": True}}, True, True),
        ({"stream": False, "stream_options": {}}, False, False),
    ],
)
def test_streams_are_given_to_those_who_ask(changes, stream, usage):
    asked = read_chat(HELLO | changes)
    assert (asked.stream, asked.include_usage) == (stream, usage)


def nested(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"messages": [{"role": [], "content": "x"}]}, "messages.0"),
        ({"messages": [{"role": {"a": 1}, "content": "x"}]}, "messages.0"),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"x": nested(400)}}}]}, "tools"),
        ({"response_format": {"type": "json_object", "schema": {"x": nested(400)}}}, "response_format"),
        (
            {"messages": [{"role": "assistant", "function_call": {"name": "f", "arguments": nested(400)}}]},
            "messages.0",
        ),
    ],
)
def test_json_of_an_odd_shape_is_refused_by_name(changes, field):
    with pytest.raises(InvalidRequest) as refused:
        read_chat(HELLO | changes)
    assert refused.value.details["field"] == field


@given(st.integers(200, 300))
def test_what_is_counted_can_be_written_upstream(levels):
    tool = {"type": "function", "function": {"name": "f", "parameters": {"x": nested(levels)}}}
    try:
        asked = read_chat(HELLO | {"tools": [tool]})
    except InvalidRequest:
        assert levels > 230
    else:
        assert orjson.loads(orjson.dumps(asked.upstream_body("theirs", 40)))["tools"] == [tool]
