"""From an upstream to a priced, paid endpoint: what is asked, who is paid, what is refused."""

import pytest

from usufruct.chain.contracts.asset_registry import AssetRegistry, Kind, PriceCard, PriceUnit, Registration
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.connectors.openai import LocalServer, OfferedModel
from usufruct.core import checksum, format_asset
from usufruct.gateway import Catalogue, Operator

pytestmark = pytest.mark.anvil

ZERO = "0x" + "00" * 20


def selling(url: str, **options: object) -> list[str]:
    given = {"upstream": url, "model": "librarian"} | options
    return ["sell", "--no-up", *(f"--{name.replace('_', '-')}={value}" for name, value in given.items())]


def registration(token: str, salt: bytes, window: int = 8_192) -> Registration:
    return Registration(
        salt=salt.ljust(32, b"\0"),
        kind=Kind.MODEL,
        name="Shares of it",
        symbol="IT",
        uri="",
        endpoint="",
        currency=token,
        price_card=PriceCard(700_000, 2_000_000, 30, 2_500, PriceUnit.TEXT_TOKEN, window, 1),
        notice_period=3_600,
        transfer_policy=ZERO,
        resale_royalty_bps=0,
        parents=(),
        meter=ZERO,
    )


def test_a_model_is_sold_for_an_address(commands, cli_world, librarian_url):
    payee = cli_world.SOMEBODY.address
    sold = commands.json(*selling(librarian_url, name="answers", pay_to=payee, input="0.7", per_call="0.00001"))
    assert (sold["name"], sold["pay_to"]) == ("answers", checksum(payee))
    assert (sold["input_per_million"], sold["output_per_million"], sold["per_call"]) == ("0.7", "1.5", "0.00001")
    assert sold["context_window"] == 8_192
    assert sold["url"].endswith("/v1")

    async def look(installation):
        asset = await installation.get(Catalogue).find("answers")
        return asset, await Till(installation.get(Operator).till, installation.client).payees(payee)

    asset, kind = commands.inside(look)
    assert kind is PayeeKind.PLAIN
    assert asset.counting.vocabulary, "the librarian's own tokenizer counts"
    assert asset.prices[0].card.input_per_million == 700_000
    assert asset.upstreams[0].url == librarian_url

    assert commands.refused("service", "price", "answers").code == "nothing_to_change"
    listed = {row["name"]: row for row in commands.json("service", "list")}
    assert listed["answers"]["input_per_million"] == "0.7"
    priced = commands.json("service", "price", "answers", "--input", "0.9")
    assert (priced["price_version"], priced["input_per_million"], priced["output_per_million"]) == (2, "0.9", "1.5")
    offered = commands.json("service", "sample", "answers", "--per-visitor", "2")["sample"]
    assert offered == {"calls_per_visitor": 2, "calls_per_day": 100, "output_per_call": 200}
    assert commands.json("service", "sample", "answers", "--per-day", "9")["sample"]["calls_per_visitor"] == 2
    assert commands.json("service", "sample", "answers", "--off")["sample"] is None
    assert commands.json("service", "discount", "answers", "--most", "12.5")["level_discount"] == "12.5 %"
    assert commands.refused("service", "discount", "answers", "--most", "51").code == "invalid_listing"
    assert commands.refused("service", "discount", "answers").code == "nothing_to_change"
    assert commands.json("service", "discount", "answers", "--off")["level_discount"] is None
    assert commands.json("service", "pause", "answers")["paused_at"]
    assert commands.json("service", "resume", "answers")["paused_at"] is None
    assert commands.json("service", "retire", "answers")["retired_at"]
    assert "answers" not in {row["name"] for row in commands.json("service", "list")}


def test_a_taken_name_is_replaced_on_demand_and_a_retired_one_is_sold_again(commands, cli_world, librarian_url):
    payee, other = cli_world.SOMEBODY.address, cli_world.OWNER_OF_SHARES.address
    sold = commands.json(*selling(librarian_url, name="again", pay_to=payee, input="0.7"))
    refused = commands.refused(*selling(librarian_url, name="again", pay_to=other))
    assert (refused.code, "--replace" in refused.message) == ("listing_exists", True)
    replaced = commands.json(*selling(librarian_url, name="again", pay_to=other), "--replace")
    assert (replaced["asset"] != sold["asset"], replaced["pay_to"]) == (True, checksum(other))
    assert [row["asset"] for row in commands.json("service", "list") if row["name"] == "again"] == [replaced["asset"]]
    commands.json("service", "retire", "again")
    back = commands.json(*selling(librarian_url, name="again", pay_to=payee, input="0.8"))
    assert (back["asset"], back["price_version"], back["retired_at"]) == (sold["asset"], 2, None)


