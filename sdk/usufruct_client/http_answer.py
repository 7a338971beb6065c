"""What a gateway's HTTP answer holds: a JSON object, or a refusal with a code."""

from typing import Any

import httpx

from usufruct_client.errors import BadAnswer, GatewayRefused


def read_object(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object that a gateway answered.

    Raises:
        GatewayRefused: when it refuses; has its code and its numbers.
        BadAnswer: when the answer is not one of a gateway.
    """
    url = answer.url.copy_with(query=None)
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadAnswer(f"{url} answered {answer.status_code} without a JSON object; is it a gateway?")
    if answer.is_success:
        return found
    error = found.get("error")
    if not isinstance(error, dict) or not {"code", "message"} <= error.keys():
        raise BadAnswer(f"{url} answered {answer.status_code}, and not as a gateway does")
    raise GatewayRefused(answer.status_code, str(error["code"]), str(error["message"]), error.get("details"))
