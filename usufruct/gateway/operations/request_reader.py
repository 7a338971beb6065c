"""What requests of every kind are read by: their members, checked one by one."""

from collections.abc import Mapping
from typing import Any

import orjson

from usufruct.gateway.errors import InvalidRequest

_LEVELS_ABOVE = 8
"""More than there are in a request above anything that is counted as JSON."""

_MOST_PARTS = 2_048
"""As many inputs as OpenAI takes at once; as many messages, and parts of one."""


def read_model(body: Mapping[str, Any]) -> str:
    """Return the name of the service that is asked.

    Raises:
        InvalidRequest: when there is none.
    """
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise InvalidRequest("model must be the name of a service; GET /v1/models lists them", field="model")
    return model


def check_number(given: list[object], field: str) -> None:
    """Refuse more parts than are looked at one by one before a payment is checked."""
    if len(given) > _MOST_PARTS:
        raise InvalidRequest(f"{field} may have {_MOST_PARTS} parts, not {len(given)}; send less", field=field)


def json_text(value: object, field: str) -> str:
    """Return as JSON what a model reads of a member.

    Raises:
        InvalidRequest: when it is nested too deeply to be written, within what goes upstream too.
    """
    for _ in range(_LEVELS_ABOVE):
        value = [value]
    try:
        return orjson.dumps(value)[_LEVELS_ABOVE:-_LEVELS_ABOVE].decode()
    except orjson.JSONEncodeError as error:
        raise InvalidRequest(f"{field} is nested too deeply to be sent on; nest it less", field=field) from error


def read_integer(body: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    """Return a whole number, or None where it is left out.

    Raises:
        InvalidRequest: when it is another, or out of range.
    """
    value = body.get(name)
    if value is None or (type(value) is int and least <= value <= most):
        return value
    raise InvalidRequest(f"{name} must be a whole number from {least} to {most}", field=name)


def read_boolean(body: Mapping[str, Any], name: str) -> bool:
    """Return a truth value; false where it is left out.

    Raises:
        InvalidRequest: when it is something else.
    """
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise InvalidRequest(f"{name} must be true or false", field=name)
