"""`usufruct demo`: the main job, end to end, on a chain of our own; every figure at the end comes from its logs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import randbits
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import httpx
from openai import APIError, APIStatusError, AsyncOpenAI
from openai.types import CompletionUsage

from usufruct.accounts import KeyProof, KeyTerms, NewKey, key_digest
from usufruct.app import DEVNET_FEE_BPS, FEE_SINK, Installation, Role, open_installation, set_up_devnet, signer_of
from usufruct.chain import COLLECTOR, SETTLEMENT, Anvil, Client, ToolMissing, checksum, devnet_signer, toolchain
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.contracts.structs import Kind, PayeeKind, Registration
from usufruct.chain.contracts.structs import PriceCard as CardOnChain
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.till import Till
from usufruct.cli.balances import NOBODY, balances_from_logs, differences
from usufruct.cli.narrator import Narrator
from usufruct.cli.processes import Process
from usufruct.config import (
    ChainConfig,
    Config,
    DatabaseConfig,
    DataConfig,
    GatewayConfig,
    LedgerConfig,
    process_environment,
)
from usufruct.core import Address, Faulty, Hash32, SystemClock, format_units
from usufruct.gateway import Asset, Caps, CountingRule, Endpoint, PricePeriod, Replica
from usufruct.payments import Call, CallState, DepositAuthorization, PriceCard, WrongReceiptSigner, read_receipt

PRICES = PriceCard(
    input_per_million=500_000, output_per_million=1_500_000, per_call=20, context_window=8_192, version=1
)
DEPOSIT = 2_000_000
SPENDING_LIMIT = 1_000_000
OWNERS = {"owner, 70 %": (5, 0), "owner, 20 %": (6, 20_000_000_000_000), "owner, 10 %": (7, 10_000_000_000_000)}
PAYER = 4
QUESTION = "How does the money of a call reach the owners?"
ANOTHER_QUESTION = "What can the operator do, and what not?"
LEASE_SECONDS = 3


class DemoFailed(Faulty):
    """The demo did not show what it promises."""

    code = "demo_failed"


@dataclass
class Outcome:
    """What happened, in atomic units of the test dollar; `conserved` is computed from chain logs alone."""

    rpc_url: str
    addresses: Mapping[str, Address]
    assets: list[str] = field(default_factory=list)
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    charged: int = 0
    claimed: int = 0
    settled: int = 0
    protocol_fee: int = 0
    payouts: dict[str, int] = field(default_factory=dict)
    conserved: bool = False
    gas_per_call: int = 0
    seconds: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return it with amounts of money as text."""
        money = {name: str(getattr(self, name)) for name in ("charged", "claimed", "settled", "protocol_fee")}
        payouts = {who: str(amount) for who, amount in self.payouts.items()}
        return {**vars(self), **money, "payouts": payouts, "seconds": round(self.seconds, 1)}


async def run_demo(narrator: Narrator, folder: Path | None, *, stay: bool) -> Outcome:
    """Run the whole story; with `stay`, leave everything running until Ctrl-C.

    Raises:
        DemoFailed: when a step did not show what it should.
    """
    clock = SystemClock()
    began = clock.monotonic()
    async with AsyncExitStack() as stack:
        place = folder or Path(stack.enter_context(TemporaryDirectory(prefix="usufruct-", ignore_cleanup_errors=True)))
        place.mkdir(parents=True, exist_ok=True)
        story = await stack.enter_async_context(_open(narrator, place))
        await story.go_on_sale()
        await story.ask()
        await story.refuse()
        await story.crash()
        await story.settle()
        story.outcome.seconds = clock.monotonic() - began
        story.invite(stays=stay)
        if stay:
            await asyncio.Event().wait()
        return story.outcome


@asynccontextmanager
async def _open(narrator: Narrator, place: Path) -> AsyncIterator["Story"]:
    narrator.step("Local chain, test dollars, no account")
    async with AsyncExitStack() as stack:
        tools = DataConfig().folder
        await asyncio.to_thread(_fetch_anvil, narrator, tools)
        with narrator.working("starting a chain on this machine (anvil)"):
            anvil = await stack.enter_async_context(Anvil(state=place / "chain.json", data_folder=tools))
        config = Config(
            data=DataConfig(place),
            database=DatabaseConfig(f"sqlite:///{place / 'usufruct.db'}"),
            chain=ChainConfig(anvil.url, poll_milliseconds=50),
            ledger=LedgerConfig(lease_seconds=LEASE_SECONDS),
            gateway=GatewayConfig(port=0),
        )
        with narrator.working("deploying the contracts through the deterministic deployer"):
            await set_up_devnet(config)
        installation = await stack.enter_async_context(open_installation(config))
        with narrator.working("starting the service to be sold: question answering over this project's own pages"):
            librarian = await _start("usufruct.connectors.librarian", config, "--pace", "0.02", "--cache", str(place))
            stack.callback(librarian.stop)
        story = Story(narrator, installation, librarian.ready)
        stack.callback(story.stop_gateway)
        yield story


