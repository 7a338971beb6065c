"""Feeds and tables of news: dates, links, plain text, and documents that are not safe to read."""

from datetime import UTC, datetime

import pytest

from tests.support.answering_server import Answered, AnsweringServer
from tests.support.fake_clock import FakeClock
from usufruct.connectors.news import (
    Feed,
    InvalidNews,
    NewsUnavailable,
    fetch_feeds,
    read_feed,
    read_table,
)
from usufruct.http import FetchLimits, Reach

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)

RSS = b"""<?xml version="1.0"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Feed</title>
<item><title>Bitcoin &amp; friends &lt;b&gt;rise&lt;/b&gt;</title><link>https://example.org/1</link><guid>a1</guid>
<pubDate>Fri, 31 May 2024 23:30:00 -0400</pubDate>
<description><![CDATA[<p>Up <a href="x">5&nbsp;%</a></p>]]></description></item>
<item><title>Bad link</title><link>javascript:alert(1)</link><dc:date>2024-05-30T10:00:00Z</dc:date></item>
<item><title>No date</title></item>
<item><title>From the future</title><guid>a9</guid><pubDate>Fri, 31 May 2030 23:30:00 GMT</pubDate></item>
</channel></rss>"""

ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Feed</title><entry><id>urn:1</id>
<title type="html">&lt;i&gt;Ether&lt;/i&gt; news</title><link rel="self" href="https://example.org/self"/>
<link href="https://example.org/2"/><published>2024-05-30T10:00:00+02:00</published>
<summary type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Two <em>words</em></div></summary></entry></feed>"""

RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><item><title>Old</title><link>http://example.org/3</link>
<dc:date>2024-05-29</dc:date></item></rdf:RDF>"""


def test_rss():
    news = read_feed(RSS, "Example", NOW)
    first, second, future = news.items
    assert first.title == "Bitcoin & friends rise"
    assert (first.link, first.summary) == ("https://example.org/1", "Up 5 %")
    assert first.published_at == datetime(2024, 6, 1, 3, 30, tzinfo=UTC)
    assert first.known_at == NOW
    assert second.link == ""
    assert future.published_at == NOW, "nothing is known before it is published"
    assert news.skipped == 1
    assert read_feed(RSS, "Example", NOW).items[0].id == first.id
    assert read_feed(RSS, "Other", NOW).items[0].id != first.id


def test_atom_and_rss_1():
    (item,) = read_feed(ATOM, "Example", NOW).items
    assert (item.title, item.link, item.summary) == ("Ether news", "https://example.org/2", "Two words")
    assert item.published_at == datetime(2024, 5, 30, 8, tzinfo=UTC)
    (item,) = read_feed(RDF, "Example", NOW).items
    assert (item.title, item.link) == ("Old", "http://example.org/3")
    assert item.published_at == datetime(2024, 5, 29, tzinfo=UTC)


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;">]>
<rss><channel><item><title>&b;</title></item></channel></rss>"""
OUTSIDE = b"""<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><item><title>&x;</title></item></rss>"""
PARAMETER = b"""<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1/x">%p;]><rss/>"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LAUGHS, "declares types or entities of its own"),
        (OUTSIDE, "declares types or entities of its own"),
        (PARAMETER, "declares types or entities of its own"),
        (b"<a>" * 100 + b"</a>" * 100, "deeper than 64"),
        (b"<rss>" + b"<a/>" * 200_001 + b"</rss>", "over 200000 elements"),
        (b"<rss><item></rss>", "not well-formed XML"),
        (b"", "not well-formed XML"),
        (b'<?xml version="1.0" encoding="klingon"?><rss/>', "not (well-formed|readable)"),
        (b"<html><body>hello</body></html>", "no RSS or Atom feed: it begins with 'html'"),
        (b" " * ((1 << 23) + 1), "over 8388608 bytes"),
    ],
    ids=range(10),
)
def test_what_is_no_feed_or_not_safe_is_refused(content, message):
    with pytest.raises(InvalidNews, match=message):
        read_feed(content, "Example", NOW)


def test_an_old_feed_with_a_public_document_type_is_read():
    """Netscape's RSS 0.91 names its type; the named document is not fetched."""
    content = RSS.replace(
        b'<?xml version="1.0"?>',
        b'<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://127.0.0.1:1/rss.dtd">',
    )
    assert len(read_feed(content, "Example", NOW).items) == 3


def test_a_table():
    text = (
        "time,title,link,summary,source,known_at\n"
        "2024-05-01T10:00:00Z,One,https://example.org/1,Text,Wire,2024-05-01T11:00:00Z\n"
        "2024-05-02,Two,,,,\n"
        "2024-05-03,,,,,\n"
    )
    news = read_table(text.encode(), "file", NOW)
    one, two = news.items
    assert (one.source, one.link, one.known_at) == (
        "Wire",
        "https://example.org/1",
        datetime(2024, 5, 1, 11, tzinfo=UTC),
    )
    assert (two.source, two.known_at, news.skipped) == ("file", NOW, 1)
    for wrong, message in (
        ("title\nx\n", "no column 'time'"),
        ("time,title\nyesterday,x\n", "line 2: time and known_at must be such as 2024-01-31"),
        ("time,title,known_at\n2024-01-01,x,2030-01-01\n", "not in the future"),
    ):
        with pytest.raises(InvalidNews, match=message):
            read_table(wrong.encode(), "file", NOW)
    with pytest.raises(InvalidNews, match="not UTF-8"):
        read_table(b"\xff\xfe", "file", NOW)


async def test_feeds_are_fetched_and_one_that_fails_does_not_stop_the_others():
    def answer(asked):
        return {"/rss": Answered(RSS), "/html": Answered(b"<html/>"), "/big": Answered(bytes(2_000_000))}.get(
            asked.path, Answered(status=404)
        )

    with AnsweringServer(answer) as server:
        feeds = [Feed(name, f"{server.url}/{name}") for name in ("html", "none", "big", "rss")]
        limits = FetchLimits(most_bytes=1_000_000, tries=1)
        found = await fetch_feeds(feeds, FakeClock(int(NOW.timestamp())), reach=Reach.PRIVATE, limits=limits)
    errors = [each.error.message if each.error else "" for each in found]
    assert "html: the document is no RSS or Atom feed" in errors[0]
    assert "answers HTTP 404; correct the address" in errors[1]
    assert "over 1000000 bytes" in errors[2]
    assert len(found[3].news.items) == 3


async def test_a_feed_in_a_private_network_is_not_asked_unless_allowed():
    with AnsweringServer(lambda _: Answered(RSS)) as server:
        (found,) = await fetch_feeds([Feed("inside", server.url)], FakeClock())
        assert isinstance(found.error, NewsUnavailable)
        assert "where no feed may be" in found.error.message
        assert not server.requests
    (found,) = await fetch_feeds([Feed("file", "file:///etc/passwd")], FakeClock())
    assert isinstance(found.error, InvalidNews)
