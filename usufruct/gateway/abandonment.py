"""Payers who hang up on whole answers: each was made upstream at the operator's cost, and nothing is charged for it."""

from collections import deque

from usufruct.core import Clock
from usufruct.gateway.errors import AbandonedAnswers
from usufruct.gateway.request import Asked

MOST = 5
WITHIN_SECONDS = 600.0
"""So many abandoned answers in this time are borne; then whole answers are refused until fewer are."""


class Abandonments:
    """Remembers who hung up when, in this process."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nobody."""
        self._clock = clock
        self._times: dict[str, deque[float]] = {}

    def note(self, account: str) -> None:
        """Remember that a payer hung up on a whole answer."""
        now = self._clock.monotonic()
        self._times.setdefault(account, deque(maxlen=MOST)).append(now)
        for long_ago in [each for each, times in self._times.items() if times[-1] < now - WITHIN_SECONDS]:
            del self._times[long_ago]

    def check(self, account: str | None, asked: Asked) -> None:
        """Refuse a whole answer to a payer who hung up on too many.

        Raises:
            AbandonedAnswers: says when whole answers are given again.
        """
        times = self._times.get(account) if account and not asked.stream else None
        if times is None or len(times) < MOST:
            return
        left = times[0] + WITHIN_SECONDS - self._clock.monotonic()
        if left > 0:
            wait = int(left) + 1
            instead = "" if asked.wanted_output == 0 else "ask with `stream: true`, or "
            raise AbandonedAnswers(
                f"{account} hung up on {MOST} whole answers within {WITHIN_SECONDS:g} s, which were made and not paid "
                f"for; {instead}ask again in {wait} s",
                field="stream",
                payer=account,
                retry_after=wait,
            )
