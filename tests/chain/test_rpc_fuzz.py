"""Whatever JSON a node answers to whatever we ask, nothing but our own typed errors comes out."""

import asyncio
import copy
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.scripted_wire import Pauses, ScriptedWire
from usufruct.chain import Call, Client, Log
from usufruct.chain.contract_base import Creation
from usufruct.chain.contracts import ERRORS, access_pass, asset_registry, batch_settlement, erc20, shares, till
from usufruct.chain.contracts.batch_settlement import BatchSettlement
from usufruct.chain.contracts.till import Till
from usufruct.chain.fees import FeePolicy, market_offer
from usufruct.chain.http import Reply
from usufruct.chain.revert import decode_revert
from usufruct.chain.token import token_facts
from usufruct.chain.transport import RetryPolicy
from usufruct.core import Address, ChainId, Hash32, UsufructError
from usufruct.payments.pricing.vouchers import ChannelConfig, Escrow
from usufruct.payments.settlement.channel_reader import ChannelReader

WORD = "0x" + "ab" * 32
ADDRESS = Address("0x" + "cd" * 20)
BLOCK = {"number": "0x5", "hash": WORD, "parentHash": WORD, "timestamp": "0x5", "baseFeePerGas": "0x7"}
LOG = {
    "address": ADDRESS,
    "topics": [WORD],
    "data": "0x00",
    "blockNumber": "0x5",
    "blockHash": WORD,
    "transactionHash": WORD,
    "logIndex": "0x0",
}
TRANSACTION = {"from": ADDRESS, "nonce": "0x1", "hash": WORD}
RECEIPT = {
    "transactionHash": WORD,
    "status": "0x1",
    "blockNumber": "0x5",
    "blockHash": WORD,
    "gasUsed": "0x5208",
    "effectiveGasPrice": "0x7",
    "contractAddress": None,
    "logs": [LOG],
}
CONFIG = ChannelConfig(ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, 86_400, Hash32(WORD))

Ask = Callable[[Client], Awaitable[Any]]

CALL = Call(ADDRESS, b"\x01")

QUESTIONS: dict[str, tuple[Any, Ask]] = {
    "eth_chainId": ("0x1", lambda client: client.chain_id()),
    "eth_blockNumber": ("0x5", lambda client: client.block_number()),
    "header": (BLOCK, lambda client: client.header(5)),
    "newest header": (BLOCK, lambda client: client.head()),
    "headers": (BLOCK, lambda client: client.headers([5, "latest", 5])),
    "transactions": (BLOCK | {"transactions": [TRANSACTION]}, lambda client: client.transactions(5)),
    "eth_getBalance": ("0x5", lambda client: client.balance(ADDRESS)),
    "eth_getTransactionCount": ("0x5", lambda client: client.nonce(ADDRESS)),
    "eth_getCode": ("0x60", lambda client: client.code_at(ADDRESS)),
    "eth_call": (WORD, lambda client: client.call(CALL)),
    "creation": ("0x60", lambda client: client.create(Creation(b"\x60"), sender=ADDRESS)),
    "eth_estimateGas": ("0x5208", lambda client: client.estimate(CALL, ADDRESS)),
    "eth_getLogs": ([LOG], lambda client: client.logs(1, 9)),
    "receipts": (RECEIPT, lambda client: client.receipts([Hash32(WORD), Hash32(WORD)])),
    "eth_sendRawTransaction": (WORD, lambda client: client.send_raw(b"\x02")),
    "eth_feeHistory": ({"baseFeePerGas": ["0x1", "0x2"], "reward": [["0x1"]]}, lambda client: client.fee_history()),
    "market": ({"baseFeePerGas": ["0x1"], "reward": [["0x1"]], **BLOCK}, lambda c: market_offer(c, FeePolicy())),
    "channels": (WORD, lambda client: BatchSettlement(ADDRESS, client).channels(b"\x01" * 32)),
    "an enum": (WORD, lambda client: Till(ADDRESS, client).payees(ADDRESS)),
    "readings": (BLOCK, lambda client: ChannelReader(client, Escrow(ChainId(1)), 2).read([CONFIG])),
    "token": (WORD, lambda client: token_facts(client, ADDRESS)),
}

