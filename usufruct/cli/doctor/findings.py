"""What a check finds, and how checks are asked."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum

from usufruct.core import UsufructError


class Verdict(StrEnum):
    """`SKIPPED`: cannot be told, because something before it is wrong, or does not concern this installation."""

    OK = "ok"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what is the case, and what to do about it."""

    subject: str
    verdict: Verdict
    says: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """Return it as JSON values."""
        return {name: str(getattr(self, name)) for name in self.__slots__}


def good(subject: str, says: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(subject, Verdict.OK, says)


def bad(subject: str, says: str, remedy: str) -> Finding:
    """Return a finding that needs somebody."""
    return Finding(subject, Verdict.PROBLEM, says, remedy)


def skipped(subject: str, says: str) -> Finding:
    """Return a finding about which nothing can be said."""
    return Finding(subject, Verdict.SKIPPED, says)


Check = Callable[[], AsyncIterator[Finding]]


async def ask(subject: str, check: Check) -> list[Finding]:
    """Run a check; an error of ours is a finding too, and its message names the remedy."""
    found: list[Finding] = []
    try:
        async for finding in check():
            found.append(finding)  # noqa: PERF401 - what was found before an error stays found
    except UsufructError as error:
        found.append(bad(subject, error.message, ""))
    return found
