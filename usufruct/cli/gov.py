"""Decide about the platform by votes: propose calls, see what they do, vote, queue and execute what passed."""

from contextlib import nullcontext
from pathlib import Path
from secrets import token_hex
from typing import Annotated

from typer import Argument, Option, Typer

from usufruct.chain import Call, ChainAccess, Receipt, open_chain
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.deployment import Deployments
from usufruct.cli.support.command import Facts, Rows, runs
from usufruct.cli.support.output import Json, one_line, plain, print_facts, say
from usufruct.cli.support.ownership import Yes, confirm_on_public_chain
from usufruct.cli.support.proposals import effect_lines, read_calls, standing_lines, votes_text
from usufruct.cli.support.signed_documents import read_signed, write_signed
from usufruct.cli.support.wallet_option import Wallet, open_wallet
from usufruct.config import Config
from usufruct.core import ZERO_ADDRESS, ChainId, Hash32, Invalid, checksum, hash32, moment
from usufruct.governance import (
    NOT_KNOWN,
    OPEN_STATES,
    PAGE,
    Ballot,
    InvalidVote,
    Power,
    Powers,
    Proposals,
    StandingProposal,
    check_proposal,
    check_simulation,
    grouped,
    id_text,
    proposal_details,
    proposal_facts,
    proposal_id,
    proposed_call,
    signed_description,
    signed_vote,
    simulation_facts,
    support_of,
)
from usufruct_client.governance_documents import SignedBallot, SupportText

app = Typer()

Id = Annotated[str, Argument(metavar="ID", help="A proposal's id, or its first digits, as in 0x3f2a.")]
SupportArgument = Annotated[str, Argument(metavar="for|against|abstain", help="What you vote.")]
Reason = Annotated[str, Option(help="Why, in at most 1000 characters; anyone can read it.")]

_SUPPORTS: tuple[SupportText, ...] = ("for", "against", "abstain")


