"""What payers sign, as EIP-712: vouchers over a channel and deposits into it; and who signed a thing."""

import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from coincurve import PublicKey

from usufruct_client.eip712_messages import CHANNEL, COLLECTOR, DEPOSIT, ESCROW, SETTLEMENT, VOUCHER
from usufruct_client.errors import Refused
from usufruct_client.identifiers import Address, Hash32, address_of_key, checksum, keccak
from usufruct_client.typed_data import MessageHasher
from usufruct_client.wire import ChannelConfig, DepositAuthorizations, SignedDeposit, TransferAuthorization

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0

_CHANNEL = MessageHasher(CHANNEL)
_VOUCHER = MessageHasher(VOUCHER)


class Signed(Protocol):
    """What a signer returns: 65 bytes under `signature`."""

    @property
    def signature(self) -> bytes:
        """r, s, v."""


class Signer(Protocol):
    """Who signs: eth-account's `LocalAccount`, or anything with these two."""

    @property
    def address(self) -> str:
        """The signer's address."""

    def sign_typed_data(
        self, domain_data: dict[str, Any], message_types: dict[str, Any], message_data: dict[str, Any]
    ) -> Signed:
        """Sign EIP-712 typed data."""


@dataclass(frozen=True, slots=True)
class Deposit:
    """The payer's word to the token: `amount` may be put into one channel, once, until `valid_before`."""

    amount: int
    valid_before: int
    salt: str
    signature: str

    def document(self) -> SignedDeposit:
        """Return the deposit as it travels."""
        signature = bytes.fromhex(self.signature[2:])
        authorization = TransferAuthorization(0, self.valid_before, Hash32(self.salt), signature)
        return SignedDeposit(self.amount, DepositAuthorizations(authorization))


@lru_cache(maxsize=1 << 16)
def channel_id(config: ChannelConfig, chain_id: int, contract: Address = SETTLEMENT) -> Hash32:
    """Return the channel's id: the EIP-712 digest of its configuration under the escrow's domain; remembered."""
    parties = (config.payer, config.payer_authorizer, config.receiver, config.receiver_authorizer, config.token)
    return Hash32("0x" + _CHANNEL.digest(chain_id, contract, *parties, config.withdraw_delay, config.salt).hex())


def sign_voucher(signer: Signer, channel: str, max_claimable: int, chain_id: int) -> bytes:
    """Promise that up to `max_claimable` of the channel may be claimed in all; 65 bytes.

    Raises:
        Refused: when the amount is not a uint128.
    """
    if not 0 <= max_claimable < 1 << 128:
        raise Refused(f"a voucher's amount must be below 2**128, not {max_claimable}", amount=max_claimable)
    message = {"channelId": bytes.fromhex(channel[2:]), "maxClaimableAmount": max_claimable}
    domain = ESCROW.data(chain_id, SETTLEMENT)
    return bytes(signer.sign_typed_data(domain, VOUCHER.types, message).signature)


def voucher_signer(channel: str, max_claimable: int, chain_id: int, signature: bytes) -> Address | None:
    """Return who signed a voucher; None for a signature the chain would not take."""
    return signer_of(_VOUCHER.digest(chain_id, SETTLEMENT, channel, max_claimable), signature)


def random_salt() -> Hash32:
    """Return 32 random bytes."""
    return Hash32("0x" + secrets.token_hex(32))


def sign_deposit(signer: Signer, channel: str, token: dict[str, Any], amount: int, valid_before: int) -> Deposit:
    """Authorize a deposit into `channel`; `token` is the token's EIP-712 domain."""
    salt = random_salt()
    message = deposit_message(signer.address, channel, amount, valid_before, salt)
    signed = signer.sign_typed_data(token, DEPOSIT.types, message)
    return Deposit(amount, valid_before, salt, "0x" + bytes(signed.signature).hex())


def deposit_message(payer: str, channel: str, amount: int, valid_before: int, salt: str) -> dict[str, Any]:
    """Return what a payer signs for a deposit: EIP-3009's authorization, whose nonce names the channel."""
    return {
        "from": checksum(payer),
        "to": checksum(COLLECTOR),
        "value": amount,
        "validAfter": 0,
        "validBefore": valid_before,
        "nonce": keccak(bytes.fromhex(channel[2:]) + bytes.fromhex(salt[2:])),
    }


def recover_signer(digest: bytes, signature: bytes) -> Address:
    """Return the account that signed `digest`, if the chain would take the signature.

    Raises:
        ValueError: for another length, v, a high s (the same signature in a second form), or no such point.
    """
    if len(signature) != 65:
        raise ValueError(f"signature must be 65 bytes (r, s, v), not {len(signature)}")
    if signature[64] not in (27, 28):
        raise ValueError(f"signature's last byte (v) must be 27 or 28, not {signature[64]}")
    if int.from_bytes(signature[32:64], "big") > HALF_ORDER:
        raise ValueError("signature has a high s; use the lower one of the two equivalent forms")
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes((signature[64] - 27,)), digest, hasher=None)
    except Exception as error:  # coincurve raises bare Exception when no key fits
        raise ValueError("signature fits no key: r or s is out of range") from error
    return address_of_key(key.format(compressed=False))


def signer_of(digest: bytes, signature: bytes) -> Address | None:
    """Return the account that signed `digest`; None for a signature the chain would not take."""
    try:
        return recover_signer(digest, signature)
    except ValueError:
        return None
