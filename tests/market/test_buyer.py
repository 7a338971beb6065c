"""The buyer's actions as JSON: a wallet's owner makes keys, deposits and reads what was spent; no one else does."""

import asyncio
import csv
import io
import re
from types import SimpleNamespace

import httpx
import openai
import pytest
from eth_account.messages import encode_typed_data

from usufruct.chain.rpc_errors import RpcRefused
from usufruct.market.api import spending_table
from usufruct.market.buyer import Buyer
from usufruct_client.wire import SpendingLog, SpentCall

pytestmark = pytest.mark.anvil

DOLLAR = 1_000_000
TERMS = {"spendingLimit": str(3 * DOLLAR), "days": 30, "assets": [], "label": "laptop"}


def filled(request: dict, account) -> tuple[str, dict]:
    """Return where a signed request goes, and its body, signed as a browser's wallet signs."""
    signature = account.sign_message(encode_typed_data(full_message=request["document"])).signature.hex()
    at = request["body"]
    for name in request["place"][:-1]:
        at = at[name]
    at[request["place"][-1]] = "0x" + signature.removeprefix("0x")
    return request["post"].removeprefix("/v1"), request["body"]


async def make_key(http: httpx.AsyncClient, account, **terms) -> dict:
    asked = await http.post("/account/key-requests", json=TERMS | terms)
    assert asked.status_code == 200, asked.text
    path, body = filled(asked.json(), account)
    made = await http.post(path, json=body)
    assert made.status_code == 201, made.text
    return made.json()


async def signed_deposit(http: httpx.AsyncClient, account, channel: str, amount: int, **more) -> tuple[str, dict]:
    """Return where a deposit that a wallet signed goes, and its body."""
    asked = await http.post("/account/deposit-requests", json={"channel": channel, "amount": str(amount)} | more)
    assert asked.status_code == 200, asked.text
    return filled(asked.json(), account)


async def deposit(http: httpx.AsyncClient, account, channel: str, amount: int) -> httpx.Response:
    path, body = await signed_deposit(http, account, channel, amount)
    return await http.post(path, json=body)


async def test_a_wallet_makes_a_key_pays_for_calls_and_sees_what_they_cost(world, http, enter):
    account = await world.account()
    await enter(http, account)
    made = await make_key(http, account)
    paid = await deposit(http, account, made["channel"], 2 * DOLLAR)
    assert (paid.status_code, paid.json()["balance"]) == (200, str(2 * DOLLAR))

    client = openai.AsyncOpenAI(base_url=world.url, api_key=made["key"], max_retries=0, timeout=120)
    charges = []
    for words in ("one", "two words", "three words here"):
        ask = [{"role": "user", "content": words}]
        answer = await client.chat.completions.create(model="chat", messages=ask, max_tokens=20)
        charges.append(int(answer.usage.cost_details["charge"]))
    await client.close()

    log = (await http.get("/account/spending")).json()
    assert [int(each["charge"]) for each in log["calls"]] == charges[::-1]
    assert {(each["key"], each["service"]) for each in log["calls"]} == {("laptop", "chat")}
    table = list(csv.DictReader(io.StringIO((await http.get("/account/spending.csv")).text)))
    assert sum(round(float(row[f"charge_{log['symbol']}"]) * DOLLAR) for row in table) == sum(charges)
    page = await http.get(f"{world.url.removesuffix('/v1')}/account")
    assert "laptop" in page.text
    german = await http.get("/account/spending.csv?separator=%3B")
    assert german.text.startswith("time;service;key;")
    wrong = await http.get("/account/spending.csv?separator=x")
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "separator")

    assert (await http.post(f"/account/keys/{made['id']}/revoke")).status_code == 204
    assert (await http.get("/keys/current", headers={"authorization": f"Bearer {made['key']}"})).status_code == 401


async def test_a_key_without_an_end_or_a_limit_is_shown(world, http, enter):
    account = await world.account()
    await enter(http, account)
    request = (await http.post("/account/key-requests", json=TERMS | {"spendingLimit": str(2**128 - 1)})).json()
    end = (1 << 40) - 1
    request["document"]["message"]["expiresAt"] = str(end)
    request["body"]["expiresAt"] = end
    path, body = filled(request, account)
    assert (await http.post(path, json=body)).status_code == 201
    page = await http.get(f"{world.url.removesuffix('/v1')}/account")
    assert page.status_code == 200
    assert "340,282,366,920,938,463,463,374,607,431,768.211455" in page.text
    assert "9999" in page.text


