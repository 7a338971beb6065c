"""Who: bearer keys, each tied to a channel of its payer; sessions; and the signatures that prove either."""

from usufruct.accounts.key_api import Purses, key_routes
from usufruct.accounts.key_model import BearerKey, KeyLimits, KeyTerms, check_terms
from usufruct.accounts.key_proof import (
    InvalidProof,
    KeyDomain,
    key_digest,
    list_digest,
    rename_digest,
    revoke_digest,
    timed_signer,
)
from usufruct.accounts.keys import Channels, Keys, NewKey
from usufruct.accounts.session_model import DEMO_ACCOUNT, Session, SessionPolicy
from usufruct.accounts.sessions import Sessions
from usufruct.accounts.sign_in import SignInRefused
from usufruct.accounts.wallet_signatures import WalletSignatures

__all__ = [
    "DEMO_ACCOUNT",
    "BearerKey",
    "Channels",
    "InvalidProof",
    "KeyDomain",
    "KeyLimits",
    "KeyTerms",
    "Keys",
    "NewKey",
    "Purses",
    "Session",
    "SessionPolicy",
    "Sessions",
    "SignInRefused",
    "WalletSignatures",
    "check_terms",
    "key_digest",
    "key_routes",
    "list_digest",
    "rename_digest",
    "revoke_digest",
    "timed_signer",
]