QUANTITIES = st.sampled_from(
    ["0x", "0x0", "0x5", "-0x5", "0x_1", " 0x1", "5", "0x" + "f" * 64, "0x" + "f" * 65, "0xzz", "0x8" + "0" * 15]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    QUANTITIES,
    st.binary(max_size=80).map(lambda data: "0x" + data.hex()),
    st.sampled_from(["execution reverted", "rate limit", WORD, ADDRESS]),
)
KEYS = st.sampled_from(["id", "result", "error", "code", "message", "data", "hash", "number", "logs", "reward", "x"])
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any, *, drop: bool) -> Any:
    if not path:
        return new
    value = copy.deepcopy(value)
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    if drop:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return value


@st.composite
def spoilt(draw: st.DrawFn, good: Any) -> Any:
    """A good answer with one to three places changed or left out."""
    value = good
    for _ in range(draw(st.integers(1, 3))):
        value = replaced(value, draw(st.sampled_from(places(value))), draw(JSON), drop=draw(st.booleans()))
    return value


async def survives(node: Callable[[Any], Any], ask: Ask) -> None:
    client = Client(
        "http://node.example/secret", wire=ScriptedWire(node), pause=Pauses(), retry=RetryPolicy(tries=2, batch=4)
    )
    failed: UsufructError | None = None
    try:
        await ask(client)
    except UsufructError as error:
        failed = error
    assert failed is None or (failed.status in (409, 503) and len(failed.message) < 2_000), failed


@pytest.mark.parametrize("question", QUESTIONS)
@settings(max_examples=60)
@given(data=st.data())
def test_any_result(question: str, data: st.DataObject):
    good, ask = QUESTIONS[question]

    def node(body: Any) -> Any:
        asked = body if isinstance(body, list) else [body]
        found = [{"jsonrpc": "2.0", "id": each["id"], "result": data.draw(spoilt(good) | JSON)} for each in asked]
        return found if isinstance(body, list) else found[0]

    asyncio.run(survives(node, ask))


@pytest.mark.parametrize("question", ["eth_blockNumber", "headers", "receipts", "eth_call", "eth_getLogs"])
@settings(max_examples=120)
@given(data=st.data())
def test_any_envelope(question: str, data: st.DataObject):
    """Wrong ids, order, length and types of answers and of their errors."""
    good, ask = QUESTIONS[question]

    def node(body: Any) -> Any:
        one = body[0] if isinstance(body, list) else body
        envelope: Any = {"jsonrpc": "2.0", "id": one["id"], "result": good, "error": {"code": 3, "data": WORD}}
        envelope = data.draw(st.just(envelope) | st.just({k: v for k, v in envelope.items() if k != "error"}))
        answers = [envelope, {**envelope, "id": data.draw(SCALARS)}] if isinstance(body, list) else envelope
        return data.draw(spoilt(answers) | JSON)

    asyncio.run(survives(node, ask))


@pytest.mark.parametrize("question", ["eth_blockNumber", "headers"])
@settings(max_examples=100)
@given(status=st.sampled_from([200, 204, 301, 400, 401, 404, 413, 429, 500, 502]), content=st.binary(max_size=60))
@example(200, b'{"id": 1, "result": ' + b"9" * 5_000 + b"}")
@example(200, b"[" * 5_000)
@example(200, b'{"id": 1, "error": ' + b'{"data": ' * 900 + b'"0x"' + b"}" * 900 + b"}")
@example(200, b'{"id": 1, "result": NaN}')
@example(200, b'{"id": 1, "error": {"code": 1e400, "message": null}}')
@example(200, b'{"id": 1, "error": {}}')
@example(200, b'{"id": 1, "error": ""}')
@example(200, b'{"id": true, "result": "0x1"}')
@example(200, b'[{"id": [], "result": 1}, {"id": {}, "result": 1}, null]')
@example(200, b'{"id": 1, "result": "\\ud800"}')
def test_any_bytes(question: str, status: int, content: bytes):
    asyncio.run(survives(lambda body: Reply(status, content), QUESTIONS[question][1]))


