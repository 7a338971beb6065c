"""Every error of status 429 is a `RateLimited`, which cannot be raised without saying when the limit ends."""

import ast
from pathlib import Path

import usufruct

ROOT = Path(usufruct.__path__[0])


def test_only_rate_limited_has_the_status_of_a_limit():
    found = {
        file.relative_to(ROOT).as_posix()
        for file in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef | ast.Call)
        and any(each.arg == "status" and ast.unparse(each.value) == "429" for each in node.keywords)
    }
    assert found == {"core/errors.py"}
