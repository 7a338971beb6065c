"""What the treasury holds is shown as it is; a proposal swaps a fee token, and the stakers get what it brought."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.support.dao import BEN, TIMELOCK_DELAY, Dao
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.staked_economy import ANN, DOLLAR, TOKEN
from usufruct.app import open_installation
from usufruct.chain import ChainAccess
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.test_market import TestMarket
from usufruct.core import DAY_SECONDS, checksum
from usufruct_client.governance_documents import TreasuryFacts
from usufruct_client.wire_types import read_answer

pytestmark = pytest.mark.anvil

SUPPLY = 10_000_000_000 * TOKEN
PAGE = {"accept": "text/html"}


def test_commands_api_and_page_show_what_the_treasury_holds(dao: Dao):
    async def given(chain: ChainAccess) -> str:
        dollar = TestDollar(chain.deployments.address(TestDollar))
        await Devnet(chain.client).send_as(chain.treasury, dollar.mint(chain.treasury, 12_500_001))
        await Devnet(chain.client).set_balance(chain.treasury, 10**18 + 1)
        return chain.treasury

    treasury = dao.inside(given)
    rows = {each["token"]: each for each in dao.gov("treasury")}
    amounts = {name: each["amount"] for name, each in rows.items()}
    assert {name: amounts[name] for name in ("the chain's coin", "tUSD", "EXM")} == {
        "the chain's coin": "1.000000000000000001",
        "tUSD": "12.500001",
        "EXM": "3,000,000,000",
    }
    assert {each["treasury"] for each in rows.values()} == {checksum(treasury)}

    async def asked() -> tuple[TreasuryFacts, str]:
        async with open_installation(dao.commands.config) as installation:
            transport = httpx.ASGITransport(installation.router())
            async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as http:
                facts = read_answer(TreasuryFacts, (await http.get("/v1/treasury")).json())
                return facts, (await http.get("/proposals", headers=PAGE)).text

    facts, page = asyncio.run(asked())
    assert facts.address == treasury
    held = {each.symbol: (each.amount, each.decimals, each.token is None) for each in facts.holdings}
    assert (held[""], held["tUSD"]) == ((10**18 + 1, 18, True), (12_500_001, 6, False))
    assert held["EXM"] == (SUPPLY * 3 // 10, 18, False)
    assert "What the treasury holds" in page
    assert "12.500001" in page


def test_a_proposal_swaps_a_fee_token_and_the_stakers_get_the_dollars(devnet_template: DevnetTemplate, tmp_path: Path):
    """The guide's example: approve the market, swap 100 tokens to the splitter; then anyone distributes."""
    with devnet_template.copy(tmp_path) as anvil:
        dao = Dao(tmp_path, anvil.url, platform_token_reinvest_test_price="0.05")
        deadline = dao.of(ANN).now + 30 * DAY_SECONDS
        path = "[PlatformToken, TestDollar]"
        swap = f"TestMarket.swapExactTokensForTokens(100 EXM, 4.9 tUSD, {path}, FeeSplitter, {deadline})"
        proposal = dao.propose("PlatformToken.approve(TestMarket, 100 EXM)", swap, text="Swap the fees in EXM")
        shown = dao.gov("show", proposal)
        assert shown["simulation"]["succeeds"]
        moved = {(each["name"], each["symbol"]): each["amount"] for each in shown["simulation"]["movements"]}
        assert moved["treasury", "EXM"] == str(-100 * TOKEN)
        dao.begin_voting()
        dao.gov("vote", proposal, "for", wallet=ANN)
        dao.end_voting()
        dao.gov("queue", proposal, wallet=BEN)
        dao.pass_time(TIMELOCK_DELAY)

        async def books(chain: ChainAccess) -> tuple[int, int]:
            dollar = TestDollar(chain.deployments.address(TestDollar), chain.client)
            token = PlatformToken(chain.deployments.address(PlatformToken), chain.client)
            market = chain.deployments.address(TestMarket)
            return await token.balance_of(chain.treasury), await dollar.balance_of(market)

        held, reserve = dao.inside(books)
        revenue = dao.held_by_escrow()[1]
        dao.gov("execute", proposal, wallet=BEN)
        left, reserve_left = dao.inside(books)
        bought = reserve - reserve_left
        assert held - left == 100 * TOKEN
        assert 49 * DOLLAR // 10 <= bought < 5 * DOLLAR
        dao.stake("distribute", wallet=BEN)
        assert dao.held_by_escrow()[1] - revenue == bought
