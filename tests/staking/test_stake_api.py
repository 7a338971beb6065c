"""`/v1/staking` shows locks as the contract has them, and returns the transactions by which a wallet changes one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.staked_economy import ANN, DOLLAR, TOKEN, Economy
from usufruct.chain import Call, ChainAccess, Client
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import ZERO_ADDRESS, Address
from usufruct.staking import Stakes
from usufruct.staking.api import airdrop_lock_routes
from usufruct.staking.lock_model import end_after
from usufruct.staking.relayed_calls import StakersCalls
from usufruct.staking.stake_api import PATH, request_routes, stake_routes
from usufruct.staking.week_api import week_routes
from usufruct.web import Router
from usufruct.web.openapi import openapi_document

HOLDER = DEVNET_ADDRESSES[ANN]
ESCROW, COIN, STRANGER = (Address("0x" + digit * 40) for digit in "123")


@pytest.fixture
def economy(devnet_template: DevnetTemplate, tmp_path: Path) -> Iterator[Economy]:
    with devnet_template.copy(tmp_path) as anvil:
        yield Economy(tmp_path, anvil.url)


class Wallet:
    """Ann's wallet, which asks the API for transactions and sends them."""

    def __init__(self, http: httpx.AsyncClient, devnet: Devnet) -> None:
        self._http = http
        self._devnet = devnet

    async def get(self, path: str = "") -> Any:
        return (await self._http.get(PATH + path)).json()

    async def ask(self, **wish: object) -> httpx.Response:
        return await self._http.post(f"{PATH}/calls", json={"account": HOLDER, **wish})

    async def do(self, **wish: object) -> Any:
        """Send what a wish needs, and return the lock after it."""
        for each in (await self.ask(**wish)).json()["transactions"]:
            await self._devnet.send_as(HOLDER, Call(each["to"], bytes.fromhex(each["data"][2:]), int(each["value"])))
        return await self.get(f"/accounts/{HOLDER}")


async def changes_a_lock(chain: ChainAccess) -> None:
    stakes, devnet = Stakes(chain), Devnet(chain.client)
    transport = httpx.ASGITransport(Router(stake_routes(stakes)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=120) as http:
        wallet, now = Wallet(http, devnet), (await chain.client.head()).timestamp
        made = await wallet.do(action="lock", amount=str(400 * TOKEN), weeks=26)
        assert (made["amount"], made["nextScore"]) == (str(400 * TOKEN), str(200 * TOKEN))
        assert (made["endsAt"], made["score"], made["ended"]) == (end_after(26, now), "0", False)
        assert (await wallet.do(action="increase", amount=str(120 * TOKEN)))["amount"] == str(520 * TOKEN)
        assert (await wallet.do(action="extend", weeks=52))["endsAt"] == end_after(52, now)
        assert (await wallet.do(action="renew"))["renewalWeeks"] == 52
        assert (await wallet.do(action="stopRenewal"))["renewalWeeks"] == 0
        assert (await wallet.do(action="delegate", to=STRANGER))["delegate"] == STRANGER
        assert (await wallet.ask(action="claim")).json() == {"transactions": []}

        terms = await wallet.get()
        assert (terms["token"]["symbol"], terms["revenueToken"]["symbol"]) == ("EXM", "tUSD")
        assert (terms["totalScore"], terms["nextTotalScore"]) == ("0", str(520 * TOKEN))
        assert (terms["exitPenaltyBps"], terms["weekEndsAt"]) == (2_000, end_after(0, now))

        penalty = int((await wallet.get(f"/accounts/{HOLDER}"))["exitPenalty"])
        left = await wallet.do(action="exit", amount=str(penalty))
        assert (left["amount"], left["endsAt"], penalty) == ("0", 0, 104 * TOKEN)


async def claims(chain: ChainAccess) -> None:
    transport = httpx.ASGITransport(Router(stake_routes(Stakes(chain))))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=120) as http:
        wallet = Wallet(http, Devnet(chain.client))
        assert int((await wallet.get(f"/accounts/{HOLDER}"))["revenue"]) == DOLLAR - 1, "rounded down"
        assert (await wallet.do(action="claim"))["revenue"] == "0"


@pytest.mark.anvil
def test_a_wallet_does_by_its_transactions_what_it_wished(economy: Economy):
    economy.inside(changes_a_lock)
    economy.stake("lock", "1000", "--weeks", "32", wallet=ANN)
    economy.pass_weeks(1)
    economy.pay_revenue(DOLLAR)
    economy.pass_weeks(1)
    economy.inside(claims)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"action": "lock", "weeks": 1}, "amount"),
        ({"action": "lock", "amount": "1"}, "weeks"),
        ({"action": "lock", "amount": "1", "weeks": 53}, "weeks"),
        ({"action": "extend"}, "weeks"),
        ({"action": "exit"}, "amount"),
        ({"action": "delegate"}, "to"),
        ({"action": "sell"}, "action"),
    ],
)
async def test_a_wish_that_lacks_something_is_refused(wish: dict[str, object], field: str):
    transport = httpx.ASGITransport(Router(stake_routes(unasked_stakes())))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=120) as http:
        answer = await http.post(f"{PATH}/calls", json={"account": HOLDER, **wish})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_stake", field)


def unasked_stakes() -> Stakes:
    """Return stakes whose node is never asked."""
    stakes = object.__new__(Stakes)
    stakes.escrow, stakes.token = VoteEscrow(ESCROW), PlatformToken(COIN)
    return stakes


def test_the_routes_are_described():
    not_asked: Any = None
    stakes = unasked_stakes()
    routes = [
        *stake_routes(stakes),
        *request_routes(not_asked, not_asked, not_asked),
        *week_routes(stakes, not_asked, not_asked),
        *airdrop_lock_routes(not_asked, not_asked, not_asked),
    ]
    described = [(each.method, each.path, each.operation) for each in routes]
    validate(openapi_document(described, "test", "1"))


async def test_the_relayer_pays_for_what_a_staker_does_and_for_nothing_else():
    async with Client("http://127.0.0.1:9") as client:
        await pays_for_verbs(StakersCalls(ESCROW, COIN, client, least=1))


async def pays_for_verbs(calls: StakersCalls) -> None:
    escrow, token = VoteEscrow(ESCROW), PlatformToken(COIN)
    for call in (
        token.approve(ESCROW, 5),
        escrow.lock(1, 2),
        escrow.withdraw(STRANGER),
        escrow.exit_early(1, STRANGER),
        escrow.claim(STRANGER),
        escrow.delegate(STRANGER),
    ):
        assert await calls.pays_for(HOLDER, call)
    for call in (
        token.approve(STRANGER, 5),
        token.transfer(ESCROW, 5),
        escrow.set_locker(STRANGER, allowed=True),
        escrow.transfer_ownership(STRANGER),
        VoteEscrow(STRANGER).lock(1, 2),
        PlatformToken(ZERO_ADDRESS).approve(ESCROW, 5),
    ):
        assert not await calls.pays_for(HOLDER, call)
