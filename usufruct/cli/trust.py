"""Let shareholders run a service: give its title to a trust, propose, vote, carry out."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option, Typer

from usufruct.assets import SHARE_DECIMALS, bps_of_percent
from usufruct.chain import Call
from usufruct.chain.contracts.title_trust import Terms
from usufruct.cli.support.command import ADDRESS, Facts, parse_duration, runs
from usufruct.cli.support.price_options import CachedInput, InputPrice, OutputPrice, PricedIn, card_change
from usufruct.cli.support.registry_session import AssetArgument, RegistrySession, open_registry
from usufruct.cli.support.wallet_option import Wallet
from usufruct.core import Address, AssetId, Invalid, checksum, format_asset, format_units, moment
from usufruct.governance import Support
from usufruct.governance.trusts import ServiceChange, TitleTrusts, TrustProposal, configuration_entry, plan_change

app = Typer()

ProposalArgument = Annotated[str, Argument(metavar="PROPOSAL", help="Its id, as `propose` and `show` print it.")]
Because = Annotated[str, Option(help="What voters are told: why this is proposed.")]


@app.command()
@runs(open_registry)
async def create(
    session: RegistrySession,
    asset: AssetArgument,
    wallet: Wallet,
    delay: Annotated[str, Option(help="From a proposal to its snapshot of shares: 1h to 14d.")] = "1d",
    period: Annotated[str, Option(help="That voting lasts: 1d to 28d.")] = "5d",
    threshold: Annotated[str, Option(help="Part of all shares that a proposer needs, in per cent: 0.01 to 10.")] = "1",
    quorum: Annotated[str, Option(help="Part of all shares that must vote, in per cent: 1 to 50.")] = "10",
) -> Facts:
    """Make the trust of a service, with terms that never change. Any wallet may; no title is given yet.

    Example: usufruct trust create my-model --quorum 20 --wallet 0
    """
    terms = Terms(
        parse_duration(delay, "delay"),
        parse_duration(period, "period"),
        bps_of_percent(threshold, "threshold"),
        bps_of_percent(quorum, "quorum"),
    )
    which = await session.registry.find(asset)
    place = await _trusts(session).create(session.sender(wallet), which, terms)
    return await _facts(session, which, place)


@app.command()
@runs(open_registry)
async def give(
    session: RegistrySession,
    asset: AssetArgument,
    trust: Annotated[Address, Argument(**ADDRESS, help="The trust, as `create` prints it.")],
    wallet: Wallet,
) -> Facts:
    """Hand the title to the trust: from then on shareholders decide, and only their vote hands it on.

    The shares, and the income they bring, stay where they are.
    """
    which = await session.registry.find(asset)
    transaction = await _trusts(session).give(session.sender(wallet), which, trust)
    return {**await _facts(session, which), "transaction": transaction}


@app.command()
@runs(open_registry)
async def show(
    session: RegistrySession,
    asset: AssetArgument,
    proposal: Annotated[str, Option(help="Show this proposal, by its id.")] = "",
) -> Facts:
    """Show the trust that holds a service's title, and the configuration in force; or one of its proposals."""
    which = await session.registry.find(asset)
    if proposal:
        return _proposal_facts(await _trusts(session).proposal(which, _id(proposal)))
    return await _facts(session, which)


@app.command()
@runs(open_registry)
async def delegate(
    session: RegistrySession,
    asset: AssetArgument,
    wallet: Wallet,
    to: Annotated[Address | None, Option(**ADDRESS, help="Who votes with the shares; by default the wallet.")] = None,
) -> Facts:
    """Let the wallet, or another account, vote with the wallet's shares. Once is enough, before a snapshot."""
    sender, which = session.sender(wallet), await session.registry.find(asset)
    votes_for = to or sender.address
    transaction = await _trusts(session).delegate(sender, which, votes_for)
    return {"id": format_asset(which), "delegate": checksum(votes_for), "transaction": transaction}


