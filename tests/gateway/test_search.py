"""Search: the same services are found on both databases, by any text that a stranger may type."""

from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.gateway_server import CARD, PAY_TO, MovableClock
from tests.support.html_page import HtmlPage
from tests.support.ledger_samples import bill
from usufruct.assets import Caps, Listings, PricePeriod, plain_listing_id
from usufruct.connectors.openai import UpstreamDown
from usufruct.core import Invalid
from usufruct.core.price_cards import PriceUnit
from usufruct.gateway import Catalogue, ServedListing, Upstream
from usufruct.gateway.quality.service import ServiceQuality
from usufruct.gateway.quality.tally import Times
from usufruct.gateway.search.query import PAGE_SIZE, Order, Search
from usufruct.gateway.search.service import ServiceSearch
from usufruct.gateway.search.words import MOST_WORDS, query_words, words_of
from usufruct.store import ConstraintViolated, Seal

COIN = 10**6
ANYTHING = [
    '"',
    "'",
    "''",
    "*",
    "a* OR b*",
    "NEAR(gpt librarian, 2)",
    "words: gpt",
    "^gpt",
    "-gpt",
    "gpt & | ! <-> librarian",
    "gpt:*",
    "(gpt",
    "\\",
    "%",
    "; DROP TABLE service_index",
    "\x00gpt",
    "x" * 100_000,
    "a " * 100_000,
    "\N{RIGHT-TO-LEFT OVERRIDE}gpt",
    "\ud800gpt",
]


class Shop:
    """A catalogue, its search, and what is measured."""

    def __init__(self, database):
        self.clock = MovableClock()
        self.listings = Listings(database, self.clock)
        self.catalogue = Catalogue(self.listings, database, Seal(b"a secret of thirty-two bytes ....", "u"), self.clock)
        self.search = ServiceSearch(self.catalogue, database, self.clock)
        self.quality = ServiceQuality(database)

    async def sell(self, name: str, operation: str = "chat", starts_at: int = 0, **card) -> ServedListing:
        prices = (PricePeriod(replace(CARD, **card), starts_at),)
        caps, upstreams = Caps(usual_output=100, largest_output=1_000), (Upstream("http://127.0.0.1:1/v1", "m"),)
        listing = ServedListing(
            name, operation, PAY_TO, plain_listing_id(name, PAY_TO), prices, caps=caps, upstreams=upstreams
        )
        self.clock.ahead += 1  # the older of two comes first
        return await self.catalogue.add(listing)

    async def measure(self, listing, calls: int, seconds: float, failed: int = 0) -> None:
        for at in range(calls):
            fault = UpstreamDown("away") if at < failed else None
            self.quality.charged(listing.id, fault, Times(0.0, seconds, seconds + 2), bill(1))
        await self.quality.flush()
        await self.quality.summarize()

    async def found(self, **asked) -> list[str]:
        await self.search.refresh()
        return [each.listing.name for each in (await self.search.find(Search(**asked), COIN)).services]


@pytest.fixture
def shop(database):
    return Shop(database)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("GPT-4o mini", ["gpt", "4o", "mini"]),
        ("Café Größe", ["cafe", "grosse"]),
        ("team/llama_3", ["team", "llama", "3"]),
        ("z\N{ZERO WIDTH SPACE}ero \N{RIGHT-TO-LEFT OVERRIDE}tfel", ["zero", "tfel"]),
        ("\N{FULLWIDTH LATIN SMALL LETTER A}b", ["ab"]),
        ("שלום дом 模型", ["שלום", "дом", "模型"]),
        ("?!*'\"", []),
    ],
)
def test_words_are_letters_and_digits_without_case_accents_and_unseen_marks(text, words):
    assert query_words(text) == words


@given(st.text())
def test_a_query_is_a_few_short_words_whatever_is_typed(text):
    words = query_words(text)
    assert len(words) <= MOST_WORDS
    assert all(word.isalnum() and len(word) <= 64 for word in words)


def test_letters_and_digits_of_a_name_are_found_alone():
    assert words_of("gpt4o") == ["gpt4o", "gpt", "4", "o"]


async def test_services_are_found_by_the_beginnings_of_their_words(shop):
    for name in ("librarian", "library-of-babel", "GPT4o mini", "poet"):
        await shop.sell(name)
    assert await shop.found(text="librar") == ["librarian", "library-of-babel"]
    assert await shop.found(text="BABEL lib") == ["library-of-babel"]
    assert await shop.found(text="4o") == []
    assert await shop.found(text="4") == ["GPT4o mini"]
    assert await shop.found(text="rarian") == []
    assert await shop.found(text=PAY_TO[:12]) == ["librarian", "library-of-babel", "GPT4o mini", "poet"]
    assert await shop.found(text="?!") == []


async def test_the_exact_name_comes_first(shop):
    for name in ("gpt mini", "gpt"):
        await shop.sell(name)
    assert await shop.found(text="gpt") == ["gpt", "gpt mini"]


@pytest.mark.parametrize("text", ANYTHING, ids=lambda text: ascii(text)[:20])
async def test_no_text_is_syntax(shop, text):
    await shop.sell("poet")
    assert await shop.found(text=Search.read({"q": text}).text) == []


