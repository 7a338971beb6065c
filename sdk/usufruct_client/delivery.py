"""A paid answer on its way to the caller: its end settles the call in the purse."""

from collections.abc import Mapping

from usufruct_client.answer import AnswerReader
from usufruct_client.errors import BadAnswer
from usufruct_client.purse import Answered, Payment, Purse
from usufruct_client.receipt import Receipt, read_receipt
from usufruct_client.text import text_hash


class Delivery(AnswerReader):
    """One paid answer; ends its call with the charge or, if the end is not seen, with the ceiling."""

    def __init__(
        self, purse: Purse, payment: Payment, request_hash: str, headers: Mapping[str, str], charged: int | None
    ) -> None:
        """Read the answer to `payment` along; `charged` is what `PAYMENT-RESPONSE` says, None if it says nothing."""
        super().__init__(headers)
        self._purse = purse
        self._payment = payment
        self._request_hash = request_hash
        self._charged = charged

    def ended(self, *, complete: bool) -> None:
        """Settle with what is known."""
        bill, text = self.bill, self.read_text() if complete else None
        complaints: list[str] = [] if self._charged is not None else ["the answer says nothing of what was charged"]
        receipt: Receipt | None = None
        try:
            receipt = read_receipt(bill) if bill is not None else None
        except BadAnswer as error:
            complaints.append(error.message)
        if receipt is None and not self._settled_without_bill(text, complaints):
            return
        charge = receipt.amount if receipt else self._charged or 0
        if receipt and self._stream is None and self._charged not in {None, charge}:
            complaints.append(f"PAYMENT-RESPONSE says {self._charged}, the receipt {charge}")
        response_hash = None if text is None else text_hash(text)
        answer = Answered(charge, receipt, self._request_hash, response_hash, self.replayed, tuple(complaints))
        self._purse.finish(self._payment, answer)

    def _settled_without_bill(self, text: str | None, complaints: list[str]) -> bool:
        """Say whether the charge is known without a receipt; if it is not, give the call up."""
        if self._stream is None and self._charged is not None:
            if self._charged > 0:
                complaints.append("the answer was charged, and has no receipt")
            return True
        if text is not None:
            complaints.append("the answer came to its end without a bill")
        self._purse.abandon(self._payment, "; ".join(complaints))
        return False
