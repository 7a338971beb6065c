"""A deposit from a wallet by signature: the gateway sends it and pays for gas.

What is signed for is money, so nothing about it is taken from the gateway's word: the token is the one the payer means,
it speaks for itself on the chain, and the money can only go through x402's collector into the channel of the nonce.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from secrets import randbits

from usufruct.chain import Client, TokenFacts, connect
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.keys import KeySigner
from usufruct.cli.support.gateway_client import GatewayMalformed, GatewayRefused, GatewayUnavailable, Remote
from usufruct.cli.support.output import say
from usufruct.cli.support.token_choice import agreed_token
from usufruct.config import Config
from usufruct.core import (
    ChainId,
    Conflict,
    Hash32,
    PaymentRequired,
    SystemClock,
    Unavailable,
    checksum,
    format_units,
    moment,
    parse_units,
)
from usufruct.core.networks import is_devnet
from usufruct.payments.pricing import ChannelConfig, Escrow, channel_id
from usufruct.payments.settlement import DepositAuthorization, Offer, deposit_document, deposit_typed_data
from usufruct.web import Members

_SECONDS = 1_800
_TRIES = 10
_PAUSE_SECONDS = 1.0
_MOST_SKEW = 3_600


class ChannelMismatch(Conflict):
    """The gateway names a channel that is not what was asked for."""

    code = "channel_mismatch"


class DepositUnclear(Unavailable):
    """A deposit was signed and handed in, and the gateway does not say what became of it."""

    code = "deposit_unclear"


class ChainClockWrong(Unavailable):
    """The node's time is far from this machine's: what is signed by it would hold for too long, or not at all."""

    code = "chain_clock_wrong"


class CannotPay(PaymentRequired):
    """The wallet holds less than it is to pay, or the gateway takes no deposit so small."""

    code = "cannot_pay"


async def payable(wallet: KeySigner, offer: Offer, amount: int, named: str, config: Config) -> TokenFacts:
    """Return the token that is agreed to be paid in, once sure that the wallet can pay `amount` of it.

    Raises:
        CannotPay: when it cannot, or the gateway takes no less than it offers.
        OtherToken, TokenNotNamed, TokenMismatch, TokenUnsuitable: as `agreed_token`.
    """
    if amount < offer.least_deposit:
        raise CannotPay(
            f"the gateway takes no deposit below {_shown(offer, offer.least_deposit)}, and this is "
            f"{_shown(offer, amount)}; pay in more",
            field="deposit",
        )
    token = await agreed_token(offer, amount, named, config)
    async with AsyncExitStack() as stack:
        held = await Erc20(token.address, await connect(config, stack)).balance_of(wallet.address)
    if held < amount:
        raise CannotPay(
            f"{checksum(wallet.address)} holds {_shown(offer, held)} at {checksum(token.address)}, and "
            f"{_shown(offer, amount)} is to be paid; pay in less, or fill the wallet",
            field="deposit",
        )
    return token


def _shown(offer: Offer, amount: int) -> str:
    return f"{format_units(amount, offer.token.decimals)} {offer.token.symbol}"


async def deposit_from(
    wallet: KeySigner, remote: Remote, token: TokenFacts, into: ChannelConfig, amount: int, config: Config
) -> int:
    """Sign a deposit of `amount` atomic units of the agreed token, hand it in, and return the balance after it.

    What was signed can be made for half an hour: while nothing is heard of it, the same is handed in again, never
    another.

    Raises:
        ChannelMismatch: when the channel is in another token; nothing was signed.
        GatewayRefused: when the deposit cannot be made.
        DepositUnclear: when the gateway does not say what became of it.
    """
    if into.token != token.address:
        raise ChannelMismatch(f"the channel is in the token {into.token}, not in {token.address}; pay nothing into it")
    async with AsyncExitStack() as stack:
        client = await connect(config, stack)
        deposit = await _signed(wallet, client, token, into, amount)
    for _ in range(_TRIES):
        try:
            made = Members(
                await remote.ask("POST", "/v1/deposits", deposit_document(deposit).as_json()), GatewayMalformed
            )
            return made.amount("balance")
        except GatewayRefused as refusal:
            if refusal.reason != "deposit_pending":
                raise
            say("the deposit is on its way; asking again")
        except (GatewayUnavailable, GatewayMalformed) as silence:
            say(f"{silence.message} The same deposit is handed in again")
        await asyncio.sleep(_PAUSE_SECONDS)
    channel = channel_id(Escrow(deposit.chain_id), into)
    raise DepositUnclear(
        f"a signed deposit into channel {channel} may still be made until {moment(deposit.valid_before)}; look with "
        f"`usufruct channel show {channel}` before you pay again",
        channel=channel,
    )


def atomic(text: str, offer: Offer, field: str) -> int:
    """Parse an amount of the gateway's token, such as 2.00, into atomic units."""
    return parse_units(text, offer.token.decimals, field)


def check_id(channel: Hash32, of: ChannelConfig, chain_id: ChainId) -> None:
    """Refuse what is said to be a channel, by a node or a file, and is another one: money would go there.

    Raises:
        ChannelMismatch: names both.
    """
    found = channel_id(Escrow(chain_id), of)
    if found != channel:
        raise ChannelMismatch(f"what is known of channel {channel} is channel {found}; pay nothing into it")


def check_channel(named: Hash32, of: ChannelConfig, offer: Offer, wallet: KeySigner) -> None:
    """Refuse a channel that is not the wallet's own to this operator.

    Raises:
        ChannelMismatch: names the member that differs.
    """
    for field, found, expected in (
        ("payer", of.payer, wallet.address),
        ("receiver", of.receiver, offer.till),
        ("receiverAuthorizer", of.receiver_authorizer, offer.till),
        ("token", of.token, offer.token.address),
        ("withdrawDelay", of.withdraw_delay, offer.withdraw_delay),
    ):
        if found != expected:
            raise ChannelMismatch(f"the gateway's channel has {field} {found}, not {expected}; pay nothing into it")
    check_id(named, of, offer.chain_id)


async def _signed(
    wallet: KeySigner, client: Client, token: TokenFacts, into: ChannelConfig, amount: int
) -> DepositAuthorization:
    chain_id = ChainId(await client.chain_id())
    head, here = await client.header("latest"), SystemClock().now()
    there = head.timestamp if head else here
    if not is_devnet(chain_id) and abs(there - here) > _MOST_SKEW:
        raise ChainClockWrong(
            f"the node says it is {moment(there)}, this machine {moment(here)}; correct the clock, or chain.rpc_url"
        )
    until = there + _SECONDS
    unsigned = DepositAuthorization(chain_id, into, amount, 0, until, randbits(256), b"")
    document = deposit_typed_data(unsigned, channel_id(Escrow(chain_id), into), token)
    return replace(unsigned, signature=await wallet.sign_typed_data(document))
