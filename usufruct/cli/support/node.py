"""Questions to the node of the configured chain, from commands that run outside an event loop."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from usufruct.chain import Client, open_node
from usufruct.cli.support.runner import run
from usufruct.config import Config

T = TypeVar("T")


def ask_node(config: Config, question: Callable[[Client], Awaitable[T]]) -> T:
    """Open the node, and return what it answers to `question`."""

    async def asked() -> T:
        async with open_node(config) as client:
            return await question(client)

    return run(asked)
