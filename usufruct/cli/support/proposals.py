"""How commands read proposals that people write, and print proposals with what they do."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from usufruct.chain import Call
from usufruct.cli.support.command import Facts
from usufruct.cli.support.output import one_line
from usufruct.core import Invalid, checksum, moment
from usufruct.governance import (
    CallWords,
    InvalidCall,
    Proposals,
    Simulation,
    StandingProposal,
    event_text,
    grouped,
    read_draft_calls,
    sentence,
    whole_hundredths,
)
from usufruct_client.draft_documents import DraftCall
from usufruct_client.wire_types import read


async def read_calls(proposals: Proposals, texts: Sequence[str], file: Path | None) -> tuple[list[Call], str]:
    """Return the calls of the command line and of a file, and the file's description.

    Raises:
        Invalid: when a call cannot be read; names the call, or the file.
    """
    written, name = (_read_file(file), file.name) if file else ({}, "")
    drafts = [DraftCall(call=each) for each in texts]
    drafts += [_draft(f"{name}, call {number}", each) for number, each in enumerate(written.get("calls", ()), 1)]
    return await read_draft_calls(drafts, await proposals.known()), str(written.get("description", ""))


def _draft(where: str, entry: Any) -> DraftCall:
    if isinstance(entry, dict) and isinstance(value := entry.get("value"), int):
        entry = {**entry, "value": str(value)}
    return read(DraftCall, entry, lambda message, field: InvalidCall(f"{where}: {message}", field="file"))


def _read_file(file: Path) -> dict[str, Any]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}", code="unreadable_file", field="file") from None
    try:
        found = orjson.loads(content) if file.suffix == ".json" else tomllib.loads(content.decode())
    except (orjson.JSONDecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        kind = "JSON" if file.suffix == ".json" else "TOML"
        raise Invalid(f"{file} is not {kind}: {one_line(str(error))}", code="unreadable_file", field="file") from None
    if not isinstance(found, dict) or not isinstance(found.get("calls", []), list):
        raise InvalidCall(f"{file} needs `calls`, a list, and may have a `description`", field="file")
    return found


def effect_lines(words: Sequence[CallWords], simulation: Simulation | None) -> Facts:
    """Return what calls do, as facts for people: a line for each call, each outcome, and what would change."""
    lines: dict[str, object] = {}
    for number, each in enumerate(words, 1):
        lines[f"call {number}"] = one_line(sentence(each))
        if each.is_unknown or each.is_cut or each.carried:
            rest = f" ({len(each.call.data)} bytes; --json prints all)" if each.is_data_cut else ""
            lines[f"call {number} data"] = f"to {checksum(each.call.to)}: {each.data}{rest}"
        if simulation and not simulation.unavailable:
            outcome = simulation.outcomes[number - 1]
            events = "; ".join(map(event_text, outcome.events)) or "no events"
            told = f"succeeds, gas {outcome.gas:,}: {events}" if outcome.succeeds else f"FAILS: {outcome.refusal}"
            lines[f"call {number} simulated"] = one_line(told)
    if simulation is None:
        return lines
    if simulation.unavailable:
        return {**lines, "simulation": f"NOT SIMULATED: {simulation.unavailable}"}
    told = f"{'succeeds' if simulation.succeeds else 'FAILS'} on block {simulation.block}"
    lines["simulation"] = f"{told}: {simulation.reason}" if simulation.reason else told
    for number, change in enumerate(simulation.changes, 1):
        told = f"{change.contract}.{change.view}: {change.before or '-'} -> {change.after or '-'}"
        lines[f"view {number}"] = one_line(told)
    for number, moved in enumerate(simulation.movements, 1):
        sign = "+" if moved.amount > 0 else ""
        who = moved.name or checksum(moved.account)
        lines[f"balance {number}"] = f"{who}: {sign}{grouped(moved.amount, moved.decimals)} {moved.symbol}"
    return lines


def standing_lines(standing: StandingProposal) -> Facts:
    """Return how a proposal stands, as facts for people."""
    proposal, tally = standing.proposal, standing.tally
    passed = "reached" if tally.counted >= standing.quorum else "not reached"
    lines: dict[str, object] = {
        "proposal": proposal.id,
        "title": one_line(proposal.title),
        "state": standing.state.value,
        "proposer": checksum(proposal.proposer),
        "votes for": votes_text(tally.in_favour),
        "votes against": votes_text(tally.against),
        "votes abstain": votes_text(tally.abstained),
        "quorum": f"{votes_text(standing.quorum)}, {passed}",
        "snapshot": moment(proposal.snapshot),
        "voting ends": moment(proposal.deadline),
    }
    if proposal.eta:
        lines["executable from"] = moment(proposal.eta)
    return {**lines, "expires": moment(standing.expires_at)}


def votes_text(amount: int) -> str:
    """Write votes as people read them, with two decimals at most, rounded down."""
    return grouped(whole_hundredths(amount), 2)
