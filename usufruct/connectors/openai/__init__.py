"""Any OpenAI-compatible server: whole and streamed answers, what they cost in text tokens, and what can go wrong."""

from usufruct.connectors.openai.answer import Answer, OfferedModel
from usufruct.connectors.openai.errors import (
    InvalidUpstream,
    UpstreamBusy,
    UpstreamCut,
    UpstreamDenied,
    UpstreamDown,
    UpstreamFailed,
    UpstreamFault,
    UpstreamMalformed,
    UpstreamOversized,
    UpstreamRejected,
    UpstreamSlow,
)
from usufruct.connectors.openai.events import EventSplitter, StreamEvent, event_data
from usufruct.connectors.openai.limits import Limits
from usufruct.connectors.openai.stream import ChatStream
from usufruct.connectors.openai.text import output_text
from usufruct.connectors.openai.upstream import Upstream
from usufruct.connectors.openai.usage import Usage, UsageFault

__all__ = [
    "Answer",
    "ChatStream",
    "EventSplitter",
    "InvalidUpstream",
    "Limits",
    "OfferedModel",
    "StreamEvent",
    "Upstream",
    "UpstreamBusy",
    "UpstreamCut",
    "UpstreamDenied",
    "UpstreamDown",
    "UpstreamFailed",
    "UpstreamFault",
    "UpstreamMalformed",
    "UpstreamOversized",
    "UpstreamRejected",
    "UpstreamSlow",
    "Usage",
    "UsageFault",
    "event_data",
    "output_text",
]
