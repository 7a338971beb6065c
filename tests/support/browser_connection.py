"""A connection to the browser that a test process shares, without a Node.js driver of its own for each test.

Playwright's public `connect()` starts a driver, which relays every message: half a second of CPU time a test. The
server speaks the driver's protocol itself. What needs a driver's file access is missing: HAR files and traces.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from playwright._impl.browser import Browser as BrowserChannel
from playwright._impl.connection import Connection
from playwright._impl.utils.tasks import wait_for_next_task
from playwright.async_api import Browser


@asynccontextmanager
async def connected_browser(address: str) -> AsyncIterator[Browser]:
    """Connect to a browser server; the server closes the connection's profiles when it ends.

    Raises:
        aiohttp.ClientError: when no server answers at the address.
    """
    async with aiohttp.ClientSession() as http, http.ws_connect(address, max_msg_size=0) as socket:
        connection = Connection(asyncio.get_running_loop())
        connection.mark_as_remote()
        outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        connection.onmessage = outgoing.put_nowait
        tasks = [asyncio.create_task(_send(outgoing, socket)), asyncio.create_task(_receive(connection, socket))]
        try:
            playwright = await connection.initialize_playwright()
            channel = BrowserChannel.from_(playwright._initializer["preLaunchedBrowser"])
            channel._connect_to_browser_type(playwright.chromium, {}, None)
            yield Browser(channel)
        finally:
            connection.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _send(outgoing: asyncio.Queue[dict[str, Any]], socket: aiohttp.ClientWebSocketResponse) -> None:
    while True:
        await socket.send_str(json.dumps(await outgoing.get(), allow_nan=False))


async def _receive(connection: Connection, socket: aiohttp.ClientWebSocketResponse) -> None:
    try:
        async for message in socket:
            try:
                connection.dispatch(json.loads(message.data))
            except Exception as error:  # of a listener: the next call raises it, as Playwright's own transports do
                connection._on_event_listener_error(error)
            await wait_for_next_task()
    finally:
        connection.close("the browser's server closed the connection")
