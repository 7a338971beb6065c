"""How long we wait for an upstream, and how much we take from it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes.

    `connect` to open a connection; `first_byte` from there to the first byte of a stream; `idle` between two reads of a
    stream; `total` for a whole call. `event_bytes` is the longest event of a stream, `answer_bytes` the longest answer.
    """

    connect: float = 5.0
    first_byte: float = 120.0
    idle: float = 60.0
    total: float = 900.0
    event_bytes: int = 1 << 20
    answer_bytes: int = 32 << 20
