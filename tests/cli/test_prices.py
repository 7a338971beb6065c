"""`usufruct prices`: from a file to a table, a simulated market, and what is refused."""

from pathlib import Path

import pytest

from tests.support.command_line import Commands

CSV = "id,symbol,categories,date,price,supply\n" + "".join(
    f"{asset},{symbol},{kind},2024-01-{day:02},{price + day * step},1000\n"
    for asset, symbol, kind, price, step in (
        ("bitcoin", "BTC", "layer-1", 42_000, 10),
        ("dollar", "USD", "stablecoin", 1, 0),
        ("euro", "USD", "", 1.1, 0.001),
    )
    for day in range(1, 9)
)


@pytest.fixture
def offline(tmp_path: Path) -> Commands:
    """Commands in an empty folder; there is no chain."""
    (tmp_path / "config.toml").touch()
    (tmp_path / "vendor.csv").write_text(CSV + "bitcoin,BTC,layer-1,2024-01-09,-5,1000\n")
    return Commands({"USUFRUCT_DATA_FOLDER": str(tmp_path / "data"), "USUFRUCT_CONFIG": str(tmp_path / "config.toml")})


@pytest.fixture
def imported(offline: Commands, tmp_path: Path) -> Commands:
    """Commands beside an archive into which `vendor.csv` was imported."""
    report = offline.json("prices", "import", str(tmp_path / "vendor.csv"), "--attribution", "Data by Vendor")
    assert (report["read"], report["new"], report["refused"], report["synthetic"]) == (25, 24, 1, False)
    [finding] = report["findings"]
    assert (finding["rule"], finding["count"]) == ("price-not-positive", 1)
    assert finding["examples"] == ["bitcoin 2024-01-09 (line 26): close -5 supply 1000"]
    return offline


def test_an_import_is_summed_up(imported: Commands, tmp_path: Path):
    facts = imported.json("prices", "show")
    assert facts["archive"] == str(tmp_path / "data" / "prices")
    assert (facts["assets"], facts["bars_1d"], facts["quarantined"]) == (3, 24, 1)
    assert (facts["first_1d"], facts["last_1d"]) == ("2024-01-01T00:00", "2024-01-08T00:00")
    assert facts["sources"] == ["vendor (Data by Vendor)"]
    again = imported.json("prices", "import", str(tmp_path / "vendor.csv"))
    assert again["read"] == 0


def test_bars_are_shown_with_caps_of_price_times_supply(imported: Commands):
    rows = imported.json("prices", "show", "btc", "--first", "2024-01-07")
    assert [(row["time"], row["close"], row["market_cap"]) for row in rows] == [
        ("2024-01-07T00:00Z", 42_070.0, 42_070_000.0),
        ("2024-01-08T00:00Z", 42_080.0, 42_080_000.0),
    ]
    shown = imported.run("prices", "show", "bitcoin", "--first", "2024-01-08")
    assert "42,080,000" in shown.stdout
    assert imported.json("prices", "show", "bitcoin", "--as-of", "2024-01-08") == [], "it was not known then"


def test_a_bar_is_withdrawn_and_its_versions_stay(imported: Commands):
    imported.json("prices", "withdraw", "bitcoin", "2024-01-08")
    assert len(imported.json("prices", "show", "bitcoin", "--first", "2024-01-07", "--last", "2024-01-08")) == 1
    versions = imported.json("prices", "show", "bitcoin", "--first", "2024-01-08", "--versions")
    assert [row["close"] for row in versions] == [42_080.0, None]
    refused = imported.refused("prices", "withdraw", "bitcoin", "2024-02-01")
    assert "vendor has no bar of bitcoin at 2024-02-01" in refused.message


