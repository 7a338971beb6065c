"""What the gateway asks of a kind of service: how a request is read, limited, run and measured.

A new kind of service is one file with an `Operation` and its `Work`, and its registration with the `Gateway`.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from usufruct.connectors.openai import Answer, ChatStream, UpstreamClient, UsageFault
from usufruct.connectors.openai import Usage as Reported
from usufruct.core import UINT128_MAX, value
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.gateway.model import ServedListing
from usufruct.payments.pricing import Allowance, Measured, OverBudget
from usufruct.web import Operation as Described


@value
class Request:
    """A request's body: its bytes, and the JSON object that they are."""

    raw: bytes
    content: Mapping[str, Any]


@value
class Written:
    """A whole answer as it is sent, without its `usage`, and the part of it that the receipt hashes."""

    body: bytes
    hashed: bytes


@value
class Delivered:
    """What came of a stream: the upstream's own usage, the output text that the caller has, and all that came.

    `is_whole`: the stream came to its end, and the caller has all of it.
    """

    reported: Reported | UsageFault | None
    text: str
    whole_text: str
    is_whole: bool


@value
class Budget:
    """What a call may cost at most; `own_limit`: the caller set it for this very call, to cut the output to fit."""

    amount: int = UINT128_MAX
    own_limit: bool = False

    def check(self, allowance: Allowance) -> None:
        """Refuse what costs more.

        Raises:
            OverBudget: with the numbers.
        """
        if allowance.ceiling > self.amount:
            raise OverBudget(
                f"the call costs up to {allowance.ceiling}, and {self.amount} may be spent; raise x-usufruct-limit",
                needed=allowance.ceiling,
                budget=self.amount,
            )


class StreamedWork(Protocol):
    """A request for a stream."""

    @property
    def usage_asked(self) -> bool:
        """Whether the caller wants the usage event."""

    def open_stream(
        self, client: UpstreamClient, model: str, allowance: Allowance
    ) -> AbstractAsyncContextManager[ChatStream]:
        """Ask an upstream, by its own name for the model, for a stream."""

    async def measured_stream(self, delivered: Delivered) -> Measured:
        """Return the usage to charge: of the whole, or of the part that was delivered."""


class Work(Protocol):
    """One request, read: what it may use, how an upstream does it, and what it used. By default it comes whole."""

    @property
    def streamed(self) -> StreamedWork | None:
        """The same request, if it asks for a stream."""
        return None

    @property
    def dropped(self) -> tuple[str, ...]:
        """Members of the request that were left out because nothing is lost by it."""
        return ()

    @property
    def other_way(self) -> str:
        """How else than by x402 a caller without a payment gets an answer."""
        return "send a key (`Authorization: Bearer uf_...`)"

    @property
    def discovery(self) -> Mapping[str, Any] | None:
        """The declaration for catalogues of x402; None: that of the listing's operation."""
        return None

    async def prepare(self) -> None:
        """Do what may refuse the request before any money moves; nothing by default.

        Raises:
            UsufructError: when the request cannot be answered.
        """
        return  # without a statement, every operation would have to define it

    def limits(self, card: PriceCard, budget: Budget) -> Allowance:
        """Return the most output the call may have, and what it costs at most.

        Raises:
            OverContext: when the input is too long.
            OverBudget: when the call does not fit the budget.
        """

    def is_reducible(self, budget: Budget) -> bool:
        """Tell whether the output may be lowered to fit the money: the caller left it open or limits it by money."""
        return False

    async def run(self, client: UpstreamClient, model: str, allowance: Allowance) -> Answer:
        """Ask an upstream, by its own name for the model, for a whole answer."""

    def written(self, content: Mapping[str, Any], text: str) -> Written:
        """Write a whole answer from its content; `text` is its output text.

        Raises:
            UpstreamMalformed: when it is nested too deeply to be written.
        """

    async def measured(self, answer: Answer) -> Measured:
        """Return the usage to charge for a whole answer."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What a call does: one kind of service that listings can be of.

    `name` is what a listing calls it, `path` its endpoint, `described` what the OpenAPI document says about it, `unit`
    what its quantities are counted in. `streams`: it can answer event by event.

    `read` checks a request, and counts its input. It raises InvalidRequest or UnsupportedContent, which name the member
    that is wrong; OverContext, when the request cannot fit the context window; CountingBusy, when too much long input
    is being counted.
    """

    name: str
    path: str
    described: Described
    unit: PriceUnit
    read: Callable[[Request, ServedListing, PriceCard], Awaitable[Work]]
    streams: bool = False
