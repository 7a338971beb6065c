"""What stands on a chain, in the order in which it must come: one readable plan for public chains, one for devnets."""

from dataclasses import dataclass

from usufruct.chain.anvil import Devnet
from usufruct.chain.binding import Contract, Creation
from usufruct.chain.client import Client
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.batch_settlement import BatchSettlement, ChannelConfig
from usufruct.chain.contracts.erc3009_deposit_collector import ERC3009DepositCollector
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.till import Till
from usufruct.chain.contracts.wrapped_native import WrappedNative
from usufruct.chain.deployments import ContractDeployer, Deployments, address_of
from usufruct.chain.escrow import COLLECTOR, SETTLEMENT, channel_digest
from usufruct.chain.sender import Sender
from usufruct.chain.typed_data import as_hash32
from usufruct.core import Address, ChainId, Conflict, Faulty, checksum


class SettlementMismatch(Faulty):
    """The settlement contract and x402 clients disagree about what a channel's id is."""

    code = "settlement_mismatch"


class EscrowMissing(Conflict):
    """The chain has no x402 escrow, or not its collector of deposits."""

    code = "escrow_missing"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an operator decides before deploying.

    `owner` sets fee, sink, guardian and revenue tokens (meant to be a timelock) and owns the till; `guardian` may pause
    for 14 days in total; `fee_sink` receives the protocol fee, `fee_bps` hundredths of a percent, at most 1000.
    """

    owner: Address
    guardian: Address
    fee_sink: Address
    fee_bps: int = 0
    contract_uri: str = ""


async def deploy_all(
    deployer: ContractDeployer, client: Client, chain_id: ChainId, terms: Terms, wrapped_native: Address
) -> Deployments:
    """Deploy what one installation needs, on top of x402's settlement and the chain's wrapped native coin.

    Raises:
        EscrowMissing: when the chain has no x402 escrow.
        SettlementMismatch: when the settlement contract is not the one the x402 package signs for.
    """
    await check_settlement(client, chain_id)
    for contract, creation in creations(terms, wrapped_native):
        await deployer.deploy(contract, creation)
    return deployer.deployments


def creations(terms: Terms, wrapped_native: Address) -> list[tuple[type[Contract], Creation]]:
    """Return our contracts in the order in which they are deployed, with their arguments."""
    registry = AssetRegistry.deploy(
        terms.owner, terms.guardian, terms.fee_sink, terms.fee_bps, wrapped_native, terms.contract_uri
    )
    return [
        (AssetRegistry, registry),
        (AccessPass, AccessPass.deploy(address_of(AssetRegistry, registry))),
        (Till, Till.deploy(terms.owner, SETTLEMENT)),
    ]


async def deploy_devnet(client: Client, sender: Sender, chain_id: ChainId, terms: Terms) -> Deployments:
    """Deploy the same on a devnet, together with what a public chain has already; idempotent.

    The sender owns the registry at first when `terms.owner` is its address: only then is the test dollar listed.
    """
    deployer = ContractDeployer(client, sender, chain_id)
    await _stand_at(deployer, client, BatchSettlement, BatchSettlement.deploy(), SETTLEMENT)
    collector = ERC3009DepositCollector.deploy(SETTLEMENT)
    await _stand_at(deployer, client, ERC3009DepositCollector, collector, COLLECTOR)
    wrapped_native = await deployer.deploy(WrappedNative, WrappedNative.deploy())
    dollar = await deployer.deploy(TestDollar, TestDollar.deploy())
    deployments = await deploy_all(deployer, client, chain_id, terms, wrapped_native.address)
    registry = AssetRegistry(deployments.address(AssetRegistry), client)
    if terms.owner == sender.address and not await registry.is_revenue_token(dollar.address):
        await sender.execute(registry.list_revenue_token(dollar.address), f"list/{registry.address}/{dollar.address}")
    return deployments


async def _stand_at(
    deployer: ContractDeployer,
    client: Client,
    contract: type[BatchSettlement] | type[ERC3009DepositCollector],
    creation: Creation,
    place: Address,
) -> None:
    """Deploy a contract and copy the code of the live instance, immutables and all, to the address x402 gives it."""
    instance = await deployer.deploy(contract, creation)
    code = await client.code_at(instance.address)
    if await client.code_at(place) != code:
        await Devnet(client).set_code(place, code)
    await deployer.adopt(contract, place)


async def check_escrow(client: Client, chain_id: ChainId) -> None:
    """Check that x402's escrow and its collector of deposits are on the chain.

    They cannot be deployed by us: their addresses come from x402's own build and salt, which are not published in the
    package. Another build at another address is a contract that no x402 client pays into.

    Raises:
        EscrowMissing: when one is not; names it and where it should be.
    """
    for name, place in (("batch settlement", SETTLEMENT), ("collector of EIP-3009 deposits", COLLECTOR)):
        if not await client.code_at(place):
            raise EscrowMissing(
                f"chain {chain_id} has no x402 {name} at {checksum(place)}. Nothing was sent. Use a chain that x402's "
                "batch settlement is on (Base 8453, Base Sepolia 84532), or have x402's maintainers deploy it there: "
                "it has the same address on every chain",
                chain_id=chain_id,
                contract=name,
                address=place,
            )


async def check_settlement(client: Client, chain_id: ChainId) -> None:
    """Compare a channel's id as the contract at x402's address computes it with what x402 clients compute.

    Raises:
        EscrowMissing: when there is no contract.
        SettlementMismatch: when they differ: vouchers signed by x402 clients would be worthless.
    """
    await check_escrow(client, chain_id)
    config = ChannelConfig(
        payer=Address("0x" + "11" * 20),
        payer_authorizer=Address("0x" + "22" * 20),
        receiver=Address("0x" + "33" * 20),
        receiver_authorizer=Address("0x" + "44" * 20),
        token=Address("0x" + "55" * 20),
        withdraw_delay=86_400,
        salt=bytes(range(32)),
    )
    ours = "0x" + (await BatchSettlement(SETTLEMENT, client).get_channel_id(config)).hex()
    parties = (config.payer, config.payer_authorizer, config.receiver, config.receiver_authorizer, config.token)
    digest = channel_digest(chain_id, parties, config.withdraw_delay, as_hash32(config.salt))
    if ours != (published := "0x" + digest.hex()):
        raise SettlementMismatch(
            f"{SETTLEMENT} on chain {chain_id} computes channel id {ours}, x402 {published}; use a chain with x402's "
            "batch settlement",
            contract=ours,
            published=published,
        )
