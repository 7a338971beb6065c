"""What shareholders voted for is served as soon as its document is valid; another leaves what is in force."""

import base64
import json
from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from tests.support.fake_clock import FakeClock
from usufruct.core import AssetId, Hash32
from usufruct.gateway import FollowedConfiguration, FollowedConfigurations
from usufruct.gateway.configurations.document_source import DocumentSource, FetchLimits
from usufruct.gateway.configurations.model import (
    LARGEST_DOCUMENT,
    Configuration,
    ConfigurationEntry,
    InvalidConfiguration,
    read_configuration,
    read_entry,
)
from usufruct.gateway.configurations.service import RETRY_SECONDS
from usufruct.http import Reach

ASK = [{"role": "user", "content": "What is the question?"}]
VERSE = {"model": "bard", "system": "Answer in verse.", "defaults": {"temperature": 1}, "locked": {"seed": 7}}
ASSET = AssetId(77)


def digest_of(document: str) -> str:
    return sha256(document.encode()).hexdigest()


def entry_of(document: str, address: str = "ipfs://somewhere") -> str:
    return f"sha256:{digest_of(document)} {address}"


class ScriptedEntries:
    """A registry whose entry and newest block a test sets."""

    def __init__(self) -> None:
        self.text, self.block, self.asked = "", 1, 0

    async def block_number(self) -> int:
        return self.block

    async def entry(self, asset: AssetId, block: int) -> str:
        self.asked += 1
        return self.text

    async def written(self, asset: AssetId, entry: str, block: int) -> tuple[str, str]:
        return "0x" + "ab" * 32, "12"

    def set(self, text: str) -> None:
        self.text, self.block = text, self.block + 1


def test_a_configuration_is_before_defaults_and_over_callers_in_what_is_locked():
    configuration = read_configuration(json.dumps(VERSE), "chat")
    assert configuration.digest == Hash32("0x" + digest_of(json.dumps(VERSE)))
    applied = configuration.applied({"model": "m", "messages": ASK, "temperature": None, "seed": 1, "top_p": 0.5})
    assert applied == {
        "model": "m",
        "messages": [{"role": "system", "content": "Answer in verse."}, *ASK],
        "temperature": 1,
        "seed": 7,
        "top_p": 0.5,
    }
    assert configuration.applied({"messages": ASK, "temperature": 0})["temperature"] == 0
    for wrong in ({}, {"messages": []}, {"messages": "x"}):
        assert "system" not in json.dumps(configuration.applied(wrong)), "what is wrong stays wrong"
    assert read_configuration("{}", "chat") == Configuration(Hash32("0x" + digest_of("{}")))


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("[]", "must be an object"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"prompt": ""}', "must be an object of defaults, locked, model, system"),
        ('{"system": 5}', "system must be text"),
        ('{"model": " m"}', "model must be a printable name"),
        ('{"locked": []}', "locked must be an object"),
        ('{"defaults": {"max_tokens": 5}}', "defaults.max_tokens is not a setting of chat"),
        ('{"locked": {"temperature": "hot"}}', "locked.temperature is not a setting of chat, or not of its kind"),
    ],
)
def test_a_document_that_cannot_be_served_is_refused(document: str, says: str):
    with pytest.raises(InvalidConfiguration, match=says):
        read_configuration(document, "chat")


def test_embeddings_have_no_system_message():
    assert read_configuration('{"locked": {"dimensions": 8}}', "embeddings").locked == {"dimensions": 8}
    with pytest.raises(InvalidConfiguration, match="system is for chats"):
        read_configuration('{"system": "x"}', "embeddings")


@pytest.mark.parametrize(
    "text", ["", "sha256:ab ipfs://x", f"sha256:{'AB' * 32} x", f"sha256:{'ab' * 32}", "x" * 2_000]
)
def test_an_entry_that_names_no_document_is_refused(text: str):
    with pytest.raises(InvalidConfiguration, match="it must be sha256:HASH ADDRESS"):
        read_entry(text)
    assert read_entry(entry_of("{}")) == ConfigurationEntry(Hash32("0x" + digest_of("{}")), "ipfs://somewhere")


@pytest.fixture
def documents(tmp_path: Path) -> DocumentSource:
    return DocumentSource(tmp_path, limits=FetchLimits(connect=60, total=60))


def keep(documents: DocumentSource, document: str, entry: str = "") -> None:
    documents.path_of(read_entry(entry or entry_of(document))).write_text(document)


async def test_a_document_is_taken_from_the_folder_if_it_has_the_hash(documents: DocumentSource):
    keep(documents, "{}")
    assert await documents.read(read_entry(entry_of("{}"))) == "{}"
    keep(documents, "[]", entry_of("{}"))
    with pytest.raises(InvalidConfiguration, match="does not have the hash"):
        await documents.read(read_entry(entry_of("{}")))
    large = " " * (LARGEST_DOCUMENT + 1)
    keep(documents, large)
    with pytest.raises(InvalidConfiguration, match=f"over {LARGEST_DOCUMENT} bytes"):
        await documents.read(read_entry(entry_of(large)))
    with pytest.raises(InvalidConfiguration, match="is not an https address"):
        await documents.read(read_entry(entry_of("other")))


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "localhost", "[::1]", "10.0.0.1"])
async def test_a_document_is_not_fetched_from_inside(documents: DocumentSource, host: str):
    with pytest.raises(InvalidConfiguration, match="is at no public address"):
        await documents.read(read_entry(entry_of("{}", f"https://{host}/configuration.json")))


