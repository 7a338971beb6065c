"""Callers with a bearer key: the channel behind it pays, by vouchers its session key signs here."""

from collections.abc import Callable, Sequence

from usufruct.accounts import BearerKey, Keys
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, Hash32, PaymentRequired, value
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.call import BODY_BYTES, Order
from usufruct.gateway.metering import Budget, ceiling
from usufruct.gateway.model import ServedListing
from usufruct.payments.ledger import BalanceTooLow, LimitReached, Reservation
from usufruct.payments.pricing import Allowance, Escrow, OverBudget, VerifiedVoucher, sign_voucher
from usufruct.web import Exchange, Header

_MOST_REMEMBERED = 10_000


class BearerKeyPayments:
    """Lets callers with a key in, and signs for them."""

    def __init__(self, keys: Keys, escrow: Escrow) -> None:
        """Take keys and their session keys from `keys`."""
        self._keys = keys
        self._escrow = escrow
        self._signers: dict[str, KeySigner] = {}

    async def holder(self, exchange: Exchange) -> "BearerKeyPayer":
        """Return who calls.

        Raises:
            Unauthenticated: when the key is missing, mistyped, unknown, expired or revoked.
        """
        key = await self._keys.authenticate(exchange.header(b"authorization"))
        return BearerKeyPayer(key, self)

    async def voucher_signer(self, key: BearerKey) -> Callable[[int], VerifiedVoucher]:
        """Return what signs a voucher on this key's channel over the amount that is needed."""
        if key.id not in self._signers:
            if len(self._signers) >= _MOST_REMEMBERED:
                self._signers.clear()
            self._signers[key.id] = KeySigner(await self._keys.session_key(key))
        signer = self._signers[key.id]
        return lambda needed: sign_voucher(self._escrow, key.channel, needed, signer)


class Bearer:
    """What payers who send a bearer key do alike; see `Payer`."""

    __slots__ = ()

    @property
    def identifier(self) -> str:
        """They bring none: the header is all there is."""
        return ""

    def card(self, order: Order) -> PriceCard:
        """Return the asset's card."""
        return order.card

    def allowance(self, order: Order) -> Allowance:
        """Fit the call into the limit its caller set for it."""
        return ceiling(order.asked, order.counted_input, order.asset, order.card, order.budget)

    def lowered(self, order: Order, allowance: Allowance, refusal: PaymentRequired) -> Allowance | None:
        """Return less output that fits what is left, when the caller left the output open or limits it by money."""
        if not isinstance(refusal, BalanceTooLow | LimitReached):
            return None
        if order.asked.wanted_output is not None and not (order.budget.own_limit and order.asked.wanted_output):
            return None
        needed, held = refusal.details["needed"], refusal.details.get("limit", refusal.details.get("balance"))
        left = Budget(max(0, allowance.ceiling - (int(needed or 0) - int(held or 0))), own_limit=True)
        try:
            return ceiling(order.asked, order.counted_input, order.asset, order.card, left)
        except OverBudget:
            return None

    def charge_headers(self, charged: int, total: int) -> Sequence[Header]:
        """They read the bill's own headers."""
        return ()

    async def refused(self, order: Order, refusal: PaymentRequired) -> Sequence[Header]:
        """They pay in more, or get another key; a header would not help."""
        return ()


@value
class BearerKeyPayer(Bearer):
    """`Payer` with a bearer key."""

    key: BearerKey
    holders: BearerKeyPayments

    @property
    def name(self) -> str:
        """The key's id."""
        return self.key.id

    @property
    def account(self) -> Address:
        """The payer behind the key."""
        return self.key.payer

    @property
    def scope(self) -> str:
        """A key has a channel of its own, and that is its scope."""
        return ""

    async def body(self, exchange: Exchange) -> bytes:
        """Read the request."""
        return await exchange.body(BODY_BYTES)

    @property
    def channel(self) -> Hash32:
        """The channel that pays."""
        return self.key.channel

    def check_asset(self, asset: ServedListing) -> None:
        """Refuse an asset out of the key's scope."""
        self.key.check_asset(asset.name)

    async def repetition(self, order: Order, call: Hash32) -> Reservation:
        """Ask in the name of the key's channel."""
        return order.reservation(call, Allowance(0, 0), self.key.channel)

    async def reservation(self, order: Order, allowance: Allowance, call: Hash32) -> Reservation:
        """Pay from the key's channel, by a voucher of its session key, up to the key's spending limit."""
        sign = await self.holders.voucher_signer(self.key)
        return order.reservation(call, allowance, self.key.channel, sign=sign, limit=self.key.spending_limit)
