"""Where a proposal stands, what its title is, and that a hostile description steers nothing."""

import pytest

from usufruct.core import Address, Hash32, checksum
from usufruct.governance.model import (
    Proposal,
    ProposalState,
    Support,
    Tally,
    harmless,
    id_text,
    signed_description,
)

HASH = Hash32("0x" + "11" * 32)
PROPOSER, OTHER = Address("0x" + "2a" * 20), Address("0x" + "3b" * 20)
SNAPSHOT, DEADLINE, GRACE = 1_000, 2_000, 500
PASSED, FAILED, TIED = Tally(100, 40, 10), Tally(40, 100), Tally(100, 100)


def proposal(text: bytes = b"A title", eta: int = 0, executed: bool = False, cancelled: bool = False) -> Proposal:
    ended = {"executed": HASH if executed else None, "cancelled": HASH if cancelled else None}
    return Proposal(HASH, PROPOSER, (), text, SNAPSHOT, DEADLINE, HASH, eta, **ended)


@pytest.mark.parametrize(
    ("now", "tally", "quorum", "state"),
    [
        (SNAPSHOT, Tally(), 1, ProposalState.PENDING),
        (SNAPSHOT + 1, Tally(), 1, ProposalState.ACTIVE),
        (DEADLINE, PASSED, 1, ProposalState.ACTIVE),
        (DEADLINE + 1, PASSED, 110, ProposalState.SUCCEEDED),
        (DEADLINE + 1, PASSED, 111, ProposalState.DEFEATED),
        (DEADLINE + 1, FAILED, 10, ProposalState.DEFEATED),
        (DEADLINE + 1, TIED, 10, ProposalState.DEFEATED),
        (DEADLINE + GRACE, PASSED, 1, ProposalState.SUCCEEDED),
        (DEADLINE + GRACE + 1, PASSED, 1, ProposalState.EXPIRED),
    ],
)
def test_the_state_follows_time_and_votes(now: int, tally: Tally, quorum: int, state: ProposalState):
    assert proposal().state(tally, quorum, now, GRACE) is state


def test_what_was_queued_expires_and_what_ended_stays():
    queued = proposal(eta=3_000)
    assert queued.state(PASSED, 1, 3_500, GRACE) is ProposalState.QUEUED
    assert queued.state(PASSED, 1, 3_501, GRACE) is ProposalState.EXPIRED
    assert proposal(eta=3_000, executed=True).state(PASSED, 1, 9_000, GRACE) is ProposalState.EXECUTED
    assert proposal(cancelled=True).state(PASSED, 1, 1_500, GRACE) is ProposalState.CANCELLED


def test_votes_are_counted_by_what_they_say():
    votes = [(Support.FOR, 5), (Support.AGAINST, 2), (Support.FOR, 1), (Support.ABSTAIN, 4)]
    assert Tally.of(votes) == Tally(6, 2, 4)
    assert Tally.of(votes).counted == 10


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (b"\n# Lower it\n\nBecause.", "Lower it"),
        (b"", ""),
        (b"x" * 300, "x" * 199 + "\N{HORIZONTAL ELLIPSIS}"),
        (b"bad \xff text", "bad \N{REPLACEMENT CHARACTER} text"),
        ("safe \N{RIGHT-TO-LEFT OVERRIDE}gnp.exe\x1b[2J\x07".encode(), "safe gnp.exe[2J"),
    ],
)
def test_the_title_is_the_first_line(text: bytes, title: str):
    assert proposal(text).title == title


@pytest.mark.parametrize(
    ("end", "shown"),
    [
        (f"\n#proposer={PROPOSER}", "Why"),
        (f"\n#proposer={checksum(PROPOSER)}", "Why"),
        (f"\n#proposer={PROPOSER} ", f"Why\n#proposer={PROPOSER} "),
        (f"\n#proposer={OTHER}", f"Why\n#proposer={OTHER}"),
        (f"\n#proposer={OTHER}\n#proposer={PROPOSER}", f"Why\n#proposer={OTHER}"),
        ("", "Why"),
    ],
)
def test_the_line_that_names_the_proposer_is_not_shown(end: str, shown: str):
    assert proposal(f"Why{end}".encode()).text == shown
    assert signed_description("Why", PROPOSER) == f"Why\n#proposer={PROPOSER}"


def test_a_hostile_text_keeps_its_lines_and_loses_what_steers():
    assert harmless("a\n\tb\x1b]0;t\x07\N{ZERO WIDTH SPACE}\N{LINE SEPARATOR}\r") == "a\n\tb]0;t"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("11", "0x" + "0" * 63 + "b"),
        (str(2**256 - 1), "0x" + "f" * 64),
        ("0x3F2A", "0x3f2a"),
        ("9" * 5_000, "9" * 5_000),
        ("\N{ARABIC-INDIC DIGIT ONE}", "\N{ARABIC-INDIC DIGIT ONE}"),
    ],
)
def test_an_id_is_hex_or_a_decimal_number(text: str, found: str):
    assert id_text(text) == found
