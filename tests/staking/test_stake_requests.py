"""What an account signs to change its lock: one operation a turn by passkey, one permitted call, or transactions."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest
from eth_account import Account

from tests.staking.stake_town import BEN, DOLLAR, TOKEN, StakeTown, stake_town
from tests.staking.stakers import PasskeyStaker, WalletStaker, code
from tests.support.gateway_server import served
from tests.support.hanging_node import hanging_node
from tests.support.safe_wallet import SafeWallet
from usufruct.app import open_installation
from usufruct.chain.contracts.shared import ERC20InsufficientAllowance
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import Address
from usufruct.staking import WEEK_SECONDS
from usufruct.staking.lock_model import end_after
from usufruct.staking.stake_view import StakeViews
from usufruct.web import Router

pytestmark = pytest.mark.anvil

THIEF = DEVNET_ADDRESSES[7]
PAID = "7\N{NO-BREAK SPACE}tUSD"
ALL = str(100 * TOKEN)


@pytest.fixture
async def town(devnet_template, tmp_path) -> AsyncIterator[StakeTown]:
    async with stake_town(devnet_template, tmp_path, relayer_account_gas=12_000_000) as opened:
        yield opened


async def test_a_passkey_without_money_locks_by_one_operation_of_two_tabs(town: StakeTown):
    """The account is created for it; of two tabs, each at the same turn, one is made."""
    staker = await PasskeyStaker(town, 91).enter()
    await town.give(staker.account, 100)
    first, again, other = [await staker.ask("lock", amount=ALL, weeks=weeks) for weeks in (52, 52, 26)]
    assert first.json() == again.json() != other.json()
    operations = [each.json()["operation"] for each in (first, other)]
    assert len({each["body"]["operation"]["nonce"] for each in operations}) == 1

    made = await staker.sign_and_send(operations[0])
    assert (made.status_code, made.json()["state"]) == (200, "succeeded"), made.text
    assert (await staker.sign_and_send(operations[0])).json() == made.json()
    assert code(await staker.sign_and_send(operations[1])) == "operation_refused"
    stake = await town.of(staker.account)
    assert (stake.lock.amount, stake.ends_at) == (100 * TOKEN, end_after(52, stake.now))
    assert await town.stakes.token.allowance(staker.account, town.stakes.escrow.address) == 0
    assert await town.installation.client.balance(staker.account) == 0


async def test_a_page_that_is_out_of_date_changes_nothing(town: StakeTown):
    """The mark that a page was made with holds until the account's next change."""
    staker = await PasskeyStaker(town, 92).enter()
    await town.give(staker.account, 100)
    requests = town.requests
    seen = await requests.seen(await town.of(staker.account))
    assert (await staker.do("lock", amount=str(60 * TOKEN), weeks=8, seen=seen)).json()["state"] == "succeeded"
    assert code(await staker.ask("increase", amount=str(TOKEN), seen=seen)) == "stake_outdated"
    for action, amount in (("increase", 40), ("exit", 30), ("lock", 60), ("increase", 10)):
        seen = await requests.seen(await town.of(staker.account))
        done = await staker.do(action, amount=str(amount * TOKEN), weeks=8 if action == "lock" else None, seen=seen)
        assert done.json().get("state") == "succeeded", (action, done.text)
        assert code(await staker.ask(action, amount="1", seen=seen)) == "stake_outdated"
    assert (await town.of(staker.account)).lock.amount == 70 * TOKEN


async def test_every_verb_of_a_passkey(town: StakeTown):
    staker = await PasskeyStaker(town, 93).enter()
    await town.give(staker.account, 100)
    await town.lock(BEN, 100, 52)

    async def done(action: str, **wish: object) -> None:
        answer = await staker.do(action, **wish)
        assert (answer.status_code, answer.json().get("state")) == (200, "succeeded"), (action, answer.text)

    await done("lock", amount=ALL, weeks=2)
    await done("extend", weeks=3)
    await done("renew")
    await done("stopRenewal")
    await done("delegate", to=BEN)
    await town.pass_week()
    await town.act(BEN, town.stakes.exit(100 * TOKEN, BEN))
    await town.pay_revenue(110 * DOLLAR)
    await town.pass_week()
    await town.pass_week()
    due = await town.of(staker.account)
    assert 6 * DOLLAR - due.revenue in (0, 1), "300 of 5,500 of weight, rounded down"
    assert due.penalties > 0
    await done("claim")
    assert await town.dollar.balance_of(staker.account) == due.revenue
    assert code(await staker.ask("claim")) == "stake_refused"
    await town.pass_week()
    await done("withdraw")
    assert (await town.of(staker.account)).held == 100 * TOKEN + due.penalties


