"""The demo as a stranger runs it: unattended, one JSON object, and the figures in it are true on the chain."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from usufruct.cli.demo.outcome import DEPOSIT, OWNERS
from usufruct.cli.support.page_links import network_address
from usufruct.cli.support.progress import qr_lines

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "usufruct.cli", "demo", "--json", "--folder", folder],
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return orjson.loads(done.stdout), done.stderr.decode()


def test_money_is_conserved_to_the_unit(outcome):
    result, _ = outcome
    assert result["conserved"] is True
    assert 0 < int(result["charged"]) == int(result["claimed"]) == int(result["settled"]) < DEPOSIT
    paid = sum(int(amount) for amount in result["payouts"].values()) + int(result["protocol_fee"])
    assert 0 <= int(result["settled"]) - paid <= 2 * len(OWNERS)


def test_owners_are_paid_in_proportion(outcome):
    payouts = [int(outcome[0]["payouts"][who]) for who in OWNERS]
    for amount, part in zip(payouts, (70, 20, 10), strict=True):
        assert abs(amount - sum(payouts) * part / 100) <= 2 * len(OWNERS)


def test_it_reports_what_the_issue_names(outcome):
    result, progress = outcome
    names = {
        *("assets", "calls", "input_tokens", "output_tokens", "charged", "claimed", "settled", "protocol_fee"),
        *("payouts", "conserved", "gas_per_call", "seconds", "rpc_url", "addresses"),
    }
    assert names <= result.keys()
    assert result["calls"] == 4
    assert result["gas_per_call"] > 0
    assert "killed with SIGKILL" in progress
    assert "An agent pays by x402" in progress
    assert "with one digit changed: bad" in progress


def test_it_ends_with_its_pages_and_the_way_to_a_phone(outcome):
    progress = outcome[1]
    assert re.search(r"pages +http://127\.0\.0\.1:\d+/ \(services\), http://127\.0\.0\.1:\d+/account", progress)
    assert "only this machine reaches these" in progress
    assert "usufruct demo --phone" in progress


def test_for_phones_it_ends_with_a_code_of_this_machines_address_in_its_network(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "usufruct.cli", "demo", "--phone", "--json", "--folder", tmp_path],
        capture_output=True,
        timeout=300,
        check=False,
        env={**os.environ, "FORCE_COLOR": "1", "NO_COLOR": "1"},  # as at a terminal
    )
    said = done.stderr.decode()
    if not (host := network_address()):
        assert done.returncode == 1
        assert "no address in a network" in said
        return
    assert done.returncode == 0, said[-3000:]
    found = re.search(rf"pages +(http://{re.escape(host)}:\d+)/ \(services\)", said)
    assert found is not None, said[-3000:]
    code = qr_lines(f"{found[1]}/")
    assert [line for line in said.split("\n") if line in code] == code
    assert "Everyone in this network can use the demo account" in said


def descendants(pid: int) -> set[int]:
    children = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return {*children, *(each for child in children for each in descendants(child))}


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc who the children are")
@pytest.mark.parametrize(("number", "ended"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_nothing_it_started_outlives_it(tmp_path, number, ended):
    with (tmp_path / "said").open("w+") as said:
        demo = subprocess.Popen(
            [sys.executable, "-m", "usufruct.cli", "demo", "--folder", tmp_path / "demo"], stdout=said, stderr=said
        )
        until = time.monotonic() + 120
        while "done starting the gateway" not in (tmp_path / "said").read_text():
            assert demo.poll() is None, (tmp_path / "said").read_text()
            assert time.monotonic() < until, (tmp_path / "said").read_text()
            time.sleep(0.1)
        started = descendants(demo.pid)
        assert len(started) >= 3, "a chain, a service, a gateway"
        demo.send_signal(number)
        assert demo.wait(60) == ended
        while any(Path(f"/proc/{pid}").exists() for pid in started):
            assert time.monotonic() < until
            time.sleep(0.1)
