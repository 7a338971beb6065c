"""The proof that a payer wants something of their keys: an EIP-712 message under their signature.

Domain: name "Usufruct Keys", version "1", the chain's id, and the operator's till as verifying contract, so that a
signature is good for one operator on one chain. `CreateKey` is good once: its `nonce` is any number the payer has not
used before. `ListKeys` and `RevokeKey` are good for some minutes: doing either again does no harm.
"""

from collections.abc import Callable
from dataclasses import dataclass

from usufruct.accounts.errors import InvalidProof, ProofExpired
from usufruct.accounts.model import KeyTerms, sorted_assets
from usufruct.chain import address_word, domain_separator, keccak, text_word, typed_digest, word
from usufruct.core import Address, ChainId, Invalid

Recover = Callable[[bytes, bytes], Address]
"""From a 32-byte digest and a 65-byte signature to the account that signed."""

LONGEST_SECONDS = 600
"""How long a signature without a nonce may hold."""

DOMAIN_NAME = "Usufruct Keys"
DOMAIN_VERSION = "1"

_CREATE_KEY = keccak(
    b"CreateKey(address payer,uint256 spendingLimit,uint256 expiresAt,string assets,string label,uint256 nonce)"
)
_LIST_KEYS = keccak(b"ListKeys(address payer,uint256 expiresAt)")
_REVOKE_KEY = keccak(b"RevokeKey(address payer,string id,uint256 expiresAt)")


@dataclass(frozen=True, slots=True)
class KeyDomain:
    """Where a proof is good: one chain, one operator's till."""

    chain_id: ChainId
    till: Address

    @property
    def separator(self) -> bytes:
        """Return the EIP-712 domain separator."""
        return domain_separator(DOMAIN_NAME, DOMAIN_VERSION, self.chain_id, self.till)

    def as_json(self) -> dict[str, object]:
        """Return the domain as wallets take it, the chain's id as decimal text."""
        return {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": str(self.chain_id),
            "verifyingContract": self.till,
        }


@dataclass(frozen=True, slots=True)
class KeyProof:
    """A payer's signature (65 bytes: r, s, v) over the terms and a nonce (0 to 2**256 - 1)."""

    nonce: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class TimedProof:
    """A signature (65 bytes: r, s, v) that holds until `expires_at`, seconds since 1970."""

    expires_at: int
    signature: bytes

    def signer(self, digest: bytes, recover: Recover, now: int) -> Address:
        """Return who signed `digest`.

        Raises:
            ProofExpired: when it holds no longer at `now`, or longer than `LONGEST_SECONDS` from then on.
            InvalidProof: when it is no signature.
        """
        if not now < self.expires_at <= now + LONGEST_SECONDS:
            raise ProofExpired(
                f"the signature holds until {self.expires_at}, and it is {now}: let it end within the next "
                f"{LONGEST_SECONDS} seconds",
                field="expiresAt",
                expires_at=self.expires_at,
                now=now,
            )
        return signer_of(digest, self.signature, recover)


def key_digest(domain: KeyDomain, terms: KeyTerms, nonce: int) -> bytes:
    """Return the 32 bytes a payer signs; `assets` are signed sorted, one a line."""
    return _digest(
        domain,
        _CREATE_KEY,
        address_word(terms.payer),
        word(terms.spending_limit),
        word(terms.expires_at),
        text_word(sorted_assets(terms.assets)),
        text_word(terms.label),
        word(nonce),
    )


def list_digest(domain: KeyDomain, payer: Address, expires_at: int) -> bytes:
    """Return the 32 bytes a payer signs to see their keys."""
    return _digest(domain, _LIST_KEYS, address_word(payer), word(expires_at))


def revoke_digest(domain: KeyDomain, payer: Address, key_id: str, expires_at: int) -> bytes:
    """Return the 32 bytes a payer signs to revoke a key."""
    return _digest(domain, _REVOKE_KEY, address_word(payer), text_word(key_id), word(expires_at))


def signer_of(digest: bytes, signature: bytes, recover: Recover) -> Address:
    """Return who signed a digest.

    Raises:
        InvalidProof: when it is no signature.
    """
    try:
        return recover(digest, signature)
    except Invalid as error:
        raise InvalidProof(f"the proof carries no signature: {error.message}", field="signature") from error


def _digest(domain: KeyDomain, *words: bytes) -> bytes:
    return typed_digest(domain.separator, b"".join(words))
