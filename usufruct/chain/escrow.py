"""x402's escrow: where it stands on every chain, and what a channel's id is there."""

from usufruct.chain.client import Client
from usufruct.chain.contracts.batch_settlement import BatchSettlement
from usufruct.chain.contracts.batch_settlement import ChannelConfig as OnChain
from usufruct.core import Address, ChainId, Conflict, Faulty, checksum, hash32_from_bytes
from usufruct_client.eip712_messages import COLLECTOR, SETTLEMENT
from usufruct_client.signing import channel_id
from usufruct_client.wire import ChannelConfig

__all__ = ["COLLECTOR", "SETTLEMENT", "check_escrow", "check_settlement"]


async def check_escrow(client: Client, chain_id: ChainId) -> None:
    """Check that x402's escrow and its collector of deposits are on the chain.

    They cannot be deployed by us: their addresses come from x402's own build and salt, which are not published in the
    package. Another build at another address is a contract that no x402 client pays into.

    Raises:
        Conflict: when one is not; names it and where it should be.
    """
    for name, place in (("batch settlement", SETTLEMENT), ("collector of EIP-3009 deposits", COLLECTOR)):
        if not await client.code_at(place):
            message = (
                f"chain {chain_id} has no x402 {name} at {checksum(place)}. Nothing was sent. Use a chain that x402's "
                "batch settlement is on (Base 8453, Base Sepolia 84532), or have x402's maintainers deploy it there: "
                "it has the same address on every chain"
            )
            raise Conflict(message, code="escrow_missing", chain_id=chain_id, contract=name, address=place)


async def check_settlement(client: Client, chain_id: ChainId) -> None:
    """Compare a channel's id as the contract at x402's address computes it with what x402 clients compute.

    Raises:
        Conflict: when the address has no contract.
        Faulty: when they differ: vouchers signed by x402 clients would be worthless.
    """
    await check_escrow(client, chain_id)
    payer, authorizer, receiver, receiver_authorizer, token = (Address(f"0x{each:040x}") for each in range(1, 6))
    parties, delay, salt = (payer, authorizer, receiver, receiver_authorizer, token), 86_400, bytes(range(32))
    ours = hash32_from_bytes(await BatchSettlement(SETTLEMENT, client).get_channel_id(OnChain(*parties, delay, salt)))
    published = channel_id(ChannelConfig(*parties, delay, hash32_from_bytes(salt)), chain_id)
    if ours != published:
        message = (
            f"{SETTLEMENT} on chain {chain_id} computes channel id {ours}, x402 {published}; use a chain with x402's "
            "batch settlement"
        )
        raise Faulty(message, code="settlement_mismatch", contract=ours, published=published)
