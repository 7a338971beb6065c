"""`status`: what runs, is sold and waits; exit code 0 only when nothing is wrong."""

import json
import re
import signal
from dataclasses import replace

import pytest

from usufruct.core import checksum

pytestmark = pytest.mark.anvil


def shown(commands, code: int) -> dict:
    done = commands.run("status", "--json")
    assert done.exit_code == code, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def test_a_running_installation_is_well(commands, cli_world, librarian_url, tmp_path):
    stopped = shown(commands, 3)
    assert (stopped["process"], stopped["gateway"], stopped["services"]) == (None, None, [])
    assert {"gateway", "jobs"} & set(stopped["problems"]) == {"gateway"}
    payee = checksum(cli_world.SOMEBODY.address)
    upstream = ("--upstream", librarian_url, "--model", "librarian")
    sold = commands.json("sell", "--no-up", *upstream, "--name", "known", "--pay-to", payee)
    with cli_world.running_cli("up", "--json", own=commands.own, log=tmp_path / "log") as up:

        async def trade(installation):
            await cli_world.charge(installation, await cli_world.paying_key(installation), int(sold["asset"], 16), 321)

        commands.inside(trade)
        found = shown(commands, 0)
        assert (found["gateway"], found["workers"], found["services"]) == (up.ready["url"], 1, ["known"])
        assert found["process"] == up.process.pid
        assert (found["chain"]["id"], found["problems"]) == (31337, [])
        assert found["chain"]["block"] > 0
        assert found["last_call"].startswith("20")
        money = {"symbol": "tUSD", "charged": "0.000321", "unclaimed": "0.000321", "deferred": "0"}
        assert found["money"] == money
        assert set(found["coins"]) == {"owner", "claim", "relayer"}
        assert (found["passkeys"]["entry_point"], found["passkeys"]["precompile"]) == (True, True)
        words = commands.run("status").stdout
        assert re.search(r"passkey accounts\s+on\n", words)
        assert "0.000321 tUSD charged, 0.000321 of it not claimed yet: `usufruct income`" in words
        assert up.stop(signal.SIGINT) == 0
    assert "`usufruct doctor`" in commands.run("status").stdout


def test_what_the_database_knows_is_shown_although_the_node_is_away(commands, cli_world):
    commands.json("service", "list")
    away = replace(commands, own=commands.own | {"USUFRUCT_CHAIN_RPC_URL": f"http://127.0.0.1:{cli_world.free_port()}"})
    found = shown(away, 3)
    assert (found["chain"], found["coins"], found["money"]["deferred"], found["passkeys"]) == (None, None, None, None)
    assert "node" in found["problems"]
    done = cli_world.run_cli("status", own=away.own)
    assert "its node does not answer" in done.stdout
    assert not done.stderr
