"""x402's escrow: where it stands on every chain, and what a channel's id is there."""

from collections.abc import Iterable

from usufruct.chain.hashing import keccak
from usufruct.chain.typed_data import address_word, domain_separator, typed_digest, word
from usufruct.core import Address, ChainId

SETTLEMENT = Address("0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003")
"""x402's canonical batch settlement, the same on every chain."""

COLLECTOR = Address("0x4020806089470a89826cb9fb1f4059150b550004")
"""x402's canonical collector of EIP-3009 deposits."""

_CHANNEL_TYPE = keccak(
    b"ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,"
    b"uint40 withdrawDelay,bytes32 salt)"
)


def escrow_separator(chain_id: ChainId, contract: Address = SETTLEMENT) -> bytes:
    """Return the EIP-712 domain separator of channels and vouchers: 32 bytes, computed once."""
    return domain_separator("x402 Batch Settlement", "1", chain_id, contract)


def channel_digest(separator: bytes, parties: Iterable[Address], withdraw_delay: int, salt: bytes) -> bytes:
    """Return a channel's id: 32 bytes.

    `parties`: payer, payer authorizer, receiver, receiver authorizer, token. `withdraw_delay`: seconds, 40 bits.
    """
    return typed_digest(separator, _CHANNEL_TYPE + b"".join(map(address_word, parties)) + word(withdraw_delay) + salt)
