"""Cutting a stream of bytes into events, against a slow obvious model."""

import re
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.connectors import EventSplitter, UpstreamFailed, UpstreamMalformed, UpstreamOversized, Usage, UsageFault
from usufruct.connectors.openai.events import event_data, read_event

LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINES = st.sampled_from(
    [b"", b"data: x", b"data:y", b"data", b": a comment", b"event: z", "data: é€".encode(), b"id:1"]
)


@st.composite
def streams(draw):
    lines = draw(st.lists(st.tuples(LINES, LINE_ENDS), max_size=14))
    return b"".join(line + end for line, end in lines) + draw(st.sampled_from([b"", b"data: unfinished"]))


@st.composite
def chunked(draw):
    stream = draw(streams())
    cuts = sorted(draw(st.sets(st.integers(0, len(stream)), max_size=8)) | {0, len(stream)})
    return stream, [stream[a:b] for a, b in pairwise(cuts)]


def model(stream: bytes) -> list[bytes]:
    """Cut into lines, and end an event at the first empty line after a line end; the first line may be empty."""
    events, event, fresh = [], b"", True
    for line in re.findall(rb"[^\r\n]*(?:\r\n|\n|\r)", stream):
        event += line
        if not line.strip(b"\r\n") and not fresh:
            events.append(event)
            event, fresh = b"", True
        else:
            fresh = False
    return events


def split(chunks: list[bytes]) -> tuple[list[bytes], bytes]:
    splitter = EventSplitter(1 << 20)
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    return events, splitter.finish()


@given(chunked())
def test_events_are_those_of_the_model_however_the_bytes_were_chunked(case):
    stream, chunks = case
    events, rest = split(chunks)
    assert b"".join(events) + rest == stream
    expected = model(stream)
    if stream.endswith(b"\r") and expected and b"".join(expected) == stream:
        expected = expected[:-1]  # the last CR still waits for its LF
    assert events == expected


def test_an_event_comes_out_with_its_last_byte():
    splitter = EventSplitter(100)
    assert list(splitter.feed(b"data: a\n")) == []
    assert list(splitter.feed(b"\ndata: b\r\n\r")) == [b"data: a\n\n"]
    assert list(splitter.feed(b"\n")) == [b"data: b\r\n\r\n"]


@pytest.mark.parametrize("chunk", [b"data: " + b"x" * 95 + b"\n\n", b"x" * 101])
def test_a_long_event_is_refused_whether_complete_or_not(chunk):
    with pytest.raises(UpstreamOversized, match="100 bytes"):
        list(EventSplitter(100).feed(chunk))


def test_events_before_a_long_one_come_out():
    feed = EventSplitter(10).feed(b"data: a\n\ndata: " + b"x" * 10)
    assert next(feed) == b"data: a\n\n"
    with pytest.raises(UpstreamOversized):
        next(feed)


@pytest.mark.parametrize(
    ("raw", "data"),
    [
        (b"data: {}\n\n", b"{}"),
        (b"data:{}\n\n", b"{}"),
        (b"data:  x\n\n", b" x"),
        (b"data: a\r\ndata: b\r\n\r\n", b"a\nb"),
        (b": ping\n\n", b""),
        (b"event: x\nid: 3\ndata: a\ndata\ndata: c\n\n", b"a\n\nc"),
        (b"\ndata: a\rdatabase: b\r\r", b"a"),
    ],
)
def test_data_is_the_data_lines_joined(raw, data):
    assert event_data(raw) == data


def event(content: object) -> bytes:
    return b"data: " + orjson.dumps(content) + b"\n\n"


REPORTED = {"prompt_tokens": 5, "completion_tokens": 2}
DELTA = {"index": 0, "delta": {"content": "hi"}}


@pytest.mark.parametrize(
    ("content", "text", "usage", "usage_only"),
    [
        ({"choices": [DELTA], "usage": None}, "hi", None, False),
        ({"choices": [DELTA], "usage": REPORTED}, "hi", Usage(5, 2), False),
        ({"choices": [], "usage": REPORTED}, "", Usage(5, 2), True),
        ({"usage": REPORTED}, "", Usage(5, 2), True),
        ({"choices": [], "usage": "a lot"}, "", UsageFault.INVALID, True),
        ({"choices": [], "prompt_filter_results": []}, "", None, False),
        ({"choices": None, "error": None}, "", None, False),
    ],
)
def test_an_event_tells_its_text_and_usage(content, text, usage, usage_only):
    read = read_event(event(content))
    assert (read.raw, read.text, read.usage, read.usage_only, read.done) == (
        event(content),
        text,
        usage,
        usage_only,
        False,
    )


def test_done_and_comments_carry_nothing():
    assert read_event(b"data: [DONE]\r\n\r\n").done
    assert read_event(b": keep-alive\n\n").text == ""


@pytest.mark.parametrize("data", [b"{", b"[]", b"1", b"\xff"])
def test_data_that_is_no_object_is_malformed(data):
    with pytest.raises(UpstreamMalformed):
        read_event(b"data: " + data + b"\n\n")


def test_an_error_event_is_a_failure_without_secrets():
    with pytest.raises(UpstreamFailed, match="on fire") as caught:
        read_event(event({"error": {"message": "on fire, said hunter2 to sk-abc12345"}}), "hunter2")
    assert "hunter2" not in caught.value.message
    assert "sk-abc" not in caught.value.message
