"""x402's `bazaar` extension: how a resource is called, so that catalogues of x402 can list it."""

from collections.abc import Iterable, Mapping
from typing import Any

_EXAMPLES: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "Hello"}]},
    "embeddings": {"input": "Hello"},
}


def discovery_extension(operation: str, model: str) -> dict[str, Any]:
    """Return the declaration of a call of `model`: an example, and the JSON Schema that it keeps."""
    return body_extension({"model": model, **_EXAMPLES.get(operation, {})})


def body_extension(example: Mapping[str, Any]) -> dict[str, Any]:
    """Return the declaration of a POST: an example of its body, each of whose members is required."""
    given = {"type": "http", "method": "POST", "bodyType": "json", "body": example}
    return _declaration(given, {"body": {"type": "object", "required": list(example)}})


def query_extension(parameters: Iterable[str]) -> dict[str, Any]:
    """Return the declaration of a GET: names of its query parameters, none required."""
    given = {"type": "http", "method": "GET", "queryParams": {}}
    # Names alone: some proxies take no more than 4 KB of headers. The OpenAPI document says what they mean.
    named = {name: {"type": "string"} for name in parameters}
    return _declaration(given, {"queryParams": {"type": "object", "properties": named}})


def _declaration(given: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "info": {"input": given, "output": {"type": "json"}},
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"input": {"type": "object", "properties": properties, "required": list(given)}},
            "required": ["input"],
        },
    }
