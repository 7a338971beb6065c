"""An installation with levels on a devnet, whose token is sold in a deal; accounts of level 10, 5 and 0."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.devnet import Devnet
from tests.support.staked_economy import ANN, BEN, DOLLAR, TOKEN, Economy
from usufruct.chain import ChainAccess
from usufruct.chain.contracts.deal_room import DealRoom
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import DAY_SECONDS, Address, moment
from usufruct.staking.deals import DealIndexer, Deals, ShownDeals

CAROL, ISSUER = 7, 8
LEVELS = ",".join(f"{100 * number}={number}:{number}" for number in range(1, 11))
HOUR = 3_600
EVERYTHING = ShownDeals(frozenset({"all"}))


def address_of(wallet: int) -> Address:
    return DEVNET_ADDRESSES[wallet]


class DealTown:
    """Ann has level 10, Ben 5, Carol none; each has 200,000 dollars, the issuer 2,000,000 of the platform token.

    The token for sale is the platform token itself: a deal room takes any.
    """

    def __init__(self, folder: Path, rpc_url: str) -> None:
        self.folder = folder
        self.economy = Economy(folder, rpc_url, levels=LEVELS, platform_token_deal_fee_bps=250)
        self.commands = self.economy.commands
        self.economy.stake("lock", "2000", "--weeks", "52", wallet=ANN)
        self.economy.stake("lock", "540", "--weeks", "52", wallet=BEN)
        self.inside(self._fund)
        self.economy.pass_weeks(1)
        self.start = self.now()

    def deal(self, *arguments: str, wallet: int) -> Any:
        return self.commands.json("deal", *arguments, "--wallet", str(wallet))

    def refusal(self, *arguments: str, wallet: int) -> str:
        """Return the code of a command that is refused."""
        return self.commands.refused("deal", *arguments, "--wallet", str(wallet)).code

    def create(self, *more: str, levels: Sequence[str] = (), **changes: str) -> str:
        """Create a deal: a million tokens for 100,000 dollars, at least 20,000; return its id.

        Levels 8 to 10 come an hour from the start, levels 1 to 7 twelve; the sale ends after two days.
        """
        return str(self.deal("create", *self.options(levels, **changes), *more, wallet=ISSUER)["deal"])

    def options(self, levels: Sequence[str] = (), **changes: str) -> list[str]:
        """Return the options of `create`, with changes; an empty one is left out."""
        terms = {
            "sale-token": self.sale_token, "for-sale": "1000000", "hard-cap": "100000", "soft-cap": "20000",
            "closes": self.at(2 * DAY_SECONDS), "cliff-days": "10", "vesting-days": "100",
        }  # fmt: skip
        terms |= {name.replace("_", "-"): value for name, value in changes.items()}
        levels = levels or (f"8=80000@{self.at(HOUR)}", f"1=50000@{self.at(12 * HOUR)}")
        given = [part for name, value in terms.items() if value for part in (f"--{name}", value)]
        return given + [part for each in levels for part in ("--level", each)]

    def at(self, seconds: int) -> str:
        """Return a time so long after the start, as `create` takes it."""
        return moment(self.start + seconds)

    @property
    def sale_token(self) -> Address:
        return self.inside(_sale_token)

    def go_to(self, seconds: int) -> None:
        """Move the chain's clock to so long after the start, unless it is later already."""
        self.economy.pass_time(max(0, self.start + seconds - self.now()))

    def now(self) -> int:
        async def read(chain: ChainAccess) -> int:
            return (await chain.client.head()).timestamp

        return self.inside(read)

    def held(self, account: Address) -> tuple[int, int]:
        """Return an account's tokens and dollars."""

        async def read(chain: ChainAccess) -> tuple[int, int]:
            tokens = Erc20(chain.deployments.address(PlatformToken), chain.client)
            dollars = Erc20(chain.deployments.address(TestDollar), chain.client)
            return await tokens.balance_of(account), await dollars.balance_of(account)

        return self.inside(read)

    @property
    def dollar(self) -> Address:
        async def read(chain: ChainAccess) -> Address:
            return chain.deployments.address(TestDollar)

        return self.inside(read)

    @property
    def room(self) -> Address:
        async def read(chain: ChainAccess) -> Address:
            return chain.deployments.address(DealRoom)

        return self.inside(read)

    def inside(self, work: Any) -> Any:
        return self.economy.inside(work)

    async def _fund(self, chain: ChainAccess) -> None:
        devnet = Devnet(chain.client)
        token = Erc20(chain.deployments.address(PlatformToken))
        dollar = TestDollar(chain.deployments.address(TestDollar))
        await devnet.send_as(address_of(ANN), token.transfer(address_of(ISSUER), 2_000_000 * TOKEN))
        for wallet in (ANN, BEN, CAROL):
            await devnet.send_as(address_of(wallet), dollar.mint(address_of(wallet), 200_000 * DOLLAR))


async def _sale_token(chain: ChainAccess) -> Address:
    return chain.deployments.address(PlatformToken)


def deals_of(chain: ChainAccess, shown: ShownDeals = EVERYTHING) -> Deals:
    """Return the deals of an opened chain."""
    return Deals(chain, DealIndexer(chain), shown)
