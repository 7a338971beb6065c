"""Bulletins as they are served: the documents of the table, with when they were written."""

from datetime import date
from math import ceil
from typing import Final

import orjson

from usufruct.core import DAY_SECONDS, Clock
from usufruct.indices.bulletins.model import Bulletin, BulletinKind, BulletinPolicy, UnknownBriefing, UnknownGuide
from usufruct.indices.bulletins.store import BulletinStore
from usufruct.indices.publication import seconds_of
from usufruct_client.bulletin_documents import (
    BriefingLine,
    BriefingList,
    IndexGuide,
    KeptBriefing,
    KeptGuide,
    MarketBriefing,
)
from usufruct_client.wire_types import read_answer

PAGE_ROWS: Final = 30


class KeptBulletins:
    """What is kept of bulletins, as documents."""

    def __init__(self, store: BulletinStore, clock: Clock, policy: BulletinPolicy | None = None) -> None:
        """Read from `store`."""
        self._store = store
        self._clock = clock
        self._policy = policy or BulletinPolicy()

    async def state(self, kind: BulletinKind) -> tuple[str, int, bool]:
        """Return what a list shows: the newest period, when it was written, and whether a newer one should be there."""
        newest = await self._store.newest(kind)
        if not newest:
            return "", 0, False
        return newest[0].period, newest[0].written_at, kind is BulletinKind.BRIEFING and self._is_stale(newest[0])

    async def briefings(self, page: int) -> BriefingList:
        """Return a page of the briefings, the newest first; a page after the last one is the last."""
        count = await self._store.count(BulletinKind.BRIEFING)
        pages = max(1, ceil(count / PAGE_ROWS))
        shown = min(page, pages)
        found = await self._store.newest(BulletinKind.BRIEFING, PAGE_ROWS, (shown - 1) * PAGE_ROWS)
        _, _, stale = await self.state(BulletinKind.BRIEFING)
        return BriefingList([_line(each) for each in found], count, shown, pages, stale)

    async def newest_briefings(self, most: int) -> list[KeptBriefing]:
        """Return the newest briefings whole."""
        return [self._briefing(each) for each in await self._store.newest(BulletinKind.BRIEFING, most)]

    async def newest_briefing(self) -> KeptBriefing:
        """Return the newest briefing; raises UnknownBriefing."""
        found = await self.newest_briefings(1)
        if not found:
            raise UnknownBriefing("no briefing is written yet; import prices, and run `usufruct worker`")
        return found[0]

    async def briefing(self, day: str) -> KeptBriefing:
        """Return the briefing of a day.

        Raises:
            UnknownBriefing: when none is kept, or the text is not a day.
        """
        try:
            wanted = date.fromisoformat(day)
        except ValueError as error:
            raise UnknownBriefing(f"{day[:20]!r} is not a day; write YYYY-MM-DD", field="day") from error
        found = await self._store.find(BulletinKind.BRIEFING, str(wanted))
        if found is None:
            raise UnknownBriefing(f"no briefing of {wanted} is kept; /v1/markets/briefings lists all", field="day")
        return self._briefing(found)

    async def guide(self, month: str = "") -> KeptGuide:
        """Return the guide of a month, or the newest one.

        Raises:
            UnknownGuide: when none is kept.
        """
        months = await self._store.periods(BulletinKind.GUIDE)
        wanted = month or (months[0] if months else "")
        found = await self._store.find(BulletinKind.GUIDE, wanted) if wanted in months else None
        if found is None:
            known = f"there are {', '.join(months[:12])}" if months else "none is written yet; run `usufruct worker`"
            raise UnknownGuide(f"no guide of {month[:20] or 'any month'} is kept; {known}", field="month")
        guide = read_answer(IndexGuide, orjson.loads(found.document))
        return KeptGuide(guide, found.written_at, months)

    def _briefing(self, found: Bulletin) -> KeptBriefing:
        return KeptBriefing(_document(found), found.written_at, found.written_at > self._due(found))

    def _due(self, found: Bulletin) -> int:
        """Return when a briefing is late."""
        return seconds_of(date.fromisoformat(found.period)) + DAY_SECONDS + self._policy.late_seconds

    def _is_stale(self, newest: Bulletin) -> bool:
        return self._clock.now() > self._due(newest) + DAY_SECONDS


def _document(found: Bulletin) -> MarketBriefing:
    return read_answer(MarketBriefing, orjson.loads(found.document))


def _line(found: Bulletin) -> BriefingLine:
    briefing = _document(found)
    market = briefing.market
    return BriefingLine(
        briefing.day,
        market.signal,
        market.total_cap_change,
        briefing.source.synthetic,
        briefing.input_hash,
        found.written_at,
    )
