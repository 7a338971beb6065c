"""A sale as JSON: each step is kept, a wrong one is refused by field, a confirmation is done once."""

import asyncio

import httpx
import pytest
from x402.http.clients import x402HttpxClient

from tests.support.misbehaving_upstream import misbehaving_server
from tests.support.waiting import until
from usufruct.assets import Assets, Listings, RegistryClient
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.gateway import Catalogue, Operator
from usufruct.http import Reach

pytestmark = pytest.mark.anvil

PRICE = {"name": "answers", "input": "0.5", "output": "1.5"}
SHARES = {"mode": "shares", "owners": [{"of": DEVNET_ADDRESSES[6], "percent": "20"}], "transferPolicy": "open"}
SECRET = "sk-upstream-secret-0001"


async def looked_at(http: httpx.AsyncClient, url: str, sale: str = "", **more) -> dict:
    """Choose a server and wait until it has been looked at."""
    sale = sale or (await http.post("/sales")).json()["id"]
    chosen = await http.post(f"/sales/{sale}/server", json={"url": url, "model": "m"} | more)
    assert chosen.status_code == 200, chosen.text

    async def done() -> bool:
        return (await http.get(f"/sales/{sale}")).json()["probe"]["state"] != "running"

    await until(done)
    return (await http.get(f"/sales/{sale}")).json()


async def ready(http: httpx.AsyncClient, url: str, ownership: dict | None = None, **price) -> str:
    """Take every step but the last."""
    draft = await looked_at(http, url)
    assert draft["probe"]["state"] == "done", draft["probe"]
    for step, wish in (("price", PRICE | price), ("owners", ownership or {"mode": "plain"})):
        taken = await http.post(f"/sales/{draft['id']}/{step}", json=wish)
        assert taken.status_code == 200, taken.text
    return draft["id"]


@pytest.fixture
async def upstream():
    async with misbehaving_server() as opened:
        yield opened


async def test_from_a_server_to_a_paid_call(world, seller, upstream):
    sale = await ready(seller, upstream.url())
    confirmed = (await seller.post(f"/sales/{sale}/confirm")).json()
    assert (confirmed["draft"]["service"], confirmed["transactions"]) == ("answers", [])
    served = await world.gateway.get(Catalogue).find("answers")
    assert (served.pay_to, served.upstreams[0].reach) == (DEVNET_ADDRESSES[0], Reach.PRIVATE)
    assert (served.card(0).input_per_million, served.card(0).output_per_million) == (500_000, 1_500_000)
    till = Till(world.installation.get(Operator).till, world.installation.client)
    assert await till.payees(served.pay_to) is PayeeKind.PLAIN
    account = await world.account()
    payer = world.payer(world.scheme(account, rpc=True))
    async with x402HttpxClient(payer, timeout=60) as http:
        answer = await world.ask(http, "answers")
    assert answer.status_code == 200, answer.text
    assert [bill.bill.charge for bill in await world.bills(account)] == [
        int(answer.json()["usage"]["cost_details"]["charge"])
    ]


async def test_shares_are_registered_once_however_often_it_is_confirmed(world, seller, upstream):
    sale = await ready(seller, upstream.url(), SHARES)
    answers = await asyncio.gather(*(seller.post(f"/sales/{sale}/confirm") for _ in range(3)))
    assert [each.json()["draft"]["service"] for each in answers] == ["answers"] * 3
    served = await world.gateway.get(Catalogue).find("answers")
    assert served.registered
    registry = world.installation.get(RegistryClient)
    assert list((await Assets(registry).names()).values()) == ["answers"]
    shares = await registry.shares(served.id)
    assert await shares.balance_of(DEVNET_ADDRESSES[6]) == 20_000_000 * 10**6
    assert await shares.balance_of(DEVNET_ADDRESSES[0]) == 80_000_000 * 10**6
    again = await seller.post(f"/sales/{sale}/price", json=PRICE)
    assert again.json()["error"]["code"] == "sale_confirmed"


async def test_a_sale_that_was_cut_off_after_each_step_goes_on(world, seller, upstream, monkeypatch):
    sale = await ready(seller, upstream.url(), SHARES)
    cut = []

    async def refuse(self, *_, **__):
        cut.append(1)
        raise httpx.ReadError("the process died here")

    for kind, verb in ((Till, "payees"), (Catalogue, "add"), (Listings, "add")):
        with monkeypatch.context() as patched:
            patched.setattr(kind, verb, refuse)
            assert (await seller.post(f"/sales/{sale}/confirm")).status_code == 500
    assert len(cut) == 3
    assert (await seller.post(f"/sales/{sale}/confirm")).json()["draft"]["service"] == "answers"
    assert len(await Assets(world.installation.get(RegistryClient)).names()) == 1


async def test_two_sales_of_one_name_are_one_service(seller, upstream):
    first, second = await ready(seller, upstream.url()), await ready(seller, upstream.url())
    assert (await seller.post(f"/sales/{first}/confirm")).status_code == 200
    refused = await seller.post(f"/sales/{second}/price", json=PRICE)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "listing_exists")


