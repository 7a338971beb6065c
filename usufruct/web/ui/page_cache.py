"""Drawn pages, kept until what they show changes; each answer gets a nonce of its own, compressed or not."""

import asyncio
import struct
import zlib
from collections.abc import Awaitable, Callable, Hashable, Sequence
from hashlib import sha256
from weakref import WeakValueDictionary

NONCE_BYTES = 18
"""Of a nonce, before it is written as URL-safe base64 in `_LENGTH` characters."""

_LENGTH = 24
_LEVEL = 6
_RAW_DEFLATE = -zlib.MAX_WBITS
_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_LAST_BLOCK = b"\x03\0"
_PIECE_BYTES = 200
"""What a piece takes beside its compressed text."""

_GAP = b"\xff" * _LENGTH
"""Holds a nonce's place in the compressor's window. No text in UTF-8 has such a byte, so nothing refers to it."""

_STORED = b"\0" + struct.pack("<HH", _LENGTH, _LENGTH ^ 0xFFFF)
"""The head of an uncompressed block of a nonce's length (RFC 1951, 3.2.4)."""


class DrawnPage:
    """A page in UTF-8 without its nonces, compressed; `tag` differs when anything but a nonce does."""

    __slots__ = ("_packed", "_pieces", "tag")

    def __init__(self, text: str, nonce: str) -> None:
        """Cut the page at the nonce it was drawn with: a random one, which no text in it can hold by design."""
        pieces = text.encode().split(nonce.encode())
        self._packed = _packed(pieces)
        self._pieces = [(len(each), zlib.crc32(each) ^ zlib.crc32(bytes(len(each)))) for each in pieces]
        self.tag = f'"{sha256(_GAP.join(pieces)).hexdigest()[:32]}"'

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return sum(map(len, self._packed)) + _PIECE_BYTES * len(self._pieces)

    def plain(self, nonce: str) -> bytes:
        """Return the page with a nonce."""
        return zlib.decompress(self._body(nonce), _RAW_DEFLATE)

    def gzipped(self, nonce: str) -> bytes:
        """Return the page with a nonce, compressed. The nonce itself is not, so its length tells nothing about it."""
        length = sum(length for length, _ in self._pieces) + _LENGTH * (len(self._pieces) - 1)
        return b"".join((_GZIP_HEAD, self._body(nonce), struct.pack("<II", self._checksum(nonce.encode()), length)))

    def _body(self, nonce: str) -> bytes:
        return (_STORED + nonce.encode()).join(self._packed) + _LAST_BLOCK

    def _checksum(self, nonce: bytes) -> int:
        """Return the CRC-32 of the page: after a piece it is what it were after zeros, changed by a constant."""
        checksum = 0
        for number, (length, change) in enumerate(self._pieces):
            if number:
                checksum = zlib.crc32(nonce, checksum)
            checksum = zlib.crc32(bytes(length), checksum) ^ change
        return checksum


def _packed(pieces: Sequence[bytes]) -> list[bytes]:
    """Compress pieces as one stream, into which an uncompressed nonce fits between any two."""
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW_DEFLATE)
    packed = []
    for number, piece in enumerate(pieces):
        if number:
            deflate.compress(_GAP)
            deflate.flush(zlib.Z_SYNC_FLUSH)
        packed.append(deflate.compress(piece) + deflate.flush(zlib.Z_SYNC_FLUSH))
    return packed


class PageCache:
    """The pages that were asked for last, in at most so many bytes.

    A page is found by its key, which holds everything that a reader chooses, and is good for as long as `shown`, the
    state of what it shows, is equal.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._pages: dict[Hashable, tuple[Hashable, DrawnPage]] = {}
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def get(self, key: Hashable, shown: Hashable, draw: Callable[[], Awaitable[DrawnPage]]) -> DrawnPage:
        """Return a page as it is now: readers who come while it is drawn wait for the one drawing."""
        if page := self._current(key, shown):
            return page
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            page = self._current(key, shown)
            if page is None:
                page = await draw()
                self._keep(key, shown, page)
        return page

    def _current(self, key: Hashable, shown: Hashable) -> DrawnPage | None:
        found = self._pages.pop(key, None)
        if found is None:
            return None
        self._pages[key] = found  # the last one is the one asked for last
        return found[1] if found[0] == shown else None

    def _keep(self, key: Hashable, shown: Hashable, page: DrawnPage) -> None:
        if key in self._pages:
            self._bytes -= self._pages.pop(key)[1].size
        self._pages[key] = shown, page
        self._bytes += page.size
        while self._bytes > self._most_bytes:
            oldest = next(iter(self._pages))
            self._bytes -= self._pages.pop(oldest)[1].size
