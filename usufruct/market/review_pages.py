"""The page of a service's reviews (`/reviews-of/ASSET`): totals, reviews, a payer's form, the seller's answers."""

from datetime import UTC, datetime

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import format_asset
from usufruct.market.review_api import asset_of
from usufruct.market.review_model import LONGEST_TEXT
from usufruct.market.reviews import Reviews
from usufruct.web import Operation, Request
from usufruct.web.ui import NavigationLink, PageRoute, Pages
from usufruct_client.wire import Token

_PAGE = Operation(
    "Show people a service's reviews.",
    {"type": "string"},
    media_types=("text/html",),
    refuses={404: "the service is unknown"},
)


def review_pages(reviews: Reviews, sessions: Sessions, pages: Pages, token: Token) -> list[PageRoute]:
    """Return the routes of the page of reviews, which a service's page includes."""
    pages.add_section("service", NavigationLink("/reviews-of/{id}", "Reviews"))

    async def show(request: Request) -> Response:
        asset = asset_of(request)
        session = await sessions.find(request.exchange)
        found = await reviews.show(asset, request.query_params.get("after", ""))
        return pages.answer(
            request,
            "market/reviews.html",
            fragment="reviews",
            shown=found,
            asset=format_asset(asset),
            payer=session.address if session else None,
            is_seller=session is not None and await reviews.is_seller(found.listing, session.address),
            moment=lambda seconds: datetime.fromtimestamp(seconds, UTC),
            longest=LONGEST_TEXT,
            token=token,
        )

    return [PageRoute("GET", "/reviews-of/{asset}", show, _PAGE)]
