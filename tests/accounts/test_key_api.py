"""Keys over HTTP, by the payer's signature; every wrong member is refused by name and makes nothing."""

from dataclasses import replace
from itertools import product

import httpx
import pytest

from tests.support import gateway_server
from tests.support.fake_clock import FakeClock
from usufruct.accounts import (
    KeyDomain,
    KeyLimits,
    Keys,
    KeyTerms,
    key_digest,
    key_routes,
    list_digest,
    rename_digest,
    revoke_digest,
)
from usufruct.chain.keys import KeySigner
from usufruct.config import LedgerConfig
from usufruct.gateway import KeyChannels
from usufruct.payments.ledger.service import open_ledger
from usufruct.payments.pricing.vouchers import channel_id
from usufruct.payments.settlement import ChannelRegistry
from usufruct.store import Seal, open_database
from usufruct.web import Router, read_document
from usufruct.web.errors import MalformedBody
from usufruct_client.wire import ChannelConfig

SEAL = Seal(b"a secret of these tests", "stored answers")

PAYER, STRANGER = KeySigner(bytes(31) + b"\x01"), KeySigner(bytes(31) + b"\x02")
NOW = 1_800_000_000


class Desk:
    """The routes on a real server, and a payer's wallet before it."""

    def __init__(self, http, keys, ledger, domain, clock):
        self.http, self.keys, self.ledger, self.domain, self.clock = http, keys, ledger, domain, clock

    def wish(self, signer=PAYER, nonce=1, **changes):
        terms = {"payer": PAYER.address, "limit": 5_000_000, "expires_at": NOW + 3_600, "assets": [], "label": "laptop"}
        terms |= changes
        signed = KeyTerms(
            terms["payer"],
            terms["limit"],
            terms["expires_at"],
            frozenset(terms["assets"]),
            terms["label"],
            terms.get("day_limit"),
        )
        daily = {"dayLimit": str(terms["day_limit"])} if "day_limit" in terms else {}
        return daily | {
            "payer": terms["payer"],
            "spendingLimit": str(terms["limit"]),
            "expiresAt": terms["expires_at"],
            "assets": terms["assets"],
            "label": terms["label"],
            "nonce": str(nonce),
            "signature": "0x" + signer.sign(key_digest(self.domain, signed, nonce)).hex(),
        }

    def timed(self, digest, *words, signer=PAYER, until=NOW + 300):
        signature = signer.sign(digest(self.domain, PAYER.address, *words, until))
        return {"payer": PAYER.address, "expiresAt": until, "signature": "0x" + signature.hex()}

    async def made(self, **changes):
        answer = await self.http.post("/keys", json=self.wish(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def listed(self):
        answer = await self.http.post("/keys/list", json=self.timed(list_digest))
        assert answer.status_code == 200, answer.text
        return answer.json()["keys"]


@pytest.fixture
def sqlite_url(databases):
    return databases.migrated("sqlite")


@pytest.fixture
async def desk(sqlite_url):
    database = open_database(sqlite_url)
    ledger = open_ledger(database, LedgerConfig(), seal=SEAL)
    operator, clock = gateway_server.OPERATOR, FakeClock(NOW)
    domain = KeyDomain(gateway_server.CHAIN, operator.till)
    seal = Seal(b"a secret of some length", "session keys")
    channels = ChannelRegistry(database, ledger, operator.escrow, clock)
    limits = KeyLimits(most_live=3)
    keys = Keys(database, seal, clock, domain, KeyChannels(channels, operator), limits)
    app = Router(key_routes(keys, channels))
    async with gateway_server.served(app) as (_, url, _), httpx.AsyncClient(base_url=url, timeout=120) as http:
        yield Desk(http, keys, ledger, domain, clock)
    await ledger.close()
    await database.close()


def bearer(made):
    return {"authorization": f"Bearer {made['key']}"}


def refusal(answer, status, code, field=None):
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == (code, field)
    return error


async def test_a_payer_makes_a_key_and_is_told_its_channel(desk):
    answer = await desk.http.post("/keys", json=desk.wish(assets=["b", "a"]))
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert (made["payer"], made["assets"], made["left"], made["balance"]) == (
        PAYER.address,
        ["a", "b"],
        "5000000",
        "0",
    )
    config = read_document(ChannelConfig, made["channelConfig"], MalformedBody)
    assert channel_id(gateway_server.OPERATOR.escrow, config) == made["channel"]
    assert (config.payer, config.payer_authorizer) == (PAYER.address, made["session"])
    assert (await desk.keys.authenticate(f"Bearer {made['key']}")).id == made["id"]


async def test_a_key_tells_about_itself_and_what_is_left(desk):
    made = await desk.made()
    reading = (await desk.ledger.account(made["channel"])).reading
    await desk.ledger.observe(replace(reading, block=1, balance=9_000_000, total_claimed=1_200_000))
    shown = (await desk.http.get("/keys/current", headers=bearer(made))).json()
    assert (shown["balance"], shown["charged"], shown["reserved"]) == ("9000000", "1200000", "0")
    assert (shown["left"], shown["free"], shown["label"]) == ("3800000", "7800000", "laptop")
    assert "key" not in shown


async def test_a_finder_of_a_key_can_stop_it(desk):
    made = await desk.made()
    stopped = await desk.http.delete("/keys/current", headers=bearer(made))
    assert stopped.json()["revokedAt"] == NOW
    refusal(await desk.http.get("/keys/current", headers=bearer(made)), 401, "key_revoked")


async def test_a_key_tells_what_is_left_of_today(desk):
    made = await desk.made(day_limit=900_000)
    assert (made["dayLimit"], made["leftToday"], made["lastCallAt"]) == ("900000", "900000", 0)
    unlimited = await desk.made(nonce=2)
    assert (unlimited["dayLimit"], unlimited["leftToday"]) == (None, None)


async def test_a_payer_renames_a_key_and_only_the_payer(desk):
    made = await desk.made()
    path = f"/keys/{made['id']}/rename"
    named = desk.timed(rename_digest, made["id"], "phone") | {"label": "phone"}
    assert (await desk.http.post(path, json=named)).json()["label"] == "phone"
    current = (await desk.http.get("/keys/current", headers=bearer(made))).json()
    assert current["label"] == "phone", "a name is no term that the key was made with"
    for wrong in (
        named | {"label": "mine"},
        desk.timed(rename_digest, made["id"], "x", signer=STRANGER) | {"label": "x"},
        desk.timed(rename_digest, "key_00", "x") | {"label": "x"},
    ):
        refusal(await desk.http.post(path, json=wrong), 403, "invalid_proof", "signature")
    unclear = desk.timed(rename_digest, made["id"], "a\u202eb") | {"label": "a\u202eb"}
    refusal(await desk.http.post(path, json=unclear), 400, "invalid_key_terms", "label")
    assert [key["label"] for key in await desk.listed()] == ["phone"]


async def test_a_payer_lists_and_revokes_as_often_as_they_like(desk):
    first, second = await desk.made(), await desk.made(nonce=2)
    assert {key["id"] for key in await desk.listed()} == {first["id"], second["id"]}
    for _ in range(2):
        answer = await desk.http.post(
            f"/keys/{first['id']}/revoke", json=desk.timed(revoke_digest, first["id"], until=NOW + 600)
        )
        assert answer.json()["revokedAt"] == NOW
    assert {key["id"]: key["revokedAt"] for key in await desk.listed()} == {first["id"]: NOW, second["id"]: None}
    assert "key" not in (await desk.listed())[0]


async def test_a_signature_holds_ten_minutes_at_most(desk):
    made = await desk.made()
    wishes = (("list", list_digest, ()), (f"{made['id']}/revoke", revoke_digest, (made["id"],)))
    for until, (path, digest, words) in product((NOW, NOW - 1, NOW + 601), wishes):
        answer = await desk.http.post(f"/keys/{path}", json=desk.timed(digest, *words, until=until))
        refusal(answer, 403, "proof_expired", "expiresAt")
    assert (await desk.listed())[0]["revokedAt"] is None


async def test_only_the_payers_signature_lists_and_revokes(desk):
    made, other = await desk.made(), await desk.made(nonce=2)
    for wrong in (
        desk.timed(revoke_digest, made["id"], signer=STRANGER),
        desk.timed(revoke_digest, other["id"]),
        desk.timed(list_digest),
        desk.timed(revoke_digest, made["id"]) | {"expiresAt": NOW + 301},
        desk.timed(revoke_digest, made["id"]) | {"payer": STRANGER.address},
    ):
        refusal(await desk.http.post(f"/keys/{made['id']}/revoke", json=wrong), 403, "invalid_proof", "signature")
    refusal(
        await desk.http.post("/keys/list", json=desk.timed(list_digest, signer=STRANGER)),
        403,
        "invalid_proof",
        "signature",
    )
    refusal(await desk.http.post("/keys/key_00/revoke", json=desk.timed(revoke_digest, "key_00")), 404, "key_not_found")
    assert [key["revokedAt"] for key in await desk.listed()] == [None, None]


WRONG_MEMBERS = [
    ({"payer": "0x12"}, 400, "invalid_key_terms", "payer"),
    ({"payer": STRANGER.address}, 403, "invalid_proof", "signature"),
    ({"spendingLimit": 5}, 400, "invalid_key_terms", "spendingLimit"),
    ({"spendingLimit": "5.0"}, 400, "invalid_key_terms", "spendingLimit"),
    ({"spendingLimit": "-5"}, 400, "invalid_key_terms", "spendingLimit"),
    ({"spendingLimit": "\u0665"}, 400, "invalid_key_terms", "spendingLimit"),
    ({"spendingLimit": str(1 << 128)}, 400, "invalid_key_terms", "spendingLimit"),
    ({"spendingLimit": "0"}, 400, "invalid_key_terms", "spending_limit"),
    ({"spendingLimit": "4999999"}, 403, "invalid_proof", "signature"),
    ({"dayLimit": "0"}, 400, "invalid_key_terms", "day_limit"),
    ({"dayLimit": "5000001"}, 400, "invalid_key_terms", "day_limit"),
    ({"dayLimit": 5}, 400, "invalid_key_terms", "dayLimit"),
    ({"dayLimit": "5"}, 403, "invalid_proof", "signature"),
    ({"expiresAt": "1800003600"}, 400, "invalid_key_terms", "expiresAt"),
    ({"expiresAt": True}, 400, "invalid_key_terms", "expiresAt"),
    ({"expiresAt": 1.5}, 400, "invalid_key_terms", "expiresAt"),
    ({"expiresAt": NOW}, 400, "invalid_key_terms", "expires_at"),
    ({"assets": "librarian"}, 400, "invalid_key_terms", "assets"),
    ({"assets": [1]}, 400, "invalid_key_terms", "assets"),
    ({"assets": ["a\nb"]}, 400, "invalid_key_terms", "assets"),
    ({"assets": [str(number) for number in range(101)]}, 400, "invalid_key_terms", "assets"),
    ({"label": None}, 400, "invalid_key_terms", "label"),
    ({"label": "\x1b[2J"}, 400, "invalid_key_terms", "label"),
    ({"nonce": 1}, 403, "invalid_proof", "nonce"),
    ({"nonce": str(1 << 256)}, 403, "invalid_proof", "nonce"),
    ({"signature": "0x12"}, 403, "invalid_proof", "signature"),
    ({"signature": "0xzz"}, 403, "invalid_proof", "signature"),
    ({"signature": "0x" + "00" * 65}, 403, "invalid_proof", "signature"),
    ({"extra": 1}, 400, "invalid_key_terms", "extra"),
]


async def test_each_wrong_member_is_refused_by_its_name(desk):
    for change, status, code, field in WRONG_MEMBERS:
        refusal(await desk.http.post("/keys", json=desk.wish() | change), status, code, field)
    assert await desk.listed() == []
    assert await desk.ledger.account_list() == []


async def test_each_missing_member_is_refused_by_its_name(desk):
    for name in desk.wish():
        wish = desk.wish()
        del wish[name]
        answer = await desk.http.post("/keys", json=wish)
        error = answer.json()["error"]
        assert (error["message"], error["param"]) == (f"{name} is missing", name)


async def test_a_body_that_is_no_object(desk):
    for path, body in product(("/keys", "/keys/list", "/keys/key_1/revoke"), (b"", b"[]", b"{")):
        refusal(await desk.http.post(path, content=body), 400, "malformed_json", "body")


async def test_a_proof_makes_one_key(desk):
    await desk.made()
    refusal(await desk.http.post("/keys", json=desk.wish()), 403, "proof_used", "nonce")


async def test_a_payers_live_keys_are_limited(desk):
    assert KeyLimits().most_live == 100
    first, *_ = [await desk.made(nonce=nonce) for nonce in range(3)]
    error = refusal(await desk.http.post("/keys", json=desk.wish(nonce=9)), 409, "too_many_keys")
    assert error["details"]["most"] == "3"
    assert len(await desk.ledger.account_list()) == 3
    await desk.keys.revoke(PAYER.address, first["id"])
    await desk.made(nonce=9)
    desk.clock.advance(3_600)
    await desk.made(nonce=10, expires_at=NOW + 7_200)


async def test_other_paths_and_methods(desk):
    made = await desk.made()
    refusal(await desk.http.post(f"/keys/{made['id']}", json={}), 404, "unknown_route", "path")
    refusal(await desk.http.get("/keys"), 405, "method_not_allowed", "method")
    refusal(await desk.http.get("/keys/current"), 401, "key_missing", "authorization")
    refusal(await desk.http.post("/keys", content=b"x" * 70_000), 413, "body_too_large", "body")
