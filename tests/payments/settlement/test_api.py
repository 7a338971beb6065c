"""Channels over HTTP, before a real node: terms, deposits, who may see a channel, receipts' proofs."""

import secrets
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from tests.support.deposit_documents import deposit_document, dollar_facts, receive_authorization
from tests.support.fake_clock import FakeClock
from tests.support.gateway_server import served
from tests.support.typed_data import sign_document
from usufruct.accounts import KeyDomain, Keys, KeyTerms, key_digest
from usufruct.chain import token_facts
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, ChainId, Hash32, Invalid
from usufruct.gateway import KeyChannels, Operator
from usufruct.payments.pricing.vouchers import Escrow, channel_id
from usufruct.payments.settlement.api import payment_routes, read_channel_digest
from usufruct.payments.settlement.deposit_authorization import DepositAuthorization
from usufruct.payments.settlement.operator_terms import operator_terms
from usufruct.store import Seal
from usufruct.web import Router, read_document
from usufruct_client import proves
from usufruct_client.receipt import ReceiptProof
from usufruct_client.wire import PROOF_HEADER, Token

NOW = 1_800_000_000
LEAST = 1_000
RECEIPTS = KeySigner(bytes(31) + b"\x02")


def terms_of(town):
    token = dollar_facts(town.place.dollar)
    return operator_terms(town.context.escrow.chain_id, town.place.till, token, LEAST, RECEIPTS.address)


class Counter:
    """The routes of a town's operator on a real server."""

    def __init__(self, http, town, keys):
        self.http, self.town, self.keys = http, town, keys

    async def key(self, payer):
        terms = KeyTerms(payer.address, 10**6, NOW + 3_600)
        nonce = secrets.randbits(200)
        domain = KeyDomain(self.town.context.escrow.chain_id, self.town.place.till)
        return await self.keys.create(terms, nonce, payer.sign(key_digest(domain, terms, nonce)))

    def proof(self, signer, channel, until=NOW + 300):
        digest = read_channel_digest(self.town.context.escrow.chain_id, self.town.place.till, channel, until)
        return {PROOF_HEADER: f"{until}.0x{signer.sign(digest).hex()}"}

    async def deposit(self, authorization: DepositAuthorization):
        return await self.http.post("/deposits", json=deposit_document(authorization).as_json())


@pytest.fixture
async def open_counter():
    """A maker of counters, which are closed in the end."""

    async def make(town):
        operator = Operator(town.context.escrow, town.place.till, town.place.dollar, RECEIPTS)
        domain = KeyDomain(town.context.escrow.chain_id, town.place.till)
        clock, channels = FakeClock(NOW), KeyChannels(town.channels, operator)
        keys = Keys(town.database, Seal(b"a secret of some length", "session keys"), clock, domain, channels)
        routes = payment_routes(town.context, town.channels, town.deposits, keys, terms_of(town), clock)
        _, url, _ = await stack.enter_async_context(served(Router(routes)))
        return Counter(await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=120)), town, keys)

    async with AsyncExitStack() as stack:
        yield make


def refusal(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] == code, answer.text
    return answer.json()["error"]


async def test_terms_are_all_a_wallet_needs_to_deposit(town, open_counter, settlement_world):
    counter = await open_counter(town)
    terms = terms_of(town)
    assert (await counter.http.get("/terms")).json() == terms.as_json()
    token = await token_facts(town.client, town.place.dollar)
    assert terms.token == Token(token.address, token.name, token.symbol, token.decimals, token.version)

    payer = settlement_world.PAYER
    of = town.config(receiver=terms.till, receiver_authorizer=terms.till, token=terms.token.address)
    channel = channel_id(Escrow(terms.chain_id), of)
    until = (await town.client.head()).timestamp + 600
    unsigned = DepositAuthorization(of, 5_000, 0, until, 7, b"")
    signature = sign_document(payer, receive_authorization(terms.chain_id, unsigned, channel, token))
    answer = await counter.deposit(replace(unsigned, signature=signature))
    assert answer.status_code == 200, answer.text
    on_chain = {
        "channel": channel,
        "channelConfig": of.as_json(),
        "balance": "5000",
        "totalClaimed": "0",
        "withdrawAt": 0,
    }
    assert answer.json() == on_chain

    await town.call(1, 700)
    again = await counter.deposit(replace(unsigned, signature=signature))
    assert again.json() == on_chain, "who hands in what stands on the chain learns what stands on the chain"


