"""Pay into channels of a wallet's own with an operator, and withdraw from them without the operator."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from usufruct.chain import Call, Client, TokenFacts, open_chain, token_facts
from usufruct.chain.contracts.batch_settlement import BatchSettlement, ChannelCreated
from usufruct.chain.escrow import SETTLEMENT
from usufruct.chain.keys import KeySigner
from usufruct.cli.support.command import Facts, Rows, ask_node, runs
from usufruct.cli.support.deposits import TokenOption, open_payer
from usufruct.cli.support.gateway_client import GatewayUrl, WalletSigner, open_gateway
from usufruct.cli.support.local_store import NoSavedKey, find_keys, save_channel, saved_channel, saved_channels
from usufruct.cli.support.wallet_option import Wallet, open_wallet, write_new_key
from usufruct.config import Config
from usufruct.core import Address, Conflict, Denied, Hash32, NotFound, format_units, hash32, moment, parse_units
from usufruct.payments.ledger import new_id
from usufruct.payments.settlement import on_chain
from usufruct_client import Gateway, bearer_headers, channel_id, new_channel, proof_headers
from usufruct_client.errors import BadAnswer, GatewayRefused, GatewayUnavailable
from usufruct_client.wire import ChannelConfig

app = Typer()


@dataclass(frozen=True, slots=True)
class EscrowChannel:
    """A channel's money on the chain, in atomic units, as of chain time `now`.

    `leaving`: what a withdrawal was announced for, since chain time `left_at`; both 0 when none was.
    """

    id: Hash32
    config: ChannelConfig
    token: TokenFacts
    balance: int
    claimed: int
    leaving: int
    left_at: int
    now: int

    @property
    def unclaimed(self) -> int:
        """Return what can still be claimed or withdrawn."""
        return self.balance - self.claimed

    @property
    def finish_at(self) -> int:
        """Return the chain time from which the announced withdrawal can be finished."""
        return self.left_at + self.config.withdraw_delay

    def shown(self, amount: int) -> str:
        """Write an amount in whole units of the token."""
        return format_units(amount, self.token.decimals)

    def facts(self) -> dict[str, object]:
        """Return what is printed."""
        return {
            "channel": self.id,
            "payer": self.config.payer,
            "payer_authorizer": self.config.payer_authorizer,
            "till": self.config.receiver,
            "token": self.token.symbol,
            "balance": self.shown(self.balance),
            "claimed": self.shown(self.claimed),
            "leaving": self.shown(self.leaving),
            "finish_from": moment(self.finish_at) if self.left_at else None,
        }


@app.command("open")
@runs()
def open_channel(
    config: Config,
    wallet: Wallet,
    deposit: Annotated[str, Option(help="How much to pay into it, such as 2.00.")],
    session: Annotated[Path | None, Option(help="Write a new key here; it signs vouchers, not the wallet.")] = None,
    token: TokenOption = "",
    gateway: GatewayUrl = "",
) -> Facts:
    """Open a channel of the wallet's own, by signature: the gateway pays for gas."""
    with open_payer(wallet, gateway, config) as payer:
        amount = payer.atomic(deposit, "deposit")
        paid_in = payer.agree(amount, token)
        of = new_channel(payer.terms, payer.address, _new_session(session, config) if session else "")
        channel = hash32(channel_id(of, payer.terms.chain_id))
        save_channel(config, channel, of, paid_in)
        balance = format_units(payer.deposit(paid_in, of, amount), paid_in.decimals)
    return {"channel": channel, "payer_authorizer": of.payer_authorizer, "till": of.receiver, "balance": balance}


