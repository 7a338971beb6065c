"""A buyer's deposits as JSON: what is left, who gets it back and when, each once, and to the unit."""

import asyncio

import openai
import pytest

from tests.market.test_buyer import DOLLAR, deposit, make_key
from tests.support.ledger_samples import named
from tests.support.waiting import until
from tests.support.x402_installation import x402_installation
from usufruct.accounts import Keys
from usufruct.chain import Call
from usufruct.chain.contracts.batch_settlement import Refunded, WithdrawFinalized, WithdrawInitiated
from usufruct.chain.contracts.till import Till
from usufruct.chain.escrow import SETTLEMENT
from usufruct.core import address
from usufruct.market.deposits import deposit_page
from usufruct.payments.settlement import Claimer, SettlementContext
from usufruct.payments.settlement.event_watcher import EventWatcher
from usufruct_client.deposit_wire import DepositFacts, RefundFacts

pytestmark = pytest.mark.anvil
DAY = 86_400


async def paid_in(world, http, enter, dollars=2):
    """Return a wallet with gas, and its key with a deposit and one call."""
    account = await world.account()
    await world.devnet.set_balance(address(account.address), 10**18)
    await enter(http, account)
    made = await make_key(http, account)
    assert (await deposit(http, account, made["channel"], dollars * DOLLAR)).status_code == 200
    client = openai.AsyncOpenAI(base_url=world.url, api_key=made["key"], max_retries=0, timeout=120)
    ask = [{"role": "user", "content": "x"}]
    answer = await client.chat.completions.create(model="chat", messages=ask, max_tokens=10)
    await client.close()
    return account, made, int(answer.usage.cost_details["charge"])


async def shown(http) -> dict:
    answer = await http.get("/account/deposits")
    assert answer.status_code == 200, answer.text
    [only] = answer.json()["deposits"]
    return only


async def events(world, kind, channel) -> list:
    last = await world.installation.client.block_number()
    return await world.installation.client.logs(0, last, addresses=[SETTLEMENT], topics=[kind.TOPIC, channel])


async def send(world, account, call: dict) -> None:
    """Send what a wallet is given, from that wallet."""
    await world.devnet.send_as(address(account.address), Call(address(call["to"]), bytes.fromhex(call["data"][2:])))


async def work(world) -> None:
    """See what happened on the chain and claim what is due, as a worker does."""
    await world.installation.get(EventWatcher).poll()
    await world.installation.get(Claimer).run()


async def test_what_is_left_comes_back_once_however_often_it_is_asked_for(world, http, enter):
    account, made, charge = await paid_in(world, http, enter)
    before = await shown(http)
    assert [int(before[each]) for each in ("paidIn", "spent", "reserved", "withdrawable")] == [
        2 * DOLLAR, charge, 0, 2 * DOLLAR - charge,
    ]  # fmt: skip
    assert (before["refund"], before["withdrawal"], before["keyId"]) == (None, None, made["id"])
    await world.devnet.set_automine(on=False)
    wish = {"channel": made["channel"]}
    asked = await asyncio.gather(*(http.post("/account/refunds", json=wish) for _ in range(5)))
    assert {each.status_code for each in asked} == {200}, [each.text for each in asked]
    assert {each.json()["refund"]["state"] for each in asked} == {"requested"}
    pending = await shown(http)
    assert int(pending["refund"]["amount"]) == 2 * DOLLAR - charge
    assert pending["refund"]["arrivesBy"] == pending["refund"]["requestedAt"] + 600
    assert pending["withdrawable"] == "0"

    await world.devnet.set_automine(on=True)
    await world.devnet.mine()

    async def done() -> bool:
        return (await shown(http))["refund"]["state"] == "done"

    await until(done)
    after = await shown(http)
    [log] = await events(world, Refunded, made["channel"])
    assert after["refund"]["transaction"] == log.transaction_hash
    assert await world.balance(account) == 1000 * DOLLAR - charge
    assert await world.dollar.balance_of(SETTLEMENT) == int(after["paidIn"]) == charge
    refused = await http.post("/account/refunds", json=wish)
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "nothing_to_refund")
    assert len(await events(world, Refunded, made["channel"])) == 1
    root = world.url.removesuffix("/v1")
    for path in ("/account", "/account/deposits/returned?page=7"):
        page = await http.get(f"{root}{path}")
        assert (page.status_code, page.text.count("refund done")) == (200, 1)


def test_of_deposits_that_came_back_a_page_is_shown_and_all_others():
    done = RefundFacts("done", 5, 1, 2, None)
    left = {"paid_in": 7, "withdrawable": 7, "refund": None}
    deposits = [facts(number, **(left if number % 2 else {"refund": done})) for number in range(90)]
    deposits += [facts(90), facts(91, refund=RefundFacts("requested", 5, 1, 2, None))]
    found = [deposit_page(deposits, page) for page in (0, 1, 2, 3, 4)]
    assert [(each.page, each.pages, len(each.open)) for each in found] == [
        (1, 3, 46), (1, 3, 46), (2, 3, 46), (3, 3, 46), (3, 3, 46),
    ]  # fmt: skip
    returned = [int(each.key_id) for page in found[1:4] for each in page.returned]
    assert returned == list(range(0, 90, 2))


def facts(number: int, **changes) -> DepositFacts:
    """A key's empty deposit."""
    amounts = dict.fromkeys(("paid_in", "spent", "reserved", "withdrawable", "refund_from", "withdraw_delay"), 0)
    nothing = {"returns_at": None, "refund": None, "withdrawal": None}
    return DepositFacts(**{"channel": named(number), "key_id": f"{number}", "label": ""} | amounts | nothing | changes)


