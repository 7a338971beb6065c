"""A dollar with 18 decimals, from sale to income: amounts over 64 bits are taken, kept and compared right."""

import json
from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from pathlib import Path
from types import ModuleType
from typing import Any

import openai
import pytest

from tests.support.devnet_template import DevnetTemplate
from usufruct.app import Installation
from usufruct.chain import Call
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.deployment.address_book import DEPLOYER
from usufruct.chain.hashing import create2_address
from usufruct.chain.keys import Role, devnet_signer, signer_of
from usufruct.core import Address, format_units, parse_units
from usufruct.gateway import Operator
from usufruct.payments.ledger import Ledger

pytestmark = pytest.mark.anvil

ASK = [{"role": "user", "content": "Who pays whom?"}]
OWNER, PAYER = 4, 5
DOLLAR = 10**18
INPUT, OUTPUT, PER_CALL = 75 * DOLLAR, 300 * DOLLAR, 600_000 * DOLLAR
FEE_BPS = 250
SIX, EIGHTEEN = (bytes.fromhex(f"602060405160{decimals:02x}8152") for decimals in (6, 18))
"""What `decimals()` of the compiled test dollar returns, and what a token with 18 decimals does."""


async def deploy_dollar(installation: Installation) -> Address:
    """Deploy the test dollar with that one constant changed, list it as a revenue token, and make the payer rich."""
    compiled = TestDollar.deploy().init_code
    assert compiled.count(SIX) == 1
    code, owner = compiled.replace(SIX, EIGHTEEN), installation.sender(signer_of(Role.OWNER, installation.config))
    await owner.execute(Call(DEPLOYER, bytes(32) + code), "deploy/dear dollar")
    dollar = TestDollar(create2_address(DEPLOYER, bytes(32), code), installation.client)
    assert await dollar.decimals() == 18
    registry = AssetRegistry(installation.deployments.address(AssetRegistry), installation.client)
    await owner.execute(registry.list_revenue_token(dollar.address), "list/dear dollar")
    await owner.execute(dollar.mint(devnet_signer(PAYER, installation.chain_id).address, 10**10 * DOLLAR), "mint/dear")
    return dollar.address


@pytest.fixture
def commands(cli_world: ModuleType, devnet_template: DevnetTemplate, tmp_path: Path) -> Iterator[Any]:
    """Commands on a devnet, charging in a dollar with 18 decimals."""
    with devnet_template.copy(tmp_path / "data") as anvil:
        made = cli_world.Commands(cli_world.settings(tmp_path / "data", anvil.url))
        dollar = made.inside(deploy_dollar)
        threshold = {"USUFRUCT_CLAIMS_THRESHOLD": "1000000"}
        yield cli_world.Commands(made.own | threshold | {"USUFRUCT_CHAIN_TOKEN": dollar})


def price(usage: Any) -> int:
    """What the price card makes of a bill's counts, in fractions."""
    return ceil(Fraction(usage.prompt_tokens * INPUT + usage.completion_tokens * OUTPUT, 10**6) + PER_CALL)


def test_a_dollar_with_18_decimals_from_sale_to_income(commands, cli_world, librarian_url, tmp_path):
    terms = ("--input", "75", "--output", "300", "--call", "600000", "--cached-input", "10", "--context", "8192")
    terms += ("--currency", commands.config.chain.token)
    commands.json("asset", "register", "dear", *terms, "--wallet", str(OWNER))
    source = ("--upstream", librarian_url, "--model", "librarian")
    sold = commands.json("sell", "--no-up", *source, "--name", "dear", "--asset", "dear")
    assert (sold["input_per_million"], sold["output_per_million"], sold["per_call"]) == ("75", "300", "600000")
    assert sold["cached_input_percent"] == "10"
    plain = commands.json(
        *("sell", "--no-up", *source, "--name", "plain", "--pay-to", cli_world.SOMEBODY.address),
        *("--input", "100000", "--output", "75.000000000000000001", "--per-call", "1000"),
    )
    assert (plain["input_per_million"], plain["output_per_million"]) == ("100000", "75.000000000000000001")

    with cli_world.running_cli("serve", own=commands.own, log=tmp_path / "serve") as serving:
        to = ("--gateway", serving.ready["url"])
        key = ("key", "create", "--wallet", str(PAYER), "--limit", "9000000000", *to)
        assert commands.refused(*key, "--deposit", "0.099999999999999999").code == "cannot_pay", "a tenth is the least"
        made = commands.json(*key, "--deposit", "1000000000.000000000000000001", "--save")
        assert (made["balance"], made["limit"]) == ("1000000000.000000000000000001", "9000000000")
        commands.json("channel", "deposit", made["channel"], "5000000000", "--wallet", str(PAYER), *to)
        shown = commands.json("channel", "show", made["channel"], *to)
        assert shown["balance"] == "6000000000.000000000000000001"

        with openai.OpenAI(base_url=serving.ready["url"], api_key=made["key"], max_retries=0, timeout=120) as client:
            models = {model.id: model for model in client.models.list()}
            usage = client.chat.completions.create(model="dear", messages=ASK, max_tokens=20).usage
        assert models["dear"].price["input_per_million"] == str(75 * DOLLAR)
        assert (models["dear"].price["decimals"], models["dear"].price["cached_input_bps"]) == (18, 1_000)
        charge = int(usage.cost_details["charge"])
        assert charge == price(usage) > 1 << 64
        assert usage.cost_details["cost"] == format_units(charge, 18)
        assert commands.json("claim", "run")["note"].startswith("nothing is due"), "600,000 of a threshold of a million"
        called = commands.json("call", "dear", "What is a channel?", *to)
        charged = charge + int(called["receipt"]["amount"])
        assert commands.run("receipt", "verify", called["receipt"]["call"], *to).exit_code == 0
        assert commands.json("receipt", "list")[0]["charged"].endswith(" tUSD")

        poor = commands.json("key", "create", "--wallet", str(PAYER), "--limit", "599999", "--deposit", "700000", *to)
        with (
            openai.OpenAI(base_url=serving.ready["url"], api_key=poor["key"], max_retries=0, timeout=120) as asking,
            pytest.raises(openai.APIStatusError) as limited,
        ):
            asking.chat.completions.create(model="dear", messages=ASK, max_tokens=20)
        assert (limited.value.code, limited.value.body["details"]["limit"]) == ("limit_reached", str(599_999 * DOLLAR))

        for looking in (
            ("key", "list", "--wallet", str(PAYER), *to),
            ("asset", "list"),
            ("service", "list"),
        ):
            commands.json(*looking)

        assert json.loads(commands.run("doctor", "--json").stdout)

    assert commands.json("claim", "run")["batches"], "1,200,000 are above it"
    plan = ("pass", "plan", "dear", "--price", "9000000", "--credits", "10000000", "--wallet", str(OWNER))
    assert commands.json(*plan)["about_calls"] == 16
    income = charged - charged * FEE_BPS // 10_000
    pending = [each["pending"] for each in commands.json("shares", "pending", "dear", "--holder", str(OWNER))]
    assert income - 2 <= max(parse_units(each, 18) for each in pending) <= income
    commands.json("shares", "collect", "dear", "--wallet", str(OWNER))

    async def held_by_the_owner(installation: Installation) -> int:
        token = Erc20(installation.get(Operator).token, installation.client)
        assert await installation.get(Ledger).audit() == []
        return await token.balance_of(cli_world.PAYER.address)  # account 4 owns all shares

    assert income - 2 <= commands.inside(held_by_the_owner) <= income
