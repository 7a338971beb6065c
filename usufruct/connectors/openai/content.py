"""The JSON of an upstream's answers and events: how it is parsed, what in it reports a failure, and in what words."""

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from usufruct_client.text import well_formed

_FAILED_FINISH = frozenset({"error", "abort", "network_error", "insufficient_system_resource"})
"""Finish reasons under which servers end an answer that they could not complete."""

_FAILURE_NAME = re.compile(r"^err|_err|error|exception|(?<!de)fault|^(?:msg|message|detail|code|status_?(?:code|msg))$")
"""Members by which servers report a failure in an object that holds no answer."""

_MESSAGES = ("message", "msg", "detail", "error", "status_msg", "error_msg", "errmsg")
_DEEPEST_MESSAGE = 4
_LONGEST_MESSAGE = 300
_SECRET = re.compile(r"(?i)\b(?:bearer\s+\S+|(?:sk|pk|rk|api|key|token)[-_][\w*.-]{6,})")

_FINE = (0, 200, "0", "200", "ok", "OK", "success", "Success", "SUCCESS")


def parse(data: bytes) -> Any:
    """Parse a whole answer as leniently as Python's `json`, which OpenAI's client uses; None when that fails too.

    Beyond what orjson takes: lone surrogates, NaN, Infinity, a byte order mark, UTF-16 and UTF-32.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _parse_slowly(data)


def parse_event(data: bytes) -> Any:
    """Parse the data of an event that orjson refused, as OpenAI's client does: UTF-8 only; None when that fails too."""
    try:
        return _parse_slowly(data.decode())
    except UnicodeDecodeError:
        return None


def _parse_slowly(data: bytes | str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def dump(content: object) -> bytes:
    """Write JSON in ASCII or UTF-8; content that only `parse` could read keeps its lone surrogates and NaN.

    Raises:
        ValueError, RecursionError: when it is nested too deeply.
    """
    try:
        return orjson.dumps(content)
    except orjson.JSONEncodeError:
        return json.dumps(content, separators=(",", ":")).encode()


def reported_error(content: Mapping[str, Any], member: str = "choices") -> object:
    """Return what an answer or event reports as an error, in any server's shape; None when it reports none.

    `member` is the list that an answer must hold. Where it is missing or empty, and no usage is given, any member that
    is named or numbered like a failure is one.
    """
    if error := content.get("error"):
        return error
    if given := content.get(member):
        errors = (choice_error(choice) for choice in given) if isinstance(given, list) and member == "choices" else ()
        return next((error for error in errors if error), None)
    if content.get("object") == "error" or content.get("type") == "error":
        return content
    base = content.get("base_resp")
    if isinstance(base, dict):
        return base if base.get("status_code") not in (0, None) else None
    if isinstance(content.get("usage"), dict):
        return None
    return content if any(_is_failure(name, value) for name, value in content.items()) else None


def choice_error(choice: object) -> object:
    """Return what one choice reports as an error: under `error`, or by its finish reason; None for any other."""
    if not isinstance(choice, dict):
        return None
    if error := choice.get("error"):
        return error
    finish = choice.get("finish_reason")
    return f"it ended with finish_reason {finish!r}" if isinstance(finish, str) and finish in _FAILED_FINISH else None


def shorten(error: object, secret: str = "") -> str:
    """Return the message of an upstream's `error`, on one line, at most 300 characters, without `secret` or any key."""
    text = " ".join(well_formed(_message(error)).split())
    if secret:
        text = text.replace(secret, "***")
    text = _SECRET.sub("***", text)
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 3] + "..."


def _is_failure(name: str, value: object) -> bool:
    name = name.lower()
    if name in {"success", "ok"}:
        return value is False
    if name in {"status", "state"}:
        return value in ("error", "failed", "failure") or (type(value) is int and value >= 400)
    return bool(value) and value is not True and value not in _FINE and _FAILURE_NAME.search(name) is not None


def _message(error: object) -> str:
    for _ in range(_DEEPEST_MESSAGE):
        inner = next((error[name] for name in _MESSAGES if error.get(name)), None) if isinstance(error, dict) else None
        if inner is None:
            break
        error = inner
    try:
        return str(error)
    except RecursionError:
        return "an error that is nested too deeply to be shown"
