"""Stakers over HTTP: one with a passkey, one with a wallet."""

from typing import Any

import httpx
from eth_account.messages import encode_defunct, encode_typed_data

from tests.staking.stake_town import StakeTown
from tests.support.passkeys import SoftwarePasskey, hexed
from usufruct.accounts.passkeys import operation_hash
from usufruct.accounts.passkeys.api import packed
from usufruct.chain import Call
from usufruct.core import ZERO_ADDRESS, Address, address
from usufruct_client.passkey_wire import UserOperation
from usufruct_client.wire_types import read


def code(answer: httpx.Response) -> str:
    """The code of a refusal."""
    return str(answer.json()["error"]["code"])


class PasskeyStaker:
    """Someone who is signed in with a passkey; the account exists on the chain when its first operation is made."""

    def __init__(self, town: StakeTown, secret: int) -> None:
        self.town = town
        self.http = town.visitor()
        self.passkey = SoftwarePasskey(secret, town.root)
        self.account: Address = ZERO_ADDRESS

    async def enter(self) -> "PasskeyStaker":
        challenge = bytes.fromhex((await self.http.post("/passkeys/challenge")).json()["challenge"][2:])
        made = await self.http.post("/passkeys", json=self.passkey.create(challenge).body())
        assert made.status_code == 201, made.text
        self.account = address(made.json()["address"])
        return self

    async def move(self, town: StakeTown) -> None:
        """Sign in at another gateway of the same installation."""
        self.town, self.http, self.passkey.site = town, town.visitor(), town.root
        challenge = bytes.fromhex((await self.http.post("/passkeys/challenge")).json()["challenge"][2:])
        signed = self.passkey.get(challenge).body(credentialId=hexed(self.passkey.credential))
        entered = await self.http.post("/sessions/passkey", json=signed)
        assert entered.status_code == 201, entered.text

    async def ask(self, action: str, **wish: object) -> httpx.Response:
        return await self.http.post("/staking/requests", json={"action": action, **wish})

    async def ask_calls(self, *calls: Call) -> httpx.Response:
        """Ask for a signature over any calls."""
        body = [{"to": each.to, "data": hexed(each.data)} for each in calls]
        return await self.http.post("/account/wallet/operations", json={"calls": body})

    async def sign_and_send(self, request: dict[str, Any]) -> httpx.Response:
        """Sign an operation, and send it."""
        body = request["body"]
        wire = packed(read(UserOperation, body["operation"], ValueError))
        digest = operation_hash(self.town.installation.chain_id, wire)
        assertion = self.passkey.get(digest).body(credentialId=hexed(self.passkey.credential))
        return await self.http.post("/passkeys/operations", json=body | {"assertion": assertion})

    async def do(self, action: str, **wish: object) -> httpx.Response:
        """Ask, sign and send."""
        asked = await self.ask(action, **wish)
        return await self.sign_and_send(asked.json()["operation"]) if asked.status_code == 200 else asked


class WalletStaker:
    """Someone whose wallet signs; `account` as eth_account has it, or a Safe with its `address`."""

    def __init__(self, town: StakeTown, account: Any) -> None:
        self.town = town
        self.http = town.visitor()
        self._account = account
        self.account = address(account.address)

    async def enter(self) -> "WalletStaker":
        asked = (await self.http.post("/sessions/challenge", json={"address": self.account})).json()
        signature = self._account.sign_message(encode_defunct(text=asked.pop("text"))).signature.hex()
        entered = await self.http.post("/sessions", json=asked | {"signature": "0x" + signature.removeprefix("0x")})
        assert entered.status_code == 201, entered.text
        return self

    async def ask(self, action: str, **wish: object) -> httpx.Response:
        return await self.http.post("/staking/requests", json={"action": action, **wish})

    async def permitted(self, permit: dict[str, Any], **changes: object) -> httpx.Response:
        """Sign a permit, and ask for its transaction; `changes` are made to what was signed."""
        signature = self._account.sign_message(encode_typed_data(full_message=permit["document"])).signature.hex()
        body = permit["body"] | {"signature": "0x" + signature.removeprefix("0x")} | changes
        return await self.http.post(permit["post"].removeprefix("/v1"), json=body)

    async def send(self, transactions: list[dict[str, Any]]) -> None:
        """Send transactions as the wallet does."""
        await self.town.devnet.set_balance(self.account, 10**18)
        calls = [Call(each["to"], bytes.fromhex(each["data"][2:])) for each in transactions]
        await self.town.act(self.account, *calls)
