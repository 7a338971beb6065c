"""An installation with a platform token on a devnet, whose stakers are driven by commands."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.support import command_line
from tests.support.devnet import Devnet
from usufruct.app import set_up_devnet
from usufruct.chain import ChainAccess, open_chain
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.staking import Stake, Stakes
from usufruct.staking.lock_model import WEEK_SECONDS

ANN, BEN = 5, 6
TOKEN, DOLLAR = 10**18, 10**6

T = TypeVar("T")


class Economy:
    """An installation with a platform token, 10 % of it Ann's and 10 % Ben's."""

    def __init__(
        self, folder: Path, rpc_url: str, exit_penalty_percent: int = 20, levels: str = "", **more: object
    ) -> None:
        allocation = ",".join(f"{DEVNET_ADDRESSES[each]}=10" for each in (ANN, BEN))
        own = command_line.settings(
            folder,
            rpc_url,
            platform_token_name="Example",
            platform_token_symbol="EXM",
            platform_token_allocation=allocation,
            platform_token_exit_penalty_percent=exit_penalty_percent,
            platform_token_levels=levels,
            **more,
        )
        self.commands = command_line.Commands(own)
        asyncio.run(set_up_devnet(self.commands.config))

    def stake(self, *arguments: str, wallet: int) -> Any:
        return self.commands.json("stake", *arguments, "--wallet", str(wallet))

    def inside(self, work: Callable[[ChainAccess], Awaitable[T]]) -> T:
        async def opened() -> T:
            async with open_chain(self.commands.config) as chain:
                return await work(chain)

        return asyncio.run(opened())

    def of(self, wallet: int) -> Stake:
        return self.inside(lambda chain: Stakes(chain).of(DEVNET_ADDRESSES[wallet]))

    def pass_weeks(self, weeks: int) -> None:
        self.pass_time(weeks * WEEK_SECONDS)

    def pass_time(self, seconds: int) -> None:
        self.inside(lambda chain: Devnet(chain.client).pass_time(seconds))

    def pay_revenue(self, amount: int) -> None:
        async def paid(chain: ChainAccess) -> None:
            stakes, devnet = Stakes(chain), Devnet(chain.client)
            dollar = TestDollar(chain.deployments.address(TestDollar), chain.client)
            await devnet.send_as(DEVNET_ADDRESSES[0], dollar.mint(stakes.escrow.address, amount))
            await devnet.send_as(DEVNET_ADDRESSES[0], stakes.escrow.notify())

        self.inside(paid)

    def held_by_escrow(self) -> tuple[int, int]:
        """Return the escrow's platform tokens and dollars."""

        async def held(chain: ChainAccess) -> tuple[int, int]:
            stakes = Stakes(chain)
            dollar = TestDollar(chain.deployments.address(TestDollar), chain.client)
            place = stakes.escrow.address
            return await stakes.token.balance_of(place), await dollar.balance_of(place)

        return self.inside(held)
