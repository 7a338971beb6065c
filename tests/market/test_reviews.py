"""Reviews: by those who paid, one each, replaced and never deleted, weighed, flagged, answered; and every misuse."""

from dataclasses import dataclass, replace

import httpx
import openai
import pytest
import sqlalchemy
from eth_account.messages import encode_typed_data

from tests.market.test_passkey_buyer import Person
from tests.support import ledger_samples as samples
from tests.support.passkeys import SoftwarePasskey, document_digest, hexed
from usufruct.assets import Listings
from usufruct.chain import FEE_SINK
from usufruct.core import AssetId, address
from usufruct.market.review_flags import Evidence, flags_of
from usufruct.market.review_model import (
    MOST_OF_NETWORK,
    InvalidReview,
    Review,
    TooManyReviews,
    Totals,
    check_text,
    weight_of,
)
from usufruct.market.review_store import count_network
from usufruct.market.reviews import Reviews
from usufruct_client.eip712_messages import REVIEW

DOLLAR = 1_000_000
TERMS = {"spendingLimit": str(3 * DOLLAR), "days": 30, "assets": [], "label": "laptop"}
OTHER = "0x" + "12" * 20


def signed(account, document: dict) -> str:
    signature = account.sign_message(encode_typed_data(full_message=document)).signature.hex()
    return "0x" + signature.removeprefix("0x")


def filled(request: dict, account) -> tuple[str, dict]:
    at = request["body"]
    for name in request["place"][:-1]:
        at = at[name]
    at[request["place"][-1]] = signed(account, request["document"])
    return request["post"].removeprefix("/v1"), request["body"]


@dataclass
class Payer:
    """A wallet's owner who is signed in, and may have a key."""

    http: httpx.AsyncClient
    account: object
    key: str = ""

    async def call(self, model: str = "chat") -> str:
        """Pay for a call; return its id."""
        async with openai.AsyncOpenAI(
            base_url=str(self.http.base_url), api_key=self.key, max_retries=0, timeout=120
        ) as client:
            ask = [{"role": "user", "content": "x"}]
            made = await client.chat.completions.with_raw_response.create(model=model, messages=ask, max_tokens=9)
        return made.headers["x-usufruct-call"]

    async def ask(self, asset: str, rating: int = 4, text: str = "Good.", **more) -> httpx.Response:
        wish = {"asset": asset, "rating": rating, "text": text} | more
        return await self.http.post("/reviews/requests", json=wish)

    async def review(self, asset: str, rating: int = 4, text: str = "Good.", change=None, **more) -> httpx.Response:
        """Review; `change` is applied to what was signed, after it was signed."""
        asked = await self.ask(asset, rating, text, **more)
        assert asked.status_code == 200, asked.text
        path, body = filled(asked.json(), self.account)
        return await self.http.post(path, json=body | (change or {}))


@pytest.fixture
async def payer_of(world, enter):
    made = []

    async def make(pays: bool = True, before=None) -> Payer:
        account = await world.account()
        if before is not None:
            await before(account)
        http = httpx.AsyncClient(base_url=world.url, timeout=60)
        made.append(http)
        await enter(http, account)
        payer = Payer(http, account)
        if pays:
            path, body = filled((await http.post("/account/key-requests", json=TERMS)).json(), account)
            key = (await http.post(path, json=body)).json()
            wish = {"channel": key["channel"], "amount": str(2 * DOLLAR)}
            path, body = filled((await http.post("/account/deposit-requests", json=wish)).json(), account)
            assert (await http.post(path, json=body)).status_code == 200
            payer.key = key["key"]
        return payer

    yield make
    for http in made:
        await http.aclose()


@pytest.fixture
async def asset(http):
    return (await http.get("/models/chat")).json()["asset"]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.anvil
