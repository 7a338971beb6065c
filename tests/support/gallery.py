"""The part of the gallery that is about errors, HTTP around an answer, and whole answers."""

from typing import Any

from tests.support.raw_upstream import Framing, Reply
from tests.support.upstream_shapes import (
    BROKEN,
    COUNTED,
    DONE,
    GOOD,
    IN,
    JSON_TYPE,
    READ,
    REFUSED,
    STOP,
    TEXT,
    USAGE,
    WORDS,
    Shape,
    Verdict,
    answer,
    chunk,
    contents,
    counts,
    delta,
    ends,
    event,
    framings,
    says,
    streamed,
    to_json,
)


def errors() -> list[Shape]:
    """Errors under status 200, before and after output."""
    bodies: list[tuple[str, Any, bool]] = [  # whether the client notices
        ("of-openai", {"error": {"message": "on fire", "type": "server_error", "code": 500}}, True),
        ("text", {"error": "on fire"}, True),
        ("object", {"object": "error", "message": "on fire", "type": "internal", "code": 500}, False),
        ("code-and-msg", {"code": 1302, "msg": "too many"}, False),
        ("detail", {"detail": "on fire"}, False),
        ("base-resp", chunk(None, base_resp={"status_code": 1008, "status_msg": "no balance"}), False),
        ("in-the-choice", chunk([delta(beside={"error": {"code": 502, "message": "on fire"}})]), False),
        ("finish-reason", chunk([delta("error")]), False),
        ("with-choices", chunk([delta(content="no")]) | {"error": {"message": "on fire"}}, True),
    ]
    return [
        shape
        for name, body, noticed in bodies
        for shape in (
            streamed(f"error-{name}", event(body), DONE, verdict=REFUSED, unnoticed=not noticed),
            streamed(
                f"error-{name}-after-output",
                *WORDS,
                event(body),
                DONE,
                verdict=BROKEN,
                unnoticed=not noticed,
                text=TEXT,
            ),
        )
    ] + [
        streamed("error-event", b"event: error\n" + event({"message": "on fire"}), verdict=REFUSED, unnoticed=True),
        streamed("error-not-json", b"data: Internal Server Error\n\n", verdict=REFUSED, code="upstream_malformed"),
        streamed(
            "error-not-utf-8",
            says("To"),
            b'data: {"choices":[{"delta":{"content":"\xff"}}]}\n\n',
            verdict=BROKEN,
            text="To",
            code="upstream_malformed",
        ),
        streamed(
            "error-as-a-body",
            to_json({"error": {"message": "on fire"}}),
            head=JSON_TYPE,
            verdict=REFUSED,
            unnoticed=True,
        ),
        streamed(
            "whole-for-a-stream",
            to_json(answer()),
            head=JSON_TYPE,
            verdict=REFUSED,
            unnoticed=True,
            code="upstream_malformed",
        ),
        streamed(
            "web-page",
            b"<html>\n\n<p>hello</p></html>",
            head=b"content-type: text/html\r\n",
            verdict=REFUSED,
            unnoticed=True,
            code="upstream_malformed",
        ),
        streamed("status-500", b"oh", status=b"500 Oh", verdict=REFUSED),
        streamed("status-429", b"", status=b"429 Wait", verdict=REFUSED, code="upstream_busy"),
        streamed(
            "redirect",
            b"",
            status=b"307 There",
            head=b"location: /streamed-usual/v1/chat/completions\r\n",
            verdict=REFUSED,
        ),
    ]


