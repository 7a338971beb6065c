"""The routes OpenAI's clients know, and `/v1/receipts/{call}`."""

from functools import partial

from starlette.responses import Response

from usufruct.gateway.descriptions import MODEL, MODELS, QUALITY, RECEIPT, REFUND, SAMPLE, SERVICES, sampled
from usufruct.gateway.errors import InvalidRequest
from usufruct.gateway.quality.document import quality_document, window_document
from usufruct.gateway.search.query import Search
from usufruct.gateway.service import Gateway
from usufruct.web import AnyRoute, RawRoute, Request, Route, client_network, document_response, json_response
from usufruct_client.wire import FoundService, FoundServices, ModelList


def sample_path(path: str) -> str:
    """Return the path of a paid endpoint's free calls, under a base URL of their own."""
    return path.replace("/v1/", "/v1/samples/", 1)


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

    async def sample(request: Request) -> Response:
        name = request.query_params.get("model", "")
        if not name:
            raise InvalidRequest("model is missing; name a service: /v1/samples?model=NAME", field="model")
        found = await gateway.sample_balance(name, client_network(request.exchange))
        return document_response(found, headers={"cache-control": "private, no-store"})

    serve_sample = gateway.sample_pipeline.serve
    operations, x402, serve = gateway.operations, gateway.pipeline.payments.x402, gateway.pipeline.serve
    return [
        *(RawRoute("GET", each.path, x402.refund, REFUND) for each in operations if x402),
        *(RawRoute("POST", each.path, partial(serve, operation=each), each.described) for each in operations),
        *(
            RawRoute("POST", sample_path(each.path), partial(serve_sample, operation=each), sampled(each.described))
            for each in gateway.sample_operations
        ),
        Route("GET", "/v1/samples", sample, SAMPLE),
        Route("GET", "/v1/models", models, MODELS),
        Route("GET", "/v1/models/{model:path}", model, MODEL),
        Route("GET", "/v1/services", services, SERVICES),
        Route("GET", "/v1/quality/{model:path}", quality, QUALITY),
        Route("GET", "/v1/receipts/{call}", receipt, RECEIPT),
    ]