async def test_who_paid_reviews_once_replaces_it_and_the_history_is_kept(world, http, payer_of, asset):
    payer = await payer_of()
    assert code(await payer.ask(asset)) == (403, "review_refused")  # no receipt yet
    await payer.call()
    reviews = world.gateway.get(Reviews)
    reviews._clock = clock = Stopped(reviews._clock.now())
    first = await payer.review(asset, 2, "Slow.")
    assert first.status_code == 201, first.text
    assert code(await payer.review(asset, 5, "Fast now.")) == (409, "review_replayed")
    clock.at += 30
    assert code(await payer.review(asset, 5, "Fast now.")) == (429, "review_too_soon")
    clock.at += 31
    second = await payer.review(asset, 5, "Fast now.")
    assert second.status_code == 201, second.text

    page = (await http.get(f"/reviews/{asset}")).json()
    assert [(each["text"], each["revision"]) for each in page["reviews"]] == [("Fast now.", 2)]
    assert (page["totals"]["count"], page["totals"]["stars"], page["totals"]["mean"]) == (1, [0, 0, 0, 0, 1], "5.00")
    for after in ("no", "1.0x" + "zz" * 20, "1." + payer.account.address[:-1]):
        assert code(await http.get(f"/reviews/{asset}?after={after}")) == (400, "invalid_review")
    history = (await http.get(f"/reviews/{asset}/{payer.account.address.lower()}")).json()["revisions"]
    assert [(each["text"], each["rating"]) for each in history] == [("Fast now.", 5), ("Slow.", 2)]
    for method in ("delete", "put", "patch"):
        path = f"{world.url}/reviews/{asset}/{payer.account.address.lower()}"
        assert (await http.request(method, path)).status_code == 405


