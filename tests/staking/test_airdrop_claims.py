"""The relayer claims entries for visitors: each once, never one that would revert, within bounds by day and network."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.staking.airdrop_samples import CAP, sample_entries, write_csv
from tests.staking.airdrop_town import DAYS, ENTRIES, TREASURY, AirdropTown, airdrop_town
from tests.support.gateway_server import MovableClock
from tests.support.waiting import until
from usufruct.chain import Senders
from usufruct.chain.keys import Role
from usufruct.core import Address, Clock, UsufructError
from usufruct.staking import NoSuchEntry, build_airdrop
from usufruct.staking.airdrop_claim_store import AirdropClaimStore, ClaimBounds, ClaimLimited, ClaimState
from usufruct.staking.airdrop_claims import DAY, AirdropClaims, ClaimPolicy, EntryState, RelayerEmpty
from usufruct.staking.served_airdrops import ServedAirdrops
from usufruct.store import MasterSecret

pytestmark = pytest.mark.anvil

ONE, TWO, THREE, FOUR = (Address(account) for account, _ in ENTRIES[:4])
NETWORK, OTHER = "203.0.113.7", "198.51.100.9"


@pytest.fixture
async def town(devnet_template, tmp_path) -> AsyncIterator[AirdropTown]:
    async with airdrop_town(devnet_template, tmp_path) as opened:
        yield opened


def claims_of(
    town: AirdropTown,
    bounds: ClaimBounds,
    places: dict[str, str] | None = None,
    clock: Clock | None = None,
    policy: ClaimPolicy | None = None,
) -> AirdropClaims:
    """Return the service with other bounds, airdrops, clock or policy."""
    served = ServedAirdrops.open(places) if places else town.claims.served
    get = town.installation.get
    stamp = get(MasterSecret).stamp("networks")
    return AirdropClaims(
        served, town.installation, lambda: get(Senders).of(Role.RELAYER), bounds, stamp, clock or Clock(), policy
    )


async def test_two_taps_are_one_transaction_that_pays_the_entry_to_its_account(town: AirdropTown):
    account, amount = ENTRIES[0]
    path = f"/v1/airdrops/{town.airdrop.root}/{account}/claim"
    begun = await town.relayed()
    async with town.visitor() as http:
        found = (await http.get(path)).json()
        assert (found["state"], found["transaction"], found["units"]) == ("open", None, str(amount))
        assert found["contract"] == town.place
        taps = await asyncio.gather(http.post(path), http.post(path))
        again = await http.post(path)
        assert [each.status_code for each in (*taps, again)] == [200] * 3
        answers = [each.json() for each in (*taps, again)]
        assert {each["state"] for each in answers} == {"claimed"}
        [transaction] = {each["transaction"] for each in answers}
        assert (await http.get(path)).json() == answers[0]
        [listed] = (await http.get("/v1/airdrops")).json()["airdrops"]
    receipt = await town.client.receipt(transaction)
    assert receipt.succeeded
    assert await town.token.balance_of(Address(account)) == amount
    assert int(listed["left"]) == await town.token.balance_of(town.place) == sum(each for _, each in ENTRIES) - amount
    assert (listed["state"], listed["treasury"]) == ("open", TREASURY)
    assert await town.relayed() == begun + 1
    kept = await AirdropClaimStore(town.installation.database).find(town.place, town.airdrop.file.entry_of(ONE).index)
    assert (kept.state, kept.transaction) == (ClaimState.PAID, transaction)
    assert kept.gwei == -(-receipt.gas_used * receipt.gas_price // 10**9)


async def test_a_network_claims_so_many_a_day_and_all_together_for_so_much(town: AirdropTown):
    clock = MovableClock()
    claims = claims_of(town, ClaimBounds(network_claims=2, daily_gwei=10**9), clock=clock)
    for account in (ONE, TWO, TWO):
        assert (await claims.claim(town.airdrop, account, NETWORK)).state is EntryState.CLAIMED
    with pytest.raises(ClaimLimited) as limited:
        await claims.claim(town.airdrop, THREE, NETWORK)
    assert (limited.value.code, limited.value.status) == ("airdrop_network_limit", 429)
    assert limited.value.details["retry_after"] == DAY - clock.now() % DAY
    assert (await claims.claim(town.airdrop, THREE, OTHER)).state is EntryState.CLAIMED

    begun = await town.relayed()
    poor = claims_of(town, ClaimBounds(network_claims=100, daily_gwei=1))
    with pytest.raises(ClaimLimited) as limited:
        await poor.claim(town.airdrop, FOUR, OTHER)
    assert limited.value.code == "airdrop_claims_spent"
    assert await town.relayed() == begun

    clock.ahead = DAY
    assert (await claims.claim(town.airdrop, FOUR, NETWORK)).state is EntryState.CLAIMED


async def test_many_taps_at_once_pass_no_bound(town: AirdropTown):
    claims = claims_of(town, ClaimBounds(network_claims=3, daily_gwei=10**9))
    begun = await town.relayed()
    asked = [claims.claim(town.airdrop, Address(account), None) for account, _ in ENTRIES[:8]]
    ended = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, ClaimLimited) for each in ended) == 5, ended
    assert await town.relayed() == begun + 3


async def refusal(claims: AirdropClaims, town: AirdropTown, account: Address = ONE) -> str:
    """Return the code that a claim is refused by."""
    with pytest.raises(UsufructError) as refused:
        await claims.claim(claims.served[0], account, NETWORK)
    return refused.value.code


async def test_what_the_contract_would_refuse_is_never_sent(town: AirdropTown, tmp_path: Path):
    begun, held = await town.relayed(), await town.token.balance_of(town.place)
    await town.claim_as_stranger(ENTRIES[1])
    found = await town.claims.claim(town.airdrop, TWO, NETWORK)
    assert (found.state, found.transaction) == (EntryState.CLAIMED, None), "by another"
    with pytest.raises(NoSuchEntry):
        await town.claims.claim(town.airdrop, TREASURY, NETWORK)

    held -= ENTRIES[1][1]
    await town.move_tokens(held)
    assert (await town.claims.status(town.airdrop, ONE)).state is EntryState.UNFUNDED
    assert await refusal(town.claims, town) == "airdrop_unfunded"
    await town.move_tokens(held, back=True)

    other = build_airdrop(write_csv(tmp_path, sample_entries(3)), tmp_path / "other", CAP).path
    for places, code in (
        ({str(other): town.place}, "other_airdrop"),
        ({str(town.file): town.token.address}, "not_an_airdrop"),
        ({str(town.file): ""}, "airdrop_planned"),
    ):
        assert await refusal(claims_of(town, ClaimBounds(9, 10**9), places), town) == code
    await town.devnet.set_balance(town.relayer, 1)
    assert await refusal(town.claims, town) == RelayerEmpty.code
    await town.devnet.set_balance(town.relayer, 10**18)

    await town.devnet.pass_time(DAYS)
    assert await refusal(town.claims, town) == "airdrop_ended"
    assert (await town.claims.claim(town.airdrop, TWO, NETWORK)).state is EntryState.CLAIMED
    assert (await town.claims.overview(town.airdrop)).state is EntryState.ENDED
    assert await town.relayed() == begun
    assert await AirdropClaimStore(town.installation.database).pending() == []


async def test_a_claim_that_fails_on_the_chain_is_tried_again_the_next_day_only(town: AirdropTown):
    clock, held = MovableClock(), await town.token.balance_of(town.place)
    claims = claims_of(town, ClaimBounds(9, 10**9), clock=clock)
    sender = town.installation.get(Senders).of(Role.RELAYER)
    await town.devnet.set_balance(town.place, 10**18)
    await town.devnet.set_automine(on=False)
    await town.move_tokens(held)  # waits in the pool, before the claim
    claiming = asyncio.create_task(claims.claim(town.airdrop, ONE, NETWORK))
    await until(sender.waiting)
    pending = await claims.status(town.airdrop, ONE)
    assert pending.state is EntryState.PENDING
    assert pending.transaction is not None
    await town.devnet.set_automine(on=True)
    await town.devnet.mine()
    with pytest.raises(UsufructError) as refused:
        await claiming
    assert refused.value.code == "airdrop_unfunded"

    failed = await town.relayed()
    await town.move_tokens(held, back=True)
    with pytest.raises(ClaimLimited) as limited:
        await claims.claim(town.airdrop, ONE, OTHER)
    assert limited.value.code == "airdrop_claim_failed"
    assert await town.relayed() == failed
    clock.ahead = DAY
    assert (await claims.claim(town.airdrop, ONE, OTHER)).state is EntryState.CLAIMED
    assert await town.token.balance_of(ONE) == ENTRIES[0][1]


async def test_a_claim_whose_visitor_left_is_settled(town: AirdropTown):
    claims = claims_of(town, ClaimBounds(9, 10**9), policy=ClaimPolicy(wait_seconds=0.0))
    await town.devnet.set_automine(on=False)
    assert (await claims.claim(town.airdrop, ONE, NETWORK)).state is EntryState.PENDING
    await town.devnet.set_automine(on=True)
    await town.devnet.mine()
    store = AirdropClaimStore(town.installation.database)

    async def is_settled() -> bool:
        await claims.settle()
        return not await store.pending()

    await until(is_settled)
    assert (await store.find(town.place, town.airdrop.file.entry_of(ONE).index)).state is ClaimState.PAID


async def test_the_rest_goes_to_the_treasury_once_by_the_relayer(town: AirdropTown):
    path, page = f"/v1/airdrops/{town.airdrop.root}/sweep", {"accept": "text/html"}
    total = sum(each for _, each in ENTRIES)
    async with town.visitor() as http:
        refused = await http.post(path)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "airdrop_running")
        assert "Send the rest" not in (await http.get("/airdrop", headers=page)).text
        await town.devnet.pass_time(DAYS + 60)
        assert "Send the rest to the treasury" in (await http.get("/airdrop", headers=page)).text
        begun = await town.relayed()
        sent = await http.post("/airdrop/sweep", data={"root": town.airdrop.root}, headers=page)
        assert sent.status_code == 303
        assert await town.token.balance_of(TREASURY) == total
        again = await http.post(path)
        assert (again.status_code, again.json()["left"], again.json()["state"]) == (200, "0", "ended")
        await town.devnet.set_balance(TREASURY, 10**18)
        await town.devnet.send_as(TREASURY, town.token.transfer(town.place, 1))
        assert (await http.post(path)).json()["left"] == "1", "a second time is for another wallet"
        assert "Send the rest" not in (await http.get("/airdrop", headers=page)).text
    assert await town.relayed() == begun + 1


async def test_strangers_to_the_api_are_refused_by_name(town: AirdropTown):
    root, begun = town.airdrop.root, await town.relayed()
    async with town.visitor() as http:
        for path, status, code in (
            (f"{root}/{TREASURY}", 404, "not_in_airdrop"),
            (f"0x{'1' * 64}/{ONE}", 404, "unknown_airdrop"),
            (f"{root}/0x12", 400, "invalid_address"),
            (f"1/{ONE}", 400, "invalid_hash"),
        ):
            answer = await http.post(f"/v1/airdrops/{path}/claim")
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        elsewhere = {"sec-fetch-site": "cross-site"}
        answer = await http.post(f"/v1/airdrops/{root}/{ONE}/claim", headers=elsewhere)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site_request")
        answer = await http.post("/airdrop/claim", data={"root": root, "account": ONE}, headers=elsewhere)
        assert answer.status_code == 403
    assert await town.relayed() == begun
