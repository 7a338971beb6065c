"""Limit the answers that a payer has made upstream, at the operator's cost, without paying for them.

An answer counts as abandoned when its caller hangs up on a whole answer, or on a stream before its first text (upstream
has read the prompt by then), or when it passes our limits of time or size.
"""

from collections import deque

from usufruct.connectors.openai import UpstreamOversized, UpstreamSlow
from usufruct.core import Clock
from usufruct.gateway.call_limits import CallLimits
from usufruct.gateway.errors import AbandonedAnswers
from usufruct.web import ClientGone


def is_callers(error: BaseException) -> bool:
    """Tell whether a call's caller can bring this error about, and the upstream's work with it."""
    if isinstance(error, UpstreamSlow):
        return error.details.get("phase") == "total"
    return isinstance(error, ClientGone | UpstreamOversized)


class DisconnectLimit:
    """Counts, in this process, the answers that a payer abandoned and those that they paid for."""

    def __init__(self, limits: CallLimits, clock: Clock) -> None:
        """Begin with no abandoned answers."""
        self._limits = limits
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
            while times and times[0][0] <= now - self._limits.abandoned_seconds:
                times.popleft()
            if not times:
                del self._times[payer]

    def paid(self, account: str) -> None:
        """Remember an answer that a payer paid for: for as long as abandoned ones count, at most twice as long."""
        self._turn()
        self._paid[account] = self._paid.get(account, 0) + 1

    def check(self, account: str, *, stream: bool, streams: bool) -> None:
        """Refuse an answer to a payer who abandoned too many: a stream only if those were streams.

        `streams` says whether the answer could be streamed.

        Raises:
            AbandonedAnswers: says when answers are given again.
        """
        if account not in self._times:
            return
        times, most = self._recent(account, streams=stream), self._most(account)
        if len(times) < most:
            return
        wait = int(times[-most] + self._limits.abandoned_seconds - self._clock.monotonic()) + 1
        no_streams = not streams or len(self._recent(account, streams=True)) >= most
        instead = "" if no_streams else "ask with `stream: true`, or "
        raise AbandonedAnswers(
            f"{len(times)} answers within {self._limits.abandoned_seconds:g} s were made for {account} and not paid "
            f"for: hung up on or over our limits of time and size; {instead}ask again in {wait} s",
            field="stream",
            payer=account,
            retry_after=wait,
        )

    def _recent(self, account: str, *, streams: bool) -> list[float]:
        """Return when a payer abandoned answers, or streams only."""
        since = self._clock.monotonic() - self._limits.abandoned_seconds
        return [at for at, stream in self._times[account] if at > since and (stream or not streams)]

    def _most(self, account: str) -> int:
        """Return from how many abandoned answers on a payer is refused."""
        self._turn()
        paid = self._paid.get(account, 0) + self._paid_before.get(account, 0)
        return max(self._limits.abandoned_most, paid // self._limits.abandoned_share)

    def _turn(self) -> None:
        """Forget what was paid long ago."""
        age = self._clock.monotonic() - self._paid_since
        if age >= self._limits.abandoned_seconds:
            self._paid_before = self._paid if age < 2 * self._limits.abandoned_seconds else {}
            self._paid, self._paid_since = {}, self._clock.monotonic()
