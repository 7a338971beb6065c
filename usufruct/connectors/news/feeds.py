"""Read items from RSS and Atom feeds, and from CSV tables."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import StringIO
from typing import Final
from xml.etree.ElementTree import Element

from usufruct.connectors.news.errors import InvalidNews
from usufruct.connectors.news.model import (
    LONGEST_SUMMARY,
    LONGEST_TITLE,
    NewsItem,
    item_id,
    plain,
    safe_link,
)
from usufruct.connectors.news.xml_tree import parse_xml

MOST_ITEMS: Final = 10_000
_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_RSS1: Final = "{http://purl.org/rss/1.0/}"
_DATES: Final = ("pubDate", "{http://purl.org/dc/elements/1.1/}date", f"{_ATOM}published", f"{_ATOM}updated")
_CONTENT: Final = "{http://purl.org/rss/1.0/modules/content/}encoded"
_SUMMARIES: Final = ("description", f"{_RSS1}description", f"{_ATOM}summary", f"{_ATOM}content", _CONTENT)
_COLUMNS: Final = ("time", "title")


@dataclass(frozen=True, slots=True)
class ReadNews:
    """The items of a document, and how many had no title or no date and were left out."""

    items: tuple[NewsItem, ...]
    skipped: int


def read_feed(content: bytes, source: str, known_at: datetime) -> ReadNews:
    """Read an RSS (0.9x, 1.0, 2.0) or Atom feed.

    Raises:
        InvalidNews: when it is none, or not safe to read.
    """
    root = parse_xml(content)
    entries = [each for each in root.iter() if each.tag in ("item", f"{_RSS1}item", f"{_ATOM}entry")]
    if not entries and root.tag not in ("rss", f"{_ATOM}feed", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"):
        raise InvalidNews(
            f"the document is no RSS or Atom feed: it begins with {root.tag[:80]!r}; give a feed's address"
        )
    found = [_item(each, source, known_at) for each in entries[:MOST_ITEMS]]
    items = {each.id: each for each in found if each is not None}
    return ReadNews(tuple(items.values()), sum(each is None for each in found) + max(0, len(entries) - MOST_ITEMS))


def read_table(content: bytes, source: str, known_at: datetime) -> ReadNews:
    """Read a CSV table with the columns time, title, and optionally link, summary, source, id, known_at.

    `known_at` of a row is when it became known; without one it is learnt now.

    Raises:
        InvalidNews: when it is not readable, lacks a column, or a row is wrong; names the line.
    """
    try:
        reader = csv.DictReader(StringIO(content.decode("utf-8-sig")))
        names = reader.fieldnames or ()
        if missing := [each for each in _COLUMNS if each not in names]:
            raise InvalidNews(f"the table has no column {missing[0]!r}; it needs time and title")
        items = list(_rows(reader, source, known_at))
    except UnicodeDecodeError:
        raise InvalidNews("the table is not UTF-8 text; save it as UTF-8") from None
    except csv.Error as error:
        raise InvalidNews(f"the table is not readable: {error}; save it as CSV with commas") from None
    return ReadNews(tuple({each.id: each for each in items if each is not None}.values()), items.count(None))


def _rows(reader: "csv.DictReader[str]", source: str, known_at: datetime) -> Iterator[NewsItem | None]:
    for row in reader:
        values = {
            name: value.strip() for name, value in row.items() if isinstance(name, str) and isinstance(value, str)
        }
        title = plain(values.get("title", ""), LONGEST_TITLE)
        if not title:
            yield None
            continue
        published, learnt = _moment(values["time"]), known_at
        if values.get("known_at"):
            learnt = _moment(values["known_at"]) or published or known_at
        if published is None or learnt > known_at:
            raise InvalidNews(
                f"line {reader.line_num}: time and known_at must be such as 2024-01-31T12:00:00Z, and known_at not in "
                f"the future, not {values['time']!r} and {values.get('known_at', '')!r}"
            )
        link, origin = safe_link(values.get("link", "")), plain(values.get("source", ""), 100) or source
        key = values.get("id") or link or f"{published.isoformat()} {title}"
        summary = plain(values.get("summary", ""), LONGEST_SUMMARY)
        yield NewsItem(item_id(origin, key), origin, title, link, summary, min(published, known_at), learnt)


def _item(entry: Element, source: str, known_at: datetime) -> NewsItem | None:
    title = plain(_text(entry, "title", f"{_RSS1}title", f"{_ATOM}title"), LONGEST_TITLE)
    published = _moment(_text(entry, *_DATES))
    if not title or published is None:
        return None
    link = safe_link(_text(entry, "link", f"{_RSS1}link") or _atom_link(entry))
    key = _text(entry, "guid", f"{_ATOM}id").strip() or link or f"{published.isoformat()} {title}"
    summary = plain(_text(entry, *_SUMMARIES), LONGEST_SUMMARY)
    return NewsItem(item_id(source, key), source, title, link, summary, min(published, known_at), known_at)


def _text(entry: Element, *names: str) -> str:
    """Return the text of the first child of these names that has some, its own children's too."""
    for name in names:
        for child in entry.iterfind(name):
            text = "".join(child.itertext())
            if text.strip():
                return text
    return ""


def _atom_link(entry: Element) -> str:
    links = entry.findall(f"{_ATOM}link")
    chosen = [each for each in links if each.get("rel", "alternate") == "alternate"] or links
    return chosen[0].get("href", "") if chosen else ""


def _moment(text: str) -> datetime | None:
    """Read a date as RSS (RFC 5322) or Atom (RFC 3339) write it; one without a zone is UTC."""
    text = text.strip()
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, OverflowError):
            continue
    return None
