"""Reading a streamed answer from its bytes: what is relayed, what counts as text, how it ends, what it reports."""

import json
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.connectors.openai import (
    UpstreamCut,
    UpstreamFault,
    UpstreamMalformed,
    UpstreamOversized,
    Usage,
    UsageFault,
    dump,
)
from usufruct.connectors.openai.answer import read_answer
from usufruct.connectors.openai.errors import UpstreamEmpty, UpstreamFailed
from usufruct.connectors.openai.event_reader import AnswerReader

NAMES = ["choices", "delta", "message", "content", "text", "usage", "error", "finish_reason", "tool_calls", "x_groq"]
NAMES += ["role", "index", "reasoning", "reasoning_details", "code", "msg", "object", "base_resp", "data", "embedding"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=15,
)
DONE = b"data: [DONE]\n\n"
REPORTED = {"prompt_tokens": 9, "completion_tokens": 2}


def event(content: object) -> bytes:
    return b"data: " + (content if isinstance(content, bytes) else orjson.dumps(content)) + b"\n\n"


def delta(text: str = "", finish: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
    return event({"id": "c", "choices": [choice], **more})


def usage(**counts: int) -> bytes:
    return event({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2} | counts})


def read(*chunks: bytes, largest: int = 1 << 16, ends: bool = True) -> tuple[AnswerReader, bytes, str]:
    reader = AnswerReader(largest, "http://server/v1", "hunter2", "text/plain")
    data, text = b"", ""
    for chunk in chunks:
        if not (reader.ended or reader.fault):
            batch = reader.read(chunk)
            data, text = data + batch.data, text + batch.text
    if ends and not (reader.ended or reader.fault):
        batch = reader.finish()
        data, text = data + batch.data, text + batch.text
    return reader, data, text


WHOLE = [delta("To"), delta(" be"), delta(finish="stop")]


def test_events_are_relayed_as_they_came_without_the_end_mark_and_the_usage_event():
    reader, data, text = read(b"".join([*WHOLE, usage(), DONE]))
    assert (data, text) == (b"".join(WHOLE), "To be")
    assert (reader.ended, reader.fault, reader.report) == (True, None, Usage(9, 2))


@given(st.data())
def test_the_same_is_read_however_the_bytes_are_cut_and_lines_end(data):
    shapes = [
        *(delta("To"), delta("é\U0001f600"), delta(finish="stop"), usage(), b": ping\n\n", b"event: x\nid: 7\n\n"),
        *(b'data: {"choices":\ndata: [{"delta":{"content":"two lines"}}]}\n\n', b"data:{}\n\n", b"\n", DONE),
    ]
    stream = b"".join(data.draw(st.lists(st.sampled_from(shapes), max_size=9)))
    expected_reader, expected, text = read(stream)
    ended = data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    other = stream.replace(b"\n", ended)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(other)), max_size=8)) | {0, len(other)})
    reader, relayed, read_text = read(*(other[a:b] for a, b in pairwise(cuts)))
    assert (relayed, read_text) == (expected, text)
    assert (type(reader.fault), reader.report) == (type(expected_reader.fault), expected_reader.report)


@pytest.mark.parametrize(
    ("events", "report"),
    [
        ([usage(completion_tokens=1), *WHOLE, DONE], None),  # before the text
        ([delta("To", usage=REPORTED), delta(" be"), delta(finish="stop"), DONE], None),
        ([delta("To"), delta(" be", usage=REPORTED), delta(finish="stop"), DONE], Usage(9, 2)),
        ([delta("To", "stop", usage=REPORTED), DONE], Usage(9, 2)),
        ([*WHOLE, usage(completion_tokens=1), usage(), DONE], Usage(9, 2)),
        ([*WHOLE, event({"choices": [], "usage": "a lot"}), DONE], UsageFault.INVALID),
        ([*WHOLE, usage(prompt_tokens=0, completion_tokens=0), DONE], UsageFault.INVALID),
        ([delta(finish="stop"), usage(completion_tokens=0), DONE], Usage(9, 0)),
        ([delta("To"), event({"usage": REPORTED}), DONE], Usage(9, 2)),
        ([delta("To", "stop", x_groq={"usage": REPORTED}), DONE], Usage(9, 2)),
        (
            [event({"choices": [{"delta": {"content": "a"}, "finish_reason": "stop", "usage": REPORTED}]}), DONE],
            Usage(9, 2),
        ),
    ],
)
def test_usage_counts_if_no_text_follows_it(events, report):
    reader, _, _ = read(*events)
    assert reader.fault is None
    assert reader.report == report


