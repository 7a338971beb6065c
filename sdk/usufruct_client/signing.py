"""What is signed, as EIP-712 by eth-account: vouchers over a channel, and deposits into it; and who signed a thing."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from usufruct_client.eip712 import CHANNEL, DEPOSIT, VOUCHER
from usufruct_client.eip712 import ESCROW as ESCROW_DOMAIN
from usufruct_client.errors import Refused
from usufruct_client.recursion import recursion_limit_kept
from usufruct_client.wire import ChannelConfig

with recursion_limit_kept():
    from eth_account import Account
    from eth_account.messages import SignableMessage, encode_typed_data
    from eth_utils.address import to_checksum_address
    from eth_utils.crypto import keccak

ESCROW = "0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003"
"""x402's `BatchSettlement`, the same on every chain."""

COLLECTOR = "0x4020806089470a89826cb9fb1f4059150b550004"
"""x402's `ERC3009DepositCollector`, the same on every chain."""

UINT128_MAX = (1 << 128) - 1

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


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


@lru_cache(maxsize=1024)
def checksummed(address: str) -> str:
    """Return the address with EIP-55's capitals."""
    return str(to_checksum_address(address))


def mistyped(address: str) -> bool:
    """Tell whether an address is in mixed case and its EIP-55 checksum does not hold: a character of it is wrong."""
    digits = address[2:]
    return digits not in (digits.lower(), digits.upper()) and address != checksummed(address.lower())


@lru_cache(maxsize=1024)
def channel_id(config: ChannelConfig, chain_id: int) -> str:
    """Return the channel's id: the EIP-712 digest of its configuration under the escrow's domain."""
    message = {
        "payer": checksummed(config.payer),
        "payerAuthorizer": checksummed(config.payer_authorizer),
        "receiver": checksummed(config.receiver),
        "receiverAuthorizer": checksummed(config.receiver_authorizer),
        "token": checksummed(config.token),
        "withdrawDelay": config.withdraw_delay,
        "salt": bytes.fromhex(config.salt[2:]),
    }
    return "0x" + typed_data_digest(_escrow_domain(chain_id), CHANNEL.types, message).hex()


def sign_voucher(signer: Signer, channel: str, max_claimable: int, chain_id: int) -> str:
    """Promise that up to `max_claimable` of the channel may be claimed in all; 65 bytes in hex.

    Raises:
        Refused: when the amount is not a uint128.
    """
    if not 0 <= max_claimable <= UINT128_MAX:
        raise Refused(f"a voucher's amount must be below 2**128, not {max_claimable}", amount=max_claimable)
    signed = signer.sign_typed_data(_escrow_domain(chain_id), VOUCHER.types, _voucher(channel, max_claimable))
    return _hex(signed.signature)


def voucher_signer(channel: str, max_claimable: int, chain_id: int, signature: str) -> str | None:
    """Return who signed a voucher; None for a signature the chain would not take."""
    return recovered(
        encode_typed_data(_escrow_domain(chain_id), VOUCHER.types, _voucher(channel, max_claimable)), signature
    )


def sign_deposit(
    signer: Signer, channel: str, token: Mapping[str, Any], amount: int, valid_before: int, salt: str
) -> Deposit:
    """Authorize a deposit into `channel`; `token` is the token's EIP-712 domain."""
    message = {
        "from": checksummed(signer.address),
        "to": checksummed(COLLECTOR),
        "value": amount,
        "validAfter": 0,
        "validBefore": valid_before,
        "nonce": keccak(bytes.fromhex(channel[2:]) + bytes.fromhex(salt[2:])),
    }
    signed = signer.sign_typed_data(dict(token), DEPOSIT.types, message)
    return Deposit(amount, valid_before, salt, _hex(signed.signature))


def digest_of(message: SignableMessage) -> bytes:
    """Return the 32 bytes that are signed."""
    return bytes(keccak(b"\x19" + message.version + message.header + message.body))


def typed_data_digest(domain: dict[str, Any], types: dict[str, Any], message: dict[str, Any]) -> bytes:
    """Return the 32 bytes that a signer signs of EIP-712 typed data."""
    return digest_of(encode_typed_data(domain, types, message))


def recovered(message: SignableMessage, signature: str) -> str | None:
    """Return who signed `message`, in lower case; None for another length, v or a high s."""
    raw = bytes.fromhex(signature.removeprefix("0x"))
    if len(raw) != 65 or raw[64] not in {27, 28} or int.from_bytes(raw[32:64]) > _HALF_ORDER:
        return None
    try:
        return str(Account.recover_message(message, signature=raw)).lower()
    except Exception:  # the libraries below raise each their own for points that are not on the curve
        return None


def _escrow_domain(chain_id: int) -> dict[str, Any]:
    return ESCROW_DOMAIN.data(chain_id, checksummed(ESCROW))


def _voucher(channel: str, max_claimable: int) -> dict[str, Any]:
    return {"channelId": bytes.fromhex(channel[2:]), "maxClaimableAmount": max_claimable}


def _hex(signature: bytes) -> str:
    return "0x" + bytes(signature).hex()
