"""Pages that are kept: current to the price, each reader's own language and address, a new nonce in every answer."""

import re
from dataclasses import replace

import httpx
import pytest

from tests.support.gateway_server import CARD, gateway_world
from tests.support.html_page import HtmlPage
from tests.support.ledger_samples import bill
from usufruct.gateway.quality.tally import Times
from usufruct.store.row_cache import FRESH_SECONDS
from usufruct.web.ui import Site

UPSTREAM = "http://127.0.0.1:1/v1"
PAGES = ("/", "/s/poet")
IDENTITY = {"accept-encoding": "identity"}


@pytest.fixture
async def site(world):
    await world.asset("poet", UPSTREAM)
    async with httpx.AsyncClient(base_url=world.url.removesuffix("/v1"), timeout=60) as client:
        yield client


def prices(answer: httpx.Response) -> set[str]:
    return {text for text in HtmlPage(answer.text).texts["span"] if text.endswith(" USD")}


def nonces(answer: httpx.Response) -> tuple[str, set[str]]:
    [policy] = re.findall("'nonce-([^']*)'", answer.headers["content-security-policy"])
    return policy, set(re.findall(r'nonce="([^"]*)"', answer.text))


@pytest.mark.parametrize("path", PAGES)
async def test_a_new_price_shows_at_once(world, site, path):
    first = await site.get(path)
    await world.listings.price("poet", replace(CARD, input_per_million=7_000_000), world.clock.now())
    second = await site.get(path)
    assert "7 USD" in prices(second) - prices(first)
    assert second.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("path", PAGES)
async def test_an_announced_price_shows_from_its_second_on(world, site, path):
    await world.listings.price("poet", replace(CARD, input_per_million=7_000_000), world.clock.now() + 1_000)

    async def holds() -> bool:
        """Tell whether the new price is shown, beside the history of prices, which names it before."""
        before_history, _, _ = (await site.get(path)).text.partition("Price history")
        return "7\N{NO-BREAK SPACE}USD" in before_history

    assert [await holds(), await holds()] == [False, False]
    world.clock.ahead += 1_000
    assert await holds()


@pytest.mark.parametrize("path", PAGES)
async def test_what_another_process_changes_shows_within_seconds(world, gateway_url, site, path):
    await site.get(path)
    async with gateway_world(gateway_url) as other:
        await other.listings.price("poet", replace(CARD, input_per_million=7_000_000), other.clock.now())
    world.clock.ahead += int(FRESH_SECONDS)
    assert "7 USD" in prices(await site.get(path))


async def test_a_service_that_is_retired_or_new_shows_at_once(world, site):
    assert (await site.get("/s/poet")).status_code == 200
    await world.listings.retire("poet")
    await world.gateway.search.refresh()
    assert (await site.get("/s/poet")).status_code == 410
    assert "/s/poet" not in HtmlPage((await site.get("/")).text).links
    await world.asset("librarian", UPSTREAM)
    assert "/s/librarian" in HtmlPage((await site.get("/")).text).links


async def test_what_was_measured_shows_when_it_is_written(world, site):
    await site.get("/s/poet")
    poet = await world.catalogue.find("poet")
    world.gateway.quality.charged(poet.id, None, Times(0.0, 0.5, 2.0), bill(1_234_567))
    assert "1.234567" not in (await site.get("/s/poet")).text
    await world.gateway.quality.flush()
    assert "1.234567" in (await site.get("/s/poet")).text


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("headers", [{}, IDENTITY, {"hx-request": "true"}])
async def test_a_nonce_is_in_one_answer_only(site, path, headers):
    seen = []
    for _ in range(3):
        policy, used = nonces(await site.get(path, headers=headers))
        assert used <= {policy}
        assert used or "hx-request" in headers
        seen.append(policy)
    assert len(set(seen)) == 3
    assert all(len(each) == 24 for each in seen)


