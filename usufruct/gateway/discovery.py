"""What machines read first: `/llms.txt`, the files in `/.well-known`, and schema.org's words."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import orjson
from markupsafe import Markup
from starlette.responses import Response

from usufruct.core import format_units
from usufruct.gateway.descriptions import AGENT_REGISTRATION, DID_DOCUMENT, LLMS_TEXT, X402_RESOURCES
from usufruct.gateway.did_document import did_document, did_of
from usufruct.gateway.search.query import Search
from usufruct.gateway.service import Gateway
from usufruct.web import Request, Route, json_response
from usufruct.web.ui import Pages
from usufruct_client.wire import ModelCard

_AGENT_TYPE = "https://eips.ethereum.org/EIPS/eip-8004#registration-v1"
_SUMMARY = "AI services behind OpenAI's interface, paid by what they deliver: by bearer key or x402."

_TEXT = """# {site}

> {summary}

Base URL for OpenAI's clients: {url}/v1. Every answer carries a signed receipt.
Without a key a paid endpoint answers 402 with x402's requirements; `x-usufruct-limit` bounds what a call may cost.
Services with a free sample answer a few calls a day without key and payment, under the base URL {url}/v1/samples,
such as POST {url}/v1/samples/chat/completions; GET {url}/v1/samples?model=NAME returns how many are left.

## Interfaces

- [OpenAPI document]({url}/openapi.json): every route, what it takes and gives
- [Services]({url}/v1/models): all, with prices and limits, as OpenAI lists models
- [Search]({url}/v1/services): by words, operation, context, price and measured quality
- [Terms]({url}/v1/terms): chain, contracts, token, receipt signer
- [x402 resources]({url}/.well-known/x402): endpoints that take payment
- [DID document]({url}/.well-known/did.json): the keys that sign offers and receipts

## Services

{services}
"""

_MORE = (
    "{shown} of {total}. The rest: {url}/v1/services?page=2 to page={pages}, searched by words and filters; "
    "{url}/v1/models has all of them."
)


def discovery_routes(gateway: Gateway, pages: Pages) -> list[Route]:
    """Return the routes of what machines read first."""

    async def llms_text(request: Request) -> Response:
        url = request.exchange.root
        found = await gateway.find(Search())
        lines = [_line(each.card, url) for each in found.services] or ["None yet."]
        if found.pages > 1:
            lines = [_MORE.format(shown=len(lines), total=found.total, pages=found.pages, url=url), "", *lines]
        text = _TEXT.format(site=_plain(pages.site.name), summary=_SUMMARY, url=url, services="\n".join(lines))
        return Response(text, media_type="text/plain; charset=utf-8")

    async def x402_resources(request: Request) -> Response:
        url = request.exchange.root
        return json_response({"version": 1, "resources": [f"{url}{path}" for path in gateway.x402_paths]})

    async def agent_registration(request: Request) -> Response:
        url, takes = request.exchange.root, gateway.pipeline.payments.x402 is not None
        icon = pages.static.path("logo" if pages.site.logo else "icon.svg")
        return json_response(registration(pages.site.name, url, url + icon, takes_x402=takes))

    async def signers(request: Request) -> Response:
        return json_response(did_document(request.exchange.root, gateway.pipeline.operator))

    return [
        Route("GET", "/llms.txt", llms_text, LLMS_TEXT),
        Route("GET", "/.well-known/did.json", signers, DID_DOCUMENT),
        Route("GET", "/.well-known/x402", x402_resources, X402_RESOURCES),
        Route("GET", "/.well-known/agent-registration.json", agent_registration, AGENT_REGISTRATION),
    ]


def registration(name: str, url: str, image: str, *, takes_x402: bool) -> dict[str, Any]:
    """Return ERC-8004's registration file: what an identity's `agentURI` leads to."""
    return {
        "type": _AGENT_TYPE,
        "name": name,
        "description": _SUMMARY,
        "image": image,
        "services": [
            {"name": "web", "endpoint": f"{url}/"},
            {"name": "OpenAI", "endpoint": f"{url}/v1", "version": "v1"},
            {"name": "OpenAPI", "endpoint": f"{url}/openapi.json", "version": "3.1.0"},
            {"name": "DID", "endpoint": did_of(url), "version": "v1"},
        ],
        "x402Support": takes_x402,
        "active": True,
        "registrations": [],
        "supportedTrust": [],
    }


def linked_data(card: ModelCard, site: str, url: str) -> Markup:
    """Return a service in schema.org's words, as the content of a script element: no text in it ends the element."""
    price = card.price
    unit = price.unit.replace("_", " ")
    parts: Sequence[tuple[int, str]] = (
        (price.input_per_million, f"million {unit}s of input"),
        (price.output_per_million, f"million {unit}s of output"),
        (price.per_call, "call"),
    )
    content = {
        "@context": "https://schema.org",
        "@type": "Service",
        "name": card.id,
        "identifier": card.asset,
        "serviceType": card.endpoint,
        "url": f"{url}/s/{quote(card.id)}",
        "provider": {"@type": "Organization", "name": site, "url": f"{url}/"},
        "offers": {
            "@type": "Offer",
            "availability": "https://schema.org/" + ("InStock" if card.paused_at is None else "SoldOut"),
            "priceSpecification": [
                {
                    "@type": "UnitPriceSpecification",
                    "price": format_units(amount, price.decimals),
                    "priceCurrency": price.symbol,
                    "unitText": of,
                }
                for amount, of in parts
            ],
        },
    }
    text = orjson.dumps(content).decode()
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _line(card: ModelCard, url: str) -> str:
    price = card.price
    prices = (price.input_per_million, price.output_per_million, price.per_call)
    amounts = [format_units(each, price.decimals) for each in prices]
    return (
        f"- [{_plain(card.id)}]({url}/s/{quote(card.id)}): {card.endpoint}, context {card.context_window}, "
        f"{amounts[0]} / {amounts[1]} {price.symbol} per million {price.unit} in / out, {amounts[2]} per call"
        f"{'' if card.paused_at is None else '; paused: calls are refused, nothing is charged'}"
        f"{_sample_of(card)}"
    )


def _sample_of(card: ModelCard) -> str:
    terms = card.sample
    if terms is None:
        return ""
    return (
        f"; free sample: {terms.calls_per_visitor} calls a day, {terms.output_per_call} {card.price.unit} out at most"
    )


def _plain(text: str) -> str:
    """Return a name escaped for Markdown."""
    return "".join(f"\\{each}" if each in "\\`*_[]<>()#|!" else each for each in text)
