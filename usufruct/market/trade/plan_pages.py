"""The section of a service's page that lists its plans of prepaid credits (`/plans-of/ASSET`)."""

from contextlib import suppress
from urllib.parse import quote

from starlette.responses import Response

from usufruct.core import Unavailable
from usufruct.market.trade.offer_documents import asset_of
from usufruct.market.trade.plans_on_sale import PlansOnSale, ServicePlans
from usufruct.market.trade.trade_pages import moment
from usufruct.web import Operation, Request
from usufruct.web.ui import NavigationLink, PageRoute, Pages

_PAGE = Operation(
    "Show people which prepaid packages of a service are on sale.",
    {"type": "string"},
    media_types=("text/html",),
    refuses={404: "the service is unknown"},
)


def plan_pages(plans: PlansOnSale, pages: Pages) -> list[PageRoute]:
    """Return the route of the section."""
    pages.add_section("service plans", NavigationLink("/plans-of/{id}", "Prepaid packages"))

    async def show(request: Request) -> Response:
        asset = asset_of(request)
        found: ServicePlans | None = None
        with suppress(Unavailable):  # the section says so: the rest of the page does not depend on the node
            found = await plans.of(asset)
        return pages.answer(
            request,
            "market/plans.html",
            fragment="plans",
            found=found,
            unit=found.unit if found else None,
            moment=moment,
            service_path=lambda name: f"/s/{quote(name)}",
            passes_path=lambda name: f"/passes/{quote(name)}",
        )

    return [PageRoute("GET", "/plans-of/{asset}", show, _PAGE)]
