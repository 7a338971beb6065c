"""A devnet with everything deployed, two services owned 70/20/10, a payer with test dollars, and the parts that settle.

The fixtures `settled_chain` and `town` (in `conftest.py`) and `settlement_crash.py` use it.
"""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.deploying import deploy_devnet, setup_of
from tests.support.deposit_documents import dollar_facts, receive_authorization
from tests.support.devnet import Devnet
from tests.support.fake_clock import FakeClock
from tests.support.typed_data import sign_document
from usufruct.chain import Call, Client, Sender, keccak
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.asset_registry import AssetRegistry, Kind, PriceCard, PriceUnit, Registration
from usufruct.chain.contracts.batch_settlement import BatchSettlement, Voucher, VoucherClaim
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.escrow import COLLECTOR, SETTLEMENT
from usufruct.chain.keys import KeySigner, devnet_signer
from usufruct.config import LedgerConfig
from usufruct.core import Address, AssetId, ChainId, Hash32, NotFound, hash32_from_bytes
from usufruct.payments.ledger.records import Bill, Opened, Reservation
from usufruct.payments.ledger.service import Ledger, open_ledger
from usufruct.payments.pricing.grants import PassTerms
from usufruct.payments.pricing.vouchers import ChannelConfig, Escrow, channel_id, sign_voucher
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.claimer import Claimer
from usufruct.payments.settlement.deposit_authorization import DepositAuthorization
from usufruct.payments.settlement.deposits import Deposits
from usufruct.payments.settlement.event_watcher import EventWatcher
from usufruct.payments.settlement.model import ClaimPolicy, RefundPolicy, SettlementContext, on_chain
from usufruct.payments.settlement.operator_terms import ChannelTerms
from usufruct.payments.settlement.refunds import Refunds
from usufruct.store import Database, Seal
from usufruct_client.bill_lines import OUTPUT_TEXT_TOKEN, bill_lines, rates_of

SEAL = Seal(b"a secret of these tests", "stored answers")

CHAIN = ChainId(31337)
OWNER, CLAIM_KEY, RELAYER, PAYER, FIRST, SECOND, THIRD, STRANGER, FEE_SINK, TREASURY = (
    devnet_signer(index, CHAIN) for index in range(10)
)
SESSION = KeySigner(keccak(b"session key"))
ESCROW = Escrow(CHAIN, SETTLEMENT)
ZERO = Address("0x" + "0" * 40)
DOLLAR = 1_000_000
PATIENCE = 60.0
FEE_BPS = 250
SHARES = 100_000_000 * 10**6


