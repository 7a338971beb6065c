"""What a buyer has here: keys with their money, requests for more, and what was spent."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from usufruct.accounts import BearerKey, Keys, KeyTerms, Purses, check_terms
from usufruct.assets import Listings
from usufruct.chain import ChainAccess, give_play_money
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.keys import KeySigner
from usufruct.core import DAY_SECONDS, Address, AssetId, Clock, Conflict, Hash32, Invalid, NotFound, Unavailable
from usufruct.market.passkey_buyer import PasskeyBuyer
from usufruct.market.signing_requests import Request, deposit_request, for_signing, key_request
from usufruct.payments.ledger import Call, Ledger
from usufruct.payments.pricing import Benefits, NoLevels, PayerBenefits
from usufruct.payments.settlement import check_deposit_amount
from usufruct_client.wire import (
    ChannelUse,
    DepositTermsWish,
    KeyTermsWish,
    SigningRequest,
    SpendingLog,
    SpentCall,
    Terms,
)

_PLAY_COINS = 100
_DEPOSIT_SECONDS = 600
"""How long a signed deposit can be made."""

MOST_CALLS = 1_000
"""Calls on a page of a spending log."""

_OVER_PAGE = 20
"""Keys that are over on a page."""

_CURSOR = re.compile(r"0x[0-9a-f]{64}")
"""The id of the last call of a page."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key as its payer sees it, with what its channel was used for."""

    key: BearerKey
    use: ChannelUse
    live: bool


@dataclass(frozen=True, slots=True)
class HeldKeys:
    """A payer's live keys, and a page of those that are over, the newest first; `over_count`: of all pages."""

    live: list[HeldKey]
    over: list[HeldKey]
    over_count: int
    page: int
    pages: int


