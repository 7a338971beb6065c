"""The routes OpenAI's clients know, and `/v1/receipts/{call}`."""

from functools import partial

from starlette.responses import Response

from usufruct.gateway.descriptions import MODEL, MODELS, QUALITY, RECEIPT, REFUND, SERVICES
from usufruct.gateway.quality.document import quality_document, window_document
from usufruct.gateway.search.query import Search
from usufruct.gateway.service import Gateway
from usufruct.web import AnyRoute, RawRoute, Request, Route, document_response, json_response
from usufruct_client.wire import FoundService, FoundServices, ModelList


def gateway_routes(gateway: Gateway) -> list[AnyRoute]:
    """Return the gateway's routes."""

    async def models(request: Request) -> Response:
        return document_response(ModelList("list", await gateway.models()))

    async def model(request: Request) -> Response:
        return document_response(await gateway.model(request.path_params["model"]))

    async def services(request: Request) -> Response:
        found = await gateway.find(Search.read(request.query_params))
        services = [FoundService(each.card, window_document(each.measured), each.imitates) for each in found.services]
        return document_response(FoundServices(found.total, found.page, found.pages, services))

    async def quality(request: Request) -> Response:
        name = request.path_params["model"]
        return document_response(quality_document(name, await gateway.quality_of(name)))

    async def receipt(request: Request) -> Response:
        found = await gateway.receipt(request.exchange, request.path_params["call"])
        return json_response(
            {
                "receipt": found.document.as_json(),
                "flagged": found.bill.flagged,
                "reasoning_tokens": found.bill.reasoning_tokens,
            }
        )

    operations, x402, serve = gateway.operations, gateway.pipeline.payments.x402, gateway.pipeline.serve
    return [
        *(RawRoute("GET", each.path, x402.refund, REFUND) for each in operations if x402),
        *(RawRoute("POST", each.path, partial(serve, operation=each), each.described) for each in operations),
        Route("GET", "/v1/models", models, MODELS),
        Route("GET", "/v1/models/{model:path}", model, MODEL),
        Route("GET", "/v1/services", services, SERVICES),
        Route("GET", "/v1/quality/{model:path}", quality, QUALITY),
        Route("GET", "/v1/receipts/{call}", receipt, RECEIPT),
    ]
