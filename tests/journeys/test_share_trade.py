"""Revenue shares are sold and bought by commands, through `usufruct up`: to the unit, in parts, until the end."""

from types import ModuleType
from typing import Any

import pytest

from usufruct.chain import FEE_SINK
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.gateway import Catalogue, Operator

pytestmark = pytest.mark.anvil

SELLER, BUYER = "4", "5"
DOLLAR, SHARE = 10**6, 10**6
SUPPLY = 100_000_000 * SHARE


@pytest.fixture(scope="module")
def own(cli_world: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("up")
    return cli_world.settings(folder / "data", f"http://127.0.0.1:{cli_world.free_port()}")


def holdings(commands: Any) -> dict[str, tuple[int, int]]:
    """Dollars and shares of each party, in atomic units."""
    parties = {"seller": DEVNET_ADDRESSES[4], "buyer": DEVNET_ADDRESSES[5], "fee sink": FEE_SINK}

    async def read(installation):
        client = installation.client
        dollar = Erc20(installation.get(Operator).token, client)
        shares = Shares((await installation.get(Catalogue).find("shared")).pay_to, client)
        everyone = parties | {"exchange": installation.get(Deployments).address(Exchange)}
        return {name: (await dollar.balance_of(each), await shares.balance_of(each)) for name, each in everyone.items()}

    return commands.inside(read)


def test_shares_are_sold_in_parts_until_the_offer_is_cancelled(own, cli_world, librarian_url, tmp_path):
    commands = cli_world.Commands(own)
    with cli_world.running_cli("up", "--json", own=own, log=tmp_path / "up"):
        terms = ("--input", "5", "--output", "20", "--context", "8192")
        asset = commands.json("asset", "register", "shared", *terms, "--wallet", SELLER)["id"]
        served = ("--upstream", librarian_url, "--model", "librarian", "--asset", "shared", "--name", "shared")
        commands.json("sell", "--no-up", *served)
        commands.json("wallet", "fund", BUYER)
        before = holdings(commands)

        made = commands.json("shares", "offer", "shared", "1000000", "--price", "50", "--wallet", SELLER)
        assert (made["shares"], made["price"], made["price_of_one"]) == ("1000000", "50", "0.00005")
        assert (made["state"], made["approval"], made["asset"]) == ("open", None, asset), "the gateway paid the permit"
        fee = round(float(made["fee"]) * DOLLAR)
        assert 0 < fee < DOLLAR * 5
        assert made["you_get"] == f"{(50 * DOLLAR - fee) / DOLLAR:.6f}".rstrip("0")
        [listed] = commands.json("shares", "offers", "shared", "--maker", SELLER)
        assert listed.items() <= made.items()
        assert holdings(commands) == before, "an offer moves nothing"

        part, price = 333_333_333_333, 16_666_667  # rounded up
        terms = ("--max-price", "16.666667", "--wallet", BUYER)
        bought = commands.json("shares", "buy", made["offer"], "333333.333333", *terms)
        assert (bought["shares"], bought["paid"], bought["currency"]) == ("333333.333333", "16.666667", "tUSD")
        kept = price * fee // (50 * DOLLAR)
        after = holdings(commands)
        moved = {name: (after[name][0] - before[name][0], after[name][1] - before[name][1]) for name in after}
        assert moved == {
            "seller": (price - kept, -part),
            "buyer": (-price, part),
            "exchange": (kept, 0),
            "fee sink": (0, 0),
        }
        [left] = commands.json("shares", "offers", asset)
        assert (left["shares"], left["price"]) == ("666666.666667", "33.333334")

        ended = commands.json("shares", "cancel", made["offer"], "--wallet", SELLER)
        assert ended["shares_not_sold"] == "666666.666667"
        assert commands.json("shares", "offers", "shared") == []
        refused = commands.refused("shares", "buy", made["offer"], "1", "--max-price", "1", "--wallet", BUYER)
        assert (refused.code, refused.message) == ("offer_not_open", "the offer is cancelled; take another")
        assert holdings(commands) == after
