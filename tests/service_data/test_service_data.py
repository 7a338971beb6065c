"""`/v2/services` beside the books and the chain: what calls earned, and who owns what they are paid to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from x402.http.clients import x402HttpxClient

from tests.support import x402_installation as worlds
from tests.support.devnet_template import DevnetTemplate
from tests.support.fake_clock import FakeClock
from tests.support.ledger_samples import bill
from usufruct.analytics import CurrentReader, utc_text
from usufruct.assets import Assets, Holding, Listings, NewAsset, RegistryClient, ShareHolders
from usufruct.chain import TokenFacts
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, signer_of
from usufruct.config import MarketsConfig
from usufruct.core import DAY_SECONDS, Clock
from usufruct.gateway import ServiceQuality
from usufruct.gateway.quality.store import DAY, add_tallies
from usufruct.gateway.quality.tally import Outcome, Tally, Times
from usufruct.service_data.api import LATE_SECONDS, ServiceData
from usufruct.service_data.service_files import read_table, service_folder, table_of, write_table
from usufruct.service_data.service_job import ServiceJob
from usufruct.store import Database
from usufruct_client import AsyncMarkets
from usufruct_client.market_endpoints import Endpoint, ServiceEndpoints
from usufruct_client.wire_types import adapter

TENTH = 10 * 10**12
ENDPOINTS = {name: each for name, each in vars(ServiceEndpoints).items() if isinstance(each, Endpoint)}


class Town:
    """A service with three owners and a plain one, in a world with the market API."""

    def __init__(self, world: worlds.X402Installation, http: httpx.AsyncClient) -> None:
        self.world, self.http = world, http
        self.v2 = world.url.removesuffix("/v1") + "/v2"
        self.key = ""

    async def open(self) -> None:
        self.key = (await self.http.post(f"{self.v2}/keys")).json()["data"][0]["KEY"]
        self.http.headers["x-api-key"] = self.key
        registry, owner = self.world.installation.get(RegistryClient), self.owner
        owners = (Holding(DEVNET_ADDRESSES[6], 2 * TENTH), Holding(DEVNET_ADDRESSES[7], TENTH))
        terms = NewAsset("owned", "OWN", self.world.dollar.address, worlds.CARD)
        self.asset = await Assets(registry).register(owner, terms, owners)
        await self.world.sell("owned", id=self.asset.id, pay_to=self.asset.shares, registered=True)
        await self.world.sell("plain")

    @property
    def owner(self) -> Any:
        installation = self.world.installation
        return installation.sender(signer_of(Role.OWNER, installation.config))

    async def compute(self) -> None:
        get = self.world.installation.get
        await self.world.gateway.get(ServiceQuality).flush()
        folder = service_folder(self.world.installation.config)
        await ServiceJob(
            get(Listings), get(ServiceQuality), get(ShareHolders), get(TokenFacts), folder, get(Clock)
        ).step()
        await asyncio.sleep(2.1)  # until then a gateway does not look for newer figures

    async def rows(self, path: str) -> list[dict[str, Any]]:
        answer = await self.http.get(f"{self.v2}{path}")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]
        return found


@asynccontextmanager
async def town_of(template: DevnetTemplate, folder: Path) -> AsyncIterator[Town]:
    async with (
        worlds.x402_installation(template, folder, markets=MarketsConfig(api="yes")) as world,
        httpx.AsyncClient(timeout=120) as http,
    ):
        town = Town(world, http)
        await town.open()
        yield town


async def called(town: Town, model: str, many: int) -> None:
    account = await town.world.account()
    async with x402HttpxClient(town.world.payer(town.world.scheme(account, rpc=False)), timeout=120) as paying:
        for _ in range(many):
            assert (await town.world.ask(paying, model)).status_code == 200


async def note_yesterday(town: Town, income: int) -> int:
    """Count a call of the day before, as the gateway of that day did; return the day's start."""
    database = town.world.installation.get(Database)
    yesterday = await database.now() - DAY_SECONDS
    tally = Tally()
    tally.add(Outcome.ANSWERED, Times(0.0, 0.5, 2.0), bill(income, output=5))
    async with database.transaction() as unit:
        await add_tallies(unit, {town.asset.id: tally}, DAY, yesterday)
    return yesterday - yesterday % DAY_SECONDS


