"""Revenue that becomes part of a lock: by command, by passkey, on the page; its settings, and what stops it."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import httpx
import pytest
from eth_account import Account

from tests.staking.stake_town import BEN, DOLLAR, TOKEN, StakeTown, stake_town, town_config
from tests.staking.stakers import PasskeyStaker, WalletStaker, code
from tests.staking.test_platform_token import OWNER, TREASURY, setup_of
from tests.support.devnet_template import DevnetTemplate
from tests.support.staked_economy import ANN, Economy
from tests.support.staked_economy import BEN as BEN_WALLET
from usufruct.app import set_up_devnet
from usufruct.chain import ChainAccess, Client, Sender
from usufruct.chain.contracts.reinvestor import Reinvestor
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.test_market import TestMarket
from usufruct.chain.contracts.test_price_feed import TestPriceFeed
from usufruct.chain.contracts.vote_escrow import NotALocker
from usufruct.chain.deployment import Deployments, DeploySite
from usufruct.config import InvalidSetting, PlatformTokenConfig
from usufruct.core import Address, ChainId
from usufruct.core.diagnostics import Verdict
from usufruct.core.networks import DEVNET_CHAIN_ID
from usufruct.staking.component import deploy_steps
from usufruct.staking.errors import StakeRefused
from usufruct.staking.reinvest_deployment import check_reinvesting
from usufruct.staking.reinvestments import FeedPrice, ReinvestQuote

PRICE = "0.05"
ROUTER, FEED = "0x" + "11" * 20, "0x" + "22" * 20
SETTINGS = PlatformTokenConfig("Example", "EXM", reinvest_router=ROUTER, reinvest_feed=FEED, fee_to="operator")


def steps_of(settings: PlatformTokenConfig, chain_id: int = 1) -> list[str]:
    site = DeploySite(
        Client("http://127.0.0.1:1"),
        cast(Sender, None),
        Deployments(ChainId(chain_id), {}),
        setup_of(OWNER, TREASURY),
    )
    return [step.what for step in deploy_steps(site, settings)][3:]


def test_reinvesting_is_deployed_where_it_is_configured():
    own = ["deploy Reinvestor", "set the market that revenue is reinvested at", "let Reinvestor add to locks"]
    assert steps_of(SETTINGS) == own
    assert steps_of(replace(SETTINGS, reinvest_router="", reinvest_feed="")) == []
    local = replace(SETTINGS, reinvest_router="", reinvest_feed="", reinvest_test_price=PRICE)
    before = ["deploy TestMarket", "deploy TestPriceFeed", "give the test market dollars", "post the test price"]
    assert steps_of(local, DEVNET_CHAIN_ID) == [*before, *own]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"reinvest_feed": ""}, "reinvest_feed"),
        ({"reinvest_router": ""}, "reinvest_router"),
        ({"reinvest_test_price": PRICE}, "reinvest_test_price"),
        ({"reinvest_test_price": PRICE, "reinvest_router": "", "reinvest_feed": ""}, "reinvest_test_price"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changed: dict[str, str], named: str):
    with pytest.raises(InvalidSetting, match=named):
        steps_of(replace(SETTINGS, **changed))


@pytest.mark.parametrize(
    ("expected", "least", "slippage", "named"),
    [(1_000, 900, 50, 995), (1_000, 999, 50, 999), (1_001, 0, 1, 1_001), (1_000, 0, 10_000, 0)],
)
def test_the_least_is_the_markets_less_the_slippage_and_the_prices_at_least(
    expected: int, least: int, slippage: int, named: int
):
    quote = ReinvestQuote(1, expected, least, cast(FeedPrice, None), 200)
    assert quote.min_out(slippage) == named


@pytest.mark.anvil
def test_a_wallet_reinvests_by_command_while_the_price_is_fresh(devnet_template: DevnetTemplate, tmp_path: Path):
    with devnet_template.copy(tmp_path) as anvil:
        economy = Economy(tmp_path, anvil.url, platform_token_reinvest_test_price=PRICE)
        locked = economy.stake("lock", "520", "--weeks", "52", wallet=ANN)
        economy.pass_weeks(1)
        economy.pay_revenue(10 * DOLLAR + 1)
        economy.pass_weeks(1)

        refused = economy.commands.refused("stake", "reinvest", "--wallet", str(ANN))
        assert (refused.code, refused.details["reason"]) == ("stake_refused", "no_price"), "two weeks old"
        assert economy.inside(_findings) == [False]
        asyncio.run(set_up_devnet(economy.commands.config))  # which posts the price again
        assert economy.inside(_findings) == [True]

        refused = economy.commands.refused("stake", "reinvest", "--min-out", "200", "--wallet", str(ANN))
        assert refused.details["reason"] == "market", "the market keeps 0.3 %"
        done = economy.stake("reinvest", "--slippage", "0.1", wallet=ANN)
        bought = economy.of(ANN).lock.amount - 520 * TOKEN
        assert 199 * TOKEN < bought < 200 * TOKEN
        assert (done["spent"], done["ends"], done["claimable"]) == ("10 tUSD", locked["ends"], "0 tUSD")
        assert done["bought"].startswith("199.3")
        assert economy.held_by_escrow() == (520 * TOKEN + bought, 1)
        refused = economy.commands.refused("stake", "reinvest", "--wallet", str(ANN))
        assert refused.details["reason"] == "nothing"


@pytest.mark.anvil
def test_a_signed_reinvestment_is_sent_by_another_wallet_once(devnet_template: DevnetTemplate, tmp_path: Path):
    file = tmp_path / "reinvestment.json"

    with devnet_template.copy(tmp_path) as anvil:
        economy = Economy(tmp_path, anvil.url, platform_token_reinvest_test_price=PRICE)
        economy.stake("lock", "520", "--weeks", "52", wallet=ANN)

        def refusal(**changed: object) -> tuple[object, object]:
            altered = tmp_path / "altered.json"
            altered.write_text(json.dumps({**json.loads(file.read_text()), **changed}))
            error = economy.commands.refused("stake", "send-reinvest", str(altered), "--wallet", str(BEN_WALLET))
            assert "\n" not in error.message
            return error.code, error.details.get("field") or error.details.get("reason")

        early = economy.commands.refused("stake", "sign-reinvest", "--wallet", str(ANN))
        assert early.details["reason"] == "nothing", "without --min-out there must be something to quote"
        short = economy.stake("sign-reinvest", "--min-out", "1", "--hours", "1", wallet=ANN)
        economy.pass_weeks(1)
        economy.pay_revenue(10 * DOLLAR + 1)
        economy.pass_weeks(1)
        asyncio.run(set_up_devnet(economy.commands.config))  # which posts the price again
        printed = economy.stake("sign-reinvest", "--slippage", "0.1", wallet=ANN)
        assert 199 * TOKEN < int(printed["minOut"]) < 200 * TOKEN

        made = economy.commands.run(
            *("stake", "sign-reinvest", "--min-out", "199", "--hours", "72", "--wallet", str(ANN), "--out", str(file))
        )
        assert (made.exit_code, made.stdout) == (0, "")
        assert "buys at least 199 EXM for its lock, until 20" in made.stderr
        nowhere = ("--min-out", "199", "--wallet", str(ANN), "--out", str(tmp_path / "none" / "file.json"))
        assert economy.commands.refused("stake", "sign-reinvest", *nowhere).details["field"] == "out"
        assert refusal(chainId="1") == ("invalid_stake", "chainId")
        assert refusal(escrow=FEED) == ("invalid_stake", "escrow")
        assert refusal(reinvestor=FEED) == ("invalid_stake", "reinvestor")
        assert refusal(nonce="7") == ("invalid_stake", "nonce")
        assert refusal(minOut=str(198 * TOKEN)) == refusal(nonce="0", deadline=2**33) == ("invalid_stake", "signature")
        assert refusal(minOut=str(200 * TOKEN)) == ("stake_refused", "minOut"), "the market keeps 0.3 %"
        assert refusal(minOut=1)[0] == "invalid_stake"
        assert refusal(**short) == ("invalid_stake", "deadline")

        before = economy.of(BEN_WALLET)
        done = economy.stake("send-reinvest", str(file), wallet=BEN_WALLET)
        bought = economy.of(ANN).lock.amount - 520 * TOKEN
        assert 199 * TOKEN < bought < 200 * TOKEN
        assert (done["spent"], done["least"], done["claimable"]) == ("10 tUSD", "199 EXM", "0 tUSD")
        assert (economy.of(BEN_WALLET).held, economy.of(BEN_WALLET).lock) == (before.held, before.lock)
        assert refusal() == ("invalid_stake", "nonce"), "it was sent"
        file.write_text("no JSON")
        error = economy.commands.refused("stake", "send-reinvest", str(file), "--wallet", str(BEN_WALLET))
        assert (error.code, error.details["field"]) == ("invalid_stake", "file")


async def _findings(chain: ChainAccess) -> list[bool]:
    return [each.verdict is Verdict.OK async for each in check_reinvesting(chain)]


@pytest.mark.anvil
async def test_a_passkey_a_wallet_and_a_page_reinvest(devnet_template: DevnetTemplate, tmp_path: Path):
    settings = {"relayer_account_gas": 12_000_000, "platform_token_reinvest_test_price": PRICE}
    async with stake_town(devnet_template, tmp_path, **settings) as town:
        staker = await PasskeyStaker(town, 91).enter()
        wallet = await WalletStaker(town, Account.create()).enter()
        await town.give(wallet.account, 100)
        await town.give(staker.account, 100)
        await town.devnet.set_balance(wallet.account, TOKEN)
        await town.act(wallet.account, town.stakes.token.approve(town.stakes.escrow.address, 100 * TOKEN))
        await town.act(wallet.account, town.stakes.escrow.lock(100 * TOKEN, 52))
        assert (await staker.do("lock", amount=str(100 * TOKEN), weeks=52)).json()["state"] == "succeeded"
        assert await _refusal(staker) == "nothing"
        await town.pass_week()
        await town.pay_revenue(20 * DOLLAR)
        await town.pass_week()
        assert await _refusal(staker) == "no_price"
        assert "Add it to your lock" in await _page(staker, "/stake")
        await set_up_devnet(town.installation.config)

        facts = (await staker.http.get(f"/staking/accounts/{staker.account}/reinvestment")).json()
        assert (facts["revenue"], facts["price"], facts["slippageBps"]) == ("9999999", "0.05", 200)
        assert int(facts["least"]) < int(facts["minOut"]) < int(facts["expected"])
        sheet = await _page(staker, "/stake/confirm?action=reinvest", {"hx-request": "true"})
        assert f'data-amount="{facts["minOut"]}"' in sheet
        assert "0.05 tUSD" in sheet.replace("\N{NO-BREAK SPACE}", " ")

        made = await staker.do("reinvest", amount=facts["minOut"])
        assert made.json().get("state") == "succeeded", made.text
        assert int(facts["minOut"]) <= (await town.of(staker.account)).lock.amount - 100 * TOKEN

        asked = (await wallet.ask("reinvest")).json()
        assert (asked["operation"], asked["permit"], len(asked["transactions"])) == (None, None, 1)
        await wallet.send(asked["transactions"])
        assert (await town.of(wallet.account)).lock.amount > 299 * TOKEN

        await _move_market(town)
        await town.pay_revenue(20 * DOLLAR)
        await town.pass_week()
        await set_up_devnet(town.installation.config)
        assert await _refusal(staker) == "market"
        reinvestor = await _close(town)
        assert await _refusal(staker) == "reinvest_closed"
        assert "Add it to your lock" not in await _page(staker, "/stake")
        with pytest.raises(NotALocker):
            await town.act(staker.account, town.stakes.escrow.reinvest(reinvestor, 0, 2**63))
        assert (await staker.do("claim")).json()["state"] == "succeeded", "a claim needs no market"


@pytest.mark.anvil
async def test_without_a_market_nothing_is_offered(devnet_template: DevnetTemplate, tmp_path: Path):
    async with stake_town(devnet_template, tmp_path) as town:
        await town.lock(BEN, 100, 52)
        assert Reinvestor.__name__ not in town.installation.deployments.contracts
        assert not await town.stakes.reinvestments.offered()
        with pytest.raises(StakeRefused) as refused:
            await town.stakes.reinvestments.quote(DOLLAR)
        assert refused.value.details["reason"] == "reinvest_closed"
        answer = await town.visitor().get(f"/staking/accounts/{BEN}/reinvestment")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stake_refused")


async def _refusal(staker: PasskeyStaker) -> object:
    answer = await staker.ask("reinvest")
    assert code(answer) == "stake_refused", answer.text
    return answer.json()["error"]["details"]["reason"]


async def _page(staker: PasskeyStaker, path: str, headers: dict[str, str] | None = None) -> str:
    cookies = httpx.Cookies(staker.http.cookies)
    async with httpx.AsyncClient(cookies=cookies, timeout=120) as http:
        return (await http.get(staker.town.root + path, headers=headers)).text


async def _move_market(town: StakeTown) -> None:
    """Buy a tenth of the market's tokens, so that they cost more than the feed says."""
    chain = town.installation.get(ChainAccess)
    market = TestMarket(chain.deployments.address(TestMarket), chain.client)
    dollars = 600_000 * DOLLAR
    path = (town.dollar.address, town.stakes.token.address)
    assert TestPriceFeed.__name__ in chain.deployments.contracts
    await town.act(
        BEN,
        TestDollar(town.dollar.address).mint(BEN, dollars),
        town.dollar.approve(market.address, dollars),
        market.swap_exact_tokens_for_tokens(dollars, 0, path, BEN, 2**63),
    )


async def _close(town: StakeTown) -> Address:
    chain = town.installation.get(ChainAccess)
    reinvestor = chain.deployments.address(Reinvestor)
    await town.act(await town.stakes.escrow.owner(), town.stakes.escrow.set_locker(reinvestor, allowed=False))
    return reinvestor


def test_the_market_is_part_of_a_local_chains_allocation(tmp_path: Path):
    config = town_config(tmp_path, "http://127.0.0.1:1", platform_token_reinvest_test_price=PRICE)
    assert steps_of(config.platform_token, config.chain.id)[:1] == ["deploy TestMarket"]
