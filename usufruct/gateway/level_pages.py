"""What the reader's staking level saves on a service (`/level-of/ASSET`), which the service's page includes."""

from typing import Any

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import asset_id
from usufruct.gateway.descriptions import LEVEL_PAGE
from usufruct.gateway.service import Gateway
from usufruct.gateway.usual_calls import usual_cost_up
from usufruct.payments.pricing import PayerBenefits
from usufruct.web import Request
from usufruct.web.ui import NavigationLink, PageRoute, Pages

_TEMPLATE, _FRAGMENT = "gateway/level.html", "level"


def level_pages(gateway: Gateway, benefits: PayerBenefits, sessions: Sessions, pages: Pages) -> list[PageRoute]:
    """Return the route of the page of a reader's level."""
    pages.add_section("price", NavigationLink("/level-of/{id}", "Your level"))

    async def show(request: Request) -> Response:
        card = await gateway.model_of(asset_id(request.path_params["asset"]))
        session = await sessions.find(request.exchange)
        values: dict[str, Any] = {}
        if session is not None and card.level_discounts:
            level = (await benefits.of(session.address)).level
            discount = card.level_discounts[level - 1] if level else 0
            cost = usual_cost_up(card.price.discounted_up(discount), card.endpoint)
            values = {"level": level, "discount": discount, "cost": cost}
        signed_in = session is not None
        answer = pages.answer(request, _TEMPLATE, fragment=_FRAGMENT, card=card, signed_in=signed_in, **values)
        answer.headers["cache-control"] = "private, no-store"
        return answer

    return [PageRoute("GET", "/level-of/{asset}", show, LEVEL_PAGE)]
