"""The worker's job: writes the bulletins of each complete day and month once, and notifies subscribers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final, TypeAlias

import orjson

from usufruct.accounts.notifications import Contact, EventKind, Notifications
from usufruct.analytics import NoMarketData, Snapshot, utc_text
from usufruct.connectors.news import NewsArchive
from usufruct.core import DAY_SECONDS, Address
from usufruct.indices.bulletins.briefing import write_briefing
from usufruct.indices.bulletins.guide import INDEX, guide_days, write_guide
from usufruct.indices.bulletins.model import Bulletin, BulletinKind, BulletinPolicy
from usufruct.indices.bulletins.news_choice import read_day_news
from usufruct.indices.bulletins.store import BulletinStore
from usufruct.indices.bulletins.text import briefing_texts, briefing_title
from usufruct.indices.publication import IndexTables, seconds_of
from usufruct.store import Database
from usufruct.web.ui import Language
from usufruct_client.bulletin_documents import IndexGuide, MarketBriefing
from usufruct_client.notification_documents import MarketBriefingWritten
from usufruct_client.wire_types import read_answer

BRIEFINGS_PATH: Final = "/briefings"
Faults: TypeAlias = Callable[[str], None]
_PAGE = 200
_log = logging.getLogger(__name__)


class BulletinJob:
    """Writes bulletins once each, however many workers run, and notifies each subscriber of a briefing once.

    `snapshot` and `tables` return what was computed last, or raise NoMarketData; `now`: the database's clock.
    """

    def __init__(
        self,
        database: Database,
        notifications: Notifications,
        snapshot: Callable[[], Snapshot],
        tables: Callable[[], IndexTables],
        news: NewsArchive,
        languages: Mapping[str, Language],
        policy: BulletinPolicy | None = None,
        now: Callable[[], Awaitable[int]] | None = None,
        faults: Faults = lambda name: None,
    ) -> None:
        self._now = now or database.now
        self._store = BulletinStore(database)
        self._notifications = notifications
        self._snapshot = snapshot
        self._tables = tables
        self._news = news
        self._languages = languages
        self._policy = policy or BulletinPolicy()
        self._faults = faults
        self._looked = ""

    async def step(self) -> None:
        """Write what is missing, and notify subscribers. Before there are prices there is nothing to write."""
        try:
            snapshot, tables = await asyncio.to_thread(lambda: (self._snapshot(), self._tables()))
        except NoMarketData:
            return
        state = f"{snapshot.id} {tables.id}"
        if state != self._looked:
            await self._write_briefings(snapshot, tables)
            await self._write_guides(snapshot, tables)
            self._looked = state
        await self._notify()

    async def _write_briefings(self, snapshot: Snapshot, tables: IndexTables) -> None:
        """Write the briefings of the days since the newest one; the first time, of the last day alone."""
        oldest, last = (
            date.fromisoformat(utc_text(at)[:10])
            for at in (snapshot.first_day, min(snapshot.last_day, tables.last_day))
        )
        newest = await self._store.newest(BulletinKind.BRIEFING)
        first = date.fromisoformat(newest[0].period) + timedelta(days=1) if newest else last
        day = max(oldest, first, last - timedelta(days=self._policy.most_days - 1))
        while day <= last:
            found = await asyncio.to_thread(self._briefing, snapshot, tables, day)
            await self._keep(BulletinKind.BRIEFING, found.day, found)
            day += timedelta(days=1)

    def _briefing(self, snapshot: Snapshot, tables: IndexTables, day: date) -> MarketBriefing:
        return write_briefing(snapshot, tables, read_day_news(self._news, day), day)

    async def _write_guides(self, snapshot: Snapshot, tables: IndexTables) -> None:
        """Write the guides of the months since the newest one; the first time, of the last month alone."""
        index = next((each for each in tables.indices if each.rulebook.name == INDEX), None)
        if index is None:
            return
        newest = await self._store.newest(BulletinKind.GUIDE)
        days = {month: day for month, day in guide_days(index).items() if seconds_of(day) <= snapshot.last_day}
        months = [month for month in days if month > newest[0].period] if newest else list(days)[:1]
        for month in reversed(months):
            found = await asyncio.to_thread(write_guide, snapshot, index, month)
            await self._keep(BulletinKind.GUIDE, month, found)

    async def _keep(self, kind: BulletinKind, period: str, found: MarketBriefing | IndexGuide) -> None:
        document = orjson.dumps(found.as_json()).decode()
        if await self._store.add(Bulletin(kind, period, found.input_hash, document)):
            _log.info("wrote the %s of %s", kind, period)
        self._faults(f"{kind}.written")

    async def _notify(self) -> None:
        """Notify subscribers of briefings that are pending. One that is old by now is only kept."""
        now = await self._now()
        for bulletin in await self._store.pending(BulletinKind.BRIEFING):
            day = date.fromisoformat(bulletin.period)
            if now < seconds_of(day) + (1 + self._policy.notified_days) * DAY_SECONDS:
                await self._notify_of(bulletin)
            await self._store.note_notified(bulletin)

    async def _notify_of(self, bulletin: Bulletin) -> None:
        """Notify subscribers of a briefing; the outbox takes one message for each person and day."""
        briefing = read_answer(MarketBriefing, orjson.loads(bulletin.document))
        texts = briefing_texts(briefing, self._languages)
        titles = {code: briefing_title(briefing.day, each) for code, each in self._languages.items()}
        after: Address | None = None
        while True:
            page = await self._notifications.watching((EventKind.BRIEFING,), after, _PAGE)
            for contact in page.contacts:
                data = _event(briefing, titles, texts, contact)
                await self._notifications.report([contact.person], EventKind.BRIEFING, briefing.day, data)
                self._faults("briefing.reported")
            if page.after is None:
                return
            after = page.after


def _event(briefing: MarketBriefing, titles: dict[str, str], texts: dict[str, str], contact: Contact) -> dict[str, Any]:
    return MarketBriefingWritten(
        day=briefing.day,
        url=f"{contact.site}{BRIEFINGS_PATH}/{briefing.day}",
        titles=titles,
        texts=texts,
        input_hash=briefing.input_hash,
        synthetic=briefing.source.synthetic,
    ).as_json()
