"""A small honest gateway that speaks docs/protocol/x402.md over HTTP, checks payments with x402's own code, and can be
told to misbehave in one way at a time."""

import asyncio
import base64
import hashlib
import json
import secrets
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from eth_account import Account
from eth_account.messages import encode_typed_data
from x402.http.utils import decode_payment_signature_header
from x402.mechanisms.evm.batch_settlement.constants import (
    ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
    RECEIVE_AUTHORIZATION_TYPES,
    VOUCHER_TYPES,
)
from x402.mechanisms.evm.batch_settlement.encoding import build_erc3009_deposit_nonce
from x402.mechanisms.evm.batch_settlement.types import ChannelConfig
from x402.mechanisms.evm.batch_settlement.utils import (
    coerce_bytes32,
    compute_channel_id,
    get_batch_settlement_eip712_domain,
)

from tests.support.bills import lines_of
from usufruct import web
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, AssetId, ChainId, Clock, Hash32
from usufruct.payments.pricing.receipts import Receipt, ReceiptDocument, sign_receipt
from usufruct.payments.pricing.usage import CountedBy
from usufruct.payments.x402 import OfferSigner
from usufruct_client.bill_lines import INPUT_TEXT_TOKEN, OUTPUT_TEXT_TOKEN, Line, bill_lines
from usufruct_client.price_card import PriceCard
from usufruct_client.wire_types import read_answer

NETWORK, CHAIN = "eip155:31337", 31337
TOKEN, TILL = "0x" + "70" * 20, "0x" + "71" * 20
OPERATOR = KeySigner(b"\x05" * 32)
PREFIX = "invalid_batch_settlement_evm_"
ANSWER = "To be or not to be"


@dataclass
class Books:
    balance: int = 0
    charged: int = 0
    reserved: int = 0
    best: tuple[int, str] = (0, "")
    vouchers: list[int] = field(default_factory=list)
    deposits: dict[str, int] = field(default_factory=dict)

    @property
    def next(self) -> int:
        return self.charged + self.reserved

    def reserve(self, amount: int) -> ExitStack:
        """Reserve an amount until the result is closed: by the bill, before the caller has it, or with the call."""
        self.reserved += amount
        stack = ExitStack()
        stack.callback(self._release, amount)
        return stack

    def _release(self, amount: int) -> None:
        self.reserved -= amount


class Refusal(Exception):
    def __init__(self, code: str, status: int = 402, corrective: bool = False, transaction: str = "") -> None:
        self.code, self.status, self.corrective, self.transaction = code, status, corrective, transaction


