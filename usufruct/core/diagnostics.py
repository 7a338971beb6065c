"""What `usufruct doctor` asks: each component contributes its own diagnostics."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum

from usufruct.core.errors import UsufructError

__all__ = ["Diagnostic", "Finding", "Verdict", "bad", "good", "skipped"]


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
    """Return a finding that needs the operator."""
    return Finding(subject, Verdict.PROBLEM, says, remedy)


def skipped(subject: str, says: str) -> Finding:
    """Return a finding about which nothing can be said."""
    return Finding(subject, Verdict.SKIPPED, says)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A check of one subject, which yields what it finds.

    It is not asked while one of the subjects that it `needs` has a problem. `services`: it asks services of started
    components, so that nothing else than a sound database and chain will do. `slow`: it takes seconds, and `status`,
    which answers at once, leaves it to the doctor.
    """

    subject: str
    check: Callable[[], AsyncIterator[Finding]]
    needs: tuple[str, ...] = ()
    services: bool = False
    slow: bool = False

    async def ask(self) -> list[Finding]:
        """Run the check; an error of ours is a finding too, and its message names the remedy."""
        found: list[Finding] = []
        try:
            async for finding in self.check():
                found.append(finding)  # noqa: PERF401 - what was found before an error stays found
        except UsufructError as error:
            found.append(bad(self.subject, error.message, ""))
        return found
