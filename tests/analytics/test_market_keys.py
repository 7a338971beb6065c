"""A person's market API keys: listed with what they used, revoked without their text, and seen by no one else."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.analytics.conftest import NOW
from tests.support.fake_clock import FakeClock
from tests.support.gateway_server import served
from tests.support.market_world import STAKER, MarketWorld, OneSession, market_world
from usufruct.analytics.api import MarketTables, market_routes
from usufruct.analytics.api_answer import MarketApi
from usufruct.analytics.api_keys import MarketKeys
from usufruct.analytics.key_api import key_routes
from usufruct.analytics.key_pages import key_pages
from usufruct.analytics.refusals import REFUSALS
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_files import SnapshotReader, write_snapshot
from usufruct.core import Address
from usufruct.store import Database
from usufruct.web import RawRoute
from usufruct.web.ui import Pages, Site

ROOT = Path(__file__).parents[2]
OTHER = Address("0x" + "cd" * 20)


@pytest.fixture
async def world(sqlite_url: str, snapshot: Snapshot, tmp_path: Path) -> AsyncIterator[MarketWorld]:
    clock, folder, sessions, pages = FakeClock(NOW), tmp_path / "ratings", OneSession(), Pages(Site())
    pages.add_package("usufruct.analytics", (), REFUSALS)
    write_snapshot(folder, snapshot)
    tables = MarketTables(SnapshotReader(folder, clock), clock)

    def build(api: MarketApi, keys: MarketKeys) -> Sequence[RawRoute]:
        routes: list[Any] = [
            *market_routes(tables, api, keys, sessions),  # type: ignore[arg-type]
            *key_routes(keys, sessions),  # type: ignore[arg-type]
            *key_pages(keys, sessions, pages),  # type: ignore[arg-type]
        ]
        return routes

    async with market_world(sqlite_url, folder, clock, build) as world:
        yield world


def as_person(person: Address) -> dict[str, str]:
    return {"x-test-signed-in": person, "x-api-key": "", "accept": "text/html"}


async def make(world: MarketWorld, label: str, person: Address = STAKER) -> dict[str, Any]:
    made = await world.client.post("/v2/keys", json={"label": label}, headers=as_person(person))
    assert made.status_code == 201, made.text
    row: dict[str, Any] = made.json()["data"][0]
    return row


async def call(world: MarketWorld, key: str, calls: int = 1) -> None:
    for _ in range(calls):
        assert (await world.client.get("/v2/price?token_id=1", headers={"x-api-key": key})).status_code == 200


async def listed(world: MarketWorld, person: Address = STAKER) -> list[dict[str, Any]]:
    answer = await world.client.get("/v1/markets/keys", headers=as_person(person))
    assert answer.status_code == 200, answer.text
    keys: list[dict[str, Any]] = answer.json()["keys"]
    return keys


async def test_a_person_lists_the_keys_that_they_made_with_what_each_used(world: MarketWorld):
    first = await make(world, "laptop")
    world.clock.advance(5)
    second = await make(world, "")
    await call(world, first["KEY"], 3)
    await world.keys.flush()
    found = await listed(world)
    assert [each["id"] for each in found] == [second["ID"], first["ID"]], (
        "the newest first; a key of no one is no one's"
    )
    assert found[1] == {
        "id": first["ID"],
        "label": "laptop",
        "createdAt": NOW,
        "lastUsedAt": NOW + 5,
        "callsThisMonth": 3,
        "callsPerMonth": 1_200,
        "callsPerMinute": 800,
    }
    assert (found[0]["lastUsedAt"], found[0]["callsThisMonth"]) == (None, 0)
    assert first["KEY"] not in str(found)


async def test_the_last_use_is_noted_once_an_hour_and_calls_write_nothing(world: MarketWorld, database: Database):
    key = await make(world, "laptop")
    written = []
    note = world.keys.store.note_uses
    world.keys.store.note_uses = lambda used: written.append(dict(used)) or note(used)  # type: ignore[method-assign]
    for _ in range(4):
        await call(world, key["KEY"], 2)
        await world.keys.flush()
        world.clock.advance(1_000)
    assert written == [{key["ID"]: NOW}]
    world.clock.advance(600)
    await call(world, key["KEY"])
    await world.keys.flush()
    await world.keys.flush()
    assert [list(each.values()) for each in written] == [[NOW], [NOW + 4_600]]
    assert [each["lastUsedAt"] for each in await listed(world)] == [NOW + 4_600]


async def test_a_key_whose_text_is_lost_is_revoked_by_its_person_alone(world: MarketWorld):
    key = await make(world, "laptop")
    path = f"/v1/markets/keys/{key['ID']}"
    assert await listed(world, OTHER) == []
    for refused in (
        await world.client.delete(path, headers=as_person(OTHER)),
        await world.client.delete("/v1/markets/keys/mkey_none", headers=as_person(STAKER)),
    ):
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "market_key_not_found")
    for method in ("GET", "DELETE"):
        assert (
            await world.client.request(method, path if method == "DELETE" else "/v1/markets/keys")
        ).status_code == 401
    await call(world, key["KEY"])
    assert (await world.client.delete(path, headers=as_person(STAKER))).status_code == 204
    answer = await world.client.get("/v2/price", headers={"x-api-key": key["KEY"]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "key_revoked")
    assert await listed(world) == []


async def test_the_page_lists_keys_and_deletes_one_after_a_second_tap_without_scripts(world: MarketWorld):
    key = await make(world, "laptop")
    await call(world, key["KEY"], 2)
    await world.keys.flush()
    shown = (await world.client.get("/market-keys", headers=as_person(STAKER))).text
    assert "laptop" in shown
    assert "2 of 1,200" in shown
    assert key["KEY"] not in shown
    [form] = re.findall(r"<details>.*?</details>", shown, re.DOTALL)
    assert f'value="{key["ID"]}"' in form
    assert "Delete this key" in form, "the button is folded: deleting takes two taps"
    assert "laptop" not in (await world.client.get("/market-keys", headers=as_person(OTHER))).text
    assert "Your keys" not in (await world.client.get("/market-keys")).text

    fields = {"id": key["ID"]}
    stranger = await world.client.post("/market-keys/delete-mine", data=fields, headers=as_person(OTHER))
    assert stranger.status_code == 404
    assert (await world.client.post("/market-keys/delete-mine", data=fields)).status_code == 401
    elsewhere = as_person(STAKER) | {"sec-fetch-site": "cross-site"}
    assert (await world.client.post("/market-keys/delete-mine", data=fields, headers=elsewhere)).status_code == 403
    await call(world, key["KEY"])
    deleted = await world.client.post("/market-keys/delete-mine", data=fields, headers=as_person(STAKER))
    assert "The key is deleted." in deleted.text
    assert "laptop" not in deleted.text
    assert (await world.client.get("/v2/price", headers={"x-api-key": key["KEY"]})).status_code == 401


GUIDE = ROOT / "docs" / "guides" / "market-key.md"


async def test_every_command_of_the_guide_to_a_first_key_runs(world: MarketWorld, tmp_path: Path):
    blocks = re.findall(r"```(sh|python)\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert [language for language, _ in blocks] == ["sh", "sh", "python", "python", "sh"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "build" / "tmai"), "NO_PROXY": "*", "no_proxy": "*"}
    said = []
    async with served(world.app) as (_, url, _):
        for language, text in blocks:
            filled = text.replace("https://your-gateway", url.removesuffix("/v1"))
            if said:
                filled = filled.replace("um_...", json.loads(said[0])["data"][0]["KEY"])
            environment |= dict(re.findall(r"^export (\w+)=(\S+)$", filled, re.MULTILINE))
            script = tmp_path / f"block.{language}"
            script.write_text(filled)
            command = (sys.executable, script) if language == "python" else ("bash", "-eu", script)
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, env=environment)
            out, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
            said.append(out.decode())
    assert [said[1].count('"success":true'), said[1].count('"TM_TRADER_GRADE"')] == [2, 3]
    assert re.fullmatch(r"(2026-01-31 \S+ [\d.]+\n){3}3 calls this month\n", said[2]), said[2]
    *tokens, grades = said[3].splitlines()
    assert len(tokens) == 3
    assert int(grades.removesuffix(" grades")) > 100, "the client swallows errors: nothing would be 0"
    assert '"LABEL":"laptop"' in said[4]
    assert "the key is revoked" in said[4]
