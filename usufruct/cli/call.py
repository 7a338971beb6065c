"""`usufruct call`: one question by the stock `openai` client; its answer on standard output, its bill on the other."""

import base64
import sys
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Annotated, Any

import httpx
import orjson
import typer
from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI
from openai.types import CompletionUsage

from usufruct.cli.depositing import atomic
from usufruct.cli.printing import Json, one_line, plain, print_json, say
from usufruct.cli.remote import (
    GatewayMalformed,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUrl,
    Remote,
    open_gateway,
)
from usufruct.cli.running import run
from usufruct.cli.saved import KeyFile, SavedKey, find_key, save_receipt
from usufruct.config import load_config
from usufruct.core import Invalid, Unavailable, format_units

_TRIES = 2


class NoQuestion(Invalid):
    """There is nothing to ask."""

    code = "no_question"


class AnswerBroken(Unavailable):
    """The answer broke off; what came of it may be charged."""

    code = "answer_broken"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer and its bill; the receipt as it came."""

    text: str
    usage: CompletionUsage
    receipt: dict[str, Any]

    @property
    def bill(self) -> dict[str, Any]:
        """Return what it cost and the most it could have cost, in whole units."""
        extra = self.usage.model_extra or {}
        try:
            details = extra["cost_details"]
            return {"cost": extra["cost"], "limit": format_units(int(details["ceiling"]), int(details["decimals"]))}
        except (KeyError, TypeError, ValueError):
            raise GatewayMalformed("the answer carries no bill; is it a gateway?") from None

    def line(self) -> str:
        """Return the bill as one line."""
        used, bill = self.usage, self.bill
        return f"{used.prompt_tokens} in, {used.completion_tokens} out, ${bill['cost']}, limit ${bill['limit']}"


def call(
    model: Annotated[str, typer.Argument(help="The service; the gateway's /v1/models lists them.")],
    question: Annotated[str, typer.Argument(help="What to ask; - reads it from standard input.")],
    stream: Annotated[bool, typer.Option(help="Show the answer as it comes.")] = True,
    limit: Annotated[str, typer.Option(help="The most this call may cost, such as 0.01.")] = "",
    max_tokens: Annotated[int | None, typer.Option(min=1, help="The most text tokens of answer.")] = None,
    system: Annotated[str, typer.Option(help="Instructions that come before the question.")] = "",
    key_file: KeyFile = None,
    gateway: GatewayUrl = "",
    as_json: Json = False,
) -> None:
    """Ask a service one question, paid by a bearer key, and keep the receipt."""
    config = load_config()
    asked = sys.stdin.read() if question == "-" else question
    if not asked.strip():
        raise NoQuestion("the question is empty; write it as the second argument, or - and give it on standard input")
    messages = [{"role": "system", "content": system}] if system else []
    order: dict[str, Any] = {"model": model, "messages": [*messages, {"role": "user", "content": asked}]}
    if max_tokens is not None:
        order["max_tokens"] = max_tokens

    async def work() -> None:
        async with open_gateway(gateway, config) as remote:
            key = find_key(config, remote.url, key_file)
            headers = {"idempotency-key": token_hex(16)}  # so that the client's own retries are charged once
            if limit:
                headers["x-usufruct-limit"] = str(atomic(limit, await remote.offer(config), "limit"))
            order["extra_headers"] = headers
            streamed = stream and not as_json
            answered = await _ask(remote, key, order, _show if streamed else None)
        save_receipt(config, answered.receipt)
        _print(answered, streamed=streamed, as_json=as_json)

    run(work)


async def _ask(remote: Remote, key: SavedKey, order: dict[str, Any], show: Callable[[str], None] | None) -> Answered:
    async with AsyncOpenAI(base_url=f"{remote.url}/v1", api_key=key.key, max_retries=_TRIES) as client:
        try:
            return await (_streamed(client, order, show) if show else _whole(client, order))
        except APIStatusError as refusal:
            said = refusal.body if isinstance(refusal.body, dict) else {}
            raise GatewayRefused(
                refusal.status_code, str(said.get("code", "refused")), str(said.get("message", refusal.message))
            ) from refusal
        except APIConnectionError as error:
            raise GatewayUnavailable(f"{remote.url} does not answer; is it running, and is --gateway right?") from error


async def _whole(client: AsyncOpenAI, order: dict[str, Any]) -> Answered:
    raw = await client.chat.completions.with_raw_response.create(**order)
    answer = raw.parse()
    if not answer.choices or answer.usage is None:
        raise GatewayMalformed("the answer has no choice or no usage; is it a gateway?")
    try:
        receipt = orjson.loads(base64.b64decode(raw.headers.get("x-usufruct-receipt", "")))
    except ValueError:
        receipt = None
    return Answered(answer.choices[0].message.content or "", answer.usage, _receipt(receipt))


async def _streamed(client: AsyncOpenAI, order: dict[str, Any], show: Callable[[str], None]) -> Answered:
    stream = await client.chat.completions.create(**order, stream=True, stream_options={"include_usage": True})
    pieces: list[str] = []
    usage = receipt = None
    try:
        async for chunk in stream:
            for choice in chunk.choices:
                pieces.append(choice.delta.content or "")
                show(pieces[-1])
            usage = chunk.usage or usage
            receipt = (chunk.model_extra or {}).get("usufruct") or receipt
    except (APIError, httpx.HTTPError) as error:
        show("\n")
        call_id = stream.response.headers.get("x-request-id", "")
        said = error.message if isinstance(error, APIError) else type(error).__name__
        raise AnswerBroken(
            one_line(f"{said}; `usufruct receipt show {call_id}` tells what it cost"), call=call_id
        ) from error
    if usage is None:
        raise GatewayMalformed("the answer ended without a bill; is it a gateway?")
    return Answered("".join(pieces), usage, _receipt(receipt))


def _receipt(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise GatewayMalformed("the answer carries no receipt; is it a gateway?")
    return found


def _show(piece: str) -> None:
    sys.stdout.write(plain(piece) if sys.stdout.isatty() else piece)
    sys.stdout.flush()


def _print(answered: Answered, *, streamed: bool, as_json: bool) -> None:
    if as_json:
        usage = answered.usage.model_dump(include={"prompt_tokens", "completion_tokens", "total_tokens"})
        print_json({"answer": answered.text, "usage": usage, **answered.bill, "receipt": answered.receipt})
        return
    _show("\n" if streamed else answered.text + "\n")
    say(answered.line())
