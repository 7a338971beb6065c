"""What is checked of a receipt before it is kept, and of an answer in a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from usufruct.cli.support.receipt_units import ReceiptUnit
from usufruct.core import Conflict
from usufruct_client import Agreed, AnswerReader, Receipt, faults, read_receipt, text_hash
from usufruct_client.lines import bill_lines, charge_faults, line_text, quantities_of, total_of
from usufruct_client.wire import ModelCard


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked, whether it is as it should be, and what was found."""

    check: str
    good: bool
    found: str

    def row(self) -> dict[str, object]:
        """Return what is printed."""
        return {"check": self.check, "result": "good" if self.good else "bad", "found": self.found}


def check_receipt(document: Mapping[str, Any], agreed: Agreed) -> Receipt:
    """Read the receipt of a call, if it is as agreed."""
    receipt = read_receipt(document)
    _refuse(receipt, faults(receipt, agreed))
    return receipt


def check_call(document: Mapping[str, Any], call: str) -> Receipt:
    """Read a receipt, if it is of `call` and signed."""
    receipt = read_receipt(document)
    signature = check_signature(receipt)
    other = () if receipt.call == call else (f"the receipt's call is {receipt.call}, not {call}",)
    _refuse(receipt, other if signature.good else (*other, signature.found))
    return receipt


def check_signature(receipt: Receipt) -> Check:
    """Recover who signed exactly these members; it must be who the receipt names."""
    found = receipt.signed_by()
    good = found == receipt.signer
    return Check("signature", good, f"{found} signed it" if good else f"{receipt.signer} did not sign this")


def check_charge(receipt: Receipt, unit: ReceiptUnit) -> Check:
    """Add the receipt's lines up; the charge is their sum, or the call's ceiling if that is lower."""
    wrong = charge_faults(receipt.lines, receipt.ceiling, receipt.amount)
    lines = "; ".join(line_text(line, unit.shown) for line in receipt.lines) or "nothing used"
    total = total_of(receipt.lines)
    capped = f", of {unit.shown(total)}: the ceiling" if receipt.amount < total else ""
    return Check("charge", not wrong, wrong[0] if wrong else f"{lines}; charged {unit.words(receipt.amount)}{capped}")


def check_prices(receipt: Receipt, services: Sequence[ModelCard]) -> list[Check]:
    """Make the lines again by the price card; nothing where no service on offer has it now."""
    for service in services:
        card = service.price
        if (int(service.asset, 16), card.version) == (receipt.asset, receipt.price_card_version):
            used = quantities_of(receipt.lines)
            good = used.keys() <= card.rates.keys() and bill_lines(used, card.rates) == receipt.lines
            return [Check("prices", good, f"{'as' if good else 'not as'} in price card {card.version}")]
    return []


def readings(answer: bytes) -> set[str]:
    """Return what a receipt may say of an answer in a file: a whole one, a stream, or its text as `call` prints it."""
    found = {"0x" + sha256(each).hexdigest() for each in (answer, answer.removesuffix(b"\n"))}
    for kind in ("application/json", "text/event-stream"):
        reader = AnswerReader({"content-type": kind})
        reader.feed(answer)
        if reader.done or "choices" in reader.read_whole():
            found.add(text_hash(reader.read_text()))
        if "data" in reader.read_whole():
            found.add("0x" + sha256(orjson.dumps(reader.read_whole()["data"])).hexdigest())
    return found


def _refuse(receipt: Receipt, wrong: tuple[str, ...]) -> None:
    if wrong:
        raise Conflict(
            f"the gateway's receipt of call {receipt.call} is not in order, and is not kept: {'; '.join(wrong)}",
            code="receipt_bad",
        )
