"""The OpenAPI document, from the routes that are served and the documents that they read and write."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, SchemaSerializer
from pydantic_core.core_schema import DefinitionsSchema, WithDefaultSchema, definitions_schema

from usufruct_client.wire import ErrorAnswer
from usufruct_client.wire_types import adapter

REFERENCE = "#/components/schemas/{model}"

_PARAMETER = re.compile(r"\{(\w+)(?::path)?\}")
_JSON = "application/json"
_HTML = "text/html"
_ERRORS = {"$ref": "#/components/responses/Error"}

_HASH = {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}
_ADDRESS = {"type": "string", "pattern": "^0x[0-9a-f]{40}$"}
_PATH_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "asset": {"type": "string", "pattern": "^0x[0-9a-f]{32}$"},
    **dict.fromkeys(("call", "channel", "deal", "hash", "offer", "root"), _HASH),
    **dict.fromkeys(("account", "holder", "payer"), _ADDRESS),
}
"""What parameters of paths look like: a name means the same in all routes. The others are any text."""

Shape = Any
"""A class of documents, a tuple of them whose members are together in one object, or a JSON schema."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a query: what it holds, in words and as the JSON schema of its text.

    `may_be_empty`: an empty text counts as left out.
    """

    text: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route does, in the words and the documents of its caller.

    `answer`: the shape of a success's body, by its media type, JSON unless said otherwise. `takes`: request headers,
    `gives`: headers of a success, both with what they hold. `asks`: query parameters; one that is described by words
    only is optional and takes any text. `refuses`: what the most important statuses of errors mean, in one shape.
    `also`: shapes of other answers by their status; None: without a body. `needs_body`: a request without a body is
    wrong. `documents`: what headers carry, described beside the bodies. `paid`: a request without payment is answered
    402 with the price. `price`: what each call costs, where that is known, such as "0.01 USD". `has_own_limit`: the
    route limits its callers itself, and `WriteLimit` does not count them.
    """

    summary: str
    answer: Shape = None
    body: Shape = None
    status: int = 200
    media_types: Sequence[str] = (_JSON,)
    takes: Mapping[str, str] = field(default_factory=dict)
    asks: Mapping[str, str | Parameter] = field(default_factory=dict)
    gives: Mapping[str, str] = field(default_factory=dict)
    refuses: Mapping[int, str] = field(default_factory=dict)
    also: Mapping[int, Shape] = field(default_factory=dict)
    documents: Sequence[type] = ()
    paid: bool = False
    price: str = ""
    has_own_limit: bool = False
    needs_body: bool = True


PublicRoute = tuple[str, str, Operation]
"""A route's method, its path with parameters in braces, and what it does."""


class WireSchema(GenerateJsonSchema):
    """JSON schemas of documents, with defaults as they travel, such as `"0"` for an amount.

    Pydantic would write a default of what is read by its Python type: `0`.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._shared: list[CoreSchema] = []

    def definitions_schema(self, schema: DefinitionsSchema) -> JsonSchemaValue:
        """Return the schema of a document whose members refer to definitions."""
        self._shared = schema["definitions"]
        described = super().definitions_schema(schema)
        self._shared = []
        return described

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema of a member, with its default as the member's own serializer writes it."""
        if "default" not in schema:
            return super().default_schema(schema)
        serializer = SchemaSerializer(definitions_schema(schema["schema"], self._shared))
        written = serializer.to_python(schema["default"], mode="json", by_alias=self.by_alias)
        return super().default_schema({**schema, "default": written})


