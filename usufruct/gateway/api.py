"""The routes OpenAI's clients know, and `/v1/receipts/{call}`."""

from functools import partial

from usufruct.gateway.errors import UnknownModel
from usufruct.gateway.model import Endpoint
from usufruct.gateway.service import Gateway
from usufruct.web import Exchange, Route

_PAID = {"/v1/chat/completions": Endpoint.CHAT, "/v1/embeddings": Endpoint.EMBEDDINGS}
_MODELS = "/v1/models/"
_RECEIPTS = "/v1/receipts/"


def gateway_routes(gateway: Gateway) -> list[Route]:
    """Return the gateway's routes."""

    async def models(exchange: Exchange) -> None:
        await exchange.answer_json({"object": "list", "data": await gateway.models()})

    async def model(exchange: Exchange) -> None:
        name = exchange.path[len(_MODELS) :]
        found = next((offer for offer in await gateway.models() if offer["id"] == name), None)
        if found is None:
            raise UnknownModel(
                f"there is no service named {name[:200]!r} here; GET /v1/models lists them", field="model"
            )
        await exchange.answer_json(found)

    async def receipt(exchange: Exchange) -> None:
        found = await gateway.receipt(exchange, exchange.path[len(_RECEIPTS) :])
        await exchange.answer_json(
            {
                "receipt": found.as_json(),
                "ceiling": str(found.ceiling),
                "flagged": found.flagged,
                "counted_by": found.counted_by.value,
                "reasoning_tokens": found.reasoning_tokens,
            }
        )

    wallets = [] if gateway.wallets is None else [Route("GET", path, gateway.wallets.refund) for path in _PAID]
    return [
        *wallets,
        *(Route("POST", path, partial(gateway.answer, endpoint=endpoint)) for path, endpoint in _PAID.items()),
        Route("GET", "/v1/models", models),
        Route("GET", _MODELS, model),
        Route("GET", _RECEIPTS, receipt),
    ]