async def test_a_key_may_be_for_some_services(world, http, enter):
    account = await world.account()
    await enter(http, account)
    await world.sell("other")
    unknown = await http.post("/account/key-requests", json=TERMS | {"assets": ["chat", "othre"]})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "unknown_service")
    made = await make_key(http, account, assets=["other"])
    await deposit(http, account, made["channel"], DOLLAR)
    call = {"model": "chat", "messages": [{"role": "user", "content": "x"}]}
    refused = await http.post("/chat/completions", json=call, headers={"authorization": f"Bearer {made['key']}"})
    assert refused.json()["error"]["code"] == "asset_out_of_scope"


async def test_a_daily_limit_is_kept_and_shown_with_the_last_use(world, http, enter):
    account = await world.account()
    await enter(http, account)
    made = await make_key(http, account, dayLimit="900", spendingLimit=str(DOLLAR))
    await deposit(http, account, made["channel"], DOLLAR)
    client = openai.AsyncOpenAI(base_url=world.url, api_key=made["key"], max_retries=0, timeout=120)
    charged = 0
    refused = ""
    while not refused:
        ask = [{"role": "user", "content": "x" * 300}]
        try:
            answer = await client.chat.completions.create(model="chat", messages=ask, max_tokens=20)
            charged += int(answer.usage.cost_details["charge"])
        except openai.APIStatusError as error:
            refused = error.code
    await client.close()
    assert (refused, charged > 0) == ("day_limit_reached", True)
    use = (await http.get("/keys/current", headers={"authorization": f"Bearer {made['key']}"})).json()
    assert (int(use["chargedToday"]), int(use["leftToday"])) == (charged, 900 - charged)
    page = (await http.get(f"{world.url.removesuffix('/v1')}/account")).text
    assert "Left today" in page
    assert "renews at" in page
    assert "never" not in page.partition("Last use")[2][:40]


async def test_without_scripts_a_key_is_renamed_and_revoked_and_the_page_can_be_loaded_again(world, http, enter):
    account = await world.account()
    await enter(http, account)
    made = await make_key(http, account)
    page = f"{world.url.removesuffix('/v1')}/account"
    for action, fields in (("rename", {"label": "phone <b>"}), ("revoke", {})):
        answer = await http.post(f"{page}/keys/{made['id']}/{action}", data=fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    shown = (await http.get(page)).text
    assert "phone &lt;b&gt;" in shown
    assert '<details class="folded">' in shown
    assert "No active keys" in shown
    german = await http.get(f"{page}?language=de")
    assert (german.status_code, "1 beendeter Schlüssel" in german.text) == (200, True)


async def test_of_keys_that_are_over_the_newest_are_shown_and_all_come_page_by_page(world, http, enter):
    account = await world.account()
    await enter(http, account)
    for number in range(45):
        made = await make_key(http, account, label=f"over-{number:02}")
        assert (await http.post(f"/account/keys/{made['id']}/revoke")).status_code == 204
    await make_key(http, account, label="live")
    root = world.url.removesuffix("/v1")
    shown = (await http.get(f"{root}/account")).text
    assert (shown.count(">live<"), len(set(re.findall(r"over-\d\d", shown)))) == (1, 20)
    assert "45 keys that are over" in shown
    pages = [(await http.get(f"{root}/account/keys?page={page}")).text for page in (1, 2, 3, 99, "x")]
    found = [set(re.findall(r"over-\d\d", page)) for page in pages]
    assert [len(each) for each in found] == [20, 20, 5, 5, 20]
    assert len(found[0] | found[1] | found[2]) == 45
    assert all(">live<" not in page for page in pages)
    await http.delete("/sessions/current")
    assert (await http.get(f"{root}/account/keys")).headers["location"] == "/account"


async def test_no_one_acts_for_another(world, http, enter):
    alice, mallory = await world.account(), await world.account()
    await enter(http, alice)
    made = await make_key(http, alice)
    await enter(http, mallory)
    asked = await http.post("/account/deposit-requests", json={"channel": made["channel"], "amount": str(DOLLAR)})
    assert asked.json()["error"]["code"] == "channel_not_found"
    assert (await http.post(f"/account/keys/{made['id']}/revoke")).json()["error"]["code"] == "key_not_found"
    renamed = await http.post(f"/account/keys/{made['id']}/rename", json={"label": "mine"})
    assert renamed.json()["error"]["code"] == "key_not_found"
    assert (await http.get("/account/spending")).json()["calls"] == []
    request = (await http.post("/account/key-requests", json=TERMS)).json()
    path, body = filled(request, alice)
    assert (await http.post(path, json=body)).json()["error"]["code"] == "invalid_proof"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/account/key-requests"),
        ("POST", "/account/deposit-requests"),
        ("POST", "/account/keys/key_1/rename"),
        ("POST", "/account/keys/key_1/revoke"),
        ("POST", "/account/play-money"),
        ("GET", "/account/spending"),
        ("GET", "/account/spending.csv"),
    ],
)
async def test_without_a_session_nothing_is_done(http, method, path):
    answer = await http.request(method, path, json={} if method == "POST" else None)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")
    if method == "POST":
        crossed = await http.post(path, json={}, headers={"sec-fetch-site": "cross-site"})
        assert crossed.json()["error"]["code"] == "cross_site_request"