async def test_a_deposit_on_its_way_is_asked_for_again(make_town, open_counter):
    town = make_town(wait_seconds=0.1)
    counter = await open_counter(town)
    deposit = await town.authorization(5_000)
    await town.devnet.set_automine(on=False)
    refusal(await counter.deposit(deposit), 503, "deposit_pending")
    await town.devnet.mine()
    await town.deposits.run()
    assert (await counter.deposit(deposit)).json()["balance"] == "5000"


async def test_what_is_wrong_with_a_deposit_is_said_and_nothing_is_noted(town, open_counter):
    counter = await open_counter(town)
    good = deposit_document(await town.authorization(5_000)).as_json()
    signed = good["deposit"]["authorization"]["erc3009Authorization"]

    def with_signed(**changes):
        authorization = {"erc3009Authorization": signed | changes}
        return good | {"deposit": good["deposit"] | {"authorization": authorization}}

    def with_config(**changes):
        return good | {"channelConfig": good["channelConfig"] | changes}

    for content, code in (
        ({}, "invalid_deposit"),
        (good | {"voucher": {}}, "invalid_deposit"),
        (good | {"deposit": {}}, "invalid_deposit"),
        (good | {"deposit": good["deposit"] | {"amount": 5_000}}, "invalid_deposit"),
        (good | {"deposit": good["deposit"] | {"amount": str(1 << 128)}}, "invalid_deposit"),
        (good | {"deposit": good["deposit"] | {"amount": str(LEAST - 1)}}, "deposit_below_minimum"),
        (good | {"deposit": good["deposit"] | {"amount": "5001"}}, "deposit_refused"),
        (good | {"deposit": good["deposit"] | {"amount": str(10**12)}}, "deposit_insufficient_funds"),
        (with_signed(salt="1"), "invalid_deposit"),
        (with_signed(salt="0x" + "00" * 32), "deposit_refused"),
        (with_signed(validBefore=1), "invalid_deposit"),
        (with_signed(validBefore="1"), "deposit_expired"),
        (with_signed(signature="0x" + "11" * 65), "deposit_refused"),
        (with_signed(signature="0x" + "11" * 5_000), "invalid_deposit"),
        (with_config(payer="me"), "invalid_deposit"),
        (with_config(withdrawDelay="86400"), "invalid_deposit"),
        (with_config(withdrawDelay=1 << 40), "invalid_deposit"),
        (with_config(withdrawDelay=3_600), "channel_refused"),
        (with_config(receiver="0x" + "12" * 20), "channel_refused"),
        (with_config(token="0x" + "12" * 20), "deposit_wrong_token"),
        (with_config(salt="0x" + "12" * 32), "deposit_refused"),
    ):
        answer = await counter.http.post("/deposits", json=content)
        assert answer.status_code in (400, 402)
        refusal(answer, answer.status_code, code)
    async with town.database.snapshot() as unit:
        assert await unit.rows(text("SELECT * FROM deposits")) == []
    assert (await counter.http.post("/deposits", json=good)).json()["balance"] == "5000"


