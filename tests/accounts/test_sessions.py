"""Sign-in with a wallet through the production server: once, here, now, and only by its owner."""

import re

import httpx
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from sqlalchemy import insert

from tests.support.fake_clock import FakeClock
from tests.support.gateway_server import served
from usufruct.accounts.session_api import session_routes
from usufruct.accounts.session_model import SessionPolicy, cookie_name
from usufruct.accounts.sessions import Sessions
from usufruct.chain.keys import devnet_signer
from usufruct.core import ChainId
from usufruct.store import Stamp, metadata
from usufruct.web import Router, at_public_url

ALICE, BOB = Account.create(), Account.create()
CHAIN = ChainId(31337)
SECRET = b"a secret of thirty-two bytes ...."
DEMO = devnet_signer(4, CHAIN).address


class Site:
    def __init__(self, database, url: str = "", chain_id: ChainId = CHAIN):
        self.clock = FakeClock()
        self.sessions = Sessions(
            database, Stamp(SECRET, "sign-in"), self.clock, chain_id, SessionPolicy(most_sessions=3)
        )
        self.app = at_public_url(Router(session_routes(self.sessions, DEMO)), url)


@pytest.fixture
async def site(database):
    return Site(database)


@pytest.fixture
async def http(site):
    async with served(site.app) as (_, url, _), httpx.AsyncClient(base_url=url, timeout=120) as client:
        yield client


async def challenge(http, account=ALICE) -> dict[str, object]:
    answer = await http.post("/sessions/challenge", json={"address": account.address.lower()})
    assert answer.status_code == 200
    return answer.json()


def signed(asked, account=ALICE, **changes) -> dict[str, object]:
    signature = account.sign_message(encode_defunct(text=asked["text"])).signature.hex()
    answer = {key: value for key, value in asked.items() if key != "text"}
    return answer | {"signature": "0x" + signature.removeprefix("0x")} | changes


def name_of(http: httpx.AsyncClient) -> str:
    return cookie_name(f"http://{http.base_url.netloc.decode()}")


def code(answer: httpx.Response) -> str:
    return answer.json()["error"]["code"]


async def test_a_wallet_signs_in_is_known_and_signs_out(http):
    assert code(await http.get("/sessions/current")) == "not_signed_in"
    asked = await challenge(http)
    entered = await http.post("/sessions", json=signed(asked))
    assert (entered.status_code, entered.json()["address"]) == (201, ALICE.address.lower())
    cookie = entered.headers["set-cookie"]
    assert re.fullmatch(rf"{name_of(http)}=[\w-]{{43}}; Max-Age=1209600; Path=/; HttpOnly; SameSite=Lax", cookie)
    assert (await http.get("/sessions/current")).json()["address"] == ALICE.address.lower()
    assert (await http.delete("/sessions/current")).status_code == 204
    assert (await http.get("/sessions/current")).status_code == 401


async def test_the_text_is_eip_4361s_and_says_where_it_holds(http):
    asked = await challenge(http)
    host = http.base_url.netloc.decode()
    lines = asked["text"].splitlines()
    assert lines[:2] == [f"{host} wants you to sign in with your Ethereum account:", ALICE.address]
    assert f"URI: http://{host}" in lines
    assert {"Version: 1", "Chain ID: 31337", f"Nonce: {asked['nonce']}"} <= set(lines)


async def test_a_text_signs_in_once(http):
    entry = signed(await challenge(http))
    assert (await http.post("/sessions", json=entry)).status_code == 201
    again = await http.post("/sessions", json=entry)
    assert (again.status_code, code(again)) == (403, "sign_in_refused")


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "00" * 16},
        {"address": BOB.address.lower()},
        {"expiresAt": 2_000_000_000},
        {"expiresAt": (1 << 40) - 1},
        {"issuedAt": 1},
        {"issuedAt": (1 << 40) - 1},
        {"mark": "0x" + "00" * 16},
        {"signature": "0x" + "11" * 65},
        {"signature": "0x"},
        {"signature": "0x" + "00" * 96 + "6492" * 16},
    ],
)
async def test_a_changed_answer_is_refused(http, change):
    answer = await http.post("/sessions", json=signed(await challenge(http), **change))
    assert (answer.status_code, code(answer)) == (403, "sign_in_refused")
    assert (await http.get("/sessions/current")).status_code == 401


