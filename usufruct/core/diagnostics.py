"""What `usufruct doctor` asks: each component contributes its own diagnostics."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from usufruct.core.errors import UsufructError

__all__ = ["Diagnostic", "Diagnostics", "Finding", "Verdict", "ask_in_order", "bad", "good", "skipped"]

_GROUND = ("database", "node", "contracts", "token")
"""Without these no service works."""


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


async def ask_in_order(diagnostics: Iterable[Diagnostic]) -> list[Finding]:
    """Ask diagnostics one after the other; those whose needs have a problem are skipped."""
    found: list[Finding] = []
    unsound: set[str] = set()
    for each in diagnostics:
        missing = [need for need in each.needs if need in unsound]
        new = [skipped(each.subject, f"not looked at: {missing[0]} comes first")] if missing else await each.ask()
        if missing or any(finding.verdict is Verdict.PROBLEM for finding in new):
            unsound.add(each.subject)
        found += new
    return found


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """The diagnostics of all components of an installation."""

    all: Sequence[Diagnostic]

    async def ask(self, *, slow: bool, start: Callable[[], Awaitable[None]] | None = None) -> list[Finding]:
        """Ask everything in order, without `slow` what is soon known: what stands on its own, then the services.

        `start` starts the services first, where they do not run.
        """
        asked = [each for each in self.all if slow or not each.slow]
        found = await ask_in_order(each for each in asked if not each.services)
        if any(finding.verdict is Verdict.PROBLEM and finding.subject in _GROUND for finding in found):
            return [*found, skipped("services", f"not looked at: {', '.join(_GROUND)} come first")]
        try:
            if start is not None:
                await start()
        except UsufructError as error:
            return [*found, bad("services", error.message, "")]
        return found + await ask_in_order(each for each in asked if each.services)
