"""`GET /openapi.json` describes every route that is served, and each route answers as it is described."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import orjson
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.support import x402_installation, x402_payer
from tests.support.entrusted_service import entrusted
from tests.support.passkeys import SoftwarePasskey, deposit_digest, document_digest, hexed
from tests.support.trade_town import NAME, SHARE, fill, trade_town
from tests.support.waiting import until
from usufruct.accounts import KeyDomain, key_digest, list_digest, rename_digest, revoke_digest
from usufruct.accounts.key_model import KeyTerms
from usufruct.accounts.notifications import EventKind, Notifications
from usufruct.accounts.passkeys import operation_hash
from usufruct.accounts.passkeys.api import packed
from usufruct.assets import FreeSample, Listings, RegistryClient
from usufruct.chain import Call
from usufruct.chain.contracts.passkey_verifier import PasskeyVerifier
from usufruct.chain.contracts.till import Till
from usufruct.chain.keys import DEVNET_ADDRESSES, KeySigner
from usufruct.core import Clock, address, format_asset
from usufruct.gateway import Endpoint, Operator
from usufruct.payments.settlement import Claimer
from usufruct.payments.settlement.api import read_channel_digest
from usufruct.web.router import RawRoute, Route
from usufruct_client.eip712_messages import REVIEW
from usufruct_client.passkey_wire import UserOperation
from usufruct_client.wire import PROOF_HEADER
from usufruct_client.wire_types import read

DOCUMENT = "urn:openapi"


@pytest.fixture
async def world(devnet_template, tmp_path) -> AsyncIterator[object]:
    async with x402_installation.x402_installation(devnet_template, tmp_path) as opened:
        await opened.sell("chat")
        await opened.sell("team/vectors", endpoint=Endpoint.EMBEDDINGS)
        yield opened


class Reader:
    """Looks at every answer: is it described, and is its body as described?"""

    def __init__(self, document):
        self.document = document
        self.seen: set[tuple[str, str, str]] = set()
        resource = Resource(contents=document, specification=DRAFT202012)
        self._registry = Registry().with_resource(DOCUMENT, resource)

    @property
    def operations(self) -> set[tuple[str, str]]:
        return {(method, path) for path, methods in self.document["paths"].items() for method in methods}

    def _path(self, path: str) -> str:
        def matches(template: str) -> bool:
            pattern = re.sub(
                r"\\{(\w+)\\}", r".+" if "model" in template or "name" in template else r"[^/]+", re.escape(template)
            )
            return re.fullmatch(pattern, path) is not None

        exact = [template for template in self.document["paths"] if template == path]
        return (exact or [template for template in self.document["paths"] if matches(template)])[0]

    async def read(self, response: httpx.Response) -> None:
        method, path = response.request.method.lower(), self._path(response.request.url.path)
        responses = self.document["paths"][path][method]["responses"]
        status = str(response.status_code) if str(response.status_code) in responses else "default"
        self.seen.add((method, path, "ok" if response.is_success else "error"))
        described = responses[status]
        if "$ref" in described:
            described = self.document["components"]["responses"][described["$ref"].rpartition("/")[2]]
        for name in described.get("headers", {}):
            assert name in response.headers or not name.startswith("x-request"), (path, name)
        await response.aread()
        if "content" not in described:
            assert not response.content, path
            return
        kind = response.headers["content-type"].partition(";")[0]
        schema = described["content"][kind]["schema"]
        if kind == "application/json":
            self._validate(schema, response.json())

    def check_defaults(self) -> None:
        """Validate each default by the schema that it is in."""
        for model in self.document["components"]["schemas"].values():
            for member in model.get("properties", {}).values():
                if "default" in member:
                    self._validate(member, member["default"])

    def _validate(self, schema, value) -> None:
        anchored = orjson.loads(orjson.dumps(schema).replace(b'"#/', f'"{DOCUMENT}#/'.encode()))
        Draft202012Validator(anchored, registry=self._registry).validate(value)


@pytest.mark.anvil
async def test_every_route_answers_as_it_is_described(world):
    url = world.url.removesuffix("/v1")
    async with httpx.AsyncClient(timeout=120) as plain:
        document = (await plain.get(f"{url}/openapi.json")).json()
    validate(document)
    assert {"Payment", "ErrorAnswer", "Terms"} <= document["components"]["schemas"].keys()
    reader = Reader(document)
    reader.check_defaults()

    installation = world.gateway
    mounted = [route for component in installation.components for route in component.routes()]
    hidden = (
        "/static/",
        "/_gallery",
        "/account/",
        "/sell",
        "/desk",
        "/operator",
    )  # files; for developers; what pages send for people
    mounted = [route for route in mounted if not route.path.startswith(hidden)]
    assert all(isinstance(route, Route | RawRoute) and route.operation for route in mounted)
    named = {(route.method.lower(), re.sub(":path", "", route.path)) for route in mounted}
    named |= {("get", "/healthz"), ("get", "/readyz"), ("get", "/openapi.json")}
    assert reader.operations == named

    async with httpx.AsyncClient(event_hooks={"response": [reader.read]}, timeout=30) as http:
        await try_it(world, http)
        await call(world, http, url)
        await manage_keys(world, http)
        await use_the_account(world, http)
        await be_notified(world, http)
        await use_a_passkey(world, http)
        await use_the_console(world, http)
        await trade_shares(world, http)
        await decide_about_a_service(world, http, url)
        assert sorted(reader.operations - {(method, path) for method, path, _ in reader.seen}) == [], "were not tried"
        for path in ("/v1/models/none", "/v1/receipts/0x" + "ab" * 32, "/v1/channels/0x12", "/v1/proofs/1"):
            assert (await http.get(f"{url}{path}")).status_code >= 400
        for path in ("/v1/keys", "/v1/keys/list", "/v1/keys/key_1/revoke", "/v1/deposits", "/v1/embeddings"):
            assert (await http.post(f"{url}{path}", json={})).status_code >= 400
    answered = {(method, path) for method, path, how in reader.seen if how == "ok"}
    assert reader.operations == answered
    assert len({each for each in reader.seen if each[2] == "error"}) >= 9


async def try_it(world, http) -> None:
    """Call as a visitor does, without payment; the paid endpoint asks for it as ever."""
    chat, vectors = x402_installation.request(), {"model": "team/vectors", "input": "some text"}
    for name in ("chat", "team/vectors"):
        await world.gateway.get(Listings).offer_sample(name, FreeSample(3, 9, 16))
    assert (await http.post(f"{world.url}/samples/chat/completions", json=chat)).status_code == 200
    assert (await http.post(f"{world.url}/samples/embeddings", json=vectors)).status_code == 200
    assert (await http.get(f"{world.url}/samples?model=chat")).json()["left"] == 2
    assert (await http.get(f"{world.url}/samples?model=none")).status_code == 404
    unpaid = await http.post(f"{world.url}/chat/completions", json=chat)
    assert (unpaid.status_code, unpaid.headers["payment-required"] != "") == (402, True)


async def call(world, http, url) -> None:
    """Call as a wallet does, whole, streamed and for vectors, and look at all that can be looked at."""
    payer = await x402_payer.HandPayer.make(world)
    assert (await http.get(f"{world.url}/chat/completions")).status_code == 402
    whole = await payer.fill(http, x402_installation.request())
    assert whole.status_code == 200
    streamed = x402_installation.request(stream=True)
    accepted = await payer.price(http, streamed)
    paid = payer.payment(accepted, payer.voucher(500_000))
    assert (await payer.pay(http, streamed, paid)).status_code == 200

    vectors = {"model": "team/vectors", "input": "some text"}
    asked = await http.post(f"{world.url}/embeddings", json=vectors)
    paid = payer.payment(
        x402_installation.decoded(asked.headers["payment-required"])["accepts"][0], payer.voucher(700_000)
    )
    header = {"payment-signature": encoded(paid)}
    assert (await http.post(f"{world.url}/embeddings", json=vectors, headers=header)).status_code == 200

    await world.installation.get(Claimer).run(everything=True)
    call_id = whole.headers["x-usufruct-call"]
    for path in (
        "",
        "healthz",
        "readyz",
        "openapi.json",
        "llms.txt",
        ".well-known/x402",
        ".well-known/agent-registration.json",
        ".well-known/did.json",
        "v1/services",
        "v1/models",
        "v1/models/chat",
        "v1/models/team/vectors",
        "v1/quality/chat",
        "s/chat",
        "r",
        f"r/{call_id}",
    ):
        assert (await http.get(f"{url}/{path}")).status_code == 200
    for path in ("terms", f"receipts/{call_id}", f"proofs/{call_id}"):
        assert (await http.get(f"{world.url}/{path}")).status_code == 200, path
    receipt = (await http.get(f"{world.url}/receipts/{call_id}")).text
    assert (await http.post(f"{url}/r", data={"receipt": receipt})).status_code == 200
    signer, till = KeySigner(payer.account.key), world.installation.get(Operator).till
    until = Clock().now() + 100
    digest = read_channel_digest(world.installation.chain_id, till, payer.channel, until)
    proof = {PROOF_HEADER: f"{until}.0x{signer.sign(digest).hex()}"}
    assert (await http.get(f"{world.url}/channels/{payer.channel}", headers=proof)).status_code == 200

    deposit = {"channelConfig": payer.config.to_dict(), "deposit": payer.deposit(1_000_000)}
    assert (await http.post(f"{world.url}/deposits", json=deposit)).status_code == 200
    for path in ("chat/completions", "embeddings"):
        refund = payer.payment(accepted, payer.voucher(800_000), type="refund", amount="20000")
        header = {"payment-signature": encoded(refund)}
        answer = await http.get(f"{world.url}/{path}", headers=header)
        assert answer.status_code == 200, answer.text


async def manage_keys(world, http) -> None:
    account = await world.account()
    signer, domain = KeySigner(account.key), world.installation.get(KeyDomain)
    payer, until = address(account.address), Clock().now() + 100

    async def make(nonce: int) -> httpx.Response:
        terms = KeyTerms(payer, 1_000_000, until)
        proof = "0x" + signer.sign(key_digest(domain, terms, nonce)).hex()
        wish = {"payer": payer, "spendingLimit": "1000000", "expiresAt": until, "assets": [], "label": ""}
        return await http.post(f"{world.url}/keys", json=wish | {"nonce": str(nonce), "signature": proof})

    def timed(digest, *words) -> dict[str, object]:
        signature = "0x" + signer.sign(digest(domain, payer, *words, until)).hex()
        return {"payer": payer, "expiresAt": until, "signature": signature}

    made = [(await make(nonce)).json() for nonce in (1, 2)]
    bearer = {"authorization": f"Bearer {made[0]['key']}"}
    assert (await http.post(f"{world.url}/keys/list", json=timed(list_digest))).status_code == 200
    assert (await http.get(f"{world.url}/keys/current", headers=bearer)).status_code == 200
    assert (await http.delete(f"{world.url}/keys/current", headers=bearer)).status_code == 200
    assert (await http.get(f"{world.url}/keys/current", headers=bearer)).status_code == 401
    named = timed(rename_digest, made[1]["id"], "phone") | {"label": "phone"}
    assert (await http.post(f"{world.url}/keys/{made[1]['id']}/rename", json=named)).status_code == 200
    revoked = await http.post(f"{world.url}/keys/{made[1]['id']}/revoke", json=timed(revoke_digest, made[1]["id"]))
    assert revoked.status_code == 200


async def use_the_account(world, http) -> None:
    """Do what the buyer's page does, signed in by a wallet, and then as the demo account."""
    account = await world.account()
    asked = (await http.post(f"{world.url}/sessions/challenge", json={"address": account.address.lower()})).json()
    signature = account.sign_message(encode_defunct(text=asked.pop("text"))).signature.hex()
    entry = asked | {"signature": "0x" + signature.removeprefix("0x")}
    assert (await http.post(f"{world.url}/sessions", json=entry)).status_code == 201
    assert (await http.get(f"{world.url}/sessions/current")).status_code == 200
    assert (await http.delete(f"{world.url}/sessions/current")).status_code == 204

    assert (await http.post(f"{world.url}/sessions/demo")).status_code == 201
    assert (await http.post(f"{world.url}/account/play-money")).status_code == 204
    terms = {"spendingLimit": "1000000", "days": 1, "assets": [], "label": ""}
    wanted = (await http.post(f"{world.url}/account/key-requests", json=terms)).json()
    made = (await http.post(f"{world.url}/keys", json=wanted["body"])).json()
    deposit = {"channel": made["channel"], "amount": "1000000"}
    wanted = (await http.post(f"{world.url}/account/deposit-requests", json=deposit)).json()
    assert (await http.post(f"{world.url}/deposits", json=wanted["body"])).status_code == 200
    await review(world, http, made)
    wish = {"channel": made["channel"]}
    assert (await http.post(f"{world.url}/account/withdrawals", json=wish)).json()["step"] == "announce"
    assert (await http.post(f"{world.url}/account/refunds", json=wish)).status_code == 200
    for path in ("v1/account/spending", "v1/account/spending.csv", "v1/account/deposits", "account"):
        assert (await http.get(f"{world.url.removesuffix('v1')}{path}")).status_code == 200
    key = f"{world.url}/account/keys/{made['id']}"
    assert (await http.post(f"{key}/rename", json={"label": "phone"})).status_code == 204
    assert (await http.post(f"{key}/revoke")).status_code == 204