async def test_a_contracts_signature_is_refused_in_words(http):
    answer = await http.post("/sessions", json=signed(await challenge(http), signature="0x" + "6492" * 100))
    assert "the wallet is a contract" in answer.json()["error"]["message"]


async def test_a_wallet_may_count_its_recovery_number_from_0(http):
    entry = signed(await challenge(http))
    low = f"{int(entry['signature'][-2:], 16) - 27:02x}"
    assert (await http.post("/sessions", json=entry | {"signature": entry["signature"][:-2] + low})).status_code == 201


async def test_another_wallets_signature_is_refused(http):
    answer = await http.post("/sessions", json=signed(await challenge(http), BOB))
    assert (answer.status_code, code(answer)) == (403, "sign_in_refused")
    assert ALICE.address.lower() in answer.json()["error"]["message"].lower()


async def test_a_text_for_another_site_chain_or_installation_is_refused(database, http):
    foreign = [Site(database, "https://evil.example"), Site(database, chain_id=ChainId(1))]
    other = Site(database)
    other.app = Router(session_routes(Sessions(database, Stamp(b"x" * 32, "sign-in"), other.clock, CHAIN), None))
    for each in (*foreign, other):
        async with served(each.app) as (_, url, _), httpx.AsyncClient(base_url=url, timeout=120) as client:
            entry = signed(await challenge(client))
        assert code(await http.post("/sessions", json=entry)) == "sign_in_refused"


@pytest.mark.parametrize(
    ("chain", "url", "host", "status"),
    [
        (8453, "", "evil.example", 403),
        (8453, "", "localhost.evil.example", 403),
        (8453, "", "6.6.6.6", 403),
        (8453, "", "", 201),
        (8453, "", "localhost", 201),
        (8453, "https://ai.example.org", "ai.example.org", 201),
        (8453, "https://ai.example.org", "evil.example", 201),
        (31337, "", "192.168.1.5:8402", 201),
    ],
)
async def test_a_site_that_only_the_caller_names_is_none(database, chain, url, host, status):
    site = Site(database, url, ChainId(chain))
    named = {"host": host} if host else {}
    async with (
        served(site.app) as (_, address, _),
        httpx.AsyncClient(base_url=address, headers=named, timeout=120) as client,
    ):
        answer = await client.post("/sessions/challenge", json={"address": ALICE.address.lower()})
        asked = answer.json()
        if status == 403:
            assert (answer.status_code, code(answer)) == (403, "sign_in_refused")
            other = Site(database, f"http://{host}", ChainId(chain))  # as if it had let her sign
            async with served(other.app) as (_, there, _), httpx.AsyncClient(base_url=there, timeout=120) as elsewhere:
                asked = await challenge(elsewhere)
        assert (host if not url else "ai.example.org") in asked["text"]
        assert (await client.post("/sessions", json=signed(asked))).status_code == status


async def test_challenges_and_sessions_end(site, http):
    entry = signed(await challenge(http))
    site.clock.advance(301)
    assert code(await http.post("/sessions", json=entry)) == "sign_in_refused"
    await http.post("/sessions", json=signed(await challenge(http)))
    site.clock.advance(14 * 86_400 - 1)
    assert (await http.get("/sessions/current")).status_code == 200
    site.clock.advance(1)
    assert code(await http.get("/sessions/current")) == "not_signed_in"
    await site.sessions.remove_expired()


async def test_a_session_fixed_by_another_is_not_taken_over(http):
    await http.post("/sessions", json=signed(await challenge(http)))
    first = http.cookies[name_of(http)]
    await http.post("/sessions", json=signed(await challenge(http, BOB), BOB))
    assert http.cookies[name_of(http)] != first
    http.cookies.set(name_of(http), first)
    http.cookies.clear()
    assert (await http.get("/sessions/current", headers={"cookie": f"{name_of(http)}={first}"})).status_code == 401
    planted = await http.post(
        "/sessions", json=signed(await challenge(http)), headers={"cookie": f"{name_of(http)}=chosen-by-an-attacker"}
    )
    assert "chosen-by-an-attacker" not in planted.headers["set-cookie"]


