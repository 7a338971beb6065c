"""The answer to one question, as the stock `openai` client brings it, and everything its receipt is compared with."""

import asyncio
import base64
import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, AsyncStream

from usufruct.cli.support.gateway_client import GatewayMalformed, GatewayRefused, GatewayUnavailable, Remote
from usufruct.cli.support.local_store import SavedKey
from usufruct.cli.support.output import one_line, say
from usufruct.cli.support.receipt_checks import json_object, text_hash
from usufruct.connectors.openai import delta_text, output_text, well_formed
from usufruct.core import Hash32, Unavailable
from usufruct.payments.pricing import content_hash
from usufruct.web import Members

_TRIES = 2
_MOST_TOKENS = (1 << 63) - 1


class AnswerBroken(Unavailable):
    """The answer broke off; what came of it may be charged."""

    code = "answer_broken"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer and its bill: what it said to its reader, its `usage`, and the receipt as it came, empty if none did.

    `request_hash` and `response_hash` are of what was sent and of what came. `call` is the id under which it came; None
    for an answer that was given before.
    """

    text: str
    usage: Members
    receipt: Mapping[str, Any]
    request_hash: Hash32
    response_hash: Hash32
    call: str | None

    @property
    def named(self) -> str:
        """The call's id, as far as the receipt names one."""
        return one_line(str(self.receipt.get("call", "CALL")))

    @property
    def counts(self) -> dict[str, int]:
        """How many text tokens went in, came out, and both."""
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        return {name: self.usage.integer(name, _MOST_TOKENS) for name in names}

    @property
    def cached(self) -> int:
        """How many of the text tokens that went in were read from a cache; 0 where the bill does not say."""
        details = "prompt_tokens_details"
        if details not in self.usage or "cached_tokens" not in self.usage.inner(details):
            return 0
        return self.usage.inner(details).integer("cached_tokens", _MOST_TOKENS)


async def ask(
    remote: Remote,
    key: SavedKey,
    order: Mapping[str, Any],
    headers: Mapping[str, str],
    show: Callable[[str], None] | None,
    receipt_options: str = "",
) -> Answered:
    """Ask a question; `show` is given a streamed answer piece by piece, without it the answer comes whole.

    `receipt_options`: what `usufruct receipt show` needs here to find the same gateway and key, as on a command line.

    Raises:
        GatewayRefused: when the gateway says no.
        AnswerBroken: when a stream does not come to its end.
        GatewayUnavailable: when nothing answers.
    """
    async with AsyncOpenAI(base_url=f"{remote.url}/v1", api_key=key.key, max_retries=_TRIES) as client:
        try:
            if show is None:
                return await _whole(client, order, headers)
            return await _streamed(client, order, headers, show, receipt_options)
        except APIStatusError as refusal:
            said = refusal.body if isinstance(refusal.body, dict) else {}
            code, message = str(said.get("code", "refused")), str(said.get("message", refusal.message))
            raise GatewayRefused(refusal.status_code, code, message, said.get("details")) from refusal
        except APIConnectionError as error:
            raise GatewayUnavailable(f"{remote.url} does not answer; is it running, and is --gateway right?") from error


async def _whole(client: AsyncOpenAI, order: Mapping[str, Any], headers: Mapping[str, str]) -> Answered:
    raw = await client.chat.completions.with_raw_response.create(**order, extra_headers=headers)
    answer = json_object(raw.content)
    try:
        receipt = orjson.loads(base64.b64decode(raw.headers.get("x-usufruct-receipt", "")))
    except ValueError:
        receipt = None
    text, written = well_formed(_content(answer, "message")), output_text(answer.get("choices"))
    return _answered(text, written, answer.get("usage"), receipt, raw.headers, raw.http_request.content)


async def _streamed(
    client: AsyncOpenAI,
    order: Mapping[str, Any],
    headers: Mapping[str, str],
    show: Callable[[str], None],
    receipt_options: str,
) -> Answered:
    """Read the events as they stand: what is hashed keeps their order, which the client's own types do not."""
    stream = await client.post(
        "/chat/completions",
        cast_to=object,
        body={**order, "stream": True, "stream_options": {"include_usage": True}},
        options={"headers": headers},
        stream=True,
        stream_cls=AsyncStream[object],
    )
    text: list[str] = []
    written: list[str] = []
    usage = receipt = None
    joiner = codecs.getincrementaldecoder("utf-16-le")("replace")  # a character may be cut between two events
    try:
        async for event in stream:
            members = event if isinstance(event, dict) else {}
            text.append(joiner.decode(_content(members, "delta").encode("utf-16-le", "surrogatepass")))
            written.append(delta_text(members.get("choices")))
            show(text[-1])
            usage = members.get("usage") or usage
            receipt = members.get("usufruct") or receipt
        text.append(joiner.decode(b"", final=True))
        show(text[-1])
    except APIError as error:
        show("\n")
        raise AnswerBroken(
            one_line(f"{error.message}; {_what_it_cost(stream.response.headers, receipt_options)}")
        ) from error
    except asyncio.CancelledError:
        show("\n")
        say(f"broken off; {_what_it_cost(stream.response.headers, receipt_options)}")
        raise
    return _answered(
        "".join(text), "".join(written), usage, receipt, stream.response.headers, stream.response.request.content
    )


def _answered(
    text: str, written: str, usage: object, receipt: object, headers: Mapping[str, str], sent: bytes
) -> Answered:
    again = headers.get("x-usufruct-replayed") == "true"
    return Answered(
        text,
        Members(usage if isinstance(usage, dict) else {}, GatewayMalformed, "usage"),
        receipt if isinstance(receipt, dict) else {},
        content_hash(sent),
        text_hash(written),
        None if again else headers.get("x-request-id", "none"),
    )


def _content(answer: Mapping[str, Any], part: str) -> str:
    """Return what the first choice says to its reader, and nothing that a model writes beside it."""
    match answer.get("choices"):
        case [{**choice}, *_]:
            said = choice.get(part)
            content = said.get("content") if isinstance(said, dict) else None
            return content if isinstance(content, str) else ""
    return ""


def _what_it_cost(headers: Mapping[str, str], options: str) -> str:
    return one_line(f"`usufruct receipt show {headers.get('x-request-id', 'CALL')}{options}` shows what it cost")
