"""The call ledger: what calls reserve and are charged, and what has been claimed for it."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import TypeVar

from usufruct.chain import as_hash32
from usufruct.config import LedgerConfig
from usufruct.core import Address, Hash32
from usufruct.payments.ledger import accounts, admission, calls, claims, transfers
from usufruct.payments.ledger.audit import Proofs, audit
from usufruct.payments.ledger.backend import Backend, Decision
from usufruct.payments.ledger.calls import ReceiptSigner, Terms
from usufruct.payments.ledger.records import (
    Account,
    AccountKind,
    AccountReading,
    Bill,
    Call,
    Claim,
    IdempotencyKey,
    Lease,
    Opened,
    Replay,
    Reservation,
    Split,
    Totals,
)
from usufruct.payments.ledger.rows import find_account
from usufruct.payments.ledger.spot_check import SpotCheck, spot_check
from usufruct.payments.ledger.sqlite import SqliteBackend
from usufruct.payments.ledger.statements import FaultHook, Statements, no_faults
from usufruct.payments.ledger.transfers import Transfer
from usufruct.payments.ledger.working_set import Admission, Needs, WorkingSet, needs_of
from usufruct.store import Database, Seal, SqliteDatabase

T = TypeVar("T")

_BATCH = 256


def new_id() -> Hash32:
    """Return a random id for a call or a claim."""
    return as_hash32(secrets.token_bytes(32))


def open_ledger(database: Database, config: LedgerConfig, *, seal: Seal, faults: FaultHook = no_faults) -> "Ledger":
    """Open the ledger of a migrated database, under a new owner name; one for each process.

    Stored answers are encrypted under `seal`. `faults` receives the name of each crash point; tests use it.
    """
    backend: Backend
    if isinstance(database, SqliteDatabase):
        backend = SqliteBackend(database, faults)
    else:
        backend = import_module("usufruct.payments.ledger.postgres").PostgresBackend(database.url, faults)
    return Ledger(backend, config, seal, secrets.token_hex(8))


class Ledger:
    """One replica's hand on the ledger. Each verb is durable when it returns, and refused with its numbers otherwise.

    The errors are in `payments.errors`; every verb also raises `DatabaseUnavailable`, after which the same verb with
    the same ids may be asked again: it counts once.
    """

    def __init__(self, backend: Backend, config: LedgerConfig, seal: Seal, owner: str) -> None:
        self.owner = owner
        self._backend = backend
        self._terms = Terms(owner, config.lease_seconds, config.answer_hours * 3600)
        self._seal = seal

    # Accounts

    async def observe(self, reading: AccountReading) -> Account:
        """Take over a reading of an account, unless a newer one is known; open an unknown account.

        After a restore, observing every account reconciles the ledger with the chain.
        """
        return await self._write("observe", lambda db: accounts.observe(db, reading))

    async def correct(self, reading: AccountReading) -> Account:
        """Take over a reading in place of one of a block that left the chain."""
        return await self._write("correct", lambda db: transfers.correct(db, reading))

    async def account(self, account: Hash32) -> Account:
        """Return an account.

        Raises:
            AccountUnknown: when there is none.
        """
        return await self._read("account", lambda db: find_account(db, account))

    async def account_list(
        self, after: Hash32 | None = None, limit: int = _BATCH, *, kind: AccountKind | None = None
    ) -> list[Account]:
        """Return accounts by id, a page at a time, from the one after `after`; of one kind, or all."""
        return await self._read("account_list", lambda db: accounts.account_list(db, after, limit, kind))

    async def find_accounts(self, ids: Sequence[Hash32]) -> dict[Hash32, Account]:
        """Return the accounts with these ids; an unknown id is missing."""
        return await self._read("find_accounts", lambda db: accounts.find_accounts(db, ids))

    async def account_count(self) -> int:
        """Return how many accounts there are."""
        return await self._read("account_count", accounts.account_count)

    async def plan_deposit(self, account: Hash32, nonce: Hash32, amount: int, outbox_id: str, payer: Address) -> None:
        """Take note of a deposit authorization before its transaction is broadcast; each one counts once.

        Raises:
            DepositUnderWay: while another deposit of the payer is.
            TooManyDeposits: when the payer made too many in a day.
            DuplicateDeposit: when this one was handed in before.
        """
        await self._write(
            "plan_deposit", lambda db: accounts.plan_deposit(db, account, nonce, amount, outbox_id, payer)
        )

    async def finish_deposit(self, account: Hash32, nonce: Hash32, *, confirmed: bool) -> None:
        """Note how a deposit's transaction ended; its money arrives by `observe`."""
        await self._write("finish_deposit", lambda db: accounts.finish_deposit(db, account, nonce, confirmed=confirmed))

    async def cancel_deposit(self, account: Hash32, nonce: Hash32) -> None:
        """End a planned deposit of which nothing was sent; the try does not count against the payer."""
        await self._write("cancel_deposit", lambda db: accounts.cancel_deposit(db, account, nonce))

    async def plan_refund(self, account: Hash32, nonce: int, amount: int, outbox_id: str) -> Account:
        """Set free money aside for a refund before its transaction is broadcast."""
        return await self._write("plan_refund", lambda db: accounts.plan_refund(db, account, nonce, amount, outbox_id))

    async def finish_refund(self, account: Hash32, nonce: int, reading: AccountReading | None) -> Account:
        """End a refund: with the account as read after it, or with None when it failed."""
        return await self._write("finish_refund", lambda db: accounts.finish_refund(db, account, nonce, reading))

    async def pending_deposits(self) -> list[Transfer]:
        """Return the deposits whose transaction has not ended, oldest first."""
        return await self._read("pending_deposits", lambda db: transfers.pending(db, "deposits"))

    async def pending_deposit_of(self, payer: Address) -> Transfer | None:
        """Return the payer's deposit whose transaction has not ended, if there is one."""
        return await self._read("pending_deposit_of", lambda db: transfers.pending_of(db, payer))

    async def last_paid_for(self, account: Hash32) -> int:
        """Return when a deposit into the account or a refund out of it was last sent from here; 0: never."""
        return await self._read("last_paid_for", lambda db: transfers.last_paid_for(db, account))

    async def published(self, account: Hash32, amount: int) -> bool:
        """Tell whether a claim carried the account's voucher over `amount`: it is public then."""
        return await self._read("published", lambda db: admission.published(db, account, amount))

    async def refund_ended(self, account: Hash32, nonce: int) -> bool | None:
        """Return whether a refund was confirmed or failed; None while it is under way."""
        return await self._read("refund_ended", lambda db: transfers.refund_ended(db, account, nonce))

    async def pending_refunds(self) -> list[Transfer]:
        """Return the refunds whose transaction has not ended, oldest first."""
        return await self._read("pending_refunds", lambda db: transfers.pending(db, "refunds"))

    async def deposited(self, account: Hash32, nonce: Hash32) -> Transfer | None:
        """Return the deposit with this nonce if it was confirmed."""
        return await self._read("deposited", lambda db: transfers.deposited(db, account, nonce))

    async def last_calls(self, which: Sequence[Hash32]) -> dict[Hash32, int]:
        """Return when each of these accounts reserved its newest call; one that never did is missing."""
        return await self._read("last_calls", lambda db: transfers.last_calls(db, which))

    async def resting(
        self, kind: AccountKind, before: int, after: Hash32 | None = None, limit: int = _BATCH
    ) -> list[Account]:
        """Return accounts of a kind by id, a page at a time, that hold more than is charged, idle since `before`."""
        return await self._read("resting", lambda db: transfers.resting(db, kind, before, after, limit))

    # Calls

    async def open(self, request: Reservation) -> Opened | Replay:
        """Set a call's ceiling aside; or return the stored answer of the same request.

        Returns once the call is *applied*: the upstream may be asked. Nothing may leave before `Opened.durable`.
        """
        decision: Decision[Admission] = Decision(
            "open", needs_of(request), lambda work: calls.open_call(work, request, self._terms), early=True
        )
        self._backend.decide(decision)
        result = await decision.result
        if isinstance(result, Replay):
            await decision.durable()
            return self._opened(result)
        call, account = result
        return Opened(call.lease, account, decision.commit)

    async def find_replay(self, account: Hash32, key: IdempotencyKey, voucher: int | None = None) -> Replay | None:
        """Return the stored answer of the same request of an account's payer; None when there is none.

        `voucher` is the amount of the voucher that came with the request, if it identifies the caller.

        Raises:
            VoucherPublished: when anyone could send this voucher.
            StillRunning, KeyMismatch: the idempotency key is taken.
        """
        needs = Needs(account, None, key.key, voucher)
        found = await self._decide(
            "find_replay", needs, lambda work: admission.find_replay(work, account, key, voucher)
        )
        return found and self._opened(found)

    async def renew(self) -> frozenset[Hash32]:
        """Renew the leases of this replica's open calls, and return the calls that are still its own."""
        return await self._write("renew", lambda db: calls.renew(db, self._terms))

    def meter(
        self, lease: Lease, bill: Bill, answer: bytes | None = None, sign: ReceiptSigner | None = None
    ) -> "asyncio.Future[Call]":
        """Charge a call, once, and keep the receipt's signature, which `sign` makes.

        The charge is on its way when this returns, and goes on though nothing awaits the future.

        `answer` is kept, encrypted, for the same request to be answered again.
        """
        sealed = None if answer is None else self._seal.close(answer, lease.call)
        needs = Needs(lease.account, lease.call)
        decision = Decision("meter", needs, lambda work: calls.meter_call(work, lease, bill, sealed, sign, self._terms))
        return self._backend.decide(decision).result

    async def release(self, lease: Lease, reason: str) -> Call:
        """End a call that is charged nothing."""
        needs = Needs(lease.account, lease.call)
        return await self._decide("release", needs, lambda work: calls.release_call(work, lease, reason))

    async def expire(self, limit: int = _BATCH) -> int:
        """Release calls whose replica gave no sign of life, and return how many; the operator bears them."""
        leases = await self._read("lapsed", lambda db: calls.lapsed(db, limit))
        return sum([await self._expire(lease) for lease in leases])

    async def _expire(self, lease: Lease) -> bool:
        return await self._decide(
            "expire", Needs(lease.account, lease.call), lambda work: calls.expire_call(work, lease)
        )

    async def lapsed(self, limit: int = _BATCH) -> list[Lease]:
        """Return open calls whose lease has ended, the longest first: no gateway has released them yet."""
        return await self._read("lapsed", lambda db: calls.lapsed(db, limit))

    async def call(self, call: Hash32) -> Call | None:
        """Return a call, or None."""
        return await self._read("call", lambda db: calls.find_call(db, call))

    async def metered(self, account: Hash32, after: int = 0, limit: int = _BATCH) -> list[Call]:
        """Return an account's metered calls in the order of its spending, from the cumulative position `after`."""
        return await self._read("metered", lambda db: calls.metered_between(db, account, after, limit))

    async def forget_answers(self, limit: int = _BATCH) -> int:
        """Remove stored answers whose time is over, and return how many."""
        return await self._write("forget_answers", lambda db: admission.forget_answers(db, limit))

    # Claims

    async def claimable(self, limit: int = _BATCH, after: Account | None = None) -> list[Account]:
        """Return accounts with money to claim or split and no claim under way; those being withdrawn from first.

        The next page begins behind `after`, the last account of the page before.
        """
        return await self._read("claimable", lambda db: claims.claimable(db, limit, after))

    async def splits(self, account: Hash32, start: int, end: int) -> Sequence[Split]:
        """Return each asset's part of what an account was charged between two cumulative positions."""
        return await self._read("splits", lambda db: claims.splits_between(db, account, start, end))

    async def plan_claim(self, claim: Hash32, account: Hash32, up_to: int | None = None) -> Claim:
        """Fix what to claim on an account next, at most `up_to`, before any transaction is made."""
        return await self._write("plan_claim", lambda db: claims.plan_claim(db, claim, account, up_to))

    async def send_claim(self, claim: Claim, outbox_id: str) -> Claim:
        """Note in which transaction of the sender's outbox a claim travels."""
        return await self._write("send_claim", lambda db: claims.send_claim(db, claim.id, claim.account, outbox_id))

    async def confirm_claim(self, claim: Claim) -> Claim:
        """Take a claim's transaction as final: its money is claimed and its assets are paid."""
        return await self._write("confirm_claim", lambda db: claims.confirm_claim(db, claim.id, claim.account))

    async def fail_claim(self, claim: Claim) -> Claim:
        """Give a claim up; its money can be claimed again. Never for a time-out: that is pending."""
        return await self._write("fail_claim", lambda db: claims.fail_claim(db, claim.id, claim.account))

    async def pending_claims(self) -> list[Claim]:
        """Return the claims that have not ended, oldest first."""
        return await self._read("pending_claims", claims.pending_claims)

    async def find_pending(self, ids: Sequence[Hash32]) -> dict[Hash32, Claim]:
        """Return those of these claims that have not ended."""
        return await self._read("find_pending", lambda db: claims.find_pending(db, ids))

    async def unclaimed_since(self, ids: Sequence[Hash32]) -> dict[Hash32, int]:
        """Return when the oldest unclaimed call of each account was metered; an account without one is missing."""
        return await self._read("unclaimed_since", lambda db: claims.unclaimed_since(db, ids))

    # The whole

    @property
    def commits(self) -> int:
        """Transactions that this process has made durable since it began."""
        return self._backend.commits

    async def totals(self) -> list[Totals]:
        """Return each token's gauges."""
        return await self._read("totals", accounts.totals)

    async def audit(self, proofs: Proofs | None = None) -> list[str]:
        """Compare rows, entries and calls, and with `proofs` signatures; return what does not agree, in words.

        An empty list is the good answer. Memory is bounded; the time grows with the ledger.
        """
        return await self._read("audit", lambda db: audit(db, proofs))

    async def spot_check(self, proofs: Proofs | None = None, most: int = 3_000) -> SpotCheck:
        """Compare the `most` newest entries, their calls and accounts; a ledger without more of them as a whole."""
        return await self._read("spot_check", lambda db: spot_check(db, proofs, most))

    async def close(self) -> None:
        """Finish what is queued and close the connections."""
        await self._backend.close()

    def _opened(self, replay: Replay) -> Replay:
        return replace(replay, answer=self._seal.open(replay.answer, replay.call))

    async def _decide(self, name: str, needs: Needs, decide: Callable[[WorkingSet], T]) -> T:
        decision = Decision(name, needs, decide)
        self._backend.decide(decision)
        return await decision.result

    async def _write(self, name: str, work: Callable[[Statements], Awaitable[T]]) -> T:
        return await self._backend.write(name, work)

    async def _read(self, name: str, work: Callable[[Statements], Awaitable[T]]) -> T:
        return await self._backend.read(name, work)
