"""Providers limit rates and batches, hang, and put errors where they like; none of that is the payer's fault."""

import asyncio
from typing import Any

import pytest

from tests.support.fake_clock import FakeClock
from tests.support.scripted_wire import Pauses, ScriptedWire, refusal, result
from usufruct.chain import Client, RpcUnavailable
from usufruct.chain.fees import FeePolicy, Offer, market_offer
from usufruct.chain.http import Reply
from usufruct.chain.rpc_errors import NodeAway, NodeBusy, RpcRefused
from usufruct.chain.transport import RetryPolicy

URL = "https://user:userpassword@rpc.example/v3/0123456789abcdef?key=another-secret"


def header(number: int) -> dict[str, str]:
    word = "0x" + f"{number:064x}"
    return {"number": hex(number), "hash": word, "parentHash": word, "timestamp": "0x1", "baseFeePerGas": "0x64"}


def answer(body: dict[str, Any]) -> dict[str, Any]:
    block = body["params"][0] if body["params"] else "0x7"
    return result(body, "0x7" if body["method"] == "eth_blockNumber" else header(int(block, 16)))


def capped(most: int, too_many: Any) -> Any:
    """A node that answers at most so many questions in one request, and otherwise as told."""

    def node(body: Any) -> Any:
        if isinstance(body, dict):
            return answer(body)
        return [answer(each) for each in body] if len(body) <= most else too_many(body, most)

    return node


def make(node: Any, **options: Any) -> tuple[Client, ScriptedWire, Pauses]:
    wire, pauses = ScriptedWire(node), Pauses()
    return Client(URL, wire=wire, pause=pauses, **options), wire, pauses


BATCH_LIMITS = {
    "one error object": lambda body, most: {"id": None, "error": {"code": -32600, "message": "batch limit"}},
    "an error of other words": lambda body, most: {"id": None, "error": {"code": -32000, "message": "no"}},
    "a list with one error": lambda body, most: [{"id": None, "error": {"code": -32600, "message": "batch too large"}}],
    "only the first few": lambda body, most: [answer(each) for each in body[:most]],
    "each refused": lambda body, most: [refusal(each, -32600, "Batch size exceeds 5") for each in body],
    "the rest refused by rate": lambda body, most: (
        [answer(each) for each in body[:most]] + [refusal(each, -32005, "request rate") for each in body[most:]]
    ),
    "an empty list": lambda body, most: [],
    "HTTP 413": lambda body, most: Reply(413, b"<html>"),
    "HTTP 400": lambda body, most: Reply(400, b'{"message": "too many calls"}'),
}


@pytest.mark.parametrize("said", BATCH_LIMITS)
@pytest.mark.parametrize("most", [1, 5])
async def test_a_cap_on_batches_is_learnt_and_remembered(said: str, most: int):
    client, wire, _ = make(capped(most, BATCH_LIMITS[said]))
    found = await client.headers(list(range(1, 41)))
    assert [each.number for each in found if each] == list(range(1, 41))
    asked = len(wire.bodies)
    assert asked <= 60
    await client.headers(list(range(1, 41)))
    later = wire.bodies[asked:]
    assert all(len(each) <= most for each in later if isinstance(each, list))
    assert client.batch <= most


