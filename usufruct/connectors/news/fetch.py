"""Fetch feeds: from servers within a reach, whole and bounded, each failure by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from usufruct.connectors.news.errors import InvalidNews, NewsUnavailable
from usufruct.connectors.news.feeds import ReadNews, read_feed
from usufruct.core import Clock, UsufructError
from usufruct.http import AddressRefused, Fetcher, FetchLimits, Reach, TransportError

FEED_LIMITS = FetchLimits(total=30.0, most_bytes=1 << 23, tries=3)


NOTHING = ReadNews((), 0)


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed's address and the name that its items carry as their source."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class FetchedFeed:
    """What a feed gave, or why it gave nothing."""

    feed: Feed
    news: ReadNews = NOTHING
    error: UsufructError | None = None


async def fetch_feeds(
    feeds: Sequence[Feed], clock: Clock, *, reach: Reach = Reach.PUBLIC, limits: FetchLimits = FEED_LIMITS
) -> tuple[FetchedFeed, ...]:
    """Fetch feeds in turn; one that fails does not stop the others.

    `reach`: which addresses their servers, and those that they redirect to, may have.
    """
    found = []
    for feed in feeds:
        fetcher = Fetcher(limits, reach)
        try:
            found.append(FetchedFeed(feed, await _fetch(feed, fetcher, clock)))
        except (InvalidNews, NewsUnavailable) as error:
            found.append(FetchedFeed(feed, error=error))
        finally:
            await fetcher.close()
    return tuple(found)


async def _fetch(feed: Feed, fetcher: Fetcher, clock: Clock) -> ReadNews:
    try:
        document = await fetcher.get(feed.url)
    except AddressRefused as error:
        raise NewsUnavailable(f"{feed.name}: {error}, where no feed may be; use a public address") from None
    except TransportError as error:
        raise NewsUnavailable(
            f"{feed.name}: {feed.url[:200]} does not answer ({str(error) or type(error).__name__}); try again later"
        ) from None
    except ValueError as error:
        raise InvalidNews(f"{feed.name}: {feed.url[:200]!r}: {error}") from None
    if document.status != 200:
        raise NewsUnavailable(f"{feed.name}: {feed.url[:200]} answers HTTP {document.status}; correct the address")
    try:
        return read_feed(document.content, feed.name, datetime.fromtimestamp(clock.now(), UTC))
    except InvalidNews as error:
        raise InvalidNews(f"{feed.name}: {error.message}") from None
