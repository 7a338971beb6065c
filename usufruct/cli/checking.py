"""What is looked at before a receipt is believed, and kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from usufruct.core import Conflict
from usufruct.payments import InvalidSignature, ReceiptDocument, read_receipt, receipt_digest, recover_signer


class ReceiptBad(Conflict):
    """A gateway's receipt is not of what was asked, or nobody signed it."""

    code = "receipt_bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, whether it is as it should be, and what was found."""

    check: str
    good: bool
    found: str

    def row(self) -> dict[str, object]:
        """Return what is printed."""
        return {"check": self.check, "result": "good" if self.good else "bad", "found": self.found}


def check_signature(document: ReceiptDocument) -> Check:
    """Recover who signed exactly these members; it must be who the receipt names."""
    digest = receipt_digest(document.receipt, document.chain_id, document.till)
    try:
        found = recover_signer(digest, document.signature)
    except InvalidSignature as error:
        return Check("signature", good=False, found=error.message)
    said = f"{found} signed it" if found == document.signer else f"{document.signer} did not sign this: it was changed"
    return Check("signature", found == document.signer, said)


def believe(content: Mapping[str, Any], **expected: object) -> ReceiptDocument:
    """Read a gateway's receipt; its members must be signed, and as `expected` where that is not None.

    Raises:
        InvalidReceipt: when it is no receipt.
        ReceiptBad: names everything that is not as it should be.
    """
    document = read_receipt(content)
    signature = check_signature(document)
    wrong = [] if signature.good else [signature.found]
    for name, value in expected.items():
        stands = getattr(document.receipt, name)
        if value is not None and stands != value:
            wrong.append(f"its {name.replace('_', ' ')} is {stands}, not {value}")
    if wrong:
        call = document.receipt.call
        raise ReceiptBad(
            f"the gateway's receipt of call {call} is not in order, and is not kept: {'; '.join(wrong)}", call=call
        )
    return document
