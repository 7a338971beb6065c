"""From a vote to an answer: shareholders set model and prompts, the next call is served so, and its receipt says it."""

import json
from collections.abc import AsyncIterator
from hashlib import sha256

import httpx
import pytest

from tests.support import x402_installation as worlds
from tests.support.command_line import paying_key
from tests.support.devnet import Devnet
from tests.support.html_page import HtmlPage
from tests.support.waiting import until
from usufruct.assets import FREE, Assets, NewAsset, RegistryClient
from usufruct.chain.contracts.asset_registry import Kind
from usufruct.chain.contracts.title_trust import Terms
from usufruct.chain.keys import devnet_signer
from usufruct.core import ZERO_ADDRESS, Address, AssetId
from usufruct.gateway import Catalogue, FollowedConfiguration, FollowedConfigurations, Operator
from usufruct.governance import Support
from usufruct.governance.model import ProposalState
from usufruct.governance.trusts import CONFIGURATION, TitleTrusts, configuration_entry

pytestmark = pytest.mark.anvil

HOUR, DAY = 3_600, 86_400
DOCUMENT = json.dumps({"model": "bard", "system": "Answer in verse.", "locked": {"seed": 7}})
DIGEST = "0x" + sha256(DOCUMENT.encode()).hexdigest()


@pytest.fixture
async def world(devnet_template, tmp_path) -> AsyncIterator[worlds.X402Installation]:
    async with worlds.x402_installation(devnet_template, tmp_path) as opened:
        yield opened


async def register(world: worlds.X402Installation) -> tuple[AssetId, Address]:
    """Register a service, all of whose shares are one account's."""
    registry = RegistryClient(world.installation)
    owner = world.installation.sender(devnet_signer(4, world.installation.chain_id))
    terms = NewAsset(
        name="voted",
        symbol="VOTED",
        currency=world.installation.get(Operator).token,
        card=FREE,
        kind=Kind.MODEL,
        notice_period=HOUR,
        transfer_policy=ZERO_ADDRESS,
        resale_royalty_bps=0,
    )
    made = await Assets(registry).register(owner, terms)
    return made.id, made.shares


async def vote(world: worlds.X402Installation, asset: AssetId) -> int:
    """Give the title to a trust, and have its shareholder set the configuration; return the proposal."""
    registry, devnet = RegistryClient(world.installation), Devnet(world.installation.client)
    owner = world.installation.sender(devnet_signer(4, world.installation.chain_id))
    trusts = TitleTrusts(world.installation, registry, Assets(registry))
    place = await trusts.create(owner, asset, Terms(HOUR, DAY, 100, 1_000))
    await trusts.give(owner, asset, place)
    await trusts.delegate(owner, asset, owner.address)
    await devnet.pass_time(2)
    entry = configuration_entry(DOCUMENT.encode(), "ipfs://somewhere")
    proposal, _ = await trusts.propose(owner, asset, [trusts.plan_entry(asset, CONFIGURATION, entry)], "verse")
    await devnet.pass_time(HOUR + 1)
    await trusts.vote(owner, asset, proposal.id, Support.FOR)
    await devnet.pass_time(DAY)
    await trusts.execute(owner, asset, proposal.id)
    assert (await trusts.proposal(asset, proposal.id)).state is ProposalState.EXECUTED
    return proposal.id


async def test_shareholders_vote_and_the_next_call_is_served_so(world, tmp_path):
    asset, shares = await register(world)
    await world.sell("voted", registered=True, id=asset, pay_to=shares)
    await world.gateway.get(Catalogue).follow("voted", FollowedConfiguration())
    key = await paying_key(world.installation)
    folder = world.installation.config.data.folder / "configurations"
    folder.mkdir()
    (folder / f"{DIGEST[2:]}.json").write_text(DOCUMENT)
    async with httpx.AsyncClient(timeout=120, headers={"authorization": f"Bearer {key.text}"}) as http:
        before = await world.ask(http, "voted")
        assert before.status_code == 200, before.text
        assert world.upstream.requests[-1]["model"] == "m"

        proposal = await vote(world, asset)
        for _ in range(11):
            await Devnet(world.installation.client).mine(100)
        await world.installation.get(FollowedConfigurations).poll()

        async def served() -> bool:
            return (await world.gateway.get(Catalogue).find("voted")).configuration is not None

        await until(served)
        after = await world.ask(http, "voted")
        sent = world.upstream.requests[-1]
        assert (sent["model"], sent["seed"]) == ("bard", 7)
        assert sent["messages"][0] == {"role": "system", "content": "Answer in verse."}
        receipt = worlds.decoded(after.headers["x-usufruct-receipt"])
        assert receipt["modelDigest"] == DIGEST
        page = HtmlPage((await http.get(f"{world.url.removesuffix('v1')}s/voted")).text)
        shown = " ".join(text for texts in page.texts.values() for text in texts)
        assert DIGEST in shown
        assert str(proposal) in shown
        card = (await http.get(f"{world.url}/models/voted")).json()
    assert card["configuration"]["transaction"].startswith("0x")