async def be_notified(world, http) -> None:
    """Choose what to be told of, signed in as the demo account; open the links of e-mails."""
    url = f"{world.url}/account/notifications"
    choices = {"events": ["balance.low", "refund.sent"], "lowBalance": "1000000", "language": "de"}
    assert (await http.post(url, json=choices)).status_code == 204
    made = await http.post(f"{url}/webhook", json={"url": world.upstream.url()})
    assert made.json()["secret"].startswith("whsec_")
    assert (await http.post(f"{url}/test")).status_code == 202
    assert (await http.get(url)).json()["deliveries"][0]["state"] == "pending"
    notifications = world.gateway.get(Notifications)
    person = (await http.get(f"{world.url}/sessions/current")).json()["address"]
    assert await notifications.report([person], EventKind.REFUND, "one", {}) == 1
    latest = (await http.get(url)).json()["deliveries"][0]
    assert (await http.post(f"{url}/again", json={"id": latest["id"], "channel": "webhook"})).status_code == 202
    notifications.offer = replace(notifications.offer, mail=True)
    assert (await http.post(f"{url}/email", json={"address": "ada@example.org"})).status_code == 202
    contact = await notifications.contact(person)
    links = f"{world.url}/notifications"
    token = {"token": notifications.confirm_token(contact)}
    assert (await http.post(f"{links}/confirm", json=token)).status_code == 204
    assert (await http.get(url)).json()["emailConfirmed"]
    token = {"token": notifications.unsubscribe_token(contact)}
    assert (await http.post(f"{links}/unsubscribe", json=token)).status_code == 204
    for way in ("email", "webhook"):
        assert (await http.delete(f"{url}/{way}")).status_code == 204


