"""The call ledger: what calls reserve and are charged, and what has been claimed for it."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TypeVar, cast

from usufruct.chain import as_hash32
from usufruct.config import LedgerConfig
from usufruct.core import Address, Hash32
from usufruct.payments.ledger import admission, calls, channels, claims, entries, settling
from usufruct.payments.ledger.backend import Backend, Job, Points, Verb, no_points
from usufruct.payments.ledger.records import (
    Bill,
    Call,
    Channel,
    ChannelReading,
    Claim,
    Lease,
    Replay,
    Reservation,
    Reserved,
    Split,
    Totals,
)
from usufruct.payments.ledger.rows import find_channel
from usufruct.payments.ledger.settling import Transfer
from usufruct.payments.ledger.sqlite import SqliteBackend
from usufruct.store import Database, Seal, SqliteDatabase

T = TypeVar("T")

_BATCH = 256


def new_id() -> Hash32:
    """Return a random id for a call or a claim."""
    return as_hash32(secrets.token_bytes(32))


def open_ledger(database: Database, config: LedgerConfig, *, seal: Seal, points: Points = no_points) -> "Ledger":
    """Open the ledger of a migrated database, under a new owner name; one for each process.

    Answers it keeps are closed under `seal`. `points` is told every point a crash may come at; tests use it.
    """
    backend: Backend
    if isinstance(database, SqliteDatabase):
        backend = SqliteBackend(database, points)
    else:
        backend = import_module("usufruct.payments.ledger.postgres").PostgresBackend(database.url, points)
    return Ledger(backend, config, seal, secrets.token_hex(8))


class Ledger:
    """One replica's hand on the ledger. Each verb is durable when it returns, and refused with its numbers otherwise.

    The errors are in `payments.errors`; every verb also raises `DatabaseUnavailable`, after which the same verb with
    the same ids may be asked again: it counts once.
    """

    def __init__(self, backend: Backend, config: LedgerConfig, seal: Seal, owner: str) -> None:
        self.owner = owner
        self._backend = backend
        self._lease_seconds = config.lease_seconds
        self._answer_seconds = config.answer_hours * 3600
        self._seal = seal

    # Channels

    async def observe(self, reading: ChannelReading) -> Channel:
        """Take over what the chain says about a channel, unless newer is known; opens the channel at first sight.

        After a restore, observing every channel reconciles the ledger with the chain.
        """
        return await self._write("observe", lambda: channels.observe(reading), reading.id)

    async def correct(self, reading: ChannelReading) -> Channel:
        """Take over what the chain says in place of what a block said that is no longer part of it."""
        return await self._write("correct", lambda: settling.correct(reading), reading.id)

    async def channel(self, channel: Hash32) -> Channel:
        """Return a channel.

        Raises:
            ChannelUnknown: when there is none.
        """
        return await self._read("channel", lambda: find_channel(channel))

    async def channel_list(self, after: Hash32 | None = None, limit: int = _BATCH) -> list[Channel]:
        """Return channels by id, a page at a time, from the one after `after`."""
        return await self._read("channel_list", lambda: channels.channel_list(after, limit))

    async def plan_deposit(self, channel: Hash32, nonce: Hash32, amount: int, outbox_id: str, payer: Address) -> None:
        """Take note of a deposit authorization before its transaction is broadcast; each one counts once.

        Raises:
            DepositUnderWay: while another deposit of the payer is.
            TooManyDeposits: when the payer made too many in a day.
            DuplicateDeposit: when this one was handed in before.
        """
        await self._write(
            "plan_deposit", lambda: channels.plan_deposit(channel, nonce, amount, outbox_id, payer), channel
        )

    async def finish_deposit(self, channel: Hash32, nonce: Hash32, *, confirmed: bool) -> None:
        """Note how a deposit's transaction ended; its money arrives by `observe`."""
        await self._write(
            "finish_deposit", lambda: channels.finish_deposit(channel, nonce, confirmed=confirmed), channel
        )

    async def cancel_deposit(self, channel: Hash32, nonce: Hash32) -> None:
        """End a planned deposit of which nothing was sent; the try does not count against the payer."""
        await self._write("cancel_deposit", lambda: channels.cancel_deposit(channel, nonce), channel)

    async def plan_refund(self, channel: Hash32, nonce: int, amount: int, outbox_id: str) -> Channel:
        """Set free money aside for a refund before its transaction is broadcast."""
        return await self._write(
            "plan_refund", lambda: channels.plan_refund(channel, nonce, amount, outbox_id), channel
        )

    async def finish_refund(self, channel: Hash32, nonce: int, reading: ChannelReading | None) -> Channel:
        """End a refund: with the channel as read after it, or with None when it failed."""
        return await self._write("finish_refund", lambda: channels.finish_refund(channel, nonce, reading), channel)

    async def pending_deposits(self) -> list[Transfer]:
        """Return the deposits whose transaction has not ended, oldest first."""
        return await self._read("pending_deposits", lambda: settling.pending("deposits"))

    async def pending_deposit_of(self, payer: Address) -> Transfer | None:
        """Return the payer's deposit whose transaction has not ended, if there is one."""
        return await self._read("pending_deposit_of", lambda: settling.pending_of(payer))

    async def last_paid_for(self, channel: Hash32) -> int:
        """Return when a deposit into the channel or a refund out of it was last sent from here; 0: never."""
        return await self._read("last_paid_for", lambda: settling.last_paid_for(channel))

    async def published(self, channel: Hash32, amount: int) -> bool:
        """Tell whether a claim carried the channel's voucher over `amount`: anybody can read and show it."""
        return await self._read("published", lambda: admission.published(channel, amount))

    async def pending_refunds(self) -> list[Transfer]:
        """Return the refunds whose transaction has not ended, oldest first."""
        return await self._read("pending_refunds", lambda: settling.pending("refunds"))

    async def deposited(self, channel: Hash32, nonce: Hash32) -> Transfer | None:
        """Return the deposit with this nonce if it was confirmed."""
        return await self._read("deposited", lambda: settling.deposited(channel, nonce))

    async def last_calls(self, which: Sequence[Hash32]) -> dict[Hash32, int]:
        """Return when each of these channels reserved its newest call; one that never did is missing."""
        return await self._read("last_calls", lambda: settling.last_calls(which))

    async def resting(self, before: int, after: Hash32 | None = None, limit: int = _BATCH) -> list[Channel]:
        """Return channels by id, a page at a time, that hold more than is charged and had no call since `before`."""
        return await self._read("resting", lambda: settling.resting(before, after, limit))

    # Calls

    async def reserve(self, request: Reservation) -> Reserved | Replay:
        """Set a call's ceiling aside before its first byte; or return the stored answer of the same request."""
        result = await self._write(
            "reserve",
            lambda: calls.reserve(request, self.owner, self._lease_seconds, self._answer_seconds),
            request.channel,
        )
        return self._opened(result) if isinstance(result, Replay) else result

    async def replay(self, request: Reservation) -> Replay | None:
        """Return the stored answer of the same request, and reserve nothing; None when there is none."""
        found = await self._write("replay", lambda: calls.replay(request), request.channel)
        return found and self._opened(found)

    async def start(self, lease: Lease) -> None:
        """Note that upstream is being asked."""
        await self._write("start", lambda: calls.start(lease, self._lease_seconds), lease.channel)

    async def renew(self) -> frozenset[Hash32]:
        """Renew the leases of this replica's open calls, and return the calls that are still its own."""
        return await self._write("renew", lambda: calls.renew(self.owner, self._lease_seconds))

    async def meter(self, lease: Lease, bill: Bill, answer: bytes | None = None) -> Call:
        """Charge a call, once. `answer` is kept, encrypted, for the same request to be answered again."""
        sealed = None if answer is None else self._seal.close(answer, lease.call)
        return await self._write("meter", lambda: calls.meter(lease, bill, sealed, self._answer_seconds), lease.channel)

    async def release(self, lease: Lease, reason: str) -> Call:
        """End a call that is charged nothing."""
        return await self._write("release", lambda: calls.release(lease, reason), lease.channel)

    async def expire(self, limit: int = _BATCH) -> int:
        """Release calls whose replica gave no sign of life, and return how many; the operator bears them."""
        leases = await self._read("lapsed", lambda: calls.lapsed(limit))
        return sum([await self._write("expire", partial(calls.expire, lease), lease.channel) for lease in leases])

    async def lapsed(self, limit: int = _BATCH) -> list[Lease]:
        """Return open calls whose lease has ended, the longest first: no gateway has released them yet."""
        return await self._read("lapsed", lambda: calls.lapsed(limit))

    async def call(self, call: Hash32) -> Call | None:
        """Return a call, or None."""
        return await self._read("call", lambda: calls.find_call(call))

    async def metered(self, channel: Hash32, after: int = 0, limit: int = _BATCH) -> list[Call]:
        """Return a channel's charged calls in the order of its spending, from the cumulative position `after`."""
        return await self._read("metered", lambda: calls.metered_between(channel, after, limit))

    async def forget_answers(self, limit: int = _BATCH) -> int:
        """Remove stored answers whose time is over, and return how many."""
        return await self._write("forget_answers", lambda: admission.forget_answers(limit))

    # Claims

    async def claimable(self, limit: int = _BATCH, offset: int = 0) -> list[Channel]:
        """Return channels with money to claim or split and no claim under way; those being withdrawn from first."""
        return await self._read("claimable", lambda: claims.claimable(limit, offset))

    async def splits(self, channel: Hash32, start: int, end: int) -> Sequence[Split]:
        """Return each asset's part of what a channel was charged between two cumulative positions."""
        return await self._read("splits", lambda: claims.splits_between(channel, start, end))

    async def plan_claim(self, claim: Hash32, channel: Hash32, up_to: int | None = None) -> Claim:
        """Fix what to claim on a channel next, at most `up_to`, before any transaction is made."""
        return await self._write("plan_claim", lambda: claims.plan_claim(claim, channel, up_to), channel)

    async def send_claim(self, claim: Claim, outbox_id: str) -> Claim:
        """Note in which transaction of the sender's outbox a claim travels."""
        return await self._write(
            "send_claim", lambda: claims.send_claim(claim.id, claim.channel, outbox_id), claim.channel
        )

    async def confirm_claim(self, claim: Claim) -> Claim:
        """Take a claim's transaction as final: its money is claimed and its assets are paid."""
        return await self._write("confirm_claim", lambda: claims.confirm_claim(claim.id, claim.channel), claim.channel)

    async def fail_claim(self, claim: Claim) -> Claim:
        """Give a claim up; its money can be claimed again. Never for a time-out: that is pending."""
        return await self._write("fail_claim", lambda: claims.fail_claim(claim.id, claim.channel), claim.channel)

    async def pending_claims(self) -> list[Claim]:
        """Return the claims that have not ended, oldest first."""
        return await self._read("pending_claims", claims.pending_claims)

    # The whole

    async def totals(self) -> list[Totals]:
        """Return each token's gauges."""
        return await self._read("totals", channels.totals)

    async def audit(self) -> list[str]:
        """Compare rows, entries and open calls; return what does not agree, in words. Nothing is the good answer."""
        return await self._read("audit", entries.audit)

    async def close(self) -> None:
        """Finish what is queued and close the connections."""
        await self._backend.close()

    def _opened(self, replay: Replay) -> Replay:
        return replace(replay, answer=self._seal.open(replay.answer, replay.call))

    async def _write(self, name: str, start: Callable[[], Verb[T]], *channels: Hash32) -> T:
        return cast(T, await self._backend.write(Job(name, start, channels)))

    async def _read(self, name: str, start: Callable[[], Verb[T]]) -> T:
        return cast(T, await self._backend.read(Job(name, start)))
