"""An installation with a platform token and its escrow on a devnet, served to browsers, and levers of its weeks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support import command_line
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.gateway_server import served
from usufruct.app import Installation, open_installation, set_up_devnet
from usufruct.chain import Call, ChainAccess, Senders
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import DEVNET_ADDRESSES, Role
from usufruct.config import Config, load_config
from usufruct.core import Address
from usufruct.staking import WEEK_SECONDS, Stake, Stakes
from usufruct.staking.stake_requests import StakeRequests
from usufruct.staking.stake_view import StakeViews

ANN, BEN = DEVNET_ADDRESSES[5], DEVNET_ADDRESSES[6]
PAYER = DEVNET_ADDRESSES[0]
TOKEN, DOLLAR = 10**18, 10**6


@dataclass
class StakeTown:
    """A gateway at `url`, whose platform tokens are Ann's and Ben's, 10 % each."""

    installation: Installation
    url: str
    rpc_url: str
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def visitor(self) -> httpx.AsyncClient:
        """Return a client with cookies of its own, which is closed with the town."""
        self.clients.append(httpx.AsyncClient(base_url=f"{self.root}/v1", timeout=120))
        return self.clients[-1]

    @property
    def root(self) -> str:
        """Where browsers take passkeys."""
        return self.url.removesuffix("/v1").replace("127.0.0.1", "localhost")

    @property
    def devnet(self) -> Devnet:
        return Devnet(self.installation.client)

    @property
    def stakes(self) -> Stakes:
        return Stakes(self.installation.get(ChainAccess))

    @property
    def dollar(self) -> TestDollar:
        return TestDollar(self.installation.deployments.address(TestDollar), self.installation.client)

    @property
    def requests(self) -> StakeRequests:
        return self.installation.get(StakeViews).requests

    @property
    def relayer(self) -> Address:
        return self.installation.get(Senders).of(Role.RELAYER).address

    async def of(self, account: Address) -> Stake:
        return await self.stakes.of(account)

    async def act(self, sender: Address, *calls: Call) -> None:
        """Send calls as an account, each simulated first, so that a refusal is raised."""
        for call in calls:
            await self.installation.client.call(call, sender=sender)
            await self.devnet.send_as(sender, call)

    async def give(self, account: Address, tokens: int) -> None:
        """Give an account so many whole tokens of Ann's."""
        await self.act(ANN, self.stakes.token.transfer(account, tokens * TOKEN))

    async def lock(self, sender: Address, tokens: int, weeks: int) -> None:
        """Lock so many whole tokens of an account."""
        await self.act(sender, *await self.stakes.lock(sender, tokens * TOKEN, weeks))

    async def pay_revenue(self, amount: int) -> None:
        """Pay revenue of the running week."""
        escrow = self.stakes.escrow
        await self.act(PAYER, self.dollar.mint(escrow.address, amount), escrow.notify())

    async def pass_week(self) -> None:
        """Let a week pass, and close it."""
        await self.devnet.pass_time(WEEK_SECONDS)
        await self.act(PAYER, self.stakes.escrow.roll(52))


def town_config(folder: Path, rpc_url: str, **settings: Any) -> Config:
    """Return the configuration of a town."""
    terms = {
        "platform_token_name": "Example",
        "platform_token_symbol": "EXM",
        "platform_token_allocation": f"{ANN}=10,{BEN}=10",
        "platform_token_exit_penalty_percent": 20,
        **settings,
    }
    return load_config(command_line.settings(folder, rpc_url, **terms))


@asynccontextmanager
async def stake_town(template: DevnetTemplate, folder: Path, **settings: Any) -> AsyncIterator[StakeTown]:
    """Open a town."""
    async with template.running(folder) as anvil:
        config = town_config(folder, anvil.url, **settings)
        await set_up_devnet(config)
        async with open_installation(config) as installation, served(installation.router()) as (_, url, _):
            town = StakeTown(installation, url, anvil.url)
            yield town
            for each in town.clients:
                await each.aclose()