@settings(max_examples=300)
@given(selector=st.sampled_from([*ERRORS, b"\x08\xc3\x79\xa0", b"NH{q", b"none"]), data=st.binary(max_size=260))
@example(bytes.fromhex("08c379a0"), b"\xff" * 32)
@example(bytes.fromhex("08c379a0"), (32).to_bytes(32, "big") + b"\x7f" + b"\xff" * 31)
def test_any_revert_data(selector: bytes, data: bytes):
    assert isinstance(decode_revert(selector + data, ERRORS), UsufructError)


CONTRACTS = [
    asset_registry.AssetRegistry,
    access_pass.AccessPass,
    batch_settlement.BatchSettlement,
    erc20.Erc20,
    shares.Shares,
    till.Till,
]
EVENTS = [(contract, event) for contract in CONTRACTS for event in contract.EVENTS]
WORDS = st.binary(min_size=32, max_size=32) | st.integers(0, 96).map(lambda number: number.to_bytes(32, "big"))


@settings(max_examples=600)
@given(which=st.sampled_from(EVENTS), topics=st.lists(WORDS, max_size=4), words=st.lists(WORDS, max_size=8))
def test_any_log(which: Any, topics: list[bytes], words: list[bytes]):
    contract, event = which
    named = [event.TOPIC, *(Hash32("0x" + topic.hex()) for topic in topics)]
    log = Log(ADDRESS, tuple(named[:4]), b"".join(words), 5, Hash32(WORD), Hash32(WORD), 0)
    with suppress(UsufructError):
        contract.decode_log(log)


VIEWS = {
    "registry": (asset_registry.AssetRegistry, lambda each: each.asset(1)),
    "meter": (asset_registry.AssetRegistry, lambda each: each.meter_of(1)),
    "pass plan": (access_pass.AccessPass, lambda each: each.standing(1, ADDRESS, ADDRESS)),
    "payees": (till.Till, lambda each: each.payees(ADDRESS)),
    "multicall": (BatchSettlement, lambda each: each.channels(b"\x01" * 32)),
    "name": (erc20.Erc20, lambda each: each.name()),
}


@pytest.mark.parametrize("view", VIEWS)
@settings(max_examples=150)
@given(words=st.lists(WORDS, max_size=24), more=st.binary(max_size=40))
def test_any_answer_of_a_contract(view: str, words: list[bytes], more: bytes):
    contract, ask = VIEWS[view]
    answer = "0x" + (b"".join(words) + more).hex()

    def node(body: Any) -> Any:
        return orjson.loads(orjson.dumps({"id": body["id"], "result": answer}))

    asyncio.run(survives(node, lambda client: ask(contract(ADDRESS, client))))


@settings(max_examples=200)
@given(words=st.lists(WORDS, max_size=24), more=st.binary(max_size=40))
def test_any_answer_about_channels(words: list[bytes], more: bytes):
    answer = "0x" + (b"".join(words) + more).hex()

    def node(body: Any) -> Any:
        asked = body if isinstance(body, list) else [body]
        found = [
            {"id": each["id"], "result": answer if each["method"] == "eth_call" else BLOCK | {"number": "0x5"}}
            for each in asked
        ]
        return found if isinstance(body, list) else found[0]

    asyncio.run(survives(node, lambda client: ChannelReader(client, Escrow(ChainId(1)), 1).read([CONFIG])))
