"""The budgets of DESIGN 9: sizes, annotations, docstrings and names a machine can check."""

import ast
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "usufruct"
SDK = ROOT / "sdk" / "usufruct_client"
EXAMPLES = ROOT / "examples"
GENERATED = PACKAGE / "chain" / "contracts"
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "misc"}
HEAVY_IMPORTS_ALLOWED_INSIDE = {"ccxt", "numpy", "polars", "sklearn", "lightgbm", "torch", "asyncpg", "redis"}
HEAVY_IMPORTS_ALLOWED_INSIDE |= {"alembic", "eth_account", "tokenizers"}  # most processes start without them

SUB_PACKAGES = {  # parts of a package with an interface of their own
    "accounts": {"notifications", "passkeys"},
    "analytics": {"collecting", "learned", "live", "writing"},
    "core": {
        "address_lists",
        "components",
        "csv_cells",
        "diagnostics",
        "files",
        "jobs",
        "minute_rate",
        "networks",
        "price_cards",
        "process",
        "setting_texts",
    },
    "chain": {
        "anvil",
        "codec",
        "contracts",
        "deployment",
        "entry_point",
        "escrow",
        "interface",
        "keys",
        "p256",
        "simulation",
        "toolchain",
    },
    "connectors": {"exchanges", "news", "openai", "prices", "vendors"},
    "governance": {"trusts"},
    "indices": {"bulletins", "orders", "publication"},
    "market": {"trade"},
    "payments": {"pricing", "ledger", "settlement", "x402"},
    "staking": {"deals", "simulation"},
    "web": {"ui"},
}
INTERFACES = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path.name == "__init__.py" or path.stem in SUB_PACKAGES.get(path.parent.name, ())
)
MOST_NAMES = 40

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> list[Path]:
    return [p for top in (PACKAGE, SDK, EXAMPLES) for p in sorted(top.rglob("*.py")) if GENERATED not in p.parents]


def inside(path: Path) -> Path:
    return path.relative_to(next(top for top in (PACKAGE, SDK, EXAMPLES) if top in path.parents))


def functions(tree: ast.Module) -> list[Function]:
    return [n for n in ast.walk(tree) if isinstance(n, Function)]


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def test_files_are_small():
    lengths = {p: len(p.read_text().splitlines()) for p in sources()}
    assert statistics.median(lengths.values()) <= 150
    assert not {p: n for p, n in lengths.items() if n > 600}


def test_the_composition_root_is_small():
    assert sum(len(path.read_text().splitlines()) for path in (PACKAGE / "app").glob("*.py")) <= 400


def test_nine_functions_in_ten_fit_on_a_screen():
    lengths = sorted(
        (f.end_lineno or f.lineno) - f.lineno + 1 for p in sources() for f in functions(ast.parse(p.read_text()))
    )
    assert lengths[int(len(lengths) * 0.9)] <= 35


def test_every_return_is_annotated():
    bare = [
        f"{p.relative_to(ROOT)}:{f.lineno} {f.name}"
        for p in sources()
        for f in functions(ast.parse(p.read_text()))
        if f.returns is None
    ]
    assert not bare


def _public(body: list[ast.stmt], prefix: str) -> list[tuple[str, ast.AST]]:
    found: list[tuple[str, ast.AST]] = []
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            found.append((f"{prefix}{node.name}", node))
            if isinstance(node, ast.ClassDef):
                found += _public(node.body, f"{prefix}{node.name}.")
    return found


def test_every_public_name_has_a_docstring():
    bare = []
    for path in sources():
        tree = ast.parse(path.read_text())
        name = str(path.relative_to(ROOT))
        if not ast.get_docstring(tree) and tree.body:
            bare.append(name)
        for label, node in _public(tree.body, ""):
            overload = any(isinstance(d, ast.Name) and d.id in {"overload", "override"} for d in node.decorator_list)  # type: ignore[attr-defined]
            if not ast.get_docstring(node) and not overload:  # type: ignore[arg-type]
                bare.append(f"{name} {label}")
    assert not bare


def test_imports_stand_at_the_top():
    inside = []
    for path in sources():
        for function in functions(ast.parse(path.read_text())):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                    if not all(n.split(".")[0] in HEAVY_IMPORTS_ALLOWED_INSIDE for n in names):
                        inside.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not inside


NOT_SERVED = {"alembic", "asyncpg", "eth_account", "httpx", "pygments", "rich", "tokenizers", "typer", "web3", "x402"}
NOT_SERVED |= {"sqlalchemy.dialects.postgresql", "sqlalchemy.orm", "usufruct.cli.root"}