async def test_no_cache_keeps_what_is_for_one_person(world, http, enter):
    account = await world.account()
    paths = ("/account/spending", "/account/spending.csv", "/sessions/current")
    refused = [await http.get(path) for path in paths]
    await enter(http, account)
    answers = [await http.get(path) for path in (*paths, f"{world.url.removesuffix('/v1')}/account")]
    made = await http.post("/account/key-requests", json=TERMS)
    for each in (*refused, *answers, made):
        assert each.headers["cache-control"] == "private, no-store", each.url


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"spendingLimit": "-1"}, "spendingLimit"),
        ({"spendingLimit": "1.5"}, "spendingLimit"),
        ({"days": 0}, "days"),
        ({"days": "30"}, "days"),
        ({"days": 4_000}, "days"),
        ({"assets": "chat"}, "assets"),
        ({"label": 5}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"label": "\u202e"}, "label"),
        ({"assets": [""]}, "assets"),
        ({"spendingLimit": "0"}, "spending_limit"),
    ],
)
async def test_terms_that_no_key_can_have_name_the_member(world, http, enter, change, field):
    await enter(http, await world.account())
    answer = await http.post("/account/key-requests", json=TERMS | change)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)


async def test_no_deposit_goes_to_a_key_that_another_tab_revoked(world, http, enter):
    account = await world.account()
    await enter(http, account)
    made = await make_key(http, account)
    wish = {"channel": made["channel"], "amount": str(DOLLAR)}
    assert (await http.post("/account/deposit-requests", json=wish)).status_code == 200
    assert (await http.post(f"/account/keys/{made['id']}/revoke")).status_code == 204
    asked = await http.post("/account/deposit-requests", json=wish)
    assert (asked.status_code, asked.json()["error"]["code"]) == (409, "key_over")


async def test_without_a_node_the_account_is_shown(world, http, enter):
    await enter(http, await world.account())
    page = f"{world.url.removesuffix('/v1')}/account"
    assert "Your wallet holds" in (await http.get(page)).text
    await world.anvil.stop()
    answer = await http.get(page)
    assert answer.status_code == 200
    assert "does not answer" in answer.text


async def test_a_node_that_refuses_tells_no_balance():
    class Refusing:
        async def call(self, *_, **__):
            raise RpcRefused("eth_call", -32005, "daily limit reached")

    terms = SimpleNamespace(token=SimpleNamespace(address="0x" + "11" * 20))
    buyer = Buyer(None, None, None, None, terms, SimpleNamespace(client=Refusing()), None)
    assert await buyer.wallet_balance("0x" + "22" * 20) is None


async def test_a_node_that_hangs_holds_no_page_up():
    class Hanging:
        async def call(self, *_, **__):
            await asyncio.get_running_loop().create_future()

    terms = SimpleNamespace(token=SimpleNamespace(address="0x" + "11" * 20))
    buyer = Buyer(None, None, None, None, terms, SimpleNamespace(client=Hanging()), None, node_seconds=0.01)
    async with asyncio.timeout(5):
        assert await buyer.wallet_balance("0x" + "22" * 20) is None


