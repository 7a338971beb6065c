"""Drawn pages: cut at the nonce, compressed around it, drawn again when what they show differs, bounded."""

import asyncio
import gzip
import secrets

import pytest

from usufruct.web.ui.page_cache import NONCE_BYTES, DrawnPage, PageCache


def nonce() -> str:
    return secrets.token_urlsafe(NONCE_BYTES)


def drawn(text: str) -> DrawnPage:
    return DrawnPage(text, nonce())


@pytest.mark.parametrize("nonces", [0, 1, 2, 40])
def test_a_nonce_fits_into_a_compressed_page(nonces):
    first = nonce()
    paragraph = "<p>The same words again and again, \N{LATIN SMALL LETTER Y WITH DIAERESIS}\N{GRINNING FACE}.</p>" * 20
    text = paragraph + "".join(f'<script nonce="{first}">{number}</script>{paragraph}' for number in range(nonces))
    page = DrawnPage(text, first)
    for _ in range(20):
        other = nonce()
        expected = text.replace(first, other).encode()
        assert page.plain(other) == expected
        assert gzip.decompress(page.gzipped(other)) == expected
        assert first.encode() not in page.plain(other)
    most = len(gzip.compress(text.replace(first, "").encode())) + 45 * nonces + 60
    assert len(page.gzipped(nonce())) < most


def test_the_length_of_a_compressed_page_tells_nothing_of_its_nonce():
    first = nonce()
    page = DrawnPage(f"{'A' * 24} {'AB' * 12} <script nonce='{first}'></script>", first)
    assert len({len(page.gzipped(each)) for each in ("A" * 24, "AB" * 12, nonce(), nonce())}) == 1


def test_the_tag_differs_with_the_text_and_not_with_the_nonce():
    tags = []
    for text in ("a{0}b{0}", "a{0}b{0}", "a{0}b", "ab", "a{0}c{0}"):
        used = nonce()
        tags.append(DrawnPage(text.format(used), used).tag)
    assert tags[0] == tags[1]
    assert len(set(tags)) == 4


async def test_a_page_is_drawn_again_when_what_it_shows_differs():
    cache, count = PageCache(1 << 20), 0

    async def draw() -> DrawnPage:
        nonlocal count
        count += 1
        return drawn(f"page {count}")

    async def read(key: object, shown: object) -> bytes:
        return (await cache.get(key, shown, draw)).plain(nonce())

    assert [await read("a", 1), await read("a", 1), await read("b", 1)] == [b"page 1", b"page 1", b"page 2"]
    assert [await read("a", 2), await read("a", 2), await read("b", 1)] == [b"page 3", b"page 3", b"page 2"]
    assert [await read("a", 1), count] == [b"page 4", 4]


async def test_readers_who_come_together_wait_for_one_drawing_and_those_of_a_newer_state_for_the_next():
    cache, begun, go = PageCache(1 << 20), [], asyncio.Event()

    def drawing(shown: int):
        async def draw() -> DrawnPage:
            begun.append(shown)
            await go.wait()
            return drawn(f"state {shown}")

        return draw

    readers = [asyncio.create_task(cache.get("a", shown, drawing(shown))) for shown in (1, 1, 2, 1, 2)]
    while not begun:
        await asyncio.sleep(0)
    readers[0].cancel()
    go.set()
    found = await asyncio.gather(*readers, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert [page.plain("") for page in found[1:]] == [b"state 1", b"state 2", b"state 1", b"state 2"]
    assert len(begun) < 6


async def test_a_page_that_cannot_be_drawn_is_not_kept_and_stops_no_other():
    cache = PageCache(1 << 20)

    async def fail() -> DrawnPage:
        raise ValueError("no page")

    async def draw() -> DrawnPage:
        return drawn("page")

    with pytest.raises(ValueError, match="no page"):
        await cache.get("a", 1, fail)
    assert (await cache.get("a", 1, draw)).plain("") == b"page"


async def test_the_pages_asked_for_last_are_kept_within_the_limit():
    size = drawn("x" * 1_000).size
    cache, made = PageCache(3 * size + 10), []

    async def read(key: str) -> None:
        async def draw() -> DrawnPage:
            made.append(key)
            return drawn("x" * 1_000)

        await cache.get(key, 1, draw)

    for key in "abcabadabdc":
        await read(key)
    assert made == ["a", "b", "c", "d", "c"], "c was asked for least lately, then a"
    await read("b")
    await read("d")
    assert made == ["a", "b", "c", "d", "c"]