class FakeGateway:
    """`ceiling`: of every call; a request's `seed` is its charge. The rest are ways to misbehave."""

    def __init__(self) -> None:
        self.ceiling = 100
        self.min_deposit = 500
        self.channels: dict[str, Books] = {}
        self.requests: list[dict] = []
        self.running = self.most_running = 0
        self.together = 0  # so many calls have to run before any is answered
        self.deposits_first = 0  # calls that bring no deposit are answered after so many
        self.held = False  # no call is answered while this is so
        self.overtaken: dict[int, int] = {}  # a voucher for so much comes in after so many others
        self.pending_times = 0
        self.stale_times = 0
        self.after_deposit = 0  # charged by another call between a deposit and the reservation
        self.refuse = ""
        self.overcharge = 0
        self.price_card: dict = {}
        self.billed_by: dict = {}
        self.counted_by = CountedBy.UPSTREAM
        self.terms: dict = {}
        self.spoil_receipt: dict = {}
        self.signer = OPERATOR
        self.offers = False  # sign x402's offers and receipts
        self.named_url = ""  # the address of what is sold; that which was called, unless a test names another
        self.spoil_offer: dict = {}
        self.spoil_delivery: dict = {}
        self.offer_signer = OPERATOR
        self.offer_seconds = 300
        self.channel_state: dict = {}
        self.voucher_state: dict = {}
        self.raw_status = 0
        self.silent = False
        self.hang = False

    # --- HTTP

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        self.requests.append(headers)
        self.named_url = self.named_url or f"http://{headers['host']}{scope['path']}"
        try:
            await self._answer(scope["method"], headers, body, receive, send)
        except Refusal as refusal:
            await self._refuse(refusal, headers, body, scope["method"], send)

    async def _answer(self, method, headers, body, receive, send) -> None:
        if "payment-signature" not in headers:
            raise Refusal("payment_required")
        if self.raw_status:
            await _whole(send, self.raw_status, b"bad gateway", {"content-type": "text/plain"})
            return
        payment = decode_payment_signature_header(headers["payment-signature"])
        channel = self._verified(payment)
        books = self.channels.setdefault(channel, Books())
        if payment.payload["type"] == "refund":
            await self._give_back(books, payment, send)
            return
        if self.stale_times:
            self.stale_times -= 1
            raise Refusal("stale_quote")
        if self.refuse:
            raise Refusal(self.refuse)
        claim = int(payment.payload["voucher"]["maxClaimableAmount"])
        while len(books.vouchers) < self.overtaken.get(claim, 0):
            await asyncio.sleep(0.005)
        transaction = await self._deposit(books, channel, payment)
        if self.after_deposit:
            books.charged, self.after_deposit = books.charged + self.after_deposit, 0
            books.best = max(books.best, (claim, payment.payload["voucher"]["signature"]))
            raise Refusal("cumulative_amount_mismatch", corrective=True, transaction=transaction)
        self._cover(books, claim)
        books.vouchers.append(claim)
        books.best = max(books.best, (claim, payment.payload["voucher"]["signature"]))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        request_hash = hashlib.sha256(body).hexdigest()
        try:
            with books.reserve(self.ceiling) as reserved:
                payer = payment.payload["channelConfig"]["payer"]
                paid = channel, payer, books, reserved, transaction
                await self._serve(json.loads(body), request_hash, *paid, receive, send)
        finally:
            self.running -= 1

    async def _serve(self, asked, request_hash, channel, payer, books, reserved, transaction, receive, send) -> None:
        while self._holds(books, transaction):
            await asyncio.sleep(0.005)
        charge = min(self.ceiling, asked.get("seed", 40)) + self.overcharge
        response = {"success": True, "transaction": transaction, "network": NETWORK, "payer": "0x" + "00" * 20}
        extensions = self._delivered(payer)

        def told(amount: int) -> dict:
            extra = {**response, "amount": "", "extra": {"chargedAmount": str(amount)}}
            extra |= {"extensions": extensions} if extensions and not asked.get("stream") else {}
            return {} if self.silent else {"payment-response": _base64(extra)}

        if asked.get("fail"):
            error = {"error": {"message": "no", "code": "upstream_down"}}
            await _whole(send, 503, json.dumps(error).encode(), told(0) | {"content-type": "application/json"})
            return
        if asked.get("stream"):
            headers = told(self.ceiling)
            paid = channel, books, reserved, charge
            await self._stream(asked, request_hash, *paid, headers, extensions, receive, send)
            return
        if "input" in asked:
            content = {"object": "list", "data": [{"embedding": [0.1, 0.25], "index": 0}], "model": "m"}
            said = json.dumps(content["data"])
        else:
            content = {
                "id": "c",
                "object": "chat.completion",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}],
            }
            said = ANSWER
        receipt = self._receipt(channel, books, reserved, charge, request_hash, said)
        headers = told(charge) | {"content-type": "application/json", "x-usufruct-receipt": _base64(receipt)}
        await _whole(send, 200, json.dumps(content).encode(), headers)

    def _holds(self, books: Books, transaction: str) -> bool:
        few = not transaction and len(books.deposits) < self.deposits_first
        return few or self.held or self.most_running < self.together

    async def _stream(
        self, asked, request_hash, channel, books, reserved, charge, headers, extensions, receive, send
    ) -> None:
        await _start(send, 200, headers | {"content-type": "text/event-stream; charset=utf-8"})

        def chunk(**members) -> bytes:
            base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
            return b"data: " + json.dumps(base | members).encode() + b"\n\n"

        for word in ANSWER.split(" "):
            text = word if word == "To" else " " + word
            piece = chunk(choices=[{"index": 0, "delta": {"content": text}}])
            await send({"type": "http.response.body", "body": piece[:9], "more_body": True})
            await send({"type": "http.response.body", "body": piece[9:], "more_body": True})
        if self.hang:
            await receive()  # until the caller hangs up
            self._receipt(channel, books, reserved, charge, request_hash, ANSWER)
            return
        receipt = self._receipt(channel, books, reserved, charge, request_hash, ANSWER)
        more = {"extensions": extensions} if extensions else {}
        bill = chunk(usufruct=receipt, usage={"prompt_tokens": 1}, **more)
        done = b"data: [DONE]\n\n"
        asked_usage = (asked.get("stream_options") or {}).get("include_usage")
        for piece in (bill, done) if asked_usage else (done, bill):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0.15)  # longer than OpenAI's client listens after [DONE]
        await send({"type": "http.response.body", "body": b""})

    async def _give_back(self, books: Books, payment, send) -> None:
        free = books.balance - books.next
        amount = int(payment.payload.get("amount") or free)
        if not 0 < amount <= free:
            raise Refusal("nothing_to_refund")
        books.balance -= amount
        response = {"success": True, "transaction": "0x" + "ab" * 32, "network": NETWORK, "amount": str(amount)}
        await _whole(send, 200, b"{}", {"payment-response": _base64(response)})

    async def _refuse(self, refusal: Refusal, headers, body, method, send) -> None:
        error = {"error": {"message": refusal.code, "code": refusal.code, "type": "payment"}}
        extra = {}
        if refusal.status == 402:
            extra = {"payment-required": _base64(self.required(method, refusal, headers))}
        if refusal.transaction:
            told = {"success": True, "transaction": refusal.transaction, "network": NETWORK, "amount": "1000"}
            extra["payment-response"] = _base64({**told, "extra": {"chargedAmount": "0"}})
        await _whole(send, refusal.status, json.dumps(error).encode(), {"content-type": "application/json"} | extra)

    # --- rules

    def required(self, method: str, refusal: Refusal, headers: dict) -> dict:
        extra = {
            "receiverAuthorizer": TILL,
            "withdrawDelay": 86400,
            "name": "Test Dollar",
            "version": "1",
            "assetTransferMethod": "eip3009",
            "minDeposit": str(self.min_deposit),
            "quote": "1.64.1800000300.00",
        }
        if self.price_card:
            extra["priceCard"] = self.price_card
        if refusal.corrective:
            payment = decode_payment_signature_header(headers["payment-signature"])
            channel = payment.payload["voucher"]["channelId"]
            books = self.channels[channel]
            state = {"channelId": channel, "balance": str(books.balance), "chargedCumulativeAmount": str(books.next)}
            extra["channelState"] = {**state, "totalClaimed": "0", "refundNonce": "0", **self.channel_state}
            if books.best[0] or self.voucher_state:
                best = {"signedMaxClaimable": str(books.best[0]), "signature": books.best[1]}
                extra["voucherState"] = best | self.voucher_state
        entry = {
            "scheme": "batch-settlement",
            "network": NETWORK,
            "amount": "0" if method == "GET" else str(self.ceiling),
            "asset": TOKEN,
            "payTo": TILL,
            "maxTimeoutSeconds": 300,
            "extra": extra,
        }
        error = PREFIX + refusal.code if refusal.corrective else refusal.code
        entry |= self.terms
        required = {"x402Version": 2, "error": error, "resource": {"url": self.named_url}, "accepts": [entry]}
        return required | {"extensions": self._offered(entry)}

    def _offered(self, entry: dict) -> dict:
        if not self.offers:
            return {}
        until = int(time.time()) + self.offer_seconds
        extension = OfferSigner(self.offer_signer, Clock(), 10**6).offers(self.named_url, entry, until)
        offer = extension["info"]["offers"][0]
        offer["payload"] |= self.spoil_offer
        return {"offer-receipt": extension}

    def _delivered(self, payer: str) -> dict:
        if not self.offers:
            return {}
        signer = OfferSigner(self.offer_signer, Clock(), 0)
        extension = signer.receipt(self.named_url, NETWORK, Address(payer.lower()), int(time.time()))
        extension["info"]["receipt"]["payload"] |= self.spoil_delivery
        return {"offer-receipt": extension}

    def _verified(self, payment) -> str:
        """Check as x402 does: the channel id and the payer authorizer's signature."""
        config = ChannelConfig.from_dict(payment.payload["channelConfig"])
        voucher = payment.payload["voucher"]
        channel = compute_channel_id(config, CHAIN)
        if channel != voucher["channelId"]:
            raise Refusal("invalid_voucher")
        message = {"channelId": coerce_bytes32(channel), "maxClaimableAmount": int(voucher["maxClaimableAmount"])}
        signable = encode_typed_data(get_batch_settlement_eip712_domain(CHAIN), VOUCHER_TYPES, message)
        if Account.recover_message(signable, signature=voucher["signature"]) != config.payer_authorizer:
            raise Refusal("wrong_signer")
        return channel

    async def _deposit(self, books: Books, channel: str, payment) -> str:
        deposit = payment.payload.get("deposit")
        if deposit is None:
            return ""
        if self.pending_times:
            self.pending_times -= 1
            raise Refusal("deposit_pending", status=503)
        signed = deposit["authorization"]["erc3009Authorization"]
        amount, payer = int(deposit["amount"]), payment.payload["channelConfig"]["payer"]
        if amount < self.min_deposit:
            raise Refusal("deposit_below_minimum")
        domain = {"name": "Test Dollar", "version": "1", "chainId": CHAIN, "verifyingContract": TOKEN}
        message = {
            "from": payer,
            "to": ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
            "value": amount,
            "validAfter": int(signed["validAfter"]),
            "validBefore": int(signed["validBefore"]),
            "nonce": coerce_bytes32(build_erc3009_deposit_nonce(channel, signed["salt"])),
        }
        signable = encode_typed_data(domain, RECEIVE_AUTHORIZATION_TYPES, message)
        if Account.recover_message(signable, signature=signed["signature"]) != payer:
            raise Refusal("deposit_refused")
        if signed["salt"] not in books.deposits:
            books.deposits[signed["salt"]] = amount
            books.balance += amount
        return "0x" + "cd" * 32

    def _cover(self, books: Books, claim: int) -> None:
        if claim < books.next + self.ceiling:
            raise Refusal("cumulative_amount_mismatch", corrective=True)
        if claim > books.balance:
            missing = not books.deposits
            raise Refusal("channel_not_found") if missing else Refusal("cumulative_exceeds_balance", corrective=True)

    def _lines(self, charge: int) -> tuple[Line, ...]:
        if not self.billed_by:
            return lines_of(charge)
        rates = read_answer(PriceCard, self.billed_by).rates
        return bill_lines({INPUT_TEXT_TOKEN: 1, OUTPUT_TEXT_TOKEN: 2}, rates)

    def _receipt(
        self, channel: str, books: Books, reserved: ExitStack, charge: int, request_hash: str, said: str
    ) -> dict:
        books.charged += charge
        reserved.close()
        receipt = Receipt(
            call=Hash32("0x" + secrets.token_hex(32)),
            account=Hash32(channel),
            token=Address(TOKEN),
            asset=AssetId(7),
            price_card_version=1,
            model_digest=Hash32("0x" + "11" * 32),
            request_hash=Hash32("0x" + request_hash),
            response_hash=Hash32("0x" + hashlib.sha256(said.encode()).hexdigest()),
            lines=self._lines(charge),
            counted_by=self.counted_by,
            ceiling=self.ceiling,
            amount=charge,
            cumulative=books.charged,
            time=1_800_000_000,
        )
        signature = sign_receipt(receipt, ChainId(CHAIN), Address(TILL), self.signer)
        document = ReceiptDocument(receipt, ChainId(CHAIN), Address(TILL), self.signer.address, signature)
        return {**document.as_json(), **self.spoil_receipt}


class Server:
    """Serves an ASGI app on a free port, on a thread."""

    def __init__(self, app) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = web.Server(app, web.ServerLimits(drain_seconds=1), lifespan="off")
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


def _base64(document: dict) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


async def _start(send, status: int, headers: dict) -> None:
    pairs = [(k.encode(), v.encode()) for k, v in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


async def _whole(send, status: int, body: bytes, headers: dict) -> None:
    await _start(send, status, headers)
    await send({"type": "http.response.body", "body": body})
