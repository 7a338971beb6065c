"""`usufruct call`: one question by the stock `openai` client; its answer on standard output, its bill on the other."""

import asyncio
import base64
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex
from typing import Annotated, Any

import httpx
import orjson
import typer
from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI
from openai.types import CompletionUsage

from usufruct.chain import checksum
from usufruct.cli.checking import believe
from usufruct.cli.depositing import atomic
from usufruct.cli.printing import Json, one_line, plain, print_json, say
from usufruct.cli.refusals import WORTH_SAYING, in_whole_units
from usufruct.cli.remote import (
    GatewayMalformed,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUrl,
    Remote,
    open_gateway,
)
from usufruct.cli.running import run
from usufruct.cli.saved import KeyFile, SavedKey, find_key, save_receipt, saved_token
from usufruct.config import Config, load_config
from usufruct.core import UINT128_MAX, Address, Conflict, Hash32, Invalid, Unavailable, format_units, hash32
from usufruct.payments import MOST_DECIMALS
from usufruct.web import Members

_TRIES = 2


class NoQuestion(Invalid):
    """There is nothing to ask."""

    code = "no_question"


class LimitPassed(Conflict):
    """A call cost more than its caller allowed."""

    code = "limit_passed"


class AnswerBroken(Unavailable):
    """The answer broke off; what came of it may be charged."""

    code = "answer_broken"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer and its bill; the receipt as it came, and the hash of what was asked."""

    text: str
    usage: CompletionUsage
    receipt: dict[str, Any]
    request_hash: Hash32

    @property
    def call(self) -> str:
        """The call's id, as far as the receipt names one."""
        return one_line(str(self.receipt.get("call", "CALL")))


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer cost and could have cost at most, in atomic units; `symbol` of a token that was agreed to."""

    charge: int
    ceiling: int
    token: Address
    decimals: int
    symbol: str | None

    def as_json(self) -> dict[str, object]:
        """Return what it cost in whole units, and of what."""
        cost, limit = self._shown(self.charge), self._shown(self.ceiling)
        return {"cost": cost, "limit": limit, "symbol": self.symbol, "token": self.token}

    def check(self, most: int, answered: "Answered") -> None:
        """Refuse what passes the most that the call was to cost; its receipt is kept, and shows it.

        Raises:
            LimitPassed: with the receipt's call.
        """
        if max(self.charge, self.ceiling) > most:
            raise LimitPassed(
                f"the gateway did not keep to --limit {self._shown(most)}: {self.line()}; its receipt is kept as "
                f"evidence: `usufruct receipt show {answered.call}`",
                call=answered.call,
            )

    def line(self) -> str:
        """Return it as words; a token that nobody agreed to is called by its address."""
        unit = self.symbol or f"of {checksum(self.token)}"
        return f"{self._shown(self.charge)} {unit}, limit {self._shown(self.ceiling)} {unit}"

    def _shown(self, amount: int) -> str:
        return format_units(amount, self.decimals)


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
            most = atomic(limit, await remote.offer(config), "limit") if limit else UINT128_MAX
            if limit:
                headers["x-usufruct-limit"] = str(most)
            order["extra_headers"] = headers
            streamed = stream and not as_json
            try:
                answered = await _ask(remote, key, order, _show if streamed else None)
            except GatewayRefused as refusal:
                if refusal.reason not in WORTH_SAYING:
                    raise
                raise in_whole_units(refusal, await remote.offer(config), key.channel) from refusal
        if not as_json:
            _show("\n" if streamed else answered.text + "\n")
        cost = _cost(answered, key, config)
        _tell(answered, cost, as_json=as_json)
        _keep(answered, cost, key, config)
        cost.check(most, answered)

    run(work)


async def _ask(remote: Remote, key: SavedKey, order: dict[str, Any], show: Callable[[str], None] | None) -> Answered:
    async with AsyncOpenAI(base_url=f"{remote.url}/v1", api_key=key.key, max_retries=_TRIES) as client:
        try:
            return await (_streamed(client, order, show) if show else _whole(client, order))
        except APIStatusError as refusal:
            said = refusal.body if isinstance(refusal.body, dict) else {}
            code, message = str(said.get("code", "refused")), str(said.get("message", refusal.message))
            raise GatewayRefused(refusal.status_code, code, message, said.get("details")) from refusal
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
    text = answer.choices[0].message.content or ""
    return Answered(text, answer.usage, _receipt(receipt), _hash(raw.http_request.content))


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
        said = error.message if isinstance(error, APIError) else type(error).__name__
        raise AnswerBroken(one_line(f"{said}; {_what_it_cost(stream.response)}")) from error
    except asyncio.CancelledError:
        show("\n")
        say(f"broken off; {_what_it_cost(stream.response)}")
        raise
    if usage is None:
        raise GatewayMalformed("the answer ended without a bill; is it a gateway?")
    return Answered("".join(pieces), usage, _receipt(receipt), _hash(stream.response.request.content))


def _what_it_cost(response: httpx.Response) -> str:
    return one_line(f"`usufruct receipt show {response.headers.get('x-request-id', 'CALL')}` tells what it cost")


def _hash(content: bytes) -> Hash32:
    return Hash32("0x" + sha256(content).hexdigest())


def _receipt(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise GatewayMalformed("the answer carries no receipt; is it a gateway?")
    return found


def _cost(answered: Answered, key: SavedKey, config: Config) -> Cost:
    """Read the bill; the agreed token's own decimals count, where one was agreed for the key's channel."""
    known = saved_token(config, hash32(key.channel, "channel")) if key.channel else None
    try:
        details = Members((answered.usage.model_extra or {})["cost_details"], GatewayMalformed)
    except (KeyError, TypeError):
        raise GatewayMalformed("the answer carries no bill; is it a gateway?") from None
    token, decimals = details.address("token"), details.integer("decimals", MOST_DECIMALS)
    agreed = known if known and known.address == token else None
    return Cost(
        details.amount("charge"),
        details.amount("ceiling"),
        token,
        agreed.decimals if agreed else decimals,
        agreed.symbol if agreed else None,
    )


def _keep(answered: Answered, cost: Cost, key: SavedKey, config: Config) -> None:
    """Keep the receipt, if it is in order."""
    document = believe(
        answered.receipt,
        request_hash=answered.request_hash,
        channel=key.channel or None,
        token=cost.token,
        amount=cost.charge,
    )
    save_receipt(config, document.receipt.call, answered.receipt)


def _show(piece: str) -> None:
    sys.stdout.write(plain(piece) if sys.stdout.isatty() else piece)
    sys.stdout.flush()


def _tell(answered: Answered, cost: Cost, *, as_json: bool) -> None:
    if not as_json:
        say(f"{answered.usage.prompt_tokens} in, {answered.usage.completion_tokens} out, {cost.line()}")
        say(f"call {answered.call}")
        return
    usage = answered.usage.model_dump(include={"prompt_tokens", "completion_tokens", "total_tokens"})
    print_json({"answer": answered.text, "usage": usage, **cost.as_json(), "receipt": answered.receipt})
