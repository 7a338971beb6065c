"""The doctor finds what is wrong, says it in one line with a remedy, and ends with 1."""

import asyncio
import json
import re
from dataclasses import replace

import pytest

from tests.support.aging import end_leases
from tests.support.devnet import Devnet, devnet_client
from usufruct.chain import Client, RpcUnavailable
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import devnet_signer
from usufruct.gateway import Catalogue, Operator
from usufruct.payments.ledger import Ledger
from usufruct.payments.settlement.event_watcher import EventWatcher

pytestmark = pytest.mark.anvil


def examine(commands, **own: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Run the doctor; its exit code, and what it found by subject."""
    done = replace(commands, own=commands.own | own).run("doctor", "--json")
    found: dict[str, list[dict[str, str]]] = {}
    for finding in json.loads(done.stdout):
        found.setdefault(finding["subject"], []).append(finding)
    return done.exit_code, found


def problems(found) -> dict[str, str]:
    return {
        subject: finding["says"]
        for subject, findings in found.items()
        for finding in findings
        if finding["verdict"] == "problem"
    }


def test_a_sound_installation_lacks_only_a_gateway(commands):
    code, found = examine(commands)
    assert set(problems(found)) == {"gateway"}
    assert code == 1
    assert {"software", "configuration", "disk", "database", "node", "clock", "contracts", "settlement"} <= found.keys()
    assert {
        "token",
        "till",
        "gas money",
        "payees",
        "passes",
        "calls",
        "claims",
        "owner key",
        "claim key",
    } <= found.keys()


def test_people_read_one_line_for_each_thing(commands):
    lines = commands.run("doctor").stdout.splitlines()
    assert all(line.split()[0] in ("ok", "problem", "skipped") for line in lines)
    assert any("usufruct up" in line for line in lines if line.startswith("problem"))


@pytest.mark.parametrize(
    ("own", "subject", "words"),
    [
        ({"USUFRUCT_CHAIN_RPC_URL": "http://127.0.0.1:9"}, "node", "chain.rpc_url"),
        ({"USUFRUCT_CHAIN_POLL_MILLISECONDS": "0"}, "configuration", "poll_milliseconds"),
        ({"USUFRUCT_DATABASE_URL": "postgresql://127.0.0.1:9/none"}, "database", "database"),
        ({"USUFRUCT_CHAIN_TOKEN": "0x" + "55" * 20}, "token", "not an ERC-20"),
    ],
)
def test_what_is_set_wrong_is_named(commands, own, subject, words):
    code, found = examine(commands, **own)
    assert code == 1
    assert words in problems(found)[subject]


def test_nothing_deployed(commands, tmp_path):
    code, found = examine(commands, USUFRUCT_DATA_FOLDER=str(tmp_path))
    assert code == 1
    assert "usufruct deploy" in problems(found)["contracts"]


def test_another_contract_at_an_address_of_ours(commands):
    config = commands.config
    till = Deployments.read(config.data.folder, config.chain.id).address(Till)

    async def swap(code: bytes) -> bytes:
        async with devnet_client(config.chain.rpc_url) as client:
            before = await client.code_at(till)
            await Devnet(client).set_code(till, code)
            return before

    original = asyncio.run(swap(b"\x00"))
    try:
        assert "Till" in problems(examine(commands)[1])["contracts"]
    finally:
        asyncio.run(swap(original))


def test_a_payee_the_till_forgot_and_a_claim_key_it_does_not_know(commands, cli_world, librarian_url):
    payee = "0x" + "66" * 20
    commands.json(
        "sell", "--no-up", "--upstream", librarian_url, "--model", "librarian", "--name", "unpaid", "--pay-to", payee
    )

    async def change(installation, kind, allowed):
        till = Till(installation.get(Operator).till, installation.client)
        owner = installation.sender(cli_world.devnet_signer(0, installation.chain_id))
        claim_key = cli_world.devnet_signer(1, installation.chain_id).address
        for call in (till.set_payee(payee, kind), till.set_claim_key(claim_key, allowed=allowed)):
            await owner.execute(call, f"doctor/{kind}/{allowed}/{call.data.hex()[:8]}")

    commands.inside(lambda installation: change(installation, PayeeKind.NONE, False))
    found = problems(examine(commands)[1])
    commands.inside(lambda installation: change(installation, PayeeKind.PLAIN, True))
    assert "unpaid" in found["payees"]
    assert "may not claim" in found["till"]
    commands.json("service", "retire", "unpaid")


def test_a_till_without_a_cap_and_a_payee_that_reached_it(commands, cli_world, librarian_url):
    payee = "0x" + "78" * 20
    commands.json(
        "sell", "--no-up", "--upstream", librarian_url, "--model", "librarian", "--name", "capped", "--pay-to", payee
    )
    commands.json("till", "cap", "0")
    assert "no daily cap" in problems(examine(commands)[1])["till"]
    commands.json("till", "cap", "1000")
    commands.json("till", "cap", "0.0001", "--payee", payee)

    async def give(installation):
        dollar = TestDollar(installation.get(Operator).token, installation.client)
        minted = dollar.mint(installation.get(Operator).till, 350)
        await installation.sender(cli_world.PAYER).execute(minted, "a gift for a capped payee")

    commands.inside(give)
    commands.json("till", "split", payee)
    said = problems(examine(commands)[1])["payees"]
    assert "the payee of capped, has had the 0.0001 of today: the till owes it 0.00025" in said
    commands.json("till", "take-back", payee, "0.00025")
    assert "payees" not in problems(examine(commands)[1])
    commands.json("till", "cap", "0", "--payee", payee)
    commands.json("till", "split", payee)
    commands.json("service", "retire", "capped")


def test_money_that_waits_for_a_retired_services_payee(commands, cli_world, librarian_url):
    payee = "0x" + "67" * 20
    sold = commands.json(
        "sell", "--no-up", "--upstream", librarian_url, "--model", "librarian", "--name", "waits", "--pay-to", payee
    )

    async def charge(installation):
        await cli_world.charge(installation, await cli_world.paying_key(installation), int(sold["asset"], 16), 4_321)

    commands.inside(charge)
    commands.json("service", "retire", "waits")
    assert commands.refused("service", "retire", "waits").code == "already_retired"
    commands.json("till", "payee", payee, "--as", "none")
    commands.json("claim", "run", "--everything")
    [finding] = examine(commands)[1]["claims"]
    commands.json("till", "payee", payee)
    assert payee in finding["says"]
    assert "usufruct till payee ADDRESS" in finding["remedy"]


def test_an_upstream_that_is_gone(commands, cli_world):
    async def offer(installation):
        asset = cli_world.asset("gone", "http://127.0.0.1:9/v1", cli_world.SOMEBODY.address)
        await installation.get(Catalogue).add(asset)

    commands.inside(offer)
    assert "gone" in problems(examine(commands)[1])["upstreams"]
    commands.json("service", "retire", "gone")


def test_a_call_whose_gateway_died(commands, cli_world):
    async def abandon(installation):
        key = await cli_world.paying_key(installation)
        await cli_world.reserve(installation, key, 5, 100)
        await end_leases(installation.database)

    commands.inside(abandon)
    assert "1 open calls" in problems(examine(commands)[1])["calls"]

    async def tidy(installation):
        assert await installation.get(Ledger).expire() == 1

    commands.inside(tidy)


def test_a_job_of_a_running_worker_that_fails_is_named(commands):
    async def while_it_fails(installation):
        board = installation.board("worker")
        for _ in range(2):
            await board.failed("watch", RpcUnavailable("node.example does not answer"))
        try:
            return await asyncio.to_thread(examine, commands)
        finally:
            await board.close()

    code, found = commands.inside(while_it_fails)
    [finding] = found["jobs"]
    assert (code, finding["verdict"]) == (1, "problem")
    assert "watch of worker-" in finding["says"]
    assert "rpc_unavailable, node.example does not answer" in finding["says"]
    assert found["contracts"], "the rest is looked at all the same"
    assert {finding["verdict"] for finding in examine(commands)[1]["jobs"]} == {"skipped"}


def test_a_node_whose_logs_lag_its_head_is_named(commands, monkeypatch):
    """The newest block holds logs by its header, and none by the node's answer."""
    logs = Client.logs

    async def lagging(self: Client, first: int, last: int, **filters: object) -> list[object]:
        seen = await self.block_number() - 3
        return [log for log in await logs(self, first, last, **filters) if log.block_number <= seen]

    async def move(installation):
        dollar = TestDollar(installation.get(Operator).token, installation.client)
        await installation.sender(devnet_signer(7, 31337)).execute(dollar.mint("0x" + "7" * 40, 1), "doctor/logs")

    commands.inside(move)
    assert examine(commands)[1]["logs"][0]["verdict"] == "ok"
    monkeypatch.setattr(Client, "logs", lagging)
    [finding] = examine(commands)[1]["logs"]
    assert "its logs lag its head" in finding["says"]
    assert "chain.rpc_url" in finding["remedy"]


def test_what_a_chain_that_went_back_forgot_is_named(commands, cli_world):
    async def forget(installation):
        devnet = Devnet(installation.client)
        remembered = await devnet.snapshot()
        await cli_world.paying_key(installation)
        await devnet.revert(remembered)

    commands.inside(forget)
    found = problems(examine(commands)[1])
    assert "are not on the chain any more" in found["transactions"]
    assert "in the ledger" in found["channels"]

    async def heal(installation):
        for signer in (devnet_signer(8, 31337), cli_world.PAYER):
            await installation.sender(signer).advance()
        await installation.get(EventWatcher).poll()

    commands.inside(heal)
    assert not {"transactions", "channels"} & problems(examine(commands)[1]).keys()


def test_rows_that_were_changed_in_the_database_are_named(commands, cli_world, librarian_url, restore):
    cli_world.trade(commands, librarian_url, "altered-books")
    [sound] = examine(restore())[1]["books"]
    assert sound["verdict"] == "ok"
    assert re.fullmatch(
        r"the whole ledger agrees with itself and its signatures; all \d+ keys with their terms", sound["says"]
    )
    for change, words in cli_world.ALTERED.values():
        code, found = examine(restore(change))
        assert code == 1
        assert any(words in finding["says"] for finding in found["books"]), (words, found["books"])
        assert all("usufruct reconcile" in finding["remedy"] for finding in found["books"])
