"""Reviews as JSON: what a wallet signs, the signed review, a service's reviews, a history, a seller's answer."""

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import Address, AssetId, UsufructError, address
from usufruct.market.passkey_buyer import REVIEWS
from usufruct.market.review_model import InvalidReview, Review, Totals
from usufruct.market.reviews import Reviews
from usufruct.web import Operation, Request, Route, client_network, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.passkey_wire import PasskeyReviewWish
from usufruct_client.wire import (
    ReviewAnswer,
    ReviewFacts,
    ReviewHistory,
    ReviewPage,
    ReviewTotals,
    ReviewWish,
    SignedReview,
    SigningRequest,
)

PATH = "/v1/reviews"

_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in"}
_UNKNOWN = {404: "the service, or the review, is unknown"}
_REQUEST = Operation(
    "Return what a wallet signs for a review.", SigningRequest, ReviewWish, takes=_COOKIE, refuses=_REFUSES
)
_SUBMIT = Operation(
    "Review a service that was paid for; an earlier review of the same payer becomes its history.",
    ReviewFacts,
    SignedReview,
    201,
    refuses={
        403: "another signed it, or the call is none that this payer paid for",
        409: "it was sent before",
        429: "as many came from the caller's network",
    },
)
_BY_PASSKEY = Operation(
    "Review a service by a passkey of the signed-in account.",
    ReviewFacts,
    PasskeyReviewWish,
    201,
    takes=_COOKIE,
    refuses=_REFUSES | {403: "the passkey did not sign this, or the call is none that this payer paid for"},
)
_LIST = Operation(
    "List a service's reviews, the newest first.",
    ReviewPage,
    asks={"after": "`next` of the page before"},
    refuses=_UNKNOWN,
)
_HISTORY = Operation("List all that a payer said of a service.", ReviewHistory, refuses=_UNKNOWN)
_ANSWER = Operation(
    "Answer a review as the service's seller.", ReviewFacts, ReviewAnswer, takes=_COOKIE, refuses=_REFUSES | _UNKNOWN
)


def review_routes(reviews: Reviews, sessions: Sessions) -> list[Route]:
    """Return the routes under `/v1/reviews`. A signed review needs no session: its signature says whose it is."""

    async def request_review(request: Request) -> Response:
        payer = (await sessions.require(request.exchange)).address
        return document_response(await reviews.request(payer, await request.read(ReviewWish, _refusal)))

    async def submit(request: Request) -> Response:
        return document_response(
            facts(await reviews.submit(await request.read(SignedReview, _refusal), client_network(request.exchange))),
            201,
        )

    async def submit_by_passkey(request: Request) -> Response:
        assert reviews.passkeys is not None
        account = (await sessions.require(request.exchange)).address
        wish = await request.read(PasskeyReviewWish, _refusal)
        signed = await reviews.passkeys.signed_review(account, wish, reviews.passkeys.site(request.exchange))
        return document_response(facts(await reviews.submit(signed, client_network(request.exchange))), 201)

    async def listed(request: Request) -> Response:
        found = await reviews.show(asset_of(request), request.query_params.get("after", ""))
        return document_response(
            ReviewPage(_totals(found.totals), [facts(each) for each in found.reviews], found.after)
        )

    async def history(request: Request) -> Response:
        found = await reviews.history(asset_of(request), _payer(request))
        return document_response(ReviewHistory([facts(each) for each in found]))

    async def answer(request: Request) -> Response:
        seller = (await sessions.require(request.exchange)).address
        wish = await request.read(ReviewAnswer, _refusal)
        return document_response(facts(await reviews.answer(seller, asset_of(request), _payer(request), wish.text)))

    by_passkey = [PageRoute("POST", REVIEWS, submit_by_passkey, _BY_PASSKEY)] if reviews.passkeys else []
    return [
        *by_passkey,
        PageRoute("POST", f"{PATH}/requests", request_review, _REQUEST),
        Route("POST", PATH, submit, _SUBMIT),
        Route("GET", f"{PATH}/{{asset}}", listed, _LIST),
        Route("GET", f"{PATH}/{{asset}}/{{payer}}", history, _HISTORY),
        PageRoute("POST", f"{PATH}/{{asset}}/{{payer}}/answer", answer, _ANSWER),
    ]


def asset_of(request: Request) -> AssetId:
    """Return the asset that a request's path names."""
    text = request.path_params["asset"]
    try:
        number = int(text, 16)
    except ValueError:
        number = -1
    if not (0 <= number < 1 << 128 and text.startswith("0x")):
        raise InvalidReview(f"asset is {text[:60]!r}; give its id: 0x and 32 hex digits", field="asset")
    return AssetId(number)


def facts(review: Review) -> ReviewFacts:
    """Return a review as anyone may see it."""
    return ReviewFacts(
        review.payer,
        review.asset,
        review.call,
        review.rating,
        review.text,
        review.time,
        review.signature,
        review.revision,
        review.paid,
        review.weight,
        list(review.flags),
        review.answer,
        review.answered_at,
    )


def _totals(totals: Totals) -> ReviewTotals:
    return ReviewTotals(totals.count, totals.flagged, totals.weight, totals.mean, list(totals.stars))


def _payer(request: Request) -> Address:
    return address(request.path_params["payer"])


def _refusal(message: str, field: str) -> UsufructError:
    return InvalidReview(message, field=field)
