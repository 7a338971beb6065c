"""A Safe of one owner, the bytecode of its npm package: it signs in, makes a key, deposits, calls and reviews."""

import pytest
from eth_account.messages import encode_defunct

from tests.market.test_buyer import deposit, make_key
from tests.market.test_reviews import Payer, code
from tests.support.safe_wallet import SafeWallet
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.gateway import Operator

pytestmark = pytest.mark.anvil

DOLLAR = 1_000_000


async def test_a_safe_buys_and_reviews_as_any_wallet(world, http, enter):
    safe = await SafeWallet.make(world.installation.client)
    await enter(http, safe)  # before it is created
    assert (await http.get("/sessions/current")).json()["address"] == safe.address
    made = await make_key(http, safe)
    assert await world.installation.client.code_at(safe.address) == b"", "to ask it creates nothing"

    await safe.create()
    await enter(http, safe)  # and after
    later = await make_key(http, safe, label="created")
    assert later["channel"] != made["channel"]
    await http.post("/account/play-money")
    paid = await deposit(http, safe, made["channel"], 2 * DOLLAR)
    assert (paid.status_code, paid.json()["balance"]) == (200, str(2 * DOLLAR)), paid.text
    dollar = TestDollar(world.installation.get(Operator).token, world.installation.client)
    assert await dollar.balance_of(safe.address) == 98 * DOLLAR
    asset = (await http.get("/models/chat")).json()["asset"]
    payer = Payer(http, safe, made["key"])
    call = await payer.call()
    reviewed = await payer.review(asset)
    assert reviewed.status_code == 201, reviewed.text
    assert (reviewed.json()["payer"], reviewed.json()["call"]) == (safe.address, call)
    assert code(await payer.review(asset, change={"signature": "0x"})) == (403, "review_refused")


async def test_what_its_owner_signs_otherwise_is_not_the_safes(world, http):
    safe = await SafeWallet.make(world.installation.client)
    other = await SafeWallet.make(world.installation.client, safe.owner)
    for created in (False, True):
        if created:
            await safe.create()
            await other.create()
        asked = (await http.post("/sessions/challenge", json={"address": safe.address})).json()
        text = encode_defunct(text=asked.pop("text"))
        wrong = {
            "another Safe's": other.sign_message(text).signature,
            "for another chain": safe.by_owner(text, chain=1),
            "of another text": safe.sign_message(encode_defunct(text="another text")).signature,
            "the owner's own": safe.owner_alone(text),
        }
        for what, signature in wrong.items():
            refused = await http.post("/sessions", json=asked | {"signature": "0x" + signature.hex()})
            assert code(refused) == (403, "sign_in_refused"), (created, what)
        good = "0x" + safe.sign_message(text).signature.hex()
        assert (await http.post("/sessions", json=asked | {"signature": good})).status_code == 201, created
