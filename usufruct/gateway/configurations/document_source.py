"""Where the document of a configuration comes from: a folder of the operator's, or an https address."""

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from usufruct.gateway.configurations.model import LARGEST_DOCUMENT, ConfigurationEntry, InvalidConfiguration
from usufruct.http import AddressRefused, Pool, Reach, TransportError


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Seconds for a connection and for the whole exchange."""

    connect: float = 5.0
    total: float = 15.0


class DocumentSource:
    """Finds documents by their hash. What is found has the hash that the chain names, whoever publishes it."""

    def __init__(self, folder: Path, reach: Reach = Reach.PUBLIC, limits: FetchLimits | None = None) -> None:
        """Look into `folder` first, where a document's name is its hash and `.json`; `reach`: of https addresses."""
        self._folder = folder
        self._reach = reach
        self._limits = limits or FetchLimits()

    def path_of(self, entry: ConfigurationEntry) -> Path:
        """Return where the operator puts the document of an entry."""
        return self._folder / f"{entry.digest[2:]}.json"

    async def read(self, entry: ConfigurationEntry) -> str:
        """Return the document of an entry.

        Raises:
            InvalidConfiguration: when it is nowhere, too large, not text, or has another hash.
        """
        path = self.path_of(entry)
        content = await asyncio.to_thread(_file, path)
        if content is None:
            if not entry.address.startswith("https://"):
                raise InvalidConfiguration(
                    f"the document is not at {path}, and {entry.address} is not an https address"
                )
            content = await self._fetch(entry.address)
        if len(content) > LARGEST_DOCUMENT:
            raise InvalidConfiguration(f"the document has over {LARGEST_DOCUMENT} bytes")
        if "0x" + sha256(content).hexdigest() != entry.digest:
            raise InvalidConfiguration(f"the document does not have the hash {entry.digest[2:]}")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise InvalidConfiguration("the document is not UTF-8 text") from None

    async def _fetch(self, url: str) -> bytes:
        """Get a document; redirects are not followed."""
        try:
            pool = Pool(url, connect_seconds=self._limits.connect, keep_alive_seconds=0, reach=self._reach)
        except ValueError as error:
            raise InvalidConfiguration(f"{url[:200]} is not an address: {error}") from error
        try:
            async with asyncio.timeout(self._limits.total):
                response = await pool.send(_request(url), self._limits.total)
                try:
                    content = await response.read_all(LARGEST_DOCUMENT + 1)
                finally:
                    response.release()
        except AddressRefused:
            raise InvalidConfiguration(f"{url[:200]} is at no public address") from None
        except (TransportError, TimeoutError) as error:
            raise InvalidConfiguration(
                f"{url[:200]} gives no document: {str(error) or type(error).__name__}"
            ) from error
        finally:
            await pool.close()
        if response.status != 200:
            raise InvalidConfiguration(f"{url[:200]} gives no document: HTTP {response.status}")
        return content


def _file(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_DOCUMENT + 1)
    except OSError:
        return None


def _request(url: str) -> bytes:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {path} HTTP/1.1", f"host: {parts.netloc}", "accept: application/json", "user-agent: usufruct"]
    return "\r\n".join([*lines, "accept-encoding: identity", "connection: close", "", ""]).encode()
