"""The JSON documents of the operator's pages: how an installation does. Amounts in atomic units."""

from dataclasses import field

from pydantic import StrictBool, StrictStr

from usufruct_client.sale_documents import WalletTransaction
from usufruct_client.wire_types import AddressText, AssetHex, Count, Decimals, Document, Seconds, Uint256


class JobFacts(Document):
    """A background job of one process; `failures` in a row since `failing_since`, with the last one's message."""

    process: StrictStr
    name: StrictStr
    failures: Count
    failing_since: Seconds | None
    code: StrictStr
    message: StrictStr


class RoleKey(Document):
    """A role's key by its address, and the coins that it has for gas; None while the node does not answer.

    `needed`: coins that it should hold at the newest block's gas price; None also for a key that sends nothing.
    """

    role: StrictStr
    address: AddressText
    coins: Uint256 | None
    needed: Uint256 | None = None


class ServiceState(Document):
    """A service that is on sale; `paused_at`: since when it takes no new calls. `servers`: how many answer for it."""

    name: StrictStr
    asset: AssetHex
    operation: StrictStr
    registered: StrictBool
    servers: Count
    paused_at: Seconds | None = None


class ClaimFacts(Document):
    """Money that was charged, what of it is not claimed, since when, and what the till owes to payees."""

    charged: Uint256
    unclaimed: Uint256
    oldest_unclaimed_at: Seconds | None
    owed: Uint256 | None


class WaitingSale(Document):
    """A sale that waits until the till lists its payee, and who sells."""

    name: StrictStr
    seller: AddressText


class PayeeFacts(Document):
    """A payee of services: whether the till lists it, what the till owes it, and the most that it gets in a day.

    `sales`: sales that wait for its listing. `has_shares`: whether it is the shares of an asset. `daily_cap`: 0: none.
    """

    pay_to: AddressText
    services: list[StrictStr]
    listed: StrictBool | None
    owed: Uint256 | None
    has_shares: StrictBool | None = None
    daily_cap: Uint256 | None = None
    sales: list[WaitingSale] = field(default_factory=list)


class TillFacts(Document):
    """The till, its owner, and the daily cap of payees without a cap of their own; 0: no cap."""

    address: AddressText
    owner: AddressText | None
    daily_cap: Uint256 | None


class OwnerFacts(Document):
    """The till's owner, and the account that the till is offered to: `GET /v1/operator/owner`."""

    till: AddressText
    owner: AddressText
    next_owner: AddressText | None


class OwnerWish(Document):
    """Whom the till is offered to; None takes an offer back: `POST /v1/operator/owner`."""

    to: AddressText | None = None


class PayeeWish(Document):
    """Whether the till is to pay an address: `POST /v1/operator/payees`."""

    pay_to: AddressText
    listed: StrictBool


class CapWish(Document):
    """The most that the till pays a payee a day, as in 12.5; 0: no cap of its own: `POST /v1/operator/caps`.

    `pay_to`: None for each payee that has no cap of its own.
    """

    amount: StrictStr
    pay_to: AddressText | None = None


class TillChange(Document):
    """What the owner's wallet has to send for a change of the till; nothing where it is as wanted."""

    transactions: list[WalletTransaction]


class InstallationFacts(Document):
    """`GET /v1/operator`. `settings`: by section; secrets are `***`."""

    symbol: StrictStr
    decimals: Decimals
    services: list[ServiceState]
    claims: ClaimFacts
    till: TillFacts
    payees: list[PayeeFacts]
    keys: list[RoleKey]
    jobs: list[JobFacts]
    settings: dict[str, dict[str, StrictStr]]


class HealthFinding(Document):
    """One thing that was looked at: what is the case, and what to do about it."""

    subject: StrictStr
    verdict: StrictStr
    says: StrictStr
    remedy: StrictStr


class HealthFacts(Document):
    """`GET /v1/operator/health`: what `usufruct doctor` says."""

    findings: list[HealthFinding]
