"""Commands whose libraries are an extra of the package: where it is not installed, one line names it."""

from collections.abc import Mapping

from usufruct.core import Conflict

EXTRAS: Mapping[str, str] = {
    "ccxt": "markets",
    "lightgbm": "markets",
    "numpy": "markets",
    "polars": "markets",
    "vaderSentiment": "markets",
    "asyncpg": "postgres",
    "redis": "redis",
}
"""From a library to the extra that brings it."""


def missing_extra(command: str, error: ModuleNotFoundError) -> Conflict | None:
    """Return the error of a command whose extra is absent; None where another module is missing."""
    extra = EXTRAS.get((error.name or "").partition(".")[0])
    if extra is None:
        return None
    return Conflict(
        f"the command `{command}` needs the extra `{extra}` ({error.name} is missing): pip install 'usufruct[{extra}]'",
        code="extra_missing",
        extra=extra,
    )
