import pytest
from eth_utils import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from usufruct.core import Invalid, address, asset_id, checksum, format_asset, hash32

PAYEE = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"


def test_an_address_is_read_in_one_letter_case_or_with_its_checksum():
    assert address(PAYEE) == address(PAYEE.lower()) == address("0x" + PAYEE[2:].upper()) == PAYEE.lower()
    assert checksum(address(PAYEE.lower())) == PAYEE


@given(st.binary(min_size=20, max_size=20), st.integers(2, 41), st.sampled_from("0123456789abcdefABCDEF"))
def test_an_address_with_one_changed_character_is_never_taken_for_another(raw, position, sign):
    written = to_checksum_address(raw)
    changed = written[:position] + sign + written[position + 1 :]
    one_case = changed[2:] in (changed[2:].lower(), changed[2:].upper())
    if one_case or changed == to_checksum_address(changed):  # no letters to check by, or a checksum met by chance
        assert address(changed) == changed.lower()
    else:
        with pytest.raises(Invalid, match="copy it again") as error:
            address(changed, "--pay-to")
        assert (error.value.code, error.value.details["value"]) == ("address_mistyped", changed)
        assert error.value.details["field"] == "--pay-to"


@pytest.mark.parametrize(
    "text", ["", "0x", "ab" * 20, "0x" + "ab" * 19, "0x" + "ab" * 21, "0x" + "zz" * 20, "0x" + "ab" * 20 + "\n"]
)
def test_what_is_no_address_is_refused_with_the_field_named(text):
    with pytest.raises(Invalid, match="receiver") as error:
        address(text, field="receiver")
    assert error.value.details["field"] == "receiver"


@pytest.mark.parametrize("text", ["0x" + "1" * 63, "1" * 64, "0x" + "g" * 64])
def test_what_is_no_hash_is_refused(text):
    with pytest.raises(Invalid, match="channel"):
        hash32(text, field="channel")


@pytest.mark.parametrize("value", ["abc", "-1", -1, 1 << 128, "0x1" + "0" * 32, ""])
def test_what_is_no_asset_id_is_refused(value):
    with pytest.raises(Invalid, match="asset"):
        asset_id(value)


def test_asset_ids_are_read_in_both_notations():
    assert asset_id("0xff") == asset_id("255") == asset_id(255) == 255


def test_asset_ids_are_written_in_their_full_width_and_read_with_and_without_leading_zeros():
    assert format_asset(asset_id(255)) == "0x" + "0" * 30 + "ff"
    assert asset_id(format_asset(asset_id(255))) == asset_id("0xff")
    assert len(format_asset(asset_id(2**128 - 1))) == 34
    assert hash32("0x" + "AB" * 32) == "0x" + "ab" * 32
