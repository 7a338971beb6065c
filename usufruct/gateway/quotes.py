"""Prices we promised: a quote holds for one body and one ceiling until it is over, on any replica."""

import re
from dataclasses import replace

from usufruct.core import ZERO_ADDRESS, Address, Clock, Hash32, PaymentRequired, id_to_bytes
from usufruct.gateway.call_order import CallOrder, Price
from usufruct.payments.pricing import Allowance, discounted_card_up
from usufruct.store import Stamp

QUOTE_SECONDS = 300

_STEPS = 16
_BEHIND_SECONDS = 60.0

_FORMAT = re.compile("([0-9]{1,19})[.]([0-9]{1,10})[.]([0-9]{1,12})(?:[.]([0-9]{1,4}))?[.]([0-9a-f]{32})")


class StaleQuote(PaymentRequired, code="stale_quote"):
    """The quote is over, or was given for another body or amount; take the fresh one."""


class Quotes:
    """Gives quotes, and knows them again."""

    def __init__(self, stamp: Stamp, clock: Clock, *, most_remembered: int = 10_000) -> None:
        """Mark quotes with `stamp`, which all replicas share; remember so many requests that are asked for more."""
        self._stamp = stamp
        self._clock = clock
        self._most_remembered = most_remembered
        self._steps: dict[Hash32, int] = {}
        self._behind: dict[Hash32, tuple[Hash32, int, float]] = {}

    def step_aside(self, request_hash: Hash32) -> None:
        """Ask another amount for this request from now on: what its payer signed at this one is public already."""
        step = self._steps.pop(request_hash, 0) + 1
        if len(self._steps) >= self._most_remembered:
            del self._steps[next(iter(self._steps))]
        self._steps[request_hash] = step % _STEPS

    def catch_up(self, request_hash: Hash32, channel: Hash32, amount: int) -> None:
        """Ask this request's payer for `amount` more the next time, once and soon.

        A client that forgot its channel counts from 0 and cannot be corrected; what it signs covers the call only if
        more is asked for. It asks for the price without naming itself, so the next to ask for the same body is
        meant. The charge stays what it would be.
        """
        if len(self._behind) >= self._most_remembered:
            del self._behind[next(iter(self._behind))]
        self._behind[request_hash] = (channel, amount, self._clock.monotonic() + _BEHIND_SECONDS)

    def forget(self, request_hash: Hash32, channel: Hash32) -> None:
        """Ask nothing more for this request: its payer was corrected, and counts rightly."""
        if self._is_behind(request_hash, channel):
            del self._behind[request_hash]

    def asked(self, request_hash: Hash32, allowance: Allowance, most: int, channel: Hash32 | None = None) -> Allowance:
        """Return what to promise: the allowance, higher where its payer has to catch up or we stepped aside.

        `channel` is the payer's; None: they have not said who they are. It passes `most` only where the allowance
        itself does.
        """
        more = self._steps.get(request_hash, 0)
        if self._is_behind(request_hash, channel):
            _, behind, until = self._behind.pop(request_hash)
            more += behind if self._clock.monotonic() < until else 0
        return replace(allowance, ceiling=min(allowance.ceiling + more, max(most, allowance.ceiling)))

    def _is_behind(self, request_hash: Hash32, channel: Hash32 | None) -> bool:
        behind = self._behind.get(request_hash)
        return behind is not None and channel in (None, behind[0])

    def give(self, order: CallOrder, allowance: Allowance) -> str:
        """Promise a request its price: `<version>.<output tokens>.<expires at>.<mark>`.

        Before the mark is the discount of the payer's level, if the payer is known: then it holds for them alone.
        """
        expires_at, version = self._clock.now() + QUOTE_SECONDS, order.card.version
        promised = None if order.staker is None else (order.staker, order.discount_bps)
        mark = self._stamp.mark(_words(order.request_hash, version, allowance, expires_at, promised))
        level = "" if promised is None else f".{order.discount_bps}"
        return f"{version}.{allowance.output_tokens}.{expires_at}{level}.{mark.hex()}"

    def read(self, quote: str, order: CallOrder, ceiling: int) -> Price:
        """Return what a quote promised to this request and ceiling; one that names no payer has the order's discount.

        Raises:
            StaleQuote: when it is over, or not ours over exactly this; or the listing was sold again under its name.
        """
        found = _FORMAT.fullmatch(quote)
        if found is None:
            raise StaleQuote("the quote is not one of ours; take the fresh one", field="quote")
        version, output, expires_at = map(int, found.groups()[:3])
        allowance, promised, discount = Allowance(output, ceiling), None, order.discount_bps
        if found[4] is not None:
            promised = (order.staker or ZERO_ADDRESS, discount := int(found[4]))
        words = _words(order.request_hash, version, allowance, expires_at, promised)
        if not self._stamp.knows(words, bytes.fromhex(found[5])):
            raise StaleQuote("the quote is for another request, payer or amount; take the fresh one", field="quote")
        if expires_at < self._clock.now():
            raise StaleQuote(
                f"the quote held until {expires_at}; take the fresh one", field="quote", expires_at=expires_at
            )
        card = order.listing.card_of(version)
        if card is None:
            message = f"{order.listing.name} has no price card {version} any more; take the fresh quote"
            raise StaleQuote(message, field="quote")
        return Price(discounted_card_up(card, discount), allowance, discount)


def expiry_of(quote: str) -> int:
    """Return when a quote of ours expires, in seconds since 1970."""
    return int(quote.split(".")[2])


def _words(
    request_hash: Hash32, version: int, allowance: Allowance, expires_at: int, promised: tuple[Address, int] | None
) -> bytes:
    """Return what is marked; `promised`: to which payer, and the discount of their level."""
    numbers = ((version, 8), (allowance.output_tokens, 8), (allowance.ceiling, 16), (expires_at, 8))
    words = bytes.fromhex(request_hash[2:]) + b"".join(number.to_bytes(size, "big") for number, size in numbers)
    return words if promised is None else words + id_to_bytes(promised[0]) + promised[1].to_bytes(2, "big")
