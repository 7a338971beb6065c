"""An airdrop is built from a CSV file: OpenZeppelin's root and proofs, bounded memory, all bad rows or none."""

import hashlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from shutil import which

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.staking.airdrop_samples import CAP, TOKEN, Entry, sample_entries, write_csv
from usufruct.core import Address, Conflict, Invalid, checksum
from usufruct.staking import AirdropFile, AirdropRefused, InvalidAirdropFile, NoSuchEntry, build_airdrop
from usufruct.staking.airdrop_rows import MOST_LISTED
from usufruct.staking.merkle_tree import leaf_hash, proves
from usufruct.staking.record_sort import sort_records

ONE = "0x" + "1" * 40
TWO = "0x" + "2" * 40
MIXED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # EIP-55's own example


def openzeppelin(entries: Sequence[Entry]) -> dict[str, object]:
    """Return root and proofs by npm's package for entries in ascending order of address."""
    node = which("node")
    assert node, "no node on PATH: run `make setup`, then the tests by make"
    values = [[str(index), account, str(amount)] for index, (account, amount) in enumerate(entries)]
    script = Path(__file__).with_name("merkle_tree.mjs")
    done = subprocess.run([node, script], input=json.dumps(values), capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 31, 300])
def test_root_and_proofs_are_those_of_openzeppelins_npm_package(tmp_path: Path, count: int):
    entries = sample_entries(count)
    built = build_airdrop(write_csv(tmp_path, entries), tmp_path / "out", CAP)
    theirs = openzeppelin(sorted(entries))
    assert "0x" + built.root.hex() == theirs["root"]
    with AirdropFile(tmp_path / "out") as file:
        ours = [file.entry_of(account) for account, _ in sorted(entries)]
    assert [["0x" + node.hex() for node in entry.proof] for entry in ours] == theirs["proofs"]
    assert [(entry.index, entry.amount) for entry in ours] == list(enumerate(amount for _, amount in sorted(entries)))
    assert (built.count, built.total) == (count, sum(amount for _, amount in entries))


@given(st.dictionaries(st.binary(min_size=20, max_size=20).filter(any), st.integers(1, 2**96), min_size=1))
@settings(max_examples=50, deadline=None)
def test_every_entry_is_found_and_proved(tmp_path_factory: pytest.TempPathFactory, holders: dict[bytes, int]):
    folder = tmp_path_factory.mktemp("airdrop")
    lines = [f"0x{account.hex()},{amount}" for account, amount in holders.items()]
    csv = folder / "holders.csv"
    csv.write_text("\n".join(["address,units", *lines]))
    built = build_airdrop(csv, folder / "out", sum(holders.values()))
    with AirdropFile(folder / "out") as file:
        for account, amount in holders.items():
            entry = file.entry_of(Address("0x" + account.hex()))
            assert entry.amount == amount
            assert proves(leaf_hash(entry.index, account, amount.to_bytes(32, "big")), list(entry.proof), built.root)


def test_the_order_of_rows_changes_nothing(tmp_path: Path):
    entries = sample_entries(50)
    one = build_airdrop(write_csv(tmp_path, entries), tmp_path / "one", CAP)
    other = build_airdrop(write_csv(tmp_path, entries[::-1]), tmp_path / "other", CAP)
    assert one.root == other.root
    assert one.path.read_bytes() == other.path.read_bytes()


def test_amounts_are_tokens_or_atomic_units_by_the_name_of_their_column(tmp_path: Path):
    tokens, units = tmp_path / "tokens.csv", tmp_path / "units.csv"
    tokens.write_text(f"address,amount\n{ONE},1.5\n")
    units.write_text(f"address,units\n{ONE},{TOKEN * 3 // 2}\n")
    roots = [build_airdrop(source, tmp_path / source.stem, CAP).root for source in (tokens, units)]
    assert roots[0] == roots[1]


def test_every_row_that_cannot_be_paid_is_listed_with_its_line(tmp_path: Path):
    bad = {
        3: (f"{ONE},2", "duplicate"),
        4: ("0x12,1", "malformed"),
        5: (f"{TWO},-1", "malformed"),
        6: (f"{TWO},1,2", "malformed"),
        7: (f"{MIXED.replace('B', 'b')},1", "malformed"),
        8: (f"0x{'0' * 40},1", "zero"),
        9: (f"{TWO},0", "zero"),
        10: (f"{TWO},{CAP // TOKEN + 1}", "over_cap"),
        11: (f"{TWO},1.{'1' * 19}", "malformed"),
        12: (f"{TWO},{CAP // TOKEN}", "total_over_cap"),
        13: (f"{TWO},\N{ARABIC-INDIC DIGIT ONE}", "malformed"),
    }
    csv = tmp_path / "holders.csv"
    csv.write_text("\n".join(["address,amount", f"{ONE},1", *(row for row, _ in bad.values())]))
    with pytest.raises(AirdropRefused) as refused:
        build_airdrop(csv, tmp_path / "out", CAP)
    assert [(row.line, row.code) for row in refused.value.rows] == [(line, code) for line, (_, code) in bad.items()]
    assert refused.value.rows[0].reason == "0x1111111111111111111111111111111111111111 is on line 2 already"
    assert "on line 3, 4," in refused.value.message
    assert refused.value.details["rows"] == len(bad)
    assert [path.name for path in tmp_path.iterdir()] == ["holders.csv"]


