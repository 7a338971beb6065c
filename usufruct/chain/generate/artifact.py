"""Forge artifacts, read and refused when they are not what the sources say."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from usufruct.chain.hashing import keccak
from usufruct.core import Conflict, NotFound

Json = dict[str, Any]


class ArtifactUnusable(Conflict, code="artifact_unusable"):
    """A contract was compiled, but not from the sources that are there now, or not to code that can be deployed."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """One contract as forge left it; `asts`: syntax trees of all its source files, by path in the project."""

    name: str
    abi: list[Json]
    creation: str
    runtime: str
    immutables: list[list[int]]
    metadata: Json
    asts: Mapping[str, Json]


def _found(out: Path, pattern: str) -> list[Json]:
    """Return the artifacts a pattern finds, the nearest first: other profiles keep theirs in folders below."""
    paths = sorted(out.rglob(pattern), key=lambda path: (len(path.parts), path))
    return [orjson.loads(path.read_bytes()) for path in paths]


def _artifact(out: Path, contract: str) -> tuple[Json, Json]:
    """Return the artifact of `contract` and its metadata; files that only import it leave one without."""
    found: dict[str, tuple[Json, Json]] = {}
    for artifact in _found(out, f"{contract}.sol/{contract}.json"):
        if artifact.get("rawMetadata"):
            metadata = orjson.loads(artifact["rawMetadata"])
            found.setdefault(str(metadata["settings"]["compilationTarget"]), (artifact, metadata))
    if len(found) != 1:
        remedy = "run `make contracts` first" if not found else "two contracts share that name"
        raise NotFound(
            f"{out} has {len(found)} artifacts of {contract}; {remedy}", code="artifact_missing", contract=contract
        )
    ((artifact, metadata),) = found.values()
    if not metadata["settings"].get("viaIR"):
        raise ArtifactUnusable(
            f"{contract} was compiled for tests, without IR; run `make contracts`", contract=contract
        )
    return artifact, metadata


def _ast(out: Path, source: str) -> Json:
    for artifact in _found(out, f"{Path(source).name}/*.json"):
        ast: Json = artifact.get("ast") or {}
        if ast.get("absolutePath") == source:
            return ast
    raise NotFound(
        f"{out} has no syntax tree of {source}; compile with `ast = true`", code="artifact_missing", source=source
    )


def load(out: Path, contract: str) -> Compiled:
    """Read the artifact of `contract` from forge's output folder.

    Raises:
        NotFound: when it was not compiled, or without syntax trees.
        ArtifactUnusable: when it was compiled without IR, or its code still has libraries to link.
    """
    artifact, metadata = _artifact(out, contract)
    creation, runtime = artifact["bytecode"], artifact["deployedBytecode"]
    if creation["linkReferences"]:
        raise ArtifactUnusable(f"{contract} links external libraries; make their functions internal", contract=contract)
    immutables = [
        [place["start"], place["length"]]
        for places in runtime.get("immutableReferences", {}).values()
        for place in places
    ]
    codes = creation["object"].removeprefix("0x"), runtime["object"].removeprefix("0x")
    asts = {source: _ast(out, source) for source in sorted(metadata["sources"])}
    return Compiled(contract, artifact["abi"], *codes, sorted(immutables), metadata, asts)


def source_hashes(compiled: Compiled, project: Path) -> dict[str, str]:
    """Return the sha-256 of every source file that went into a contract, by path relative to the Foundry project.

    Raises:
        ArtifactUnusable: when a file is not the one that was compiled.
    """
    hashes = {}
    for source in compiled.asts:
        content = (project / source).read_bytes()
        if "0x" + keccak(content).hex() != compiled.metadata["sources"][source]["keccak256"]:
            raise ArtifactUnusable(
                f"{source} changed after {compiled.name} was compiled; run `make contracts` again", source=source
            )
        hashes[source] = hashlib.sha256(content).hexdigest()
    return hashes


def definitions(compiled: Compiled, kind: str, *, outside: str | None = None) -> Iterator[Json]:
    """Yield the syntax-tree nodes of one kind, such as `EnumDefinition`, at file level and inside contracts.

    With `outside`, those of source files in that folder are left out.
    """
    sources = [source for source in compiled.asts if outside is None or not source.startswith(outside)]
    for source in sources:
        for node in compiled.asts[source]["nodes"]:
            yield from (n for n in (node, *node.get("nodes", ())) if n["nodeType"] == kind)


def version(compiled: Compiled) -> str:
    """Return the value of the contract's `string public constant VERSION`; empty when it has none."""
    for node in definitions(compiled, "ContractDefinition"):
        if node["name"] == compiled.name:
            for member in node["nodes"]:
                if member["nodeType"] == "VariableDeclaration" and member["name"] == "VERSION":
                    return str(member["value"]["value"])
    return ""
