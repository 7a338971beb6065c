"""Keys that sign: keystore files, a devnet's known keys, and the role of each key of an installation."""

from usufruct.chain.keys.keystore import KeystoreMissing, keystore_address, open_keystore, write_keystore
from usufruct.chain.keys.roles import Role, claim_address, closed_key, role_address, signer_of
from usufruct.chain.keys.signer import (
    DEVNET_ADDRESSES,
    InvalidKey,
    InvalidSignature,
    KeySigner,
    devnet_signer,
    recover_signer,
    refuse_devnet_key,
)

__all__ = [
    "DEVNET_ADDRESSES",
    "InvalidKey",
    "InvalidSignature",
    "KeySigner",
    "KeystoreMissing",
    "Role",
    "claim_address",
    "closed_key",
    "devnet_signer",
    "keystore_address",
    "open_keystore",
    "recover_signer",
    "refuse_devnet_key",
    "role_address",
    "signer_of",
    "write_keystore",
]
