"""Find a model server that already runs on this machine."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from usufruct.connectors.openai.answer import OfferedModel
from usufruct.connectors.openai.errors import UpstreamFault
from usufruct.connectors.openai.upstream_client import UpstreamClient
from usufruct.connectors.openai.upstream_limits import Limits

USUAL_ADDRESSES = {"Ollama": "http://127.0.0.1:11434/v1", "vLLM": "http://127.0.0.1:8000/v1"}
"""Where each server listens unless told otherwise."""

QUICK = Limits(connect=0.3, total=0.4, answer_bytes=1 << 20)
"""How long a server on this machine is waited for: a person waits too."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A model server on this machine: what usually listens at its address, the address, and its models."""

    name: str
    url: str
    models: tuple[OfferedModel, ...]


async def find_local_servers(
    addresses: Mapping[str, str] = USUAL_ADDRESSES, limits: Limits = QUICK
) -> tuple[LocalServer, ...]:
    """Ask all `addresses` (name to base URL) at once; takes as long as `limits` allow one.

    Left out: what does not answer, answers something else, offers no model, or is ours (owner "usufruct...").
    """
    found = await asyncio.gather(*[_ask(name, url, limits) for name, url in addresses.items()])
    return tuple(server for server in found if server is not None)


async def _ask(name: str, url: str, limits: Limits) -> LocalServer | None:
    async with UpstreamClient(url, limits=limits) as upstream:
        try:
            models = await upstream.models()
        except UpstreamFault:
            return None
        ours = any(model.owner.startswith("usufruct") for model in models)
        return LocalServer(name, upstream.url, models) if models and not ours else None
