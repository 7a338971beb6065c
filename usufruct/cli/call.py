"""`usufruct call`: one question; its answer on standard output, its bill on standard error."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from shlex import quote
from typing import Annotated, Any

from typer import Argument, Option

from usufruct.cli.support.chat_client import EXPLAINED, Answered, ask, in_whole_units
from usufruct.cli.support.command import runs
from usufruct.cli.support.deposits import configured_token
from usufruct.cli.support.gateway_client import GatewayUrl, open_gateway, terms_of
from usufruct.cli.support.local_store import KeyFile, KeyId, SavedKey, find_keys, save_receipt, saved_channel
from usufruct.cli.support.output import Json, plain, print_json, say
from usufruct.cli.support.receipt_checks import ReceiptUnit, check_receipt
from usufruct.config import Config
from usufruct.core import UINT128_MAX, Conflict, Invalid, UsufructError, hash32, parse_units
from usufruct_client import Agreed, BadAnswer, ClientError, GatewayRefused
from usufruct_client.wire import Terms

_NEXT_KEY = frozenset({"insufficient_balance", "limit_reached", "day_limit_reached", "asset_out_of_scope"})
_NEXT_KEY |= {"key_expired", "key_revoked", "key_unknown", "grant_expired", "grant_refused"}
"""Refusals after which another key may do: nothing was charged."""


@runs()
def call(
    config: Config,
    model: Annotated[str, Argument(help="The service; the gateway's /v1/models lists them.")],
    question: Annotated[str, Argument(help="What to ask; - reads it from standard input.")],
    stream: Annotated[bool, Option(help="Show the answer as it comes.")] = True,
    limit: Annotated[str, Option(help="The most this call may cost, such as 0.01.")] = "",
    max_tokens: Annotated[int | None, Option(min=1, help="The most text tokens of answer.")] = None,
    system: Annotated[str, Option(help="Instructions that come before the question.")] = "",
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
    unit: ReceiptUnit | None = None
    try:
        agreed, unit = _agreed(answered, used, terms, config)
        save_receipt(config, check_receipt(answered.receipt, agreed))
    except (UsufructError, ClientError):
        _tell(answered, unit, as_json=as_json)
        if not as_json and answered.receipt:  # it is among what was printed there
            say(f"receipt {json.dumps(answered.receipt)}")
        raise
    _tell(answered, unit, as_json=as_json)
    if max(answered.cost.charge, answered.cost.ceiling) > most:
        raise Conflict(
            f"the gateway did not keep to --limit {unit.shown(most)}: {_cost_line(answered, unit)}; its receipt is "
            f"kept as evidence: `usufruct receipt show {answered.call}`",
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


def _agreed(answered: Answered, key: SavedKey, terms: Terms, config: Config) -> tuple[Agreed, ReceiptUnit]:
    """Return what the receipt must say, and what its amounts are in.

    Both as this machine keeps the key's channel: only what it does not keep is the gateway's word.
    """
    if not answered.receipt:
        raise BadAnswer("the answer carries no receipt; is it a gateway?")
    channel = hash32(key.channel, "channel") if key.channel else None
    saved = saved_channel(config, channel) if channel else None
    token = saved.token if saved else None
    if token is None and terms.token.address == configured_token(config):
        token = terms.token
    agreed = Agreed(
        account=channel,
        chain_id=terms.chain_id,
        till=saved.channel_config.receiver if saved else terms.till,
        token=saved.channel_config.token if saved else terms.token.address,
        request_hash=answered.bill.request_hash,
        response_hash=answered.bill.response_hash,
        ceiling=answered.cost.ceiling,
        signed=UINT128_MAX if key.limit is None else key.limit,
        signers=frozenset({terms.receipt_signer}),
        call=answered.bill.call,
        charge=answered.cost.charge,
    )
    return agreed, ReceiptUnit(agreed.token, (token or terms.token).decimals, token.symbol if token else None)


def _show(piece: str) -> None:
    sys.stdout.write(plain(piece) if sys.stdout.isatty() else piece)
    sys.stdout.flush()


def _tell(answered: Answered, unit: ReceiptUnit | None, *, as_json: bool) -> None:
    """Say what was paid for, and what it cost; without a unit the bill cannot be read."""
    if as_json:
        print_json({"answer": answered.text, **_bill(answered, unit), "receipt": answered.receipt})
        return
    if unit:
        counts, cached = answered.counts, f" ({answered.cached} cached)" if answered.cached else ""
        used = f"{counts['prompt_tokens']} in{cached}, {counts['completion_tokens']} out"
        say(f"{used}, {_cost_line(answered, unit)}")
    say(f"call {answered.call}")


def _bill(answered: Answered, unit: ReceiptUnit | None) -> dict[str, object]:
    if unit is None:
        return {}
    cost, limit = unit.shown(answered.cost.charge), unit.shown(answered.cost.ceiling)
    saved = {"saved": unit.shown(answered.cost.saved)} if answered.cost.saved else {}
    named = {"symbol": unit.symbol, "token": unit.token}
    return {"usage": answered.counts, "cost": cost, **saved, "limit": limit, **named}


def _cost_line(answered: Answered, unit: ReceiptUnit) -> str:
    cost = answered.cost
    saved = f", {unit.words(cost.saved)} saved by the staking level" if cost.saved else ""
    return f"{unit.words(cost.charge)}{saved}, limit {unit.words(cost.ceiling)}"