async def test_filters_leave_out_what_does_not_fit_or_is_not_known(shop):
    cheap = await shop.sell("cheap", input_per_million=1, output_per_million=1, per_call=0, context_window=10_000)
    dear = await shop.sell("dear", "embeddings", per_call=500_000)
    await shop.sell("painter", unit=PriceUnit.IMAGE)
    await shop.measure(cheap, 40, 0.2, failed=1)
    await shop.measure(dear, 40, 2.0)
    assert await shop.found(operation="embeddings") == ["dear"]
    assert await shop.found(kind="model") == ["cheap", "dear", "painter"]
    assert await shop.found(kind="data") == []
    assert await shop.found(context=10_000) == ["cheap"]
    assert await shop.found(calls=1) == ["cheap", "dear"]
    assert await shop.found(calls=3) == ["cheap"]
    assert await shop.found(success=990) == ["dear"]
    assert await shop.found(success=900, first_text=1_000) == ["cheap"]
    assert await shop.found(order=Order.QUICKEST) == ["cheap", "dear", "painter"]
    assert await shop.found(order=Order.CHEAPEST, text="model") == ["cheap", "dear", "painter"]


async def test_what_is_called_most_comes_first(shop):
    await shop.sell("quiet")
    busy = await shop.sell("busy")
    assert await shop.found() == ["quiet", "busy"]
    await shop.measure(busy, 1, 0.2)
    assert await shop.found() == ["busy", "quiet"]


async def test_changes_are_found_again(shop):
    await shop.sell("poet")
    await shop.sell("librarian")
    assert await shop.found(calls=100) == ["poet", "librarian"]
    await shop.listings.price("poet", replace(CARD, per_call=COIN), 0)
    await shop.listings.retire("librarian")
    assert (await shop.found(), await shop.found(calls=100)) == (["poet"], [])
    await shop.listings.price("poet", CARD, shop.clock.now() + 1_000)
    assert await shop.found(calls=100) == []
    shop.clock.ahead += 1_001
    assert await shop.found(calls=100) == ["poet"]


async def test_two_replicas_index_the_same(database):
    one, two = Shop(database), Shop(database)
    await one.sell("poet")
    await one.search.refresh()
    try:
        await two.search.refresh()
    except ConstraintViolated:
        await two.search.refresh()
    assert await two.found() == ["poet"]
    assert (await two.search.find(Search(), COIN)).total == 1


async def test_pages_of_a_search(shop):
    for number in range(PAGE_SIZE + 1):
        await shop.sell(f"poet {number:02}")
    await shop.search.refresh()
    first, second, after = [await shop.search.find(Search(page=page), COIN) for page in (1, 2, 99)]
    assert (first.total, first.pages, len(first.services)) == (PAGE_SIZE + 1, 2, PAGE_SIZE)
    assert [each.listing.name for each in second.services] == ["poet 24"]
    assert (after.page, len(after.services)) == (2, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"sort": "best"},
        {"context": "-1"},
        {"calls": "1e9"},
        {"success": "1001"},
        {"page": "9" * 50},
        {"first_text": "٣"},
    ],
)
def test_a_filter_that_cannot_be_is_refused_by_its_name(fields):
    with pytest.raises(Invalid) as refused:
        Search.read(fields)
    assert (refused.value.code, refused.value.details["field"]) == ("invalid_search", *fields)


def test_a_page_of_a_search_has_an_address_that_reads_as_the_search():
    search = Search("a & b", "model", "chat", 8, 7, 990, 500, Order.NEWEST, 3)
    query = httpx.URL(search.path(3)).params
    assert Search.read(dict(query)) == search
    assert Search().path(1) == "/?"


@pytest.fixture
async def site(world):
    async with httpx.AsyncClient(base_url=world.url.removesuffix("/v1"), timeout=60) as client:
        yield client


async def test_the_page_and_its_json_twin_find_the_same_without_scripts(world, site):
    for name in ("librarian", "poet"):
        await world.asset(name, "http://127.0.0.1:1/v1")
    page = HtmlPage((await site.get("/", params={"q": "lib", "sort": "newest", "kind": ""})).text)
    assert [link for link in page.links if link.startswith("/s/")] == ["/s/librarian"]
    assert ("input", "value", "lib") in page.attributes
    found = (await site.get("/v1/services", params={"q": "lib"})).json()
    assert (found["total"], found["page"], found["pages"]) == (1, 1, 1)
    assert found["services"][0]["service"]["id"] == "librarian"
    assert found["services"][0]["measured"]["success"] is None
    wrong = await site.get("/v1/services", params={"calls": "many"})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "calls")
    assert "No service fits" in (await site.get("/", params={"q": "nothing"})).text


async def test_htmx_gets_the_results_alone(world, site):
    await world.asset("poet", "http://127.0.0.1:1/v1")
    part = await site.get("/", params={"q": "poet"}, headers={"hx-request": "true"})
    assert ("<html" in part.text, "/s/poet" in part.text) == (False, True)


@pytest.mark.parametrize("text", ['"><script>alert(1)</script>', "'onfocus=alert(1) '", "{{7*7}}", "</title><b>"])
async def test_what_was_typed_is_shown_as_text(world, site, text):
    page = await site.get("/", params={"q": text})
    assert ("input", "value", text.strip()) in HtmlPage(page.text).attributes
    assert "<script>alert" not in page.text
    assert "<b>" not in page.text
