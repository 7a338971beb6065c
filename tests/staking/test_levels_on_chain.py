"""The configured levels are deployed; an account's level follows its lock from week to week, and the owner."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.staked_economy import ANN, BEN, TOKEN, Economy
from usufruct.chain import ChainAccess
from usufruct.chain.contracts.levels import Level, Levels
from usufruct.chain.deployment import NotDeployed
from usufruct.chain.keys import Role, signer_of
from usufruct.staking import StakingLevels
from usufruct.staking.level_model import NO_LEVEL, LevelTerms, level_of, read_levels
from usufruct.staking.lock_model import WEEK_SECONDS

pytestmark = pytest.mark.anvil

LEVELS = ",".join(f"{100 * number}={2.5 * number}:{1 + number}" for number in range(1, 11))


@pytest.fixture
def economy(devnet_template: DevnetTemplate, tmp_path: Path) -> Iterator[Economy]:
    with devnet_template.copy(tmp_path) as anvil:
        yield Economy(tmp_path, anvil.url, levels=LEVELS)


def show(economy: Economy, wallet: int) -> tuple[int, str, str, str | None]:
    shown = economy.commands.json("level", "show", str(wallet))
    return shown["level"], shown["discount"], shown["quota"], shown["next_level_at"]


def test_a_level_follows_the_lock_from_week_to_week(economy: Economy):
    economy.stake("lock", "500", "--weeks", "52", wallet=ANN)
    assert show(economy, ANN) == (0, "0 %", "1 x", "100")
    economy.pass_weeks(1)
    assert show(economy, ANN) == (5, "12.5 %", "6 x", "600")
    economy.stake("increase", "1000", wallet=ANN)
    assert show(economy, ANN)[0] == 5
    economy.pass_weeks(1)
    assert show(economy, ANN) == (10, "25 %", "11 x", None)
    assert show(economy, BEN)[0] == 0

    levels = economy.inside(lambda chain: StakingLevels(chain).all())
    assert levels == read_levels(LEVELS)
    for _ in range(3):
        economy.pass_weeks(10)
        stake = economy.of(ANN)
        assert show(economy, ANN)[0] == level_of(stake.score, levels)


def test_a_level_outlives_an_early_exit_until_the_week_ends_and_no_longer(economy: Economy):
    """Levels follow the score at the start of the week: an exit does not change it, and the next week has none."""
    economy.stake("lock", "500", "--weeks", "52", wallet=ANN)
    economy.pass_weeks(1)
    assert show(economy, ANN)[0] == 5
    exit_penalty = economy.of(ANN).exit_penalty
    economy.stake("exit", "--yes", wallet=ANN)
    stake = economy.of(ANN)
    assert (stake.lock.amount, exit_penalty > 0) == (0, True)
    assert show(economy, ANN)[0] == 5, "tokens are out, and the level is there"
    economy.pass_time(WEEK_SECONDS - stake.now % WEEK_SECONDS - 60)
    assert show(economy, ANN)[0] == 5, "in the week's last minute"
    economy.pass_time(60)
    assert show(economy, ANN) == (0, "0 %", "1 x", "100")


def test_new_levels_of_the_owner_are_read_in_the_next_block(economy: Economy):
    economy.stake("lock", "500", "--weeks", "52", wallet=ANN)
    economy.pass_weeks(1)
    rows = [Level(1_000 * number * TOKEN, 100 * number, 20_000) for number in range(1, 11)]

    async def change(chain: ChainAccess) -> None:
        place = Levels(chain.deployments.address(Levels), chain.client)
        await Devnet(chain.client).send_as(signer_of(Role.OWNER, chain.config).address, place.set_levels(rows))

    economy.inside(change)
    assert show(economy, ANN)[0] == 0
    listed = economy.commands.json("level", "list")
    assert [each["score"] for each in listed] == [str(1_000 * number) for number in range(1, 11)]
    assert listed[9] == {"level": 10, "score": "10000", "discount": "10 %", "quota": "2 x"}


def test_an_installation_without_levels_says_so(devnet_template: DevnetTemplate, tmp_path: Path):
    with devnet_template.copy(tmp_path) as anvil:
        economy = Economy(tmp_path, anvil.url)
        assert isinstance(economy.commands.refused("level", "show", str(ANN)), NotDeployed)


def test_the_terms_of_level_0_are_the_models(economy: Economy):
    async def read(chain: ChainAccess) -> LevelTerms:
        place = Levels(chain.deployments.address(Levels), chain.client)
        level = await place.level_terms(0)
        return LevelTerms(level.threshold, level.discount_bps, level.quota_bps)

    assert economy.inside(read) == NO_LEVEL
