"""Words about a trust's proposals leave out nothing: every field of a price card, ends of texts, what is not known."""

from usufruct.chain import Call
from usufruct.chain.contracts.asset_registry import AssetRegistry, PriceCard, PriceUnit
from usufruct.core import Address, checksum
from usufruct.governance.trusts.model import words_of

PLACE = Address("0x" + "03" * 20)
REGISTRY = AssetRegistry(PLACE)


def test_a_price_card_is_said_with_every_field():
    card = PriceCard(150_000, 600_000, 7, 1_000, PriceUnit.IMAGE, 8_192, 2)
    assert words_of(REGISTRY.set_price_card(5, card)) == (
        "announce price card 2: per million images 150000 in and 600000 out, input from a cache at 10 % of that, 7 per "
        "call, in atomic units of the service's payment token; context window: 8192 images"
    )


def test_the_end_of_an_address_is_shown():
    entry = b"sha256:" + b"a" * 64 + b" https://ok.example/" + b"x" * 900 + b"@evil.example/c"
    assert words_of(REGISTRY.set_metadata(5, "configuration", entry)).endswith("x@evil.example/c")


def test_what_is_cut_says_so_and_has_its_bytes():
    call = REGISTRY.set_agent_uri(5, "https://ok.example/" + "x" * 2_000 + "@evil.example/c")
    told = words_of(call)
    assert "x…; its end is cut here, the call has all: 0x" in told
    assert told.endswith(call.data.hex())


def test_what_cannot_be_read_is_a_warning_with_its_bytes():
    uri, entry = REGISTRY.set_agent_uri(5, "https://evil.example"), REGISTRY.set_metadata(5, "endpoint", b"abc")
    for data in (uri.data[:-1] + b"\1", entry.data[:-1] + b"\1", entry.data[:60], b"\1\2\3\4"):
        expected = f"WARNING: what this does is not known: call {checksum(PLACE)} with 0x{data.hex()}"
        assert words_of(Call(PLACE, data)) == expected


def test_bytes_that_are_no_text_are_shown_as_bytes():
    assert words_of(REGISTRY.set_metadata(5, "endpoint", b"\xff\xfe")) == "write the entry endpoint: 0xfffe"
