"""Reviews of services: by payers, with a receipt; answered by sellers; deleted by none."""

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from usufruct.accounts import Keys
from usufruct.assets import Listing, Listings
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, AssetId, Clock, Conflict, Denied, Hash32, NotFound, format_asset
from usufruct.market.passkey_buyer import REVIEWS, PasskeyBuyer
from usufruct.market.review_flags import MOST_EQUAL_TEXTS, Evidence, flags_of
from usufruct.market.review_model import (
    FRESH_SECONDS,
    PAGE,
    PAUSE_SECONDS,
    InvalidReview,
    Review,
    ReviewRefused,
    ReviewTooSoon,
    Totals,
    check_rating,
    check_text,
    weight_of,
)
from usufruct.market.review_signature import ReviewSignatures
from usufruct.market.review_store import (
    REVISION,
    any_reviewed,
    count_equal_texts,
    count_network,
    earlier_revisions,
    find_review,
    newest_reviews,
    put_answer,
    put_review,
    totals_of,
)
from usufruct.market.signing_requests import Request, for_signing
from usufruct.payments.ledger import Call, Ledger
from usufruct.store import ConstraintViolated, Database, RowCache, Stamp
from usufruct_client.eip712_messages import REVIEW
from usufruct_client.identifiers import checksum
from usufruct_client.wire import ReviewWish, SignedReview, SigningRequest, Terms

_CURSOR = re.compile(r"([0-9]{1,14})\.(0x[0-9a-f]{40})")
_MOST_CALLS = 1_000
"""Of a payer's last calls, that count as paid use."""
_MOST_DEPOSITS = 500
"""Of an owner's last deposits, whose accounts are looked at."""


class Owners(Protocol):
    """Who earns from a service."""

    async def owners_of(self, listing: Listing) -> frozenset[Address]:
        """Return a service's payee, and the owner of its title where it has one."""

    async def persons_of(self, listing: Listing) -> frozenset[Address]:
        """Return a service's owners without the contract that divides its income."""

    async def shares_bps(self, listing: Listing, holder: Address) -> int:
        """Return a holder's part of a service's revenue shares, in ten-thousandths, rounded down."""

    async def services_of(self, owner: Address) -> Sequence[AssetId]:
        """Return the services of which an account is the payee or owns the title."""


class MoneyTrail(Protocol):
    """Which accounts gave others their money."""

    async def came_from(self, givers: Iterable[Address], payer: Address) -> bool:
        """Tell whether one of `givers` sent the payer money before a deposit."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of a service's reviews; `after` is where the next one begins, None at the end."""

    listing: Listing
    totals: Totals
    reviews: Sequence[Review]
    after: str | None


