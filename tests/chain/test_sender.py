"""Every call is sent exactly once: refusals cost nothing, time-outs are pending, nonces are never used twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from tests.support.devnet import Devnet, devnet_client
from usufruct.chain import Call, Client, Receipt, RpcUnavailable, Sender, Sent, State, keccak
from usufruct.chain.anvil import Anvil
from usufruct.chain.contract_base import Block, Creation
from usufruct.chain.contracts.test_dollar import ERC20InsufficientAllowance, ERC20InsufficientBalance, TestDollar
from usufruct.chain.fees import FeePolicy, FeesOverCap, Offer
from usufruct.chain.keys import DEVNET_ADDRESSES, KeySigner, devnet_signer
from usufruct.chain.rpc_errors import RpcRefused
from usufruct.chain.sender import NonceGap, StillPending
from usufruct.chain.store import Attempt, Checkpoint, Outbox, move
from usufruct.chain.transaction import signed_transaction
from usufruct.core import Address, ChainId, Conflict, Denied, Hash32, hash32_from_bytes
from usufruct.core.networks import DEVNET_CHAIN_ID
from usufruct.store import Database, open_database

pytestmark = pytest.mark.anvil

ALICE, BOB = DEVNET_ADDRESSES[0], DEVNET_ADDRESSES[1]
CAROL = DEVNET_ADDRESSES[2]
GWEI = 10**9


@pytest.fixture
async def dollar(client: Client, create: Callable[[Creation], Awaitable[Address]]) -> TestDollar:
    return TestDollar(await create(TestDollar.deploy()), client)


@pytest.fixture
def devnet(client: Client) -> Devnet:
    return Devnet(client)


def new_sender(client: Client, database: Database, **options: object) -> Sender:
    signer = devnet_signer(0, DEVNET_CHAIN_ID)
    return Sender(client, signer, database, DEVNET_CHAIN_ID, **{"poll_seconds": 0.02, **options})


@pytest.fixture
def sender(client: Client, files: Database) -> Sender:
    return new_sender(client, files)


@pytest.fixture
def outbox(files: Database) -> Outbox:
    return Outbox(files, DEVNET_CHAIN_ID)


async def test_a_call_is_sent_and_its_receipt_returned(sender: Sender, client: Client, dollar: TestDollar):
    receipt = await sender.execute(dollar.mint(BOB, 5), "mint")
    assert receipt.succeeded
    assert [type(dollar.decode_log(log)).__name__ for log in receipt.logs] == ["Transfer"]
    assert await dollar.balance_of(BOB) == 5
    sent = await sender.find("mint")
    assert (sent.state, sent.hash, sent.block) == (State.CONFIRMED, receipt.hash, receipt.block_number)
    assert await sender.find("other") is None


async def test_a_refused_call_costs_nothing_and_is_not_kept(sender: Sender, client: Client, dollar: TestDollar):
    before = await client.balance(ALICE)
    with pytest.raises(ERC20InsufficientBalance) as caught:
        await sender.send(dollar.transfer(BOB, 5), "transfer")
    assert caught.value.needed == 5
    assert (await client.balance(ALICE), await client.nonce(ALICE)) == (before, 0)
    assert await sender.find("transfer") is None
    await sender.execute(dollar.mint(ALICE, 5), "mint")
    await sender.execute(dollar.transfer(BOB, 5), "transfer")
    assert await dollar.balance_of(BOB) == 5


async def test_the_same_key_sends_once(sender: Sender, client: Client, dollar: TestDollar):
    first = await sender.execute(dollar.mint(BOB, 5), "mint")
    assert await sender.execute(dollar.mint(BOB, 5), "mint") == first
    assert await dollar.balance_of(BOB) == 5
    assert await client.nonce(ALICE) == 1


async def test_a_key_belongs_to_one_call(sender: Sender, dollar: TestDollar):
    await sender.send(dollar.mint(BOB, 5), "mint")
    for other in (dollar.mint(BOB, 6), dollar.mint(CAROL, 5), Call(BOB, b""), Call(dollar.address, b"", 1)):
        with pytest.raises(Conflict, match="another call was sent under mint"):
            await sender.send(other, "mint")


async def test_wei_goes_with_a_call(sender: Sender, client: Client):
    before = await client.balance(BOB)
    await sender.execute(Call(BOB, b"", 123), "wei")
    assert await client.balance(BOB) == before + 123


async def test_simulating_returns_the_output_and_sends_nothing(sender: Sender, client: Client, dollar: TestDollar):
    assert int.from_bytes(await sender.simulate(dollar.approve(BOB, 1)), "big") == 1
    assert await client.nonce(ALICE) == 0


async def test_what_the_sender_cannot_afford_is_not_kept(sender: Sender, outbox: Outbox):
    with pytest.raises(RpcRefused):
        await sender.send(Call(BOB, b"", 10**30), "rich")
    assert await outbox.pending(ALICE) == []


async def test_gas_over_the_cap_is_not_bought(client: Client, files: Database, dollar: TestDollar):
    sender = new_sender(client, files, fees=FeePolicy(cap=GWEI // 1000))
    with pytest.raises(FeesOverCap):
        await sender.send(dollar.mint(BOB, 5), "mint")
    assert await sender.find("mint") is None


@pytest.fixture
async def second(database: Database, database_url: str) -> AsyncIterator[Database]:
    """Another process's connection to the same database, of either kind."""
    opened = open_database(database_url)
    yield opened
    await opened.close()


