"""Requests, responses and documents of handlers outside the hot path: Starlette's, refused with our errors."""

from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response

from usufruct.core import UsufructError
from usufruct.web.errors import MalformedBody
from usufruct.web.http_exchange import HttpExchange, json_object
from usufruct_client.wire_types import Document, read

_BODY_BYTES = 65_536
_MOST_FIELDS = 200

Kind = TypeVar("Kind")
MakeError = Callable[..., UsufructError]
"""A class of errors, or a function: takes a message, and `field`, the name of the member that is wrong."""


class Request(StarletteRequest):
    """Starlette's request, whose body is read from the exchange: within a limit and a time."""

    def __init__(self, exchange: HttpExchange) -> None:
        """Wrap what was received; path parameters are in the scope."""
        super().__init__(exchange.scope)
        self.exchange = exchange

    async def read(self, kind: type[Kind], error: MakeError) -> Kind:
        """Read the body as a document; raises as `HttpExchange.body`, `json_object` and `read_document`."""
        return read_document(kind, json_object(await self.exchange.body(_BODY_BYTES)), error)

    async def form_fields(self) -> dict[str, str]:
        """Read the body as a form's fields (`application/x-www-form-urlencoded`); the last of a name counts.

        Raises:
            MalformedBody: when it is not text in UTF-8, or has too many fields.
            UsufructError: as `HttpExchange.body`.
        """
        body = await self.exchange.body(_BODY_BYTES)
        try:
            return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS))
        except ValueError as error:
            raise MalformedBody("the body is not a form in UTF-8; send its fields again", field="body") from error


def document_response(document: Document, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response that carries a document."""
    return json_response(document.as_json(), status, headers)


def json_response(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response that carries `content` as JSON."""
    return Response(orjson.dumps(content), status, headers, "application/json")


def read_document(kind: type[Kind], content: object, error: MakeError, within: str = "") -> Kind:
    """Read a document from parsed JSON, which is the member `within` of a larger one, or the whole.

    Raises:
        UsufructError: what `error` makes; names the member, its value and what it must be.
    """
    return read(kind, content, lambda message, field: error(message, field=field), within)
