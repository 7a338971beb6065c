"""Adding a package is its folder and one line: a throw-away one, in a copy of ours, is served, run, shown and asked."""

import filecmp
import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.command_line import free_port, run_cli, running_cli, settings
from tests.support.devnet_template import DevnetTemplate

PACKAGE = Path(__file__).parents[2] / "usufruct"
LIST = Path("app/components.py")
FOLDER = "compute"

STORE = """
from sqlalchemy import Column, Integer, Table, insert, func, select

from usufruct.store import Database, metadata

visits = Table("compute_visits", metadata, Column("id", Integer, primary_key=True))


async def visit(database: Database) -> None:
    async with database.transaction() as unit:
        await unit.change(insert(visits).values())


async def count(database: Database) -> int:
    async with database.snapshot() as unit:
        [row] = await unit.rows(select(func.count().label("times")).select_from(visits))
    return row.times
"""
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9001", "{newest}"


def upgrade() -> None:
    op.create_table("compute_visits", sa.Column("id", sa.Integer, primary_key=True))
"""
COMPONENT = """
from prometheus_client.core import GaugeMetricFamily

from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic, good
from usufruct.core.jobs import Job
from usufruct.compute.store import count, visit
from usufruct.store import Database
from usufruct.web import Route, json_response


def build(context: Context) -> Component:
    async def show(request):
        return json_response({"visits": await count(context.get(Database))})

    async def metrics():
        return [GaugeMetricFamily("usufruct_compute_visits", "Visits.", value=await count(context.get(Database)))]

    async def check():
        yield good("compute", f"{await count(context.get(Database))} visits")

    return Component(
        "compute",
        routes=lambda: [Route("GET", "/v1/compute", show)],
        jobs=lambda: [Job("compute", lambda: visit(context.get(Database)), 0.1)],
        metrics={"compute": metrics},
        diagnostics=(Diagnostic("compute", check, services=True),),
    )
"""


@dataclass
class Extended:
    """Our package with one more component, and an installation that runs it: as environment variables."""

    package: Path
    own: dict[str, str]
    gateway_metrics: int


@pytest.fixture
def extended(tmp_path: Path, devnet_template: DevnetTemplate) -> Iterator[Extended]:
    """A copy of our package with the throw-away component, on a devnet of its own."""
    package = tmp_path / "copy" / "usufruct"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    newest = max(file.name[1:5] for file in package.glob("store/migrations/versions/r*.py"))
    (package / FOLDER / "migrations").mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "store.py": STORE,
        "component.py": COMPONENT,
        "migrations/r9001_compute.py": MIGRATION.format(newest=newest),
    }.items():
        (package / FOLDER / name).write_text(text)
    listed = (package / LIST).read_text()
    (package / LIST).write_text(listed.replace('    "gateway",\n', '    "gateway",\n    "compute",\n'))
    folder, port = tmp_path / "installation", free_port()
    with devnet_template.copy(folder) as anvil:
        own = settings(folder, anvil.url, metrics_gateway_port=port)
        yield Extended(package, own | {"PYTHONPATH": str(package.parent), "PYTHONSAFEPATH": "1"}, port)


def changed_files(before: Path, after: Path) -> set[Path]:
    """The files that differ or are new, from the package's folder."""
    ours = {file.relative_to(after) for file in after.rglob("*") if file.is_file() and file.suffix != ".pyc"}
    return {file for file in ours if not (before / file).exists() or not filecmp.cmp(before / file, after / file)}


def until(read: Callable[[], httpx.Response], holds: Callable[[httpx.Response], bool]) -> httpx.Response:
    """Read until it holds."""
    deadline = time.monotonic() + 60
    while not holds(found := read()):
        assert time.monotonic() < deadline, found.text
        time.sleep(0.1)
    return found


def test_only_its_folder_and_a_line_of_the_list_are_new(extended: Extended):
    changed = changed_files(PACKAGE, extended.package)
    assert {file for file in changed if file.parts[0] != FOLDER} == {LIST}
    before, after = ((folder / LIST).read_text().splitlines() for folder in (PACKAGE, extended.package))
    assert [line for line in after if line not in before] == ['    "compute",']
    assert len(after) == len(before) + 1


@pytest.mark.anvil
def test_its_route_answers_its_job_runs_and_its_metric_and_diagnostic_show(extended: Extended, tmp_path: Path):
    with running_cli("serve", own=extended.own, log=tmp_path / "serve.log") as gateway:
        url = f"{gateway.ready['url']}/compute"
        assert httpx.get(url, timeout=60).json() == {"visits": 0}
        with running_cli("worker", own=extended.own, log=tmp_path / "work.log") as worker:
            assert "compute" in worker.ready["jobs"]
            until(lambda: httpx.get(url, timeout=60), lambda found: found.json()["visits"] > 1)
            assert worker.stop(signal.SIGTERM) == 0
        visits = httpx.get(url, timeout=60).json()["visits"]
        metrics = httpx.get(f"http://127.0.0.1:{extended.gateway_metrics}/metrics", timeout=60).text
        assert f"usufruct_compute_visits {float(visits)}" in metrics
        assert gateway.stop(signal.SIGTERM) == 0
    findings = json.loads(run_cli("doctor", "--json", own=extended.own).stdout)
    assert [each["says"] for each in findings if each["subject"] == "compute"] == [f"{visits} visits"]