async def use_the_console(world, http) -> None:
    """Do what an operator does in a browser: sell a model with shares, change it, see how the installation does."""

    async def post(path: str, wish: object = None) -> dict[str, object]:
        answer = await http.post(f"{world.url}/{path}", json=wish)
        assert answer.is_success, (path, answer.text)
        return answer.json() if answer.content else {}

    async def get(path: str) -> dict[str, object]:
        answer = await http.get(f"{world.url}/{path}")
        assert answer.is_success, (path, answer.text)
        return answer.json()

    async def looked_at() -> bool:
        return (await get(sale))["probe"]["state"] == "done"

    await post("sessions/operator")
    assert (await get("sales/servers")).keys() == {"servers"}
    sale = f"sales/{(await post('sales'))['id']}"
    await post(f"{sale}/server", {"url": world.upstream.url(), "model": "m"})
    await until(looked_at)
    await post(f"{sale}/model", {"model": "m"})
    await until(looked_at)
    await post(f"{sale}/suggestion", {"perHour": "1"})
    await post(f"{sale}/price", {"name": "sold", "input": "1", "output": "2", "costs": {"perHour": "1"}})
    await post(f"{sale}/owners", {"mode": "shares", "transferPolicy": "open"})
    assert (await post(f"{sale}/confirm"))["draft"]["service"] == "sold"
    assert len((await get("sales"))["drafts"]) == 1

    figures = await get("desk")
    [asset] = [each["asset"] for each in figures["services"] if each["name"] == "sold"]
    await post(f"desk/{asset}/collect")
    await post(f"desk/{asset}/key", {"key": "sk-another"})
    await post(f"desk/{asset}/price", {"output": "3"})
    await post(f"desk/{asset}/sample", {"callsPerVisitor": 2, "callsPerDay": 9, "outputPerCall": 16})
    assert (await http.delete(f"{world.url}/desk/{asset}/sample")).json() == {"sample": None, "givenToday": 0}
    assert await post(f"desk/{asset}/discount", {"most": "12.5"}) == {"most": "12.5"}
    await post(f"desk/{asset}/pause")
    await post(f"desk/{asset}/resume")
    await post(f"desk/{asset}/retire")
    assert (await http.delete(f"{world.url}/{sale}")).status_code == 204
    [payee, *_] = (await get("operator"))["payees"]
    assert await post("operator/payees", {"payTo": payee["payTo"], "listed": True}) == {"transactions": []}
    assert await post("operator/caps", {"amount": "1000", "payTo": payee["payTo"]}) == {"transactions": []}
    assert (await get("operator/health"))["findings"]
    assert await post("operator/owner", {"to": payee["payTo"]}) == {"transactions": []}
    assert (await get("operator/owner"))["nextOwner"] == payee["payTo"]
    assert await post("operator/owner", {"to": None}) == {"transactions": []}


