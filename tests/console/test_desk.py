"""The desk: what calls earned is told by tallies; price, key, collection and end are the operator's."""

from dataclasses import replace
from fractions import Fraction
from math import ceil

import httpx
import pytest
from x402.http.clients import x402HttpxClient

from tests.console.test_sales import SECRET, SHARES, ready
from tests.support.browser import NARROW, chromium, needs_chromium, visit
from tests.support.html_page import HtmlPage
from tests.support.ledger_samples import bill
from usufruct.assets import RegistryClient, plain_listing_id
from usufruct.chain.keys import Role, signer_of
from usufruct.console.draft_costs import DraftCosts
from usufruct.console.seller_desk import PAGE_SIZE
from usufruct.core import address, format_asset
from usufruct.gateway import Catalogue, ServiceQuality
from usufruct.gateway.quality.tally import Times
from usufruct.payments.settlement import Claimer, Refunds

pytestmark = pytest.mark.anvil

COSTS = {"perHour": "1"}


async def sold(world, seller, upstream, ownership: dict | None = None) -> str:
    """Sell a service, call it once, and return where the desk has it."""
    sale = await ready(seller, upstream.url(), ownership, costs=COSTS)
    assert (await seller.post(f"/sales/{sale}/confirm")).json()["draft"]["service"] == "answers"
    account = await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=True)), timeout=60) as http:
        answer = await world.ask(http, "answers")
    assert answer.status_code == 200, answer.text
    await world.gateway.get(ServiceQuality).flush()
    return f"/desk/{format_asset((await world.gateway.get(Catalogue).find('answers')).id)}"


async def test_a_service_earns_and_its_owner_collects(world, seller, upstream):
    service = await sold(world, seller, upstream, SHARES)
    figures = (await seller.get("/desk")).json()
    [channel] = await world.channels()
    assert figures["today"] == figures["month"] == {"calls": 1, "errors": 0, "income": str(channel.charged)}
    assert [each["income"] for each in figures["days"]][-1] == str(channel.charged)
    [mine] = figures["services"]
    assert (mine["name"], mine["month"]["calls"], int(mine["cost"]) > 0) == ("answers", 1, True)

    claimer = world.installation.get(Claimer)
    assert await claimer.lease.hold()
    await claimer.run(everything=True)
    await claimer.lease.release()
    paid = (await seller.post(f"{service}/collect")).json()
    assert 0 < int(paid["amount"]) < channel.charged, "four fifths of what the protocol's fee leaves"
    assert int((await seller.post(f"{service}/collect")).json()["amount"]) == 0


async def test_the_cost_of_whole_streamed_and_cached_calls_is_that_of_their_receipts(world, seller, upstream):
    sale = await ready(seller, upstream.url("usage_cached"), cachedInput="10", costs={"perHour": "1000"})
    assert (await seller.post(f"/sales/{sale}/confirm")).json()["draft"]["service"] == "answers"
    account = await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=True)), timeout=60) as http:
        for more in ({}, {"stream": True}):
            assert (await world.ask(http, "answers", **more)).status_code == 200
    await world.gateway.get(ServiceQuality).flush()
    used = [each.bill.usage for each in await world.bills(account)]
    assert [each.cached_input_tokens for each in used] == [3, 3]
    [(cost_in, cost_out)] = (await world.gateway.get(DraftCosts).of_sold()).values()
    exact = sum(
        ((each.input_tokens - 3) * Fraction(1) + Fraction(3, 10)) * cost_in + each.output_tokens * cost_out
        for each in used
    )
    [mine] = (await seller.get("/desk")).json()["services"]
    assert int(mine["cost"]) == ceil(exact / 1_000_000) > 0


async def test_a_registered_price_is_announced_and_a_plain_one_holds(world, seller, upstream):
    service = await sold(world, seller, upstream, SHARES)
    announced = (await seller.post(f"{service}/price", json={"output": "9"})).json()
    assert announced["transaction"]
    assert (await world.gateway.get(Catalogue).find("answers")).card(0).output_per_million == 1_500_000
    nothing = await seller.post(f"{service}/price", json={}, headers={"x-usufruct-language": "de"})
    assert nothing.json()["error"]["code"] == "nothing_to_change"
    assert nothing.json()["error"]["message"] == "Schreiben Sie mindestens einen Preis, der sich ändern soll."