async def test_a_batch_that_is_refused_for_another_reason_is_not_asked_for_ever():
    client, wire, _ = make(lambda body: Reply(401, b'{"message": "who are you"}'))
    with pytest.raises(RpcUnavailable, match="HTTP 401"):
        await client.headers([1, 2, 3])
    assert len(wire.bodies) == 1


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (-32005, "project ID request rate exceeded"),
        (-32005, "limit exceeded"),
        (-32007, "50/second request limit reached - reduce calls per second or upgrade your account at quicknode.com"),
        (-32016, "over rate limit"),
        (429, "Your app has exceeded its compute units per second capacity"),
        ("429", "Too Many Requests"),
        (-32000, "Too many requests, please retry later"),
        (-32603, "service temporarily unavailable"),
        (-32000, "header not found"),
    ],
)
@pytest.mark.parametrize("many", [False, True])
async def test_a_rate_limit_in_an_answer_is_asked_again_with_back_off(number: Any, message: str, many: bool):
    left = [2]

    def node(body: Any) -> Any:
        if left[0]:
            left[0] -= 1
            asked = body if isinstance(body, list) else [body]
            refused = [refusal(each, number, message) for each in asked]
            return refused if isinstance(body, list) else refused[0]
        return [answer(each) for each in body] if isinstance(body, list) else answer(body)

    client, wire, pauses = make(node, retry=RetryPolicy(first_seconds=1, most_seconds=30))
    if many:
        assert [each.number for each in await client.headers([1, 2]) if each] == [1, 2]
    else:
        assert await client.block_number() == 7
    assert len(wire.bodies) == 3
    assert 0.5 <= pauses.seconds[0] <= 1
    assert 1 <= pauses.seconds[1] <= 2


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_rate_limit_as_http_status_is_asked_again_when_the_provider_says(status: int):
    left = [1]

    def node(body: Any) -> Any:
        if left[0]:
            left[0] -= 1
            return Reply(status, b"slow down", retry_after=20.0)
        return answer(body)

    client, _, pauses = make(node, retry=RetryPolicy(most_seconds=30))
    assert await client.block_number() == 7
    assert 10 <= pauses.seconds[0] <= 20


async def test_a_limit_that_stays_is_unavailable_and_names_no_secret():
    client, wire, _ = make(lambda body: refusal(body, -32005, "project 0123456789abcdef: daily request count exceeded"))
    with pytest.raises(NodeBusy) as caught:
        await client.block_number()
    assert caught.value.status == 503
    assert caught.value.code == "rpc_unavailable"
    assert "daily request count" in caught.value.message
    assert "0123456789abcdef" not in caught.value.message
    assert len(wire.bodies) == 4


async def test_an_error_of_the_node_is_no_refusal_of_the_payer():
    client, wire, _ = make(lambda body: refusal(body, -32601, "the method 0123456789abcdef does not exist"))
    with pytest.raises(RpcRefused) as caught:
        await client.block_number()
    assert caught.value.status == 503
    assert "0123456789abcdef" not in caught.value.message
    assert len(wire.bodies) == 1


async def test_words_of_a_contract_are_no_rate_limit():
    client, wire, _ = make(lambda body: refusal(body, 3, "execution reverted: rate limit", data="0x"))
    with pytest.raises(Exception, match="rate limit") as caught:
        await client.ask("eth_call")
    assert not isinstance(caught.value, NodeBusy)
    assert len(wire.bodies) == 1


@pytest.mark.parametrize(
    "message",
    ["query returned more than 10000 results", "limited to a 10,000 range", "Log response size exceeded"],
)
async def test_a_question_about_too_many_logs_is_refused_and_not_asked_again(message: str):
    client, wire, _ = make(lambda body: refusal(body, -32005, message))
    with pytest.raises(RpcRefused):
        await client.logs(1, 5)
    assert len(wire.bodies) == 1


class Hanging:
    """A node that lets every question time out, or answers."""

    def __init__(self) -> None:
        self.hangs = True

    def __call__(self, body: Any) -> Any:
        if self.hangs:
            raise NodeAway("rpc.example does not answer (TimeoutError)", timed_out=True)
        return answer(body)


async def test_a_node_that_hangs_is_probed_by_one_question_and_found_again():
    node, clock = Hanging(), FakeClock()
    client, wire, _ = make(node, clock=clock)
    for _ in range(5):
        with pytest.raises(RpcUnavailable):
            await client.block_number()
    assert len(wire.bodies) == 1, "the others failed at once"
    clock.advance(2)
    with pytest.raises(RpcUnavailable):
        await client.block_number()
    assert len(wire.bodies) == 2
    assert wire.timeouts == [5, 5], "a node that never answered is given less time"
    node.hangs = False
    clock.advance(2)
    assert await client.block_number() == 7
    assert await client.block_number() == 7
    assert wire.timeouts[-1] == 10