def _fetch_anvil(narrator: Narrator, tools: Path) -> None:
    """Fetch anvil once, for those who have the package alone and not the repository."""
    try:
        toolchain.find("anvil", tools)
    except ToolMissing:
        with narrator.working(f"fetching anvil {toolchain.VERSION} from npm (40 MB) into {tools}"):
            toolchain.install_anvil(tools)


async def _start(module: str, config: Config, *arguments: str) -> Process:
    log = config.data.folder / f"{module.split('.')[-1]}.log"
    return await asyncio.to_thread(Process, module, *arguments, environment=process_environment(config), log=log)


class Story:
    """The steps, in order; each leaves behind what the next one needs."""

    def __init__(self, narrator: Narrator, installation: Installation, service: Mapping[str, Any]) -> None:
        self._narrator = narrator
        self._installation = installation
        self._service = service
        self._gateway: Process | None = None
        self._key: NewKey | None = None
        self._shares: dict[str, Shares] = {}
        self._receipt: dict[str, Any] = {}
        contracts = installation.deployments.contracts
        addresses = {name: deployed.address for name, deployed in contracts.items()}
        self.outcome = Outcome(installation.config.chain.rpc_url, addresses)
        self._dollar = TestDollar(addresses["TestDollar"], installation.client)

    # 2

    async def go_on_sale(self) -> None:
        """Register the service and its embeddings, share them out, and open the gateway."""
        self._narrator.step("A service goes on sale")
        chat, embedding = self._service["chat_model"], self._service["embedding_model"]
        async with aiohttp.ClientSession() as session, session.get(f"{self._service['url']}/tokenizer") as answer:
            vocabulary = await answer.read()
        for name, endpoint in ((chat, Endpoint.CHAT), (embedding, Endpoint.EMBEDDINGS)):
            with self._narrator.working(f"registering {name}: title, 100,000,000 revenue shares, price card"):
                await self._register(name, endpoint, vocabulary)
        with self._narrator.working("starting the gateway"):
            await self._start_gateway()
        self._narrator.say(
            f"Price: ${_dollars(PRICES.input_per_million)} per million input tokens, "
            f"${_dollars(PRICES.output_per_million)} per million output tokens, ${_dollars(PRICES.per_call)} per call."
        )
        self._narrator.say(f"Owners of {chat}: 70 / 20 / 10. The protocol fee here is {DEVNET_FEE_BPS / 100:g} %.")

    async def _register(self, name: str, endpoint: Endpoint, vocabulary: bytes) -> None:
        installation = self._installation
        registry = AssetRegistry(installation.deployments.address(AssetRegistry), installation.client)
        registrant = devnet_signer(OWNERS["owner, 70 %"][0], installation.chain_id)
        sender = installation.sender(registrant)
        registration = _registration(name, self._dollar.address)
        predicted = await registry.predict(registrant.address, registration)
        await sender.execute(registry.register(registration), f"demo/register/{name}")
        shares = Shares(predicted.shares, installation.client)
        for index, amount in OWNERS.values():
            if amount:
                to = devnet_signer(index, installation.chain_id).address
                await sender.execute(shares.transfer(to, amount), f"demo/share/{name}/{index}")
        till = Till(installation.operator.till, installation.client)
        owner = installation.sender(signer_of(Role.OWNER, installation.config))
        await owner.execute(till.set_payee(shares.address, PayeeKind.SHARES), f"demo/payee/{name}")
        await installation.catalogue.add(
            Asset(
                name=name,
                endpoint=endpoint,
                pay_to=shares.address,
                id=predicted.id,
                replicas=(Replica(str(self._service["url"]), name),),
                prices=(PricePeriod(PRICES, 0),),
                counting=CountingRule(per_message=0, per_request=0),
                caps=Caps(usual_output=256, largest_output=2_048),
            ),
            vocabulary,
        )
        self._shares[name] = shares
        self.outcome.assets.append(hex(predicted.id))

    # 3

    async def ask(self) -> None:
        """Make a key, put money behind it, and ask with the stock client."""
        self._narrator.step("A question, by the stock openai client")
        with self._narrator.working(
            f"a payer deposits ${_dollars(DEPOSIT)} by signature and gets a key that may spend half"
        ):
            self._key = await self._make_key()
            await self._deposit(self._key.key.channel)
        self._narrator.say(f"> {QUESTION}")
        await self._stream(QUESTION)
        answer = await self._client().embeddings.create(model=self._service["embedding_model"], input=[QUESTION])
        self._narrator.say(f"and an embedding of {len(answer.data[0].embedding)} numbers")

    async def _make_key(self) -> NewKey:
        installation = self._installation
        payer = devnet_signer(PAYER, installation.chain_id)
        sender = installation.sender(payer)
        await sender.execute(self._dollar.mint(payer.address, 10 * DEPOSIT), "demo/mint")
        terms = KeyTerms(payer.address, SPENDING_LIMIT, SystemClock().now() + 86_400, label="demo")
        nonce = randbits(128)
        proof = KeyProof(nonce, payer.sign(key_digest(installation.key_domain, terms, nonce)))
        return await installation.keys.create(terms, proof)

    async def _deposit(self, channel: Hash32) -> None:
        installation = self._installation
        config = (await installation.ledger.channel(channel)).reading.config
        head = await installation.client.header("latest")
        until = (head.timestamp if head else 0) + 3_600
        deposit = DepositAuthorization(installation.chain_id, config, DEPOSIT, 0, until, randbits(128), b"")
        payer = devnet_signer(PAYER, installation.chain_id)
        document = _receive_authorization(deposit, deposit.nonce(channel), self._dollar.address)
        await installation.deposits.submit(replace(deposit, signature=await payer.sign_typed_data(document)))

    async def _stream(self, question: str, *, key: str = "", kill_after: int = 0) -> None:
        """Ask, show the answer as it comes, then the meter; `kill_after` so many pieces kills the gateway."""
        stream = await self._client().chat.completions.create(
            model=self._service["chat_model"],
            messages=[{"role": "user", "content": question}],
            stream=True,
            stream_options={"include_usage": True},
            max_tokens=160,
            extra_headers={"Idempotency-Key": key} if key else None,
        )
        self._narrator.piece("   ")
        pieces = 0
        async for chunk in stream:
            for choice in chunk.choices:
                self._narrator.piece(choice.delta.content or "")
                pieces += 1
            if self._gateway and pieces == kill_after:
                self._gateway.kill()
            receipt = (chunk.model_extra or {}).get("usufruct")
            if receipt and chunk.usage:
                self._receipt = receipt
                self._show_meter(chunk.usage)

    def _show_meter(self, usage: CompletionUsage) -> None:
        details = (usage.model_extra or {})["cost_details"]
        self._narrator.piece("\n")
        self._narrator.say(
            f"{usage.prompt_tokens} in, {usage.completion_tokens} out, "
            f"${_dollars(int(details['charge']))}, limit ${_dollars(int(details['ceiling']))}"
        )

    # 4

    async def refuse(self) -> None:
        """Ask for more than a limit allows."""
        self._narrator.step("A call over its limit is refused and charged 0")
        before = (await self._channel()).charged
        try:
            await self._client().chat.completions.create(
                model=self._service["chat_model"],
                messages=[{"role": "user", "content": QUESTION}],
                extra_headers={"x-usufruct-limit": "21"},
            )
        except APIStatusError as refusal:
            _demand(refusal.status_code == 402, f"a call over its limit was answered {refusal.status_code}, not 402")
            self._narrator.say(f"{refusal.status_code}: {refusal.message}")
        else:
            raise DemoFailed("a call over its limit was served")
        _demand((await self._channel()).charged == before, "a refused call was charged")
        self._narrator.say("Paying by x402 instead of a key comes with the next release.")

    # 5

    async def crash(self) -> None:
        """Kill the gateway in the middle of an answer, start it again, and ask again under the same key."""
        self._narrator.step("The gateway is killed in the middle of an answer")
        before = (await self._channel()).charged
        request = f"demo-{randbits(64)}"
        try:
            await self._stream(ANOTHER_QUESTION, key=request, kill_after=12)
        except (APIError, httpx.TransportError) as error:
            self._narrator.piece("\n")
            self._narrator.say(f"killed with SIGKILL; the client saw {type(error).__name__}")
        else:
            raise DemoFailed("the answer of a killed gateway came to its end")
        with self._narrator.working("starting it again; the broken call's lease ends, its money is free again"):
            await self._start_gateway()
            await self._quiet()
        _demand((await self._channel()).charged == before, "the broken call was charged")
        self._narrator.say("The broken call was charged 0: the operator bears it. The same request again:")
        await self._stream(ANOTHER_QUESTION, key=request)
        after = (await self._channel()).charged
        _demand(after > before, "the repeated call was not charged")
        self._narrator.say(
            "Asked a third time under the same key, it is answered from memory and charged nothing more:"
        )
        await self._stream(ANOTHER_QUESTION, key=request)
        _demand((await self._channel()).charged == after, "a replayed answer was charged")

    # 6

    async def settle(self) -> None:
        """Claim and split what was charged, let the owners collect, give the rest back, and compare with the logs."""
        self._narrator.step("Settlement")
        installation = self._installation
        before = await self._balances()
        with self._narrator.working("one transaction claims, settles, splits, accrues and anchors the receipts"):
            batches = await installation.claimer.run(everything=True)
        _demand(len(batches) == 1 and batches[0].hash is not None, f"expected one settlement, not {len(batches)}")
        receipt = await installation.client.receipt(Hash32(str(batches[0].hash)))
        calls = await self._calls()
        with self._narrator.working("the owners collect, the fee is released"):
            await self._collect()
        assert self._key is not None
        with self._narrator.working("what was not used goes back to the payer"):
            await installation.refunds.refund(self._key.key.channel)
        after = await self._balances()
        await self._account(before, after, calls, receipt.gas_used if receipt else 0)

    async def _collect(self) -> None:
        installation = self._installation
        for name, shares in self._shares.items():
            for who, (index, _) in OWNERS.items():
                owner = installation.sender(devnet_signer(index, installation.chain_id))
                await owner.execute(shares.collect(self._dollar.address), f"demo/collect/{name}/{who}")
            releaser = installation.sender(signer_of(Role.CLAIM, installation.config))
            await releaser.execute(shares.release(self._dollar.address), f"demo/release/{name}")

    async def _account(
        self, before: Mapping[Address, int], after: Mapping[Address, int], calls: list[Call], gas: int
    ) -> None:
        """Fill the outcome from the logs' balances, and print them."""
        moved = {who: after.get(who, 0) - before.get(who, 0) for who in {*before, *after}}
        parties = self._parties()
        outcome = self.outcome
        outcome.calls = len(calls)
        outcome.input_tokens = sum(call.bill.usage.input_tokens for call in calls if call.bill)
        outcome.output_tokens = sum(call.bill.usage.output_tokens for call in calls if call.bill)
        outcome.charged = sum(call.bill.charge for call in calls if call.bill)
        outcome.gas_per_call = gas // max(1, len(calls))
        refunded = moved[parties["payer"]]
        outcome.claimed = -moved[SETTLEMENT] - refunded
        dust = {name: moved.get(shares.address, 0) for name, shares in self._shares.items()}
        outcome.payouts = {who: moved.get(parties[who], 0) for who in OWNERS}
        outcome.protocol_fee = moved.get(FEE_SINK, 0)
        outcome.settled = sum(outcome.payouts.values()) + outcome.protocol_fee + sum(dust.values())
        wrong = await differences(
            self._installation.client, self._dollar.address, after, await self._installation.client.block_number()
        )
        holders = sum(amount for who, amount in after.items() if who != NOBODY)
        outcome.conserved = (
            outcome.charged == outcome.claimed == outcome.settled
            and refunded == DEPOSIT - outcome.charged
            and holders == -after[NOBODY]
            and not wrong
        )
        rows = [
            (who, _dollars(before.get(at, 0)), _dollars(after.get(at, 0)), _dollars(moved.get(at, 0)))
            for who, at in parties.items()
        ]
        self._narrator.table(
            "Balances in test dollars, from the chain's logs", ("party", "before", "after", "change"), rows
        )
        self._narrator.say(
            f"{outcome.calls} calls, {outcome.input_tokens} tokens in, {outcome.output_tokens} out; charged "
            f"${_dollars(outcome.charged)}, claimed ${_dollars(outcome.claimed)}; {outcome.gas_per_call:,} gas per "
            "call in this small batch (it falls with every call)"
        )
        _demand(outcome.conserved, f"money was not conserved: {outcome.as_json()}")
        self._narrator.say("Balances to the unit: what the payer paid is what the owners and the protocol got.")

    def _parties(self) -> dict[str, Address]:
        chain = self._installation.chain_id
        owners = {who: devnet_signer(index, chain).address for who, (index, _) in OWNERS.items()}
        undivided = {f"{name} (fractions of a unit)": shares.address for name, shares in self._shares.items()}
        return {
            "payer": devnet_signer(PAYER, chain).address,
            "deposits (escrow)": SETTLEMENT,
            "till": self._installation.operator.till,
            **owners,
            "protocol fee": FEE_SINK,
            **undivided,
        }

    # 7

    def invite(self, *, stays: bool) -> None:
        """Say where things are, and how to go on."""
        self._narrator.step("Try it")
        assert self._key is not None
        assert self._gateway is not None
        self._check_receipt()
        say = self._narrator.say
        say("from openai import OpenAI")
        say(f'client = OpenAI(base_url="{self._gateway.ready["url"]}", api_key="{self._key.text}")')
        say(f'print(client.chat.completions.create(model="{self._service["chat_model"]}",')
        say('    messages=[{"role": "user", "content": "What is a voucher?"}]).choices[0].message.content)')
        say(f"chain: {self.outcome.rpc_url}   till: {checksum(self._installation.operator.till)}")
        say("It keeps running; Ctrl-C ends it." if stays else "It ends now; `usufruct demo --stay` keeps it running.")

    def _check_receipt(self) -> None:
        """Verify the last receipt, and see a changed one fail."""
        forged = {**self._receipt, "amount": str(int(self._receipt["amount"]) + 1)}
        read_receipt(self._receipt).verify()
        try:
            read_receipt(forged).verify()
        except WrongReceiptSigner:
            pass
        else:
            raise DemoFailed("a changed receipt was taken for good")
        self._narrator.say(
            f"receipt of call {self._receipt['call'][:18]}...: signature good; with one digit changed: bad"
        )

    # between the steps

    def stop_gateway(self) -> None:
        """Stop the gateway if it runs."""
        if self._gateway:
            self._gateway.stop()

    async def _start_gateway(self) -> None:
        self._gateway = await _start("usufruct.cli", self._installation.config, "serve")

    def _client(self) -> AsyncOpenAI:
        assert self._gateway is not None
        assert self._key is not None
        return AsyncOpenAI(base_url=str(self._gateway.ready["url"]), api_key=self._key.text, max_retries=0)

    async def _channel(self) -> Any:
        assert self._key is not None
        return await self._installation.ledger.channel(self._key.key.channel)

    async def _quiet(self) -> None:
        async with asyncio.timeout(10 * LEASE_SECONDS):
            while (await self._channel()).reserved:  # noqa: ASYNC110 - another process changes it
                await asyncio.sleep(0.1)

    async def _calls(self) -> list[Call]:
        assert self._key is not None
        calls = await self._installation.ledger.metered(self._key.key.channel, limit=1_000)
        return [call for call in calls if call.state is CallState.METERED]

    async def _balances(self) -> Mapping[Address, int]:
        client: Client = self._installation.client
        return await balances_from_logs(client, self._dollar.address, await client.block_number())


