"""Passkey accounts: passkeys and sign-in, operations and the relayer that sends them, what a chain has for them."""

from usufruct.accounts.passkeys.allowed_calls import MoreRelayedCalls, RelayedCalls
from usufruct.accounts.passkeys.component import has_factory
from usufruct.accounts.passkeys.operation import GasLimits, new_operation, operation_hash, signature_of
from usufruct.accounts.passkeys.passkeys import Passkeys
from usufruct.accounts.passkeys.relay import OperationRefused, Relay
from usufruct.accounts.passkeys.relay_store import RelayLimited, RelayState
from usufruct.accounts.passkeys.support import PasskeySupport, passkey_support
from usufruct.accounts.passkeys.typed_signature import typed_digest, typed_signature
from usufruct.accounts.passkeys.wallet import Wallet
from usufruct.accounts.passkeys.webauthn import PasskeyRefused
from usufruct.accounts.passkeys.webauthn import RelyingParty as PasskeySite

__all__ = [
    "GasLimits",
    "MoreRelayedCalls",
    "OperationRefused",
    "PasskeyRefused",
    "PasskeySite",
    "PasskeySupport",
    "Passkeys",
    "Relay",
    "RelayLimited",
    "RelayState",
    "RelayedCalls",
    "Wallet",
    "has_factory",
    "new_operation",
    "operation_hash",
    "passkey_support",
    "signature_of",
    "typed_digest",
    "typed_signature",
]
