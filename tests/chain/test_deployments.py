"""The same contracts at the same addresses, deployed once, verified, and understood by x402's package."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from x402.mechanisms.evm.batch_settlement.constants import (
    BATCH_SETTLEMENT_ADDRESS,
    ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
)
from x402.mechanisms.evm.batch_settlement.types import ChannelConfig as PublishedConfig
from x402.mechanisms.evm.batch_settlement.utils import compute_channel_id

from tests.support.deploying import deploy_devnet, setup_of
from tests.support.devnet import Devnet
from usufruct.chain import Client, Sender, keccak
from usufruct.chain.contract_base import Creation
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.batch_settlement import BatchSettlement, ChannelConfig
from usufruct.chain.contracts.erc3009_deposit_collector import ERC3009DepositCollector
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.till import Till
from usufruct.chain.contracts.wrapped_native import WrappedNative
from usufruct.chain.contracts.wrapped_shares_factory import WrappedSharesFactory
from usufruct.chain.deployment import Deployments, DeploySite, NotDeployed, address_of
from usufruct.chain.deployment.address_book import DEPLOYER, Deployed
from usufruct.chain.escrow import COLLECTOR, SETTLEMENT, check_settlement
from usufruct.chain.keys import DEVNET_ADDRESSES, KeySigner
from usufruct.core import Address, ChainId, Conflict, Faulty, Invalid, Unavailable, checksum, hash32_from_bytes
from usufruct.core.networks import DEVNET_CHAIN_ID
from usufruct.store import Database
from usufruct_client import channel_id, wire

OWNER, GUARDIAN, SINK = DEVNET_ADDRESSES[0], DEVNET_ADDRESSES[1], DEVNET_ADDRESSES[2]
SETUP = setup_of(OWNER, SINK, guardian=GUARDIAN, fee_bps=250)


@pytest.fixture
def sender(client: Client, files: Database, signer: KeySigner) -> Sender:
    return Sender(client, signer, files, DEVNET_CHAIN_ID, poll_seconds=0.02)


@pytest.fixture
def site(client: Client, sender: Sender) -> DeploySite:
    return DeploySite(client, sender, Deployments(DEVNET_CHAIN_ID, {}), SETUP)


@pytest.mark.anvil
async def test_a_devnet_gets_everything_and_only_once(client: Client, sender: Sender, tmp_path: Path):
    deployed = await deploy_devnet(client, sender, DEVNET_CHAIN_ID, SETUP)
    block = await client.block_number()
    assert await deploy_devnet(client, sender, DEVNET_CHAIN_ID, SETUP) == deployed
    assert await client.block_number() == block

    registry = AssetRegistry(deployed.address(AssetRegistry), client)
    dollar, wrapped = deployed.address(TestDollar), deployed.address(WrappedNative)
    assert await registry.owner() == OWNER
    assert await registry.revenue_tokens() == (wrapped, dollar)
    implementation = await registry.shares_implementation()
    assert Shares.ARTIFACT.is_runtime(await client.code_at(implementation))
    assert await AccessPass(deployed.address(AccessPass), client).registry() == registry.address
    exchange = Exchange(deployed.address(Exchange), client)
    assert await exchange.registry() == registry.address
    assert await exchange.wrapped_native() == wrapped
    assert await exchange.owner() == OWNER
    fee = await exchange.protocol_fee()
    assert (fee.sink, fee.bps) == (SINK, 250)
    wrappers = WrappedSharesFactory(deployed.address(WrappedSharesFactory), client)
    assert await wrappers.registry() == registry.address
    till = Till(deployed.address(Till), client)
    assert (await till.owner(), await till.settlement()) == (OWNER, SETTLEMENT)
    collector = ERC3009DepositCollector(COLLECTOR, client)
    assert await collector.x402_batch_settlement() == SETTLEMENT

    deployed.write(tmp_path)
    assert Deployments.read(tmp_path, DEVNET_CHAIN_ID) == deployed
    assert checksum(SETTLEMENT) in (tmp_path / "31337.json").read_text()
    await deployed.verify(client)


@pytest.mark.anvil
async def test_the_canonical_addresses_are_x402s(client: Client, sender: Sender):
    deployed = await deploy_devnet(client, sender, DEVNET_CHAIN_ID, SETUP)
    assert deployed.address(BatchSettlement) == SETTLEMENT == BATCH_SETTLEMENT_ADDRESS.lower()
    assert deployed.address(ERC3009DepositCollector) == COLLECTOR == ERC3009_DEPOSIT_COLLECTOR_ADDRESS.lower()


@pytest.mark.anvil
async def test_every_channel_has_the_id_that_x402_computes(client: Client, sender: Sender):
    await deploy_devnet(client, sender, DEVNET_CHAIN_ID, SETUP)
    settlement = BatchSettlement(SETTLEMENT, client)
    random = Random(402)
    for _ in range(15):
        config = ChannelConfig(
            *(Address("0x" + random.randbytes(20).hex()) for _ in range(5)),
            withdraw_delay=random.getrandbits(40),
            salt=random.randbytes(32),
        )
        parties = (config.payer, config.payer_authorizer, config.receiver, config.receiver_authorizer, config.token)
        ours = channel_id(
            wire.ChannelConfig(*parties, config.withdraw_delay, hash32_from_bytes(config.salt)), DEVNET_CHAIN_ID
        )
        published = PublishedConfig(*parties, withdraw_delay=config.withdraw_delay, salt="0x" + config.salt.hex())
        assert hash32_from_bytes(await settlement.get_channel_id(config)) == ours
        assert compute_channel_id(published, int(DEVNET_CHAIN_ID)) == ours


@pytest.mark.anvil
async def test_a_settlement_that_disagrees_with_x402_is_refused(client: Client, sender: Sender):
    await deploy_devnet(client, sender, DEVNET_CHAIN_ID, SETUP)
    await check_settlement(client, DEVNET_CHAIN_ID)
    with pytest.raises(Faulty, match="use a chain with x402's"):
        await check_settlement(client, ChainId(8453))


@pytest.mark.anvil
async def test_code_that_was_changed_is_noticed(client: Client, sender: Sender):
    deployed = await deploy_devnet(client, sender, DEVNET_CHAIN_ID, SETUP)
    await Devnet(client).set_code(deployed.address(Till), await client.code_at(deployed.address(AccessPass)))
    with pytest.raises(Conflict, match=r"Till at .* is not what was deployed"):
        await deployed.verify(client)
    with pytest.raises(Conflict, match=r"Till should be at .* has [0-9]+ bytes of other code"):
        await deploy_devnet(client, sender, DEVNET_CHAIN_ID, SETUP)


@pytest.mark.anvil
async def test_addresses_are_known_before_deploying(client: Client, site: DeploySite):
    creation = WrappedNative.deploy()
    there = address_of(WrappedNative, creation)
    assert await client.code_at(there) == b""
    await site.deploy(WrappedNative, creation)
    found = site.deployments.contracts["WrappedNative"]
    code = await client.code_at(there)
    block = await client.block_number()
    assert found == Deployed(there, WrappedNative.ARTIFACT.version, "0x" + keccak(code).hex(), block)


@pytest.mark.anvil
async def test_logs_are_read_from_before_the_deployment_on(client: Client, sender: Sender, tmp_path: Path, monkeypatch):
    horizon = 20
    monkeypatch.setattr("usufruct.chain.deployment.address_book.HORIZON_BLOCKS", horizon)
    await Devnet(client).mine(horizon + 2)
    before = await client.block_number()
    made = await deploy_devnet(client, sender, DEVNET_CHAIN_ID, SETUP)
    again = await deploy_devnet(client, sender, DEVNET_CHAIN_ID, SETUP)
    made.write(tmp_path)
    for found in (made, again, Deployments.read(tmp_path, DEVNET_CHAIN_ID)):
        assert before - horizon < found.first_block(Till) < before
    unseen = replace(made, contracts={"Till": replace(made.contracts["Till"], block=0)})
    assert unseen.first_block(Till) == 0


def test_another_argument_is_another_address():
    one, other = (Till.deploy(owner, SETTLEMENT) for owner in (OWNER, GUARDIAN))
    assert len({address_of(Till, one), address_of(Till, other), address_of(AccessPass, one)}) == 3


@pytest.mark.anvil
async def test_a_chain_without_the_deployer_is_told_what_to_do(client: Client, site: DeploySite):
    await Devnet(client).set_code(DEPLOYER, b"")
    with pytest.raises(Unavailable, match="chain 31337 has no deterministic deployer at 0x4e59b44847b3795785889"):
        await site.deploy(WrappedNative, WrappedNative.deploy())


@pytest.mark.anvil
async def test_a_refusing_constructor_raises_its_own_error(client: Client, site: DeploySite, traps: ModuleType):
    creation = traps.Traps.deploy(5, [traps.Point(1, 2), traps.Point(3, 4)], "")
    with pytest.raises(traps.Plain):
        await site.deploy(traps.Traps, creation)
    assert await client.nonce(OWNER) == 0


@pytest.mark.anvil
async def test_immutables_do_not_hide_a_contract(
    client: Client, site: DeploySite, traps: ModuleType, create: Callable[[Creation], Awaitable[Address]]
):
    creation = traps.Traps.deploy(2**255 + 5, [traps.Point(1, 2), traps.Point(3, 4)], "x")
    code = await client.code_at(await create(creation))
    assert (2**255 + 5).to_bytes(32, "big") in code
    assert traps.Traps.ARTIFACT.is_runtime(code)
    assert not traps.Traps.ARTIFACT.is_runtime(code[:-1] + bytes([code[-1] ^ 1]))
    assert not traps.Traps.ARTIFACT.is_runtime(b"")


def test_what_is_not_deployed_is_said_by_name(tmp_path: Path):
    nothing = Deployments.read(tmp_path, ChainId(10))
    assert nothing.contracts == {}
    with pytest.raises(NotDeployed, match="Till is not deployed on chain 10"):
        nothing.address(Till)


def test_a_damaged_file_is_named_with_its_remedy(tmp_path):
    (tmp_path / "10.json").touch()
    with pytest.raises(Invalid, match=r"10\.json is not JSON; remove it and run `usufruct deploy`"):
        Deployments.read(tmp_path, ChainId(10))