def test_the_list_of_refused_rows_is_bounded_and_the_count_is_whole(tmp_path: Path):
    csv = tmp_path / "holders.csv"
    csv.write_text("address,amount\n" + "x,1\n" * (MOST_LISTED + 5))
    with pytest.raises(AirdropRefused) as refused:
        build_airdrop(csv, tmp_path / "out", CAP)
    assert len(refused.value.rows) == MOST_LISTED
    assert refused.value.details == {"rows": MOST_LISTED + 5, "malformed": MOST_LISTED + 5}
    assert "on line 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...; correct" in refused.value.message


def test_blank_lines_a_byte_order_mark_and_spaces_are_no_fault(tmp_path: Path):
    csv = tmp_path / "holders.csv"
    csv.write_text(f"\ufeffAddress, Amount\r\n\r\n {MIXED} , 1 \r\n")
    assert build_airdrop(csv, tmp_path / "out", CAP).total == TOKEN


@pytest.mark.parametrize("text", ["", "address\n", f"{ONE},1\n", "address,amount\n", "amount,address\n1,2\n"])
def test_a_file_without_header_or_rows_is_refused(tmp_path: Path, text: str):
    csv = tmp_path / "holders.csv"
    csv.write_text(text)
    with pytest.raises(InvalidAirdropFile):
        build_airdrop(csv, tmp_path / "out", CAP)
    assert not (tmp_path / "out").exists()


def test_a_quotation_mark_left_open_is_refused_with_its_line(tmp_path: Path):
    csv = tmp_path / "holders.csv"
    csv.write_text(f'address,amount\n{ONE},1\n"{TWO},1\n' + f"{ONE},1\n" * 5_000)
    with pytest.raises(InvalidAirdropFile, match="a quotation mark left open"):
        build_airdrop(csv, tmp_path / "out", CAP)
    assert [path.name for path in tmp_path.iterdir()] == ["holders.csv"]


def test_an_existing_file_is_replaced_only_when_asked(tmp_path: Path):
    csv = write_csv(tmp_path, sample_entries(3))
    target = tmp_path / "out"
    target.write_text("precious")
    with pytest.raises(Conflict):
        build_airdrop(csv, target, CAP)
    assert target.read_text() == "precious"
    build_airdrop(csv, target, CAP, overwrite=True)
    with AirdropFile(target) as file:
        assert file.count == 3


def test_an_address_outside_the_airdrop_is_not_found(tmp_path: Path):
    build_airdrop(write_csv(tmp_path, [(ONE, TOKEN)]), tmp_path / "out", CAP)
    with AirdropFile(tmp_path / "out") as file:
        for account in ("0x" + "0" * 39 + "1", TWO, "0x" + "f" * 40):
            with pytest.raises(NoSuchEntry):
                file.entry_of(Address(account))


def test_a_file_that_is_cut_or_not_an_airdrop_is_refused(tmp_path: Path):
    built = build_airdrop(write_csv(tmp_path, sample_entries(3)), tmp_path / "out", CAP)
    whole = built.path.read_bytes()
    for content in (b"", whole[:-1], whole + b"\x00", b"x" + whole[1:]):
        built.path.write_bytes(content)
        with pytest.raises(InvalidAirdropFile):
            AirdropFile(built.path)


@pytest.mark.parametrize("cap", [0, 2**128])
def test_a_cap_that_no_supply_has_is_refused(tmp_path: Path, cap: int):
    with pytest.raises(Invalid, match="cap"):
        build_airdrop(write_csv(tmp_path, sample_entries(1)), tmp_path / "out", cap)


def test_progress_tells_each_stage(tmp_path: Path):
    told: dict[str, int] = {}
    build_airdrop(
        write_csv(tmp_path, sample_entries(7)),
        tmp_path / "out",
        CAP,
        progress=lambda stage, done: told.update({stage: done}),
    )
    assert told == {"rows": 7, "accounts": 7, "leaves": 7, "tree": 7}


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 95])
def test_records_are_sorted_in_runs(tmp_path: Path, count: int):
    records = [hashlib.sha256(bytes([i % 90])).digest() for i in range(count)]
    assert list(sort_records(records, 32, tmp_path, most=10)) == sorted(records)


def test_checksummed_addresses_are_taken(tmp_path: Path):
    entries = [(checksum(account), amount) for account, amount in sample_entries(20)]
    assert build_airdrop(write_csv(tmp_path, entries), tmp_path / "out", CAP).count == 20
