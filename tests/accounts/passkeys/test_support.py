"""What a chain has for passkey accounts: found, placed on a local chain, and said by the doctor."""

import os
from pathlib import Path

import pytest

from tests.support.devnet import devnet_client
from usufruct.accounts.passkeys import PasskeySupport, passkey_support
from usufruct.accounts.passkeys.support import check_support
from usufruct.chain import ChainAccess, Client
from usufruct.chain.anvil import Anvil
from usufruct.chain.deployment import Deployments
from usufruct.chain.entry_point import (
    ENTRY_POINT,
    EntryPointUnavailable,
    fetch_artifact,
    find_artifact,
    place_entry_point,
)
from usufruct.chain.toolchain import ToolMissing
from usufruct.config import Config
from usufruct.core.networks import DEVNET_CHAIN_ID

pytestmark = pytest.mark.anvil

BARE = Deployments(DEVNET_CHAIN_ID, {})


@pytest.fixture
def artifact() -> bytes:
    found = find_artifact()
    assert found
    return found.read_bytes()


async def said(client: Client, deployments: Deployments) -> list[tuple[str, str]]:
    access = ChainAccess(Config(), None, client, deployments)
    return [(str(each.verdict), each.says) async for each in check_support(access)]


async def test_a_bare_chain_lacks_the_entry_point_until_it_is_placed(artifact: bytes):
    async with Anvil() as anvil, devnet_client(anvil.url) as client:
        price = (await client.head()).base_fee
        assert await passkey_support(client, BARE) == PasskeySupport(False, None, precompile=True, gas_price=price)
        [(verdict, words)] = await said(client, BARE)
        assert (verdict, "no EntryPoint 0.9" in words) == ("skipped", True)
        await place_entry_point(client, artifact)
        assert (await passkey_support(client, BARE)).entry_point
        assert "usufruct deploy" in (await said(client, BARE))[0][1]


async def test_an_installation_on_a_devnet_has_all_of_it(devnet_template, tmp_path: Path):
    async with devnet_template.running(tmp_path) as anvil, devnet_client(anvil.url) as client:
        deployments = Deployments.read(tmp_path, DEVNET_CHAIN_ID)
        found = await passkey_support(client, deployments)
        assert (found.works, found.price) == (True, "")
        assert await said(client, deployments) == [("ok", "EntryPoint 0.9 is there; so is the P-256 precompile")]
        balance = await client.balance(ENTRY_POINT)
        assert balance == 0


async def test_another_artifact_is_refused(artifact: bytes):
    async with Anvil() as anvil, devnet_client(anvil.url) as client:
        with pytest.raises(EntryPointUnavailable, match="SHA-256"):
            await place_entry_point(client, artifact.replace(b"60", b"61", 1))
        assert await client.code_at(ENTRY_POINT) == b""


def npm(folder: Path, script: str) -> None:
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)


@pytest.fixture
def own_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def packed(artifact: bytes, folder: Path) -> str:
    """Return a command that packs the artifact as npm's tarball holds it."""
    inside = folder / "package" / "artifacts"
    inside.mkdir(parents=True)
    (inside / "EntryPoint.json").write_bytes(artifact)
    return f'tar czf "$4/made.tgz" -C {folder} package'


def test_fetching_keeps_the_recorded_artifact_only(artifact: bytes, tmp_path: Path, own_path: Path):
    npm(own_path, packed(artifact, tmp_path / "good") + f'; echo "$@" > {tmp_path / "log"}')
    found = fetch_artifact(tmp_path / "data")
    assert found.read_bytes() == artifact
    assert "pack" in (tmp_path / "log").read_text()
    assert "@account-abstraction/contracts@0.9.0-rc.1" in (tmp_path / "log").read_text()
    npm(own_path, packed(b"{}", tmp_path / "bad"))
    with pytest.raises(EntryPointUnavailable):
        fetch_artifact(tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_a_registry_that_refuses_is_quoted(tmp_path: Path, own_path: Path):
    npm(own_path, "echo 'registry says no' >&2; exit 1")
    with pytest.raises(ToolMissing, match="registry says no"):
        fetch_artifact(tmp_path)
