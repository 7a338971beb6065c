"""`usufruct shares offers|offer|buy|cancel` at a gateway that runs: what is refused, in words, and moves nothing."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from usufruct.chain import Client
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import DEVNET_ADDRESSES, devnet_signer
from usufruct.core import checksum
from usufruct.gateway import Catalogue, Operator

pytestmark = pytest.mark.anvil

SELLER, BUYER, POOR, OTHER = "4", "5", "8", "6"
SHARE = 10**6


class Shop:
    """Commands at a gateway that sells a service with shares."""

    def __init__(self, commands: Any, url: str) -> None:
        self.commands = commands
        self.url = url

    def json(self, *arguments: str) -> Any:
        return self.commands.json("shares", *arguments, "--gateway", self.url)

    def refused(self, *arguments: str) -> Any:
        return self.commands.refused("shares", *arguments, "--gateway", self.url)

    def offer(self, amount: str = "1000", price: str = "10", *more: str) -> Any:
        return self.json("offer", "shared", amount, "--price", price, "--wallet", SELLER, *more)

    def buy(self, offer: str, amount: str, most: str, wallet: str = BUYER) -> Any:
        return self.json("buy", offer, amount, "--max-price", most, "--wallet", wallet)

    def read(self, work: Any) -> Any:
        """Ask the chain; `work` gets the node, the shares, the dollar and the exchange."""

        async def asked(installation: Any) -> Any:
            client = installation.client
            shares = Shares((await installation.get(Catalogue).find("shared")).pay_to, client)
            dollar = Erc20(installation.get(Operator).token, client)
            return await work(client, shares, dollar, installation.get(Deployments).address(Exchange))

        return self.commands.inside(asked)

    def approve_nothing(self) -> None:
        """Take back the seller's approval of the exchange."""

        async def taken_back(installation: Any) -> None:
            shares = Shares((await installation.get(Catalogue).find("shared")).pay_to)
            seller = devnet_signer(int(SELLER), installation.chain_id)
            call = shares.approve(installation.get(Deployments).address(Exchange), 0)
            await installation.sender(seller).execute(call, f"approve nothing/{secrets.token_hex(8)}")

        self.commands.inside(taken_back)

    def holds(self) -> list[int]:
        """Shares and dollars of all who trade here."""

        async def held(_: Client, shares: Shares, dollar: Erc20, exchange: str) -> list[int]:
            everyone = [*(DEVNET_ADDRESSES[int(each)] for each in (SELLER, BUYER, POOR, OTHER)), exchange]
            return [await token.balance_of(each) for token in (shares, dollar) for each in everyone]

        return self.read(held)


@contextmanager
def serving(commands: Any, cli_world: Any, folder: Any, **settings: str) -> Iterator[Shop]:
    own = commands.own | {f"USUFRUCT_{name.upper()}": each for name, each in settings.items()}
    with cli_world.running_cli("serve", own=own, log=folder / "serve.log") as gateway:
        yield Shop(commands, gateway.ready["url"])


@pytest.fixture(scope="module")
def stocked(commands, librarian_url) -> Any:
    """The installation with a service of which SELLER holds the shares."""
    terms = ("--input", "5", "--output", "20", "--context", "8192")
    commands.json("asset", "register", "shared", *terms, "--wallet", SELLER)
    served = ("--upstream", librarian_url, "--model", "librarian", "--asset", "shared", "--name", "shared")
    commands.json("sell", "--no-up", *served)
    commands.json("wallet", "fund", BUYER)
    return commands


@pytest.fixture(scope="module")
def shop(stocked, cli_world, tmp_path_factory) -> Iterator[Shop]:
    with serving(stocked, cli_world, tmp_path_factory.mktemp("gateway")) as opened:
        yield opened


def test_what_cannot_be_sold_or_bought_is_refused_and_moves_nothing(shop):
    made = shop.offer()["offer"]
    before = shop.holds()
    unknown = "0x" + "ab" * 32
    for arguments, code, words in [
        (("offer", "shared", "5", "--price", "1", "--wallet", OTHER), "not_enough_shares", "offer at most"),
        (("offer", "shared", "0", "--price", "1", "--wallet", SELLER), "gateway_refused", "amount is 0"),
        (("offer", "shared", "5", "--price", "0", "--wallet", SELLER), "gateway_refused", "price is 0"),
        (
            ("offer", "shared", "5", "--price", "1", "--expires", "91d", "--wallet", SELLER),
            "gateway_refused",
            "90 days",
        ),
        (("offer", "shared", "5", "--price", "1", "--expires", "x", "--wallet", SELLER), "invalid_duration", "'x'"),
        (("offer", "nothing", "5", "--price", "1", "--wallet", SELLER), "unknown_asset", "no asset 'nothing'"),
        (("offers", "nothing"), "unknown_asset", "no asset 'nothing'"),
        (("buy", made, "1000", "--max-price", "9.99", "--wallet", BUYER), "price_above_max", "cost 10 tUSD"),
        (("buy", made, "1000.000001", "--max-price", "99", "--wallet", BUYER), "not_enough_left", "1000 shares"),
        (("buy", made, "0", "--max-price", "9", "--wallet", BUYER), "invalid_purchase", "above 0"),
        (("buy", made, "1", "--max-price", "9", "--wallet", SELLER), "self_trade", "take another"),
        (("buy", made, "1", "--max-price", "9", "--wallet", POOR), "cannot_pay", "holds 0 tUSD"),
        (("buy", unknown, "1", "--max-price", "9", "--wallet", BUYER), "gateway_refused", "offer_not_found"),
        (("buy", "0x12", "1", "--max-price", "9", "--wallet", BUYER), "invalid_hash", "0x12"),
        (("cancel", made, "--wallet", BUYER), "not_the_maker", "sign with its wallet"),
        (("cancel", unknown, "--wallet", BUYER), "gateway_refused", "offer_not_found"),
    ]:
        refused = shop.refused(*arguments)
        assert (refused.code, words in refused.message) == (code, True), (arguments, refused.code, refused.message)
        assert "\n" not in refused.message
    assert shop.holds() == before
    shop.json("cancel", made, "--wallet", SELLER)
    over = shop.refused("cancel", made, "--wallet", SELLER)
    assert (over.code, over.message) == ("offer_over", "the offer is cancelled; there is nothing to cancel")


