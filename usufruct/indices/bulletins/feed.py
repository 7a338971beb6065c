"""Briefings as an Atom feed (RFC 4287)."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from usufruct.indices.bulletins.text import briefing_sentences, briefing_title
from usufruct.web.ui import Language
from usufruct_client.bulletin_documents import KeptBriefing

_ATOM = "http://www.w3.org/2005/Atom"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def atom_feed(kept: Sequence[KeptBriefing], root: str, path: str, site: str, language: Language) -> bytes:
    """Return the feed of briefings, the newest first. `root`: where the site is; `path`: of its briefings."""
    register_namespace("", _ATOM)
    feed = Element(_tag("feed"), {_LANGUAGE: language.code})
    page, own = f"{root}{path}", f"{root}{path}.atom"
    title = language.messages.gettext("Market briefings")
    _texts(feed, {"id": own, "title": f"{title} - {site}", "updated": _moment(kept[0].written_at if kept else 0)})
    SubElement(feed, _tag("link"), {"rel": "self", "type": "application/atom+xml", "href": own})
    SubElement(feed, _tag("link"), {"rel": "alternate", "type": "text/html", "href": page})
    _texts(SubElement(feed, _tag("author")), {"name": site})
    for each in kept:
        day = each.briefing.day
        entry = SubElement(feed, _tag("entry"))
        link = f"{page}/{day}"
        _texts(entry, {"id": link, "title": briefing_title(day, language), "updated": _moment(each.written_at)})
        SubElement(entry, _tag("link"), {"rel": "alternate", "type": "text/html", "href": link})
        content = SubElement(entry, _tag("content"), {"type": "text"})
        content.text = _allowed(" ".join(briefing_sentences(each.briefing, language)))
    written: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _texts(parent: Element, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        SubElement(parent, _tag(name)).text = _allowed(text)


def _allowed(text: str) -> str:
    """Return text without the characters that XML 1.0 has no way to write."""
    return _FORBIDDEN.sub("", text)


def _tag(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
