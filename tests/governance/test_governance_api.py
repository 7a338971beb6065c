"""`/v1/proposals` and `/v1/powers` answer as they are described, and return the transactions of an account."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from tests.support.dao import PENALTY, TIMELOCK_DELAY, Dao
from tests.support.staked_economy import ANN, BEN
from usufruct.accounts import DEMO_ACCOUNT
from usufruct.app import open_installation
from usufruct.chain import Call, ChainAccess, keccak
from usufruct.chain.anvil import free_port
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import Address, checksum
from usufruct.governance import Proposals
from usufruct.governance.model import Support, parts_of
from usufruct.governance.voters import VotersCalls
from usufruct.staking.lock_model import WEEK_SECONDS
from usufruct.web import Router
from usufruct_client.draft_documents import DraftDetails, ParameterList
from usufruct_client.governance_documents import PowerList, ProposalDetails, ProposalList
from usufruct_client.wire_types import read_answer

STRANGER = Address("0x" + "22" * 20)


def asked(dao: Dao, work: Callable[[httpx.AsyncClient, Router], Awaitable[Any]]) -> Any:
    """Ask the installation's routes, as a browser with cookies does."""

    async def opened() -> Any:
        async with open_installation(dao.commands.config) as installation:
            router = installation.router()
            transport = httpx.ASGITransport(router)
            async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as http:
                return await work(http, router)

    return asyncio.run(opened())


@pytest.mark.anvil
def test_proposals_and_powers_are_read_as_they_are_described(dao: Dao):
    proposal = dao.propose(PENALTY)

    async def reads(http: httpx.AsyncClient, _: Router) -> None:
        validate((await http.get("/openapi.json")).json())
        listed = read_answer(ProposalList, (await http.get("/v1/proposals")).json())
        assert [(each.id, each.state) for each in listed.proposals] == [(proposal, "pending")]
        assert (listed.page, listed.pages) == (1, 1)
        shown = read_answer(ProposalDetails, (await http.get(f"/v1/proposals/{proposal[:10]}")).json())
        assert (await http.get(f"/v1/proposals/{int(proposal, 16)}")).json()["proposal"]["id"] == proposal
        assert [each.words for each in shown.calls] == ["VoteEscrow: exit penalty 20 % -> 25 %"]
        assert shown.simulation is not None
        assert shown.simulation.succeeds
        powers = read_answer(PowerList, (await http.get("/v1/powers")).json()).powers
        assert all(each.published for each in powers)
        assert (await http.get("/v1/powers")).json()["guardian"] is None
        assert ("VoteEscrow", "owner", "timelock") in {(each.contract, each.role, each.name) for each in powers}
        for path, status, code in (
            ("/v1/proposals?page=0", 400, "invalid_page"),
            ("/v1/proposals?page=x", 400, "invalid_page"),
            ("/v1/proposals/0x12345", 404, "unknown_proposal"),
            ("/v1/proposals/<b>", 404, "unknown_proposal"),
            ("/v1/proposals/0x", 404, "unknown_proposal"),
            (f"/v1/proposals/{'9' * 5_000}", 404, "unknown_proposal"),
            (f"/v1/proposals/{'9' * 78}", 404, "unknown_proposal"),
            (f"/v1/proposals/0x{'9' * 65}", 404, "unknown_proposal"),
        ):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), path

    asked(dao, reads)


