"""Pay into channels of a wallet's own with an operator, and withdraw from them without the operator."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from secrets import token_bytes
from typing import Annotated

import typer

from usufruct.accounts import TimedProof
from usufruct.chain import Call, connect, open_chain
from usufruct.chain.contracts.batch_settlement import BatchSettlement
from usufruct.chain.escrow import SETTLEMENT
from usufruct.chain.keys import KeySigner, write_keystore
from usufruct.cli.support.deposits import atomic, deposit_from, payable
from usufruct.cli.support.durations import proof_end
from usufruct.cli.support.escrow_channel import EscrowChannel, read_escrow_channel
from usufruct.cli.support.gateway_client import (
    GatewayMalformed,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUrl,
    Remote,
    open_gateway,
)
from usufruct.cli.support.local_store import NoSavedKey, find_key, save_channel, saved_channels
from usufruct.cli.support.output import Json, print_facts, print_rows
from usufruct.cli.support.runner import run
from usufruct.cli.support.token_choice import Token
from usufruct.cli.support.wallet_option import Wallet, new_password, open_wallet
from usufruct.config import Config, load_config
from usufruct.core import Address, ChainId, Conflict, Denied, format_units, hash32, moment, parse_units
from usufruct.payments.ledger import new_id
from usufruct.payments.pricing import ChannelConfig, Escrow, channel_id
from usufruct.payments.settlement import PROOF_HEADER, on_chain, proof_header, read_channel_digest
from usufruct.web import Members

app = typer.Typer()


class NotYourChannel(Denied):
    """The wallet is not the channel's payer."""

    code = "not_your_channel"


class SessionUnwritable(Conflict):
    """A new session key cannot go where it shall: there is a file, or none can be made."""

    code = "session_unwritable"


class WithdrawalPending(Conflict):
    """A withdrawal was announced already."""

    code = "withdrawal_pending"


class NothingAnnounced(Conflict):
    """No withdrawal was announced."""

    code = "nothing_announced"


class TooEarly(Conflict):
    """The channel's delay is not over."""

    code = "too_early"


class NothingLeft(Conflict):
    """The channel holds less than is to be withdrawn."""

    code = "nothing_left"


@app.command("open")
def open_channel(
    wallet: Wallet,
    deposit: Annotated[str, typer.Option(help="How much to pay into it, such as 2.00.")],
    session: Annotated[
        Path | None, typer.Option(help="Write a new key to this keystore file; it signs vouchers, not the wallet.")
    ] = None,
    token: Token = "",
    gateway: GatewayUrl = "",
    as_json: Json = False,
) -> None:
    """Open a channel of the wallet's own, by signature: the gateway pays for gas."""
    config = load_config()

    async def work() -> None:
        signer = open_wallet(wallet, config)
        async with open_gateway(gateway, config) as remote:
            offer = await remote.offer(config)
            amount = atomic(deposit, offer, "deposit")
            paid_in = await payable(signer, offer, amount, token, config)
            of = ChannelConfig(
                payer=signer.address,
                payer_authorizer=_new_session(session, config) if session else signer.address,
                receiver=offer.till,
                receiver_authorizer=offer.till,
                token=offer.token.address,
                withdraw_delay=offer.withdraw_delay,
                salt=new_id(),
            )
            channel = channel_id(Escrow(offer.chain_id), of)
            save_channel(config, channel, of, paid_in)
            paid = await deposit_from(signer, remote, paid_in, of, amount, config)
        balance = format_units(paid, offer.token.decimals)
        facts = {"channel": channel, "payer_authorizer": of.payer_authorizer, "till": of.receiver, "balance": balance}
        print_facts(facts, as_json=as_json)

    run(work)


@app.command("deposit")
def deposit_into(
    channel: str, amount: str, wallet: Wallet, token: Token = "", gateway: GatewayUrl = "", as_json: Json = False
) -> None:
    """Pay more into a channel, by signature: the gateway pays for gas."""
    config = load_config()
    which = hash32(channel, "channel")

    async def work() -> None:
        signer = open_wallet(wallet, config)
        async with open_gateway(gateway, config) as remote, AsyncExitStack() as stack:
            offer = await remote.offer(config)
            escrow = await read_escrow_channel(await connect(config, stack), config, which)
            _check_payer(signer, escrow)
            wanted = atomic(amount, offer, "amount")
            paid_in = await payable(signer, offer, wanted, token, config)
            paid = await deposit_from(signer, remote, paid_in, escrow.config, wanted, config)
            save_channel(config, which, escrow.config, paid_in)
        print_facts({"channel": which, "balance": escrow.shown(paid)}, as_json=as_json)

    run(work)


@app.command()
def show(
    channel: Annotated[str, typer.Argument(help="Its id; without one, all that are kept here.")] = "",
    wallet: Annotated[
        str, typer.Option("--wallet", "-w", help="Shows the gateway that it is yours, where no key of it is kept.")
    ] = "",
    gateway: GatewayUrl = "",
    as_json: Json = False,
) -> None:
    """Show the chain's numbers, and beside them the gateway's, if it answers and believes whose channel it is."""
    config = load_config()
    which = hash32(channel, "channel") if channel else None

    async def work() -> None:
        async with AsyncExitStack() as stack:
            client = await connect(config, stack)
            if which is None:
                found = [(await read_escrow_channel(client, config, each)).facts() for each in saved_channels(config)]
                columns = ("channel", "balance", "claimed", "leaving", "finish_from")
                print_rows(
                    found, columns, "no channel is kept here; `usufruct channel open` makes one", as_json=as_json
                )
                return
            escrow = await read_escrow_channel(client, config, which)
        signer = open_wallet(wallet, config) if wallet else None
        async with open_gateway(gateway, config) as remote:
            beside = await _beside(remote, escrow, signer, config)
        print_facts(escrow.facts() | beside, as_json=as_json)

    run(work)