async def use_a_passkey(world, http) -> None:
    """Do what a browser with a passkey does: a wallet, a deposit, settings, a recovery that is never finished."""
    url = world.url.replace("127.0.0.1", "localhost")
    passkey, guardian = SoftwarePasskey(0xFACE, url.removesuffix("/v1")), KeySigner(bytes(31) + b"\x07")

    async def post(path: str, wish: object = None) -> dict[str, object]:
        answer = await http.post(f"{url}/{path.removeprefix('/v1/')}", json=wish)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}

    async def challenge() -> bytes:
        return bytes.fromhex((await post("passkeys/challenge"))["challenge"][2:])

    async def signed(path: str, wish: object = None) -> dict[str, object]:
        """Ask for an operation, and return what sends it."""
        body = (await post(f"account/wallet/{path}", wish))["body"]
        operation = packed(read(UserOperation, body["operation"], ValueError))
        digest = operation_hash(world.installation.chain_id, operation)
        return body | {"assertion": passkey.get(digest).body(credentialId=hexed(passkey.credential))}

    account = (await post("passkeys", passkey.create(await challenge()).body()))["address"]
    entry = passkey.get(await challenge()).body(credentialId=hexed(passkey.credential))
    await post("sessions/passkey", entry)
    await post("account/play-money")
    key = await post("account/passkey-keys", {"spendingLimit": "5000000", "days": 1, "assets": [], "label": ""})
    asked = await post("account/deposit-requests", {"channel": key["channel"], "amount": "1000000"})
    digest = deposit_digest(asked["document"], account)
    assertion = passkey.get(digest).body(credentialId=hexed(passkey.credential))
    await post(asked["post"], asked["body"] | {"assertion": assertion})

    header = {"authorization": f"Bearer {key['key']}"}
    paid = await http.post(f"{url}/chat/completions", json=x402_installation.request(), headers=header)
    assert paid.status_code == 200, paid.text
    asset = (await http.get(f"{url}/models/chat")).json()["asset"]
    asked = await post("reviews/requests", {"asset": asset, "rating": 4, "text": "By a finger."})
    digest = document_digest(asked["document"], REVIEW, account)
    assertion = passkey.get(digest).body(credentialId=hexed(passkey.credential))
    await post(asked["post"], asked["body"] | {"assertion": assertion})

    assert (await http.get(f"{url}/account/wallet")).json()["exists"]
    other = SoftwarePasskey(0xBEEF, passkey.site)
    await post("passkeys/operations", await signed("passkeys", other.create(await challenge()).body(label="phone")))
    await post("passkeys/operations/export", await signed("payments", {"to": guardian.address, "amount": "1"}))
    await signed("addresses", {"address": guardian.address})
    verifier = world.installation.deployments.address(PasskeyVerifier)
    await signed("removals", {"signer": hexed(other.signer(verifier))})
    give = world.dollar.transfer(guardian.address, 1)
    await signed("operations", {"calls": [{"to": give.to, "data": hexed(give.data)}]})
    await post("passkeys/operations", await signed("recovery", {"wallet": guardian.address, "days": 1}))
    await signed("veto")
    await signed("cancellation")
    body = (await signed("payments", {"to": guardian.address, "amount": "2"}))["operation"]
    digest = operation_hash(world.installation.chain_id, packed(read(UserOperation, body, ValueError)))
    sent = await post("operations", body | {"signature": hexed(passkey.sign(verifier, digest))})
    assert (await http.get(f"{url}/operations/{sent['hash']}")).json() == sent

    asked = await post("sessions/challenge", {"address": guardian.address})
    text = encode_defunct(text=asked.pop("text"))
    signature = Account.from_key(bytes(31) + b"\x07").sign_message(text).signature.hex()
    await post("sessions", asked | {"signature": "0x" + signature.removeprefix("0x")})
    new = SoftwarePasskey(0xCAFE, passkey.site)
    call = await post("recoveries", {"account": account, **new.create(await challenge()).body()})
    await world.devnet.set_balance(guardian.address, 10**18)
    await world.devnet.send_as(guardian.address, Call(call["to"], bytes.fromhex(call["data"][2:])))
    assert (await http.get(f"{url}/recoveries/{account}/finish")).status_code == 200