async def test_many_at_once_get_a_nonce_each(client: Client, database: Database, second: Database, dollar: TestDollar):
    senders = [new_sender(client, database), new_sender(client, second)]
    sent = await asyncio.gather(
        *(senders[i % 2].send(dollar.mint(BOB, 10**i), f"mint/{i}") for i in range(8)),
        *(senders[i % 2].send(dollar.mint(CAROL, 7), "same") for i in range(4)),
    )
    assert sorted({each.nonce for each in sent}) == list(range(9))
    for each in sent:
        assert (await senders[0].wait(each.key, 20)).state is State.CONFIRMED
    assert await dollar.balance_of(BOB) == 11_111_111
    assert await dollar.balance_of(CAROL) == 7
    assert await client.nonce(ALICE) == 9


async def test_a_timeout_is_pending_and_asking_again_goes_on(
    sender: Sender, client: Client, devnet: Devnet, dollar: TestDollar
):
    await devnet.set_automine(on=False)
    with pytest.raises(StillPending, match="mint is pending with nonce 0") as caught:
        await sender.execute(dollar.mint(BOB, 5), "mint", timeout_seconds=0.1)
    assert caught.value.details["nonce"] == 0
    await devnet.mine()
    assert (await sender.execute(dollar.mint(BOB, 5), "mint")).succeeded
    assert await dollar.balance_of(BOB) == 5
    assert await client.nonce(ALICE) == 1


async def test_waiting_for_what_was_never_sent_says_so(sender: Sender):
    with pytest.raises(StillPending, match="nothing was sent under nothing"):
        await sender.wait("nothing", 1)


async def test_a_call_is_final_only_when_deep_enough(
    client: Client, files: Database, devnet: Devnet, dollar: TestDollar
):
    sender = new_sender(client, files, confirmations=3)
    await sender.send(dollar.mint(BOB, 5), "mint")
    for _ in range(2):
        assert (await sender.wait("mint", 0.3)).state is State.PENDING
        await devnet.mine()
    assert (await sender.wait("mint", 5)).state is State.CONFIRMED


async def test_a_reorganisation_does_not_lose_a_call(
    client: Client, files: Database, devnet: Devnet, dollar: TestDollar
):
    sender = new_sender(client, files, confirmations=2)
    await sender.send(dollar.mint(BOB, 5), "mint")
    assert (await sender.wait("mint", 0.3)).state is State.PENDING
    assert await dollar.balance_of(BOB) == 5
    await devnet.reorganise(1)
    assert await dollar.balance_of(BOB) == 0
    await sender.advance()
    await devnet.mine(2)
    assert (await sender.wait("mint", 10)).state is State.CONFIRMED
    assert await dollar.balance_of(BOB) == 5