def test_a_server_on_sqlite_loads_no_library_that_it_does_not_use():
    """`rss_1000_streams_mb` has a limit, and each of them takes 2 to 25 MB of a process (decisions 0020 and 0075)."""
    script = "import sys; import usufruct.cli, usufruct.cli.support.servers; from usufruct.app import components; "
    script += "[__import__(f'usufruct.{name}.component') for name in components.PACKAGES]; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert "usufruct.gateway.component" in loaded
    assert not loaded & NOT_SERVED


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_server_starts_without_the_command_line(command, tmp_path):
    """It gets as far as its database, although the commands cannot be imported."""
    script = f"import sys; sys.modules['usufruct.cli.commands'] = None; sys.argv[:] = ['usufruct', '{command}']; "
    script += "from usufruct.cli import main; main()"
    environment = os.environ | {"USUFRUCT_DATA_FOLDER": str(tmp_path), "USUFRUCT_DATABASE_URL": "mysql://here/there"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 1
    assert "database.url is of kind 'mysql'" in done.stderr


def package_of(parts: Sequence[str]) -> tuple[str, ...]:
    """Return the package whose interface a module belongs to, as parts below `usufruct`."""
    inner = SUB_PACKAGES.get(parts[0], set())
    return tuple(parts[:2]) if len(parts) > 1 and parts[1] in inner else tuple(parts[:1])


def imports_of_ours(path: Path) -> Iterator[tuple[ast.ImportFrom, list[str]]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("usufruct."):
            yield node, (node.module or "").split(".")[1:]


def test_packages_are_used_by_their_public_interface_only():
    """Another package's modules are private: `from usufruct.store import X`, not `from usufruct.store.database ...`."""
    deep = []
    for path in sources():
        own = package_of(inside(path).with_suffix("").parts)
        for node, parts in imports_of_ours(path):
            package = package_of(parts)
            if tuple(parts) != package and package not in (own, own[:1]) and parts[:2] != ["chain", "contracts"]:
                deep.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.module}")
    assert not deep


@pytest.mark.parametrize("interface", INTERFACES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_public_interface_is_short(interface: Path):
    exported = [
        name
        for node in ast.parse(interface.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for name in ast.literal_eval(node.value)
    ]
    assert len(exported) <= MOST_NAMES
    assert exported or not ast.parse(interface.read_text()).body[1:], "it says by `__all__` what is public"


@pytest.mark.parametrize("top", [SDK, EXAMPLES], ids=lambda top: top.name)
def test_the_client_library_and_the_examples_import_nothing_of_the_server(top: Path):
    found = []
    for path in sorted(top.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found += [f"{path.relative_to(ROOT)}:{node.lineno} {n}" for n in names if n.split(".")[0] == "usufruct"]
    assert not found


def test_only_config_reads_the_environment_and_only_core_reads_clocks():
    banned = {"os.environ", "os.getenv", "time.time", "time.monotonic", "datetime.now", "datetime.utcnow"}
    keepers = {
        PACKAGE / "config" / "files.py": {"os.environ", "os.getenv"},
        PACKAGE / "core" / "clock.py": {"time.time", "time.monotonic"},
        SDK / "clock.py": {"time.time", "time.monotonic"},
        EXAMPLES / "usufruct_librarian" / "server.py": {"time.time"},
    }
    found = []
    for path in sources():
        allowed = keepers.get(path, set())
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in banned - allowed:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}")
    assert not found


def test_tests_import_what_they_share():
    """Shared code is in `tests/support`, and no test loads a file by its path."""
    loader = "spec_from_" + "file_location"
    assert not [
        name for name in tracked() if name.startswith("tests/") and loader in (ROOT / name).read_text("latin-1")
    ]


def test_tests_wait_longer_than_a_busy_machine_needs():
    """httpx gives up after 5 s where no limit is given."""
    verbs = {"AsyncClient", "Client", "get", "post", "put", "patch", "delete", "head", "options", "request", "stream"}
    calls = (
        (path, node)
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in verbs
    )
    hasty = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path, call in calls
        if ast.unparse(call.func).startswith("httpx.") and "timeout" not in {each.arg for each in call.keywords}
    ]
    assert not hasty, "pass timeout=120"


def test_names_say_what_is_inside():
    assert not [name for name in tracked() if FORBIDDEN_NAMES & set(Path(name).with_suffix("").parts)]


def test_the_root_is_short():
    assert len({name.split("/")[0] for name in tracked()}) <= 22


def test_no_path_of_a_machine_is_written_down():
    marks = ["/" + word + "/" for word in ("work", "root", "home")]
    found = []
    for name in tracked():
        path = ROOT / name
        if (
            path.suffix in {".py", ".sol", ".md", ".toml", ".json", ".yml", ".txt"}
            and path.is_file()
            and not path.is_symlink()
        ):
            found += [f"{name}: {m}" for m in marks if m in path.read_text(errors="ignore")]
    assert not found


@pytest.mark.parametrize("kind", ["src", "test"])
def test_solidity_files_are_small(kind: str):
    lengths = {p: len(p.read_text().splitlines()) for p in (ROOT / "contracts" / kind).rglob("*.sol")}
    assert lengths
    assert not {p: n for p, n in lengths.items() if n > 600}
