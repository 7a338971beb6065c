"""A service whose title is in a trust, so that its shareholders decide about it."""

from usufruct.app import Installation
from usufruct.assets import FREE, SUPPLY, Assets, Holding, Listings, NewAsset, RegistryClient
from usufruct.chain import ChainAccess, TokenFacts
from usufruct.chain.contracts.asset_registry import Kind
from usufruct.chain.contracts.title_trust import Terms
from usufruct.chain.keys import devnet_signer
from usufruct.core import ZERO_ADDRESS, Address, AssetId
from usufruct.gateway import Operator, registered_listing
from usufruct.governance.trusts import TitleTrusts

HOUR, DAY = 3_600, 86_400


async def entrusted(installation: Installation, *holders: Address) -> AssetId:
    """Sell a service whose title is in a trust; each holder has 40 % of its shares."""
    chain, registry = installation.get(ChainAccess), installation.get(RegistryClient)
    owner = chain.sender(devnet_signer(4, chain.chain_id))
    terms = NewAsset(
        name="voted",
        symbol="VOTED",
        currency=installation.get(TokenFacts).address,
        card=FREE,
        kind=Kind.MODEL,
        notice_period=HOUR,
        transfer_policy=ZERO_ADDRESS,
        resale_royalty_bps=0,
    )
    shares = SUPPLY // 10 * 4
    made = await Assets(registry).register(owner, terms, [Holding(each, shares) for each in holders])
    listing = await registered_listing(registry, installation.get(Operator), "voted", "chat", made.id, 4_096)
    await installation.get(Listings).add(listing)
    trusts = installation.get(TitleTrusts)
    await trusts.give(owner, made.id, await trusts.create(owner, made.id, Terms(HOUR, DAY, 100, 5_000)))
    await trusts.delegate(owner, made.id, owner.address)
    return made.id
