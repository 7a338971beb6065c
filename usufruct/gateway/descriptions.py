"""What the gateway's routes take and give, for the OpenAPI document."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from usufruct.gateway.operations.request_members import EMBEDDING_SETTINGS, HARMLESS, SETTINGS
from usufruct.gateway.search.query import PAGE_SIZE, SEARCH_PARAMETERS
from usufruct.web import Operation, Parameter
from usufruct_client.receipt import KeptReceipt
from usufruct_client.sample_wire import SampleBalance
from usufruct_client.wire import (
    BilledUsage,
    FoundServices,
    MeasuredQuality,
    ModelCard,
    ModelList,
    RefundAnswer,
)
from usufruct_client.x402 import Payment, PaymentHead

_TAKES = {
    "authorization": "Bearer and a key, or a grant of pass credits; without it the call is paid by x402",
    "payment-signature": "x402's payment: base64 of JSON",
    "idempotency-key": "the same key and body get the first answer again, and are charged once",
    "x-usufruct-limit": "the most that this call may cost, in atomic units",
    "x-usufruct-payer": "without a payment: who will pay, for a quote by the prices of their staking level",
}
BILLED = {
    "payment-response": "x402's settlement, base64 of JSON; with x402 only; `extensions` has its receipt",
    "x-usufruct-call": "the id of the call in its receipt",
    "x-usufruct-ceiling": "the most that the call could cost, in atomic units",
    "x-usufruct-charge": "what was charged, in atomic units; whole answers only, as what follows",
    "x-usufruct-cost": "the charge in whole units of the token",
    "x-usufruct-saved": "what the payer's staking level took off, in atomic units, if it took anything",
    "x-usufruct-input-tokens": "text tokens of input",
    "x-usufruct-cached-input-tokens": "text tokens of input that the upstream had cached",
    "x-usufruct-output-tokens": "text tokens of output",
    "x-usufruct-receipt": "the receipt, base64 of JSON",
    "x-usufruct-replayed": "true for an answer that was kept",
    "x-usufruct-dropped": "members of the request that were left out because nothing is lost by it",
}
"""Headers of an answer about its charge."""
_REFUSES = {
    400: "the request is wrong; `param` names the member",
    401: "the key is missing or wrong",
    402: "a payment is needed, or more money",
    403: "the key may not call this service",
    404: "the service is unknown",
    409: "the call was lost; nothing was charged",
    413: "the body is too long",
    422: "the idempotency key was used with another body",
    425: "the call with this idempotency key still runs",
    429: "too many answers were abandoned, or too many calls made in a minute",
    502: "the upstream failed; nothing was charged",
    503: "not available now; nothing was charged",
    504: "the upstream was too slow; nothing was charged",
}


_SAMPLED = {
    "x-usufruct-sample-left": "how many free calls the caller's network has left today",
    "x-usufruct-charge": "0; whole answers only",
    "x-usufruct-dropped": BILLED["x-usufruct-dropped"],
}
_SAMPLE_REFUSES = {
    400: "the request is wrong; `param` names the member",
    403: "a page of another site sent the request",
    404: "the service is unknown, or has no free sample",
    410: "the service is off sale",
    413: "the body is too long for a free call",
    429: "the caller's network, or all visitors together, have had the free calls of today",
    502: "the upstream failed; the call stays counted if it may have worked for it",
    503: "not available now",
    504: "the upstream was too slow",
}


def sampled(described: Operation) -> Operation:
    """Return what the route of a free call takes and gives, from what its paid endpoint does."""
    summary = f"{described.summary.removesuffix('.')}, as a free sample: without payment, a few calls a day."
    return replace(described, summary=summary, takes={}, gives=_SAMPLED, refuses=_SAMPLE_REFUSES, paid=False)


def _request(required: dict[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Return the schema of a request: members that are not named in it are refused."""
    properties = {**{name: {} for name in sorted(known)}, **required}
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


def _answer(member: str) -> tuple[Any, ...]:
    return ({"type": "object", "required": [member], "properties": {member: {"type": "array"}}}, BilledUsage)


