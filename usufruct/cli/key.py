"""Make, list, rename and revoke bearer keys by a wallet's signature."""

from collections.abc import Collection
from typing import Annotated

from typer import Option, Typer

from usufruct.cli.support import local_store
from usufruct.cli.support.command import Facts, Rows, parse_duration, runs
from usufruct.cli.support.deposits import TokenOption, open_payer
from usufruct.cli.support.gateway_client import GatewayUrl, open_gateway, terms_of
from usufruct.cli.support.local_store import KeyFile, KeyId, SavedKey
from usufruct.cli.support.output import Json, one_line, print_facts, say
from usufruct.cli.support.wallet_option import Wallet
from usufruct.config import Config
from usufruct.core import Clock, NotFound, format_units, moment
from usufruct_client import DepositPending, Gateway, check_channel
from usufruct_client.wire import KeyFacts, Terms

app = Typer()


@app.command()
@runs()
def create(
    config: Config,
    wallet: Wallet,
    limit: Annotated[str, Option(help="The most it may spend in its life, such as 5.00.")],
    per_day: Annotated[str, Option(help="The most it may spend in one day (UTC); default: no such limit.")] = "",
    expires: Annotated[str, Option(help="How long it holds: 30d, 12h, 45m.")] = "30d",
    asset: Annotated[list[str] | None, Option(help="A service it may call, repeatable; default: all.")] = None,
    label: Annotated[str, Option(help="A name for yourself.")] = "",
    deposit: Annotated[str, Option(help="Pay this much into its channel, by signature: no gas.")] = "",
    token: TokenOption = "",
    save: Annotated[bool, Option("--save", help="Keep it on this machine for `usufruct call`.")] = False,
    gateway: GatewayUrl = "",
    as_json: Json = False,
) -> None:
    """Make a key. It is printed once, and the gateway cannot show it again."""
    seconds = parse_duration(expires, "expires")
    with open_payer(wallet, gateway, config) as payer:
        terms, remote = payer.terms, payer.gateway
        wanted = payer.atomic(deposit, "deposit") if deposit else 0
        _check_services(remote, asset or ())
        paid_in = payer.agree(wanted, token) if deposit else None
        most, until = payer.atomic(limit, "limit"), Clock().now() + seconds
        a_day = payer.atomic(per_day, "per-day") if per_day else None
        made = remote.create_key(payer, terms, most, until, asset or (), label, a_day)
        key = SavedKey(remote.url, made.key.id, made.key.channel, made.text, most)
        facts = {"key": made.text, **_facts(made.key, terms, as_json=as_json), "balance": "0"}
        try:
            facts["file"] = str(local_store.save_key(config, key)) if save else None
            check_channel(made.key.channel, made.config, payer.address, terms)
            local_store.save_channel(config, made.key.channel, made.config, paid_in)
            if paid_in:
                facts["balance"] = format_units(payer.deposit(paid_in, made.config, wanted), terms.token.decimals)
        except (DepositPending, KeyboardInterrupt, SystemExit):
            facts["balance"] = None if as_json else f"not known yet: `usufruct channel show {key.channel}`"
            raise
        finally:  # whatever came of the deposit: the key is made, and this is the only time it is shown
            print_facts(facts, as_json=as_json)
            say("The key is not shown again: keep it now. Its bearer can spend up to its limit.")
            if facts["balance"] == "0":
                say(f"Calls need money: `usufruct channel deposit {key.channel} AMOUNT --wallet {wallet}`")


@app.command("list")
@runs()
def list_keys(config: Config, wallet: Wallet, gateway: GatewayUrl = "") -> Rows:
    """List the wallet's keys at a gateway, newest first."""
    with open_payer(wallet, gateway, config) as payer:
        rows = [_facts(key, payer.terms, as_json=True) for key in payer.gateway.list_keys(payer, payer.terms)]
    columns = ("id", "label", "limit", "expires", "state", "channel")
    return Rows(rows, columns, "no key yet; `usufruct key create` makes one")


@app.command()
@runs()
def rename(
    config: Config, key_id: str, label: str, wallet: Wallet, gateway: GatewayUrl = "", as_json: Json = False
) -> Facts:
    """Give a key another name, which only the wallet sees."""
    local_store.check_key_id(key_id)
    with open_payer(wallet, gateway, config) as payer:
        return _facts(payer.gateway.rename_key(payer, payer.terms, key_id, label), payer.terms, as_json=as_json)


@app.command()
@runs()
def revoke(config: Config, key_id: str, wallet: Wallet, gateway: GatewayUrl = "", as_json: Json = False) -> Facts:
    """Revoke a key: it stops at once, and its unused money comes back to the wallet."""
    local_store.check_key_id(key_id)
    with open_payer(wallet, gateway, config) as payer:
        revoked = payer.gateway.revoke_key(payer, payer.terms, key_id)
    local_store.forget_key(config, key_id)
    return _facts(revoked, payer.terms, as_json=as_json)


@app.command()
@runs()
def use(config: Config, key_id: str) -> Facts:
    """Have `usufruct call` pay with this kept key or grant first."""
    local_store.use_key(config, key_id)
    return {"id": key_id}


@app.command()
@runs()
def show(
    config: Config, key: KeyId = "", key_file: KeyFile = None, gateway: GatewayUrl = "", as_json: Json = False
) -> Facts:
    """Show what a kept key has spent, and what is left of its limit and of its deposit."""
    with open_gateway(gateway, config) as remote:
        saved = local_store.find_keys(config, remote.url, key_file, key)[0]
        terms = terms_of(remote, config)
        use = remote.current_key(saved.key)
    decimals = terms.token.decimals
    money = {"charged": use.channel.charged, "left": use.left, "free": use.channel.free}
    if use.left_today is not None:
        money["left_today"] = use.left_today
    shown: dict[str, object] = {name: format_units(amount, decimals) for name, amount in money.items()}
    shown["last_use"] = moment(use.channel.last_call_at) if use.channel.last_call_at else None if as_json else "never"
    return _facts(use.key, terms, as_json=as_json) | shown


def _check_services(remote: Gateway, names: Collection[str]) -> None:
    """Refuse a key for a service that the gateway does not offer: it could call nothing."""
    offered = [each.id for each in remote.services()] if names else []
    for name in names:
        if name not in offered:
            raise NotFound(
                one_line(f"--asset: {remote.url} offers no service {name!r}; it has {', '.join(offered) or 'none'}"),
                code="unknown_service",
            )


def _facts(key: KeyFacts, terms: Terms, *, as_json: bool) -> dict[str, object]:
    over = key.expires_at <= Clock().now()
    return {
        "id": key.id,
        "label": key.label,
        "limit": format_units(key.spending_limit, terms.token.decimals),
        "day_limit": None if key.day_limit is None else format_units(key.day_limit, terms.token.decimals),
        "expires": moment(key.expires_at),
        "assets": sorted(key.assets) if key.assets or as_json else "all",
        "state": "revoked" if key.revoked_at else "expired" if over else "live",
        "channel": key.channel,
    }