async def test_a_plain_service_is_priced_gets_another_key_and_is_retired(world, seller, upstream):
    service = await sold(world, seller, upstream)
    catalogue = world.gateway.get(Catalogue)
    assert (await seller.post(f"{service}/price", json={"output": "9"})).json()["transaction"] is None
    now = (await catalogue.find("answers")).prices[-1].card
    assert (now.input_per_million, now.output_per_million) == (500_000, 9_000_000)
    assert (await seller.post(f"{service}/key", json={"key": SECRET})).status_code == 204
    assert [each.api_key for each in (await catalogue.find("answers")).upstreams] == [SECRET]
    page = await seller.get(seller.base_url.copy_with(path=service))
    assert (page.status_code, SECRET in page.text) == (200, False)
    assert (await seller.post(f"{service}/collect")).json()["error"]["code"] == "no_shares"
    assert (await seller.post(f"{service}/retire")).status_code == 200
    assert (await seller.post(f"{service}/retire")).json()["error"]["code"] == "already_retired"
    assert (await seller.get("/desk")).json()["services"] == []


async def test_a_key_is_given_to_no_other_provider(world, seller, upstream):
    service = await sold(world, seller, upstream)
    catalogue = world.gateway.get(Catalogue)
    first = (await catalogue.find("answers")).upstreams[0]
    second = replace(first, url="http://127.0.0.2:9/v1", api_key="of the second")
    await catalogue.replace_upstreams(await catalogue.find("answers"), [first, second])
    refused = await seller.post(f"{service}/key", json={"key": SECRET})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "server_needed")
    unknown = await seller.post(f"{service}/key", json={"key": SECRET, "server": "http://127.0.0.3/v1"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "unknown_server")
    assert (await seller.post(f"{service}/key", json={"key": SECRET, "server": first.url})).status_code == 204
    assert [each.api_key for each in (await catalogue.find("answers")).upstreams] == [SECRET, "of the second"]
    page = seller.base_url.copy_with(path=service)
    assert second.url in (await seller.get(page)).text
    form = {"key": "typed", "server": second.url}
    assert (await seller.post(f"{page}/key", data=form)).status_code == 303
    assert [each.api_key for each in (await catalogue.find("answers")).upstreams] == [SECRET, "typed"]


async def test_a_paused_service_takes_no_calls_and_gives_deposits_back(world, seller, upstream):
    service = await sold(world, seller, upstream)
    account = await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=True)), timeout=60) as http:
        assert (await world.ask(http, "answers")).status_code == 200
        paused = (await seller.post(f"{service}/pause")).json()
        assert (await seller.post(f"{service}/pause")).json() == paused, "paused once"
        refused = await world.ask(http, "answers")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "paused_listing")
    async with httpx.AsyncClient(timeout=120) as stranger:  # is not offered a price that cannot be paid
        assert (await world.ask(stranger, "answers")).json()["error"]["code"] == "paused_listing"
    [mine] = (await seller.get("/desk")).json()["services"]
    assert mine["pausedAt"] == paused["pausedAt"] > 0
    page = await seller.get(seller.base_url.copy_with(path=service))
    assert "Paused since" in page.text
    await world.installation.get(Refunds).refund((await world.channel_of(account)).reading.id)
    assert await world.balance(account) == 1000 * 10**6 - (await world.channel_of(account)).charged
    assert (await seller.post(f"{service}/resume")).json() == {"pausedAt": None}
    await world.check_books()


