"""What an upstream returns whole: answers and the list of what it offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from usufruct.connectors.openai.content import parse, reported_error, shorten
from usufruct.connectors.openai.errors import UpstreamEmpty, UpstreamFailed, UpstreamMalformed
from usufruct.connectors.openai.usage import Usage, UsageFault, read_usage, reported_usage
from usufruct.core import value
from usufruct_client.text import output_text, well_formed


@value
class Answer:
    """One whole answer: its bytes as they came, the same parsed, its output text ("" for embeddings), its usage."""

    body: bytes
    content: Mapping[str, Any]
    text: str
    usage: Usage | UsageFault


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model an upstream lists: its id, its owner, and its context window in text tokens if given."""

    id: str
    owner: str
    context_window: int | None


def read_answer(body: bytes, url: str, member: str, secret: str) -> Answer:
    """Read an answer whose list `member` (choices, data) must hold something.

    Raises:
        UpstreamMalformed: when `body` is not a JSON object with such a list.
        UpstreamFailed: when it reports an error under status 200, in any shape.
        UpstreamEmpty: when the list is empty, or no choice has text or a finish reason.
    """
    content = _read_object(body, url)
    if error := reported_error(content, member):
        raise UpstreamFailed(f"{url} reported an error: {shorten(error, secret)}; try again")
    given = content.get(member)
    if not isinstance(given, list):
        raise UpstreamMalformed(f"{url} answered without a list of {member}; check that it speaks the OpenAI format")
    text = well_formed(output_text(given)) if member == "choices" else ""
    if not (text or any(map(_has_output, given))):
        raise UpstreamEmpty(f"{url} answered with a list of {member} that holds no output; try again")
    usage = read_usage(reported_usage(content), has_output=member == "choices", has_text=bool(text))
    return Answer(body, content, text, usage)


def read_models(body: bytes, url: str) -> tuple[OfferedModel, ...]:
    """Read a list of models, leaving out entries without an id; `UpstreamMalformed` for anything else."""
    listed = _read_object(body, url).get("data")
    if not isinstance(listed, list):
        raise UpstreamMalformed(f"{url} lists no models; check that it speaks the OpenAI format")
    return tuple(_model(entry) for entry in listed if isinstance(entry, dict) and isinstance(entry.get("id"), str))


def _has_output(each: object) -> bool:
    return isinstance(each, dict) and bool(each.get("finish_reason") or each.get("embedding"))


def _model(entry: dict[str, Any]) -> OfferedModel:
    owner, window = entry.get("owned_by"), entry.get("max_model_len")
    known = type(window) is int and window > 0
    return OfferedModel(entry["id"], owner if isinstance(owner, str) else "", window if known else None)


def _read_object(body: bytes, url: str) -> dict[str, Any]:
    content = parse(body)
    if isinstance(content, dict):
        return content
    raise UpstreamMalformed(f"{url} answered without a JSON object; check that it speaks the OpenAI format")
