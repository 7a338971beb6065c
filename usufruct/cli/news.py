"""Fetch, import and show news of assets."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option, Typer

from usufruct.cli.support.command import Facts, Rows, runs
from usufruct.cli.support.price_archive import parse_day
from usufruct.config import Config
from usufruct.connectors.news import (
    AssetNames,
    Feed,
    NewsArchive,
    NewsItem,
    ReadNews,
    fetch_feeds,
    read_names,
    read_table,
)
from usufruct.core import Clock, Invalid, NotFound
from usufruct.http import Reach

app = Typer()

_LARGEST_TABLE = 1 << 27

ArchiveOption = Annotated[
    Path | None,
    Option("--archive", metavar="FOLDER", help="The archive of news; by default `news` in the data folder."),
]
NamesOption = Annotated[
    Path | None, Option(metavar="FILE.csv", help="Names of assets: asset,name,exact. Items get the ids they name.")
]


@app.callback()
def group() -> None:
    """Fetch, import and show news of assets."""


@app.command()
@runs()
async def fetch(
    config: Config,
    feeds: Annotated[list[str], Argument(metavar="NAME=URL...", help="RSS or Atom feeds, each with a name.")],
    names: NamesOption = None,
    archive: ArchiveOption = None,
) -> Rows:
    """Fetch feeds, and add what is new or changed; a feed that fails does not stop the others.

    Servers in private networks are asked only where `operator.private_upstreams` allows it.

    Example: usufruct news fetch wire=https://example.org/rss.xml --names names.csv
    """
    chosen, known = [_feed(each) for each in feeds], _names(names)
    reach = Reach.PRIVATE if config.allows_private_servers else Reach.PUBLIC
    into, rows = _archive(config, archive), []
    for each in await fetch_feeds(chosen, Clock(), reach=reach):
        row: dict[str, Any] = {"feed": each.feed.name} | _added(into, each.news, known)
        rows.append(row | {"error": each.error.message if each.error else ""})
    columns = ["feed", "new", "changed", "unchanged", "skipped", "error"]
    return Rows(rows, columns, failed=any(each["error"] for each in rows))


@app.command("import")
@runs()
def import_command(
    config: Config,
    file: Annotated[Path, Argument(metavar="FILE.csv", help="Columns: time, title, link, summary, source, known_at.")],
    source: Annotated[str, Option(help="Name of the source; by default the file's.")] = "",
    names: NamesOption = None,
    archive: ArchiveOption = None,
) -> Facts:
    """Import a table of news; an item is learnt now, unless `known_at` says when.

    Example: usufruct news import headlines.csv --names names.csv
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_TABLE + 1)
    except OSError as error:
        raise NotFound(
            f"{file} cannot be read: {error.strerror}; give the path of a CSV file", code="no_file"
        ) from None
    if len(content) > _LARGEST_TABLE:
        raise Invalid(f"{file} has over {_LARGEST_TABLE} bytes; split it", code="invalid_news")
    news = read_table(content, source or file.name.partition(".")[0], _now())
    return _added(_archive(config, archive), news, _names(names))


@app.command()
@runs()
def show(
    config: Config,
    asset: Annotated[str, Argument(metavar="[ASSET]", help="Only items that name this asset's id.")] = "",
    first: Annotated[str | None, Option(metavar="YYYY-MM-DD", help="By default a week before the last.")] = None,
    last: Annotated[str | None, Option(metavar="YYYY-MM-DD", help="By default today.")] = None,
    as_of: Annotated[
        str | None, Option(metavar="YYYY-MM-DD", help="Show what was known at the end of this day.")
    ] = None,
    limit: Annotated[int, Option(min=1, max=100_000, help="How many at most.")] = 50,
    archive: ArchiveOption = None,
) -> Rows:
    """Show items, the newest first.

    Example: usufruct news show bitcoin --last 2024-05-31 --as-of 2024-06-01
    """
    until = parse_day(last, "--last") or _now().date()
    since = parse_day(first, "--first") or until - timedelta(days=7)
    known = parse_day(as_of, "--as-of")
    moment = None if known is None else _end_of(known)
    found = _archive(config, archive).items(since, until, as_of=moment, asset=asset, limit=limit)
    columns = ["published_at", "source", "title", "assets", "link"]
    return Rows([_shown(each) for each in found], columns, "no news in these days")


def _shown(item: NewsItem) -> dict[str, object]:
    return {
        "published_at": item.published_at.strftime("%Y-%m-%dT%H:%MZ"),
        "source": item.source,
        "title": item.title,
        "assets": list(item.assets),
        "link": item.link,
    }


def _added(archive: NewsArchive, news: ReadNews, names: AssetNames) -> dict[str, Any]:
    added = archive.add(names.tag(news.items))
    return {"new": added.new, "changed": added.changed, "unchanged": added.unchanged, "skipped": news.skipped}


def _feed(text: str) -> Feed:
    name, equals, url = text.partition("=")
    if not (name and equals and url.startswith(("http://", "https://"))):
        raise Invalid(
            f"a feed must be NAME=URL, such as wire=https://example.org/rss.xml, not {text!r}", code="invalid_feed"
        )
    return Feed(name, url)


def _names(path: Path | None) -> AssetNames:
    return AssetNames([]) if path is None else read_names(path)


def _archive(config: Config, folder: Path | None) -> NewsArchive:
    return NewsArchive(folder or config.data.folder / "news")


def _end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1) - timedelta(microseconds=1)


def _now() -> datetime:
    return datetime.fromtimestamp(Clock().now(), UTC)
