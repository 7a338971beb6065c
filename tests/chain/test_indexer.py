"""Logs are read once each, in order, with their checkpoint, and taken back when the chain takes them back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, delete, insert, select

from tests.support.devnet import Devnet, devnet_client
from tests.support.fake_clock import FakeClock
from usufruct.chain import ChainHead, Client, Indexer, Log, Stream
from usufruct.chain.anvil import Anvil
from usufruct.chain.contract_base import Creation
from usufruct.chain.contracts.test_dollar import TestDollar, Transfer
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.chain.rpc_errors import RpcRefused
from usufruct.core import Address, Faulty, Unavailable
from usufruct.store import Database, Unit

pytestmark = pytest.mark.anvil

ALICE, BOB = DEVNET_ADDRESSES[:2]

schema = MetaData()
minted = Table(
    "minted",
    schema,
    Column("block", BigInteger, primary_key=True),
    Column("index", BigInteger, primary_key=True),
    Column("value", BigInteger),
)


class Minted:
    """Keeps what was minted; `emitters` are the contracts that count, none means all."""

    def __init__(self, *emitters: Address) -> None:
        self.emitters = set(emitters)
        self.back: list[int] = []
        self.fail_at: int | None = None

    async def accepts(self, unit: Unit, log: Log) -> bool:
        return not self.emitters or log.address in self.emitters

    async def apply(self, unit: Unit, log: Log) -> None:
        value = Transfer.decode(log).value
        await unit.change(insert(minted).values(block=log.block_number, index=log.index, value=value))
        if value == self.fail_at:
            raise RuntimeError("the handler broke")

    async def rollback(self, unit: Unit, block: int) -> None:
        self.back.append(block)
        await unit.change(delete(minted).where(minted.c.block > block))


@pytest.fixture
async def rows(files: Database) -> Callable[[], Awaitable[list[int]]]:
    """Reads what was kept, in order."""
    await files.run(schema.create_all)

    async def read() -> list[int]:
        async with files.snapshot() as unit:
            return [row.value for row in await unit.rows(select(minted).order_by(minted.c.block, minted.c.index))]

    return read


Rows = Callable[[], Awaitable[list[int]]]


@pytest.fixture
async def dollar(client: Client, create: Callable[[Creation], Awaitable[Address]]) -> TestDollar:
    address = await create(TestDollar.deploy())
    await Devnet(client).set_automine(on=False)
    return TestDollar(address, client)


async def mint(dollar: TestDollar, client: Client, *amounts: int) -> None:
    """Mint all amounts in one block."""
    for amount in amounts:
        await Devnet(client).send_as(ALICE, dollar.mint(BOB, amount))
    await Devnet(client).mine()


def stream(handler: Minted, **options: Any) -> Stream:
    return Stream("minted", handler, topics=[Transfer.TOPIC], **options)


async def test_logs_are_read_in_order_and_once(client: Client, files: Database, rows: Rows, dollar: TestDollar):
    indexer = Indexer(client, files, stream(Minted()))
    assert await indexer.position() is None
    await mint(dollar, client, 1, 2)
    await mint(dollar, client, 3)
    await indexer.catch_up()
    await indexer.catch_up()
    assert await rows() == [1, 2, 3]
    head = await client.head()
    assert (await indexer.position()).hash == head.hash
    await mint(dollar, client, 4)
    await Indexer(client, files, stream(Minted())).catch_up()
    assert await rows() == [1, 2, 3, 4]


class Counting(Client):
    """Counts its questions about blocks and logs."""

    questions = 0

    async def headers(self, blocks: Any) -> list[Any]:
        self.questions += 1
        return await super().headers(blocks)

    async def logs(self, first: int, last: int, **filters: Any) -> list[Log]:
        self.questions += 1
        return await super().logs(first, last, **filters)


async def test_streams_share_the_head_and_ask_nothing_else_while_it_stays(
    anvil: Anvil, client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    async with Counting(anvil.url) as counting:
        clock = FakeClock()
        head = ChainHead(counting, 1.0, clock)
        others = Stream("others", Minted(), topics=[Transfer.TOPIC], addresses=[ALICE])
        streams = [stream(Minted()), others]
        indexers = [Indexer(counting, files, each, clock=clock, head=head) for each in streams]
        await mint(dollar, client, 1)
        for indexer in indexers:
            await indexer.catch_up()
        asked = counting.questions
        for indexer in indexers:
            await indexer.catch_up()
        assert counting.questions == asked

        await mint(dollar, client, 2)
        clock.advance(1.0)
        for indexer in indexers:
            await indexer.catch_up()
        assert await rows() == [1, 2]


async def test_reading_begins_where_told(client: Client, files: Database, rows: Rows, dollar: TestDollar):
    await mint(dollar, client, 1)
    await mint(dollar, client, 2)
    first = await client.block_number()
    indexer = Indexer(client, files, stream(Minted(), first_block=first))
    await indexer.catch_up()
    assert await rows() == [2]


async def test_a_first_block_to_come_is_waited_for(client: Client, files: Database, rows: Rows, dollar: TestDollar):
    indexer = Indexer(client, files, stream(Minted(), first_block=await client.block_number() + 2))
    assert await indexer.step() is False
    await mint(dollar, client, 1)
    await mint(dollar, client, 2)
    await indexer.catch_up()
    assert await rows() == [2]


async def test_only_registered_emitters_are_heard(
    client: Client, files: Database, rows: Rows, dollar: TestDollar, create: Callable[[Creation], Awaitable[Address]]
):
    await Devnet(client).set_automine(on=True)
    impostor = TestDollar(await create(TestDollar.deploy()), client)
    await Devnet(client).set_automine(on=False)
    await mint(dollar, client, 1)
    await mint(impostor, client, 666)
    await mint(dollar, client, 2)
    await Indexer(client, files, stream(Minted(dollar.address))).catch_up()
    assert await rows() == [1, 2]


async def test_an_emitter_registered_by_a_log_is_known_to_the_next(
    client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    class Registering(Minted):
        async def accepts(self, unit: Unit, log: Log) -> bool:
            known = await unit.row(select(minted))
            return known is not None or Transfer.decode(log).value == 7

    await mint(dollar, client, 1, 7, 2)
    await Indexer(client, files, stream(Registering())).catch_up()
    assert await rows() == [7, 2]


async def test_confirmations_are_waited_for(client: Client, files: Database, rows: Rows, dollar: TestDollar):
    indexer = Indexer(client, files, stream(Minted(), confirmations=2))
    await mint(dollar, client, 1)
    for expected in ([], [], [1]):
        await indexer.catch_up()
        assert await rows() == expected
        await Devnet(client).mine()


async def test_a_handler_that_breaks_leaves_neither_rows_nor_checkpoint(
    client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    handler = Minted()
    indexer = Indexer(client, files, stream(handler))
    await mint(dollar, client, 1)
    await indexer.catch_up()
    position = await indexer.position()
    await mint(dollar, client, 2, 3)
    handler.fail_at = 3
    with pytest.raises(RuntimeError, match="broke"):
        await indexer.catch_up()
    assert await rows() == [1]
    assert await indexer.position() == position
    handler.fail_at = None
    await indexer.catch_up()
    assert await rows() == [1, 2, 3]


async def test_a_reorganisation_is_taken_back_to_the_fork(
    client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    handler = Minted()
    indexer = Indexer(client, files, stream(handler))
    for amount in (1, 2, 3, 4):
        await mint(dollar, client, amount)
        await indexer.catch_up()
    before = await client.block_number()
    await Devnet(client).reorganise(2)
    await mint(dollar, client, 5)
    await indexer.catch_up()
    assert handler.back == [before - 2]
    assert await rows() == [1, 2, 5]
    assert (await indexer.position()).hash == (await client.head()).hash


async def test_a_node_that_is_behind_is_waited_for_and_a_shorter_chain_taken_back_once_it_differs(
    client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    handler = Minted()
    indexer = Indexer(client, files, stream(handler))
    await mint(dollar, client, 1)
    remembered = await Devnet(client).snapshot()
    await indexer.catch_up()
    for amount in (2, 3):
        await mint(dollar, client, amount)
        await indexer.catch_up()
    await Devnet(client).revert(remembered)
    await indexer.catch_up()
    assert await rows() == [1, 2, 3], "the node may only be behind"
    await mint(dollar, client, 4)
    await indexer.catch_up()
    assert await rows() == [1, 4]
    assert len(handler.back) == 1


async def test_a_fork_inside_a_range_read_at_once_is_read_again(
    client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    handler = Minted()
    indexer = Indexer(client, files, stream(handler))
    await indexer.catch_up()
    start = (await indexer.position()).block
    for amount in (1, 2, 3):
        await mint(dollar, client, amount)
    await indexer.catch_up()
    await Devnet(client).reorganise(1)
    await mint(dollar, client, 4)
    await indexer.catch_up()
    assert handler.back == [start]
    assert await rows() == [1, 2, 4]


async def test_a_handler_that_breaks_while_going_back_stays_where_it_was(
    client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    class Clumsy(Minted):
        async def rollback(self, unit: Unit, block: int) -> None:
            await super().rollback(unit, block)
            if len(self.back) == 1:
                raise RuntimeError("the handler broke")

    handler = Clumsy()
    indexer = Indexer(client, files, stream(handler))
    for amount in (1, 2):
        await mint(dollar, client, amount)
        await indexer.catch_up()
    await Devnet(client).reorganise(1)
    with pytest.raises(RuntimeError, match="broke"):
        await indexer.catch_up()
    assert await rows() == [1, 2]
    await indexer.catch_up()
    assert await rows() == [1]


async def test_another_chain_is_never_read_on(client: Client, files: Database, rows: Rows, dollar: TestDollar):
    await mint(dollar, client, 1)
    await Indexer(client, files, stream(Minted())).catch_up()
    async with AsyncExitStack() as stack:
        first = fresh = client
        while (await fresh.header(0)).hash == (await first.header(0)).hash:  # it holds the time, in seconds
            other = await stack.enter_async_context(Anvil())
            fresh = await stack.enter_async_context(devnet_client(other.url))
        await Devnet(fresh).mine(9)
        with pytest.raises(Faulty, match="stream minted"):
            await Indexer(fresh, files, stream(Minted())).catch_up()
    assert await rows() == [1]


async def test_a_reorganisation_beyond_the_horizon_stops_the_stream(
    client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    indexer = Indexer(client, files, stream(Minted()), horizon_blocks=2)
    for amount in range(1, 9):
        await mint(dollar, client, amount)
        await indexer.catch_up()
    await Devnet(client).reorganise(3)
    await indexer.catch_up()
    assert await rows() == [1, 2, 3, 4, 5]
    for amount in (6, 7, 8):
        await mint(dollar, client, amount)
        await indexer.catch_up()
    await Devnet(client).reorganise(6)
    with pytest.raises(Faulty, match="stream minted"):
        await indexer.catch_up()


async def test_several_readers_of_one_stream_read_each_log_once(
    client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    for amount in range(1, 13):
        await mint(dollar, client, amount)
    readers = [Indexer(client, files, stream(Minted(), range_blocks=size)) for size in (1, 2, 3)]
    await asyncio.gather(*(reader.catch_up() for reader in readers))
    assert await rows() == list(range(1, 13))


class Narrow(Client):
    """A node that answers for at most three blocks at a time, and counts the questions."""

    asked: list[int]

    async def logs(self, first: int, last: int, **filters: Any) -> list[Log]:
        self.asked.append(last - first + 1)
        if last - first + 1 > 3:
            raise RpcRefused("eth_getLogs", -32005, "query returned more than 10000 results")
        return await super().logs(first, last, **filters)


async def test_ranges_too_large_for_the_node_are_halved(
    anvil: Anvil, client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    for amount in range(1, 15):
        await mint(dollar, client, amount)
    async with Narrow(anvil.url) as narrow:
        narrow.asked = []
        await Indexer(narrow, files, stream(Minted())).catch_up()
    assert await rows() == list(range(1, 15))
    assert narrow.asked[0] > 3
    assert len(narrow.asked) < 25


async def test_a_single_block_that_is_refused_is_an_error(
    anvil: Anvil, client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    class Broken(Client):
        async def logs(self, first: int, last: int, **filters: Any) -> list[Log]:
            raise RpcRefused("eth_getLogs", -32000, "no logs here")

    async with Broken(anvil.url) as broken:
        with pytest.raises(RpcRefused, match="no logs here"):
            await Indexer(broken, files, stream(Minted())).catch_up()


async def test_a_reorganisation_while_reading_is_not_read_through(
    anvil: Anvil, client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    class Shaky(Client):
        shaken = False

        async def logs(self, first: int, last: int, **filters: Any) -> list[Log]:
            found = await super().logs(first, last, **filters)
            if not self.shaken and found:
                self.shaken = True
                await Devnet(client).reorganise(2)
            return found

    await mint(dollar, client, 1)
    await mint(dollar, client, 2)
    await Devnet(client).mine()
    async with Shaky(anvil.url) as shaky:
        await Indexer(shaky, files, stream(Minted())).catch_up()
        assert shaky.shaken
    assert await rows() == [1]


class Lagging(Client):
    """A node whose logs may hide its newest blocks, or all blocks after one."""

    hidden = 0
    after: int | None = None
    asked: list[tuple[int, int]]

    async def logs(self, first: int, last: int, **filters: Any) -> list[Log]:
        self.asked.append((first, last))
        seen = await self.block_number() - self.hidden if self.after is None else self.after
        return [log for log in await super().logs(first, last, **filters) if log.block_number <= seen]


@pytest.fixture
async def lagging(anvil: Anvil) -> AsyncIterator[Lagging]:
    async with Lagging(anvil.url) as opened:
        opened.asked = []
        yield opened


async def test_logs_that_the_node_hid_come_with_the_next_block_in_order(
    client: Client, lagging: Lagging, files: Database, rows: Rows, dollar: TestDollar
):
    handler = Minted()
    indexer = Indexer(lagging, files, stream(handler))
    await mint(dollar, client, 1)
    await indexer.catch_up()
    lagging.after = (await indexer.position()).block
    for amount in (2, 3, 4):
        await mint(dollar, client, amount)
        await indexer.catch_up()
    assert await rows() == [1]
    lagging.after = None
    await mint(dollar, client, 5)
    await indexer.catch_up()
    assert await rows() == [1, 2, 3, 4, 5]
    assert len(handler.back) == 1
    assert await indexer.gaps() == 1


async def test_logs_that_the_node_hid_come_without_any_new_block(
    client: Client, lagging: Lagging, files: Database, rows: Rows, dollar: TestDollar
):
    clock = FakeClock()
    indexer = Indexer(lagging, files, stream(Minted()), clock=clock)
    lagging.hidden = 3
    await mint(dollar, client, 1)
    await indexer.catch_up()
    lagging.hidden = 0
    await indexer.catch_up()
    assert await rows() == [], "it is not time to look again"
    clock.advance(1)
    await indexer.catch_up()
    assert await rows() == [1]


async def test_a_quiet_chain_is_read_again_a_few_times_and_no_more(
    client: Client, lagging: Lagging, files: Database, rows: Rows, dollar: TestDollar
):
    clock = FakeClock()
    indexer = Indexer(lagging, files, stream(Minted()), clock=clock)
    await mint(dollar, client, 1)
    await indexer.catch_up()
    lagging.asked.clear()
    for _ in range(600):
        clock.advance(1)
        await indexer.catch_up()
    assert 5 <= len(lagging.asked) <= 8


async def test_a_reader_that_begins_anew_looks_at_the_newest_ranges_again(
    client: Client, lagging: Lagging, files: Database, rows: Rows, dollar: TestDollar
):
    """A process ended right after it read what the node hid; the chain has gone far since."""
    lagging.hidden = 3
    await mint(dollar, client, 1)
    await Indexer(lagging, files, stream(Minted())).catch_up()
    lagging.hidden = 0
    await Devnet(client).mine(400)
    await mint(dollar, client, 2)
    await Indexer(lagging, files, stream(Minted(), range_blocks=100)).catch_up()
    assert await rows() == [1, 2]


async def test_what_was_read_long_after_it_came_is_not_read_again(
    client: Client, lagging: Lagging, files: Database, rows: Rows, dollar: TestDollar
):
    await Devnet(client).mine(1_000)
    await Indexer(lagging, files, stream(Minted(), range_blocks=200)).catch_up()
    assert sum(last - first + 1 for first, last in lagging.asked) < 1_100


async def test_nothing_is_read_on_while_the_node_has_less_than_it_had(
    client: Client, lagging: Lagging, files: Database, rows: Rows, dollar: TestDollar
):
    indexer = Indexer(lagging, files, stream(Minted()))
    await mint(dollar, client, 1, 2)
    await indexer.catch_up()
    position = await indexer.position()
    lagging.after = position.block - 1
    await mint(dollar, client, 3)
    with pytest.raises(Unavailable, match="0 logs of stream minted"):
        await indexer.catch_up()
    assert await indexer.position() == position
    lagging.after = None
    await indexer.catch_up()
    assert await rows() == [1, 2, 3]


async def test_the_overlap_is_read_in_pieces_where_the_node_allows_few_blocks(
    anvil: Anvil, client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    async with Narrow(anvil.url) as narrow:
        narrow.asked = []
        indexer = Indexer(narrow, files, stream(Minted()))
        for amount in range(1, 6):
            await mint(dollar, client, amount)
            await Devnet(client).mine(10)
            await indexer.catch_up()
    assert await rows() == [1, 2, 3, 4, 5]


async def test_a_lone_node_with_a_shorter_chain_has_gone_back(
    client: Client, files: Database, rows: Rows, dollar: TestDollar
):
    indexer = Indexer(client, files, stream(Minted()), alone=True)
    await mint(dollar, client, 1)
    await indexer.catch_up()
    remembered = await Devnet(client).snapshot()
    await mint(dollar, client, 2)
    await indexer.catch_up()
    await Devnet(client).revert(remembered)
    await indexer.catch_up()
    assert await rows() == [1]
