"""Cutting a stream of bytes into events, against a slow obvious model."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.connectors.openai.event_splitter import EventSplitter, event_fields

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


def model(stream: bytes) -> tuple[list[list[bytes]], list[bytes]]:
    """Cut into lines; every empty line ends an event. Return the lines of each, and those after the last."""
    events, lines = [], []
    for line, end in re.findall(rb"([^\r\n]*)(\r\n|\n|\r|$)", stream):
        if line:
            lines.append(line)
        elif end:
            events.append(lines)
            lines = []
    return [event for event in events if event], lines


@given(chunked())
def test_events_are_those_of_the_model_however_the_bytes_were_chunked(case):
    stream, chunks = case
    splitter = EventSplitter(1 << 20)
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    rest = splitter.finish()
    lines = [[line for line in event.split(b"\n") if line] for event in events]
    assert ([event for event in lines if event], [line for line in rest.split(b"\n") if line]) == model(stream)


def test_an_event_comes_out_with_its_last_byte():
    splitter = EventSplitter(100)
    assert splitter.feed(b"data: a\n") == []
    assert splitter.feed(b"\ndata: b\r\n\r") == [b"data: a", b"data: b"]
    assert splitter.feed(b"\ndata: c\r\r") == [b"data: c"]
    assert splitter.finish() == b""


@pytest.mark.parametrize("chunks", [[b"data: " + b"x" * 95 + b"\n\n"], [b"x" * 101], [b"x" * 60, b"x" * 60]])
def test_a_long_event_is_noted_whether_complete_or_not(chunks):
    splitter = EventSplitter(100)
    assert [event for chunk in chunks for event in splitter.feed(chunk)] == []
    assert splitter.oversized


def test_events_before_a_long_one_come_out():
    splitter = EventSplitter(10)
    assert splitter.feed(b"data: a\n\ndata: " + b"x" * 10 + b"\n\n") == [b"data: a"]
    assert splitter.oversized
    many = EventSplitter(10)
    assert many.feed(b"data: a\n\n" * 20) == [b"data: a"] * 20
    assert not many.oversized


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
    [event] = EventSplitter(100).feed(raw)
    assert event_fields(event)[1] == data
