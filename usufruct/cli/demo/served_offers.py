"""What a chapter sells: services registered with shares and owners, and the gateway process that serves them."""

import asyncio

from usufruct.app import Installation
from usufruct.assets import Assets, Holding, Listing, NewAsset, PricePeriod, RegistryClient, symbol_of
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.keys import Role, devnet_signer, signer_of
from usufruct.cli.demo.outcome import CAPS, OWNERS, PARTS, Offer
from usufruct.cli.support.child_process import Process, stop_process
from usufruct.cli.support.instance_lock import Publish
from usufruct.config import Config, process_environment
from usufruct.core import AssetId
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import Catalogue, Operator, ServedListing, Upstream
from usufruct.payments.settlement import list_payee


async def start(config: Config, module: str, *arguments: str) -> Process:
    """Start a module of ours as a process of the demo's installation."""
    log = config.data.folder / f"{module.split('.')[-1]}.log"
    drain = config.gateway.longest_drain if "serve" in arguments else 0.0
    return await asyncio.to_thread(
        Process, module, *arguments, environment=process_environment(config), log=log, drain_seconds=drain
    )


class ServedOffers:
    """The services of one installation, which devnet accounts own, and the gateway that serves them."""

    def __init__(self, installation: Installation, publish: Publish) -> None:
        self._installation = installation
        self._publish = publish
        self.gateway: Process | None = None
        self.shares: dict[str, Shares] = {}

    @property
    def url(self) -> str:
        """Return the URL that clients call; the gateway runs."""
        assert self.gateway is not None
        return str(self.gateway.ready["url"])

    async def register(self, offer: Offer, prices: PriceCard) -> AssetId:
        """Register a service, give its shares to the owners, make its shares a payee of the till, and list it."""
        installation = self._installation
        chain_id, operator = installation.chain_id, installation.get(Operator)
        registrant = installation.sender(devnet_signer(OWNERS["owner, 70 %"], chain_id))
        terms = NewAsset(offer.name, symbol_of(offer.name), operator.token, prices, notice_period=3_600)
        gifts = [Holding(devnet_signer(OWNERS[who], chain_id).address, part) for who, part in PARTS.items()]
        made = await Assets(installation.get(RegistryClient)).register(registrant, terms, gifts)
        periods = (PricePeriod(prices, 0),)
        listing = Listing(offer.name, offer.endpoint, made.shares, made.id, periods, registered=True, caps=CAPS)
        till = Till(operator.till, installation.client)
        owner = installation.sender(signer_of(Role.OWNER, installation.config))
        await list_payee(till, owner, made.shares, PayeeKind.SHARES)
        served = ServedListing.of(listing, (Upstream(offer.url, offer.model),), offer.counting)
        await installation.get(Catalogue).add(served, offer.vocabulary)
        self.shares[offer.name] = Shares(made.shares, installation.client)
        return made.id

    async def serve(self) -> None:
        """Start the gateway, and let other commands find it."""
        config = self._installation.config
        self.gateway = await start(config, "usufruct.cli", "serve")
        self._publish({"url": self.url, "rpc_url": config.chain.rpc_url})

    async def collect(self) -> None:
        """Let every owner collect what the shares have received."""
        token = self._installation.get(Operator).token
        for name, shares in self.shares.items():
            for who, index in OWNERS.items():
                owner = self._installation.sender(devnet_signer(index, self._installation.chain_id))
                await owner.execute(shares.collect(token), f"demo/collect/{name}/{who}")

    async def stop(self) -> str:
        """Stop the gateway if it runs: running calls may finish for as long as its configuration says."""
        return await stop_process(self.gateway) if self.gateway else ""
