"""Bearer keys: create, list, revoke, authenticate."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import randbits, token_bytes, token_hex
from typing import Protocol

from usufruct.accounts.key_model import (
    KEY_LIMITS,
    BearerKey,
    KeyLimits,
    KeyTerms,
    check_label,
    check_terms,
    sorted_assets,
    too_many_keys,
    too_many_waiting_keys,
)
from usufruct.accounts.key_proof import (
    InvalidProof,
    KeyDomain,
    check_time,
    key_digest,
    list_digest,
    rename_digest,
    revoke_digest,
    signer_of,
)
from usufruct.accounts.key_store import KeyStore
from usufruct.accounts.key_text import bearer_hash, new_bearer
from usufruct.accounts.wallet_signatures import WalletSignatures
from usufruct.chain.keys import KeySigner
from usufruct.core import UINT256_MAX, Address, Clock, Denied, Hash32, NotFound
from usufruct.store import ConstraintViolated, Database, Seal, Unsealable
from usufruct.web import Unauthenticated
from usufruct_client.wire import RenameWish, SignedWish

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
    """The bearer keys of this installation; `store` holds their rows.

    A key that was seen is remembered for at most `FRESH_SECONDS`: revoking is immediate in this process, and takes that
    long to reach its neighbours.
    """

    def __init__(
        self,
        database: Database,
        seal: Seal,
        clock: Clock,
        domain: KeyDomain,
        channels: Channels,
        limits: KeyLimits = KEY_LIMITS,
        signatures: WalletSignatures | None = None,
    ) -> None:
        """Keep keys in `database`, their session keys under `seal`."""
        self.store = KeyStore(database)
        self._seal = seal
        self._clock = clock
        self._domain = domain
        self._channels = channels
        self._limits = limits
        self._signatures = signatures or WalletSignatures()
        self._known: dict[bytes, tuple[BearerKey, float]] = {}
        self._reads: dict[bytes, asyncio.Task[BearerKey]] = {}
        self._removals = 0
        self._held: dict[Hash32, bool] = {}

    async def create(self, terms: KeyTerms, nonce: int, signature: bytes) -> NewKey:
        """Make a key the payer asked for with their signature over the terms and a nonce.

        The signature is a key's (65 bytes: r, s, v), or one that the payer's contract takes.

        Raises:
            Invalid: for terms no key can have.
            Denied: when the signature is not the payer's over these terms, or the nonce was used before.
            Conflict: when the payer has as many live keys as allowed; or as many keys as allowed wait for a deposit,
                and this payer has one of them or shows no money.
        """
        check_terms(terms, self._clock.now())
        await self._check_signature(terms, nonce, signature)
        return await self._make(terms, nonce)

    async def create_signed_in(self, terms: KeyTerms) -> NewKey:
        """Make a key for a payer who is signed in, and whose deposits alone are signed; raises as `create`."""
        check_terms(terms, self._clock.now())
        return await self._make(terms, randbits(256))

    async def _make(self, terms: KeyTerms, nonce: int) -> NewKey:
        if await self.store.nonce_used(terms.payer, nonce):
            raise _used(nonce)
        if await self.store.live(terms.payer, self._clock.now()) >= self._limits.most_live:
            raise too_many_keys(terms.payer, self._limits.most_live)
        funded = await self._check_waiting(terms.payer)
        secret = token_bytes(32)
        session = KeySigner(secret).address
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
            day_limit=terms.day_limit,
        )
        text, secret_hash = new_bearer()
        sealed = self._seal.close(secret, _sealed_terms(key))
        try:
            await self.store.add(key, secret_hash, sealed, nonce, self._limits, funded=funded)
        except ConstraintViolated as error:
            raise _used(nonce) from error
        return NewKey(key, text)

    async def remove(self, key: BearerKey) -> None:
        """Remove a key that never got money, as if it had not been made."""
        await self.store.remove(key.id)
        self._forget()

    async def revoke(self, payer: Address, key_id: str) -> BearerKey:
        """Revoke a key; revoking again changes nothing.

        Raises:
            NotFound: when `payer` has no such key.
        """
        key = await self.store.revoke(payer, key_id, self._clock.now()) if key_id.isprintable() else None
        return self._changed(key, payer, key_id)

    async def rename(self, payer: Address, key_id: str, label: str) -> BearerKey:
        """Give a key another name, which only its payer sees.

        Raises:
            Invalid: for a name that no key can have.
            NotFound: when `payer` has no such key.
        """
        check_label(label)
        key = await self.store.rename(payer, key_id, label) if key_id.isprintable() else None
        return self._changed(key, payer, key_id)

    async def list(self, payer: Address) -> Sequence[BearerKey]:
        """Return a payer's keys, newest first."""
        return await self.store.list(payer)

    async def list_signed(self, wish: SignedWish) -> Sequence[BearerKey]:
        """Return a payer's keys, newest first, given their signature.

        Raises:
            Denied: when it is not the payer's now.
        """
        await self._check_timed(list_digest(self._domain, wish.payer, wish.expires_at), wish)
        return await self.store.list(wish.payer)

    async def revoke_signed(self, key_id: str, wish: SignedWish) -> BearerKey:
        """Revoke a key by its payer's signature.

        Raises:
            Denied: when it is not the payer's now.
            NotFound: when `payer` has no such key.
        """
        await self._check_timed(revoke_digest(self._domain, wish.payer, key_id, wish.expires_at), wish)
        return await self.revoke(wish.payer, key_id)

    async def rename_signed(self, key_id: str, wish: RenameWish) -> BearerKey:
        """Rename a key by its payer's signature.

        Raises:
            Denied: when it is not the payer's now.
            Invalid, NotFound: as `rename`.
        """
        digest = rename_digest(self._domain, wish.payer, key_id, wish.label, wish.expires_at)
        await self._check_timed(digest, wish)
        return await self.rename(wish.payer, key_id, wish.label)

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
            NotFound: when the key does not exist.
        """
        sealed = await self.store.sealed_session(key.id)
        if sealed is None:
            raise NotFound(f"key {key.id} does not exist", code="key_not_found", key_id=key.id)
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
        return [CheckedKey(key.id, self._opens(key, sealed)) for key, sealed in await self.store.sealed(after, _PAGE)]

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
            held = await self.store.holds(channel)
            if len(self._held) >= _MOST_REMEMBERED:
                self._held.clear()
            self._held[channel] = held
        return self._held[channel]

    async def leaving(self) -> Sequence[Hash32]:
        """Return the channels of keys that are revoked or expired: their unused money can go back."""
        return await self.store.leaving(self._clock.now())

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
        now, removals = self._clock.monotonic(), self._removals
        key = await self.store.find(secret_hash)
        if key is None:
            message = "this installation made no such key; is the base URL right?"
            raise Unauthenticated(message, code="key_unknown", field="authorization")
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        if removals == self._removals:  # what was read before a revocation is not remembered after it
            self._known[secret_hash] = key, now
        return key

    def _changed(self, key: BearerKey | None, payer: Address, key_id: str) -> BearerKey:
        """Return a payer's key that was changed; refuse one that is not there."""
        if key is None:
            message = f"{payer} has no key {key_id}; list the keys to see their ids"
            raise NotFound(message, code="key_not_found", key_id=key_id)
        self._forget()
        return key

    def _forget(self) -> None:
        """Forget the keys that were seen: one of them was changed or removed."""
        self._removals += 1
        self._known.clear()
        self._reads.clear()

    async def _check_waiting(self, payer: Address) -> bool:
        """Refuse a key to a wallet without money while many keys wait for a deposit; tell whether it showed money."""
        if await self.store.count_waiting() < self._limits.most_waiting:
            return False
        mine = await self.store.count_waiting(payer)
        if mine or not await self._channels.can_deposit(payer):
            raise too_many_waiting_keys(payer, self._limits.most_waiting, mine)
        return True

    async def _check_signature(self, terms: KeyTerms, nonce: int, signature: bytes) -> None:
        if not 0 <= nonce <= UINT256_MAX:
            raise InvalidProof("nonce must be from 0 to 2**256 - 1", field="nonce")
        await self._check_signed(key_digest(self._domain, terms, nonce), signature, terms.payer)

    async def _check_timed(self, digest: bytes, wish: SignedWish | RenameWish) -> None:
        check_time(wish, self._clock.now())
        await self._check_signed(digest, wish.signature, wish.payer)

    async def _check_signed(self, digest: bytes, signature: bytes, payer: Address) -> None:
        if await self._signatures.has_signed(payer, digest, signature):
            return
        signer = signer_of(digest, signature)
        raise InvalidProof(
            f"the proof is signed by {signer}, not by the payer {payer}; sign exactly this request",
            field="signature",
            signer=signer,
            payer=payer,
        )


def _sealed_terms(key: BearerKey) -> str:
    """Return what a session key is sealed with: a row whose terms were changed does not open it."""
    terms = (key.id, key.payer, key.channel, key.session, key.spending_limit, key.expires_at, sorted_assets(key.assets))
    day = () if key.day_limit is None else (key.day_limit,)
    return "\0".join(map(str, (*terms, *day)))


def _used(nonce: int) -> Denied:
    message = f"nonce {nonce} has made a key already; sign again with another"
    return Denied(message, code="proof_used", field="nonce")
