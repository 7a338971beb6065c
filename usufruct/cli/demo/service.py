"""What the demo sells: a model server found on this machine, if its owner wants that; the built-in one otherwise."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import typer

from usufruct.assets import Caps
from usufruct.cli.support.progress import Progress
from usufruct.connectors.openai import LocalServer, find_local_servers
from usufruct.gateway import CountingRule, Endpoint

CAPS = Caps(usual_output=256, largest_output=2_048)


@dataclass(frozen=True, slots=True)
class Offer:
    """One model on sale: its name here, who answers, and how its text is counted (no vocabulary: by bytes)."""

    name: str
    endpoint: Endpoint
    url: str
    model: str
    vocabulary: bytes | None
    counting: CountingRule


async def choose_service(progress: Progress, librarian: Mapping[str, Any]) -> tuple[Offer, Offer]:
    """Return the chat model and the embedding model to sell.

    What runs on this machine already is offered first; unattended, or refused, it is the built-in one.
    """
    url = str(librarian["url"])
    async with httpx.AsyncClient() as client:
        vocabulary = (await client.get(f"{url}/tokenizer")).content
    exact = CountingRule(per_message=0, per_request=0)
    chat, embedding = (str(librarian[name]) for name in ("chat_model", "embedding_model"))
    built_in = Offer(chat, Endpoint.CHAT, url, chat, vocabulary, exact)
    found = _wanted(progress, await find_local_servers())
    return found or built_in, Offer(embedding, Endpoint.EMBEDDINGS, url, embedding, vocabulary, exact)


def _wanted(progress: Progress, servers: tuple[LocalServer, ...]) -> Offer | None:
    for server in servers:
        model = server.models[0].id
        progress.say(f"{server.name} runs here too, at {server.url}, with {model}.")
        if progress.live and sys.stdin.isatty() and typer.confirm(f"   sell {model} in this demo?", default=True):
            return Offer(model, Endpoint.CHAT, server.url, model, None, CountingRule())
        progress.say(f"To sell it: usufruct sell --upstream {server.url} --model {model}")
    return None
