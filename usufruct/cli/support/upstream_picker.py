"""Finds what is to be sold: an upstream, one of its models, and whether that really answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from usufruct.cli.support.progress import Progress
from usufruct.cli.support.prompts import at_terminal, interruptible
from usufruct.connectors.openai import LocalServer, OfferedModel, UpstreamClient, find_local_servers
from usufruct.core import Invalid, NotFound
from usufruct.gateway import Endpoint, Probe, Upstream, fetch_vocabulary


@dataclass(frozen=True, slots=True)
class Source:
    """A model on an upstream that was seen to answer; `vocabulary` is its tokenizer file, if there is one.

    `bytes_per_token_ppm`: how many UTF-8 bytes of a known text it made one text token of, in millionths; 0: unknown.
    """

    upstream: Upstream
    context_window: int | None
    vocabulary: bytes | None
    bytes_per_token_ppm: int = 0


async def find_source(
    upstream: str, model: str, key_file: Path | None, vocabulary: Path | None, kind: Endpoint, progress: Progress
) -> Source:
    """Find the model to be sold and have it answer once; empty `upstream` offers what runs on this machine."""
    key = (await asyncio.to_thread(_read, key_file, "--key-file")).decode().strip() if key_file else ""
    content = await asyncio.to_thread(_read, vocabulary, "--vocabulary") if vocabulary else None
    if not upstream:
        upstream, model = await _choose_local(model, progress)
    async with UpstreamClient(upstream, key) as server:
        offered = _choose_model(server.url, await server.models(), model)
        progress.say(f"asking {offered.id} at {server.url} for one text token, whole and streamed, to see it answer")
        probe = Probe(server, offered.id, kind)
        short = await probe.answer()
        if kind is Endpoint.CHAT:
            await probe.stream()
        measured = await probe.bytes_per_token_ppm(short)
        content = content or await fetch_vocabulary(server, offered.owner)
        found = Upstream(server.url, offered.id, key, server.output_limit)
        return Source(found, offered.context_window, content, measured)


async def _choose_local(model: str, progress: Progress) -> tuple[str, str]:
    """Offer the local servers' models at the terminal; return the chosen address and model."""
    choices = [
        (server, offered)
        for server in await find_local_servers()
        for offered in server.models
        if model in ("", offered.id)
    ]
    if not choices:
        raise NotFound(
            "--upstream must name an OpenAI-compatible server; no Ollama or vLLM runs on this machine",
            code="no_upstream",
        )
    if not at_terminal():
        raise NotFound(f"--upstream and --model must be one of: {'; '.join(map(_named, choices))}", code="no_upstream")
    for number, choice in enumerate(choices, 1):
        progress.say(f"{number}. {_named(choice)}")
    with interruptible("nothing was offered"):
        answer = progress.console.input("   Which one is to be sold? ").strip()
    if not answer.isdigit() or not 1 <= int(answer) <= len(choices):
        raise NotFound(f"the answer must be a number from 1 to {len(choices)}, not {answer!r}", code="no_upstream")
    server, offered = choices[int(answer) - 1]
    return server.url, offered.id


def _named(choice: tuple[LocalServer, OfferedModel]) -> str:
    server, offered = choice
    return f"{offered.id} of {server.name} (--upstream {server.url} --model {offered.id})"


def _choose_model(url: str, models: Sequence[OfferedModel], name: str) -> OfferedModel:
    names = ", ".join(model.id for model in models) or "none"
    if name:
        for model in models:
            if model.id == name:
                return model
        raise NotFound(f"{url} has no model {name!r}; it has {names}", code="no_model")
    if len(models) != 1:
        raise NotFound(f"--model must name one of the models of {url}: {names}", code="no_model")
    return models[0]


def _read(path: Path, option: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Invalid(f"{option}: {path} cannot be read: {error.strerror}", code="unreadable_file") from None
    if not content.strip():
        raise Invalid(f"{option}: {path} is empty", code="unreadable_file")
    return content
