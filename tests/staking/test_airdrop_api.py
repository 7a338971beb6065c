"""`/v1/airdrops` serves entries and proofs from the file, before the contract is deployed too; others it names."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from openapi_spec_validator import validate

from tests.staking.airdrop_samples import CAP, sample_entries, write_csv
from tests.support import command_line
from usufruct.app import Installation, open_installation
from usufruct.config import Config, InvalidSetting, load_config
from usufruct.core.diagnostics import Verdict
from usufruct.staking import build_airdrop
from usufruct.staking.airdrop_claims import AirdropClaims
from usufruct.staking.diagnostics import check_airdrops
from usufruct.staking.merkle_tree import leaf_hash, proves
from usufruct.staking.served_airdrops import ServedAirdrops
from usufruct.web.openapi import openapi_document
from usufruct.web.router import Route

pytestmark = pytest.mark.anvil

ENTRIES = sample_entries(20)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return build_airdrop(write_csv(tmp_path, ENTRIES), tmp_path / "out", CAP).path


@pytest.fixture
async def installation(devnet_template, tmp_path, file: Path) -> AsyncIterator[Installation]:
    """An installation that serves the file of an airdrop without a contract."""
    async with devnet_template.running(tmp_path) as anvil:
        config = load_config(command_line.settings(tmp_path, anvil.url))
        async with open_installation(with_airdrops(config, str(file))) as opened:
            yield opened


@pytest.fixture
async def http(installation: Installation) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(installation.router()), base_url="http://test", timeout=120
    ) as client:
        yield client


def with_airdrops(config: Config, airdrops: str) -> Config:
    return replace(config, platform_token=replace(config.platform_token, airdrops=airdrops))


async def test_an_airdrop_without_a_contract_serves_entries_with_proofs(
    http: httpx.AsyncClient, installation: Installation
):
    [listed] = (await http.get("/v1/airdrops")).json()["airdrops"]
    root = listed["root"]
    assert (listed["accounts"], listed["units"]) == (20, str(sum(amount for _, amount in ENTRIES)))
    assert (listed["state"], listed["contract"], listed["claimsEnd"]) == ("planned", None, None)
    for account, amount in ENTRIES:
        found = (await http.get(f"/v1/airdrops/{root}/{account}")).json()
        assert (found["root"], found["account"], found["units"]) == (root, account, str(amount))
        leaf = leaf_hash(found["index"], bytes.fromhex(account[2:]), amount.to_bytes(32, "big"))
        assert proves(leaf, [bytes.fromhex(node[2:]) for node in found["proof"]], bytes.fromhex(root[2:]))
    account, amount = ENTRIES[0]
    status = (await http.get(f"/v1/airdrops/{root}/{account}/claim")).json()
    assert (status["state"], status["units"]) == ("planned", str(amount))

    stranger = "0x" + "9" * 40
    for path, code, name in (
        (f"{root}/{stranger}", 404, "not_in_airdrop"),
        (f"0x{'1' * 64}/{account}", 404, "unknown_airdrop"),
        (f"{root}/0x12", 400, "invalid_address"),
        (f"1/{stranger}", 400, "invalid_hash"),
    ):
        answer = await http.get(f"/v1/airdrops/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (code, name)

    [finding] = [each async for each in check_airdrops(installation.get(AirdropClaims))]
    assert finding.verdict is Verdict.SKIPPED
    [staking] = [each for each in installation.components if each.name == "staking"]
    described = [each for each in staking.routes() if isinstance(each, Route) and each.operation]
    assert len(described) == 7
    validate(openapi_document([(each.method, each.path, each.operation) for each in described], "test", "1"))


def test_without_airdrops_nothing_is_opened():
    assert ServedAirdrops.open({}) == ()


def test_files_that_cannot_be_served_are_named(file: Path, tmp_path: Path):
    for places, words in (
        ({str(tmp_path / "none"): ""}, "cannot be read: .*none"),
        ({str(file): "", str(file.rename(tmp_path / "moved")): ""}, "cannot be read"),
    ):
        with pytest.raises(InvalidSetting, match=words):
            ServedAirdrops.open(places)
    moved, copied = tmp_path / "moved", tmp_path / "copied"
    copied.write_bytes(moved.read_bytes())
    with pytest.raises(InvalidSetting, match="the same root"):
        ServedAirdrops.open({str(moved): "", str(copied): ""})


@pytest.mark.parametrize("wrong", ["a=0x12", "=0x" + "1" * 40, "a, a"])
def test_a_setting_of_airdrops_that_cannot_be_read_is_named(wrong: str):
    with pytest.raises(InvalidSetting, match=r"platform_token\.airdrops"):
        load_config({"USUFRUCT_PLATFORM_TOKEN_AIRDROPS": wrong})
