"""Usage reports of every shape, and the text of answers of every shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.connectors import Usage, UsageFault
from usufruct.connectors.openai.text import output_text, shorten
from usufruct.connectors.openai.usage import read_usage

NAMES = ["prompt_tokens", "completion_tokens", "prompt_tokens_details", "cached_tokens"]
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
        ({}, UsageFault.INVALID),
        ([], UsageFault.INVALID),
        ("12", UsageFault.INVALID),
        ({"prompt_tokens": 3, "completion_tokens": 4}, Usage(3, 4)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 99}, Usage(0, 0)),
        ({"prompt_tokens": 3}, UsageFault.INVALID),
        ({"prompt_tokens": 3, "completion_tokens": None}, UsageFault.INVALID),
        ({"prompt_tokens": "3", "completion_tokens": 4}, UsageFault.INVALID),
        ({"prompt_tokens": 3, "completion_tokens": -4}, UsageFault.INVALID),
        ({"prompt_tokens": 3, "completion_tokens": 4.0}, UsageFault.INVALID),
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


def test_embeddings_report_no_output():
    assert read_usage({"prompt_tokens": 8, "total_tokens": 8}, has_output=False) == Usage(8, 0)


@given(JSON)
def test_nothing_an_upstream_says_crashes_us(content):
    assert isinstance(read_usage(content), Usage | UsageFault)
    assert isinstance(output_text(content), str)
    assert isinstance(output_text([content]), str)


@pytest.mark.parametrize(
    ("choices", "text"),
    [
        ([{"delta": {"content": "a"}}, {"delta": {"content": "b"}}], "ab"),
        ([{"message": {"content": "a", "refusal": "no"}}], "ano"),
        ([{"delta": {"reasoning_content": "hm", "reasoning": "hm", "content": None}}], "hm"),
        ([{"delta": {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}, {"function": None}]}}], "f{}"),
        ([{"message": {"role": "assistant", "function_call": {"name": "f", "arguments": "{1}"}}}], "f{1}"),
        ([{"message": {"tool_calls": [{"id": "c", "type": "custom", "custom": {"input": "free?"}}]}}], "free?"),
        ([{"delta": {"content": [{"type": "text", "text": "parts"}]}}], "parts"),
        ([{"delta": {"anything_new": "counts too", "role": "assistant"}}], "counts too"),
        ([{"text": "legacy"}], "legacy"),
        ([{"delta": {}}, None, 3], ""),
    ],
)
def test_output_text_is_all_a_model_wrote(choices, text):
    assert output_text(choices) == text


def test_error_messages_are_short_and_hold_no_key():
    message = shorten({"message": "bad key\nBearer abc.def or hunter2 " + "x" * 900}, "hunter2")
    assert message.startswith("bad key *** or *** xxx")
    assert len(message) == 300
