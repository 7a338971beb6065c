"""How many drafts a network may have simulated in a minute: anyone may ask, and a simulation is work for the node."""

from usufruct.core import Clock
from usufruct.core.minute_rate import MinuteRate
from usufruct.governance.errors import TooManyDrafts

_UNKNOWN = "unknown"
"""The network of callers whose network is not known: they count as one."""


class DraftLimit:
    """Counts simulated drafts of proposals and of trusts together, by network, in this replica."""

    def __init__(self, most: int, clock: Clock) -> None:
        """Let each network have `most` drafts simulated in a minute."""
        self._most = most
        self._rate = MinuteRate(clock)

    def count(self, network: str | None) -> None:
        """Count a draft that is about to be simulated; `network`: as `client_network` says.

        Raises:
            TooManyDrafts: when the network had as many simulated in this minute as it may.
        """
        wait = self._rate.count(network or _UNKNOWN, self._most)
        if wait:
            raise TooManyDrafts(
                f"your network had {self._most} drafts simulated in this minute; ask again in {wait} s",
                most=self._most,
                retry_after=wait,
            )
