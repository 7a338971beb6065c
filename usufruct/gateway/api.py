"""The routes OpenAI's clients know, and `/v1/receipts/{call}`."""

from functools import partial

from starlette.responses import Response

from usufruct.gateway.errors import UnknownModel
from usufruct.gateway.model import Endpoint
from usufruct.gateway.service import Gateway
from usufruct.web import AnyRoute, RawRoute, Request, Route, json_response

_PAID = {"/v1/chat/completions": Endpoint.CHAT, "/v1/embeddings": Endpoint.EMBEDDINGS}


def gateway_routes(gateway: Gateway) -> list[AnyRoute]:
    """Return the gateway's routes."""

    async def models(request: Request) -> Response:
        return json_response({"object": "list", "data": await gateway.models()})

    async def model(request: Request) -> Response:
        name = request.path_params["model"]
        found = next((offer for offer in await gateway.models() if offer["id"] == name), None)
        if found is None:
            raise UnknownModel(
                f"there is no service named {name[:200]!r} here; GET /v1/models lists them", field="model"
            )
        return json_response(found)

    async def receipt(request: Request) -> Response:
        found = await gateway.receipt(request.exchange, request.path_params["call"])
        return json_response(
            {
                "receipt": found.as_json(),
                "ceiling": str(found.ceiling),
                "flagged": found.flagged,
                "counted_by": found.counted_by.value,
                "reasoning_tokens": found.reasoning_tokens,
            }
        )

    wallets = [] if gateway.wallets is None else [RawRoute("GET", path, gateway.wallets.refund) for path in _PAID]
    return [
        *wallets,
        *(RawRoute("POST", path, partial(gateway.answer, endpoint=endpoint)) for path, endpoint in _PAID.items()),
        Route("GET", "/v1/models", models),
        Route("GET", "/v1/models/{model:path}", model),
        Route("GET", "/v1/receipts/{call}", receipt),
    ]
