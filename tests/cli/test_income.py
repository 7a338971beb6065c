"""`income`: every number is the ledger's or the chain's, to the unit."""

import pytest

from usufruct.chain.contracts.shares import Shares
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.till import Till
from usufruct.core import checksum
from usufruct.gateway import Operator
from usufruct.payments.ledger import Ledger

pytestmark = pytest.mark.anvil

OWNER, CAP = "5", "0.0001"


async def on_chain(installation, plain: str, shares: str, owners: list[str]):
    operator, client = installation.get(Operator), installation.client
    dollar, till = TestDollar(operator.token, client), Till(operator.till, client)
    of = Shares(shares.lower(), client)
    return {
        "charged": sum(each.charged for each in await installation.get(Ledger).account_list()),
        "plain": await dollar.balance_of(plain.lower()),
        "owed": await till.total_owed(operator.token),
        "received": await dollar.balance_of(of.address) + (await of.revenue(operator.token)).paid_out,
        "fee": (await of.revenue(operator.token)).fee_credited,
        "pending": [await of.pending(each.lower(), operator.token) for each in owners],
        "held": [await dollar.balance_of(each.lower()) for each in owners],
    }


def numbers(document: dict, *names: str) -> list[int]:
    return [int(document[name]) for name in names]


def check(commands, found, plain: str):
    """Compare what `income` shows with the ledger and the chain."""
    plain_service, shared = sorted(found["services"], key=lambda each: each["name"])
    plain_payee, payee = sorted(found["payees"], key=lambda each: each["services"])
    shares = payee["shares"]
    owners = [each["owner"] for each in shares["owners"]]
    chain = commands.inside(lambda each: on_chain(each, plain, payee["pay_to"], owners))
    for document in (found, plain_service, shared):
        earned, unclaimed, paid = numbers(document, "earned", "unclaimed", "paid")
        assert earned == unclaimed + paid
    assert int(found["earned"]) == int(plain_service["earned"]) + int(shared["earned"]) == chain["charged"]
    assert int(plain_service["paid"]) == chain["plain"] + int(plain_payee["deferred"])
    assert int(shared["paid"]) == chain["received"] == int(shares["received"])
    assert int(found["deferred"]) == int(plain_payee["deferred"]) + int(payee["deferred"]) == chain["owed"]
    received, fee, *rest = numbers(
        shares, "received", "protocol_fee", "royalties", "unaccrued", "collected", "collectable"
    )
    assert fee == chain["fee"] == int(found["protocol_fee"])
    assert received == fee + sum(rest)
    assert [int(each["collectable"]) for each in shares["owners"]] == chain["pending"]
    assert [int(each["collected"]) for each in shares["owners"]] == chain["held"]
    assert 0 <= int(shares["collectable"]) - sum(chain["pending"]) <= len(owners)
    return chain


def test_income_agrees_with_the_ledger_and_the_chain(commands, cli_world, librarian_url):
    assert "nothing is sold yet" in commands.run("income").stdout
    plain, ann = checksum("0x" + "ab" * 20), checksum(cli_world.SOMEBODY.address)
    upstream = ("--upstream", librarian_url, "--model", "librarian")
    card = ("--input", "0.5", "--output", "2", "--context", "8192", "--wallet", OWNER)
    commands.json("asset", "register", "shared", *card, "--owner", f"{ann}:20")
    sold = [
        commands.json("sell", "--no-up", *upstream, "--name", "plain", "--pay-to", plain),
        commands.json("sell", "--no-up", *upstream, "--name", "shared", "--asset", "shared"),
    ]
    assert commands.json("income")["earned"] == "0"

    async def trade(installation):
        key = await cli_world.paying_key(installation)
        for service, amounts in zip(sold, ((201, 300), (77_777, 3)), strict=True):
            for amount in amounts:
                await cli_world.charge(installation, key, int(service["asset"], 16), amount)

    commands.inside(trade)
    waiting = commands.json("income")
    assert numbers(waiting, "earned", "unclaimed", "paid", "deferred") == [78_281, 78_281, 0, 0]
    assert waiting["oldest_unclaimed_at"] > 0
    check(commands, waiting, plain)

    commands.json("till", "cap", CAP, "--payee", plain)
    commands.json("claim", "run", "--everything")
    claimed = commands.json("income")
    assert numbers(claimed, "unclaimed", "paid", "deferred") == [0, 78_281, 401]
    assert claimed["oldest_unclaimed_at"] is None
    assert check(commands, claimed, plain)["plain"] == 100

    commands.json("shares", "collect", "shared", "--wallet", "6")
    commands.inside(trade)
    commands.json("service", "retire", "plain")
    collected = commands.json("income")
    chain = check(commands, collected, plain)
    assert numbers(collected, "earned", "unclaimed", "paid") == [2 * 78_281, 78_281, 78_281]
    assert sum(chain["held"]) == next(
        int(each["shares"]["collected"]) for each in collected["payees"] if each["shares"]
    )
    assert sum(chain["held"]) > 0
    shown = commands.run("income").stdout
    for words in (
        "Income in tUSD",
        "Owners of shared",
        "0.000401 tUSD of it wait at the till",
        "claim run --everything",
    ):
        assert words in " ".join(shown.split())
