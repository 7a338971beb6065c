"""Drafts are simulated for everyone, so many in a minute for each network: of proposals and trusts together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from tests.support import command_line
from tests.support.dao import PENALTY, Dao
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.entrusted_service import entrusted
from tests.support.fake_clock import FakeClock
from usufruct.app import open_installation
from usufruct.app.installation import Installation
from usufruct.assets import CardChange, RegistryClient
from usufruct.chain import ChainAccess
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.config import Config
from usufruct.core import Address, format_asset
from usufruct.governance.draft_limit import DraftLimit
from usufruct.governance.errors import TooManyDrafts
from usufruct.governance.trusts.changes import TrustExplainer
from usufruct.governance.trusts.drafts import ServiceChange, TrustDrafts
from usufruct.governance.trusts.service import TitleTrusts
from usufruct.governance.trusts.voters import ShareVoters

HERE, THERE = "203.0.113.7", "2001:db8::7"
DRAFT = {"calls": [{"call": PENALTY}], "description": "Raise it"}
PAGE = {"accept": "text/html"}


def limited(config: Config, most: int) -> Config:
    return replace(config, governance=replace(config.governance, drafts_per_minute=most))


@asynccontextmanager
async def visitor(installation: Installation, address: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(installation.router(), client=(address, 4_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as http:
        yield http


def drafts_of(installation: Installation) -> TrustDrafts:
    registry, chain = installation.get(RegistryClient), installation.get(ChainAccess)

    async def no_passkey(_: Address) -> bool:
        return False

    voters = ShareVoters(installation.get(TitleTrusts), registry, chain, no_passkey, None)
    return TrustDrafts(voters, TrustExplainer(registry), installation.get(DraftLimit))


def refusal(answer: httpx.Response) -> tuple[int, str, bool]:
    """Return status and code of a refusal, and whether it says when to come again."""
    return answer.status_code, answer.json()["error"]["code"], 0 < int(answer.headers["retry-after"]) <= 61


def test_a_network_that_is_not_known_counts_as_one():
    clock = FakeClock()
    limit = DraftLimit(1, clock)
    for network in (HERE, None):
        limit.count(network)
        with pytest.raises(TooManyDrafts) as refused:
            limit.count(network)
        assert refused.value.details == {"most": 1, "retry_after": 61}
    clock.advance(60)
    limit.count(None)


@pytest.mark.anvil
async def test_drafts_of_proposals_are_limited_on_page_and_api(dao: Dao):
    look = {"parameter": "VoteEscrow.exit_penalty", "value": "25", "title": "Raise it", "do": "look"}
    async with (
        open_installation(limited(dao.commands.config, 1)) as installation,
        visitor(installation, HERE) as here,
        visitor(installation, THERE) as there,
    ):
        wrong = {"calls": [{"call": "VoteEscrow.burn()"}], "description": "Burn it"}
        assert (await here.post("/v1/proposals/drafts", json=wrong)).status_code == 400  # and is not counted
        assert (await here.post("/v1/proposals/drafts", json=DRAFT)).status_code == 200
        assert refusal(await here.post("/v1/proposals/drafts", json=DRAFT)) == (429, "too_many_drafts", True)
        page = await here.post("/proposals/new", data=look, headers=PAGE)
        assert page.status_code == 429
        assert "Your network has looked at many drafts just now." in page.text
        assert int(page.headers["retry-after"]) <= 61
        assert (await here.get("/proposals/new", headers=PAGE)).status_code == 200
        assert (await there.post("/proposals/new", data=look, headers=PAGE)).status_code == 200
        assert (await there.post("/v1/proposals/drafts", json=DRAFT)).status_code == 429


@pytest.mark.anvil
async def test_drafts_of_trusts_are_limited_on_page_and_api(devnet_template: DevnetTemplate, tmp_path):
    async with devnet_template.running(tmp_path) as anvil:
        config = command_line.Commands(command_line.settings(tmp_path, anvil.url)).config
        async with (
            open_installation(limited(config, 1)) as installation,
            visitor(installation, HERE) as here,
            visitor(installation, THERE) as there,
        ):
            asset_id = await entrusted(installation, DEVNET_ADDRESSES[1], DEVNET_ADDRESSES[2])
            asset = format_asset(asset_id)
            api, place = f"/v1/trusts/{asset}/drafts", f"/trusts/{asset}/new"
            draft = {"endpoint": "https://api.example.org", "description": "Move"}
            look = {"endpoint": "https://api.example.org", "title": "Move", "do": "look"}
            assert (await here.post(api, json=draft)).status_code == 200
            assert refusal(await here.post(api, json=draft)) == (429, "too_many_drafts", True)
            assert (await here.post(place, data=look, headers=PAGE)).status_code == 429
            assert (await there.post(place, data=look, headers=PAGE)).status_code == 200
            await Devnet(installation.client).pass_time(2)  # a proposer needs votes in a second that has passed
            drafts, owner = drafts_of(installation), DEVNET_ADDRESSES[4]
            change = ServiceChange(CardChange(), endpoint="https://api.example.org")
            move = await drafts.draft(asset_id, change, "Move")
            with pytest.raises(TooManyDrafts):
                await drafts.propose(owner, move, HERE, anyway=False)
            assert (await drafts.propose(owner, move, HERE, anyway=True)).data, "nothing is simulated"
