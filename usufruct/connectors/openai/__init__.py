"""Any OpenAI-compatible server: whole and streamed answers, what they cost in text tokens, and what can go wrong."""

from usufruct.connectors.openai.answer import Answer, OfferedModel
from usufruct.connectors.openai.content import dump, parse
from usufruct.connectors.openai.discovery import LocalServer, find_local_servers
from usufruct.connectors.openai.errors import (
    InvalidUpstream,
    UpstreamBusy,
    UpstreamCut,
    UpstreamDenied,
    UpstreamDown,
    UpstreamFault,
    UpstreamMalformed,
    UpstreamOversized,
    UpstreamRejected,
    UpstreamSlow,
)
from usufruct.connectors.openai.event_reader import Batch
from usufruct.connectors.openai.stream import ChatStream
from usufruct.connectors.openai.upstream_client import UpstreamClient
from usufruct.connectors.openai.upstream_limits import Limits
from usufruct.connectors.openai.usage import Usage, UsageFault

__all__ = [
    "Answer",
    "Batch",
    "ChatStream",
    "InvalidUpstream",
    "Limits",
    "LocalServer",
    "OfferedModel",
    "UpstreamBusy",
    "UpstreamClient",
    "UpstreamCut",
    "UpstreamDenied",
    "UpstreamDown",
    "UpstreamFault",
    "UpstreamMalformed",
    "UpstreamOversized",
    "UpstreamRejected",
    "UpstreamSlow",
    "Usage",
    "UsageFault",
    "dump",
    "find_local_servers",
    "parse",
]
