"""Shareholders decide about their service in a browser: a wallet and a passkey propose, vote and execute."""

from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.support import command_line
from tests.support.browser import DESKTOP, PHONE, chromium, needs_chromium, visit
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.entrusted_service import DAY, HOUR, entrusted
from tests.support.gateway_server import served
from tests.support.injected_wallet import InjectedWallet
from tests.support.page_budgets import check_page
from tests.support.passkey_wallet import passkey_wallet
from usufruct.app import open_installation
from usufruct.assets import SUPPLY, RegistryClient
from usufruct.core import Address, format_asset
from usufruct.governance.trusts import CONFIGURATION, configuration_entry
from usufruct_client.trust_documents import TrustDetails, TrustProposalDetails
from usufruct_client.wire_types import read_answer

pytestmark = [pytest.mark.anvil, needs_chromium]

ENTRY = configuration_entry(b"{}", "https://example.org/<b>c.json")


async def propose(page: Page, place: str) -> str:
    """Propose a price and a configuration in the page, after wrong ones; return the proposal's id."""
    await page.goto(place)
    await page.get_by_role("link", name="Propose a change").click()
    await page.get_by_label("Title").fill("A price, and <i>prompts</i>")
    look = page.get_by_role("button", name="See what it would do")
    await look.click()
    await expect(page.get_by_text("Write at least one value that is to change.")).to_be_visible()
    price = page.get_by_label("A million units of input")
    await price.fill("1,500")
    await look.click()
    await expect(page.get_by_text("thousands, or a fraction? Write 1500 or 1.50")).to_be_visible()
    await expect(price).to_be_focused()
    await price.fill("0,4")
    document = {"name": "c.json", "mimeType": "application/json", "buffer": b"{}"}
    await page.get_by_label("File with model, prompts and parameters").set_input_files(document)
    await expect(page.get_by_label("Its SHA-256")).to_have_value(sha256(b"{}").hexdigest())
    await look.click()
    await expect(page.get_by_label("Where it is published")).to_be_focused()
    await page.get_by_label("Where it is published").fill("https://example.org/<b>c.json")
    await look.click()
    await expect(page.get_by_text("Price of a million units of input:")).to_contain_text("→ 0.4")
    await expect(page.get_by_text("would succeed now")).to_have_count(2)
    await expect(page.get_by_text("your votes are enough")).to_be_visible()
    await page.get_by_role("button", name="Propose it").click()
    await expect(page.get_by_text("Your proposal is made.")).to_be_visible()
    return page.url.rpartition("/")[2]


async def propose_endpoint(page: Page, place: str) -> None:
    """Propose another address of the API by a passkey, after a look back."""
    await page.goto(f"{place}/new")
    await page.get_by_label("Address of the API").fill("https://api.example.org")
    await page.get_by_label("Title").fill("Move")
    await page.get_by_role("button", name="See what it would do").click()
    await page.get_by_role("button", name="Change it").click()
    await expect(page.get_by_label("Address of the API")).to_have_value("https://api.example.org")
    await page.get_by_role("button", name="See what it would do").click()
    await page.get_by_role("button", name="Propose it").click()
    await expect(page.get_by_text("Your proposal is made.")).to_be_visible()


async def test_shareholders_decide_by_wallet_and_passkey(devnet_template: DevnetTemplate, tmp_path: Path):
    async with (
        devnet_template.running(tmp_path) as anvil,
        open_installation(command_line.Commands(command_line.settings(tmp_path, anvil.url)).config) as installation,
        served(installation.router()) as (_, base, _),
        chromium() as browser,
        visit(browser, "about:blank", **DESKTOP) as desk,
        visit(browser, "about:blank", **PHONE) as phone,
    ):
        root = base.removesuffix("/v1").replace("127.0.0.1", "localhost")
        devnet, wallet = Devnet(installation.client), InjectedWallet(node=installation.client)
        voter, passkey = Address(wallet.account.address.lower()), await passkey_wallet(phone.page, root)
        asset = await entrusted(installation, voter, passkey)
        await devnet.set_balance(voter, 10**18)
        place = f"{root}/trusts/{format_asset(asset)}"
        await wallet.inject(desk.page)
        await desk.page.goto(f"{root}/account")
        await desk.page.get_by_role("button", name="Test Wallet").click()
        await expect(desk.page.get_by_text("No keys yet")).to_be_visible()

        for page in (desk.page, phone.page):
            await page.goto(f"{root}/payees-of/{format_asset(asset)}")
            await page.get_by_role("link", name="Who decides about it").click()
            await page.get_by_role("button", name="Vote with my shares").click()
            await expect(page.get_by_text("Your shares count in proposals from now on.")).to_be_visible()
        await devnet.pass_time(2)
        proposal = await propose(desk.page, place)
        await propose_endpoint(phone.page, place)
        await desk.page.goto(place)
        await desk.page.get_by_role("link", name="A price, and <i>prompts</i>").click()
        await expect(desk.page.get_by_text("voting not begun")).to_be_visible()
        await expect(desk.page.get_by_text("Price of a million units of input:")).to_contain_text("→ 0.4")
        await expect(desk.page.get_by_text("https://example.org/<b>c.json").first).to_be_visible()
        await devnet.pass_time(HOUR + 1)

        await desk.page.reload()
        await desk.page.get_by_label("Reason").fill("cheaper")
        await desk.page.get_by_role("button", name="Vote for it").click()
        await expect(desk.page.get_by_text("you have voted")).to_be_visible()
        await phone.page.goto(f"{place}/{proposal}")
        await phone.page.get_by_role("button", name="Abstain").click()
        await expect(phone.page.get_by_text("you have voted")).to_be_visible()
        await check_page(browser, f"{place}/{proposal}")
        await devnet.pass_time(DAY)

        async with httpx.AsyncClient(timeout=60) as http:
            api = f"{root}/v1/trusts/{format_asset(asset)}"
            moved, listed = read_answer(TrustDetails, (await http.get(api)).json()).proposals
            assert (moved.title, moved.proposer, moved.state) == ("Move", passkey, "defeated")
            assert (listed.id, listed.state, listed.votes_for) == (proposal, "succeeded", SUPPLY // 10 * 4)
            shown = read_answer(TrustProposalDetails, (await http.get(f"{api}/proposals/{proposal}")).json())
            votes = {each.voter: (each.support, each.reason) for each in shown.votes}
            assert votes == {voter: ("for", "cheaper"), passkey: ("abstain", "")}
            assert [(each.key, each.of, each.before, each.after) for call in shown.calls for each in call.changes] == [
                ("input_price", "", "0 tUSD", "0.4 tUSD"),
                ("entry", "configuration", "", ENTRY.decode()),
            ]
            assert [each.refusal for each in shown.calls] == ["", ""]
            for path, status, code in (
                (f"{api}/proposals/7", 404, "unknown_proposal"),
                (f"{root}/v1/trusts/0x1", 404, "unknown_asset"),
                (f"{api}?page=0", 400, "invalid_page"),
            ):
                answer = await http.get(path)
                assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), path

        await phone.page.reload()
        await phone.page.get_by_role("button", name="Execute it").click()
        await expect(phone.page.get_by_text("The proposal is executed.")).to_be_visible()
        registry = installation.get(RegistryClient)
        assert await registry.contract.get_metadata(asset, CONFIGURATION) == ENTRY
        await desk.page.goto(f"{place}?language=de")
        await expect(desk.page.get_by_role("heading", level=1)).to_have_text("Entscheidungen über voted")
        for path in (place, f"{place}/new"):
            await check_page(browser, path)
        assert desk.problems == []
