"""Supplies from a chain: on a real devnet, at the last block of each day, less what is held back."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.answering_server import Answered, AnsweringServer
from tests.support.devnet import Devnet, devnet_client
from tests.support.fake_clock import FakeClock
from usufruct.analytics.collecting.token_supply import (
    CountedToken,
    InvalidTokens,
    NoOldState,
    TokenSupplies,
    read_tokens,
)
from usufruct.chain.anvil import Anvil
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.deployment import Deployments
from usufruct.connectors.prices import PriceArchive, PriceFile, ingest
from usufruct.core import Address, ChainId

ANN, VAULT, NOBODY = (Address(f"0x{each * 40}") for each in "abc")
DAY = 86_400


async def mint(devnet: Devnet, token: Address, receiver: Address, dollars: int) -> None:
    await devnet.send_as(ANN, TestDollar(token).mint(receiver, dollars * 10**6))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("chain")


@pytest.fixture(scope="module")
def anvil(devnet_template, folder) -> Iterator[Anvil]:
    with devnet_template.copy(folder) as running:
        yield running


@pytest.mark.anvil
async def test_the_supply_of_each_day_is_read_at_its_end_and_makes_caps(anvil: Anvil, folder: Path, tmp_path: Path):
    token = Deployments.read(folder, ChainId(31337)).address(TestDollar)
    async with devnet_client(anvil.url) as client:
        devnet = Devnet(client)
        await devnet.set_balance(ANN, 10**18)
        before = await TestDollar(token, client).total_supply() // 10**6
        head = (await client.head()).timestamp
        midnight = head - head % DAY + DAY
        for number in range(3):  # blocks shortly before and after each midnight
            await devnet.pass_time(midnight + number * DAY - 10 - (await client.head()).timestamp)
            await mint(devnet, token, VAULT if number == 1 else NOBODY, 100)
            await devnet.pass_time(midnight + number * DAY + 5 - (await client.head()).timestamp)
    first = datetime.fromtimestamp(midnight, UTC).date() - timedelta(days=1)
    clock = FakeClock(midnight + 2 * DAY + 3_600)
    counted = CountedToken(31337, token, "coin", (VAULT,))
    source = TokenSupplies((counted, CountedToken(1, token, "elsewhere")), first, anvil.url, clock)
    archive = PriceArchive(tmp_path / "prices")
    assert (await asyncio.to_thread(ingest, archive, source, clock=clock)).added.new == 3
    assert (await asyncio.to_thread(ingest, archive, source, clock=clock)).added.new == 0
    rows = archive.versions(source.interval, "coin", first, first + timedelta(days=2))
    assert rows["supply"].to_list() == [before + 100, before + 100, before + 200]
    closes = pl.DataFrame(
        {"id": ["coin"] * 3, "date": [str(first + timedelta(days=n)) for n in range(3)], "price": 2.5}
    )
    closes.write_csv(tmp_path / "closes.csv")
    ingest(archive, PriceFile(tmp_path / "closes.csv"), clock=clock)
    assert archive.panel().market_cap[:, 0].tolist() == [each * 2.5 for each in rows["supply"]]


def test_a_node_of_another_chain_is_refused(anvil: Anvil):
    source = TokenSupplies((CountedToken(1, VAULT, "elsewhere"),), date(2024, 1, 1), anvil.url)
    with pytest.raises(InvalidTokens, match="the node serves chain 31337, and no row is of it"):
        next(source.batches(None))


def test_an_address_without_a_token_has_no_supply_and_another_contract_is_named(anvil: Anvil, folder: Path):
    later = datetime.now(UTC).date() + timedelta(days=5)
    clock = FakeClock(int(datetime.now(UTC).timestamp()) + 10 * DAY)
    nothing = TokenSupplies((CountedToken(31337, NOBODY, "nothing"),), later, anvil.url, clock)
    assert next(nothing.batches(None)).rows.is_empty()
    other = Deployments.read(folder, ChainId(31337)).address(AssetRegistry)
    with pytest.raises(InvalidTokens, match="wrong is no ERC-20"):
        next(TokenSupplies((CountedToken(31337, other, "wrong"),), later, anvil.url, clock).batches(None))


def node(asked):
    """Answer as a node that keeps the state of its newest blocks only."""
    body = json.loads(asked.body)

    def answer(each):
        if each["method"] == "eth_chainId":
            return {"result": "0x1"}
        if each["method"] == "eth_getBlockByNumber":
            number = 1_000 if each["params"][0] == "latest" else int(each["params"][0], 16)
            at = 1_700_000_000 + number * 3_600
            hashes = {"hash": f"0x{number + 1:064x}", "parentHash": f"0x{number:064x}"}
            return {"result": {"number": hex(number), "timestamp": hex(at), **hashes}}
        return {"error": {"code": -32000, "message": "missing trie node 0abc"}}

    answers = [
        answer(each) | {"jsonrpc": "2.0", "id": each["id"]} for each in (body if isinstance(body, list) else [body])
    ]
    return Answered(json.dumps(answers if isinstance(body, list) else answers[0]).encode())


def test_a_node_without_old_state_is_named(tmp_path: Path):
    clock = FakeClock(1_700_000_000 + 1_000 * 3_600)
    with AnsweringServer(node) as server:
        source = TokenSupplies((CountedToken(1, VAULT, "coin"),), date(2023, 12, 1), server.url, clock)
        with pytest.raises(
            NoOldState, match=r"supply of coin on 2023-12-01 \(missing trie node.*begin with a later day"
        ):
            ingest(PriceArchive(tmp_path), source, clock=clock)
        assert len(server.requests) < 30, "the last block of a day is found by few questions"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("id,asset\n", "first line chain,token,asset,excluded"),
        (f"chain,token,asset\n1,{VAULT},\n", "line 2: asset is empty"),
        ("chain,token,asset\n1,0x12,coin\n", "line 2: token"),
        (f"chain,token,asset\nmain,{VAULT},coin\n", "line 2: invalid literal"),
        (f"chain,token,asset,excluded\n1,{VAULT},coin,0x1\n", "line 2: excluded"),
        (f"chain,token,asset\n1,{VAULT},coin\n10,{ANN},coin\n", "line 3: 'coin' has a row already"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, rows: str, said: str):
    (tmp_path / "tokens.csv").write_text(rows)
    with pytest.raises(InvalidTokens) as refused:
        read_tokens(tmp_path / "tokens.csv")
    assert said in refused.value.message


def test_a_table_is_read(tmp_path: Path):
    (tmp_path / "tokens.csv").write_text(f"chain,token,asset,excluded\n1,{VAULT},coin,{ANN} {NOBODY}\n")
    assert read_tokens(tmp_path / "tokens.csv") == (CountedToken(1, VAULT, "coin", (ANN, NOBODY)),)