class Stopped:
    """A clock that a test moves."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        return self.at


@pytest.mark.anvil
async def test_no_one_reviews_without_a_receipt_of_their_own_for_this_service(world, http, payer_of, asset):
    payer, stranger, unpaid = await payer_of(), await payer_of(), await payer_of(pays=False)
    call, others = await payer.call(), await stranger.call()
    await world.sell("other")
    other = (await http.get("/models/other")).json()["asset"]

    assert code(await unpaid.ask(asset)) == (403, "review_refused")
    for missing in ("0x" + "00" * 32, others):
        assert code(await payer.review(asset, call=missing)) == (403, "review_refused")
    assert code(await unpaid.review(asset, call=call)) == (403, "review_refused")
    assert code(await payer.review(other, call=call)) == (403, "review_refused")
    page = (await http.get(f"/reviews/{asset}")).json()
    assert page == {
        "totals": {"count": 0, "flagged": 0, "weight": 0, "mean": None, "stars": [0] * 5},
        "reviews": [],
        "next": None,
    }


@pytest.mark.anvil
async def test_a_signature_is_for_one_review_on_one_chain_of_one_operator(world, http, payer_of, asset):
    payer = await payer_of()
    await payer.call()
    await world.sell("other")
    other = (await http.get("/models/other")).json()["asset"]
    changes = (
        {"rating": 5},
        {"text": "Bad."},
        {"asset": other},
        {"payer": OTHER},
        {"call": "0x" + "ab" * 32},
        {"signature": "0x" + "11" * 65},
    )
    for change in changes:
        assert code(await payer.review(asset, change=change)) == (403, "review_refused"), change
    for place in ({"chainId": 1}, {"verifyingContract": OTHER}, {"name": "Usufruct Keys"}):
        request = (await payer.ask(asset)).json()
        request["document"]["domain"] |= place
        path, body = filled(request, payer.account)
        assert code(await http.post(path, json=body)) == (403, "review_refused"), place
    request = (await payer.ask(asset)).json()
    for late in (-601, 700):
        request["document"]["message"]["time"] = str(int(request["body"]["time"]) + late)
        body = filled(request, payer.account)[1] | {"time": int(request["body"]["time"]) + late}
        assert code(await http.post("/reviews", json=body)) == (400, "invalid_review")
    path, body = filled((await payer.ask(asset)).json(), payer.account)
    assert (await http.post(path, json=body)).status_code == 201
    assert code(await http.post(path, json=body)) == (409, "review_replayed")


@pytest.mark.anvil
async def test_the_seller_answers_and_no_one_else(world, http, payer_of, asset, enter):
    payer = await payer_of()
    await payer.call()
    assert (await payer.review(asset)).status_code == 201
    path = f"/reviews/{asset}/{payer.account.address.lower()}/answer"
    assert code(await http.post(path, json={"text": "Thanks."})) == (401, "not_signed_in")
    assert code(await payer.http.post(path, json={"text": "Thanks."})) == (403, "not_the_seller")
    reviews = world.gateway.get(Reviews)
    answered = await reviews.answer(FEE_SINK, AssetId(int(asset, 16)), address(payer.account.address), "Thanks.")
    assert answered.answer == "Thanks."
    assert (await http.get(f"/reviews/{asset}")).json()["reviews"][0]["answer"] == "Thanks."
    with pytest.raises(InvalidReview):
        await reviews.answer(FEE_SINK, AssetId(int(asset, 16)), address(payer.account.address), " ")


@pytest.mark.anvil
async def test_texts_are_text_and_the_same_text_thrice_counts_no_more(world, http, payer_of, asset):
    markup = "<script>alert(1)</script><img src=x onerror=alert(1)> {{ 7 * 7 }}"
    for number, text in enumerate((markup, markup.upper(), markup + " !")):
        payer = await payer_of()
        await payer.call()
        made = await payer.review(asset, text=text)
        assert made.json()["flags"] == (["repeated_text"] if number == 2 else [])
    page = await http.get(world.url.removesuffix("/v1") + f"/reviews-of/{asset}", headers={"accept": "text/html"})
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script>alert(1)" not in page.text
    assert "<img" not in page.text
    totals = (await http.get(f"/reviews/{asset}")).json()["totals"]
    assert (totals["count"], totals["flagged"]) == (3, 1)
    for bad in ("", "  \n", "x" * 2_001, "a\u202eb", "a\u2066b", "a\u200fb", "a\x00b", "a\x1bb", "a\ufeffb"):
        assert code(await payer.ask(asset, text=bad)) == (400, "invalid_review"), bad
    for rating in (0, 6):
        assert code(await payer.ask(asset, rating)) == (400, "invalid_review")


@pytest.mark.anvil
async def test_a_kept_page_of_reviews_is_current_and_holds_nothing_of_a_signed_in_reader(world, http, payer_of, asset):
    path = world.url.removesuffix("/v1") + f"/reviews-of/{asset}"
    payer = await payer_of()
    await payer.call()
    assert "Good." not in (await http.get(path)).text
    await payer.review(asset)
    mine, theirs = [(await client.get(path)) for client in (payer.http, http)]
    for page in (mine, theirs):
        assert "Good." in page.text
    assert ('id="review"' in mine.text, 'id="review"' in theirs.text) == (True, False)
    assert ("etag" in mine.headers, "etag" in theirs.headers) == (False, True)
    again = await http.get(path, headers={"if-none-match": theirs.headers["etag"]})
    assert (again.status_code, (await payer.http.get(path)).status_code) == (304, 200)


def test_what_a_text_may_be():
    for good in ("Gut.", "مرحبا بالعالم", "👩\u200d🔬 works", "two\nlines", "می\u200cخواهم"):
        check_text(good)


def test_more_paid_weighs_more_but_not_in_proportion():
    assert [weight_of(paid, 6) for paid in (0, 1, 1_000, 2_000, 4_000, 1_000_000)] == [1, 1, 1, 2, 3, 10]
    assert weight_of(10**30, 6) == 20
    assert weight_of(10**15, 18) == weight_of(1_000, 6)
    assert weight_of(7, 0) == 3


def test_the_rule_of_flags():
    honest = Evidence(address(OTHER), frozenset({address("0x" + "34" * 20)}), 99, reviewed_owners=False, equal_texts=1)
    assert flags_of(honest) == ()
    assert flags_of(replace(honest, owners=frozenset({honest.payer}))) == ("own_service",)
    assert flags_of(replace(honest, shares_bps=100)) == ("shareholder",)
    assert flags_of(replace(honest, reviewed_owners=True)) == ("mutual",)
    assert flags_of(replace(honest, equal_texts=2)) == ("repeated_text",)
    assert flags_of(replace(honest, funded=True)) == ("funded",)
    assert flags_of(replace(honest, owners_pay=True)) == ("mutual_paying",)


def test_a_mean_is_exact_and_rounded_half_up():
    assert Totals().mean is None
    assert Totals(weight=3, weighted=14).mean == "4.67"
    assert Totals(weight=8, weighted=33).mean == "4.13"


# Circular payments


async def give(world, giver, taker, amount: int) -> None:
    """Send test dollars from a wallet to another."""
    await world.devnet.set_balance(address(giver.address), 10**18)
    await world.devnet.send_as(address(giver.address), world.dollar.transfer(address(taker.address), amount))


@pytest.mark.anvil
async def test_a_payer_whom_the_owner_funded_counts_for_nothing(world, payer_of, asset):
    seller, stranger = await world.account(), await world.account()
    await world.gateway.get(Listings).pay("chat", address(seller.address))
    funded = await payer_of(before=lambda account: give(world, seller, account, DOLLAR))
    honest = await payer_of(before=lambda account: give(world, stranger, account, DOLLAR))
    nothing = await payer_of(before=lambda account: give(world, seller, account, 0))
    late = await payer_of()
    await give(world, seller, late.account, DOLLAR)  # after the deposit: it paid for none of this
    for payer, flags in ((funded, ["funded"]), (honest, []), (nothing, []), (late, [])):
        await payer.call()
        made = (await payer.review(asset, text=f"By {payer.account.address}.")).json()
        assert made["flags"] == flags
        assert (made["weight"] == 0) == bool(flags)


@pytest.mark.anvil
async def test_sellers_who_pay_each_other_count_for_nothing(world, http, payer_of, asset):
    await world.sell("other")
    owner, rival, buyer = await payer_of(), await payer_of(), await payer_of()
    listings = world.gateway.get(Listings)
    await listings.pay("chat", address(owner.account.address))
    await listings.pay("other", address(rival.account.address))
    for payer in (rival, buyer):
        await payer.call("chat")
    assert (await rival.review(asset, text="Before.")).json()["flags"] == []
    await owner.call("other")
    rated = world.gateway.get(Reviews)
    rated._clock = Stopped(rated._clock.now() + 61)
    assert (await rival.review(asset, text="After.")).json()["flags"] == ["mutual_paying"]
    assert (await buyer.review(asset, text="Neither.")).json()["flags"] == []


async def test_a_payers_confirmed_deposits_are_found(ledger):
    payer = samples.config().payer
    for number in range(3):
        nonce = samples.named(number)
        await ledger.plan_deposit(samples.channel(number), nonce, 5, f"deposit/{number}", payer)
        await ledger.finish_deposit(samples.channel(number), nonce, confirmed=number != 1)
    found = await ledger.deposits_of(payer)
    assert {each.account for each in found} == {samples.channel(0), samples.channel(2)}
    assert len(await ledger.deposits_of(payer, 1)) == 1
    assert await ledger.deposits_of(address(OTHER)) == []


# Limits by network


async def test_one_network_reviews_so_often_a_day(database):
    review = Review(AssetId(1), address(OTHER), samples.named("call"), 5, "Good.", 0, b"")

    async def count(time: int, network: bytes, now: int) -> None:
        async with database.transaction() as unit:
            await count_network(unit, replace(review, time=time), network, now)

    for time in range(MOST_OF_NETWORK):
        await count(time, b"home", 1_000)
    with pytest.raises(TooManyReviews) as refusal:
        await count(50, b"home", 1_000 + 86_000)
    assert refusal.value.details["retry_after"] == 400
    await count(50, b"elsewhere", 1_000)
    await count(51, b"home", 1_000 + 86_400)


@pytest.mark.anvil
async def test_what_is_kept_of_a_network_is_a_mark(world, payer_of, asset):
    payer = await payer_of()
    await payer.call()
    payer.http.headers["x-forwarded-for"] = "203.0.113.5"
    assert (await payer.review(asset)).status_code == 201
    async with world.gateway.database.snapshot() as unit:
        [row] = await unit.rows(sqlalchemy.text("SELECT network FROM review_networks"))
    assert len(row.network) == 16


# Contract accounts


@pytest.mark.anvil
async def test_a_passkey_account_reviews_by_its_own_signature(world, http, asset):
    http.base_url = str(http.base_url).replace("127.0.0.1", "localhost")
    person = Person(world, http, 91)
    await person.enter()
    key = await person.make_key()
    await http.post("/account/play-money")
    assert (await person.post(await person.signed_deposit(key["channel"], 2 * DOLLAR))).status_code == 200
    call = await Payer(http, None, key["key"]).call()

    async def asked(passkey=person.passkey, said: str = "Good.") -> dict:
        request = (await http.post("/reviews/requests", json={"asset": asset, "rating": 4, "text": said})).json()
        document = request["document"]
        digest = document_digest(document, REVIEW, person.account)
        request["body"]["assertion"] = passkey.get(digest).body(credentialId=hexed(person.passkey.credential))
        return request

    for changed in ({"text": "Bad."}, {"rating": 1}, {"payer": OTHER}):
        request = await asked()
        request["body"]["review"] |= changed
        assert (await person.post(request)).status_code == 403, changed
    stranger = SoftwarePasskey(92, person.passkey.site)
    assert (await person.post(await asked(stranger))).json()["error"]["code"] == "passkey_refused"
    made = await person.post(await asked())
    assert made.status_code == 201, made.text
    stored = made.json()
    assert (stored["payer"], stored["call"], stored["flags"]) == (person.account, call, [])
    again = {name: stored[name] for name in ("payer", "asset", "call", "rating", "text", "time", "signature")}
    assert code(await http.post("/reviews", json=again)) == (409, "review_replayed"), "its signature alone is good"
    forged = again | {"time": stored["time"] + 1}
    assert code(await http.post("/reviews", json=forged)) == (403, "review_refused")
    for signature in ("0x", "0x" + "ab" * 65, "0x" + "ab" * 500):
        for payer in (person.account, OTHER):
            forged = again | {"payer": payer, "signature": signature}
            assert code(await http.post("/reviews", json=forged)) == (403, "review_refused")