def openapi_document(routes: Sequence[PublicRoute], title: str, version: str) -> dict[str, Any]:
    """Describe the routes as OpenAPI 3.1."""
    kinds: dict[Any, TypeAdapter[Any]] = {ErrorAnswer: adapter(ErrorAnswer)}
    for _, _, operation in routes:
        for shape in (operation.answer, operation.body, *operation.also.values(), *operation.documents):
            kinds |= {kind: adapter(kind) for kind in _kinds(shape)}
    inputs: list[tuple[Any, Literal["validation"], TypeAdapter[Any]]]
    inputs = [(kind, "validation", each) for kind, each in kinds.items()]
    references, definitions = TypeAdapter.json_schemas(inputs, ref_template=REFERENCE, schema_generator=WireSchema)
    schemas = {kind: schema for (kind, _), schema in references.items()}
    paths: dict[str, dict[str, Any]] = {}
    for method, path, operation in routes:
        described = _operation(method, path, operation, schemas)
        paths.setdefault(_PARAMETER.sub(r"{\1}", path), {})[method.lower()] = described
    error = {"description": "An error.", "content": {_JSON: {"schema": schemas[ErrorAnswer]}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "responses": {"Error": error},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _kinds(shape: Shape) -> Sequence[Any]:
    if shape is None or isinstance(shape, Mapping):
        return ()
    return [each for each in (shape if isinstance(shape, tuple) else (shape,)) if not isinstance(each, Mapping)]


def _schema(shape: Shape, schemas: Mapping[Any, Any]) -> Any:
    if isinstance(shape, Mapping):
        return shape
    return {"allOf": [_schema(each, schemas) for each in shape]} if isinstance(shape, tuple) else schemas[shape]


def _operation(method: str, path: str, operation: Operation, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {
        "description": HTTPStatus(operation.status).phrase,
        "headers": _headers({"x-request-id": "the id of the call", **operation.gives}),
    }
    if operation.answer is not None:
        shape = _schema(operation.answer, schemas)
        success["content"] = {
            kind: {"schema": shape if kind == _JSON else {"type": "string"}} for kind in operation.media_types
        }
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": _operation_id(method, path, operation),
        "parameters": [_path_parameter(name) for name in _PARAMETER.findall(path)]
        + [_parameter(name, "query", asked) for name, asked in operation.asks.items()]
        + [_parameter(name, "header", text) for name, text in operation.takes.items()],
        "responses": {str(operation.status): success, **_refusals(operation, schemas), "default": _ERRORS},
    }
    if operation.body is not None:
        content = {_JSON: {"schema": _schema(operation.body, schemas)}}
        described["requestBody"] = {"required": operation.needs_body, "content": content}
    if operation.paid:
        described["security"] = [{"key": []}, {}]
    if operation.price:
        amount, _, currency = operation.price.partition(" ")
        described["description"] = f"A call without a market key costs {operation.price}, by x402."
        described["x-payment-info"] = {
            "protocols": ["x402"],
            "price": {"mode": "fixed", "currency": currency, "amount": amount},
        }
    return described


def _operation_id(method: str, path: str, operation: Operation) -> str:
    """Name an operation by its path; a page's name says so, as `/proposals` is a page and `/v1/proposals` is not."""
    words = re.findall(r"\w+", _PARAMETER.sub(r"\1", path).removeprefix("/v1"))
    return "_".join([method.lower(), *words, *(["page"] if _HTML in operation.media_types else [])])


def _refusals(operation: Operation, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    shapes = [(status, text, ErrorAnswer) for status, text in operation.refuses.items()]
    shapes += [(status, HTTPStatus(status).phrase, shape) for status, shape in operation.also.items()]
    refusals: dict[str, Any] = {
        str(status): {"description": text}
        | ({} if shape is None else {"content": {_JSON: {"schema": _schema(shape, schemas)}}})
        for status, text, shape in shapes
    }
    if operation.paid:
        refusals["402"]["headers"] = _headers({"payment-required": "what x402 takes for this call, base64 of JSON"})
    return refusals


def _headers(named: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in named.items()}


def _path_parameter(name: str) -> dict[str, Any]:
    return _parameter(name, "path", Parameter("", _PATH_SCHEMAS.get(name, {"type": "string"}), required=True))


def _parameter(name: str, place: str, asked: str | Parameter) -> dict[str, Any]:
    given = Parameter(asked) if isinstance(asked, str) else asked
    return {
        "name": name,
        "in": place,
        "required": given.required,
        "description": given.text,
        "schema": given.schema,
        **({"allowEmptyValue": True} if given.may_be_empty else {}),
    }