async def review(world, http, key) -> None:
    """Pay for a call, review the service, and answer as its seller."""
    header = {"authorization": f"Bearer {key['key']}"}
    paid = await http.post(f"{world.url}/chat/completions", json=x402_installation.request(), headers=header)
    assert paid.status_code == 200
    asset = (await http.get(f"{world.url}/models/chat")).json()["asset"]
    wish = {"asset": asset, "rating": 5, "text": "Good."}
    asked = (await http.post(f"{world.url}/reviews/requests", json=wish)).json()
    made = await http.post(f"{world.url}/reviews", json=asked["body"])
    assert made.status_code == 201
    payer = made.json()["payer"]
    for path in (f"reviews/{asset}", f"reviews/{asset}/{payer}", f"payees/{asset}"):
        assert (await http.get(f"{world.url}/{path}")).status_code == 200
    for path in ("reviews-of", "payees-of", "plans-of", "level-of"):
        assert (await http.get(f"{world.url.removesuffix('v1')}{path}/{asset}")).status_code == 200
    await world.gateway.get(Listings).pay("chat", payer)
    answered = await http.post(f"{world.url}/reviews/{asset}/{payer}/answer", json={"text": "Thanks."})
    assert answered.status_code == 200


async def trade_shares(world, http) -> None:
    """Sell shares as the demo account, whose requests are signed already, and buy them by a wallet."""
    async with trade_town(world, None) as town:
        assert (await http.post(f"{world.url}/sessions/demo")).status_code == 201
        maker = (await http.get(f"{world.url}/sessions/current")).json()["address"]
        await town.give(maker, 10 * SHARE)
        wish = {"asset": town.asset_text, "amount": str(10 * SHARE), "price": "50", "days": 1}
        asked = (await http.post(f"{world.url}/offers/requests", json=wish)).json()
        body = asked["offer"]["body"] | {"permit": asked["permit"]["body"]}
        published = await http.post(f"{world.url}/offers", json=body)
        assert published.status_code == 201, published.text
        offer = published.json()["offer"]

        account = await world.account()
        asked = (await http.post(f"{world.url}/sessions/challenge", json={"address": account.address.lower()})).json()
        signature = account.sign_message(encode_defunct(text=asked.pop("text"))).signature.hex()
        entry = asked | {"signature": "0x" + signature.removeprefix("0x")}
        assert (await http.post(f"{world.url}/sessions", json=entry)).status_code == 201
        till = Till(world.installation.get(Operator).till)
        await town.act(DEVNET_ADDRESSES[0], till.transfer_ownership(address(account.address)))
        accepted = await http.post(f"{world.url}/operator/owner/acceptance")
        assert [each["what"] for each in accepted.json()["transactions"]] == ["owner"]
        wish = {"offer": offer, "amount": str(SHARE), "maxPrice": "5", "bought": "0"}
        asked = (await http.post(f"{world.url}/purchases/requests", json=wish)).json()
        body = fill(asked["request"], account)
        for path in ("purchases/transactions", "purchases"):
            assert (await http.post(f"{world.url}/{path}", json=body)).status_code == 200
        assert (await http.get(f"{world.url.removesuffix('/v1')}/shares/{NAME}")).status_code == 200
        shares = f"{world.url}/shares/{town.asset_text}"
        for path in ("", f"/holders/{maker}", "/offers", "/trades"):
            assert (await http.get(shares + path)).status_code == 200
        assert (await http.get(f"{world.url}/offers/{offer}")).json()["left"] == str(9 * SHARE)
        assert [each["offer"] for each in (await http.get(f"{world.url}/offers?maker={maker}")).json()["offers"]] == [
            offer
        ]
        assert [each["name"] for each in (await http.get(f"{world.url}/account/holdings")).json()["shares"]] == [NAME]
        assert (await http.post(f"{world.url}/sessions/demo")).status_code == 201
        assert (await http.post(f"{shares}/collection")).json()["transactions"] == [], "nothing was earned"
        await trade_credits(town, http, maker)
        await trade_title(town, http, maker)
        ended = await http.post(f"{world.url}/offers/{offer}/cancellation")
        assert ended.json()["sent"], ended.text
        assert (await http.get(f"{world.url}/offers/{offer}")).json()["state"] == "cancelled"


