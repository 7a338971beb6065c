"""Every refusal that a page can meet has a text for its reader; test_messages has each in German."""

import ast
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import pytest

import usufruct
from usufruct.web.ui import RefusalText
from usufruct.web.ui.refusals import EVERY_SITE

ROOT = Path(usufruct.__path__[0])
WITH_PAGES = ("accounts", "connectors/openai", "console", "gateway", "market", "web")
NOT_ON_PAGES = {
    "gallery_failure": "a page for developers",
}
OF_ASSETS_ON_THE_COMMAND_LINE = {"not_enough_money", "plan_exists"}
OF_DEALS_ON_THE_COMMAND_LINE = {"invalid_deal", "not_deal_issuer"}
OF_AIRDROPS_ON_THE_COMMAND_LINE = {"airdrop_file_exists", "airdrop_refused", "invalid_airdrop_file", "not_an_escrow"}


def tables() -> list[Sequence[RefusalText]]:
    """Return the texts of each package: `REFUSALS` of its `refusals.py`."""
    found = [file.relative_to(ROOT.parent).with_suffix("") for file in sorted(ROOT.rglob("refusals.py"))]
    modules = [import_module(".".join(path.parts)) for path in found]
    return [EVERY_SITE, *(module.REFUSALS for module in modules if hasattr(module, "REFUSALS"))]


def known() -> set[str]:
    return {each.code for table in tables() for each in table}


def codes(package: str, files: str = "*.py") -> Iterator[str]:
    """Return the codes that classes and calls of a package write out: `code="..."`."""
    for file in (ROOT / package).rglob(files):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call | ast.ClassDef):
                for each in node.keywords:
                    if each.arg == "code" and isinstance(each.value, ast.Constant) and each.value.value:
                        yield each.value.value


@pytest.mark.parametrize("package", WITH_PAGES)
def test_every_refusal_of_a_package_with_pages_has_a_text(package):
    found = set(codes(package))
    assert found, package
    missing = found - known() - set(NOT_ON_PAGES)
    assert not missing, f"give {sorted(missing)} a RefusalText in the package's refusals.py, then `make messages`"


def test_every_refusal_of_an_asset_that_a_page_meets_has_a_text():
    assert set(codes("assets")) - known() == OF_ASSETS_ON_THE_COMMAND_LINE


def test_every_refusal_of_an_airdrop_that_a_page_meets_has_a_text():
    assert set(codes("staking", "*airdrop*.py")) - known() == OF_AIRDROPS_ON_THE_COMMAND_LINE


def test_every_refusal_of_a_proposal_that_a_page_meets_has_a_text():
    assert set(codes("governance")) <= known()


def test_every_refusal_of_a_lock_has_a_text():
    assert set(codes("staking", "errors.py")) <= known() | OF_DEALS_ON_THE_COMMAND_LINE


def test_every_refusal_of_a_deal_that_a_page_meets_has_a_text():
    assert set(codes("staking/deals")) - known() == OF_DEALS_ON_THE_COMMAND_LINE


def test_a_text_is_for_a_code_that_is_raised():
    raised = {code for file in ROOT.iterdir() if file.is_dir() for code in codes(file.name)}
    assert known() <= raised | {"unknown_route"}, known() - raised


@pytest.mark.parametrize("texts", tables())
def test_no_text_is_given_twice(texts):
    places = [(each.code, each.about) for each in texts]
    assert len(places) == len(set(places))
