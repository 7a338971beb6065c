"""`usufruct news`: a feed, a table, and what was known when."""

from pathlib import Path

import pytest

from tests.support.answering_server import Answered, AnsweringServer
from tests.support.command_line import Commands

FEED = b"""<rss version="2.0"><channel><item><title>BTC rises</title><link>https://example.org/1</link><guid>1</guid>
<pubDate>Fri, 31 May 2024 10:00:00 GMT</pubDate></item></channel></rss>"""


@pytest.fixture
def offline(tmp_path: Path) -> Commands:
    """Commands in an empty folder; there is no chain."""
    (tmp_path / "config.toml").touch()
    (tmp_path / "names.csv").write_text("asset,name,exact\nbitcoin,BTC,yes\n")
    return Commands({"USUFRUCT_DATA_FOLDER": str(tmp_path / "data"), "USUFRUCT_CONFIG": str(tmp_path / "config.toml")})


def test_a_feed_is_fetched_and_shown_as_it_was_known(offline: Commands, tmp_path: Path):
    names = ["--names", str(tmp_path / "names.csv")]
    with AnsweringServer(lambda _: Answered(FEED)) as server:
        [row] = offline.json("news", "fetch", f"wire={server.url}", *names)
        assert (row["new"], row["error"]) == (1, "")
        [row] = offline.json("news", "fetch", f"wire={server.url}", *names)
        assert (row["new"], row["unchanged"]) == (0, 1)
    days = ["--first", "2024-05-01", "--last", "2024-05-31"]
    [item] = offline.json("news", "show", "bitcoin", *days)
    assert (item["title"], item["assets"], item["published_at"]) == ("BTC rises", ["bitcoin"], "2024-05-31T10:00Z")
    assert offline.json("news", "show", *days, "--as-of", "2024-06-01") == [], "it was learnt now"
    refused = offline.refused("news", "fetch", "wire:https://example.org")
    assert "a feed must be NAME=URL" in refused.message


def test_a_table_is_imported_with_the_moments_at_which_it_was_known(offline: Commands, tmp_path: Path):
    table = tmp_path / "headlines.csv"
    table.write_text("time,title,known_at\n2024-05-31T10:00:00Z,News,2024-05-31T11:00:00Z\n2024-05-30,,\n")
    facts = offline.json("news", "import", str(table))
    assert (facts["new"], facts["skipped"]) == (1, 1)
    asked = ["news", "show", "--last", "2024-06-01", "--as-of"]
    assert [each["source"] for each in offline.json(*asked, "2024-05-31")] == ["headlines"]
    assert offline.json(*asked, "2024-05-30") == []
    assert "cannot be read" in offline.refused("news", "import", str(tmp_path / "none.csv")).message


def test_a_simulated_market_has_headlines_that_say_so(offline: Commands, tmp_path: Path):
    market = ["--seed", "3", "--assets", "30", "--days", "60"]
    elsewhere = offline.json("prices", "synthesize", *market, "--archive", str(tmp_path / "elsewhere"))
    assert offline.json("news", "show", "--first", "2019-01-01", "--last", "2019-12-31") == []
    assert offline.json("prices", "synthesize", *market)["new"] == elsewhere["new"]
    shown = offline.json("news", "show", "--first", "2019-01-01", "--last", "2019-12-31", "--limit", "1000")
    assert len(shown) >= 59, "one a day about the largest asset"
    assert {each["source"] for each in shown} == {"simulated news", "simulated reddit", "simulated twitter"}
    offline.json("prices", "synthesize", *market)
    assert len(offline.json("news", "show", "--first", "2019-01-01", "--last", "2019-12-31", "--limit", "1000")) == len(
        shown
    )
