"""What goes into the ledger and what comes out: frozen values. Money is in atomic units of the account's token."""

from asyncio import Future, shield
from collections.abc import Callable
from dataclasses import field
from enum import StrEnum

from usufruct.core import Address, AssetId, ChainId, Hash32, value
from usufruct.payments.pricing import CountedBy, Receipt, Usage, VerifiedVoucher, text_usage
from usufruct_client.bill_lines import Line


class CallState(StrEnum):
    """State of a call. `METERED` (charged) and `RELEASED` (charged nothing) are final."""

    OPEN = "open"
    METERED = "metered"
    RELEASED = "released"


class AccountKind(StrEnum):
    """Which funding source an account draws on."""

    ESCROW_CHANNEL = "escrow_channel"
    PASS_CREDITS = "pass_credits"


@value
class AccountIdentity:
    """What never changes about an account; how its funding source is configured, that source keeps.

    `owner` paid in and gets back what is not used; `signer` authorizes charges; `token` is what is charged.
    """

    id: Hash32
    kind: AccountKind
    chain_id: ChainId
    owner: Address
    signer: Address
    token: Address


@value
class AccountReading:
    """An account as its funding source read it from the chain at one block.

    `withdraw_at` is the chain time of a pending withdrawal, 0 when there is none; `leaving` its amount. `serve_until`
    is set if the account's signer announced it and its owner did not: until then, in seconds since 1970, all that the
    account holds can be claimed before the withdrawal is finished.
    """

    identity: AccountIdentity
    block: int
    balance: int
    total_claimed: int
    withdraw_at: int = 0
    leaving: int = 0
    serve_until: int = 0

    @property
    def id(self) -> Hash32:
        """The account's id."""
        return self.identity.id


@value
class Account:
    """An account as the ledger knows it: `reading` is the chain's side, the rest is ours.

    `charged` is cumulative; `reserved` is the sum of the open calls' ceilings; `voucher` is the best one accepted;
    `last_call_at` is when the newest call was opened, by the database's clock, 0 when there was none. `day` is when a
    call was last opened, metered or released, in days (UTC) since 1970, and `charged_before` what was charged before.
    """

    reading: AccountReading
    total_split: int
    charged: int
    reserved: int
    refunding: int
    voucher: VerifiedVoucher | None
    last_call_at: int
    day: int = 0
    charged_before: int = 0

    @property
    def id(self) -> Hash32:
        """What the account is known by here, on receipts and in its funding source."""
        return self.reading.identity.id

    @property
    def kind(self) -> AccountKind:
        """The kind of its funding source."""
        return self.reading.identity.kind

    @property
    def owner(self) -> Address:
        """Address that paid in."""
        return self.reading.identity.owner

    @property
    def signer(self) -> Address:
        """Address that authorizes charges."""
        return self.reading.identity.signer

    @property
    def token(self) -> Address:
        """Payment token that is charged."""
        return self.reading.identity.token

    @property
    def usable(self) -> int:
        """What vouchers may promise in all: the balance less refunds under way."""
        return max(0, self.reading.balance - self.refunding)

    def kept(self, now: int) -> int:
        """Return what a session key's calls may use in all at a time, while its own announcement is pending."""
        leaving = self.reading.leaving if now >= self.reading.serve_until else 0
        return max(0, self.usable - leaving)

    def charged_on(self, day: int) -> int:
        """Return what the calls that were metered on a day were charged, from the day of the last change on."""
        return self.charged - (self.charged if day > self.day else self.charged_before)

    @property
    def free(self) -> int:
        """What new calls may still reserve."""
        return max(0, self.usable - self.charged - self.reserved)


@value
class Lease:
    """A replica's hold on one call, which every later step shows; a call that is taken from it gets another epoch."""

    call: Hash32
    account: Hash32
    epoch: int = 1


@value
class IdempotencyKey:
    """The caller's key for at-most-once; scoped by the account's payer."""

    key: str
    body_hash: Hash32


