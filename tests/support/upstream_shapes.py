"""The gallery: answers of OpenAI-compatible servers in every shape they were seen or may be thought to have.

Each shape says what the gateway makes of it beside the stock client:

- READ: both read the same, and it is billed as a whole.
- MENDED: the client fails on it or loses a part; the gateway hands on `text`.
- BROKEN: a part arrives, then an error; what arrived is charged.
- REFUSED: an error and nothing else, charge 0.

`unnoticed` marks BROKEN and REFUSED shapes that the client takes for complete answers.
"""

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.support.raw_upstream import Reply


class Verdict(Enum):
    """What the gateway makes of an answer."""

    READ = "read"
    MENDED = "mended"
    BROKEN = "broken"
    REFUSED = "refused"


READ, MENDED, BROKEN, REFUSED = Verdict


@dataclass(frozen=True)
class Shape:
    """One answer, whole or streamed; `usage` is what it validly reports of the whole, None where our count holds."""

    name: str
    reply: Reply
    stream: bool
    verdict: Verdict = READ
    usage: tuple[int, int] | None = None
    flagged: bool = False
    unnoticed: bool = False
    text: str = ""
    code: str = "upstream_failed"

    def __str__(self) -> str:
        return f"{'stream' if self.stream else 'whole'}-{self.name}"


TEXT = "To be or not"
IN, OUT = 9, 10
USAGE = {"prompt_tokens": IN, "completion_tokens": OUT, "total_tokens": IN + OUT}
DONE = b"data: [DONE]\n\n"


def to_json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def event(content: Any) -> bytes:
    return b"data: " + (content if isinstance(content, bytes) else to_json(content)) + b"\n\n"


def chunk(choices: Any, **more: Any) -> dict[str, Any]:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
    return base | more


def delta(finish: str | None = None, *, index: int = 0, beside: dict[str, Any] | None = None, **part: Any) -> Any:
    return {"index": index, "delta": part, "finish_reason": finish} | (beside or {})


def says(text: str = "", finish: str | None = None, **more: Any) -> bytes:
    return event(chunk([delta(finish, content=text) if text else delta(finish)], **more))


WORDS = (says("To"), says(" be"), says(" or"), says(" not"))
STOP = says(finish="stop")
COUNT = event(chunk([], usage=USAGE))
GOOD = (*WORDS, STOP, COUNT, DONE)


def streamed(name: str, *pieces: bytes, verdict: Verdict = READ, usage: Any = None, **more: Any) -> Shape:
    names = ("head", "status", "framing", "aborts", "packed", "raw", "serves", "behind")
    reply = Reply(pieces, **{name: more.pop(name) for name in names if name in more})
    return Shape(name, reply, stream=True, verdict=verdict, usage=usage, **more)


COUNTED = (IN, OUT)


def _cut(stream: bytes, size: int) -> list[bytes]:
    return [stream[start : start + size] for start in range(0, len(stream), size)]