async def test_an_early_exit_takes_at_most_what_was_shown(town: StakeTown):
    staker = await PasskeyStaker(town, 94).enter()
    await town.give(staker.account, 100)
    await staker.do("lock", amount=ALL, weeks=52)
    penalty = (await town.of(staker.account)).exit_penalty
    refused = await staker.ask("exit", amount=str(penalty - 1))
    assert (code(refused), refused.json()["error"]["details"]["reason"]) == ("stake_refused", "penalty")
    asked = (await staker.ask("exit", amount=str(penalty))).json()["operation"]
    owner = await town.stakes.escrow.owner()
    await town.devnet.set_balance(owner, 10**18)
    await town.act(owner, town.stakes.escrow.set_exit_penalty(5_000))
    assert code(await staker.sign_and_send(asked)) == "operation_refused", "the owner raised it meanwhile"
    assert (await town.of(staker.account)).lock.amount == 100 * TOKEN


async def test_the_relayer_pays_for_no_other_call_and_for_no_account_that_locks_nothing(town: StakeTown):
    """Drains: other spenders, other verbs, accounts whose first call brings nothing."""
    staker = await PasskeyStaker(town, 95).enter()
    escrow, token = town.stakes.escrow, town.stakes.token
    for call in (
        token.approve(THIEF, 1),
        token.transfer(THIEF, 1),
        token.transfer_from(BEN, THIEF, 1),
        escrow.lock_for(THIEF, 1, 1),
        escrow.set_locker(staker.account, allowed=True),
        VoteEscrow(Address(token.address)).lock(1, 1),
    ):
        assert code(await staker.ask_calls(call)) == "call_not_relayed"

    coins = await town.installation.client.balance(town.relayer)
    for calls in ([escrow.lock(TOKEN, 1)], [escrow.lock(0, 1)], [escrow.claim(THIEF)], [escrow.delegate(THIEF)]):
        asked = await staker.ask_calls(*calls)
        assert code(await staker.sign_and_send(asked.json())) == "account_unfunded"
    assert await town.installation.client.code_at(staker.account) == b""
    assert await town.installation.client.balance(town.relayer) == coins, "refused before anything is sent"


async def test_an_account_that_changes_its_lock_again_and_again_reaches_the_days_bound(devnet_template, tmp_path):
    async with stake_town(devnet_template, tmp_path, relayer_account_gas=2_500_000) as town:
        staker = await PasskeyStaker(town, 96).enter()
        await town.give(staker.account, 100)
        answers = [await staker.do("lock", amount=ALL, weeks=52)]
        while answers[-1].status_code == 200 and len(answers) < 20:
            answers.append(await staker.do("delegate", to=THIEF))
    assert code(answers[-1]) == "relay_limited"
    assert len(answers) > 2


async def test_a_wallet_locks_by_a_permit_and_one_transaction(town: StakeTown):
    staker = await WalletStaker(town, Account.create()).enter()
    await town.give(staker.account, 100)
    asked = (await staker.ask("lock", amount=str(60 * TOKEN), weeks=26)).json()
    assert (asked["operation"], asked["transactions"]) == (None, [])
    permitted = (await staker.permitted(asked["permit"])).json()["transactions"]
    await staker.send(permitted)
    assert len(permitted) == 1
    stake = await town.of(staker.account)
    assert (stake.lock.amount, stake.held) == (60 * TOKEN, 40 * TOKEN)

    permit = (await staker.ask("increase", amount=str(10 * TOKEN))).json()["permit"]
    other = (await staker.permitted(permit, amount=str(40 * TOKEN))).json()["transactions"]
    with pytest.raises(ERC20InsufficientAllowance):
        await staker.send(other)
    again = (await staker.permitted(permit)).json()["transactions"]
    await staker.send(again)
    with pytest.raises(ERC20InsufficientAllowance):
        await staker.send(again)
    assert (await town.of(staker.account)).lock.amount == 70 * TOKEN