def _registration(name: str, currency: Address) -> Registration:
    card = CardOnChain(
        PRICES.input_per_million, PRICES.output_per_million, PRICES.per_call, PRICES.context_window, PRICES.version
    )
    return Registration(
        salt=name.encode().ljust(32, b"\0"),
        kind=Kind.MODEL,
        name=f"Shares of {name}",
        symbol=name.upper()[:11],
        uri="",
        endpoint="",
        currency=currency,
        price_card=card,
        notice_period=3_600,
        transfer_policy=NOBODY,
        resale_royalty_bps=0,
        parents=(),
        meter=NOBODY,
    )


def _receive_authorization(deposit: DepositAuthorization, nonce: Hash32, token: Address) -> dict[str, Any]:
    """Return the EIP-3009 document a payer signs to deposit."""
    fields = {"from": "address", "to": "address", "value": "uint256", "validAfter": "uint256", "validBefore": "uint256"}
    domain = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for name, kind in domain.items()],
            "ReceiveWithAuthorization": [
                *({"name": name, "type": kind} for name, kind in fields.items()),
                {"name": "nonce", "type": "bytes32"},
            ],
        },
        "primaryType": "ReceiveWithAuthorization",
        "domain": {
            "name": "Test Dollar",
            "version": "1",
            "chainId": int(deposit.chain_id),
            "verifyingContract": checksum(token),
        },
        "message": {
            "from": checksum(deposit.config.payer),
            "to": checksum(COLLECTOR),
            "value": deposit.amount,
            "validAfter": deposit.valid_after,
            "validBefore": deposit.valid_before,
            "nonce": nonce,
        },
    }


def _dollars(amount: int) -> str:
    return format_units(amount, 6)


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise DemoFailed(otherwise)