def framings() -> list[Shape]:
    """Content types of streams, line ends and fields of events, keep-alives."""
    joined = b"".join(GOOD)
    two_lines = b'data: {"choices":\ndata: [{"index":0,"delta":{"content":"To be"},"finish_reason":"stop"}]}\n\n'
    typed = [
        streamed(f"type-{kind or 'none'}".replace("/", "-"), *GOOD, head=head, usage=COUNTED)
        for kind, head in [
            ("", b""),
            *((kind, b"content-type: %s\r\n" % kind.encode()) for kind in ("text/plain", "application/json")),
            ("octet", b"Content-Type: application/octet-stream\r\n"),
            ("wrong-charset", b"content-type: text/event-stream; charset=latin-1\r\n"),
        ]
    ]
    pings = (b"event: ping\n\n", b": keep-alive\n\n", b"id: 8\nretry: 3000\n\n")
    mixed = b"".join(part + ping for part, ping in zip(GOOD[:-1], pings * 3, strict=False)) + DONE
    accent = says("é€\U0001f600", "stop")
    return [
        *typed,
        streamed("usual", *GOOD, usage=COUNTED),
        streamed("in-one-piece", joined, usage=COUNTED),
        streamed("cut-in-fives", *_cut(joined, 5), usage=COUNTED),
        streamed("cut-in-utf-8", *_cut(accent, 1), DONE),
        streamed("crlf", joined.replace(b"\n", b"\r\n"), usage=COUNTED),
        streamed("cr", joined.replace(b"\n", b"\r"), usage=COUNTED),
        streamed("crlf-cut-within", *_cut(joined.replace(b"\n", b"\r\n"), 3), usage=COUNTED),
        streamed("mixed-line-ends", WORDS[0].replace(b"\n", b"\r"), *GOOD[1:], usage=COUNTED),
        streamed("no-space-after-colon", joined.replace(b"data: ", b"data:"), usage=COUNTED),
        streamed("two-spaces-after-colon", joined.replace(b"data: {", b"data:  {"), usage=COUNTED),
        streamed("data-in-two-lines", two_lines, DONE),
        streamed("comments", b": hello\n\n", *(part + b": ping\n\n" for part in GOOD[:-1]), DONE, usage=COUNTED),
        streamed("comment-in-the-event", *(b": word\n" + part for part in GOOD), usage=COUNTED),
        streamed("event-names", *(b"event: chunk\n" + part for part in GOOD), usage=COUNTED),
        streamed("ids", *(b"id: %d\n" % i + part for i, part in enumerate(GOOD)), usage=COUNTED),
        streamed("unknown-fields", *(b"x-field: 1\n" + part for part in GOOD), usage=COUNTED),
        streamed("blank-lines", b"\n\n\n", *(b"\n" + part + b"\n\n" for part in GOOD), usage=COUNTED),
        streamed("huge-event", says("x" * 60_000, "stop"), DONE),
        streamed("events-without-data", mixed, verdict=MENDED, text=TEXT, usage=COUNTED),
        streamed("byte-order-mark", b"\xef\xbb\xbf" + joined, verdict=MENDED, text=TEXT, usage=COUNTED),
        streamed("last-blank-line-missing", *WORDS, says(".", "stop")[:-2], verdict=MENDED, text=TEXT + "."),
    ]


def ends() -> list[Shape]:
    """The end of a stream: its mark, its finish reason, nothing at all."""
    empty = event(chunk([]))
    no_output = {"verdict": REFUSED, "unnoticed": True, "code": "upstream_empty"}
    return [
        streamed("no-done", *WORDS, STOP, COUNT, usage=COUNTED),
        streamed("no-done-no-usage", *WORDS, STOP),
        streamed("no-done-no-finish", *WORDS, COUNT, usage=COUNTED),
        streamed("no-finish-reason", *WORDS, DONE),
        streamed("done-twice", *GOOD, DONE, usage=COUNTED),
        streamed("done-without-blank-line", *GOOD[:-1], DONE[:-2], usage=COUNTED),
        streamed("done-with-more-behind", *GOOD[:-1], b"data: [DONE] bye\n\n", usage=COUNTED),
        streamed("text-after-done", *GOOD, says(" more"), usage=COUNTED),
        streamed("finish-with-the-last-text", *WORDS[:-1], says(" not", "stop"), COUNT, DONE, usage=COUNTED),
        streamed(
            "stopped-at-once",
            says(finish="length"),
            event(chunk([], usage=USAGE | {"completion_tokens": 1})),
            DONE,
            usage=(IN, 1),
        ),
        streamed("cut-cleanly", *WORDS, verdict=BROKEN, unnoticed=True, text=TEXT, code="upstream_cut"),
        streamed(
            "cut-cleanly-within-an-event",
            *WORDS,
            STOP[:30],
            verdict=BROKEN,
            unnoticed=True,
            text=TEXT,
            code="upstream_cut",
        ),
        streamed("finished-and-cut-within-an-event", *WORDS, STOP, COUNT[:30]),
        streamed("only-done", DONE, **no_output),
        streamed("no-choices", empty, COUNT, DONE, **no_output),
        streamed("only-usage", COUNT, **no_output),
        streamed("only-a-role", event(chunk([delta(role="assistant")])), DONE, **no_output),
        streamed(
            "only-a-message", event(chunk([{"message": {"content": TEXT}, "finish_reason": "stop"}])), DONE, **no_output
        ),
        streamed("nothing", verdict=REFUSED, unnoticed=True, code="upstream_malformed"),
        streamed("only-comments", b": ping\n\n", verdict=REFUSED, unnoticed=True, code="upstream_malformed"),
    ]