def test_a_wrong_payee_is_corrected_and_that_of_a_registered_asset_is_its_shares(commands, cli_world, librarian_url):
    payee, other = cli_world.SOMEBODY.address, cli_world.OWNER_OF_SHARES.address
    sold = commands.json(*selling(librarian_url, name="mistyped", pay_to=payee))
    changed = commands.json("service", "pay-to", "mistyped", checksum(other))
    assert (changed["asset"], changed["pay_to"]) == (sold["asset"], checksum(other))

    async def listed(installation):
        return await Till(installation.get(Operator).till, installation.client).payees(other)

    assert commands.inside(listed) is PayeeKind.PLAIN
    assert commands.refused("service", "pay-to", "mistyped", other).code == "nothing_to_change"
    assert commands.refused("service", "pay-to", "mistyped", "0x12").code == "invalid_address"
    commands.json("service", "retire", "mistyped")


def test_limits_set_at_a_sale_are_changed_later(commands, cli_world, librarian_url):
    limits = ("service", "limits", "limited")
    sale = selling(librarian_url, name="limited", pay_to=cli_world.SOMEBODY.address, default_output="50")
    commands.json(*sale, "--forward", "store")
    changed = commands.json(*limits, "--default-output", "20", "--reasoning-output", "5", "--forward", "metadata")
    assert changed == {
        "name": "limited",
        "default_output": {"old": 50, "new": 20},
        "reasoning_output": {"old": 0, "new": 5},
        "forward": {"old": "store", "new": "metadata, store"},
    }
    shown = commands.run(*limits, "--max-output", "30", "--drop", "metadata").stdout
    assert "max output  old 65536, new 30" in shown
    assert "forward     old metadata, store, new store" in shown
    now = commands.json("service", "show", "limited")
    limited = [now[name] for name in ("default_output", "max_output", "reasoning_output", "forward")]
    assert limited == [20, 30, 5, "store"]
    assert commands.json(*limits, "--max-output", "30") == {"name": "limited"}
    assert commands.refused(*limits).code == "nothing_to_change"
    assert commands.refused(*limits, "--max-output", "19").code == "invalid_listing"
    assert commands.refused(*limits, "--forward", "messages").code == "invalid_listing"
    assert commands.refused(*limits, "--forward", "metadata", "--drop", "metadata").code == "contradicting_options"
    assert commands.json("service", "show", "limited") == now
    commands.json("service", "retire", "limited")


def test_the_whole_price_card_is_sold_listed_and_changed(commands, cli_world, librarian_url):
    sale = selling(librarian_url, name="carded", pay_to=cli_world.SOMEBODY.address, cached_input="12.5%", unit="image")
    sold = commands.run(*sale)
    assert "per million images of input (cached: 12.5 % of that)" in sold.stdout
    assert "chat is measured in text tokens: calls are refused" in sold.stdout
    listed = {row["name"]: row for row in commands.json("service", "list")}["carded"]
    assert (listed["cached_input_percent"], listed["unit"]) == ("12.5", "image")
    priced = commands.json("service", "price", "carded", "--cached-input", "10", "--unit", "text_token")
    assert (priced["price_version"], priced["cached_input_percent"], priced["unit"]) == (2, "10", "text_token")
    kept = commands.json("service", "price", "carded", "--input", "9")
    assert (kept["cached_input_percent"], kept["unit"]) == ("10", "text_token")
    assert commands.refused("service", "price", "carded", "--cached-input", "101").code == "invalid_listing"


def test_a_registered_asset_brings_its_shares_and_its_price_card(commands, cli_world, librarian_url):
    owner = cli_world.OWNER_OF_SHARES

    async def register(installation):
        registry = AssetRegistry(installation.deployments.address(AssetRegistry), installation.client)
        wanted = registration(installation.get(Operator).token, b"sold")
        found = await registry.predict(owner.address, wanted)
        await installation.sender(owner).execute(registry.register(wanted), "register/sold")
        return found

    found = commands.inside(register)
    sold = commands.json(*selling(librarian_url, name="registered", asset=hex(found.id)))
    assert (sold["asset"], sold["pay_to"]) == (format_asset(found.id), checksum(found.shares))
    assert (sold["input_per_million"], sold["output_per_million"], sold["per_call"]) == ("0.7", "2", "0.00003")
    assert (sold["cached_input_percent"], sold["unit"]) == ("25", "text_token")

    async def kind(installation):
        return await Till(installation.get(Operator).till, installation.client).payees(found.shares)

    assert commands.inside(kind) is PayeeKind.SHARES
    refused = commands.refused("service", "pay-to", "registered", checksum(owner.address))
    assert (refused.code, "Shares" in refused.message) == ("invalid_listing", True)


