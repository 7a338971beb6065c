"""`usufruct call`: one question; its answer on standard output, its bill on standard error."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from shlex import quote
from typing import Annotated, Any

import typer

from usufruct.cli.support.chat_client import Answered, ask
from usufruct.cli.support.command import runs
from usufruct.cli.support.deposits import configured_token
from usufruct.cli.support.error_help import EXPLAINED, in_whole_units
from usufruct.cli.support.gateway_client import GatewayUrl, open_gateway, terms_of
from usufruct.cli.support.local_store import KeyFile, KeyId, SavedKey, find_keys, save_receipt, saved_channel
from usufruct.cli.support.output import Json, plain, print_json, say
from usufruct.cli.support.receipt_checks import check_receipt
from usufruct.config import Config
from usufruct.core import (
    UINT128_MAX,
    Address,
    Conflict,
    Invalid,
    UsufructError,
    checksum,
    format_units,
    hash32,
    parse_units,
)
from usufruct_client import Agreed, BadAnswer, ClientError, GatewayRefused
from usufruct_client.wire import Terms

_NEXT_KEY = frozenset({"insufficient_balance", "limit_reached", "asset_out_of_scope"})
_NEXT_KEY |= {"key_expired", "key_revoked", "key_unknown", "grant_expired", "grant_refused"}
"""Refusals after which another key may do: nothing was charged."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer cost and could have cost at most, in atomic units, and what it was paid from.

    That is as this machine keeps the key's channel; only what it does not keep is the gateway's word. `symbol` is None
    for a token that the payer did not agree to.
    """

    charge: int
    ceiling: int
    channel: str | None
    till: str
    token: str
    decimals: int
    symbol: str | None

    def shown(self, amount: int) -> str:
        """Write an amount in whole units of the token."""
        return format_units(amount, self.decimals)

    def as_json(self) -> dict[str, object]:
        """Return what it cost in whole units, and of what."""
        cost, limit = self.shown(self.charge), self.shown(self.ceiling)
        return {"cost": cost, "limit": limit, "symbol": self.symbol, "token": self.token}

    def line(self) -> str:
        """Return it as words; a token that was not agreed to is called by its address."""
        unit = self.symbol or f"of {checksum(Address(self.token))}"
        return f"{self.shown(self.charge)} {unit}, limit {self.shown(self.ceiling)} {unit}"


@runs()
def call(
    config: Config,
    model: Annotated[str, typer.Argument(help="The service; the gateway's /v1/models lists them.")],
    question: Annotated[str, typer.Argument(help="What to ask; - reads it from standard input.")],
    stream: Annotated[bool, typer.Option(help="Show the answer as it comes.")] = True,
    limit: Annotated[str, typer.Option(help="The most this call may cost, such as 0.01.")] = "",
    max_tokens: Annotated[int | None, typer.Option(min=1, help="The most text tokens of answer.")] = None,
    system: Annotated[str, typer.Option(help="Instructions that come before the question.")] = "",
    key: KeyId = "",
    key_file: KeyFile = None,
    gateway: GatewayUrl = "",
    as_json: Json = False,
) -> None:
    """Ask a service one question, paid by a bearer key, and keep the receipt.

    Of the kept keys and grants, the one used last pays; if it does not fit or has no money, the next one does.
    """
    asked = sys.stdin.read() if question == "-" else question
    if not asked.strip():
        raise Invalid(
            "the question is empty; write it as the second argument, or - and give it on standard input",
            code="no_question",
        )
    messages = [{"role": "system", "content": system}] if system else []
    order: dict[str, Any] = {"model": model, "messages": [*messages, {"role": "user", "content": asked}]}
    if max_tokens is not None:
        order["max_tokens"] = max_tokens
    with open_gateway(gateway, config) as remote:
        keys = find_keys(config, remote.url, key_file, key)
        terms = terms_of(remote, config)
        headers = {"idempotency-key": token_hex(16)}  # so that the client's own retries are charged once
        most = parse_units(limit, terms.token.decimals, "limit") if limit else UINT128_MAX
        if limit:
            headers["x-usufruct-limit"] = str(most)
        streamed = stream and not as_json
        options = _receipt_options(key_file, gateway)
        used, answered = _ask(
            keys, terms, lambda each: ask(remote.url, each, order, headers, _show if streamed else None, options)
        )
    if not as_json:
        _show("\n" if streamed else answered.text + "\n")
    cost: Cost | None = None
    try:
        cost = _cost(answered, used, terms, config)
        _keep(answered, cost, used, terms, config)
    except (UsufructError, ClientError):
        _tell(answered, cost, as_json=as_json)
        if not as_json and answered.receipt:  # it is among what was printed there
            say(f"receipt {json.dumps(answered.receipt)}")
        raise
    _tell(answered, cost, as_json=as_json)
    if max(cost.charge, cost.ceiling) > most:
        raise Conflict(
            f"the gateway did not keep to --limit {cost.shown(most)}: {cost.line()}; its receipt is kept as evidence: "
            f"`usufruct receipt show {answered.call}`",
            code="limit_passed",
        )


def _ask(keys: list[SavedKey], terms: Terms, ask_with: Callable[[SavedKey], Answered]) -> tuple[SavedKey, Answered]:
    """Ask with the first key that fits and has money; return it, and the answer."""
    first: GatewayRefused | None = None
    for each in keys:
        try:
            return each, ask_with(each)
        except GatewayRefused as refused:
            explained = in_whole_units(refused, terms, each) if refused.reason in EXPLAINED else refused
            if refused.reason not in _NEXT_KEY:
                raise explained from refused
            first = first or explained
    assert first is not None
    raise first


def _receipt_options(key_file: Path | None, gateway: str) -> str:
    """Return what names the same key and gateway to `usufruct receipt show`: "", or options after a space."""
    named = {"--key-file": str(key_file or ""), "--gateway": gateway}
    return "".join(f" {option} {quote(value)}" for option, value in named.items() if value)


def _cost(answered: Answered, key: SavedKey, terms: Terms, config: Config) -> Cost:
    if not answered.receipt:
        raise BadAnswer("the answer carries no receipt; is it a gateway?")
    details = answered.usage.cost_details
    channel = hash32(key.channel, "channel") if key.channel else None
    saved = saved_channel(config, channel) if channel else None
    agreed = saved.token if saved else None
    if agreed is None and terms.token.address == configured_token(config):
        agreed = terms.token
    return Cost(
        charge=details.charge,
        ceiling=details.ceiling,
        channel=channel,
        till=saved.channel_config.receiver if saved else terms.till,
        token=saved.channel_config.token if saved else terms.token.address,
        decimals=(agreed or terms.token).decimals,
        symbol=agreed.symbol if agreed else None,
    )


def _keep(answered: Answered, cost: Cost, key: SavedKey, terms: Terms, config: Config) -> None:
    """Keep the receipt, if it is in order."""
    agreed = Agreed(
        account=cost.channel,
        chain_id=terms.chain_id,
        till=cost.till,
        token=cost.token,
        request_hash=answered.bill.request_hash,
        response_hash=answered.bill.response_hash,
        ceiling=cost.ceiling,
        signed=UINT128_MAX if key.limit is None else key.limit,
        signers=frozenset({terms.receipt_signer}),
        call=answered.bill.call,
        charge=cost.charge,
    )
    save_receipt(config, check_receipt(answered.receipt, agreed))


def _show(piece: str) -> None:
    sys.stdout.write(plain(piece) if sys.stdout.isatty() else piece)
    sys.stdout.flush()


def _tell(answered: Answered, cost: Cost | None, *, as_json: bool) -> None:
    """Say what was paid for, and what it cost; that is None for a bill that cannot be read."""
    bill = {"usage": answered.counts, **cost.as_json()} if cost else {}
    if as_json:
        print_json({"answer": answered.text, **bill, "receipt": answered.receipt})
        return
    if cost:
        counts, cached = answered.counts, f" ({answered.cached} cached)" if answered.cached else ""
        say(f"{counts['prompt_tokens']} in{cached}, {counts['completion_tokens']} out, {cost.line()}")
    say(f"call {answered.call}")
