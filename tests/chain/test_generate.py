"""The generator: what it writes is typed, current, deterministic, and refuses to be stale."""

import ast
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import orjson
import pytest

import usufruct
from usufruct.chain import Call, contracts, keccak
from usufruct.chain.contract_base import Creation
from usufruct.chain.generate.__main__ import main, outdated, write
from usufruct.chain.generate.artifact import ArtifactUnusable, load
from usufruct.chain.generate.documentation import parse
from usufruct.chain.generate.package import BOUND, Bindings
from usufruct.core import Address, NotFound

HERE = Path(__file__).parent
FIXTURE = HERE / "fixture"
ROOT = HERE.parents[1]
COMMITTED = Path(usufruct.__file__).parent / "chain" / "contracts"
ADDRESS = Address("0x" + "ab" * 20)


def fixture_files(project: Path = FIXTURE) -> dict[str, str]:
    return Bindings(project, ("Traps",), "fixture_contracts").files()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the fixture that may be damaged."""
    return Path(shutil.copytree(FIXTURE, tmp_path / "project"))


def test_a_misspelt_function_or_a_wrong_type_fails_the_type_checker(bindings_folder: Path):
    good = """
        from fixture_contracts.traps import Drawn, Line, Missing, Point, Size, Traps
        from usufruct.chain import Call, Client
        from usufruct.core import Address

        async def right(client: Client, where: Address) -> int:
            traps = Traps(where, client)
            call: Call = traps.collect_to(where, where)
            try:
                size: Size = await traps.size(Size.XXL)
                points = (await traps.shapes([1, 2, 3], [[Point(1, 2), Point(3, 4)]], b"four", -1)).grid[0]
            except Missing as error:
                return error.thing + len(call.data) + size
            return points[1].from_
    """
    wrong = """
        async def wrong(client: Client, where: Address) -> None:
            traps = Traps(where, client)
            await traps.sizee(Size.XXL)
            traps.collect(5)
            traps.collect("0xab")
            await traps.size("XXL")
            traps.pay(b"")
            Drawn(count="many")
            owner: int = await traps.owner()
    """
    lines = [line.removeprefix("        ") for line in (good + wrong).splitlines()]
    snippet = bindings_folder / "snippet.py"
    snippet.write_text("\n".join(lines))
    command = [sys.executable, "-m", "mypy", "--strict", str(snippet)]
    done = subprocess.run(
        [*command, str(bindings_folder / "fixture_contracts")], capture_output=True, text=True, check=False, cwd=ROOT
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    first_wrong = lines.index("async def wrong(client: Client, where: Address) -> None:") + 1
    assert [int(line.split(":")[1]) - first_wrong for line in errors] == [2, 3, 4, 5, 6, 7, 8], done.stdout
    assert '"Traps" has no attribute "sizee"; maybe "size"' in errors[0]


def test_the_output_is_deterministic_and_formatted(bindings_folder: Path):
    folder = bindings_folder / "fixture_contracts"
    assert outdated(fixture_files(), folder) == []
    modules = [str(path) for path in folder.glob("*.py")]
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=120", "--check", *modules]
    subprocess.run(command, check=True, capture_output=True)


def test_writing_removes_what_no_contract_makes_any_more(project: Path, tmp_path: Path):
    folder = tmp_path / "written"
    folder.mkdir()
    files = fixture_files(project)
    assert write(files, folder) == sorted(files)
    (folder / "old.py").touch()
    (folder / "traps.py").write_text("changed")
    assert outdated(files, folder) == ["old.py", "traps.py"]
    assert write(files, folder) == ["old.py", "traps.py"]
    assert outdated(files, folder) == []


def test_a_source_that_changed_after_compiling_is_refused(project: Path):
    with (project / "src" / "Kinds.sol").open("a") as source:
        source.write("// changed\n")
    with pytest.raises(ArtifactUnusable, match=r"src/Kinds\.sol changed after Traps was compiled"):
        fixture_files(project)


def test_a_contract_that_was_not_compiled_is_missed():
    with pytest.raises(NotFound, match="0 artifacts of Nowhere"):
        load(FIXTURE / "out", "Nowhere")


def test_what_other_profiles_compiled_is_not_shipped(project: Path):
    mine = project / "out" / "Traps.sol" / "Traps.json"
    theirs = project / "out" / "test" / "Traps.sol" / "Traps.json"
    theirs.parent.mkdir(parents=True)
    artifact = orjson.loads(mine.read_bytes())
    metadata = orjson.loads(artifact["rawMetadata"])
    del metadata["settings"]["viaIR"]
    artifact["rawMetadata"] = orjson.dumps(metadata).decode()
    artifact["bytecode"]["object"] = "0xfe"
    theirs.write_bytes(orjson.dumps(artifact))
    assert load(project / "out", "Traps").creation != "fe"
    mine.unlink()
    with pytest.raises(ArtifactUnusable, match="Traps was compiled for tests"):
        load(project / "out", "Traps")


def test_two_contracts_of_one_name_are_told_apart(project: Path):
    artifact = orjson.loads((project / "out" / "Traps.sol" / "Traps.json").read_bytes())
    metadata = orjson.loads(artifact["rawMetadata"])
    metadata["settings"]["compilationTarget"] = {"src/other/Traps.sol": "Traps"}
    artifact["rawMetadata"] = orjson.dumps(metadata).decode()
    other = project / "out" / "other" / "Traps.sol" / "Traps.json"
    other.parent.mkdir(parents=True)
    other.write_bytes(orjson.dumps(artifact))
    with pytest.raises(NotFound, match="2 artifacts of Traps; two contracts share that name"):
        load(project / "out", "Traps")


def test_one_error_with_other_names_of_its_parts_is_refused(project: Path):
    path = project / "out" / "ITraps.sol" / "ITraps.json"
    artifact = orjson.loads(path.read_bytes())
    [missing] = [item for item in artifact["abi"] if item.get("name") == "Missing"]
    missing["inputs"][0]["name"] = "lost"
    path.write_bytes(orjson.dumps(artifact))
    with pytest.raises(ArtifactUnusable, match="parts of Missing are thing, message in one contract and lost, message"):
        Bindings(project, ("Traps", "ITraps"), "fixture_contracts")


def test_unlinked_libraries_are_refused(project: Path):
    path = project / "out" / "Traps.sol" / "Traps.json"
    artifact = orjson.loads(path.read_bytes())
    artifact["bytecode"]["linkReferences"] = {"src/Traps.sol": {"Elsewhere": []}}
    path.write_bytes(orjson.dumps(artifact))
    with pytest.raises(ArtifactUnusable, match="Traps links external libraries"):
        load(project / "out", "Traps")


def test_the_command_reports_what_is_wrong_and_fails(capsys: pytest.CaptureFixture[str]):
    assert main(["--check", "--project", str(FIXTURE)]) == 1
    assert "0 artifacts of AccessPass" in capsys.readouterr().err


def committed() -> dict[str, dict]:
    return {path.stem: orjson.loads(path.read_bytes()) for path in sorted(COMMITTED.glob("*.json"))}


def test_the_committed_bindings_were_made_from_the_sources_that_are_there():
    """The wheel can never carry stale bytecode; `make bindings` makes it current."""
    sources = {name: digest for entry in committed().values() for name, digest in entry["sources"].items()}
    ours = {name: digest for name, digest in sources.items() if name.startswith("src/")}
    assert len(ours) > 15
    changed = [n for n, d in ours.items() if hashlib.sha256((ROOT / "contracts" / n).read_bytes()).hexdigest() != d]
    assert changed == []


def test_a_definition_is_in_the_module_of_the_one_contract_that_mentions_it_or_shared():
    till, escrow, shares = contracts.till, contracts.batch_settlement, contracts.shares
    assert {till.PayeeKind.__module__, till.NotAPayee.__module__, till.Split.__module__} == {till.__name__}
    assert escrow.ChannelConfig is till.ChannelConfig is contracts.shared.ChannelConfig
    assert shares.VotesExpiredSignature.__module__ == contracts.shared.__name__, "OpenZeppelin's, for whoever is next"


def test_every_bound_contract_is_committed():
    contracts = committed()
    assert sorted(entry["contract"] for entry in contracts.values()) == sorted(BOUND)
    for name, entry in contracts.items():
        assert bool(entry["creation"]) == bool(entry["runtime"]) == (name not in {"erc20", "entry_point"})
        assert len(entry["runtime"]) // 2 <= 24_576, f"{name} is over the size limit of EIP-170"


def test_documentation_becomes_docstrings(traps: ModuleType):
    assert traps.Traps.collect_to.__doc__.split("\n")[0] == "Collect for somebody."
    assert "to: Who gets it." in traps.Traps.collect_to.__doc__
    assert "The same sheet." in traps.Traps.echo.__doc__
    assert traps.Signed.__doc__.startswith("Every argument is called like something else.")
    assert traps.Missing.__doc__.startswith("The thing is not there; make it first.")
    assert traps.Size.__doc__.startswith("How big a thing is.")
    assert traps.Traps.__doc__.startswith("Everything a generator of bindings stumbles over.")


def test_natspec_tags_are_told_apart():
    doc = parse("@notice Do it.\n  Really. @dev Carefully. @param a_ The a,\n twice. @param b B. @return Nothing.")
    assert (doc.notice, doc.dev) == ("Do it. Really.", "Carefully.")
    assert doc.params == {"a_": "The a, twice.", "b": "B."}
    assert parse("Just words about a@notice.").notice == "Just words about a@notice."


def test_calls_carry_calldata_and_wei_and_send_nothing(traps: ModuleType):
    contract = traps.Traps(ADDRESS)
    assert contract.pay(bytes(32), value=7) == Call(ADDRESS, keccak(b"pay(bytes32)")[:4] + bytes(32), 7)
    assert contract.deploy_(1).data[:4] == keccak(b"deploy(uint256)")[:4]


def test_constructors_become_creations(traps: ModuleType):
    creation = traps.Traps.deploy(1, [traps.Point(1, 2), traps.Point(3, 4)], "x")
    assert isinstance(creation, Creation)
    assert creation.init_code.startswith(traps.Traps.ARTIFACT.creation_code)
    assert traps.Traps.ARTIFACT.version == "2.3.4"


def test_enums_are_numbers_with_names(traps: ModuleType):
    assert [(size.name, int(size)) for size in traps.Size] == [("SMALL", 0), ("MEDIUM_RARE", 1), ("XXL", 2)]


def test_generated_modules_offer_exactly_what_they_define_or_share(traps: ModuleType):
    tree = ast.parse(Path(traps.__file__).read_text())
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert classes == set(traps.__all__)
    assert {"Missing", "Plain", "TooFar", "Point", "Size"} <= set(traps.__all__)
    assert all(hasattr(traps, name) for name in traps.__all__)
