"""A service in rows of the market API: its calls over days, and its owners."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from usufruct.analytics import utc_text
from usufruct.assets import Listing
from usufruct.chain import TokenFacts
from usufruct.core import DAY_SECONDS, checksum, format_asset
from usufruct.gateway import LEAST_SAMPLE, CallCounts
from usufruct.service_data.concentration import Concentration

WINDOWS: Final = (7, 30)
"""Days of UTC, today included."""

Row = dict[str, Any]
Days = Sequence[tuple[int, CallCounts]]
"""What was counted on days that had calls, each with its start."""


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """A service that is on sale: its days in the longest window, and its owners where it has shares."""

    listing: Listing
    days: Days
    owners: Concentration | None


def service_row(facts: ServiceFacts, token: TokenFacts, now: int) -> Row:
    """Return the row of a service."""
    listing, owners = facts.listing, facts.owners
    row: Row = identity(listing) | {
        "OPERATION": listing.operation,
        "SHARES": checksum(listing.pay_to) if listing.registered else None,
        "ON_SALE_SINCE": utc_text(listing.created_at),
        "TOKEN": token.symbol,
        "HOLDERS": owners and owners.holders,
        "LARGEST_HOLDER": owners and round(owners.largest, 6),
        "TEN_LARGEST_HOLDERS": owners and round(owners.ten_largest, 6),
        "CONCENTRATION": owners and round(owners.herfindahl, 6),
    }
    for window in WINDOWS:
        first = now - now % DAY_SECONDS - (window - 1) * DAY_SECONDS
        total = summed(counts for start, counts in facts.days if start >= first)
        row |= {f"{name}_{window}D": value for name, value in _counted(total, token).items()}
        answered = total.answered / total.tried if total.tried >= LEAST_SAMPLE else None
        row[f"SUCCESS_{window}D"] = answered
    return row


def day_row(listing: Listing, start: int, counts: CallCounts, token: TokenFacts) -> Row:
    """Return the row of a day of a service."""
    return identity(listing) | {"DATE": utc_text(start), "TOKEN": token.symbol} | _counted(counts, token)


def identity(listing: Listing) -> Row:
    """Return the members that name a service."""
    return {"SERVICE": listing.name, "ASSET": format_asset(listing.id)}


def summed(counts: Iterable[CallCounts]) -> CallCounts:
    """Return the sum of what was counted."""
    total = CallCounts()
    for each in counts:
        total.add_counts(each)
    return total


def _counted(counts: CallCounts, token: TokenFacts) -> Row:
    """Return calls, text tokens, and the revenue in whole units."""
    return {
        "CALLS": counts.calls,
        "INPUT_TOKENS": counts.input_tokens,
        "OUTPUT_TOKENS": counts.output_tokens,
        "REVENUE": counts.income / 10**token.decimals,
    }
