"""An installation with a platform token and an airdrop on a devnet, and visitors of its gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from tests.staking.airdrop_samples import CAP, Entry, sample_entries, write_csv
from tests.support import command_line
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from usufruct.app import Installation, open_installation, set_up_devnet
from usufruct.chain import Client, Senders, open_chain
from usufruct.chain.contracts.airdrop import Airdrop
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.keys import Role, signer_of
from usufruct.config import Config, load_config
from usufruct.core import Address
from usufruct.staking import AirdropFile, Airdrops, build_airdrop
from usufruct.staking.airdrop_claims import AirdropClaims
from usufruct.staking.served_airdrops import ServedAirdrop
from usufruct.web import Router

TREASURY, STRANGER = Address("0x" + "7e" * 20), Address("0x" + "5e" * 20)
NO_ESCROW = Address("0x" + "0" * 40)
ENTRIES = sample_entries(20)
DAYS = 30 * 86_400
NAMES = {"USUFRUCT_PLATFORM_TOKEN_NAME": "Example", "USUFRUCT_PLATFORM_TOKEN_SYMBOL": "EXM"}


@dataclass
class AirdropTown:
    """The installation of a gateway that serves the airdrop of `ENTRIES`, whose contract is at `place`."""

    installation: Installation
    file: Path
    place: Address

    @property
    def client(self) -> Client:
        return self.installation.client

    @property
    def devnet(self) -> Devnet:
        return Devnet(self.client)

    @property
    def claims(self) -> AirdropClaims:
        return self.installation.get(AirdropClaims)

    @property
    def airdrop(self) -> ServedAirdrop:
        return self.claims.served[0]

    @property
    def token(self) -> PlatformToken:
        return PlatformToken(self.installation.deployments.address(PlatformToken), self.client)

    @property
    def relayer(self) -> Address:
        return self.installation.get(Senders).of(Role.RELAYER).address

    async def relayed(self) -> int:
        """Return how many transactions the relayer has on the chain."""
        return await self.client.nonce(self.relayer)

    async def claim_as_stranger(self, entry: Entry) -> None:
        """Claim an entry with another wallet than the relayer's."""
        found = self.airdrop.file.entry_of(Address(entry[0]))
        await self.devnet.set_balance(STRANGER, 10**18)
        claim = Airdrop(self.place).claim(found.index, found.account, found.amount, found.proof)
        await self.devnet.send_as(STRANGER, claim)

    async def move_tokens(self, amount: int, *, back: bool = False) -> None:
        """Take tokens out of the contract, which no one can, or give them back."""
        sender, to = (STRANGER, self.place) if back else (self.place, STRANGER)
        await self.devnet.set_balance(sender, 10**18)
        await self.devnet.send_as(sender, self.token.transfer(to, amount))

    def visitor(self, network: str = "203.0.113.7", router: Router | None = None) -> httpx.AsyncClient:
        """Return a client whose address is `network`."""
        transport = httpx.ASGITransport(router or self.installation.router(), client=(network, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60)


async def deploy(config: Config, file: Path) -> Address:
    """Deploy the airdrop of a file, and fund it."""
    await set_up_devnet(config)
    async with open_chain(config) as chain:
        owner = chain.sender(signer_of(Role.OWNER, config))
        deadline = (await chain.client.head()).timestamp + DAYS
        with AirdropFile(file) as built:
            return await Airdrops(chain).deploy(owner, built, deadline, TREASURY, NO_ESCROW)


@asynccontextmanager
async def airdrop_town(template: DevnetTemplate, folder: Path, **relayer: object) -> AsyncIterator[AirdropTown]:
    """Open a town; `relayer`: settings of the relayer's bounds."""
    async with template.running(folder) as anvil:
        config = load_config(command_line.settings(folder, anvil.url) | NAMES)
        config = replace(config, relayer=replace(config.relayer, **relayer))
        file = build_airdrop(write_csv(folder, ENTRIES), folder / "holders.airdrop", CAP).path
        place = await deploy(config, file)
        token = replace(config.platform_token, airdrops=f"{file}={place}")
        async with open_installation(replace(config, platform_token=token)) as installation:
            yield AirdropTown(installation, file, place)
