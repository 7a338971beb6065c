"""x402's `bazaar` extension: how a resource is called, so that catalogues of x402 can list it."""

from typing import Any

_EXAMPLES: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "Hello"}]},
    "embeddings": {"input": "Hello"},
}


def discovery_extension(operation: str, model: str) -> dict[str, Any]:
    """Return the declaration of a call of `model`: an example, and the JSON Schema that it keeps."""
    example = {"model": model, **_EXAMPLES.get(operation, {})}
    return {
        "info": {
            "input": {"type": "http", "method": "POST", "bodyType": "json", "body": example},
            "output": {"type": "json"},
        },
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "input": {
                    "type": "object",
                    "properties": {"body": {"type": "object", "required": list(example)}},
                    "required": ["type", "method", "bodyType", "body"],
                }
            },
            "required": ["input"],
        },
    }
