"""Make, list and revoke bearer keys by a wallet's signature."""

from collections.abc import Sequence
from secrets import randbits
from typing import Annotated, Any

import typer

from usufruct.accounts import KeyDomain, KeyTerms, key_digest, list_digest, revoke_digest
from usufruct.chain import TokenFacts
from usufruct.chain.keys import KeySigner
from usufruct.cli.support.deposits import atomic, check_channel, deposit_from, payable
from usufruct.cli.support.durations import parse_duration, proof_end
from usufruct.cli.support.gateway_client import GatewayMalformed, GatewayUrl, Remote, open_gateway
from usufruct.cli.support.local_store import (
    KeyFile,
    SavedKey,
    check_key_id,
    find_key,
    forget_key,
    save_channel,
    save_key,
)
from usufruct.cli.support.output import Json, one_line, print_facts, print_rows, say
from usufruct.cli.support.runner import run
from usufruct.cli.support.token_choice import Token
from usufruct.cli.support.wallet_option import Wallet, open_wallet
from usufruct.config import Config, load_config
from usufruct.core import LAST_MOMENT, UINT128_MAX, NotFound, SystemClock, format_units, moment
from usufruct.payments.pricing import ChannelConfig
from usufruct.payments.settlement import Offer
from usufruct.web import Members, read_document

app = typer.Typer()


class UnknownService(NotFound):
    """A key was wanted for a service that the gateway does not offer."""

    code = "unknown_service"


@app.command()
def create(
    wallet: Wallet,
    limit: Annotated[str, typer.Option(help="The most it may spend in its life, such as 5.00.")],
    expires: Annotated[str, typer.Option(help="How long it holds: 30d, 12h, 45m.")] = "30d",
    asset: Annotated[list[str] | None, typer.Option(help="A service it may call, repeatable; default: all.")] = None,
    label: Annotated[str, typer.Option(help="A name for yourself.")] = "",
    deposit: Annotated[str, typer.Option(help="Pay this much into its channel, by signature: no gas.")] = "",
    token: Token = "",
    save: Annotated[bool, typer.Option("--save", help="Keep it on this machine for `usufruct call`.")] = False,
    gateway: GatewayUrl = "",
    as_json: Json = False,
) -> None:
    """Make a key. It is printed once, and the gateway cannot show it again."""
    config = load_config()
    seconds = parse_duration(expires, "expires")

    async def work() -> None:
        signer = open_wallet(wallet, config)
        async with open_gateway(gateway, config) as remote:
            offer = await remote.offer(config)
            wanted = atomic(deposit, offer, "deposit") if deposit else 0
            if asset:
                await _check_services(remote, asset)
            paid_in = await payable(signer, offer, wanted, token, config) if deposit else None
            until = SystemClock().now() + seconds
            terms = KeyTerms(signer.address, atomic(limit, offer, "limit"), until, frozenset(asset or ()), label)
            made = await _create(remote, offer, signer, terms)
            told = Members(made, GatewayMalformed)
            key = SavedKey(remote.url, told.text("id"), told.text("channel"), told.text("key"), terms.spending_limit)
            facts = {"key": key.key, **_facts(made, offer), "balance": "0"}
            try:
                facts["file"] = str(save_key(config, key)) if save else None
                into = _remember(made, offer, signer, paid_in, config)
                if paid_in:
                    facts["balance"] = None  # until it is known
                    paid = await deposit_from(signer, remote, paid_in, into, wanted, config)
                    facts["balance"] = format_units(paid, offer.token.decimals)
            finally:  # whatever came of the deposit: the key is made, and this is the only time it is shown
                print_facts(facts, as_json=as_json)
                say("The key is not shown again: keep it now. Whoever has it can spend up to its limit.")
                if facts["balance"] in (None, "0"):
                    say(f"Calls need money: `usufruct channel deposit {key.channel} AMOUNT --wallet {wallet}`")

    run(work)


@app.command("list")
def list_keys(wallet: Wallet, gateway: GatewayUrl = "", as_json: Json = False) -> None:
    """List the wallet's keys at a gateway, newest first."""
    config = load_config()

    async def work() -> None:
        signer = open_wallet(wallet, config)
        async with open_gateway(gateway, config) as remote:
            offer = await remote.offer(config)
            until = proof_end()
            digest = list_digest(KeyDomain(offer.chain_id, offer.till), signer.address, until)
            found = await remote.ask("POST", "/v1/keys/list", _timed(signer, until, digest))
        rows = [_facts(key, offer) for key in Members(found, GatewayMalformed).objects("keys")]
        columns = ("id", "label", "limit", "expires", "state", "channel")
        print_rows(rows, columns, "no key yet; `usufruct key create` makes one", as_json=as_json)

    run(work)


