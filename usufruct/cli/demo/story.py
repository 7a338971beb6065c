"""The demo's steps, in order; each leaves behind what the next one needs."""

import asyncio
import json
import shlex
from pathlib import Path
from secrets import randbits
from typing import Any

import httpx
from openai import APIError, APIStatusError, AsyncOpenAI

from usufruct.app import DEVNET_FEE_BPS, Installation
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import Role, signer_of
from usufruct.cli.demo import outcome as demo
from usufruct.cli.demo.outcome import DemoFailed, Offer, Outcome, demand, dollars
from usufruct.cli.demo.payers import Agent, KeyHolder, ask, mint
from usufruct.cli.demo.served_offers import ServedOffers
from usufruct.cli.support.instance_lock import Publish
from usufruct.cli.support.page_links import show_page_links
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.service_files import this_program
from usufruct.core import Hash32, checksum, format_asset
from usufruct.core.jobs import run_jobs
from usufruct.gateway import Operator
from usufruct.payments.ledger import Call, CallState, Ledger
from usufruct.payments.settlement import Claimer, Refunds
from usufruct_client import read_receipt
from usufruct_client.bill_lines import line_text

SETTINGS = "usufruct.toml"
"""The demo's configuration, in its folder, for commands in another terminal."""


class Story:
    """One run of the demo."""

    def __init__(
        self, progress: Progress, installation: Installation, chat: Offer, embedding: Offer, publish: Publish
    ) -> None:
        self._progress = progress
        self._say = progress.say
        self._installation = installation
        self._chat = chat
        self._embedding = embedding
        self._served = ServedOffers(installation, publish)
        self._person = KeyHolder(installation)
        self._agent = Agent(installation)
        self._receipt: dict[str, Any] = {}
        contracts = installation.deployments.contracts
        addresses = {name: deployed.address for name, deployed in contracts.items()}
        self.outcome = Outcome(installation.config.chain.rpc_url, addresses)
        self._dollar = TestDollar(addresses["TestDollar"], installation.client)

    @property
    def _url(self) -> str:
        return self._served.url

    # 2

    async def go_on_sale(self) -> None:
        """Register the service and its embeddings, share them out, and open the gateway."""
        self._progress.step("A service goes on sale")
        for offer in (self._chat, self._embedding):
            with self._progress.working(f"registering {offer.name}: title, 100,000,000 revenue shares, price card"):
                self.outcome.assets.append(format_asset(await self._served.register(offer, demo.PRICES)))
        with self._progress.working("starting the gateway"):
            await self._served.serve()
        card = demo.PRICES
        self._say(
            f"Price: ${dollars(card.input_per_million)} per million input tokens, "
            f"${dollars(card.output_per_million)} per million output tokens, ${dollars(card.per_call)} per call."
        )
        self._say(f"Owners of {self._chat.name}: 70 / 20 / 10. The protocol fee here is {DEVNET_FEE_BPS / 100:g} %.")

    # 3

    async def ask(self) -> None:
        """Make a key, put money behind it, and ask with the stock client."""
        self._progress.step("A question, by the stock openai client")
        with self._progress.working(
            f"a payer deposits ${dollars(demo.DEPOSIT)} by signature; their key may spend half"
        ):
            await self._person.make_key(self._url)
            await self._person.deposit(self._url, demo.DEPOSIT)
        await self._question(demo.QUESTION)
        async with self._person.client(self._url) as client:
            answer = await client.embeddings.create(model=self._embedding.name, input=[demo.QUESTION])
        self._say(f"and an embedding of {len(answer.data[0].embedding)} numbers")

    # 4

    async def pay_by_wallet(self) -> None:
        """Let an agent pay by x402, and ask for more than a limit allows."""
        self._progress.step("An agent pays by x402")
        await mint(self._installation, self._agent.address, demo.DEPOSIT)
        self._say("Its wallet has dollars and no gas; no key, no account. Its x402 client is PyPI's, unmodified.")
        self._say(f"> {demo.AGENTS_QUESTION}")
        async with self._agent.client(self._url, demo.DEPOSIT) as client:
            self._receipt = await ask(self._progress, client, self._chat.name, demo.AGENTS_QUESTION)
            channel = await self._agent.channel()
            self._say(f"deposited ${dollars(channel.reading.balance)}, signed for this call alone. One over its limit:")
            before = channel.charged
            await self._refused(client)
        demand((await self._agent.channel()).charged == before, "a refused call was charged")

    async def _refused(self, client: AsyncOpenAI) -> None:
        try:
            await client.chat.completions.create(
                model=self._chat.name,
                messages=[{"role": "user", "content": demo.QUESTION}],
                extra_headers={"x-usufruct-limit": "21"},
            )
        except APIStatusError as refusal:
            demand(refusal.status_code == 402, f"a call over its limit was answered {refusal.status_code}, not 402")
            said = refusal.body.get("message", "") if isinstance(refusal.body, dict) else refusal.message
            self._say(f"{refusal.status_code}: {said}; charged 0")
        else:
            raise DemoFailed("a call over its limit was served")

    # 5

    async def crash(self) -> None:
        """Kill the gateway in the middle of an answer, start it again, and ask again under the same key."""
        self._progress.step("The gateway is killed in the middle of an answer")
        before = (await self._person.channel()).charged
        request = f"demo-{randbits(64)}"
        try:
            await self._question(demo.ANOTHER_QUESTION, key=request, kill_after=12)
        except (APIError, httpx.TransportError) as error:
            self._say(f"killed with SIGKILL; the client saw {type(error).__name__}")
        else:
            raise DemoFailed("the answer of a killed gateway came to its end")
        with self._progress.working("starting it again; the broken call's lease ends, its money is free again"):
            await self._served.serve()
            await self._quiet()
        demand((await self._person.channel()).charged == before, "the broken call was charged")
        self._say("The broken call was charged 0: the operator bears it. The same request again:")
        await self._question(demo.ANOTHER_QUESTION, key=request)
        after = (await self._person.channel()).charged
        demand(after > before, "the repeated call was not charged")
        self._say("A third time under the same key: answered from memory, charged nothing more:")
        await self._question(demo.ANOTHER_QUESTION, key=request)
        demand((await self._person.channel()).charged == after, "a replayed answer was charged")

    # 6

    async def settle(self) -> None:
        """Claim and split what was charged, let the owners collect, give the rest back, and compare with the logs."""
        self._progress.step("Settlement")
        installation, outcome = self._installation, self.outcome
        payers = {"payer": self._person.address, "agent": self._agent.address}
        before = await demo.read_balances(installation.client, self._dollar.address)
        with self._progress.working("one transaction claims, settles, splits, accrues and anchors the receipts"):
            batches = await installation.get(Claimer).run(everything=True)
        demand(len(batches) == 1 and batches[0].hash is not None, f"expected one settlement, not {len(batches)}")
        receipt = await installation.client.receipt(Hash32(str(batches[0].hash)))
        with self._progress.working("the owners collect, the fee is released"):
            await self._collect()
        channels = [await self._person.channel(), await self._agent.channel()]
        with self._progress.working("what was not used goes back to the payers"):
            for channel in channels:
                await installation.get(Refunds).refund(channel.reading.id)
        calls = [call for channel in channels for call in await self._calls(channel.reading.id)]
        demo.count(outcome, calls, receipt.gas_used if receipt else 0)
        shares = {name: each.address for name, each in self._served.shares.items()}
        rows = await demo.account(outcome, installation, payers, shares, before)
        title = "Balances in test dollars, from the chain's logs"
        self._progress.table(title, ("party", "before", "after", "change"), rows)
        self._say(
            f"{outcome.calls} calls, {outcome.input_tokens} text tokens in, {outcome.output_tokens} out; charged "
            f"${dollars(outcome.charged)}, claimed ${dollars(outcome.claimed)}; {outcome.gas_per_call:,} gas per "
            "call in this small batch (it falls with every call)"
        )
        demand(outcome.conserved, f"money was not conserved: {outcome.as_json()}")
        self._say("Balances to the unit: what the payers paid is what the owners and the protocol got.")

    async def _collect(self) -> None:
        await self._served.collect()
        releaser = self._installation.sender(signer_of(Role.CLAIM, self._installation.config))
        for name, shares in self._served.shares.items():
            await releaser.execute(shares.release(self._dollar.address), f"demo/release/{name}")

    async def _calls(self, channel: Hash32) -> list[Call]:
        calls = await self._installation.get(Ledger).metered(channel, limit=1_000)
        return [call for call in calls if call.state is CallState.METERED]

    # 7

    async def invite(self, *, stays: bool) -> None:
        """Say where things are, and how to go on."""
        self._progress.step("Try it")
        say, receipt = self._say, self._check_receipt()
        if stays:
            await self._person.deposit(self._url, demo.DEPOSIT)
            say(f"check it yourself: {self._command} receipt verify {receipt}")
        say("from openai import OpenAI")
        say(f'client = OpenAI(base_url="{self._url}", api_key="{self._person.key.text}")')
        say(f'print(client.chat.completions.create(model="{self._chat.name}",')
        say('    messages=[{"role": "user", "content": "What is a voucher?"}]).choices[0].message.content)')
        say(f"your own model: {self._command if stays else 'usufruct'} sell --upstream URL --pay-to ADDRESS")
        say(f"chain: {self.outcome.rpc_url}   till: {checksum(self._installation.get(Operator).till)}")
        say("more: usufruct demo economy (an airdrop, stakes, their revenue, a vote)")
        say("      usufruct demo markets (ratings, an index, an API)")
        show_page_links(self._progress, self._url, advice=demo.PHONE, play_money=True)
        say("It keeps running; Ctrl-C ends it." if stays else "It ends now; `usufruct demo --stay` keeps it running.")

    async def stay(self) -> None:
        """Go on until Ctrl-C, as a worker does: claims, deposits, refunds."""
        await run_jobs(self._installation.jobs())

    @property
    def _command(self) -> str:
        """What to type in another terminal to work on this installation."""
        return f"USUFRUCT_CONFIG={self._installation.config.data.folder / SETTINGS} {shlex.join(this_program())}"

    def _check_receipt(self) -> Path:
        """Verify the last receipt, see a changed one fail, and return the file that it was written to."""
        receipt = self._receipt
        bill, forged = read_receipt(receipt), read_receipt({**receipt, "amount": str(int(receipt["amount"]) + 1)})
        demand(bill.signed_by() == bill.signer, "a good receipt was refused")
        demand(forged.signed_by() != forged.signer, "a changed receipt was taken for good")
        file = self._installation.config.data.folder / "receipt.json"
        file.write_text(json.dumps(receipt, indent=2))
        say = self._say
        say(f"what the last call cost, in millionths of a dollar: {'; '.join(map(line_text, bill.lines))}")
        say(f"charged {bill.amount} of at most {bill.ceiling}; counted by: {bill.counted_by}")
        say(f"receipt of call {bill.call[:18]}...: signature good; with one digit changed: bad")
        return file

    # between the steps

    async def stop_gateway(self) -> None:
        """Stop the gateway if it runs: running calls may finish for as long as its configuration says."""
        if killed := await self._served.stop():
            self._say(f"the gateway {killed}")

    async def _question(self, question: str, *, key: str = "", kill_after: int = 0) -> None:
        """Ask as the person with the key; `kill_after` so many pieces kills the gateway."""
        gateway = self._served.gateway
        self._say(f"> {question}")

        def each(pieces: int) -> None:
            if gateway and pieces == kill_after:
                gateway.kill()

        async with self._person.client(self._url) as client:
            self._receipt = await ask(self._progress, client, self._chat.name, question, key=key, each=each)

    async def _quiet(self) -> None:
        async with asyncio.timeout(10 * demo.LEASE_SECONDS):
            while (await self._person.channel()).reserved:  # noqa: ASYNC110 - another process changes it
                await asyncio.sleep(0.1)
