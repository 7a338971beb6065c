"""The JSON documents of the seller's desk: what services earn, what a seller may change. Atomic units."""

from typing import Annotated

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.sale_documents import Decimal, SecretText
from usufruct_client.wire_types import (
    AddressText,
    AssetHex,
    Count,
    Decimals,
    Document,
    HashText,
    Seconds,
    Uint256,
    Wish,
)


class Earnings(Document):
    """Calls that were let in, those that were not answered whole, and what was charged."""

    calls: Count
    errors: Count
    income: Uint256


class DayEarnings(Document):
    """The earnings of one day (UTC), which starts at `day`."""

    day: Seconds
    calls: Count
    errors: Count
    income: Uint256


class ServiceEarnings(Document):
    """What one service did in 30 days. `cost`: of its calls, where what its server costs is known."""

    name: StrictStr
    asset: AssetHex
    pay_to: AddressText
    registered: StrictBool
    month: Earnings
    cost: Uint256 | None


class DeskFigures(Document):
    """`GET /v1/desk`: today, 7 and 30 days, each of 30 days, and each service on sale."""

    symbol: StrictStr
    decimals: Decimals
    today: Earnings
    week: Earnings
    month: Earnings
    days: list[DayEarnings]
    services: list[ServiceEarnings]


class NewPrice(Wish):
    """Another price of a service, in whole units per million text tokens and per call; empty: as it is."""

    input: Decimal = ""
    output: Decimal = ""
    per_call: Decimal = ""
    cached_input: Decimal = ""


class PriceChange(Document):
    """When a new price holds; `transaction`: that announced it, for a registered service."""

    starts_at: Seconds
    transaction: HashText | None = None


class Retirement(Document):
    """When a service is off sale; `transaction`: that announced it, for a registered service."""

    retires_at: Seconds
    transaction: HashText | None = None


class NewKey(Wish):
    """Another API key for a service's servers; it is never shown."""

    key: Annotated[SecretText, Field()]


class Payout(Document):
    """What one collection paid to the operator's wallet; 0 where nothing was due."""

    amount: Uint256
    transaction: HashText | None = None
