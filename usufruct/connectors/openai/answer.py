"""What an upstream returns whole: answers and the list of what it offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from usufruct.connectors.openai.errors import UpstreamFailed, UpstreamMalformed
from usufruct.connectors.openai.text import output_text, shorten
from usufruct.connectors.openai.usage import Usage, UsageFault, read_usage


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer: its bytes as they came, the same parsed, and the usage it reports."""

    body: bytes
    content: Mapping[str, Any]
    usage: Usage | UsageFault

    @property
    def text(self) -> str:
        """Return all output text of a chat answer; empty for embeddings."""
        return output_text(self.content.get("choices"))


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model an upstream lists: its id, who it says owns it, and its context window in text tokens if it says so."""

    id: str
    owner: str
    context_window: int | None


def read_answer(body: bytes, url: str, member: str, secret: str) -> Answer:
    """Read an answer whose list `member` (choices, data) must be there.

    Raises:
        UpstreamMalformed: when `body` is no JSON object with such a list.
        UpstreamFailed: when it reports an error under status 200.
    """
    content = read_object(body, url)
    if error := content.get("error"):
        raise UpstreamFailed(f"{url} reported an error: {shorten(error, secret)}; try again")
    if not isinstance(content.get(member), list):
        raise UpstreamMalformed(f"{url} answered without a list of {member}; check that it speaks the OpenAI format")
    return Answer(body, content, read_usage(content.get("usage"), has_output=member == "choices"))


def read_models(body: bytes, url: str) -> tuple[OfferedModel, ...]:
    """Read a list of models, leaving out entries without an id.

    Raises:
        UpstreamMalformed: when `body` is no such list.
    """
    listed = read_object(body, url).get("data")
    if not isinstance(listed, list):
        raise UpstreamMalformed(f"{url} lists no models; check that it speaks the OpenAI format")
    return tuple(_model(entry) for entry in listed if isinstance(entry, dict) and isinstance(entry.get("id"), str))


def _model(entry: dict[str, Any]) -> OfferedModel:
    owner, window = entry.get("owned_by"), entry.get("max_model_len")
    known = type(window) is int and window > 0
    return OfferedModel(entry["id"], owner if isinstance(owner, str) else "", window if known else None)


def read_object(body: bytes, url: str) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        UpstreamMalformed: when it is none.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = None
    if isinstance(content, dict):
        return content
    raise UpstreamMalformed(f"{url} answered something that is no JSON object; check that it speaks the OpenAI format")
