"""Server-sent events: cut a byte stream into events, and take the data out of one."""


class EventSplitter:
    """Cuts chunks of any size into events; the same events come out however the bytes were chunked.

    Lines may end in LF, CR or CRLF; what comes out has LF. An event is its lines without the blank line that ends it.
    """

    def __init__(self, largest: int) -> None:
        """Stop at an event longer than `largest` bytes."""
        self._largest = largest
        self._pieces: list[bytes] = []  # of the event that has begun
        self._length = 0
        self._after_cr = False
        self.between_events = True
        """Whether the next byte begins an event, and no LF has to be left out before it."""
        self.oversized = False
        """Whether an event was longer than the limit; nothing comes out after it."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the events that `chunk` completes."""
        if self._after_cr or b"\r" in chunk:
            chunk = self._with_lf(chunk)
        if self._pieces:
            if b"\n\n" not in chunk and not (chunk.startswith(b"\n") and self._pieces[-1].endswith(b"\n")):
                self._keep(chunk)
                return []
            chunk = b"".join((*self._pieces, chunk))
            self._pieces.clear()
            self._length = 0
        events = chunk.split(b"\n\n")
        if rest := events.pop():
            self._keep(rest)
        self.between_events = not (self._pieces or self._after_cr)
        return events if len(chunk) <= self._largest else self._within_limit(events)

    def finish(self) -> bytes:
        """Return what came after the last complete event, at the end of the stream."""
        rest = b"".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return rest.strip(b"\n")

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._length += len(piece)
            self.oversized = self.oversized or self._length > self._largest

    def _with_lf(self, chunk: bytes) -> bytes:
        """Rewrite line ends; a CR at the end of a chunk may have its LF in the next one."""
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _within_limit(self, events: list[bytes]) -> list[bytes]:
        for index, event in enumerate(events):
            if len(event) > self._largest:
                self.oversized = True
                return events[:index]
        return events


def event_fields(event: bytes) -> tuple[bytes, bytes]:
    """Return the name and the data of an event whose lines end in LF; either may be empty."""
    name, values = b"", []
    for line in event.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            values.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.strip()
    return name, b"\n".join(values)
