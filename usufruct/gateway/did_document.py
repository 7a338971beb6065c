"""The gateway's DID document: which keys sign receipts and x402 offers for its address, by `did:web`."""

from typing import Any
from urllib.parse import quote, urlsplit

from usufruct.core import checksum
from usufruct.gateway.operator_profile import Operator

_CONTEXT = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/secp256k1recovery-2020/v2"]
_KEY_TYPE = "EcdsaSecp256k1RecoveryMethod2020"


def did_of(root: str) -> str:
    """Return the DID of the gateway at `root`, an address without a path: `did:web:example.org`."""
    return f"did:web:{quote(urlsplit(root).netloc, safe='')}"


def did_document(root: str, operator: Operator) -> dict[str, Any]:
    """Return the document that `did_of(root)` resolves to; the key that signs now comes first."""
    did = did_of(root)
    methods = []
    for signer in (operator.receipts.address, *operator.earlier_signers):
        shown = checksum(signer)
        account = f"eip155:{operator.escrow.chain_id}:{shown}"
        methods.append({"id": f"{did}#{shown}", "type": _KEY_TYPE, "controller": did, "blockchainAccountId": account})
    return {
        "@context": _CONTEXT,
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }
