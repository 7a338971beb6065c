"""How much a server takes from its clients, and how it stops: one frozen value, passed in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Bounds on connections, heads and the shutdown; seconds and bytes.

    - `connections`: served at once; more are answered 503. From three quarters of it on, each new connection closes
      the one that has been idle longest.
    - `keep_alive_seconds`: how long an idle connection stays open. Longer than common clients keep theirs (undici 4 s,
      httpx 5 s, aiohttp 15 s): the side that closes first must be the client, or its next request meets a closed one.
    - `head_bytes`: the longest head (request line and headers). As much may come within a body without a byte of it.
    - `head_seconds`: from a head's first byte, or from the connection's begin, to the head's end.
    - `linger_bytes`, `linger_seconds`: what may still come of a request whose answer is complete. Closing at once could
      take the answer from a client that still sends.
    - `pipelined`: requests that may wait in one connection for those before them.
    - `lead_seconds`: how long a draining server, unready already, still accepts connections: a load balancer needs a
      moment to see that it is unready.
    - `drain_seconds`: how long running requests may go on after that; then they are cut.
    """

    connections: int = 2_000
    keep_alive_seconds: float = 75.0
    head_bytes: int = 65_536
    head_seconds: float = 20.0
    linger_bytes: int = 16 << 20
    linger_seconds: float = 5.0
    pipelined: int = 16
    lead_seconds: float = 0.0
    drain_seconds: float = 30.0
