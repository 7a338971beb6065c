"""Identifiers as distinct types: a wrong argument does not pass the type checker."""

import re
from functools import lru_cache
from secrets import token_bytes
from typing import NewType

from usufruct.core.errors import Invalid
from usufruct_client.identifiers import Address, Hash32, is_mistyped

ChainId = NewType("ChainId", int)
"""EIP-155 chain id."""

AssetId = NewType("AssetId", int)
"""`uint128(keccak256(abi.encode(chainId, registry, registrant, salt)))`; also the title's ERC-721 id."""

ZERO_ADDRESS = Address("0x" + "0" * 40)
"""The zero address: the source of mints, the target of burns, no restriction."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_HASH32 = re.compile(r"0x[0-9a-fA-F]{64}")
_MOST_REMEMBERED = 4096


class InvalidAddress(Invalid, code="invalid_address"):
    """Not 20 bytes of hexadecimal."""


def address(text: str, field: str = "address") -> Address:
    """Parse `text` into an `Address`: in one letter case, or in mixed case with the checksum of EIP-55.

    Raises:
        InvalidAddress: when it is not `0x` and 40 hex digits, or its letters are in mixed case and the checksum is
            wrong: at least one character is; names `field`.
    """
    if not _ADDRESS.fullmatch(text):
        raise InvalidAddress(f"{field} must be 0x followed by 40 hex digits, not {text!r}", field=field, value=text)
    if is_mistyped(text):
        raise InvalidAddress(
            f"{field}: a character of the address {text} is wrong (its checksum does not hold); copy it again",
            code="address_mistyped",
            field=field,
            value=text,
        )
    return Address(text.lower())


def hash32(text: str, field: str = "hash") -> Hash32:
    """Parse `text` (any letter case) into a `Hash32`.

    Raises:
        Invalid: when it is not `0x` and 64 hex digits; names `field`.
    """
    if not _HASH32.fullmatch(text):
        message = f"{field} must be 0x followed by 64 hex digits, not {text!r}"
        raise Invalid(message, code="invalid_hash", field=field, value=text)
    return Hash32(text.lower())


def asset_id(value: str | int, field: str = "asset") -> AssetId:
    """Parse a decimal or 0x-hexadecimal number into an `AssetId`.

    Raises:
        Invalid: when it is not a number from 0 to 2**128 - 1; names `field`.
    """
    try:
        number = value if isinstance(value, int) else int(value, 0)
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 128:
        raise Invalid(
            f"{field} must be a number from 0 to 2**128 - 1 (decimal or 0x...), not {value!r}",
            code="invalid_asset_id",
            field=field,
            value=str(value),
        )
    return AssetId(number)


def format_asset(asset: AssetId) -> str:
    """Return an asset id as text: `0x` and 32 hex digits, the only form in documents, receipts and output."""
    return f"0x{asset:032x}"


def time_ordered_id(now: int) -> Hash32:
    """Return a new id that no one can guess and that sorts by `now`: 5 bytes of seconds since 1970, 27 random bytes.

    Rows of one time are beside each other in an index, which keeps writing them cheap however many there are.
    """
    return Hash32("0x" + (now.to_bytes(5, "big") + token_bytes(27)).hex())


def address_from_bytes(raw: bytes) -> Address:
    """Return the address that `id_to_bytes` wrote."""
    return Address("0x" + raw.hex())


@lru_cache(maxsize=_MOST_REMEMBERED)
def hash32_from_bytes(raw: bytes) -> Hash32:
    """Write 32 bytes as a `Hash32`; the inverse of `id_to_bytes`."""
    return Hash32("0x" + raw.hex())


def asset_to_bytes(asset: AssetId) -> bytes:
    """Return an asset id as 16 bytes, big-endian: what the database stores."""
    return asset.to_bytes(16, "big")


def asset_from_bytes(raw: bytes) -> AssetId:
    """Return the asset id that `asset_to_bytes` wrote."""
    return AssetId(int.from_bytes(raw, "big"))