async def test_a_refund_that_the_chain_refuses_leaves_the_money_and_can_be_asked_for_again(world, http, enter):
    account, made, charge = await paid_in(world, http, enter)
    till = world.installation.get(SettlementContext).terms.till
    code = await world.installation.client.code_at(till)
    await world.devnet.set_code(till, bytes.fromhex("5f5ffd"))

    async def state() -> str:
        return (await shown(http))["refund"]["state"]

    async def failed() -> bool:
        return await state() == "failed"

    async def done() -> bool:
        return await state() == "done"

    assert (await http.post("/account/refunds", json={"channel": made["channel"]})).status_code == 200
    await until(failed)
    assert (await shown(http))["withdrawable"] == str(2 * DOLLAR - charge)
    assert await world.balance(account) == 998 * DOLLAR
    await world.devnet.set_code(till, code)
    assert await Till(till, world.installation.client).owner()
    assert (await http.post("/account/refunds", json={"channel": made["channel"]})).status_code == 200
    await until(done)
    assert await world.balance(account) == 1000 * DOLLAR - charge


async def test_it_is_taken_without_the_operator_after_the_delay_and_calls_that_were_made_are_paid(world, http, enter):
    account, made, charge = await paid_in(world, http, enter)
    wish = {"channel": made["channel"]}
    step = (await http.post("/account/withdrawals", json=wish)).json()
    assert (step["step"], step["call"]["to"], step["request"]) == ("announce", SETTLEMENT.lower(), None)
    await send(world, account, step["call"])
    announced = (await shown(http))["withdrawal"]
    assert (announced["amount"], announced["canFinish"]) == (str(2 * DOLLAR), False)
    assert announced["finishFrom"] == announced["announcedAt"] + (await shown(http))["withdrawDelay"]
    again = await http.post("/account/withdrawals", json=wish)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "withdrawal_pending")
    await work(world)

    await world.devnet.pass_time(DAY)
    assert (await shown(http))["withdrawal"]["canFinish"] is True
    step = (await http.post("/account/withdrawals", json=wish)).json()
    assert step["step"] == "finish"
    await send(world, account, step["call"])
    assert len(await events(world, WithdrawInitiated, made["channel"])) == 1
    assert len(await events(world, WithdrawFinalized, made["channel"])) == 1
    assert await world.balance(account) == 1000 * DOLLAR - charge
    over = await shown(http)
    assert (over["withdrawal"], over["withdrawable"], over["paidIn"]) == (None, "0", str(charge))
    assert await world.dollar.balance_of(SETTLEMENT) == 0
    nothing = await http.post("/account/withdrawals", json=wish)
    assert nothing.json()["error"]["code"] == "nothing_left"


async def test_an_announcement_of_a_leaked_session_key_is_finished_and_the_rest_announced_at_once(world, http, enter):
    account, made, _ = await paid_in(world, http, enter)
    channel = made["channel"]
    of = await world.gateway.get(SettlementContext).ledger.account(channel)
    money = (await http.get(f"/channels/{channel}", headers={"authorization": f"Bearer {made['key']}"})).json()
    step = (await http.post("/account/withdrawals", json={"channel": channel})).json()
    session = of.signer
    assert session == money["channelConfig"]["payerAuthorizer"]
    await world.devnet.set_balance(session, 10**18)
    data = bytes.fromhex(step["call"]["data"][2:])
    thief = Call(SETTLEMENT, data[:-32] + (1).to_bytes(32, "big"))
    await world.devnet.send_as(session, thief)
    await work(world)
    await world.devnet.pass_time(DAY)
    step = (await http.post("/account/withdrawals", json={"channel": channel})).json()
    await send(world, account, step["call"])
    now = (await shown(http))["withdrawal"]
    assert (int(now["amount"]), now["canFinish"]) == (2 * DOLLAR - 1 - of.charged, False)


async def test_only_its_payer_sees_and_moves_a_deposit(world, http, enter):
    _, made, _ = await paid_in(world, http, enter)
    assert (await http.delete("/sessions/current")).status_code == 204
    wish = {"channel": made["channel"]}
    for path in ("refunds", "withdrawals"):
        assert (await http.post(f"/account/{path}", json=wish)).status_code == 401
    assert (await http.get("/account/deposits")).status_code == 401
    await enter(http, await world.account())
    assert (await http.get("/account/deposits")).json()["deposits"] == []
    for path in ("refunds", "withdrawals"):
        refused = await http.post(f"/account/{path}", json=wish)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "channel_not_found")


async def test_while_the_node_is_away_deposits_are_shown_and_no_step_is_offered(world, http, enter):
    _, made, charge = await paid_in(world, http, enter)
    await world.anvil.stop()
    assert int((await shown(http))["withdrawable"]) == 2 * DOLLAR - charge
    refused = await http.post("/account/withdrawals", json={"channel": made["channel"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "rpc_unavailable")


async def test_it_says_when_the_operator_gives_it_back_and_when_it_comes_back_unasked(
    devnet_template, tmp_path, http_at, enter
):
    async with x402_installation(devnet_template, tmp_path, cooling_seconds=DAY) as world, http_at(world) as http:
        await world.sell("chat")
        _, made, _ = await paid_in(world, http, enter)
        found = await shown(http)
        now = await world.gateway.get(SettlementContext).database.now()
        assert now - 600 < found["refundFrom"] - DAY <= now
        assert now - 600 < found["returnsAt"] - 30 * DAY <= now
        refused = await http.post("/account/refunds", json={"channel": made["channel"]})
        assert (refused.status_code, refused.json()["error"]["code"]) == (402, "refund_too_soon")
        await world.gateway.get(Keys).revoke(made["payer"], made["id"])
        assert now - 600 < (await shown(http))["returnsAt"] - 3600 <= now
