"""x402's escrow: where it stands on every chain, and what a channel's id is there."""

from collections.abc import Iterable

from usufruct.chain.typed_data import MessageHasher
from usufruct.core import Address, ChainId, Hash32
from usufruct_client.eip712 import CHANNEL

SETTLEMENT = Address("0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003")
"""x402's canonical batch settlement, the same on every chain."""

COLLECTOR = Address("0x4020806089470a89826cb9fb1f4059150b550004")
"""x402's canonical collector of EIP-3009 deposits."""

_CHANNEL = MessageHasher(CHANNEL)


def channel_digest(
    chain_id: ChainId, parties: Iterable[Address], withdraw_delay: int, salt: Hash32, contract: Address = SETTLEMENT
) -> bytes:
    """Return a channel's id: 32 bytes.

    `parties`: payer, payer authorizer, receiver, receiver authorizer, token. `withdraw_delay`: seconds, 40 bits.
    """
    return _CHANNEL.digest(chain_id, contract, *parties, withdraw_delay, salt)
