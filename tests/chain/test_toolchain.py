"""Tools are found where npm puts them, and their absence comes with a remedy."""

import subprocess
import sys
from pathlib import Path

import pytest

from usufruct.chain import npm_folders, toolchain
from usufruct.chain.toolchain import ToolMissing, install_anvil, main


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without tools: an empty PATH, and no node_modules above."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(npm_folders, "__file__", str(tmp_path / "a" / "npm_folders.py"))
    return tmp_path


def install(folder: Path, tool: str) -> Path:
    binary = folder / "node_modules" / toolchain.package_of(tool) / "bin" / tool
    binary.parent.mkdir(parents=True)
    binary.touch(mode=0o755)
    return binary


def test_the_command_prints_the_pinned_binary():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "usufruct.chain.toolchain", "forge"],
        capture_output=True,
        text=True,
        check=True,
    )
    version = subprocess.run([done.stdout.strip(), "--version"], capture_output=True, text=True, check=True).stdout
    assert f"Version: {toolchain.VERSION}" in version


def test_the_command_refuses_other_tools(capsys: pytest.CaptureFixture[str]):
    for arguments in ([], ["cast"], ["forge", "anvil"]):
        assert main(arguments) == 2
        assert capsys.readouterr() == ("", "usage: python -m usufruct.chain.toolchain forge|anvil\n")


def test_the_command_fails_with_the_remedy(nowhere: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["forge"]) == 1
    assert "npm install" in capsys.readouterr().err


def test_a_folder_above_the_current_one_is_searched(nowhere: Path, monkeypatch: pytest.MonkeyPatch):
    binary = install(nowhere, "anvil")
    deep = nowhere / "b" / "c"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert toolchain.find("anvil") == binary


def test_the_data_folder_comes_before_path(nowhere: Path):
    on_path = nowhere / "anvil"
    on_path.touch(mode=0o755)
    assert toolchain.find("anvil") == on_path
    binary = install(nowhere / "data", "anvil")
    assert toolchain.find("anvil", nowhere / "data") == binary


def test_a_missing_tool_names_the_package_to_install(nowhere: Path):
    with pytest.raises(ToolMissing, match=rf"npm install {toolchain.package_of('anvil')}@1\.7\.1") as caught:
        toolchain.find("anvil")
    assert caught.value.details["tool"] == "anvil"


def test_an_unknown_machine_is_told_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(ToolMissing, match="riscv64"):
        toolchain.find("anvil")


def test_installing_runs_npm_with_the_exact_version(nowhere: Path):
    npm = nowhere / "npm"
    log = nowhere / "log"
    package = toolchain.package_of("anvil")
    bin_folder = nowhere / "data" / "node_modules" / package / "bin"
    npm.write_text(f'#!/bin/sh\necho "$@" > {log}\n/bin/mkdir -p {bin_folder}\n: > {bin_folder}/anvil\n')
    npm.chmod(0o755)
    assert install_anvil(nowhere / "data").name == "anvil"
    assert f"{package}@1.7.1" in log.read_text()


def test_a_failing_npm_is_quoted(nowhere: Path):
    npm = nowhere / "npm"
    npm.write_text("#!/bin/sh\necho 'registry says no' >&2\nexit 1\n")
    npm.chmod(0o755)
    with pytest.raises(ToolMissing, match="registry says no"):
        install_anvil(nowhere / "data")


def test_without_npm_installing_names_node(nowhere: Path):
    with pytest.raises(ToolMissing, match=r"Node\.js"):
        install_anvil(nowhere / "data")