async def test_a_reader_cannot_have_a_nonce_written_where_they_want(site):
    known, _ = nonces(await site.get("/"))
    for text in (known, "{nonce}", "{{ nonce }}", "\xff" * 24):
        answer = await site.get("/", params={"q": text}, headers=IDENTITY)
        page = HtmlPage(answer.text)
        assert ("input", "value", text) in page.attributes
        assert nonces(answer)[0] != known


@pytest.mark.parametrize("path", PAGES)
async def test_languages_addresses_and_fragments_are_kept_apart(site, path):
    for _ in range(2):
        for code in ("en", "de"):
            answer = await site.get(path, headers={"accept-language": code})
            assert (answer.headers["content-language"], f'<html lang="{code}">' in answer.text) == (code, True)
        here, there = [(await site.get("/s/poet", headers={"host": host})).text for host in ("a.example", "b.example")]
        assert ("http://a.example/v1" in here, "http://b.example" in here) == (True, False)
        assert ("http://b.example/v1" in there, "http://a.example" in there) == (True, False)
    part = await site.get("/", headers={"hx-request": "true"})
    assert "<!doctype html>" not in part.text
    assert "<!doctype html>" in (await site.get("/")).text


async def test_searches_are_kept_apart(world, site):
    await world.asset("librarian", UPSTREAM)
    for _ in range(2):
        for name, other in (("poet", "librarian"), ("librarian", "poet")):
            links = HtmlPage((await site.get("/", params={"q": name})).text).links
            assert (f"/s/{name}" in links, f"/s/{other}" in links) == (True, False)


async def test_a_chosen_language_is_remembered_also_where_nothing_changed(site):
    first = await site.get("/?language=de")
    assert "language=de" in first.headers["set-cookie"]
    site.cookies.clear()
    again = await site.get("/?language=de", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, "language=de" in again.headers["set-cookie"]) == (304, True)
    assert "set-cookie" not in (await site.get("/")).headers


@pytest.mark.parametrize("path", PAGES)
async def test_a_browser_that_has_the_page_gets_no_other_and_keeps_its_nonce(site, path):
    first = await site.get(path)
    assert first.headers["cache-control"] == "private, no-cache"
    tag = first.headers["etag"]
    for asked in (tag, tag.removeprefix("W/"), f'"x", {tag}'):
        again = await site.get(path, headers={"if-none-match": asked})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "content-security-policy" not in again.headers, "its nonce would not be the kept page's"
        assert again.headers["cache-control"] == "private, no-cache"
        assert "cookie" in again.headers["vary"]
    for asked in ('"x"', "W/x"):
        assert (await site.get(path, headers={"if-none-match": asked})).status_code == 200
    german = await site.get(path, headers={"if-none-match": tag, "accept-language": "de"})
    assert (german.status_code, german.headers["content-language"]) == (200, "de")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_head_has_the_headers_of_the_page_and_no_body(site, path, encoding):
    headers = {"accept-encoding": encoding}
    page, head = await site.get(path, headers=headers), await site.head(path, headers=headers)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "etag", "content-type", "vary", "cache-control"):
        assert head.headers[name] == page.headers[name]
    assert head.headers.get("content-encoding") == ("gzip" if encoding == "gzip" else None)


async def test_two_sites_share_no_page(databases):
    for name in ("Ada", "Grace"):
        async with (
            gateway_world(databases.migrated("sqlite"), site=Site(name)) as world,
            httpx.AsyncClient(base_url=world.url.removesuffix("/v1"), timeout=120) as client,
        ):
            for _ in range(2):
                assert f"· {name}</title>" in (await client.get("/")).text


async def test_a_refusal_is_not_kept(world, site):
    assert (await site.get("/s/librarian")).status_code == 404
    await world.asset("librarian", UPSTREAM)
    assert (await site.get("/s/librarian")).status_code == 200
    assert (await site.get("/?context=x")).status_code == 400