async def test_an_addresss_oldest_sessions_end_first(site, http):
    tokens = []
    for _ in range(4):
        http.cookies.clear()
        await http.post("/sessions", json=signed(await challenge(http)))
        tokens.append(http.cookies[name_of(http)])
        site.clock.advance(1)
    http.cookies.clear()
    answers = [
        await http.get("/sessions/current", headers={"cookie": f"a=b; {name_of(http)}={each}"}) for each in tokens
    ]
    assert [each.status_code for each in answers] == [401, 200, 200, 200]


async def test_addresses_without_a_key_cannot_fill_the_database(database):
    site = Site(database)
    policy = SessionPolicy(most_in_all=10)
    site.app = Router(session_routes(Sessions(database, Stamp(SECRET, "sign-in"), site.clock, CHAIN, policy), None))
    async with database.transaction() as unit:
        row = {"id": "key_1", "secret_hash": b"1", "payer": ALICE.address.lower(), "channel": "0x" + "1" * 64}
        row |= {"session": BOB.address.lower(), "sealed_session": b"", "spending_limit": 1, "expires_at": 1}
        row |= {"assets": "", "label": "", "created_at": 1, "proof_nonce": 1}
        await unit.change(insert(metadata.tables["bearer_keys"]).values(row))
    tokens = []
    async with served(site.app) as (_, url, _), httpx.AsyncClient(base_url=url, timeout=120) as http:
        for account in (BOB, ALICE, *(Account.create() for _ in range(20))):
            http.cookies.clear()
            await http.post("/sessions", json=signed(await challenge(http, account), account))
            tokens.append(http.cookies[name_of(http)])
            site.clock.advance(1)
        http.cookies.clear()
        answers = [
            await http.get("/sessions/current", headers={"cookie": f"{name_of(http)}={each}"}) for each in tokens
        ]
    assert [each.status_code for each in answers] == [401, 200, *[401] * 11, *[200] * 9]


async def test_gateways_on_other_ports_of_the_host_keep_their_sessions_apart(http):
    """A browser sends the cookies of every port of a host."""
    assert len({cookie_name(f"http://localhost{port}") for port in ("", ":8402", ":8403")}) == 3
    assert (await http.post("/sessions", json=signed(await challenge(http)))).status_code == 201
    token, mine = http.cookies[name_of(http)], name_of(http)
    http.cookies.clear()
    sent = {"cookie": f"session=another; session-1=another; {mine}={token}"}
    assert (await http.get("/sessions/current", headers=sent)).status_code == 200


async def test_over_https_the_cookie_is_this_hosts_alone(database):
    site = Site(database, "https://ai.example.org/gateway")
    async with served(site.app) as (_, url, _), httpx.AsyncClient(base_url=url, timeout=120) as client:
        entered = await client.post("/sessions", json=signed(await challenge(client)))
        cookie = entered.headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        assert cookie.endswith("Path=/; HttpOnly; SameSite=Lax; Secure")
        name = cookie.partition(";")[0]
        assert (await client.get("/sessions/current", headers={"cookie": name})).status_code == 200
        insecure = name.removeprefix("__Host-")
        assert (await client.get("/sessions/current", headers={"cookie": insecure})).status_code == 401


@pytest.mark.parametrize("path", ["/sessions", "/sessions/challenge", "/sessions/demo"])
async def test_another_sites_page_signs_nobody_in(http, path):
    answer = await http.post(path, json={}, headers={"sec-fetch-site": "cross-site"})
    assert (answer.status_code, code(answer)) == (403, "cross_site_request")


async def test_the_demo_account_needs_no_wallet_on_a_local_chain_only(http, site):
    assert (await http.post("/sessions/demo")).json()["address"] == DEMO
    assert not [route for route in session_routes(site.sessions, None) if route.path.endswith("/demo")]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"address": "0x12"}', b'{"address": 1}', b"\xff"])
async def test_malformed_requests_name_the_member(http, body):
    answer = await http.post("/sessions/challenge", content=body)
    assert answer.status_code in (400, 403)
    assert answer.json()["error"]["param"] in ("body", "address")
