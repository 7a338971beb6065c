"""What a bulletin is: a document that the worker writes once for a day or a month, from figures, and keeps."""

from dataclasses import dataclass
from enum import StrEnum

from usufruct.core import NotFound


class UnknownBriefing(NotFound, code="unknown_briefing"):
    """No briefing of this day is kept."""


class UnknownGuide(NotFound, code="unknown_guide"):
    """No guide of this month is kept."""


class BulletinKind(StrEnum):
    """A briefing has a day as its period, a guide a month."""

    BRIEFING = "briefing"
    GUIDE = "top-10-guide"


@dataclass(frozen=True, slots=True)
class Bulletin:
    """A bulletin as it is kept. `document` is JSON; `period` is YYYY-MM-DD or YYYY-MM; `written_at` seconds."""

    kind: BulletinKind
    period: str
    input_hash: str
    document: str
    written_at: int = 0


@dataclass(frozen=True, slots=True)
class BulletinPolicy:
    """Bounds. A worker that was away writes what is missing, up to `most_days` back, the first time one day.

    `notified_days`: subscribers are notified of a briefing up to so many days after the end of its day.
    """

    most_days: int = 31
    notified_days: int = 3
    late_seconds: int = 12 * 3_600
