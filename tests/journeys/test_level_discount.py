"""From a lock to a lower bill: a payer stakes, a week later calls cost less by the level's discount, and books balance.

The payers pay by our client library, by x402's own client, by a bearer key, and from a channel that another key signs.
"""

from collections.abc import AsyncIterator

import httpx
import openai
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from x402.http.clients import x402HttpxClient

from tests.support import x402_installation as worlds
from tests.support.command_line import PAYER, paying_key
from tests.support.devnet import Devnet
from tests.support.html_page import HtmlPage
from tests.support.waiting import until
from tests.support.x402_payer import HandPayer
from usufruct.assets import Listings
from usufruct.chain.contracts.levels import Level, Levels
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, signer_of
from usufruct.config import PlatformTokenConfig
from usufruct.core import Address, address
from usufruct.gateway import Operator
from usufruct.payments.pricing import Benefits, PayerBenefits, discounted_card_up
from usufruct.payments.settlement import Claimer
from usufruct.staking import WEEK_SECONDS, Stakes
from usufruct_client import Wallet, connect

pytestmark = pytest.mark.anvil

DOLLAR, TOKEN = worlds.DOLLAR, 10**18
HOLDER = DEVNET_ADDRESSES[5]
LEVELS = ",".join(f"{100 * number}={2.5 * number}:{1 + number}" for number in range(1, 11))
TOKEN_OF_THE_PLATFORM = PlatformTokenConfig(
    name="Example", symbol="EXM", allocation=f"{HOLDER}=10", exit_penalty_percent=20, levels=LEVELS
)
LISTED, LOWER = worlds.CARD, discounted_card_up(worlds.CARD, 1_250)
FIFTH = Benefits(5, 1_250, 60_000)


@pytest.fixture
async def world(devnet_template, tmp_path) -> AsyncIterator[worlds.X402Installation]:
    async with worlds.x402_installation(devnet_template, tmp_path, platform_token=TOKEN_OF_THE_PLATFORM) as opened:
        await opened.sell("chat")
        await opened.gateway.get(Listings).give_level_discount("chat", 2_000)
        yield opened


async def lock(world: worlds.X402Installation, holder: Address, tokens: int) -> None:
    """Give an account tokens and have it lock them for a year."""
    stakes, devnet = Stakes(world.installation), Devnet(world.installation.client)
    await devnet.send_as(HOLDER, stakes.token.transfer(holder, tokens * TOKEN))
    await devnet.set_balance(holder, 10**18)
    for call in await stakes.lock(holder, tokens * TOKEN, 52):
        await devnet.send_as(holder, call)


async def level_is(world: worlds.X402Installation, holder: Address, benefits: Benefits) -> None:
    """Wait until the gateway knows an account's level."""
    known = world.gateway.get(PayerBenefits)

    async def holds() -> bool:
        return await known.of(holder) == benefits

    await until(holds)


def prices_of(bill) -> set[int]:
    return {line.price for line in bill.lines if line.unit == "output_text_token"}


