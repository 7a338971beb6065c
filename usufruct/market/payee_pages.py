"""Who is paid for a service: the section of its page (`/payees-of/ASSET`), and the same as JSON."""

from contextlib import suppress
from urllib.parse import quote

from starlette.responses import Response

from usufruct.chain import RpcUnavailable
from usufruct.core import format_asset
from usufruct.market.payee_split import Role
from usufruct.market.payees import PaidService, Payees
from usufruct.market.review_api import asset_of
from usufruct.web import Operation, Request, Route, document_response
from usufruct.web.ui import NavigationLink, PageRoute, Pages
from usufruct_client.payee_documents import PaidPart, PaidParts
from usufruct_client.wire import Token

_UNKNOWN = {404: "the service is unknown"}
_PAGE = Operation(
    "Show people who is paid for a service.", {"type": "string"}, media_types=("text/html",), refuses=_UNKNOWN
)
_PARTS = Operation(
    "Tell who is paid how much of one coin that a service takes; a minute old at most.",
    PaidParts,
    refuses=_UNKNOWN | {503: "the service has revenue shares, and the chain's node does not answer"},
)


def payee_routes(payees: Payees, pages: Pages, token: Token) -> list[Route]:
    """Return the routes of the section of a service's page that names its payees, and of its JSON."""
    pages.add_section("service", NavigationLink("/payees-of/{id}", "Who is paid"))

    async def show(request: Request) -> Response:
        asset = asset_of(request)
        found: PaidService | None = None
        with suppress(RpcUnavailable):  # the section says so: the rest of the page does not depend on the node
            found = await payees.of(asset)
        return pages.answer(
            request,
            "market/payees.html",
            fragment="payees",
            found=found,
            asset=format_asset(asset),
            token=token,
            role=Role,
            service_path=lambda name: f"/s/{quote(name)}",
        )

    async def parts(request: Request) -> Response:
        split = (await payees.of(asset_of(request))).split
        listed = [PaidPart(each.role.value, each.amount, each.count, each.address, each.name) for each in split.parts]
        return document_response(PaidParts(split.whole, split.owners, listed))

    return [
        PageRoute("GET", "/payees-of/{asset}", show, _PAGE),
        Route("GET", "/v1/payees/{asset}", parts, _PARTS),
    ]