@pytest.mark.anvil
def test_a_signed_in_account_gets_its_transactions(dao: Dao):
    """The demo account, to which Ben delegates, votes; its transaction is sent here."""
    demo = DEVNET_ADDRESSES[DEMO_ACCOUNT]
    dao.stake("delegate", demo, wallet=BEN)
    dao.pass_time(WEEK_SECONDS)
    proposal = dao.propose(PENALTY)
    (delegate,) = dao.gov("delegates")
    assert delegate["delegate"] == checksum(demo)

    async def votes(http: httpx.AsyncClient, _: Router) -> None:
        path = f"/v1/proposals/{proposal}/transactions"

        async def wish(**fields: object) -> tuple[int, Any]:
            answer = await http.post(path, json=fields)
            return answer.status_code, answer.json()

        (found,) = (await http.get("/v1/delegates")).json()["delegates"]
        assert found["account"] == demo
        assert int(found["votes"]) > 0
        vote = {"action": "vote", "support": "for"}
        assert (await wish(**vote))[0] == 401
        assert (await http.post("/v1/sessions/demo", json={})).is_success
        for fields, status, code in (
            (vote, 409, "voting_not_open"),
            ({"action": "vote"}, 400, "invalid_vote"),
            ({"action": "veto"}, 400, "invalid_vote"),
            ({**vote, "reason": "x" * 1_001}, 400, "invalid_vote"),
            ({"action": "queue"}, 409, "not_passed"),
            ({"action": "execute"}, 409, "not_queued"),
            ({"action": "cancel"}, 403, "not_cancellable"),
        ):
            found, answer = await wish(**fields)
            assert (found, answer["error"]["code"]) == (status, code), fields
        await asyncio.to_thread(dao.begin_voting)
        status, sent = await wish(**vote, reason="of the demo")
        assert (status, sent["sent"]) == (200, True)
        assert (await wish(**vote))[1]["error"]["code"] == "already_voted"

    asked(dao, votes)
    assert [(each["voter"], each["reason"]) for each in dao.gov("show", proposal)["votes"]] == [(demo, "of the demo")]

    async def relayed(chain: ChainAccess) -> list[bool]:
        proposals, number, ann = Proposals(chain), int(proposal, 16), DEVNET_ADDRESSES[ANN]
        vote = proposals.governor.cast_vote_with_reason
        wishes = (
            (ann, vote(number, 1, "x" * 1_000)),
            (ann, vote(number, 1, "x" * 1_001)),
            (ann, vote(number, 3, "x")),
            (ann, vote(1, 1, "x")),
            (demo, vote(number, 1, "x")),
            (STRANGER, vote(number, 1, "x")),
        )
        return [await VotersCalls(proposals).pays_for(*each) for each in wishes]

    assert dao.inside(relayed) == [True, False, False, False, False, False]
    dao.gov("vote", proposal, "against", wallet=ANN)


@pytest.mark.anvil
def test_a_draft_is_shown_and_proposed(dao: Dao):
    """The demo account has no votes at first, then Ben's; its transaction is sent here."""
    demo = DEVNET_ADDRESSES[DEMO_ACCOUNT]
    penalty, above, stranger = {"call": PENALTY}, {"call": "VoteEscrow.setExitPenalty(60%)"}, {"target": STRANGER}
    text = "Raise it\n\nFor those who stay."

    async def draft(http: httpx.AsyncClient, *calls: dict[str, str], path: str = "", **more: object) -> httpx.Response:
        wish = {"calls": list(calls), "description": text, **more}
        return await http.post(f"/v1/proposals/drafts{path}", json=wish)

    async def look(http: httpx.AsyncClient, _: Router) -> None:
        found = read_answer(ParameterList, (await http.get("/v1/parameters")).json()).parameters
        (shown,) = [each for each in found if each.id == "VoteEscrow.exit_penalty"]
        assert (shown.now, shown.unit, shown.least, shown.most, shown.or_zero) == ("20 %", "bps", 1_000, 5_000, True)
        seen = read_answer(DraftDetails, (await draft(http, penalty)).json())
        assert [each.words for each in seen.calls] == ["VoteEscrow: exit penalty 20 % -> 25 %"]
        assert (seen.simulation.succeeds, seen.id, seen.votes, seen.missing) == (True, None, None, None)
        seen = read_answer(DraftDetails, (await draft(http, penalty, above)).json())
        assert [each.succeeds for each in seen.simulation.calls] == [True, False]
        assert "most=5000" in seen.simulation.calls[1].refusal
        assert (await draft(http, penalty, path="/transactions")).status_code == 401
        assert (await http.post("/v1/sessions/demo", json={})).is_success
        seen = read_answer(DraftDetails, (await draft(http, penalty)).json())
        assert (seen.votes, seen.missing) == (0, seen.threshold)
        for calls, more, code, field in (
            ([penalty], {"path": "/transactions"}, "below_threshold", None),
            ([penalty], {"description": " "}, "invalid_proposal", "description"),
            ([], {}, "invalid_proposal", "calls"),
            ([penalty] * 21, {}, "invalid_proposal", "calls"),
            ([penalty | stranger], {}, "invalid_call", "calls"),
            ([{}], {}, "invalid_call", "calls"),
            ([{"call": "VoteEscrow.burn()"}], {}, "unknown_function", "call"),
            ([stranger | {"data": "0x1"}], {}, "invalid_proposal", "calls.0.data"),
        ):
            error = (await draft(http, *calls, **more)).json()["error"]
            assert (error["code"], error.get("param")) == (code, field), error

    async def propose(http: httpx.AsyncClient, _: Router) -> None:
        assert (await http.post("/v1/sessions/demo", json={})).is_success
        refused = (await draft(http, penalty, above, path="/transactions")).json()["error"]
        assert refused["code"] == "would_fail"
        for calls, anyway in (([penalty], False), ([penalty, above], True)):
            seen = (await draft(http, *calls)).json()
            assert seen["missing"] == "0"
            assert (await draft(http, *calls, path="/transactions", anyway=anyway)).json()["sent"]
            made = (await http.get(f"/v1/proposals/{seen['id']}")).json()
            assert (made["description"], made["proposal"]["proposer"]) == (text, demo)

    asked(dao, look)
    dao.stake("delegate", demo, wallet=BEN)
    dao.pass_time(WEEK_SECONDS)
    asked(dao, propose)


