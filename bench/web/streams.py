"""Readers of an event stream, all at once: how many streams were open together, and what the worker held then."""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

_SAMPLE_SECONDS = 0.02
_BEGUN, _ENDED = b"data: ", b"event: done"


@dataclass(slots=True)
class Streams:
    """How many streams are open, the most that were, and the worker's largest resident memory while they were."""

    open: int = 0
    most: int = 0
    megabytes: float = 0.0


async def read_streams(root: str, path: str, readers: int, worker: psutil.Process) -> Streams:
    """Open so many streams at the same moment, on connections that were made before, and read each to its end.

    Raises:
        RuntimeError: when a stream breaks off.
    """
    address, streams = urlsplit(root), Streams()
    where = address.hostname or "", address.port or 80
    request = f"GET {path} HTTP/1.1\r\nhost: {address.netloc}\r\naccept: text/event-stream\r\n\r\n".encode()
    connections = [await asyncio.open_connection(*where) for _ in range(readers)]
    for _, writer in connections:
        writer.write(request)
    reading = asyncio.gather(*(_read(reader, streams) for reader, _ in connections))
    while not reading.done():
        streams.megabytes = max(streams.megabytes, worker.memory_info().rss / 1e6)
        await asyncio.sleep(_SAMPLE_SECONDS)
    for _, writer in connections:
        writer.close()
    await reading
    return streams


async def _read(reader: asyncio.StreamReader, streams: Streams) -> None:
    seen = b""
    while _BEGUN not in seen:
        seen += await _more(reader)
    streams.open += 1
    streams.most = max(streams.most, streams.open)
    while _ENDED not in seen:
        seen += await _more(reader)
    streams.open -= 1


async def _more(reader: asyncio.StreamReader) -> bytes:
    received = await reader.read(65_536)
    if not received:
        raise RuntimeError("an event stream broke off")
    return received