async def test_a_dropped_transaction_is_broadcast_again(
    sender: Sender, outbox: Outbox, devnet: Devnet, dollar: TestDollar
):
    await devnet.set_automine(on=False)
    await sender.send(dollar.mint(BOB, 5), "mint")
    await devnet.drop((await outbox.attempts("mint"))[0].hash)
    await devnet.mine()
    assert await dollar.balance_of(BOB) == 0
    await sender.advance()
    await devnet.mine()
    assert (await sender.wait("mint", 10)).state is State.CONFIRMED
    assert await dollar.balance_of(BOB) == 5


async def dear_gas(client: Client, devnet: Devnet, base_fee: int, blocks: int) -> None:
    """Mine blocks at a price that no waiting offer meets."""
    await devnet.set_automine(on=False)
    for _ in range(blocks):
        await client.ask("anvil_setNextBlockBaseFeePerGas", hex(base_fee))
        await devnet.mine()


async def test_an_offer_that_is_passed_by_is_replaced_under_the_same_nonce(
    client: Client, files: Database, outbox: Outbox, devnet: Devnet, dollar: TestDollar
):
    sender = new_sender(client, files, fees=FeePolicy(cap=10**6 * GWEI, bump_after_blocks=3))
    await devnet.set_automine(on=False)
    await sender.send(dollar.mint(BOB, 5), "first")
    await sender.send(dollar.mint(CAROL, 6), "second")
    await dear_gas(client, devnet, 1000 * GWEI, 2)
    await sender.advance()
    assert len(await outbox.attempts("first")) == 1
    await dear_gas(client, devnet, 1000 * GWEI, 1)
    await sender.advance()
    old, new = await outbox.attempts("first")
    assert new.max_fee * 1000 >= old.max_fee * 1125
    assert new.max_fee > 1000 * GWEI
    assert len(await outbox.attempts("second")) == 1, "only the first in line is replaced"
    await client.ask("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    await devnet.mine()
    first = await sender.wait("first", 10)
    assert (first.state, first.nonce, first.hash) == (State.CONFIRMED, 0, new.hash)
    await devnet.mine()
    second = await sender.wait("second", 10)
    assert (second.state, second.nonce) == (State.CONFIRMED, 1)
    assert (await dollar.balance_of(BOB), await dollar.balance_of(CAROL)) == (5, 6)


async def test_no_replacement_passes_the_cap(
    client: Client, files: Database, outbox: Outbox, devnet: Devnet, dollar: TestDollar
):
    sender = new_sender(client, files, fees=FeePolicy(cap=5 * GWEI, bump_after_blocks=1))
    await devnet.set_automine(on=False)
    await sender.send(dollar.mint(BOB, 5), "mint")
    await dear_gas(client, devnet, 100 * GWEI, 2)
    await sender.advance()
    assert len(await outbox.attempts("mint")) == 1
    for _ in range(12):
        await dear_gas(client, devnet, 4 * GWEI, 1)
        await sender.advance()
    tried = await outbox.attempts("mint")
    assert all(attempt.max_fee <= 5 * GWEI for attempt in tried)
    await client.ask("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    await devnet.mine()
    assert (await sender.wait("mint", 10)).state is State.CONFIRMED
    assert await dollar.balance_of(BOB) == 5


async def test_a_nonce_used_by_something_else_displaces_the_call(
    sender: Sender, outbox: Outbox, client: Client, devnet: Devnet, dollar: TestDollar, signer: KeySigner
):
    await devnet.set_automine(on=False)
    await sender.send(dollar.mint(BOB, 5), "mint")
    await devnet.drop((await outbox.attempts("mint"))[0].hash)
    foreign = signed_transaction(DEVNET_CHAIN_ID, 0, Offer(100 * GWEI, GWEI), 21_000, Call(CAROL, b"", 1), signer.sign)
    await client.send_raw(foreign)
    await devnet.mine(5)
    with pytest.raises(Conflict, match=r"nonce 0 .* was used by something else") as caught:
        await sender.execute(dollar.mint(BOB, 5), "mint")
    assert caught.value.details["hash"] == hash32_from_bytes(keccak(foreign))
    await devnet.set_automine(on=True)
    assert (await sender.execute(dollar.mint(BOB, 5), "again")).succeeded
    assert await dollar.balance_of(BOB) == 5


async def test_a_call_refused_when_mined_raises_the_contracts_error(sender: Sender, devnet: Devnet, dollar: TestDollar):
    await devnet.set_automine(on=False)
    await devnet.send_as(BOB, dollar.mint(BOB, 20))
    await devnet.send_as(BOB, dollar.approve(ALICE, 10))
    await devnet.mine()
    await sender.send(dollar.transfer_from(BOB, CAROL, 10), "first")
    await sender.send(dollar.transfer_from(BOB, ALICE, 10), "second")
    await devnet.mine()
    assert (await sender.wait("first", 10)).state is State.CONFIRMED
    with pytest.raises(ERC20InsufficientAllowance):
        await sender.execute(dollar.transfer_from(BOB, ALICE, 10), "second")
    assert (await sender.find("second")).state is State.REVERTED


async def test_a_call_refused_for_a_reason_that_passed_says_so(
    sender: Sender, files: Database, dollar: TestDollar, outbox: Outbox, client: Client
):
    receipt = await sender.execute(dollar.mint(BOB, 5), "mint")
    sent = Sent("refused", ALICE, 9, dollar.mint(BOB, 6), 1)
    await outbox.add(sent, Attempt(Hash32("0x" + "01" * 32), b"", 1, 1, 1))
    await outbox.finish("refused", State.REVERTED, receipt.hash, receipt.block_number)
    with pytest.raises(Conflict, match="was refused in block"):
        await sender.execute(dollar.mint(BOB, 6), "refused")


class Flaky(Client):
    """A node whose line breaks after it took a transaction, or before."""

    failures = 0
    after = True

    async def send_raw(self, raw: bytes) -> Hash32:
        if self.failures:
            self.failures -= 1
            if self.after:
                await super().send_raw(raw)
            raise RpcUnavailable("the line broke")
        return await super().send_raw(raw)


@pytest.mark.parametrize("after", [True, False])
async def test_a_line_that_breaks_while_broadcasting_changes_nothing(
    anvil: Anvil, files: Database, dollar: TestDollar, after: bool
):
    async with Flaky(anvil.url) as flaky:
        flaky.failures, flaky.after = 1, after
        sender = new_sender(flaky, files)
        sent = await sender.send(dollar.mint(BOB, 5), "mint")
        assert sent.state is State.PENDING
        assert (await sender.find("mint")).trouble == "the line broke"
        done = await sender.wait("mint", 10)
        assert (done.state, done.nonce, done.trouble) == (State.CONFIRMED, 0, None)
    assert await dollar.balance_of(BOB) == 5


async def test_a_chain_that_was_reset_is_noticed(sender: Sender, client: Client, files: Database, dollar: TestDollar):
    for amount in (1, 2):
        await sender.execute(dollar.mint(BOB, amount), f"mint {amount}")
    head = await client.head()
    async with files.transaction() as unit:
        await move(unit, "a stream", None, Checkpoint(head.number, head.hash))
    async with Anvil() as other, devnet_client(other.url) as fresh:
        await Devnet(fresh).mine(head.number + 1)
        with pytest.raises(NonceGap, match=r"was reset.* expects nonce 0 of .* Set data.folder and database.url"):
            await new_sender(fresh, files).send(Call(BOB, b"", 1), "lost")
        with pytest.raises(NonceGap, match="was reset"):
            await new_sender(fresh, files).advance()


async def test_what_a_chain_that_went_back_forgot_is_sent_again(
    sender: Sender, client: Client, devnet: Devnet, dollar: TestDollar
):
    await sender.execute(dollar.mint(BOB, 1), "kept")
    remembered = await devnet.snapshot()
    first = await sender.execute(dollar.mint(BOB, 2), "first")
    await sender.execute(dollar.mint(BOB, 4), "second")
    await devnet.revert(remembered)
    assert await dollar.balance_of(BOB) == 1
    assert [sent.key for sent in await sender.lost()] == ["first", "second"]

    await sender.advance()
    again = await sender.wait("second", 20)
    assert again.state is State.CONFIRMED
    assert await dollar.balance_of(BOB) == 7
    assert (await sender.find("first")).hash == first.hash
    assert await sender.lost() == []
    await sender.execute(dollar.mint(BOB, 8), "third")
    assert await dollar.balance_of(BOB) == 15


async def test_a_new_call_after_the_chain_went_back_comes_after_those_that_were_lost(
    sender: Sender, devnet: Devnet, dollar: TestDollar
):
    remembered = await devnet.snapshot()
    await sender.execute(dollar.mint(BOB, 2), "lost")
    await devnet.revert(remembered)
    await sender.execute(dollar.mint(BOB, 4), "new")
    assert await dollar.balance_of(BOB) == 6


async def test_a_nonce_of_a_refused_call_is_used_up_when_the_chain_went_back(
    sender: Sender, client: Client, devnet: Devnet, dollar: TestDollar
):
    """It ended without effect and its caller knows that: it must not have one now."""
    remembered = await devnet.snapshot()
    await devnet.set_automine(on=False)
    await sender.send(dollar.transfer(BOB, 0), "refused")
    code = await client.code_at(dollar.address)
    await devnet.set_code(dollar.address, bytes.fromhex("5f5ffd"))
    await devnet.mine()
    assert (await sender.wait("refused", 20)).state is State.REVERTED
    await devnet.revert(remembered)
    await devnet.set_automine(on=True)
    await devnet.set_code(dollar.address, code)

    nonce = await client.nonce(ALICE)
    await sender.advance()
    await devnet.mine()
    assert await client.nonce(ALICE) == nonce + 1
    assert (await sender.find("refused")).state is State.REVERTED
    await sender.execute(dollar.mint(BOB, 1), "next")
    assert await dollar.balance_of(BOB) == 1


async def test_a_node_that_is_behind_loses_nothing(anvil: Anvil, files: Database, dollar: TestDollar):
    class Behind(Client):
        late = False

        async def nonce(self, address: Address, block: Block = "latest") -> int:
            return 0 if self.late else await super().nonce(address, block)

    async with Behind(anvil.url) as behind:
        sender = new_sender(behind, files)
        await sender.execute(dollar.mint(BOB, 1), "mint")
        behind.late = True
        assert await sender.lost() == []
        await sender.advance()
        assert (await sender.find("mint")).state is State.CONFIRMED
        with pytest.raises(NonceGap, match="Try again in a few seconds"):
            await sender.send(dollar.mint(BOB, 2), "more")


async def test_transactions_that_wait_in_the_node_are_counted(
    sender: Sender, client: Client, devnet: Devnet, signer: KeySigner
):
    await devnet.set_automine(on=False)
    foreign = signed_transaction(DEVNET_CHAIN_ID, 0, Offer(9 * GWEI, GWEI), 21_000, Call(CAROL, b"", 1), signer.sign)
    await client.send_raw(foreign)
    assert (await sender.send(Call(BOB, b"", 1), "mine")).nonce == 1


async def test_a_nonce_that_nobody_uses_any_more_is_filled(
    sender: Sender, client: Client, devnet: Devnet, dollar: TestDollar, signer: KeySigner
):
    await devnet.set_automine(on=False)
    foreign = signed_transaction(DEVNET_CHAIN_ID, 0, Offer(9 * GWEI, GWEI), 21_000, Call(CAROL, b"", 1), signer.sign)
    await client.send_raw(foreign)
    assert (await sender.send(dollar.mint(BOB, 5), "stuck behind")).nonce == 1
    await devnet.drop(hash32_from_bytes(keccak(foreign)))
    assert (await sender.send(dollar.mint(BOB, 6), "fills")).nonce == 0
    assert (await sender.send(dollar.mint(BOB, 7), "next")).nonce == 2
    await sender.advance()
    await devnet.mine(2)
    for key in ("stuck behind", "fills", "next"):
        assert (await sender.wait(key, 10)).state is State.CONFIRMED
    assert await dollar.balance_of(BOB) == 18


async def test_those_who_wait_together_look_together(client: Client, files: Database, dollar: TestDollar):
    sender = new_sender(client, files, poll_seconds=60)
    looked = 0
    advance = sender.advance

    async def counted() -> None:
        nonlocal looked
        looked += 1
        await advance()

    sender.advance = counted
    await Devnet(client).set_automine(on=False)
    for number in range(4):
        await sender.send(dollar.mint(BOB, number), f"mint/{number}")
    await asyncio.gather(*(sender.wait(f"mint/{number}", 0) for number in range(4)))
    assert looked == 2, "one for the first, one for those who came while it looked"


async def test_a_node_that_refuses_to_look_leaves_a_call_pending(anvil: Anvil, files: Database, dollar: TestDollar):
    class Pruned(Client):
        async def nonce(self, address: Address, block: Block = "latest") -> int:
            if isinstance(block, int):
                raise RpcRefused("eth_getTransactionCount", -32000, "missing trie node")
            return await super().nonce(address, block)

    async with Pruned(anvil.url) as pruned:
        with pytest.raises(StillPending):
            await new_sender(pruned, files).execute(dollar.mint(BOB, 5), "mint", timeout_seconds=0.2)


async def test_a_receipt_that_is_late_does_not_displace_a_call(anvil: Anvil, files: Database, dollar: TestDollar):
    class Late(Client):
        late = True

        async def receipts(self, transactions: Sequence[Hash32]) -> list[Receipt | None]:
            return [None] * len(transactions) if self.late else await super().receipts(transactions)

    async with Late(anvil.url) as late:
        sender = new_sender(late, files)
        await sender.send(dollar.mint(BOB, 5), "mint")
        assert (await sender.wait("mint", 0.5)).state is State.PENDING
        assert await dollar.balance_of(BOB) == 5
        late.late = False
        assert (await sender.wait("mint", 10)).state is State.CONFIRMED


async def test_a_nonce_that_nothing_is_seen_to_use_displaces_no_call(anvil: Anvil, files: Database, dollar: TestDollar):
    """A node under load says what a nonce will be before it has the block that makes it so."""

    class Ahead(Client):
        ahead = True

        async def nonce(self, address: Address, block: Block = "latest") -> int:
            return await super().nonce(address, block) + (isinstance(block, int) and self.ahead)

        async def receipts(self, transactions: Sequence[Hash32]) -> list[Receipt | None]:
            return [None] * len(transactions) if self.ahead else await super().receipts(transactions)

    async with Ahead(anvil.url) as ahead:
        sender = new_sender(ahead, files)
        await Devnet(ahead).set_automine(on=False)
        await sender.send(dollar.mint(BOB, 5), "mint")
        assert (await sender.wait("mint", 0.3)).state is State.PENDING
        await Devnet(ahead).mine()
        await Devnet(ahead).set_automine(on=True)
        ahead.ahead = False
        assert (await sender.wait("mint", 10)).state is State.CONFIRMED


async def test_devnet_keys_send_on_devnets_only(client: Client, files: Database, signer: KeySigner):
    with pytest.raises(Denied, match="publicly known devnet key"):
        Sender(client, signer, files, ChainId(8453))
