"""x402's escrow: where it stands on every chain, and what a channel's id is there."""

from collections.abc import Iterable

from usufruct.chain.client import Client
from usufruct.chain.contracts.batch_settlement import BatchSettlement, ChannelConfig
from usufruct.chain.typed_data import MessageHasher, as_hash32
from usufruct.core import Address, ChainId, Conflict, Faulty, Hash32, checksum
from usufruct_client.eip712 import CHANNEL

__all__ = [
    "COLLECTOR",
    "SETTLEMENT",
    "EscrowMissing",
    "SettlementMismatch",
    "channel_digest",
    "check_escrow",
    "check_settlement",
]

SETTLEMENT = Address("0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003")
"""x402's canonical batch settlement, the same on every chain."""

COLLECTOR = Address("0x4020806089470a89826cb9fb1f4059150b550004")
"""x402's canonical collector of EIP-3009 deposits."""

_CHANNEL = MessageHasher(CHANNEL)


def channel_digest(
    chain_id: ChainId, parties: Iterable[Address], withdraw_delay: int, salt: Hash32, contract: Address = SETTLEMENT
) -> bytes:
    """Return a channel's id: 32 bytes.

    `parties`: payer, payer authorizer, receiver, receiver authorizer, token. `withdraw_delay`: seconds, 40 bits.
    """
    return _CHANNEL.digest(chain_id, contract, *parties, withdraw_delay, salt)


class SettlementMismatch(Faulty):
    """The settlement contract and x402 clients disagree about what a channel's id is."""

    code = "settlement_mismatch"


class EscrowMissing(Conflict):
    """The chain has no x402 escrow, or not its collector of deposits."""

    code = "escrow_missing"


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
        EscrowMissing: when the address has no contract.
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
