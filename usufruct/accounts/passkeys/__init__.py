"""Passkey accounts: passkeys and sign-in, operations and the relayer that sends them, what a chain has for them."""

from usufruct.accounts.passkeys.component import has_factory
from usufruct.accounts.passkeys.operation import GasLimits, new_operation, operation_hash
from usufruct.accounts.passkeys.passkeys import Passkeys
from usufruct.accounts.passkeys.relay import OperationRefused, Relay
from usufruct.accounts.passkeys.relay_store import RelayLimited
from usufruct.accounts.passkeys.support import PasskeySupport, passkey_support
from usufruct.accounts.passkeys.webauthn import PasskeyRefused

__all__ = [
    "GasLimits",
    "OperationRefused",
    "PasskeyRefused",
    "PasskeySupport",
    "Passkeys",
    "Relay",
    "RelayLimited",
    "has_factory",
    "new_operation",
    "operation_hash",
    "passkey_support",
]
