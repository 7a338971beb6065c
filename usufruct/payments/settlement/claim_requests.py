"""Requests to claim now: a command leaves one in the database, the process that claims serves it."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import orjson
from sqlalchemy import BigInteger, Boolean, Column, String, Table, Text, delete, insert, select, update

from usufruct.core import Hash32, UsufructError
from usufruct.payments.settlement.claimer import Claimer
from usufruct.payments.settlement.model import Batch
from usufruct.payments.settlement.store import find_batches
from usufruct.store import Database, HashColumn, metadata

_KEPT_SECONDS = 86_400
_MESSAGE = 500

claim_requests = Table(
    "claim_requests",
    metadata,
    Column("id", HashColumn, primary_key=True),
    Column("everything", Boolean, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    Column("batches", Text, nullable=False),  # ids, as a JSON list
    Column("error", String(_MESSAGE), nullable=False),  # empty: none
)


class ClaimRequests:
    """The requests of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def ask(self, *, everything: bool) -> AsyncIterator[Hash32]:
        """Ask for a round of claims, also of what is not due if `everything`, and yield the request's id.

        The request is withdrawn when the block ends, however it ends.
        """
        request, now = Hash32("0x" + secrets.token_hex(32)), await self._database.now()
        row = {"id": request, "everything": everything, "asked_at": now, "batches": "[]", "error": ""}
        try:
            async with self._database.transaction() as unit:
                await unit.change(delete(claim_requests).where(claim_requests.c.asked_at < now - _KEPT_SECONDS))
                await unit.change(insert(claim_requests).values(row))
            yield request
        finally:
            async with self._database.transaction() as unit:
                await unit.change(delete(claim_requests).where(claim_requests.c.id == request))

    async def answer_of(self, request: Hash32) -> tuple[list[Batch], str] | None:
        """Return the batches that ended, and the message of the error that stopped the rest or ""; None: it waits."""
        asked = select(claim_requests).where(claim_requests.c.id == request, claim_requests.c.answered_at.is_not(None))
        async with self._database.snapshot() as unit:
            if row := await unit.row(asked):
                return await find_batches(unit, orjson.loads(row.batches)), row.error
        return None

    async def serve(self, claimer: Claimer) -> list[Batch]:
        """Claim what is due, or everything where a request asks for that, and answer the requests there are.

        Does nothing while another process claims.

        Raises:
            UsufructError: as `Claimer.run`; the requests are answered with its message.
        """
        if not await claimer.lease.hold():
            return []
        async with self._database.snapshot() as unit:
            asked = await unit.rows(select(claim_requests).where(claim_requests.c.answered_at.is_(None)))
        requests = [row.id for row in asked]
        try:
            batches = await claimer.run(everything=any(row.everything for row in asked))
        except UsufructError as error:
            await self._answer(requests, [], error.message)
            raise
        await self._answer(requests, batches, "")
        return batches

    async def _answer(self, requests: Sequence[Hash32], batches: Sequence[Batch], error: str) -> None:
        if not requests:
            return
        answer = {
            "answered_at": await self._database.now(),
            "batches": orjson.dumps([batch.id for batch in batches]).decode(),
            "error": error[:_MESSAGE],
        }
        async with self._database.transaction() as unit:
            await unit.change(update(claim_requests).where(claim_requests.c.id.in_(requests)).values(answer))
