"""The docs hold: links lead somewhere, commands in them exist, the reference is what the program says."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from click import Context, Group

from usufruct.app import DEVNET_FEE_BPS
from usufruct.cli.demo.outcome import PRICES
from usufruct.cli.root import app
from usufruct.core import checksum, format_units
from usufruct.core.price_cards import WHOLE_BPS, PriceCard
from usufruct.payments.pricing import Usage, price_lines
from usufruct.payments.pricing.charges import price_up
from usufruct_client import read_receipt
from usufruct_client.eip712_messages import RECEIPT

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "sdk").glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{40}\b")
COMMAND = re.compile(r"`(?:[A-Z_]+=\S+ )*(?:\S*/)?usufruct ([a-z][a-z -]*)|^(?:\S*/)?usufruct ([a-z][a-z -]*)", re.M)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made from their words."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    for link in LINK.findall(page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert target.is_relative_to(ROOT)
        if anchor:
            there = anchors(target) if target.suffix == ".md" else functions(target)
            assert anchor in there, f"{page.name}: {link}"


def functions(source: Path) -> set[str]:
    """The functions of a Python or Solidity file: a link to a test names it as its anchor."""
    return set(re.findall(r"^\s*(?:async def|def|function) (\w+)\(", source.read_text(), re.M))


def promises(page: Path) -> list[str]:
    """The entries of a page's lists, each in one line."""
    entries = re.findall(r"^- .*(?:\n  .*)*", page.read_text(), re.M)
    return [re.sub(r"\s+", " ", entry) for entry in entries]


@pytest.mark.parametrize("page", [ROOT / "docs" / "roles.md", ROOT / "SECURITY.md"], ids=lambda page: page.name)
def test_every_promise_links_the_tests_that_prove_it(page: Path):
    found = promises(page)
    assert len(found) > 4
    for promise in found:
        proofs = [link.partition("#") for link in LINK.findall(promise) if "#" in link]
        assert proofs, f"{page.name}: no test is linked by: {promise}"
        for path, _, name in proofs:
            assert re.search(r"(^|/)(contracts/test|tests)/", path), promise
            assert name.startswith(("test_", "invariant_")), promise


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_addresses_in_the_docs_have_their_checksum(page: Path):
    """EIP-55: several libraries refuse an address in mixed case whose checksum is wrong."""
    for address in ADDRESS.findall(page.read_text()):
        assert address == checksum(address.lower()), f"{page.name}: write {checksum(address.lower())}"