async def trade_credits(town, http, maker) -> None:
    """Offer credits as the demo account, whose approval is sent for it, and look at everything about passes."""
    plan = await town.plan(9_000_000, 10_000_000)
    await town.give_credits(maker, plan)
    wish = {"asset": town.asset_text, "amount": "1000000", "price": "50", "days": 1, "plan": f"0x{plan:064x}"}
    asked = (await http.post(f"{town.world.url}/offers/requests", json=wish)).json()
    assert (asked["permit"], [each["sent"] for each in asked["approvals"]]) == (None, [True])
    published = await http.post(f"{town.world.url}/offers", json=asked["offer"]["body"])
    assert published.status_code == 201, published.text
    passes = f"{town.world.url}/passes/{town.asset_text}"
    for path in ("", f"/holders/{maker}", "/offers", "/trades"):
        assert (await http.get(passes + path)).status_code == 200
    await use_credits(town, http, passes, f"0x{plan:064x}")
    assert (await http.get(f"{town.world.url.removesuffix('/v1')}/passes/{NAME}")).status_code == 200


async def use_credits(town, http, passes, plan) -> None:
    """Buy a package as the demo account, activate a part, make a key that pays with it, and give the rest back."""
    assert (await http.post(f"{town.world.url}/account/play-money")).status_code == 204
    wish = {"plan": plan, "packages": "1", "maxPrice": "9000000", "bought": "0"}
    bought = await http.post(f"{passes}/packages", json=wish)
    assert [each["sent"] for each in bought.json()["transactions"]] == [True, True]
    assert (await http.post(f"{passes}/packages", json=wish)).status_code == 409
    active = await http.post(f"{passes}/activation", json={"plan": plan, "amount": "5000000"})
    assert active.json()["transactions"][0]["sent"]
    wish = {"plan": plan, "limit": None, "days": 1}
    asked = (await http.post(f"{town.world.url}/pass-grants/requests", json=wish)).json()
    made = await http.post(f"{town.world.url}/pass-grants", json=asked["body"])
    assert made.json()["key"].startswith("up_")
    assert (await http.post(f"{passes}/refund", json={"plan": plan})).status_code == 409
    registry = town.world.installation.get(RegistryClient).contract
    await town.world.devnet.pass_time(1)  # a meter of the plan's own second is the one that it was sold with
    await town.act(DEVNET_ADDRESSES[4], registry.set_meter(town.asset, DEVNET_ADDRESSES[8]))
    back = await http.post(f"{passes}/refund", json={"plan": plan})
    assert back.status_code == 200, back.text
    assert back.json()["amount"] == "13500000", "of what circulates: a meter was named after the plan was made"


