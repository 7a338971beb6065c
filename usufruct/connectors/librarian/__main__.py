"""Run the librarian as a process: `python -m usufruct.connectors.librarian --port 0`.

When it is ready, one JSON line on standard output says where: `{"url": "http://127.0.0.1:40001/v1", ...}`. It stands
for a stranger's upstream, so it runs on uvicorn as it comes, not on `usufruct.web.Server`.
"""

import argparse
import socket
import sys
from pathlib import Path

import orjson
import uvicorn

from usufruct.connectors.librarian.api import LibrarianApi
from usufruct.connectors.librarian.library import OWN_DOCUMENTS, open_library
from usufruct.connectors.librarian.passages import NoDocuments
from usufruct.connectors.librarian.requests import CHAT_MODEL, EMBEDDING_MODEL
from usufruct.core import SystemClock, end_with_standard_input


class _AnnouncedServer(uvicorn.Server):
    """A server that says where it listens as soon as it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        ready = {"url": f"http://{host}:{port}/v1", "chat_model": CHAT_MODEL, "embedding_model": EMBEDDING_MODEL}
        sys.stdout.buffer.write(orjson.dumps(ready) + b"\n")
        sys.stdout.buffer.flush()


def main() -> None:
    """Read the arguments, build the library, serve until interrupted."""
    parser = argparse.ArgumentParser("librarian", description="Answers questions by quoting Markdown documents.")
    parser.add_argument("--docs", type=Path, nargs="+", default=[OWN_DOCUMENTS], help="Markdown files or folders")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--cache", type=Path, help="folder to keep the trained vocabulary in")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds to wait after each streamed token")
    parser.add_argument("--attached", action="store_true", help="end when standard input does")
    given = parser.parse_args()
    if given.attached:
        end_with_standard_input()
    try:
        library = open_library(given.docs, given.cache)
    except NoDocuments as error:
        parser.error(error.message)
    app = LibrarianApi(library, SystemClock(), given.pace).app()
    config = uvicorn.Config(
        app,
        host=given.host,
        port=given.port,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )
    _AnnouncedServer(config).run()


if __name__ == "__main__":
    main()
