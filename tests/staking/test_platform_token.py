"""The platform token is deployed as the configuration says: supply, airdrop, allocation, to the unit."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support import command_line
from tests.support.deploying import setup_of
from tests.support.devnet_template import DevnetTemplate
from usufruct.app import deploy_steps, set_up_devnet, site_of
from usufruct.chain import Client, Sender, fee_sink_of, open_chain_unchecked, open_node
from usufruct.chain.contracts.airdrop import Airdrop
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.fee_splitter import FeeSplitter
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.deployment import Deployments, DeploySite
from usufruct.chain.deployment.address_book import Deployed
from usufruct.chain.keys import Role, claim_address, signer_of
from usufruct.config import Config, InvalidSetting, PlatformTokenConfig, load_config
from usufruct.core import Address, ChainId, Hash32
from usufruct.core.address_lists import read_allocation
from usufruct.staking.component import deploy_steps as deploy_steps_of_staking
from usufruct.staking.platform_token import platform_token_creation
from usufruct.staking.vote_escrow import vote_escrow_creation

TEAM, PARTNER = Address("0x" + "ab" * 20), Address("0x" + "cd" * 20)
OWNER, TREASURY = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
NO_HASH = Hash32("0x" + "0" * 64)
TOKEN = 10**18


async def gas_by_step(config: Config) -> dict[str, int]:
    """Return the gas that each step of a deployment takes now."""
    async with open_chain_unchecked(config) as chain:
        site = site_of(chain, signer_of(Role.OWNER, config), claim_address(config))
        return {step.what: await step.gas() for step in deploy_steps(config, site)}


@pytest.mark.anvil
def test_the_configured_token_is_deployed_once(devnet_template: DevnetTemplate, tmp_path: Path):
    with devnet_template.copy(tmp_path) as anvil:
        own = command_line.settings(tmp_path, anvil.url) | {
            "USUFRUCT_PLATFORM_TOKEN_NAME": "Example",
            "USUFRUCT_PLATFORM_TOKEN_SYMBOL": "EXM",
            "USUFRUCT_PLATFORM_TOKEN_SUPPLY": "1000",
            "USUFRUCT_PLATFORM_TOKEN_AIRDROP_PERCENT": "60",
            "USUFRUCT_PLATFORM_TOKEN_ALLOCATION": f"{TEAM}=12.5, {PARTNER}=2.5",
            "USUFRUCT_PLATFORM_TOKEN_SCORE_FLOOR": "2.5",
            "USUFRUCT_PLATFORM_TOKEN_EXIT_PENALTY_PERCENT": "20",
        }
        config = load_config(own)
        planned = asyncio.run(gas_by_step(config))
        assert planned["deploy PlatformToken"]
        assert planned["deploy VoteEscrow"]
        deployments = asyncio.run(set_up_devnet(config))
        assert not any(asyncio.run(gas_by_step(config)).values())
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

        async def terms() -> list[Any]:
            async with open_node(config) as client:
                registry = AssetRegistry(deployments.address(AssetRegistry), client)
                splitter = FeeSplitter(deployments.address(FeeSplitter), client)
                assert await registry.fee_sink() == splitter.address
                assert await splitter.escrow() == deployments.address(VoteEscrow)
                assert await splitter.treasury() == fee_sink_of(config)
                escrow = VoteEscrow(deployments.address(VoteEscrow), client)
                return [
                    await escrow.token(),
                    await escrow.revenue_token(),
                    await escrow.owner(),
                    await escrow.score_floor(),
                    await escrow.exit_penalty_bps(),
                ]

        found, escrow_terms = asyncio.run(held()), asyncio.run(terms())
    assert found == ["Example", "EXM", 1000 * TOKEN, 600 * TOKEN, 125 * TOKEN, 25 * TOKEN, "0x" + "0" * 40, 5_000]
    owner, token = signer_of(Role.OWNER, config).address, deployments.address(PlatformToken)
    assert escrow_terms == [token, deployments.address(TestDollar), owner, 25 * TOKEN // 10, 2_000]


def test_without_a_name_no_token_is_deployed(devnet_template: DevnetTemplate, tmp_path: Path):
    with devnet_template.copy(tmp_path) as anvil:
        deployments = asyncio.run(set_up_devnet(load_config(command_line.settings(tmp_path, anvil.url))))
    assert PlatformToken.__name__ not in deployments.contracts
    assert Airdrop.__name__ not in deployments.contracts
    assert VoteEscrow.__name__ not in deployments.contracts


def test_the_fee_goes_to_the_stakers_unless_the_operator_keeps_it():
    def steps(settings: PlatformTokenConfig) -> list[str]:
        client = Client("http://127.0.0.1:1")
        site = DeploySite(client, cast(Sender, None), Deployments(ChainId(1), {}), setup_of(OWNER, TREASURY))
        return [step.what for step in deploy_steps_of_staking(site, settings)]

    contracts = ["deploy PlatformToken", "deploy VoteEscrow", "deploy FeeSplitter"]
    named = PlatformTokenConfig("Example", "EXM")
    assert steps(named) == [*contracts, "let the fees of AssetRegistry go to the stakers"]
    assert steps(replace(named, fee_to="operator")) == contracts
    with pytest.raises(InvalidSetting, match=r"governance\.quorum_floor"):
        steps(replace(named, fee_to="treasury"))


def test_a_contract_that_stands_keeps_its_treasury_when_a_governor_comes_later():
    client, timelock = Client("http://127.0.0.1:1"), Address("0x" + "33" * 20)

    def places(found: dict[str, Address], treasury: Address) -> dict[str, Address]:
        known = Deployments(ChainId(1), {name: Deployed(place, "1.0.0", NO_HASH, 0) for name, place in found.items()})
        site = DeploySite(client, cast(Sender, None), known, setup_of(OWNER, TREASURY, treasury=treasury))
        kinds = (PlatformToken, VoteEscrow, FeeSplitter)
        deploy_steps_of_staking(site, PlatformTokenConfig("Example", "EXM"))
        return {each.__name__: site.planned(each) for each in kinds}

    without, with_governor = places({}, TREASURY), places({}, timelock)
    assert not {*without.values()} & {*with_governor.values()}
    assert places(without, timelock) == without
    assert places(with_governor, timelock) == with_governor


def test_the_airdrop_is_at_least_half_by_default():
    with pytest.raises(InvalidSetting, match="least_airdrop_percent"):
        platform_token_creation(PlatformTokenConfig("Example", "EXM", airdrop_percent=49), OWNER, TREASURY)
    platform_token_creation(PlatformTokenConfig("Example", "EXM"), OWNER, TREASURY)


def test_parts_over_the_supply_are_refused():
    settings = PlatformTokenConfig("Example", "EXM", allocation=f"{TEAM}=50.01")
    with pytest.raises(InvalidSetting, match="more than the supply"):
        platform_token_creation(settings, OWNER, TREASURY)


def test_a_floor_or_a_penalty_that_the_escrow_refuses_is_named():
    settings = PlatformTokenConfig("Example", "EXM", supply="1000", score_floor="10", exit_penalty_percent=10)
    vote_escrow_creation(settings, OWNER, TEAM, PARTNER)
    with pytest.raises(InvalidSetting, match=r"platform_token\.score_floor` is 10\.1"):
        vote_escrow_creation(replace(settings, score_floor="10.1"), OWNER, TEAM, PARTNER)
    with pytest.raises(InvalidSetting, match=r"platform_token\.exit_penalty_percent` is 9"):
        vote_escrow_creation(replace(settings, exit_penalty_percent=9), OWNER, TEAM, PARTNER)


@pytest.mark.parametrize(
    "text", [TEAM, f"{TEAM}=", f"{TEAM}=0", f"{TEAM}=1.234", f"{TEAM}=1,{TEAM}=2", "x=1", "=1", f"{TEAM}=100.01"]
)
def test_an_allocation_that_cannot_work_is_refused(text: str):
    with pytest.raises(InvalidSetting, match=r"platform_token\.allocation"):
        load_config({"USUFRUCT_PLATFORM_TOKEN_ALLOCATION": text})


def test_an_allocation_is_read_to_the_hundredth_of_a_per_cent():
    assert read_allocation(f" {TEAM} = 12.5 ,{PARTNER}=0.01,") == {TEAM: 1_250, PARTNER: 1}
