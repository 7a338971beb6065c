"""The purse: decides what is signed, and knows at every moment what was promised, to whom and for what.

It does no input or output but to its store, and may be used by many threads and tasks at once.
"""

import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from usufruct_client.channel import Channel, Pending
from usufruct_client.clock import wall_seconds
from usufruct_client.errors import Mistrusted, OverBudget, RefundRefused
from usufruct_client.offer_checks import check_offers, receipt_faults
from usufruct_client.offer_receipt import DeliveryReceipt, Evidence, PaymentOffer
from usufruct_client.price_card import PriceCard
from usufruct_client.receipt import Agreed, Dispute, Receipt, faults
from usufruct_client.signing import Deposit, channel_id, random_salt, voucher_signer
from usufruct_client.spending_rules import Rules
from usufruct_client.store import Books, Store
from usufruct_client.wallet import Wallet
from usufruct_client.x402 import PaymentPayload, PaymentRequired, Requirements

log = logging.getLogger("usufruct_client")


@dataclass(frozen=True, slots=True)
class Payment:
    """What was signed for one call: `header` is the `PAYMENT-SIGNATURE`, `offer` the server's signed offer, if any."""

    slot: str
    channel: str
    ceiling: int
    max_claimable: int
    deposit: Deposit | None
    header: str
    price_card: PriceCard | None = None
    offer: PaymentOffer | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """How a call ended: the charge the gateway names, the receipt it shows, and the hashes of what we sent and read.

    `response_hash` is None when the answer was not read to its end. `replayed`: the answer was given before. `delivery`
    is x402's receipt, beside the gateway's own.
    """

    charge: int
    receipt: Receipt | None
    request_hash: str
    response_hash: str | None
    replayed: bool = False
    complaints: tuple[str, ...] = ()
    delivery: DeliveryReceipt | None = None