@pytest.mark.parametrize(
    ("events", "report"),
    [
        ([delta("To", usage={"prompt_tokens": 0, "completion_tokens": 0})], None),
        ([delta("To"), usage()], None),
        ([delta("To"), delta(finish="stop", usage=REPORTED)], Usage(9, 2)),
        ([delta("To"), delta(finish="stop"), usage()], Usage(9, 2)),
        ([delta("To", "stop", usage=REPORTED), delta(" be")], None),
    ],
)
def test_before_the_end_usage_counts_only_after_a_finish_reason(events, report):
    assert read(*events, ends=False)[0].report == report


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        ([delta("To"), delta(finish="stop")], None),
        ([delta("To"), usage()], None),
        ([delta("To"), b"data: [DONE]"], None),
        ([delta("To"), b"data:[DONE] \n\n"], None),
        ([delta("To")], UpstreamCut),
        ([delta("To", "null")], UpstreamCut),
        ([usage(), delta("To")], UpstreamCut),
        ([delta("To"), delta(finish="stop"), b'data: {"choi'], None),
        ([delta("To"), b'data: {"choi'], UpstreamCut),
        ([DONE], UpstreamEmpty),
        ([event({"choices": []}), DONE], UpstreamEmpty),
        ([event({"choices": []}), usage(), DONE], UpstreamEmpty),
        ([delta(), usage()], UpstreamEmpty),
        ([event({"choices": [{"delta": {"role": "assistant"}}]}), DONE], UpstreamEmpty),
        ([event({"choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}]}), DONE], UpstreamEmpty),
        ([delta(finish="stop"), DONE], None),
        ([], UpstreamMalformed),
        ([b": ping\n\n"], UpstreamMalformed),
        ([b'{"choices": [{"message": {"content": "whole"}}]}'], UpstreamMalformed),
        ([b"<html>\n\n</html>"], UpstreamMalformed),
        ([b'{"error": {"message": "no such model"}}'], UpstreamFailed),
        ([b'{\n\n"code": 1302, "msg": "too many"}'], UpstreamFailed),
    ],
)
def test_how_a_stream_may_end(events, fault):
    reader, _, _ = read(*events)
    assert type(reader.fault) is (fault or type(None))


def test_an_unfinished_event_at_the_end_is_read_if_it_is_whole():
    _, data, text = read(delta("To"), delta(" be", "stop")[:-2])
    assert (data, text) == (delta("To") + delta(" be", "stop"), "To be")


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "on fire"}},
        {"error": "on fire"},
        {"error": ["on fire"], "choices": [{"delta": {"content": "no"}}]},
        {"object": "error", "message": "on fire", "type": "internal", "code": 500},
        {"code": 1302, "msg": "on fire"},
        {"detail": "on fire"},
        {"error_code": 17, "error_msg": "on fire"},
        {"errMsg": "on fire"},
        {"success": False, "message": "on fire"},
        {"status": "error", "message": "on fire"},
        {"type": "error", "message": "on fire"},
        {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "on fire"}},
        {"choices": [], "message": "on fire"},
        {"choices": [{"delta": {"content": "no"}, "error": {"message": "on fire"}}]},
    ],
)
@pytest.mark.parametrize("before", [[], [delta("To")]])
def test_an_error_of_any_shape_is_a_failure_and_not_relayed(error, before):
    reader, data, text = read(*before, event(error), DONE)
    assert isinstance(reader.fault, UpstreamFailed)
    assert "on fire" in reader.fault.message
    assert (data, text) == (b"".join(before), "To" if before else "")


@pytest.mark.parametrize("finish", ["error", "network_error", "insufficient_system_resource"])
def test_a_finish_reason_may_say_that_the_answer_failed(finish):
    reader, data, _ = read(delta("To"), delta(" be", finish), DONE)
    assert isinstance(reader.fault, UpstreamFailed)
    assert finish in reader.fault.message
    assert data == delta("To")


def test_an_event_named_error_is_one():
    reader, _, _ = read(b'event: error\ndata: {"text": "on fire"}\n\n')
    assert isinstance(reader.fault, UpstreamFailed)


@pytest.mark.parametrize(
    "content",
    [
        {"choices": [], "prompt_filter_results": [{"default": 1}]},
        {"id": "c", "object": "chat.completion.chunk", "model": "m"},
        {"type": "ping"},
        {"code": 0, "message": "success"},
        {"choices": [], "base_resp": {"status_code": 0, "status_msg": ""}},
    ],
)
def test_events_without_output_are_no_errors(content):
    reader, data, _ = read(event(content), *WHOLE, DONE)
    assert reader.fault is None
    assert data == event(content) + b"".join(WHOLE)


def test_an_error_names_no_secret():
    reader, _, _ = read(event({"error": {"message": "on fire, said hunter2 to sk-abc12345"}}))
    assert "hunter2" not in reader.fault.message
    assert "sk-abc" not in reader.fault.message