def test_embeddings_are_tried_as_embeddings(commands, cli_world, librarian_url):
    options = {"model": "librarian-embedding", "kind": "embeddings", "pay_to": cli_world.SOMEBODY.address}
    assert commands.json(*selling(librarian_url, **options))["kind"] == "embeddings"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({}, "invalid_choice", "--pay-to"),
        ({"pay_to": ZERO, "asset": "1"}, "invalid_choice", "--asset"),
        ({"asset": "0x5", "input": "1"}, "invalid_choice", "--input"),
        ({"pay_to": "0x12"}, "invalid_address", "--pay-to"),
        ({"asset": "0x5"}, "unknown_asset", "00005"),
        ({"asset": "five"}, "unknown_asset", "five"),
        ({"pay_to": "0x" + "55" * 20, "model": "oracle"}, "no_model", "librarian, librarian-embedding"),
        ({"pay_to": "0x" + "55" * 20, "model": ""}, "no_model", "--model"),
        ({"pay_to": "0x" + "55" * 20, "upstream": "http://127.0.0.1:9"}, "upstream_down", "127.0.0.1:9"),
        ({"pay_to": "0x" + "55" * 20, "upstream": "ftp://x"}, "invalid_upstream", "base_url"),
        ({"pay_to": "0x" + "55" * 20, "key_file": "/nowhere/key"}, "unreadable_file", "/nowhere/key"),
        ({"pay_to": "0x" + "55" * 20, "vocabulary": "/nowhere/v"}, "unreadable_file", "--vocabulary"),
        ({"pay_to": "0x" + "55" * 20, "input": "a lot"}, "invalid_amount", "--input"),
    ],
)
def test_what_cannot_be_sold_is_refused_with_its_reason(commands, librarian_url, options, code, words):
    refused = commands.refused(*selling(librarian_url, **options))
    assert (refused.code, words in refused.message) == (code, True), refused.message


@pytest.fixture
def ollama(monkeypatch, librarian_url):
    """Something runs where Ollama usually does."""

    async def find() -> tuple[LocalServer, ...]:
        models = tuple(OfferedModel(name, "library", None) for name in ("llama", "librarian"))
        return (LocalServer("Ollama", librarian_url, models),)

    monkeypatch.setattr("usufruct.cli.support.upstream_picker.find_local_servers", find)


def test_without_upstream_and_terminal_the_choices_are_named(commands, cli_world, ollama, librarian_url):
    refused = commands.refused("sell", "--no-up", "--pay-to", cli_world.SOMEBODY.address)
    assert refused.code == "no_upstream"
    assert f"--upstream {librarian_url} --model llama" in refused.message


def test_at_a_terminal_one_is_chosen(commands, cli_world, ollama, monkeypatch):
    monkeypatch.setattr("usufruct.cli.support.upstream_picker.at_terminal", lambda: True)
    sale = ["sell", "--no-up", "--name", "chosen", "--pay-to", cli_world.SOMEBODY.address]
    done = commands.run(*sale, typed="2\n")
    assert "2. librarian of Ollama" in done.stdout
    assert "chosen is on sale: 0.5 per million text tokens of input, 1.5 per million of output" in done.stdout
    assert "\nfrom openai import OpenAI\n" in done.stdout, "not indented: it is there to be copied"
    assert 'client.chat.completions.create(model="chosen"' in done.stdout
    wrong = commands.run(*sale, typed="3\n")
    assert wrong.exception.code == "no_upstream"


def test_a_key_of_the_upstream_stays_out_of_sight(commands, cli_world, librarian_url, tmp_path):
    secret = "sk-upstream-secret-0001"
    (tmp_path / "key").write_text(secret + "\n")
    options = {"name": "keyed", "pay_to": cli_world.SOMEBODY.address, "key_file": tmp_path / "key"}
    done = commands.run(*selling(librarian_url, **options))
    assert done.exit_code == 0
    assert secret not in done.stdout + done.stderr + commands.run("service", "list", "--json").stdout
    assert secret.encode() not in (commands.config.data.folder / "usufruct.db").read_bytes()

    async def look(installation):
        return (await installation.get(Catalogue).find("keyed")).upstreams[0].api_key

    assert commands.inside(look) == secret