@app.command("deposit")
@runs()
def deposit_into(
    config: Config, channel: str, amount: str, wallet: Wallet, token: TokenOption = "", gateway: GatewayUrl = ""
) -> Facts:
    """Pay more into a channel, by signature: the gateway pays for gas."""
    which = hash32(channel, "channel")
    with open_payer(wallet, gateway, config) as payer:
        escrow = _read(config, which)
        _check_payer(payer.address, escrow)
        wanted = payer.atomic(amount, "amount")
        paid_in = payer.agree(wanted, token)
        paid = payer.deposit(paid_in, escrow.config, wanted)
        save_channel(config, which, escrow.config, paid_in)
    return {"channel": which, "balance": escrow.shown(paid)}


@app.command()
@runs()
def show(
    config: Config,
    channel: Annotated[str, Argument(help="Its id; without one, all that are kept here.")] = "",
    wallet: Annotated[str, Option("--wallet", "-w", help="Proves that it is yours, where no key of it is kept.")] = "",
    gateway: GatewayUrl = "",
) -> Facts | Rows:
    """Show the chain's numbers, and beside them the gateway's, if it answers and believes whose channel it is."""
    if not channel:
        rows = [_read(config, each).facts() for each in saved_channels(config)]
        columns = ("channel", "balance", "claimed", "leaving", "finish_from")
        return Rows(rows, columns, "no channel is kept here; `usufruct channel open` makes one")
    escrow = _read(config, hash32(channel, "channel"))
    signer = open_wallet(wallet, config) if wallet else None
    with open_gateway(gateway, config) as remote:
        return escrow.facts() | _beside(remote, escrow, signer, config)


@app.command()
@runs()
async def withdraw(
    config: Config,
    channel: str,
    wallet: Wallet,
    amount: Annotated[str, Option(help="How much; the default is all that is not claimed.")] = "",
    finish: Annotated[bool, Option("--finish", help="Take what was announced, once the delay is over.")] = False,
    wait: Annotated[bool, Option("--wait", help="Wait for the end of a delay that runs, then send at once.")] = False,
) -> Facts:
    """Take money back without the operator: announce it, and after the channel's delay take it. The wallet pays gas.

    Where less is announced already, as a leaked session key may do: after its delay, finish it and announce the rest,
    in one transaction. `--wait` sends it as soon as the chain takes it.
    """
    which = hash32(channel, "channel")
    signer = open_wallet(wallet, config)
    async with open_chain(config) as access:
        before = await read_escrow_channel(access.client, config, which)
        _check_payer(signer.address, before)
        while wait and before.left_at and before.now < before.finish_at:
            await asyncio.sleep(config.chain.poll_milliseconds / 1000)
            before = await read_escrow_channel(access.client, config, which)
        call = _finishing(before) if finish else _announcing(before, amount)
        receipt = await access.sender(signer).execute(call, f"withdraw/{new_id()}")
        after = await read_escrow_channel(access.client, config, which)
    step = {"withdrawn": after.shown(before.balance - after.balance)} if before.left_at else {}
    return after.facts() | step | {"transaction": receipt.hash}


def _announcing(escrow: EscrowChannel, amount: str) -> Call:
    """Return the announcement; an earlier announcement is finished in the same transaction.

    Between two transactions a session key could announce again, and start another delay.
    """
    settlement, config = BatchSettlement(SETTLEMENT), on_chain(escrow.config)
    left = escrow.unclaimed - escrow.leaving
    wanted = parse_units(amount, escrow.token.decimals) if amount else left
    if escrow.left_at and (left <= 0 or escrow.now < escrow.finish_at):
        again = "" if left <= 0 else "; the same command, then, announces the rest as well, and --wait waits for it"
        raise Conflict(
            f"{escrow.shown(escrow.leaving)} are announced already; --finish takes them, from "
            f"{moment(escrow.finish_at)} on{again}",
            code="withdrawal_pending",
        )
    if not 0 < wanted <= left:
        raise Conflict(
            f"{escrow.shown(wanted)} cannot be withdrawn: {escrow.shown(left)} are not claimed", code="nothing_left"
        )
    announcement = settlement.initiate_withdraw(config, wanted)
    if not escrow.left_at:
        return announcement
    return settlement.multicall([settlement.finalize_withdraw(config).data, announcement.data])