def test_changes_are_recorded_and_read(imported: Commands, tmp_path: Path):
    imported.json("prices", "redenominate", "btc", "--units", "10", "--day", "2024-01-08")
    imported.json("prices", "rename", "dollar", "euro", "--day", "2024-01-03")
    rows = imported.json("prices", "show", "bitcoin", "--first", "2024-01-07")
    assert [row["close"] for row in rows] == [4_207.0, 42_080.0]
    assert [row["close"] for row in imported.json("prices", "show", "euro", "--last", "2024-01-03")] == [1, 1, 1.103]
    changes = imported.json("prices", "assets", "--changes")
    assert [(row["kind"], row["asset"], row["units"]) for row in changes] == [
        ("renamed", "dollar", None),
        ("redenominated", "bitcoin", "10"),
    ]


def test_assets_are_listed_and_described(imported: Commands, tmp_path: Path):
    path = tmp_path / "assets.csv"
    path.write_text("id,name,categories\neuro,Euro coin,stablecoin;EUR\n")
    rows = imported.json("prices", "assets", "--describe", str(path), "--category", "stablecoin")
    assert rows == [
        {"number": 2, "id": "dollar", "symbol": "USD", "name": "dollar", "categories": ["stablecoin"]},
        {"number": 3, "id": "euro", "symbol": "USD", "name": "Euro coin", "categories": ["eur", "stablecoin"]},
    ]
    refused = imported.refused("prices", "show", "usd")
    assert refused.code == "ambiguous_ticker"
    assert "dollar, euro; give an id" in refused.message


def test_a_check_reports_by_rule(imported: Commands):
    assert imported.json("prices", "check") == [], "euro is not a stablecoin here"
    [row] = imported.json("prices", "quarantine", "--rule", "price-not-positive")
    assert (row["asset"], row["close"], row["place"]) == ("bitcoin", -5.0, "line 26")
    assert imported.json("prices", "quarantine", "--rule", "price-spike") == []


def test_prices_in_another_currency_are_kept_and_not_rated(offline: Commands, tmp_path: Path):
    report = offline.json("prices", "import", str(tmp_path / "vendor.csv"), "--quote", "eur")
    assert "in EUR" in report["warnings"][0]
    assert offline.json("prices", "show", "btc")[-1]["close"] == 42_080.0
    for asked in (
        ("rating", "compute"),
        ("rating", "explain", "bitcoin"),
        ("index", "backtest", "top-10", "--from", "2024-01-01", "--to", "2024-01-08"),
    ):
        refused = offline.refused(*asked)
        assert refused.code == "not_in_dollars"
        assert "`--quote USD`" in refused.message


def test_a_simulated_market_is_labelled_everywhere(offline: Commands, tmp_path: Path):
    place = ("--archive", str(tmp_path / "demo"))
    made = offline.json("prices", "synthesize", "--seed", "3", "--assets", "30", "--days", "60", *place)
    assert made["synthetic"] is True
    assert offline.json("prices", "show", *place)["synthetic"] is True
    shown = offline.run("prices", "show", "syn-layer-1-001", *place)
    assert "simulated prices" in shown.stderr
    assert {row["rule"] for row in offline.json("prices", "check", *place)} <= {"gap"}
    refused = offline.refused("prices", "import", str(tmp_path / "vendor.csv"), *place)
    assert refused.code == "mixed_archive"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("show",), "import some with `usufruct prices import FILE`"),
        (("import", "nothing.csv"), "there is no file nothing.csv"),
        (("import", "{vendor}", "--column", "close"), "--column must be OURS=THEIRS"),
        (("import", "{vendor}", "--accept", "gap"), "'gap' is not a rule that keeps rows out"),
        (("import", "{vendor}", "--known-after", "soon"), "--known-after must be a length of time"),
        (("synthesize", "--days", "9000"), "in the future; give an earlier --first-day"),
        (("synthesize", "--assets", "3"), "assets of a synthetic market must be from 24"),
        (("synthesize", "--first-day", "1.1.2020"), "--first-day must be a day such as"),
    ],
)
def test_what_cannot_be_done_is_one_line(offline: Commands, tmp_path: Path, arguments: tuple[str, ...], problem: str):
    filled = [each.replace("{vendor}", str(tmp_path / "vendor.csv")) for each in arguments]
    assert problem in offline.refused("prices", *filled).message
