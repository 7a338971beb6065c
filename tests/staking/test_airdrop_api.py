"""`/v1/airdrops` serves entries and proofs from the file, and says why it cannot."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from openapi_spec_validator import validate

from tests.staking.airdrop_samples import CAP, sample_entries, write_csv
from usufruct.chain.deployment import Deployments
from usufruct.config import Config, PlatformTokenConfig
from usufruct.core import ChainId
from usufruct.core.components import Context
from usufruct.staking import AirdropFile, build_airdrop
from usufruct.staking.component import build
from usufruct.staking.merkle_tree import leaf_hash, proves
from usufruct.web import Router
from usufruct.web.openapi import openapi_document

ENTRIES = sample_entries(20)


def context_of(file: str) -> Context:
    context = Context()
    context.provide(Config, Config(platform_token=PlatformTokenConfig(airdrop_file=file)))
    context.provide(Deployments, Deployments(ChainId(1), {}))
    return context


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return build_airdrop(write_csv(tmp_path, ENTRIES), tmp_path / "out", CAP).path


@pytest.fixture
async def http(file: Path) -> AsyncIterator[httpx.AsyncClient]:
    context = context_of(str(file))
    transport = httpx.ASGITransport(Router(build(context).routes()))
    async with context.closing, httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_an_account_gets_its_entry_and_a_proof_of_the_listed_root(http: httpx.AsyncClient):
    [listed] = (await http.get("/v1/airdrops")).json()["airdrops"]
    root = listed.pop("root")
    assert listed == {"accounts": 20, "units": str(sum(amount for _, amount in ENTRIES))}
    for account, amount in ENTRIES:
        found = (await http.get(f"/v1/airdrops/{root}/{account}")).json()
        assert (found["root"], found["account"], found["units"]) == (root, account, str(amount))
        leaf = leaf_hash(found["index"], bytes.fromhex(account[2:]), amount.to_bytes(32, "big"))
        assert proves(leaf, [bytes.fromhex(node[2:]) for node in found["proof"]], bytes.fromhex(root[2:]))


async def test_what_is_not_served_is_named(http: httpx.AsyncClient, file: Path):
    with AirdropFile(file) as airdrop:
        root = "0x" + airdrop.root.hex()
    stranger = "0x" + "9" * 40
    for path, status, code in (
        (f"{root}/{stranger}", 404, "not_in_airdrop"),
        (f"0x{'1' * 64}/{ENTRIES[0][0]}", 404, "unknown_airdrop"),
        (f"{root}/0x12", 400, "invalid_address"),
        (f"1/{stranger}", 400, "invalid_hash"),
    ):
        answer = await http.get(f"/v1/airdrops/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_the_routes_are_described(file: Path):
    routes = build(context_of(str(file))).routes()
    validate(openapi_document([(each.method, each.path, each.operation) for each in routes], "test", "1"))


def test_without_a_file_nothing_is_served():
    assert build(context_of("")).routes() == []