async def test_a_channel_is_shown_to_its_own_people_only(town, open_counter, settlement_world):
    counter = await open_counter(town)
    world = settlement_world
    await town.deposit(5_000)
    await town.call(1, 700)
    await town.reserve(2, 300)
    channel = town.channel()
    own, foreign = await counter.key(world.PAYER), await counter.key(world.STRANGER)

    async def ask(which, headers=None):
        return await counter.http.get(f"/channels/{which}", headers=headers)

    for signer in (world.PAYER, world.SESSION):
        shown = (await ask(channel, counter.proof(signer, channel))).json()
        numbers = [shown[name] for name in ("balance", "charged", "reserved", "free", "totalClaimed", "withdrawAt")]
        assert numbers == ["5000", "700", "300", "4000", "0", 0]
        assert shown["channelConfig"] == town.config().as_json()
    bearer = {"authorization": f"Bearer {own.text}"}
    assert (await ask(own.key.channel, bearer)).json()["channelConfig"]["payerAuthorizer"] == own.key.session

    nowhere = Hash32("0x" + "ab" * 32)
    hidden = [
        await ask(channel),
        await ask(channel, bearer),
        await ask(channel, {"authorization": f"Bearer {foreign.text}"}),
        await ask(channel, counter.proof(world.STRANGER, channel)),
        await ask(channel, counter.proof(world.PAYER, nowhere)),
    ]
    missing = refusal(await ask(nowhere, counter.proof(world.PAYER, nowhere)), 404, "channel_not_found")
    for answer in hidden:
        error = refusal(answer, 404, "channel_not_found")
        assert error["message"] == missing["message"].replace(nowhere, channel)

    for until in (NOW, NOW + 601):
        refusal(await ask(channel, counter.proof(world.PAYER, channel, until)), 403, "proof_expired")
    for header in ("1", "x.0x00", f"{NOW + 1}.0x00", f"{NOW + 1}.zz", f"{1 << 63}.0x00"):
        refusal(await ask(channel, {PROOF_HEADER: header}), 403, "invalid_proof")
    refusal(await ask(channel, {"authorization": "Bearer uf_00"}), 401, "key_mistyped")
    refusal(await ask("0x12", bearer), 400, "invalid_hash")


async def test_a_receipt_is_proved_to_anybody_who_knows_its_call(town, open_counter, settlement_world):
    counter = await open_counter(town)
    await town.deposit(5_000)
    calls = [await town.call(number, 100 + number) for number in range(3)]
    refusal(await counter.http.get(f"/proofs/{calls[0]}"), 404, "not_anchored")
    (batch,) = await town.claimer.run()
    late = await town.call(9, 100)
    for call in calls:
        found = (await counter.http.get(f"/proofs/{call}")).json()
        assert proves(read_document(ReceiptProof, found, Invalid), bytes.fromhex(found["digest"][2:]))
        assert (found["root"], found["transaction"], found["count"]) == (batch.root, batch.hash, 3)
        assert "receipt" not in found
    refusal(await counter.http.get(f"/proofs/{late}"), 404, "not_anchored")
    refusal(await counter.http.get("/proofs/0x" + "ab" * 32), 404, "call_not_found")
    refusal(await counter.http.get("/proofs/1"), 400, "invalid_hash")


@given(
    channel=st.binary(min_size=32, max_size=32),
    until=st.integers(0, 2**256 - 1),
    chain_id=st.integers(1, 2**64),
    till=st.binary(min_size=20, max_size=20),
)
def test_wallets_sign_the_same_digest_to_see_a_channel(channel, until, chain_id, till):
    domain = {
        "name": "Usufruct Channels",
        "version": "1",
        "chainId": chain_id,
        "verifyingContract": "0x" + till.hex(),
    }
    kinds = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}
    document = {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for name, kind in kinds.items()],
            "ReadChannel": [{"name": "channel", "type": "bytes32"}, {"name": "expiresAt", "type": "uint256"}],
        },
        "primaryType": "ReadChannel",
        "domain": domain,
        "message": {"channel": channel, "expiresAt": until},
    }
    signed = Account.from_key(b"\x01" * 32).sign_message(encode_typed_data(full_message=document))
    ours = read_channel_digest(ChainId(chain_id), Address("0x" + till.hex()), Hash32("0x" + channel.hex()), until)
    assert bytes(signed.message_hash) == ours
