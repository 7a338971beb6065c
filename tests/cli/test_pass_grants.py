"""Prepaid use from the plan to the owners' income, as people do it: by commands, and by the stock `openai` client."""

import json
import time
from decimal import Decimal

import openai
import pytest

from tests.support.devnet import Devnet
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.gateway import Catalogue, Operator
from usufruct.payments.pricing.grants import SILENCE

pytestmark = pytest.mark.anvil

ASK = [{"role": "user", "content": "What is a voucher?"}]
OWNER, BUYER, CLAIM_KEY = "4", "5", "1"
DOLLAR = 1_000_000


@pytest.fixture(scope="module")
def own(cli_world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("up")
    url = f"http://127.0.0.1:{cli_world.free_port()}"
    return cli_world.settings(folder / "data", url, claims_threshold="0.000001")


def charges_of(url: str, key: str, *, stream: bool) -> int:
    """Ask once, and return what the bill says."""
    with openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=120) as client:
        if not stream:
            answer = client.chat.completions.create(model="prepaid", messages=ASK, max_tokens=20)
            return int(answer.usage.cost_details["charge"])
        pieces = client.chat.completions.create(
            model="prepaid", messages=ASK, max_tokens=20, stream=True, stream_options={"include_usage": True}
        )
        return sum(int(piece.usage.cost_details["charge"]) for piece in pieces if not piece.choices)


def test_credits_are_bought_used_by_the_stock_client_and_paid_to_the_owner(own, cli_world, librarian_url, tmp_path):
    commands = cli_world.Commands(own)
    with cli_world.running_cli("up", "--json", own=own, log=tmp_path / "up") as up:
        terms = ("--input", "5", "--output", "20", "--call", "0.001", "--context", "8192", "--meter", OWNER)
        commands.json("asset", "register", "prepaid", *terms, "--wallet", OWNER)
        commands.json(
            "sell",
            "--no-up",
            "--upstream",
            librarian_url,
            "--model",
            "librarian",
            "--asset",
            "prepaid",
            "--name",
            "prepaid",
        )
        commands.json("pass", "plan", "prepaid", "--price", "9", "--credits", "10", "--wallet", OWNER)
        before = commands.json("wallet", "balance", BUYER)
        commands.json("wallet", "fund", BUYER)
        after = commands.json("wallet", "balance", BUYER)
        assert Decimal(after["balance"]) - Decimal(before["balance"]) == 100
        assert float(after["coins"]) > 0
        told = [each for each in json.loads(commands.run("doctor", "--json").stdout) if each["subject"] == "passes"]
        assert "cannot be used here" in told[0]["says"]
        assert "asset meter prepaid" in told[0]["remedy"]
        commands.json("asset", "meter", "prepaid", CLAIM_KEY, "--wallet", OWNER)

        grant = commands.json("pass", "grant", "prepaid", "--wallet", BUYER, "--save")
        url = up.ready["url"]
        with pytest.raises(openai.APIStatusError, match="activate some") as poor:
            charges_of(url, grant["key"], stream=False)
        assert (poor.value.status_code, poor.value.code) == (402, "insufficient_balance")

        said = commands.refused("call", "prepaid", "What is a channel?").message
        assert "usufruct pass activate" in said
        assert "deposit" not in said
        commands.json("pass", "buy", "prepaid", "--wallet", BUYER)
        commands.json("pass", "activate", "prepaid", "10", "--wallet", BUYER)
        charged = charges_of(url, grant["key"], stream=False) + charges_of(url, grant["key"], stream=True)
        called = commands.json("call", "prepaid", "What is a channel?")
        charged += int(called["receipt"]["amount"])
        assert called["receipt"]["account"] == grant["account"]
        assert commands.run("receipt", "verify", called["receipt"]["call"]).exit_code == 0

        small = commands.json("pass", "grant", "prepaid", "--wallet", BUYER, "--limit", "0.0001")
        with pytest.raises(openai.APIStatusError) as over:
            charges_of(url, small["key"], stream=False)
        assert over.value.code == "limit_reached"
        once = {"idempotency-key": "1"}
        asked = {"model": "prepaid", "messages": ASK, "max_tokens": 20, "extra_headers": once}
        bills = []
        other = commands.json("pass", "grant", "prepaid", "--wallet", BUYER, "--expires", "29d")["key"]
        for key in (grant["key"], grant["key"], other):
            with openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=120) as client:
                raw = client.chat.completions.with_raw_response.create(**asked)
            bills.append((raw.headers["x-usufruct-call"], int(raw.headers["x-usufruct-charge"])))
        assert bills[0] == bills[1] != bills[2], "again for the same grant, for another one it is another call"
        charged += bills[0][1] + bills[2][1]

        spoilt = grant["key"][:-8] + "AAAAAAAA"
        with pytest.raises(openai.AuthenticationError) as stranger:
            charges_of(url, spoilt, stream=False)
        assert stranger.value.code == "grant_refused"

        left = 10 * DOLLAR - charged

        def activated() -> int:
            (held,) = commands.json("pass", "balance", "prepaid", "--holder", BUYER)
            return round(float(held["activated"]) * DOLLAR)

        deadline = time.monotonic() + 120
        while activated() != left:
            assert time.monotonic() < deadline, "the worker burns what was used"
            time.sleep(0.2)

        async def of_shares(installation):
            asset = await installation.get(Catalogue).find("prepaid")
            return await Erc20(installation.get(Operator).token, installation.client).balance_of(asset.pay_to)

        assert commands.inside(of_shares) == charged * 9 // 10, "the price of what was used, rounded down"

        assert commands.refused("pass", "refund", "prepaid", "--wallet", BUYER).code == "nothing_to_give_back"

        async def fall_silent(installation):
            await Devnet(installation.client).pass_time(SILENCE + 1)

        commands.inside(fall_silent)
        (given,) = commands.json("pass", "refund", "prepaid", "--wallet", BUYER)
        assert given["paid"] == f"{left * 9 // 10 / DOLLAR:.6f}".rstrip("0")
