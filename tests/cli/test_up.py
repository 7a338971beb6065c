"""`up` as a person runs it: as processes, on a chain of its own, stopped and started again."""

import os
import signal
import socket
import time
from dataclasses import replace

import httpx
import openai
import pytest

from usufruct.app import AddressTaken, serve
from usufruct.cli.support.child_process import Process, ProcessFailed
from usufruct.cli.support.instance_lock import running_instance
from usufruct.payments.ledger import Ledger
from usufruct.payments.settlement import AccountSync

pytestmark = pytest.mark.anvil

ASK = [{"role": "user", "content": "What is a voucher?"}]


def until(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def answers(url: str) -> bool:
    try:
        return httpx.get(url.removesuffix("/v1") + "/readyz", timeout=30).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def own(cli_world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("up")
    return cli_world.settings(folder / "data", f"http://127.0.0.1:{cli_world.free_port()}")


def test_an_installation_comes_up_survives_a_crash_stops_and_is_still_there(own, cli_world, librarian_url, tmp_path):
    commands = cli_world.Commands(own)
    payee = cli_world.SOMEBODY.address
    sale = ["sell", "--upstream", librarian_url, "--model", "librarian", "--pay-to", payee, "--json"]
    with cli_world.running_cli(*sale, own=own, log=tmp_path / "first") as first:
        assert first.ready["name"] == "librarian"
        assert "bringing it up" in first.words()
        place = running_instance(commands.config.data.folder)
        assert first.ready["url"] == place["url"]

        key = commands.inside(cli_world.paying_key)
        with openai.OpenAI(base_url=place["url"], api_key=key.text, max_retries=0, timeout=120) as client:
            answer = client.chat.completions.create(model="librarian", messages=ASK, max_tokens=20)
        charged = int(answer.usage.cost_details["charge"])
        assert charged > 0

        refused = commands.refused("up")
        assert refused.code == "already_up"
        assert str(first.process.pid) in refused.message

        os.kill(place["processes"]["gateway"], signal.SIGKILL)
        until(lambda: running_instance(commands.config.data.folder)["processes"] != place["processes"])
        until(lambda: answers(place["url"]))
        assert "the gateway ended with -9; it is started again in 0.5 s" in first.words()

        place = running_instance(commands.config.data.folder)
        assert first.stop(signal.SIGINT) == 0
        assert not any(map(lives, place["processes"].values()))
    assert not answers(place["url"])

    with cli_world.running_cli("up", "--json", own=own, log=tmp_path / "second") as second:
        assert second.ready["contracts"] == place["contracts"]
        assert second.ready["chain_id"] == 31337
        [listed] = commands.json("service", "list")
        assert listed["name"] == "librarian"

        async def look(installation):
            channel = await installation.get(Ledger).account(key.key.channel)
            [on_chain] = await installation.get(AccountSync).observe([channel])
            return channel.charged, on_chain.reading.balance

        assert commands.inside(look) == (charged, 5 * cli_world.DOLLAR)
        with openai.OpenAI(base_url=second.ready["url"], api_key=key.text, max_retries=0, timeout=120) as client:
            assert client.chat.completions.create(model="librarian", messages=ASK, max_tokens=20).choices

        second.process.kill()
        second.process.wait()
        until(lambda: not any(map(lives, second.ready["processes"].values())))


def test_a_taken_port_is_named_with_the_settings_to_change(commands, cli_world):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        elsewhere = replace(commands, own=commands.own | {"USUFRUCT_GATEWAY_PORT": str(port)})
        with pytest.raises(AddressTaken, match=f"127.0.0.1:{port} .*gateway.port"):
            elsewhere.inside(lambda installation: serve(installation, print))


def test_a_gateway_that_does_not_start_is_told_by_its_own_sentence(commands, cli_world, tmp_path):
    """The log holds earlier starts; the process says more than its error."""
    log = tmp_path / "gateway.log"
    log.write_text("error other_trouble: of an earlier start\n" * 3)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = cli_world.process_environment(commands.own | {"USUFRUCT_GATEWAY_PORT": str(port)})
        with pytest.raises(ProcessFailed) as failed:
            Process("usufruct.cli", "serve", environment=environment, log=log)
    assert failed.value.message.startswith(f"cannot listen at 127.0.0.1:{port} ")
    assert "\n" not in failed.value.message
    assert "earlier start" not in failed.value.message
    assert "Traceback" not in log.read_text()


def test_a_process_without_a_sentence_is_told_by_its_last_words(cli_world, tmp_path):
    log = tmp_path / "log"
    log.write_text("of an earlier start\n")
    with pytest.raises(ProcessFailed) as failed:
        Process("usufruct.no_such_module", environment=cli_world.process_environment({}), log=log)
    assert "no_such_module" in failed.value.message
    assert "earlier" not in failed.value.message


def test_nothing_is_started_on_a_machine_that_is_not_ours(cli_world, tmp_path):
    refused = cli_world.Commands(cli_world.settings(tmp_path, "http://192.0.2.1:8545")).refused("up")
    assert refused.code == "rpc_unavailable"
    assert not (tmp_path / "chain.json").exists()
