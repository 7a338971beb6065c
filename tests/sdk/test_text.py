"""The text of answers of every shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct_client.text import delta_text, output_text, well_formed

PROTOCOL = {"role", "id", "type", "index", "tool_call_id"}
NAMES = ["content", "name", "arguments", "tool_calls", "reasoning", "reasoning_content", "reasoning_details"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, *PROTOCOL]), inner, max_size=4)
    ),
    max_leaves=12,
)
MEMBERS = st.dictionaries(st.sampled_from(["delta", "message", "text", "index"]), JSON, max_size=3)


def written(value: object) -> str:
    """The texts in a JSON value, in their order."""
    if isinstance(value, list):
        return "".join(map(written, value))
    if isinstance(value, dict):
        return "".join(written(each) for name, each in value.items() if name not in PROTOCOL)
    return value if isinstance(value, str) else ""


@given(st.dictionaries(st.sampled_from(["content", "name", "tool_calls", *PROTOCOL]), JSON, max_size=4))
def test_the_text_of_a_message_is_every_text_in_it(message):
    assert output_text([{"message": message}]) == delta_text([{"delta": message}]) == written(message)


@given(JSON | st.lists(MEMBERS, max_size=3))
def test_nothing_an_upstream_says_crashes_us(choices):
    for text_of in (output_text, delta_text):
        assert isinstance(text_of(choices), str)
        assert isinstance(text_of([choices]), str)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ({"content": "a", "refusal": "no"}, "ano"),
        ({"content": None, "reasoning_content": "hm", "reasoning": "hm"}, "hm"),
        ({"content": "", "reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}, "hm"),
        ({"reasoning_content": "", "reasoning": "", "reasoning_details": [{"text": "hm"}]}, "hm"),
        ({"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}, {"function": None}]}, "f{}"),
        ({"role": "assistant", "function_call": {"name": "f", "arguments": "{1}"}}, "f{1}"),
        ({"tool_calls": [{"id": "c", "type": "custom", "custom": {"input": "free?"}}]}, "free?"),
        ({"content": [{"type": "text", "text": "parts"}, ["and", 1, None]]}, "partsand"),
        ({"anything_new": "counts too", "role": "assistant"}, "counts too"),
        ({}, ""),
    ],
)
def test_output_text_is_all_a_model_wrote_once(part, text):
    assert output_text([{"message": part}, None, 3]) == text
    assert delta_text([{"delta": part}, None, 3]) == text
    assert output_text([{"message": part}, {"text": "!"}]) == text + "!"


def test_deltas_are_of_streams_and_messages_of_whole_answers():
    both = [{"delta": {"content": "a"}, "message": {"content": "b"}}]
    assert (delta_text(both), output_text(both)) == ("a", "b")


def test_deep_nesting_is_read():
    part: object = "deep"
    for _ in range(5_000):
        part = [part]
    assert output_text([{"message": {"content": part}}]) == "deep"


def test_halves_of_a_character_are_joined_and_a_lone_one_is_replaced():
    assert well_formed("a\ud83d\ude00b") == "a\U0001f600b"
    assert well_formed("a\ud83db\ude00") == "a\ufffdb\ufffd"
    assert well_formed("\ude00\ud83d") == "\ufffd\ufffd"


@given(st.text())
def test_a_text_that_has_a_utf_8_form_is_left_as_it_is(text):
    assert well_formed(text) is text
