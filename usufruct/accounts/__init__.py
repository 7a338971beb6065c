"""Bearer keys, each tied to a channel of its payer, and the signed proofs that create them."""

from usufruct.accounts.api import Purses, key_routes
from usufruct.accounts.model import BearerKey, KeyLimits, KeyTerms
from usufruct.accounts.proof import InvalidProof, KeyDomain, key_digest, list_digest, revoke_digest, timed_signer
from usufruct.accounts.service import Channels, Keys, NewKey

__all__ = [
    "BearerKey",
    "Channels",
    "InvalidProof",
    "KeyDomain",
    "KeyLimits",
    "KeyTerms",
    "Keys",
    "NewKey",
    "Purses",
    "key_digest",
    "key_routes",
    "list_digest",
    "revoke_digest",
    "timed_signer",
]
