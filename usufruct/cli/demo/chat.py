"""Asking in the demo: the answer as it streams, with the meter beside it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from openai import AsyncOpenAI
from rich.live import Live
from rich.table import Table
from rich.text import Text

from usufruct.cli.demo.outcome import dollars
from usufruct.cli.support.output import plain
from usufruct.cli.support.progress import Progress

_METER_COLUMNS = 30


async def ask(
    progress: Progress,
    client: AsyncOpenAI,
    model: str,
    question: str,
    *,
    key: str = "",
    each: Callable[[int], None] = lambda pieces: None,
) -> dict[str, Any]:
    """Ask, show the answer as it comes with the meter beside it, and return its receipt.

    `each` gets the number of pieces so far.
    """
    stream = await client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
        max_tokens=160,
        extra_headers={"Idempotency-Key": key} if key else None,
    )
    receipt: dict[str, Any] = {}
    bill, pieces = "", 0
    limit = stream.response.headers.get("x-usufruct-ceiling", "")
    with _answer(progress, limit) as show:
        async for chunk in stream:
            for choice in chunk.choices:
                pieces += 1
                show(choice.delta.content or "", f"{pieces} pieces so far")
                each(pieces)
            if chunk.usage and (found := (chunk.model_extra or {}).get("usufruct")):
                receipt, details = found, (chunk.usage.model_extra or {})["cost_details"]
                bill = (
                    f"{chunk.usage.prompt_tokens} in, {chunk.usage.completion_tokens} out, "
                    f"${dollars(int(details['charge']))}, limit ${dollars(int(details['ceiling']))}"
                )
                show("", bill)
    if bill and not progress.live:
        progress.say(bill)
    return receipt


@contextmanager
def _answer(progress: Progress, limit: str) -> Iterator[Callable[[str, str], None]]:
    """Show text on the left and the meter on the right while both grow; plain lines where nothing can be redrawn."""
    if not progress.live:
        progress.piece("   ")
        try:
            yield lambda text, meter: progress.piece(text)
        finally:
            progress.piece("\n")
        return
    said, told = Text(style="cyan"), Text(style="dim")
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(ratio=1)
    table.add_column(width=_METER_COLUMNS)
    table.add_row(said, told)

    def show(text: str, meter: str) -> None:
        said.append(plain(text))
        told.plain = plain(meter).replace(", ", "\n") + (
            f"\nlimit ${dollars(int(limit))}" if limit and "limit" not in meter else ""
        )

    with Live(table, console=progress.console, refresh_per_second=12):
        yield show
