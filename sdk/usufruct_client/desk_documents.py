"""The JSON documents of the seller's desk: what services earn, what a seller may change. Atomic units."""

from dataclasses import field
from typing import Annotated

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.sale_documents import Decimal, NewSample, SecretText, WalletTransaction
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
    """What one service did in 30 days. `cost`: of its calls, where what its server costs is known.

    `paused_at`: since when it takes no new calls; None: it takes them.
    """

    name: StrictStr
    asset: AssetHex
    pay_to: AddressText
    registered: StrictBool
    month: Earnings
    cost: Uint256 | None
    paused_at: Seconds | None = None


class DeskFigures(Document):
    """`GET /v1/desk?page=`: today, 7 and 30 days, each of 30 days, and 24 of the services on sale, those of `page`."""

    symbol: StrictStr
    decimals: Decimals
    today: Earnings
    week: Earnings
    month: Earnings
    days: list[DayEarnings]
    services: list[ServiceEarnings]
    page: Count
    pages: Count


class NewPrice(Wish):
    """Another price of a service, in whole units per million text tokens and per call; empty: as it is."""

    input: Decimal = ""
    output: Decimal = ""
    per_call: Decimal = ""
    cached_input: Decimal = ""


class PriceChange(Document):
    """When a new price holds; `transaction`: that announced it, for a registered service.

    `transactions`: what the seller's wallet has to send for it, which only that wallet may; `starts_at` is None then.
    """

    starts_at: Seconds | None
    transaction: HashText | None = None
    transactions: list[WalletTransaction] = field(default_factory=list)


class Retirement(Document):
    """When a service is off sale; `transaction`: that announced it, for a registered service.

    `transactions`: what the seller's wallet has to send for it; `retires_at` is None then.
    """

    retires_at: Seconds | None
    transaction: HashText | None = None
    transactions: list[WalletTransaction] = field(default_factory=list)


class Pause(Document):
    """Since when a service takes no new calls; None: it takes them."""

    paused_at: Seconds | None


class SampleOffer(Document):
    """What visitors may try of a service without payment (None: nothing), and how many free calls they made today."""

    sample: NewSample | None
    given_today: Count


class LevelDiscount(Wish):
    """The most that the staking levels of payers take off a service's prices, in per cent; "0": nothing."""

    most: Decimal


class NewKey(Wish):
    """Another API key for one of a service's servers; it is never shown.

    `server`: its URL; empty where the service has one server.
    """

    key: Annotated[SecretText, Field()]
    server: StrictStr = ""


class Payout(Document):
    """What one collection paid to the seller's wallet; 0 where nothing was due.

    `transactions`: what that wallet has to send for it; `amount` is what they pay then.
    """

    amount: Uint256
    transaction: HashText | None = None
    transactions: list[WalletTransaction] = field(default_factory=list)