class Purse:
    """One wallet's channels under one set of rules."""

    def __init__(
        self, wallet: Wallet, rules: Rules, store: Store | None = None, clock: Callable[[], int] = wall_seconds
    ) -> None:
        """Spend from `wallet` as `rules` allow; remember in `store`, or only until the process ends."""
        self._wallet = wallet
        self.rules = rules
        self._store = store or Store()
        self._clock = clock

    @property
    def staker(self) -> str | None:
        """The account whose staking level lowers prices: the wallet's, unless another key signs its vouchers."""
        wallet = self._wallet
        return wallet.address if wallet.address == wallet.authorizer else None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All channels in the store."""
        with self._store.transaction() as books:
            return books.channels()

    @property
    def disputes(self) -> tuple[Dispute, ...]:
        """What gateways did that was not agreed, oldest first."""
        with self._store.transaction() as books:
            return books.disputes()

    def receipts(self, channel: str) -> tuple[Receipt, ...]:
        """Return a channel's verified receipts, in the order in which they tile its spending."""
        with self._store.transaction() as books:
            return books.receipts(channel)

    def evidence(self, channel: str) -> tuple[Evidence, ...]:
        """Return x402's signed offers and receipts of a channel's calls, oldest first."""
        with self._store.transaction() as books:
            return books.evidence(channel)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def check_offer(self, required: PaymentRequired) -> PaymentOffer | None:
        """Return the server's signed offer of what a 402 asks for; None when it has none.

        Raises:
            OfferMismatch: when it contradicts the 402, has ended, or is not by one of the rules' receipt signers.
        """
        entry, signers = required.requirements.raw, self.rules.receipt_signers
        return check_offers(required.offers, entry, required.url, signers, self._clock())

    def reserve(
        self, origin: str, terms: Requirements, *, share: bool = False, offer: PaymentOffer | None = None
    ) -> Payment | None:
        """Set a call's ceiling aside and sign its payment; None while another call's deposit has to arrive first.

        Vouchers are signed in the order in which ceilings are set aside, each covering those before it. `share`: send
        the other call's deposit along, if it is enough for both; it is made once. `offer` is kept with the payment.

        Raises:
            Refused: when the rules do not allow it; nothing is signed then.
        """
        now = self._clock()
        with self._store.transaction() as books:
            channel = self._channel(books, origin, terms).tidied(now)
            total = channel.promised + terms.amount
            deposit = None
            if total > channel.balance and (channel.slots or total - channel.doubtful > channel.balance):
                needed = total - channel.balance
                deposit = channel.waiting(needed, now)
                if channel.pending and channel.pending.slot and not (share and deposit):
                    return None
                deposit = deposit or self._deposit(books, channel, terms, needed, now)
            claim = total if deposit else min(total, channel.balance)
            return replace(self._sign(books, channel, terms, claim, deposit, now), offer=offer)

    def taken(self, payment: Payment, *, made: bool = True) -> None:
        """Note that the gateway took the payment: its deposit is in the channel.

        `made`: it names the deposit's transaction. If it names none, an earlier deposit was enough, unless ours is it.
        """
        with self._store.transaction() as books:
            channel = self._of(books, payment)
            if channel.pending is None or channel.pending.deposit != payment.deposit:
                return
            if made or channel.pending.unsure:
                books.keep(channel.arrived())
                return
            covered = replace(channel, balance=max(channel.balance, payment.max_claimable))
            books.keep(covered.not_arrived(payment.slot, unsure=True))

    def finish(self, payment: Payment, answer: Answered) -> None:
        """End a call that was answered; what was not agreed becomes a dispute, and the answer stands."""
        with self._store.transaction() as books:
            channel = self._of(books, payment)
            known = books.receipt(answer.receipt.call) if answer.receipt else None
            complaints = [*answer.complaints, *self._complaints(books, channel, payment, answer, known)]
            again = answer.replayed and known is not None
            channel = channel.ended(payment.slot, 0 if again else min(answer.charge, payment.ceiling))
            if answer.receipt and not complaints:
                books.keep_receipt(answer.receipt)
                channel = replace(channel, receipt_signer=channel.receipt_signer or answer.receipt.signer)
            books.keep(channel)
            call = answer.receipt.call if answer.receipt else ""
            doubts = self._doubts(channel, payment, answer)
            if not again:
                _keep_evidence(books, payment, call, answer.delivery)
            self._dispute(books, payment, call, [*complaints, *doubts])

    def abandon(self, payment: Payment, complaint: str = "") -> None:
        """Give up a call whose end was not seen: its ceiling counts as charged until the gateway names less."""
        with self._store.transaction() as books:
            books.keep(self._of(books, payment).abandoned(payment.slot))
            _keep_evidence(books, payment)
            self._dispute(books, payment, "", [complaint] if complaint else [])

    def release(self, payment: Payment, *, unsure: bool = False, spoilt: bool = False) -> None:
        """End a call that was not taken: nothing was charged.

        Its deposit goes with the next call; `unsure`: it was sent, and may have been made; `spoilt`: so it was, but it
        is of no use.
        """
        with self._store.transaction() as books:
            channel = self._of(books, payment).not_arrived(payment.slot, unsure=unsure, spoilt=spoilt)
            books.keep(channel.ended(payment.slot, 0))

    def correct(self, payment: Payment, terms: Requirements) -> None:
        """Take over a gateway's numbers after checking that we signed for them.

        Raises:
            Mistrusted: when it asks for more than was ever signed, or the signature it shows is not ours.
        """
        if terms.channel_state is None:
            return
        told = terms.channel_state
        with self._store.transaction() as books:
            channel = self._of(books, payment)
            signed = self._proven(channel, terms)
            if told.charged > signed:
                raise Mistrusted(
                    f"the gateway asks for more than was ever signed: {told.charged} of {signed}",
                    asked=told.charged,
                    signed=signed,
                )
            slot = channel.slots.get(payment.slot)
            if (slot and slot.alone) or payment.max_claimable > told.balance:  # or it may be older than what we know
                channel = replace(channel, balance=told.balance)
            channel = channel.corrected(payment.slot, told.charged)
            books.keep(replace(channel, signed=max(channel.signed, signed)))

    def empty(self, payment: Payment) -> None:
        """Note that the gateway knows of no deposit in the channel."""
        with self._store.transaction() as books:
            books.keep(replace(self._of(books, payment), balance=0))

    def ask_back(self, origin: str, terms: Requirements, amount: int | None) -> tuple[str, str]:
        """Sign a request for money back, all that is free or `amount`; return the channel and the header.

        Raises:
            RefundRefused: when the channel is unknown or empty.
        """
        with self._store.transaction() as books:
            channel = self._channel(books, origin, terms)
            free = channel.balance - channel.promised + channel.doubtful
            if free <= 0 or (amount is not None and not 0 < amount <= free):
                raise RefundRefused(
                    f"{max(0, free)} is free in the channel to {terms.operator}: ask for that or less", free=free
                )
            voucher = self._wallet.voucher(channel.id, min(channel.charged, channel.signed), channel.chain_id)
            return channel.id, PaymentPayload("refund", channel.config, voucher, amount=amount).header(terms)

    def refunded(self, channel: str, amount: int) -> None:
        """Note that money came back."""
        with self._store.transaction() as books:
            if kept := books.channel(channel):
                books.keep(kept.refunded(min(amount, kept.balance)))

    def _channel(self, books: Books, origin: str, terms: Requirements) -> Channel:
        known = books.channels()
        self.rules.check(terms, (each for each in known if each.origin == origin))
        config = self._wallet.config(terms, books.salt(f"{self._wallet.address} {origin}", random_salt()))
        name = channel_id(config, terms.chain_id)
        fresh = Channel(id=name, origin=origin, chain_id=terms.chain_id, config=config)
        return next((each for each in known if each.id == name), fresh)

    def _deposit(self, books: Books, channel: Channel, terms: Requirements, needed: int, now: int) -> Deposit:
        exposed = channel.exposed(now) + sum(each.exposed(now) for each in _others(books, channel))
        room = self.rules.budget - exposed
        amount = self.rules.deposit(needed, terms.amount, terms.min_deposit, room)
        return self._wallet.deposit(channel.id, terms, amount, now + terms.timeout_seconds)

    def _sign(
        self, books: Books, channel: Channel, terms: Requirements, claim: int, deposit: Deposit | None, now: int
    ) -> Payment:
        """Sign a voucher over `claim`, and keep what was signed before it can leave."""
        promised = max(channel.signed, claim) + sum(each.signed for each in _others(books, channel))
        if promised > self.rules.budget:
            raise OverBudget(
                f"this call would bring what was promised to {promised}, over the budget of {self.rules.budget}: "
                "to go on, connect with a larger budget=..., or wait until open calls have ended. It counts the "
                "highest voucher of every channel in this store",
                needed=promised,
                budget=self.rules.budget,
            )
        name = secrets.token_hex(16)
        voucher = self._wallet.voucher(channel.id, claim, channel.chain_id)
        if claim > channel.signed:
            channel = replace(channel, signed=claim)
        if deposit:
            channel = channel.carrying(Pending(deposit, slot=name), now)
        books.keep(channel.opened(name, terms.amount, now))
        signed = deposit.document() if deposit else None
        payload = PaymentPayload("deposit" if signed else "voucher", channel.config, voucher, signed)
        header = payload.header(terms)
        return Payment(name, channel.id, terms.amount, claim, deposit, header, terms.price_card)

    def _of(self, books: Books, payment: Payment) -> Channel:
        channel = books.channel(payment.channel)
        if channel is None:
            raise Mistrusted(f"channel {payment.channel} is not in the store any more; was the file replaced?")
        return channel

    def _proven(self, channel: Channel, terms: Requirements) -> int:
        """Return the total that the gateway proves we signed.

        Raises:
            Mistrusted: when it shows another channel, or a signature that is not ours.
        """
        if terms.channel_state and terms.channel_state.channel != channel.id:
            raise Mistrusted(f"the gateway's numbers are of channel {terms.channel_state.channel}, not {channel.id}")
        shown = terms.voucher_state
        if shown is None:
            return 0
        signer = voucher_signer(channel.id, shown.signed, channel.chain_id, shown.signature)
        if signer != channel.config.payer_authorizer:
            raise Mistrusted(
                f"the gateway shows a voucher of {shown.signed} that {channel.config.payer_authorizer} did not sign",
                amount=shown.signed,
            )
        return shown.signed

    def _complaints(
        self, books: Books, channel: Channel, payment: Payment, answer: Answered, known: Receipt | None
    ) -> list[str]:
        receipt = answer.receipt
        if receipt is None:
            above = answer.charge > payment.ceiling
            return [f"charged {answer.charge}, above the ceiling of {payment.ceiling}"] if above else []
        agreed = Agreed(
            account=channel.id,
            chain_id=channel.chain_id,
            till=channel.config.receiver,
            token=channel.config.token,
            request_hash=answer.request_hash,
            response_hash=answer.response_hash,
            ceiling=payment.ceiling,
            signed=channel.signed,
            price_card=None if answer.replayed else payment.price_card,  # an older answer has an older card
            signers=self._signers(channel),
        )
        found = list(faults(receipt, agreed))
        if known is not None and (known != receipt or not answer.replayed):
            found.append("the receipt names a call that another receipt was given for")
        if other := books.overlapping(receipt):
            found.append(f"the receipt charges units that call {other} was charged for")
        return found

    def _doubts(self, channel: Channel, payment: Payment, answer: Answered) -> list[str]:
        """Return what is wrong with x402's offer and receipt; the gateway's own receipt does not depend on them."""
        found = []
        if answer.delivery:
            now = None if answer.replayed else self._clock()
            network = f"eip155:{channel.chain_id}"
            payer, origin = channel.config.payer, channel.origin
            found = receipt_faults(answer.delivery, payment.offer, network, payer, origin, now)
        allowed = self._signers(channel) or frozenset({answer.receipt.signer} if answer.receipt else ())
        for name, signed in (("offer", payment.offer), ("receipt", answer.delivery)):
            signer = signed and signed.signed_by()
            if signed and (signer is None or (allowed and signer not in allowed)):
                found.append(f"the x402 {name} is signed by {signer or 'no key'}, not by the operator's receipt key")
        return found

    def _signers(self, channel: Channel) -> frozenset[str]:
        """Return the keys that may sign for a channel: those of the rules, or the first one seen; empty: any."""
        if self.rules.receipt_signers is None:
            return frozenset({channel.receipt_signer} - {""})
        return frozenset(each.lower() for each in self.rules.receipt_signers)

    def _dispute(self, books: Books, payment: Payment, call: str, complaints: Iterable[str]) -> None:
        for what in complaints:
            books.keep_dispute(Dispute(payment.channel, call, what, self._clock()))
            log.warning("dispute: %s (channel %s, call %s)", what, payment.channel, call or "unknown")


def _keep_evidence(books: Books, payment: Payment, call: str = "", receipt: DeliveryReceipt | None = None) -> None:
    if payment.offer or receipt:
        books.keep_evidence(payment.slot, payment.channel, Evidence(call, payment.offer, receipt))


def _others(books: Books, channel: Channel) -> tuple[Channel, ...]:
    return tuple(each for each in books.channels() if each.id != channel.id)
