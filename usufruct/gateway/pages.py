"""The pages for people: what is sold at which price (`/`), and how to call and pay one service (`/s/NAME`)."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from usufruct.chain.contracts.asset_registry import Kind
from usufruct.core.networks import is_devnet, is_local
from usufruct.gateway.descriptions import ROOT, SERVICE_PAGE
from usufruct.gateway.discovery import discovery_routes, linked_data
from usufruct.gateway.quality.summary import LEAST_SAMPLE
from usufruct.gateway.receipt_pages import receipt_pages
from usufruct.gateway.refusals import REFUSALS
from usufruct.gateway.search.query import Order, Search
from usufruct.gateway.service import Gateway
from usufruct.gateway.usual_calls import usual_cost_up
from usufruct.web import Request, Route
from usufruct.web.ui import Language, NavigationLink, PageRoute, Pages
from usufruct_client.wire import ModelCard, ModelPrice

_SNIPPET = """from openai import OpenAI

client = OpenAI(base_url="{url}/v1", api_key="uf_...")
{ask}"""
_CHAT = """answer = client.chat.completions.create(
    model={model},
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(answer.choices[0].message.content, answer.usage.cost)"""
_EMBEDDINGS = """answer = client.embeddings.create(model={model}, input="Hello")
print(answer.data[0].embedding, answer.usage.cost)"""

_JAVASCRIPT = """import OpenAI from "openai";

const client = new OpenAI({{ baseURL: "{url}/v1", apiKey: "uf_..." }});
{ask}"""
_CHAT_IN_JAVASCRIPT = """const answer = await client.chat.completions.create({{
  model: {model},
  messages: [{{ role: "user", content: "Hello" }}],
}});
console.log(answer.choices[0].message.content, answer.usage.cost);"""
_EMBEDDINGS_IN_JAVASCRIPT = """const answer = await client.embeddings.create({{ model: {model}, input: "Hello" }});
console.log(answer.data[0].embedding, answer.usage.cost);"""

_CALL = """# pays with a key that --save kept, or with --key-file FILE
usufruct call --gateway {url} {service} Hello"""

_CURL = """curl {url}/v1/{path} -H "authorization: Bearer uf_..." \\
  -H "content-type: application/json" -d {body}"""

_KEY = """{chain}usufruct wallet new me
{fund}
usufruct key create --gateway {url} --wallet me --limit 5 --deposit 2"""
_CHAIN = "export USUFRUCT_CHAIN_ID={chain_id} USUFRUCT_CHAIN_RPC_URL=https://...  # a node that you trust\n"

_X402 = """from openai import OpenAI
from usufruct_client import Wallet, connect

wallet = Wallet.from_key(private_key)
gateway = connect(
    "{url}",
    wallet,
    limit={limit},  # at most {limit_words} a call,
    budget={budget},  # and {budget_words} in all
    store="channels.db",
)
client = OpenAI(base_url=gateway.base_url, api_key=gateway.api_key, http_client=gateway.client())
{ask}"""


@dataclass(frozen=True, slots=True)
class Snippets:
    """Text to copy that calls one service: how to get a key, and a call by each kind of client.

    `call`: by the command line, which asks chat services only; empty for others.
    """

    key: str
    openai: str
    javascript: str
    curl: str
    call: str
    x402: str


def gateway_pages(gateway: Gateway, pages: Pages) -> list[Route]:
    """Return the routes of the gateway's pages."""
    pages.add_package("usufruct.gateway", [NavigationLink("/", "Services", position=100)], REFUSALS)
    chain_id = gateway.pipeline.operator.escrow.chain_id

    async def services(request: Request) -> Response:
        search, revision = Search.read(request.query_params), await gateway.revision()

        async def draw() -> dict[str, Any]:
            return {
                "search": search,
                "found": await gateway.find(search),
                "operations": [each.name for each in gateway.operations],
                "kinds": [each.name.lower() for each in Kind],
                "orders": list(Order),
                "facts": _FACTS,
                "local": is_local(chain_id),
            }

        return await pages.kept(request, "gateway/services.html", revision, draw, of=search, fragment="results")

    async def service(request: Request) -> Response:
        revision = await gateway.revision()

        async def draw() -> dict[str, Any]:
            card = await gateway.model(request.path_params["name"])
            return {
                "card": card,
                "facts": _FACTS,
                "local": is_local(chain_id),
                "snippets": service_snippets(card, request.exchange.root, chain_id),
                "quality": await gateway.quality_of(card.id),
                "least": LEAST_SAMPLE,
                "history": await gateway.history(card.id),
                "linked_data": linked_data(card, pages.site.name, request.exchange.root),
            }

        return await pages.kept(request, "gateway/service.html", revision, draw)

    return [
        PageRoute("GET", "/", services, ROOT),
        PageRoute("GET", "/s/{name:path}", service, SERVICE_PAGE),
        *receipt_pages(gateway, pages),
        *discovery_routes(gateway, pages),
    ]


def service_path(name: str) -> str:
    """Return the path of a service's page."""
    return f"/s/{quote(name)}"


def service_snippets(card: ModelCard, url: str, chain_id: int) -> Snippets:
    """Return what calls a service at the gateway's address `url`."""
    embeddings = card.endpoint == "embeddings"
    symbol, unit = card.price.symbol, 10**card.price.decimals
    model = json.dumps(card.id)
    ask = (_EMBEDDINGS if embeddings else _CHAT).format(model=model)
    ask_in_javascript = (_EMBEDDINGS_IN_JAVASCRIPT if embeddings else _CHAT_IN_JAVASCRIPT).format(model=model)
    body = {"model": card.id} | (
        {"input": "Hello"} if embeddings else {"messages": [{"role": "user", "content": "Hello"}]}
    )
    return Snippets(
        key=_KEY.format(
            url=url,
            chain="" if is_devnet(chain_id) else _CHAIN.format(chain_id=chain_id),
            fund="usufruct wallet fund me" if is_local(chain_id) else f"# send {symbol} to the address that it shows",
        ),
        openai=_SNIPPET.format(url=url, ask=ask),
        javascript=_JAVASCRIPT.format(url=url, ask=ask_in_javascript),
        curl=_CURL.format(url=url, path="embeddings" if embeddings else "chat/completions", body=_quoted(body)),
        call=_CALL.format(url=url, service=shlex.quote(card.id)) if card.endpoint == "chat" else "",
        x402=_X402.format(
            url=url,
            limit=f"{unit // 100:_}",
            limit_words=f"0.01 {symbol}",
            budget=f"{unit:_}",
            budget_words=f"1 {symbol}",
            ask=ask,
        ),
    )


def sample_cost_up(card: ModelCard) -> int | None:
    """Return what a usual call costs, in atomic units; None when its unit is not the text token.

    It has 1,000 text tokens of input and, but for embeddings, 500 of output.
    """
    return usual_cost_up(card.price, card.endpoint)


def calls_per_coin_down(card: ModelCard) -> int | None:
    """Return how many usual calls one whole coin pays for; None when that cannot be known, or they are free."""
    cost = sample_cost_up(card)
    return 10**card.price.decimals // cost if cost else None


def _quoted(body: object) -> str:
    """Return JSON as one word of a shell."""
    return "'" + json.dumps(body, ensure_ascii=False).replace("'", "'\\''") + "'"


def _daily(language: Language, charges: Sequence[tuple[int, int]], price: ModelPrice) -> list[tuple[str, float]]:
    """Return what was charged on each day, in whole coins, as points of a chart."""
    return [(language.day(_moment(day)), charge / 10**price.decimals) for day, charge in charges]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_FACTS = {
    "calls_per_coin": calls_per_coin_down,
    "sample_cost": sample_cost_up,
    "path": lambda card: service_path(card.id),
    "name_path": service_path,
    "moment": _moment,
    "daily": _daily,
}