def counts() -> list[Shape]:
    """Usage of a stream: missing, in other places, of other kinds."""
    odd: list[tuple[str, Any, tuple[int, int] | None, bool]] = [
        ("floats", {"prompt_tokens": 9.0, "completion_tokens": 10.0}, COUNTED, False),
        ("fractions", {"prompt_tokens": 9.5, "completion_tokens": 10}, None, True),
        ("strings", {"prompt_tokens": "9", "completion_tokens": "10"}, None, True),
        ("negative", {"prompt_tokens": -1, "completion_tokens": 10}, None, True),
        ("half", {"prompt_tokens": 9}, None, True),
        ("null-members", {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}, None, False),
        ("only-total", {"total_tokens": 19}, None, False),
        ("empty", {}, None, False),
        ("null-details", USAGE | {"prompt_tokens_details": None, "completion_tokens_details": None}, COUNTED, False),
        ("more-members", USAGE | {"cost": 3, "details": [1]}, COUNTED, False),
        ("a-list", [1], None, True),
        ("zeros", {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, None, True),
        ("input-of-zero", {"prompt_tokens": 0, "completion_tokens": 10}, (0, 10), False),
        ("too-high", {"prompt_tokens": 900, "completion_tokens": 900}, None, True),
    ]
    every = [says(word, usage=USAGE) for word in ("To", " be", " or", " not")]
    nulls = [says(word, usage=None) for word in ("To", " be", " or", " not")]
    choice = event(chunk([delta("stop", beside={"usage": USAGE})]))
    return [
        streamed("no-usage", *WORDS, STOP, DONE),
        streamed("usage-with-finish", *WORDS, says(finish="stop", usage=USAGE), DONE, usage=COUNTED),
        streamed("usage-twice", *WORDS, says(finish="stop", usage=USAGE), COUNT, DONE, usage=COUNTED),
        streamed("usage-in-every-chunk", *every, STOP, DONE, usage=COUNTED),
        streamed("usage-null-in-every-chunk", *nulls, STOP, COUNT, DONE, usage=COUNTED),
        streamed("usage-only-first", COUNT, *WORDS, STOP, DONE),
        streamed("usage-only-in-the-first-text", every[0], *WORDS[1:], STOP, DONE),
        streamed("usage-in-the-choice", *WORDS, choice, DONE, usage=COUNTED),
        streamed("usage-of-groq", *WORDS, says(finish="stop", x_groq={"usage": USAGE}), DONE, usage=COUNTED),
        *(
            streamed(f"usage-{name}", *WORDS, STOP, event(chunk([], usage=usage)), DONE, usage=valid, flagged=flagged)
            for name, usage, valid, flagged in odd
        ),
    ]


def contents() -> list[Shape]:
    """What models write beside text, and members that servers add, leave out or set to null."""

    def part(finish: str | None = None, **members: Any) -> bytes:
        return event(chunk([delta(finish, **members)]))

    def call(index: int, **function: str) -> dict[str, Any]:
        return {"index": index, "id": f"call_{index}", "type": "function", "function": function}

    tools = [call(0, name="look_up", arguments=""), call(1, name="add", arguments="")]
    reasoning = [part(**{name: "hmm "}) for name in ("reasoning", "reasoning_content")]
    details = [{"type": "reasoning.text", "text": "hmm ", "index": 0}]
    bare = [event({"choices": [{"delta": {"content": word}}]}) for word in ("To", " be")]
    logprobs = {"logprobs": {"content": [{"token": "To", "logprob": -0.1, "bytes": [84], "top_logprobs": []}]}}
    emoji = [b'{"choices":[{"index":0,"delta":{"content":"%s"}}]}' % half for half in (b"a\\ud83d", b"\\ude00b")]
    alone = b'{"choices":[{"index":0,"delta":{"content":"a\\ud83d"}}]}'
    deep: Any = "deep"
    for _ in range(400):
        deep = [deep]
    repeated = {"message": {"role": "assistant", "content": TEXT}}
    return [
        streamed("role-first", part(role="assistant", content=""), *GOOD, usage=COUNTED),
        streamed(
            "null-members", part(role="assistant", content=None, refusal=None, tool_calls=None), *GOOD, usage=COUNTED
        ),
        streamed("empty-deltas", says(), *WORDS, says(), STOP, says(), DONE),
        streamed("bare-choices", *bare, DONE),
        streamed(
            "more-members",
            *(says(w, service_tier="x", system_fingerprint=None, timings={"a": 1}) for w in ("To", " be")),
            STOP,
            DONE,
        ),
        streamed(
            "azure-filters",
            event(chunk([], prompt_filter_results=[{"content_filter_results": {}}])),
            *GOOD,
            usage=COUNTED,
        ),
        streamed(
            "tool-calls",
            part(tool_calls=tools[:1]),
            part(tool_calls=[call(0, arguments='{"q": ')]),
            part(tool_calls=[call(0, arguments="1}")]),
            STOP,
            DONE,
        ),
        streamed(
            "parallel-tool-calls",
            part(tool_calls=tools),
            part(tool_calls=[call(1, arguments="{}"), call(0, arguments="[]")]),
            STOP,
            DONE,
        ),
        streamed("tool-call-after-text", *WORDS, part(tool_calls=tools), STOP, DONE),
        streamed(
            "function-call", part(function_call={"name": "f", "arguments": "{}"}), says(finish="function_call"), DONE
        ),
        streamed("reasoning", reasoning[0], *WORDS, STOP, DONE),
        streamed("reasoning-content", reasoning[1], *WORDS, STOP, DONE),
        streamed(
            "reasoning-under-three-names",
            part(reasoning="hmm ", reasoning_content="hmm ", reasoning_details=details),
            *WORDS,
            STOP,
            DONE,
        ),
        streamed("reasoning-with-details", part(reasoning="hmm ", reasoning_details=details), *WORDS, STOP, DONE),
        streamed("refusal", part(refusal="I will not"), STOP, DONE),
        streamed("logprobs", event(chunk([delta(content="To", beside=logprobs)])), STOP, DONE),
        streamed(
            "two-choices",
            *(event(chunk([delta(index=i, content=w)])) for w in ("To", " be") for i in (1, 0)),
            event(chunk([delta("stop"), delta("length", index=1)])),
            DONE,
        ),
        streamed(
            "choices-that-end-apart",
            says("To"),
            event(chunk([delta("stop", index=0)])),
            event(chunk([delta(index=1, content="Be")])),
            event(chunk([delta("stop", index=1)])),
            event(chunk([], usage=USAGE | {"completion_tokens": 4})),
            DONE,
            usage=(IN, 4),
        ),
        streamed(
            "message-repeats-the-text",
            *WORDS,
            event(chunk([delta("stop", beside=repeated)], usage={"total_tokens": 19})),
            DONE,
        ),
        streamed(
            "message-alone-repeats-the-text",
            *WORDS,
            event(chunk([repeated | {"index": 0, "finish_reason": "stop"}])),
            DONE,
        ),
        streamed("emoji-in-halves", *map(event, emoji), STOP, DONE),
        streamed("half-an-emoji", event(alone), STOP, DONE),
        streamed(
            "not-a-number", WORDS[0], event(b'{"choices":[{"delta":{},"finish_reason":"stop","logprobs":NaN}]}'), DONE
        ),
        streamed("a-big-number", says("To", created=1 << 70), STOP, DONE),
        streamed("deeply-nested", event(chunk([delta(content="a", beside={"extra": deep})])), STOP, DONE),
        streamed(
            "escaped", event(rb'{"choices":[{"index":0,"delta":{"content":"\u0054\u006f\n\u0000\"\\"}}]}'), STOP, DONE
        ),
    ]


JSON_TYPE = b"content-type: application/json\r\n"


def answer(message: Any = None, finish: str | None = "stop", *, choices: Any = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": message or {"role": "assistant", "content": TEXT}, "finish_reason": finish}
    base = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
    return base | {"choices": [choice] if choices is None else choices} | more
