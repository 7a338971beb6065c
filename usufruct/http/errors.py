"""What can go wrong between us and a server, before what it says is looked at."""


class TransportError(Exception):
    """A request or its answer failed on the way."""


class ConnectFailed(TransportError):
    """No connection could be made; the message is the reason."""


class AddressRefused(ConnectFailed):
    """The host has no address that it may have; the message names those it has."""


class ConnectTimeout(TransportError):
    """No connection was made in time."""


class ReadTimeout(TransportError):
    """Nothing came for too long."""


class ConnectionCut(TransportError):
    """The connection ended before the answer did; `unanswered`: not a byte of the answer had come."""

    def __init__(self, *, unanswered: bool) -> None:
        super().__init__("the connection was closed")
        self.unanswered = unanswered


class NotHttp(TransportError):
    """What came is not an HTTP/1.1 answer, or its head or encoding is none we take; the message says what."""


class TooLong(TransportError):
    """A document is larger than its reader takes; the message is the limit."""
