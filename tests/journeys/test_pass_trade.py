"""Prepaid credits are sold on by commands, through `usufruct up`: to the unit, in parts, until the end."""

from types import ModuleType
from typing import Any

import pytest

from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.gateway import Catalogue, Operator

pytestmark = pytest.mark.anvil

OWNER, SELLER, BUYER = "4", "5", "7"
DOLLAR, CREDIT = 10**6, 10**6


@pytest.fixture(scope="module")
def own(cli_world: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("up")
    return cli_world.settings(folder / "data", f"http://127.0.0.1:{cli_world.free_port()}")


def holdings(commands: Any, plan: str) -> dict[str, tuple[int, int]]:
    """Dollars and credits of each party, in atomic units."""

    async def read(installation):
        client, deployments = installation.client, installation.get(Deployments)
        dollar = Erc20(installation.get(Operator).token, client)
        passes = AccessPass(deployments.address(AccessPass), client)
        parties = {
            "seller": DEVNET_ADDRESSES[int(SELLER)],
            "buyer": DEVNET_ADDRESSES[int(BUYER)],
            "exchange": deployments.address(Exchange),
            "shares": (await installation.get(Catalogue).find("prepaid")).pay_to,
        }
        return {
            name: (await dollar.balance_of(each), await passes.balance_of(each, int(plan, 16)))
            for name, each in parties.items()
        }

    return commands.inside(read)


def test_credits_are_sold_in_parts_until_the_offer_is_cancelled(own, cli_world, librarian_url, tmp_path):
    commands = cli_world.Commands(own)
    with cli_world.running_cli("up", "--json", own=own, log=tmp_path / "up"):
        terms = ("--input", "5", "--output", "20", "--context", "8192", "--resale-royalty", "4", "--meter", "1")
        commands.json("asset", "register", "prepaid", *terms, "--wallet", OWNER)
        served = ("--upstream", librarian_url, "--model", "librarian", "--asset", "prepaid", "--name", "prepaid")
        commands.json("sell", "--no-up", *served)
        plan_terms = ("--price", "9", "--credits", "10", "--expires", "60d")
        plan = commands.json("pass", "plan", "prepaid", *plan_terms, "--wallet", OWNER)["id"]
        for wallet in (SELLER, BUYER):
            commands.json("wallet", "fund", wallet)
        commands.json("pass", "buy", "prepaid", "--packages", "2", "--wallet", SELLER)
        before = holdings(commands, plan)
        assert before["seller"][1] == 20 * CREDIT

        made = commands.json("pass", "offer", "prepaid", "15", "--price", "12", "--expires", "90d", "--wallet", SELLER)
        assert (made["credits"], made["price"], made["price_of_one"]) == ("15", "12", "0.8")
        assert (made["plan"], made["plan_price_of_one"], made["plan_token"]) == (plan, "0.9", "tUSD")
        assert made["expires"] == made["void"], "the offer ends with the plan"
        assert made["approval"], "the wallet's own transaction: credits have no permit"
        fee, royalty = round(float(made["fee"]) * DOLLAR), round(float(made["royalty"]) * DOLLAR)
        assert royalty == 480_000
        assert made["you_get"] == f"{(12 * DOLLAR - fee - royalty) / DOLLAR:.6f}".rstrip("0")
        again = commands.json("pass", "offer", plan, "1", "--price", "1", "--wallet", SELLER)
        assert again["approval"] is None, "the exchange is approved for all credits"
        commands.json("pass", "cancel", again["offer"], "--wallet", SELLER)
        [listed] = commands.json("pass", "offers", "prepaid", "--maker", SELLER)
        assert listed.items() <= made.items()
        assert holdings(commands, plan) == before, "an offer moves nothing"

        for arguments, code in [
            (("offer", plan, "21", "--price", "1", "--wallet", SELLER), "not_enough_credits"),
            (("buy-offered", made["offer"], "15", "--max-price", "11.99", "--wallet", BUYER), "price_above_max"),
            (("buy-offered", made["offer"], "15.000001", "--max-price", "99", "--wallet", BUYER), "not_enough_left"),
            (("buy-offered", made["offer"], "1", "--max-price", "9", "--wallet", SELLER), "self_trade"),
            (("cancel", made["offer"], "--wallet", BUYER), "not_the_maker"),
        ]:
            assert commands.refused("pass", *arguments).code == code, arguments
        refused = commands.refused("shares", "buy", made["offer"], "1", "--max-price", "9", "--wallet", BUYER)
        assert (refused.code, "usufruct pass" in refused.message) == ("other_goods", True)

        part, price = 3_333_333, 2_666_667  # rounded up
        terms = ("--max-price", "2.666667", "--wallet", BUYER)
        bought = commands.json("pass", "buy-offered", made["offer"], "3.333333", *terms)
        assert (bought["credits"], bought["paid"], bought["plan"]) == ("3.333333", "2.666667", plan)
        kept, shared = price * fee // (12 * DOLLAR), price * royalty // (12 * DOLLAR)
        after = holdings(commands, plan)
        moved = {name: (after[name][0] - before[name][0], after[name][1] - before[name][1]) for name in after}
        assert moved == {
            "seller": (price - kept - shared, -part),
            "buyer": (-price, part),
            "exchange": (kept, 0),
            "shares": (shared, 0),
        }
        commands.json("pass", "activate", "prepaid", "16.666667", "--wallet", SELLER)  # all that is left
        [listed] = commands.json("pass", "offers", "prepaid")
        assert (listed["state"], listed["credits"]) == ("uncovered", "0")
        ended = commands.json("pass", "cancel", made["offer"], "--wallet", SELLER)
        assert ended["credits_not_sold"] == "11.666667"
        assert commands.json("pass", "offers", "prepaid") == []
        assert holdings(commands, plan)["buyer"] == after["buyer"]
