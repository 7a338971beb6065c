"""A deposit from a wallet by signature: the gateway sends it and pays for gas.

What is signed for is money, so nothing about it is taken from the gateway's word: the token is the one the payer means,
it speaks for itself on the chain, and the money can only go through x402's collector into the channel of the nonce.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from secrets import randbits
from typing import Any

from usufruct.app import connect
from usufruct.chain import Client, KeySigner
from usufruct.cli.printing import say
from usufruct.cli.remote import GatewayRefused, Remote
from usufruct.config import Config
from usufruct.core import ChainId, Conflict, Hash32, parse_units
from usufruct.payments import (
    ChannelConfig,
    DepositAuthorization,
    Escrow,
    Offer,
    TokenFacts,
    channel_id,
    deposit_json,
    deposit_typed_data,
)

_SECONDS = 1_800
_TRIES = 10


class ChannelMismatch(Conflict):
    """The gateway names a channel that is not what was asked for."""

    code = "channel_mismatch"


async def deposit_from(
    wallet: KeySigner, remote: Remote, token: TokenFacts, into: ChannelConfig, amount: int, config: Config
) -> dict[str, Any]:
    """Sign a deposit of `amount` atomic units of the agreed token, hand it in, and return the channel after it.

    Raises:
        ChannelMismatch: when the channel is in another token; nothing was signed.
        GatewayRefused: when the deposit cannot be made.
    """
    if into.token != token.address:
        raise ChannelMismatch(f"the channel is in the token {into.token}, not in {token.address}; pay nothing into it")
    async with AsyncExitStack() as stack:
        client = await connect(config, stack)
        deposit = await _signed(wallet, client, token, into, amount)
    for left in reversed(range(_TRIES)):
        try:
            return await remote.ask("POST", "/v1/deposits", deposit_json(deposit))
        except GatewayRefused as refusal:
            if refusal.reason != "deposit_pending" or not left:
                raise
            say("the deposit is on its way; asking again")
            await asyncio.sleep(1)
    raise AssertionError


def atomic(text: str, offer: Offer, field: str) -> int:
    """Parse an amount of the gateway's token, such as 2.00, into atomic units."""
    return parse_units(text, offer.token.decimals, field)


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
        ("channel", named, channel_id(Escrow(offer.chain_id), of)),
    ):
        if found != expected:
            raise ChannelMismatch(f"the gateway's channel has {field} {found}, not {expected}; pay nothing into it")


async def _signed(
    wallet: KeySigner, client: Client, token: TokenFacts, into: ChannelConfig, amount: int
) -> DepositAuthorization:
    chain_id = ChainId(await client.chain_id())
    head = await client.header("latest")
    until = (head.timestamp if head else 0) + _SECONDS
    unsigned = DepositAuthorization(chain_id, into, amount, 0, until, randbits(256), b"")
    document = deposit_typed_data(unsigned, channel_id(Escrow(chain_id), into), token)
    return replace(unsigned, signature=await wallet.sign_typed_data(document))