@pytest.mark.anvil
def test_the_relayer_pays_for_what_a_voter_can_do_now_and_for_no_byte_more(dao: Dao):
    """A step that is due is paid once: not early, not in another encoding, not with bytes behind it."""
    ann = DEVNET_ADDRESSES[ANN]

    async def paid(chain: ChainAccess, wish: Callable[[Proposals], Awaitable[Call]], account: Address = ann) -> bool:
        proposals = Proposals(chain)
        call = await wish(proposals)
        relayed = VotersCalls(proposals)
        for padded in (bytes(32), bytes(50_000), b"\1"):
            assert not await relayed.pays_for(account, replace(call, data=call.data + padded))
        assert not await relayed.pays_for(account, replace(call, data=call.data[:-1]))
        assert not await relayed.pays_for(account, replace(call, value=1))
        assert not await relayed.pays_for(account, replace(call, to=STRANGER))
        return await relayed.pays_for(account, call)

    async def propose(proposals: Proposals) -> Call:
        return await proposals.propose(ann, [proposals.escrow.set_exit_penalty(2_500)], "Raise the penalty")

    async def vote(proposals: Proposals) -> Call:
        return proposals.governor.cast_vote(int(proposal, 16), Support.FOR)

    async def found(proposals: Proposals) -> tuple[list[Address], list[int], list[bytes], bytes]:
        made = (await proposals.find(proposal)).proposal
        return *parts_of(made.calls), keccak(made.description)

    async def queue(proposals: Proposals) -> Call:
        return proposals.governor.queue(*await found(proposals))

    async def execute(proposals: Proposals) -> Call:
        return proposals.governor.execute(*await found(proposals), value=0)

    async def cancel(proposals: Proposals) -> Call:
        return proposals.governor.cancel(*await found(proposals))

    async def other(proposals: Proposals) -> Call:
        return proposals.governor.relay(STRANGER, 0, b"", value=0)

    def pays(wish: Callable[[Proposals], Awaitable[Call]], account: Address = ann) -> bool:
        return bool(dao.inside(lambda chain: paid(chain, wish, account)))

    assert pays(propose)
    assert not pays(propose, STRANGER)
    assert not pays(other)
    proposal = dao.propose(PENALTY)
    assert pays(cancel)
    assert not pays(cancel, DEVNET_ADDRESSES[BEN])
    assert not pays(vote)
    dao.begin_voting()
    assert pays(vote)
    assert not pays(cancel)
    assert not pays(queue)
    dao.gov("vote", proposal, "for", wallet=ANN)
    assert not pays(vote)
    dao.end_voting()
    assert pays(queue, STRANGER)
    assert not pays(execute)
    dao.gov("queue", proposal, wallet=ANN)
    assert not pays(queue)
    dao.pass_time(TIMELOCK_DELAY)
    assert pays(execute, STRANGER)


@pytest.mark.anvil
def test_without_a_node_pages_show_what_was_read_last(dao: Dao):
    proposal = dao.propose(PENALTY, text="Raise it\n\nFor those who stay.")
    config = dao.commands.config
    away = replace(config, chain=replace(config.chain, rpc_url=f"http://127.0.0.1:{free_port()}"))

    async def read() -> list[httpx.Response]:
        async with open_installation(config) as installation:
            await installation.get(Proposals).indexer.poll()
        async with open_installation(away, wait_for_node=False) as installation:
            transport = httpx.ASGITransport(installation.router())
            async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as http:
                paths = ("/proposals", f"/proposals/{proposal}", "/proposals/0x1234", "/v1/proposals")
                return [await http.get(path, headers={"accept": "text/html"}) for path in paths]

    listed, shown, unknown, api = asyncio.run(read())
    for page in (listed, shown):
        assert page.status_code == 200
        assert "Raise it" in page.text
        assert "node does not answer now" in page.text
    assert "For those who stay." in shown.text
    assert (unknown.status_code, api.status_code) == (404, 503)
