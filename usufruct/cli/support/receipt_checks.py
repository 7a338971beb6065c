"""What is looked at before a receipt is believed, and kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from usufruct.connectors.openai import delta_text, event_data, output_text, parse, well_formed
from usufruct.core import Conflict, Hash32, asset_id
from usufruct.core.price_cards import WHOLE_BPS
from usufruct.payments.pricing import (
    InvalidSignature,
    Receipt,
    ReceiptDocument,
    content_hash,
    read_receipt,
    receipt_digest,
    recover_signer,
)
from usufruct.web import Members
from usufruct_client.lines import bill_lines, charge_faults, line_text, quantities_of, rates_of, total_of

_LARGEST = (1 << 63) - 1


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


def check_charge(receipt: Receipt) -> Check:
    """Add the receipt's lines up; the charge is their sum, or the call's ceiling if that is lower."""
    faults = charge_faults(receipt.lines, receipt.ceiling, receipt.amount)
    lines = "; ".join(map(line_text, receipt.lines)) or "nothing used"
    capped = f", of {total_of(receipt.lines)}: the ceiling" if receipt.amount < total_of(receipt.lines) else ""
    return Check("charge", not faults, faults[0] if faults else f"{lines}; charged {receipt.amount}{capped}")


def check_prices(receipt: Receipt, models: Iterable[Members]) -> list[Check]:
    """Make the lines again by the price card; nothing where no listed service has it now."""
    for model in models:
        price = model.inner("price")
        version = price.integer("version", _LARGEST)
        if asset_id(model.text("asset")) != receipt.asset or version != receipt.price_card_version:
            continue
        prices = rates_of(
            price.text("unit"),
            price.amount("input_per_million"),
            price.amount("output_per_million"),
            price.integer("cached_input_bps", WHOLE_BPS),
            price.amount("per_call"),
        )
        used = quantities_of(receipt.lines)
        good = used.keys() <= prices.keys() and bill_lines(used, prices) == receipt.lines
        return [Check("prices", good, f"{'as' if good else 'not as'} in price card {version}")]
    return []


def believe(
    content: Mapping[str, Any], at_most: Mapping[str, int | None] | None = None, **expected: object
) -> ReceiptDocument:
    """Read a gateway's receipt; its members must be signed, `at_most` so much, and as `expected` where that is known.

    Raises:
        InvalidReceipt: when it is no receipt.
        ReceiptBad: names everything that is not as it should be.
    """
    document = read_receipt(content)
    receipt, signature = document.receipt, check_signature(document)
    wrong = [] if signature.good else [signature.found]
    for name, value in expected.items():
        stands = getattr(document if hasattr(document, name) else receipt, name)
        if value is not None and stands != value:
            wrong.append(f"its {name.replace('_', ' ')} is {stands}, not {value}")
    for name, most in (at_most or {}).items():
        if most is not None and (stands := getattr(receipt, name)) > most:
            wrong.append(f"its {name} is {stands}, above the {most} allowed")
    wrong += charge_faults(receipt.lines, receipt.ceiling, receipt.amount)
    if receipt.cumulative < receipt.amount:
        wrong.append(f"its cumulative is {receipt.cumulative}, below its amount of {receipt.amount}")
    if wrong:
        raise ReceiptBad(
            f"the gateway's receipt of call {receipt.call} is not in order, and is not kept: {'; '.join(wrong)}",
            call=receipt.call,
        )
    return document


def readings(answer: bytes) -> set[Hash32]:
    """Return what a receipt may say of an answer in a file: a whole one, a stream, or its text as `call` prints it."""
    whole = json_object(answer)
    events = [json_object(event_data(event)) for event in answer.replace(b"\r\n", b"\n").split(b"\n\n")]
    found = {content_hash(answer), content_hash(answer.removesuffix(b"\n"))}
    if "data" in whole:
        found.add(content_hash(orjson.dumps(whole["data"])))
    for pieces, text_of in (([whole], output_text), (events, delta_text)):
        said = [text_of(piece["choices"]) for piece in pieces if "choices" in piece]
        if said:
            found.add(text_hash("".join(said)))
    return found


def text_hash(text: str) -> Hash32:
    """Return the hash of what a model wrote, in any form it may have come."""
    return content_hash(well_formed(text).encode())


def json_object(text: bytes) -> dict[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    found = parse(text)
    return found if isinstance(found, dict) else {}
