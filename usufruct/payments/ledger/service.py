"""The call ledger: what calls reserve and are charged, and what has been claimed for it."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import wraps
from importlib import import_module
from typing import Any, Concatenate, ParamSpec, TypeVar

from usufruct.config import LedgerConfig
from usufruct.core import Hash32
from usufruct.payments.ledger import account_verbs, call_admission, call_log, calls, checks, claims, entries, transfers
from usufruct.payments.ledger.backend import Alone, Backend, Decision
from usufruct.payments.ledger.calls import ReceiptSigner, Terms
from usufruct.payments.ledger.records import Bill, Call, IdempotencyKey, Lease, Opened, Replay, Reservation
from usufruct.payments.ledger.sql_statements import FaultHook, Statements, no_faults
from usufruct.payments.ledger.sqlite import SqliteBackend
from usufruct.payments.ledger.working_set import Admission, Needs, WorkingSet
from usufruct.store import Database, Seal, SqliteDatabase

T = TypeVar("T")
P = ParamSpec("P")

Verb = Callable[Concatenate[Statements, P], Awaitable[T]]
Method = Callable[Concatenate["Ledger", P], Coroutine[Any, Any, T]]


def new_id() -> Hash32:
    """Return a random id for a call or a claim."""
    return Hash32("0x" + secrets.token_hex(32))


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


def _reads(verb: Verb[P, T]) -> Method[P, T]:
    """Make a method of a verb that changes nothing: it sees one moment of the database."""

    @wraps(verb)
    async def method(self: "Ledger", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._backend.read(lambda db: verb(db, *args, **kwargs))

    return method


def _writes(verb: Verb[P, T]) -> Method[P, T]:
    """Make a method of a verb that runs alone in a transaction, which is durable when the method returns."""

    @wraps(verb)
    async def method(self: "Ledger", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._backend.write(Alone(verb.__name__, lambda db: verb(db, *args, **kwargs)))

    return method


class Ledger:
    """One replica's hand on the ledger. Each verb is durable when it returns, and refused with its numbers otherwise.

    Every verb also raises `DatabaseUnavailable`, after which the same verb with the same ids may be asked again: it
    counts once. Verbs that only a few calls a minute need are described where they are written.
    """

    def __init__(self, backend: Backend, config: LedgerConfig, seal: Seal, owner: str) -> None:
        self._backend = backend
        self._terms = Terms(owner, config.lease_seconds, config.answer_hours * 3600)
        self._seal = seal

    observe = _writes(account_verbs.observe)
    correct = _writes(account_verbs.correct)
    account = _reads(account_verbs.find_account)
    account_list = _reads(account_verbs.account_list)
    account_count = _reads(account_verbs.account_count)
    find_accounts = _reads(account_verbs.find_accounts)
    resting = _reads(account_verbs.resting)
    totals = _reads(account_verbs.totals)
    last_call_at = _reads(account_verbs.last_call_at)
    earnings = _reads(entries.earnings)

    plan_deposit = _writes(transfers.plan_deposit)
    deposit_count = _reads(transfers.deposit_count)
    check_deposits_seen = _reads(transfers.check_deposits_seen)
    finish_deposit = _writes(transfers.finish_deposit)
    cancel_deposit = _writes(transfers.cancel_deposit)
    deposited = _reads(transfers.deposited)
    deposits_of = _reads(transfers.deposits_of)
    pending_deposits = _reads(transfers.pending_deposits)
    pending_deposit_of = _reads(transfers.pending_deposit_of)
    plan_refund = _writes(transfers.plan_refund)
    finish_refund = _writes(transfers.finish_refund)
    refund_ended = _reads(transfers.refund_ended)
    pending_refunds = _reads(transfers.pending_refunds)
    refunds_to_report = _reads(transfers.refunds_to_report)
    refund_reported = _writes(transfers.refund_reported)
    newest_refunds = _reads(transfers.newest_refunds)
    last_paid_for = _reads(transfers.last_paid_for)

    splits_between = _reads(claims.splits_between)
    claimable = _reads(claims.claimable)
    plan_claim = _writes(claims.plan_claim)
    send_claim = _writes(claims.send_claim)
    confirm_claim = _writes(claims.confirm_claim)
    fail_claim = _writes(claims.fail_claim)
    pending_claims = _reads(claims.pending_claims)
    find_pending = _reads(claims.find_pending)
    unclaimed_since = _reads(claims.unclaimed_since)
    oldest_unclaimed = _reads(claims.oldest_unclaimed)
    published = _reads(claims.published)

    call = _reads(calls.find_call)
    metered = _reads(calls.metered)
    latest_metered = _reads(call_log.latest_metered)
    charged_by_day = _reads(call_log.charged_by_day)
    lapsed = _reads(calls.lapsed)
    forget_answers = _writes(call_admission.forget_answers)

    audit = _reads(checks.audit)
    spot_check = _reads(checks.spot_check)

    async def open(self, request: Reservation) -> Opened | Replay:
        """Set a call's ceiling aside; or return the stored answer of the same request.

        Returns once the call is *applied*: the upstream may be asked. Nothing may leave before `Opened.durable`.
        """
        key = request.idempotency.key if request.idempotency else None
        needs = Needs(request.account, request.call, key, request.promise)
        decision: Decision[Admission] = Decision(
            "open", needs, lambda work: calls.open_call(work, request, self._terms), early=True
        )
        result = await self._backend.write(decision)
        if isinstance(result, Replay):
            await asyncio.shield(decision.commit)
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
            "find_replay", needs, lambda work: call_admission.find_replay(work, account, key, voucher)
        )
        return found and self._opened(found)

    async def renew(self) -> frozenset[Hash32]:
        """Renew the leases of this replica's open calls, and return the calls that are still its own."""
        return await self._backend.write(Alone("renew", lambda db: calls.renew(db, self._terms)))

    def meter(
        self, lease: Lease, bill: Bill, answer: bytes | None = None, sign: ReceiptSigner | None = None
    ) -> "asyncio.Future[Call]":
        """Charge a call, once, and keep the receipt's signature, which `sign` makes.

        The charge is on its way when this returns, and goes on though nothing awaits the future.

        `answer` is kept, encrypted, for the same request to be answered again.
        """
        sealed = None if answer is None else self._seal.close(answer, lease.call)
        needs = Needs(lease.account, lease.call)
        return self._decide("meter", needs, lambda work: calls.meter_call(work, lease, bill, sealed, sign, self._terms))

    async def release(self, lease: Lease, reason: str) -> Call:
        """End a call that is charged nothing."""
        needs = Needs(lease.account, lease.call)
        return await self._decide("release", needs, lambda work: calls.release_call(work, lease, reason))

    async def expire(self) -> int:
        """Release calls whose replica gave no sign of life, and return how many; the operator bears them."""
        return sum([await self._expire(lease) for lease in await self.lapsed()])

    async def _expire(self, lease: Lease) -> bool:
        needs = Needs(lease.account, lease.call)
        return await self._decide("expire", needs, lambda work: calls.expire_call(work, lease))

    @property
    def commits(self) -> int:
        """Transactions that this process has made durable since it began."""
        return self._backend.commits

    async def close(self) -> None:
        """Finish what is queued and close the connections."""
        await self._backend.close()

    def _opened(self, replay: Replay) -> Replay:
        return replace(replay, answer=self._seal.open(replay.answer, replay.call))

    def _decide(self, name: str, needs: Needs, decide: Callable[[WorkingSet], T]) -> "asyncio.Future[T]":
        return self._backend.write(Decision(name, needs, decide))