class Buyer:
    """The verbs of a signed-in buyer: see keys and money, ask for more, read what was spent.

    `demo` is the signer of a local chain's demo account, whose requests are signed here. `passkeys` serves passkey
    accounts, where the installation was deployed with them.
    """

    def __init__(
        self,
        keys: Keys,
        purses: Purses,
        ledger: Ledger,
        listings: Listings,
        terms: Terms,
        chain: ChainAccess,
        clock: Clock,
        demo: KeySigner | None = None,
        passkeys: PasskeyBuyer | None = None,
        *,
        benefits: PayerBenefits | None = None,
        node_seconds: float = 1.0,
    ) -> None:
        """Serve buyers; a page waits `node_seconds` for the chain's node. `benefits` knows levels, if there are any."""
        self.terms = terms
        self._node_seconds = node_seconds
        self._benefits = benefits or NoLevels()
        self.passkeys = passkeys
        self._keys = keys
        self._purses = purses
        self._ledger = ledger
        self._listings = listings
        self._chain = chain
        self._clock = clock
        self._demo = demo

    async def keys(self, payer: Address, page: int = 1) -> HeldKeys:
        """Return a payer's live keys, and the page of those that are over which is nearest to `page`."""
        keys, now = await self._keys.list(payer), self._clock.now()
        live = [key for key in keys if key.is_live(now)]
        over = [key for key in keys if not key.is_live(now)]
        pages = max(1, -(-len(over) // _OVER_PAGE))
        page = min(max(page, 1), pages)
        shown = over[(page - 1) * _OVER_PAGE : page * _OVER_PAGE]
        return HeldKeys(await self._held(live, live=True), await self._held(shown, live=False), len(over), page, pages)

    async def _held(self, keys: Sequence[BearerKey], *, live: bool) -> list[HeldKey]:
        channels = await asyncio.gather(*(self._purses.channel(key.channel) for key in keys))
        return [HeldKey(key, use, live) for key, (_, use) in zip(keys, channels, strict=True)]

    async def wallet_balance(self, payer: Address) -> int | None:
        """Return what a wallet holds of the payment token; None while the node does not answer, or not soon."""
        try:
            async with asyncio.timeout(self._node_seconds):
                return await Erc20(self.terms.token.address, self._chain.client).balance_of(payer)
        except (Unavailable, TimeoutError):
            return None

    async def level(self, payer: Address) -> Benefits | None:
        """Return what a payer's staking level brings; None where there are no levels, or none are known now."""
        return await self._benefits.of(payer) if self._benefits.discounts else None

    async def get_play_money(self, payer: Address) -> None:
        """Give the payer's wallet a hundred test dollars; raises as `give_play_money`."""
        await give_play_money(self._chain, payer, _PLAY_COINS * 10**self.terms.token.decimals)

    async def rename(self, payer: Address, key_id: str, label: str) -> None:
        """Give a key of the payer another name; raises as `Keys.rename`."""
        await self._keys.rename(payer, key_id, label)

    async def revoke(self, payer: Address, key_id: str) -> None:
        """Revoke a key of the payer; its unused money goes back; raises as `Keys.revoke`."""
        await self._keys.revoke(payer, key_id)

    async def is_on_sale(self, name: str) -> bool:
        """Tell whether a service of this name is on sale here."""
        return name in await self._offered()

    async def _offered(self) -> set[str]:
        return {listing.name for listing in await self._listings.list()}

    async def request_key(self, payer: Address, wish: KeyTermsWish) -> SigningRequest:
        """Return what the payer signs for a key.

        Raises:
            Invalid: as `check_terms`, and for a service that is not on sale here.
        """
        if unknown := sorted(wish.assets - await self._offered()):
            message = f"there is no service {unknown[0]!r} here; write the names as the list of services shows them"
            raise Invalid(message, code="unknown_service", field="assets", service=unknown[0])
        if self.passkeys and await self.passkeys.holds(payer):
            return self.passkeys.key_request(wish)
        expires_at = self._clock.now() + wish.days * DAY_SECONDS
        terms = KeyTerms(payer, wish.spending_limit, expires_at, wish.assets, wish.label, wish.day_limit)
        check_terms(terms, self._clock.now())
        return self._for_signing(payer, key_request(terms, self.terms))

    async def request_deposit(self, payer: Address, wish: DepositTermsWish) -> SigningRequest:
        """Return what the payer signs for a deposit into a channel of theirs.

        Raises:
            NotFound: when the payer has no such channel.
            Conflict: when its key is revoked or expired, or the payer has more deposits than they have seen.
            Invalid: when the amount is under the operator's least deposit.
        """
        key = next((key for key in await self._keys.list(payer) if key.channel == wish.channel), None)
        if key is None:
            message = f"{payer} has no key with channel {wish.channel}; look at the keys again"
            raise NotFound(message, code="channel_not_found", field="channel")
        now = self._clock.now()
        if not key.is_live(now):
            message = f"{key.id} is revoked or expired, and what is deposited would come back; make a new key"
            raise Conflict(message, code="key_over", field="channel")
        check_deposit_amount(self.terms, wish.amount)
        await self._ledger.check_deposits_seen(payer, wish.seen)
        on_chain, _ = await self._purses.channel(wish.channel)
        config, until = on_chain.channel_config, now + _DEPOSIT_SECONDS
        asked = deposit_request(payer, wish.channel, config, wish.amount, until, self.terms, wish.seen)
        if self.passkeys and await self.passkeys.holds(payer):
            return await self.passkeys.for_passkey(payer, asked)
        return self._for_signing(payer, asked)

    async def deposit_count(self, payer: Address) -> int:
        """Return how many deposits of a payer are made or under way."""
        return await self._ledger.deposit_count(payer)

    def _for_signing(self, payer: Address, request: Request) -> SigningRequest:
        return for_signing(request, payer, self._demo)

    async def spending(self, payer: Address, after: str = "", most: int = MOST_CALLS) -> SpendingLog:
        """Return a page of the payer's calls, the newest first.

        Raises:
            Invalid: for an `after` that no page of this payer has named.
        """
        keys = {key.channel: key for key in await self._keys.list(payer)}
        before = await self._last_call(after, keys) if after else None
        found = await self._ledger.latest_metered(list(keys), most + 1, before)
        page = found[:most]
        names = {listing.id: listing.name for listing in await self._listings.list()}
        token = self.terms.token
        following = page[-1].lease.call if len(found) > most else None
        return SpendingLog(token.symbol, token.decimals, [_spent(call, keys, names) for call in page], following)

    async def spending_pages(self, payer: Address, most: int = MOST_CALLS) -> AsyncIterator[SpendingLog]:
        """Yield all pages of the payer's calls, the newest first; there is at least one. One is in memory at a time."""
        after: str | None = ""
        while after is not None:
            page = await self.spending(payer, after, most)
            yield page
            after = page.next

    async def spent_by_day(self, payer: Address, days: int) -> list[tuple[int, int]]:
        """Return the start of each of the last `days` days (UTC, seconds since 1970) with what was charged in it."""
        last = self._clock.now() // DAY_SECONDS
        first = last - days + 1
        channels = [key.channel for key in await self._keys.list(payer)]
        charged = await self._ledger.charged_by_day(channels, first)
        return [(day * DAY_SECONDS, charged.get(day, 0)) for day in range(first, last + 1)]

    async def _last_call(self, after: str, keys: Mapping[Hash32, BearerKey]) -> Call:
        call = await self._ledger.call(Hash32(after)) if _CURSOR.fullmatch(after) else None
        if call is None or call.bill is None or call.lease.account not in keys:
            message = f"after is {after[:70]!r}; leave it out, or take `next` of a page"
            raise Invalid(message, code="invalid_account_request", field="after")
        return call


def _spent(call: Call, keys: Mapping[Hash32, BearerKey], names: Mapping[AssetId, str]) -> SpentCall:
    assert call.bill is not None
    assert call.finished_at is not None
    key = keys[call.lease.account]
    usage = call.bill.usage
    return SpentCall(
        call=call.lease.call,
        time=call.finished_at,
        key=key.label or key.id,
        service=names.get(call.asset, f"0x{call.asset:032x}"),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        charge=call.bill.charge,
    )
