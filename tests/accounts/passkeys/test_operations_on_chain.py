"""The shipped bytecode of passkey accounts on a node: a passkey's first operation creates the account and pays."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.support.devnet import Devnet, devnet_client
from tests.support.passkeys import BATCH_MODE, SoftwarePasskey, batch
from usufruct.chain import Call, Client
from usufruct.chain.anvil import Anvil
from usufruct.chain.contracts.entry_point import EntryPoint, FailedOp, PackedUserOperation, UserOperationEvent
from usufruct.chain.contracts.passkey_account import PasskeyAccount
from usufruct.chain.contracts.passkey_account_factory import PasskeyAccountFactory
from usufruct.chain.contracts.passkey_verifier import PasskeyVerifier
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.deployment import address_of
from usufruct.chain.deployment.address_book import deployment_of
from usufruct.chain.entry_point import ENTRY_POINT, find_artifact, place_entry_point
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import Address

pytestmark = pytest.mark.anvil

NO_WALLET = Address("0x" + "00" * 20)
SELLER = Address("0x" + "5e" * 20)
RELAYER = DEVNET_ADDRESSES[0]
SALT = b"\x07" * 32
LIMITS = (1_500_000).to_bytes(16, "big") + (500_000).to_bytes(16, "big")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A node with the EntryPoint, the verifier, the factory and a dollar."""
    async with Anvil() as anvil, devnet_client(anvil.url) as opened:
        await place_entry_point(opened, find_artifact().read_bytes())
        verifier = PasskeyVerifier.deploy()
        factory = PasskeyAccountFactory.deploy(address_of(PasskeyVerifier, verifier))
        for contract, creation in (
            (PasskeyVerifier, verifier),
            (PasskeyAccountFactory, factory),
            (TestDollar, TestDollar.deploy()),
        ):
            await Devnet(opened).send_as(RELAYER, deployment_of(contract, creation))
        yield opened


async def test_a_passkey_without_native_coin_pays_by_its_first_operation(client: Client):
    verifier = address_of(PasskeyVerifier, PasskeyVerifier.deploy())
    factory = PasskeyAccountFactory(address_of(PasskeyAccountFactory, PasskeyAccountFactory.deploy(verifier)), client)
    dollar = TestDollar(address_of(TestDollar, TestDollar.deploy()), client)
    entry_point, passkey, devnet = EntryPoint(ENTRY_POINT, client), SoftwarePasskey(0xFACE), Devnet(client)
    signers = [passkey.signer(verifier)]
    account = await factory.predict(signers, NO_WALLET, 0, SALT)
    wallet = PasskeyAccount(account, client)
    await devnet.send_as(RELAYER, dollar.mint(account, 30_000_000))

    async def operation(paid: int, *, creates: bool) -> PackedUserOperation:
        creation = factory.create(signers, NO_WALLET, 0, SALT)
        unsigned = PackedUserOperation(
            sender=account,
            nonce=await entry_point.get_nonce(account, 0),
            init_code=bytes.fromhex(creation.to[2:]) + creation.data if creates else b"",
            call_data=wallet.execute(BATCH_MODE, batch(dollar.transfer(SELLER, paid)), value=0).data,
            account_gas_limits=LIMITS,
            pre_verification_gas=0,
            gas_fees=bytes(32),
            paymaster_and_data=b"",
            signature=b"",
        )
        return replace(unsigned, signature=passkey.sign(verifier, await entry_point.get_user_op_hash(unsigned)))

    async def send(call: Call) -> UserOperationEvent:
        receipt = await client.receipt(await devnet.send_as(RELAYER, call))
        assert receipt is not None
        events = [entry_point.decode_log(log) for log in receipt.logs if log.address == ENTRY_POINT]
        return next(event for event in events if isinstance(event, UserOperationEvent))

    first = await operation(10_000_000, creates=True)
    assert (await send(entry_point.handle_ops([first], RELAYER))).success
    later = await operation(5_000_000, creates=False)
    assert (await send(entry_point.handle_ops([later], RELAYER))).success

    assert await dollar.balance_of(SELLER) == 15_000_000
    assert await client.balance(account) == 0
    assert list(await wallet.get_signers(0, 8)) == signers
    with pytest.raises(FailedOp, match="AA25"):
        await client.call(entry_point.handle_ops([later], RELAYER), sender=RELAYER)
