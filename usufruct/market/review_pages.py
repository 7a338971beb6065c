"""The page of a service's reviews (`/reviews-of/ASSET`): totals, reviews, a payer's form, the seller's answers."""

from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import format_asset
from usufruct.market.review_api import asset_of
from usufruct.market.review_model import LONGEST_TEXT
from usufruct.market.reviews import Reviews
from usufruct.web import Operation, Request
from usufruct.web.ui import NavigationLink, PageRoute, Pages
from usufruct_client.wire import Token

_TEMPLATE, _FRAGMENT = "market/reviews.html", "reviews"
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
        session, revision = await sessions.find(request.exchange), await reviews.revision()
        payer, after = session.address if session else None, request.query_params.get("after", "")

        async def draw() -> dict[str, Any]:
            asset = asset_of(request)
            found = await reviews.show(asset, after)
            return {
                "shown": found,
                "asset": format_asset(asset),
                "payer": payer,
                "is_seller": payer is not None and await reviews.is_seller(found.listing, payer),
                "moment": lambda seconds: datetime.fromtimestamp(seconds, UTC),
                "longest": LONGEST_TEXT,
                "token": token,
            }

        if payer is None:
            return await pages.kept(request, _TEMPLATE, revision, draw, of=after, fragment=_FRAGMENT)
        return pages.answer(request, _TEMPLATE, fragment=_FRAGMENT, **await draw())

    return [PageRoute("GET", "/reviews-of/{asset}", show, _PAGE)]
