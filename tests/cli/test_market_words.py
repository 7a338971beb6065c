"""A model behind our own gateway words answers and reports: paid by a key like any call, and no number is its own."""

import json
import signal
import time
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from tests.analytics.conftest import snapshot as snapshot
from tests.support.devnet_template import DevnetTemplate
from tests.support.scripted_model import MODEL, ScriptedModel
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_files import write_snapshot
from usufruct.payments.ledger import Ledger

pytestmark = pytest.mark.anvil

REPORTS = 3
QUESTION = {"messages": [{"user": "How is the market?"}]}


def written(folder: Path) -> list[str]:
    path = folder / "words" / "reports.json"
    return [each["text"] for each in json.loads(path.read_bytes()).values()] if path.exists() else []


def waited_for(many: int, folder: Path) -> list[str]:
    deadline = time.monotonic() + 120
    while len(found := written(folder)) < many:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def test_answers_and_reports_are_worded_by_a_model_that_is_paid_for(
    cli_world: ModuleType, devnet_template: DevnetTemplate, tmp_path: Path, snapshot: Snapshot
):
    write_snapshot(tmp_path / "ratings", snapshot)
    port = cli_world.free_port()
    with devnet_template.copy(tmp_path) as anvil, ScriptedModel("It is what it is.") as model:
        own = cli_world.settings(tmp_path, anvil.url, gateway_port=port, markets_api="yes", markets_indices="none")
        commands = cli_world.Commands(own)
        commands.json(
            "sell", "--no-up", "--upstream", model.base_url, "--model", MODEL, "--pay-to", cli_world.SOMEBODY.address
        )
        key = commands.inside(cli_world.paying_key)
        asked_before = len(model.asked)  # the sale tries the model
        own |= {
            "USUFRUCT_MARKETS_WRITER_URL": f"http://127.0.0.1:{port}",
            "USUFRUCT_MARKETS_WRITER_MODEL": MODEL,
            "USUFRUCT_MARKETS_WRITER_KEY": key.text,
            "USUFRUCT_MARKETS_WRITER_REPORTS": str(REPORTS),
        }

        def charged() -> int:
            async def read(installation) -> int:
                (total,) = await installation.get(Ledger).totals()
                assert total.reserved == 0
                return total.charged

            return cli_world.Commands(own).inside(read)

        with cli_world.running_cli("serve", own=own, log=tmp_path / "gateway") as gateway:
            root = gateway.ready["url"].removesuffix("/v1")
            free = httpx.post(f"{root}/v2/keys", timeout=120).json()["data"][0]["KEY"]
            with httpx.Client(headers={"x-api-key": free}, timeout=120) as http:
                answer = http.post(f"{root}/v2/tmai", json=QUESTION).json()
                assert answer["data"] == {"answer": model.reply, "written_by": MODEL}
                first = charged()
                assert first > 0
                model.reply = "It doubles to $123,456,789."
                answer = http.post(f"{root}/v2/tmai", json=QUESTION).json()
                assert answer["data"] == {"answer": snapshot.briefing, "written_by": ""}
                assert charged() > first, "the operator pays for words that are not shown"
                model.reply = "A report."

                with cli_world.running_cli("worker", own=own, log=tmp_path / "worker") as worker:
                    waited_for(1, tmp_path)
                    worker.stop(signal.SIGKILL)
                with cli_world.running_cli("worker", own=own, log=tmp_path / "worker"):
                    assert waited_for(REPORTS, tmp_path) == ["A report."] * REPORTS
                reports = model.figures[asked_before + 2 :]
                assert len(set(reports)) == REPORTS
                assert len(reports) <= REPORTS + 1, "what the killed worker had asked for is asked again, no more"
                worded = [
                    row for row in http.get(f"{root}/v2/ai-reports?limit=1000").json()["data"] if row["WORDED_BY"]
                ]
                assert [row["WORDED_REPORT"] for row in worded] == ["A report."] * REPORTS
                page = http.get(f"{root}/markets/{snapshot.assets[0].id}", headers={"accept": "text/html"})
                assert page.status_code == 200
            findings = json.loads(cli_world.Commands(own).run("doctor", "--json").stdout)
            said = [(each["verdict"], each["says"]) for each in findings if each["subject"] == "market words"]
            assert said == [("ok", f"{MODEL} is offered")]
            assert gateway.stop(signal.SIGTERM) == 0
