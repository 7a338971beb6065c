"""The layers: which package may import which, checked by import-linter over the whole package."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_package_imports_a_higher_layer_or_its_own():
    linter = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_only_chain_knows_web3():
    known = {"web3", "eth_abi"}
    found = []
    for path in sorted((ROOT / "usufruct").rglob("*.py")):
        if path.relative_to(ROOT / "usufruct").parts[0] == "chain":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found += [f"{path.relative_to(ROOT)}:{node.lineno}" for n in names if n.split(".")[0] in known]
    assert not found
