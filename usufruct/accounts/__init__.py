"""Bearer keys, each tied to a channel of its payer, and the signed proofs that create them."""

from usufruct.accounts.api import Purses, key_routes
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
    TooManyWaitingKeys,
)
from usufruct.accounts.model import BearerKey, KeyLimits, KeyTerms
from usufruct.accounts.proof import (
    KeyDomain,
    key_digest,
    list_digest,
    revoke_digest,
    timed_signer,
)
from usufruct.accounts.service import Channels, Keys, NewKey

__all__ = [
    "AssetOutOfScope",
    "BearerKey",
    "Channels",
    "InvalidKeyTerms",
    "InvalidProof",
    "KeyDomain",
    "KeyExpired",
    "KeyLimits",
    "KeyMissing",
    "KeyMistyped",
    "KeyNotFound",
    "KeyRevoked",
    "KeyTerms",
    "KeyUnknown",
    "Keys",
    "NewKey",
    "ProofUsed",
    "Purses",
    "TooManyWaitingKeys",
    "key_digest",
    "key_routes",
    "list_digest",
    "revoke_digest",
    "timed_signer",
]
