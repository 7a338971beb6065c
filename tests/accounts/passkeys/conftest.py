"""A site with passkey accounts on a devnet of its own, served over HTTP, and people with passkeys."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import httpx
import pytest

from tests.support.devnet import Devnet, devnet_client
from tests.support.fake_clock import FakeClock
from tests.support.gateway_server import served
from tests.support.passkeys import SoftwarePasskey, hexed
from usufruct.accounts import Sessions
from usufruct.accounts.passkeys import GasLimits, Passkeys, Relay, new_operation, operation_hash
from usufruct.accounts.passkeys.allowed_calls import relayed_calls
from usufruct.accounts.passkeys.api import packed, passkey_routes
from usufruct.accounts.passkeys.passkeys import PasskeyContracts
from usufruct.accounts.passkeys.relay import RelayPolicy
from usufruct.accounts.passkeys.relay_store import RelayBounds
from usufruct.accounts.passkeys.wallet import Wallet
from usufruct.accounts.passkeys.wallet_api import wallet_routes
from usufruct.accounts.session_api import session_routes
from usufruct.accounts.wallet_signatures import WalletSignatures
from usufruct.chain import Call, ChainAccess, Client
from usufruct.chain.contracts.entry_point import PackedUserOperation
from usufruct.chain.contracts.passkey_account import PasskeyAccount
from usufruct.chain.contracts.passkey_account_factory import PasskeyAccountFactory
from usufruct.chain.contracts.passkey_verifier import PasskeyVerifier
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, signer_of
from usufruct.config import ChainConfig, Config
from usufruct.core import ZERO_ADDRESS, Address
from usufruct.core.networks import DEVNET_CHAIN_ID
from usufruct.store import Stamp
from usufruct.web import Router
from usufruct_client.passkey_wire import UserOperation
from usufruct_client.wire_types import read

OWNER = DEVNET_ADDRESSES[0]
DOLLAR = 1_000_000
LIMITS = GasLimits(400_000, 500_000)
BOUNDS = RelayBounds(account_gas=4_000_000, total_gwei=50_000_000)


class Funded:
    """Says that a wallet can deposit when it holds a dollar."""

    def __init__(self, dollar: TestDollar) -> None:
        self._dollar = dollar

    async def can_deposit(self, payer: Address) -> bool:
        return await self._dollar.balance_of(payer) >= DOLLAR


@dataclass
class Person:
    """Someone with a passkey and a browser."""

    world: "World"
    passkey: SoftwarePasskey
    http: httpx.AsyncClient
    account: Address = ZERO_ADDRESS
    operations: int = 0

    async def challenge(self) -> bytes:
        asked = await self.http.post("/passkeys/challenge")
        assert asked.status_code == 200, asked.text
        return bytes.fromhex(asked.json()["challenge"][2:])

    async def make_wallet(self) -> httpx.Response:
        answer = await self.http.post("/passkeys", json=self.passkey.create(await self.challenge()).body())
        if answer.status_code == 201:
            self.account = answer.json()["address"]
        return answer

    async def sign_in(self, passkey: SoftwarePasskey | None = None) -> httpx.Response:
        used = passkey or self.passkey
        body = used.get(await self.challenge()).body(credentialId=hexed(used.credential))
        return await self.http.post("/sessions/passkey", json=body)

    def operation(self, *calls: Call, limits: GasLimits = LIMITS, **changes: object) -> PackedUserOperation:
        self.operations += 1
        operation = new_operation(self.account, calls, self.operations, limits)
        operation = replace(operation, **changes)
        digest = operation_hash(DEVNET_CHAIN_ID, operation)
        return replace(operation, signature=self.passkey.sign(self.world.contracts.verifier, digest))

    async def send(self, operation: PackedUserOperation) -> httpx.Response:
        return await self.http.post("/operations", json=as_json(operation))

    async def ask(self, path: str, **wish: object) -> httpx.Response:
        return await self.http.post(f"/account/wallet/{path}", json=wish or None)

    def signed(self, request: httpx.Response, passkey: SoftwarePasskey | None = None) -> dict[str, object]:
        """Return the body that sends what a request asks to sign."""
        assert request.status_code == 200, request.text
        used, body = passkey or self.passkey, request.json()["body"]
        digest = operation_hash(DEVNET_CHAIN_ID, packed(read(UserOperation, body["operation"], ValueError)))
        return body | {"assertion": used.get(digest).body(credentialId=hexed(used.credential))}

    async def do(self, path: str, passkey: SoftwarePasskey | None = None, **wish: object) -> httpx.Response:
        """Ask, sign and send."""
        return await self.http.post("/passkeys/operations", json=self.signed(await self.ask(path, **wish), passkey))

    async def pay(self, amount: int = 1, *, limits: GasLimits = LIMITS) -> httpx.Response:
        return await self.send(self.operation(self.world.dollar.transfer(OWNER, amount), limits=limits))


@dataclass
class World:
    """Everything behind the site."""

    client: Client
    chain: ChainAccess
    contracts: PasskeyContracts
    dollar: TestDollar
    passkeys: Passkeys
    sessions: Sessions
    clock: FakeClock
    url: str = ""
    relay: Relay | None = None
    people: Sequence[httpx.AsyncClient] = ()

    @property
    def devnet(self) -> Devnet:
        return Devnet(self.client)

    @property
    def funds(self) -> Funded:
        return Funded(self.dollar)

    def new_relay(self, bounds: RelayBounds = BOUNDS, policy: RelayPolicy | None = None) -> Relay:
        sender = self.chain.sender(signer_of(Role.RELAYER, self.chain.config))
        return Relay(self.chain, sender, relayed_calls(self.dollar.address), bounds, self.clock, policy)

    def person(self, secret: int) -> Person:
        http = httpx.AsyncClient(base_url=self.url, timeout=60)
        self.people = [*self.people, http]
        return Person(self, SoftwarePasskey(secret, self.url.removesuffix("/v1")), http)

    async def owner(self, secret: int, dollars: int = 10) -> Person:
        """Return a person whose account exists and holds money."""
        person = self.person(secret)
        assert (await person.make_wallet()).status_code == 201
        await self.devnet.send_as(OWNER, self.dollar.mint(person.account, dollars * DOLLAR))
        assert self.relay
        await self.passkeys.ensure_exists(person.account, self.relay, self.funds)
        return person

    def wallet(self, person: Person) -> PasskeyAccount:
        return PasskeyAccount(person.account, self.client)


def as_json(operation: PackedUserOperation) -> dict[str, object]:
    return {
        "sender": operation.sender,
        "nonce": str(operation.nonce),
        "initCode": hexed(operation.init_code),
        "callData": hexed(operation.call_data),
        "accountGasLimits": hexed(operation.account_gas_limits),
        "preVerificationGas": str(operation.pre_verification_gas),
        "gasFees": hexed(operation.gas_fees),
        "paymasterAndData": hexed(operation.paymaster_and_data),
        "signature": hexed(operation.signature),
    }


@pytest.fixture
def hardfork() -> str | None:
    """Return whose rules hold on the devnet; None: the newest's."""
    return None


