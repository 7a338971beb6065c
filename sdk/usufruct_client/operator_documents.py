"""The JSON documents of the operator's pages: how an installation does. Amounts in atomic units."""

from pydantic import StrictBool, StrictStr

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


class PayeeFacts(Document):
    """Who is paid for services, whether the till lists them, and what it owes them."""

    pay_to: AddressText
    services: list[StrictStr]
    listed: StrictBool | None
    owed: Uint256 | None


class InstallationFacts(Document):
    """`GET /v1/operator`. `settings`: by section; secrets are `***`."""

    symbol: StrictStr
    decimals: Decimals
    services: list[ServiceState]
    claims: ClaimFacts
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
