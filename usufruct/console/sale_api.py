"""Selling as JSON, for the signed-in operator: `/v1/sales`."""

from starlette.responses import Response

from usufruct.console.operators import Operators
from usufruct.console.sale_forms import refuse
from usufruct.console.sales import Sales
from usufruct.core import Address
from usufruct.web import Operation, Request, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.sale_documents import (
    Confirmation,
    CostWish,
    FoundServers,
    ModelWish,
    OwnershipWish,
    PriceWish,
    SaleDraft,
    SaleDrafts,
    ServerWish,
    Suggestion,
)
from usufruct_client.wire import SessionFacts

PATH = "/v1/sales"

_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in", 403: "the signed-in wallet is not an operator's"}
_SERVERS = Operation("List the model servers of this machine.", FoundServers, takes=_COOKIE, refuses=_REFUSES)
_LIST = Operation("List the seller's drafts.", SaleDrafts, takes=_COOKIE, refuses=_REFUSES)
_START = Operation("Start a sale.", SaleDraft, status=201, takes=_COOKIE, refuses=_REFUSES)
_SHOW = Operation("Return a sale.", SaleDraft, takes=_COOKIE, refuses=_REFUSES)
_REMOVE = Operation("Forget a draft; a service that is on sale stays so.", status=204, takes=_COOKIE, refuses=_REFUSES)
_SERVER = Operation("Choose a server, and look at it.", SaleDraft, ServerWish, takes=_COOKIE, refuses=_REFUSES)
_MODEL = Operation("Choose one of its models, and look at it.", SaleDraft, ModelWish, takes=_COOKIE, refuses=_REFUSES)
_SUGGEST = Operation("Suggest a price.", Suggestion, CostWish, takes=_COOKIE, refuses=_REFUSES)
_PRICE = Operation("Set name and price.", SaleDraft, PriceWish, takes=_COOKIE, refuses=_REFUSES)
_OWNERS = Operation("Choose who receives the income.", SaleDraft, OwnershipWish, takes=_COOKIE, refuses=_REFUSES)
_CONFIRM = Operation(
    "Register, list and go live, once; or return what the wallet sends first.",
    Confirmation,
    takes=_COOKIE,
    refuses=_REFUSES | {409: "a step is missing, or the name is taken"},
)
_ENTER = Operation(
    "Sign in as a devnet's operator, on its own machine.",
    SessionFacts,
    status=201,
    gives={"set-cookie": "the session's id, for this host only"},
    refuses={403: "not a devnet, or from elsewhere"},
)


def sale_routes(sales: Sales, operators: Operators) -> list[PageRoute]:
    """Return the routes under `/v1/sales`, and a devnet operator's sign-in."""

    async def enter(request: Request) -> Response:
        session = await operators.enter(request.exchange)
        return document_response(SessionFacts(session.address, session.expires_at), 201)

    async def servers(request: Request) -> Response:
        await operators.require(request.exchange)
        return document_response(FoundServers(await sales.servers()))

    async def list_drafts(request: Request) -> Response:
        return document_response(SaleDrafts(await sales.list(await operators.require(request.exchange))))

    async def start(request: Request) -> Response:
        return document_response(await sales.start(await operators.require(request.exchange)), 201)

    async def show(request: Request) -> Response:
        return document_response(await sales.find(*await _which(request)))

    async def remove(request: Request) -> Response:
        await sales.remove(*await _which(request))
        return Response(status_code=204)

    async def server(request: Request) -> Response:
        which = await _which(request)
        return document_response(await sales.choose_server(*which, await request.read(ServerWish, refuse)))

    async def model(request: Request) -> Response:
        which = await _which(request)
        return document_response(await sales.choose_model(*which, await request.read(ModelWish, refuse)))

    async def suggest(request: Request) -> Response:
        which = await _which(request)
        return document_response(await sales.suggest(*which, await request.read(CostWish, refuse)))

    async def price(request: Request) -> Response:
        which = await _which(request)
        return document_response(await sales.set_price(*which, await request.read(PriceWish, refuse)))

    async def owners(request: Request) -> Response:
        which = await _which(request)
        return document_response(await sales.set_ownership(*which, await request.read(OwnershipWish, refuse)))

    async def confirm(request: Request) -> Response:
        return document_response(await sales.confirm(*await _which(request)))

    async def _which(request: Request) -> tuple[Address, str]:
        return await operators.require(request.exchange), request.path_params["sale"]

    one = f"{PATH}/{{sale}}"
    return [
        PageRoute("POST", "/v1/sessions/operator", enter, _ENTER),
        PageRoute("GET", f"{PATH}/servers", servers, _SERVERS),
        PageRoute("GET", PATH, list_drafts, _LIST),
        PageRoute("POST", PATH, start, _START),
        PageRoute("GET", one, show, _SHOW),
        PageRoute("DELETE", one, remove, _REMOVE),
        PageRoute("POST", f"{one}/server", server, _SERVER),
        PageRoute("POST", f"{one}/model", model, _MODEL),
        PageRoute("POST", f"{one}/suggestion", suggest, _SUGGEST),
        PageRoute("POST", f"{one}/price", price, _PRICE),
        PageRoute("POST", f"{one}/owners", owners, _OWNERS),
        PageRoute("POST", f"{one}/confirm", confirm, _CONFIRM),
    ]