def transport() -> list[Shape]:
    """HTTP around a stream: ends of bodies, packing, heads, connections that drop at every stage."""
    joined = b"".join(GOOD)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    chunked = b"transfer-encoding: chunked\r\n\r\n"
    extended = b"%x;name=value\r\n%s\r\n0\r\nx-trailer: 1\r\n\r\n" % (len(joined), joined)
    cut = {"verdict": BROKEN, "text": TEXT, "code": "upstream_cut"}
    lost = {"verdict": REFUSED, "code": "upstream_cut"}
    return [
        streamed("of-known-length", *GOOD, framing=Framing.LENGTH, usage=COUNTED),
        streamed("to-the-close", *GOOD, framing=Framing.CLOSE, usage=COUNTED),
        streamed("http-1.0", *GOOD, framing=Framing.HTTP_1_0, usage=COUNTED),
        streamed("packed", *GOOD, packed=True, usage=COUNTED),
        streamed("packed-of-known-length", *GOOD, packed=True, framing=Framing.LENGTH, usage=COUNTED),
        streamed("status-201", *GOOD, status=b"201 Created", usage=COUNTED),
        streamed("no-reason-phrase", *GOOD, status=b"200 ", usage=COUNTED),
        streamed("long-header", *GOOD, head=b"x-policy: %s\r\n" % (b"a" * 20_000), usage=COUNTED),
        streamed("many-headers", *GOOD, head=b"".join(b"x-%d: a\r\n" % i for i in range(90)), usage=COUNTED),
        streamed("continue-first", raw=(b"HTTP/1.1 100 Continue\r\n\r\n" + head + b"\r\n" + joined,), usage=COUNTED),
        streamed("extensions-and-trailers", raw=(head + chunked + extended,), usage=COUNTED),
        streamed("repeated-headers", *GOOD, head=b"set-cookie: a=1\r\nset-cookie: b=2\r\n", usage=COUNTED),
        streamed("odd-headers", *GOOD, head=b"x-a: \xe9\r\nX_B:1\r\nx-empty:\r\n", usage=COUNTED),
        streamed(
            "long-ago-of-http", *GOOD, head=b"connection: keep-alive\r\n", framing=Framing.HTTP_1_0, usage=COUNTED
        ),
        streamed("drops-kept-connections", *GOOD, serves=1, usage=COUNTED),
        streamed(
            "no-mark-of-the-end-after-done",
            raw=(head + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(joined), joined),),
            usage=COUNTED,
        ),
        streamed("dropped-after-done", *GOOD, aborts=True, usage=COUNTED),
        streamed(
            "dropped-after-usage",
            *GOOD[:-1],
            aborts=True,
            verdict=BROKEN,
            text=TEXT,
            code="upstream_cut",
            usage=COUNTED,
        ),
        streamed("dropped-after-finish", *WORDS, STOP, aborts=True, **cut),
        streamed("dropped-after-text", *WORDS, aborts=True, **cut),
        streamed("dropped-within-an-event", *WORDS, STOP[:20], aborts=True, **cut),
        streamed("dropped-before-output", event(chunk([delta(role="assistant")])), aborts=True, **lost),
        streamed("dropped-after-the-head", aborts=True, **lost),
        streamed("dropped-within-the-head", raw=(b"HTTP/1.1 200 O",), **lost),
        streamed("dropped-at-once", serves=0, **lost),
        streamed("shorter-than-its-length", raw=(head + b"content-length: 9999\r\n\r\n" + b"".join(WORDS),), **cut),
        streamed(
            "broken-chunk",
            raw=(head + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\nzz\r\n" % (len(WORDS[0]), WORDS[0]),),
            **cut | {"code": "upstream_malformed", "text": "To"},
        ),
        streamed("not-http", raw=(b"SSH-2.0-OpenSSH_9.9\r\n",), verdict=REFUSED, code="upstream_malformed"),
    ]