@pytest.mark.anvil
async def test_figures_are_those_of_the_books_and_of_the_chain(devnet_template: DevnetTemplate, tmp_path: Path):
    async with town_of(devnet_template, tmp_path) as town:
        early = await town.http.get(f"{town.v2}/services")
        assert (early.status_code, early.json()["error"]["code"]) == (503, "no_market_data")
        await called(town, "owned", 3)
        await called(town, "plain", 1)
        start = await note_yesterday(town, income=250_000)
        await town.compute()

        listed = await town.rows("/services")
        owned, plain, *others = listed
        assert (owned["SERVICE"], plain["SERVICE"]) == ("owned", "plain"), "most revenue first"
        assert all(row["SERVICE"].startswith("/v2/") for row in others), "endpoints are sold by the call"
        total = sum(each.charged for each in await town.world.channels())
        assert round((owned["REVENUE_7D"] + plain["REVENUE_7D"]) * 10**6) == total + 250_000
        assert (owned["CALLS_7D"], owned["CALLS_30D"], plain["CALLS_30D"]) == (4, 4, 1)
        assert owned["SUCCESS_30D"] is None, "of fewer than 20 calls nothing is said"
        assert (owned["HOLDERS"], owned["LARGEST_HOLDER"], owned["TEN_LARGEST_HOLDERS"]) == (3, 0.7, 1.0)
        assert owned["CONCENTRATION"] == pytest.approx(0.49 + 0.04 + 0.01)
        assert owned["SHARES"].lower() == town.asset.shares
        assert [plain[name] for name in ("SHARES", "HOLDERS", "CONCENTRATION")] == [None] * 3
        assert [row["SERVICE"] for row in await town.rows("/services?service=plain")] == ["plain"]
        assert await town.rows("/services?service=nobody") == []
        assert len(await town.rows("/services?limit=1&page=2")) == 1

        [day] = await town.rows("/services-history?service=owned")
        assert (day["DATE"], day["CALLS"], day["REVENUE"], day["OUTPUT_TOKENS"]) == (
            utc_text(start),
            1,
            0.25,
            5,
        )
        assert await town.rows("/services-history?service=plain") == [], "today is not over"
        assert await town.rows("/services-history?service=owned&endDate=2026-01-01") == []
        assert await town.rows("/services-history?service=nobody") == []
        for path, wrong in (
            ("/services-history", "service"),
            ("/services-history?service=", "service"),
            ("/services-history?service=owned&limit=0", "limit"),
            ("/services?service=owned&limit=x", "limit"),
        ):
            refused = await town.http.get(f"{town.v2}{path}")
            assert (refused.status_code, refused.json()["error"]["param"]) == (400, wrong)

        before = await town.http.get(f"{town.v2}/services")
        unseen = {"if-none-match": before.headers["etag"]}
        assert (await town.http.get(f"{town.v2}/services", headers=unseen)).status_code == 304
        holders = town.world.installation.get(ShareHolders)
        await holders.transfer(town.owner, town.asset.id, DEVNET_ADDRESSES[8], 3 * TENTH)
        await town.compute()
        after = await town.http.get(f"{town.v2}/services", headers=unseen)
        [owned] = [row for row in after.json()["data"] if row["SERVICE"] == "owned"]
        assert (owned["HOLDERS"], owned["LARGEST_HOLDER"]) == (4, 0.4)
        assert (after.json()["synthetic"], after.json()["stale"]) == (True, False), "a devnet's money is play money"

        async with AsyncMarkets(town.v2.removesuffix("/v2"), town.key) as client:
            for name, endpoint in ENDPOINTS.items():
                asked = {"service": "owned"}
                found, sent = await getattr(client, name)(**asked), await town.rows(f"{endpoint.path}?service=owned")
                assert len(found) == len(sent) == 1
                assert set(sent[0]) == set(adapter(endpoint.row).json_schema()["properties"])
                assert found[0].as_json().keys() == sent[0].keys()


def test_figures_that_no_worker_renews_are_marked_stale(tmp_path: Path):
    clock = FakeClock()
    write_table(tmp_path, table_of([{"SERVICE": "one"}], clock.now()))
    reader = CurrentReader(tmp_path, read_table, clock)
    data = ServiceData(reader, None, None, None, clock, simulated=False)  # type: ignore[arg-type]
    fresh = data.state()
    clock.advance(LATE_SECONDS + 1)
    assert (fresh.stale, data.state().stale) == (False, True)
    assert data.state().version != fresh.version
