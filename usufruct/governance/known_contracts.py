"""The contracts that proposals are read with: those of the installation, its tokens, and shares of its services."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from usufruct.chain import ChainAccess, TokenFacts, token_facts, token_of
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.platform_timelock import PlatformTimelock
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.interface import Interface, interface_of
from usufruct.core import Address, checksum
from usufruct.governance.errors import UnknownContract

TREASURY = "treasury"
"""Another name of the timelock: it holds the treasury."""


@dataclass(frozen=True, slots=True)
class KnownContract:
    """A contract whose interface is known, by the name that people call it."""

    name: str
    address: Address
    interface: Interface
    token: TokenFacts | None = None
    """Of an ERC-20 that the installation trusts: the token it charges in, and its platform token."""


class KnownContracts:
    """Looks contracts up by name and by address. `learn` adds shares, which are asked of the registry."""

    def __init__(self, contracts: Iterable[KnownContract], treasury: Address, registry: AssetRegistry) -> None:
        """Know these; `treasury` is the timelock."""
        self._by_address = {each.address: each for each in contracts}
        self._registry = registry
        self.treasury = treasury

    @classmethod
    async def of(cls, chain: ChainAccess) -> "KnownContracts":
        """Return those of an installation; its tokens are asked for their names.

        Raises:
            NotDeployed: when it has no timelock.
        """
        deployments, client = chain.deployments, chain.client
        coin = await token_of(chain.config, client, deployments)
        tokens = {coin.address: coin}
        if PlatformToken.__name__ in deployments.contracts:
            platform = await token_facts(client, deployments.address(PlatformToken))
            tokens[platform.address] = platform
        found = []
        for name, deployed in deployments.contracts.items():
            if interface := interface_of(name):
                found.append(KnownContract(name, deployed.address, interface, tokens.pop(deployed.address, None)))
        erc20 = interface_of("Erc20")
        found += [KnownContract(each.symbol, each.address, erc20, each) for each in tokens.values() if erc20]
        registry = AssetRegistry(deployments.address(AssetRegistry), client)
        return cls(found, deployments.address(PlatformTimelock), registry)

    @property
    def tokens(self) -> Sequence[TokenFacts]:
        """The ERC-20s that the installation trusts."""
        return [each.token for each in self._by_address.values() if each.token]

    def at(self, address: Address) -> KnownContract | None:
        """Return the contract at an address; None when it is not known."""
        return self._by_address.get(address)

    def find(self, name: str) -> KnownContract | None:
        """Return a contract of the installation by its name; None when it has none."""
        return next((each for each in self._by_address.values() if each.name == name), None)

    def named(self, name: str) -> KnownContract:
        """Return a contract by its name, by the symbol of its token, or by its address.

        Raises:
            UnknownContract: when there is none; names those that there are.
        """
        for each in self._by_address.values():
            if name in (each.name, each.address) or (each.token and name == each.token.symbol):
                return each
        names = ", ".join(sorted(each.name for each in self._by_address.values()))
        raise UnknownContract(
            f"the installation has no contract {name[:60]!r}; it has {names}. Name another contract by its address, "
            "and write the types: 0x....transfer(address,uint256)(0x..., 5)",
            field="call",
        )

    def name_of(self, address: Address) -> str:
        """Return what an account is called here; empty when it is not known."""
        if address == self.treasury:
            return TREASURY
        known = self.at(address)
        return known.name if known else ""

    async def learn(self, addresses: Iterable[Address]) -> None:
        """Ask the registry which of these are shares of its services; raises `RpcUnavailable`.

        Those that are not are asked about each time: a service may be registered at any time.
        """
        shares = interface_of("Shares")
        strange = sorted({*addresses} - self._by_address.keys())
        found = await asyncio.gather(*map(self._registry.is_shares, strange))
        for each, is_shares in zip(strange, found, strict=True):
            if shares and is_shares:
                self._by_address[each] = KnownContract(f"Shares {checksum(each)}", each, shares)
