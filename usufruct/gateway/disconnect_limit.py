"""Limit the answers that a payer has made upstream, at the operator's cost, without paying for them.

An answer counts as abandoned when its caller hangs up on a whole answer, or on a stream before its first text (upstream
has read the prompt by then), or when it passes our limits of time or size.
"""

from collections import deque

from usufruct.connectors.openai import UpstreamOversized, UpstreamSlow
from usufruct.core import Clock
from usufruct.gateway.errors import AbandonedAnswers
from usufruct.gateway.request import Asked
from usufruct.web import ClientGone

MOST = 5
"""Abandoned answers within `WITHIN_SECONDS` from which on a payer is refused further ones."""

PAID_FOR_ONE = 10
"""Or one for so many answers that they paid for, if that is more."""

WITHIN_SECONDS = 600.0


def is_callers(error: BaseException) -> bool:
    """Tell whether a call's caller can bring this error about, and the upstream's work with it."""
    if isinstance(error, UpstreamSlow):
        return error.details.get("phase") == "total"
    return isinstance(error, ClientGone | UpstreamOversized)


class DisconnectLimit:
    """Counts, in this process, the answers that a payer abandoned and those that they paid for."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nobody."""
        self._clock = clock
        self._times: dict[str, deque[tuple[float, bool]]] = {}
        self._paid: dict[str, int] = {}
        self._paid_before: dict[str, int] = {}
        self._paid_since = clock.monotonic()

    def note(self, account: str, *, stream: bool) -> None:
        """Remember an answer that a payer abandoned."""
        now = self._clock.monotonic()
        self._times.setdefault(account, deque()).append((now, stream))
        for payer, times in list(self._times.items()):
            while times and times[0][0] <= now - WITHIN_SECONDS:
                times.popleft()
            if not times:
                del self._times[payer]

    def paid(self, account: str) -> None:
        """Remember an answer that a payer paid for: for as long as abandoned ones count, at most twice as long."""
        self._turn()
        self._paid[account] = self._paid.get(account, 0) + 1

    def check(self, account: str | None, asked: Asked) -> None:
        """Refuse an answer to a payer who abandoned too many: a stream only if those were streams.

        Raises:
            AbandonedAnswers: says when answers are given again.
        """
        if account is None or account not in self._times:
            return
        times, most = self._recent(account, streams=asked.stream), self._most(account)
        if len(times) < most:
            return
        wait = int(times[-most] + WITHIN_SECONDS - self._clock.monotonic()) + 1
        no_streams = asked.wanted_output == 0 or len(self._recent(account, streams=True)) >= most
        instead = "" if no_streams else "ask with `stream: true`, or "
        raise AbandonedAnswers(
            f"{len(times)} answers within {WITHIN_SECONDS:g} s were made for {account} and not paid for: hung up on or "
            f"over our limits of time and size; {instead}ask again in {wait} s",
            field="stream",
            payer=account,
            retry_after=wait,
        )

    def _recent(self, account: str, *, streams: bool) -> list[float]:
        """Return when a payer abandoned answers, or streams only."""
        since = self._clock.monotonic() - WITHIN_SECONDS
        return [at for at, stream in self._times[account] if at > since and (stream or not streams)]

    def _most(self, account: str) -> int:
        """Return from how many abandoned answers on a payer is refused."""
        self._turn()
        paid = self._paid.get(account, 0) + self._paid_before.get(account, 0)
        return max(MOST, paid // PAID_FOR_ONE)

    def _turn(self) -> None:
        """Forget what was paid long ago."""
        age = self._clock.monotonic() - self._paid_since
        if age >= WITHIN_SECONDS:
            self._paid_before = self._paid if age < 2 * WITHIN_SECONDS else {}
            self._paid, self._paid_since = {}, self._clock.monotonic()
