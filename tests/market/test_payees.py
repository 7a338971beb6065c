"""Who is paid for a service: the shares contract's own division, on its page and as JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import expect

from tests.support import x402_installation
from tests.support.browser import NARROW, PHONE, chromium, needs_chromium, visit
from tests.support.page_budgets import check_page
from usufruct.assets import Assets, Holding, NewAsset, RegistryClient
from usufruct.chain import RpcUnavailable
from usufruct.chain.contracts.shared import Parent
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.keys import DEVNET_ADDRESSES, signer_of
from usufruct.chain.keys import Role as KeyRole
from usufruct.core import Address
from usufruct.market.payee_split import MOST_SHOWN, Role, Royalty, plain_split, split_down
from usufruct.market.payees import Payees

COIN = 1_000_000
OWNERS = [Address(f"0x{number:040x}") for number in range(1, 30)]
ANN, BOB = DEVNET_ADDRESSES[6], DEVNET_ADDRESSES[7]


@given(
    st.integers(1, 10**20),
    st.integers(0, 1_500),
    st.lists(st.integers(1, 1_250), max_size=4),
    st.lists(st.integers(1, 10**14), min_size=1, max_size=len(OWNERS)),
)
def test_no_unit_is_paid_twice_and_fewer_are_left_than_there_are_parts(whole, fee_bps, royalties, held):
    holdings = [Holding(owner, amount) for owner, amount in zip(OWNERS, sorted(held, reverse=True), strict=False)]
    split = split_down(whole, fee_bps, [Royalty(OWNERS[0], bps) for bps in royalties], holdings)
    paid = split.paid(*Role)
    assert whole - len(split.parts) < paid <= whole
    assert split.owners == len(holdings)
    assert len([each for each in split.parts if each.role is Role.OWNER]) == min(len(holdings), MOST_SHOWN)
    assert split.paid(Role.FEE) <= whole // 10


def test_a_dollar_in_words():
    holdings = [Holding(OWNERS[0], 70), Holding(OWNERS[1], 20), Holding(OWNERS[2], 10)]
    split = split_down(COIN, 250, [Royalty(OWNERS[3], 500, "base")], holdings)
    assert [(each.role, each.amount) for each in split.parts] == [
        (Role.OWNER, 647_500),
        (Role.OWNER, 185_000),
        (Role.OWNER, 92_500),
        (Role.ROYALTY, 50_000),
        (Role.FEE, 25_000),
    ]
    assert plain_split(COIN, ANN).paid(Role.PAYEE) == COIN


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
def url(world):
    return world.url.removesuffix("/v1")


async def register(world, name: str, parents=(), owners=(), *, sell: bool = True):
    """Register an asset, and sell it unless told not to: `owners` get their shares, the devnet's owner the rest."""
    registry = world.installation.get(RegistryClient)
    sender = world.installation.sender(signer_of(KeyRole.OWNER, world.installation.config))
    terms = NewAsset(name, "SHARE", world.dollar.address, x402_installation.CARD, parents=tuple(parents))
    made = await Assets(registry).register(sender, terms, owners)
    if sell:
        await world.sell(name, id=made.id, pay_to=made.shares, registered=True)
    return made


async def two_services(world):
    base = await register(world, "base")
    tenth = 10 * 10**12
    owners = (Holding(ANN, 2 * tenth), Holding(BOB, tenth))
    return base, await register(world, "built", [Parent(base.shares, 500)], owners)


@pytest.mark.anvil
async def test_the_page_says_what_the_contract_does(world, http):
    base, built = await two_services(world)
    found = (await http.get(f"/payees/{built.id:#034x}")).json()
    assert (found["whole"], found["owners"]) == (str(COIN), 3)
    by_address = {each["address"]: int(each["amount"]) for each in found["parts"]}
    assert {each["name"] for each in found["parts"]} == {"", "base"}

    owner = signer_of(KeyRole.OWNER, world.installation.config)
    sender = world.installation.sender(owner)
    await sender.execute(world.dollar.mint(built.shares, COIN), "pay/built")
    shares, token = Shares(built.shares, world.installation.client), world.dollar.address
    await sender.execute(shares.accrue(token), "accrue/built")
    for holder in (ANN, BOB, owner.address):
        assert 0 <= by_address[holder] - await shares.pending(holder, token) <= 1  # fractions wait for the next payment
    assert await shares.pending_royalty(base.shares, token) == by_address[base.shares]
    assert (await shares.revenue(token)).fee_credited == by_address[None]


@pytest.mark.anvil
async def test_a_plain_service_needs_no_node_and_one_with_shares_says_that_it_does(world, http, monkeypatch):
    _, built = await two_services(world)
    plain = (await http.get("/models/chat")).json()

    async def silent(*_arguments):
        raise RpcUnavailable("the node does not answer")

    monkeypatch.setattr(RegistryClient, "asset", silent)
    monkeypatch.setattr(world.gateway.get(Payees), "_known", {})
    one = (await http.get(f"/payees/{plain['asset']}")).json()
    assert [(each["role"], each["address"]) for each in one["parts"]] == [("payee", plain["owned_by"])]
    assert (await http.get(f"/payees/{built.id:#034x}")).status_code == 503
    section = await http.get(f"{world.url.removesuffix('v1')}payees-of/{built.id:#034x}")
    assert section.status_code == 200
    assert "the chain's node does not answer" in section.text.replace("&#39;", "'")
    assert (await http.get(f"/payees/0x{'ab' * 16}")).status_code == 404


@needs_chromium
@pytest.mark.anvil
async def test_a_services_page_shows_a_dollar_divided(world, browser, url):
    _, built = await two_services(world)
    async with visit(browser, f"{url}/s/built", **PHONE) as shown:
        page = shown.page
        await page.get_by_role("heading", name="Who is paid").scroll_into_view_if_needed()
        await expect(page.get_by_role("img", name="Of each 1\N{NO-BREAK SPACE}tUSD that callers pay")).to_be_visible()
        legend = page.locator(".legend li")
        texts = [text.replace("\N{NO-BREAK SPACE}", " ") for text in await legend.all_text_contents()]
        assert texts[0].endswith("tUSD to 3 owners")
        assert texts[1] == "0.05 tUSD royalty to the owners of base"
        await expect(page.get_by_role("link", name="base")).to_have_attribute("href", "/s/base")
        assert await shown.too_wide() <= 0
        assert await shown.accessibility_faults() == []
        assert shown.problems == []
    await check_page(browser, f"{url}/payees-of/{built.id:#034x}")
    async with visit(browser, f"{url}/payees-of/{built.id:#034x}?language=de", **NARROW) as shown:
        await expect(shown.page.get_by_role("heading", level=1)).to_have_text("Wer bezahlt wird")
        await expect(shown.page.locator(".legend").get_by_text("an 3 Eigentümer")).to_be_visible()