def test_all_that_is_on_offer_is_approved_and_no_more(shop):
    shop.approve_nothing()
    made = [shop.offer("100", "1")["offer"], shop.offer("50", "3")["offer"]]

    async def allowed(_: Client, shares: Shares, dollar: Erc20, exchange: str) -> int:
        return await shares.allowance(DEVNET_ADDRESSES[int(SELLER)], exchange)

    assert shop.read(allowed) == 150 * SHARE
    assert [each["offer"] for each in shop.json("offers", "shared")] == made, "the lowest price of a share first"
    assert shop.json("offers", "shared", "--maker", BUYER) == []
    shop.buy(made[0], "100", "1")
    shop.buy(made[1], "50", "3")
    assert shop.read(allowed) == 0
    assert shop.json("offers", "shared") == []


def test_the_same_amount_is_bought_a_second_time(shop):
    made = shop.offer("3", "0.000001")["offer"]
    paid = [shop.buy(made, "1", "0.000001") for _ in range(2)]
    assert [each["paid"] for each in paid] == ["0.000001"] * 2, "a part costs one atomic unit at least"
    assert paid[0]["transaction"] != paid[1]["transaction"]
    shop.json("cancel", made, "--wallet", SELLER)


def test_the_wallet_sends_what_the_gateway_does_not_pay_for(stocked, cli_world, tmp_path):
    with serving(stocked, cli_world, tmp_path, relayer_account_gas="0") as shop:
        shop.approve_nothing()
        sold = shop.offer("10", "10")
        assert sold["approval"]
        bought = shop.buy(sold["offer"], "4", "4")

        async def senders(client: Client, shares: Shares, dollar: Erc20, exchange: str) -> list[str]:
            found = []
            for each in (sold["approval"], bought["transaction"]):
                block = (await client.receipt(each)).block_number
                found += [known.sender for known in await client.transactions(block) if known.hash == each]
            return found

        assert shop.read(senders) == [DEVNET_ADDRESSES[4], DEVNET_ADDRESSES[5]]
        [left] = shop.json("offers", "shared")
        assert (left["shares"], left["price"]) == ("6", "6")
        shop.json("cancel", sold["offer"], "--wallet", SELLER)


def test_nothing_is_signed_for_an_offer_that_the_gateway_changed(shop):
    made = shop.offer("10", "10")["offer"]
    before = shop.holds()
    for change in ({"price": "9000000"}, {"maker": checksum(DEVNET_ADDRESSES[7])}, {"asset": "0x" + "0" * 31 + "7"}):
        with lying(shop.url, change) as url:
            refused = Shop(shop.commands, url).refused("buy", made, "10", "--max-price", "10", "--wallet", BUYER)
        assert (refused.code, "nothing was signed" in refused.message) in (
            ("bad_answer", True),
            ("unknown_asset", False),
        )
    with lying(shop.url, {"currency": DEVNET_ADDRESSES[7]}) as url:
        refused = Shop(shop.commands, url).refused("buy", made, "10", "--max-price", "10", "--wallet", BUYER)
    assert (refused.code, "nothing was signed" in refused.message) == ("bad_answer", True)
    assert shop.holds() == before
    shop.json("cancel", made, "--wallet", SELLER)


def test_a_name_that_the_gateway_gives_to_another_asset_is_not_sold(shop):
    with lying(shop.url, {}, name="worth little") as url:
        cheap = Shop(shop.commands, url)
        refused = cheap.refused("offer", "worth little", "10", "--price", "1", "--wallet", SELLER)
        assert refused.code == "other_name", refused.message
        assert "the chain calls it 'shared'; give the id" in refused.message


@contextmanager
def lying(url: str, change: dict[str, object], name: str = "") -> Iterator[str]:
    """A gateway that shows what another one does, with other terms of each offer, or another `name` of each service."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = httpx.get(url.removesuffix("/v1") + self.path, timeout=120).raise_for_status().json()
            if name and self.path.endswith("/models"):
                found["data"] = [each | {"id": name} for each in found["data"]]
            content = json.dumps(found | change if "/offers/" in self.path else found).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
