"""A service is sold by commands, title and shares together, through `usufruct up`: to the unit, and all or nothing."""

from types import ModuleType
from typing import Any

import pytest

from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.gateway import Catalogue, Operator

pytestmark = pytest.mark.anvil

SELLER, BUYER = "4", "7"
DOLLAR, SHARE = 10**6, 10**6


@pytest.fixture(scope="module")
def own(cli_world: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("up")
    return cli_world.settings(folder / "data", f"http://127.0.0.1:{cli_world.free_port()}")


def holdings(commands: Any) -> dict[str, tuple[int, int]]:
    """Dollars and shares of each party, in atomic units; of `title` the number of its owner's account."""

    async def read(installation):
        client, deployments = installation.client, installation.get(Deployments)
        dollar = Erc20(installation.get(Operator).token, client)
        listing = await installation.get(Catalogue).find("whole")
        shares = Shares(listing.pay_to, client)
        parties = {
            "seller": DEVNET_ADDRESSES[int(SELLER)],
            "buyer": DEVNET_ADDRESSES[int(BUYER)],
            "exchange": deployments.address(Exchange),
            "shares": listing.pay_to,
        }
        titles = AssetRegistry(deployments.address(AssetRegistry), client)
        owner = DEVNET_ADDRESSES.index(await titles.owner_of(listing.id))
        found = {name: (await dollar.balance_of(each), await shares.balance_of(each)) for name, each in parties.items()}
        return found | {"title": (owner, 0)}

    return commands.inside(read)


def test_a_whole_service_is_sold_in_one_piece(own, cli_world, librarian_url, tmp_path):
    commands = cli_world.Commands(own)
    with cli_world.running_cli("up", "--json", own=own, log=tmp_path / "up"):
        terms = ("--input", "5", "--output", "20", "--context", "8192", "--resale-royalty", "4", "--meter", "1")
        commands.json("asset", "register", "whole", *terms, "--wallet", SELLER)
        served = ("--upstream", librarian_url, "--model", "librarian", "--asset", "whole", "--name", "whole")
        commands.json("sell", "--no-up", *served)
        commands.json("pass", "plan", "whole", "--price", "9", "--credits", "10", "--wallet", SELLER)
        for wallet in (SELLER, BUYER):
            commands.json("wallet", "fund", wallet)
        commands.json("pass", "buy", "whole", "--wallet", SELLER)
        before = holdings(commands)
        bundle = ("--price", "30", "--shares", "400000:20", "--credits", "whole:4:2.5")
        made = commands.json("title", "offer", "whole", *bundle, "--wallet", SELLER)
        assert (made["price"], made["with"]) == ("30", "400000 shares for 20; 4 tUSD of use for 2.5")
        assert (made["royalty"], len(made["approvals"])) == ("0.4", 3)
        fee = round(float(made["fee"]) * DOLLAR)
        assert made["you_get"] == f"{(30 * DOLLAR - fee - 400_000) / DOLLAR:.6f}".rstrip("0")
        [listed] = commands.json("title", "offers", "whole", "--maker", SELLER)
        assert listed.items() <= made.items()
        assert holdings(commands) == before, "an offer moves nothing"

        for arguments, code in [
            (("offer", "whole", "--price", "30", "--wallet", BUYER), "not_title_owner"),
            (("offer", "whole", "--price", "20", "--shares", "1:20", "--wallet", SELLER), "invalid_offer"),
            (("offer", "whole", "--price", "20", "--shares", "100000001:2", "--wallet", SELLER), "not_enough_shares"),
            (("offer", "whole", "--price", "20", "--credits", "whole:11:2", "--wallet", SELLER), "not_enough_credits"),
            (("buy", made["offer"], "--max-price", "29.99", "--wallet", BUYER), "price_above_max"),
            (("buy", made["offer"], "--max-price", "30", "--wallet", SELLER), "self_trade"),
            (("cancel", made["offer"], "--wallet", BUYER), "not_the_maker"),
        ]:
            assert commands.refused("title", *arguments).code == code, arguments
        refused = commands.refused("shares", "buy", made["offer"], "1", "--max-price", "30", "--wallet", BUYER)
        assert (refused.code, "usufruct title" in refused.message) == ("other_goods", True)

        bought = commands.json("title", "buy", made["offer"], "--max-price", "30", "--wallet", BUYER)
        assert (bought["paid"], bought["with"]) == ("30", made["with"])
        after = holdings(commands)
        moved = {name: (after[name][0] - before[name][0], after[name][1] - before[name][1]) for name in after}
        assert moved == {
            "seller": (30 * DOLLAR - fee - 400_000, -400_000 * SHARE),
            "buyer": (-30 * DOLLAR, 400_000 * SHARE),
            "exchange": (fee, 0),
            "shares": (400_000, 0),
            "title": (int(BUYER) - int(SELLER), 0),
        }
        assert commands.json("title", "offers", "whole") == []
        again = commands.json("title", "offer", "whole", "--price", "5", "--wallet", BUYER)
        assert commands.json("title", "cancel", again["offer"], "--wallet", BUYER)["transaction"]
        assert commands.json("title", "offers", "whole") == []