async def test_a_seller_offers_free_samples_at_the_desk(world, seller, upstream, http):
    service = await sold(world, seller, upstream)
    bounds = {"callsPerVisitor": 1, "callsPerDay": 9, "outputPerCall": 16}
    async with httpx.AsyncClient(base_url=http.base_url, timeout=120) as stranger:
        assert (await stranger.post(f"{service}/sample", json=bounds)).status_code == 401
    assert (await seller.post(f"{service}/sample", json=bounds)).json() == {"sample": bounds, "givenToday": 0}
    ask = {"model": "answers", "messages": [{"role": "user", "content": "Hello"}]}
    tried = [await http.post("/samples/chat/completions", json=ask) for _ in range(2)]
    assert [each.status_code for each in tried] == [200, 429]
    wrong = await seller.post(f"{service}/sample", json=bounds | {"callsPerDay": 0})
    assert (wrong.json()["error"]["code"], wrong.json()["error"]["param"]) == ("invalid_listing", "calls_per_day")
    page = f"{str(http.base_url).rstrip('/').removesuffix('/v1')}{service}"
    assert "Given today: 1 of 9." in (await seller.get(page)).text
    form = {"calls_per_visitor": "2", "calls_per_day": "x", "output_per_call": "16"}
    assert "Write a whole number." in (await seller.post(f"{page}/sample", data=form)).text
    form["calls_per_day"] = "1"
    assert "at least as many as one visitor" in (await seller.post(f"{page}/sample", data=form)).text
    await seller.post(f"{page}/sample", data=form | {"calls_per_day": "5"})
    assert (await world.gateway.get(Catalogue).find("answers")).sample.calls_per_day == 5
    await seller.post(f"{page}/sample/end")
    assert (await http.post("/samples/chat/completions", json=ask)).json()["error"]["code"] == "sample_not_offered"


async def test_a_seller_gives_stakers_a_discount_at_the_desk(world, seller, upstream, http):
    service = await sold(world, seller, upstream)
    async with httpx.AsyncClient(base_url=http.base_url, timeout=120) as stranger:
        assert (await stranger.post(f"{service}/discount", json={"most": "20"})).status_code == 401
    assert (await seller.post(f"{service}/discount", json={"most": "12.50"})).json() == {"most": "12.5"}
    listing = await world.gateway.get(Catalogue).find("answers")
    assert listing.level_discount_bps == 1_250
    wrong = await seller.post(f"{service}/discount", json={"most": "50.01"})
    assert (wrong.json()["error"]["code"], wrong.json()["error"]["param"]) == ("invalid_listing", "level_discount")
    page = f"{str(http.base_url).rstrip('/').removesuffix('/v1')}{service}"
    shown = (await seller.get(page)).text
    assert 'value="12.5"' in shown
    assert "This installation has no levels now" in shown
    assert "Write per cent from 0 to 50." in (await seller.post(f"{page}/discount", data={"level_discount": "60"})).text
    assert "Write per cent, such as" in (await seller.post(f"{page}/discount", data={"level_discount": "ten"})).text
    await seller.post(f"{page}/discount", data={"level_discount": "7,5"})
    assert (await world.gateway.get(Catalogue).find("answers")).level_discount_bps == 750
    await seller.post(f"{page}/discount", data={"level_discount": ""})
    assert (await world.gateway.get(Catalogue).find("answers")).level_discount_bps == 0


async def test_the_title_holder_pauses_and_no_one_else(world, seller, upstream, http, enter):
    service = await sold(world, seller, upstream, SHARES)
    asset = (await world.gateway.get(Catalogue).find("answers")).id
    holder, stranger = await world.account(), await world.account()
    registry = world.installation.get(RegistryClient).contract
    owner = world.installation.sender(signer_of(Role.OWNER, world.installation.config))
    await owner.execute(registry.transfer_from(owner.address, address(holder.address), int(asset)), "give the title")
    http.cookies.clear()
    await enter(http, stranger)
    assert (await http.post(f"{service}/pause")).json()["error"]["code"] == "not_operator"
    http.cookies.clear()
    await enter(http, holder)
    assert (await http.post(f"{service}/pause")).json()["pausedAt"]
    assert [each["name"] for each in (await http.get("/desk")).json()["services"]] == ["answers"]
    assert [each["what"] for each in (await http.post(f"{service}/retire")).json()["transactions"]] == ["retire"]
    refused = await http.post(f"{service}/key", json={"key": SECRET})
    assert refused.json()["error"]["code"] == "not_operator"
    page = await http.get(http.base_url.copy_with(path=service))
    assert (page.status_code, "Take it off sale" in page.text, upstream.url() in page.text) == (200, True, False)
    overview = await http.get(http.base_url.copy_with(path="/desk"))
    assert ("answers" in overview.text, "/operator" in overview.text) == (True, False)
    assert (await http.post(f"{service}/resume")).json() == {"pausedAt": None}


