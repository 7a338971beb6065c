"""`usufruct call`: one question by the stock `openai` client; its answer on standard output, its bill on the other."""

import sys
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from shlex import quote
from typing import Annotated, Any

import orjson
import typer

from usufruct.cli.support.chat_client import Answered, ask
from usufruct.cli.support.deposits import atomic
from usufruct.cli.support.error_help import WORTH_SAYING, in_whole_units
from usufruct.cli.support.gateway_client import GatewayMalformed, GatewayRefused, GatewayUrl, open_gateway
from usufruct.cli.support.local_store import KeyFile, SavedKey, find_key, save_receipt, saved_channel, saved_token
from usufruct.cli.support.output import Json, plain, print_json, say
from usufruct.cli.support.receipt_checks import believe
from usufruct.cli.support.runner import run
from usufruct.config import Config, load_config
from usufruct.core import (
    UINT128_MAX,
    Address,
    ChainId,
    Conflict,
    Hash32,
    Invalid,
    UsufructError,
    checksum,
    format_units,
    hash32,
)
from usufruct.payments.settlement import Offer


class NoQuestion(Invalid):
    """There is nothing to ask."""

    code = "no_question"


class LimitPassed(Conflict):
    """A call cost more than its caller allowed."""

    code = "limit_passed"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a receipt is compared with; `symbol` of a token that the payer agreed to, None for one they did not."""

    channel: Hash32 | None
    till: Address
    token: Address
    decimals: int
    symbol: str | None
    signer: Address
    chain_id: ChainId


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer cost and could have cost at most, in atomic units of the agreed token."""

    charge: int
    ceiling: int
    agreed: Agreed

    def as_json(self) -> dict[str, object]:
        """Return what it cost in whole units, and of what."""
        cost, limit = self._shown(self.charge), self._shown(self.ceiling)
        return {"cost": cost, "limit": limit, "symbol": self.agreed.symbol, "token": self.agreed.token}

    def check(self, most: int, answered: Answered) -> None:
        """Refuse what passes the most that the call was to cost; its receipt is kept, and shows it.

        Raises:
            LimitPassed: with the receipt's call.
        """
        if max(self.charge, self.ceiling) > most:
            raise LimitPassed(
                f"the gateway did not keep to --limit {self._shown(most)}: {self.line()}; its receipt is kept as "
                f"evidence: `usufruct receipt show {answered.named}`",
                call=answered.named,
            )

    def line(self) -> str:
        """Return it as words; a token that nobody agreed to is called by its address."""
        unit = self.agreed.symbol or f"of {checksum(self.agreed.token)}"
        return f"{self._shown(self.charge)} {unit}, limit {self._shown(self.ceiling)} {unit}"

    def _shown(self, amount: int) -> str:
        return format_units(amount, self.agreed.decimals)


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
            offer = await remote.offer(config)
            headers = {"idempotency-key": token_hex(16)}  # so that the client's own retries are charged once
            most = atomic(limit, offer, "limit") if limit else UINT128_MAX
            if limit:
                headers["x-usufruct-limit"] = str(most)
            streamed = stream and not as_json
            try:
                options = _receipt_options(key_file, gateway)
                answered = await ask(remote, key, order, headers, _show if streamed else None, options)
            except GatewayRefused as refusal:
                if refusal.reason not in WORTH_SAYING:
                    raise
                raise in_whole_units(refusal, offer, key) from refusal
        if not as_json:
            _show("\n" if streamed else answered.text + "\n")
        agreed = _agreed(key, offer, config)
        cost = _cost(answered, agreed)
        try:
            _keep(answered, cost, key, agreed, config)
        except UsufructError:
            _tell(answered, cost, as_json=as_json)
            if not as_json:  # it is among what was printed there
                say(f"receipt {orjson.dumps(answered.receipt).decode()}")
            raise
        _tell(answered, cost, as_json=as_json)
        cost.check(most, answered)

    run(work)


def _receipt_options(key_file: Path | None, gateway: str) -> str:
    """Return what names the same key and gateway to `usufruct receipt show`: "", or options after a space."""
    named = {"--key-file": str(key_file or ""), "--gateway": gateway}
    return "".join(f" {option} {quote(value)}" for option, value in named.items() if value)


def _agreed(key: SavedKey, offer: Offer, config: Config) -> Agreed:
    """Take the terms from what this machine keeps of the key's channel, and only what it does not from the gateway."""
    channel = hash32(key.channel, "channel") if key.channel else None
    of = saved_channel(config, channel) if channel else None
    known = saved_token(config, channel) if channel else None
    return Agreed(
        channel=channel,
        till=of.receiver if of else offer.till,
        token=of.token if of else offer.token.address,
        decimals=known.decimals if known else offer.token.decimals,
        symbol=known.symbol if known else None,
        signer=offer.receipts,
        chain_id=offer.chain_id,
    )


def _cost(answered: Answered, agreed: Agreed) -> Cost:
    if not answered.receipt:
        raise GatewayMalformed("the answer carries no receipt; is it a gateway?")
    details = answered.usage.inner("cost_details")
    return Cost(details.amount("charge"), details.amount("ceiling"), agreed)


def _keep(answered: Answered, cost: Cost, key: SavedKey, agreed: Agreed, config: Config) -> None:
    """Keep the receipt, if it is in order."""
    document = believe(
        answered.receipt,
        at_most={"amount": cost.ceiling, "cumulative": key.limit},
        call=answered.call,
        request_hash=answered.request_hash,
        response_hash=answered.response_hash,
        account=agreed.channel,
        token=agreed.token,
        amount=cost.charge,
        till=agreed.till,
        chain_id=agreed.chain_id,
        signer=agreed.signer,
    )
    save_receipt(config, document.receipt.call, answered.receipt)


def _show(piece: str) -> None:
    sys.stdout.write(plain(piece) if sys.stdout.isatty() else piece)
    sys.stdout.flush()


def _tell(answered: Answered, cost: Cost, *, as_json: bool) -> None:
    counts = answered.counts
    if not as_json:
        cached = f" ({answered.cached} cached)" if answered.cached else ""
        say(f"{counts['prompt_tokens']} in{cached}, {counts['completion_tokens']} out, {cost.line()}")
        say(f"call {answered.named}")
        return
    print_json({"answer": answered.text, "usage": counts, **cost.as_json(), "receipt": answered.receipt})
