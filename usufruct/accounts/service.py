"""Bearer keys: create, list, revoke, authenticate."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_bytes, token_hex
from typing import Protocol

from coincurve import PrivateKey

from usufruct.accounts.bearer import bearer_hash, new_bearer
from usufruct.accounts.errors import InvalidProof, KeyNotFound, KeyUnknown, ProofUsed, TooManyKeys, TooManyWaitingKeys
from usufruct.accounts.model import (
    KEY_LIMITS,
    BearerKey,
    KeyLimits,
    KeyTerms,
    check_terms,
    sorted_assets,
)
from usufruct.accounts.proof import (
    KeyDomain,
    KeyProof,
    Recover,
    TimedProof,
    key_digest,
    list_digest,
    revoke_digest,
    signer_of,
)
from usufruct.accounts.store import (
    add_key,
    channel_held,
    channels_left,
    count_keys,
    count_waiting,
    end_waiting,
    key_by_hash,
    key_by_id,
    keys_of,
    live_keys,
    nonce_used,
    remove_key,
    sealed_keys,
    sealed_session_of,
    set_revoked,
    waiting_keys,
)
from usufruct.chain import address_of_key
from usufruct.core import UINT256_MAX, Address, Clock, Hash32
from usufruct.store import ConstraintViolated, Database, Seal, Unit, Unsealable

FRESH_SECONDS = 1.0
_MOST_REMEMBERED = 10_000
_PAGE = 500


class Channels(Protocol):
    """What the payments package does for a new key."""

    async def open(self, payer: Address, session: Address) -> Hash32:
        """Name a fresh channel from `payer` to the operator's till that `session` may authorize payments from."""

    async def can_deposit(self, payer: Address) -> bool:
        """Tell whether a payer's wallet holds as much as the smallest deposit."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; `text` is the bearer key itself, which is not stored."""

    key: BearerKey
    text: str

    def __repr__(self) -> str:
        return f"NewKey({self.key.id})"


@dataclass(frozen=True, slots=True)
class CheckedKey:
    """A key's id, and whether its terms are those it was made with."""

    id: str
    intact: bool


