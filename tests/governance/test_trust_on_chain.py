"""Shareholders run a service by commands: its title goes to a trust; they propose, vote, carry out and end it."""

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support import command_line
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from usufruct.app import Installation
from usufruct.assets import AssetIndexer, Listings, RegistryClient
from usufruct.chain import open_chain
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.chain.revert import Revert
from usufruct.core import checksum
from usufruct.gateway import Operator, registered_listing
from usufruct.governance.errors import UnknownProposal
from usufruct.governance.trusts import NotATrust, configuration_entry

pytestmark = pytest.mark.anvil

OWNER, ANN, BEN = "4", "5", "6"
HOUR, DAY = 3_600, 86_400
OWNER_AT, ANN_AT, BEN_AT = (checksum(DEVNET_ADDRESSES[int(each)]) for each in (OWNER, ANN, BEN))


@pytest.fixture(scope="module")
def commands(
    devnet_template: DevnetTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[command_line.Commands]:
    folder = tmp_path_factory.mktemp("installation")
    with devnet_template.copy(folder) as anvil:
        yield command_line.Commands(command_line.settings(folder, anvil.url))


def pass_time(commands: command_line.Commands, seconds: int) -> None:
    async def passed() -> None:
        async with open_chain(commands.config) as chain:
            await Devnet(chain.client).pass_time(seconds)

    asyncio.run(passed())


def entrusted(commands: command_line.Commands, name: str) -> str:
    """Register a service of which Ann has 30 % and Ben 40 %, make its trust, and give it the title."""
    owners = ("--owner", f"{ANN_AT}:30", "--owner", f"{BEN_AT}:40")
    commands.json("asset", "register", name, "--input", "0.5", "--output", "2", *owners, "--notice", "1h", "-w", OWNER)
    for voter in (ANN, BEN):
        assert commands.json("trust", "delegate", name, "--wallet", voter)["delegate"] in (ANN_AT, BEN_AT)
    made = commands.json("trust", "create", name, "--delay", "1h", "--period", "1d", "--quorum", "35", "-w", BEN)
    assert (made["holds_title"], made["quorum_shares"], made["threshold_shares"]) == (False, "35000000", "1000000")
    assert (
        commands.json("trust", "create", name, "--delay", "1h", "--period", "1d", "--quorum", "35", "-w", ANN) == made
    )
    assert isinstance(commands.refused("trust", "show", name), NotATrust)
    assert commands.refused("trust", "give", name, made["trust"], "--wallet", ANN).code == "not_title_holder"
    assert isinstance(commands.refused("trust", "give", name, BEN_AT, "--wallet", OWNER), NotATrust)
    given = commands.json("trust", "give", name, made["trust"], "--wallet", OWNER)
    assert (given["trust"], given["holds_title"]) == (made["trust"], True)
    pass_time(commands, 2)  # a proposer needs votes in a second that has passed
    return str(made["trust"])


def voted(commands: command_line.Commands, name: str, proposal: str, **choices: str) -> dict[str, Any]:
    """Have accounts vote once the snapshot is taken, and let the voting end."""
    assert isinstance(commands.refused("trust", "vote", name, proposal, "for", "--wallet", ANN), Revert)
    pass_time(commands, HOUR + 1)
    for voter, choice in choices.items():
        wallet = {"ann": ANN, "ben": BEN}[voter]
        commands.json("trust", "vote", name, proposal, choice, "--wallet", wallet, "--reason", "because")
    pass_time(commands, DAY)
    shown: dict[str, Any] = commands.json("trust", "show", name, "--proposal", proposal)
    return shown


def test_a_vote_sets_price_and_configuration(commands: command_line.Commands, tmp_path: Path):
    entrusted(commands, "voted")
    document = tmp_path / "configuration.json"
    document.write_text('{"system": "Answer in verse."}')
    digest = sha256(document.read_bytes()).hexdigest()
    place = "https://example.org/configuration.json"
    made = commands.json(
        *("trust", "propose", "voted", "--because", "cheaper, and in verse", "--input", "0.4"),
        *("--configuration", str(document), "--published-at", place, "--wallet", ANN),
    )
    assert made["state"] == "pending"
    assert made["does"] == [
        "announce price card 2: per million text tokens 400000 in and 2000000 out, input from a cache at 100 % of "
        "that, 0 per call, in atomic units of the service's payment token; context window: none",
        f"write the entry configuration: sha256:{digest} {place}",
    ]
    assert made["because"] == "cheaper, and in verse"
    assert isinstance(commands.refused("trust", "execute", "voted", made["id"], "--wallet", OWNER), Revert)
    shown = voted(commands, "voted", made["id"], ann="against", ben="for")
    assert (shown["state"], shown["for"], shown["against"]) == ("succeeded", "40000000", "30000000")
    assert commands.json("trust", "show", "voted")["configuration"] is None
    done = commands.json("trust", "execute", "voted", made["id"], "--wallet", OWNER)
    assert done["does"] == made["does"]
    assert commands.json("trust", "show", "voted")["configuration"] == f"sha256:{digest} {place}"
    assert commands.json("trust", "show", "voted", "--proposal", made["id"])["state"] == "executed"
    assert commands.json("asset", "show", "voted")["price"]["version"] == 1, "the notice period has begun"
    pass_time(commands, HOUR + 1)
    assert commands.json("asset", "show", "voted")["price"]["version"] == 2


def test_a_gateway_sells_at_the_price_that_the_vote_set(commands: command_line.Commands):
    entrusted(commands, "priced")

    async def sell(installation: Installation) -> int:
        registry = installation.get(RegistryClient)
        asset = await registry.find("priced")
        terms = installation.get(Operator), "priced", "chat", asset, 4_096
        await installation.get(Listings).add(await registered_listing(registry, *terms))
        return asset

    async def follow(installation: Installation) -> int:
        await installation.get(AssetIndexer).poll()
        return (await installation.get(Listings).find("priced")).prices[-1].card.input_per_million

    commands.inside(sell)
    made = commands.json("trust", "propose", "priced", "--because", "cheaper", "--input", "0.4", "--wallet", ANN)
    voted(commands, "priced", made["id"], ann="for", ben="for")
    commands.json("trust", "execute", "priced", made["id"], "--wallet", OWNER)
    assert commands.inside(follow) == 500_000, "until the notice period is over"
    pass_time(commands, HOUR + 1)
    assert commands.inside(follow) == 400_000


def test_too_few_votes_change_nothing_and_wrong_proposals_are_refused(commands: command_line.Commands):
    entrusted(commands, "kept")
    assert commands.refused("trust", "propose", "kept", "--because", "why", "-w", ANN).code == "nothing_to_change"
    wish = ("trust", "propose", "kept", "--because", "why", "--uri", "https://x.example")
    assert commands.refused(*wish, "-w", "8").code == "below_threshold"
    made = commands.json("trust", "propose", "kept", "--because", "moved", "--uri", "https://x.example", "-w", ANN)
    assert made["does"] == ["point the title to the registration file https://x.example"]
    assert voted(commands, "kept", made["id"], ann="for")["state"] == "defeated", "30 % of 35 %"
    assert isinstance(commands.refused("trust", "execute", "kept", made["id"], "--wallet", ANN), Revert)
    assert isinstance(commands.refused("trust", "show", "kept", "--proposal", "7"), UnknownProposal)
    assert commands.refused("trust", "show", "kept", "--proposal", "seven").code == "invalid_proposal"


def test_two_thirds_of_all_shares_end_the_trust(commands: command_line.Commands):
    trust = entrusted(commands, "ended")
    made = commands.json("trust", "dissolve", "ended", BEN_AT, "--because", "sold", "--wallet", BEN)
    assert made["does"] == [f"hand the title to {BEN_AT}: the trust ends"]
    assert made["needs_two_thirds_of_all_shares"]
    assert voted(commands, "ended", made["id"], ann="for", ben="for")["state"] == "succeeded"
    commands.json("trust", "execute", "ended", made["id"], "--wallet", OWNER)

    async def holder() -> str:
        async with open_chain(commands.config) as chain:
            registry = RegistryClient(chain)
            return await registry.contract.owner_of(await registry.find("ended"))

    assert asyncio.run(holder()) == DEVNET_ADDRESSES[int(BEN)]
    assert isinstance(commands.refused("trust", "show", "ended"), NotATrust)
    assert trust != BEN_AT


@pytest.mark.parametrize("place", ["", "two words", "line\nbreak", "ü", "x" * 1_001])
def test_a_configuration_is_published_at_one_address(place: str):
    with pytest.raises(Exception, match="one word of at most 1000 characters"):
        configuration_entry(b"{}", place)
