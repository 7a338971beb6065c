"""Why a bearer key, or the wish for one, is refused."""

from usufruct.core import Conflict, Denied, Invalid, NotFound
from usufruct.web import Unauthenticated


class KeyMissing(Unauthenticated):
    """No bearer key was sent."""

    code = "key_missing"


class KeyMistyped(Unauthenticated):
    """Not a key: too short, too long, or its checksum does not fit."""

    code = "key_mistyped"


class KeyUnknown(Unauthenticated):
    """A well-formed key that this installation did not make."""

    code = "key_unknown"


class KeyExpired(Unauthenticated):
    """The key's time is over."""

    code = "key_expired"


class KeyRevoked(Unauthenticated):
    """The key was revoked."""

    code = "key_revoked"


class AssetOutOfScope(Denied):
    """The key may not be used for this asset."""

    code = "asset_out_of_scope"


class KeyNotFound(NotFound):
    """No key with this id, or not of this payer."""

    code = "key_not_found"


class InvalidKeyTerms(Invalid):
    """A key with such terms cannot be made."""

    code = "invalid_key_terms"


class InvalidProof(Denied):
    """The signature under a request for a key is not the payer's."""

    code = "invalid_proof"


class ProofExpired(Denied):
    """The signature under a request holds no longer, or for longer than it may."""

    code = "proof_expired"


class TooManyKeys(Conflict):
    """The payer has as many keys as one may have that are neither revoked nor expired."""

    code = "too_many_keys"


class TooManyWaitingKeys(Conflict):
    """Very many keys wait for their first money; only a payer who holds a deposit's worth gets one more."""

    code = "too_many_waiting_keys"


class ProofUsed(Denied):
    """The signature under a request for a key has made a key already."""

    code = "proof_used"