@pytest.mark.parametrize("data", [b"{", b"[]", b"1", b"\xff", b"Internal Server Error", b'{"a":"\xed\xa0\xbd"}'])
def test_data_that_is_not_an_object_in_utf_8_is_malformed(data):
    reader, relayed, _ = read(delta("To"), event(data))
    assert isinstance(reader.fault, UpstreamMalformed)
    assert relayed == delta("To")


def test_a_long_event_is_a_fault_after_the_events_before_it():
    reader, data, _ = read(delta("To") + delta("x" * 1_000), largest=500)
    assert isinstance(reader.fault, UpstreamOversized)
    assert data == delta("To")


def test_what_json_of_python_reads_is_relayed_as_it_came():
    halves = [event(b'{"choices":[{"delta":{"content":"' + half + b'"}}]}') for half in (b"\\ud83d", b"\\ude00")]
    numbers = event(b'{"choices":[{"delta":{},"logprobs":NaN,"finish_reason":"stop"}]}')
    reader, data, text = read(*halves, numbers, DONE)
    assert reader.fault is None
    assert data == b"".join(halves) + numbers
    assert text == "\ud83d\ude00"


def test_every_event_is_relayed_in_the_plain_frame():
    _, data, text = read(
        b"\xef\xbb\xbfdata:" + orjson.dumps({"choices": [{"delta": {"content": "a"}}]}) + b"\n\n",
        b': ping \xff\n\nid: 4\nevent: chunk\nretry: 5\ndata: {"choices":\ndata: [{"delta":{"content":"b"}}]}\n\n',
        b"event: ping\n\nid: 5\n\ndata\n\n",
    )
    assert text == "ab"
    assert data.split(b"\n\n")[1:] == [b": keep-alive", b'data: {"choices": [{"delta":{"content":"b"}}]}', b""]


def test_a_message_beside_or_after_deltas_repeats_them():
    last = {"choices": [{"delta": {"content": "!"}, "message": {"content": "To!"}, "finish_reason": "stop"}]}
    only = {"choices": [{"message": {"content": "To!"}, "finish_reason": "stop"}]}
    for final, text in ((last, "To!"), (only, "To")):
        reader, data, found = read(delta("To"), event(final), DONE)
        assert (reader.fault, found) == (None, text)
        assert data == delta("To") + event(final)


@given(
    words=st.lists(st.sampled_from(["To", " be", "é", "\U0001f600"]), min_size=2, max_size=6),
    beside=st.sampled_from(["nothing", "null", "zeros", "so far", "first"]),
    final=st.booleans(),
    data=st.data(),
)
def test_a_stream_that_is_cut_anywhere_reports_nothing_or_what_the_whole_reports(words, beside, final, data):
    """So a cut never makes an upstream's placeholder the usage of what had been delivered."""
    events = []
    for number, word in enumerate(words, 1):
        so_far = {"prompt_tokens": 9, "completion_tokens": number}
        zeros = {"prompt_tokens": 0, "completion_tokens": 0}
        told = {"null": None, "zeros": zeros, "so far": so_far, "first": so_far if number == 1 else None}
        events.append(delta(word, **({} if beside == "nothing" else {"usage": told[beside]})))
    last = [usage(completion_tokens=len(words))] if final else []
    stream = b"".join([*events, delta(finish="stop"), *last, DONE])
    whole, relayed, text = read(stream)
    cut = data.draw(st.integers(0, len(stream)))
    reader, part, part_text = read(stream[:cut], ends=False)
    assert relayed.startswith(part)
    assert text.startswith(part_text)
    assert reader.report in (None, whole.report) or (
        final and beside == "zeros" and reader.report is UsageFault.INVALID
    )


@given(
    st.lists(
        st.builds(lambda content: event(json.dumps(content).encode()), JSON)
        | st.builds(lambda choice: event(json.dumps({"choices": [choice]}).encode()), JSON)
        | st.binary(max_size=9)
        | st.sampled_from([b"data: ", b"\n\n", b"\r", b"event: error\n", b": a\n", b'data: {"choices":\n', DONE]),
        max_size=6,
    )
)
def test_nothing_a_server_streams_crashes_the_reader_or_a_caller(chunks):
    reader, data, text = read(*chunks)
    assert reader.fault is None or isinstance(reader.fault, UpstreamFault)
    assert reader.ended or reader.fault
    for frame in data.split(b"\n\n")[:-1]:
        assert frame == b": keep-alive" or isinstance(json.loads(frame.removeprefix(b"data: ").decode()), dict)
    assert isinstance(text, str)


@given(st.builds(lambda content: json.dumps(content).encode(), JSON) | st.binary(max_size=20), st.booleans())
def test_nothing_a_server_answers_crashes_us(body, chat):
    try:
        answer = read_answer(body, "http://server/v1", "choices" if chat else "data", "hunter2")
    except UpstreamFault:
        pass
    else:
        answer.text.encode()
        assert isinstance(json.loads(dump(answer.content)), dict)
