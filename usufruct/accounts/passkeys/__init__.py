"""Passkey accounts: what the chain has for them."""

from usufruct.accounts.passkeys.support import PasskeySupport, passkey_support

__all__ = ["PasskeySupport", "passkey_support"]
