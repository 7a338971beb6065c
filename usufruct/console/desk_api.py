"""The seller's desk as JSON, for the signed-in operator or title holder: `/v1/desk`."""

from starlette.responses import Response

from usufruct.assets import Listing
from usufruct.console.operators import Operators
from usufruct.console.sale_forms import read_page, refuse
from usufruct.console.seller_desk import Desk
from usufruct.console.sellers import Seller, Sellers
from usufruct.web import Operation, Request, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.desk_documents import (
    DeskFigures,
    LevelDiscount,
    NewKey,
    NewPrice,
    Pause,
    Payout,
    PriceChange,
    Retirement,
    SampleOffer,
)
from usufruct_client.sale_documents import NewSample

PATH = "/v1/desk"

_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in", 403: "the signed-in wallet is neither an operator's nor the title holder's"}
_OPERATORS = {401: "no one is signed in", 403: "the signed-in wallet is not an operator's"}
_SHOW = Operation(
    "Return what services earn: all together, and 24 of them a page (`page`).",
    DeskFigures,
    takes=_COOKIE,
    refuses=_REFUSES | {400: "`page` is not a number"},
)
_PRICE = Operation("Change a price, at its notice.", PriceChange, NewPrice, takes=_COOKIE, refuses=_REFUSES)
_RETIRE = Operation("Take a service off sale.", Retirement, takes=_COOKIE, refuses=_REFUSES)
_PAUSE = Operation("Refuse new calls of a service until it is resumed.", Pause, takes=_COOKIE, refuses=_REFUSES)
_RESUME = Operation("Take new calls of a service again.", Pause, takes=_COOKIE, refuses=_REFUSES)
_SAMPLE = Operation(
    "Let visitors try a service without payment.", SampleOffer, NewSample, takes=_COOKIE, refuses=_REFUSES
)
_NO_SAMPLE = Operation("End a service's free samples.", SampleOffer, takes=_COOKIE, refuses=_REFUSES)
_DISCOUNT = Operation(
    "Let the staking levels of payers lower a service's prices.",
    LevelDiscount,
    LevelDiscount,
    takes=_COOKIE,
    refuses=_REFUSES,
)
_KEY = Operation(
    "Replace the API key of a service's server.",
    None,
    NewKey,
    204,
    takes=_COOKIE,
    refuses=_OPERATORS | {400: "the service has no such server", 409: "it has several servers, and none is named"},
)
_COLLECT = Operation("Collect what the operator's shares earned.", Payout, takes=_COOKIE, refuses=_REFUSES)


def desk_routes(desk: Desk, operators: Operators, sellers: Sellers) -> list[PageRoute]:
    """Return the routes under `/v1/desk`."""

    async def show(request: Request) -> Response:
        seller = await sellers.require(request.exchange)
        return document_response(await desk.figures(seller, read_page(request.query_params)))

    async def price(request: Request) -> Response:
        seller, listing = await _of(request)
        wish = await request.read(NewPrice, refuse)
        return document_response(await desk.set_price(seller.address, listing.name, wish))

    async def retire(request: Request) -> Response:
        seller, listing = await _of(request)
        return document_response(await desk.retire(seller.address, listing.name))

    async def key(request: Request) -> Response:
        await operators.require(request.exchange)
        _, listing = await _of(request)
        await desk.replace_key(listing.name, await request.read(NewKey, refuse))
        return Response(status_code=204)

    async def collect(request: Request) -> Response:
        seller, listing = await _of(request)
        return document_response(await desk.collect(seller.address, listing.name))

    async def pause(request: Request) -> Response:
        _, listing = await _of(request)
        return document_response(await desk.pause(listing.name))

    async def resume(request: Request) -> Response:
        _, listing = await _of(request)
        return document_response(await desk.resume(listing.name))

    async def offer_sample(request: Request) -> Response:
        _, listing = await _of(request)
        return document_response(await desk.offer_sample(listing.name, await request.read(NewSample, refuse)))

    async def end_sample(request: Request) -> Response:
        _, listing = await _of(request)
        return document_response(await desk.offer_sample(listing.name, None))

    async def discount(request: Request) -> Response:
        _, listing = await _of(request)
        wish = await request.read(LevelDiscount, refuse)
        return document_response(await desk.give_level_discount(listing.name, wish))

    async def _of(request: Request) -> tuple[Seller, Listing]:
        return await sellers.require_of(request.exchange, request.path_params["service"])

    one = f"{PATH}/{{service}}"
    return [
        PageRoute("GET", PATH, show, _SHOW),
        PageRoute("POST", f"{one}/price", price, _PRICE),
        PageRoute("POST", f"{one}/retire", retire, _RETIRE),
        PageRoute("POST", f"{one}/pause", pause, _PAUSE),
        PageRoute("POST", f"{one}/resume", resume, _RESUME),
        PageRoute("POST", f"{one}/sample", offer_sample, _SAMPLE),
        PageRoute("DELETE", f"{one}/sample", end_sample, _NO_SAMPLE),
        PageRoute("POST", f"{one}/discount", discount, _DISCOUNT),
        PageRoute("POST", f"{one}/key", key, _KEY),
        PageRoute("POST", f"{one}/collect", collect, _COLLECT),
    ]
