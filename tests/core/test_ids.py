import pytest

from usufruct.core import Invalid, address, asset_id, format_asset, hash32


def test_addresses_compare_whatever_the_letter_case():
    assert address("0x" + "Ab" * 20) == address("0x" + "aB" * 20) == "0x" + "ab" * 20


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