def named(text: object) -> Hash32:
    """A 32-byte id that always belongs to the same text."""
    return hash32_from_bytes(keccak(str(text).encode()))


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything stands."""

    till: Address
    dollar: Address
    registry: Address
    passes: Address
    assets: tuple[AssetId, ...]
    shares: tuple[Address, ...]


async def act(client: Client, sender: Address, call: Call) -> None:
    """Send a call as anybody, without a key, and wait until it is mined."""
    transaction = await Devnet(client).send_as(sender, call)
    for _ in range(6_000):
        if receipt := await client.receipt(transaction):
            assert receipt.succeeded, transaction
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{transaction} is not mined")


async def build(client: Client, database: Database) -> Place:
    """Deploy, register two services whose shares three people own, and open the till to them."""
    sender = Sender(client, OWNER, database, CHAIN, poll_seconds=0.02)
    setup = setup_of(OWNER.address, FEE_SINK.address, fee_bps=FEE_BPS)
    deployments = await deploy_devnet(client, sender, CHAIN, setup)
    till = Till(deployments.address(Till), client)
    dollar = TestDollar(deployments.address(TestDollar), client)
    registry = AssetRegistry(deployments.address(AssetRegistry), client)
    assets: list[AssetId] = []
    shares: list[Address] = []
    for name in ("first", "second"):
        registration = _registration(name, dollar.address)
        found = await registry.predict(FIRST.address, registration)
        await act(client, FIRST.address, registry.register(registration))
        of = Shares(found.shares, client)
        await act(client, FIRST.address, of.transfer(SECOND.address, SHARES * 20 // 100))
        await act(client, FIRST.address, of.transfer(THIRD.address, SHARES * 10 // 100))
        await sender.execute(till.set_payee(found.shares, PayeeKind.SHARES), f"payee/{name}")
        assets.append(found.id)
        shares.append(found.shares)
    await sender.execute(till.set_payee(TREASURY.address, PayeeKind.PLAIN), "payee/treasury")
    await sender.execute(till.set_claim_key(CLAIM_KEY.address, True), "claim key")
    await act(client, OWNER.address, dollar.mint(PAYER.address, 1000 * DOLLAR))
    passes = deployments.address(AccessPass)
    return Place(till.address, dollar.address, registry.address, passes, tuple(assets), tuple(shares))


def _registration(name: str, dollar: Address) -> Registration:
    return Registration(
        salt=keccak(name.encode()),
        kind=Kind.MODEL,
        name=name,
        symbol=name.upper(),
        uri="",
        endpoint="",
        currency=dollar,
        price_card=PriceCard(1, 1, 1, 10_000, PriceUnit.TEXT_TOKEN, 1000, 1),
        notice_period=3600,
        transfer_policy=ZERO,
        resale_royalty_bps=0,
        parents=(),
        meter=ZERO,
    )


@dataclass
class Register:
    """Fulfils `Payee`: what the asset packages know. `unknown` assets have nobody to pay."""

    payees: dict[AssetId, Address]

    async def pay_to(self, asset: AssetId) -> Address:
        if asset not in self.payees:
            raise NotFound(f"asset {asset} has no payee; register it", asset=str(asset))
        return self.payees[asset]


@dataclass
class Gone:
    """The channels whose money is of no more use here."""

    channels: list[Hash32] = field(default_factory=list)

    async def leaving(self) -> list[Hash32]:
        return self.channels


async def blacklist(town: "Town", account: Address) -> None:
    """Make the dollar refuse to pay an account: its code moves aside, and a guard that calls it takes its place."""
    aside = Address("0x" + "b1" * 20)
    await town.devnet.set_code(aside, await town.client.code_at(town.place.dollar))
    refuse_to = f"5f3560e01c63a9059cbb1460043573{account[2:]}1416604857"
    pass_on = f"365f5f375f5f365f73{aside[2:]}5af43d5f5f3e604457"
    guard = bytes.fromhex(refuse_to + pass_on)
    revert_same, return_same = len(guard), len(guard) + 3
    assert revert_same < 256
    ending = bytes.fromhex("3d5ffd" + "5b3d5ff3" + "5b5f5ffd")
    guard = bytes.fromhex(
        refuse_to.replace("604857", f"60{return_same + 4:02x}57") + pass_on.replace("604457", f"60{return_same:02x}57")
    )
    await town.devnet.set_code(town.place.dollar, guard + ending)


async def pardon(town: "Town") -> None:
    """Undo `blacklist`."""
    await town.devnet.set_code(town.place.dollar, await town.client.code_at(Address("0x" + "b1" * 20)))


class Town:
    """One installation on one devnet."""

    def __init__(self, client: Client, database: Database, place: Place, **options: Any) -> None:
        self.client, self.database, self.place = client, database, place
        self.devnet = Devnet(client)
        confirmations = options.get("confirmations", 1)
        self.ledger: Ledger = open_ledger(database, LedgerConfig(), seal=SEAL)
        terms = ChannelTerms(place.till, frozenset({place.dollar}))
        passes = PassTerms(CHAIN, place.passes, CLAIM_KEY.address, place.dollar)
        final = options.get("final_blocks", 4)
        self.clock = FakeClock()
        self.context = SettlementContext(
            client,
            ESCROW,
            terms,
            passes,
            self.ledger,
            database,
            confirmations,
            final,
            alone=options.get("alone", False),
            sweep_seconds=options.get("sweep_seconds", 600),
        )
        self.till = Till(place.till, client)
        self.dollar = TestDollar(place.dollar, client)
        self.settlement = BatchSettlement(SETTLEMENT, client)
        self.shares = tuple(Shares(address, client) for address in place.shares)
        self.register = Register(dict(zip(place.assets, place.shares, strict=True)))
        self.leavers = Gone()
        self.sync = AccountSync(self.context)
        self.channels = self.sync.channels.registry
        self.watcher = EventWatcher(self.context, self.sync, self.clock)
        self.claim_sender = self.sender(CLAIM_KEY, confirmations)
        self.relayer = self.sender(RELAYER, confirmations)
        wait = options.get("wait_seconds", PATIENCE)
        self.refund_policy = RefundPolicy(
            idle_seconds=options.get("idle_seconds", 0),
            forgotten_seconds=options.get("forgotten_seconds", 10**9),
            cooling_seconds=options.get("cooling_seconds", 86_400),
        )
        self.wait_for_the_chain(wait)
        self.policy = options.get("policy", ClaimPolicy(threshold=1, wait_seconds=wait))
        self.claimer = self.new_claimer(faults=options.get("faults"))

    def wait_for_the_chain(self, seconds: float = PATIENCE) -> None:
        """Let deposits and refunds wait so long for their transactions from now on."""
        self.deposits = Deposits(self.context, self.relayer, self.sync, wait_seconds=seconds)
        policy = replace(self.refund_policy, wait_seconds=seconds)
        self.refunds = Refunds(self.context, self.claim_sender, self.sync, self.leavers.leaving, policy)

    def sender(self, signer: KeySigner, confirmations: int = 1) -> Sender:
        return Sender(self.client, signer, self.database, CHAIN, confirmations=confirmations, poll_seconds=0.02)

    def new_claimer(self, *, faults: Any = None, sender: Sender | None = None, lease: Any = None) -> Claimer:
        extra = {"faults": faults} if faults else {}
        return Claimer(
            self.context,
            sender or self.claim_sender,
            self.register,
            TREASURY.address,
            self.sync,
            policy=self.policy,
            lease=lease,
            **extra,
        )

    def config(self, name: object = 0, **changes: Any) -> ChannelConfig:
        fields: dict[str, Any] = {
            "payer": PAYER.address,
            "payer_authorizer": SESSION.address,
            "receiver": self.place.till,
            "receiver_authorizer": self.place.till,
            "token": self.place.dollar,
            "withdraw_delay": 86_400,
            "salt": named(name),
        }
        return ChannelConfig(**fields | changes)

    async def observe(self, *configs: ChannelConfig) -> list[Any]:
        """Read channels now into the ledger, whether or not it has them."""
        return await self.sync.observe([await self.channels.add(config) for config in configs])

    def channel(self, name: object = 0) -> Hash32:
        return channel_id(ESCROW, self.config(name))

    async def authorization(
        self,
        amount: int,
        name: object = 0,
        *,
        config: ChannelConfig | None = None,
        salt: int = 1,
        valid_before: int | None = None,
        chain_id: ChainId = CHAIN,
        signer: KeySigner = PAYER,
        signed_amount: int | None = None,
    ) -> DepositAuthorization:
        """A deposit as a payer's wallet signs it."""
        config = config or self.config(name)
        head = await self.client.head()
        until = head.timestamp + 600 if valid_before is None else valid_before
        unsigned = DepositAuthorization(config, amount, 0, until, salt, b"")
        shown = replace(unsigned, config=replace(config, payer=signer.address), amount=signed_amount or amount)
        channel = channel_id(ESCROW, config)
        document = receive_authorization(chain_id, shown, channel, dollar_facts(self.place.dollar))
        signature = sign_document(signer, document)
        return replace(unsigned, signature=signature)

    async def deposit(self, amount: int, name: object = 0, *, salt: int = 1) -> Hash32:
        await self.deposits.submit(await self.authorization(amount, name, salt=salt))
        return self.channel(name)

    async def call(self, call: object, charge: int, name: object = 0, *, asset: int = 0) -> Hash32:
        """Serve one call for `charge` atomic units, from its reservation to its bill."""
        reserved = await self.reserve(call, charge, name, asset=asset)
        bill = Bill(
            charge,
            bill_lines({OUTPUT_TEXT_TOKEN: 64}, rates_of("text_token", 0, 0, 0, charge)),
            flagged=False,
            model_digest=named("model"),
            response_hash=named(call),
        )
        await self.ledger.meter(reserved.lease, bill)
        return reserved.lease.call

    async def reserve(self, call: object, ceiling: int, name: object = 0, *, asset: int = 0) -> Any:
        channel = self.channel(name)
        opened = await self.ledger.open(
            Reservation(
                call=named(call),
                account=channel,
                asset=self.place.assets[asset],
                ceiling=ceiling,
                price_card_version=1,
                request_hash=named(f"request of {call}"),
                sign=lambda amount: sign_voucher(ESCROW, channel, amount, SESSION),
            ),
        )
        assert isinstance(opened, Opened)
        await opened.durable()
        return opened

    async def act(self, sender: Address, call: Call) -> None:
        """Send a call as anybody, and wait until it is mined."""
        await act(self.client, sender, call)

    async def deposit_by_stranger(self, amount: int, *, salt: int = 2) -> None:
        """Put a payer's deposit on the chain without any of our parts."""
        deposit = await self.authorization(amount, salt=salt)
        call = self.settlement.deposit(on_chain(deposit.config), amount, COLLECTOR, deposit.collector_data())
        await self.act(STRANGER.address, call)

    async def withdraw(self, amount: int, name: object = 0) -> None:
        """Announce a withdrawal, as the payer."""
        await self.act(PAYER.address, self.settlement.initiate_withdraw(on_chain(self.config(name)), amount))

    async def withdraw_by_session_key(self, *calls: Call) -> None:
        """Send calls to the settlement with the session key, in one transaction; the key's thief brings the gas."""
        await self.devnet.set_balance(SESSION.address, 10**18)
        await self.act(SESSION.address, self.settlement.multicall([call.data for call in calls]))

    async def balances(self) -> dict[str, int]:
        """Who holds how many test dollars, by the chain."""
        holders = {
            "payer": PAYER.address,
            "settlement": SETTLEMENT,
            "till": self.place.till,
            "first shares": self.place.shares[0],
            "second shares": self.place.shares[1],
            "treasury": TREASURY.address,
            "stranger": STRANGER.address,
        }
        return {name: await self.dollar.balance_of(address) for name, address in holders.items()}

    async def close(self) -> None:
        await self.ledger.close()


async def claim_elsewhere(town: Town, name: object, total: int) -> None:
    """Claim a channel up to `total` by a stranger's transaction, with a claim key's signature that got out."""
    channel = await town.ledger.account(town.channel(name))
    voucher = Voucher(on_chain(town.config(name)), channel.voucher.max_claimable)
    rows = [VoucherClaim(voucher, channel.voucher.signature, total)]
    signature = CLAIM_KEY.sign(await town.settlement.get_claim_batch_digest(rows))
    await town.act(STRANGER.address, town.settlement.claim_with_signature(rows, signature))