async def test_an_address_that_gives_nothing_is_named(tmp_path: Path):
    documents = DocumentSource(tmp_path, Reach.ANY, FetchLimits(connect=60, total=60))
    with pytest.raises(InvalidConfiguration, match="gives no document"):
        await documents.read(read_entry(entry_of("{}", "https://127.0.0.1:1/configuration.json")))


async def served(
    world, upstream, documents: DocumentSource
) -> tuple[ScriptedEntries, FollowedConfigurations, FakeClock]:
    await world.asset("hamlet", upstream.url(), id=ASSET)
    await world.catalogue.follow("hamlet", FollowedConfiguration())
    entries, clock = ScriptedEntries(), FakeClock()
    return entries, FollowedConfigurations(world.catalogue, entries, documents, clock), clock


async def ask(client, **options):
    raw = await client.chat.completions.with_raw_response.create(model="hamlet", messages=ASK, **options)
    return orjson.loads(base64.b64decode(raw.headers["x-usufruct-receipt"]))


async def test_the_next_call_is_served_as_voted_and_its_receipt_names_the_hash(
    world, upstream, client_of, documents: DocumentSource
):
    entries, configurations, _ = await served(world, upstream, documents)
    key = await world.key()
    plain = await ask(client_of(key.text))
    assert upstream.requests[-1]["model"] == "m"
    document = json.dumps(VERSE)
    keep(documents, document)
    entries.set(entry_of(document))
    await configurations.poll()
    receipt = await ask(client_of(key.text), seed=1)
    sent = upstream.requests[-1]
    assert (sent["model"], sent["temperature"], sent["seed"]) == ("bard", 1, 7)
    assert sent["messages"] == [{"role": "system", "content": "Answer in verse."}, *ASK]
    assert receipt["modelDigest"] == "0x" + digest_of(document) != plain["modelDigest"]
    assert int(receipt["ceiling"]) > int(plain["ceiling"]), "the system message is input, too"
    stream = await client_of(key.text).chat.completions.create(model="hamlet", messages=ASK, stream=True)
    assert [chunk async for chunk in stream]
    assert upstream.requests[-1]["model"] == "bard"
    card = await world.gateway.model("hamlet")
    assert (card.configuration.digest, card.configuration.proposal) == (receipt["modelDigest"], "12")
    await world.catalogue.follow("hamlet", None)
    assert (await ask(client_of(key.text)))["modelDigest"] == plain["modelDigest"]
    await world.check_books()


async def test_a_newer_document_that_is_missing_or_wrong_leaves_the_one_in_force(
    world, upstream, documents: DocumentSource
):
    entries, configurations, clock = await served(world, upstream, documents)
    first, second = json.dumps(VERSE), json.dumps(VERSE | {"system": "Answer in prose."})
    keep(documents, first)
    entries.set(entry_of(first))
    await configurations.poll()
    for newer in (entry_of(second), "a mistake", entry_of("[]")):
        if newer == entry_of("[]"):
            keep(documents, "[]")
        entries.set(newer)
        await configurations.poll()
        listing = await world.catalogue.find("hamlet")
        assert listing.configuration.digest == "0x" + digest_of(first)
        assert listing.followed.problem
        assert (await world.gateway.model("hamlet")).configuration.entry == newer
    keep(documents, second)
    entries.set(entry_of(second))
    await configurations.poll()
    listing = await world.catalogue.find("hamlet")
    assert (listing.configuration.system, listing.followed.problem) == ("Answer in prose.", "")
    entries.set(entry_of("{}"))
    await configurations.poll()
    keep(documents, "{}")
    await configurations.poll()
    assert (await world.catalogue.find("hamlet")).followed.problem, "it is looked for again in a minute"
    clock.advance(RETRY_SECONDS)
    await configurations.poll()
    assert (await world.catalogue.find("hamlet")).configuration == read_configuration("{}", "chat")
    entries.set("")
    await configurations.poll()
    assert (await world.catalogue.find("hamlet")).configuration is None


async def test_a_block_that_is_known_asks_for_nothing(world, upstream, documents: DocumentSource):
    entries, configurations, _ = await served(world, upstream, documents)
    for _ in range(3):
        await configurations.poll()
    assert entries.asked == 1
    entries.block += 1
    await configurations.poll()
    assert entries.asked == 2


async def test_only_a_registered_service_follows_a_configuration(world, upstream):
    await world.asset("ophelia", upstream.url())
    with pytest.raises(Exception, match="only a registered service has a configuration"):
        await world.catalogue.follow("ophelia", FollowedConfiguration())
