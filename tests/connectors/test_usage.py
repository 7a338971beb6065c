"""Usage reports of every shape, and the text of answers of every shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.connectors import Usage, UsageFault
from usufruct.connectors.openai import delta_text, output_text, well_formed
from usufruct.connectors.openai.content import dump, parse
from usufruct.connectors.openai.text import shorten
from usufruct.connectors.openai.usage import read_usage

NAMES = ["prompt_tokens", "completion_tokens", "prompt_tokens_details", "cached_tokens"]
NAMES += ["input_tokens_details", "prompt_cache_hit_tokens", "cache_read_input_tokens"]
NAMES += ["delta", "content", "tool_calls", "function"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (None, UsageFault.ABSENT),
        ({}, UsageFault.ABSENT),
        ({"total_tokens": 24}, UsageFault.ABSENT),
        ({"prompt_tokens": None, "completion_tokens": None}, UsageFault.ABSENT),
        ([], UsageFault.INVALID),
        ("12", UsageFault.INVALID),
        ({"prompt_tokens": 3, "completion_tokens": 4}, Usage(3, 4)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 99}, Usage(0, 0)),
        ({"prompt_tokens": 3}, UsageFault.INVALID),
        ({"prompt_tokens": 3, "completion_tokens": None}, UsageFault.INVALID),
        ({"prompt_tokens": "3", "completion_tokens": 4}, UsageFault.INVALID),
        ({"prompt_tokens": 3, "completion_tokens": -4}, UsageFault.INVALID),
        ({"prompt_tokens": 3, "completion_tokens": 4.0}, Usage(3, 4)),
        ({"prompt_tokens": 3, "completion_tokens": 4.5}, UsageFault.INVALID),
        ({"prompt_tokens": 3, "completion_tokens": float("inf")}, UsageFault.INVALID),
        ({"prompt_tokens": 3, "completion_tokens": 1e300}, UsageFault.INVALID),
        ({"prompt_tokens": True, "completion_tokens": 4}, UsageFault.INVALID),
        ({"prompt_tokens": 1 << 63, "completion_tokens": 4}, UsageFault.INVALID),
        ({"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": None}, Usage(3, 4)),
        ({"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": "?"}, UsageFault.INVALID),
        (
            {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": -1}},
            UsageFault.INVALID,
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 4,
                "prompt_tokens_details": {"cached_tokens": 8},
                "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": None},
            },
            Usage(9, 4, cached=8, reasoning=3),
        ),
    ],
)
def test_a_report_is_usage_or_a_named_fault(reported, expected):
    assert read_usage(reported) == expected


@pytest.mark.parametrize(
    "told",
    [
        {"prompt_tokens_details": {"cached_tokens": 8}},
        {"input_tokens_details": {"cached_tokens": 8}},
        {"prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 1},
        {"cache_read_input_tokens": 8, "cache_creation_input_tokens": 1},
        {"cached_tokens": 8},
        {"prompt_tokens_details": {"cached_tokens": 0}, "prompt_cache_hit_tokens": 8},
        {"prompt_tokens_details": None, "cached_tokens": 8, "cache_read_input_tokens": None},
    ],
)
def test_cached_input_is_read_under_every_name_servers_give_it(told):
    assert read_usage({"prompt_tokens": 9, "completion_tokens": 4, **told}) == Usage(9, 4, cached=8)


@pytest.mark.parametrize("name", ["prompt_cache_hit_tokens", "cache_read_input_tokens", "cached_tokens"])
@pytest.mark.parametrize("wrong", [-1, "8", True, 1 << 63])
def test_cached_input_that_makes_no_sense_spoils_the_report(name, wrong):
    assert read_usage({"prompt_tokens": 9, "completion_tokens": 4, name: wrong}) is UsageFault.INVALID


def test_embeddings_report_no_output():
    assert read_usage({"prompt_tokens": 8, "total_tokens": 8}, has_output=False) == Usage(8, 0)


@given(JSON)
def test_nothing_an_upstream_says_crashes_us(content):
    assert isinstance(read_usage(content), Usage | UsageFault)
    for text_of in (output_text, delta_text):
        assert isinstance(text_of(content), str)
        assert isinstance(text_of([content]), str)


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


def test_what_python_reads_is_written_again():
    body = b'\xef\xbb\xbf{"half": "\\ud83d", "number": NaN}'
    assert parse(dump(parse(body)))["half"] == "\ud83d"
    assert parse(b"{") is None
    assert parse(b"[" * 100_000) is None
    assert dump({"a": [1]}) == b'{"a":[1]}'


def test_error_messages_are_short_and_hold_no_key():
    message = shorten({"message": "bad key\nBearer abc.def or hunter2 " + "x" * 900}, "hunter2")
    assert message.startswith("bad key *** or *** xxx")
    assert len(message) == 300


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"error": {"msg": "inner"}}, "inner"),
        ({"code": 7, "detail": [{"msg": "listed"}]}, "[{'msg': 'listed'}]"),
        ({"base": 1}, "{'base': 1}"),
        ("half \ud83d", "half \ufffd"),
    ],
)
def test_the_message_of_an_error_is_found_in_any_shape(error, message):
    assert shorten(error) == message


def test_an_error_nested_too_deeply_is_still_told():
    error: object = "x"
    for _ in range(100_000):
        error = [error]
    assert "nested too deeply" in shorten({"message": error})