async def test_the_key_of_a_server_goes_in_and_never_comes_out(world, seller, upstream, caplog):
    draft = await looked_at(seller, upstream.url(), key=SECRET)
    assert draft["server"]["hasKey"] is True
    assert f"Bearer {SECRET}" in {each.get("Authorization") for each in upstream.headers}
    page = await seller.get(seller.base_url.copy_with(path=f"/sell/{draft['id']}/server"))
    assert SECRET not in page.text + str(draft) + caplog.text
    assert SECRET.encode() not in (world.installation.config.data.folder / "usufruct.db").read_bytes()
    await looked_at(seller, upstream.url(), draft["id"])
    assert upstream.headers[-1].get("Authorization") == f"Bearer {SECRET}", "an empty key keeps the one that is there"
    elsewhere = await looked_at(seller, upstream.url("usage_missing"), draft["id"])
    assert elsewhere["server"]["hasKey"] is False, "another server gets no key of this one"
    odd = await seller.post(f"/sales/{draft['id']}/server", json={"url": upstream.url(), "key": [SECRET]})
    assert (odd.json()["error"]["param"], SECRET in odd.text + caplog.text) == ("key", False)


async def test_what_a_server_is_seen_to_do_is_told(seller, upstream):
    probe = (await looked_at(seller, upstream.url()))["probe"]
    assert (probe["state"], probe["reportsUsage"], probe["contextWindow"]) == ("done", True, 4096)
    assert probe["speed"]["tokens"] > 0
    choose = (await looked_at(seller, upstream.url(), model="other"))["probe"]
    assert (choose["state"], choose["models"]) == ("choose", ["m"])
    silent = (await looked_at(seller, upstream.url("usage_missing")))["probe"]
    assert (silent["state"], silent["reportsUsage"], silent["speed"]) == ("done", False, None)


@pytest.mark.parametrize(
    ("mode", "stage"), [("error_500", "models"), ("not_a_stream", "stream"), ("malformed", "answer")]
)
async def test_a_server_that_fails_is_not_sold_and_says_where(seller, upstream, mode, stage):
    draft = await looked_at(seller, upstream.url(mode))
    assert (draft["probe"]["state"], draft["probe"]["stage"]) == ("failed", stage)
    await seller.post(f"/sales/{draft['id']}/price", json=PRICE)
    await seller.post(f"/sales/{draft['id']}/owners", json={"mode": "plain"})
    refused = await seller.post(f"/sales/{draft['id']}/confirm")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "sale_incomplete")


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/v1", "http://[fd00:ec2::254]/v1", "http://[::ffff:a9fe:a9fe]/v1"]
)
async def test_metadata_services_are_not_asked(seller, url):
    probe = (await looked_at(seller, url))["probe"]
    assert (probe["state"], probe["stage"]) == ("failed", "models")
    assert "metadata services never" in probe["error"]


async def test_a_redirect_is_not_followed(seller, upstream):
    probe = (await looked_at(seller, upstream.url("redirects")))["probe"]
    assert probe["state"] == "failed"
    assert "redirects" in probe["error"]


@pytest.mark.parametrize(
    ("step", "wish", "field"),
    [
        ("price", PRICE | {"input": "a lot"}, "input"),
        ("price", PRICE | {"cachedInput": "101"}, "cached_input"),
        ("price", PRICE | {"name": ""}, "name"),
        ("price", PRICE | {"name": "a\nb"}, "name"),
        ("owners", SHARES | {"owners": [{"of": DEVNET_ADDRESSES[6], "percent": "101"}]}, "owners"),
        ("owners", SHARES | {"owners": [{"of": "0x12", "percent": "1"}]}, "owners"),
        ("owners", SHARES | {"parents": [{"of": "nothing", "percent": "1"}]}, "asset"),
        ("owners", SHARES | {"resaleRoyalty": "11"}, "resale_royalty"),
        ("owners", {"mode": "plain", "payTo": "0x" + "aB" * 20}, "pay_to"),
        ("suggestion", {"perHour": "-1"}, "per_hour"),
    ],
)
async def test_a_wrong_step_is_refused_by_its_field(seller, upstream, step, wish, field):
    draft = await looked_at(seller, upstream.url())
    if step == "owners":
        await seller.post(f"/sales/{draft['id']}/price", json=PRICE)
    refused = await seller.post(f"/sales/{draft['id']}/{step}", json=wish)
    assert refused.status_code in (400, 404)
    assert field in refused.json()["error"]["details"].get("field", refused.json()["error"]["details"])


async def test_a_suggestion_is_made_from_what_was_measured(seller, upstream):
    draft = await looked_at(seller, upstream.url())
    found = (await seller.post(f"/sales/{draft['id']}/suggestion", json={"perHour": "1", "margin": 50})).json()
    assert int(found["outputPrice"]) == 2 * int(found["outputCost"])
    assert found["measuredAt"] == draft["probe"]["changedAt"]


async def test_the_review_names_the_protocol_fee_before_the_sale_is_confirmed(world, seller, upstream):
    root = world.url.removesuffix("/v1")
    fee = (await world.installation.get(RegistryClient).contract.fee_bps()) / 100
    shared = (await seller.get(f"{root}/sell/{await ready(seller, upstream.url(), SHARES)}/review")).text
    assert f"{fee:g}\xa0% of the gross income go to the operator" in shared or f"{fee:g}% of the gross income" in shared
    plain = (await seller.get(f"{root}/sell/{await ready(seller, upstream.url(), name='plain')}/review")).text
    assert "protocol fee" not in plain
