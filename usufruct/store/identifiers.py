"""Column types for identifiers: bytes in the database, the types of `core` in Python.

BLOB on SQLite, BYTEA on PostgreSQL; both sort them alike.
"""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

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

T = TypeVar("T")


class _Identifier(TypeDecorator[T]):
    impl = LargeBinary
    _write: ClassVar[Callable[[Any], bytes]]
    _read: ClassVar[Callable[[bytes], Any]]

    def process_bind_param(self, value: T | None, dialect: Dialect) -> bytes | None:
        """Return the bytes that the driver takes."""
        return None if value is None else type(self)._write(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> T | None:
        """Return the identifier that a row holds."""
        return None if value is None else type(self)._read(value)


class AddressColumn(_Identifier[Address]):
    """The column type for an address: 20 bytes."""

    cache_ok = True
    _write, _read = id_to_bytes, address_from_bytes


class HashColumn(_Identifier[Hash32]):
    """The column type for a hash, a channel id or a call id: 32 bytes."""

    cache_ok = True
    _write, _read = id_to_bytes, hash32_from_bytes


class AssetIdColumn(_Identifier[AssetId]):
    """The column type for an asset id: 16 bytes, big-endian, so that ids sort as numbers do."""

    cache_ok = True
    _write, _read = asset_to_bytes, asset_from_bytes
