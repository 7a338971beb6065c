"""Run the librarian as a process: `python -m usufruct_librarian --port 0`.

When it is ready it prints one JSON line that says where: `{"url": "http://127.0.0.1:40001/v1", ...}`.
"""

import argparse
import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from usufruct_librarian.passages import NoDocuments
from usufruct_librarian.requests import CHAT_MODEL, EMBEDDING_MODEL
from usufruct_librarian.server import Library, Server

OWN_DOCUMENTS = Path(__file__).parent / "docs"
"""Pages about Usufruct for newcomers."""


class _AnnouncedServer(uvicorn.Server):
    """A server that prints its address as soon as it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        ready = {"url": f"http://{host}:{port}/v1", "chat_model": CHAT_MODEL, "embedding_model": EMBEDDING_MODEL}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()


def _end_with_standard_input() -> None:
    while os.read(0, 1024):  # sys.stdin has a lock that must be free when this process ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Read the arguments, index the documents, serve until interrupted."""
    parser = argparse.ArgumentParser("librarian", description="Answers questions by quoting Markdown documents.")
    parser.add_argument("--docs", type=Path, nargs="+", default=[OWN_DOCUMENTS], help="Markdown files or folders")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--cache", type=Path, help="folder to keep the trained vocabulary in")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds to wait after each streamed token")
    parser.add_argument("--attached", action="store_true", help="end when standard input does")
    given = parser.parse_args()
    if given.attached:
        threading.Thread(target=_end_with_standard_input, daemon=True).start()
    try:
        library = Library(given.docs, given.cache)
    except NoDocuments as error:
        parser.error(str(error))
    config = uvicorn.Config(
        Server(library, given.pace).app(),
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