async def test_while_one_question_probes_the_others_fail_at_once():
    node, clock = Hanging(), FakeClock()
    client, wire, _ = make(node, clock=clock)
    with pytest.raises(RpcUnavailable):
        await client.block_number()
    clock.advance(2)
    begun, go_on = asyncio.Event(), asyncio.Event()
    post = wire.post

    async def slow(body: bytes, timeout_seconds: float) -> Reply:
        begun.set()
        await go_on.wait()
        return await post(body, timeout_seconds)

    wire.post = slow
    node.hangs = False
    probe = asyncio.create_task(client.block_number())
    await begun.wait()
    with pytest.raises(RpcUnavailable, match="hangs"):
        await client.block_number()
    go_on.set()
    assert await probe == 7


async def test_one_slow_question_beside_quick_ones_is_not_a_node_that_hangs():
    clock = FakeClock()
    slow_began, quick_done = asyncio.Event(), asyncio.Event()

    class Wire(ScriptedWire):
        async def post(self, body: bytes, timeout_seconds: float) -> Reply:
            if b"eth_getLogs" in body:
                slow_began.set()
                await quick_done.wait()
                raise NodeAway("rpc.example does not answer (TimeoutError)", timed_out=True)
            return await super().post(body, timeout_seconds)

    client = Client(URL, wire=Wire(answer), clock=clock)
    slow = asyncio.create_task(client.logs(1, 2))
    await slow_began.wait()
    clock.advance(1)
    assert await client.block_number() == 7
    quick_done.set()
    with pytest.raises(RpcUnavailable):
        await slow
    assert await client.block_number() == 7


@pytest.mark.parametrize(
    "history",
    [
        {"baseFeePerGas": ["0x64", "0x64"], "reward": [[], []]},
        {"baseFeePerGas": ["0x64", "0x64"], "reward": [None, "x", [None]]},
        {"baseFeePerGas": ["0x64", "0x64"], "reward": None},
        {"baseFeePerGas": ["0x64", "0x64"]},
    ],
)
async def test_tips_that_the_node_does_not_know_are_the_least(history: Any):
    client, _, _ = make(lambda body: result(body, history))
    assert await market_offer(client, FeePolicy(least_tip=3)) == Offer(203, 3)


@pytest.mark.parametrize("history", [{}, {"baseFeePerGas": []}, {"baseFeePerGas": None, "reward": [[]]}, None, "x", []])
async def test_a_base_fee_that_the_history_lacks_is_read_from_the_newest_block(history: Any):
    def node(body: Any) -> Any:
        return result(body, history if body["method"] == "eth_feeHistory" else header(9))

    client, _, _ = make(node)
    assert await market_offer(client, FeePolicy(least_tip=3)) == Offer(2 * 113 + 3, 3)


async def test_a_node_without_fee_history_is_asked_for_its_newest_block():
    def node(body: Any) -> Any:
        if body["method"] == "eth_feeHistory":
            return refusal(body, -32601, "the method eth_feeHistory does not exist")
        return result(body, header(9))

    client, _, _ = make(node)
    assert await market_offer(client, FeePolicy(least_tip=3)) == Offer(2 * 113 + 3, 3)


async def test_an_answer_to_another_question_is_none():
    client, _, _ = make(lambda body: result({"id": body["id"] + 1}, "0x7"))
    with pytest.raises(RpcUnavailable):
        await client.block_number()


async def test_another_block_than_was_asked_for_is_none():
    client, _, _ = make(lambda body: result(body, header(8)))
    with pytest.raises(RpcUnavailable, match="block 8 for block 9"):
        await client.header(9)