class Keys:
    """The bearer keys of this installation.

    A key that was seen is remembered for at most `FRESH_SECONDS`: revoking is immediate in this process, and takes that
    long to reach its neighbours.
    """

    def __init__(
        self,
        database: Database,
        seal: Seal,
        clock: Clock,
        domain: KeyDomain,
        recover: Recover,
        channels: Channels,
        limits: KeyLimits = KEY_LIMITS,
    ) -> None:
        """Keep keys in `database`, their session keys under `seal`."""
        self._database = database
        self._seal = seal
        self._clock = clock
        self._domain = domain
        self._recover = recover
        self._channels = channels
        self._limits = limits
        self._known: dict[bytes, tuple[BearerKey, float]] = {}
        self._reads: dict[bytes, asyncio.Task[BearerKey]] = {}
        self._revocations = 0
        self._held: dict[Hash32, bool] = {}

    async def create(self, terms: KeyTerms, proof: KeyProof) -> NewKey:
        """Make a key the payer asked for with their signature.

        Raises:
            InvalidKeyTerms: for terms no key can have.
            InvalidProof: when the signature is not the payer's over these terms.
            ProofUsed: when the nonce was used before.
            TooManyKeys: when the payer has as many live keys as allowed.
            TooManyWaitingKeys: when as many keys as allowed wait for a deposit, and this payer has one of them or shows
                no money.
        """
        check_terms(terms, self._clock.now())
        self._check_proof(terms, proof)
        async with self._database.snapshot() as unit:
            if await nonce_used(unit, terms.payer, proof.nonce):
                raise _used(proof)
            await self._check_number(unit, terms.payer)
        await self._check_waiting(terms.payer)
        session_key = PrivateKey(token_bytes(32))
        session = address_of_key(session_key.public_key.format(compressed=False))
        key = BearerKey(
            id=f"key_{token_hex(12)}",
            payer=terms.payer,
            channel=await self._channels.open(terms.payer, session),
            session=session,
            spending_limit=terms.spending_limit,
            expires_at=terms.expires_at,
            assets=terms.assets,
            label=terms.label,
            created_at=self._clock.now(),
        )
        text, secret_hash = new_bearer()
        try:
            async with self._database.transaction() as unit:
                await self._check_number(unit, terms.payer)
                await add_key(
                    unit, key, secret_hash, self._seal.close(session_key.secret, _sealed_terms(key)), proof.nonce
                )
        except ConstraintViolated as error:
            raise _used(proof) from error
        return NewKey(key, text)

    async def waiting(self) -> Sequence[BearerKey]:
        """Return the keys that got no money yet, oldest first."""
        async with self._database.snapshot() as unit:
            return await waiting_keys(unit)

    async def funded(self, key: BearerKey) -> None:
        """Note that a key got money: it stays, whatever becomes of that."""
        async with self._database.transaction() as unit:
            await end_waiting(unit, key.id)

    async def remove(self, key: BearerKey) -> None:
        """Remove a key that never got money, as if it had not been made."""
        async with self._database.transaction() as unit:
            await remove_key(unit, key.id)
        self._revocations += 1
        self._known.clear()

    async def list(self, payer: Address) -> Sequence[BearerKey]:
        """Return a payer's keys, newest first."""
        async with self._database.snapshot() as unit:
            return await keys_of(unit, payer)

    async def revoke(self, payer: Address, key_id: str) -> BearerKey:
        """Revoke a key; revoking again changes nothing.

        Raises:
            KeyNotFound: when `payer` has no such key.
        """
        async with self._database.transaction() as unit:
            await set_revoked(unit, payer, key_id, self._clock.now())
            key = await key_by_id(unit, payer, key_id)
        if key is None:
            raise KeyNotFound(f"{payer} has no key {key_id}; list the keys to see their ids", key_id=key_id)
        self._revocations += 1
        self._known.clear()
        self._reads.clear()
        return key

    async def list_signed(self, payer: Address, proof: TimedProof) -> Sequence[BearerKey]:
        """Return a payer's keys, given their signature.

        Raises:
            ProofExpired, InvalidProof: when it is not the payer's now.
        """
        self._check_signer(payer, list_digest(self._domain, payer, proof.expires_at), proof)
        return await self.list(payer)

    async def revoke_signed(self, payer: Address, key_id: str, proof: TimedProof) -> BearerKey:
        """Revoke a key by its payer's signature.

        Raises:
            ProofExpired, InvalidProof: when it is not the payer's now.
            KeyNotFound: when `payer` has no such key.
        """
        self._check_signer(payer, revoke_digest(self._domain, payer, key_id, proof.expires_at), proof)
        return await self.revoke(payer, key_id)

    async def authenticate(self, authorization: str) -> BearerKey:
        """Return the key an `Authorization` header carries.

        Raises:
            Unauthenticated: missing, mistyped, unknown, expired or revoked, each under its own code.
        """
        key = await self._find(bearer_hash(authorization))
        key.check(self._clock.now())
        return key

    async def session_key(self, key: BearerKey) -> bytes:
        """Return the private key (32 bytes) that authorizes payments out of the key's channel.

        Raises:
            KeyNotFound: when the key does not exist.
        """
        async with self._database.snapshot() as unit:
            sealed = await sealed_session_of(unit, key.id)
        if sealed is None:
            raise KeyNotFound(f"key {key.id} does not exist", key_id=key.id)
        return self._seal.open(sealed, _sealed_terms(key))

    async def altered(self) -> Sequence[str]:
        """Return the ids of keys whose terms are not those they were made with."""
        found: list[str] = []
        after = ""
        while page := await self.checked(after):
            after = page[-1].id
            found += [each.id for each in page if not each.intact]
        return found

    async def checked(self, after: str) -> Sequence[CheckedKey]:
        """Check a page of keys by id, from the one after `after`; empty after the last."""
        async with self._database.snapshot() as unit:
            page = await sealed_keys(unit, after, _PAGE)
        return [CheckedKey(key.id, self._opens(key, sealed)) for key, sealed in page]

    async def count(self) -> int:
        """Return how many keys there are, of whatever state."""
        async with self._database.snapshot() as unit:
            return await count_keys(unit)

    def _opens(self, key: BearerKey, sealed: bytes) -> bool:
        try:
            self._seal.open(sealed, _sealed_terms(key))
        except Unsealable:
            return False
        return True

    async def holds(self, channel: Hash32) -> bool:
        """Tell whether a channel stands behind a key, revoked and expired ones included.

        Remembered: a channel's id names the session key it was made with, so this never changes.
        """
        if channel not in self._held:
            async with self._database.snapshot() as unit:
                held = await channel_held(unit, channel)
            if len(self._held) >= _MOST_REMEMBERED:
                self._held.clear()
            self._held[channel] = held
        return self._held[channel]

    async def leaving(self) -> Sequence[Hash32]:
        """Return the channels of keys that are revoked or expired: their unused money can go back."""
        async with self._database.snapshot() as unit:
            return await channels_left(unit, self._clock.now())

    async def _find(self, secret_hash: bytes) -> BearerKey:
        known = self._known.get(secret_hash)
        if known is not None and self._clock.monotonic() - known[1] < FRESH_SECONDS:
            return known[0]
        read = self._reads.get(secret_hash)
        if read is None:  # a concurrent request waits for the same answer
            read = self._reads[secret_hash] = asyncio.create_task(self._read(secret_hash))
            read.add_done_callback(lambda done: self._reads.pop(secret_hash, None) and done.exception())
        return await asyncio.shield(read)

    async def _read(self, secret_hash: bytes) -> BearerKey:
        now, revocations = self._clock.monotonic(), self._revocations
        async with self._database.snapshot() as unit:
            key = await key_by_hash(unit, secret_hash)
        if key is None:
            raise KeyUnknown("this installation made no such key; is the base URL right?", field="authorization")
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        if revocations == self._revocations:  # what was read before a revocation is not remembered after it
            self._known[secret_hash] = key, now
        return key

    async def _check_number(self, unit: Unit, payer: Address) -> None:
        """Refuse one key too many; on PostgreSQL, requests that come at the same moment may pass by a few."""
        if await live_keys(unit, payer, self._clock.now()) >= self._limits.most_live:
            raise TooManyKeys(
                f"{payer} has {self._limits.most_live} keys that are neither revoked nor expired; revoke one first",
                payer=payer,
                most=self._limits.most_live,
            )

    async def _check_waiting(self, payer: Address) -> None:
        """Refuse a key to a wallet without money while many keys wait for a deposit."""
        async with self._database.snapshot() as unit:
            if await count_waiting(unit) < self._limits.most_waiting:
                return
            mine = await count_waiting(unit, payer)
        if mine or not await self._channels.can_deposit(payer):
            raise TooManyWaitingKeys(
                f"{self._limits.most_waiting} keys wait for their first deposit; put the smallest deposit into the "
                f"wallet {payer} and ask again, or use the key you have",
                payer=payer,
                waiting=mine,
            )

    def _check_proof(self, terms: KeyTerms, proof: KeyProof) -> None:
        if not 0 <= proof.nonce <= UINT256_MAX:
            raise InvalidProof("nonce must be from 0 to 2**256 - 1", field="nonce")
        digest = key_digest(self._domain, terms, proof.nonce)
        _check_payer(signer_of(digest, proof.signature, self._recover), terms.payer)

    def _check_signer(self, payer: Address, digest: bytes, proof: TimedProof) -> None:
        _check_payer(proof.signer(digest, self._recover, self._clock.now()), payer)


def _check_payer(signer: Address, payer: Address) -> None:
    if signer != payer:
        raise InvalidProof(
            f"the proof is signed by {signer}, not by the payer {payer}; sign exactly this request",
            field="signature",
            signer=signer,
            payer=payer,
        )


def _sealed_terms(key: BearerKey) -> str:
    """Return what a session key is sealed with: a row whose terms were changed does not open it."""
    terms = (key.id, key.payer, key.channel, key.session, key.spending_limit, key.expires_at, sorted_assets(key.assets))
    return "\0".join(map(str, terms))


def _used(proof: KeyProof) -> ProofUsed:
    return ProofUsed(f"nonce {proof.nonce} has made a key already; sign again with another", field="nonce")