async def test_a_stake_lowers_the_next_weeks_bills_of_every_way_to_pay(world, tmp_path):
    ours, stock = await world.account(), await world.account()
    with connect(
        world.url.removesuffix("/v1"),
        Wallet.from_key(ours.key),
        limit=10_000,
        budget=DOLLAR,
        tokens=[world.installation.get(Operator).token],
    ) as gateway:
        client = openai.AsyncOpenAI(
            base_url=gateway.base_url, api_key=gateway.api_key, http_client=gateway.async_client(), max_retries=0
        )
        stock_http = x402HttpxClient(
            world.payer(world.scheme(stock, rpc=False)), timeout=60
        )  # it does not say who pays
        key = await paying_key(world.installation)
        bearer = {"authorization": f"Bearer {key.text}"}

        async def everyone_calls() -> list[int]:
            ask = {"messages": worlds.request()["messages"], "max_tokens": 50}
            answer = await client.chat.completions.create(model="chat", **ask)
            paid = await stock_http.post(f"{world.url}/chat/completions", json=worlds.request())
            keyed = await stock_http.post(f"{world.url}/chat/completions", json=worlds.request(), headers=bearer)
            costs = [answer.usage.cost_details, *(each.json()["usage"]["cost_details"] for each in (paid, keyed))]
            assert [int(each["charge"]) for each in costs] == [int(costs[0]["charge"])] * 3
            return [int(costs[0]["charge"]), *(int(each.get("saved", 0)) for each in costs)]

        whole, *saved = await everyone_calls()
        assert saved == [0, 0, 0]
        for each in (address(ours.address), address(stock.address), PAYER.address):
            await lock(world, each, 500)
        assert (await everyone_calls())[0] == whole, "a lock counts from the next week on"
        await Devnet(world.installation.client).pass_time(WEEK_SECONDS)
        for each in (address(ours.address), address(stock.address), PAYER.address):
            await level_is(world, each, FIFTH)

        lower, *saved = await everyone_calls()
        assert saved == [whole - lower] * 3
        for account in (ours, stock):
            before, _, after = await world.bills(account)
            assert (prices_of(before.bill), prices_of(after.bill)) == (
                {LISTED.output_per_million},
                {LOWER.output_per_million},
            )
            assert after.bill.charge == lower < before.bill.charge == whole
        (quoted,) = [call for call in await world.bills(ours) if call.bill.charge == lower]
        assert quoted.ceiling < (await world.bills(ours))[0].ceiling, "the price that was asked for is lower, too"
        (mine,) = gateway.purse.channels
        assert not gateway.purse.disputes
        assert [each.amount for each in gateway.purse.receipts(mine.id)] == [whole, whole, lower]
        await client.close()
        await stock_http.aclose()

    await world.check_books()
    owed = 3 * (2 * whole + lower)
    assert sum(channel.charged for channel in await world.channels()) == owed
    before = await world.dollar.balance_of(address(worlds.FEE_SINK))
    assert await world.installation.get(Claimer).run(everything=True)
    assert await world.dollar.balance_of(address(worlds.FEE_SINK)) - before == owed, "the owner gets what was charged"


async def test_a_key_that_is_not_the_payers_gets_no_discount(world):
    """Anyone can open a channel that names a staker as its payer, and sign its vouchers with a key of their own."""
    other = Account.create()
    payer = await HandPayer.make(world, payer_authorizer=other.address)
    await lock(world, address(payer.account.address), 500)
    await Devnet(world.installation.client).pass_time(WEEK_SECONDS)
    await level_is(world, address(payer.account.address), FIFTH)
    body = worlds.request()
    async with httpx.AsyncClient(timeout=60) as http:
        named = await http.post(
            f"{world.url}/chat/completions", json=body, headers={"x-usufruct-payer": payer.account.address}
        )
        asked = worlds.decoded(named.headers["payment-required"])["accepts"][0]
        assert asked["extra"]["priceCard"] == LOWER.as_json()
        voucher, deposit = payer.voucher(int(asked["amount"]), signer=other), payer.deposit(DOLLAR)
        refused = await payer.pay(http, body, payer.payment(asked, voucher, deposit=deposit))
        assert (refused.status_code, refused.json()["error"]["code"]) == (402, "stale_quote")
        fresh = worlds.decoded(refused.headers["payment-required"])["accepts"][0]
        assert fresh["extra"]["priceCard"] == LISTED.as_json()
        voucher = payer.voucher(int(fresh["amount"]), signer=other)
        paid = await payer.pay(http, body, payer.payment(fresh, voucher, deposit=deposit))
        assert paid.status_code == 200, paid.text
        assert "saved" not in paid.json()["usage"]["cost_details"]
        wrong = await http.post(f"{world.url}/chat/completions", json=body, headers={"x-usufruct-payer": "ann"})
        assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "x-usufruct-payer")