@pytest.fixture
async def world(devnet_template, tmp_path, database, hardfork) -> AsyncIterator[World]:
    async with devnet_template.running(tmp_path, hardfork) as anvil, devnet_client(anvil.url) as client:
        deployments = Deployments.read(tmp_path, DEVNET_CHAIN_ID)
        config = Config(chain=ChainConfig(anvil.url, poll_milliseconds=20, node_seconds=60))
        chain = ChainAccess(config, database, client, deployments)
        contracts = PasskeyContracts(deployments.address(PasskeyAccountFactory), deployments.address(PasskeyVerifier))
        clock, secret = FakeClock(), b"a secret of thirty-two bytes ...."
        signatures = WalletSignatures(client)
        sessions = Sessions(database, Stamp(secret, "sign-in"), clock, DEVNET_CHAIN_ID, signatures=signatures)
        passkeys = Passkeys(database, client, contracts, sessions, Stamp(secret, "passkeys"), clock)
        dollar = TestDollar(deployments.address(TestDollar), client)
        found = World(client, chain, contracts, dollar, passkeys, sessions, clock)
        found.relay = found.new_relay()
        wallet = Wallet(passkeys, found.relay, found.funds, client, DEVNET_CHAIN_ID, dollar.address)
        routes = [
            *passkey_routes(passkeys, sessions, found.relay),
            *session_routes(sessions, None),
            *wallet_routes(wallet, passkeys, sessions, DEVNET_CHAIN_ID),
        ]
        async with served(Router(routes)) as (_, url, _):
            found.url = url.replace("127.0.0.1", "localhost")
            yield found
            for http in found.people:
                await http.aclose()
