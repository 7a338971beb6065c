"""An item of news, and the text it is made of."""

import html
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

LONGEST_TITLE: Final = 500
LONGEST_SUMMARY: Final = 2_000
_TAG: Final = re.compile(r"<[^<>]{0,2000}>")
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class NewsItem:
    """One item: plain text, an http(s) link or none, and the ids of the assets that it names.

    `published_at` is what its source says; `known_at` when we learnt it, and what a backtest may rely on.
    """

    id: str
    source: str
    title: str
    link: str
    summary: str
    published_at: datetime
    known_at: datetime
    assets: tuple[str, ...] = ()


def item_id(source: str, key: str) -> str:
    """Return the id of a source's item: the same for the same key."""
    return sha256(f"{source}\n{key}".encode()).hexdigest()[:32]


def plain(text: str, most: int) -> str:
    """Return text without tags, entities, invisible characters and runs of spaces, cut to a length."""
    bare = html.unescape(_TAG.sub(" ", text[: 20 * most]))
    return " ".join(_UNSEEN.sub(" ", _TAG.sub(" ", bare)).split())[:most]


def safe_link(text: str) -> str:
    """Return an http(s) link; empty for any other, such as one of `javascript:`."""
    link = text.strip()[:2_000]
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    visible = link.isprintable() and not any(each in link for each in " <>\"'`\\")
    return link if parts.scheme in ("http", "https") and parts.hostname and not parts.username and visible else ""
