"""Makes a wallet's payment good for a call: everything is checked first, and only then is anything deposited."""

from dataclasses import dataclass, field, replace

from usufruct.accounts import Keys
from usufruct.chain.keys import InvalidSignature
from usufruct.core import Hash32, PaymentRequired
from usufruct.payments.ledger import Account, Reservation, VoucherPublished, accepted_voucher
from usufruct.payments.pricing import VerifiedVoucher, channel_id, verify_voucher
from usufruct.payments.settlement import (
    AccountSync,
    ChannelRefused,
    DepositAuthorization,
    Deposited,
    Deposits,
    Refunded,
    RefundRequests,
    SettlementContext,
    check_deposit_amount,
)
from usufruct.payments.x402.errors import DepositNotNeeded
from usufruct.payments.x402.payment import Payment
from usufruct_client.wire import Terms

_MOST_CORRECTED = 10_000


@dataclass(frozen=True, slots=True)
class Funded:
    """How a payment was made good: by the deposit `made`; with its deposit `spared`, neither needed nor made."""

    made: Deposited | None = None
    spared: bool = False


@dataclass(frozen=True, slots=True)
class Funding:
    """What a payment must pass, and the money it may bring.

    Takes channels under the terms of `settlement` but those behind `keys`, and deposits as `offered`.
    """

    settlement: SettlementContext
    sync: AccountSync
    deposits: Deposits
    refunds: RefundRequests
    keys: Keys
    offered: Terms
    _corrected: dict[Hash32, None] = field(default_factory=dict, init=False)

    def channel_of(self, payment: Payment) -> Hash32:
        """Return the id of the channel that a payment is on."""
        return channel_id(self.settlement.escrow, payment.config)

    def verify(self, payment: Payment) -> VerifiedVoucher:
        """Check channel and voucher, without a look at any database.

        Raises:
            PaymentRequired: names what is wrong.
        """
        self.settlement.terms.check(payment.config)
        try:
            return verify_voucher(self.settlement.escrow, payment.config, payment.voucher)
        except InvalidSignature as error:
            raise PaymentRequired(error.message, code=error.code, field="voucher.signature") from error

    async def proven(self, payment: Payment) -> VerifiedVoucher:
        """Check channel and voucher as for a call, without a look at its money.

        Raises:
            PaymentRequired: when the voucher is not the payer's, or its channel is none of theirs to pay from.
        """
        voucher = self.verify(payment)
        if await self.keys.holds(self.channel_of(payment)):
            raise ChannelRefused("this channel stands behind a bearer key; call with the key", field="channelConfig")
        return voucher

    async def has_free_money(self, payment: Payment) -> bool:
        """Tell whether the payment's channel has free money here."""
        channel = await self._known(payment)
        return channel is not None and channel.free > 0

    async def deposit_made(self, payment: Payment) -> Deposited | None:
        """Return the payment's deposit, if it has one that was made."""
        return await self.deposits.made(payment.deposit) if payment.deposit else None

    async def fund_call(self, payment: Payment, reservation: Reservation) -> Funded:
        """Let the channel of a proven payment carry this call: submit its deposit, if it has one, and await it.

        Nothing is deposited unless the call can be reserved afterwards, and needs the money.

        Raises:
            VoucherPublished: for a voucher that is public on the chain.
            DepositNotNeeded: when the channel's free money pays for the call, and the voucher stays within it.
            PaymentRequired: every other refusal of channel, voucher or deposit; nothing was deposited.
            DepositPending: when a deposit is on its way; ask again.
        """
        if payment.deposit is None:  # whether its voucher is a published one, the ledger sees
            if await self._known(payment) is None:
                await self._open(payment)
            return Funded()
        if made := await self.deposits.made(payment.deposit):  # the same payment once more
            return Funded(made)
        if await self._published(payment):  # a stranger could show it
            raise VoucherPublished(self.channel_of(payment), payment.voucher.max_claimable)
        check_deposit_amount(self.offered, payment.deposit.amount)
        settled = await self.deposits.settle(payment.config)
        channel = await self._known(payment)
        if settled and channel is not None and _carries(channel, reservation):  # by an earlier deposit
            return Funded()
        accepted_voucher(reservation, await self._after(payment, payment.deposit, channel))
        if channel and (spared := self._spared(payment, payment.deposit, reservation.ceiling, channel)):
            return spared
        await self.deposits.submit(payment.deposit)
        return Funded(await self.deposits.made(payment.deposit))

    async def channel(self, payment: Payment) -> Account | None:
        """Return the payment's channel as the ledger knows it, if there is one with a voucher to correct by.

        Its numbers are the payer's; a voucher that is public on the chain does not prove the caller.
        """
        channel = await self._known(payment)
        if channel is None or channel.voucher is None or await self._published(payment):
            return None
        return channel

    async def refund(self, payment: Payment) -> Refunded:
        """Give back what is free in a payment's channel, to its payer; the voucher identifies the caller.

        Raises:
            PaymentRequired: when it is not the payer authorizer's, or nothing, or too little, is free.
            Unavailable: when it is not final yet.
        """
        await self.proven(payment)
        if await self._known(payment) is None:
            await self._open(payment)
        proven = not await self._published(payment)
        return await self.refunds.request(self.channel_of(payment), payment.refund, proven=proven)

    async def _published(self, payment: Payment) -> bool:
        return await self.settlement.ledger.published(self.channel_of(payment), payment.voucher.max_claimable)

    async def _known(self, payment: Payment) -> Account | None:
        channel = self.channel_of(payment)
        return (await self.settlement.ledger.find_accounts([channel])).get(channel)

    async def _open(self, payment: Payment) -> None:
        """Open a channel that was filled elsewhere; no row is written for an empty one."""
        if (await self.sync.channels.peek(payment.config)).balance == 0:
            raise PaymentRequired(
                f"channel {self.channel_of(payment)} holds nothing; send a deposit with the payment",
                code="channel_not_found",
                channel=self.channel_of(payment),
            )
        await self.sync.open_channel(payment.config)

    def _spared(self, payment: Payment, deposit: DepositAuthorization, ceiling: int, channel: Account) -> Funded | None:
        """Return how the channel's free money pays for the call without the payment's deposit; None if it does not.

        A client that counts its last streams at their ceilings signs, and deposits, more than is needed. It is spared
        the deposit as long as its count stays ahead of ours whatever this call costs; after that its next voucher would
        be too low. One that counts from 0 has lost its first answer, or its memory: its deposit was made before, and is
        made again only if it would count on more than the channel holds. Others are corrected once. A client that
        offers its deposit all the same cannot read corrections, and would never get on: its deposit is made.

        Raises:
            DepositNotNeeded: to a client that can go on by a voucher.
        """
        if channel.free < ceiling:
            return None
        if payment.counted - channel.charged - channel.reserved > ceiling:
            return Funded(spared=True)
        if payment.voucher.max_claimable > channel.usable:
            return None
        if payment.counted == 0:  # it believes the channel empty: it cannot read the chain
            return Funded() if deposit.amount <= channel.usable else None
        if channel.id in self._corrected:
            del self._corrected[channel.id]
            return None
        if len(self._corrected) >= _MOST_CORRECTED:
            del self._corrected[next(iter(self._corrected))]
        self._corrected[channel.id] = None
        raise DepositNotNeeded(
            f"channel {channel.id} has {channel.free} free and the call costs at most {ceiling}: pay by a "
            "voucher, without a deposit",
            field="deposit.amount",
            free=channel.free,
            ceiling=ceiling,
        )

    async def _after(self, payment: Payment, deposit: DepositAuthorization, channel: Account | None) -> Account:
        """Return the channel as it will be with the deposit in it."""
        if channel is None:
            reading = await self.sync.channels.peek(payment.config)
            channel = Account(reading, 0, reading.total_claimed, 0, 0, None, 0)
        balance = channel.reading.balance + deposit.amount
        return replace(channel, reading=replace(channel.reading, balance=balance))


def _carries(channel: Account, reservation: Reservation) -> bool:
    """Tell whether a channel carries a call as it is."""
    try:
        accepted_voucher(reservation, channel)
    except PaymentRequired:
        return False
    return True