@app.command()
@runs(open_chain)
async def propose(
    chain: ChainAccess,
    call: Annotated[
        list[str] | None, Option("--call", help="CONTRACT.FUNCTION(ARGUMENTS); once for each call, in order.")
    ] = None,
    file: Annotated[Path | None, Option(help="A TOML or JSON file with `description` and `calls`.")] = None,
    description: Annotated[str, Option(help="What it is for; the first line is its title.")] = "",
    dry_run: Annotated[bool, Option("--dry-run", help="Say and simulate the calls; send nothing.")] = False,
    anyway: Annotated[bool, Option("--anyway", help="Propose it though the simulation fails, or cannot run.")] = False,
    wallet: Annotated[str, Option("--wallet", "-w", help="Who proposes; as for other commands.")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Propose calls that the timelock makes if the proposal passes; each is said in words and simulated first.

    Arguments may have units: 25% (in hundredths of a per cent), 3d or 12h (in seconds), 100 EXM (in atomic units).

    Example: usufruct gov propose --call "VoteEscrow.setExitPenalty(25%)" --description "Lower the penalty" --dry-run

    Example: usufruct gov propose --call "tUSD.transfer(0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc, 1000 tUSD)"
    --description "Pay the auditor" --wallet 0
    """
    if not wallet and not dry_run:
        raise Invalid("--wallet is missing; pass it, or --dry-run to send nothing", code="wallet_missing")
    proposals = Proposals(chain)
    calls, written = await read_calls(proposals, call or (), file)
    text = description or written
    check_proposal(calls, text or ("dry run" if dry_run else ""))
    words, simulation = await proposals.explain(calls), await proposals.simulate(calls)
    effects = {
        "calls": [proposed_call(each).as_json() for each in words],
        "simulation": simulation_facts(simulation).as_json(),
    }
    if dry_run:
        _print(effects, effect_lines(words, simulation), as_json=as_json)
        return
    for name, line in effect_lines(words, simulation).items():
        say(f"{name}: {line}")
    if not anyway:
        check_simulation(simulation)
    confirm_on_public_chain(chain, "Propose this?", yes=yes)
    signer = open_wallet(wallet, chain.config)
    receipt = await _Session(chain, wallet).execute("propose", await proposals.propose(signer.address, calls, text))
    standing = await proposals.find(proposal_id(calls, signed_description(text, signer.address).encode()))
    document = {**proposal_facts(standing).as_json(), **effects, "transaction": receipt.hash}
    _print(document, {**standing_lines(standing), "transaction": receipt.hash}, as_json=as_json)


@app.command("list")
@runs(open_chain)
async def list_proposals(
    chain: ChainAccess, page: Annotated[int, Option(min=1, help=f"{PAGE} proposals a page, the newest first.")] = 1
) -> Rows:
    """List proposals, the newest first.

    Example: usufruct gov list
    """
    found = await Proposals(chain).page(page)
    rows = [
        {
            **proposal_facts(each).as_json(),
            "id": each.proposal.id[:12],
            "proposal": each.proposal.id,
            "title": one_line(each.proposal.title),
            "for": votes_text(each.tally.in_favour),
            "against": votes_text(each.tally.against),
            "quorum": votes_text(each.quorum),
            "voting_ends": moment(each.proposal.deadline),
        }
        for each in found
    ]
    return Rows(rows, ("id", "state", "title", "for", "against", "quorum", "voting_ends"), "no proposals yet")


@app.command()
@runs(open_chain)
async def show(chain: ChainAccess, proposal: Id, as_json: Json = False) -> None:
    """Show a proposal: its calls in words, what they would do now, votes, quorum, deadlines.

    Example: usufruct gov show 0x3f2a
    """
    proposals = Proposals(chain)
    standing = await proposals.find(proposal)
    calls = standing.proposal.calls
    words, votes = await proposals.explain(calls), await proposals.votes(standing.proposal)
    simulation = await proposals.simulate(calls) if standing.state in OPEN_STATES else None
    lines = {**standing_lines(standing), **effect_lines(words, simulation)}
    for each in votes:
        reason = f": {one_line(each.reason)}" if each.reason.strip() else ""
        lines[f"vote of {checksum(each.voter)}"] = f"{each.support.name.lower()} {votes_text(each.weight)}{reason}"
    lines["description"] = f"\n{plain(standing.proposal.text)}"
    document = proposal_details(standing, proposals.governor.address, words, simulation, votes).as_json()
    _print(document, lines, as_json=as_json)


@app.command()
@runs(open_chain)
async def vote(
    chain: ChainAccess, proposal: Id, support: SupportArgument, wallet: Wallet, reason: Reason = ""
) -> Facts:
    """Vote about a proposal with the wallet's score at the snapshot, once.

    Example: usufruct gov vote 0x3f2a for --reason "Fewer locks end early" --wallet 0
    """
    session = _Session(chain, wallet)
    standing = await session.proposals.find(proposal)
    kind = support_of(_support(support))
    weight = await session.proposals.weight(standing, session.signer.address)
    receipt = await session.execute(
        "vote", await session.proposals.vote(session.signer.address, standing, kind, reason)
    )
    return {
        "proposal": standing.proposal.id,
        "voter": checksum(session.signer.address),
        "support": support,
        "votes": votes_text(weight),
        "transaction": receipt.hash,
    }


@app.command()
@runs(nullcontext)
async def sign(
    config: Config,
    proposal: Annotated[str, Argument(metavar="ID", help="The proposal's whole id.")],
    support: SupportArgument,
    wallet: Wallet,
    nonce: Annotated[
        int | None, Option(min=0, help="How many signed votes of the wallet were cast; without it the node is asked.")
    ] = None,
    reason: Reason = "",
) -> None:
    """Sign a vote, and print it as JSON for another account to send. With --nonce no node is asked.

    Example: usufruct gov sign 0x3f2a... for --nonce 0 --wallet 0 > ballot.json
    """
    signer = open_wallet(wallet, config)
    chain_id = ChainId(config.chain.id)
    governor = Deployments.read(config.data.folder, chain_id).address(PlatformGovernor)
    if nonce is None:
        async with open_chain(config) as chain:
            nonce = await Proposals(chain).governor.nonces(signer.address)
    text = _support(support)
    ballot = Ballot(chain_id, governor, _whole_id(proposal), signer.address, support_of(text), nonce, reason)
    signed = SignedBallot(chain_id, governor, ballot.proposal, ballot.voter, text, nonce, reason, ballot.sign(signer))
    write_signed(signed, None)


@app.command()
@runs(open_chain)
async def send(
    chain: ChainAccess,
    ballot: Annotated[Path, Argument(metavar="BALLOT", help="A file that `sign` printed; - reads standard input.")],
    wallet: Wallet,
) -> Facts:
    """Send a vote that another account signed; the wallet pays the gas.

    Example: usufruct gov send ballot.json --wallet 1
    """
    signed, session = read_signed(SignedBallot, ballot, "usufruct gov sign", _invalid_vote), _Session(chain, wallet)
    governor = session.proposals.governor
    if (signed.chain_id, signed.governor) != (chain.chain_id, governor.address):
        raise InvalidVote(
            f"the ballot is for the governor {checksum(signed.governor)} on chain {signed.chain_id}, not for "
            f"{checksum(governor.address)} on chain {chain.chain_id}",
            field="governor",
        )
    standing = await session.proposals.find(signed.proposal)
    await session.proposals.check_vote(signed.voter, standing, signed.reason)
    if (nonce := await governor.nonces(signed.voter)) != signed.nonce:
        raise InvalidVote(f"the ballot has nonce {signed.nonce}, the next one is {nonce}; sign again", field="nonce")
    support = support_of(signed.support)
    unsigned = Ballot(
        chain.chain_id, governor.address, signed.proposal, signed.voter, support, signed.nonce, signed.reason
    )
    receipt = await session.execute("send", signed_vote(unsigned, signed.signature))
    return {
        "proposal": standing.proposal.id,
        "voter": checksum(signed.voter),
        "support": signed.support,
        "votes": votes_text(await session.proposals.weight(standing, signed.voter)),
        "transaction": receipt.hash,
    }


@app.command()
@runs(open_chain)
async def queue(chain: ChainAccess, proposal: Id, wallet: Wallet) -> Facts:
    """Queue a proposal that passed: the timelock's delay begins. Any wallet may do it.

    Example: usufruct gov queue 0x3f2a --wallet 0
    """
    session = _Session(chain, wallet)
    standing = await session.proposals.find(proposal)
    return await session.go_on("queue", session.proposals.queue(standing), standing)


@app.command()
@runs(open_chain)
async def execute(
    chain: ChainAccess,
    proposal: Id,
    wallet: Wallet,
    anyway: Annotated[bool, Option("--anyway", help="Send it though the simulation fails, or cannot run.")] = False,
) -> Facts:
    """Execute a queued proposal after the timelock's delay. Any wallet may do it; it is simulated first.

    Example: usufruct gov execute 0x3f2a --wallet 0
    """
    session = _Session(chain, wallet)
    standing = await session.proposals.find(proposal)
    call = session.proposals.execute(standing)
    if not anyway:
        check_simulation(await session.proposals.simulate(standing.proposal.calls))
    return await session.go_on("execute", call, standing)


@app.command()
@runs(open_chain)
async def cancel(chain: ChainAccess, proposal: Id, wallet: Wallet, yes: Yes = False) -> Facts:
    """Cancel a proposal: its proposer before the snapshot, the guardian until it is executed.

    Example: usufruct gov cancel 0x3f2a --wallet 0
    """
    session = _Session(chain, wallet)
    standing = await session.proposals.find(proposal)
    call = await session.proposals.cancel(session.signer.address, standing)
    confirm_on_public_chain(chain, f"Cancel {one_line(standing.proposal.title)!r}?", yes=yes)
    return await session.go_on("cancel", call, standing)


@app.command()
@runs(open_chain)
async def delegates(chain: ChainAccess) -> Rows:
    """List the accounts that others let vote for them, with their votes of this week; `stake delegate` chooses one.

    Example: usufruct gov delegates
    """
    found = await Proposals(chain).delegates()
    rows = [{"delegate": checksum(each.account), "votes": votes_text(each.votes)} for each in found]
    return Rows(rows, ("delegate", "votes"), "no account votes for others")


@app.command()
@runs(open_chain)
async def treasury(chain: ChainAccess) -> Rows:
    """Show what the treasury holds, which is the timelock: the chain's coin, and tokens that the installation knows.

    Example: usufruct gov treasury
    """
    found = await Proposals(chain).treasury()
    rows = [
        {
            "token": each.symbol or "the chain's coin",
            "amount": grouped(each.amount, each.decimals),
            "contract": None if each.token == ZERO_ADDRESS else checksum(each.token),
            "treasury": checksum(found.address),
            "block": found.block,
        }
        for each in found.holdings
    ]
    return Rows(rows, ("token", "amount", "contract"))


@app.command()
@runs(open_chain)
async def powers(chain: ChainAccess) -> Rows:
    """Show every role of every contract and its holder, read from the chain; those outside the published table too.

    The guardian's row says when its time is over.

    Example: usufruct gov powers
    """
    proposals = Proposals(chain)
    found, guardian = await Powers(chain, proposals.indexer).all(), await proposals.guardian()
    rows = [
        {
            "contract": each.contract,
            "role": each.role,
            "holder": checksum(each.holder),
            "called": each.name or "NOT KNOWN",
            "published": each.published,
            "until": moment(guardian.until) if guardian and _is_guardian(each) else None,
        }
        for each in found
    ]
    for each in found:
        if not each.published:
            told = f"is held by {checksum(each.holder)}, outside the published table"
            told = "cannot be read: who holds it is not known" if each.name == NOT_KNOWN else told
            say(f"WARNING: {each.contract}.{each.role} {told}")
    return Rows(rows, ("contract", "role", "called", "holder", "published", "until"), "no roles")


def _is_guardian(power: Power) -> bool:
    return (power.contract, power.role) == (PlatformGovernor.__name__, "guardian")


class _Session:
    """A wallet at the governor."""

    def __init__(self, chain: ChainAccess, wallet: str) -> None:
        self.proposals = Proposals(chain)
        self.signer = open_wallet(wallet, chain.config)
        self._sender = chain.sender(self.signer)

    async def execute(self, verb: str, call: Call) -> Receipt:
        """Send a call once, and wait until it is final."""
        return await self._sender.execute(call, f"gov/{verb}/{call.to}/{token_hex(8)}")

    async def go_on(self, verb: str, call: Call, before: StandingProposal) -> Facts:
        """Send a call about a proposal, and return how it stands then."""
        receipt = await self.execute(verb, call)
        standing = await self.proposals.find(before.proposal.id)
        facts: dict[str, object] = {"proposal": standing.proposal.id, "state": standing.state.value}
        if standing.proposal.eta:
            facts["executable_from"] = moment(standing.proposal.eta)
        return {**facts, "transaction": receipt.hash}


def _print(document: Facts, lines: Facts, *, as_json: bool) -> None:
    print_facts(document if as_json else lines, as_json=as_json)


def _support(text: str) -> SupportText:
    for each in _SUPPORTS:
        if text == each:
            return each
    raise InvalidVote(f"a vote is for, against or abstain, not {text[:40]!r}", field="support")


def _whole_id(text: str) -> Hash32:
    return hash32(id_text(text), "ID")


def _invalid_vote(message: str, field: str) -> InvalidVote:
    return InvalidVote(message, field=field)
