"""Reviews: by those who paid, one each, replaced and never deleted, weighed, flagged, answered; and every misuse."""

from dataclasses import dataclass, replace

import httpx
import openai
import pytest
from eth_account.messages import encode_typed_data

from usufruct.chain import FEE_SINK
from usufruct.core import AssetId, address
from usufruct.market.review_flags import Evidence, flags_of
from usufruct.market.review_model import InvalidReview, Totals, check_text, weight_of
from usufruct.market.reviews import Reviews

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
        async with openai.AsyncOpenAI(base_url=str(self.http.base_url), api_key=self.key, max_retries=0) as client:
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

    async def make(pays: bool = True) -> Payer:
        account = await world.account()
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


def test_a_mean_is_exact_and_rounded_half_up():
    assert Totals().mean is None
    assert Totals(weight=3, weighted=14).mean == "4.67"
    assert Totals(weight=8, weighted=33).mean == "4.13"
