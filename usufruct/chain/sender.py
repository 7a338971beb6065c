"""Sends calls, each exactly once.

The life of a call: simulated (a refusal raises the contract's own exception and costs nothing), given a nonce and
signed, made durable, and only then broadcast. Whatever dies in between, the next `advance` finds the row and broadcasts
the same bytes again; a node takes them once. One nonce is used for one call, one key of the caller's for one nonce,
both by unique constraints; a replacement with a better offer for gas keeps the nonce. A time-out means "pending", and
asking again under the same key continues the wait.

A block that held a final call may go: a deep reorganisation, or a devnet that was killed and begins again from an
older state. The call's nonce is then expected again, and it is broadcast again, the same bytes. A nonce of a call that
was refused or displaced there is used up by a transfer of nothing to oneself.

Several processes may share a signing key as long as they share the database.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from itertools import count

from usufruct.chain.answers import Receipt
from usufruct.chain.client import Client
from usufruct.chain.contract_base import Call
from usufruct.chain.fees import TRANSACTION_GAS, FeePolicy, FeesOverCap, Offer, better_offer, market_offer
from usufruct.chain.hashing import keccak
from usufruct.chain.indexer import newest_on_chain
from usufruct.chain.keys import KeySigner, refuse_devnet_key
from usufruct.chain.revert import Revert
from usufruct.chain.rpc_errors import RpcRefused, RpcUnavailable
from usufruct.chain.store import Attempt, Outbox, Sent, State, known_blocks
from usufruct.chain.transaction import signed_transaction
from usufruct.core import ChainId, Clock, Conflict, Unavailable, hash32_from_bytes
from usufruct.store import ConstraintViolated, Database

_log = logging.getLogger(__name__)

_TRIES = 20
_NO_TROUBLE = ("already known", "already imported", "already exists", "known transaction", "nonce too low")
"""What nodes say to a transaction that they have, or that was mined a moment ago."""


class GasOverLimit(Conflict, code="gas_over_limit"):
    """A call would take more gas than its caller allows."""


class StillPending(Unavailable, code="transaction_pending"):
    """A transaction was not final in the time given; it is not lost, and must not be sent under another key."""


class NonceGap(Unavailable, code="nonce_gap"):
    """The chain expects nonces that the outbox regards as used: the node is behind, or its chain went back."""


class Sender:
    """Sends calls from one address on one chain."""

    def __init__(
        self,
        client: Client,
        signer: KeySigner,
        database: Database,
        chain_id: ChainId,
        *,
        confirmations: int = 1,
        fees: FeePolicy | None = None,
        poll_seconds: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        refuse_devnet_key(signer.address, chain_id)
        self._client = client
        self._signer = signer
        self._database = database
        self._chain_id = chain_id
        self._outbox = Outbox(database, chain_id)
        self._confirmations = confirmations
        self._fees = fees or FeePolicy()
        self._poll = poll_seconds
        self._clock = clock or Clock()
        self._turn = asyncio.Lock()
        self._advanced_at = float("-inf")
        self.address = signer.address
        self.spent_wei = 0
        """What gas cost since this process began, for the transactions whose end it saw first."""

    async def simulate(self, call: Call) -> bytes:
        """Run a call as if sent now and return its output; raises the contract's own exception when it refuses."""
        return await self._client.call(call, sender=self.address)

    async def find(self, key: str) -> Sent | None:
        """Return the call that was sent under `key`, as far as the outbox knows."""
        return await self._outbox.find(key)

    async def unfinished(self, call: Call) -> Sent | None:
        """Return the oldest unfinished sending of exactly this call, whatever its key."""
        return next((sent for sent in await self._outbox.pending(self.address) if sent.call == call), None)

    async def send(self, call: Call, key: str, *, most_gas: int | None = None) -> Sent:
        """Send a call once, allowing it `most_gas` at most; the same call under the same key is only looked up.

        Raises:
            Revert: the contract's own error; nothing was sent.
            GasOverLimit: when it would take more than `most_gas`; nothing was sent.
            Conflict: when another call was sent under `key`.
            FeesOverCap: when gas costs more than the policy allows; nothing was sent.
            NonceGap: when the chain and the outbox disagree; nothing was sent.
        """
        known = await self._known(call, key)
        if known:
            return known
        try:
            await self.simulate(call)
            estimate = await self._client.estimate(call, self.address)
        except Revert:
            if known := await self._known(call, key):  # refused, because another process has sent it meanwhile
                return known
            raise
        if most_gas is not None and estimate > most_gas:
            raise GasOverLimit(f"the call takes {estimate} gas, {most_gas} is allowed", estimate=estimate)
        gas = min(self._fees.gas_limit(estimate), most_gas or TRANSACTION_GAS)
        offer = await market_offer(self._client, self._fees)
        block = await self._client.block_number()
        for _ in range(_TRIES):
            sent = Sent(key, self.address, await self._next_nonce(), call, gas)
            attempt = self._sign(sent, offer, block)
            try:
                await self._outbox.add(sent, attempt)
            except ConstraintViolated:
                if known := await self._known(call, key):
                    return known
                continue
            await self._broadcast(sent, attempt)
            return sent
        raise NonceGap(f"{_TRIES} nonces of {self.address} were taken by others in turn; try again")

    async def wait(self, key: str, timeout_seconds: float) -> Sent:
        """Advance until the call under `key` is final or the time is up, and return how it stands.

        Raises:
            StillPending: when the call does not exist.
        """
        begun = self._clock.monotonic()
        while True:
            await self._advance_in_turn(begun)
            sent = await self._outbox.find(key)
            if sent is None:
                raise StillPending(f"nothing was sent under {key}; send it first", key=key)
            if sent.state is not State.PENDING or self._clock.monotonic() - begun >= timeout_seconds:
                return sent
            await asyncio.sleep(self._poll)

    async def execute(self, call: Call, key: str, timeout_seconds: float = 120.0) -> Receipt:
        """Send a call once, wait until it is final, and return its receipt.

        Raises:
            Revert: the contract's own error, before or after it was sent.
            Conflict: when it was mined and refused for a reason that a replay does not show.
            Conflict: when its nonce was used by something else.
            StillPending: when the time is up; call again with the same key to go on waiting.
        """
        await self.send(call, key)
        sent = await self.wait(key, timeout_seconds)
        if sent.state is State.PENDING or sent.block is None:
            said = f"; the node says: {sent.trouble}" if sent.trouble else ""
            raise StillPending(
                f"{key} is pending with nonce {sent.nonce}{said}; it is not lost: do the same again to go on waiting",
                key=key,
                nonce=sent.nonce,
            )
        if sent.state is State.DISPLACED:
            message = (
                f"nonce {sent.nonce} of {self.address} was used by something else; find out by whom before sending "
                "again under a new key"
            )
            raise Conflict(message, code="transaction_displaced", key=key, nonce=sent.nonce, hash=sent.hash)
        if sent.state is State.REVERTED:
            await self._raise_refusal(call, sent.block)
            raise Conflict(
                f"{sent.hash} was refused in block {sent.block}", code="transaction_reverted", key=key, hash=sent.hash
            )
        receipt = await self._client.receipt(sent.hash) if sent.hash else None
        if receipt is None:
            raise StillPending(f"{sent.hash} was final, but the node has no receipt of it now", key=key, hash=sent.hash)
        return receipt

    async def advance(self) -> None:
        """Update every unfinished call: record the final ones, broadcast the others again, raise their fees.

        To be called at start, and again and again; any number of processes may.
        """
        await self._heal()
        pending = await self._outbox.pending(self.address)
        if not pending:
            return
        head = await self._client.block_number()
        unmined = [sent for sent in pending if not await self._settle(sent, head)]
        for position, sent in enumerate(unmined):
            newest = (await self._outbox.attempts(sent.key))[-1]
            overdue = head - newest.block >= self._fees.bump_after_blocks
            if position == 0 and overdue:
                newest = await self._bump(sent, newest, head)
            await self._broadcast(sent, newest)

    async def waiting(self) -> int:
        """Return how many calls are not final yet."""
        return len(await self._outbox.pending(self.address))

    async def stuck(self, blocks: int) -> list[Sent]:
        """Return calls that were signed more than `blocks` blocks ago and are not mined, oldest nonce first."""
        head = await self._client.block_number()
        pending = await self._outbox.pending(self.address)
        first = {sent.key: min(attempt.block for attempt in await self._outbox.attempts(sent.key)) for sent in pending}
        return [sent for sent in pending if head - first[sent.key] > blocks]

    async def lost(self) -> list[Sent]:
        """Return final calls that the chain does not have any more, by nonce; a node that is behind loses none.

        Raises:
            NonceGap: when the chain is another one: it has no block that was read before.
        """
        _, lost = await self._expected()
        hashes = [sent.hash for sent in lost if sent.hash]
        if not lost or any(await self._client.receipts(hashes)):
            return []
        known = await known_blocks(self._database, await self._client.block_number())
        if known and await newest_on_chain(self._client, known) is None:
            message = (
                f"chain {self._chain_id} was reset: it has no block that was read before, and expects nonce "
                f"{lost[0].nonce} of {self.address} again. Set data.folder and database.url to new ones"
            )
            raise NonceGap(message, expected=lost[0].nonce, used=lost[-1].nonce)
        return lost

    async def _heal(self) -> None:
        """Broadcast again what was final and is not on the chain any more, and use up nonces nothing else will."""
        for sent in await self.lost():
            if sent.state is not State.CONFIRMED:
                await self._fill(sent)
            elif await self._outbox.reopen(sent):
                _log.error("%s is not on the chain any more: sending %s again", sent.hash, sent.key)
                attempts = await self._outbox.attempts(sent.key)
                mined = next((attempt for attempt in attempts if attempt.hash == sent.hash), attempts[-1])
                await self._broadcast(sent, mined)

    async def _fill(self, sent: Sent) -> None:
        """Use up the nonce of a call that ended without effect, by a transfer of nothing to ourselves."""
        nothing = replace(sent, call=Call(self.address, b""), gas=21_000)
        head = await self._client.block_number()
        attempt = self._sign(nothing, await market_offer(self._client, self._fees), head)
        _log.warning("nonce %d of %s is expected again: using it up by %s", sent.nonce, self.address, attempt.hash)
        with suppress(RpcRefused, RpcUnavailable):
            await self._client.send_raw(attempt.raw)

    async def _advance_in_turn(self, begun: float) -> None:
        """Advance for all who wait at once: after `begun` at least, and again after each interval."""
        async with self._turn:
            now = self._clock.monotonic()
            if begun <= self._advanced_at and now < self._advanced_at + self._poll:
                return
            self._advanced_at = now
            try:
                await self.advance()
            except (RpcUnavailable, RpcRefused) as error:
                _log.warning("cannot look for transactions: %s", error.message)

    async def _raise_refusal(self, call: Call, block: int) -> None:
        """Run a call again on the states around its block, to learn why it was refused there."""
        try:
            for state in (block - 1, block):
                await self._client.call(call, block=state, sender=self.address)
        except (RpcUnavailable, RpcRefused) as error:
            _log.warning("cannot learn why a call was refused in block %d: %s", block, error.message)

    async def _known(self, call: Call, key: str) -> Sent | None:
        known = await self._outbox.find(key)
        if known and known.call != call:
            raise Conflict(
                f"another call was sent under {key}; choose a new key for a new call", code="send_key_reused", key=key
            )
        return known

    async def _next_nonce(self) -> int:
        """Return the lowest nonce that neither the node nor the outbox has given away.

        A nonce the chain still expects may belong to a pending call, or to none (a transaction from elsewhere that
        the node forgot), and is then used next. It never belongs to a call that is final.
        """
        mined, final = await self._expected()
        if final:
            await self._heal()
            mined, final = await self._expected()
        if final:
            message = (
                f"chain {self._chain_id} expects nonce {mined} of {self.address}, the outbox used {final[-1].nonce}: "
                "the node is behind, or its chain went back, which is repaired by itself. Try again in a few seconds"
            )
            raise NonceGap(message, expected=mined, used=final[-1].nonce)
        waiting = await self._client.nonce(self.address, "pending")
        taken = {sent.nonce for sent in await self._outbox.from_nonce(self.address, waiting)}
        return next(nonce for nonce in count(waiting) if nonce not in taken)

    async def _expected(self) -> tuple[int, list[Sent]]:
        """Return the nonce that the chain expects, and the final calls that have it or a later one."""
        mined = await self._client.nonce(self.address)
        given = await self._outbox.from_nonce(self.address, mined)
        return mined, [sent for sent in given if sent.state is not State.PENDING]

    def _sign(self, sent: Sent, offer: Offer, block: int) -> Attempt:
        raw = signed_transaction(self._chain_id, sent.nonce, offer, sent.gas, sent.call, self._signer.sign)
        return Attempt(hash32_from_bytes(keccak(raw)), raw, offer.max_fee, offer.tip, block)

    async def _broadcast(self, sent: Sent, attempt: Attempt) -> None:
        """Hand a signed transaction to the node. That it does not take it changes nothing: `advance` tries again."""
        trouble = None
        try:
            await self._client.send_raw(attempt.raw)
        except RpcRefused as refused:
            harmless = any(words in refused.reason.lower() for words in _NO_TROUBLE)
            trouble = None if harmless else refused.reason
        except RpcUnavailable as error:
            trouble = error.message
        if trouble != sent.trouble:
            _log.warning("transaction %s of %s: %s", attempt.hash, sent.key, trouble or "taken now")
            await self._outbox.note(sent.key, trouble)

    async def _bump(self, sent: Sent, newest: Attempt, head: int) -> Attempt:
        """Sign a replacement with a better offer and make it durable; the old one again when the cap forbids it."""
        try:
            market = await market_offer(self._client, self._fees)
        except FeesOverCap as error:
            _log.warning("%s: %s", sent.key, error.message)
            return newest
        offer = better_offer(Offer(newest.max_fee, newest.tip), market, self._fees)
        if offer is None:
            _log.warning("%s waits: a better offer would pass the cap of %d wei", sent.key, self._fees.cap)
            return newest
        attempt = self._sign(sent, offer, head)
        try:
            await self._outbox.add_attempt(sent.key, attempt)
        except ConstraintViolated:
            return newest
        return attempt

    async def _settle(self, sent: Sent, head: int) -> bool:
        """Note a call's end when it has one; tells whether its nonce is used, final or not."""
        deep = head - self._confirmations + 1
        used_deep = deep >= 0 and await self._client.nonce(self.address, deep) > sent.nonce
        attempts = await self._outbox.attempts(sent.key)
        receipts = [r for r in await self._client.receipts([attempt.hash for attempt in attempts]) if r]
        if receipts:
            receipt = receipts[0]
            if receipt.block_number <= deep:
                state = State.CONFIRMED if receipt.succeeded else State.REVERTED
                if await self._outbox.finish(sent.key, state, receipt.hash, receipt.block_number):
                    self.spent_wei += receipt.gas_used * receipt.gas_price
            return True
        if used_deep:
            await self._settle_displaced(sent, attempts, deep)
        return used_deep

    async def _settle_displaced(self, sent: Sent, attempts: list[Attempt], deep: int) -> None:
        """Find the transaction that used the nonce; only when it is not one of ours, the call is displaced.

        A missing receipt alone proves nothing, nor does a nonce that no transaction is seen to use: nodes behind one
        address may be at different blocks, and a node's parts too.
        """
        first, last = min(attempt.block for attempt in attempts), deep
        while first < last:
            middle = (first + last) // 2
            used = await self._client.nonce(self.address, middle) > sent.nonce
            first, last = (first, middle) if used else (middle + 1, last)
        mined = await self._client.transactions(first)
        taken = [each.hash for each in mined if (each.sender, each.nonce) == (self.address, sent.nonce)]
        if not taken:
            _log.warning(
                "nonce %d of %s is used, the node does not say by what; looking again", sent.nonce, self.address
            )
        elif taken[0] not in {attempt.hash for attempt in attempts}:
            _log.error("nonce %d of %s was used by %s", sent.nonce, self.address, taken[0])
            await self._outbox.finish(sent.key, State.DISPLACED, taken[0], first)
