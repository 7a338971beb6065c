"""EIP-712 documents, signed by eth-account's encoding."""

from collections.abc import Mapping
from typing import Any

from eth_account.messages import encode_typed_data

from usufruct.chain import keccak
from usufruct.chain.keys import KeySigner


def sign_document(signer: KeySigner, document: Mapping[str, Any]) -> bytes:
    """Sign a document of `types`, `primaryType`, `domain` and `message`."""
    message = encode_typed_data(full_message=dict(document))
    return signer.sign(keccak(b"\x19" + message.version + message.header + message.body))
