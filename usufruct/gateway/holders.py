"""Callers with a bearer key: the channel behind it pays, by vouchers its session key signs here."""

from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.accounts import BearerKey, Keys
from usufruct.chain import KeySigner
from usufruct.core import Address, Hash32, PaymentRequired
from usufruct.gateway.call import BODY_BYTES, Order
from usufruct.gateway.errors import LimitReached
from usufruct.gateway.metering import Budget, ceiling
from usufruct.payments import (
    Allowance,
    BalanceTooLow,
    Escrow,
    OverBudget,
    PriceCard,
    Reservation,
    VerifiedVoucher,
    sign_voucher,
)
from usufruct.web import Exchange, Header

_MOST_REMEMBERED = 10_000


class KeyHolders:
    """Lets callers with a key in, and signs for them, never above the key's spending limit."""

    def __init__(self, keys: Keys, escrow: Escrow) -> None:
        """Take keys and their session keys from `keys`."""
        self._keys = keys
        self._escrow = escrow
        self._signers: dict[str, KeySigner] = {}

    async def holder(self, exchange: Exchange) -> "KeyHolder":
        """Return who calls.

        Raises:
            Unauthenticated: when the key is missing, mistyped, unknown, expired or revoked.
        """
        key = await self._keys.authenticate(exchange.header(b"authorization"))
        return KeyHolder(key, self)

    async def voucher_signer(self, key: BearerKey) -> "SessionVoucher":
        """Return what signs vouchers on this key's channel."""
        if key.id not in self._signers:
            if len(self._signers) >= _MOST_REMEMBERED:
                self._signers.clear()
            self._signers[key.id] = KeySigner(await self._keys.session_key(key))
        return SessionVoucher(key, self._escrow, self._signers[key.id])


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """`Payer` with a bearer key."""

    key: BearerKey
    holders: KeyHolders

    @property
    def name(self) -> str:
        """The key's id."""
        return self.key.id

    @property
    def account(self) -> Address:
        """The payer behind the key."""
        return self.key.payer

    @property
    def identifier(self) -> str:
        """Keys bring none: the header is all there is."""
        return ""

    async def body(self, exchange: Exchange) -> bytes:
        """Read the request."""
        return await exchange.body(BODY_BYTES)

    def check_asset(self, asset: str) -> None:
        """Refuse an asset out of the key's scope."""
        self.key.check_asset(asset)

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

    async def repetition(self, order: Order, call: Hash32) -> Reservation:
        """Ask in the name of the key's channel."""
        return order.reservation(call, Allowance(0, 0), self.key.channel)

    async def reservation(self, order: Order, allowance: Allowance, call: Hash32) -> Reservation:
        """Pay from the key's channel, by a voucher of its session key."""
        sign = await self.holders.voucher_signer(self.key)
        return order.reservation(call, allowance, self.key.channel, sign=sign)

    def told(self, charged: int) -> Sequence[Header]:
        """Holders of keys read the bill's own headers."""
        return ()

    async def refused(self, order: Order, refusal: PaymentRequired) -> Sequence[Header]:
        """Holders of keys deposit or make a new key; a header would not help."""
        return ()


@dataclass(frozen=True, slots=True)
class SessionVoucher:
    """Signs vouchers for one call; the ledger calls it with the amount needed, inside its transaction."""

    key: BearerKey
    escrow: Escrow
    signer: KeySigner

    def __call__(self, needed: int) -> VerifiedVoucher:
        """Sign a voucher over `needed` atomic units in all.

        Raises:
            LimitReached: when that passes the key's spending limit.
        """
        limit = self.key.spending_limit
        if needed > limit:
            raise LimitReached(
                f"{self.key.id} may spend {limit} in all, and {needed} is needed; wait for running calls or make a key",
                key_id=self.key.id,
                limit=limit,
                needed=needed,
            )
        return sign_voucher(self.escrow, self.key.channel, needed, self.signer)