async def test_pages_say_what_the_readers_level_saves(world):
    staker, other = await world.account(), await world.account()
    await lock(world, address(staker.address), 500)
    await Devnet(world.installation.client).pass_time(WEEK_SECONDS)
    await level_is(world, address(staker.address), FIFTH)
    async with httpx.AsyncClient(base_url=world.url.removesuffix("/v1"), timeout=60) as http:
        page = HtmlPage((await http.get("/s/chat")).text)
        assert "Stakers pay less by their level: up to 20%." in words_of(page)
        (path,) = {value for _, name, value in page.attributes if name == "hx-get" and "/level-of/" in value}
        assert "Sign in to see what your level saves." in (await http.get(path)).text
        await sign_in(http, staker)
        shown = words_of(HtmlPage((await http.get(path)).text))
        assert "Your level 5 saves 12.5%." in shown
        assert "The same call costs you" in shown
        german = HtmlPage((await http.get(path, headers={"accept-language": "de"})).text)
        assert "Ihre Stufe 5 spart 12,5 %." in words_of(german)
        account = HtmlPage((await http.get("/account")).text)
        assert "Your staking level is 5: you pay 12.5% less where a service gives it." in words_of(account)
        await sign_in(http, other)
        assert "Your level is 0: you pay the price as it is." in (await http.get(path)).text
        await world.gateway.get(Listings).give_level_discount("chat", 0)
        assert "This service costs the same at every level." in (await http.get(path)).text
        assert "/level-of/" not in (await http.get("/s/chat")).text
        assert (await http.get("/level-of/0x01")).status_code == 404


def words_of(page: HtmlPage) -> str:
    """Return the text of a page, in which spaces are single."""
    return " ".join(" ".join(text for texts in page.texts.values() for text in texts).split())


async def sign_in(http: httpx.AsyncClient, account) -> None:
    """Sign in as a wallet does."""
    asked = (await http.post("/v1/sessions/challenge", json={"address": account.address.lower()})).json()
    signature = account.sign_message(encode_defunct(text=asked.pop("text"))).signature.hex()
    entered = await http.post("/v1/sessions", json=asked | {"signature": "0x" + signature.removeprefix("0x")})
    assert entered.status_code == 201, entered.text


async def test_the_owner_changes_a_level_and_the_next_blocks_call_knows(world):
    key = await paying_key(world.installation)
    await lock(world, PAYER.address, 500)
    await Devnet(world.installation.client).pass_time(WEEK_SECONDS)
    await level_is(world, PAYER.address, FIFTH)
    levels = Levels(world.installation.get(Deployments).address(Levels), world.installation.client)
    rows = [Level(100 * number * TOKEN, 400 * number, 20_000) for number in range(1, 11)]
    owner = signer_of(Role.OWNER, world.installation.config).address
    await Devnet(world.installation.client).send_as(owner, levels.set_levels(rows))
    await level_is(world, PAYER.address, Benefits(5, 2_000, 20_000))
    async with httpx.AsyncClient(timeout=60, headers={"authorization": f"Bearer {key.text}"}) as http:
        answer = await http.post(f"{world.url}/chat/completions", json=worlds.request())
        assert int(answer.headers["x-usufruct-saved"]) > 0
        card = (await http.get(f"{world.url}/models/chat")).json()
        listed = (await http.get(f"{world.url}/staking/levels")).json()
        mine = (await http.get(f"{world.url}/staking/levels/{PAYER.address}")).json()
        wrong = await http.get(f"{world.url}/staking/levels/ann")
    assert card["level_discounts"] == [400, 800, 1_200, 1_600, *[2_000] * 6]
    assert [int(each["discountBps"]) for each in listed["levels"]] == [400 * number for number in range(1, 11)]
    assert (mine["level"], mine["score"], mine["discountBps"]) == (5, str(500 * TOKEN), 2_000)
    assert (mine["quotaBps"], mine["nextThreshold"]) == (20_000, str(600 * TOKEN))
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "account")