class Reviews:
    """The verbs of reviews. `demo` signs for a local chain's demo account."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        keys: Keys,
        listings: Listings,
        owners: Owners,
        funding: MoneyTrail,
        signatures: ReviewSignatures,
        terms: Terms,
        clock: Clock,
        stamp: Stamp,
        demo: KeySigner | None = None,
        passkeys: PasskeyBuyer | None = None,
    ) -> None:
        """Keep reviews in `database`; callers' networks as what `stamp` marks them by, which no reader understands."""
        self._database = database
        self._ledger = ledger
        self._keys = keys
        self._listings = listings
        self._owners = owners
        self._funding = funding
        self._signatures = signatures
        self._stamp = stamp
        self.passkeys = passkeys
        self._terms = terms
        self._clock = clock
        self._demo = demo
        self._rows = RowCache(database, clock, REVISION)

    async def revision(self) -> Hashable:
        """Return what differs whenever a review does, or the service that one is of."""
        return await self._rows.refresh(), await self._listings.revision()

    async def request(self, payer: Address, wish: ReviewWish) -> SigningRequest:
        """Return what the payer signs for a review.

        Raises:
            InvalidReview: for a text or rating that no review can have.
            ReviewRefused: when the payer has not paid for a call of the service.
        """
        check_rating(wish.rating)
        check_text(wish.text)
        asset = AssetId(wish.asset)
        call = wish.call or next((each.lease.call for each in await self._paid_calls(payer, asset)), None)
        if call is None:
            raise _refused(f"{payer} has not paid for a call of {format_asset(asset)}; call it first", "call")
        now = self._clock.now()
        message = {
            "payer": checksum(payer),
            "asset": wish.asset,
            "call": call,
            "rating": wish.rating,
            "text": wish.text,
            "time": now,
        }
        body = SignedReview(payer, wish.asset, call, wish.rating, wish.text, now, bytes(65)).as_json()
        terms = self._terms
        asked = Request(REVIEW, terms.till, terms.chain_id, message, "/v1/reviews", body, ["signature"])
        if self.passkeys and await self.passkeys.holds(payer):
            return await self.passkeys.for_passkey(payer, replace(asked, body={"review": body}), REVIEWS)
        return for_signing(asked, payer, self._demo)

    async def submit(self, wish: SignedReview, network: str | None = None) -> Review:
        """Store a review that its payer signed; an earlier one of the same payer and service is kept as its history.

        `network`: where the request comes from, as far as it is known.

        Raises:
            InvalidReview: for a text, rating or time that no review can have.
            ReviewRefused: when another signed it, or the call is not a paid one of this payer and service.
            ReviewTooSoon, Conflict: when the review was changed a moment ago, or is older than the stored one.
            TooManyReviews: when as many came from this network in a day.
            RpcUnavailable: when the chain has to be asked and does not answer.
            NotFound: for a service that is not known here.
        """
        check_rating(wish.rating)
        check_text(wish.text)
        now = self._clock.now()
        if not now - FRESH_SECONDS <= wish.time <= now + FRESH_SECONDS:
            raise InvalidReview(f"time is {wish.time}; sign it again, it is {now}", field="time", value=wish.time)
        if not await self._signatures.fits(wish):
            message = f"the signature is not {wish.payer}'s over this review on chain {self._terms.chain_id}"
            raise _refused(f"{message} and till {self._terms.till}; sign it again", "signature")
        asset = AssetId(wish.asset)
        listing = await self._listing(asset)
        call = await self._check_call(wish)
        paid = sum(each.bill.charge for each in await self._paid_calls(wish.payer, asset, call) if each.bill)
        review = Review(asset, wish.payer, wish.call, wish.rating, wish.text, wish.time, wish.signature, paid=paid)
        evidence, mine = await self._evidence(listing, wish.payer)
        mark = None if network is None else self._stamp.mark(f"network {network}".encode())
        try:
            async with self._database.transaction() as unit:
                await self._database.wait_turn(unit, "reviews")
                known = await find_review(unit, asset, wish.payer)
                if known is not None:
                    _check_replaces(review, known)
                if mark is not None:
                    await count_network(unit, review, mark, now)
                evidence = replace(
                    evidence,
                    reviewed_owners=bool(mine) and await any_reviewed(unit, mine, evidence.owners),
                    equal_texts=await count_equal_texts(unit, review, MOST_EQUAL_TEXTS),
                )
                flags = flags_of(evidence)
                weight = 0 if flags else weight_of(paid, self._terms.token.decimals)
                revision = known.revision + 1 if known else 1
                stored = replace(review, flags=flags, weight=weight, revision=revision)
                await put_review(unit, stored)
        except ConstraintViolated as error:
            raise Conflict("another review came at the same time; send it again", code="review_busy") from error
        self._rows.expire()
        return stored

    async def _evidence(self, listing: Listing, payer: Address) -> tuple[Evidence, Sequence[AssetId]]:
        """Return what is known of a payer outside the reviews, and the services that pay them."""
        owners, persons = await self._owners.owners_of(listing), await self._owners.persons_of(listing)
        mine = await self._owners.services_of(payer)
        evidence = Evidence(
            payer,
            owners,
            await self._owners.shares_bps(listing, payer),
            funded=await self._funding.came_from(persons, payer),
            owners_pay=bool(mine) and await self._any_paid(persons, mine),
        )
        return evidence, mine

    async def _any_paid(self, persons: Iterable[Address], assets: Sequence[AssetId]) -> bool:
        """Tell whether one of `persons` has paid for one of their last calls of one of `assets`."""
        for person in persons:
            accounts = {key.channel for key in await self._keys.list(person)}
            accounts |= {each.account for each in await self._ledger.deposits_of(person, _MOST_DEPOSITS)}
            calls = await self._ledger.latest_metered(sorted(accounts), _MOST_CALLS)
            if any(each.asset in assets and each.bill is not None and each.bill.charge for each in calls):
                return True
        return False

    async def answer(self, seller: Address, asset: AssetId, payer: Address, text: str) -> Review:
        """Store the seller's answer to a review, in place of an earlier one.

        Raises:
            InvalidReview: for a text that no answer can have.
            Denied: when `seller` neither receives the service's income nor owns its title.
            NotFound: when there is no such review.
        """
        check_text(text)
        listing = await self._listing(asset)
        if not await self.is_seller(listing, seller):
            message = f"{seller} does not sell {listing.name}; sign in as its payee or owner"
            raise Denied(message, code="not_the_seller", field="cookie")
        async with self._database.transaction() as unit:
            known = await find_review(unit, asset, payer)
            if known is None:
                raise _unknown(asset, payer)
            now = self._clock.now()
            await put_answer(unit, asset, payer, text, now)
        self._rows.expire()
        return replace(known, answer=text, answered_at=now)

    async def is_seller(self, listing: Listing, account: Address) -> bool:
        """Tell whether an account may answer for a service."""
        return account in await self._owners.owners_of(listing)

    async def show(self, asset: AssetId, after: str = "") -> Shown:
        """Return a page of a service's reviews, the newest first.

        Raises:
            NotFound: for a service that is not known here.
            InvalidReview: for an `after` that no page has named.
        """
        listing = await self._listing(asset)
        start = _read_cursor(after) if after else None
        async with self._database.snapshot() as unit:
            totals = await totals_of(unit, asset)
            found = await newest_reviews(unit, asset, start, PAGE + 1)
        last = found[PAGE - 1] if len(found) > PAGE else None
        return Shown(listing, totals or Totals(), found[:PAGE], f"{last.time}.{last.payer}" if last else None)

    async def history(self, asset: AssetId, payer: Address) -> list[Review]:
        """Return all that a payer said of a service, the newest first; raises NotFound."""
        async with self._database.snapshot() as unit:
            known = await find_review(unit, asset, payer)
            if known is None:
                raise _unknown(asset, payer)
            return [known, *await earlier_revisions(unit, asset, payer)]

    async def _listing(self, asset: AssetId) -> Listing:
        listing = await self._listings.by_id(asset)
        if listing is None:
            raise NotFound(f"asset {format_asset(asset)} is not sold here", code="asset_not_found", field="asset")
        return listing

    async def _check_call(self, wish: SignedReview) -> Call:
        call = await self._ledger.call(wish.call)
        if call is None or call.bill is None or not call.bill.charge:
            raise _refused(f"call {wish.call} has no receipt over a charge; name a call that was paid for", "call")
        if call.asset != wish.asset:
            raise _refused(f"call {wish.call} was of another service; name one of this service", "call")
        account = await self._ledger.account(call.lease.account)
        if account.reading.identity.owner != wish.payer:
            raise _refused(f"call {wish.call} was paid by another account; name one of your own", "call")
        return call

    async def _paid_calls(self, payer: Address, asset: AssetId, also: Call | None = None) -> list[Call]:
        """Return a payer's last paid calls of a service, by their keys and by the account of `also`."""
        accounts: set[Hash32] = {key.channel for key in await self._keys.list(payer)}
        if also is not None:
            accounts.add(also.lease.account)
        calls = await self._ledger.latest_metered(sorted(accounts), _MOST_CALLS)
        return [each for each in calls if each.asset == asset and each.bill is not None and each.bill.charge]


def _check_replaces(review: Review, known: Review) -> None:
    if review.time <= known.time:
        message = f"the stored review was signed at {known.time}, after this one; sign a new one"
        raise Conflict(message, code="review_replayed", field="time")
    if review.time < known.time + PAUSE_SECONDS:
        raise ReviewTooSoon(
            f"the review was changed a moment ago; wait {PAUSE_SECONDS} seconds",
            field="time",
            retry_after=PAUSE_SECONDS,
        )


def _read_cursor(text: str) -> tuple[int, Address]:
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise InvalidReview(f"after is {text[:60]!r}; leave it out, or take `next` of a page", field="after")
    return int(found[1]), Address(found[2])


def _refused(message: str, field: str) -> ReviewRefused:
    return ReviewRefused(message, field=field)


def _unknown(asset: AssetId, payer: Address) -> NotFound:
    return NotFound(f"{payer} has not reviewed {format_asset(asset)}", code="review_not_found", field="payer")
