"""Checks of the chain: the node, the contracts, the keys and what they sent."""

import asyncio
from collections.abc import AsyncIterator

from usufruct.chain.access import ChainAccess, check_chain_id
from usufruct.chain.client import Client
from usufruct.chain.deployment import NotDeployed
from usufruct.chain.escrow import check_escrow, check_settlement
from usufruct.chain.keys import KeystoreMissing, Role, closed_key, role_address, signer_of
from usufruct.chain.store import stream_gaps
from usufruct.config import Config
from usufruct.core import Clock, checksum, format_units, moment
from usufruct.core.diagnostics import Finding, bad, good, skipped
from usufruct.core.networks import is_devnet

_MOST_BEHIND = 120
_NEWEST_BLOCKS = 4
_DAY = 86_400
_MOST_SKEW = 30
_STUCK_BLOCKS = 20
_CLAIMS, _CLAIM_GAS = 20, 300_000
"""Gas money that should be there: for so many claims of few channels."""


async def check_node(chain: ChainAccess) -> AsyncIterator[Finding]:
    """Check that the node is on the configured chain, and that the chain's clock agrees with ours."""
    config, client = chain.config, chain.client
    await check_chain_id(client, config)
    head = await client.head()
    ahead = head.timestamp - Clock().now()
    if await client.ask("eth_syncing"):
        yield bad("node", f"it is catching up, at block {head.number}", "wait until it has")
    elif not is_devnet(config.chain.id) and -ahead > _MOST_BEHIND:
        yield bad("node", f"its newest block is {-ahead} s old", "check the node, or this machine's clock")
    else:
        yield good("node", f"chain {config.chain.id}, block {head.number}")
    if ahead > _MOST_SKEW:
        yield bad("clock", f"the chain's clock is {ahead} s ahead of this machine's", "have the clock set by NTP")
    else:
        yield good("clock", "not behind the chain's")


async def check_logs(chain: ChainAccess) -> AsyncIterator[Finding]:
    """Check that the node's logs are as new as its blocks, and were at every read of a worker."""
    if hidden := await chain.client.hidden_logs(_NEWEST_BLOCKS):
        yield bad(
            "logs",
            f"the node answers no logs of block {hidden[0]}, which has some: its logs lag its head",
            "set chain.rpc_url to another node; a worker reads them later, withdrawals too",
        )
    now = await chain.database.now()
    for gaps in await stream_gaps(chain.database):
        if now - gaps.last_at < _DAY:
            yield bad(
                "logs",
                f"the node hid logs of {gaps.stream} {gaps.times} times, the last time {moment(gaps.last_at)}; they "
                "were read later",
                "set chain.rpc_url to a node whose logs do not lag",
            )
            return
    if not hidden:
        yield good("logs", f"as new as the node's blocks, on chain {chain.chain_id}")


async def check_contracts(chain: ChainAccess) -> AsyncIterator[Finding]:
    """Our contracts are deployed and their code is what was deployed; x402's settlement computes x402's ids."""
    if not is_devnet(chain.chain_id):
        await check_escrow(chain.client, chain.chain_id)
    if not chain.deployments.contracts:
        raise NotDeployed(f"nothing is deployed on chain {chain.chain_id}; run `usufruct deploy`")
    await chain.deployments.verify(chain.client)
    yield good("contracts", f"{len(chain.deployments.contracts)} stand where they were deployed")
    await check_settlement(chain.client, chain.chain_id)
    yield good("settlement", "computes channel ids as the x402 package does")


async def check_keys(config: Config) -> AsyncIterator[Finding]:
    """Check that each role has a separate key; the owner's may be elsewhere."""
    holders: dict[str, Role] = {}
    for role in Role:
        try:
            found = closed_key(role, config).address
        except KeystoreMissing as missing:
            if role is Role.OWNER:
                yield skipped(f"{role} key", "not on this machine: right for a cold key")
            elif role is Role.CLAIM and config.claims.address:
                yield skipped(f"{role} key", "not on this machine, which knows its address: right for a gateway")
            else:
                yield bad(f"{role} key", missing.message, "")
            continue
        if other := holders.get(found):
            yield bad(f"{role} key", f"{checksum(found)} is the key of {other} too", "give each role its own")
        else:
            yield good(f"{role} key", checksum(found))
        holders[found] = role


async def check_keystores(config: Config) -> AsyncIterator[Finding]:
    """Check that the password opens each keystore that is here."""
    here = [role for role in Role if role_address(role, config)]
    for role in here:
        await asyncio.to_thread(signer_of, role, config)
    if here:
        yield good("keys", f"can sign: {', '.join(here)}")


async def gas_needed(client: Client) -> int:
    """Return how many coins a key that sends should hold, in atomic units, at the gas price of the newest block."""
    return max(_CLAIMS * _CLAIM_GAS * (await client.head()).base_fee, 1)


async def check_gas(chain: ChainAccess) -> AsyncIterator[Finding]:
    """Check that the keys that send can pay for gas, and that their transactions are mined."""
    needed = await gas_needed(chain.client)
    for role in Role:
        address = role_address(role, chain.config)
        if address is None or role is Role.RECEIPTS:  # which sends nothing
            continue
        held = await chain.client.balance(address)
        says = f"{role} key {checksum(address)} holds {format_units(held, 18)} of the chain's coin"
        if held < needed:
            yield bad("gas money", says, f"send it {format_units(needed, 18)} or more")
        else:
            yield good("gas money", says)
        sender = chain.sender(closed_key(role, chain.config))
        if lost := await sender.lost():
            yield bad(
                "transactions",
                f"{len(lost)} of the {role} key that were final are not on the chain any more, from nonce "
                f"{lost[0].nonce} on ({lost[0].key}): the chain went back",
                "run a worker (`usufruct up` or `usufruct worker`): it sends them again",
            )
        for sent in await sender.stuck(_STUCK_BLOCKS):
            why = f"; the node says: {sent.trouble}" if sent.trouble else ""
            yield bad("transactions", f"{sent.key} waits with nonce {sent.nonce}{why}", "see that a worker runs")
