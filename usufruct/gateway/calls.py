"""A call's money: let it in with its ceiling set aside, charge it once, or let it go uncharged."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace

from usufruct.accounts import Keys
from usufruct.core import Clock, Hash32, PaymentRequired, Unavailable, UsufructError, hash32
from usufruct.core.price_cards import PriceCard
from usufruct.core.process import unbroken
from usufruct.gateway.call import KeptAnswer, OpenCall, Order, Payer
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.disconnect_limit import DisconnectLimit
from usufruct.gateway.errors import InvalidRequest, ReceiptNotFound
from usufruct.gateway.metering import Budget
from usufruct.gateway.metrics import CallCounters
from usufruct.gateway.model import Endpoint
from usufruct.gateway.operator_profile import Operator
from usufruct.gateway.payers.bearer_key import BearerKeyPayer, BearerKeyPayments
from usufruct.gateway.payers.pass_grant import PassGrantPayer, PassGrantPayments
from usufruct.gateway.payers.x402 import X402Payments
from usufruct.gateway.request import Asked, dropped_header, read_chat, read_embeddings, read_model
from usufruct.gateway.signed_receipt import SignedReceipt, kept_receipt, receipt_signature, signed
from usufruct.gateway.token_counting import TokenCounterPool
from usufruct.payments.ledger import (
    AccountUnknown,
    Bill,
    Call,
    CallLost,
    CallUnknown,
    IdempotencyKey,
    Lease,
    Ledger,
    Replay,
)
from usufruct.payments.pricing import (
    Allowance,
    Measured,
    OverBudget,
    OverContext,
    charge_up,
    content_hash,
    price_lines,
)
from usufruct.store import DatabaseUnavailable
from usufruct.web import Exchange, json_object

FIRST_EPOCH = 1
"""Of a lease that `Ledger.open` gives."""

_LONGEST_IDEMPOTENCY_KEY = 255
_LOWERINGS = 2
_BYTES_PER_TOKEN = 64
_SPARE_BYTES = 65_536
_TRIES = 3
_PAUSE = 0.2

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Repeated:
    """A request that was answered before: the answer that was kept, and the receipt it had then."""

    kept: KeptAnswer
    receipt: SignedReceipt


class Calls:
    """Every call's way through the ledger."""

    def __init__(
        self,
        keys: Keys,
        catalogue: Catalogue,
        ledger: Ledger,
        operator: Operator,
        clock: Clock,
        counting: TokenCounterPool,
        wallets: X402Payments | None = None,
        passes: PassGrantPayments | None = None,
        counters: CallCounters | None = None,
    ) -> None:
        """Charge bearer keys, and `wallets` and `passes` if there are any, for the catalogue's assets."""
        self.counters = counters or CallCounters()
        self._holders = BearerKeyPayments(keys, operator.escrow)
        self._wallets = wallets
        self._passes = passes
        self._catalogue = catalogue
        self._ledger = ledger
        self._operator = operator
        self._clock = clock
        self._counting = counting
        self._abandonments = DisconnectLimit(clock)
        self._unreleased: dict[Lease, str] = {}

    async def open(self, exchange: Exchange, endpoint: Endpoint) -> OpenCall | Repeated:
        """Let a call in: its ceiling is set aside; or find the answer kept for it.

        The upstream may be asked at once; nothing may leave before `OpenCall.opened.durable`.

        Raises:
            UsufructError: every refusal; nothing was reserved or charged.
        """
        try:
            payer, held = await self._let_in(exchange, endpoint)
        except UsufructError as refusal:
            self.counters.refused(refusal.code)
            raise
        if isinstance(held, Replay):
            repeated = await self._repeated(held)
            receipt = repeated.receipt.receipt
            exchange.attach(payer.charge_headers(receipt.amount, receipt.cumulative))
            self.counters.replayed()
            return repeated
        exchange.attach(payer.charge_headers(0, held.promised - held.allowance.ceiling))
        return held

    async def _let_in(self, exchange: Exchange, endpoint: Endpoint) -> tuple[Payer, OpenCall | Replay]:
        payer = await self._payer(exchange)
        order = await self._order(exchange, endpoint, payer)
        try:
            return payer, await self._reserve(order, Hash32(exchange.call_id))
        except PaymentRequired as refusal:
            with suppress(OverBudget):
                exchange.attach(await payer.refused(order, refusal))
            raise

    async def meter(
        self, call: OpenCall, measured: Measured, response_hash: Hash32, answer: KeptAnswer
    ) -> SignedReceipt:
        """Charge a call; durable when this returns.

        Raises:
            CallLost: when the lease ended meanwhile; this attempt bills nothing.
            DatabaseUnavailable: when the ledger stays unreachable; the call will be released uncharged.
        """
        order, lease = call.order, call.lease
        lines = price_lines(measured.usage.quantities, order.card)
        charge = charge_up(lines, call.allowance.ceiling)
        bill = Bill(
            charge=charge,
            lines=lines,
            flagged=measured.flagged,
            model_digest=order.asset.model_digest,
            response_hash=response_hash,
            counted_by=measured.counted_by,
            reasoning_tokens=measured.reasoning_tokens,
        )
        kept = answer.packed() if order.idempotency else None
        metered = await self._metered(lease, bill, kept)
        self.counters.metered(order.asset.name, bill)
        if charge and order.payer.account is not None:
            self._abandonments.paid(order.payer.account)
        extra = {
            "call_id": lease.call,
            "payer": order.payer.name,
            "asset": order.asset.name,
            "input_tokens": measured.usage.input_tokens,
            "cached_input_tokens": measured.usage.cached_input_tokens,
            "output_tokens": measured.usage.output_tokens,
            "counted_by": measured.counted_by.value,
            "charge": charge,
            "ceiling": call.allowance.ceiling,
        }
        if measured.flagged:
            logger.warning("the upstream's usage was overruled", extra=extra)
        logger.info("metered", extra=extra)
        return signed(metered, self._operator)

    async def release(self, call: OpenCall, reason: str) -> None:
        """Let a call go uncharged: now, or by `tidy` when the database does not answer now."""
        self._unreleased[call.lease] = reason
        await self._release(call.lease, reason)

    async def abandon(self, call: OpenCall, reason: str) -> None:
        """Let a call go uncharged that its caller had made for nothing; too often, and they are given no more."""
        if call.order.payer.account is not None:
            self._abandonments.note(call.order.payer.account, stream=call.order.asked.stream)
        await self.release(call, reason)

    async def tidy(self) -> None:
        """Let go what could not be let go when it should: leases of a living process are renewed and never end."""
        for lease, reason in list(self._unreleased.items()):
            await self._release(lease, reason)

    async def _release(self, lease: Lease, reason: str) -> None:
        extra = {"call_id": lease.call, "reason": reason}
        try:
            await self._ledger.release(lease, reason)
        except DatabaseUnavailable:
            logger.exception("not released; will be tried again", extra=extra)
            return
        except (CallLost, CallUnknown) as ended:
            logger.warning("not released: %s", ended.message, extra=extra)
        else:
            self.counters.released(reason)
            logger.info("released", extra=extra)
        self._unreleased.pop(lease, None)

    async def receipt(self, exchange: Exchange, call_id: str) -> SignedReceipt:
        """Return a call's receipt: to its key's or grant's holder, or to whoever knows the call's id and shows none.

        Raises:
            ReceiptNotFound: when there is none, or it is another key's.
        """
        payer = await self._payer(exchange)
        call = await self._ledger.call(hash32(call_id, "receipt"))
        if call is None or (isinstance(payer, BearerKeyPayer | PassGrantPayer) and call.lease.account != payer.channel):
            raise ReceiptNotFound(f"{payer.name} has no call {call_id}", field="receipt")
        return await kept_receipt(call, self._operator)

    async def _repeated(self, replay: Replay) -> Repeated:
        call = await self._ledger.call(replay.call)
        if call is None:
            raise ReceiptNotFound(f"call {replay.call} is unknown", field="idempotency-key")
        return Repeated(KeptAnswer.unpacked(replay.answer), await kept_receipt(call, self._operator))

    async def _payer(self, exchange: Exchange) -> Payer:
        wallet = self._wallets and self._wallets.payer(exchange)
        return wallet or (self._passes and self._passes.payer(exchange)) or await self._holders.holder(exchange)

    async def _order(self, exchange: Exchange, endpoint: Endpoint, payer: Payer) -> Order:
        raw = await payer.body(exchange)
        content = json_object(raw)
        asset = await self._catalogue.find(read_model(content))
        payer.check_asset(asset)
        asset.check_open(endpoint)
        read = read_chat if endpoint is Endpoint.CHAT else read_embeddings
        asked = read(content, asset.counting.forward)
        if asked.dropped:
            exchange.attach([(b"x-usufruct-dropped", dropped_header(asked.dropped))])
        self._abandonments.check(payer.account, asked)
        card = asset.card(self._clock.now())
        asset.check_unit(card)
        _check_size(raw, card, asked)
        counter = await self._catalogue.counter(asset)
        request_hash = content_hash(raw)
        return Order(
            payer=payer,
            asset=asset,
            card=card,
            asked=asked,
            counter=counter,
            counted_input=await self._counting.count_input(counter, asset.counting, asked),
            budget=_budget(exchange),
            request_hash=request_hash,
            idempotency=_idempotency(exchange, payer, request_hash),
        )

    async def _reserve(self, order: Order, call: Hash32) -> OpenCall | Replay:
        """Set the ceiling aside; a payer who left the output open gets less of it before they get nothing."""
        try:
            card = order.payer.card(order)
            if card is not order.card:
                order = replace(order, card=card)
            allowance = order.payer.allowance(order)
            for left in reversed(range(_LOWERINGS + 1)):
                try:
                    return await self._held(order, allowance, call)
                except PaymentRequired as refusal:
                    lowered = order.payer.lowered(order, allowance, refusal)
                    if lowered is None or not left:
                        raise
                    allowance = lowered
        except (PaymentRequired, Unavailable):  # a call that was answered costs nothing again, whatever is wrong now
            kept = await self._kept(order, call)
            if kept is None:
                raise
            return kept
        raise AssertionError

    async def _held(self, order: Order, allowance: Allowance, call: Hash32) -> OpenCall | Replay:
        reservation = await order.payer.reservation(order, allowance, call)
        try:
            held = await self._ledger.open(reservation)
        except (DatabaseUnavailable, asyncio.CancelledError):
            self._unreleased[Lease(reservation.call, reservation.account, FIRST_EPOCH)] = "unknown"
            raise
        if isinstance(held, Replay):
            return held
        return OpenCall(order, allowance, held)

    async def _kept(self, order: Order, call: Hash32) -> Replay | None:
        """Return the answer kept for this payer and request, if there is one."""
        asked = await order.payer.repetition(order, call) if order.idempotency else None
        try:
            return await self._ledger.replay(asked) if asked else None
        except AccountUnknown:
            return None

    def _sign(self, call: Call) -> bytes:
        """Sign a metered call's receipt, once: the ledger keeps the signature."""
        return receipt_signature(call, self._operator)

    async def _metered(self, lease: Lease, bill: Bill, kept: bytes | None) -> Call:
        """Meter, again when the database did not answer: the ledger counts it once."""
        for left in reversed(range(_TRIES)):
            try:
                return await unbroken(self._ledger.meter(lease, bill, kept, self._sign))
            except DatabaseUnavailable:
                if not left:
                    raise
                await unbroken(asyncio.sleep(_PAUSE))
        raise AssertionError