@app.command()
def revoke(key_id: str, wallet: Wallet, gateway: GatewayUrl = "", as_json: Json = False) -> None:
    """Revoke a key: it stops at once, and its unused money comes back to the wallet."""
    config = load_config()
    check_key_id(key_id)

    async def work() -> None:
        signer = open_wallet(wallet, config)
        async with open_gateway(gateway, config) as remote:
            offer = await remote.offer(config)
            until = proof_end()
            digest = revoke_digest(KeyDomain(offer.chain_id, offer.till), signer.address, key_id, until)
            revoked = await remote.ask("POST", f"/v1/keys/{key_id}/revoke", _timed(signer, until, digest))
        forget_key(config, key_id)
        print_facts(_facts(revoked, offer), as_json=as_json)

    run(work)


@app.command()
def show(key_file: KeyFile = None, gateway: GatewayUrl = "", as_json: Json = False) -> None:
    """Show what a kept key has spent, and what is left of its limit and of its deposit."""
    config = load_config()

    async def work() -> None:
        async with open_gateway(gateway, config) as remote:
            key = find_key(config, remote.url, key_file)
            offer = await remote.offer(config)
            found = await remote.ask("GET", "/v1/keys/current", headers=key.headers)
        told, decimals = Members(found, GatewayMalformed), offer.token.decimals
        money = {name: format_units(told.amount(name), decimals) for name in ("charged", "left", "free")}
        print_facts(_facts(found, offer) | money, as_json=as_json)

    run(work)


async def _check_services(remote: Remote, names: Sequence[str]) -> None:
    """Refuse a key for a service that the gateway does not offer: it could call nothing."""
    offered = [
        str(each.get("id")) for each in Members(await remote.ask("GET", "/v1/models"), GatewayMalformed).objects("data")
    ]
    for name in names:
        if name not in offered:
            raise UnknownService(
                one_line(f"--asset: {remote.url} offers no service {name!r}; it has {', '.join(offered) or 'none'}"),
                field="asset",
            )


async def _create(remote: Remote, offer: Offer, signer: KeySigner, terms: KeyTerms) -> dict[str, Any]:
    nonce = randbits(256)
    digest = key_digest(KeyDomain(offer.chain_id, offer.till), terms, nonce)
    return await remote.ask(
        "POST",
        "/v1/keys",
        {
            "payer": terms.payer,
            "spendingLimit": str(terms.spending_limit),
            "expiresAt": terms.expires_at,
            "assets": sorted(terms.assets),
            "label": terms.label,
            "nonce": str(nonce),
            "signature": "0x" + signer.sign(digest).hex(),
        },
    )


def _timed(signer: KeySigner, until: int, digest: bytes) -> dict[str, object]:
    return {"payer": signer.address, "expiresAt": until, "signature": "0x" + signer.sign(digest).hex()}


def _remember(
    made: dict[str, Any], offer: Offer, signer: KeySigner, token: TokenFacts | None, config: Config
) -> ChannelConfig:
    """Keep a new key's channel, if it is what it should be: its payer can withdraw without the gateway."""
    members = Members(made, GatewayMalformed)
    channel, of = (
        members.hash32("channel"),
        read_document(ChannelConfig, made.get("channelConfig"), GatewayMalformed, "channelConfig"),
    )
    check_channel(channel, of, offer, signer)
    save_channel(config, channel, of, token)
    return of


def _facts(key: dict[str, Any], offer: Offer) -> dict[str, object]:
    members = Members(key, GatewayMalformed)
    expires = members.integer("expiresAt", LAST_MOMENT)
    over = expires <= SystemClock().now()
    return {
        "id": members.text("id"),
        "label": members.text("label"),
        "limit": format_units(members.amount("spendingLimit", UINT128_MAX), offer.token.decimals),
        "expires": moment(expires),
        "assets": members.texts("assets"),
        "state": "revoked" if key.get("revokedAt") else "expired" if over else "live",
        "channel": members.text("channel"),
    }