@app.command()
def withdraw(
    channel: str,
    wallet: Wallet,
    amount: Annotated[str, typer.Option(help="How much; the default is all that is not claimed.")] = "",
    finish: Annotated[bool, typer.Option("--finish", help="Take what was announced, once the delay is over.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the end of a delay that runs, then send at once.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take money back without the operator: announce it, and after the channel's delay take it. The wallet pays gas.

    Where less is announced already, as a leaked session key may do: after its delay, finish it and announce the rest,
    in one transaction. `--wait` sends it as soon as the chain takes it.
    """
    config = load_config()
    which = hash32(channel, "channel")

    async def work() -> None:
        signer = open_wallet(wallet, config)
        async with open_chain(config) as access:
            before = await read_escrow_channel(access.client, config, which)
            _check_payer(signer, before)
            while wait and before.left_at and before.now < before.finish_at:
                await asyncio.sleep(config.chain.poll_milliseconds / 1000)
                before = await read_escrow_channel(access.client, config, which)
            call = _finishing(before) if finish else _announcing(before, amount)
            receipt = await access.sender(signer).execute(call, f"withdraw/{new_id()}")
            after = await read_escrow_channel(access.client, config, which)
        step = {"withdrawn": after.shown(before.balance - after.balance)} if before.left_at else {}
        print_facts(after.facts() | step | {"transaction": receipt.hash}, as_json=as_json)

    run(work)


def _announcing(escrow: EscrowChannel, amount: str) -> Call:
    """Return the announcement; what somebody announced before is finished in the same transaction.

    Between two transactions a session key could announce again, and start another delay.
    """
    settlement, config = BatchSettlement(SETTLEMENT), on_chain(escrow.config)
    left = escrow.unclaimed - escrow.leaving
    wanted = parse_units(amount, escrow.token.decimals) if amount else left
    if escrow.left_at and (left <= 0 or escrow.now < escrow.finish_at):
        again = "" if left <= 0 else "; the same command, then, announces the rest as well, and --wait waits for it"
        raise WithdrawalPending(
            f"{escrow.shown(escrow.leaving)} are announced already; --finish takes them, from "
            f"{moment(escrow.finish_at)} on{again}"
        )
    if not 0 < wanted <= left:
        raise NothingLeft(
            f"{escrow.shown(wanted)} cannot be withdrawn: {escrow.shown(left)} are not claimed", field="amount"
        )
    announcement = settlement.initiate_withdraw(config, wanted)
    if not escrow.left_at:
        return announcement
    return settlement.multicall([settlement.finalize_withdraw(config).data, announcement.data])


def _finishing(escrow: EscrowChannel) -> Call:
    if not escrow.left_at:
        raise NothingAnnounced("no withdrawal is announced on this channel; leave --finish out to announce one")
    if escrow.now < escrow.finish_at:
        raise TooEarly(
            f"it can be finished from {moment(escrow.finish_at)} on, and the chain's time is {moment(escrow.now)}"
        )
    return BatchSettlement(SETTLEMENT).finalize_withdraw(on_chain(escrow.config))


async def _beside(remote: Remote, escrow: EscrowChannel, signer: KeySigner | None, config: Config) -> dict[str, object]:
    """Return what the gateway says of a channel, or why it says nothing."""
    nothing = dict.fromkeys(("charged", "reserved", "free"))
    try:
        headers = _credentials(remote, escrow, signer, config)
        found = Members(await remote.ask("GET", f"/v1/channels/{escrow.id}", headers=headers), GatewayMalformed)
        told = {name: escrow.shown(found.amount(name)) for name in nothing}
    except (GatewayUnavailable, GatewayMalformed, GatewayRefused, NoSavedKey) as error:
        said = "give --wallet to be told" if isinstance(error, NoSavedKey) else error.message
        return {**nothing, "gateway": said}
    return {**told, "gateway": remote.url}


def _credentials(remote: Remote, escrow: EscrowChannel, signer: KeySigner | None, config: Config) -> dict[str, str]:
    if signer is None:
        return find_key(config, remote.url, channel=escrow.id).headers
    until = proof_end()
    digest = read_channel_digest(ChainId(config.chain.id), escrow.config.receiver, escrow.id, until)
    return {PROOF_HEADER: proof_header(TimedProof(until, signer.sign(digest)))}


def _check_payer(signer: KeySigner, escrow: EscrowChannel) -> None:
    if signer.address != escrow.config.payer:
        raise NotYourChannel(
            f"the wallet is {signer.address}, the channel's payer {escrow.config.payer}; give the payer's --wallet"
        )


def _new_session(path: Path, config: Config) -> Address:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_keystore(path, token_bytes(32), new_password(config))
    except OSError as error:
        raise SessionUnwritable(f"{path}: {error.strerror}; choose another name", path=str(path)) from error