@app.command()
@runs(open_registry)
async def propose(
    session: RegistrySession,
    asset: AssetArgument,
    because: Because,
    wallet: Wallet,
    input_price: InputPrice = None,
    output_price: OutputPrice = None,
    call_price: Annotated[str | None, Option("--call", help="Price of each call.")] = None,
    cached_input: CachedInput = None,
    unit: PricedIn = None,
    uri: Annotated[str, Option(help="Where the title's registration file lies.")] = "",
    endpoint: Annotated[str, Option(help="Address of the service's API.")] = "",
    configuration: Annotated[
        Path | None,
        Option(exists=True, dir_okay=False, help="File with model, prompts and parameters; its hash is set."),
    ] = None,
    published_at: Annotated[str, Option(help="Where that file is published: https://... or ipfs://...")] = "",
) -> Facts:
    """Propose another price, registration file, endpoint or configuration; all that is named, or nothing, if it passes.

    Example: usufruct trust propose my-model --because "cheaper input" --input 0.4 --wallet 0
    """
    which, trusts = await session.registry.find(asset), _trusts(session)
    token = await session.registry.token((await session.registry.asset(which)).currency)
    card = card_change(token.decimals, input_price, output_price, call_price, cached_input, unit)
    entry = configuration_entry(configuration.read_bytes(), published_at) if configuration else b""
    calls = await plan_change(trusts, which, ServiceChange(card, uri, endpoint, entry))
    return await _proposed(session, which, wallet, calls, because)


@app.command()
@runs(open_registry)
async def dissolve(
    session: RegistrySession,
    asset: AssetArgument,
    to: Annotated[Address, Argument(**ADDRESS, help="Who gets the title.")],
    because: Because,
    wallet: Wallet,
) -> Facts:
    """Propose to end the trust: the title goes to an account, if two thirds of all shares vote for it."""
    which, trusts = await session.registry.find(asset), _trusts(session)
    return await _proposed(session, which, wallet, [await trusts.plan_dissolution(which, to)], because)


@app.command()
@runs(open_registry)
async def vote(
    session: RegistrySession,
    asset: AssetArgument,
    proposal: ProposalArgument,
    choice: Annotated[Literal["for", "against", "abstain"], Argument(help="for, against or abstain.")],
    wallet: Wallet,
    reason: Annotated[str, Option(help="Written on the chain beside the vote.")] = "",
) -> Facts:
    """Vote with all the shares that were delegated to the wallet at the proposal's snapshot."""
    which, trusts = await session.registry.find(asset), _trusts(session)
    transaction = await trusts.vote(session.sender(wallet), which, _id(proposal), Support[choice.upper()], reason)
    return {**_proposal_facts(await trusts.proposal(which, _id(proposal))), "transaction": transaction}


@app.command()
@runs(open_registry)
async def execute(session: RegistrySession, asset: AssetArgument, proposal: ProposalArgument, wallet: Wallet) -> Facts:
    """Carry out a proposal that passed. Any wallet may, within 14 days of the end of the vote."""
    which, trusts = await session.registry.find(asset), _trusts(session)
    found = await trusts.proposal(which, _id(proposal))
    transaction = await trusts.execute(session.sender(wallet), which, found.id)
    return {"id": str(found.id), "does": found.words, "state": "executed", "transaction": transaction}


async def _proposed(session: RegistrySession, asset: AssetId, wallet: str, calls: list[Call], because: str) -> Facts:
    made, transaction = await _trusts(session).propose(session.sender(wallet), asset, calls, because)
    return {**_proposal_facts(made), "transaction": transaction}


def _trusts(session: RegistrySession) -> TitleTrusts:
    return TitleTrusts(session.chain, session.registry, session.assets, session.indexer)


def _id(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        message = f"{text[:80]!r} is not a proposal's id, which is a number; `usufruct trust propose` prints it"
        raise Invalid(message, code="invalid_proposal", field="proposal") from None


async def _facts(session: RegistrySession, asset: AssetId, place: Address | None = None) -> Facts:
    found = await _trusts(session).show(asset, place)
    terms = found.terms
    return {
        "id": format_asset(asset),
        "trust": checksum(found.address),
        "holds_title": found.holds_title,
        "voting_delay_hours": terms.voting_delay / 3_600,
        "voting_period_days": terms.voting_period / 86_400,
        "grace_period_days": terms.grace_period / 86_400,
        "threshold_shares": format_units(terms.threshold, SHARE_DECIMALS),
        "quorum_shares": format_units(terms.quorum, SHARE_DECIMALS),
        "configuration": found.configuration or None,
    }


def _proposal_facts(standing: TrustProposal) -> Facts:
    proposal, votes = standing.proposal, standing.tally
    return {
        "id": str(standing.id),
        "state": standing.state.value,
        "does": standing.words,
        "because": proposal.written,
        "proposer": checksum(proposal.proposer),
        "snapshot": moment(proposal.snapshot),
        "voting_ends": moment(proposal.deadline),
        "for": format_units(votes.in_favour, SHARE_DECIMALS),
        "against": format_units(votes.against, SHARE_DECIMALS),
        "abstain": format_units(votes.abstained, SHARE_DECIMALS),
        "needs_two_thirds_of_all_shares": standing.dissolves,
    }
