"""The page at the root: services with prices and how to pay, escaped, complete in itself."""

from dataclasses import replace
from html.parser import HTMLParser

import httpx

from usufruct.gateway.pages import root_page
from usufruct_client.wire import ModelCard, ModelPrice, OutputLimits

TOKEN = "0x" + "dd" * 20
VOID = {"meta", "!doctype"}


class Page(HTMLParser):
    """Text by tag, links, and whatever would be loaded; demands that what is opened is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[str, list[str]] = {}
        self.attributes: list[tuple[str, str, str | None]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *each) for each in attrs]
        if tag not in VOID:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open:
            self.texts[self._open[-1]][-1] += data


def card(name: str, **price) -> ModelCard:
    amounts = {"input_per_million": 1_500_000, "output_per_million": 3, "per_call": 0} | price
    return ModelCard(
        id=name,
        object="model",
        created=0,
        owned_by=TOKEN,
        endpoint="chat",
        asset="0x" + "0" * 32,
        context_window=4096,
        output=OutputLimits(1, 2, 0),
        forward=[],
        price=ModelPrice(1, **amounts, cached_input_bps=1, unit="text_token", token=TOKEN, decimals=6, symbol="USDC"),
        counted_by="utf-8 bytes",
    )


def shown(cards, url="https://ai.example.org", chain_id=8453) -> Page:
    return Page(root_page(cards, url, chain_id).body.decode())


def test_services_are_shown_with_prices_in_whole_units():
    page = shown([card("librarian"), card("poet", per_call=250_000)])
    rows = [page.texts["td"][at : at + 5] for at in (0, 5)]
    assert rows[0] == ["librarian", "1.5 USDC", "0.000003 USDC", "0 USDC", "0.001501 USDC"]
    assert rows[1][3:] == ["0.25 USDC", "0.251501 USDC"]
    assert "chat, priced by text tokens, 4,096 of context" in page.texts["small"]
    assert not shown([]).texts.get("td")


def test_snippets_can_be_copied_with_the_gateways_address_and_a_service():
    page = shown([card("librarian")])
    key, openai, x402 = page.texts["pre"]
    chain, wallet, money, create = key.splitlines()
    assert chain.startswith("export USUFRUCT_CHAIN_ID=8453 USUFRUCT_CHAIN_RPC_URL=https://")
    assert (wallet, money) == ("usufruct wallet new me", "# send USDC to the address that it shows")
    assert create.startswith("usufruct key create --gateway https://ai.example.org ")
    local = shown([card("librarian")], chain_id=31337).texts["pre"][0].splitlines()
    assert local[:2] == ["usufruct wallet new me", "usufruct wallet fund me"]
    assert 'base_url="https://ai.example.org/v1"' in openai
    assert 'model="librarian"' in openai
    for snippet in (openai, x402):
        compile(snippet, "snippet", "exec")
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    assert links == ["https://www.x402.org", "/openapi.json", "/v1/models", "/v1/terms"]


def test_it_may_be_below_a_path_of_a_proxy_and_knows_embeddings():
    page = shown([replace(card("vectors"), endpoint="embeddings")], "https://example.org/ai")
    assert ("a", "href", "/ai/v1/models") in page.attributes
    assert 'base_url="https://example.org/ai/v1"' in page.texts["pre"][1]
    assert 'client.embeddings.create(model="vectors"' in page.texts["pre"][1]


def test_nothing_is_loaded_and_nothing_runs():
    response = root_page([card("librarian")], "https://ai.example.org", 8453)
    page = Page(response.body.decode())
    assert not {"script", "img", "link", "iframe"} & set(page.texts)
    assert not [each for each in page.attributes if each[1] == "src" or each[1].startswith("on")]
    assert response.headers["content-security-policy"].startswith("default-src 'none'")


def test_names_and_addresses_are_text():
    bad = '"><script>alert(1)</script>{0}'
    page = shown([card(bad)], f"http://{bad}")
    assert "script" not in page.texts
    assert bad in page.texts["td"]
    assert bad.partition("/")[0] in page.texts["code"][0]
    compile(shown([card(bad)]).texts["pre"][1], "snippet", "exec")


async def test_the_root_answers_browsers(world, upstream):
    await world.asset("hamlet", upstream.url())
    url = world.url.removesuffix("/v1")
    async with httpx.AsyncClient() as plain:
        answer = await plain.get(f"{url}/", headers={"accept": "text/html"})
        assert (await plain.head(f"{url}/")).status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert "hamlet" in page.texts["td"]
    assert f"--gateway {url} " in page.texts["pre"][0]
