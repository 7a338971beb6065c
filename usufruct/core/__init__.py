"""Pure values every room speaks in: identifiers, money, errors, clocks. Standard library only."""

from usufruct.core.attached import end_with_standard_input
from usufruct.core.clock import LAST_MOMENT, Clock, FakeClock, SystemClock, moment
from usufruct.core.errors import (
    Conflict,
    Denied,
    Faulty,
    Invalid,
    NotFound,
    PaymentRequired,
    Unavailable,
    UsufructError,
)
from usufruct.core.forever import forever
from usufruct.core.ids import (
    ZERO_ADDRESS,
    Address,
    AssetId,
    ChainId,
    Hash32,
    address,
    address_from_bytes,
    asset_from_bytes,
    asset_id,
    asset_to_bytes,
    format_asset,
    hash32,
    hash32_from_bytes,
    id_to_bytes,
)
from usufruct.core.money import UINT128_MAX, UINT256_MAX, divide_down, divide_up, format_units, parse_units
from usufruct.core.recursion import recursion_limit_kept

__all__ = [
    "LAST_MOMENT",
    "UINT128_MAX",
    "UINT256_MAX",
    "ZERO_ADDRESS",
    "Address",
    "AssetId",
    "ChainId",
    "Clock",
    "Conflict",
    "Denied",
    "FakeClock",
    "Faulty",
    "Hash32",
    "Invalid",
    "NotFound",
    "PaymentRequired",
    "SystemClock",
    "Unavailable",
    "UsufructError",
    "address",
    "address_from_bytes",
    "asset_from_bytes",
    "asset_id",
    "asset_to_bytes",
    "divide_down",
    "divide_up",
    "end_with_standard_input",
    "forever",
    "format_asset",
    "format_units",
    "hash32",
    "hash32_from_bytes",
    "id_to_bytes",
    "moment",
    "parse_units",
    "recursion_limit_kept",
]
