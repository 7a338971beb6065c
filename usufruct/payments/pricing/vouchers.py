"""x402 `batch-settlement` vouchers on EVM chains: who may spend how much of which channel.

A channel is a deposit in the escrow contract; its id is the EIP-712 hash of its immutable configuration. A voucher is a
signature by the channel's `payerAuthorizer` over a cumulative ceiling: the most the receiver may ever have claimed.
Both are hashed under the escrow's domain, so neither is worth anything on another chain or contract.
"""

from dataclasses import dataclass
from typing import NewType, Protocol

from usufruct.chain.escrow import SETTLEMENT
from usufruct.chain.keys import recover_signer
from usufruct.core import UINT128_MAX, ZERO_ADDRESS, Address, ChainId, Hash32, PaymentRequired, value
from usufruct_client import signing
from usufruct_client.eip712_messages import VOUCHER
from usufruct_client.typed_data import MessageHasher
from usufruct_client.wire import ChannelConfig

_VOUCHER = MessageHasher(VOUCHER)


class DigestSigner(Protocol):
    """The holder of a key that signs at once, as `chain.KeySigner`."""

    @property
    def address(self) -> Address:
        """The account that the signatures recover to."""

    def sign(self, digest: bytes) -> bytes:
        """Sign 32 bytes; 65 bytes r, s, v."""


@dataclass(frozen=True, slots=True)
class Escrow:
    """The `BatchSettlement` contract of one chain: the domain everything here is signed under."""

    chain_id: ChainId
    contract: Address = SETTLEMENT


@value
class Voucher:
    """A payer's word: of `channel`, at most `max_claimable` in all may be claimed. The signature is 65 bytes."""

    channel: Hash32
    max_claimable: int
    signature: bytes


VerifiedVoucher = NewType("VerifiedVoucher", Voucher)
"""A voucher that `verify_voucher` let through; the ledger takes no other."""


def channel_id(escrow: Escrow, config: ChannelConfig) -> Hash32:
    """Return the channel's id; remembered, since a configuration never changes."""
    return signing.channel_id(config, escrow.chain_id, escrow.contract)


def voucher_digest(escrow: Escrow, channel: Hash32, max_claimable: int) -> bytes:
    """Return what the payer signs: 32 bytes.

    Raises:
        PaymentRequired: when the amount is not a uint128.
    """
    if not 0 <= max_claimable <= UINT128_MAX:
        raise PaymentRequired(
            f"maxClaimableAmount must be from 0 to 2**128 - 1, not {max_claimable}",
            code="invalid_voucher",
            field="maxClaimableAmount",
        )
    return _VOUCHER.digest(escrow.chain_id, escrow.contract, channel, max_claimable)


def sign_voucher(escrow: Escrow, channel: Hash32, max_claimable: int, signer: DigestSigner) -> VerifiedVoucher:
    """Sign a voucher with a key we hold: the session key behind a bearer key, or a client's own."""
    signature = signer.sign(voucher_digest(escrow, channel, max_claimable))
    return VerifiedVoucher(Voucher(channel, max_claimable, signature))


def verify_voucher(escrow: Escrow, config: ChannelConfig, voucher: Voucher) -> VerifiedVoucher:
    """Check that the voucher is for this channel and signed by its `payerAuthorizer`.

    Raises:
        PaymentRequired: for another channel, a channel without authorizer, or an amount over uint128.
        InvalidSignature: for a signature the chain would not accept.
        PaymentRequired: when another key signed.
    """
    expected = channel_id(escrow, config)
    if voucher.channel != expected:
        raise PaymentRequired(
            f"channelId is {voucher.channel}, but this configuration on chain {escrow.chain_id} has {expected}",
            code="invalid_voucher",
            field="channelId",
            expected=expected,
        )
    if config.payer_authorizer == ZERO_ADDRESS:
        raise PaymentRequired(
            "payerAuthorizer is zero: such vouchers cannot be checked here; open a channel with a session key",
            code="invalid_voucher",
            field="payerAuthorizer",
        )
    signer = recover_signer(voucher_digest(escrow, expected, voucher.max_claimable), voucher.signature)
    if signer != config.payer_authorizer:
        raise PaymentRequired(
            f"the voucher is signed by {signer}, but the channel's payerAuthorizer is {config.payer_authorizer}",
            code="wrong_signer",
            signer=signer,
            expected=config.payer_authorizer,
        )
    return VerifiedVoucher(voucher)