async def trade_title(town, http, maker) -> None:
    """Offer the title with shares as the demo account, and look at everything about titles."""
    await town.give_title(maker)
    more = [{"amount": "1", "price": "20"}]
    wish = {"asset": town.asset_text, "amount": "1", "price": "50", "days": 1, "title": True, "more": more}
    asked = (await http.post(f"{town.world.url}/offers/requests", json=wish)).json()
    assert {each["sent"] for each in asked["approvals"]} == {True}
    published = await http.post(f"{town.world.url}/offers", json=asked["offer"]["body"])
    assert published.status_code == 201, published.text
    titles = f"{town.world.url}/titles/{town.asset_text}"
    for path in ("", "/offers", "/trades"):
        assert (await http.get(titles + path)).status_code == 200
    assert (await http.get(f"{town.world.url.removesuffix('/v1')}/titles/{NAME}")).status_code == 200


async def decide_about_a_service(world, http, url) -> None:
    """Propose a change of a service as the demo account, a shareholder, and look at everything about its trust."""
    assert (await http.post(f"{world.url}/sessions/demo")).status_code == 201
    shareholder = (await http.get(f"{world.url}/sessions/current")).json()["address"]
    asset = format_asset(await entrusted(world.gateway, shareholder))
    api, page = f"{world.url}/trusts/{asset}", f"{url}/trusts/{asset}"

    async def send(path: str, wish: dict[str, str]) -> None:
        made = await http.post(f"{api}/{path}", json=wish)
        assert made.status_code == 200, made.text
        if not made.json()["sent"]:
            call = Call(made.json()["to"], bytes.fromhex(made.json()["data"][2:]))
            await world.devnet.send_as(shareholder, call)

    await send("transactions", {"action": "delegate"})
    await world.devnet.pass_time(2)  # a proposer needs votes in a second that has passed
    wish = {"description": "Move", "endpoint": "https://api.example.org"}
    assert (await http.post(f"{api}/drafts", json=wish)).json()["missing"] == "0"
    await send("drafts/transactions", wish)
    (proposed,) = (await http.get(api)).json()["proposals"]
    for path in (f"{api}/proposals/{proposed['id']}", page, f"{page}/new", f"{page}/{proposed['id']}"):
        assert (await http.get(path)).status_code == 200, path
    form = {"do": "look", "title": "Move", "endpoint": "https://api.example.org"}
    assert "would succeed now" in (await http.post(f"{page}/new", data=form)).text
    none = "0x" + "07" * 16
    for path in (f"{url}/trusts/{none}", f"{world.url}/trusts/{none}", f"{api}/proposals/0x12"):
        assert (await http.get(path)).status_code == 404, path


def encoded(content: dict[str, object]) -> str:
    return x402_installation.base64.b64encode(orjson.dumps(content)).decode()
