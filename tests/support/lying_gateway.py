"""A gateway on a port that answers what it is told to: terms, receipts and calls as a liar would write them."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.support.bills import lines_of
from usufruct.chain import TokenFacts
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, AssetId, ChainId, Hash32
from usufruct.payments.pricing.receipts import Receipt, ReceiptDocument, sign_receipt
from usufruct.payments.pricing.usage import CountedBy
from usufruct.payments.settlement.operator_terms import operator_terms

CHAIN, TOKEN, TILL = ChainId(31337), Address("0x" + "70" * 20), Address("0x" + "71" * 20)
SIGNER = KeySigner(b"\x05" * 32)
TERMS = operator_terms(CHAIN, TILL, TokenFacts(TOKEN, "A Dollar", "AUD", 6, "1"), 100_000, SIGNER.address)
DELTAS = (
    {"reasoning_content": "Hm. ", "content": "We", "refusal": "?"},
    {"role": "assistant", "content": "ll\x1b[31m"},
)
CHANNEL, CALL = Hash32("0x" + "c1" * 32), Hash32("0x" + "ca" * 32)


def receipt(signer: KeySigner | None = None, **changes: object) -> dict[str, object]:
    """A receipt that is signed; `changes` are in it before that."""
    key = signer or SIGNER
    members = {
        "call": CALL,
        "account": CHANNEL,
        "token": TOKEN,
        "asset": AssetId(7),
        "price_card_version": 1,
        "model_digest": Hash32("0x" + "11" * 32),
        "request_hash": Hash32("0x" + "22" * 32),
        "response_hash": Hash32("0x" + "33" * 32),
        "lines": lines_of(30),
        "counted_by": CountedBy.UPSTREAM,
        "ceiling": 99,
        "amount": 30,
        "cumulative": 30,
        "time": 1_800_000_000,
    }
    signed = Receipt(**members | changes)
    return ReceiptDocument(signed, CHAIN, TILL, key.address, sign_receipt(signed, CHAIN, TILL, key)).as_json()


class LyingGateway:
    """`receipts`: what who asks for one gets. `lie` changes the receipt of a call, `spoil` once it is signed.

    `signer` signs it, `headers` go before an answer, `charge` is what the bill says, `saved` what a level took off,
    `cached` its details of the input; `cut` ends a stream in its midst.
    """

    url = ""

    def __init__(self) -> None:
        self.receipts: object = receipt()
        self.lie: dict[str, object] = {}
        self.spoil: dict[str, object] = {}
        self.signer = SIGNER
        self.headers = {"x-request-id": CALL}
        self.charge = 30
        self.cached: object = None
        self.saved = 0
        self.cut = False

    def answer(self, body: bytes) -> tuple[dict[str, object], dict[str, object]]:
        """What a call is answered with, and its receipt; of a stream, the event with the bill."""
        said = "Hm. We?ll\x1b[31m" if json.loads(body).get("stream") else "Well\x1b[31m"
        hashes = {"request_hash": hash_of(body), "response_hash": hash_of(said.encode()), "amount": self.charge}
        hashes["lines"] = lines_of(self.charge)
        details = {"charge": str(self.charge), "cost": "9", "ceiling": "99", "token": TOKEN, "decimals": 6}
        details |= {"flagged": False, "counted_by": "upstream", "reasoning_tokens": 0}
        if self.saved:
            details["saved"] = str(self.saved)
        usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 9.0, "cost_details": details}
        if self.cached is not None:
            usage["prompt_tokens_details"] = self.cached
        message = {"role": "assistant", "content": "Well\x1b[31m"}
        choices = [{"index": 0, "finish_reason": "stop", "message": message}]
        whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, "usage": usage}
        return whole, receipt(self.signer, **hashes | self.lie) | self.spoil

    def events(self, body: bytes) -> Iterator[bytes]:
        """The same, streamed."""
        whole, bill = self.answer(body)
        for delta in DELTAS:
            yield _event({**whole, "usage": None, "choices": [{"index": 0, "delta": delta}]})
        if not self.cut:
            yield _event({**whole, "choices": [], "usufruct": bill})
            yield b"data: [DONE]\n\n"


def hash_of(content: bytes) -> Hash32:
    """SHA-256, as receipts name what was asked and answered."""
    return Hash32("0x" + hashlib.sha256(content).hexdigest())


def _event(content: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(content).encode() + b"\n\n"


@contextmanager
def lying_gateway() -> Iterator[LyingGateway]:
    """Serve one while the block runs."""
    gateway = LyingGateway()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(TERMS.as_json() if self.path == "/v1/terms" else {"receipt": gateway.receipts}, {})

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["content-length"]))
            if json.loads(asked).get("stream"):
                body = b"".join(gateway.events(asked))
                length = len(body) + gateway.cut  # one byte never comes
                self._write(body, gateway.headers | {"content-type": "text/event-stream", "content-length": length})
                return
            said, bill = gateway.answer(asked)
            told = base64.b64encode(json.dumps(bill).encode()).decode()
            self._send(said, gateway.headers | {"x-usufruct-receipt": told})

        def _send(self, content: object, headers: dict[str, object]) -> None:
            body = json.dumps(content).encode()
            self._write(body, headers | {"content-type": "application/json", "content-length": len(body)})

        def _write(self, body: bytes, headers: dict[str, object]) -> None:
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        gateway.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield gateway
        finally:
            server.shutdown()
            thread.join()