def test_the_readmes_dollar_adds_up():
    """What the README says happens to one dollar, by the demo's price card and the code that charges."""
    ceiling, charge = (price_up(Usage(1_000, output), PRICES) for output in (500, 300))
    spent = 200 * charge
    fee = spent * DEVNET_FEE_BPS // WHOLE_BPS
    parts = [(spent - fee) * percent // 100 for percent in (70, 20, 10)]
    assert fee + sum(parts) == spent
    told = (ROOT / "README.md").read_text().partition("What happens to one dollar")[2].partition("\n## ")[0]
    for amount in (ceiling, charge, ceiling - charge, spent, fee, *parts, 10**6 - spent):
        assert re.search(rf"\${re.escape(format_units(amount, 6))}(?![0-9])", told), amount


def commands(page: Path) -> Iterator[list[str]]:
    for groups in COMMAND.findall(page.read_text()):
        words = (groups[0] or groups[1]).split()
        yield [word for word in words if not word.startswith("-")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_docs_exist(page: Path):
    root = typer.main.get_command(app)
    for words in commands(page):
        found = root
        for word in words:
            if not isinstance(found, Group | typer.core.TyperGroup):
                break
            found = found.get_command(Context(found), word)
            assert found is not None, f"{page.name}: usufruct {' '.join(words)}"


PRINTED = re.compile(r"`usufruct ([^`]+)`")
SOURCES = sorted((ROOT / "usufruct").rglob("*.py"))


def printed_commands() -> Iterator[tuple[str, str]]:
    """Every command in back quotes that a message, a help text or a docstring of the package names, with its file."""
    for source in SOURCES:
        joined = re.sub(r'"\s*\n\s*f?"', "", source.read_text())  # texts that go over several lines
        for command in PRINTED.findall(joined):
            yield str(source.relative_to(ROOT)), re.sub(r"\{[^{}]*\}", "X", command)


def test_every_command_that_the_program_prints_exists_with_its_options():
    root = typer.main.get_command(app)
    commands = list(printed_commands())
    assert len(commands) > 40
    for source, command in commands:
        found, context = root, Context(root)
        words = command.split()
        while words and isinstance(found, Group | typer.core.TyperGroup) and not words[0].startswith("-"):
            found = found.get_command(context, words.pop(0))
            assert found is not None, f"{source}: usufruct {command}"
        known = {option for parameter in found.get_params(Context(found)) for option in parameter.opts}
        known |= {option for parameter in found.params for option in parameter.secondary_opts}
        given = {word for word in words if word.startswith("-") and word != "-"}
        assert given <= known, f"{source}: usufruct {command}: {given - known}"


def test_the_command_reference_is_current(tmp_path: Path):
    fresh = tmp_path / "cli.md"
    command = [sys.executable, "-m", "typer", "usufruct.cli.root", "utils", "docs", "--name", "usufruct"]
    command += ["--title", "The command line", "--output", str(fresh)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, timeout=180)
    assert fresh.read_text() == (ROOT / "docs" / "reference" / "cli.md").read_text(), "run `make docs`"


RECEIPTS = (ROOT / "docs" / "protocol" / "receipts.md").read_text()


def block(kind: str) -> str:
    """The page's block of JSON or Python."""
    return RECEIPTS.partition(f"```{kind}\n")[2].partition("```")[0]


def strangers_check(receipt: dict[str, object], folder: Path) -> str | None:
    """Run the page's own program on a receipt; return what it prints, None if it fails."""
    (folder / "receipt.json").write_text(json.dumps(receipt))
    done = subprocess.run(
        [sys.executable, "-c", block("python")], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or "AssertionError" in done.stderr, done.stderr
    return done.stdout.strip() if done.returncode == 0 else None


def test_a_stranger_checks_a_receipt_by_its_page_and_eth_account_alone(tmp_path: Path):
    assert set(re.findall(r"^(?:from|import) (\w+)", block("python"), re.M)) == {"json", "eth_account"}
    shown = json.loads(block("json"))
    assert strangers_check(shown, tmp_path) == f"{shown['signer']} charged 73"
    assert strangers_check(shown | {"cumulative": "1074"}, tmp_path) is None
    lines = [shown["lines"][0] | {"amount": "2"}, *shown["lines"][1:]]
    assert strangers_check(shown | {"lines": lines, "amount": "74"}, tmp_path) is None


def test_the_page_of_receipts_shows_what_the_gateway_makes():
    shown = read_receipt(json.loads(block("json")))
    assert shown.signed_by() == shown.signer
    card = PriceCard(150_000, 600_000, 10, 128_000, 3, cached_input_bps=1_234)
    assert shown.lines == price_lines(Usage(1_212, 64, cached_input_tokens=1_200).quantities, card)
    for line in shown.lines:
        row = f"| `{line.unit}` | {line.quantity:,} | {line.price:,} | {line.per:,} | "
        assert any(each.startswith(row) and each.endswith(f" {line.amount} |") for each in RECEIPTS.splitlines()), row
    for text in (RECEIPT.text, *(part.text for part in RECEIPT.parts)):
        fields = text.partition("(")[2].removesuffix(")")
        assert fields in block("python").replace('"\n    "', ""), fields


def test_decisions_have_numbers_of_their_own():
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [each.name[:4] for each in pages]
    assert len(set(numbers)) == len(numbers) > 40
    assert [each.read_text()[:7] for each in pages] == [f"# {number} " for number in numbers]
