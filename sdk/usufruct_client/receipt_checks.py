"""Compares a receipt with what was asked, answered and agreed."""

from dataclasses import dataclass

from usufruct_client.lines import bill_lines, charge_faults, quantities_of, total_of
from usufruct_client.receipt import Receipt
from usufruct_client.wire import PriceCard


@dataclass(frozen=True, slots=True)
class Dispute:
    """What a gateway did that was not agreed: `call` is its id where one is known, `at` seconds since 1970."""

    channel: str
    call: str
    what: str
    at: int


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a receipt is compared with; `response_hash` is None when the whole answer was not read.

    `account`, `call` and `charge` are None where they are not known.
    """

    account: str | None
    chain_id: int
    till: str
    token: str
    request_hash: str
    response_hash: str | None
    ceiling: int
    signed: int
    signers: frozenset[str]
    price_card: PriceCard | None = None
    call: str | None = None
    charge: int | None = None


def faults(receipt: Receipt, agreed: Agreed) -> tuple[str, ...]:
    """Return what is wrong with a receipt, each in a sentence; nothing for one that is in order."""
    found = []
    for name in ("call", "account", "chain_id", "till", "token", "request_hash", "response_hash"):
        stands, expected = getattr(receipt, name), getattr(agreed, name)
        if expected is not None and stands != expected:
            found.append(f"the receipt's {name} is {stands}, not {expected}")
    if agreed.charge not in (None, receipt.amount):
        found.append(f"the receipt's amount is {receipt.amount}, not the {agreed.charge} that the answer names")
    if receipt.amount > agreed.ceiling:
        found.append(f"charged {receipt.amount}, above the ceiling of {agreed.ceiling}")
    found += charge_faults(receipt.lines, receipt.ceiling, receipt.amount) or _price_faults(receipt, agreed.price_card)
    if receipt.above < 0 or receipt.cumulative > agreed.signed:
        found.append(f"the receipt's cumulative {receipt.cumulative} does not fit: {agreed.signed} was signed in all")
    signer = receipt.signed_by()
    if signer != receipt.signer:
        found.append(f"the receipt's signature is not {receipt.signer}'s")
    elif agreed.signers and signer not in agreed.signers:
        found.append(f"the receipt is signed by {signer}, not by the operator's receipt key")
    return tuple(found)


def _price_faults(receipt: Receipt, card: PriceCard | None) -> list[str]:
    """Make the lines again from their quantities and the price card that was quoted."""
    if card is None:
        return []
    if receipt.price_card_version != card.version:
        return [f"charged by price card {receipt.price_card_version}, not by the quoted {card.version}"]
    used = quantities_of(receipt.lines)
    if unpriced := used.keys() - card.rates.keys():
        return [f"the quoted price card has no price for {', '.join(sorted(unpriced))}"]
    due = bill_lines(used, card.rates)
    if receipt.lines == due:
        return []
    return [f"the receipt's lines come to {total_of(receipt.lines)}, by the quoted price to {total_of(due)}"]