async def test_a_contract_wallet_approves_exactly_what_it_locks(town: StakeTown):
    safe = await SafeWallet.make(town.installation.client)
    await safe.create()
    staker = await WalletStaker(town, safe).enter()
    await town.give(staker.account, 100)
    asked = (await staker.ask("lock", amount=ALL, weeks=26)).json()
    assert (asked["permit"], len(asked["transactions"])) == (None, 2)
    await staker.send(asked["transactions"])
    assert (await town.of(staker.account)).lock.amount == 100 * TOKEN
    assert await town.stakes.token.allowance(staker.account, town.stakes.escrow.address) == 0


async def test_what_the_contract_would_refuse_is_refused_with_its_reason(town: StakeTown):
    staker = await WalletStaker(town, Account.create()).enter()
    await town.give(staker.account, 10)
    await town.devnet.set_balance(staker.account, 10**18)

    async def reason(action: str, **wish: object) -> str:
        error = (await staker.ask(action, **wish)).json()["error"]
        return str((error.get("details") or {}).get("reason") or error["code"])

    assert await reason("lock", amount=str(11 * TOKEN), weeks=1) == "stake_unfunded"
    assert await reason("lock", amount="0", weeks=1) == "invalid_stake"
    for action in ("renew", "withdraw", "stopRenewal"):
        assert await reason(action) == "no_lock"
    await town.lock(staker.account, 5, 1)
    assert await reason("lock", amount="1", weeks=1) == "locked"
    assert await reason("extend", weeks=1) == "not_longer"
    assert await reason("stopRenewal") == "renewal"
    assert await reason("withdraw") == "not_ended"
    assert await reason("claim") == "nothing"
    await town.pass_week()
    assert await reason("increase", amount="1") == "ending"
    assert await reason("renew") == "ending"
    await town.pass_week()
    assert await reason("exit", amount=ALL) == "ended"
    owner = await town.stakes.escrow.owner()
    await town.devnet.set_balance(owner, 10**18)
    await town.act(owner, town.stakes.escrow.set_exit_penalty(0))
    assert await reason("exit", amount=ALL) == "exit_closed"
    await staker.http.delete("/sessions/current")
    assert (await staker.ask("claim")).status_code == 401


async def test_the_page_waits_once_for_a_node_that_hangs_and_shows_what_is_known(town: StakeTown):
    await town.lock(BEN, 100, 52)
    await town.devnet.pass_time(WEEK_SECONDS)
    await town.pay_revenue(7 * DOLLAR)
    await town.pass_week()
    config = town.installation.config
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(hanging_node(town.rpc_url))
        other = replace(config, chain=replace(config.chain, rpc_url=node.url))
        gateway = await stack.enter_async_context(open_installation(other))
        routes = [route for component in gateway.components for route in component.routes()]
        _, url, _ = await stack.enter_async_context(served(Router(routes)))  # without jobs, which ask the node too
        views = gateway.get(StakeViews)
        staker = await WalletStaker(replace(town, url=url, clients=town.clients), Account.create()).enter()

        async def page(path: str, **headers: str) -> httpx.Response:
            root = str(staker.http.base_url).removesuffix("/v1/")
            return await staker.http.get(f"{root}{path}", headers={"accept": "text/html", **headers})

        views.node.seconds = 60.0
        known = await page("/stake")
        assert (PAID in known.text, "does not answer" in known.text) == (True, False)
        node.hang_on(b'"method"')
        views.node.seconds = 2.0
        shown = await page("/stake")
        assert (shown.status_code, node.hung, node.in_a_row) == (200, 1, 0)
        assert (PAID in shown.text, "locks and scores are not known" in shown.text) == (True, True)
        assert "Continue" not in shown.text, "what may have changed is not offered"
        sheet = await page("/stake/confirm?action=lock&amount=1&weeks=1", **{"hx-request": "true"})
        assert sheet.status_code == 503
        assert code(await staker.ask("lock", amount="1", weeks=1)) == "rpc_unavailable"
