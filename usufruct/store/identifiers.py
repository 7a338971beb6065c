"""Column types for identifiers: bytes in the database, the types of `core` in Python.

BLOB on SQLite, BYTEA on PostgreSQL; both sort them alike.
"""

from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

from usufruct.core import (
    Address,
    AssetId,
    Hash32,
    address_from_bytes,
    asset_from_bytes,
    asset_to_bytes,
    hash32_from_bytes,
    id_to_bytes,
)


class AddressColumn(TypeDecorator[Address]):
    """The column type for an address: 20 bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Address | None, dialect: Dialect) -> bytes | None:
        """Return the bytes that the driver takes."""
        return None if value is None else id_to_bytes(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Address | None:
        """Return the address that a row holds."""
        return None if value is None else address_from_bytes(value)


class HashColumn(TypeDecorator[Hash32]):
    """The column type for a hash, a channel id or a call id: 32 bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Hash32 | None, dialect: Dialect) -> bytes | None:
        """Return the bytes that the driver takes."""
        return None if value is None else id_to_bytes(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Hash32 | None:
        """Return the hash that a row holds."""
        return None if value is None else hash32_from_bytes(value)


class AssetIdColumn(TypeDecorator[AssetId]):
    """The column type for an asset id: 16 bytes, big-endian, so that ids sort as numbers do."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: AssetId | None, dialect: Dialect) -> bytes | None:
        """Return the bytes that the driver takes."""
        return None if value is None else asset_to_bytes(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> AssetId | None:
        """Return the asset id that a row holds."""
        return None if value is None else asset_from_bytes(value)
