"""Checks of the chain: the node, the contracts, the token, the keys and what they may do."""

from collections.abc import AsyncIterator

from usufruct.chain import (
    DEVNET_CHAINS,
    ChainAccess,
    Client,
    KeySigner,
    KeystoreMissing,
    Role,
    check_escrow,
    check_settlement,
    claim_address,
    fee_sink_of,
    signer_of,
    stream_gaps,
    token_of,
)
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.cli.doctor.findings import Finding, bad, good, skipped
from usufruct.config import Config
from usufruct.core import ZERO_ADDRESS, SystemClock, checksum, format_units, moment
from usufruct.store import Database

_MOST_BEHIND = 120
_NEWEST_BLOCKS = 4
_DAY = 86_400
_MOST_SKEW = 30
_STUCK_BLOCKS = 20
_CLAIMS, _CLAIM_GAS = 20, 300_000
"""Gas money that should be there: for so many claims of few channels."""


async def check_node(config: Config, client: Client) -> AsyncIterator[Finding]:
    """The node is where the chain is, and the chain's clock is ours."""
    head = await client.header()
    assert head is not None
    ahead = head.timestamp - SystemClock().now()
    if await client.ask("eth_syncing"):
        yield bad("node", f"it is catching up, at block {head.number}", "wait until it has")
    elif config.chain.id not in DEVNET_CHAINS and -ahead > _MOST_BEHIND:
        yield bad("node", f"its newest block is {-ahead} s old", "check the node, or this machine's clock")
    else:
        yield good("node", f"chain {config.chain.id}, block {head.number}")
    if ahead > _MOST_SKEW:
        yield bad("clock", f"the chain's clock is {ahead} s ahead of this machine's", "have the clock set by NTP")
    else:
        yield good("clock", "not behind the chain's")


async def check_logs(config: Config, client: Client, database: Database | None) -> AsyncIterator[Finding]:
    """The node's logs are as new as its blocks, and were whenever a worker read them."""
    if hidden := await client.hidden_logs(_NEWEST_BLOCKS):
        yield bad(
            "logs",
            f"the node answers no logs of block {hidden[0]}, which has some: its logs lag its head",
            "set chain.rpc_url to another node; a worker reads them later, withdrawals too",
        )
    now = await database.now() if database else 0
    for gaps in await stream_gaps(database) if database else ():
        if now - gaps.last_at < _DAY:
            yield bad(
                "logs",
                f"the node hid logs of {gaps.stream} {gaps.times} times, the last time {moment(gaps.last_at)}; they "
                "were read later",
                "set chain.rpc_url to a node whose logs do not lag",
            )
            return
    if not hidden:
        yield good("logs", f"as new as the node's blocks, on chain {config.chain.id}")


async def check_contracts(chain: ChainAccess) -> AsyncIterator[Finding]:
    """Our contracts are deployed and their code is what was deployed; x402's settlement computes x402's ids."""
    if chain.chain_id not in DEVNET_CHAINS:
        await check_escrow(chain.client, chain.chain_id)
    chain.deployments.address(Till)
    await chain.deployments.verify(chain.client)
    yield good("contracts", f"{len(chain.deployments.contracts)} stand where they were deployed")
    await check_settlement(chain.client, chain.chain_id)
    yield good("settlement", "computes channel ids as the x402 package does")


async def check_token(chain: ChainAccess) -> AsyncIterator[Finding]:
    """The token is one, and shares take it as revenue."""
    facts = await token_of(chain.config, chain.client, chain.deployments)
    registry = AssetRegistry(chain.deployments.address(AssetRegistry), chain.client)
    named = f"{facts.symbol} at {checksum(facts.address)}"
    if await registry.is_revenue_token(facts.address):
        yield good("token", f"{named}, {facts.decimals} decimals, counts as revenue")
    else:
        yield bad("token", f"{named} is no revenue token of the registry", "run `usufruct deploy` again")


async def check_keys(config: Config) -> AsyncIterator[Finding]:
    """Every role has a key of its own; the owner's may be elsewhere."""
    holders: dict[str, Role] = {}
    for role in Role:
        try:
            signer = signer_of(role, config)
        except KeystoreMissing as missing:
            if role is Role.OWNER:
                yield skipped(f"{role} key", "not on this machine: right for a cold key")
            elif role is Role.CLAIM and config.claims.address:
                yield skipped(f"{role} key", "not on this machine, which knows its address: right for a gateway")
            else:
                yield bad(f"{role} key", missing.message, "")
            continue
        if other := holders.get(signer.address):
            yield bad(f"{role} key", f"{checksum(signer.address)} is the key of {other} too", "give each role its own")
        else:
            yield good(f"{role} key", checksum(signer.address))
        holders[signer.address] = role


async def check_till(chain: ChainAccess) -> AsyncIterator[Finding]:
    """The till lets the claim key claim, obeys the owner's key, and pays the fee sink."""
    till = Till(chain.deployments.address(Till), chain.client)
    claim = claim_address(chain.config)
    if await till.claim_keys(claim):
        yield good("till", f"claim key {checksum(claim)} may claim")
    else:
        remedy = f"run `usufruct till claim-key {checksum(claim)}` where the owner's key is"
        yield bad("till", f"claim key {checksum(claim)} may not claim", remedy)
    owner = _key(Role.OWNER, chain.config)
    if owner is not None and await till.owner() != owner.address:
        yield bad("till", f"it obeys {checksum(await till.owner())}", "use that key as keystore `owner`")
    token = await token_of(chain.config, chain.client, chain.deployments)
    if cap := await till.daily_cap(ZERO_ADDRESS, token.address):
        yield good("till", f"pays one payee at most {format_units(cap, token.decimals)} {token.symbol} a day")
    else:
        remedy = "run `usufruct till cap AMOUNT` where the owner's key is"
        yield bad("till", "no daily cap: whoever steals the claim key and owns a payee takes all income", remedy)
    sink = fee_sink_of(chain.config)
    if await till.payees(sink) is PayeeKind.NONE:
        remedy = f"run `usufruct till payee {checksum(sink)}` where the owner's key is"
        yield bad("till", f"fee sink {checksum(sink)} is no payee: every claim fails", remedy)


async def check_gas(chain: ChainAccess) -> AsyncIterator[Finding]:
    """The keys that send can pay for it, and what they sent is mined."""
    head = await chain.client.header()
    needed = _CLAIMS * _CLAIM_GAS * (head.base_fee if head else 0)
    for role in Role:
        signer = _key(role, chain.config)
        if signer is None or role is Role.RECEIPTS:  # which sends nothing
            continue
        held = await chain.client.balance(signer.address)
        says = f"{role} key {checksum(signer.address)} holds {format_units(held, 18)} of the chain's coin"
        if held == 0 or held < needed:
            yield bad("gas money", says, f"send it {format_units(max(needed, 1), 18)} or more")
        else:
            yield good("gas money", says)
        sender = chain.sender(signer)
        if lost := await sender.lost():
            yield bad(
                "transactions",
                f"{len(lost)} of the {role} key that were final are not on the chain any more, from nonce "
                f"{lost[0].nonce} on ({lost[0].key}): the chain went back",
                "run a worker (`usufruct up` or `usufruct work`): it sends them again",
            )
        for sent in await sender.stuck(_STUCK_BLOCKS):
            why = f"; the node says: {sent.trouble}" if sent.trouble else ""
            yield bad("transactions", f"{sent.key} waits with nonce {sent.nonce}{why}", "see that a worker runs")


def _key(role: Role, config: Config) -> KeySigner | None:
    try:
        return signer_of(role, config)
    except KeystoreMissing:
        return None
