"""The proof that a payer wants a key: an EIP-712 message `CreateKey` under their signature.

Domain: name "Usufruct Keys", version "1", the chain's id, and the operator's till as verifying contract, so that a
signature is good for one operator on one chain. `nonce` is any number the payer has not used before.
"""

from dataclasses import dataclass

from usufruct.accounts.model import KeyTerms, sorted_assets
from usufruct.chain import keccak
from usufruct.core import Address, ChainId

_DOMAIN = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_CREATE_KEY = keccak(
    b"CreateKey(address payer,uint256 spendingLimit,uint256 expiresAt,string assets,string label,uint256 nonce)"
)


@dataclass(frozen=True, slots=True)
class KeyDomain:
    """Where a proof is good: one chain, one operator's till."""

    chain_id: ChainId
    till: Address

    @property
    def separator(self) -> bytes:
        """Return the EIP-712 domain separator."""
        return keccak(_DOMAIN + keccak(b"Usufruct Keys") + keccak(b"1") + _word(self.chain_id) + _padded(self.till))


@dataclass(frozen=True, slots=True)
class KeyProof:
    """A payer's signature (65 bytes: r, s, v) over the terms and a nonce (0 to 2**256 - 1)."""

    nonce: int
    signature: bytes


def key_digest(domain: KeyDomain, terms: KeyTerms, nonce: int) -> bytes:
    """Return the 32 bytes a payer signs; `assets` are signed sorted, one a line."""
    struct = keccak(
        _CREATE_KEY
        + _padded(terms.payer)
        + _word(terms.spending_limit)
        + _word(terms.expires_at)
        + keccak(sorted_assets(terms.assets).encode())
        + keccak(terms.label.encode())
        + _word(nonce)
    )
    return keccak(b"\x19\x01" + domain.separator + struct)


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _padded(address: Address) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])
