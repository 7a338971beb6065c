"""What a gateway allows its callers, and how long it waits: frozen values, passed in."""

from dataclasses import dataclass, field

from usufruct.connectors.openai import Limits


@dataclass(frozen=True, slots=True)
class DisconnectPolicy:
    """How many answers a payer may leave unpaid within `within_seconds`.

    That is `most`, or one for `paid_for_one` answers that the payer paid for, whichever is more.
    """

    most: int = 5
    paid_for_one: int = 10
    within_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class CountingPolicy:
    """How long input is counted: on `threads`, at most `waiting_characters` of it at once (some seconds of work)."""

    threads: int = 2
    waiting_characters: int = 16 << 20
    retry_seconds: int = 5


@dataclass(frozen=True, slots=True)
class GatewayPolicy:
    """Limits and waits of one gateway.

    `body_bytes` is the longest request; `unpaid_body_bytes` the longest whose payer is not known to have money here:
    pricing it is work. `longest_seconds`: for one answer. `drain_seconds`, `drain_characters`: how much of an upstream
    stream is read after its caller left, for its count. `farewell_seconds`: how long the last write waits for a caller.
    `rest_seconds`: how long an upstream that failed is tried last. `lowerings`: how often output is lowered to fit the
    balance. `meter_tries`, `meter_pause`: for a charge whose database does not answer. `forget_seconds`: between two
    removals of stored answers.
    """

    body_bytes: int = 8 << 20
    unpaid_body_bytes: int = 2 << 20
    longest_seconds: float = 1_800.0
    drain_seconds: float = 5.0
    drain_characters: int = 1 << 20
    farewell_seconds: float = 30.0
    rest_seconds: float = 5.0
    lowerings: int = 2
    meter_tries: int = 3
    meter_pause: float = 0.2
    forget_seconds: float = 600.0
    upstream: Limits = field(default_factory=Limits)
    disconnects: DisconnectPolicy = field(default_factory=DisconnectPolicy)
    counting: CountingPolicy = field(default_factory=CountingPolicy)
