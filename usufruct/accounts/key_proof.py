"""The proof that a payer wants something of their keys: an EIP-712 message under their signature.

Domain: name "Usufruct Keys", version "1", the chain's id, and the operator's till as verifying contract, so that a
signature is good for one operator on one chain. `CreateKey` is good once: its `nonce` is any number the payer has not
used before. `ListKeys`, `RenameKey` and `RevokeKey` are good for some minutes: doing one again does no harm.
"""

from dataclasses import dataclass

from usufruct.accounts.key_model import KeyTerms, sorted_assets
from usufruct.chain.keys import InvalidSignature, recover_signer
from usufruct.core import Address, ChainId, Denied
from usufruct_client.eip712_messages import CREATE_KEY, KEYS, LIST_KEYS, RENAME_KEY, REVOKE_KEY
from usufruct_client.typed_data import MessageHasher
from usufruct_client.wire import ChannelProof, RenameWish, SignedWish, SigningDomain

LONGEST_SECONDS = 600
"""How long a signature without a nonce may hold."""

_CREATE_KEY = MessageHasher(CREATE_KEY)
_LIST_KEYS = MessageHasher(LIST_KEYS)
_RENAME_KEY = MessageHasher(RENAME_KEY)
_REVOKE_KEY = MessageHasher(REVOKE_KEY)


class InvalidProof(Denied, code="invalid_proof"):
    """The signature under a request for a key is not the payer's."""


@dataclass(frozen=True, slots=True)
class KeyDomain:
    """Where a proof is good: one chain, one operator's till."""

    chain_id: ChainId
    till: Address

    def document(self) -> SigningDomain:
        """Return the domain as it travels."""
        return SigningDomain(KEYS.name, KEYS.version, self.chain_id, self.till)


def key_digest(domain: KeyDomain, terms: KeyTerms, nonce: int) -> bytes:
    """Return the 32 bytes a payer signs; `assets` are signed sorted, one a line, and no limit a day as 0."""
    return _CREATE_KEY.digest(
        domain.chain_id,
        domain.till,
        terms.payer,
        terms.spending_limit,
        terms.day_limit or 0,
        terms.expires_at,
        sorted_assets(terms.assets),
        terms.label,
        nonce,
    )


def list_digest(domain: KeyDomain, payer: Address, expires_at: int) -> bytes:
    """Return the 32 bytes a payer signs to see their keys."""
    return _LIST_KEYS.digest(domain.chain_id, domain.till, payer, expires_at)


def rename_digest(domain: KeyDomain, payer: Address, key_id: str, label: str, expires_at: int) -> bytes:
    """Return the 32 bytes a payer signs to rename a key."""
    return _RENAME_KEY.digest(domain.chain_id, domain.till, payer, key_id, label, expires_at)


def revoke_digest(domain: KeyDomain, payer: Address, key_id: str, expires_at: int) -> bytes:
    """Return the 32 bytes a payer signs to revoke a key."""
    return _REVOKE_KEY.digest(domain.chain_id, domain.till, payer, key_id, expires_at)


def timed_signer(digest: bytes, proof: ChannelProof, now: int) -> Address:
    """Return who signed a digest under a signature without a nonce, which holds for some minutes.

    Raises:
        Denied: as `check_time`.
        InvalidProof: when it is not a signature.
    """
    check_time(proof, now)
    return signer_of(digest, proof.signature)


def check_time(proof: SignedWish | RenameWish | ChannelProof, now: int) -> None:
    """Refuse a signature without a nonce that does not end within some minutes.

    Raises:
        Denied: when it holds no longer at `now`, or longer than `LONGEST_SECONDS` from then on.
    """
    if not now < proof.expires_at <= now + LONGEST_SECONDS:
        raise Denied(
            f"the signature holds until {proof.expires_at}, and it is {now}: let it end within the next "
            f"{LONGEST_SECONDS} seconds",
            code="proof_expired",
            field="expiresAt",
            expires_at=proof.expires_at,
            now=now,
        )


def signer_of(digest: bytes, signature: bytes) -> Address:
    """Return who signed a digest.

    Raises:
        InvalidProof: when it is not a signature.
    """
    try:
        return recover_signer(digest, signature)
    except InvalidSignature as error:
        raise InvalidProof(f"the proof carries no signature: {error.message}", field="signature") from error
