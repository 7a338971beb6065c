"""A real node answers in our types, and a broken one is reported without its URL."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from types import ModuleType

import pytest
from aiohttp import web

from tests.support.devnet import Devnet
from usufruct.chain import Client, RpcUnavailable
from usufruct.chain.answers import MinedTransaction
from usufruct.chain.client import Topics
from usufruct.chain.contract_base import Creation
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.test_dollar import ERC20InsufficientBalance, TestDollar, Transfer
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.chain.revert import Errors
from usufruct.chain.rpc_errors import RpcRefused
from usufruct.core import ZERO_ADDRESS, Address, Hash32
from usufruct.core.networks import DEVNET_CHAIN_ID

ALICE, BOB = DEVNET_ADDRESSES[:2]

PLAIN = "0x4cfa3fcd"
"""What a contract says that reverts with `Plain()`."""

Create = Callable[[Creation], Awaitable[Address]]


@pytest.fixture
async def dollar(client: Client, create: Create) -> TestDollar:
    return TestDollar(await create(TestDollar.deploy()), client)


@pytest.mark.anvil
async def test_blocks_are_found_by_name_and_number(client: Client):
    devnet = Devnet(client)
    await devnet.mine(3)
    assert await client.chain_id() == DEVNET_CHAIN_ID
    assert await client.block_number() == 3
    latest = await client.head()
    assert latest == await client.header(3)
    assert latest.parent == (await client.header(2)).hash
    assert latest.base_fee > 0
    assert await client.header(4) is None
    assert [h and h.number for h in await client.headers([1, 9, "earliest"])] == [1, None, 0]
    assert await client.headers([]) == []


@pytest.mark.anvil
async def test_accounts_are_read_at_any_block(client: Client, dollar: TestDollar):
    assert await client.balance(ALICE) == 10**22
    assert await client.nonce(DEVNET_ADDRESSES[9]) == 1
    assert await client.nonce(DEVNET_ADDRESSES[9], 0) == 0
    assert TestDollar.ARTIFACT.is_runtime(await client.code_at(dollar.address))
    assert await client.code_at(dollar.address, 0) == b""
    assert await client.code_at(ALICE) == b""


@pytest.mark.anvil
async def test_contracts_answer_as_of_a_block(client: Client, dollar: TestDollar):
    devnet = Devnet(client)
    before = await client.block_number()
    await devnet.send_as(ALICE, dollar.mint(BOB, 5))
    await devnet.mine()
    assert await dollar.balance_of(BOB) == 5
    assert await dollar.at_block(before).balance_of(BOB) == 0
    assert await Erc20(dollar.address, client).symbol() == "tUSD"


@pytest.mark.anvil
async def test_logs_are_filtered_and_in_order(client: Client, dollar: TestDollar, create: Create):
    other = TestDollar(await create(TestDollar.deploy()), client)
    devnet = Devnet(client)
    await devnet.set_automine(on=False)
    for contract, to, amount in [(dollar, ALICE, 1), (other, BOB, 2), (dollar, BOB, 3)]:
        await devnet.send_as(ALICE, contract.mint(to, amount))
    await devnet.mine()
    last = await client.block_number()

    async def amounts(addresses: list[Address], topics: Topics) -> list[int]:
        logs = await client.logs(0, last, addresses=addresses, topics=topics)
        return [Transfer.decode(log).value for log in logs]

    to_bob = Hash32("0x" + bytes.fromhex(BOB[2:]).rjust(32, b"\0").hex())
    assert await amounts([dollar.address], [Transfer.TOPIC]) == [1, 3]
    assert sorted(await amounts([], [Transfer.TOPIC])) == [1, 2, 3]
    assert sorted(await amounts([], [Transfer.TOPIC, None, to_bob])) == [2, 3]
    assert sorted(await amounts([], [[Transfer.TOPIC, to_bob], None, [to_bob]])) == [2, 3]
    assert await client.logs(0, last, topics=[to_bob]) == []
    everything = await client.logs(0, last)
    assert [log.index for log in everything] == [0, 1, 2]
    assert {log.block_hash for log in everything} == {(await client.header(last)).hash}


@pytest.mark.anvil
async def test_receipts_tell_what_became_of_a_transaction(client: Client, dollar: TestDollar):
    devnet = Devnet(client)
    await devnet.set_automine(on=False)
    sent = await devnet.send_as(ALICE, dollar.mint(BOB, 9))
    assert await client.receipt(sent) is None
    await devnet.mine()
    receipt = await client.receipt(sent)
    assert receipt.succeeded
    assert receipt.hash == sent
    assert receipt.gas_used > 21_000
    assert receipt.gas_price > 0
    assert [dollar.decode_log(log) for log in receipt.logs] == [Transfer(ZERO_ADDRESS, BOB, 9)]
    unknown = Hash32("0x" + "12" * 32)
    assert await client.receipts([unknown, sent]) == [None, receipt]
    assert await client.transactions(receipt.block_number) == (MinedTransaction(ALICE, 0, sent),)
    assert await client.transactions(99) == ()


@pytest.mark.anvil
async def test_fees_are_told_for_recent_blocks_and_the_next(client: Client):
    await Devnet(client).mine(4)
    async with asyncio.timeout(60):  # anvil enters new blocks into its fee history a moment after it mined them
        while len((history := await client.fee_history(3)).base_fees) != 4:
            await asyncio.sleep(0.02)
    assert len(history.tips) == 3
    assert all(fee > 0 for fee in history.base_fees)


@pytest.mark.anvil
async def test_a_call_that_a_contract_refuses_raises_its_error(client: Client, dollar: TestDollar, traps: ModuleType):
    from_alice = dollar.transfer(BOB, 1)
    with pytest.raises(ERC20InsufficientBalance) as caught:
        await client.call(from_alice, sender=ALICE)
    assert (caught.value.sender, caught.value.balance, caught.value.needed) == (ALICE, 0, 1)
    with pytest.raises(ERC20InsufficientBalance):
        await client.estimate(from_alice, ALICE)
    assert await client.estimate(dollar.mint(BOB, 1), ALICE) > 21_000


@pytest.mark.anvil
async def test_what_the_node_does_not_do_is_refused_with_its_reason(client: Client):
    with pytest.raises(RpcRefused, match="refused no_such_method") as caught:
        await client.ask("no_such_method")
    assert caught.value.number == -32601
    with pytest.raises(RpcRefused):
        await client.send_raw(b"\x00")


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Handler], Awaitable[str]]]:
    """Starts servers that answer as they are told, and returns their URLs, which hold a secret."""
    runners = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_post("/v3/topsecret", handler)
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        return f"http://user:topsecret@127.0.0.1:{port}/v3/topsecret"

    yield start
    for runner in runners:
        await runner.cleanup()


async def failure(url: str, timeout_seconds: float = 5.0) -> RpcUnavailable:
    async with Client(url, timeout_seconds=timeout_seconds) as client:
        assert "topsecret" not in repr(client)
        with pytest.raises(RpcUnavailable) as caught:
            await client.block_number()
    assert "topsecret" not in f"{caught.value!r} {caught.value.details} {caught.value.__cause__}"
    return caught.value


async def test_a_node_that_is_not_there_is_unavailable():
    assert "127.0.0.1 does not answer" in (await failure("http://127.0.0.1:1/topsecret")).message


async def test_a_node_that_hangs_is_given_up(serve: Callable[[Handler], Awaitable[str]]):
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(2)
        return web.Response()

    assert "Timeout" in (await failure(await serve(hang), 0.2)).message


@pytest.mark.parametrize(
    ("status", "body"),
    [(502, "<html>"), (429, ""), (200, "[]"), (200, "{}"), (200, '"x"'), (401, '{"message": "who are you"}')],
)
async def test_answers_that_are_no_answers_are_unavailable(
    serve: Callable[[Handler], Awaitable[str]], status: int, body: str
):
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    await failure(await serve(answer))


async def test_a_batch_with_a_hole_is_unavailable(serve: Callable[[Handler], Awaitable[str]]):
    async def answer(request: web.Request) -> web.Response:
        bodies = await request.json()
        if isinstance(bodies, dict):
            return web.json_response([])
        return web.json_response([{"jsonrpc": "2.0", "id": bodies[1]["id"], "result": None}])

    async with Client(await serve(answer)) as client:
        with pytest.raises(RpcUnavailable, match="no answer to eth_getBlockByNumber"):
            await client.headers([1, 2])


async def test_a_batch_may_be_answered_in_any_order(serve: Callable[[Handler], Awaitable[str]]):
    async def answer(request: web.Request) -> web.Response:
        block = {"hash": "0x" + "1" * 64, "parentHash": "0x" + "2" * 64, "timestamp": "0x1"}
        answers = [{"id": b["id"], "result": block | {"number": b["params"][0]}} for b in await request.json()]
        return web.json_response(answers[::-1])

    async with Client(await serve(answer)) as client:
        assert [header.number for header in await client.headers([5, 6, 7])] == [5, 6, 7]


@pytest.mark.parametrize(
    "data",
    [PLAIN, f"Reverted {PLAIN}", {"data": PLAIN}, {"data": {"data": PLAIN}}, {"result": PLAIN}],
)
async def test_revert_data_is_found_where_nodes_put_it(
    serve: Callable[[Handler], Awaitable[str]], traps: ModuleType, trap_errors: Errors, data: object
):
    async def answer(request: web.Request) -> web.Response:
        error = {"code": -32000, "message": "execution failed", "data": data}
        return web.json_response({"id": (await request.json())["id"], "error": error})

    async with Client(await serve(answer)) as client:
        client.errors = trap_errors
        with pytest.raises(traps.Plain):
            await client.call(TestDollar(ALICE).mint(BOB, 1))


async def test_an_error_without_revert_data_stays_the_nodes(serve: Callable[[Handler], Awaitable[str]]):
    async def answer(request: web.Request) -> web.Response:
        error = {"code": -32000, "message": "missing trie node", "data": "not hex"}
        return web.json_response({"id": (await request.json())["id"], "error": error})

    async with Client(await serve(answer)) as client:
        with pytest.raises(RpcRefused, match="missing trie node"):
            await client.call(TestDollar(ALICE).mint(BOB, 1))


async def test_a_nodes_address_may_hold_user_password_and_query(serve: Callable[[Handler], Awaitable[str]]):
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.headers["Authorization"], request.headers["Host"], request.raw_path))
        return web.json_response({"id": (await request.json())["id"], "result": "0x7"})

    url = f"{await serve(answer)}?key=a%2Fb&x=c d".replace("user:", "us%40er:")
    async with Client(url) as client:
        assert await client.block_number() == 7
    port = url.split(":")[3].split("/")[0]
    assert asked == [
        ("Basic " + b64encode(b"us@er:topsecret").decode(), f"127.0.0.1:{port}", "/v3/topsecret?key=a%2Fb&x=c%20d")
    ]
