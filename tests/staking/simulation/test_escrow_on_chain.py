"""The escrow's accounting gives what the contract gives, to the unit: the same random steps on a devnet."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from tests.support import command_line
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from usufruct.app import set_up_devnet
from usufruct.chain import Call, ChainAccess, open_chain
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import Invalid
from usufruct.core.errors import UsufructError
from usufruct.staking.lock_model import WEEK_SECONDS, week_of
from usufruct.staking.simulation.escrow import Escrow, Position

pytestmark = pytest.mark.anvil

STAKERS = DEVNET_ADDRESSES[4:8]
TOKEN = 10**18
WEEKS = 150
VERBS = (
    "lock",
    "increase",
    "extend",
    "start_renewal",
    "stop_renewal",
    "withdraw",
    "exit_early",
    "claim",
    "claim_penalties",
)


class Contract:
    """A VoteEscrow on a devnet, whose stakers have tokens and approved it."""

    def __init__(self, chain: ChainAccess) -> None:
        self.client = chain.client
        self.devnet = Devnet(chain.client)
        self.escrow = VoteEscrow(chain.deployments.address(VoteEscrow), chain.client)
        self.token = PlatformToken(chain.deployments.address(PlatformToken), chain.client)
        self.dollar = TestDollar(chain.deployments.address(TestDollar), chain.client)

    async def send(self, staker: int, call: Call) -> None:
        """Send a call of a staker; the contract's own error where it reverts."""
        await self.client.call(call, sender=STAKERS[staker])
        await self.devnet.send_as(STAKERS[staker], call)

    async def pass_a_week(self) -> None:
        """Go to the middle of the next week, so that its calls are all in it."""
        now = (await self.client.header("latest")).timestamp
        await self.devnet.pass_time((week_of(now) + 1) * WEEK_SECONDS + WEEK_SECONDS // 2 - now)


@pytest.fixture
async def contract(devnet_template: DevnetTemplate, tmp_path: Path) -> AsyncIterator[Contract]:
    async with devnet_template.running(tmp_path) as anvil:
        own = command_line.settings(
            tmp_path,
            anvil.url,
            platform_token_name="Example",
            platform_token_symbol="EXM",
            platform_token_allocation=",".join(f"{each}=10" for each in STAKERS),
            platform_token_exit_penalty_percent=25,
            platform_token_score_floor="3",
        )
        config = command_line.Commands(own).config
        await set_up_devnet(config)
        async with open_chain(config) as chain:
            made = Contract(chain)
            for staker in range(len(STAKERS)):
                await made.send(staker, made.token.approve(made.escrow.address, 10**30))
            yield made


def call_of(escrow: VoteEscrow, verb: str, staker: int, amount: int, weeks: int, most: int) -> Call:
    to = STAKERS[staker]
    return {
        "lock": lambda: escrow.lock(amount, weeks),
        "increase": lambda: escrow.increase(amount),
        "extend": lambda: escrow.extend(weeks),
        "start_renewal": escrow.start_renewal,
        "stop_renewal": escrow.stop_renewal,
        "withdraw": lambda: escrow.withdraw(to),
        "exit_early": lambda: escrow.exit_early(most, to),
        "claim": lambda: escrow.claim(to),
        "claim_penalties": lambda: escrow.claim_penalties(to),
    }[verb]()


async def test_the_same_steps_on_a_chain_pay_the_same_to_the_unit(contract: Contract):
    draw = Random(1)
    await contract.pass_a_week()
    escrow = contract.escrow
    model = Escrow(await escrow.week(), 3 * TOKEN, 2_500)
    positions = [Position() for _ in STAKERS]
    done: dict[str, int] = {}
    for _ in range(WEEKS):
        for staker in draw.sample(range(len(STAKERS)), 3):
            verb = draw.choice(list(VERBS))
            amount, weeks = draw.randint(1, 10**20), draw.randint(1, 12)
            most = model.exit_penalty_up(positions[staker])
            call = call_of(escrow, verb, staker, amount, weeks, most)
            arguments = {"lock": (amount, weeks), "increase": (amount,), "extend": (weeks,)}.get(verb, ())
            try:
                getattr(model, verb)(positions[staker], *arguments)
            except Invalid:
                with pytest.raises(UsufructError):
                    await contract.send(staker, call)
                continue
            await contract.send(staker, call)
            done[verb] = done.get(verb, 0) + 1
        revenue = draw.choice([0, draw.randint(1, 10**10)])
        await contract.devnet.send_as(STAKERS[0], contract.dollar.mint(escrow.address, revenue))
        await contract.send(0, escrow.notify())
        model.notify(revenue)
        await contract.pass_a_week()
        model.advance()
        await contract.send(0, escrow.roll(1))
        await same(contract, model, positions)
    assert set(done) == set(VERBS)


async def same(contract: Contract, model: Escrow, positions: list[Position]) -> None:
    """Compare everything that both can tell."""
    escrow = contract.escrow
    assert await escrow.week() == model.week
    assert await escrow.total_weight_at(model.week) == model.weights[model.week]
    assert await escrow.total_score() == model.total_score
    assert (await escrow.revenue()).waiting == model.revenue.waiting
    penalties = await escrow.waiting_penalties()
    assert penalties.earlier + penalties.fresh == model.waiting_penalties
    for staker, position in zip(STAKERS, positions, strict=True):
        assert await escrow.score_of(staker) == model.score_down(position)
        due = await escrow.claimable(staker)
        assert (due.revenue, due.penalties) == model.claimable(position)
        assert await escrow.exit_penalty_of(staker) == model.exit_penalty_up(position)
        assert (await escrow.lock_of(staker)).amount == position.principal
