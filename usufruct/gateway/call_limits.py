"""What a gateway allows its callers, and how long it waits: frozen values, passed in."""

from dataclasses import dataclass, field

from usufruct.connectors.openai import Limits


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Limits and waits of one gateway.

    `body_bytes` is the longest request; `unpaid_body_bytes` the longest whose payer is not known to have money here:
    pricing it is work. `sample_body_bytes`: the longest free one. `longest_seconds`: for one answer.
    `drain_seconds`, `drain_characters`: how much of an upstream stream is read after its caller left, for its count.
    `farewell_seconds`: how long the last write waits for a caller.
    `rest_seconds`: how long an upstream that failed is tried last. `lowerings`: how often output is lowered to fit the
    balance. `meter_tries`, `meter_pause`: for a charge whose database does not answer. `forget_seconds`: between two
    removals of stored answers.

    Within `abandoned_seconds` a payer may leave `abandoned_most` answers unpaid, or one for `abandoned_share` answers
    that the payer paid for, whichever is more. Long input is counted on `counting_threads`, at most
    `counting_characters` of it at once (some seconds of work).
    """

    body_bytes: int = 8 << 20
    unpaid_body_bytes: int = 2 << 20
    sample_body_bytes: int = 32 << 10
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
    abandoned_most: int = 5
    abandoned_share: int = 10
    abandoned_seconds: float = 600.0
    counting_threads: int = 2
    counting_characters: int = 16 << 20
    counting_retry_seconds: int = 5
