"""An account claims its own entry of an airdrop straight into a lock: by its passkey, or by its wallet."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest
from playwright.async_api import expect

from tests.staking.airdrop_samples import CAP, write_csv
from tests.staking.airdrop_town import DAYS, TREASURY
from tests.staking.stake_town import ANN, TOKEN, StakeTown, stake_town
from tests.staking.stakers import PasskeyStaker, code
from tests.support.browser import PHONE, chromium, needs_chromium, visit
from tests.support.gateway_server import served
from usufruct.app import open_installation
from usufruct.chain import open_chain
from usufruct.chain.contracts.airdrop import Airdrop
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, signer_of
from usufruct.core import Address
from usufruct.staking import AirdropFile, Airdrops, build_airdrop
from usufruct.staking.airdrop_claims import AirdropClaims
from usufruct.staking.lock_model import end_after

pytestmark = pytest.mark.anvil

ENTRY = 250 * TOKEN
DEMO = DEVNET_ADDRESSES[4]


@dataclass
class LockTown:
    """A town whose airdrop has an entry of a passkey account and one of the demo account."""

    town: StakeTown
    staker: PasskeyStaker
    root: str

    async def ask(self, weeks: int, account: str = ""):
        path = f"/airdrops/{self.root}/{account or self.staker.account}/lock-requests"
        return await self.staker.http.post(path, json={"weeks": weeks})

    async def set_locker(self, *, allowed: bool) -> None:
        escrow = self.town.stakes.escrow
        owner = await escrow.owner()
        await self.town.devnet.set_balance(owner, 10**18)
        await self.town.act(owner, escrow.set_locker(self.place, allowed=allowed))

    @property
    def place(self) -> Address:
        place = self.town.installation.get(AirdropClaims).served[0].place
        assert place is not None
        return place


@pytest.fixture
async def town(devnet_template, tmp_path) -> AsyncIterator[LockTown]:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(stake_town(devnet_template, tmp_path))
        staker = await PasskeyStaker(first, 97).enter()
        entries = [(staker.account, ENTRY), (DEMO, ENTRY), (ANN, 1)]
        file = build_airdrop(write_csv(tmp_path, entries), tmp_path / "out", CAP).path
        config = first.installation.config
        async with open_chain(config) as chain:
            owner, escrow = chain.sender(signer_of(Role.OWNER, config)), chain.deployments.address(VoteEscrow)
            deadline = (await chain.client.head()).timestamp + DAYS
            with AirdropFile(file) as built:
                place = await Airdrops(chain).deploy(owner, built, deadline, TREASURY, escrow)
            assert await Airdrops(chain).let_lock(owner, place, escrow)
        token = replace(config.platform_token, airdrops=f"{file}={place}")
        installation = await stack.enter_async_context(open_installation(replace(config, platform_token=token)))
        _, url, _ = await stack.enter_async_context(served(installation.router()))
        second = StakeTown(installation, url, first.rpc_url, first.clients)
        await staker.move(second)
        [airdrop] = installation.get(AirdropClaims).served
        yield LockTown(second, staker, str(airdrop.root))


async def test_a_passkey_claims_its_entry_into_a_lock(town: LockTown):
    """The account has neither coin nor dollar nor token; it is created for this, once."""
    first, again = await town.ask(26), await town.ask(26)
    assert first.json() == again.json(), "two tabs sign the same operation"
    made = await town.staker.sign_and_send(first.json()["operation"])
    assert (made.status_code, made.json()["state"]) == (200, "succeeded"), made.text
    stake = await town.town.of(town.staker.account)
    assert (stake.lock.amount, stake.held) == (ENTRY, 0)
    assert stake.ends_at == end_after(26, stake.now)
    assert code(await town.ask(26)) == "airdrop_paid", "an entry pays once"


async def test_an_entry_that_cannot_be_locked_is_refused_with_the_reason(town: LockTown):
    await town.set_locker(allowed=False)
    assert code(await town.ask(26)) == "airdrop_not_lockable"
    page = await town.staker.http.get(f"{town.town.root}/airdrop", headers={"accept": "text/html"})
    assert "ready to claim" in page.text
    assert "into a lock" not in page.text
    await town.set_locker(allowed=True)
    assert code(await town.ask(53)) == "invalid_stake"
    await town.town.give(town.staker.account, 10)
    await town.staker.do("lock", amount=str(10 * TOKEN), weeks=4)
    assert code(await town.ask(5)) == "airdrop_not_lockable", "the lock that the account has ends sooner"
    asked = await town.ask(4)
    assert (await town.staker.sign_and_send(asked.json()["operation"])).json()["state"] == "succeeded"
    assert (await town.town.of(town.staker.account)).lock.amount == 10 * TOKEN + ENTRY


async def test_a_stranger_who_claims_first_stops_the_lock_and_the_page_offers_another(town: LockTown):
    """The tokens arrive unlocked: nothing is lost, and the account locks them as any others."""
    [airdrop] = town.town.installation.get(AirdropClaims).served
    entry = airdrop.file.entry_of(town.staker.account)
    assert (await town.ask(52)).status_code == 200
    claim = Airdrop(town.place).claim(entry.index, entry.account, entry.amount, entry.proof)
    await town.town.act(ANN, claim)
    refused = await town.ask(52)
    assert (refused.status_code, code(refused)) == (409, "airdrop_paid")
    page = (await town.staker.http.get(f"{town.town.root}/airdrop", headers={"accept": "text/html"})).text
    assert "that are not locked" in page
    assert "Claim it into a lock" not in page
    assert (await town.staker.do("lock", amount=str(ENTRY), weeks=52)).json()["state"] == "succeeded"
    assert (await town.town.of(town.staker.account)).lock.amount == ENTRY
    page = (await town.staker.http.get(f"{town.town.root}/airdrop", headers={"accept": "text/html"})).text
    assert "that are not locked" not in page


async def test_the_relayer_pays_for_this_airdrop_alone_and_for_no_claim_of_another(town: LockTown):
    """A stranger's contract, another verb, and an entry that is not the account's cost the operator nothing."""
    claims = town.town.installation.get(AirdropClaims)
    other = claims.served[0].file.entry_of(DEMO)
    stolen = Airdrop(town.place).claim_and_lock(other.index, other.amount, 1, other.proof)
    coins = await town.town.installation.client.balance(town.town.relayer)
    asked = await town.staker.ask_calls(stolen)
    assert code(await town.staker.sign_and_send(asked.json())) == "account_unfunded"
    for call in (replace(stolen, to=ANN), Airdrop(town.place).sweep()):
        assert code(await town.staker.ask_calls(call)) == "call_not_relayed"
    assert await town.town.installation.client.balance(town.town.relayer) == coins


async def test_the_demo_account_locks_its_entry_once(town: LockTown):
    http = town.staker.http
    assert (await http.post("/sessions/demo", json={})).is_success
    assert code(await town.ask(8)) == "other_account"
    locked = await town.ask(8, DEMO)
    assert [each["sent"] for each in locked.json()["transactions"]] == [True]
    assert (await town.town.of(DEMO)).lock.amount == ENTRY


@needs_chromium
async def test_a_person_locks_an_entry_on_the_page(town: LockTown):
    """The passkey of the software staker is not in the browser, so the demo account's session shows the way."""
    async with chromium() as browser, visit(browser, f"{town.town.root}/account", **PHONE) as shown:
        page = shown.page
        assert (await page.request.post(f"{town.town.root}/v1/sessions/demo", data={})).ok
        await page.goto(f"{town.town.root}/airdrop")
        await page.get_by_text("Claim it into a lock instead").click()
        await page.get_by_role("spinbutton", name="Weeks").fill("8")
        await page.get_by_role("button", name="Lock 250 EXM").dblclick()
        await expect(page.get_by_text("Your tokens are locked.")).to_be_visible()
        await expect(page.get_by_text("claimed", exact=True)).to_be_visible()
        assert await shown.accessibility_faults() == []
    assert (await town.town.of(DEMO)).lock.amount == ENTRY
