"""The economy chapter's steps, in order; each leaves behind what the next one needs."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from secrets import token_bytes, token_hex

from usufruct.app import Installation
from usufruct.assets import Listings, RegistryClient
from usufruct.chain import Call, ChainAccess, Sender
from usufruct.chain.anvil import Anvil
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.levels import Levels
from usufruct.chain.contracts.reinvestor import Reinvestor
from usufruct.chain.contracts.test_price_feed import TestPriceFeed
from usufruct.chain.contracts.vote_escrow import WeekSpread
from usufruct.chain.keys import KeySigner, Role, devnet_signer, signer_of
from usufruct.cli.demo import economy_outcome as demo
from usufruct.cli.demo.economy_outcome import EconomyOutcome, Staker
from usufruct.cli.demo.economy_vote import Vote
from usufruct.cli.demo.outcome import OWNERS, PAYER, Offer, demand, dollars
from usufruct.cli.demo.payers import KeyHolder, ask
from usufruct.cli.demo.served_offers import ServedOffers
from usufruct.cli.support.instance_lock import Publish
from usufruct.cli.support.progress import Progress
from usufruct.core import DAY_SECONDS, Address, Clock, checksum, format_units, moment, parse_units
from usufruct.payments.ledger import CallState, Ledger
from usufruct.payments.pricing import saved_up
from usufruct.payments.settlement import Claimer
from usufruct.staking import (
    TOKEN_DECIMALS,
    WEEK_SECONDS,
    AirdropFile,
    Airdrops,
    BuiltAirdrop,
    FeePlan,
    StakeChanges,
    Stakes,
    StakingLevels,
    build_airdrop,
    score_down,
)
from usufruct_client.stake_documents import StakeWish

_CLAIMS_OPEN_DAYS = 60
_COINS = 10**18
_BPS_PER_PERCENT = 100


@dataclass(frozen=True, slots=True)
class _Person:
    """A staker with a wallet."""

    plan: Staker
    signer: KeySigner
    sender: Sender

    @property
    def address(self) -> Address:
        return self.signer.address


class EconomyStory:
    """One run of the chapter."""

    def __init__(
        self, progress: Progress, installation: Installation, anvil: Anvil, offer: Offer, publish: Publish
    ) -> None:
        self._progress = progress
        self._say = progress.say
        self._installation = installation
        self._client = installation.client
        self._anvil = anvil
        self._offer = offer
        self._served = ServedOffers(installation, publish)
        self._payer = KeyHolder(installation)
        self._chain = installation.get(ChainAccess)
        self._stakes = Stakes(self._chain)
        self._owner = installation.sender(signer_of(Role.OWNER, installation.config))
        self._people = [self._person(plan) for plan in demo.STAKERS]
        addresses = {name: each.address for name, each in installation.deployments.contracts.items()}
        self.outcome = EconomyOutcome(installation.config.chain.rpc_url, addresses)

    # 2

    async def claim_airdrop(self) -> None:
        """Build an airdrop from a list, fund it, and let people claim and lock."""
        self._progress.step("An airdrop, and four locks")
        with self._progress.working(
            f"building the Merkle tree of {len(self._people) + demo.OTHER_ACCOUNTS:,} accounts"
        ):
            built = await asyncio.to_thread(self._build_airdrop)
        airdrops = Airdrops(self._chain)
        with AirdropFile(built.path) as file:
            with self._progress.working("deploying its contract, and funding it from the token's reserve"):
                deadline = (await self._now() // DAY_SECONDS + _CLAIMS_OPEN_DAYS) * DAY_SECONDS
                place = await airdrops.deploy(self._owner, file, deadline, self._chain.treasury, airdrops.escrow)
                await airdrops.let_lock(self._owner, place, airdrops.escrow)
            for person in self._people:
                await self._claim_and_lock(airdrops, place, file, person)
        self.outcome.airdrop = {
            "contract": checksum(place),
            "root": "0x" + built.root.hex(),
            "accounts": built.count,
            "total": format_units(built.total, TOKEN_DECIMALS),
            "unclaimed": format_units(await self._stakes.token.balance_of(place), TOKEN_DECIMALS),
        }

    def _build_airdrop(self) -> BuiltAirdrop:
        """Write the list of accounts and build its file."""
        folder = self._installation.config.data.folder
        rows = [f"{person.address},{person.plan.tokens}" for person in self._people]
        others = (sha256(number.to_bytes(4, "big")).hexdigest()[:40] for number in range(demo.OTHER_ACCOUNTS))
        rows += [f"0x{other},{demo.TOKENS_OF_OTHERS}" for other in others]
        source = folder / "holders.csv"
        source.write_text("\n".join(["address,amount", *rows]) + "\n")
        cap = parse_units(demo.TOKEN.supply, TOKEN_DECIMALS)
        return build_airdrop(source, folder / "holders.airdrop", cap, overwrite=True)

    async def _claim_and_lock(self, airdrops: Airdrops, place: Address, file: AirdropFile, person: _Person) -> None:
        plan = person.plan
        await self._client.ask("anvil_setBalance", person.address, hex(_COINS))
        entry, _ = await airdrops.claim_and_lock(person.sender, place, file, plan.weeks)
        if plan.renews:
            await person.sender.execute(self._stakes.renew(on=True), f"demo/renew/{plan.name}")
        stake = await self._stakes.of(person.address)
        amount, score = demo.tokens(entry.amount), demo.tokens(score_down(stake.next_weight))
        how = "and renews the lock" if plan.renews else f"until {moment(stake.ends_at)[:10]}"
        self._say(f"{plan.name} locks {amount} EXM of the airdrop for {plan.weeks} weeks, {how}: score {score}")

    # 3

    async def sell(self) -> None:
        """Go on to the present, and sell two answers."""
        self._progress.step("Two weeks later: usage pays owners and stakers")
        await self._anvil.jump_to(max(Clock().now(), await self._now() + 1))
        with self._progress.working(f"registering {self._offer.name}, $0.50 a call, and starting the gateway"):
            await self._served.register(self._offer, demo.PRICES)
            await self._installation.get(Listings).give_level_discount(self._offer.name, demo.MOST_DISCOUNT_BPS)
            await self._served.serve()
            await self._payer.make_key(self._served.url, demo.DEPOSIT)
            await self._payer.deposit(self._served.url, demo.DEPOSIT)
        await self._show_level()
        async with self._payer.client(self._served.url) as client:
            for question in demo.QUESTIONS:
                self._say(f"> {question}")
                await ask(self._progress, client, self._offer.name, question)
        await self._count_calls()
        with self._progress.working("claiming, splitting and collecting; the fee goes to the stakers"):
            await self._installation.get(Claimer).run(everything=True)
            await self._served.collect()
            sent = await self._distribute()
        demand(sent > 0, "no fee was brought to the stakers")
        await self.stop_gateway()

    async def _show_level(self) -> None:
        """Say what the payer's level takes off; the seller has agreed to that."""
        payer = next(person for person in self._people if person.plan.pays)
        level = await StakingLevels(self._chain).of(payer.address)
        percent = min(level.discount_bps, demo.MOST_DISCOUNT_BPS) / _BPS_PER_PERCENT
        self._say(
            f"{payer.plan.name}, who asks, has level {level.level}: {percent:g} % off, as the seller lets levels do"
        )

    async def _count_calls(self) -> None:
        channel = await self._payer.channel()
        calls = await self._installation.get(Ledger).metered(channel.reading.id, limit=100)
        bills = [call.bill for call in calls if call.state is CallState.METERED and call.bill]
        self.outcome.charged = sum(bill.charge for bill in bills)
        self.outcome.saved = sum(saved_up(bill.lines, bill.charge, demo.PRICES) for bill in bills)
        self._say(f"charged ${dollars(self.outcome.charged)}, ${dollars(self.outcome.saved)} less than the list price")

    # 4

    async def divide(self) -> None:
        """End the week, divide its revenue, and let the stakers claim."""
        self._progress.step("The week ends: its revenue is divided by score")
        week = await self._stakes.escrow.week()
        await self._anvil.jump_to((week + 1) * WEEK_SECONDS)
        await self._distribute()
        logs = await self._client.logs(0, await self._client.block_number(), addresses=[self._stakes.escrow.address])
        spread = next(each for each in WeekSpread.among(logs, self._stakes.escrow.address) if each.week == week)
        for person in self._people:
            await self._claim(person, week, spread.weight)
        claimed = sum(int(str(staker["revenue"])) for staker in self.outcome.stakers)
        self.outcome.revenue_week = {
            "week": week,
            "starts": moment(week * WEEK_SECONDS),
            "divided": str(spread.revenue),
            "claimed": str(claimed),
            "score": format_units(score_down(spread.weight), TOKEN_DECIMALS),
        }
        demand(claimed > 0, "the stakers got nothing")
        self._show_week(spread.revenue, claimed)

    def _show_week(self, divided: int, claimed: int) -> None:
        headings = ("staker", "locked EXM", "weeks", "score", "part", "revenue")
        rows = [
            (
                str(each["name"]),
                f"{Decimal(str(each['locked'])):,.0f}",
                f"{each['weeks']}{' renewed' if each['renews'] else ''}",
                f"{Decimal(str(each['score'])):,.0f}",
                f"{each['part_percent']} %",
                f"${dollars(int(str(each['revenue'])))}",
            )
            for each in self.outcome.stakers
        ]
        self._progress.table("What the week brought", headings, rows)
        self._say(
            f"${dollars(self.outcome.charged)} were charged; ${dollars(divided)} of it is the fee that was divided, "
            f"${dollars(claimed)} is claimed."
        )
        made = self.outcome.reinvested
        bought = Decimal(str(made["bought"]))
        self._say(
            f"{made['name']} reinvests ${dollars(int(str(made['spent'])))}: it buys {bought:.4f} EXM for the lock."
        )

    async def _claim(self, person: _Person, week: int, total_weight: int) -> None:
        weight = await self._stakes.escrow.weight_at(person.address, week)
        stake = await self._stakes.of(person.address)
        if person.plan.reinvests:
            await self._reinvest(person)
        else:
            for call in self._stakes.claim(stake, person.address):
                await person.sender.execute(call, f"demo/claim/{person.plan.name}")
        self.outcome.stakers.append(
            {
                "name": person.plan.name,
                "account": checksum(person.address),
                "locked": format_units(stake.lock.amount, TOKEN_DECIMALS),
                "weeks": person.plan.weeks,
                "renews": person.plan.renews,
                "score": format_units(score_down(weight), TOKEN_DECIMALS),
                "part_percent": round(100 * weight / total_weight, 2),
                "revenue": str(stake.revenue),
            }
        )

    async def _reinvest(self, person: _Person) -> None:
        """Have the feed report the price, and add what the revenue buys to the lock."""
        feed = TestPriceFeed(self._installation.deployments.address(TestPriceFeed), self._client)
        await self._owner.execute(feed.post(parse_units(demo.PRICE, await feed.decimals())), "demo/price")
        change = await StakeChanges(self._stakes).read(StakeWish(person.address, "reinvest"))
        (call,) = change.calls
        receipt = await person.sender.execute(call, f"demo/reinvest/{person.plan.name}")
        made = self._stakes.reinvestments.purchase(receipt.logs)
        self.outcome.reinvested = {
            "name": person.plan.name,
            "spent": str(made.spent),
            "bought": format_units(made.bought, TOKEN_DECIMALS),
            "least": format_units(made.least_out, TOKEN_DECIMALS),
            "locked": format_units((await self._stakes.of(person.address)).lock.amount, TOKEN_DECIMALS),
        }

    # 5

    async def decide(self) -> None:
        """Let the stakers take over what the operator offers, and change a parameter."""
        self._progress.step("The stakers decide: the penalty of an early exit falls")
        escrow, sender = self._stakes.escrow, self._people[0].sender
        before = await escrow.exit_penalty_bps()
        vote = Vote(self._anvil, self._chain, self._changes(), "Take over, and lower the penalty")
        self._say(f"{self._people[0].plan.name} proposes:")
        for words in await vote.words():
            self._say(f"- {words}")
        with self._progress.working("simulating it as the timelock; proposing it; votes count an hour later"):
            demand(await vote.succeeds(), "the simulation of the proposal fails")
            await vote.propose(sender)
        with self._progress.working("all vote for it; voting lasts a day"):
            await vote.vote([person.sender for person in self._people])
        with self._progress.working("anyone queues it, and executes it a day later, when the timelock allows"):
            await vote.execute(self._installation.sender(devnet_signer(9, self._installation.chain_id)))
        after = await escrow.exit_penalty_bps()
        demand(after == demo.NEW_EXIT_PENALTY_PERCENT * _BPS_PER_PERCENT, "the vote changed nothing")
        self.outcome.proposal_executed = {
            "id": vote.id,
            "parameter": "VoteEscrow.exitPenaltyBps",
            "before": before,
            "after": after,
            "owner_of_escrow": checksum(await escrow.owner()),
        }
        self._say(f"The penalty was {before / 100:g} %, it is {after / 100:g} %. No key of the operator can change it.")

    def _changes(self) -> list[Call]:
        """Return what the proposal does: the timelock becomes the owner of what was offered, and sets the penalty."""
        client, at = self._client, self._installation.deployments.address
        taken = [
            AssetRegistry(at(AssetRegistry), client).accept_ownership(),
            Exchange(at(Exchange), client).accept_ownership(),
            Levels(at(Levels), client).accept_ownership(),
            Reinvestor(at(Reinvestor), client).accept_ownership(),
            self._stakes.token.accept_ownership(),
            self._stakes.escrow.accept_ownership(),
        ]
        return [*taken, self._stakes.escrow.set_exit_penalty(demo.NEW_EXIT_PENALTY_PERCENT * _BPS_PER_PERCENT)]

    # 6

    async def check(self) -> None:
        """Compare the contracts' counters with the chain's logs."""
        self._progress.step("Every unit is accounted for")
        outcome = self.outcome
        stakers = [person.address for person in self._people]
        owners = [devnet_signer(index, self._installation.chain_id).address for index in OWNERS.values()]
        outcome.conserved = (
            await demo.tokens_conserved(self._installation, stakers)
            and await demo.dollars_conserved(self._installation, stakers, owners, outcome.charged)
            and await demo.reinvested_conserved(self._installation)
        )
        demand(outcome.conserved, f"money was not conserved: {outcome.as_json()}")
        self._say("Dollars and tokens, to the unit: the chain's logs and the contracts' own counters agree.")
        self._say("Choose your own parameters: usufruct economy simulate --out report")

    # between the steps

    async def stop_gateway(self) -> None:
        """Stop the gateway if it runs."""
        if killed := await self._served.stop():
            self._say(f"the gateway {killed}")

    async def _distribute(self) -> int:
        """Bring fees to the stakers and close weeks, as a worker does; return how many transactions that took."""
        get = self._installation.get
        plan = FeePlan(self._chain, get(RegistryClient), get(Listings), least=1)
        calls = await plan.calls(everything=True)
        for call in calls:
            await self._owner.execute(call, f"demo/fees/{token_hex(8)}")
        return len(calls)

    async def _now(self) -> int:
        return (await self._client.head()).timestamp

    def _person(self, plan: Staker) -> _Person:
        signer = devnet_signer(PAYER, self._installation.chain_id) if plan.pays else KeySigner(token_bytes(32))
        return _Person(plan, signer, self._installation.sender(signer))
