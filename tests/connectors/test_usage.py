"""Usage reports of every shape, and what servers say went wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.connectors.openai import Usage, UsageFault
from usufruct.connectors.openai.content import dump, parse, shorten
from usufruct.connectors.openai.usage import read_usage

NAMES = ["prompt_tokens", "completion_tokens", "prompt_tokens_details", "cached_tokens"]
NAMES += ["input_tokens_details", "prompt_cache_hit_tokens", "cache_read_input_tokens"]
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