_STREAM = ("stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "tools", "tool_choice")
CHAT = Operation(
    "Answer a chat, whole or streamed.",
    _answer("choices"),
    _request(
        {"model": {"type": "string"}, "messages": {"type": "array", "items": {"type": "object"}, "minItems": 1}},
        {*SETTINGS, *HARMLESS, *_STREAM, "response_format"},
    ),
    media_types=("application/json", "text/event-stream"),
    takes=_TAKES,
    gives=BILLED,
    refuses=_REFUSES,
    paid=True,
)
EMBEDDINGS = Operation(
    "Turn text into vectors.",
    _answer("data"),
    _request({"model": {"type": "string"}, "input": {"type": ["string", "array"]}}, {*EMBEDDING_SETTINGS, *HARMLESS}),
    takes=_TAKES,
    gives=BILLED,
    refuses=_REFUSES,
    paid=True,
)
REFUND = Operation(
    "Give a channel's free money back to its payer, on a request by x402.",
    RefundAnswer,
    takes={"payment-signature": "x402's refund: base64 of PaymentHead and Payment in one object"},
    documents=(PaymentHead, Payment),
    gives={"payment-response": "x402's settlement, base64 of JSON"},
    refuses={402: "no refund was asked for, or nothing can be given back"},
    paid=True,
)
ROOT = Operation("Show people what is sold, at which prices.", {"type": "string"}, media_types=("text/html",))
SERVICE_PAGE = Operation(
    "Show people one service: its price and limits, and how to call it.",
    {"type": "string"},
    media_types=("text/html",),
    refuses={404: "the service is unknown"},
)
LEVEL_PAGE = Operation(
    "Show people what their staking level saves on a service.",
    {"type": "string"},
    media_types=("text/html",),
    refuses={404: "the service is unknown"},
)
RECEIPTS_PAGE = Operation("Take a receipt to show and check.", {"type": "string"}, media_types=("text/html",))
GIVEN_RECEIPT = Operation(
    "Show a receipt that the reader has: the field `receipt` of a form, as JSON.",
    {"type": "string"},
    media_types=("text/html",),
)
RECEIPT_PAGE = Operation(
    "Show people what a call cost; their browser checks it.",
    {"type": "string"},
    media_types=("text/html",),
    refuses={404: "the call has no receipt"},
)
MODELS = Operation("List the services, with prices and limits.", ModelList)
MODEL = Operation("Describe one service.", ModelCard, refuses={404: "the service is unknown"})
SERVICES = Operation(
    f"Find services by words, filters and order, {PAGE_SIZE} a page.",
    FoundServices,
    asks=SEARCH_PARAMETERS,
    refuses={400: "a filter has a value that it cannot have"},
)
SAMPLE = Operation(
    "Return what the caller may still try of a service today without payment.",
    SampleBalance,
    asks={"model": Parameter("the service's name", {"type": "string", "minLength": 1}, required=True)},
    refuses={400: "`model` is missing", 404: "the service is unknown, or has no free sample"},
)
LLMS_TEXT = Operation(
    "Tell language models what is sold here and how it is called, in Markdown.",
    {"type": "string"},
    media_types=("text/plain",),
)
X402_RESOURCES = Operation(
    "List the endpoints that take payment by x402.",
    {
        "type": "object",
        "required": ["version", "resources"],
        "properties": {"version": {"const": 1}, "resources": {"type": "array", "items": {"type": "string"}}},
    },
)
DID_DOCUMENT = Operation(
    "Return the DID document of this gateway's address: the keys that sign its receipts and x402 offers.",
    {
        "type": "object",
        "required": ["id", "verificationMethod", "assertionMethod"],
        "properties": {
            "id": {"type": "string"},
            "verificationMethod": {"type": "array", "items": {"type": "object"}},
            "assertionMethod": {"type": "array", "items": {"type": "string"}},
        },
    },
)
AGENT_REGISTRATION = Operation("Return this gateway's registration file by ERC-8004.", {"type": "object"})
QUALITY = Operation(
    "Return what was measured of one service: success, time to first text, speed, each with its sample.",
    MeasuredQuality,
    refuses={404: "the service is unknown"},
)
RECEIPT = Operation(
    "Return the receipt of a call to its caller.",
    KeptReceipt,
    takes={"authorization": "Bearer and the key of the call"},
    refuses={404: "the call has no receipt, or is another caller's"},
)