async def test_no_text_in_a_path_is_an_error_of_the_server(world, http, enter):
    await enter(http, await world.account())
    for key in ("%00", "a%0Ab", "%ff", "x" * 2_000):
        answer = await http.post(f"/account/keys/{key}/revoke")
        assert answer.json()["error"]["code"] == "key_not_found"


async def test_a_deposit_below_the_least_is_refused_before_it_is_signed(world, http, enter):
    account = await world.account()
    await enter(http, account)
    made = await make_key(http, account)
    asked = await http.post("/account/deposit-requests", json={"channel": made["channel"], "amount": "1"})
    assert asked.status_code == 402
    assert asked.json()["error"]["code"] == "deposit_below_minimum"


async def test_of_two_deposits_that_are_signed_at_one_moment_the_second_is_refused_until_the_first_was_seen(
    world, http, enter
):
    account = await world.account()
    await enter(http, account)
    made = await make_key(http, account)
    both = [await signed_deposit(http, account, made["channel"], 2 * DOLLAR, seen=0) for _ in range(2)]
    answers = await asyncio.gather(*(http.post(path, json=body) for path, body in both))
    assert sorted(each.status_code for each in answers) == [200, 409]
    [refused] = [each for each in answers if each.status_code == 409]
    assert refused.json()["error"]["code"] == "other_deposit"
    again = [await http.post(path, json=body) for path, body in both]
    assert sorted(each.status_code for each in again) == [200, 409], "the one that was made is still found"
    assert [each.json()["balance"] for each in again if each.status_code == 200] == [str(2 * DOLLAR)]

    wish = {"channel": made["channel"], "amount": str(DOLLAR), "seen": 0}
    unsigned = await http.post("/account/deposit-requests", json=wish)
    assert (unsigned.status_code, unsigned.json()["error"]["code"]) == (409, "other_deposit"), "before it is signed"
    path, body = await signed_deposit(http, account, made["channel"], DOLLAR, seen=1)
    assert (await http.post(path, json=body)).json()["balance"] == str(3 * DOLLAR), "the first was seen"
    assert (await deposit(http, account, made["channel"], DOLLAR)).json()["balance"] == str(4 * DOLLAR)
    assert await world.dollar.balance_of(account.address.lower()) == 996 * DOLLAR


async def test_the_demo_account_signs_by_itself_and_gets_play_money(http):
    assert (await http.post("/sessions/demo")).status_code == 201
    assert (await http.post("/account/play-money")).status_code == 204
    asked = (await http.post("/account/key-requests", json=TERMS)).json()
    assert asked["document"] is None
    made = await http.post(asked["post"].removeprefix("/v1"), json=asked["body"])
    assert made.status_code == 201, made.text
    asked = await http.post("/account/deposit-requests", json={"channel": made.json()["channel"], "amount": "2000000"})
    paid = await http.post("/deposits", json=asked.json()["body"])
    assert (paid.status_code, paid.json().get("balance")) == (200, "2000000")


def spent(**changes) -> SpentCall:
    facts = {"call": "0x" + "1" * 64, "time": 0, "key": "k", "service": "s", "input_tokens": 1, "output_tokens": 2}
    return SpentCall(**{**facts, "charge": 5} | changes)


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", 'a"b,c\nd', "plain"])
def test_no_name_is_a_formula_in_a_spreadsheet(name):
    table = spending_table(SpendingLog("USD", 6, [spent(key=name, service=name)]))
    [row] = csv.DictReader(io.StringIO(table))
    assert row["key"] == row["service"]
    assert row["key"].removeprefix("'") == name
    assert row["key"][0] not in "=+-@\t"
    assert row["charge_USD"] == "0.000005"
    assert row["time"] == "1970-01-01T00:00:00Z"


def test_a_spreadsheet_with_decimal_commas_splits_at_semicolons():
    table = spending_table(SpendingLog("USD", 6, [spent(service="a;b", charge=1_500_000)]), ";")
    [row] = csv.DictReader(io.StringIO(table), delimiter=";")
    assert (row["service"], row["charge_USD"]) == ("a;b", "1,5")
