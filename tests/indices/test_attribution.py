"""What licences of price sources want shown is shown with the data: pages, `/v1`, `/v2`, bulletins, reports."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.indices.conftest import LAST, NOW
from tests.support.bulletin_crash import bulletin_job
from tests.support.fake_clock import FakeClock
from tests.support.market_archive import MARKET, simulated_inputs, write_archive
from tests.support.market_page_world import market_page_world
from tests.support.price_rows import LEARNT, bar, bars
from usufruct.analytics import CurrentReader
from usufruct.analytics.serving import read_inputs
from usufruct.analytics.snapshot_build import build_snapshot
from usufruct.analytics.snapshot_files import write_snapshot
from usufruct.config import MarketsConfig
from usufruct.connectors.prices import AssetFacts, Interval, PriceArchive, SourceFacts
from usufruct.indices import load_rulebook, make_report, report_bytes
from usufruct.indices.bulletins import BulletinStore, KeptBulletins, bulletin_pages
from usufruct.indices.publication import CurrentIndices, IndexJob, index_pages, read_indices
from usufruct.indices.report_html import report_page
from usufruct.store import open_database
from usufruct.web import Router
from usufruct.web.ui import Pages, Site

CREDIT = "Data provided by CoinGecko (https://www.coingecko.com) & <b>others</b>"
SHOWN = 'Data provided by CoinGecko (<a href="https://www.coingecko.com" rel="'
WRITTEN = "Data provided by CoinGecko (https://www.coingecko.com) &amp; &lt;b&gt;others&lt;/b&gt;"


@dataclass
class Data:
    """An archive whose source wants a credit, and what was computed from it."""

    folder: Path
    archive: PriceArchive


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = tmp_path_factory.mktemp("credited")
    archive = write_archive(folder / "prices", simulated_inputs(LAST, replace(MARKET, days=150), 48), CREDIT)
    snapshot = build_snapshot(read_inputs(archive), NOW)
    write_snapshot(folder / "ratings", snapshot)
    settings = MarketsConfig(api="yes", indices="top-10")
    IndexJob(settings, folder / "prices", folder / "indices", lambda: snapshot, FakeClock(NOW))._step()
    return Data(folder, archive)


@pytest.fixture
async def client(data: Data, sqlite_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The pages and JSON of indices and bulletins over that data."""
    clock, database, pages = FakeClock(NOW), open_database(sqlite_url), Pages(Site())
    await bulletin_job(database, data.folder, NOW).step()
    pages.add_package("usufruct.analytics")
    current = CurrentIndices(CurrentReader(data.folder / "indices", read_indices, clock), clock)
    routes = [*index_pages(current, pages), *bulletin_pages(KeptBulletins(BulletinStore(database), clock), pages)]
    app = Router(routes, error_page=pages.error_page)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test", timeout=120) as found:
        yield found
    await database.close()


async def test_the_attribution_is_shown_wherever_the_data_is(data: Data, client: httpx.AsyncClient):
    day = LAST.date()
    for path in ("/indices", "/indices/top-10", "/indices/top-10/rebalances", f"/briefings/{day}", "/guides/top-10"):
        shown = (await client.get(path, headers={"accept": "text/html"})).text
        assert SHOWN in shown, path
        assert "<b>others</b>" not in shown
    for path in ("/v1/indices", "/v1/indices/top-10", f"/v1/markets/briefings/{day}"):
        document: Any = (await client.get(path)).json()
        assert document.get("briefing", document)["source"]["attribution"] == [CREDIT], path
    assert WRITTEN in (await client.get("/briefings.atom")).text


async def test_pages_and_answers_of_the_market_have_it(data: Data, sqlite_url: str, tmp_path: Path):
    snapshot = build_snapshot(read_inputs(data.archive), NOW)
    name = snapshot.assets[0].id
    async with market_page_world(sqlite_url, snapshot, tmp_path, NOW) as world:
        for path in ("/markets", f"/markets/{name}", f"/market-comparison?ids={name}"):
            assert SHOWN in (await world.client.get(path, headers={"accept": "text/html"})).text, path
        assert (await world.json(f"/markets/assets/{name}"))["source"]["attribution"] == [CREDIT]
        key = (await world.client.post("/v2/keys")).json()["data"][0]["KEY"]
        headers = {"x-api-key": key}
        assert (await world.client.get("/v2/price", headers=headers)).json()["attribution"] == [CREDIT]
        asked = {"messages": [{"user": "How is the market?"}]}
        assert (await world.client.post("/v2/tmai", json=asked, headers=headers)).json()["attribution"] == [CREDIT]


def test_reports_of_backtests_have_it(data: Data):
    report = make_report(load_rulebook("top-10"), data.archive.panel())
    assert orjson.loads(report_bytes(report))["attribution"] == [CREDIT]
    page = report_page(report)
    assert WRITTEN in page
    assert "<b>others</b>" not in page


def test_an_import_without_an_attribution_keeps_the_known_one(tmp_path: Path):
    archive = PriceArchive(tmp_path)
    for credit in (CREDIT, ""):
        with archive.writing() as writer:
            writer.source(SourceFacts("vendor", credit))
            writer.describe([AssetFacts("one")], LEARNT)
            writer.append(Interval.DAY, bars(bar("one", len(credit), 1.5, source="vendor")))
    assert archive.attribution == archive.panel().attribution == (CREDIT,)
    with archive.writing() as writer:
        writer.source(SourceFacts("vendor", "Another text"))
    assert archive.attribution == ("Another text",)
