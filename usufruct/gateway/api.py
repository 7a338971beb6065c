"""The routes OpenAI's clients know, `/v1/receipts/{call}`, and a page for people at the root."""

from functools import partial

from starlette.responses import Response

from usufruct.gateway.descriptions import CHAT, EMBEDDINGS, MODEL, MODELS, RECEIPT, REFUND, ROOT
from usufruct.gateway.model import Endpoint
from usufruct.gateway.pages import root_page
from usufruct.gateway.service import Gateway
from usufruct.web import AnyRoute, RawRoute, Request, Route, document_response
from usufruct_client.wire import KeptReceipt, ModelList

_PAID = (
    ("/v1/chat/completions", Endpoint.CHAT, CHAT),
    ("/v1/embeddings", Endpoint.EMBEDDINGS, EMBEDDINGS),
)


def gateway_routes(gateway: Gateway) -> list[AnyRoute]:
    """Return the gateway's routes."""

    async def root(request: Request) -> Response:
        return root_page(await gateway.models(), request.exchange.url.removesuffix("/"))

    async def models(request: Request) -> Response:
        return document_response(ModelList("list", await gateway.models()))

    async def model(request: Request) -> Response:
        return document_response(await gateway.model(request.path_params["model"]))

    async def receipt(request: Request) -> Response:
        found = await gateway.receipt(request.exchange, request.path_params["call"])
        return document_response(KeptReceipt(found.as_json(), found.flagged, found.reasoning_tokens))

    refund = gateway.wallets and gateway.wallets.refund
    return [
        *(RawRoute("GET", path, refund, REFUND) for path, *_ in _PAID if refund),
        *(RawRoute("POST", path, partial(gateway.answer, endpoint=each), described) for path, each, described in _PAID),
        Route("GET", "/", root, ROOT),
        Route("GET", "/v1/models", models, MODELS),
        Route("GET", "/v1/models/{model:path}", model, MODEL),
        Route("GET", "/v1/receipts/{call}", receipt, RECEIPT),
    ]
