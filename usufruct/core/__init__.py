"""Pure values every room speaks in: identifiers, money, errors, clocks."""

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
from usufruct.core.ids import (
    ZERO_ADDRESS,
    AddressMistyped,
    AssetId,
    ChainId,
    address,
    address_from_bytes,
    asset_from_bytes,
    asset_id,
    asset_to_bytes,
    format_asset,
    hash32,
    hash32_from_bytes,
    id_to_bytes,
    time_ordered_id,
)
from usufruct.core.jobs import REPEATEDLY, Job, JobBoard, JobReports, JobState, jobs_running, run_job, run_jobs
from usufruct.core.memory import spare_collector
from usufruct.core.money import (
    UINT128_MAX,
    UINT256_MAX,
    divide_down,
    divide_up,
    format_units,
    parse_units,
    parse_units_up,
)
from usufruct.core.price_cards import WHOLE_BPS, PriceCard, PriceUnit
from usufruct.core.recursion import recursion_limit_kept
from usufruct.core.shutdown import Shutdown, unbroken
from usufruct.core.values import value
from usufruct_client.identifiers import Address, Hash32, checksum

__all__ = [
    "LAST_MOMENT",
    "REPEATEDLY",
    "UINT128_MAX",
    "UINT256_MAX",
    "WHOLE_BPS",
    "ZERO_ADDRESS",
    "Address",
    "AddressMistyped",
    "AssetId",
    "ChainId",
    "Clock",
    "Conflict",
    "Denied",
    "FakeClock",
    "Faulty",
    "Hash32",
    "Invalid",
    "Job",
    "JobBoard",
    "JobReports",
    "JobState",
    "NotFound",
    "PaymentRequired",
    "PriceCard",
    "PriceUnit",
    "Shutdown",
    "SystemClock",
    "Unavailable",
    "UsufructError",
    "address",
    "address_from_bytes",
    "asset_from_bytes",
    "asset_id",
    "asset_to_bytes",
    "checksum",
    "divide_down",
    "divide_up",
    "end_with_standard_input",
    "format_asset",
    "format_units",
    "hash32",
    "hash32_from_bytes",
    "id_to_bytes",
    "jobs_running",
    "moment",
    "parse_units",
    "parse_units_up",
    "recursion_limit_kept",
    "run_job",
    "run_jobs",
    "spare_collector",
    "time_ordered_id",
    "unbroken",
    "value",
]
