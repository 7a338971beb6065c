"""What is checked of a receipt before it is kept and of an answer in a file, and what receipts' amounts are in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from usufruct.chain import Client, Revert, UnreadableAnswer
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.cli.support.command import ask_node
from usufruct.cli.support.deposits import configured_token
from usufruct.cli.support.local_store import saved_channel
from usufruct.config import Config
from usufruct.core import Address, Conflict, UsufructError, checksum, format_units, hash32
from usufruct.core.price_cards import MOST_LEVEL_DISCOUNT_BPS
from usufruct_client import Agreed, AnswerReader, Receipt, faults, read_receipt, text_hash
from usufruct_client.bill_lines import bill_lines, charge_faults, line_text, quantities_of, total_of
from usufruct_client.price_card import PriceCard
from usufruct_client.wire import ModelCard


@dataclass(frozen=True, slots=True)
class ReceiptUnit:
    """What a receipt's amounts are in; `symbol` is None for a token that was not agreed to, called by its address."""

    token: str
    decimals: int
    symbol: str | None

    def shown(self, amount: int) -> str:
        """Write an amount without its unit."""
        return format_units(amount, self.decimals)

    def words(self, amount: int) -> str:
        """Write an amount with its unit."""
        unit = self.symbol or f"{'' if self.decimals else 'atomic units '}of {checksum(Address(self.token))}"
        return f"{self.shown(amount)} {unit}"


class ReceiptUnits:
    """The units of receipts; a token that is not agreed is asked for its decimals once."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._asked: dict[str, ReceiptUnit] = {}

    def of(self, receipt: Receipt) -> ReceiptUnit:
        """Return a receipt's unit; atomic units of a token that does not tell its decimals now."""
        saved = saved_channel(self._config, hash32(receipt.account))
        agreed = saved.token if saved else None
        if agreed is not None and agreed.address == receipt.token:
            return ReceiptUnit(agreed.address, agreed.decimals, agreed.symbol)
        if receipt.token not in self._asked:
            self._asked[receipt.token] = self._ask(Address(receipt.token))
        return self._asked[receipt.token]

    def _ask(self, token: Address) -> ReceiptUnit:
        known = token == configured_token(self._config)

        async def unit(node: Client) -> ReceiptUnit:
            contract = Erc20(token, node)
            return ReceiptUnit(token, await contract.decimals(), await contract.symbol() if known else None)

        try:
            return ask_node(self._config, unit)
        except (Revert, UnreadableAnswer, UsufructError):
            return ReceiptUnit(token, 0, None)


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
    """Make the lines again by the price card, less a level's discount; nothing where no service has the card now.

    Levels and sellers change discounts, and a receipt keeps its prices: any discount that a level can bring is good, if
    it is the same on every line.
    """
    for service in services:
        card = service.price
        if (int(service.asset, 16), card.version) == (receipt.asset, receipt.price_card_version):
            now = [0, *service.level_discounts]
            possible = (*now, *range(MOST_LEVEL_DISCOUNT_BPS + 1))
            found = next((each for each in possible if _is_priced(receipt, card, each)), None)
            if found is None:
                return [Check("prices", False, f"not as in price card {card.version}")]
            whose = "by the payer's level" if found in now else "which no level brings now"
            less = f", less {format_units(found, 2)} % {whose}" if found else ""
            return [Check("prices", True, f"as in price card {card.version}{less}")]
    return []


def _is_priced(receipt: Receipt, card: PriceCard, discount_bps: int) -> bool:
    rates, used = card.discounted_up(discount_bps).rates, quantities_of(receipt.lines)
    return used.keys() <= rates.keys() and bill_lines(used, rates) == receipt.lines


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
