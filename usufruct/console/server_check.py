"""Asks a chosen server what callers will ask, and notes after each question how far it is."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from usufruct.connectors.openai import Limits, OfferedModel, UpstreamClient
from usufruct.core import Clock, UsufructError
from usufruct.gateway import Endpoint, Probe
from usufruct.http import Reach
from usufruct_client.sale_documents import ProbeFacts, ServerFacts, SpeedFacts

logger = logging.getLogger(__name__)

LIMITS = Limits(connect=15.0, first_byte=90.0, idle=60.0, total=180.0, answer_bytes=4 << 20)
"""A cold model loads from a disk first, on a machine that is busy with it; a person waits, and sees how far it is."""

_MOST_MODELS = 200
_LONGEST_ERROR = 500

Note = Callable[[ProbeFacts], Awaitable[None]]


async def check_server(
    server: ServerFacts, key: str, facts: ProbeFacts, reach: Reach, clock: Clock, note: Note
) -> None:
    """Ask a server everything, and `note` the facts after each question; what fails is noted, and not raised."""

    async def keep(**changes: Any) -> None:
        nonlocal facts
        facts = replace(facts, changed_at=clock.now(), **changes)
        await note(facts)

    try:
        async with UpstreamClient(server.url, key, LIMITS, reach=reach) as client:
            models = await client.models()
            chosen = _chosen(models, server.model)
            if chosen is None:
                names = [each.id for each in models][:_MOST_MODELS]
                failed = f"the server has no model {server.model!r}; choose one of those that it has"
                await keep(state="choose", models=names, error=failed if server.model else "")
                return
            probe = Probe(client, chosen.id, Endpoint(server.kind))
            own = chosen.owner.startswith("usufruct")
            await keep(stage="answer", context_window=chosen.context_window or 0, models=[chosen.id])
            short = await probe.answer()
            await keep(stage="stream", reports_usage=short > 0, output_limit=client.output_limit, own_vocabulary=own)
            if server.kind == "chat":
                await keep(stage="length", reports_usage=await probe.stream())
            await keep(stage="speed", bytes_per_token_ppm=await probe.bytes_per_token_ppm(short))
            speed = await probe.speed(clock)
            measured = speed and SpeedFacts(speed.tokens, speed.duration, speed.first_token)
            await keep(state="done", speed=measured, output_limit=client.output_limit)
    except UsufructError as error:
        await keep(state="failed", error=error.message[:_LONGEST_ERROR], code=error.code)
    except Exception:
        logger.exception("a server could not be looked at", extra={"upstream": server.url})
        await keep(
            state="failed", error="something went wrong here, and is written in the log; try again", code="faulty"
        )


def _chosen(models: tuple[OfferedModel, ...], name: str) -> OfferedModel | None:
    """Return the named model, or the only one where none is named."""
    if not name:
        return models[0] if len(models) == 1 else None
    return next((each for each in models if each.id == name), None)