def whole(name: str, content: Any, verdict: Verdict = READ, *, usage: Any = None, **more: Any) -> Shape:
    names = ("status", "framing", "aborts", "packed", "raw", "serves", "behind")
    given = {name: more.pop(name) for name in names if name in more}
    body = content if isinstance(content, bytes) else to_json(content)
    reply = Reply((body[: len(body) // 2], body[len(body) // 2 :]), head=more.pop("head", JSON_TYPE), **given)
    return Shape(name, reply, stream=False, verdict=verdict, usage=usage, **more)


def whole_answers() -> list[Shape]:
    """Whole answers in every shape."""
    good = answer(usage=USAGE)
    raw = to_json(good)
    tools = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]
    message = {"role": "assistant", "content": None}
    empty = {"verdict": REFUSED, "unnoticed": True, "code": "upstream_empty"}
    seen = {"verdict": REFUSED}
    failed = {"verdict": REFUSED, "unnoticed": True}
    cut = {"verdict": REFUSED, "code": "upstream_cut"}
    exact = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(raw), raw)
    other = {"index": 1, "message": {"role": "assistant", "content": "no"}, "finish_reason": "stop"}
    deep: Any = "deep"
    for _ in range(400):
        deep = [deep]
    return [
        whole("usual", good, usage=COUNTED),
        *(
            whole(f"type-{name}", good, head=head, usage=COUNTED)
            for name, head in [
                ("none", b""),
                ("text", b"content-type: text/plain\r\n"),
                ("odd", b"content-type: a/b+json\r\n"),
            ]
        ),
        whole("of-known-length", good, framing=Framing.LENGTH, usage=COUNTED),
        whole("to-the-close", good, framing=Framing.CLOSE, usage=COUNTED),
        whole("http-1.0", good, framing=Framing.HTTP_1_0, usage=COUNTED),
        whole("packed", good, packed=True, framing=Framing.LENGTH, usage=COUNTED),
        whole("spaces-around", b"\n  \n" + raw + b"\n\n", usage=COUNTED),
        whole("byte-order-mark", b"\xef\xbb\xbf" + raw, usage=COUNTED),
        whole("utf-16", raw.decode().encode("utf-16"), usage=COUNTED),
        whole("status-201", good, status=b"201 Created", usage=COUNTED),
        whole("drops-kept-connections", good, serves=1, usage=COUNTED),
        whole("no-usage", answer()),
        whole("null-usage", answer(usage=None)),
        whole("usage-of-floats", answer(usage={"prompt_tokens": 9.0, "completion_tokens": 10.0}), usage=COUNTED),
        whole("usage-of-strings", answer(usage={"prompt_tokens": "9", "completion_tokens": "10"}), flagged=True),
        whole("usage-only-total", answer(usage={"total_tokens": 19})),
        whole("usage-too-high", answer(usage={"prompt_tokens": 900, "completion_tokens": 900}), flagged=True),
        whole("no-finish-reason", answer(finish=None)),
        whole("more-members", answer(system_fingerprint=None, service_tier="x", timings={"a": [1]})),
        whole("tool-calls", answer(message | {"tool_calls": tools}, "tool_calls")),
        whole("function-call", answer(message | {"function_call": {"name": "f", "arguments": "{}"}}, "function_call")),
        whole("reasoning", answer(message | {"content": "So", "reasoning": "hmm", "reasoning_content": "hmm"})),
        whole("refusal", answer(message | {"refusal": "I will not"})),
        whole("two-choices", answer(choices=[*answer()["choices"], other])),
        whole("empty-answer", answer(message, "length", usage=USAGE | {"completion_tokens": 1}), usage=(IN, 1)),
        whole("emoji", answer(message | {"content": "a\U0001f600b"})),
        whole("half-an-emoji", raw.replace(b"To be or not", rb"To be \ud83d"), usage=COUNTED),
        whole("not-a-number", raw.replace(b'"created":1', b'"created":1,"x":NaN'), usage=COUNTED),
        whole("deeply-nested", answer(extra=deep)),
        whole("huge", answer(message | {"content": "x" * 60_000})),
        whole(
            "answer-behind", good, raw=(exact + b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nextra",), usage=COUNTED
        ),
        whole("bytes-behind", good, raw=(exact + b" and more",), usage=COUNTED),
        whole("answer-behind-a-kept-one", good, framing=Framing.LENGTH, behind=exact, usage=COUNTED),
        whole("no-choices", answer(choices=[], usage=USAGE), **empty),
        whole("no-output", answer(message, None, usage=USAGE), **empty),
        whole("null-choices", answer() | {"choices": None}, REFUSED, code="upstream_malformed"),
        whole("error-of-openai", {"error": {"message": "on fire"}}, **seen),
        whole("error-object", {"object": "error", "message": "on fire", "code": 500}, **seen),
        whole("error-code-and-msg", {"code": 1302, "msg": "too many"}, **seen),
        whole("error-base-resp", {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "no"}}, **seen),
        whole("error-beside-choices", answer(error={"message": "on fire"}), **failed),
        whole("error-in-the-choice", answer(choices=[other | {"error": {"message": "on fire"}}]), **failed),
        whole("finish-reason-error", answer(message, "error"), **failed),
        whole(
            "a-stream-for-a-whole",
            b"".join(GOOD),
            REFUSED,
            head=b"content-type: text/event-stream\r\n",
            code="upstream_malformed",
        ),
        whole("not-json", b"<html></html>", REFUSED, head=b"content-type: text/html\r\n", code="upstream_malformed"),
        whole("cut-json", raw[:-9], REFUSED, code="upstream_malformed"),
        whole("a-list", b"[1]", REFUSED, code="upstream_malformed"),
        whole("nothing", b"", REFUSED, code="upstream_malformed"),
        whole("dropped", good, aborts=True, **cut),
        whole("dropped-after-the-head", b"", raw=(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",), **cut),
        whole("dropped-at-once", good, serves=0, **cut),
        whole("shorter-than-its-length", good, raw=(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n" + raw,), **cut),
        whole("status-500", b"oh", REFUSED, status=b"500 Oh"),
    ]


GALLERY = (*framings(), *ends(), *counts(), *contents(), *errors(), *transport(), *whole_answers())