def _check_size(raw: bytes, card: PriceCard, asked: Asked) -> None:
    """Refuse, before the work of counting, what no vocabulary could fit into the context window."""
    windows = asked.messages if asked.wanted_output == 0 else 1  # inputs of embeddings are read one by one
    most = _SPARE_BYTES + card.context_window * _BYTES_PER_TOKEN * windows
    if len(raw) > most:
        raise OverContext(
            f"the request has {len(raw)} bytes, more than a context window of {card.context_window} text tokens holds",
            bytes=len(raw),
            context_window=card.context_window,
        )


def _budget(exchange: Exchange) -> Budget:
    limit = exchange.header(b"x-usufruct-limit")
    if not limit:
        return Budget()
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 39):
        raise InvalidRequest("x-usufruct-limit must be a whole number of atomic units", field="x-usufruct-limit")
    return Budget(int(limit), own_limit=True)


def _idempotency(exchange: Exchange, payer: Payer, request_hash: Hash32) -> IdempotencyKey | None:
    key = exchange.header(b"idempotency-key") or payer.identifier
    if not key:
        return None
    if not (key.isascii() and key.isprintable() and len(key) <= _LONGEST_IDEMPOTENCY_KEY):
        raise InvalidRequest(
            f"idempotency-key must be at most {_LONGEST_IDEMPOTENCY_KEY} printable ASCII characters",
            field="idempotency-key",
        )
    return IdempotencyKey(content_hash(f"{payer.scope}/{key}".encode()) if payer.scope else key, request_hash)
