"""Why a bearer key, or the wish for one, is refused."""

from usufruct.core import Conflict, Denied, Invalid, NotFound
from usufruct.web import Unauthenticated


class KeyMissing(Unauthenticated, code="key_missing"):
    """No bearer key was sent."""


class KeyMistyped(Unauthenticated, code="key_mistyped"):
    """Not a key: too short, too long, or its checksum does not fit."""


class KeyUnknown(Unauthenticated, code="key_unknown"):
    """A well-formed key that this installation did not make."""


class KeyExpired(Unauthenticated, code="key_expired"):
    """The key's time is over."""


class KeyRevoked(Unauthenticated, code="key_revoked"):
    """The key was revoked."""


class AssetOutOfScope(Denied, code="asset_out_of_scope"):
    """The key may not be used for this asset."""


class KeyNotFound(NotFound, code="key_not_found"):
    """No key with this id, or not of this payer."""


class InvalidKeyTerms(Invalid, code="invalid_key_terms"):
    """A key with such terms cannot be made."""


class InvalidProof(Denied, code="invalid_proof"):
    """The signature under a request for a key is not the payer's."""


class TooManyWaitingKeys(Conflict, code="too_many_waiting_keys"):
    """Very many keys wait for their first money; only a payer who holds a deposit's worth gets one more."""


class ProofUsed(Denied, code="proof_used"):
    """The signature under a request for a key has made a key already."""
