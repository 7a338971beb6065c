"""The platform token is deployed as the configuration says: supply, airdrop, allocation, to the unit."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support import command_line
from tests.support.devnet_template import DevnetTemplate
from usufruct.app import set_up_devnet
from usufruct.chain import open_node
from usufruct.chain.contracts.airdrop import Airdrop
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.config import InvalidSetting, PlatformTokenConfig, load_config, read_allocation
from usufruct.core import Address
from usufruct.staking.platform_token import platform_token_creation

TEAM, PARTNER = Address("0x" + "ab" * 20), Address("0x" + "cd" * 20)
OWNER, TREASURY = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
TOKEN = 10**18


@pytest.mark.anvil
def test_the_configured_token_is_deployed_once(devnet_template: DevnetTemplate, tmp_path: Path):
    with devnet_template.copy(tmp_path) as anvil:
        own = command_line.settings(tmp_path, anvil.url) | {
            "USUFRUCT_PLATFORM_TOKEN_NAME": "Example",
            "USUFRUCT_PLATFORM_TOKEN_SYMBOL": "EXM",
            "USUFRUCT_PLATFORM_TOKEN_SUPPLY": "1000",
            "USUFRUCT_PLATFORM_TOKEN_AIRDROP_PERCENT": "60",
            "USUFRUCT_PLATFORM_TOKEN_ALLOCATION": f"{TEAM}=12.5, {PARTNER}=2.5",
        }
        config = load_config(own)
        deployments = asyncio.run(set_up_devnet(config))
        again = asyncio.run(set_up_devnet(config))
        assert again.address(PlatformToken) == deployments.address(PlatformToken)

        async def held() -> list[Any]:
            async with open_node(config) as client:
                token = PlatformToken(deployments.address(PlatformToken), client)
                return [
                    await token.name(),
                    await token.symbol(),
                    await token.total_supply(),
                    await token.airdrop_reserve(),
                    await token.balance_of(TEAM),
                    await token.balance_of(PARTNER),
                    await token.token_bridge(),
                    await token.least_airdrop_bps(),
                ]

        found = asyncio.run(held())
    assert found == ["Example", "EXM", 1000 * TOKEN, 600 * TOKEN, 125 * TOKEN, 25 * TOKEN, "0x" + "0" * 40, 5_000]


def test_without_a_name_no_token_is_deployed(devnet_template: DevnetTemplate, tmp_path: Path):
    with devnet_template.copy(tmp_path) as anvil:
        deployments = asyncio.run(set_up_devnet(load_config(command_line.settings(tmp_path, anvil.url))))
    assert PlatformToken.__name__ not in deployments.contracts
    assert Airdrop.__name__ not in deployments.contracts


def test_the_airdrop_is_at_least_half_by_default():
    with pytest.raises(InvalidSetting, match="least_airdrop_percent"):
        platform_token_creation(PlatformTokenConfig("Example", "EXM", airdrop_percent=49), OWNER, TREASURY)
    platform_token_creation(PlatformTokenConfig("Example", "EXM"), OWNER, TREASURY)


def test_parts_over_the_supply_are_refused():
    settings = PlatformTokenConfig("Example", "EXM", allocation=f"{TEAM}=50.01")
    with pytest.raises(InvalidSetting, match="more than the supply"):
        platform_token_creation(settings, OWNER, TREASURY)


@pytest.mark.parametrize(
    "text", [TEAM, f"{TEAM}=", f"{TEAM}=0", f"{TEAM}=1.234", f"{TEAM}=1,{TEAM}=2", "x=1", "=1", f"{TEAM}=100.01"]
)
def test_an_allocation_that_cannot_work_is_refused(text: str):
    with pytest.raises(InvalidSetting, match=r"platform_token\.allocation"):
        load_config({"USUFRUCT_PLATFORM_TOKEN_ALLOCATION": text})


def test_an_allocation_is_read_to_the_hundredth_of_a_per_cent():
    assert read_allocation(f" {TEAM} = 12.5 ,{PARTNER}=0.01,") == {TEAM: 1_250, PARTNER: 1}
