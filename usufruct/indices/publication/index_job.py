"""The worker's job: computes all enabled indices when a day of prices is complete, and publishes them."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson

from usufruct.analytics import NoMarketData, Snapshot
from usufruct.config import MarketsConfig
from usufruct.connectors.prices import Panel, PriceArchive
from usufruct.core import DAY_SECONDS, Clock, NotFound, UsufructError
from usufruct.indices.publication.computation import publish_index
from usufruct.indices.publication.index_files import read_indices, write_indices
from usufruct.indices.publication.model import IndexTables, PublishedIndex
from usufruct.indices.publication.rows import AssetGrade, Grades, seconds_of
from usufruct.indices.publication.rulebook_sources import enabled_rulebooks
from usufruct.indices.rulebook import Rulebook

_log = logging.getLogger(__name__)


class IndexJob:
    """Publishes indices once for each complete day of prices, and after a change of rulebooks or of grades.

    A day that was missed is computed with the next ones: every run covers all days.
    """

    def __init__(
        self,
        settings: MarketsConfig,
        archive: Path,
        folder: Path,
        ratings: Callable[[], Snapshot],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._archive = PriceArchive(archive)
        self._folder = folder
        self._ratings = ratings
        self._clock = clock
        self._looked: tuple[object, ...] = ()

    async def step(self) -> None:
        """Publish, if there is something new.

        Raises:
            NoMarketData: when there are no daily prices.
            Conflict: when they are not in US dollars.
            InvalidSetting: when a setting names what is not there.
        """
        await asyncio.to_thread(self._step)

    def _step(self) -> None:
        books, failures = enabled_rulebooks(self._settings)
        hashes = {each.name: each.hash for each in books}
        ratings = self._rated()
        today = self._clock.now() // DAY_SECONDS
        looked = (self._archive.manifest().sequence, str(hashes), str(failures), ratings and ratings.id, today)
        if looked == self._looked:
            return
        panel = self._panel()
        last = last_complete_day(panel, today)
        grades = grades_on(ratings, last)
        key = _digest([str(last), hashes, failures, bool(grades), panel.attribution])
        before = self._before()
        if before is None or before.key != key or before.incomplete:
            tables = _compute(key, books, panel, last, grades, before, failures)
            write_indices(self._folder, tables)
            _log.info("published %d indices until %s", len(tables.indices), last)
        self._looked = looked

    def _panel(self) -> Panel:
        try:
            return self._archive.dollar_panel()
        except NotFound as error:
            raise NoMarketData(
                f"{self._archive.folder} has no daily prices; import some with `usufruct prices import FILE`"
            ) from error

    def _rated(self) -> Snapshot | None:
        try:
            return self._ratings()
        except NoMarketData:
            return None

    def _before(self) -> IndexTables | None:
        try:
            return read_indices(self._folder)
        except NoMarketData:
            return None


def last_complete_day(panel: Panel, today: int) -> date:
    """Return the last day that has ended and has prices of most assets; `today` in days since 1970.

    A day whose prices are still coming in counts when the next one has begun.
    """
    ended = date(1970, 1, 1) + timedelta(days=today - 1)
    return max(min(panel.last_complete_day, ended), panel.first_day)


def grades_on(ratings: Snapshot | None, day: date) -> Grades:
    """Return the trader grades of a day by asset id; nothing where it was not rated yet."""
    if ratings is None:
        return {}
    graded = ratings.series["trader-grades"]
    row = (seconds_of(day) - graded.start) // graded.step
    if not 0 <= row < graded.length:
        return {}
    grades, changes = graded.fields["trader"][row], graded.fields["trader_change"][row]
    return {
        asset.id: AssetGrade(float(grades[column]), float(changes[column]))
        for column, asset in enumerate(ratings.assets)
    }


def _compute(
    key: str,
    books: list[Rulebook],
    panel: Panel,
    last: date,
    grades: Grades,
    before: IndexTables | None,
    failures: Mapping[str, str],
) -> IndexTables:
    """Compute each index; one that fails keeps what was published of it before, marked."""
    published = {} if before is None else {each.rulebook.name: each for each in before.indices}
    unchanged = before is not None and before.key == key
    failed = dict(failures)
    indices: list[PublishedIndex] = []
    for book in books:
        earlier = published.get(book.name)
        if unchanged and earlier is not None and not earlier.failure and earlier.whole:
            indices.append(earlier)
            continue
        try:
            indices.append(publish_index(book, panel, last, grades, earlier))
        except UsufructError as error:
            _log.warning("index %s is not computed: %s", book.name, error.message)
            if earlier is None:
                failed[book.name] = error.message
            else:
                indices.append(earlier.failed(error.message))
            continue
        if earlier is not None and indices[-1].restatements > earlier.restatements:
            _log.warning("index %s is restated: prices of earlier days were corrected", book.name)
    content = [key, [[each.listing, each.restatements, each.failure] for each in indices], failed]
    stamp = datetime.fromtimestamp(seconds_of(last), UTC).strftime("%Y%m%d")
    return IndexTables(
        f"{stamp}-{_digest(content)}",
        key,
        seconds_of(last),
        panel.synthetic,
        panel.source,
        tuple(indices),
        failed,
        panel.attribution,
    )


def _digest(content: object) -> str:
    return hashlib.sha256(orjson.dumps(content)).hexdigest()[:24]
