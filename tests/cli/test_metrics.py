"""What operators read at `/metrics`, over HTTP from running processes, beside what the ledger and the chain say."""

import asyncio
import signal
import socket
import time
from dataclasses import replace

import httpx
import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families

from usufruct.app import AddressTaken, show_metrics
from usufruct.chain.keys import devnet_signer
from usufruct.gateway import Catalogue, Operator
from usufruct.payments.ledger import Ledger

pytestmark = pytest.mark.anvil

ASK = {"model": "librarian", "messages": [{"role": "user", "content": "What is a voucher?"}], "max_tokens": 20}


@pytest.fixture(scope="module")
def measured(cli_world, devnet_template, tmp_path_factory):
    """An installation that shows its numbers, on a chain of its own; calls whose gateway died end after a second."""
    ports = {f"metrics_{process}_port": cli_world.free_port() for process in ("gateway", "worker")}
    folder = tmp_path_factory.mktemp("measured")
    with devnet_template.copy(folder) as anvil:
        yield cli_world.Commands(
            cli_world.settings(folder, anvil.url, claims_threshold="0.000001", ledger_lease_seconds=1, **ports)
        )


def read(port: int) -> dict[tuple, float]:
    """Read a process's numbers: by name and labels' values."""
    answer = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=60)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name.removeprefix("usufruct_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def until(port: int, holds) -> dict[tuple, float]:
    deadline = time.monotonic() + 60
    while not holds(numbers := read(port)):
        assert time.monotonic() < deadline, numbers
        time.sleep(0.1)
    return numbers


async def money(installation) -> dict[tuple, float]:
    (total,) = await installation.get(Ledger).totals()
    return {(f"money_{name}", total.token): getattr(total, name) for name in ("reserved", "charged", "claimable")}


def test_a_gateways_numbers_are_the_ledgers(measured, cli_world, librarian_url, tmp_path):
    payee = cli_world.SOMEBODY.address
    measured.json("sell", "--no-up", "--upstream", librarian_url, "--model", "librarian", "--pay-to", payee)
    key, other = measured.inside(cli_world.paying_key), measured.inside(cli_world.paying_key)
    asset = int(measured.json("service", "list")[0]["asset"], 16)

    async def die(installation):  # another gateway let a call in, and is gone
        await cli_world.reserve(installation, other, asset, 77)

    measured.inside(die)
    port = measured.config.metrics.gateway_port
    with cli_world.running_cli("serve", own=measured.own, log=tmp_path / "gateway") as gateway:
        url = gateway.ready["url"]
        once = {"idempotency-key": "k"}
        with openai.OpenAI(base_url=url, api_key=key.text, max_retries=0, timeout=120, default_headers=once) as client:
            answers = [client.chat.completions.create(**ASK) for _ in range(2)]
            with pytest.raises(openai.NotFoundError):
                client.chat.completions.create(**ASK | {"model": "nobody's"})
        for _ in range(2):
            assert httpx.post(f"{url}/chat/completions", json=ASK, timeout=120).status_code == 402

        numbers = until(port, lambda numbers: numbers["calls_borne_total",])
        usage = answers[0].usage
        charge = int(usage.cost_details["charge"])
        expected = {
            ("calls_total", "metered", ""): 1,
            ("calls_total", "replayed", ""): 1,
            ("calls_total", "refused", "unknown_model"): 1,
            ("calls_total", "refused", "payment_required"): 2,
            ("calls_borne_total",): 1,
            ("calls_flagged_total", "librarian"): 0,
            ("text_tokens_total", "librarian", "input"): usage.prompt_tokens,
            ("text_tokens_total", "librarian", "output"): usage.completion_tokens,
            ("charge_total", "librarian"): charge,
        }
        expected |= measured.inside(money)
        numbers = until(port, lambda numbers: expected.items() <= numbers.items())  # sums are read before calls counted
        assert charge == numbers["money_charged", measured.inside(_token)] > 0
        assert {value for (name, *_), value in numbers.items() if name == "reading_ok"} == {1}

        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=120).text.lower()
        for secret in (key.key.payer, key.key.channel, key.key.id, key.text, answers[0].id):
            assert secret.lower() not in text
        assert httpx.get(url.removesuffix("/v1") + "/metrics", timeout=120).status_code == 404, "strangers read nothing"
        assert gateway.stop(signal.SIGTERM) == 0


def test_a_workers_numbers_are_the_chains(measured, cli_world, tmp_path):
    async def owe(installation):
        key = await cli_world.paying_key(installation)
        (asset,) = await installation.get(Catalogue).list()
        await cli_world.charge(installation, key, asset.id, 5_000)
        claimer = devnet_signer(1, cli_world.CHAIN).address
        return await installation.client.balance(claimer), installation.get(Operator).token

    before, token = measured.inside(owe)
    port = measured.config.metrics.worker_port
    with cli_world.running_cli("worker", own=measured.own, log=tmp_path / "worker") as worker:
        numbers = until(port, lambda numbers: not numbers["money_claimable", token])
        assert numbers["claims_total", "confirmed"] >= 1
        assert numbers["claims_total", "failed"] == 0
        assert numbers["outbox_pending", "claim"] == 0
        streams = [("chain_lag_blocks", name) for name in ("assets", "settlement")]
        numbers = until(port, lambda numbers: [numbers[stream] for stream in streams] == [0, 0])
        assert {name: numbers[name] for name in measured.inside(money)} == measured.inside(money)

        async def after(installation):
            return await installation.client.balance(devnet_signer(1, cli_world.CHAIN).address)

        assert numbers["gas_spent_wei_total", "claim"] == before - measured.inside(after) > 0
        assert worker.stop(signal.SIGTERM) == 0


async def _token(installation):
    return installation.get(Operator).token


def test_a_part_that_does_not_answer_is_named_and_the_rest_is_there(measured):
    async def without_a_node(installation):
        async with show_metrics(installation, "gateway"):
            installation.client.block_number = _away
            return await asyncio.to_thread(read, measured.config.metrics.gateway_port)

    numbers = measured.inside(without_a_node)
    assert (numbers["reading_ok", "chain"], numbers["reading_ok", "ledger"]) == (0, 1)
    assert ("chain_lag_blocks", "assets") not in numbers


async def _away() -> int:
    raise OSError("no route to host")


def test_a_taken_port_is_named_and_nothing_is_shown_unless_configured(measured, cli_world):
    async def show(installation):
        async with show_metrics(installation, "worker"):
            return

    with socket.create_server(("127.0.0.1", 0)) as taken:
        elsewhere = measured.own | {"USUFRUCT_METRICS_WORKER_PORT": str(taken.getsockname()[1])}
        with pytest.raises(AddressTaken, match=r"metrics\.worker_port"):
            replace(measured, own=elsewhere).inside(show)
    off = {name: value for name, value in measured.own.items() if "METRICS" not in name}
    assert replace(measured, own=off).config.metrics.gateway_port == 0
    replace(measured, own=off).inside(show)
