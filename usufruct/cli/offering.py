"""Finds what is to be sold: an upstream, one of its models, and whether that really answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from usufruct.cli.narrator import Narrator
from usufruct.cli.running import at_terminal, interruptible
from usufruct.connectors import LocalServer, OfferedModel, Upstream, find_local_servers
from usufruct.core import Invalid, NotFound
from usufruct.gateway import Endpoint, Replica

_OURS = "usufruct"


class NoUpstream(NotFound):
    """Nothing was named to be sold, and nobody was there to choose."""

    code = "no_upstream"


class NoModel(NotFound):
    """The upstream does not have the model, or has several and none was named."""

    code = "no_model"


class UnreadableFile(Invalid):
    """A file that an option names cannot be read, or is empty."""

    code = "unreadable_file"


@dataclass(frozen=True, slots=True)
class Source:
    """A model on an upstream that was seen to answer; `vocabulary` is its tokenizer file, if there is one."""

    replica: Replica
    context_window: int | None
    vocabulary: bytes | None


async def find_source(
    upstream: str, model: str, key_file: Path | None, vocabulary: Path | None, kind: Endpoint, narrator: Narrator
) -> Source:
    """Find the model to be sold and have it answer once; empty `upstream` offers what runs on this machine.

    Raises:
        NoUpstream, NoModel: when it is not clear what is to be sold.
        UpstreamFault: when the upstream does not answer as it should.
    """
    key = (await asyncio.to_thread(_read, key_file, "--key-file")).decode().strip() if key_file else ""
    content = await asyncio.to_thread(_read, vocabulary, "--vocabulary") if vocabulary else None
    if not upstream:
        upstream, model = await _choose_local(model, narrator)
    async with Upstream(upstream, key) as server:
        offered = _choose_model(server.url, await server.models(), model)
        narrator.say(
            f"asking {offered.id} at {server.url} for one text token, whole and streamed, to see that it answers"
        )
        await _probe(server, offered.id, kind)
        if content is None and offered.owner.startswith(_OURS):
            content = await server.tokenizer()
        return Source(Replica(server.url, offered.id, key), offered.context_window, content)


async def _choose_local(model: str, narrator: Narrator) -> tuple[str, str]:
    """Offer what runs on this machine; returns the address and the model that somebody at the terminal chose."""
    choices = [
        (server, offered)
        for server in await find_local_servers()
        for offered in server.models
        if model in ("", offered.id)
    ]
    if not choices:
        raise NoUpstream("--upstream must name an OpenAI-compatible server; no Ollama or vLLM runs on this machine")
    if not at_terminal():
        raise NoUpstream(f"--upstream and --model must name one of: {'; '.join(map(_named, choices))}")
    for number, choice in enumerate(choices, 1):
        narrator.say(f"{number}. {_named(choice)}")
    with interruptible("nothing was offered"):
        answer = narrator.console.input("   Which one is to be sold? ").strip()
    if not answer.isdigit() or not 1 <= int(answer) <= len(choices):
        raise NoUpstream(f"the answer must be a number from 1 to {len(choices)}, not {answer!r}")
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
        raise NoModel(f"{url} has no model {name!r}; it has {names}", model=name)
    if len(models) != 1:
        raise NoModel(f"--model must name one of the models of {url}: {names}")
    return models[0]


async def _probe(server: Upstream, model: str, kind: Endpoint) -> None:
    """Ask once in every way that callers can: a server may answer whole and fail to stream."""
    if kind is Endpoint.EMBEDDINGS:
        await server.embeddings({"model": model, "input": "hello"})
        return
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 1}
    await server.chat(body)
    async with server.chat_stream(body) as stream:
        async for _ in stream:
            pass


def _read(path: Path, option: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{option}: {path} cannot be read: {error.strerror}", field=option) from None
    if not content.strip():
        raise UnreadableFile(f"{option}: {path} is empty", field=option)
    return content
