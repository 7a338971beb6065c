"""Sponsored is not rated: what grades assets reaches neither the code nor the rows of those who pay the operator."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ANALYTICS = ROOT / "usufruct" / "analytics"
ALLOWED = {"core", "config", "store", "http", "web", "chain", "connectors", "accounts", "payments"}
"""Packages below `analytics`; `assets`, `market` and `console` know sellers, what they pay and what they promote."""
PURE = {"core", "connectors"}
"""All that a formula may import, beside the other formulas."""


def imported(path: Path) -> Iterator[list[str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        yield from (name.split(".") for name in names)


def packages(path: Path) -> set[str]:
    return {parts[1] for parts in imported(path) if parts[0] == "usufruct" and len(parts) > 1} - {"analytics"}


def reached(path: Path) -> set[Path]:
    """Return the modules of `analytics` that a module imports, directly or through others, itself among them."""
    found, waiting = set(), [path]
    while waiting:
        at = waiting.pop()
        found.add(at)
        for parts in imported(at):
            if parts[:2] == ["usufruct", "analytics"] and len(parts) > 2:
                there = ANALYTICS.joinpath(*parts[2:]).with_suffix(".py")
                waiting += [there] if there.exists() and there not in found else []
    return found


def test_analytics_imports_no_package_that_knows_sponsors():
    wrong = {str(path.relative_to(ROOT)): packages(path) - ALLOWED for path in ANALYTICS.rglob("*.py")}
    assert not {path: names for path, names in wrong.items() if names}


def test_models_learn_from_prices_alone():
    for path in reached(ANALYTICS / "learned" / "training.py"):
        assert packages(path) <= PURE, path


def test_formulas_are_functions_of_prices_alone():
    """They import neither the database nor the configuration, through no module of the package either."""
    for formula in ("grades", "signals", "market", "moonshots", "quant", "correlation", "levels", "scenarios"):
        for path in reached(ANALYTICS / f"{formula}.py"):
            assert packages(path) <= PURE, path
            outside = {parts[0] for parts in imported(path)} - {"usufruct", "numpy"}
            assert outside <= {"collections", "dataclasses", "datetime", "hashlib", "typing"}, path