async def test_no_one_else_sees_or_changes_it(world, http, enter):
    await enter(http, await world.account())
    for method, path in (("GET", "/desk"), ("POST", "/desk/0x1/price"), ("POST", "/desk/0x1/retire")):
        assert (await http.request(method, path)).json()["error"]["code"] == "not_operator"
    for path in ("/desk", "/desk/0x1"):
        page = await http.get(http.base_url.copy_with(path=path))
        assert (page.status_code, "This page is for operators" in page.text) == (403, True)


async def test_the_desk_shows_its_services_page_by_page_and_is_current(world, seller, upstream):
    service = await sold(world, seller, upstream)
    catalogue = world.gateway.get(Catalogue)
    known = await catalogue.find("answers")
    for number in range(PAGE_SIZE):
        name = f"more-{number:02}"
        await catalogue.add(replace(known, name=name, id=plain_listing_id(name, known.pay_to)))
    first, second, past = [(await seller.get("/desk", params={"page": page})).json() for page in ("", "2", "99")]
    names = [[each["name"] for each in page["services"]] for page in (first, second)]
    assert (len(names[0]), names[1], second) == (PAGE_SIZE, ["more-23"], past)
    assert (first["page"], first["pages"], second["page"]) == (1, 2, 2)
    assert first["month"] == second["month"], "of all services, whatever the page"
    refused = await seller.get("/desk", params={"page": "x"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "page")
    desk = seller.base_url.copy_with(path="/desk")
    page = await seller.get(desk)
    assert "/desk?page=2" in HtmlPage(page.text).links
    assert page.headers["cache-control"] == "private, no-store"
    assert "more-23" in (await seller.get(desk, params={"page": 2})).text
    world.gateway.get(ServiceQuality).charged(known.id, None, Times(0.0, 0.5, 2.0), bill(1_234_567))
    await world.gateway.get(ServiceQuality).flush()
    assert "1.234" in (await seller.get(desk)).text
    await seller.post(f"{service}/retire")
    assert service not in HtmlPage((await seller.get(desk)).text).links


async def test_a_kept_desk_is_shown_to_no_one_else(world, seller, upstream, http, enter):
    await sold(world, seller, upstream)
    desk = seller.base_url.copy_with(path="/desk")
    shown = await seller.get(desk)
    assert "answers" in shown.text
    seller.cookies.clear()
    refused = await http.get(desk, headers={"if-none-match": shown.headers["etag"]})
    assert (refused.status_code, "answers" in refused.text) == (200, False)
    await enter(http, await world.account())
    refused = await http.get(desk, headers={"if-none-match": shown.headers["etag"]})
    assert (refused.status_code, "answers" in refused.text) == (403, False)


@needs_chromium
async def test_the_desk_fits_a_phone_in_german(world, seller, upstream):
    service = await sold(world, seller, upstream, SHARES)
    root = world.url.removesuffix("/v1")
    async with chromium() as browser, visit(browser, f"{root}/desk", **NARROW, locale="de") as shown:
        await shown.page.get_by_role("button", name="Das Konto des Betreibers benutzen").click()
        await shown.page.get_by_role("heading", name="Was Sie einnehmen").wait_for()
        for path in ("/desk", service):
            await shown.page.goto(root + path)
            await shown.page.screenshot()
            assert await shown.too_wide() <= 0
            assert await shown.small_targets() == []
            assert await shown.accessibility_faults() == []
        assert shown.problems == []
