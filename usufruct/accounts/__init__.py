"""Who calls: bearer keys, each a channel of its payer, and the proofs that make them."""

from usufruct.accounts.errors import (
    AssetOutOfScope,
    InvalidKeyTerms,
    InvalidProof,
    KeyExpired,
    KeyMissing,
    KeyMistyped,
    KeyNotFound,
    KeyRevoked,
    KeyUnknown,
    ProofUsed,
)
from usufruct.accounts.model import BearerKey, KeyTerms
from usufruct.accounts.proof import KeyDomain, KeyProof, key_digest
from usufruct.accounts.service import Channels, Keys, NewKey, Recover

__all__ = [
    "AssetOutOfScope",
    "BearerKey",
    "Channels",
    "InvalidKeyTerms",
    "InvalidProof",
    "KeyDomain",
    "KeyExpired",
    "KeyMissing",
    "KeyMistyped",
    "KeyNotFound",
    "KeyProof",
    "KeyRevoked",
    "KeyTerms",
    "KeyUnknown",
    "Keys",
    "NewKey",
    "ProofUsed",
    "Recover",
    "key_digest",
]
