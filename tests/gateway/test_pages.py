"""The gateway's pages: services with prices, and how to call one; in two languages, below any path, as text only."""

import shlex
import subprocess
from dataclasses import replace

import httpx
import orjson
import pytest

from tests.support.gateway_server import CARD
from tests.support.html_page import HtmlPage
from usufruct.gateway import Endpoint
from usufruct.gateway.pages import calls_per_coin_down, sample_cost_up, service_snippets
from usufruct_client.wire import ModelCard, ModelPrice, OutputLimits

TOKEN = "0x" + "dd" * 20
URL = "https://ai.example.org"


def card(name: str = "librarian", endpoint: str = "chat", unit: str = "text_token", **price) -> ModelCard:
    amounts = {"input_per_million": 1_500_000, "output_per_million": 3, "per_call": 0} | price
    return ModelCard(
        id=name,
        object="model",
        created=0,
        owned_by=TOKEN,
        endpoint=endpoint,
        asset="0x" + "0" * 32,
        context_window=4096,
        output=OutputLimits(1, 2, 0),
        forward=[],
        price=ModelPrice(1, **amounts, cached_input_bps=1, unit=unit, token=TOKEN, decimals=6, symbol="USDC"),
        counted_by="utf-8 bytes",
    )


@pytest.mark.parametrize(
    ("priced", "cost", "calls"),
    [
        (card(), 1_501, 666),
        (card(per_call=250_000), 251_501, 3),
        (card(endpoint="embeddings", output_per_million=9_000_000), 1_500, 666),
        (card(input_per_million=0, output_per_million=0), 0, None),
        (card(unit="image"), None, None),
        (card(per_call=2_000_000), 2_001_501, 0),
    ],
)
def test_a_usual_call_compares_prices(priced, cost, calls):
    assert (sample_cost_up(priced), calls_per_coin_down(priced)) == (cost, calls)


def test_snippets_can_be_copied_with_the_gateways_address_and_the_service():
    snippets = service_snippets(card(), URL, 8453)
    chain, wallet, money, create = snippets.key.splitlines()
    assert chain.startswith("export USUFRUCT_CHAIN_ID=8453 USUFRUCT_CHAIN_RPC_URL=https://")
    assert (wallet, money) == ("usufruct wallet new me", "# send USDC to the address that it shows")
    assert create.startswith(f"usufruct key create --gateway {URL} ")
    local = service_snippets(card(), URL, 31337).key.splitlines()
    assert local[:2] == ["usufruct wallet new me", "usufruct wallet fund me"]
    assert f'base_url="{URL}/v1"' in snippets.openai
    assert 'model="librarian"' in snippets.openai
    assert f'baseURL: "{URL}/v1"' in snippets.javascript
    assert shlex.split(snippets.call, comments=True) == ["usufruct", "call", "--gateway", URL, "librarian", "Hello"]
    embeddings = service_snippets(card(endpoint="embeddings"), URL, 1)
    assert 'client.embeddings.create(model="librarian"' in embeddings.openai
    assert 'client.embeddings.create({ model: "librarian"' in embeddings.javascript
    assert embeddings.call == ""  # the command asks chat services only


@pytest.mark.parametrize("name", ["librarian", "it's", '"><script>{0}', "$(id) `id`", "пример/é", "a\\b"])
@pytest.mark.parametrize("endpoint", ["chat", "embeddings"])
def test_any_name_is_one_text_in_every_snippet(name, endpoint, tmp_path):
    snippets = service_snippets(card(name, endpoint), URL, 1)
    for python in (snippets.openai, snippets.x402):
        compile(python, "snippet", "exec")
    (tmp_path / "snippet.mjs").write_text(snippets.javascript)
    checked = subprocess.run(["node", "--check", tmp_path / "snippet.mjs"], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    if endpoint == "chat":
        assert shlex.split(snippets.call, comments=True)[-2:] == [name, "Hello"]
    words = shlex.split(snippets.curl)
    assert words[:2] == ["curl", f"{URL}/v1/{'embeddings' if endpoint == 'embeddings' else 'chat/completions'}"]
    assert orjson.loads(words[-1])["model"] == name


@pytest.fixture
async def site(world):
    async with httpx.AsyncClient(base_url=world.url.removesuffix("/v1"), timeout=120) as client:
        yield client


async def test_services_are_shown_with_prices_in_whole_units(world, site):
    assert "Nothing is sold here yet" in (await site.get("/")).text
    await world.asset("hamlet", "http://127.0.0.1:1/v1")
    await world.asset("ophelia", "http://127.0.0.1:1/v1", card=replace(CARD, per_call=250_000))
    page = HtmlPage((await site.get("/")).text)
    assert [link for link in page.links if link.startswith("/s/")] == ["/s/hamlet", "/s/ophelia"]
    assert [text for text in page.texts["span"] if text.startswith("about")] == ["about 399 calls", "about 3 calls"]
    assert page.texts["dt"][:2] == ["Input, per million", "Output, per million"]
    assert {"1 USD", "3 USD"} <= set(page.texts["span"])
    assert "This is a rehearsal on a local chain, with play money." in page.texts["p"]


async def test_a_service_has_a_page_with_all_its_price_and_how_to_call_it(world, site):
    served = await world.asset("team/hamlet", "http://127.0.0.1:1/v1")
    page = HtmlPage((await site.get("/s/team/hamlet")).text)
    assert page.texts["h1"] == ["team/hamlet"]
    assert {"1 USD", "3 USD", "0.000005 USD"} <= set(page.texts["span"])
    assert "A call with 1,000 text tokens of input and 500 of output costs 0.002505 USD." in " ".join(page.texts["p"])
    assert served.pay_to.lower() in " ".join(page.texts["code"]).lower()
    assert f'base_url="{site.base_url}/v1"'.replace("/v1/v1", "/v1") in page.texts["code"][2].replace("//v1", "/v1")


async def test_german_readers_get_german_and_may_choose(world, site):
    await world.asset("hamlet", "http://127.0.0.1:1/v1", card=replace(CARD, input_per_million=1_500_000))
    german = await site.get("/", headers={"accept-language": "de-AT,en;q=0.5"})
    assert (german.headers["content-language"], "Dienste und Preise" in german.text) == ("de", True)
    assert "1,5 USD" in HtmlPage(german.text).texts["span"]
    assert (await site.get("/", headers={"accept-language": "fr"})).headers["content-language"] == "en"
    await site.get("/?language=de")
    assert "Schlüssel holen" in (await site.get("/s/hamlet", headers={"accept-language": "en"})).text
    assert (await site.get("/?language=tlh")).headers["content-language"] == "de"


async def test_an_unknown_service_is_a_page_for_people_and_json_for_programs(site):
    page = await site.get("/s/nothing", headers={"accept": "text/html,application/xhtml+xml"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "there is no service named" in HtmlPage(page.text).texts["p"][0]
    answer = await site.get("/s/nothing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_model")


async def test_names_are_text_and_links_stay_whole(world, site):
    bad = "a\"'><script>alert(1)</script>?x#y%2f{{7*7}}"
    await world.asset(bad, "http://127.0.0.1:1/v1", endpoint=Endpoint.EMBEDDINGS)
    page = HtmlPage((await site.get("/")).text)
    assert bad in page.texts["bdi"]
    link = next(link for link in page.links if link.startswith("/s/"))
    service = await site.get(link)
    assert HtmlPage(service.text).texts["h1"] == [bad]
    assert "<script>alert" not in service.text
