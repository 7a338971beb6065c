"""`/v2` paid call by call: a key's month is used up, x402's own clients pay, and the money is where it should be.

The clients are PyPI's (2.25) and npm's (2.27), unmodified. Every world is audited when its test ends.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from eth_account import Account
from eth_utils import to_checksum_address
from x402.extensions.bazaar import validate_discovery_extension, validate_discovery_extension_spec
from x402.http.clients import x402HttpxClient

from tests.analytics.conftest import snapshot as snapshot
from tests.support import x402_installation as worlds
from tests.support.devnet_template import DevnetTemplate
from tests.support.waiting import until
from tests.support.x402_js_client import stock_client
from tests.support.x402_payer import HandPayer
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_files import write_snapshot
from usufruct.chain import FEE_SINK, keccak
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.chain.rpc_errors import RpcRefused
from usufruct.config import MarketsConfig, PlatformTokenConfig
from usufruct.core import address
from usufruct.gateway import Operator
from usufruct.payments.pricing import PayerBenefits
from usufruct.payments.settlement import Claimer
from usufruct.staking import WEEK_SECONDS, Stakes
from usufruct_client import read_receipt

pytestmark = pytest.mark.anvil

DOLLAR, decoded = worlds.DOLLAR, worlds.decoded
USUAL, PRICE = 10_000, 2_000
"""What `/trader-grades` and `/price` cost without settings: 0.01 and 0.002 dollars."""
QUOTA = 2


@pytest.fixture
async def world(
    devnet_template: DevnetTemplate, tmp_path: Path, snapshot: Snapshot
) -> AsyncIterator[worlds.X402Installation]:
    write_snapshot(tmp_path / "ratings", snapshot)
    markets = MarketsConfig(api="yes", calls_per_month=QUOTA)
    async with worlds.x402_installation(devnet_template, tmp_path, markets=markets) as opened:
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


def v2(world: worlds.X402Installation) -> str:
    return world.url.removesuffix("/v1") + "/v2"


async def priced(http: httpx.AsyncClient, url: str, **headers: str) -> dict[str, Any]:
    """Ask what a call costs, and return the entry to pay by."""
    asked = await http.get(url, headers=headers)
    assert asked.status_code == 402, asked.text
    entry: dict[str, Any] = decoded(asked.headers["payment-required"])["accepts"][0]
    return entry


async def paid(http: httpx.AsyncClient, url: str, payment: Any, **headers: str) -> httpx.Response:
    text = base64.b64encode(orjson.dumps(payment)).decode()
    return await http.get(url, headers={"payment-signature": text} | headers)


async def test_a_key_whose_month_is_used_up_pays_by_the_call_and_money_is_conserved(world, http):
    url, sink = f"{v2(world)}/trader-grades?limit=5", address(FEE_SINK)
    key = (await http.post(f"{v2(world)}/keys")).json()["data"][0]["KEY"]
    free = [await http.get(url, headers={"x-api-key": key}) for _ in range(QUOTA)]
    assert [each.status_code for each in free] == [200] * QUOTA
    assert "x-usufruct-charge" not in free[0].headers
    asked = await http.get(url, headers={"x-api-key": key})
    assert (asked.status_code, asked.json()["error"]["code"]) == (402, "payment_required")
    assert asked.json()["success"] is False
    assert f"{QUOTA} calls that it may in a month" in asked.json()["message"]
    assert "0.01 " in asked.json()["message"]
    assert await world.channels() == []

    account = await world.account()
    before = await world.balance(account), await world.dollar.balance_of(sink)
    scheme = world.scheme(account, rpc=False)
    async with x402HttpxClient(world.payer(scheme), timeout=60, headers={"x-api-key": key}) as stock:
        first, second = [await stock.get(url) for _ in range(2)]
    for answer in (first, second):
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"] == free[0].json()["data"]
        assert answer.headers["x-usufruct-charge"] == str(USUAL)
    assert decoded(first.headers["payment-response"])["transaction"].startswith("0x")

    channel = await world.channel_of(account)
    assert (channel.charged, channel.reserved) == (2 * USUAL, 0)
    receipt = read_receipt(decoded(second.headers["x-usufruct-receipt"]))
    assert receipt.signed_by() == world.installation.get(Operator).receipts.address
    assert (receipt.amount, receipt.cumulative) == (USUAL, 2 * USUAL)
    assert {line.unit: line.quantity for line in receipt.lines} == {"output_row": 5, "call": 1}
    shown = await http.get(f"{world.url}/receipts/{receipt.call}")
    assert read_receipt(shown.json()["receipt"]) == receipt
    assert (await http.get(f"{v2(world).removesuffix('/v2')}/r/{receipt.call}")).status_code == 200

    answered = await asyncio.to_thread(scheme.refund, url)
    assert answered.success is True
    assert await world.balance(account) == before[0] - 2 * USUAL, "all that was not used is back"
    await world.installation.get(Claimer).run(everything=True)
    assert await world.dollar.balance_of(sink) == before[1] + 2 * USUAL
    assert await world.dollar.balance_of(world.installation.get(Operator).till) == 0


@pytest.mark.parametrize("rpc", [True, False], ids=["with RPC", "without RPC"])
async def test_npms_client_pays_for_gets_and_for_questions(world, http, rpc):
    account = await world.account()
    async with stock_client(world, account, rpc=rpc, most=3 * USUAL) as client:
        price = await client.get(f"{v2(world)}/price?token_id=1")
        assert price["status"] == 200, price
        assert orjson.loads(price["text"])["length"] == 1
        client._url = f"{v2(world)}/tmai"
        told = await client.call({"messages": [{"user": "How is the market?"}]})
        assert told["status"] == 200, told
        assert orjson.loads(told["text"])["answer"]
    assert [call.bill.charge for call in await world.bills(account)] == [PRICE, 30_000]


async def test_what_delivers_nothing_is_not_charged(world, http):
    url = f"{v2(world)}/price"
    payer = await HandPayer.make(world)
    before = await world.balance(payer.account)
    for question, code in (("limit=0", "invalid_parameter"), ("cursor=x", "invalid_parameter")):
        wrong = f"{url}?{question}"
        entry = await priced(http, wrong)
        payment = payer.payment(entry, payer.voucher(PRICE), deposit=payer.deposit(DOLLAR))
        refused = await paid(http, wrong, payment)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    empty = f"{url}?token_id=999999"
    refused = await paid(http, empty, payer.payment(await priced(http, empty), payer.voucher(PRICE)))
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "channel_not_found"), "no row is an answer"
    assert await world.balance(payer.account) == before, "a wrong request deposits nothing"
    assert await world.channels() == []

    whole = await paid(
        http, url, payer.payment(await priced(http, url), payer.voucher(PRICE), deposit=payer.deposit(DOLLAR))
    )
    assert whole.status_code == 200, whole.text
    for question, headers, status in (
        ("?token_id=999999", {}, 200),
        ("", {"if-none-match": whole.headers["etag"]}, 304),
    ):
        entry = await priced(http, url + question)
        answer = await paid(http, url + question, payer.payment(entry, payer.voucher(2 * PRICE)), **headers)
        assert answer.status_code == status, answer.text
        assert "x-usufruct-receipt" not in answer.headers
        assert decoded(answer.headers["payment-response"])["extra"]["chargedAmount"] == "0"
        channel = await world.channel_of(payer.account)
        assert (channel.charged, channel.reserved) == (PRICE, 0)


async def test_payments_that_are_refused_move_no_money(world, http):
    url, other = f"{v2(world)}/price", f"{v2(world)}/trader-grades"
    payer = await HandPayer.make(world)
    entry = await priced(http, url)
    good = payer.payment(entry, payer.voucher(PRICE), deposit=payer.deposit(DOLLAR))
    held = await world.balance(payer.account)
    dear = await priced(http, other)
    platform = await HandPayer.make(world, token=Account.create().address)
    short = dict(entry, amount=str(PRICE - 1))
    unquoted = short | {"extra": {name: each for name, each in entry["extra"].items() if name != "quote"}}
    version, output, expires_at, mark = entry["extra"]["quote"].split(".")
    later = entry | {"extra": entry["extra"] | {"quote": f"{version}.{output}.{int(expires_at) + 60}.{mark}"}}
    cases = {
        "another endpoint's quote": (other, good, "stale_quote"),
        "another question's quote": (f"{url}?token_id=1", good, "stale_quote"),
        "a lower amount than was quoted": (
            url,
            payer.payment(short, payer.voucher(PRICE - 1), deposit=payer.deposit(DOLLAR)),
            "stale_quote",
        ),
        "an amount that is too low": (
            url,
            payer.payment(unquoted, payer.voucher(PRICE - 1), deposit=payer.deposit(DOLLAR)),
            "over_budget",
        ),
        "a quote that was made to last longer": (
            url,
            payer.payment(later, payer.voucher(PRICE), deposit=payer.deposit(DOLLAR)),
            "stale_quote",
        ),
        "a voucher that is too low": (
            other,
            payer.payment(dear, payer.voucher(PRICE), deposit=payer.deposit(DOLLAR)),
            "cumulative_amount_mismatch",
        ),
        "another token": (
            url,
            platform.payment(entry, platform.voucher(PRICE), deposit=platform.deposit(DOLLAR)),
            "channel_refused",
        ),
        "an expired deposit": (
            url,
            payer.payment(entry, payer.voucher(PRICE), deposit=payer.deposit(DOLLAR, before=1)),
            "deposit_expired",
        ),
        "another signer": (
            url,
            payer.payment(entry, payer.voucher(PRICE, signer=Account.create()), deposit=payer.deposit(DOLLAR)),
            "wrong_signer",
        ),
    }
    for name, (where, payment, code) in cases.items():
        refused = await paid(http, where, payment)
        assert refused.status_code == 402, (name, refused.text)
        assert refused.json()["error"]["code"] == code, name
        assert "payment-required" in refused.headers, name
        assert await world.balance(payer.account) == held, name
        assert await world.channels() == [], name

    assert (await paid(http, url, good)).status_code == 200
    again = await paid(http, url, payer.payment(entry, payer.voucher(PRICE)))
    assert (again.status_code, again.json()["error"]["code"]) == (402, "cumulative_amount_mismatch")
    channel = await world.channel_of(payer.account)
    assert (channel.charged, channel.reserved) == (PRICE, 0), "a replayed voucher buys nothing"


async def test_a_repeated_request_gets_the_first_answer_and_the_first_receipt(world, http):
    url = f"{v2(world)}/price?limit=3"
    payer = await HandPayer.make(world)
    once = {"idempotency-key": "a-request-of-mine"}
    entry = await priced(http, url)
    payment = payer.payment(entry, payer.voucher(PRICE), deposit=payer.deposit(DOLLAR))
    first, second = [await paid(http, url, payment, **once) for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 200), second.text
    assert second.headers["x-usufruct-replayed"] == "true"
    assert second.content == first.content
    assert second.headers["x-usufruct-receipt"] == first.headers["x-usufruct-receipt"]
    other = await paid(http, f"{url}&page=2", payment, **once)
    assert other.status_code == 422, other.text
    assert (await world.channel_of(payer.account)).charged == PRICE


async def test_calls_at_once_never_pass_the_deposit(world, http):
    url, calls = f"{v2(world)}/price?limit=1", 60
    payer = await HandPayer.make(world)
    entry = await priced(http, url)
    opened = payer.payment(entry, payer.voucher(PRICE), deposit=payer.deposit(50 * PRICE))
    assert (await paid(http, url, opened)).status_code == 200
    most = payer.payment(entry, payer.voucher(50 * PRICE))
    answers = await asyncio.gather(*(paid(http, url, most) for _ in range(calls)))
    served = [each for each in answers if each.status_code == 200]
    assert {each.status_code for each in answers} == {200, 402}
    channel = await world.channel_of(payer.account)
    assert (len(served), channel.charged, channel.free) == (49, 50 * PRICE, 0)


async def test_prices_are_in_the_402_in_the_document_and_in_the_list(world, http):
    root = v2(world).removesuffix("/v2")
    asked = await http.get(f"{v2(world)}/price")
    wanted = decoded(asked.headers["payment-required"])
    assert wanted["accepts"][0]["amount"] == wanted["accepts"][0]["extra"]["priceCard"]["perCall"] == str(PRICE)
    declared = wanted["extensions"]["bazaar"]
    assert validate_discovery_extension_spec(declared).valid
    assert validate_discovery_extension(declared).valid
    assert "POST /v2/keys" in asked.json()["message"]
    assert len((await http.get(f"{v2(world)}/trader-grades")).headers["payment-required"]) < 3_600
    question = await http.post(f"{v2(world)}/tmai", json={"messages": [{"user": "BTC?"}]})
    assert validate_discovery_extension(decoded(question.headers["payment-required"])["extensions"]["bazaar"]).valid
    document = (await http.get(f"{root}/openapi.json")).json()
    described = document["paths"]["/v2/price"]["get"]
    assert described["x-payment-info"]["price"]["amount"] == "0.002"
    assert {"402", "200"} <= described["responses"].keys()
    listed = (await http.get(f"{root}/.well-known/x402")).json()["resources"]
    sold = {path for path, methods in document["paths"].items() if "x-payment-info" in next(iter(methods.values()))}
    assert {f"{root}{path}" for path in sold} <= set(listed)
    assert f"{root}/v2/tmai" in listed
    assert (await http.get(f"{v2(world)}/keys/current")).status_code == 401, "what is not sold still needs a key"


HOLDER = DEVNET_ADDRESSES[5]
LEVELS = ",".join(f"{100 * number}={2.5 * number}:{1 + number}" for number in range(1, 11))
PLATFORM = PlatformTokenConfig(
    name="Example", symbol="EXM", allocation=f"{HOLDER}=10", exit_penalty_percent=20, levels=LEVELS
)


@pytest.fixture
async def economy(
    devnet_template: DevnetTemplate, tmp_path: Path, snapshot: Snapshot
) -> AsyncIterator[worlds.X402Installation]:
    write_snapshot(tmp_path / "ratings", snapshot)
    markets = MarketsConfig(api="yes")
    async with worlds.x402_installation(devnet_template, tmp_path, markets=markets, platform_token=PLATFORM) as opened:
        yield opened


async def test_a_stake_in_the_platform_token_takes_ten_per_cent_off(economy, http):
    """The fifth level takes 12.5 % off where a seller allows it; a call of `/v2` allows 10 %."""
    url, staker, other = f"{v2(economy)}/trader-grades", await economy.account(), await economy.account()
    stakes, devnet, who = Stakes(economy.installation), economy.devnet, address(staker.address)
    known = economy.gateway.get(PayerBenefits)
    clients = [x402HttpxClient(economy.payer(economy.scheme(each, rpc=False)), timeout=60) for each in (staker, other)]

    async def charges() -> list[str]:
        return [(await each.get(url)).headers["x-usufruct-charge"] for each in clients]

    async def has_level() -> bool:
        return (await known.of(who)).level == 5

    assert await charges() == ["10000", "10000"]
    await devnet.send_as(HOLDER, stakes.token.transfer(who, 500 * 10**18))
    await devnet.set_balance(who, 10**18)
    for call in await stakes.lock(who, 500 * 10**18, 52):
        await devnet.send_as(who, call)
    await devnet.pass_time(WEEK_SECONDS)
    await until(has_level)
    named = await priced(http, url, **{"x-usufruct-payer": staker.address})
    assert (named["amount"], (await priced(http, url))["amount"]) == ("9000", "10000")
    assert await charges() == ["9000", "10000"]
    for each in clients:
        await each.aclose()
    before = await economy.dollar.balance_of(address(FEE_SINK))
    await economy.installation.get(Claimer).run(everything=True)
    assert await economy.dollar.balance_of(address(FEE_SINK)) == before + 39_000


async def test_x402_cannot_move_the_platform_token(economy, http):
    """Decision 0081: the token has ERC-2612, and x402's deposits by signature need ERC-3009."""
    token, client = Stakes(economy.installation).token, economy.installation.client
    account = await economy.account()
    owner, zero = address(account.address), bytes(32)
    assert await token.nonces(owner) == 0, "ERC-2612 is there"
    words = (int(owner, 16), int(FEE_SINK, 16), 1, 0, 1 << 40, 0)
    data = b"".join(word.to_bytes(32, "big") for word in words)
    for tail in ("uint8,bytes32,bytes32)", "bytes)"):
        for name in ("receiveWithAuthorization", "transferWithAuthorization"):
            selector = keccak(f"{name}(address,address,uint256,uint256,uint256,bytes32,{tail}".encode())[:4]
            call = {"to": token.address, "data": "0x" + (selector + data + 3 * zero).hex()}
            with pytest.raises(RpcRefused, match="revert"):
                await client.ask("eth_call", call, "latest")
    payer = await HandPayer.make(economy, token=to_checksum_address(token.address))
    entry = await priced(http, f"{v2(economy)}/price")
    payment = payer.payment(entry, payer.voucher(PRICE), deposit=payer.deposit(DOLLAR))
    refused = await paid(http, f"{v2(economy)}/price", payment)
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "channel_refused")
    assert refused.json()["error"]["param"] == "token"
    assert await economy.channels() == []
