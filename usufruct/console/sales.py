"""Selling in four steps: server, price, owners, confirmation. A draft keeps every step until it is confirmed."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from secrets import token_hex

from usufruct.assets import (
    FREE,
    USUAL_WINDOW,
    FreeSample,
    Listing,
    ListingExists,
    Listings,
    UnknownListing,
    check_listing,
    read_card_change,
)
from usufruct.connectors.openai import UpstreamClient, find_local_servers
from usufruct.console.draft_costs import DraftCosts
from usufruct.console.ownership import Ownership
from usufruct.console.registrar import PayeeNotListed
from usufruct.console.server_check import LIMITS, check_server
from usufruct.console.store import DraftStore, Edit
from usufruct.core import ZERO_ADDRESS, Address, AssetId, Clock, Conflict, NotFound, parse_units
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import (
    Catalogue,
    CountingRule,
    Operator,
    ServedListing,
    Upstream,
    check_name_free,
    plain_listing,
)
from usufruct.http import Reach
from usufruct.store import ConstraintViolated
from usufruct_client.sale_documents import (
    Confirmation,
    CostWish,
    FoundServer,
    ModelWish,
    NewSample,
    OwnershipWish,
    PriceFacts,
    PriceWish,
    ProbeFacts,
    SaleDraft,
    ServerFacts,
    ServerWish,
    Suggestion,
    WalletTransaction,
)

_ID = re.compile(r"[0-9a-f]{32}")
_STALE_SECONDS = 300
"""Of a check that notes nothing: the process that made it has ended."""

_MOST_CHECKS = 4
"""Servers that one process looks at at once."""


class Sales:
    """The verbs of a seller. Every one but `start` raises `NotFound` for a draft that is not the seller's.

    `reach`: which addresses servers may have.
    """

    def __init__(
        self,
        drafts: DraftStore,
        costs: DraftCosts,
        ownership: Ownership,
        catalogue: Catalogue,
        listings: Listings,
        operator: Operator,
        clock: Clock,
        reach: Reach,
    ) -> None:
        self.operator = operator
        self.reach = reach
        self.ownership = ownership
        self._drafts = drafts
        self._catalogue = catalogue
        self._listings = listings
        self._clock = clock
        self._checks: set[asyncio.Task[None]] = set()
        self._few = asyncio.Semaphore(_MOST_CHECKS)
        self._costs = costs
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def close(self) -> None:
        """Stop looking at servers."""
        for check in list(self._checks):
            check.cancel()
        await asyncio.gather(*self._checks, return_exceptions=True)

    async def servers(self) -> list[FoundServer]:
        """Return the model servers of this machine; none where private addresses are out of reach."""
        if self.reach is Reach.PUBLIC:
            return []
        return [
            FoundServer(each.name, each.url, [model.id for model in each.models]) for each in await find_local_servers()
        ]

    async def list(self, seller: Address) -> list[SaleDraft]:
        """Return a seller's drafts, the newest first."""
        return [self._alive(each) for each in await self._drafts.list(seller)]

    async def find(self, seller: Address, id_: str) -> SaleDraft:
        """Return a draft."""
        found = await self._drafts.find(seller, id_) if _ID.fullmatch(id_) else None
        if found is None:
            raise _unknown(id_)
        return self._alive(found)

    async def start(self, seller: Address, id_: str = "") -> SaleDraft:
        """Return a new draft, or the one of this id: a form that is sent twice starts one draft.

        Raises:
            NotFound: when the id is malformed, or of another seller's draft.
        """
        if id_ and not _ID.fullmatch(id_):
            raise _unknown(id_)
        if id_ and (known := await self._drafts.find(seller, id_)):
            return self._alive(known)
        now = self._clock.now()
        draft = SaleDraft(id_ or token_hex(16), now, now)
        try:
            await self._drafts.add(seller, draft)
        except ConstraintViolated:
            return await self.find(seller, draft.id)
        return draft

    async def remove(self, seller: Address, id_: str) -> None:
        """Forget a draft; a service that is on sale stays so."""
        await self._drafts.remove(seller, id_)

    async def choose_server(self, seller: Address, id_: str, wish: ServerWish) -> SaleDraft:
        """Take a server, and begin to look at it; an empty key keeps the one that the same server has.

        Raises:
            InvalidUpstream: when its address or its key cannot be used.
            Conflict: when the service is on sale already.
        """
        async with UpstreamClient(wish.url.strip(), wish.key) as client:
            url = client.url
        known = (await self.find(seller, id_)).server
        same = known is not None and known.url == url
        key = wish.key or (await self._drafts.key(seller, id_) if same else "")
        server = ServerFacts(url, wish.model.strip(), wish.kind, has_key=bool(key))
        return await self._look(seller, id_, server, key)

    async def choose_model(self, seller: Address, id_: str, wish: ModelWish) -> SaleDraft:
        """Take one of the server's models, and begin to look at it."""
        server = (await self.find(seller, id_)).server
        if server is None:
            raise _incomplete("server", "choose a server first")
        chosen = replace(server, model=wish.model.strip(), kind=wish.kind)
        return await self._look(seller, id_, chosen, await self._drafts.key(seller, id_))

    async def _look(self, seller: Address, id_: str, server: ServerFacts, key: str) -> SaleDraft:
        begun = ProbeFacts(run=token_hex(8), state="running", changed_at=self._clock.now())
        draft = await self._change(seller, id_, lambda draft: replace(draft, server=server, probe=begun), key)
        check = asyncio.create_task(self._check(seller, id_, server, key, begun))
        self._checks.add(check)
        check.add_done_callback(self._checks.discard)
        return draft

    async def _check(self, seller: Address, id_: str, server: ServerFacts, key: str, begun: ProbeFacts) -> None:
        async def note(facts: ProbeFacts) -> None:
            chosen = replace(server, model=facts.models[0]) if facts.state == "done" else server

            def edit(draft: SaleDraft) -> SaleDraft:
                superseded = draft.probe is None or draft.probe.run != facts.run or bool(draft.service)
                return draft if superseded else replace(draft, server=chosen, probe=facts)

            await self._drafts.change(seller, id_, edit)

        async with self._few:
            await check_server(server, key, begun, self.reach, self._clock, note)

    def _alive(self, draft: SaleDraft) -> SaleDraft:
        """Return a draft; a check whose process ended has failed."""
        probe = draft.probe
        if probe is None or probe.state != "running" or self._clock.now() - probe.changed_at < _STALE_SECONDS:
            return draft
        return replace(
            draft,
            probe=replace(probe, state="failed", error="looking at the server was broken off", code="shutting_down"),
        )

    async def suggest(self, seller: Address, id_: str, wish: CostWish) -> Suggestion:
        """Return what a million text tokens cost the seller, and prices with the margin.

        Raises:
            Conflict: when the server's speed was not measured.
            InvalidAmount: when the cost is not an amount.
        """
        return self._costs.suggest(await self.find(seller, id_), wish)

    async def set_price(self, seller: Address, id_: str, wish: PriceWish) -> SaleDraft:
        """Take the service's name and price.

        Raises:
            Invalid: for a name or a price that no service can have.
            ListingExists: when a service that is on sale has the name.
        """
        draft = _editable(await self.find(seller, id_))
        price = PriceFacts(
            wish.name.strip(),
            wish.input,
            wish.output,
            wish.per_call,
            wish.cached_input,
            wish.costs,
            self._clock.now(),
            wish.sample,
        )
        if wish.costs is not None:
            parse_units(wish.costs.per_hour, self.operator.decimals, "per_hour")
        listing = plain_listing(price.name, "chat", ZERO_ADDRESS, self.card(replace(draft, price=price)))
        check_listing(replace(listing, sample=read_sample(wish.sample)))
        await check_name_free(self._listings, price.name)
        return await self._change(seller, id_, lambda draft: replace(draft, price=price, waits_for=None))

    async def set_ownership(self, seller: Address, id_: str, wish: OwnershipWish) -> SaleDraft:
        """Take who receives the income.

        Raises:
            Conflict: when the price is not chosen yet.
            Invalid: names the field that is wrong.
        """
        draft = replace(_editable(await self.find(seller, id_)), ownership=wish)
        await self.ownership.check(seller, draft, self.card(draft))
        return await self._change(seller, id_, lambda draft: replace(draft, ownership=wish, waits_for=None))

    def card(self, draft: SaleDraft) -> PriceCard:
        """Return a draft's price card.

        Raises:
            Conflict: when its price is not chosen yet.
            Invalid: for a price that is not an amount.
        """
        if draft.price is None:
            raise _incomplete("price", "set the price first")
        window = (draft.probe.context_window if draft.probe else 0) or USUAL_WINDOW
        price = draft.price
        change = read_card_change(
            self.operator.decimals, price.input, price.output, price.per_call, price.cached_input, context=window
        )
        return change.of(FREE)

    async def confirm(self, seller: Address, id_: str) -> Confirmation:
        """Register, list and go live, or return what the seller's wallet has to send first. Done once, it stays so.

        Raises:
            Conflict: when a step is missing, or the name was taken meanwhile.
            UsufructError: as registration and the list of payees are refused; asked again, it goes on.
        """
        async with self._turns[id_]:
            draft = await self.find(seller, id_)
            if draft.service:
                return Confirmation(draft, [])
            server, probe = draft.server, draft.probe
            if server is None or probe is None or probe.state != "done":
                raise _incomplete("server", "the server has to be looked at to the end first")
            card = self.card(draft)
            await self.ownership.check(seller, draft, card)
            asset, name = await self.ownership.asset(seller, draft, card), draft.price.name if draft.price else ""
            if not await self._is_on_sale(name, asset):
                listing, left = await self._carry_out(seller, draft, card)
                if listing is None:
                    return Confirmation(draft, [*left])
                await self._offer(seller, draft, listing)
            sold = await self._change(seller, id_, lambda draft: replace(draft, service=name))
            return Confirmation(sold, [])

    async def _carry_out(
        self, seller: Address, draft: SaleDraft, card: PriceCard
    ) -> tuple[Listing | None, Sequence[WalletTransaction]]:
        """Make the owners so; a payee that the till does not list is noted for the till's owner."""
        try:
            return await self.ownership.carry_out(seller, draft, card)
        except PayeeNotListed as refusal:
            pay_to = refusal.pay_to
            await self._change(seller, draft.id, lambda draft: replace(draft, waits_for=pay_to))
            raise

    async def waiting(self) -> Sequence[tuple[Address, SaleDraft]]:
        """Return the sales, with their sellers, that the till's list of payees kept from being confirmed."""
        return await self._drafts.waiting()

    async def _offer(self, seller: Address, draft: SaleDraft, listing: Listing) -> None:
        """Put a listing on sale, answered by the draft's server."""
        server, probe = draft.server, draft.probe
        assert server is not None
        assert probe is not None
        key = await self._drafts.key(seller, draft.id)
        vocabulary = None
        if probe.own_vocabulary:
            async with UpstreamClient(server.url, key, LIMITS, reach=self.reach) as client:
                vocabulary = await client.tokenizer()
        upstream = Upstream(server.url, server.model, key, probe.output_limit, self.reach)
        listing = replace(listing, sample=read_sample(draft.price.sample if draft.price else None))
        counting = CountingRule(bytes_per_token_ppm=probe.bytes_per_token_ppm)
        try:
            await self._catalogue.add(ServedListing.of(listing, (upstream,), counting), vocabulary)
        except ListingExists:  # another gateway, which was asked at the same moment
            if not await self._is_on_sale(listing.name, listing.id):
                raise

    async def _is_on_sale(self, name: str, asset: AssetId) -> bool:
        """Tell whether a draft's own service is on sale.

        Raises:
            ListingExists: when another one has its name.
        """
        with suppress(UnknownListing):
            found = await self._listings.find(name)
            if found.retired_at is None and found.id == asset:
                return True
        await check_name_free(self._listings, name)
        return False

    async def _change(self, seller: Address, id_: str, edit: Edit, key: str | None = None) -> SaleDraft:
        """Change a draft that is not on sale yet."""
        now = self._clock.now()

        def checked(draft: SaleDraft) -> SaleDraft:
            return replace(edit(_editable(draft)), changed_at=now)

        changed = await self._drafts.change(seller, id_, checked, key)
        if changed is None:
            raise _unknown(id_)
        return changed


def read_sample(wish: NewSample | None) -> FreeSample | None:
    """Return the free sample that a seller asks for, as a listing has it."""
    if wish is None:
        return None
    return FreeSample(wish.calls_per_visitor, wish.calls_per_day, wish.output_per_call)


def _editable(draft: SaleDraft) -> SaleDraft:
    """Return a draft that is not on sale yet; raises `Conflict` for another."""
    if draft.service:
        raise Conflict(
            f"{draft.service} is on sale already; change it there, or start a new sale",
            code="sale_confirmed",
            service=draft.service,
        )
    return draft


def _incomplete(field: str, message: str) -> Conflict:
    return Conflict(message, code="sale_incomplete", field=field)


def _unknown(id_: str) -> NotFound:
    return NotFound(f"there is no sale {id_[:40]!r} of yours; start a new one", code="unknown_sale", field="sale")