@value
class Reservation:
    """What a call asks for. `call` is chosen by the caller; asking twice with the same id opens one call.

    `voucher` is what an x402 client sent. A bearer key sends none: `sign` is its session key, asked for a voucher over
    exactly the amount needed. `limit` is the most that the account may be charged in all for this caller, `day_limit`
    the most in one day (UTC); a call counts towards the day in which it is metered. `offered` is a deposit that came
    along and was not made: a voucher may count on it, a charge may not.
    """

    call: Hash32
    account: Hash32
    asset: AssetId
    ceiling: int
    price_card_version: int
    request_hash: Hash32
    voucher: VerifiedVoucher | None = None
    sign: Callable[[int], VerifiedVoucher] | None = None
    limit: int | None = None
    day_limit: int | None = None
    idempotency: IdempotencyKey | None = None
    offered: int = 0

    @property
    def promise(self) -> int | None:
        """The amount of the voucher that was sent."""
        return self.voucher.max_claimable if self.voucher else None


@value
class Opened:
    """The call is admitted: its lease, and the account after it. Nothing may leave before `durable` has returned."""

    lease: Lease
    account: Account
    commit: "Future[None]" = field(compare=False, repr=False)

    async def durable(self) -> None:
        """Wait until the call is on disk.

        Raises:
            DatabaseUnavailable: when it could not be committed; stop what was begun for the call.
        """
        await shield(self.commit)


@value
class Replay:
    """The same request was answered before: the stored answer."""

    call: Hash32
    answer: bytes


@value
class Bill:
    """What a served call is charged, what its receipt will say, and how its quantities were counted."""

    charge: int
    lines: tuple[Line, ...]
    flagged: bool
    model_digest: Hash32
    response_hash: Hash32
    counted_by: CountedBy = CountedBy.UPSTREAM
    reasoning_tokens: int = 0

    @property
    def usage(self) -> Usage:
        """The text tokens among its lines."""
        return text_usage(self.lines)


@value
class Call:
    """A call as the ledger knows it. `bill` and `cumulative` are set once metered, `reason` once released.

    `cumulative` is what its account was charged in all, this call included. Times are the database's seconds.
    `receipt_signature` is the operator's over the receipt, made once, when the call was metered.
    """

    lease: Lease
    asset: AssetId
    state: CallState
    owner: str
    lease_until: int
    ceiling: int
    price_card_version: int
    request_hash: Hash32
    opened_at: int
    finished_at: int | None = None
    reason: str | None = None
    bill: Bill | None = None
    cumulative: int | None = None
    receipt_signature: bytes | None = None

    def receipt(self, token: Address) -> Receipt | None:
        """Return the receipt of a metered call on an account of `token`; None when it was released or still runs.

        Everything in it is kept by the ledger: it can be made, and signed, again at any time.
        """
        if self.bill is None or self.cumulative is None or self.finished_at is None:
            return None
        return receipt_of(self, self.bill, self.cumulative, self.finished_at, token)


def receipt_of(call: Call, bill: Bill, cumulative: int, time: int, token: Address) -> Receipt:
    """Return the receipt of a call that is metered now, or was at `time`."""
    return Receipt(
        call=call.lease.call,
        account=call.lease.account,
        token=token,
        asset=call.asset,
        price_card_version=call.price_card_version,
        model_digest=bill.model_digest,
        request_hash=call.request_hash,
        response_hash=bill.response_hash,
        lines=bill.lines,
        counted_by=bill.counted_by,
        ceiling=call.ceiling,
        amount=bill.charge,
        cumulative=cumulative,
        time=time,
    )


@value
class Split:
    """An asset's part of a claim."""

    asset: AssetId
    amount: int


@value
class Claim:
    """A step of the account's claimed total on the chain: up to `cumulative`, shown with `voucher`.

    `splits` add up to `cumulative - split_from` exactly: what this claim brings, and what was claimed elsewhere before.
    """

    id: Hash32
    account: Hash32
    split_from: int
    cumulative: int
    voucher: VerifiedVoucher
    state: str
    outbox_id: str | None
    splits: tuple[Split, ...]


@value
class Earned:
    """What an asset's calls were charged: `paid` on to its payee, and `unclaimed`.

    `asset` is None for charges that were restored from the chain, of which no calls are known.
    """

    asset: AssetId | None
    unclaimed: int
    paid: int

    @property
    def total(self) -> int:
        """All that was charged."""
        return self.unclaimed + self.paid


@value
class Totals:
    """One token's gauges: money reserved, charged in all, and charged but not claimed yet."""

    token: Address
    reserved: int
    charged: int
    claimable: int
