"""The text inside an upstream's answer: what it wrote for the caller, and what it says went wrong."""

import re

_LONGEST_MESSAGE = 300
_SECRET = re.compile(r"(?i)\b(?:bearer\s+\S+|(?:sk|pk|rk|api|key|token)[-_][\w*.-]{6,})")


def output_text(choices: object) -> str:
    """Return all text that the `choices` of an answer or of one event carry; never raises.

    Content, refusals, reasoning, and the names and arguments of tool calls: everything a model was paid to write.
    """
    if not isinstance(choices, list):
        return ""
    return "".join([_written(choice) for choice in choices])


def _written(choice: object) -> str:
    if not isinstance(choice, dict):
        return ""
    part = choice.get("delta") or choice.get("message")
    if not isinstance(part, dict):
        text = choice.get("text")
        return text if isinstance(text, str) else ""
    # Some servers send the same reasoning under both names.
    pieces = [part.get("reasoning_content") or part.get("reasoning"), part.get("content"), part.get("refusal")]
    if calls := part.get("tool_calls"):
        for call in calls if isinstance(calls, list) else []:
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                pieces += [function.get("name"), function.get("arguments")]
    return "".join([piece for piece in pieces if isinstance(piece, str)])


def shorten(error: object, secret: str = "") -> str:
    """Return the message of an upstream's `error`, on one line, at most 300 characters, without `secret` or any key."""
    message = error.get("message") if isinstance(error, dict) else error
    text = " ".join(str(message).split())
    if secret:
        text = text.replace(secret, "***")
    text = _SECRET.sub("***", text)
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 3] + "..."