def _finishing(escrow: EscrowChannel) -> Call:
    if not escrow.left_at:
        raise Conflict(
            "no withdrawal is announced on this channel; leave --finish out to announce one", code="nothing_announced"
        )
    if escrow.now < escrow.finish_at:
        raise Conflict(
            f"it can be finished from {moment(escrow.finish_at)} on, and the chain's time is {moment(escrow.now)}",
            code="too_early",
        )
    return BatchSettlement(SETTLEMENT).finalize_withdraw(on_chain(escrow.config))


def _read(config: Config, channel: Hash32) -> EscrowChannel:
    return ask_node(config, lambda node: read_escrow_channel(node, config, channel))


def _beside(remote: Gateway, escrow: EscrowChannel, signer: KeySigner | None, config: Config) -> dict[str, object]:
    """Return what the gateway has of a channel, or why it does not answer."""
    of, names = escrow.config, ("charged", "reserved", "free")
    try:
        if signer is None:
            headers = bearer_headers(find_keys(config, remote.url, channel=escrow.id)[0].key)
        else:
            headers = proof_headers(WalletSigner(signer), escrow.id, of.receiver, config.chain.id)
        numbers = remote.channel(escrow.id, headers)
    except (GatewayUnavailable, BadAnswer, GatewayRefused, NoSavedKey) as error:
        why = "give --wallet to be told" if isinstance(error, NoSavedKey) else error.message
        return {**dict.fromkeys(names), "gateway": why}
    return {**{name: escrow.shown(getattr(numbers, name)) for name in names}, "gateway": remote.url}


def _check_payer(wallet: Address, escrow: EscrowChannel) -> None:
    if wallet != escrow.config.payer:
        raise Denied(
            f"the wallet is {wallet}, the channel's payer {escrow.config.payer}; give the payer's --wallet",
            code="not_your_channel",
        )


def _new_session(path: Path, config: Config) -> Address:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_new_key(path, config)
    except OSError as error:
        raise Conflict(f"{path}: {error.strerror}; choose another name", code="session_unwritable") from error


async def read_escrow_channel(client: Client, config: Config, channel: Hash32) -> EscrowChannel:
    """Read a channel from the chain."""
    saved = saved_channel(config, channel)
    of = saved.channel_config if saved else await _created(client, channel)
    found = channel_id(of, config.chain.id)
    if found != channel:
        raise Conflict(f"what is known of {channel} is channel {found}; pay nothing into it", code="channel_mismatch")
    settlement, key = BatchSettlement(SETTLEMENT, client), bytes.fromhex(channel[2:])
    money, leaving = await settlement.channels(key), await settlement.pending_withdrawals(key)
    return EscrowChannel(
        id=channel,
        config=of,
        token=await token_facts(client, of.token),
        balance=money.balance,
        claimed=money.total_claimed,
        leaving=leaving.amount,
        left_at=leaving.initiated_at,
        now=(await client.head()).timestamp,
    )


async def _created(client: Client, channel: Hash32) -> ChannelConfig:
    """Find what a channel is in the event of its first deposit."""
    last = await client.block_number()
    logs = await client.logs(0, last, addresses=[SETTLEMENT], topics=[ChannelCreated.TOPIC, channel])
    if not logs:
        raise NotFound(
            f"channel {channel} is neither kept here nor found on the chain; has money been paid into it?",
            code="channel_not_found",
        )
    of = ChannelCreated.decode(logs[0]).config
    return ChannelConfig(
        payer=of.payer,
        payer_authorizer=of.payer_authorizer,
        receiver=of.receiver,
        receiver_authorizer=of.receiver_authorizer,
        token=of.token,
        withdraw_delay=of.withdraw_delay,
        salt=Hash32("0x" + of.salt.hex()),
    )
