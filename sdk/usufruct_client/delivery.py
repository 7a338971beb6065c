"""A paid answer on its way to the caller: handed on as it comes, read along for the bill."""

import base64
import json
from collections.abc import Mapping

from usufruct_client.errors import BadAnswer
from usufruct_client.purse import Answered, Payment, Purse
from usufruct_client.receipt import Receipt, data_member, read_receipt
from usufruct_client.text import delta_text, output_text, text_hash

HELD_MOST = 1 << 20
"""`[DONE]` and what follows are held back until the end, so that the bill is known when a client stops reading."""


class EventReader:
    """Reads a stream of server-sent events, cut anywhere: its text, its bill, and whether it said it is done."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._text: list[str] = []
        self.done = False
        self.bill: object = None

    @property
    def text(self) -> str:
        """The text of all events so far."""
        return "".join(self._text)

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        lines = (self._rest + chunk).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            self._line(line.rstrip(b"\r\n"))

    def _line(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line and self._data:
            self._event(b"\n".join(self._data))
            self._data.clear()

    def _event(self, data: bytes) -> None:
        if data.startswith(b"[DONE]"):
            self.done = True
            return
        try:
            content = json.loads(data)
        except (ValueError, RecursionError):
            return
        if isinstance(content, dict):
            self._text.append(delta_text(content.get("choices")))
            self.bill = content.get("usufruct", self.bill)


class Delivery:
    """One paid answer; ends its call exactly once, with the charge or, if the end is not seen, with the ceiling."""

    def __init__(
        self, purse: Purse, payment: Payment, request_hash: str, headers: Mapping[str, str], charged: int | None
    ) -> None:
        """Read the answer to `payment` along; `charged` is what `PAYMENT-RESPONSE` says, None if it says nothing."""
        self._purse = purse
        self._payment = payment
        self._request_hash = request_hash
        self._headers = headers
        self._charged = charged
        self._stream = EventReader() if "text/event-stream" in headers.get("content-type", "") else None
        self._whole: list[bytes] = []
        self._held = b""
        self._open = True

    @property
    def done(self) -> bool:
        """Whether a stream has said that it is done."""
        return self._stream is not None and self._stream.done

    def feed(self, chunk: bytes) -> bytes:
        """Read a piece of the answer; return what to hand on now."""
        if self._stream is None:
            self._whole.append(chunk)
            return chunk
        self._stream.feed(chunk)
        if not self._stream.done:
            return chunk
        self._held += chunk
        return self._let_go() if len(self._held) > HELD_MOST else b""

    def end(self) -> bytes:
        """Settle at the end of the body; return what was held back."""
        if self._stream is not None:
            self._settle(self._stream.bill, self._stream.text)
        else:
            self._settle(self._in_header(), _said(b"".join(self._whole)))
        return self._let_go()

    def close(self) -> None:
        """Settle an answer that was not read to its end, with what is known; nothing if it has ended."""
        bill = self._stream.bill if self._stream is not None else self._in_header()
        self._settle(bill, None)

    def _settle(self, bill: object, text: str | None) -> None:
        if not self._open:
            return
        self._open = False
        complaints: list[str] = [] if self._charged is not None else ["the answer says nothing of what was charged"]
        receipt: Receipt | None = None
        try:
            receipt = read_receipt(bill) if bill is not None else None
        except BadAnswer as error:
            complaints.append(error.message)
        if receipt is None and not self._settled_without_bill(text, complaints):
            return
        replayed = self._headers.get("x-usufruct-replayed") == "true"
        charge = receipt.amount if receipt else self._charged or 0
        if receipt and self._stream is None and self._charged not in {None, charge}:
            complaints.append(f"PAYMENT-RESPONSE says {self._charged}, the receipt {charge}")
        response_hash = None if text is None else text_hash(text)
        answer = Answered(charge, receipt, self._request_hash, response_hash, replayed, tuple(complaints))
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

    def _in_header(self) -> object:
        header = self._headers.get("x-usufruct-receipt")
        if header is None:
            return None
        try:
            document: object = json.loads(base64.b64decode(header, validate=True))
        except (ValueError, RecursionError):
            return header  # no object: read_receipt says so
        return document

    def _let_go(self) -> bytes:
        held, self._held = self._held, b""
        return held


def _said(body: bytes) -> str:
    """Return what a whole answer's receipt hashes: its text, or an embedding's `data` as it stands."""
    try:
        text = body.decode()
        content = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(content, dict):
        return ""
    return data_member(text) if "choices" not in content else output_text(content["choices"])
